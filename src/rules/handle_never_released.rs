//! `handle-never-released`: a handle that no way out releases or hands on.

use super::support::handles::followed;
use super::support::keeper::{Keeper, keeper};
use super::support::mend::handle::released_in_finally;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::project::Project;

const NAME: &str = "handle-never-released";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for handle in followed(project) {
        if handle.ends_itself || handle.rows.is_empty() || handle.lost().count() != handle.rows.len() {
            continue;
        }
        let noun = &handle.gives.ty.noun;
        let at = project.locate(handle.call);
        let confidence = if handle.rate.rate.is_some() { Confidence::High } else { Confidence::Low };
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
