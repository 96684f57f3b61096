//! Functions: parameters, defaults, bodies, and what `this` means in them.

use super::state::{Frame, How, Lowering, blank_function};
use crate::model::{
    Assign, BindingKind, ClassId, Cond, Flow, Function, FunctionId, FunctionKind, Literal, Name, Step, Value, ValueId,
};
use crate::text::Span;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{ArrowFunctionBody, Expr, Pat, Stmt};

/// What a function is made of.
pub struct Parts<'e> {
    pub function: Function,
    pub parameters: Vec<&'e Pat>,
    pub body: Body<'e>,
    /// Its own name, visible inside only.
    pub own_name: Option<&'e ast::Ident>,
    /// What `this` means in it, where it is not its own.
    pub receiver: Option<ValueId>,
    /// `yield` stands for `await`.
    pub yields_await: bool,
}

/// A body.
pub enum Body<'e> {
    None,
    Block(&'e [Stmt]),
    Expr(&'e Expr),
}

impl Lowering<'_> {
    /// Lowers a function.
    pub fn function(&mut self, parts: &Parts<'_>) -> FunctionId {
        let (id, outer) = self.begin(parts);
        self.parameters(&parts.parameters);
        self.body(id, parts);
        self.leave(outer);
        id
    }

    /// Starts a function: everything before its parameters.
    pub fn begin(&mut self, parts: &Parts<'_>) -> (FunctionId, Frame) {
        let mut function = parts.function.clone();
        function.parent = Some(self.at.function);
        function.has_body = !matches!(parts.body, Body::None);
        let is_arrow = function.kind == FunctionKind::Arrow;
        let span = function.span;
        let id = self.add_function(function);
        self.receivers[id.index()] = parts.receiver.or(self.at.receiver.filter(|_| is_arrow));
        let outer = self.enter(id, span);
        self.at.yields_await = parts.yields_await;
        (id, outer)
    }

    /// The rest of a function, after its parameters.
    pub fn body(&mut self, id: FunctionId, parts: &Parts<'_>) {
        let span = self.out.functions[id.index()].body;
        if let Body::Block(statements) = parts.body {
            self.hoist_vars(statements);
            self.declare_block(statements);
        }
        if let Some(name) = parts.own_name
            && !self.declares(&name.sym)
        {
            let own = self.declare(&name.sym, BindingKind::Function, self.span(name.span));
            let value = self.value(Value::Function(id));
            self.give(own, value);
        }
        match parts.body {
            Body::Block(statements) => {
                self.statements(statements);
                self.scope_end(self.at.scope, span);
            }
            Body::Expr(expr) => {
                self.at.statement = span;
                self.return_statement(Some(expr), span);
            }
            Body::None => {}
        }
    }

    /// Declares parameters and lowers their defaults.
    pub fn parameters(&mut self, patterns: &[&Pat]) {
        let mut whole = Vec::with_capacity(patterns.len());
        for (at, pattern) in patterns.iter().enumerate() {
            let kind = BindingKind::Parameter(at as u16);
            let binding = match simple_name(pattern) {
                Some(name) => self.declare(&name.id.sym, kind, self.span(name.id.span)),
                None => self.declare_nameless(Name::default(), kind, self.span(pattern.span())),
            };
            self.out.bindings[binding.index()].assignments = 1;
            if let Some(annotation) = super::stmt::pattern_type(pattern) {
                self.out.bindings[binding.index()].ty = self.type_facts(annotation);
            }
            whole.push(binding);
        }
        for pattern in patterns {
            if simple_name(pattern).is_none() {
                self.declare_pattern(pattern, BindingKind::Let);
            }
        }
        for (pattern, &binding) in patterns.iter().zip(&whole) {
            let value = self.value(Value::Binding(binding));
            let span = self.span(pattern.span());
            match pattern {
                Pat::Assign(assign) if simple_name(pattern).is_some() => self.default(value, &assign.right, span),
                _ if simple_name(pattern).is_none() => self.bind(pattern, value, span, How::Declaration),
                _ => {}
            }
        }
        let function = self.at.function.index();
        self.out.functions[function].parameters.extend(whole);
    }

    /// `parameter = default`: part of the parameter's one unseen assignment.
    fn default(&mut self, place: ValueId, default: &Expr, span: Span) {
        let statement = self.at.statement;
        let then = self.nested(|lowering| {
            let value = lowering.expr(default);
            lowering.step(Step::Assign(Assign {
                place,
                value,
                span,
                statement,
                only_if_empty: true,
                is_declaration: true,
            }));
        });
        let undefined = self.literal(Literal::Undefined);
        let cond = Cond::Equal(place, undefined);
        self.push(Flow::Branch { cond, then: Box::new(then), otherwise: Box::new(Flow::empty()), span });
    }

    /// `function name() { … }` as a statement.
    pub fn function_declaration(&mut self, declaration: &ast::FnDecl) {
        if declaration.function.body.is_none() || Self::is_emitted(&declaration.ident.sym) {
            return;
        }
        let name = self.name(&declaration.ident.sym);
        let name_span = self.span(declaration.ident.span);
        let parts = self.function_parts(name, name_span, FunctionKind::Plain, &declaration.function);
        let binding = self.find(&name);
        let before = binding.and_then(|binding| self.given[binding.index()]);
        let id = self.function(&parts);
        let value = self.value(Value::Function(id));
        let Some(binding) = binding else { return };
        // `function f() { f = wrap(function* () { … }); return f.apply(this, arguments); }`: the inner one is the value.
        let replaces_itself = before.is_none()
            && self.given[binding.index()]
                .is_some_and(|own| matches!(self.out.values[own.index()], Value::Function(_)));
        if !replaces_itself {
            self.give(binding, value);
        }
    }

    /// A function literal; `receiver` is what `this` means in it, where that is known.
    pub fn function_expr(&mut self, function: &ast::FnExpr, receiver: Option<ValueId>) -> ValueId {
        let parts = self.function_expr_parts(function);
        let id = self.function(&Parts { receiver, ..parts });
        self.value(Value::Function(id))
    }

    /// A generator literal that a helper runs as an async function.
    pub fn generator_as_async(&mut self, generator: &ast::FnExpr, kind: FunctionKind) -> FunctionId {
        let mut parts = self.function_expr_parts(generator);
        parts.function.kind = kind;
        parts.function.is_async = true;
        parts.function.is_generator = false;
        parts.yields_await = true;
        self.function(&parts)
    }

    fn function_expr_parts<'e>(&mut self, function: &'e ast::FnExpr) -> Parts<'e> {
        let hint = self.hint.take().unwrap_or_default();
        let (name, name_span) = match &function.ident {
            Some(name) => (self.name(&name.sym), self.span(name.span)),
            None => (hint, self.function_head(function)),
        };
        let parts = self.function_parts(name, name_span, FunctionKind::Plain, &function.function);
        Parts { own_name: function.ident.as_ref(), ..parts }
    }

    /// The text of a function literal before its body.
    pub fn function_head(&self, function: &ast::FnExpr) -> Span {
        let whole = self.span(function.function.span);
        match &function.function.body {
            Some(body) => Span::new(whole.start, self.span(body.span).start),
            None => whole,
        }
    }

    /// A method, accessor or constructor-like member.
    pub fn method_function(
        &mut self,
        name: Name,
        name_span: Span,
        kind: FunctionKind,
        function: &ast::Function,
        class: Option<ClassId>,
        is_static: bool,
    ) -> FunctionId {
        let mut parts = self.function_parts(name, name_span, kind, function);
        parts.function.class = class;
        parts.function.is_static = is_static;
        self.function(&parts)
    }

    fn function_parts<'e>(
        &mut self,
        name: Name,
        name_span: Span,
        kind: FunctionKind,
        function: &'e ast::Function,
    ) -> Parts<'e> {
        let span = self.span(function.span);
        let body = function.body.as_ref();
        let lowered = Function {
            name,
            is_async: function.is_async,
            is_generator: function.is_generator,
            body: body.map_or(span, |body| self.span(body.span)),
            name_span,
            decorators: self.decorator_names(&function.decorators),
            ..blank_function(kind, span)
        };
        Parts {
            function: lowered,
            parameters: function.params.iter().map(|param| &param.pat).collect(),
            body: body.map_or(Body::None, |body| Body::Block(&body.stmts)),
            own_name: None,
            receiver: None,
            yields_await: false,
        }
    }

    /// `(parameters) => body`.
    pub fn arrow_expr(&mut self, arrow: &ast::ArrowExpr) -> ValueId {
        let name = self.hint.take().unwrap_or_default();
        let span = self.span(arrow.span);
        let (body, body_span) = match &*arrow.body {
            ArrowFunctionBody::FunctionBody(body) => (Body::Block(&body.stmts), self.span(body.span)),
            ArrowFunctionBody::Expr(expr) => (Body::Expr(expr), self.span(expr.span())),
        };
        let function = Function {
            name,
            is_async: arrow.is_async,
            is_generator: arrow.is_generator,
            body: body_span,
            name_span: Span::new(span.start, body_span.start),
            ..blank_function(FunctionKind::Arrow, span)
        };
        let parameters = arrow.params.iter().collect();
        let id =
            self.function(&Parts { function, parameters, body, own_name: None, receiver: None, yields_await: false });
        self.value(Value::Function(id))
    }
}

/// The variable of a parameter that is one, default or rest included.
fn simple_name(pattern: &Pat) -> Option<&ast::BindingIdent> {
    match pattern {
        Pat::Ident(name) => Some(name),
        Pat::Assign(assign) => match &*assign.left {
            Pat::Ident(name) => Some(name),
            _ => None,
        },
        Pat::Rest(rest) => match &*rest.arg {
            Pat::Ident(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}
