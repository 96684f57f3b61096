//! `handle-never-released`: a handle that no way out releases or hands on.

use super::support::ending::endings;
use super::support::handles::{Followed, followed};
use super::support::keeper::{Keeper, keeper};
use super::support::mend::handle::released_in_finally;
use super::support::programs::only_users;
use super::support::tables::is_start;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, In, Rate, Value, ValueId};
use crate::project::{Access, AccessKind, Likeness, Project, is_habit};

const NAME: &str = "handle-never-released";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for handle in followed(project) {
        let lost = !handle.rows.is_empty() && handle.lost().count() == handle.rows.len();
        if handle.ends_itself || !lost && !handle.never_leaves(project) || dies_with_giver(project, handle.call) {
            continue;
        }
        let noun = &handle.gives.ty.noun;
        let at = project.locate(handle.call);
        let confidence = confidence(project, &handle);
        let callee = project.callee_text(handle.call);
        let why = match handle.rate.because() {
            because if because.is_empty() => "no way out releases it, returns it or hands it on".to_owned(),
            because => format!("no way out releases it, returns it or hands it on; {because}"),
        };
        let mut finding = Finding::new(NAME, confidence, at, format!("{noun} from `{callee}` is never released"))
            .with_why(why)
            .with_help(format!("release the {noun} in a `finally` around its use"))
            .with_context(project.function_name(project.function_of(handle.call)))
            .with_step(StepKind::Acquire, at, format!("{noun} is obtained here"));
        if let Some(lost) = handle.lost().next() {
            finding = finding.with_step(StepKind::Exit, lost.at, "lost here");
        }
        let edits = match keeper(project, handle.call, handle.gives.ty) {
            Keeper::Place(place) => released_in_finally(project, handle.call, handle.gives.ty, place),
            _ => None,
        };
        findings.push(match edits {
            Some(edits) => finding.with_fix("release it in `finally`", Applicability::Unsafe, edits),
            None => finding,
        });
    }
}

/// The same function ends what gave it: a context closes its pages.
fn dies_with_giver(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(giver) = project.receiver(call) else { return false };
    project.calls_in(project.function_of(call)).any(|other| {
        let on = project.receiver(other).filter(|_| other != call && project.is_disposal_call(other));
        on.is_some_and(|on| project.objects(on, giver) == Likeness::Same)
    })
}

/// Whether a handle is stored, or what one of its methods gives is, and not only for the moment.
fn is_kept(project: &Project<'_>, handle: In<ValueId>) -> bool {
    let lasting = |access: &Access| match access.kind {
        AccessKind::Stored { place } => !matches!(project.value(access.of(place)), Value::Binding(_)),
        _ => false,
    };
    project.uses(handle).iter().any(|access| match access.kind {
        AccessKind::Stored { .. } => true,
        AccessKind::Method { call, .. } => {
            project.result(access.of(call)).is_some_and(|result| project.uses(result).iter().any(lasting))
        }
        _ => false,
    })
}

/// What is made to go on by itself, a watcher, is mostly made once, whoever could make more of it: without an owner that ends
/// before the process does, nothing shows that it is left behind.
fn confidence(project: &Project<'_>, handle: &Followed<'_>) -> Confidence {
    // What a program starts with it has as long as it runs; what nothing holds on to serves one moment of the start.
    let function = project.function_of(handle.call);
    let kept = handle.gives.handle.is_some_and(|value| is_kept(project, value));
    if kept && only_users(project, &handle.rate, function) && is_start(project, &project.drive(function)) {
        return Confidence::Low;
    }
    let lasts = handle.gives.ty.family == "watcher";
    let owner = project.enclosing_class(project.function_of(handle.call));
    match handle.rate.rate {
        None => Confidence::Low,
        Some(_) if is_habit(handle.gives.ty) => Confidence::Medium,
        Some(rate) if lasts && rate < Rate::PerEvent => match owner {
            Some(class) if !endings(project, class).is_empty() => Confidence::Medium,
            _ => Confidence::Low,
        },
        Some(_) => Confidence::High,
    }
}
