//! Deadlines that an object keeps in a field: the timer's callback fails what the object does, an 'error' handler fails it by
//! the same method, and only the success clears the timer. Methods that end the object are `timer-survives-close`'s.

use super::deadline::{Left, is_pause, is_unreferenced};
use super::ending::{endings, hands_itself_over, reach, reaches, released_by_end_event};
use super::keeper::{Keeper, care, keeper};
use crate::model::{CallId, ClassId, FunctionId, In, Literal, Type, Value, ValueId};
use crate::project::{Access, Event, Origin, Project, Registration, Root};

/// The 'error' handler that ends what the timer would end, and leaves the timer armed.
pub(crate) fn left(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Left> {
    let Keeper::Place(place) = keeper(project, call, ty) else { return None };
    let Root::Field(class, _) = place.root else { return None };
    let care = care(project, place, ty);
    if care.releases.is_empty()
        || !care.escapes.is_empty()
        || project.contracts.is_family(ty, "interval")
        || is_pause(project, call)
        || is_unreferenced(project, call, Some(place))
        || released_by_end_event(project, &care)
    {
        return None;
    }
    let endings = endings(project, class);
    if !endings.is_empty() && !endings.iter().any(|ending| reaches(project, *ending, &care.releases)) {
        return None;
    }
    let callbacks = project.functions_in(project.argument(call, 0)?);
    let late = |release: &&Access| !callbacks.iter().any(|callback| project.leads_to(*callback, release.function()));
    let cleared = care.releases.iter().find(late)?.at();
    let failures: Vec<(&Registration, Vec<In<FunctionId>>)> = failures(project, class).collect();
    if failures.iter().any(|(_, handlers)| handlers.iter().any(|handler| reaches(project, *handler, &care.releases))) {
        return None;
    }
    let fails = callbacks.iter().flat_map(|callback| methods_run_by(project, *callback, class)).find_map(|method| {
        let ends = || {
            !project.is_disposal(method)
                && is_end_of_work(project, method, class)
                && !hands_itself_over(project, method, class)
        };
        let failure = failures.iter().find(|(add, handlers)| {
            let is_after =
                |release: &Access| project.around(project.function_of(add.call), |f| f == release.function());
            let by_it = |handler: &In<FunctionId>| {
                *handler == method || methods_run_by(project, *handler, class).contains(&method)
            };
            handlers.iter().any(by_it) && !care.releases.iter().any(|release| is_after(release).is_some())
        })?;
        ends().then_some(failure.0)
    })?;
    Some(Left { at: project.locate(fails.call), cleared: Some(cleared) })
}

/// The 'error' handlers that methods of a class register, on other things than the object itself.
fn failures<'p>(
    project: &'p Project<'_>,
    class: In<ClassId>,
) -> impl Iterator<Item = (&'p Registration, Vec<In<FunctionId>>)> {
    let registered = project.registry().adds.iter().filter(move |add| {
        let error = matches!(add.event, Event::Named(event) if event == "error");
        error
            && !add.is_wrapper
            && project.enclosing_class(project.function_of(add.call)) == Some(class)
            && add.on.is_some_and(|on| !matches!(project.origin(on), Origin::This(_)))
    });
    registered.filter_map(|add| Some((add, project.functions_in(add.handler?).to_vec())))
}

/// The methods of the class that a function calls on the object, and those that these call.
pub(super) fn methods_run_by(
    project: &Project<'_>,
    function: In<FunctionId>,
    class: In<ClassId>,
) -> Vec<In<FunctionId>> {
    let called = |from: In<FunctionId>| {
        let own = move |f: &In<FunctionId>| project.class_of(*f) == Some(class);
        project.calls_in(from).flat_map(move |call| {
            let targets = project.targets(call);
            let surely = !targets.weak;
            targets.functions.into_iter().filter(move |f| surely && own(f)).collect::<Vec<_>>()
        })
    };
    let mut found: Vec<In<FunctionId>> = called(function).collect();
    for method in found.clone() {
        found.extend(called(method));
    }
    found
}

/// Whether a method does what ends the work of its object: it tells of an error, or ends something of the object.
fn is_end_of_work(project: &Project<'_>, method: In<FunctionId>, class: In<ClassId>) -> bool {
    let own = |f: &In<FunctionId>| project.enclosing_class(*f) == Some(class);
    reach(project, method).into_iter().filter(own).any(|function| {
        project.calls_in(function).any(|call| {
            let Some(receiver) = project.receiver(call) else { return false };
            let own = is_part_of_this(project, receiver);
            own && (project.is_disposal_call(call) || tells_of_error(project, call))
        })
    })
}

fn tells_of_error(project: &Project<'_>, call: In<CallId>) -> bool {
    project.method_name(call).is_some_and(|name| name == "emit")
        && project.argument(call, 0).is_some_and(
            |event| matches!(project.origin(event), Origin::Literal(Literal::String(name)) if name == "error"),
        )
}

fn is_part_of_this(project: &Project<'_>, value: In<ValueId>) -> bool {
    match project.value(value) {
        Value::This(_) => true,
        Value::Member(object, _) => is_part_of_this(project, value.with(*object)),
        Value::Binding(binding) => {
            let assigned = project.binding(value.with(*binding)).value;
            assigned.is_some_and(|assigned| matches!(project.value(value.with(assigned)), Value::This(_)))
        }
        _ => false,
    }
}
