//! Statements to structured flow.

use super::condition::negated;
use super::fields::Fields;
use super::lowering::{Lowering, children, fields, has_child};
use super::prepared::CONFIG;
use crate::model::{BindingKind, Cond, Exit, Flow, Literal, Loop, Name, Step, Value, ValueId};
use crate::text::Span;
use tree_sitter::Node;

/// Functions of the C and C++ libraries that never come back.
const NEVER: [&str; 10] = [
    "abort",
    "exit",
    "_exit",
    "_Exit",
    "quick_exit",
    "terminate",
    "__builtin_unreachable",
    "__builtin_trap",
    "longjmp",
    "unreachable",
];

impl Lowering<'_> {
    /// Lowers a statement into the current flow.
    pub fn statement(&mut self, node: Node<'_>) {
        self.deeper((), |this| {
            let outer = this.frame.statement;
            this.frame.statement = this.span(node);
            this.statement_of(node);
            this.frame.statement = outer;
        });
    }

    fn statement_of(&mut self, node: Node<'_>) {
        if node.has_error() && node.is_error() {
            self.out.partial = true;
        }
        let span = self.span(node);
        match node.kind() {
            "compound_statement" => self.scoped(span, false, |this| this.statements(&children(node))),
            "expression_statement" => self.expression_statement(node),
            "declaration" => {
                self.declaration(node);
            }
            "if_statement" => self.if_statement(node),
            "while_statement" => self.while_statement(node),
            "do_statement" => self.do_statement(node),
            "for_statement" => self.for_statement(node),
            "for_range_loop" => self.for_range(node),
            "switch_statement" => self.switch(node),
            "case_statement" => self.case(node),
            "return_statement" | "co_return_statement" => self.return_statement(node),
            "break_statement" => {
                let until = self.frame.breaks.last().copied();
                self.drops(until, None);
                self.unreachable(until, span);
                self.exit(Exit::Break(None), span);
            }
            "continue_statement" => {
                let until = self.frame.continues.last().copied();
                self.drops(until, None);
                self.unreachable(until, span);
                self.exit(Exit::Continue(None), span);
            }
            "goto_statement" => {
                let label = node.field("label").map_or("", |label| self.text(label));
                self.exit(Exit::Goto(Name::from(label)), span);
            }
            "labeled_statement" => {
                let label = node.field("label");
                self.push(Flow::Label(Name::from(label.map_or("", |label| self.text(label)))));
                let rest: Vec<_> = children(node).into_iter().filter(|child| Some(*child) != label).collect();
                self.statements(&rest);
            }
            "throw_statement" => {
                let value = children(node).first().map(|value| self.expression(*value));
                self.exit(Exit::Throw(value), span);
            }
            "try_statement" | "seh_try_statement" => self.try_statement(node),
            "seh_leave_statement" => self.exit(Exit::Break(None), span),
            "attributed_statement" | "else_clause" | "init_statement" => self.statements(&children(node)),
            "co_yield_statement" => {
                let value = children(node).first().map(|value| self.expression(*value));
                let value = value.unwrap_or_else(|| self.opaque([]));
                self.push(Flow::Step(Step::Await { value, span, is_yield: true }));
            }
            "preproc_ifdef" => self.config(node),
            kind if kind.starts_with("preproc_") => {}
            "static_assert_declaration" | "empty_statement" | "access_specifier" | "concept_definition" => {}
            "function_definition"
            | "class_specifier"
            | "struct_specifier"
            | "union_specifier"
            | "enum_specifier"
            | "type_definition"
            | "alias_declaration"
            | "using_declaration"
            | "namespace_alias_definition"
            | "namespace_definition"
            | "template_declaration"
            | "linkage_specification"
            | "field_declaration" => {
                self.local_item(node);
            }
            "ERROR" => self.statements(&children(node)),
            _ => {
                self.discard(node);
            }
        }
    }

    /// Lowers statements one after the other.
    pub fn statements(&mut self, nodes: &[Node<'_>]) {
        for node in nodes {
            self.statement(*node);
        }
    }

    fn expression_statement(&mut self, node: Node<'_>) {
        let Some(inner) = children(node).into_iter().next() else { return };
        let span = self.span(node);
        if inner.kind() == "identifier" && looks_like_macro(self.text(inner)) {
            self.exit(Exit::Macro(Name::from(self.text(inner))), span);
            return;
        }
        let value = self.discard(inner);
        self.after_call(value, span);
    }

    /// What a call that is a statement of its own may do to the straight line.
    fn after_call(&mut self, value: ValueId, span: Span) {
        let Value::Result(call) = *self.out.value(value) else { return };
        match *self.out.value(self.out.call(call).callee) {
            Value::Global(name) if NEVER.contains(&&*name) => self.exit(Exit::Never, span),
            Value::Global(name) if looks_like_macro(&name) => self.exit(Exit::Macro(name), span),
            Value::Member(namespace, name) if NEVER.contains(&&*name) => {
                if matches!(self.out.value(namespace), Value::Global(std) if *std == *"std") {
                    self.exit(Exit::Never, span);
                }
            }
            _ => {}
        }
    }

    /// `if`, with its chain of `else if`s in a loop: there can be hundreds.
    fn if_statement(&mut self, node: Node<'_>) {
        let outer = self.frame.scope;
        let mut arms = Vec::new();
        let mut next = Some(node);
        let mut last = None;
        while let Some(node) = next.take() {
            let span = self.span(node);
            let scope = self.new_scope(Some(self.frame.scope), self.frame.function, span, false);
            self.frame.scope = scope;
            self.frame.sequences.push(Vec::new());
            let head = node.field("condition");
            let cond = head.map_or(Cond::Opaque(Box::default()), |head| self.condition(head));
            let (then, ()) = self.apart(|this| this.optional(node.field("consequence")));
            let head = head.map_or(span, |head| self.span(head));
            arms.push((scope, cond, then, head, span));
            let alternative = node.field("alternative").map(children).unwrap_or_default();
            match alternative.as_slice() {
                [chained] if chained.kind() == "if_statement" => next = Some(*chained),
                other => last = Some(self.apart(|this| this.statements(other)).0),
            }
        }
        let mut otherwise = last.unwrap_or_else(Flow::empty);
        for (scope, cond, then, head, span) in arms.into_iter().rev() {
            self.push(Flow::Branch { cond, then: Box::new(then), otherwise: Box::new(otherwise), span: head });
            self.end_scope(scope, span);
            let mut parts = self.frame.sequences.pop().unwrap_or_default();
            otherwise = if parts.len() == 1 { parts.remove(0) } else { Flow::Sequence(parts) };
        }
        self.frame.scope = outer;
        match otherwise {
            Flow::Sequence(parts) => parts.into_iter().for_each(|part| self.push(part)),
            flow => self.push(flow),
        }
    }

    fn optional(&mut self, node: Option<Node<'_>>) {
        if let Some(node) = node {
            self.statement(node);
        }
    }

    /// A block whose scope is that of the loop around it.
    fn unscoped(&mut self, node: Option<Node<'_>>) {
        match node {
            Some(block) if block.kind() == "compound_statement" => {
                self.deeper((), |this| this.statements(&children(block)));
            }
            node => self.optional(node),
        }
    }

    /// Walks the body of a loop (and what belongs to it) in a scope of its own.
    fn loop_body(&mut self, span: Span, run: impl FnOnce(&mut Self)) -> Flow {
        let outer = self.frame.scope;
        self.frame.breaks.push(outer);
        self.frame.continues.push(outer);
        self.frame.loop_depth = self.frame.loop_depth.saturating_add(1);
        let (flow, ()) = self.apart(|this| this.scoped(span, true, run));
        self.frame.loop_depth -= 1;
        self.frame.breaks.pop();
        self.frame.continues.pop();
        flow
    }

    /// A loop whose condition is tested first. A condition that does something is tested inside an endless loop, so that
    /// what it does happens each time.
    fn tested_loop(&mut self, node: Node<'_>, condition: Option<Node<'_>>, update: Option<Node<'_>>) {
        let span = self.span(node);
        let head = condition.map_or(Span::new(span.start, span.start), |condition| self.span(condition));
        let mut cond = None;
        let body = self.loop_body(span, |this| {
            let (steps, tested) = this.apart(|this| condition.map(|condition| this.condition(condition)));
            if steps.is_empty() {
                cond = tested;
            } else {
                this.push(steps);
                let leave = Box::new(Flow::Exit(Exit::Break(None), head));
                let tested = negated(tested.unwrap_or(Cond::Opaque(Box::default())));
                this.push(Flow::Branch { cond: tested, then: leave, otherwise: Box::new(Flow::empty()), span: head });
            }
            this.unscoped(node.field("body"));
            if let Some(update) = update {
                this.discard(update);
            }
        });
        let cond = match cond {
            Some(cond) => cond,
            None => Cond::Truthy(self.literal(Literal::Bool(true))),
        };
        self.push(Flow::Loop { kind: Loop::While, cond, body: Box::new(body), span: head });
    }

    fn while_statement(&mut self, node: Node<'_>) {
        self.tested_loop(node, node.field("condition"), None);
    }

    fn for_statement(&mut self, node: Node<'_>) {
        self.scoped(self.span(node), false, |this| {
            if let Some(initializer) = node.field("initializer") {
                if initializer.kind() == "declaration" {
                    this.declaration(initializer);
                } else {
                    this.discard(initializer);
                }
            }
            this.tested_loop(node, node.field("condition"), node.field("update"));
        });
    }

    fn for_range(&mut self, node: Node<'_>) {
        self.scoped(self.span(node), false, |this| {
            this.optional(node.field("initializer"));
            let collection = this.field(node, "right");
            let span = this.span(node);
            let body = this.loop_body(span, |this| {
                let element = this.opaque([collection]);
                this.loop_variable(node, element);
                this.unscoped(node.field("body"));
            });
            let head = node.field("right").map_or(span, |right| this.span(right));
            let cond = Cond::Opaque([collection].into());
            this.push(Flow::Loop { kind: Loop::ForEach, cond, body: Box::new(body), span: head });
        });
    }

    fn do_statement(&mut self, node: Node<'_>) {
        let condition = node.field("condition");
        let text: String = condition.map_or("", |condition| self.text(condition)).split_whitespace().collect();
        let body = node.field("body");
        if matches!(text.as_str(), "(0)" | "(false)" | "(FALSE)") {
            self.run_once(node, body);
            return;
        }
        let span = self.span(node);
        let mut cond = Cond::Opaque(Box::default());
        let flow = self.loop_body(span, |this| {
            this.unscoped(body);
            if let Some(condition) = condition {
                cond = this.condition(condition);
            }
        });
        let head = condition.map_or(span, |condition| self.span(condition));
        self.push(Flow::Loop { kind: Loop::DoWhile, cond, body: Box::new(flow), span: head });
    }

    /// `do { … } while (0)` is no loop, but `break` leaves it.
    fn run_once(&mut self, node: Node<'_>, body: Option<Node<'_>>) {
        let outer = self.frame.scope;
        self.frame.breaks.push(outer);
        self.frame.continues.push(outer);
        let (flow, ()) = self.apart(|this| this.optional(body));
        self.frame.breaks.pop();
        self.frame.continues.pop();
        if !has_loop_exit(&flow) {
            self.push(flow);
            return;
        }
        let span = self.span(node);
        let cond = Cond::Truthy(self.literal(Literal::Int(0)));
        self.push(Flow::Loop { kind: Loop::DoWhile, cond, body: Box::new(flow), span });
    }

    fn switch(&mut self, node: Node<'_>) {
        let span = self.span(node);
        self.scoped(span, false, |this| {
            let subject = match node.field("condition") {
                Some(condition) => this.expression(condition),
                None => this.opaque([]),
            };
            let outer = this.frame.scope;
            this.frame.breaks.push(outer);
            let body = node.field("body").map(children).unwrap_or_default();
            let mut arms = Vec::new();
            let mut has_default = false;
            this.scoped(span, false, |this| this.arms(&body, &mut arms, &mut has_default));
            this.frame.breaks.pop();
            this.push(Flow::Switch { subject, arms, has_default });
        });
    }

    /// The arms of a `switch`; those in an `#if` are arms like the others.
    fn arms(&mut self, nodes: &[Node<'_>], arms: &mut Vec<Flow>, has_default: &mut bool) {
        for node in nodes {
            match node.kind() {
                "case_statement" => {
                    *has_default |= node.field("value").is_none();
                    let (flow, ()) = self.apart(|this| this.case(*node));
                    arms.push(flow);
                }
                "preproc_ifdef" | "preproc_else" if has_case(*node) => {
                    let inner: Vec<_> =
                        children(*node).into_iter().filter(|child| child.kind() != "identifier").collect();
                    self.arms(&inner, arms, has_default);
                }
                // What stands behind an arm without being part of it for the grammar.
                _ => {
                    let (flow, ()) = self.apart(|this| this.statement(*node));
                    match arms.last_mut() {
                        Some(Flow::Sequence(parts)) => parts.push(flow),
                        Some(last) => {
                            let first = std::mem::replace(last, Flow::empty());
                            *last = Flow::Sequence(vec![first, flow]);
                        }
                        None => self.push(flow),
                    }
                }
            }
        }
    }

    /// The statements of one arm.
    fn case(&mut self, node: Node<'_>) {
        let value = node.field("value");
        let rest: Vec<_> = children(node).into_iter().filter(|child| Some(*child) != value).collect();
        self.statements(&rest);
    }

    fn return_statement(&mut self, node: Node<'_>) {
        let value = children(node).first().map(|value| self.expression(*value));
        self.drops(None, value);
        self.exit(Exit::Return(value), self.span(node));
    }

    fn try_statement(&mut self, node: Node<'_>) {
        let (body, ()) = self.apart(|this| this.optional(node.field("body")));
        let mut handlers = Vec::new();
        let mut finally = None;
        for clause in children(node) {
            match clause.kind() {
                "catch_clause" | "seh_except_clause" => {
                    let span = self.span(clause);
                    let (flow, binding) = self.apart(|this| {
                        this.scoped(span, false, |this| {
                            let binding = this.catch_variable(clause);
                            this.optional(clause.field("body"));
                            binding
                        })
                    });
                    handlers.push((binding, flow, span));
                }
                "seh_finally_clause" => {
                    let (flow, ()) = self.apart(|this| this.optional(clause.field("body")));
                    finally = Some(Box::new(flow));
                }
                _ => {}
            }
        }
        // Several handlers are one that does any one of them.
        let mut handler = None;
        for (binding, flow, span) in handlers.into_iter().rev() {
            handler = Some(match handler {
                None => (binding, flow),
                Some((_, rest)) => {
                    let cond = Cond::Opaque(Box::default());
                    (binding, Flow::Branch { cond, then: Box::new(flow), otherwise: Box::new(rest), span })
                }
            });
        }
        let handler = handler.map(|(binding, flow)| (binding, Box::new(flow)));
        self.push(Flow::Try { body: Box::new(body), handler, finally });
    }

    fn catch_variable(&mut self, clause: Node<'_>) -> Option<crate::model::BindingId> {
        let list = clause.field("parameters")?;
        let parameter = fields(list, "parameters")
            .into_iter()
            .chain(children(list))
            .find(|c| c.kind() == "parameter_declaration")?;
        let declarator = super::types::Declarator::of(parameter.field("declarator")?);
        let name = declarator.name?;
        let ty = parameter.field("type").map(|ty| self.with_declarator(ty, &declarator, parameter));
        let (scope, span) = (self.frame.scope, self.span(name));
        Some(self.declare(scope, Name::from(self.text(name)), BindingKind::Catch, span, ty))
    }

    /// Both sides of an `#if`.
    fn config(&mut self, node: Node<'_>) {
        let name = node.field("name");
        let alternative = node.field("alternative");
        let number = name.and_then(|name| self.text(name).strip_prefix(CONFIG)?.parse::<usize>().ok());
        let cond = number.and_then(|number| self.prepared.conditions.get(number).cloned());
        let inner: Vec<_> =
            children(node).into_iter().filter(|child| Some(*child) != name && Some(*child) != alternative).collect();
        let (then, ()) = self.apart(|this| this.statements(&inner));
        let (otherwise, ()) = self.apart(|this| {
            if let Some(alternative) = alternative {
                this.statements(&children(alternative));
            }
        });
        if then.is_empty() && otherwise.is_empty() {
            return;
        }
        let cond = cond.unwrap_or_else(|| Cond::Config(Name::from(name.map_or("", |name| self.text(name)))));
        let cond = if has_child(node, "#ifndef") { negated(cond) } else { cond };
        let span = name.map_or(self.span(node), |_| {
            let start = node.start_byte();
            self.prepared.origin(start, start + 1)
        });
        self.push(Flow::Branch { cond, then: Box::new(then), otherwise: Box::new(otherwise), span });
    }
}

/// A name that only macros have: all capitals, or an old NAN one that returns.
pub fn looks_like_macro(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphabetic).count();
    let is_upper = letters >= 2 && !name.contains(|c: char| c.is_ascii_lowercase());
    is_upper || name.starts_with("NanReturn")
}

