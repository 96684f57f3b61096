//! Handles of an event loop in blocks of memory of their own, which nothing but the loop's callbacks finds again: whether these
//! close the handle, and free the block when it is closed. Says nothing of blocks that anything else holds.

use super::custody::{assigned, is_shipped};
use super::members::closes_for_nobody;
use crate::model::contract::{Api, Effect, Part};
use crate::model::{CallId, FunctionId, In, ValueId};
use crate::project::{AccessKind, How, Owned, Project};

/// What a callback does to the handle that it is the last to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum End {
    /// It closes the handle, and nobody frees the block.
    Closed,
    /// It frees the block while the loop still knows the handle.
    Freed,
}

/// A handle that a callback ends badly.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Abandoned {
    /// The call that makes the block.
    pub(in crate::rules) made: In<CallId>,
    /// What messages call the block.
    pub(in crate::rules) noun: String,
    /// The call that tells the loop of the handle.
    pub(in crate::rules) told: In<CallId>,
    /// The callback.
    pub(in crate::rules) callback: In<FunctionId>,
    /// The call in the callback that ends it.
    pub(in crate::rules) by: In<CallId>,
    /// How.
    pub(in crate::rules) end: End,
}

/// Every such handle of the project.
pub(in crate::rules) fn abandoned(project: &Project<'_>) -> Vec<Abandoned> {
    let mut found = Vec::new();
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        for (owned, custody) in project.owned_in(function).iter() {
            let [settlement] = custody.settlements.as_slice() else { continue };
            let How::Handed(call, Some(at)) = settlement.how else { continue };
            let told = function.with(call);
            let is_loops = project.api(told).is_some_and(|api| {
                api.arguments.get(at as usize) == Some(&Effect::Store) && is_of_loop(project, api.gives.as_deref())
            });
            if !is_loops || !custody.losses.is_empty() {
                continue;
            }
            let Some(made) = owned.from else { continue };
            let ended = callbacks(project, owned)
                .into_iter()
                .find_map(|callback| ending(project, callback).map(|(by, end)| (callback, by, end)));
            if let Some((callback, by, end)) = ended {
                found.push(Abandoned { made, noun: owned.noun.clone(), told, callback, by, end });
            }
        }
    }
    found
}

/// Whether a type of the catalog is a handle that an event loop knows.
fn is_of_loop(project: &Project<'_>, ty: Option<&str>) -> bool {
    ty.and_then(|ty| project.contracts.ty(ty)).is_some_and(|ty| project.contracts.is_family(ty, "uv-handle"))
}

/// The callbacks that a block is passed along with, if nothing else gets hold of it.
fn callbacks(project: &Project<'_>, owned: &Owned<'_>) -> Vec<In<FunctionId>> {
    let file = owned.function.file;
    let Some(place) = assigned(project, owned) else { return Vec::new() };
    let mut found = Vec::new();
    for name in project.under_all_names(In::new(file, place)) {
        for access in project.uses(name) {
            match access.kind {
                AccessKind::Argument { call, .. } => {
                    let handed = project.callbacks(access.of(call));
                    found.extend(
                        handed.iter().map(|handed| handed.function).filter(|it| project.function(*it).has_body),
                    );
                }
                AccessKind::Stored { .. } | AccessKind::Returned | AccessKind::Inside { .. } => return Vec::new(),
                _ => {}
            }
        }
    }
    found
}

/// What a callback does with its first argument that leaves something behind.
fn ending(project: &Project<'_>, callback: In<FunctionId>) -> Option<(In<CallId>, End)> {
    let parameter = project.function(callback).parameters.first()?;
    let value = project.binding_value(callback.with(*parameter))?;
    let calls = calls_on(project, callback.with(value));
    let effects = calls.iter().filter_map(|(call, index)| Some((*call, *index, project.api(*call)?)));
    let closing = |api: &Api| api.releases.is_some() && api.of.iter().any(|ty| is_of_loop(project, Some(ty)));
    let closed: Vec<_> = effects.clone().filter(|(_, _, api)| closing(api)).collect();
    if let [(call, index, _)] = closed.as_slice() {
        return closes_for_nobody(project, *call, *index).then_some((*call, End::Closed));
    }
    // Somebody else may have closed it before.
    let is_passed_on = calls.iter().any(|(call, _)| project.api(*call).is_none());
    let frees =
        |(call, index, api): (In<CallId>, u16, &Api)| (api.releases == Some(Part::Argument(index))).then_some(call);
    let mut freed = effects.filter_map(frees);
    if !closed.is_empty() || is_passed_on { None } else { freed.next().map(|call| (call, End::Freed)) }
}

/// The calls that are given a value, under whatever name.
fn calls_on(project: &Project<'_>, value: In<ValueId>) -> Vec<(In<CallId>, u16)> {
    let names = project.under_all_names(value);
    let uses = names.into_iter().flat_map(|name| project.uses(name));
    uses.filter_map(|access| match access.kind {
        AccessKind::Argument { call, index } => Some((access.of(call), index)),
        _ => None,
    })
    .collect()
}
