//! `buffer-view-pins-parent`: a small view of a large buffer is kept in a long-lived place and keeps all of it.

use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, In, ValueId};
use crate::project::{AccessKind, Lifetime, Project};
use crate::text::{Edit, Span};

const NAME: &str = "buffer-view-pins-parent";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(parent) = viewed(project, call) else { continue };
        let Some((holder, lifetime)) = kept_in(project, call) else { continue };
        let (parent_text, holder_text) = (project.text(parent), project.text(holder));
        let span = project.call(call).span;
        let edits = vec![
            Edit { file: call.file, span: Span::new(span.start, span.start), text: "Buffer.from(".to_owned() },
            Edit { file: call.file, span: Span::new(span.end, span.end), text: ")".to_owned() },
        ];
        let mut finding = Finding::new(
            NAME,
            Confidence::Medium,
            project.locate(call),
            format!("a view kept in `{holder_text}` keeps all of `{parent_text}`"),
        )
        .with_why(format!(
            "`slice` and `subarray` share memory with `{parent_text}`, and `{holder_text}` outlives the call"
        ))
        .with_help("copy what is kept: `Buffer.from(…)` around the view")
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, project.locate(call), format!("shares the memory of `{parent_text}`"))
        .with_fix("copy the view", Applicability::Safe, edits);
        finding.trace.extend(lifetime.why);
        findings.push(finding);
    }
}

/// The buffer that a call makes a view of, where it is known to be a whole file or another large thing of this call.
fn viewed(project: &Project<'_>, call: In<CallId>) -> Option<In<ValueId>> {
    let name = project.method_name(call)?;
    if !matches!(&*name, "subarray" | "slice") || project.call(call).arguments.is_empty() {
        return None;
    }
    let parent = project.receiver(call)?;
    let ty = project.ty(parent)?;
    project.contracts.is_family(ty, "buffer").then_some(parent)
}

/// The process-long collection or field that the view is put into.
fn kept_in(project: &Project<'_>, call: In<CallId>) -> Option<(In<ValueId>, Lifetime)> {
    let view = project.result(call)?;
    project.uses(view).iter().find_map(|access| {
        let holder = match access.kind {
            AccessKind::Argument { call, index } => {
                let call = access.of(call);
                let grows = project.api(call)?.grows?;
                if grows.value != Some(index) {
                    return None;
                }
                project.part(call, grows.what)?
            }
            _ => return None,
        };
        let lifetime = project.lifetime(holder);
        lifetime.is_process().then_some((holder, lifetime))
    })
}
