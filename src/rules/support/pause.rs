//! Calls that give a promise which nothing but a timer fulfils, and whose timer nobody can clear: `sleep(ms)`.
//! Innocent by themselves; whoever lets one race against work leaves its timer behind.

use super::deadline::PAUSE;
use super::keeper::{Keeper, care, keeper};
use crate::model::{CallId, FunctionId, In, Literal, Value, ValueId};
use crate::project::{Access, AccessKind, Key, Origin, Project, Root};

/// The call at the bottom of `sleep(ms).then(…).catch(…)`, if a value is such a chain.
pub(crate) fn beginning(project: &Project<'_>, value: In<ValueId>) -> Option<In<CallId>> {
    let mut value = value;
    for _ in 0..6 {
        let Value::Result(call) = project.value(value) else { return None };
        let call = value.with(*call);
        let chained =
            project.method_name(call).is_some_and(|name| matches!(name.as_str(), "then" | "catch" | "finally"));
        if !chained {
            return Some(call);
        }
        value = project.receiver(call)?;
    }
    None
}

/// Whether a call gives the promise of a pause that nobody can end early.
pub(crate) fn is_pause(project: &Project<'_>, call: In<CallId>) -> bool {
    let short = |index: u16| {
        let delay = project.argument(call, index).map(|delay| project.origin(delay));
        matches!(delay, Some(Origin::Literal(Literal::Int(delay))) if delay < PAUSE)
    };
    if short(0) {
        return false;
    }
    if project.path(call).is_some_and(|path| path == "timers/promises.setTimeout") {
        return project.argument(call, 2).is_none();
    }
    let promisified = |origin: &Origin| match origin {
        Origin::Result(made) => {
            project.path(*made).is_some_and(|path| path == "util.promisify")
                && project.argument(*made, 0).is_some_and(
                    |function| matches!(project.origin(function), Origin::External(name) if name == "setTimeout"),
                )
        }
        _ => false,
    };
    if project.origins(call.with(project.call(call).callee)).iter().any(promisified) {
        return project.argument(call, 2).is_none();
    }
    let targets = project.targets(call);
    !targets.weak && matches!(targets.functions[..], [only] if pauses(project, only))
}

/// Whether the code asks something else of the promise than what it becomes: to be cancelled, for one.
pub(crate) fn is_ended(project: &Project<'_>, call: In<CallId>) -> bool {
    let asks = |access: &Access| match access.kind {
        AccessKind::Method { key: Key::Name(name), .. } => !matches!(name.as_str(), "then" | "catch" | "finally"),
        _ => false,
    };
    project.result(call).is_some_and(|result| project.uses(result).iter().any(asks))
}

/// Whether all that a function does is to give a promise whose executor arms a timer to fulfil it.
fn pauses(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let mut calls = project.calls_in(function);
    let (Some(only), None) = (calls.next(), calls.next()) else { return false };
    let executor = project.callbacks(only).into_iter().map(|handed| handed.function).find(|f| project.is_executor(*f));
    let Some(executor) = executor.filter(|_| project.call(only).is_new) else { return false };
    let armed: Vec<In<CallId>> = project.calls_in(executor).collect();
    let [timer] = armed[..] else { return false };
    let Some(ty) = project.api(timer).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { return false };
    project.contracts.is_family(ty, "timer")
        && match keeper(project, timer, ty) {
            Keeper::Dropped => true,
            Keeper::Place(place) => {
                let care = care(project, place, ty);
                matches!(place.root, Root::Variable(_)) && care.releases.is_empty() && care.escapes.is_empty()
            }
            Keeper::Elsewhere => false,
        }
}
