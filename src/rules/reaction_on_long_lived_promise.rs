//! `reaction-on-long-lived-promise`: each call adds a reaction to a promise that stays pending for its owner's life.

use super::support::settling::made_until_end;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Rate, Value, ValueId};
use crate::project::{AccessKind, Origin, Owner, Place, Project, Root};
use crate::text::Location;

const NAME: &str = "reaction-on-long-lived-promise";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| super::timer_lost_on_exit::is_race(project, *call)) {
        let Some(argument) = project.argument(call, 0) else { continue };
        let rate = project.call_rate(call);
        let often = !rate.rate.is_some_and(|rate| rate <= Rate::PerInstance)
            || is_handed_on(project, project.function_of(call));
        let sure = if rate.rate.is_some() { Confidence::High } else { Confidence::Medium };
        let held = inputs(project, argument).into_iter().find_map(|input| {
            let by_call = || long_lived(project, input, project.function_of(call)).filter(|_| often);
            let by_turn = || serves_turns(project, input, call);
            by_call().map(|found| (found, sure)).or_else(|| Some((by_turn()?, Confidence::Medium)))
        });
        let Some(((long, pending), confidence)) = held else { continue };
        let name = project.place_text(long);
        findings.push(
            Finding::new(
                NAME,
                confidence,
                project.locate(call),
                format!("each race adds a reaction to `{name}`, which stays pending"),
            )
            .with_why(format!("`{name}` is made once and settles only at its owner's end; reactions on a pending promise cannot be removed"))
            .with_help(format!("listen for the end during the call and remove the listener in `finally`, instead of racing `{name}`"))
            .with_context(project.function_name(project.function_of(call)))
            .with_step(StepKind::Grow, project.locate(call), format!("`race` calls `then` on `{name}`"))
            .with_step(StepKind::Hold, pending, format!("`{name}` is made here and waits for its owner's end")),
        );
    }
}

/// A promise that waits for an end, made before the loop that races it at each of its turns.
fn serves_turns(project: &Project<'_>, input: In<ValueId>, call: In<CallId>) -> Option<(Place, Location)> {
    let place = project.place(input)?;
    let Root::Variable(_) = place.root else { return None };
    if !project.turns(call) {
        return None;
    }
    let made = match project.origin(input) {
        Origin::Parameter(parameter) => {
            let mut given = project.arguments_of(parameter).into_iter().map(|given| project.place(given));
            let first = made_until_end(project, given.next()??)?;
            given.all(|other| other.is_some_and(|other| made_until_end(project, other).is_some())).then_some(first)?
        }
        _ => made_until_end(project, place)?,
    };
    (!project.is_in_loop_of(made, call)).then(|| (place, project.locate(made)))
}

/// Whether what leads to a function was handed to code that calls it as often as it likes.
fn is_handed_on(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let through = project.drive(function).through;
    through.iter().any(|f| project.passed_to(*f).iter().any(|passed| passed.handed.runs.is_none()))
}

/// The values raced: elements of the array, also those pushed onto it, and the receivers of their `then`s.
fn inputs(project: &Project<'_>, argument: In<ValueId>) -> Vec<In<ValueId>> {
    let mut found = Vec::new();
    let array = match project.value(argument) {
        Value::Binding(_) => match project.origin(argument) {
            Origin::Array(array) => array,
            _ => argument,
        },
        _ => argument,
    };
    if let Value::Array(_, elements) = project.value(array) {
        found.extend(elements.iter().map(|&element| array.with(element)));
    }
    for access in project.uses(argument) {
        if let AccessKind::Method { call, .. } = access.kind
            && project.method_name(access.of(call)).is_some_and(|name| name == "push")
        {
            found.extend(project.argument(access.of(call), 0));
        }
    }
    for at in 0..found.len() {
        if let Value::Result(call) = project.value(found[at])
            && project
                .method_name(found[at].with(*call))
                .is_some_and(|name| matches!(&*name, "then" | "catch" | "finally"))
        {
            found.extend(project.receiver(found[at].with(*call)));
        }
    }
    found
}

/// The place of a promise that is made once for an object or the module and whose settling is stored away, and where it is made.
fn long_lived(project: &Project<'_>, value: In<ValueId>, user: In<FunctionId>) -> Option<(Place, Location)> {
    let place = project.place(value)?;
    // `request.timer` of a request that is made for this race.
    if let Value::Member(object, _) = project.value(value)
        && matches!(project.lifetime(value.with(*object)).owner, Owner::Call(_))
    {
        return None;
    }
    match place.root {
        Root::Field(..) | Root::Static(..) => {}
        Root::Variable(binding) => {
            // A variable of the racing function (or of one inside it) is made for this call.
            let declared = project.binding(binding).function;
            if binding.file == user.file && project.summary(user.file).is_inside(declared, user.id) {
                return None;
            }
            if project.summary(user.file).is_inside(user.id, declared) && declared != FunctionId::MODULE {
                return None;
            }
        }
        _ => return None,
    }
    let made = made_until_end(project, place)?;
    // Whoever makes it anew for each race has one reaction at a time.
    (project.function_of(made) != user).then(|| (place, project.locate(made)))
}
