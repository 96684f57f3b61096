//! `async-worker-raw-pointer`: a worker that carries a raw pointer to an object that may be gone when it runs.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{BindingId, ClassId, FunctionKind, Holder, In};
use crate::project::{AccessKind, Origin, Project, Root};

const NAME: &str = "async-worker-raw-pointer";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for class in project.classes().filter(|class| project.is_native(class.file)) {
        let worker = project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "async-worker"));
        if !worker || project.canonical_class(class) != class || keeps_owner(project, class) {
            continue;
        }
        for constructor in project.methods(class) {
            if project.function(constructor).kind != FunctionKind::Constructor {
                continue;
            }
            for &parameter in &project.function(constructor).parameters {
                if let Some(field) = carried(project, constructor.with(parameter), class) {
                    findings.push(report(project, class, constructor.with(parameter), &field));
                    break;
                }
            }
        }
    }
}

/// The field that keeps a raw pointer parameter to an object whose life nobody guarantees.
fn carried(project: &Project<'_>, parameter: In<BindingId>, class: In<ClassId>) -> Option<String> {
    let binding = project.binding(parameter);
    let facts = binding.ty.as_ref().filter(|facts| facts.holder == Holder::Raw && facts.text.contains('*'))?;
    let base = facts.name.rsplit("::").next().unwrap_or(&facts.name);
    // Bytes, batons of C libraries and callbacks are the worker's own business.
    let is_object = base.chars().next().is_some_and(char::is_uppercase) && !base.ends_with("Callback") && !base.ends_with("_t");
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
    (is_object && !made_for_it).then(|| field.to_string())
}

/// Whether the worker itself (or its callers, by a reference) keeps a JavaScript object alive.
fn keeps_owner(project: &Project<'_>, class: In<ClassId>) -> bool {
    project.class(class).fields.iter().any(|field| {
        let ty = field.ty.as_ref().and_then(|facts| project.declared_type(class.file, facts));
        ty.is_some_and(|ty| ["reference", "persistent", "global-handle"].iter().any(|family| project.contracts.is_family(ty, family)))
    }) || project.methods(class).into_iter().any(|method| {
        project.calls_in(method).any(|call| {
            project.method_name(call).is_some_and(|name| matches!(&*name, "Ref" | "SaveToPersistent" | "Persistent" | "Receiver"))
        })
    })
}

fn report(project: &Project<'_>, class: In<ClassId>, parameter: In<BindingId>, field: &str) -> Finding {
    let binding = project.binding(parameter);
    let ty = binding.ty.as_ref().map_or_else(String::new, |facts| facts.name.to_string());
    let name = project.class(class).name;
    let declared = project.class(class).fields.iter().find(|f| *f.name == *field);
    let at = project.at(parameter.file, binding.span);
    let mut finding = Finding::new(NAME, Confidence::Medium, at, format!("`{name}` carries the raw pointer `{field}` across the asynchronous border"))
        .with_why(format!("the work runs after the call that queued it; nothing keeps the `{ty}` alive until then"))
        .with_help(format!("hold it by `std::shared_ptr<{ty}>`, copy what the work needs, or keep a reference to its JavaScript wrapper"))
        .with_context(name.to_string())
        .with_step(StepKind::Acquire, at, format!("`{field}` is taken from here"));
    if let Some(field) = declared {
        finding = finding.with_step(StepKind::Hold, project.at(class.file, field.span), "a raw pointer keeps nothing alive");
    }
    finding
}
