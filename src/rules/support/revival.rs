//! Objects that come back after their end: a one-shot timer whose callback leads to its being armed again, in a class whose
//! ending method neither clears it nor changes anything that the way round looks at. Judges one timer; asks no paths.

use super::ending::{endings, reach, whole_endings};
use super::keeper::{Keeper, care, keeper};
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, Cond, Exit, Flow, FunctionId, In, Name, Step, Type, Value, ValueId};
use crate::project::{Origin, Project};
use rustc_hash::FxHashSet;

/// How deep the values of a condition are followed.
const DEPTH: u32 = 6;

/// The method that ends the object, and after which the timer's callback goes on as if nothing had happened.
pub(crate) fn outlived_end(
    project: &Project<'_>,
    call: In<CallId>,
    ty: &Type,
) -> Option<(In<ClassId>, In<FunctionId>)> {
    let arming = project.function_of(call);
    let class = project.enclosing_class(arming)?;
    if !nobody_clears(project, call, ty) || is_weighed(project, call) {
        return None;
    }
    let mut circle: FxHashSet<In<FunctionId>> =
        project.callbacks(call).iter().flat_map(|handed| reach(project, handed.function)).collect();
    if !circle.contains(&arming) {
        return None;
    }
    let method = project.around(arming, |function| project.class_of(function).is_some())?;
    circle.insert(method);
    let looked = looked_at(project, &circle)?;
    let endings = endings(project, class);
    let mut whole = whole_endings(project, &endings).into_iter();
    let ending = whole.find(|&ending| project.calls_in(ending).next().is_some())?;
    let parts: FxHashSet<In<FunctionId>> = endings.iter().flat_map(|&ending| reach(project, ending)).collect();
    let is_apart = !circle.iter().any(|function| endings.contains(function)) && !parts.contains(&method);
    (is_apart && !tells(project, &parts, &looked)).then_some((class, ending))
}

/// The handle goes nowhere, or to a place of which nobody takes it to clear it.
fn nobody_clears(project: &Project<'_>, call: In<CallId>, ty: &Type) -> bool {
    match keeper(project, call, ty) {
        Keeper::Dropped => true,
        Keeper::Place(place) => {
            let care = care(project, place, ty);
            care.releases.is_empty() && care.escapes.is_empty() && care.tests.is_empty()
        }
        Keeper::Elsewhere => false,
    }
}

/// Whether it is armed only where something other than a failure says so: work that is left, the code of a close.
fn is_weighed(project: &Project<'_>, call: In<CallId>) -> bool {
    let failure = |value: ValueId| matches!(project.origin(call.with(value)), Origin::Parameter(_));
    project.conditions(call).iter().any(|(cond, _)| match cond {
        Cond::Truthy(value) => !failure(*value),
        Cond::Not(inner) => !matches!(&**inner, Cond::Truthy(value) if failure(*value)),
        _ => true,
    })
}

/// The properties that the way round looks at before it goes on. None where it counts how often it goes, or asks for an end.
fn looked_at(project: &Project<'_>, circle: &FxHashSet<In<FunctionId>>) -> Option<FxHashSet<Name>> {
    let mut names = FxHashSet::default();
    let mut is_bounded = false;
    for &function in circle {
        project.function(function).flow.walk(&mut |flow| match flow {
            Flow::Branch { cond, .. } | Flow::Loop { cond, .. } => {
                is_bounded |= is_count(cond);
                cond.values(&mut |value| properties(project, function.with(value), &mut names, DEPTH));
            }
            Flow::Switch { subject, .. } => properties(project, function.with(*subject), &mut names, DEPTH),
            Flow::Exit(Exit::Return(Some(value)), _) => properties(project, function.with(*value), &mut names, DEPTH),
            _ => {}
        });
    }
    let ends = |name: &Name| project.contracts.words.any(Meaning::Ending, name);
    (!is_bounded && !names.iter().any(ends)).then_some(names)
}

fn is_count(cond: &Cond) -> bool {
    match cond {
        Cond::Less(..) | Cond::AtMost(..) => true,
        Cond::Not(inner) => is_count(inner),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().any(is_count),
        _ => false,
    }
}

/// The names of all properties that a value is read through.
fn properties(project: &Project<'_>, value: In<ValueId>, names: &mut FxHashSet<Name>, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut of = |inner: ValueId| properties(project, value.with(inner), names, depth);
    match project.value(value) {
        Value::Member(object, name) => {
            of(*object);
            names.insert(*name);
        }
        Value::Index(object, key) => {
            of(*object);
            of(*key);
        }
        Value::Opaque(parts) | Value::Choice(parts) => parts.iter().for_each(|part| of(*part)),
        Value::Awaited(inner) => of(*inner),
        Value::Result(call) => {
            let call = project.call(value.with(*call));
            of(call.callee);
            call.arguments.iter().for_each(|argument| of(argument.value));
        }
        Value::Binding(binding) => {
            if let Some(value) = project.binding(value.with(*binding)).value {
                of(value);
            }
        }
        _ => {}
    }
}

/// Whether an end says so: by a property that the way round looks at, or by taking anything back.
fn tells(project: &Project<'_>, parts: &FxHashSet<In<FunctionId>>, looked: &FxHashSet<Name>) -> bool {
    parts.iter().any(|&function| {
        let summary = project.summary(function.file);
        let mut told = false;
        project.function(function).flow.walk(&mut |flow| {
            let (Flow::Step(Step::Assign(crate::model::Assign { place, .. })) | Flow::Step(Step::Delete { place, .. })) = flow else {
                return;
            };
            told |= matches!(summary.value(*place), Value::Member(_, name) if looked.contains(name));
        });
        told || project.calls_in(function).any(|call| {
            let takes_back = project.api(call).is_some_and(|api| api.removes.is_some());
            let clears = project.method_name(call).is_some_and(|name| super::listeners::takes_back(&name) || name.starts_with("clear"));
            let mut on = FxHashSet::default();
            if let Some(receiver) = project.receiver(call) {
                properties(project, receiver, &mut on, DEPTH);
            }
            takes_back || clears || on.iter().any(|name| looked.contains(name))
        })
    })
}
