//! `registry-cannot-fire`: a FinalizationRegistry that dies before its targets, or whose held value keeps its target alive.

use super::support::keeper::{Keeper, keeper};
use super::support::mend::{code_before, indent, line_of, mentions, whole};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Value, ValueId};
use crate::project::{AccessKind, Key, Origin, Project, Root};
use crate::text::{Edit, Span};

const NAME: &str = "registry-cannot-fire";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        if project.call(call).is_new && project.callee_text(call) == "FinalizationRegistry" {
            findings.extend(dies_first(project, call));
        } else if project.method_name(call).is_some_and(|name| name == "register") && is_registry(project, call) {
            findings.extend(held_too_strongly(project, call));
        }
    }
}

/// A registry that only a local variable of a function holds.
fn dies_first(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    let function = project.function_of(call);
    if function.id == FunctionId::MODULE {
        return None;
    }
    let ty = project.ty(project.result(call)?)?;
    let Keeper::Place(place) = keeper(project, call, ty) else { return None };
    let Root::Variable(binding) = place.root else { return None };
    let variable = project.binding(binding);
    if variable.function != function.id || !variable.captured_by.is_empty() {
        return None;
    }
    let only_registers = project.accesses(place).iter().all(|access| match access.kind {
        AccessKind::Method { call, .. } => {
            project.method_name(access.of(call)).is_some_and(|name| matches!(&*name, "register" | "unregister"))
        }
        AccessKind::Assigned { .. } | AccessKind::Tested => true,
        _ => false,
    });
    only_registers.then(|| {
        let name = project.place_text(place);
        let finding = Finding::new(NAME, Confidence::High, project.locate(call), format!("registry `{name}` is collected before it can call back: a local variable is all that holds it"))
            .with_why(format!("`{name}` dies with the call of {}; a registry that nobody holds never runs its callback, so what that was to remove stays", project.function_name(function)))
            .with_help(format!("make one registry at module level and call `{name}.register` on that"))
            .with_context(project.function_name(function))
            .with_step(StepKind::Hold, project.at(binding.file, variable.span), format!("`{name}` lives as long as this call"));
        match at_module_level(project, call, &name) {
            Some(edits) => finding.with_fix("make it once, at module level", Applicability::Unsafe, edits),
            None => finding,
        }
    })
}

/// The registry's declaration cut out and put before the top-level statement that it is in, where its callback speaks of
/// nothing but what the module has.
fn at_module_level(project: &Project<'_>, call: In<CallId>, name: &str) -> Option<Vec<Edit>> {
    let (file, summary) = (call.file, project.summary(call.file));
    let text = &*project.sources.get(file).text;
    let is_top = |function: In<FunctionId>| project.function(function).parent == Some(FunctionId::MODULE);
    let outer = project.around(project.function_of(call), is_top)?;
    let callbacks = project.callbacks(call);
    let captured = callbacks.iter().flat_map(|handed| &project.function(handed.function).captures);
    let is_own = |function: FunctionId| summary.is_inside(function, outer.id);
    let mut captured = captured.map(|binding| summary.binding(*binding));
    let around = project.function(outer).span;
    let elsewhere = format!("{}{}", &text[..around.start as usize], &text[around.end as usize..]);
    if callbacks.is_empty() || captured.any(|binding| is_own(binding.function)) || mentions(&elsewhere, name) {
        return None;
    }
    let declaration = whole(text, project.call(call).statement);
    let said = declaration.of(text);
    let lines = line_of(text, declaration.start).start..line_of(text, declaration.end).end;
    if text.get(lines.clone())?.trim() != said || !said.starts_with("const ") || said.contains("this") {
        return None;
    }
    let blanks = indent(text, declaration.start);
    let said = said.replace(&format!("\n{blanks}"), "\n");
    // Behind the code before, so that a comment stays with what it is about.
    let top = code_before(text, line_of(text, around.start).start as u32).len();
    let (at, new) = if top == 0 {
        (line_of(text, around.start).start, format!("{said}\n\n"))
    } else {
        (line_of(text, top as u32).end, format!("\n{said}\n"))
    };
    if !text[..at].trim().is_empty() && top == 0 {
        return None;
    }
    let span = |from: usize, to: usize| Span::new(from as u32, to as u32);
    Some(vec![
        Edit { file, span: span(at, at), text: new },
        Edit { file, span: span(lines.start, lines.end), text: String::new() },
    ])
}

fn is_registry(project: &Project<'_>, call: In<CallId>) -> bool {
    project.receiver(call).and_then(|receiver| project.ty(receiver)).is_some_and(|ty| ty.name == "FinalizationRegistry")
}

