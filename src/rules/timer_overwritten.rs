//! `timer-overwritten`: a timer's field receives the next timer while the last one is still armed.

use super::support::keeper::{Care, Keeper, care, keeper, release_text};
use super::support::mend::{before, mentions};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, FunctionKind, In, Rate};
use crate::project::{Access, Place, Project, Root};

const NAME: &str = "timer-overwritten";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(ty) = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { continue };
        if !project.contracts.is_family(ty, "timer") {
            continue;
        }
        let Keeper::Place(place) = keeper(project, call, ty) else { continue };
        if !matches!(place.root, Root::Field(..)) {
            continue;
        }
        let care = care(project, place, ty);
        // Without any release it is `timer-never-cleared`'s; with a test or release in the way, the old one is known of.
        if care.releases.is_empty() || !care.escapes.is_empty() || is_careful(project, call, &care) {
            continue;
        }
        let function = operation(project, project.function_of(call));
        let rate = project.rate(function);
        if rate.rate.is_none_or(|rate| rate < Rate::PerCall)
            || !runs_again(project, function)
            || fires_first(project, call)
        {
            continue;
        }
        let confidence = confidence(project, function, rate.rate);
        findings.push(report(project, call, place, &care, (confidence, rate.because())));
    }
}

fn report(project: &Project<'_>, call: In<CallId>, place: Place, care: &Care, known: (Confidence, String)) -> Finding {
    let (confidence, because) = known;
    let name = project.place_text(place);
    let function = project.function_name(project.function_of(call));
    let statement = project.call(call).statement;
    let release = &care.releases[0];
    let mut finding = Finding::new(
        NAME,
        confidence,
        project.locate(call),
        format!("timer in `{name}` is overwritten while it may still be armed"),
    )
    .with_why(format!("{because}; a second run assigns `{name}` again, and only the last timer can be cleared"))
    .with_help(format!("clear `{name}` before this assignment, or leave {function} when it is set"))
    .with_context(function)
    .with_step(
        StepKind::Acquire,
        project.locate(call),
        format!("`{name}` receives a timer here, whatever it held before"),
    )
    .with_step(StepKind::Release, release.at(), "clears the last timer only");
    let text = &project.sources.get(call.file).text;
    let edits = release_text(project, release)
        .filter(|clear| mentions(clear, &name))
        .and_then(|clear| before(call.file, text, statement, &format!("{clear};")));
    if let Some(edits) = edits {
        finding = finding.with_fix(format!("clear `{name}` first"), Applicability::Safe, edits);
    }
    finding
}

/// Whether the function, or one of its callers, looks at the old timer or clears it before the assignment.
fn is_careful(project: &Project<'_>, call: In<CallId>, care: &Care) -> bool {
    let function = project.function_of(call);
    let before = project.call(call).span.start;
    let concerns: Vec<&Access> = care.releases.iter().chain(&care.tests).collect();
    let in_function = |f: In<FunctionId>, until: Option<u32>| {
        concerns
            .iter()
            .any(|a| a.file == f.file && a.function == f.id && until.is_none_or(|until| a.span.start <= until))
            || project.calls_in(f).any(|inner| {
                until.is_none_or(|until| project.call(inner).span.start <= until)
                    && project
                        .targets(inner)
                        .functions
                        .iter()
                        .any(|target| concerns.iter().any(|a| a.file == target.file && a.function == target.id))
            })
    };
    let mut around = Some(function);
    while let Some(f) = around {
        if in_function(f, Some(before)) {
            return true;
        }
        around = project.function(f).parent.filter(|p| *p != FunctionId::MODULE).map(|p| f.with(p));
    }
    project.callers(function).iter().any(|caller| in_function(project.function_of(caller.call), None))
}

/// The function whose run this code is part of: around the executor of a promise, the one that makes the promise.
fn operation(project: &Project<'_>, function: In<FunctionId>) -> In<FunctionId> {
    match project.function(function).parent {
        Some(parent) if parent != FunctionId::MODULE && project.is_executor(function) => {
            operation(project, function.with(parent))
        }
        _ => function,
    }
}

/// Whether the project itself gives a reason for a second run: an event that comes again, several callers, or a method
/// that ends the object, which both sides of a connection may do. A lone `start` may be started twice, but who does?
fn confidence(project: &Project<'_>, function: In<FunctionId>, rate: Option<Rate>) -> Confidence {
    let name = project.function(function).name;
    let ends = project.contracts.words.disposal.iter().any(|word| *word == *name);
    if rate == Some(Rate::PerEvent) || ends || project.callers(function).len() > 1 {
        Confidence::Medium
    } else {
        Confidence::Low
    }
}

/// Whether the function can run twice on one object: it is not only part of the construction.
fn runs_again(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let kind = project.function(function).kind;
    if kind == FunctionKind::Constructor {
        return false;
    }
    let callers = project.callers(function);
    callers.is_empty()
        || callers.iter().any(|c| project.function(project.function_of(c.call)).kind != FunctionKind::Constructor)
}

/// Whether the assignment happens in the timer's own callback, which has fired by then.
fn fires_first(project: &Project<'_>, call: In<CallId>) -> bool {
    let function = project.function_of(call);
    project.callbacks(call).iter().any(|handed| {
        let reach = super::support::ending::reach(project, handed.function);
        reach.contains(&function)
    })
}
