//! The outcomes of an operation that code forgets: the rejection of a promise, and the timer by which the operation gives up.

use super::deadline::answers;
use crate::model::{CallId, FunctionId, In, Value};
use crate::project::{Origin, Project};

/// The `.then` whose first reaction, and nothing else, a function is, where the promise may be rejected as well.
pub(crate) fn fulfilment(project: &Project<'_>, function: In<FunctionId>) -> Option<In<CallId>> {
    let handed = project.passed_to(function);
    let [passed] = &handed[..] else { return None };
    let then = passed.call;
    let first = project.argument(then, 0).is_some_and(|value| project.functions_in(value).contains(&function));
    if !first || !is_called(project, then, "then") || !project.callers(function).is_empty() {
        return None;
    }
    let mut on = project.receiver(then)?;
    if project.never_rejects(on) {
        return None;
    }
    // What was caught before does not come as a rejection; a promise that something has rather than gives mostly tells of
    // an end, `child.exited`.
    let mut works = false;
    for _ in 0..16 {
        let link = match project.value(on) {
            Value::Result(link) => on.with(*link),
            Value::Binding(binding) => match project.origin(on) {
                Origin::Result(call) | Origin::Resolved(call)
                    if project.binding(on.with(*binding)).assignments == 1 =>
                {
                    call
                }
                _ => break,
            },
            _ => break,
        };
        let settled = is_called(project, link, "then") && project.argument(link, 1).is_some();
        if settled || is_called(project, link, "catch") {
            return None;
        }
        works = true;
        let Some(receiver) = project.receiver(link) else { break };
        on = receiver;
    }
    works.then_some(then)
}

fn is_called(project: &Project<'_>, call: In<CallId>, name: &str) -> bool {
    project.method_name(call).is_some_and(|called| called == name)
}

/// Whether a function is a reaction to how a promise is settled.
pub(crate) fn is_reaction(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let reacts = |call: In<CallId>| ["then", "catch", "finally"].iter().any(|name| is_called(project, call, name));
    project.passed_to(function).iter().any(|passed| reacts(passed.call))
}

/// A timer by which an operation gives up.
pub(crate) struct GivingUp {
    /// The call that arms it.
    pub(crate) call: In<CallId>,
    /// What it runs.
    pub(crate) callback: In<FunctionId>,
}

/// The one-shot timers of a function, or of what is written inside it, that answer for the operation when they fire.
pub(crate) fn gives_up(project: &Project<'_>, operation: In<FunctionId>) -> Vec<GivingUp> {
    let summary = project.summary(operation.file);
    let inside = (operation.id.0..summary.functions.len() as u32)
        .map(FunctionId)
        .filter(|inner| summary.is_inside(*inner, operation.id));
    let calls = inside.flat_map(|function| project.calls_in(operation.with(function)).collect::<Vec<_>>());
    let giving = calls.filter_map(|call| {
        let ty = project.contracts.ty(project.api(call)?.gives.as_deref()?)?;
        let timer = project.contracts.is_family(ty, "timer") && !project.contracts.is_family(ty, "interval");
        let handler = project.argument(call, 0).filter(|_| timer)?;
        let callback = *project.functions_in(handler).first()?;
        let answered = !answers(project, project.function_of(call), handler).is_empty();
        (answered && summary.is_inside(callback.id, operation.id)).then_some(GivingUp { call, callback })
    });
    giving.collect()
}
