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
        if rate.rate.is_none_or(|rate| rate == Rate::Once) || project.is_once_guarded(call) {
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
    findings.extend(project.calls().filter(|call| project.is_native(call.file)).filter_map(|call| template(project, call)));
}

/// A function template of C++ code: the context keeps each, and what was instantiated from it, as long as it lives.
fn template(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    if !is_template(project, call) {
        return None;
    }
    let rate = project.call_rate(call);
    rate.rate.filter(|rate| *rate >= Rate::PerCall)?;
    // What makes several sets up an interface; what fills a persistent handle keeps a cache.
    let mut siblings = project.calls_in(project.function_of(call)).filter(|other| *other != call);
    if siblings.any(|other| is_template(project, other) || keeps(project, other)) {
        return None;
    }
    let at = project.locate(call);
    let mut finding = Finding::new(NAME, Confidence::Medium, at, "a new function template is made for each call")
        .with_why(format!("the context keeps every template that was instantiated, with its function; {}", rate.because()))
        .with_help("make the template once, where the module is initialised, and keep it in a persistent handle; for one function, `Function::New` needs no template")
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Grow, at, "function template made here");
    finding.trace.extend(rate.why);
    Some(finding)
}

fn keeps(project: &Project<'_>, call: In<CallId>) -> bool {
    let given = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?));
    given.is_some_and(|ty| ["persistent", "reference"].contains(&ty.family.as_str()))
}

/// Whether a call makes a template. One that is given something else than a function looks an old one up:
/// `Nan::New<FunctionTemplate>(persistent)`.
fn is_template(project: &Project<'_>, call: In<CallId>) -> bool {
    let registers = project.api(call).and_then(|api| api.registers.as_ref());
    let arguments = &project.call(call).arguments;
    let is_made = match &arguments[..] {
        [one] => !project.functions_in(call.with(one.value)).is_empty(),
        _ => true,
    };
    is_made && registers.is_some_and(|registers| registers.kind == "template")
}

fn made<'a>(project: &Project<'a>, call: In<CallId>) -> Option<&'a Type> {
    if !project.call(call).is_new {
        return None;
    }
    let ty = project.ty(project.result(call)?)?;
    REGISTERED.iter().any(|family| ty.family == **family).then_some(ty)
}