fn has_case(node: Node<'_>) -> bool {
    children(node).iter().any(|child| {
        child.kind() == "case_statement"
            || (matches!(child.kind(), "preproc_ifdef" | "preproc_else") && has_case(*child))
    })
}

/// Whether `break` or `continue` leaves the code itself, not a loop or `switch` inside it.
fn has_loop_exit(flow: &Flow) -> bool {
    match flow {
        Flow::Exit(Exit::Break(None) | Exit::Continue(None), _) => true,
        Flow::Sequence(parts) => parts.iter().any(has_loop_exit),
        Flow::Branch { then, otherwise, .. } => has_loop_exit(then) || has_loop_exit(otherwise),
        Flow::Labelled(_, body) => has_loop_exit(body),
        Flow::Try { body, handler, finally } => {
            has_loop_exit(body)
                || handler.as_ref().is_some_and(|(_, handler)| has_loop_exit(handler))
                || finally.as_ref().is_some_and(|finally| has_loop_exit(finally))
        }
        Flow::Switch { arms, .. } => arms.iter().any(has_continue),
        Flow::Loop { .. } | Flow::Step(_) | Flow::Label(_) | Flow::Exit(..) => false,
    }
}

fn has_continue(flow: &Flow) -> bool {
    let mut found = false;
    flow.walk(&mut |part| found |= matches!(part, Flow::Exit(Exit::Continue(None), _)));
    found
}
