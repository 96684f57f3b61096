//! `registration-per-call`: something that the process keeps a list of, made anew for each call and never taken back.

use super::support::keeper::{Keeper, care, keeper};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, In, Rate, Type};
use crate::project::{Project, Root};

const NAME: &str = "registration-per-call";

/// Families of things that register themselves with the process as soon as they are used.
const REGISTERED: &[&str] = &["async-store", "hooks", "observer", "monitor"];

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        let Some(ty) = made(project, call) else { continue };
        let rate = project.call_rate(call);
        if rate.rate.is_none_or(|rate| rate == Rate::Once) {
            continue;
        }
        let Keeper::Place(place) = keeper(project, call, ty) else { continue };
        // A field is made once for each instance, a variable of the module once: `Rate` has said how often that is.
        let local = matches!(place.root, Root::Variable(binding) if project.binding(binding).function.index() != 0);
        if !local || !care(project, place, ty).releases.is_empty() {
            continue;
        }
        let (noun, name) = (&ty.noun, project.place_text(place));
        let at = project.locate(call);
        let mut finding = Finding::new(NAME, Confidence::Medium, at, format!("a new {noun} `{name}` is made for each call and never disabled"))
            .with_why(format!("the process keeps every {noun} that was used; {}", rate.because()))
            .with_help(format!("make `{name}` once at module level, or disable it when the call is over"))
            .with_context(project.function_name(project.function_of(call)))
            .with_step(StepKind::Acquire, at, format!("{noun} made here"));
        finding.trace.extend(rate.why);
        findings.push(finding);
    }
}

fn made<'a>(project: &Project<'a>, call: In<CallId>) -> Option<&'a Type> {
    if !project.call(call).is_new {
        return None;
    }
    let ty = project.ty(project.result(call)?)?;
    REGISTERED.iter().any(|family| ty.family == **family).then_some(ty)
}
