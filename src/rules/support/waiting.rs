//! Waits on an emitter that lives on: an operation answers by a listener or by something else, and what comes first leaves
//! the listener behind, one for each operation. Other listeners that answer are `sibling-listener-left`'s.

use super::deadline::answers;
use super::ending::reach_at_once;
use super::listeners::{Listener, ends_object};
use crate::model::contract::Runs;
use crate::model::words::Meaning;
use crate::model::{BindingId, CallId, Flow, FunctionId, In, Step, Value};
use crate::project::{Access, AccessKind, Likeness, Origin, Passed, Place, Project, Root};
use crate::text::{Location, Span};

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
    // What the listener runs answers by it, wherever that is written.
    let heard = project.functions_in(handler);
    let own: Vec<In<FunctionId>> = heard.iter().flat_map(|function| reach_at_once(project, *function)).collect();
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
    // What comes once in the life of its emitter ends the wait.
    let last = || listener.event().is_some_and(|event| project.is_one_time(listener.add.call, event));
    let forever = || (!listener.add.once && !last() && settles()).then(|| listener.at());
    ways.first().map(Access::at).or_else(forever)
}

/// The method or function that waits: the one around the promise, where there is one.
fn operation(listener: &Listener<'_, '_>) -> Option<In<FunctionId>> {
    let project = listener.project;
    let mut function = listener.function();
    while project.is_executor(function) || runs_once(project, function) {
        function = function.with(project.function(function).parent?);
    }
    (function.id != FunctionId::MODULE && !project.is_constructor(function)).then_some(function)
}

/// A closure that is handed over for one event only: it runs once for each run of the function around.
fn runs_once(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let passed = project.passed_to(function);
    let once = |passed: &Passed| {
        let event = passed.handed.event;
        matches!(passed.handed.runs, Some(Runs::Event | Runs::Once))
            && event.is_some_and(|event| project.is_one_time(passed.call, &event))
    };
    !passed.is_empty() && passed.iter().all(once) && project.callers(function).is_empty()
}

/// `connect()`, `open()`: an emitter begins once, or is another one each time.
fn is_of_beginning(project: &Project<'_>, operation: In<FunctionId>) -> bool {
    let begins = |function: In<FunctionId>| {
        let name = project.function(function).name;
        let words = &project.contracts.words;
        words.any(Meaning::Start, &name) || words.any(Meaning::Booting, &name) || words.any(Meaning::SettingUp, &name)
    };
    let callers = project.callers(operation);
    let around = |call: In<CallId>| project.named_around(project.function_of(call));
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
            // Users of what the function around makes ask as often as they like.
            let asked = || !project.drive_apart(operation, Some(declared)).public.is_empty();
            return (listener.add.once || asked())
                && declared.file == operation.file
                && !listener.is_made_before()
                && !is_asked_once(project, operation, declared);
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

/// Whether one place asks for the operation, once for each run of the function that has the emitter.
fn is_asked_once(project: &Project<'_>, operation: In<FunctionId>, declared: In<FunctionId>) -> bool {
    let callers = project.callers(operation);
    let [caller] = callers[..] else { return false };
    let event = |f: In<FunctionId>| {
        f != declared && project.passed_to(f).iter().any(|passed| passed.handed.runs == Some(Runs::Event))
    };
    let mut way = Some(project.function_of(caller.call));
    let mut once = project.loop_around(caller.call).is_none() && project.passed_to(operation).is_empty();
    while let Some(function) = way.filter(|function| *function != declared) {
        once &= !event(function) && function != operation;
        way = project.function(function).parent.map(|parent| function.with(parent));
    }
    once && way.is_some()
}

/// Whether an access of an answer is another way on which the operation is over: a callback's or timer's, not a listener's.
fn is_way(listener: &Listener<'_, '_>, access: &Access, own: &[In<FunctionId>]) -> bool {
    let project = listener.project;
    let add = project.call(listener.add.call).span;
    let summary = project.summary(access.file);
    let in_own = own.iter().any(|f| f.file == access.file && summary.is_inside(access.function, f.id));
    if in_own
        || access.file == listener.add.call.file && (add.contains(access.span) || are_apart(project, listener, access))
    {
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

/// Whether an access stands on the other side of a condition than the listener: there is nothing that could be left.
fn are_apart(project: &Project<'_>, listener: &Listener<'_, '_>, access: &Access) -> bool {
    let file = listener.add.call.file;
    let add = project.call(listener.add.call).span;
    let holds = |flow: &Flow, span: Span| {
        let mut found = false;
        flow.walk(&mut |part| {
            found |=
                matches!(part, Flow::Step(Step::Call(call)) if project.call(In::new(file, *call)).span.contains(span));
        });
        found
    };
    let mut apart = false;
    project.function(listener.function()).flow.walk(&mut |flow| {
        if let Flow::Branch { then, otherwise, .. } = flow {
            apart |=
                holds(then, add) && holds(otherwise, access.span) || holds(otherwise, add) && holds(then, access.span);
        }
    });
    apart
}

/// Whether a function is, or is written in, a listener.
fn is_told(listener: &Listener<'_, '_>, function: In<FunctionId>) -> bool {
    let project = listener.project;
    let home = listener.function();
    let is_listener =
        |f: In<FunctionId>| f != home && project.passed_to(f).iter().any(|passed| passed.handed.event.is_some());
    project.around(function, is_listener).is_some()
}
