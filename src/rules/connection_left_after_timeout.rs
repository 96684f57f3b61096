//! `connection-left-after-timeout`: the 'timeout' listener of a connection answers for the operation that made it, and nothing
//! ends the connection, which the event itself does not.

use super::support::deadline::answers;
use super::support::ending::reach;
use super::support::listeners::{self, Listener};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{CallId, FunctionId, In, Rate, ValueId};
use crate::project::{AccessKind, Doing, Key, Origin, Place, Project, Role, Root};

const NAME: &str = "connection-left-after-timeout";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for listener in listeners::all(project).filter(|listener| listener.event() == Some("timeout")) {
        let Some(made) = made_here(&listener) else { continue };
        let Some(handler) = listener.add.handler else { continue };
        let handlers = handled_by(project, handler);
        if handlers.is_empty()
            || project.call_rate(made).rate == Some(Rate::Once)
            || handlers.iter().any(|handler| ends_something(project, *handler))
            || answers(project, listener.function(), handler).is_empty() && !handlers.iter().any(|f| answers_for(project, *f))
            || is_kept(project, listener.on())
        {
            continue;
        }
        findings.push(report(&listener, made));
    }
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        findings.extend(given_up(project, call));
    }
}

/// A timer gives the operation up, and leaves what was made for it.
fn given_up(project: &Project<'_>, timer: In<CallId>) -> Option<Finding> {
    let ty = project.api(timer).and_then(|api| project.contracts.ty(api.gives.as_deref()?))?;
    if !project.contracts.is_family(ty, "timer") || project.contracts.is_family(ty, "interval") {
        return None;
    }
    let home = project.function_of(timer);
    let handler = project.argument(timer, 0)?;
    let handlers = handled_by(project, handler);
    let answers = answers(project, home, handler);
    if handlers.is_empty() || answers.is_empty() || handlers.iter().any(|handler| ends_something(project, *handler)) {
        return None;
    }
    let mut around = Some(home).filter(|home| home.id != FunctionId::MODULE);
    let mut functions = Vec::new();
    while let Some(function) = around {
        functions.push(function);
        let parent = project.function(function).parent.filter(|parent| *parent != FunctionId::MODULE);
        around = parent.filter(|_| project.is_executor(function)).map(|parent| function.with(parent));
    }
    let mut calls = functions.iter().flat_map(|function| project.calls_in(*function).collect::<Vec<_>>());
    let (made, name, noun) = calls.find_map(|made| {
        let gives = project.gives(made)?;
        let left = ["socket", "request", "process"].iter().any(|family| gives.ty.family == *family);
        let stored = project.uses(project.result(made)?).iter().find_map(|access| match access.kind {
            AccessKind::Stored { place } => Some(access.of(place)),
            _ => None,
        })?;
        let repeats = project.call_rate(made).rate.is_some_and(|rate| rate > Rate::Once);
        let waits = repeats && left && !is_kept(project, stored) && is_ended_by_nobody(project, stored);
        waits.then(|| (made, project.text(stored), &*gives.ty.noun))
    })?;
    let finding = Finding::new(NAME, Confidence::Medium, project.locate(made), format!("the {noun} in `{name}` is left when the operation gives up"))
        .with_context(project.function_name(home))
        .with_why("the timer answers for the operation, and nobody ends what that was waiting for")
        .with_help(format!("end `{name}` where the timer fires"))
        .with_step(StepKind::Acquire, project.locate(made), format!("the {noun} is made here"))
        .with_step(StepKind::Exit, project.locate(timer), format!("the operation ends here, and the {noun} goes on"));
    Some(finding)
}

/// Whether no code at all ends what a variable holds, but for a request's `end()`, which sends it.
fn is_ended_by_nobody(project: &Project<'_>, variable: In<ValueId>) -> bool {
    let Some(place) = project.place(variable) else { return false };
    !project.accesses(place).iter().any(|access| match access.kind {
        AccessKind::Method { key: Key::Name(name), .. } => {
            name != "end" && project.contracts.words.has(Meaning::Disposal, &name)
        }
        _ => false,
    })
}

