//! `async-worker-raw-pointer`: a worker that carries a raw pointer to an object that may be gone when it runs.

use super::support::persistents::keeps_alive;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{BindingId, ClassId, FunctionId, FunctionKind, Holder, In, Name, Value};
use crate::project::{AccessKind, Origin, Project, Root};
use std::collections::BTreeMap;

const NAME: &str = "async-worker-raw-pointer";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    // Several workers over one kind of object want one remedy, in that object's class.
    let mut by_pointee: BTreeMap<Pointee, Vec<Carried>> = BTreeMap::new();
    for class in project.classes().filter(|class| project.is_native(class.file)) {
        let worker = project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "async-worker"));
        if !worker || project.canonical_class(class) != class || keeps_owner(project, class) {
            continue;
        }
        for constructor in project.methods(class) {
            if project.function(constructor).kind != FunctionKind::Constructor {
                continue;
            }
            let parameters = &project.function(constructor).parameters;
            let found = parameters.iter().find_map(|&parameter| carried(project, constructor.with(parameter), class));
            if let Some((pointee, found)) = found {
                by_pointee.entry(pointee).or_default().push(found);
                break;
            }
        }
    }
    for (pointee, carried) in &by_pointee {
        // Who owns an object of a class that stands elsewhere, those know who make the worker. A worker that nobody here
        // makes is judged as it stands.
        let is_made = carried.iter().any(|carried| {
            !project.callers(carried.parameter.with(project.binding(carried.parameter).function)).is_empty()
        });
        let is_open = matches!(pointee, Pointee::Unknown(_)) && is_made;
        let confidence = if is_open { Confidence::Low } else { Confidence::Medium };
        findings.extend(report(project, carried, confidence));
    }
}

/// What is pointed to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pointee {
    /// An object that JavaScript owns.
    Wrapped(In<ClassId>),
    /// An object of a class that the project does not show.
    Unknown(Name),
}

/// A worker with what it carries.
struct Carried {
    worker: In<ClassId>,
    parameter: In<BindingId>,
    field: String,
}

/// The class and the field of a raw pointer parameter to an object that the collector may end any time.
fn carried(project: &Project<'_>, parameter: In<BindingId>, class: In<ClassId>) -> Option<(Pointee, Carried)> {
    let binding = project.binding(parameter);
    let facts = binding.ty.as_ref().filter(|facts| facts.holder == Holder::Raw && facts.text.contains('*'))?;
    let pointee = match project.declared_class(class.file, &facts.name) {
        // Only of an object that JavaScript holds is it known that nobody else keeps it.
        Some(pointee) => project
            .class_type(pointee)
            .is_some_and(|ty| project.contracts.is_family(ty, "object-wrap"))
            .then_some(Pointee::Wrapped(pointee))?,
        None => {
            let base = facts.name.rsplit("::").next().unwrap_or(&facts.name);
            // Bytes, batons of C libraries and callbacks are the worker's own business.
            let is_object = base.starts_with(char::is_uppercase) && !base.ends_with("Callback") && !base.ends_with("_t");
            is_object.then_some(Pointee::Unknown(facts.name))?
        }
    };
    let constructor = In::new(parameter.file, binding.function);
    // `AsyncWorker(device->Value(), callback)`, `device->Ref()`: it is kept by its JavaScript object.
    let is_asked = project.calls_in(constructor).any(|call| {
        project.receiver(call).is_some_and(|receiver| *project.value(receiver) == Value::Binding(parameter.id))
    });
    if is_asked || kept_by_makers(project, constructor) {
        return None;
    }
    let value = project.binding_value(parameter)?;
    let field = project.uses(parameter.with(value)).iter().find_map(|access| match access.kind {
        AccessKind::Stored { place } => match project.place(access.of(place))?.root {
            Root::Field(of, field) if of == project.canonical_class(class) => Some(field),
            _ => None,
        },
        _ => None,
    })?;
    // A pointer made for the worker is the worker's own; it is deleted there or `member-never-freed` says so.
    let made_for_it = project
        .arguments_of(parameter)
        .iter()
        .any(|&argument| matches!(project.origin(argument), Origin::New(..) | Origin::Result(_)));
    (!made_for_it).then(|| (pointee, Carried { worker: class, parameter, field: field.to_string() }))
}

/// Whether the code that makes the worker keeps the object: a `Ref`, a receiver, a JavaScript object that it saves.
fn kept_by_makers(project: &Project<'_>, constructor: In<FunctionId>) -> bool {
    project.callers(constructor).iter().any(|caller| {
        project.calls_in(project.function_of(caller.call)).any(|call| keeps_alive(project, call))
    })
}

/// Whether the worker itself (or its callers, by a reference) keeps a JavaScript object alive.
fn keeps_owner(project: &Project<'_>, class: In<ClassId>) -> bool {
    project.class(class).fields.iter().any(|field| {
        let ty = field.ty.as_ref().and_then(|facts| project.declared_type(class.file, facts));
        ty.is_some_and(|ty| ["reference", "persistent", "global-handle"].iter().any(|family| project.contracts.is_family(ty, family)))
    }) || project.methods(class).into_iter().any(|method| {
        project.calls_in(method).any(|call| keeps_alive(project, call))
    })
}

fn report(project: &Project<'_>, carried: &[Carried], confidence: Confidence) -> Option<Finding> {
    let first = carried.first()?;
    let (class, field, binding) = (first.worker, &first.field, project.binding(first.parameter));
    let ty = binding.ty.as_ref().map_or_else(String::new, |facts| facts.name.to_string());
    let name = project.class(class).name;
    let at = project.at(first.parameter.file, binding.span);
    let others = carried.len() - 1;
    let subject = match others {
        0 => format!("`{name}` carries the raw pointer `{field}`"),
        1 => format!("`{name}` and another worker carry the raw pointer `{field}`"),
        _ => format!("`{name}` and {others} other workers carry the raw pointer `{field}`"),
    };
    let mut finding = Finding::new(NAME, confidence, at, format!("{subject} across the asynchronous border"))
        .with_why(format!("the work runs after the call that queued it; when the collector takes the JavaScript object meanwhile, its `{ty}` is gone"))
        .with_help(format!("keep a reference to the JavaScript object in the worker until it is done (`Ref()` before `Queue()`, `Unref()` after), or let a `std::shared_ptr` hold what the work needs of `{ty}`"))
        .with_context(name.to_string())
        .with_step(StepKind::Acquire, at, format!("`{field}` is taken from here"));
    if let Some(field) = project.class(class).fields.iter().find(|declared| *declared.name == **field) {
        finding = finding.with_step(StepKind::Hold, project.at(class.file, field.span), "a raw pointer keeps nothing alive");
    }
    for other in &carried[1..] {
        let at = project.at(other.parameter.file, project.binding(other.parameter).span);
        finding = finding.with_step(StepKind::Acquire, at, format!("likewise in `{}`", project.class(other.worker).name));
    }
    Some(finding)
}
