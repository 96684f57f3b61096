//! `loop-handle-never-closed`: a libuv handle in an object that comes and goes, with no `uv_close` anywhere.

use super::member_never_freed::forgotten;
use super::support::members::stored;
use super::support::loop_memory::{Abandoned, End, abandoned};
use crate::finding::{Confidence, Finding, StepKind};
use crate::project::Project;

const NAME: &str = "loop-handle-never-closed";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        let Some(ty) = stored.ty.filter(|ty| project.contracts.is_family(ty, "uv-handle")) else { continue };
        let how = format!("call `uv_close` on `{}`", stored.field);
        findings.extend(forgotten(project, &stored, NAME, &format!("{} `{}`", ty.noun, stored.field), &how));
    }
    let freed_only = |found: &&Abandoned| found.end == End::Freed;
    findings.extend(abandoned(project).iter().filter(freed_only).map(|found| freed(project, found)));
}

/// A handle whose memory its callback frees, and that the loop still knows.
fn freed(project: &Project<'_>, found: &Abandoned) -> Finding {
    let (at, callback, noun) = (project.locate(found.told), project.function_name(found.callback), &found.noun);
    Finding::new(NAME, Confidence::Medium, at, format!("{noun} is freed by {callback} without being closed"))
        .with_why("the event loop knows a handle until it is closed; freeing its memory leaves the loop with a dangling one".to_owned())
        .with_help("close it there, and free it in the callback of the close".to_owned())
        .with_context(project.function_name(project.function_of(found.made)))
        .with_step(StepKind::Acquire, project.locate(found.made), format!("{noun} is made here"))
        .with_step(StepKind::Hold, at, "the event loop knows it from here on")
        .with_step(StepKind::Exit, project.locate(found.by), "freed here, never closed")
}
