//! Statements: blocks and control flow.

use super::state::{How, Lowering, sequence};
use crate::model::{BindingId, BindingKind, Cond, Exit, Flow, Literal, Loop, Name, ScopeId, Step, Value};
use crate::text::Span;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{Decl, ForHead, Pat, Stmt, VarDeclKind, VarDeclOrExpr};

impl Lowering<'_> {
    /// Declares the variables of declarators in the current scope.
    pub fn declare_patterns(&mut self, declarators: &[ast::VarDeclarator], kind: BindingKind) {
        for declarator in declarators {
            self.declare_pattern(&declarator.name, kind);
        }
    }

    /// Declares what a block declares itself.
    pub fn declare_block(&mut self, statements: &[Stmt]) {
        for statement in statements {
            let mut statement = statement;
            while let Stmt::Labeled(labeled) = statement {
                statement = &labeled.body;
            }
            if let Stmt::Decl(declaration) = statement {
                self.declare_lexical(declaration);
            }
        }
    }

    /// Declares what a declaration declares in its own block; not its `var`s.
    pub fn declare_lexical(&mut self, declaration: &Decl) {
        match declaration {
            Decl::Class(class) if !class.declare => {
                self.declare(&class.ident.sym, BindingKind::Class, self.span(class.ident.span));
            }
            Decl::Fn(function) if !function.declare && function.function.body.is_some() => {
                self.declare(&function.ident.sym, BindingKind::Function, self.span(function.ident.span));
            }
            Decl::Var(var) if !var.declare => match var.kind {
                VarDeclKind::Let => self.declare_patterns(&var.decls, BindingKind::Let),
                VarDeclKind::Const => self.declare_patterns(&var.decls, BindingKind::Const),
                VarDeclKind::Var => {}
            },
            Decl::Using(using) => self.declare_patterns(&using.decls, BindingKind::Using),
            Decl::TsEnum(decl) if !decl.declare => {
                self.declare(&decl.id.sym, BindingKind::Const, self.span(decl.id.span));
            }
            Decl::TsModule(decl) if !decl.declare => {
                if let ast::TsModuleName::Ident(id) = &decl.id
                    && super::module::has_code(decl.body.as_ref())
                {
                    self.declare(&id.sym, BindingKind::Var, self.span(id.span));
                }
            }
            _ => {}
        }
    }

    /// Statements in order. `using` puts the rest of them into a `try` whose `finally` drops its variables.
    pub fn statements(&mut self, statements: &[Stmt]) {
        for (at, statement) in statements.iter().enumerate() {
            if let Stmt::Decl(Decl::Using(using)) = statement {
                self.using(using, |lowering| lowering.statements(&statements[at + 1..]));
                return;
            }
            self.statement(statement);
        }
    }

    /// A `using` declaration and the code in which its variables live.
    pub fn using(&mut self, using: &ast::UsingDecl, rest: impl FnOnce(&mut Self)) {
        self.at.statement = self.span(using.span);
        let first = self.out.bindings.len();
        for declarator in &using.decls {
            self.declarator(declarator);
        }
        let names: Vec<_> = using.decls.iter().filter_map(|declarator| declarator.name.as_ident()).collect();
        let bindings: Vec<BindingId> = names.iter().filter_map(|name| self.find(&name.id.sym)).collect();
        debug_assert!(self.out.bindings.len() >= first);
        let body = self.nested(rest);
        let span = self.span(using.span);
        let finally = self.nested(|lowering| {
            for &binding in bindings.iter().rev() {
                lowering.step(Step::Drop(binding));
                if using.is_await {
                    let value = lowering.value(Value::Binding(binding));
                    lowering.step(Step::Await { value, span, is_yield: false });
                }
            }
        });
        self.push(Flow::Try { body: Box::new(body), handler: None, finally: Some(Box::new(finally)) });
    }

    /// A block with its own scope, where it declares anything.
    pub fn block(&mut self, statements: &[Stmt], span: Span, is_loop: bool) {
        if !statements.iter().any(declares) {
            return self.statements(statements);
        }
        let scope = self.open_scope(span, is_loop);
        self.declare_block(statements);
        self.statements(statements);
        self.scope_end(scope, span);
        self.close_scope();
    }

    /// The end of a scope, where it can be reached and variables go out of reach there.
    pub fn scope_end(&mut self, scope: ScopeId, span: Span) {
        if self.at.code.last().is_some_and(leaves) {
            return;
        }
        let is_local = |kind| matches!(kind, BindingKind::Var | BindingKind::Let | BindingKind::Const);
        let bindings: Box<[BindingId]> = self.out.scopes[scope.index()]
            .bindings
            .iter()
            .copied()
            .filter(|binding| is_local(self.out.bindings[binding.index()].kind))
            .collect();
        if !bindings.is_empty() {
            let span = Span::new(span.end.saturating_sub(1).max(span.start), span.end);
            self.step(Step::ScopeEnd { bindings, span });
        }
    }

    /// One statement.
    pub fn statement(&mut self, statement: &Stmt) {
        let span = self.span(statement.span());
        let outer = std::mem::replace(&mut self.at.statement, span);
        self.statement_inner(statement);
        self.at.statement = outer;
    }

    fn statement_inner(&mut self, statement: &Stmt) {
        let span = self.at.statement;
        match statement {
            Stmt::Expr(expression) => self.effect(&expression.expr),
            Stmt::Decl(declaration) => self.declaration(declaration),
            Stmt::Block(block) => self.block(&block.stmts, span, false),
            Stmt::Return(exit) => self.return_statement(exit.arg.as_deref(), span),
            Stmt::Throw(exit) => {
                let value = self.expr(&exit.arg);
                self.push(Flow::Exit(Exit::Throw(Some(value)), span));
            }
            Stmt::Break(exit) => {
                let label = exit.label.as_ref().map(|label| self.name(&label.sym));
                self.push(Flow::Exit(Exit::Break(label), span));
            }
            Stmt::Continue(exit) => {
                let label = exit.label.as_ref().map(|label| self.name(&label.sym));
                self.push(Flow::Exit(Exit::Continue(label), span));
            }
            Stmt::If(branch) => self.if_statement(branch),
            Stmt::Switch(switch) => self.switch(switch),
            Stmt::Try(attempt) => self.try_statement(attempt),
            Stmt::While(turn) => {
                self.head(span.start, turn.test.span());
                self.while_loop(Some(&turn.test), None, &turn.body);
            }
            Stmt::DoWhile(turn) => self.do_while(turn),
            Stmt::For(turn) => self.for_loop(turn),
            Stmt::ForIn(turn) => self.for_each(&turn.left, &turn.right, &turn.body, Each::Key),
            Stmt::ForOf(turn) if turn.is_await => self.for_each(&turn.left, &turn.right, &turn.body, Each::Awaited),
            Stmt::ForOf(turn) => self.for_each(&turn.left, &turn.right, &turn.body, Each::Element),
            Stmt::Labeled(labeled) => {
                let body = self.nested(|lowering| lowering.statement(&labeled.body));
                let name = self.name(&labeled.label.sym);
                self.push(Flow::Labelled(name, Box::new(body)));
            }
            Stmt::With(with) => {
                self.head(span.start, with.obj.span());
                self.expr(&with.obj);
                self.statement(&with.body);
            }
            Stmt::Empty(_) | Stmt::Debugger(_) => {}
        }
    }

    /// The statement is only its head: what stands before the body.
    fn head(&mut self, start: u32, test: swc_common::Span) {
        self.at.statement = Span::new(start, self.span(test).end);
    }

    fn declaration(&mut self, declaration: &Decl) {
        match declaration {
            Decl::Var(var) if !var.declare => var.decls.iter().for_each(|declarator| self.declarator(declarator)),
            Decl::Using(using) => self.using(using, |_| {}),
            Decl::Fn(function) if !function.declare => self.function_declaration(function),
            Decl::Class(class) if !class.declare => self.class_declaration(class),
            Decl::TsEnum(decl) if !decl.declare => self.ts_enum(decl),
            Decl::TsModule(decl) if !decl.declare => self.ts_namespace(decl),
            _ => {}
        }
    }

    /// One `name = value` of a declaration.
    pub fn declarator(&mut self, declarator: &ast::VarDeclarator) {
        if let (Pat::Ident(name), Some(annotation)) = (&declarator.name, pattern_type(&declarator.name))
            && let Some(binding) = self.find(&name.id.sym)
        {
            self.out.bindings[binding.index()].ty = self.type_facts(annotation);
        }
        let Some(init) = &declarator.init else { return };
        if let Pat::Ident(name) = &declarator.name
            && Self::is_emitted(&name.id.sym)
        {
            return;
        }
        if let Pat::Ident(name) = &declarator.name {
            self.hint = Some(self.name(&name.id.sym));
        }
        let value = self.expr(init);
        let span = self.span(declarator.span);
        if let Pat::Ident(name) = &declarator.name {
            self.declare_again(&name.id.sym, self.span(name.id.span));
        }
        self.bind(&declarator.name, value, span, How::Declaration);
    }

    /// `return`, or the expression that is an arrow's whole body.
    pub fn return_statement(&mut self, argument: Option<&ast::Expr>, span: Span) {
        if let Some(argument) = argument
            && self.inline_async(argument)
        {
            return;
        }
        if self.machine_return(argument, span) {
            return;
        }
        let value = argument.map(|argument| self.expr(argument));
        self.push(Flow::Exit(Exit::Return(value), span));
    }

    fn if_statement(&mut self, branch: &ast::IfStmt) {
        let span = self.span(branch.span);
        self.head(span.start, branch.test.span());
        let cond = self.cond(&branch.test);
        let then = self.nested(|lowering| lowering.statement(&branch.cons));
        let otherwise = match branch.alt.as_deref() {
            Some(alternative) => self.nested(|lowering| lowering.statement(alternative)),
            None => Flow::empty(),
        };
        let span = self.span(branch.test.span());
        self.push(Flow::Branch { cond, then: Box::new(then), otherwise: Box::new(otherwise), span });
    }

    fn switch(&mut self, switch: &ast::SwitchStmt) {
        let span = self.span(switch.span);
        self.head(span.start, switch.discriminant.span());
        let subject = self.expr(&switch.discriminant);
        let scope = self.open_scope(span, false);
        switch.cases.iter().for_each(|case| self.declare_block(&case.cons));
        for case in &switch.cases {
            if let Some(test) = &case.test {
                self.expr(test);
            }
        }
        let arms = switch.cases.iter().map(|case| self.nested(|lowering| lowering.statements(&case.cons))).collect();
        let has_default = switch.cases.iter().any(|case| case.test.is_none());
        self.push(Flow::Switch { subject, arms, has_default });
        self.scope_end(scope, span);
        self.close_scope();
    }

    fn try_statement(&mut self, attempt: &ast::TryStmt) {
        let block = self.span(attempt.block.span);
        let body = self.nested(|lowering| lowering.block(&attempt.block.stmts, block, false));
        let handler = attempt.handler.as_ref().map(|clause| self.catch(clause));
        let finally = attempt.finalizer.as_ref().map(|finalizer| {
            let span = self.span(finalizer.span);
            Box::new(self.nested(|lowering| lowering.block(&finalizer.stmts, span, false)))
        });
        self.push(Flow::Try { body: Box::new(body), handler, finally });
    }

    fn catch(&mut self, clause: &ast::CatchClause) -> (Option<BindingId>, Box<Flow>) {
        let span = self.span(clause.span);
        let scope = self.open_scope(span, false);
        let mut variable = None;
        let flow = self.nested(|lowering| {
            match &clause.param {
                Some(Pat::Ident(name)) => {
                    let at = lowering.span(name.id.span);
                    let binding = lowering.declare(&name.id.sym, BindingKind::Catch, at);
                    lowering.out.bindings[binding.index()].assignments = 1;
                    variable = Some(binding);
                }
                Some(pattern) => {
                    let at = lowering.span(pattern.span());
                    let whole = lowering.declare_nameless(Name::default(), BindingKind::Catch, at);
                    lowering.out.bindings[whole.index()].assignments = 1;
                    variable = Some(whole);
                    lowering.declare_pattern(pattern, BindingKind::Let);
                    let value = lowering.value(Value::Binding(whole));
                    lowering.bind(pattern, value, at, How::Declaration);
                }
                None => {}
            }
            lowering.block(&clause.body.stmts, lowering.span(clause.body.span), false);
            lowering.scope_end(scope, span);
        });
        self.close_scope();
        (variable, Box::new(flow))
    }

    /// `while` and the rest of `for`: `update` runs at the end of each turn.
    fn while_loop(&mut self, test: Option<&ast::Expr>, update: Option<&ast::Expr>, body: &Stmt) {
        let head = self.at.statement;
        self.at.loop_depth = self.at.loop_depth.saturating_add(1);
        let mut cond = None;
        let tested = self.nested(|lowering| cond = test.map(|test| lowering.cond(test)));
        let turn = self.nested(|lowering| {
            lowering.loop_body(body);
            if let Some(update) = update {
                lowering.effect(update);
            }
        });
        self.at.loop_depth -= 1;
        let always = |lowering: &mut Self| Cond::Truthy(lowering.literal(Literal::Bool(true)));
        let (cond, body) = match cond {
            Some(cond) if tested.is_empty() => (cond, turn),
            Some(cond) => {
                // The test runs code of its own each turn: `for (;;) { test; if (!cond) break; body }`.
                let span = test.map_or(head, |test| self.span(test.span()));
                let stop = Flow::Exit(Exit::Break(None), span);
                let otherwise = Box::new(stop);
                let leave = Flow::Branch { cond, then: Box::new(Flow::empty()), otherwise, span };
                (always(self), sequence(vec![tested, leave, turn]))
            }
            None => (always(self), turn),
        };
        self.push(Flow::Loop { kind: Loop::While, cond, body: Box::new(body), span: head });
    }

    fn loop_body(&mut self, body: &Stmt) {
        match body {
            Stmt::Block(block) => {
                let span = self.span(block.span);
                self.block(&block.stmts, span, true);
            }
            other => self.statement(other),
        }
    }

    fn do_while(&mut self, turn: &ast::DoWhileStmt) {
        self.at.loop_depth = self.at.loop_depth.saturating_add(1);
        let mut cond = None;
        let body = self.nested(|lowering| {
            lowering.loop_body(&turn.body);
            lowering.at.statement = lowering.span(turn.test.span());
            cond = Some(lowering.cond(&turn.test));
        });
        self.at.loop_depth -= 1;
        let cond = cond.unwrap_or(Cond::All(Vec::new()));
        let span = self.span(turn.test.span());
        self.push(Flow::Loop { kind: Loop::DoWhile, cond, body: Box::new(body), span });
    }

    fn for_loop(&mut self, turn: &ast::ForStmt) {
        let span = self.span(turn.span);
        let body_start = self.span(turn.body.span()).start;
        let lexical = match &turn.init {
            Some(VarDeclOrExpr::VarDecl(var)) => match var.kind {
                VarDeclKind::Let => Some((var, BindingKind::Let)),
                VarDeclKind::Const => Some((var, BindingKind::Const)),
                VarDeclKind::Var => None,
            },
            _ => None,
        };
        let scope = lexical.map(|(var, kind)| {
            let scope = self.open_scope(span, true);
            self.declare_patterns(&var.decls, kind);
            scope
        });
        self.at.statement = Span::new(span.start, body_start);
        match &turn.init {
            Some(VarDeclOrExpr::VarDecl(var)) => var.decls.iter().for_each(|declarator| self.declarator(declarator)),
            Some(VarDeclOrExpr::Expr(init)) => self.effect(init),
            None => {}
        }
        self.while_loop(turn.test.as_deref(), turn.update.as_deref(), &turn.body);
        if let Some(scope) = scope {
            self.scope_end(scope, span);
            self.close_scope();
        }
    }

    fn for_each(&mut self, head: &ForHead, over: &ast::Expr, body: &Stmt, each: Each) {
        let span = self.at.statement;
        let iterated = self.span(over.span());
        self.head(span.start, over.span());
        let statement = self.at.statement;
        let object = self.expr(over);
        let scope = match head {
            ForHead::VarDecl(var) if var.kind == VarDeclKind::Var => None,
            ForHead::VarDecl(_) | ForHead::UsingDecl(_) => Some(self.open_scope(span, true)),
            ForHead::Pat(_) => None,
        };
        self.at.loop_depth = self.at.loop_depth.saturating_add(1);
        let flow = self.nested(|lowering| {
            let some = lowering.opaque([object]);
            let value = match each {
                Each::Key => some,
                Each::Element => lowering.index(object, some),
                Each::Awaited => {
                    lowering.step(Step::Await { value: object, span: iterated, is_yield: false });
                    let element = lowering.index(object, some);
                    lowering.awaited(element)
                }
            };
            match head {
                ForHead::VarDecl(var) => {
                    let kind = match var.kind {
                        VarDeclKind::Var => BindingKind::Var,
                        VarDeclKind::Let => BindingKind::Let,
                        VarDeclKind::Const => BindingKind::Const,
                    };
                    for declarator in &var.decls {
                        if kind != BindingKind::Var {
                            lowering.declare_pattern(&declarator.name, kind);
                        }
                        let at = lowering.span(declarator.span);
                        lowering.bind(&declarator.name, value, at, How::Declaration);
                    }
                    lowering.loop_body(body);
                }
                ForHead::UsingDecl(using) => {
                    for declarator in &using.decls {
                        lowering.declare_pattern(&declarator.name, BindingKind::Using);
                        let at = lowering.span(declarator.span);
                        lowering.bind(&declarator.name, value, at, How::Declaration);
                    }
                    let bare = ast::UsingDecl {
                        decls: using
                            .decls
                            .iter()
                            .map(|declarator| ast::VarDeclarator { init: None, ..declarator.clone() })
                            .collect(),
                        ..*using.clone()
                    };
                    lowering.using(&bare, |lowering| lowering.loop_body(body));
                }
                ForHead::Pat(pattern) => {
                    let at = lowering.span(pattern.span());
                    lowering.bind(pattern, value, at, How::Plain);
                    lowering.loop_body(body);
                }
            }
        });
        self.at.loop_depth -= 1;
        let cond = Cond::Opaque(Box::new([object]));
        self.push(Flow::Loop { kind: Loop::ForEach, cond, body: Box::new(flow), span: statement });
        if scope.is_some() {
            self.close_scope();
        }
    }
}

