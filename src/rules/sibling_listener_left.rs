//! sibling-listener-left: of listeners for alternative outcomes, the one that fires leaves the others behind.

use super::removal_never_matches;
use super::support::listeners::{self, Listener};
use super::support::mend::listener::removed_in;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{FunctionId, In};
use crate::project::{Likeness, Origin, Owner, Project};
use rustc_hash::FxHashMap;

/// Finds listeners that stay when their alternative fires.
pub fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    let all: Vec<_> = listeners::all(project).collect();
    let mut by_function: FxHashMap<In<FunctionId>, Vec<&Listener<'_, '_>>> = FxHashMap::default();
    for listener in &all {
        by_function.entry(listener.function()).or_default().push(listener);
    }
    for left in &all {
        let here = by_function.get(&left.function()).into_iter().flatten().copied();
        let mut here = here.filter(|other| other.add.call != left.add.call);
        let fired = here.find_map(|fired| Some((fired, alternative(left, fired)?)));
        if let Some((fired, confidence)) = fired
            && removal_never_matches::missed(left).is_none()
        {
            findings.push(report(left, fired, confidence));
        }
    }
}

/// Whether `left` stays when `fired` fires, and how sure that is.
fn alternative(left: &Listener<'_, '_>, fired: &Listener<'_, '_>) -> Option<Confidence> {
    let project = left.project;
    let one_emitter = left.event()? != fired.event()? && project.objects(left.on(), fired.on()) == Likeness::Same;
    let once = left.add.once && fired.add.once;
    if !one_emitter || !once || left.ends_by_itself() || left.is_on_local() || left.is_made_before() {
        return None;
    }
    // After its last event nothing more comes, and what is left behind goes with the emitter.
    let last = |listener: &Listener<'_, '_>| listener.event().is_some_and(is_last);
    let failed = fired.event() == Some("error") && last(left);
    if last(fired) || failed || settles(left) && !settles(fired) {
        return None;
    }
    let outcome = project.functions_in(fired.add.handler?);
    let removals = left.removals();
    let taken_back = |function: In<FunctionId>| {
        outcome.iter().any(|handler| project.leads_to(*handler, function)) || function == left.function()
    };
    if removals.iter().any(|(removal, _)| taken_back(removal.function)) || fired.emitter_is_ended_in(&outcome, false) {
        return None;
    }
    let own = project.functions_in(left.add.handler?);
    let one_direction = fired.removals().iter().any(|(removal, meeting)| {
        meeting.matches() && own.iter().any(|handler| project.leads_to(*handler, removal.function))
    });
    // Whoever waits for the end, and stops that elsewhere, goes on waiting after a beginning.
    let goes_on = left.event().is_some_and(|event| event == "error" || is_last(event))
        && removals.iter().any(|(removal, meeting)| {
            meeting.matches() && !own.iter().any(|handler| is_within(project, removal.function, *handler))
        });
    // Whoever emits the event takes the other listener back himself.
    let emits = |function: In<FunctionId>| {
        project.calls_in(function).any(|call| {
            let named = project.argument(call, 0).map(|event| project.text(event));
            project.method_name(call).is_some_and(|name| name == "emit")
                && named.is_some_and(|named| fired.event().is_some_and(|event| named.contains(event)) || {
                    let registered = project.argument(fired.add.call, 0).map(|event| project.text(event));
                    registered.is_some_and(|registered| registered == named)
                })
        })
    };
    let goes_on = goes_on || removals.iter().any(|(removal, _)| emits(removal.function));
    if one_direction && !goes_on && !own.is_empty() && !outcome.is_empty() {
        return Some(Confidence::High);
    }
    (removals.is_empty() && settles(fired) && settles(left) && comes_again(fired)).then(|| lasting(left)).flatten()
}

fn is_within(project: &Project<'_>, inner: In<FunctionId>, outer: In<FunctionId>) -> bool {
    inner.file == outer.file && project.summary(inner.file).is_inside(inner.id, outer.id)
}

/// The handler is the `resolve` or `reject` of a promise, or calls one of them.
fn settles(listener: &Listener<'_, '_>) -> bool {
    let project = listener.project;
    let Some(handler) = listener.add.handler else { return false };
    let executor_parameter = |origin: &Origin| match origin {
        Origin::Parameter(binding) => project.is_executor(binding.with(project.binding(*binding).function)),
        _ => false,
    };
    project.origins(handler).iter().any(executor_parameter)
        || project.functions_in(handler).iter().any(|function| {
            project.calls_in(*function).any(|call| {
                let callee = call.with(project.call(call).callee);
                project.origins(callee).iter().any(executor_parameter)
            })
        })
}

fn is_last(event: &str) -> bool {
    matches!(
        event,
        "close" | "end" | "finish" | "exit" | "complete" | "completed" | "destroyed" | "finished" | "disconnect"
    )
}

/// Whether the event may come more than once in the life of the emitter, so that waiting for it again is to be expected.
fn comes_again(listener: &Listener<'_, '_>) -> bool {
    listener.event().is_some_and(|event| matches!(event, "drain" | "readable" | "pause" | "resume"))
}

fn lasting(listener: &Listener<'_, '_>) -> Option<Confidence> {
    match listener.project.lifetime(listener.on()).owner {
        Owner::Call(_) => None,
        _ => Some(Confidence::Medium),
    }
}

fn report(left: &Listener<'_, '_>, fired: &Listener<'_, '_>, confidence: Confidence) -> Finding {
    let event = fired.event().unwrap_or_default();
    let message = format!("{} on {} stays when '{event}' comes instead", left.event_text(), left.on_text());
    let finding = left.finding("sibling-listener-left", confidence, message)
        .with_why(format!(
            "the two listeners wait for alternative outcomes, and the handler of '{event}' does not remove this one; \
             each wait that ends with '{event}' leaves one behind"
        ))
        .with_help(format!("call `{}` in the handler of '{event}'", left.removal_text()))
        .with_step(StepKind::Grow, left.at(), "this listener is added")
        .with_step(StepKind::Exit, fired.at(), format!("'{event}' ends the wait, and leaves the other listener"));
    let outcome = fired.add.handler.map(|handler| left.project.functions_in(handler)).unwrap_or_default();
    match outcome.first().filter(|_| outcome.len() == 1).and_then(|handler| removed_in(left, *handler)) {
        Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
        None => finding,
    }
}
