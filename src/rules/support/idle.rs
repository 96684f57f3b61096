//! Intervals that serve an object of their function and outlive it: only their own callback clears them, on a condition that
//! the object's end has no part in.

use super::ending::{is_end, reaches};
use super::keeper::Care;
use crate::model::{BindingId, CallId, FunctionId, In, Name, Value, ValueId};
use crate::project::{Access, AccessKind, Event, Place, Project, Root};

/// What an interval serves, and the end that does not clear it.
pub(crate) struct Served {
    /// The object, as the code calls it.
    pub(crate) object: String,
    /// The event of its end.
    pub(crate) event: Name,
    /// What runs then.
    pub(crate) handler: In<FunctionId>,
    /// Where the callback clears it on its own condition.
    pub(crate) cleared: Access,
}

/// The object that an interval in a local variable outlives.
pub(crate) fn after_end(project: &Project<'_>, call: In<CallId>, place: Place, care: &Care) -> Option<Served> {
    let function = project.function_of(call);
    let Root::Variable(variable) = place.root else { return None };
    let callback = project.callbacks(call).into_iter().next()?.function;
    let summary = project.summary(call.file);
    let own = |release: &Access| release.file == call.file && summary.is_inside(release.function, callback.id);
    if project.binding(variable).function != function.id
        || function.id == FunctionId::MODULE
        || !care.escapes.is_empty()
        || callback.file != call.file
        || !care.releases.iter().all(own)
    {
        return None;
    }
    let cleared = *care.releases.first()?;
    let guards = guards(project, care)?;
    let captures = &project.function(callback).captures;
    project.registry().adds.iter().filter(|add| project.function_of(add.call) == function).find_map(|add| {
        let Event::Named(event) = add.event else { return None };
        let on = add.on?;
        let Value::Binding(object) = project.value(on) else { return None };
        let handlers = project.functions_in(add.handler?);
        let heeds = guards.iter().any(|guard| mentions(project, *guard, *object, 0))
            || guards.iter().any(|guard| is_set_by(project, *guard, &handlers));
        (is_end(&event) && captures.contains(object) && !handlers.is_empty() && !heeds).then(|| Served {
            object: project.text(on),
            event,
            handler: handlers[0],
            cleared,
        })
    })
}

/// The values of the conditions on which the releases happen; none where one happens always.
pub(super) fn guards(project: &Project<'_>, care: &Care) -> Option<Vec<In<ValueId>>> {
    let mut guards = Vec::new();
    for release in &care.releases {
        let AccessKind::Argument { call, .. } = release.kind else { return None };
        let call = release.of(call);
        let conditions = project.conditions(call);
        if conditions.is_empty() {
            return None;
        }
        for (condition, _) in conditions {
            condition.values(&mut |value| guards.push(call.with(value)));
        }
    }
    Some(guards)
}

/// Whether a condition looks at an object, if only by handing it to what it calls.
fn mentions(project: &Project<'_>, value: In<ValueId>, object: BindingId, depth: u8) -> bool {
    let inner = |id: ValueId| depth < 6 && mentions(project, value.with(id), object, depth + 1);
    match project.value(value) {
        Value::Binding(binding) => *binding == object || project.binding(value.with(*binding)).value.is_some_and(inner),
        Value::Member(of, _) => inner(*of),
        Value::Index(of, key) => inner(*of) || inner(*key),
        Value::Result(call) => {
            let call = project.call(value.with(*call));
            inner(call.callee) || call.arguments.iter().any(|argument| inner(argument.value))
        }
        Value::Choice(parts) | Value::Opaque(parts) => parts.iter().any(|part| inner(*part)),
        _ => false,
    }
}

/// Whether the end itself changes what a condition looks at.
pub(super) fn is_set_by(project: &Project<'_>, guard: In<ValueId>, handlers: &[In<FunctionId>]) -> bool {
    let Some(place) = project.place(guard) else { return true };
    let accesses = project.accesses(place);
    let changes: Vec<Access> = accesses
        .iter()
        .filter(|access| matches!(access.kind, AccessKind::Assigned { is_declaration: false, .. }))
        .copied()
        .collect();
    handlers.iter().any(|handler| reaches(project, *handler, &changes))
}
