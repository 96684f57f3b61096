//! `callback-payload-leaked`: what a completion callback or finalizer is the last to hold, and does not free on every way out.

use super::support::custody::{confidence, is_shipped, kind, way, witness};
use super::support::loop_memory::{Abandoned, End, abandoned};
use super::support::mend::native::mend;
use super::support::payload::{self, Payload};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::In;
use crate::project::{Custody, Owned, Project};

const NAME: &str = "callback-payload-leaked";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        for (owned, custody) in project.owned_in(function).iter() {
            if kind(owned).is_some() {
                findings.extend(
                    payload::handed(project, owned, custody).and_then(|payload| judge(project, owned, &payload)),
                );
            }
        }
    }
    let closed_only = |found: &&Abandoned| found.end == End::Closed;
    findings.extend(abandoned(project).iter().filter(closed_only).map(|found| closed(project, found)));
}

/// A loop's handle that its callback closes without anybody to free its memory.
fn closed(project: &Project<'_>, found: &Abandoned) -> Finding {
    let (at, callback, noun) = (project.locate(found.made), project.function_name(found.callback), &found.noun);
    let close = project.callee_text(found.by);
    Finding::new(NAME, Confidence::Medium, at, format!("{noun} is closed by its last holder, {callback}, and never freed"))
        .with_why(format!("`{close}` ends the handle, not the memory it lives in, and no callback is left to free that"))
        .with_help(format!("hand `{close}` a callback that frees the handle"))
        .with_context(project.function_name(project.function_of(found.made)))
        .with_step(StepKind::Acquire, at, format!("{noun} is made here"))
        .with_step(StepKind::Hold, project.locate(found.told), "the event loop knows it from here on")
        .with_step(StepKind::Exit, project.locate(found.by), "closed here, and forgotten")
}

fn judge<'a>(project: &Project<'a>, owned: &Owned<'a>, payload: &Payload) -> Option<Finding> {
    let call = In::new(owned.function.file, owned.call()?);
    let callback = project.function_name(payload.callback);
    let parameter = payload.text(project);
    let finding = |message: String, confidence| {
        Finding::new(NAME, confidence, project.locate(call), message)
            .with_context(project.function_name(owned.function))
            .with_step(StepKind::Acquire, project.locate(call), format!("{} is acquired here", owned.noun))
            .with_step(StepKind::Hold, project.locate(payload.by), format!("handed to {callback} here"))
    };
    let Some(value) = payload.value else {
        let finding = finding(
            format!("{} is never freed by its last holder, {callback}", owned.noun),
            Confidence::High,
        );
        return Some(
            finding
                .with_step(
                    StepKind::Exit,
                    project.locate_function(payload.callback),
                    format!("never looks at `{parameter}`"),
                )
                .with_why(format!("nobody holds it after {callback} has run, and it runs for each request"))
                .with_help(format!("release `{parameter}` at the end of {callback}")),
        );
    };
    let inside = Owned::entry(payload.callback, value, owned);
    let custody: Custody = project.custody(&inside);
    let loss = witness(project, inside.function, &custody, |_| true)?;
    let confidence = confidence(project, &inside, loss, &custody);
    let message = if custody.is_never_settled() {
        format!("{} is never freed by its last holder, {callback}", owned.noun)
    } else {
        format!("{} is not freed on one way out of its last holder, {callback}", owned.noun)
    };
    let mut finding = finding(message, confidence);
    if let Some((span, holds)) = loss.decisions.iter().rev().find(|(span, _)| span.end > span.start) {
        let outcome = if *holds { "where this holds" } else { "where this does not hold" };
        finding = finding.with_step(StepKind::Exit, project.at(payload.callback.file, *span), outcome);
    }
    finding = finding.with_step(
        StepKind::Exit,
        project.at(payload.callback.file, loss.span),
        way(project, payload.callback.file, loss),
    );
    if let Some(settled) = custody.settlements.first() {
        finding = finding.with_step(
            StepKind::Release,
            project.at(payload.callback.file, settled.span),
            "freed on another way only",
        );
    }
    let finding =
        finding
            .with_why(format!("nobody holds `{parameter}` after {callback} has run, and it runs for each request"))
            .with_help(format!("release `{parameter}` on every way out of {callback}, failures included"));
    Some(mend(project, &inside, &custody, finding))
}
