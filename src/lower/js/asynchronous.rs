//! Async functions as compilers write them for older targets, put back into the function that they are the body of:
//! generators under `__awaiter` or `_asyncToGenerator`, and the state machines under `__generator`.

use super::expr::transparent;
use super::helpers::{Helper, generator_argument, helper, last_name};
use super::regions;
use super::state::Lowering;
use crate::model::{Exit, Flow, FunctionId, Name, ValueId};
use crate::text::Span;
use swc_ecma_ast as ast;
use swc_ecma_ast::{Callee, Expr, ExprOrSpread, Lit, MemberProp, Stmt};

/// The state machine whose arms are being lowered.
pub struct Machine {
    /// Its state variable.
    state: Name,
    /// What it waits for.
    waited: Option<ValueId>,
    /// Where its handlers begin: what is sent there is an error.
    handlers: Vec<Name>,
}

impl Lowering<'_> {
    /// `return __awaiter(this, …, function* () { body })`: the body becomes the current function's own.
    pub fn inline_async(&mut self, argument: &Expr) -> bool {
        let Expr::Call(call) = transparent(argument) else { return false };
        if self.at.function == FunctionId::MODULE {
            return false;
        }
        let Some(function) = async_body(call) else { return false };
        let Some(body) = &function.function.body else { return false };
        let machine = if function.function.is_generator { None } else { Some(machine(&body.stmts)) };
        if machine.as_ref().is_some_and(Option::is_none) {
            return false;
        }
        let span = self.span(function.function.span);
        let here = self.at.function.index();
        self.out.functions[here].is_async = true;
        let scope = self.open_scope(span, false);
        if !function.function.params.is_empty() {
            // `arguments` are passed on: the inner parameters are the real ones.
            self.out.functions[here].parameters.clear();
            let patterns: Vec<&ast::Pat> = function.function.params.iter().map(|param| &param.pat).collect();
            self.parameters(&patterns);
        }
        self.hoist_vars(&body.stmts);
        self.declare_block(&body.stmts);
        if let Some((before, machine)) = machine.flatten() {
            self.statements(before);
            self.state_machine(machine);
        } else {
            let outer = std::mem::replace(&mut self.at.yields_await, true);
            self.statements(&body.stmts);
            self.at.yields_await = outer;
        }
        self.scope_end(scope, span);
        self.close_scope();
        true
    }

    /// The arms of `__generator(this, function (state) { switch (state.label) { … } })`: labels and jumps.
    fn state_machine(&mut self, machine: &ast::FnExpr) {
        let Some(body) = &machine.function.body else { return };
        let state = machine.function.params.first().and_then(|param| param.pat.as_ident());
        let state = state.map_or(Name::default(), |name| Name::from(&name.id.sym));
        let outer = self.at.machine.replace(Machine { state, waited: None, handlers: Vec::new() });
        self.hoist_vars(&body.stmts);
        let code = self.nested(|lowering| {
            for statement in &body.stmts {
                let Stmt::Switch(switch) = statement else {
                    lowering.statement(statement);
                    continue;
                };
                for case in &switch.cases {
                    lowering.machine_arm(case);
                }
            }
        });
        self.at.machine = outer;
        let parts = match code {
            Flow::Sequence(parts) => parts,
            single => vec![single],
        };
        regions::rebuilt(parts).into_iter().for_each(|part| self.push(part));
    }

    fn machine_arm(&mut self, case: &ast::SwitchCase) {
        if let Some(Expr::Lit(Lit::Num(number))) = case.test.as_deref() {
            let label = label(number.value);
            if let Some(machine) = &mut self.at.machine
                && machine.handlers.contains(&label)
            {
                machine.waited = None;
            }
            self.push(Flow::Label(label));
        }
        self.statements(&case.cons);
    }

    /// `state.trys.push([body, handler, finally, next])`: a `try` begins.
    pub fn machine_region(&mut self, expr: &Expr) {
        let Some(machine) = &self.at.machine else { return };
        let Expr::Call(call) = expr else { return };
        let Callee::Expr(callee) = &call.callee else { return };
        let Expr::Member(member) = transparent(callee) else { return };
        let of_state = matches!(transparent(&member.obj), Expr::Member(inner) if is_named(&inner.obj, machine.state));
        let [only] = &call.args[..] else { return };
        let (true, Expr::Array(array)) = (of_state, transparent(&only.expr)) else { return };
        let at = |index: usize| match transparent(&array.elems.get(index)?.as_ref()?.expr) {
            Expr::Lit(Lit::Num(number)) => Some(label(number.value)),
            _ => None,
        };
        let Some(next) = at(3) else { return };
        let (handler, finally) = (at(1), at(2));
        if let Some(machine) = &mut self.at.machine {
            machine.handlers.extend(handler);
        }
        self.push(Flow::Label(regions::marker(handler, finally, next)));
    }

    /// `return [operation, argument]` of a state machine.
    pub fn machine_return(&mut self, argument: Option<&Expr>, span: Span) -> bool {
        if self.at.machine.is_none() {
            return false;
        }
        let Some(Expr::Array(pair)) = argument.map(transparent) else { return false };
        let mut parts = pair.elems.iter().flatten();
        let Some(Expr::Lit(Lit::Num(operation))) = parts.next().map(|part| transparent(&part.expr)) else {
            return false;
        };
        let argument = parts.next().map(|part| &*part.expr);
        match (operation.value as i64, argument) {
            (3, Some(Expr::Lit(Lit::Num(number)))) => {
                self.push(Flow::Exit(Exit::Goto(label(number.value)), span));
            }
            // 4: yield, 5: yield*.
            (4 | 5, Some(argument)) => {
                let value = self.expr(argument);
                self.wait(value, span, false);
                if let Some(machine) = &mut self.at.machine {
                    machine.waited = Some(value);
                }
            }
            (2, argument) => {
                let value = argument.map(|argument| self.expr(argument));
                self.push(Flow::Exit(Exit::Return(value), span));
            }
            (1, Some(argument)) => {
                let value = self.expr(argument);
                self.push(Flow::Exit(Exit::Throw(Some(value)), span));
            }
            // 7: the end of a `finally`.
            _ => {}
        }
        true
    }

    /// `state.sent()`: what the last wait gave.
    pub fn machine_sent(&mut self, callee: &Expr) -> Option<ValueId> {
        let machine = self.at.machine.as_ref()?;
        let waited = machine.waited;
        let Expr::Member(member) = callee else { return None };
        let MemberProp::Ident(method) = &member.prop else { return None };
        if !is_named(&member.obj, machine.state) || method.sym != *"sent" {
            return None;
        }
        Some(match waited {
            Some(value) => self.awaited(value),
            None => self.unknown(),
        })
    }

    /// Whether an expression only keeps the books of a state machine: `state.label = 2`, `state.trys.push(…)`.
    pub fn is_bookkeeping(&self, expr: &Expr) -> bool {
        let Some(machine) = &self.at.machine else { return false };
        match expr {
            Expr::Assign(assign) => match assign.left.as_simple() {
                Some(ast::SimpleAssignTarget::Member(member)) => is_named(&member.obj, machine.state),
                _ => false,
            },
            Expr::Call(call) => match &call.callee {
                Callee::Expr(callee) => match transparent(callee) {
                    Expr::Member(member) => match transparent(&member.obj) {
                        Expr::Member(inner) => is_named(&inner.obj, machine.state),
                        _ => false,
                    },
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }
}

/// The function literal that a call runs as the rest of an async function.
fn async_body(call: &ast::CallExpr) -> Option<&ast::FnExpr> {
    let Callee::Expr(callee) = &call.callee else { return None };
    match transparent(callee) {
        // `_asyncToGenerator(function* () { … })()`.
        Expr::Call(inner) if call.args.is_empty() => async_function(inner),
        Expr::Member(member) => match (&member.prop, transparent(&member.obj)) {
            // `_asyncToGenerator(function* () { … }).call(this)`.
            (MemberProp::Ident(name), Expr::Call(inner)) if name.sym == *"call" && takes_only_receiver(&call.args) => {
                async_function(inner)
            }
            _ => awaited_function(call, transparent(callee)),
        },
        callee => awaited_function(call, callee),
    }
}

fn awaited_function<'e>(call: &'e ast::CallExpr, callee: &Expr) -> Option<&'e ast::FnExpr> {
    if helper(callee) != Some(Helper::Awaiter) {
        return None;
    }
    function_argument(&call.args)
}

