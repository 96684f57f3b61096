//! `handle-lost-on-exit`: a handle that is released or handed on by some ways out and lost on another.

use super::support::habits::borrowed;
use super::support::handles::{Followed, followed, short, way};
use super::support::mend::finally::in_finally;
use super::support::operations::{self, Past};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, In};
use crate::project::{ExitKind, Project, Row, State, is_habit};
use crate::text::Edit;

const NAME: &str = "handle-lost-on-exit";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    let calls = project.calls().filter(|call| !project.is_native(call.file));
    findings.extend(calls.filter_map(|call| Some(answered(project, call, &operations::answered_past(project, call)?))));
    for handle in followed(project) {
        let released = handle.is_released();
        let handed = handle.rows.iter().any(|row| matches!(row.state, State::Returned | State::Escaped | State::Captured));
        // A thing that nobody ever releases is `handle-never-released`'s.
        if !released && !handed {
            continue;
        }
        let Some(lost) = worst(&handle, released) else { continue };
        let confidence = confidence(&handle, lost, released);
        let thing = Thing { call: handle.call, noun: &handle.gives.ty.noun, rows: &handle.rows };
        findings.push(report(project, &thing, lost, confidence));
    }
    for borrowed in borrowed(project) {
        let Some(lost) = borrowed.rows.iter().filter(|row| row.is_lost() && is_failure(row)).min_by_key(|row| row.exit)
        else {
            continue;
        };
        let thing = Thing { call: borrowed.call, noun: &borrowed.noun, rows: &borrowed.rows };
        findings.push(report(project, &thing, lost, Confidence::Medium));
    }
}

fn confidence(handle: &Followed<'_>, lost: &Row, released: bool) -> Confidence {
    match lost.exit {
        // That an answer may fail, was of no concern to those from whom the obligation is known.
        ExitKind::ImplicitThrow(_) | ExitKind::Rejection if is_habit(handle.gives.ty) => Confidence::Low,
        _ if released && handle.rate.rate.is_some() && !is_habit(handle.gives.ty) => Confidence::High,
        // Where nobody releases it at once, whoever has it may look after it when something is thrown.
        ExitKind::ImplicitThrow(_) if !released => Confidence::Low,
        _ => Confidence::Medium,
    }
}

/// What is lost, as far as the report tells of it.
struct Thing<'t> {
    call: In<CallId>,
    noun: &'t str,
    rows: &'t [Row],
}

fn is_failure(row: &Row) -> bool {
    matches!(row.exit, ExitKind::Return | ExitKind::Throw | ExitKind::ImplicitThrow(_) | ExitKind::Rejection)
}

/// The plainest of the ways on which it is lost.
fn worst<'h>(handle: &'h Followed<'_>, released: bool) -> Option<&'h Row> {
    handle
        .lost()
        .filter(|row| match row.exit {
            _ if is_failure(row) => true,
            ExitKind::Overwrite => true,
            // The ordinary end leaves to itself what ends by itself.
            ExitKind::Fallthrough | ExitKind::ScopeEnd => released && !handle.ends_itself,
            _ => false,
        })
        .filter(|row| released || !matches!(row.exit, ExitKind::Overwrite))
        .min_by_key(|row| row.exit)
}

fn report(project: &Project<'_>, handle: &Thing<'_>, lost: &Row, confidence: Confidence) -> Finding {
    let noun = handle.noun;
    let way = way(project, lost);
    let at = project.locate(handle.call);
    let mut finding = Finding::new(NAME, confidence, at, format!("{noun} from `{}` is lost {way}", project.callee_text(handle.call)))
        .with_why(format!("the other ways out release it or hand it on; each time it leaves {way}, one more {noun} stays open"))
        .with_help("release it in a `finally`, or in one clean-up function that every way out calls")
        .with_context(project.function_name(project.function_of(handle.call)))
        .with_step(StepKind::Acquire, at, format!("{noun} is obtained here"))
        .with_step(StepKind::Exit, lost.at, format!("leaves {way}, without releasing it"));
    let other = handle.rows.iter().find(|row| row.state == State::Released).and_then(|row| row.by);
    if let Some(by) = other {
        finding = finding.with_step(StepKind::Release, by, "released on another way out");
    }
    match released_in_finally(project, handle.call, handle.rows) {
        Some(edits) => finding.with_fix("release it in `finally`", Applicability::Unsafe, edits),
        None => finding,
    }
}

/// An operation that answers past its own clean-up.
fn answered(project: &Project<'_>, call: In<CallId>, past: &Past) -> Finding {
    let noun = project.gives(call).map_or("handle", |gives| &*gives.ty.noun);
    let at = project.locate(call);
    let way = short(project.sources.snippet(past.at));
    Finding::new(NAME, Confidence::Medium, at, format!("{noun} from `{}` stays open after `{way}`", project.callee_text(call)))
        .with_why("the other ways out of the operation run a function that releases it; this one answers at once")
        .with_help("answer through the function that releases")
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, at, format!("{noun} is obtained here"))
        .with_step(StepKind::Exit, past.at, "the operation ends here, without releasing it")
        .with_step(StepKind::Release, past.released, "released on the other ways")
}

/// The one release that there is, moved into `finally`: where a way out hands the thing on, or releases it elsewhere, it would
/// be one release too many.
pub(super) fn released_in_finally(project: &Project<'_>, call: In<CallId>, rows: &[Row]) -> Option<Vec<Edit>> {
    let function = project.function_of(call);
    let mut releases: Vec<_> = rows.iter().filter(|row| row.state == State::Released).filter_map(|row| row.by).collect();
    releases.sort();
    releases.dedup();
    let only_lost = rows.iter().all(|row| matches!(row.state, State::Released | State::Held | State::NotAcquired));
    let &[released] = releases.as_slice() else { return None };
    if !only_lost || released.file != call.file || rows.iter().any(|row| !row.through.is_empty()) {
        return None;
    }
    let by = project.calls_in(function).map(|call| project.call(call)).find(|call| {
        released.span.contains(call.span) || call.span.contains(released.span) && call.statement.contains(released.span)
    })?;
    in_finally(project, function, project.call(call).statement, by.statement)
}
