//! Containers of raw pointers in fields: what is put into one is gone for good when the container dies, unless somebody went
//! over its elements before. Knows the loops over a container and its elements by index; whatever else is done with a
//! container (iterators, handing it on, swapping it) may be such a sweep, and is silence.

use super::members::{Stored, releases_argument, stored_in};
use crate::model::contract::{Effect, Part};
use crate::model::{BindingId, CallId, In, Name, Value, ValueId};
use crate::project::{Access, AccessKind, How, Place, Project};
use crate::text::Location;
use rustc_hash::FxHashSet;

/// A container whose elements nobody releases.
#[derive(Clone, Debug)]
pub(crate) struct Unswept<'a> {
    /// The field, where an element is put into it.
    pub(crate) stored: Stored<'a>,
    /// A container of the same kind beside it, and where its elements are released.
    pub(crate) sibling: Option<(Name, Location)>,
}

/// Every such container of the project, by the first element that it receives.
pub(crate) fn unswept<'a>(project: &Project<'a>) -> Vec<Unswept<'a>> {
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for function in project.functions().filter(|function| super::custody::is_shipped(project, *function)) {
        for (owned, custody) in project.owned_in(function).iter() {
            for settlement in &custody.settlements {
                let place = match settlement.how {
                    How::Handed(call, Some(_)) => grown(project, function.with(call)),
                    How::Stored(place) => entry(project, function.with(place)),
                    _ => None,
                };
                let Some(place) = place.filter(|place| holds_pointers(project, *place)) else { continue };
                let at = owned.call().map_or(settlement.span, |call| project.call(function.with(call)).span);
                let Some(stored) = stored_in(project, place, owned, project.at(function.file, at)) else { continue };
                if seen.insert(place) && !is_swept(project, place, &stored) {
                    let sibling = swept_sibling(project, &stored);
                    found.push(Unswept { stored, sibling });
                }
            }
        }
    }
    found
}

/// The field that a call makes longer.
fn grown(project: &Project<'_>, call: In<CallId>) -> Option<Place> {
    project.api(call)?.grows.as_ref()?;
    let place = project.place(project.receiver(call)?)?;
    place.field().map(|_| place)
}

/// The field of which a place is an entry: `sessions_[id]`.
fn entry(project: &Project<'_>, place: In<ValueId>) -> Option<Place> {
    let Value::Index(object, _) = *project.value(place) else { return None };
    project.place(place.with(object)).filter(|place| place.field().is_some())
}

/// Whether the declaration of a field says that its elements are plain pointers.
fn holds_pointers(project: &Project<'_>, place: Place) -> bool {
    let Some((class, field)) = place.field() else { return false };
    project.field_type(class, &field).is_some_and(|(_, facts)| facts.contains_pointers())
}

/// Whether somebody releases the elements, or may.
fn is_swept(project: &Project<'_>, place: Place, stored: &Stored<'_>) -> bool {
    let may_release = |access: &Access| match access.kind {
        AccessKind::Method { call, .. } => {
            let call = access.of(call);
            let gives_away = project.result(call).is_some_and(|result| !project.uses(result).is_empty());
            // `size()` and `empty()` say something of it; `begin()` and `back()` give elements away.
            gives_away && !project.api(call).is_some_and(|api| api.grows.is_some()) && !is_count(project, call)
        }
        AccessKind::Iterated => loop_variables(project, access)
            .into_iter()
            .flat_map(|value| project.uses(value))
            .any(|access| ends_element(project, access, stored)),
        AccessKind::Tested
        | AccessKind::SizeTested
        | AccessKind::KeyRead { .. }
        | AccessKind::KeyAssigned { .. }
        | AccessKind::Read => false,
        AccessKind::Assigned { is_declaration, .. } => !is_declaration,
        _ => true,
    };
    let elements = place.below("[]").map(|elements| project.accesses(elements)).unwrap_or_default();
    project.accesses(place).iter().any(may_release)
        || elements.iter().any(|access| {
            // What an element receives is no end of what it had.
            !matches!(access.kind, AccessKind::Assigned { .. }) && ends_element(project, access, stored)
        })
}

fn is_count(project: &Project<'_>, call: In<CallId>) -> bool {
    project.method_name(call).is_some_and(|name| matches!(&*name, "size" | "empty" | "length" | "count" | "capacity"))
}

/// The variables of the loops that go over a container.
fn loop_variables(project: &Project<'_>, access: &Access) -> Vec<In<ValueId>> {
    let summary = project.summary(access.file);
    let is_element =
        |value: ValueId| matches!(summary.value(value), Value::Opaque(parts) if parts.contains(&access.value));
    let bindings = (0..summary.bindings.len()).map(|at| In::new(access.file, BindingId(at as u32)));
    let variables = bindings.filter(|binding| project.binding(*binding).value.is_some_and(is_element));
    variables.filter_map(|binding| Some(In::new(access.file, project.binding_value(binding)?))).collect()
}

/// Whether what is done with an element may release it, or give it to somebody.
fn ends_element(project: &Project<'_>, access: &Access, stored: &Stored<'_>) -> bool {
    match access.kind {
        AccessKind::Argument { call, index } => {
            let call = access.of(call);
            let borrows = |effect: Effect| matches!(effect, Effect::Borrow | Effect::Copy);
            match project.api(call) {
                Some(api) => !borrows(api.arguments.get(index as usize).copied().unwrap_or(api.rest)),
                None => project.targets(call).functions.is_empty() || releases_argument(project, call, index, stored),
            }
        }
        AccessKind::Tested
        | AccessKind::KeyRead { .. }
        | AccessKind::KeyAssigned { .. }
        | AccessKind::Method { .. } => false,
        AccessKind::Assigned { is_declaration, .. } => !is_declaration,
        AccessKind::Read => false,
        _ => true,
    }
}

/// A container of the same declaration in the same class whose elements a loop releases.
fn swept_sibling(project: &Project<'_>, stored: &Stored<'_>) -> Option<(Name, Location)> {
    let (_, own) = project.field_type(stored.class, &stored.field)?;
    project.fields(stored.class).into_iter().find_map(|place| {
        let (class, field) = place.field().filter(|(_, field)| *field != stored.field)?;
        project.field_type(class, &field).filter(|(_, facts)| facts.text == own.text)?;
        let releases = |access: &Access| match access.kind {
            AccessKind::Argument { call, index } => {
                project.api(access.of(call)).is_some_and(|api| api.releases == Some(Part::Argument(index)))
            }
            _ => false,
        };
        let accesses = project.accesses(place);
        let loops = accesses.iter().filter(|access| matches!(access.kind, AccessKind::Iterated));
        let variables = loops.flat_map(|access| loop_variables(project, access));
        let by_loop = variables.flat_map(|value| project.uses(value)).copied().find(|access| releases(access));
        let by_index = || project.accesses(place.below("[]")?).iter().copied().find(|access| releases(access));
        by_loop.or_else(by_index).map(|access| (field, access.at()))
    })
}
