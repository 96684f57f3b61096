//! Owning fields that a method which JavaScript may call any number of times fills anew, without a look at what is in them.
//! Says nothing of fields that nobody releases, nor of methods that run once in the life of their object.

use super::ending::reaches;
use super::members::{is_released, is_smart, stored_in};
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, FunctionId, FunctionKind, In, Value, ValueId};
use crate::project::{Access, How, Origin, Owned, Place, Project};
use crate::text::Location;

/// The field that receives something owned in a function, as that writes it, if each call of the function forgets what the
/// last one put there.
pub(crate) fn renewed(project: &Project<'_>, owned: &Owned<'_>, (how, at): (&How, Location)) -> Option<In<ValueId>> {
    let function = owned.function;
    let How::Stored(field) = how else { return None };
    let field = function.with(*field);
    let place = project.place(field)?;
    let (class, name) = place.field().filter(|_| place.path.is_empty())?;
    let acquired = function.with(owned.call()?);
    let stored = stored_in(project, place, owned, at)?;
    let renews = is_called_again(project, function)
        && is_older(project, field)
        && !is_smart(project, class, &name)
        && !asks_the_object(project, acquired, class)
        && !is_touched_before(project, function, place, acquired)
        && is_released(project, &stored);
    renews.then_some(field)
}

/// JavaScript calls it, not as a constructor, and its name is not that of a start, which an object has once.
fn is_called_again(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let facts = project.function(function);
    let starts = project.contracts.words.either_end(Meaning::Start, &facts.name);
    facts.kind != FunctionKind::Constructor && !starts && project.is_called_from_javascript(function)
}

/// The object whose field it is was there before the call.
fn is_older(project: &Project<'_>, field: In<ValueId>) -> bool {
    let Value::Member(object, _) = project.value(field) else { return true };
    project.origins(field.with(*object)).iter().all(|origin| match origin {
        Origin::This(_) => true,
        // Unwrapped: what the catalog knows to give no ownership.
        Origin::Result(call) => {
            !project.call(*call).is_new && project.api(*call).is_some_and(|api| api.gives.is_none())
        }
        _ => false,
    })
}

/// Whether the method goes there only in some state of the object.
fn asks_the_object(project: &Project<'_>, acquired: In<CallId>, class: In<ClassId>) -> bool {
    let mut asks = false;
    for (cond, _) in &project.conditions(acquired) {
        cond.values(&mut |value| {
            let parts = match project.value(acquired.with(value)) {
                Value::Opaque(parts) => parts.to_vec(),
                _ => vec![value],
            };
            asks |= parts.iter().any(|part| speaks_of(project, acquired.with(*part), class));
        });
    }
    asks
}

/// A field of a class, or what one of its methods says.
fn speaks_of(project: &Project<'_>, value: In<ValueId>, class: In<ClassId>) -> bool {
    let is_field = || project.place(value).and_then(Place::field).is_some_and(|(owner, _)| owner == class);
    let is_method = |function: &In<FunctionId>| project.class_of(*function) == Some(class);
    match project.value(value) {
        Value::Result(call) => project.targets(value.with(*call)).functions.iter().any(is_method),
        _ => is_field(),
    }
}

/// Whether the method, or what it has called by then, does anything with the field before.
fn is_touched_before(project: &Project<'_>, function: In<FunctionId>, place: Place, acquired: In<CallId>) -> bool {
    let accesses: Vec<Access> = project.accesses(place).to_vec();
    let limit = project.call(acquired).span.start;
    let own = |access: &Access| access.function() == function && access.span.end <= limit;
    let mut before = project.calls_in(function).filter(|call| project.call(*call).span.start < limit);
    accesses.iter().any(own)
        || before.any(|call| project.targets(call).functions.iter().any(|target| reaches(project, *target, &accesses)))
}
