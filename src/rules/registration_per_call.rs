//! `registration-per-call`: something that the process keeps a list of, made anew for each call and never taken back.

use super::support::keeper::{Keeper, care, keeper};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Literal, Rate, Type, Value};
use crate::project::{Access, AccessKind, Place, Project, Root};

const NAME: &str = "registration-per-call";

/// Families of things that register themselves with the process as soon as they are used.
const REGISTERED: &[&str] = &["async-store", "hook", "observer", "monitor"];

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        if project.is_native(call.file) {
            findings.extend(template(project, call));
            continue;
        }
        let found = listed(project, call).or_else(|| marked(project, call)).or_else(|| pooled(project, call));
        let Some(mut finding) = found else { continue };
        let rate = project.call_rate(call);
        if rate.rate.is_some_and(|rate| rate > Rate::Once) && !project.is_once_guarded(call) {
            finding.why = format!("{}; {}", finding.why, rate.because());
            finding.trace.extend(rate.why);
            findings.push(finding);
        }
    }
}

/// Something that the process lists once it is used.
fn listed(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    let ty = made(project, call)?;
    let name = match keeper(project, call, ty) {
        // `createHook({ … }).enable()`.
        Keeper::Dropped if lists_itself(project, call) => project.callee_text(call),
        Keeper::Place(place) if is_local(project, place) && care(project, place, ty).releases.is_empty() => {
            project.place_text(place)
        }
        _ => return None,
    };
    let (noun, at) = (&ty.noun, project.locate(call));
    let finding = Finding::new(NAME, Confidence::Medium, at, format!("a new {noun} `{name}` is made for each call and never disabled"))
        .with_why(format!("the process keeps every {noun} that was used"))
        .with_help(format!("make `{name}` once at module level, or disable it when the call is over"));
    Some(told(project, call, finding, format!("{noun} made here")))
}

/// A field is made once for each instance, a variable of the module once: `Rate` has said how often that is.
fn is_local(project: &Project<'_>, place: Place) -> bool {
    matches!(place.root, Root::Variable(binding) if project.binding(binding).function.index() != 0)
}

/// Whether what a call makes is registered with the process as a whole by a method that is called on it at once.
fn lists_itself(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(result) = project.result(call) else { return false };
    project.uses(result).iter().any(|access| match access.kind {
        AccessKind::Method { call, .. } => is_of_kind(project, access.of(call), "hook"),
        _ => false,
    })
}

fn is_of_kind(project: &Project<'_>, call: In<CallId>, kind: &str) -> bool {
    project.api(call).and_then(|api| api.registers.as_ref()).is_some_and(|row| row.kind == kind)
}

/// An entry of the timeline of the process, where nobody clears any. The first of a function speaks for all.
fn marked(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    if !is_of_kind(project, call, "mark") {
        return None;
    }
    let function = project.function_of(call);
    let first = project.calls_in(function).find(|other| is_of_kind(project, *other, "mark"))?;
    if first != call || project.registry().removals.iter().any(|removal| removal.kind == "mark") {
        return None;
    }
    let text = project.callee_text(call);
    let finding = Finding::new(NAME, Confidence::Medium, project.locate(call), format!("each call of `{text}` adds an entry to the timeline of the process"))
        .with_why("entries stay until they are cleared, under the same name, too, and nothing here clears any")
        .with_help("call `performance.clearMarks(name)` and `performance.clearMeasures(name)` when they have been read");
    Some(told(project, call, finding, "an entry is added here".to_owned()))
}

/// An agent that keeps the connections of one call open for calls that will never come to it.
fn pooled(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    let ty = project.ty(project.result(call)?).filter(|ty| project.call(call).is_new && ty.family == "agent")?;
    let holds = |argument: &crate::model::Argument| match project.value(call.with(argument.value)) {
        Value::Object(object) => {
            let object = project.object(call.with(*object));
            let on = |name: &String| object.get(name).map(|value| project.value(call.with(value)));
            ty.holds_with.iter().filter_map(on).any(|value| *value == Value::Literal(Literal::Bool(true)))
        }
        _ => false,
    };
    let Keeper::Place(place) = keeper(project, call, ty) else { return None };
    let care = care(project, place, ty);
    let lent = |escape: &Access| matches!(escape.kind, AccessKind::Inside { .. });
    if !project.call(call).arguments.iter().any(holds)
        || !is_local(project, place)
        || !care.releases.is_empty()
        || care.escapes.is_empty()
        || !care.escapes.iter().all(|escape| lent(escape) && is_option(project, escape))
    {
        return None;
    }
    let (name, at) = (project.place_text(place), project.locate(call));
    let finding = Finding::new(NAME, Confidence::Medium, at, format!("a new {} `{name}` is made for each call and never destroyed", ty.noun))
        .with_why("it keeps its sockets open for requests that it will never get")
        .with_help(format!("make `{name}` once at module level and share it, or call `{name}.destroy()` when the call is over"));
    Some(told(project, call, finding, format!("{} made here", ty.noun)))
}

/// Put into an object literal that is an argument of a known call.
fn is_option(project: &Project<'_>, escape: &Access) -> bool {
    let AccessKind::Inside { outer } = escape.kind else { return false };
    project.uses(escape.of(outer)).iter().all(|access| match access.kind {
        AccessKind::Argument { call, .. } => project.api(access.of(call)).is_some(),
        _ => false,
    })
}

fn told(project: &Project<'_>, call: In<CallId>, finding: Finding, step: String) -> Finding {
    finding
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, project.locate(call), step)
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
    if is_told_for_what(project, project.function_of(call)) {
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

/// Whether a function that JavaScript does not call is given C data: it makes one template for each class that is described.
fn is_told_for_what(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let is_data = |parameter: &crate::model::BindingId| {
        let ty = project.binding(function.with(*parameter)).ty.as_ref();
        ty.is_some_and(|ty| project.declared_type(function.file, ty).is_none())
    };
    !project.is_called_from_javascript(function) && project.function(function).parameters.iter().any(is_data)
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
    let makes = project.call(call).is_new || project.api(call).is_some_and(|api| api.returns_type.is_some());
    let ty = project.ty(project.result(call).filter(|_| makes)?)?;
    REGISTERED.iter().any(|family| ty.family == **family).then_some(ty)
}
