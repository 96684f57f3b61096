//! `timer-lost-on-exit`: a timer that its operation clears on some ways out and leaves armed on another.

use super::support::keeper::{Keeper, care, keeper};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Rate, Type, Value};
use crate::project::{AccessKind, ExitKind, Obligation, Origin, Project, Root, Row, Start, State};

const NAME: &str = "timer-lost-on-exit";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(ty) = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { continue };
        if !project.contracts.is_family(ty, "timer")
            || project.call_rate(call).rate.is_none_or(|rate| rate == Rate::Once)
        {
            continue;
        }
        findings.extend(lost(project, call, ty).or_else(|| raced(project, call, ty)));
    }
}

/// A local timer that some way out clears and another does not.
fn lost(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Finding> {
    let Keeper::Place(place) = keeper(project, call, ty) else { return None };
    let Root::Variable(_) = place.root else { return None };
    let function = project.function_of(call);
    let rows = project.paths(&Obligation { function, start: Start::Call(call.id), ty: Some(ty) });
    let released = rows.iter().find(|row| row.state == State::Released)?;
    let lost = rows.iter().find(|row| row.is_lost() && is_failure(row))?;
    let name = project.place_text(place);
    let exit = words(project, lost);
    Some(
        Finding::new(NAME, Confidence::High, project.locate(call), format!("timer in `{name}` stays armed when {exit}"))
            .with_why(format!("the line that clears `{name}` is not reached on that way; every failure leaves a timer with all that it holds"))
            .with_help(format!("move the clearing of `{name}` into `finally`"))
            .with_context(project.function_name(function))
            .with_step(StepKind::Acquire, project.locate(call), "armed here")
            .with_step(StepKind::Exit, lost.at, format!("leaves here when {exit}"))
            .with_step(StepKind::Release, released.by.unwrap_or(released.at), "cleared on the other way only"),
    )
}

/// Ways on which an operation fails; that a timeout simply fires on the ordinary way is its purpose.
fn is_failure(row: &Row) -> bool {
    matches!(
        row.exit,
        ExitKind::Throw | ExitKind::ImplicitThrow(_) | ExitKind::Rejection | ExitKind::Return | ExitKind::Fallthrough
    )
}

fn words(project: &Project<'_>, row: &Row) -> String {
    match row.exit {
        ExitKind::ImplicitThrow(call) => format!("`{}` throws", project.callee_text(In::new(row.at.file, call))),
        ExitKind::Rejection => format!("`{}` rejects", short(project.sources.snippet(row.at))),
        ExitKind::Throw => "it throws".to_owned(),
        ExitKind::Return => "it returns early".to_owned(),
        _ => "the function ends".to_owned(),
    }
}

fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or("").trim_start_matches("await ");
    if line.chars().count() <= 40 { line.to_owned() } else { line.chars().take(39).chain(['…']).collect() }
}

/// The timeout of a race: armed in the executor of a promise that only a `Promise.race` looks at, and never cleared.
fn raced(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Finding> {
    let executor = project.function_of(call);
    let kept = keeper(project, call, ty);
    let cleared = match &kept {
        Keeper::Dropped => false,
        Keeper::Place(place) => {
            let care = care(project, *place, ty);
            !care.releases.is_empty() || !care.escapes.is_empty()
        }
        Keeper::Elsewhere => return None,
    };
    let race = racing(project, executor)?;
    if cleared {
        return None;
    }
    Some(
        Finding::new(NAME, Confidence::Medium, project.locate(call), "timeout of a race stays armed when the other side wins")
            .with_why("`Promise.race` settles with the first; nothing clears the timer, so it holds its promise and callback until it fires")
            .with_help("keep the handle outside of the executor and `clearTimeout` it in a `finally` around the race")
            .with_context(project.function_name(project.function_of(race)))
            .with_step(StepKind::Acquire, project.locate(call), "armed here")
            .with_step(StepKind::Exit, project.locate(race), "the race ends here, whoever wins"),
    )
}

/// The race whose input is the promise that this function is the executor of.
fn racing(project: &Project<'_>, executor: In<FunctionId>) -> Option<In<CallId>> {
    let made = project.passed_to(executor).iter().map(|passed| passed.call).find(|&c| project.call(c).is_new)?;
    let promise = project.result(made)?;
    let mut values = vec![promise];
    for access in project.uses(promise) {
        if let AccessKind::Stored { place } = access.kind {
            values.push(access.of(place));
        }
    }
    values.into_iter().flat_map(|value| project.uses(value)).find_map(|access| {
        let AccessKind::Inside { outer } = access.kind else { return None };
        project.uses(access.of(outer)).iter().find_map(|use_| match use_.kind {
            AccessKind::Argument { call, index: 0 } if is_race(project, use_.of(call)) => Some(use_.of(call)),
            _ => None,
        })
    })
}

/// Whether a call is `Promise.race` (or `any`).
pub(super) fn is_race(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(receiver) = project.receiver(call) else { return false };
    let name = project.method_name(call);
    let promise = match project.origin(receiver) {
        Origin::External(name) => name == "Promise",
        _ => matches!(project.value(receiver), Value::Global(name) if *name == "Promise"),
    };
    promise && name.is_some_and(|name| name == "race")
}
