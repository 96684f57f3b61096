//! `timer-lost-on-exit`: a timer that its operation clears on some ways out and leaves armed on another.

use super::handle_lost_on_exit::released_in_finally;
use super::support::deadline;
use super::support::expiry;
use super::support::failing;
use super::support::pause;
use super::support::polling;
use super::support::watchdog;
use super::support::keeper::{Keeper, care, keeper};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Rate, Type, Value};
use crate::project::{Access, AccessKind, ExitKind, Obligation, Origin, Project, Root, Row, Start, State};

const NAME: &str = "timer-lost-on-exit";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        if is_race(project, call) {
            findings.extend(raced_pauses(project, call));
        }
        let Some(ty) = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { continue };
        if !project.contracts.is_family(ty, "timer")
            || project.call_rate(call).rate.is_none_or(|rate| rate == Rate::Once)
        {
            continue;
        }
        let found = lost(project, call, ty).or_else(|| raced(project, call, ty)).or_else(|| outlived(project, call, ty));
        findings.extend(found);
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
    let soon = project.argument(call, 1).is_none_or(|delay| deadline::is_soon(project, delay));
    let confidence = if soon { Confidence::Medium } else { Confidence::High };
    let finding =
        Finding::new(NAME, confidence, project.locate(call), format!("timer in `{name}` stays armed when {exit}"))
            .with_why(format!("the line that clears `{name}` is not reached on that way; every failure leaves a timer with all that it holds"))
            .with_help(format!("move the clearing of `{name}` into `finally`"))
            .with_context(project.function_name(function))
            .with_step(StepKind::Acquire, project.locate(call), "armed here")
            .with_step(StepKind::Exit, lost.at, format!("leaves here when {exit}"))
            .with_step(StepKind::Release, released.by.unwrap_or(released.at), "cleared on the other way only");
    Some(match released_in_finally(project, call, &rows) {
        Some(edits) => finding.with_fix(format!("clear `{name}` in `finally`"), Applicability::Unsafe, edits),
        None => finding,
    })
}