/// A held value that is, or is a part of, or captures the registered target.
fn held_too_strongly(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    let (target, held) = (project.argument(call, 0)?, project.argument(call, 1)?);
    if matches!(project.value(held), Value::Result(_) | Value::Literal(_)) {
        return None;
    }
    let root = root_of(project, held);
    let part_of_target = (project.same(root, target) || is_kept_by(project, target, root)) && leads_back(project, held, target);
    (part_of_target && is_object(project, call, held)).then(|| {
        let text = project.text(held);
        let target = project.text(target);
        Finding::new(NAME, Confidence::Medium, project.locate(call), format!("held value `{text}` belongs to the target `{target}`, which therefore never dies"))
            .with_why("a registry keeps its held values strongly until the target is collected; this one leads back to the target")
            .with_help(format!("hold `new WeakRef({text})`, or only a key"))
            .with_context(project.function_name(project.function_of(call)))
    })
}

/// Whether what is held may know its target: it is the target, was made with it, has a closure over it, or comes from where
/// nothing is known of it. What was made without the target keeps nothing but itself, part of it or not.
fn leads_back(project: &Project<'_>, held: In<ValueId>, target: In<ValueId>) -> bool {
    let is_target = |value: In<ValueId>| project.same(value, target);
    let knows = |value: In<ValueId>| match project.value(value) {
        Value::Object(object) => {
            project.object(value.with(*object)).properties.iter().any(|property| is_target(value.with(property.value)))
        }
        Value::Array(_, parts) => parts.iter().any(|part| is_target(value.with(*part))),
        _ => is_target(value),
    };
    if is_target(held) {
        return true;
    }
    let origins = project.origins(held);
    let unknown = origins.is_empty() || origins.iter().any(|origin| matches!(origin, Origin::Unknown | Origin::Part(_)));
    unknown
        || origins.iter().any(|origin| match origin {
            Origin::New(call, _) | Origin::Result(call) | Origin::Resolved(call) => {
                project.call(*call).arguments.iter().any(|argument| knows(call.with(argument.value)))
            }
            Origin::Object(object) => {
                project.object(*object).properties.iter().any(|property| is_target(object.with(property.value)))
            }
            Origin::Function(function) => project.function(*function).captures_this,
            Origin::Parameter(_) => true,
            _ => false,
        })
}

/// Whether a held value is an object, which can lead back: the registry's callback calls or reads something of it. Names and
/// numbers are held as they are.
fn is_object(project: &Project<'_>, call: In<CallId>, held: In<ValueId>) -> bool {
    if !matches!(project.value(held), Value::Member(..) | Value::Index(..)) && !is_a_binding_of_a_part(project, held) {
        return true;
    }
    let made = project.receiver(call).map(|registry| project.origins(registry)).unwrap_or_default();
    let callbacks = made.iter().filter_map(|origin| match origin {
        Origin::Result(call) | Origin::New(call, _) => project.callbacks(*call).into_iter().next(),
        _ => None,
    });
    callbacks.map(|handed| handed.function).any(|callback| {
        let first = project.function(callback).parameters.first().copied();
        let value = first.and_then(|first| project.binding_value(callback.with(first)).map(|id| callback.with(id)));
        value.is_some_and(|value| {
            project.uses(value).iter().any(|access| {
                matches!(access.kind, AccessKind::Method { .. } | AccessKind::KeyRead { .. } | AccessKind::Called { .. })
            })
        })
    })
}

/// A variable that holds what was read of something else: it may be a name as well as an object.
fn is_a_binding_of_a_part(project: &Project<'_>, held: In<ValueId>) -> bool {
    matches!(project.value(held), Value::Binding(_))
        && project.origins(held).iter().all(|origin| !matches!(origin, Origin::New(..) | Origin::Object(_) | Origin::Function(_)))
}

/// The object at the start of `a.b.c`.
fn root_of(project: &Project<'_>, mut value: In<ValueId>) -> In<ValueId> {
    while let Value::Member(object, _) | Value::Index(object, _) = project.value(value) {
        value = value.with(*object);
    }
    value
}

/// Whether this file puts `part` into a slot of `whole`: both are the registry's to keep.
fn is_kept_by(project: &Project<'_>, whole: In<ValueId>, part: In<ValueId>) -> bool {
    project.uses(whole).iter().any(|access| match access.kind {
        AccessKind::KeyAssigned { value, key: Key::Name(_) | Key::Value(_) } => access.of(value) == part,
        _ => false,
    })
}
