//! `cached-buffer-pointer`: a pointer into a passed Buffer's memory, kept in a field without a reference to the Buffer.

use super::support::persistents::keeps_alive;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, ClassId, FunctionId, FunctionKind, In, Value, ValueId};
use crate::project::{AccessKind, Place, Project, Root};

const NAME: &str = "cached-buffer-pointer";

/// How many callers up somebody may save the object whose memory it is.
const CALLERS: u8 = 3;

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| project.is_native(call.file)) {
        if !gives_data(project, call) {
            continue;
        }
        let Some(place) = kept(project, call) else { continue };
        let Root::Field(class, field) = place.root else { continue };
        if !place.path.is_empty() || keeps_reference(project, class, call) || is_dropped_again(project, place, call) {
            continue;
        }
        let class_name = project.class(class).name;
        let at = project.locate(call);
        let buffer = project.receiver(call).map_or_else(|| "the Buffer".to_owned(), |value| format!("`{}`", project.text(value)));
        findings.push(
            Finding::new(NAME, Confidence::Medium, at, format!("`{field}` keeps a pointer into {buffer} past the call, but not the Buffer"))
                .with_why(format!("the memory belongs to the JavaScript object; nothing in `{class_name}` keeps that alive while `{field}` points to it"))
                .with_help(format!("keep a `Napi::Reference` to the Buffer beside `{field}`, or copy the bytes"))
                .with_context(project.function_name(project.function_of(call)))
                .with_step(StepKind::Hold, at, format!("`{field}` points into memory that the collector may free")),
        );
    }
}

/// Whether a call returns a pointer to the memory of a JavaScript buffer.
fn gives_data(project: &Project<'_>, call: In<CallId>) -> bool {
    let returned = project.api(call).and_then(|api| project.contracts.ty(api.returns_type.as_deref()?));
    returned.is_some_and(|ty| project.contracts.is_family(ty, "buffer-data"))
}

fn kept(project: &Project<'_>, call: In<CallId>) -> Option<Place> {
    project.uses(project.result(call)?).iter().find_map(|access| match access.kind {
        AccessKind::Stored { place } => project.place(access.of(place)),
        _ => None,
    })
}

/// Whether the class (or a base) has a field that can keep a JavaScript object alive, or is an async worker that saves one.
fn keeps_reference(project: &Project<'_>, class: In<ClassId>, call: In<CallId>) -> bool {
    let classes = std::iter::once(class).chain(project.bases(class));
    let field = classes.into_iter().any(|class| {
        project.class(class).fields.iter().any(|field| {
            let ty = field.ty.as_ref().and_then(|facts| project.declared_type(class.file, facts));
            let known = ty.is_some_and(|ty| {
                ["reference", "persistent", "global-handle", "callback"].iter().any(|family| project.contracts.is_family(ty, family))
            });
            known || field.ty.as_ref().is_some_and(|facts| facts.name.contains("Ref") || facts.name.contains("Persistent"))
        })
    });
    field || saves(project, project.function_of(call), 0) || is_kept_by_javascript(project, call)
}

/// Whether a function, or one that calls it and so has the object that it was given, saves a JavaScript object from the
/// collector.
fn saves(project: &Project<'_>, function: In<FunctionId>, depth: u8) -> bool {
    let here = project.calls_in(function).any(|call| {
        keeps_alive(project, call) || project.method_name(call).is_some_and(|name| name == "Reset")
    });
    here || depth < CALLERS && project.callers(function).iter().any(|caller| saves(project, project.function_of(caller.call), depth + 1))
}

/// Whether the object whose memory it is becomes a property of another one: `self.Set("data", array)`.
fn is_kept_by_javascript(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(buffer) = project.receiver(call).map(|value| project.place(bare(project, value))) else { return false };
    project.calls_in(project.function_of(call)).filter(|other| *other != call).any(|other| {
        let is_property = project.method_name(other).is_some_and(|name| name.starts_with("Set") || name.starts_with("Define"));
        is_property
            && project.receiver(other).is_some()
            && project.call(other).arguments.iter().any(|argument| {
                buffer.is_some() && project.place(bare(project, other.with(argument.value))) == buffer
            })
    })
}

/// `array` of `array.As<Uint8Array>()`.
fn bare(project: &Project<'_>, value: In<ValueId>) -> In<ValueId> {
    match project.value(value) {
        Value::Result(call) => {
            let call = value.with(*call);
            project.receiver(call).filter(|_| project.call(call).arguments.is_empty()).map_or(value, |inner| bare(project, inner))
        }
        _ => value,
    }
}

/// Whether the same function empties the field again, or is the constructor of an object of the stack.
fn is_dropped_again(project: &Project<'_>, place: Place, call: In<CallId>) -> bool {
    let function = project.function_of(call);
    let emptied = project.accesses(place).iter().any(|access| {
        access.function() == function
            && access.span.start > project.call(call).span.end
            && matches!(access.kind, AccessKind::Assigned { .. })
    });
    emptied || project.function(function).kind == FunctionKind::Constructor && !outlives_call(project, place)
}

/// Whether objects of the field's class are made for longer than the call: wrapped by JavaScript's, or run by other threads.
fn outlives_call(project: &Project<'_>, place: Place) -> bool {
    let Root::Field(class, _) = place.root else { return false };
    let is = |family: &&str| project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, family));
    ["object-wrap", "async-worker"].iter().any(is)
}
