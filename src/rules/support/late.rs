//! Handles that arrive when their object has ended: the method that ends it releases what is there at that moment, and a start
//! that nobody waits for puts the next one into the field afterwards.

use super::ending::{endings, reaches};
use super::flags::{fields_set, is_ending_flag, tests_flag};
use super::handles::is_counted;
use super::keeper::care;
use crate::model::contract::By;
use crate::model::{CallId, Flow, FunctionId, In, Name, Rate, Step, Value, ValueId};
use crate::project::{AccessKind, Place, Project, Root};
use crate::text::{Location, Span};

/// A handle that may come too late.
pub(crate) struct Late {
    /// The field.
    pub(crate) place: Place,
    /// Where the object may end meanwhile.
    pub(crate) waits: Location,
    /// The method that ends it, and the flag that this sets.
    pub(crate) ending: In<FunctionId>,
    pub(crate) flag: Name,
}

/// Whether what a call gives by a promise is put into a field that nobody will look at again.
pub(crate) fn arrives_late(project: &Project<'_>, call: In<CallId>) -> Option<Late> {
    let gives = project.gives(call).filter(|gives| is_counted(gives.ty) && gives.by == By::Promise)?;
    let start = project.function_of(call);
    let class = project.class_of(start).filter(|_| !project.is_constructor(start))?;
    if project.instances(class).rate.is_none_or(|rate| rate == Rate::Once) {
        return None;
    }
    let place =
        field(project, gives.handle?, 0).filter(|place| matches!(place.root, Root::Field(of, _) if of == class))?;
    let care = care(project, place, gives.ty);
    if care.releases.is_empty() || !care.escapes.is_empty() {
        return None;
    }
    let ending = endings(project, class).into_iter().find(|&ending| reaches(project, ending, &care.releases))?;
    let set = fields_set(project, ending);
    let flag = *set.iter().find(|name| is_ending_flag(project, name))?;
    let awaited = awaited(project, start, project.call(call).span)?;
    let safe = ending == start
        || tests_flag(project, start, &set, awaited.end)
        || waits_for_field(project, ending)
        || !is_let_go(project, start);
    (!safe).then(|| Late { place, waits: project.at(call.file, awaited), ending, flag })
}

/// The field into which a value goes, through variables.
fn field(project: &Project<'_>, value: In<ValueId>, depth: u32) -> Option<Place> {
    project.uses(value).iter().find_map(|access| {
        let AccessKind::Stored { place } = access.kind else { return None };
        let stored = access.of(place);
        match project.value(stored) {
            Value::Binding(_) if depth < 2 => field(project, stored, depth + 1),
            _ => project.place(stored).filter(|place| place.field().is_some()),
        }
    })
}

/// The wait for what a call gives.
fn awaited(project: &Project<'_>, function: In<FunctionId>, call: Span) -> Option<Span> {
    let mut found = None;
    project.function(function).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Await { span, is_yield: false, .. }) = flow
            && span.contains(call)
        {
            found = Some(*span);
        }
    });
    found
}

/// The end waits for something that the object keeps: the start, perhaps.
fn waits_for_field(project: &Project<'_>, ending: In<FunctionId>) -> bool {
    let mut waits = false;
    let summary = project.summary(ending.file);
    project.function(ending).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Await { value, .. }) = flow {
            waits |= matches!(summary.value(*value), Value::Member(object, _) if matches!(summary.value(*object), Value::This(_)));
        }
    });
    waits
}

/// Some code of the class starts it and does not wait for it: a constructor, a listener, a timer.
fn is_let_go(project: &Project<'_>, start: In<FunctionId>) -> bool {
    let own = |function: In<FunctionId>| project.enclosing_class(function) == project.class_of(start);
    let dropped = |call: In<CallId>| {
        let data = project.call(call);
        data.is_discarded && !data.is_awaited && own(project.function_of(call))
    };
    project.callers(start).iter().any(|caller| !caller.weak && dropped(caller.call))
        || project.passed_to(start).iter().any(|passed| own(project.function_of(passed.call)))
}
