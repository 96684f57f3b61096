//! Calls, `new`, `import()`, tagged templates: who is called with what.

use super::expr::transparent;
use super::state::{Lowering, NewCall};
use crate::model::{Argument, Cond, Exit, Flow, Literal, Loop, Name, Value, ValueId};
use crate::text::Span;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{Callee, Expr, ExprOrSpread, Lit, MemberProp};

/// Methods whose second argument is the receiver of the function that is their first.
const TAKE_RECEIVER: &[&str] =
    &["forEach", "map", "filter", "some", "every", "find", "findIndex", "findLast", "findLastIndex", "flatMap"];

impl Lowering<'_> {
    /// `callee(arguments)`.
    pub fn call_expr(&mut self, call: &ast::CallExpr, is_discarded: bool) -> ValueId {
        let span = self.span(call.span);
        let callee = match &call.callee {
            Callee::Super(callee) => {
                let name_span = self.span(callee.span);
                let callee = self.global("super");
                let arguments = self.arguments(&call.args, None);
                return self.call(NewCall { is_discarded, ..NewCall::new(callee, arguments, span, name_span) });
            }
            Callee::Import(callee) => return self.dynamic_import(call, self.span(callee.span)),
            Callee::Expr(callee) => transparent(callee),
        };
        if let Some(value) = self.helper_call(callee, call).or_else(|| self.machine_sent(callee)) {
            return value;
        }
        self.plain_call(callee, &call.args, span, is_discarded, false)
    }

    /// `callee?.(arguments)`, `a?.callee(arguments)`.
    pub fn optional_call(&mut self, call: &ast::OptCall, is_discarded: bool) -> ValueId {
        let span = self.span(call.span);
        self.plain_call(transparent(&call.callee), &call.args, span, is_discarded, true)
    }

    fn plain_call(
        &mut self,
        callee: &Expr,
        arguments: &[ExprOrSpread],
        span: Span,
        is_discarded: bool,
        is_optional: bool,
    ) -> ValueId {
        let name_span = self.callee_name(callee);
        let is_optional = is_optional || is_optional_chain(callee);
        if let Expr::Ident(name) = callee
            && name.sym == *"eval"
            && self.find("eval").is_none()
        {
            self.mark_eval();
        }
        let (callee, passed) = self.callee(callee, arguments);
        let receiver = self.receiver_argument(callee, passed);
        let arguments = self.arguments(passed, receiver);
        let visited = arguments.first().copied();
        let value =
            self.call(NewCall { is_optional, is_discarded, ..NewCall::new(callee, arguments, span, name_span) });
        if let Some(visitor) = visited {
            self.visit_each(callee, visitor);
        }
        if self.never_returns(callee) {
            self.push(Flow::Exit(Exit::Never, span));
        }
        value
    }

    /// `list.forEach(clearTimeout)`: a function that stands elsewhere is called with each element.
    fn visit_each(&mut self, callee: ValueId, visitor: Argument) {
        let Value::Member(list, name) = self.out.values[callee.index()] else { return };
        let is_named =
            matches!(self.out.values[visitor.value.index()], Value::Binding(_) | Value::Member(..) | Value::Global(_));
        if *name != *"forEach" || !is_named {
            return;
        }
        let some = self.opaque([list]);
        let element = self.index(list, some);
        self.at.loop_depth = self.at.loop_depth.saturating_add(1);
        let body = self.nested(|lowering| {
            let arguments = vec![Argument { value: element, span: visitor.span }];
            let each = NewCall::new(visitor.value, arguments, visitor.span, visitor.span);
            lowering.call(NewCall { is_discarded: true, ..each });
        });
        self.at.loop_depth -= 1;
        let cond = Cond::Opaque(Box::new([list]));
        self.push(Flow::Loop { kind: Loop::ForEach, cond, body: Box::new(body), span: visitor.span });
    }

    /// The value that is called, and the arguments that reach its parameters.
    fn callee<'e>(&mut self, callee: &Expr, arguments: &'e [ExprOrSpread]) -> (ValueId, &'e [ExprOrSpread]) {
        let Expr::Member(member) = callee else { return (self.expr(callee), arguments) };
        let MemberProp::Ident(method) = &member.prop else { return (self.expr(callee), arguments) };
        let object = transparent(&member.obj);
        let first_is_this = arguments.first().is_some_and(|first| matches!(transparent(&first.expr), Expr::This(_)));
        if let (Expr::Fn(function), true) = (object, first_is_this) {
            // A function literal bound to, or called on, the receiver around it.
            let receiver = self.receiver();
            match &*method.sym {
                "bind" => {
                    let function = self.function_expr(function, Some(receiver));
                    return (self.member(function, "bind"), arguments);
                }
                "call" | "apply" => return (self.function_expr(function, Some(receiver)), &arguments[1..]),
                _ => {}
            }
        }
        // Without a receiver, `f.call(undefined, x)` is `f(x)`.
        if &*method.sym == "call"
            && arguments.first().is_some_and(|first| first.spread.is_none() && is_nothing(&first.expr))
        {
            return (self.expr(object), &arguments[1..]);
        }
        if let (Expr::Call(inner), "call") = (object, &*method.sym)
            && let Some(method) = self.private_method(inner)
        {
            return (method, arguments.get(1..).unwrap_or_default());
        }
        (self.expr(callee), arguments)
    }

    /// `list.forEach(function () { … }, this)`: the receiver that the function literal gets.
    fn receiver_argument(&mut self, callee: ValueId, arguments: &[ExprOrSpread]) -> Option<ValueId> {
        let [_, second] = arguments else { return None };
        let Value::Member(_, name) = &self.out.values[callee.index()] else { return None };
        if !TAKE_RECEIVER.contains(&name.as_str()) || !matches!(transparent(&second.expr), Expr::This(_)) {
            return None;
        }
        Some(self.receiver())
    }

    /// Lowers arguments in order; `receiver` is what `this` means in a function literal that is the first.
    pub fn arguments(&mut self, arguments: &[ExprOrSpread], receiver: Option<ValueId>) -> Vec<Argument> {
        let mut lowered = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.iter().enumerate() {
            let value = match (receiver, transparent(&argument.expr)) {
                (Some(receiver), Expr::Fn(function)) if at == 0 => self.function_expr(function, Some(receiver)),
                _ => self.argument_value(argument),
            };
            lowered.push(Argument { value, span: self.span(argument.span()) });
        }
        lowered
    }

    /// `new callee(arguments)`.
    pub fn new_expr(&mut self, new: &ast::NewExpr, is_discarded: bool) -> ValueId {
        let span = self.span(new.span);
        let callee = transparent(&new.callee);
        let name_span = self.callee_name(callee);
        let callee = self.expr(callee);
        let arguments = self.arguments(new.args.as_deref().unwrap_or_default(), None);
        self.call(NewCall { is_new: true, is_discarded, ..NewCall::new(callee, arguments, span, name_span) })
    }

    /// `` tag`text` ``.
    pub fn tagged_template(&mut self, tagged: &ast::TaggedTpl) -> ValueId {
        let span = self.span(tagged.span);
        let tag = transparent(&tagged.tag);
        let name_span = self.callee_name(tag);
        let callee = self.expr(tag);
        let strings = Argument { value: self.literal(Literal::LongString), span: self.span(tagged.tpl.span) };
        let mut arguments = vec![strings];
        for expr in &tagged.tpl.exprs {
            let value = self.expr(expr);
            arguments.push(Argument { value, span: self.span(expr.span()) });
        }
        self.call(NewCall::new(callee, arguments, span, name_span))
    }

    fn dynamic_import(&mut self, call: &ast::CallExpr, name_span: Span) -> ValueId {
        let callee = self.global("import");
        let arguments = self.arguments(&call.args, None);
        let span = self.span(call.span);
        let name = literal_string(&call.args);
        let result = self.call(NewCall::new(callee, arguments, span, name_span));
        match name {
            Some(name) => self.value(Value::Import(name)),
            None => result,
        }
    }

    /// The text of the callee's name alone.
    fn callee_name(&self, callee: &Expr) -> Span {
        let span = match callee {
            Expr::Member(member) => member.prop.span(),
            Expr::OptChain(chain) => match &*chain.base {
                ast::OptChainBase::Member(member) => member.prop.span(),
                ast::OptChainBase::Call(call) => call.span,
            },
            Expr::SuperProp(property) => property.prop.span(),
            Expr::Fn(function) => return self.function_head(function),
            Expr::Arrow(arrow) => {
                let start = self.span(arrow.span).start;
                return Span::new(start, self.span(arrow.body.span()).start);
            }
            other => other.span(),
        };
        self.span(span)
    }

    fn mark_eval(&mut self) {
        let mut function = Some(self.at.function);
        while let Some(here) = function {
            let here = &mut self.out.functions[here.index()];
            here.has_eval = true;
            function = here.parent;
        }
    }

    fn never_returns(&self, callee: ValueId) -> bool {
        let Value::Member(object, name) = &self.out.values[callee.index()] else { return false };
        matches!(name.as_str(), "exit" | "abort" | "reallyExit")
            && matches!(&self.out.values[object.index()], Value::Global(global) if *global == "process")
    }
}

/// The module name that a call gives as its first argument.
pub fn literal_string(arguments: &[ExprOrSpread]) -> Option<Name> {
    match transparent(&arguments.first()?.expr) {
        Expr::Lit(Lit::Str(string)) => Some(Name::from(string.value.as_str()?)),
        Expr::Tpl(template) if template.exprs.is_empty() => {
            Some(Name::from(template.quasis.first()?.cooked.as_ref()?.as_str()?))
        }
        _ => None,
    }
}

/// `undefined`, `null`, `void 0`.
fn is_nothing(expr: &Expr) -> bool {
    match transparent(expr) {
        Expr::Ident(name) => name.sym == *"undefined",
        Expr::Unary(unary) => unary.op == ast::UnaryOp::Void,
        other => matches!(other, Expr::Lit(Lit::Null(_))),
    }
}

fn is_optional_chain(callee: &Expr) -> bool {
    let mut callee = callee;
    loop {
        callee = match transparent(callee) {
            Expr::OptChain(_) => return true,
            Expr::Member(member) => &member.obj,
            _ => return false,
        };
    }
}