/// The call that made the connection, in the code around the listener.
fn made_here(listener: &Listener<'_, '_>) -> Option<In<CallId>> {
    let project = listener.project;
    let around = |call: &In<CallId>| {
        let of = project.call(*call).function;
        call.file == listener.add.call.file
            && of != FunctionId::MODULE
            && project.summary(call.file).is_inside(listener.function().id, of)
    };
    project.origins(listener.on()).into_iter().find_map(|origin| {
        let Origin::Result(call) = origin else { return None };
        let ty = project.gives(call).map(|gives| gives.ty).or_else(|| project.ty(listener.on()))?;
        let connects = ["socket", "request"].iter().any(|family| ty.family == *family);
        (connects && around(&call)).then_some(call)
    })
}

/// What runs when the event comes: the function, or those that a function of the project makes for it.
fn handled_by(project: &Project<'_>, handler: In<ValueId>) -> Vec<In<FunctionId>> {
    let mut found: Vec<In<FunctionId>> = project.functions_in(handler).into_iter().collect();
    for origin in project.origins(handler) {
        if let Origin::Result(call) = origin {
            found.extend(project.targets(call).functions.iter().flat_map(|maker| project.returned_functions(*maker)));
        }
    }
    found
}

/// Whether a handler ends anything at all: the connection, or something that may end it in turn.
fn ends_something(project: &Project<'_>, handler: In<FunctionId>) -> bool {
    let words = &project.contracts.words;
    reach(project, handler).into_iter().any(|function| {
        project.calls_in(function).any(|call| {
            let name = project.method_name(call);
            name.is_some_and(|name| words.any(Meaning::Disposal, &name) && !words.has(Meaning::Answering, &name))
                && !project.api(call).is_some_and(|api| api.removes.is_some())
        })
    })
}

/// Whether a function that another one made calls an answer of the operation around.
fn answers_for(project: &Project<'_>, handler: In<FunctionId>) -> bool {
    project.calls_in(handler).any(|call| !answers(project, handler, call.with(project.call(call).callee)).is_empty())
}

/// Whether anything else may end the connection: a field, a table, the caller who gets it whatever happens.
fn is_kept(project: &Project<'_>, variable: In<ValueId>) -> bool {
    let Some(place) = project.place(variable).filter(|place| place.variable().is_some()) else { return true };
    let ty = project.ty(variable);
    project.accesses(place).iter().any(|access| match access.kind {
        AccessKind::Returned | AccessKind::Inside { .. } | AccessKind::Thrown => true,
        AccessKind::Stored { place } => {
            !matches!(project.place(access.of(place)), Some(Place { root: Root::Variable(_), .. }))
        }
        AccessKind::Argument { call, index } => {
            let doing = project.effect(access.of(call), Role::Argument(index), ty);
            // The answer hands it over where all went well.
            doing != Doing::Borrows && !is_answer(project, access.of(call))
        }
        _ => false,
    })
}

fn is_answer(project: &Project<'_>, call: In<CallId>) -> bool {
    let callee = call.with(project.call(call).callee);
    !answers(project, project.function_of(call), callee).is_empty()
}

fn report(listener: &Listener<'_, '_>, made: In<CallId>) -> Finding {
    let project = listener.project;
    let noun = project.ty(listener.on()).map_or("connection", |ty| &*ty.noun);
    let message = format!("the {noun} in {} stays open after its timeout", listener.on_text());
    Finding::new(NAME, Confidence::Medium, project.locate(made), message)
        .with_context(project.function_name(listener.function()))
        .with_why("'timeout' only tells that nothing has come for a while; the listener ends the operation, and nobody ends the connection")
        .with_help(format!("call `{}.destroy()` in the listener", project.text(listener.on())))
        .with_step(StepKind::Acquire, project.locate(made), format!("the {noun} is made here"))
        .with_step(StepKind::Exit, listener.at(), "the operation ends here, and the connection goes on")
}