/// Whether a call only makes an async function of a generator literal.
pub fn makes_function(call: &ast::CallExpr) -> bool {
    async_function(call).is_some()
}

fn async_function(call: &ast::CallExpr) -> Option<&ast::FnExpr> {
    let Callee::Expr(callee) = &call.callee else { return None };
    if helper(transparent(callee)) != Some(Helper::AsyncFunction) {
        return None;
    }
    function_argument(&call.args)
}

fn function_argument(arguments: &[ExprOrSpread]) -> Option<&ast::FnExpr> {
    generator_argument(arguments).or_else(|| match transparent(&arguments.last()?.expr) {
        Expr::Fn(function) => Some(function),
        _ => None,
    })
}

fn takes_only_receiver(arguments: &[ExprOrSpread]) -> bool {
    matches!(arguments, [only] if matches!(transparent(&only.expr), Expr::This(_)))
}

/// The statements before `return __generator(this, function (state) { … })`, and that function.
fn machine(statements: &[Stmt]) -> Option<(&[Stmt], &ast::FnExpr)> {
    let (last, before) = statements.split_last()?;
    let Stmt::Return(exit) = last else { return None };
    let Expr::Call(call) = transparent(exit.arg.as_deref()?) else { return None };
    let Callee::Expr(callee) = &call.callee else { return None };
    if !matches!(last_name(transparent(callee))?, "__generator" | "_ts_generator") {
        return None;
    }
    match transparent(&call.args.get(1)?.expr) {
        Expr::Fn(function) => Some((before, function)),
        _ => None,
    }
}

fn is_named(expr: &Expr, name: Name) -> bool {
    matches!(transparent(expr), Expr::Ident(ident) if name == *ident.sym)
}

fn label(number: f64) -> Name {
    Name::from(&format!("case {number}"))
}
