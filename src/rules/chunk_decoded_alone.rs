//! `chunk-decoded-alone`: every chunk of a stream of bytes is copied into a string of its own. Nothing stays for ever, which
//! is why it is never more than a hint; what is kept for ever is for other rules.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, In};
use crate::project::{Origin, Passed, Project};

const NAME: &str = "chunk-decoded-alone";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        let Some(passed) = decodes_chunk(project, call) else { continue };
        let (at, stream) = (project.locate(call), project.receiver(passed.call).map(|stream| project.text(stream)));
        let of = stream.map_or_else(|| "of a stream".to_owned(), |stream| format!("of `{stream}`"));
        let mut finding = Finding::new(NAME, Confidence::Low, at, format!("each chunk {of} is decoded into a string of its own"))
            .with_why("`toString()` copies all bytes to the heap for the collector to find, chunk by chunk, and cuts a character that two chunks share")
            .with_help("read the bytes themselves (`indexOf`, `equals`, `hash.update`), or let the stream decode them once: `setEncoding('utf8')`")
            .with_context(project.function_name(project.function_of(call)));
        finding = finding.with_step(StepKind::Acquire, at, "a string as long as the chunk");
        findings.push(finding.with_step(StepKind::Repeat, project.locate(passed.call), "runs for each chunk"));
    }
}

/// The registration for `data` whose handler a call stands in, where the call decodes the chunk that the handler gets.
fn decodes_chunk(project: &Project<'_>, call: In<CallId>) -> Option<Passed> {
    if project.method_name(call)? != "toString" {
        return None;
    }
    let chunk = project.origins(project.receiver(call)?);
    let handler = project.function_of(call);
    let first = handler.with(*project.function(handler).parameters.first()?);
    if !chunk.contains(&Origin::Parameter(first)) {
        return None;
    }
    let passed = project.passed_to(handler);
    let passed = passed.iter().find(|passed| passed.handed.event.is_some_and(|event| event == "data"))?;
    (!decodes_itself(project, passed.call)).then(|| passed.clone())
}

/// Whether the stream of a registration was told to decode: its chunks are strings already.
fn decodes_itself(project: &Project<'_>, registration: In<CallId>) -> bool {
    let Some(stream) = project.receiver(registration) else { return false };
    project.calls_in(project.function_of(registration)).any(|other| {
        project.method_name(other).is_some_and(|name| name == "setEncoding")
            && project.receiver(other).is_some_and(|other| project.same(other, stream))
    })
}
