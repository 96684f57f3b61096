//! `connection-left-after-timeout`: the 'timeout' listener of a connection answers for the operation that made it, and nothing
//! ends the connection, which the event itself does not.

use super::support::deadline::answers;
use super::support::ending::reach;
use super::support::listeners::{self, Listener};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{CallId, FunctionId, In, Rate, ValueId};
use crate::project::{AccessKind, Doing, Origin, Place, Project, Role, Root};

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
            || is_kept(&listener)
        {
            continue;
        }
        findings.push(report(&listener, made));
    }
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
fn is_kept(listener: &Listener<'_, '_>) -> bool {
    let project = listener.project;
    let Some(place) = project.place(listener.on()).filter(|place| place.variable().is_some()) else { return true };
    let ty = project.ty(listener.on());
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
