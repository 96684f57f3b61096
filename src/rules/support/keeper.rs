//! Where the handle that a call gives is kept, and what the project does with it there.
//! Decides nothing about paths: `Project::paths` does.

use crate::model::{CallId, FunctionId, In, Type, Value, ValueId};
use crate::project::{Access, AccessKind, Doing, Place, Project, Role, Root};

/// Where a handle goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// Nowhere: the result is thrown away, or only passed through fluent methods.
    Dropped,
    /// Into a variable or field, by this access of the result.
    Place(Place),
    /// Returned, put into something, handed to a call: somebody else's business.
    Elsewhere,
}

/// Where the result of an acquiring call goes.
pub(crate) fn keeper(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Keeper {
    let Some(result) = project.result(call) else {
        return if project.call(call).is_discarded { Keeper::Dropped } else { Keeper::Elsewhere };
    };
    follow(project, result, ty, 0)
}

fn follow(project: &Project<'_>, result: In<ValueId>, ty: &Type, depth: u8) -> Keeper {
    let mut kept = Keeper::Dropped;
    for access in project.uses(result) {
        match access.kind {
            AccessKind::Stored { place } => match project.place(access.of(place)) {
                // `timer = this.timer = setTimeout(…)`: the field has it for longer.
                Some(place)
                    if matches!(&kept, Keeper::Place(other) if !matches!(other.root, Root::Variable(_)))
                        && matches!(place.root, Root::Variable(_)) => {}
                Some(place) => kept = Keeper::Place(place),
                None => return Keeper::Elsewhere,
            },
            AccessKind::Method { call, .. } => match project.effect(access.of(call), Role::Receiver, Some(ty)) {
                // `setInterval(…).unref()` gives the same handle back.
                Doing::Returns if depth < 4 => {
                    if let Some(again) = project.result(access.of(call)) {
                        match follow(project, again, ty, depth + 1) {
                            Keeper::Dropped => {}
                            other => return other,
                        }
                    }
                }
                Doing::Borrows => {}
                _ => return Keeper::Elsewhere,
            },
            AccessKind::Tested | AccessKind::SizeTested | AccessKind::KeyRead { .. } => {}
            AccessKind::Returned if is_unread(project, access.function()) => {}
            _ => return Keeper::Elsewhere,
        }
    }
    // A result that something mentions, but in no step that the index knows, is not thrown away.
    match (kept, project.uses(result).is_empty()) {
        (Keeper::Dropped, true) => match project.value(result) {
            Value::Result(call) if project.call(result.with(*call)).is_discarded => Keeper::Dropped,
            _ => Keeper::Elsewhere,
        },
        (kept, _) => kept,
    }
}

/// Whether nobody reads what a function gives back: the executor of a promise, a handler of events.
fn is_unread(project: &Project<'_>, function: In<FunctionId>) -> bool {
    if project.is_executor(function) {
        return true;
    }
    let passed = project.passed_to(function);
    !passed.is_empty()
        && passed.iter().all(|passed| passed.handed.event.is_some())
        && project.callers(function).is_empty()
}

/// What the project does with a handle in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Care {
    /// Accesses that release it, surely or perhaps.
    pub(crate) releases: Vec<Access>,
    /// Accesses that assign the place, nulls left out.
    pub(crate) assigned: Vec<Access>,
    /// Accesses that give it to code that may release it: returns, literals, unknown calls.
    pub(crate) escapes: Vec<Access>,
    /// Accesses that look whether it is there.
    pub(crate) tests: Vec<Access>,
}

/// Sorts the accesses of a place by what they mean for the handle in it.
pub(crate) fn care(project: &Project<'_>, place: Place, ty: &Type) -> Care {
    let mut care = Care::default();
    for &access in project.accesses(place).iter() {
        match access.kind {
            AccessKind::Argument { call, index } => {
                match project.effect(access.of(call), Role::Argument(index), Some(ty)) {
                    Doing::Releases | Doing::MayRelease => care.releases.push(access),
                    Doing::Borrows => {}
                    Doing::Returns | Doing::Takes | Doing::MayTake | Doing::Unknown => care.escapes.push(access),
                }
            }
            AccessKind::Method { call, .. } => match project.effect(access.of(call), Role::Receiver, Some(ty)) {
                Doing::Releases | Doing::MayRelease => care.releases.push(access),
                Doing::Borrows | Doing::Returns | Doing::Unknown => {}
                Doing::Takes | Doing::MayTake => care.escapes.push(access),
            },
            AccessKind::Assigned { value, .. } => {
                if !is_nothing(project, access.of(value)) {
                    care.assigned.push(access);
                }
            }
            AccessKind::Stored { place: other } => {
                // An alias in a local variable is followed by the index itself.
                let alias = matches!(project.place(access.of(other)), Some(Place { root: Root::Variable(_), .. }));
                if !alias {
                    care.escapes.push(access);
                }
            }
            AccessKind::Inside { .. } | AccessKind::Returned | AccessKind::Thrown => care.escapes.push(access),
            AccessKind::Tested | AccessKind::SizeTested => care.tests.push(access),
            _ => {}
        }
    }
    care
}

/// Whether a value is `null`, `undefined` or another literal that holds no handle.
pub(crate) fn is_nothing(project: &Project<'_>, value: In<ValueId>) -> bool {
    matches!(project.value(value), Value::Literal(_))
}

/// The call by which an access releases a timer, as it is written: `clearTimeout(this.timer)`.
pub(in crate::rules) fn release_text<'p>(project: &'p Project<'_>, release: &Access) -> Option<&'p str> {
    let AccessKind::Argument { call, .. } = release.kind else { return None };
    let span = project.call(release.of(call)).span;
    let text = project.sources.snippet(project.at(release.file, span));
    (text.starts_with("clear") && !text.contains('\n')).then_some(text)
}