/// Ways on which an operation fails; that a timeout simply fires on the ordinary way is its purpose.
fn is_failure(row: &Row) -> bool {
    // A callback that comes to its end has not ended the operation.
    if row.exit == ExitKind::Fallthrough && !row.through.is_empty() {
        return false;
    }
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

/// A timer that ends an operation when it takes too long, and stays when the operation ends by itself.
fn outlived(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Finding> {
    if project.contracts.is_family(ty, "interval") {
        return polled(project, call, ty);
    }
    let function = project.function_name(project.function_of(call));
    let finding = |message: &str| {
        Finding::new(NAME, Confidence::Medium, project.locate(call), message).with_context(function.clone())
    };
    if let Some(left) = deadline::left(project, call, ty).or_else(|| failing::left(project, call, ty)) {
        let (message, help) = match left.cleared {
            Some(_) => ("timer stays armed on a way that ends the operation", "clear it before the operation ends here, too"),
            None => (
                "timer stays armed when the operation ends before it",
                "keep the handle and `clearTimeout` it wherever the operation ends",
            ),
        };
        let mut finding = finding(message)
            .with_why("it is there to end the operation when it takes too long; until it fires it holds its callback, and keeps the process up")
            .with_help(help)
            .with_step(StepKind::Acquire, project.locate(call), "armed here")
            .with_step(StepKind::Exit, left.at, "the operation ends here, and the timer goes on");
        if let Some(cleared) = left.cleared {
            finding = finding.with_step(StepKind::Release, cleared, "cleared on another way only");
        }
        return Some(finding);
    }
    if let Some(signal) = watchdog::aborts(project, call, ty) {
        return Some(
            finding("timer stays armed when the work that it aborts is done")
                .with_why("nothing clears it; until it fires it holds the controller, and keeps the process up")
                .with_help("keep the handle and `clearTimeout` it in `finally`, or use `AbortSignal.timeout()`, which does not keep the process up")
                .with_step(StepKind::Acquire, project.locate(call), "armed here")
                .with_step(StepKind::Exit, signal, "works with this signal, and ends by itself"),
        );
    }
    if let Some(early) = expiry::outlived(project, call, ty) {
        return Some(
            finding("timer stays armed when its entry is taken out before it fires")
                .with_why(format!(
                    "it takes an entry out of `{}`, which other code does as well; until it fires the timer holds all that its callback uses, and then it may meet a newer entry",
                    early.table
                ))
                .with_help("keep the handle beside the entry, and `clearTimeout` it wherever the entry is taken out")
                .with_step(StepKind::Acquire, project.locate(call), "armed here, and nothing can clear it")
                .with_step(StepKind::Exit, early.at, "the entry is taken out here, and the timer goes on"),
        );
    }
    if let Some(given_up) = watchdog::gives_up(project, call, ty) {
        return Some(
            finding("timer stays armed when what it gives up on is over")
                .with_why("it releases what is released on another way as well; nothing clears the timer there, so it holds its callback until it fires, and then reports a timeout of what has ended")
                .with_help("keep the handle and `clearTimeout` it where the work ends")
                .with_step(StepKind::Acquire, project.locate(call), "armed here, and nothing can clear it")
                .with_step(StepKind::Exit, given_up, "the work ends here, and the timer goes on"),
        );
    }
    let asked = watchdog::asks_first(project, call, ty)?;
    Some(
        finding("timer outlives what it waits for: its handle is dropped")
            .with_why("the callback asks first whether it is too late, and mostly it is; until then the timer holds what it would end")
            .with_help("keep the handle and `clearTimeout` it where the work ends")
            .with_step(StepKind::Acquire, project.locate(call), "armed here, and nothing can clear it")
            .with_step(StepKind::Exit, asked, "comes after the end, as a rule"),
    )
}

/// An interval that looks for what the operation waits for, and goes on looking when that gives up.
fn polled(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Finding> {
    let left = polling::left(project, call, ty)?;
    let finding =
        Finding::new(NAME, Confidence::Medium, project.locate(call), "interval goes on when the operation gives up")
            .with_why("it clears itself when it finds what it looks for; nobody waits for that any more, and it may never come")
            .with_help("call `clearInterval` wherever the operation ends")
            .with_context(project.function_name(project.function_of(call)))
            .with_step(StepKind::Acquire, project.locate(call), "armed here")
            .with_step(StepKind::Exit, left.at, "the operation ends here, and the interval goes on");
    Some(match left.cleared {
        Some(cleared) => finding.with_step(StepKind::Release, cleared, "cleared on success only"),
        None => finding,
    })
}

/// The timeout of a race: armed in the executor of a promise that only a `Promise.race` looks at, and never cleared.
fn raced(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Finding> {
    let executor = project.function_of(call);
    let kept = keeper(project, call, ty);
    let cleared = match &kept {
        Keeper::Dropped => false,
        Keeper::Place(place) => {
            let care = care(project, *place, ty);
            // Clearing a timer that has fired clears nothing.
            let fired = project.callbacks(call);
            let late = |release: &Access| fired.iter().any(|own| project.leads_to(own.function, release.function()));
            !care.releases.iter().all(late) || !care.escapes.is_empty()
        }
        Keeper::Elsewhere => return None,
    };
    let race = racing(project, executor)?;
    let place = match kept {
        Keeper::Place(place) => Some(place),
        _ => None,
    };
    if cleared || deadline::is_unreferenced(project, call, place) && deadline::is_soon(project, project.argument(call, 1)?) {
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

/// The pauses among the promises of a race: `Promise.race([work, sleep(ms)])`.
fn raced_pauses(project: &Project<'_>, race: In<CallId>) -> Vec<Finding> {
    let Some(Origin::Array(list)) = project.argument(race, 0).map(|list| project.origin(list)) else {
        return Vec::new();
    };
    let Value::Array(_, elements) = project.value(list) else { return Vec::new() };
    if elements.len() < 2 || project.call_rate(race).rate.is_none_or(|rate| rate == Rate::Once) {
        return Vec::new();
    }
    let pauses = elements.iter().filter_map(|element| {
        let pause = pause::beginning(project, list.with(*element))?;
        (pause::is_pause(project, pause) && !pause::is_ended(project, pause)).then(|| {
            Finding::new(NAME, Confidence::Medium, project.locate(pause), "timeout of a race stays armed when the other side wins")
                .with_why("`Promise.race` settles with the first; the timer of this pause cannot be cleared, so it holds its promise until it fires")
                .with_help("arm the timer here, keep its handle, and `clearTimeout` it in a `finally` around the race")
                .with_context(project.function_name(project.function_of(race)))
                .with_step(StepKind::Acquire, project.locate(pause), "a timer is armed here")
                .with_step(StepKind::Exit, project.locate(race), "the race ends here, whoever wins")
        })
    });
    pauses.collect()
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
