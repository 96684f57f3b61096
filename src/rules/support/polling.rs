//! Intervals that look again and again for what an operation waits for, and clear themselves when it is there: where the
//! operation gives up before, nothing clears them.

use super::deadline::{Left, answers};
use super::idle::{guards, is_set_by};
use super::keeper::{Keeper, care, keeper};
use crate::model::{CallId, FunctionId, In, Type, Value, ValueId};
use crate::project::{Access, AccessKind, Place, Project, Root};

/// The way on which the operation is over while the interval goes on.
pub(crate) fn left(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Left> {
    if !project.contracts.is_family(ty, "interval") {
        return None;
    }
    let Keeper::Place(place) = keeper(project, call, ty) else { return None };
    let Root::Variable(_) = place.root else { return None };
    let home = project.function_of(call);
    let handler = project.argument(call, 0)?;
    let own = project.functions_in(handler);
    let care = care(project, place, ty);
    let summary = project.summary(call.file);
    let inside =
        |function: In<FunctionId>| own.iter().any(|f| f.file == function.file && summary.is_inside(function.id, f.id));
    if !care.escapes.is_empty() || care.releases.is_empty() || !care.releases.iter().all(|r| inside(r.function())) {
        return None;
    }
    let guards = guards(project, &care)?;
    let answers = answers(project, home, handler);
    let is_way = |access: &Access| {
        let function = access.function();
        let called = matches!(access.kind, AccessKind::Called { .. });
        let later = project.passed_to(function).iter().any(|passed| passed.call.file == call.file);
        // What it asks for is there or not, whoever gives up; what it keeps in a variable may tell it that somebody did.
        let asked = |guard: In<ValueId>| matches!(project.value(guard), Value::Result(_));
        let heeded = guards.iter().any(|guard| !asked(*guard) && is_set_by(project, *guard, &[function]));
        called && later && function != home && !inside(function) && !heeded
    };
    let found = answers.iter().find_map(|answer| {
        project.accesses(Place::new(Root::Variable(*answer))).iter().copied().find(|access| is_way(access))
    })?;
    Some(Left { at: found.at(), cleared: Some(care.releases[0].at()) })
}