/// What a `for` loop over something gives its variable.
#[derive(Clone, Copy)]
enum Each {
    Key,
    Element,
    Awaited,
}

/// Whether a statement declares something in its own block.
fn declares(statement: &Stmt) -> bool {
    match statement {
        Stmt::Decl(Decl::Var(var)) => var.kind != VarDeclKind::Var,
        Stmt::Decl(Decl::TsInterface(_) | Decl::TsTypeAlias(_)) => false,
        Stmt::Decl(_) => true,
        Stmt::Labeled(labeled) => declares(&labeled.body),
        _ => false,
    }
}

/// Whether nothing runs after this.
pub fn leaves(flow: &Flow) -> bool {
    match flow {
        Flow::Exit(..) => true,
        Flow::Sequence(parts) => parts.last().is_some_and(leaves),
        Flow::Branch { then, otherwise, .. } => leaves(then) && leaves(otherwise),
        Flow::Try { body, handler, finally } => {
            finally.as_deref().is_some_and(leaves)
                || (leaves(body) && handler.as_ref().is_none_or(|(_, handler)| leaves(handler)))
        }
        _ => false,
    }
}

/// The annotation of a pattern.
pub fn pattern_type(pattern: &Pat) -> Option<&ast::TsTypeAnn> {
    match pattern {
        Pat::Ident(name) => name.type_ann.as_deref(),
        Pat::Array(array) => array.type_ann.as_deref(),
        Pat::Object(object) => object.type_ann.as_deref(),
        Pat::Rest(rest) => rest.type_ann.as_deref(),
        Pat::Assign(assign) => pattern_type(&assign.left),
        Pat::Expr(_) | Pat::Invalid(_) => None,
    }
}
