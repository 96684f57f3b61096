//! Tables inside of what packages make: a session store, the table of a memoized function. The project neither fills nor
//! empties them itself; the catalog says that they are there, and which options bound them.

use crate::model::{CallId, In, Rate, Type, Value};
use crate::project::{AccessKind, Project};

/// What fills a table that nobody sees.
pub(in crate::rules) enum Filled {
    /// Whoever uses the package, by what it is made for.
    ByItself,
    /// This call, each time under a key that never comes again.
    By(In<CallId>),
}

/// The type of what a call makes with an unbounded table inside, and what fills it.
pub(in crate::rules) fn unbounded<'a>(project: &Project<'a>, call: In<CallId>) -> Option<(&'a Type, Filled)> {
    let ty = project.contracts.ty(project.api(call)?.returns_type.as_deref()?)?;
    match ty.family.as_str() {
        "store-inside" => (!project.is_bounded(call, ty)).then_some((ty, Filled::ByItself)),
        // With a second argument it is told how to make keys, or how many to keep.
        "memoizer" if project.call(call).arguments.len() == 1 => {
            filled_with_fresh_keys(project, call).map(|by| (ty, Filled::By(by)))
        }
        _ => None,
    }
}

/// A call of a memoized function that lives with the process, with a literal that is made for this call.
fn filled_with_fresh_keys(project: &Project<'_>, call: In<CallId>) -> Option<In<CallId>> {
    let result = project.result(call)?;
    let stored = project.uses(result).iter().find_map(|access| match access.kind {
        AccessKind::Stored { place } => project.place(access.of(place)),
        _ => None,
    })?;
    if !project.place_lifetime(stored).is_process() {
        return None;
    }
    let calls: Vec<In<CallId>> = project
        .accesses(stored)
        .iter()
        .filter_map(|access| match access.kind {
            AccessKind::Called { call } => Some(access.of(call)),
            _ => None,
        })
        .collect();
    calls.into_iter().find(|call| {
        let fresh = project
            .argument(*call, 0)
            .is_some_and(|key| matches!(project.value(key), Value::Object(_) | Value::Array(..) | Value::Function(_)));
        fresh && project.call_rate(*call).rate > Some(Rate::Once)
    })
}
