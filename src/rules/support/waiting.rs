//! Waits on an emitter that lives on: an operation answers by a listener or by something else, and what comes first leaves
//! the listener behind, one for each operation. Other listeners that answer are `sibling-listener-left`'s.

use super::deadline::answers;
use super::ending::reach_at_once;
use super::listeners::{Listener, ends_object};
use crate::model::words::Meaning;
use crate::model::{BindingId, CallId, FunctionId, In, Value};
use crate::project::{Access, AccessKind, Likeness, Origin, Place, Project, Root};
use crate::text::Location;

/// Where the operation is answered with the listener still there.
pub(crate) fn left(listener: &Listener<'_, '_>) -> Option<Location> {
    let project = listener.project;
    let handler = listener.add.handler?;
    let operation = operation(listener)?;
    if listener.add.call != listener.add.api
        || is_of_beginning(project, operation)
        || listener.is_in_ending()
        || !lives_on(listener, operation)
    {
        return None;
    }
    let own = project.functions_in(handler);
    let answers = answers(project, listener.function(), handler);
    let elsewhere = |access: &Access| is_way(listener, access, &own);
    let ways = answers.iter().flat_map(|answer: &In<BindingId>| {
        project.accesses(Place::new(Root::Variable(*answer))).iter().copied().filter(elsewhere).collect::<Vec<_>>()
    });
    let mut ways: Vec<Access> = ways.collect();
    ways.sort_unstable_by_key(|access| access.span.start);
    // One that ends the emitter ends the wait for good.
    let ends = |way: &Access| way.function() != operation && listener.emitter_is_ended_in(&[way.function()], false);
    if ways.iter().any(ends) {
        return None;
    }
    // A promise is settled once; `on` waits for more.
    let settles = || answers.iter().any(|answer| project.is_executor(answer.with(project.binding(*answer).function)));
    let forever = || (!listener.add.once && settles()).then(|| listener.at());
    ways.first().map(Access::at).or_else(forever)
}

/// The method or function that waits: the one around the promise, where there is one.
fn operation(listener: &Listener<'_, '_>) -> Option<In<FunctionId>> {
    let project = listener.project;
    let mut function = listener.function();
    while project.is_executor(function) {
        function = function.with(project.function(function).parent?);
    }
    (function.id != FunctionId::MODULE && !project.is_constructor(function)).then_some(function)
}

/// `connect()`, `open()`: an emitter begins once, or is another one each time.
fn is_of_beginning(project: &Project<'_>, operation: In<FunctionId>) -> bool {
    let begins = |function: In<FunctionId>| {
        let name = project.function(function).name;
        let words = &project.contracts.words;
        words.any(Meaning::Start, &name) || words.any(Meaning::Booting, &name) || words.any(Meaning::SettingUp, &name)
    };
    let callers = project.callers(operation);
    let around = |call: In<CallId>| {
        project.around(project.function_of(call), |function| !project.function(function).name.is_empty())
    };
    begins(operation)
        || !callers.is_empty()
            && callers
                .iter()
                .all(|caller| around(caller.call).is_none_or(|outer| begins(outer) || project.is_constructor(outer)))
}

/// Whether the emitter is there before the operation and after it: a field of an object, that the operation does not make.
pub(crate) fn lives_on(listener: &Listener<'_, '_>, operation: In<FunctionId>) -> bool {
    let project = listener.project;
    let field = |value| {
        let Some(place) = project.place(value) else { return false };
        let assigned = |access: &Access| matches!(access.kind, AccessKind::Assigned { .. });
        let made = |f: In<FunctionId>| project.accesses(place).iter().any(|a| assigned(a) && a.function() == f);
        matches!(place.root, Root::Field(..)) && !reach_at_once(project, operation).into_iter().any(made)
    };
    let is_name = matches!(project.value(listener.on()), Value::Binding(_));
    // A variable of a function around was there before, and is there for the next operation.
    if let Value::Binding(binding) = project.value(listener.on()) {
        let binding = listener.on().with(*binding);
        let around = project.function(operation).parent.map(|parent| operation.with(parent));
        let declared = binding.with(project.binding(binding).function);
        let older = declared.id != FunctionId::MODULE
            && around.is_some_and(|outer| project.around(outer, |function| function == declared).is_some());
        if older && project.binding(binding).assignments <= 1 && !project.is_executor(declared) {
            return listener.add.once && declared.file == operation.file && !listener.is_made_before();
        }
    }
    match project.origin(listener.on()) {
        Origin::Parameter(binding) if is_name => {
            let owner = binding.with(project.binding(binding).function);
            let given = project.arguments_of(binding);
            owner == operation && !given.is_empty() && given.into_iter().all(field)
        }
        _ => field(listener.on()) && !listener.is_made_before(),
    }
}

/// Whether an access of an answer is another way on which the operation is over: a callback's or timer's, not a listener's.
fn is_way(listener: &Listener<'_, '_>, access: &Access, own: &[In<FunctionId>]) -> bool {
    let project = listener.project;
    let add = project.call(listener.add.call).span;
    let summary = project.summary(access.file);
    let in_own = own.iter().any(|f| f.file == access.file && summary.is_inside(access.function, f.id));
    if in_own || access.file == listener.add.call.file && add.contains(access.span) {
        return false;
    }
    // Before the listener is added there is nothing to leave.
    let home = listener.function();
    let later = access.span.start > add.end || access.function() != home;
    match access.kind {
        AccessKind::Called { .. } => later && access.function() != home && !is_told(listener, access.function()),
        AccessKind::Argument { call, .. } => {
            let call = access.of(call);
            let registered = project.registry().adds_in(call.file).any(|add| add.call == call);
            let own_work =
                project.receiver(call).is_some_and(|on| project.objects(on, listener.on()) == Likeness::Same);
            let ends = project.method_name(call).is_some_and(|name| ends_object(project, &name));
            later
                && !registered
                && own_work
                && !ends
                && !matches!(project.value(call.with(project.call(call).callee)), Value::Function(_))
        }
        _ => false,
    }
}

/// Whether a function is, or is written in, a listener.
fn is_told(listener: &Listener<'_, '_>, function: In<FunctionId>) -> bool {
    let project = listener.project;
    let home = listener.function();
    let is_listener =
        |f: In<FunctionId>| f != home && project.passed_to(f).iter().any(|passed| passed.handed.event.is_some());
    project.around(function, is_listener).is_some()
}
