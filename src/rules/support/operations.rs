//! Handles that come to a callback and are kept in a variable of the operation around it, so that one local function can end
//! them on every way: the answers that are given past that function. Judges no handle that only its callback knows.

use super::deadline::answers;
use super::handles::is_counted;
use super::keeper::care;
use super::ways::{self, Marks};
use crate::model::contract::By;
use crate::model::{CallId, FunctionId, In, Value, ValueId};
use crate::project::{Access, AccessKind, Place, Project};
use crate::text::{Location, Span};

/// An answer that leaves a handle open.
pub(crate) struct Past {
    /// Where the operation ends.
    pub(crate) at: Location,
    /// Where another way releases the handle.
    pub(crate) released: Location,
}

/// The answer that an operation gives while a variable of it holds what a call gave.
pub(crate) fn answered_past(project: &Project<'_>, call: In<CallId>) -> Option<Past> {
    let gives = project.gives(call).filter(|gives| is_counted(gives.ty) && !gives.ty.collectable)?;
    let By::Callback(_) = gives.by else { return None };
    let callback = project.callbacks(call).into_iter().last()?.function;
    let (place, stored) = kept_outside(project, gives.handle?, callback)?;
    let care = care(project, place, gives.ty);
    let summary = project.summary(callback.file);
    let within = |release: &Access| release.file == callback.file && summary.is_inside(release.function, callback.id);
    // Somebody else knows of it, or the callback ends it itself.
    if !care.escapes.is_empty() || care.releases.iter().any(within) {
        return None;
    }
    let released = care.releases.first()?;
    let releases = |call: In<CallId>| {
        let led = |function: In<FunctionId>| {
            care.releases.iter().any(|release| project.leads_to(function, release.function()))
        };
        let handed = project.callbacks(call).into_iter().map(|handed| handed.function);
        project.targets(call).functions.into_iter().chain(handed).any(led)
    };
    let answer = |call: In<CallId>| {
        let data = project.call(call);
        let itself = project.targets(call).functions.is_empty();
        itself && data.span.start > stored.end && !answers(project, callback, call.with(data.callee)).is_empty()
    };
    // An answer that does nothing but to go on elsewhere is none: the other ways have to run the clean-up.
    if !project.calls_in(callback).any(releases) {
        return None;
    }
    let past = project.calls_in(callback).filter(|call| answer(*call)).find(|one| {
        let marks =
            Marks { answers: &|call| call == *one, removes: &|call| call != *one && releases(call), asks: &|_| false };
        ways::through(project, callback, &marks).without
    })?;
    Some(Past { at: project.locate(past), released: released.at() })
}

/// The variable of a function around the callback into which the handle goes, and where.
fn kept_outside(project: &Project<'_>, handle: In<ValueId>, callback: In<FunctionId>) -> Option<(Place, Span)> {
    project.uses(handle).iter().find_map(|access| {
        let AccessKind::Stored { place } = access.kind else { return None };
        let Value::Binding(variable) = project.value(access.of(place)) else { return None };
        let owner = project.binding(access.of(*variable)).function;
        let outside = owner != callback.id
            && owner != FunctionId::MODULE
            && project.summary(callback.file).is_inside(callback.id, owner);
        (outside && access.function == callback.id).then_some((project.place(access.of(place))?, access.span))
    })
}
