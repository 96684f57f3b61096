//! `closure-on-immortal-object`: a closure over one call's objects, written to something that lives with the process.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{Assign, Flow, FunctionId, In, Rate, Step, Value, ValueId};
use crate::project::{AccessKind, Origin, Place, Project, Root};

const NAME: &str = "closure-on-immortal-object";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for function in project.functions() {
        if function.id == FunctionId::MODULE || project.is_native(function.file) {
            continue;
        }
        project.function(function).flow.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow {
                findings.extend(judge(project, function, assign));
            }
        });
    }
}

fn judge(project: &Project<'_>, function: In<FunctionId>, assign: &Assign) -> Option<Finding> {
    let summary = project.summary(function.file);
    let Value::Member(object, _) = summary.value(assign.place) else { return None };
    let closure = closure(project, function.with(assign.value))?;
    let (object, place) = (function.with(*object), project.place(function.with(assign.place))?);
    let captured = captured(project, function, closure, object)?;
    if assign.only_if_empty
        || !is_immortal(project, object, function)
        || is_looked_after(project, place, assign, function)
    {
        return None;
    }
    let rate = project.rate(function);
    if rate.rate.is_none_or(|rate| rate == Rate::Once) {
        return None;
    }
    let name = project.text(function.with(assign.place));
    let at = project.at(function.file, assign.span);
    // A hook of the platform has one holder at a time; whoever wraps the one before makes a chain of them.
    let is_hook = matches!(place.root, Root::External(_)) && !name.contains(".prototype");
    let wraps = || {
        project.accesses(place).iter().any(|access| {
            !matches!(access.kind, AccessKind::Assigned { .. }) && access.file == function.file && access.function == function.id
        })
    };
    let confidence = if is_hook && !wraps() { Confidence::Low } else { Confidence::Medium };
    let mut finding = Finding::new(
        NAME,
        confidence,
        at,
        format!("closure on `{name}` keeps {captured} as long as the process lives"),
    )
    .with_why(format!("`{}` lives as long as the process; {}", project.text(object), rate.because()))
    .with_help(format!("assign `{name}` once at module level and reach {captured} through `this` or an argument"))
    .with_context(project.function_name(function))
    .with_step(StepKind::Hold, at, format!("`{name}` holds the closure, the closure holds {captured}"));
    finding.trace.extend(rate.why);
    Some(finding)
}

/// The function literal that is assigned.
fn closure(project: &Project<'_>, value: In<ValueId>) -> Option<In<FunctionId>> {
    match project.value(value) {
        Value::Function(function) => Some(value.with(*function)),
        Value::Binding(_) => match project.origin(value) {
            Origin::Function(function) if function.file == value.file => Some(function),
            _ => None,
        },
        _ => None,
    }
}

/// What of the running function's own (or an outer call's) the closure keeps, in words; none if nothing, or only what the
/// object belongs to or what lives as long by itself.
fn captured(
    project: &Project<'_>,
    function: In<FunctionId>,
    closure: In<FunctionId>,
    object: In<ValueId>,
) -> Option<String> {
    let facts = project.function(closure);
    let summary = project.summary(closure.file);
    if !summary.is_inside(closure.id, function.id) {
        return None;
    }
    if facts.captures_this && !matches!(project.value(owner(project, object)), Value::This(_)) {
        return Some("`this`".to_owned());
    }
    facts.captures.iter().find_map(|&binding| {
        let variable = summary.binding(binding);
        let of_call = variable.function != FunctionId::MODULE && summary.is_inside(function.id, variable.function);
        let object = !matches!(
            variable.value.map(|v| summary.value(v)),
            Some(Value::Literal(_) | Value::Function(_) | Value::Opaque(_))
        );
        let lives_on = variable.value.is_some_and(|value| project.lifetime(closure.with(value)).is_process());
        (of_call && object && !lives_on && !variable.name.is_empty()).then(|| format!("`{}`", variable.name))
    })
}

/// What an object is a part of: `this` of `this.prototype`.
fn owner(project: &Project<'_>, mut object: In<ValueId>) -> In<ValueId> {
    while let Value::Member(holder, _) = project.value(object) {
        object = object.with(*holder);
    }
    object
}

/// Whether the object written to lives with the process and was not made or passed in for this call.
fn is_immortal(project: &Project<'_>, object: In<ValueId>, function: In<FunctionId>) -> bool {
    let Some(place) = project.place(object) else { return false };
    match place.root {
        // A prototype of, or a thing inside, another package; `exports` and `global` are for their writers.
        Root::External(name) => {
            !matches!(&*name, "module" | "exports" | "global" | "globalThis" | "window")
                && !name.starts_with("module.")
                && !name.starts_with("exports")
        }
        Root::Object(id, _) => id.file == function.file && project.place_lifetime(place).is_process(),
        Root::Static(..) => project.place_lifetime(place).is_process(),
        // One that this very code makes is not older than the closure.
        Root::Variable(binding) => {
            project.binding(binding).function == FunctionId::MODULE
                && project.place_lifetime(place).is_process()
                && !is_assigned_in(project, Place::new(Root::Variable(binding)), function)
        }
        Root::Field(..) | Root::Property(..) | Root::Export(..) => false,
    }
}

/// Whether a function assigns a place.
fn is_assigned_in(project: &Project<'_>, place: Place, function: In<FunctionId>) -> bool {
    project.accesses(place).iter().any(|access| {
        matches!(access.kind, AccessKind::Assigned { .. }) && access.file == function.file && access.function == function.id
    })
}

/// Whether other code takes the closure back, this code puts back what was there before, or looks first whether one is there.
fn is_looked_after(project: &Project<'_>, place: Place, assign: &Assign, function: In<FunctionId>) -> bool {
    project.accesses(place).iter().any(|access| match access.kind {
        AccessKind::Assigned { value, .. } => {
            access.file != function.file
                || access.function != function.id
                || access.span.start > assign.span.end && closure(project, access.of(value)).is_none()
        }
        AccessKind::Deleted => true,
        AccessKind::Tested => access.file == function.file && access.span.start <= assign.span.start,
        _ => false,
    })
}
