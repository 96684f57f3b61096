//! listener-removed-on-some-paths: the removal hangs on one of several ends.

use super::support::listeners::{self, Listener};
use super::support::outcomes::{gives_up, is_reaction};
use super::support::ways::{self, Marks};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{CallId, Cond, FunctionId, In, ValueId};
use crate::project::{Event, Likeness, Origin, Project, Removal};

/// Finds listeners that some ends leave behind.
pub fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for listener in listeners::all(project) {
        if listener.ends_by_itself() || listener.is_on_local() || listener.is_made_before() {
            continue;
        }
        if let Some((removal, why)) = started_over(&listener)
            .or_else(|| one_of_several_ends(&listener))
            .or_else(|| given_up(&listener))
            .or_else(|| answered(&listener)) {
            findings.push(report(&listener, removal, why));
        }
    }
}

/// The removal stands in one branch, and the other branch runs the registering function again.
fn started_over<'p>(listener: &Listener<'p, '_>) -> Option<(&'p Removal, String)> {
    let project = listener.project;
    let adding = listener.function();
    let removals = listener.removals();
    let (removal, again) =
        removals.iter().filter(|(_, meeting)| meeting.matches() && meeting.named).find_map(|(removal, _)| {
            let guards = project.conditions(removal.call?);
            let (cond, side) = guards.last()?;
            let again = project.calls_in(removal.function).find(|call| {
                project.targets(*call).functions.contains(&adding)
                    && project
                        .conditions(*call)
                        .iter()
                        .any(|(other, taken)| std::ptr::eq(*other, *cond) && taken != side)
            })?;
            Some((*removal, again))
        })?;
    // Other removals must not stand on the way that starts over.
    let straight = removals.iter().any(|(other, _)| {
        other.function == removal.function && other.call.is_some_and(|call| !project.is_conditional(call))
    });
    let name = project.callee_text(again);
    (!straight).then(|| {
        (removal, format!("it is removed in one branch only; the other one calls `{name}` again, which adds another"))
    })
}

/// All removals run in handlers of events that the operation waits for, and a timer gives it up without any of them.
fn given_up<'p>(listener: &Listener<'p, '_>) -> Option<(&'p Removal, String)> {
    let project = listener.project;
    let operation = listener.function();
    let removals = listener.removals();
    let (first, _) = removals.first()?;
    if !removals.iter().all(|(_, meeting)| meeting.matches()) {
        return None;
    }
    // What ends the emitter when it gives up ends its listeners, too.
    let ends = |callback| listener.emitter_is_ended_in(&[callback], false);
    let given = gives_up(project, operation).into_iter().filter(|given| !ends(given.callback)).find(|given| {
        removals.iter().all(|(removal, _)| {
            let f = removal.function;
            let waits = f != operation && f.file == operation.file && project.summary(f.file).is_inside(f.id, operation.id);
            // One that is kept in a list of clean-ups runs with the others.
            let runs = project.passed_to(f).iter().any(|passed| passed.handed.runs.is_some());
            let settles = is_reaction(project, f) && !waits_for_given_promise(project, f, given.callback);
            waits && runs && !settles && !project.leads_to(given.callback, f)
        })
    })?;
    let timer = project.callee_text(given.call);
    let when = if is_reaction(project, first.function) { "the given promise is settled" } else { "the event comes" };
    Some((first, format!("its removal runs when {when}; the `{timer}` that gives up the wait does not run it")))
}

/// The function reacts to a promise that was handed in, which the timer's callback does not surely end: it may stay pending for
/// ever after the wait was given up.
fn waits_for_given_promise(project: &Project<'_>, reaction: In<FunctionId>, given_up: In<FunctionId>) -> bool {
    let handed = |value: In<ValueId>| match project.origin(value) {
        Origin::Parameter(binding) => !project.is_executor(binding.with(project.binding(binding).function)),
        _ => false,
    };
    let ends = project.calls_in(given_up).any(|call| {
        let word = project.method_name(call);
        word.is_some_and(|word| project.contracts.words.has(Meaning::Disposal, &word)) && !project.is_conditional(call)
    });
    let passed = project.passed_to(reaction);
    !ends && passed.iter().all(|passed| project.receiver(passed.call).is_some_and(handed))
}

/// The handler answers for the operation on two ways, and removes itself on one of them only.
fn answered<'p>(listener: &Listener<'p, '_>) -> Option<(&'p Removal, String)> {
    let project = listener.project;
    let handlers = project.functions_in(listener.add.handler?);
    let [handler] = handlers[..] else { return None };
    if listener.add.once || handler.file != listener.add.call.file {
        return None;
    }
    let removals = listener.removals();
    // It takes back itself by its name, whatever the emitter may be.
    let (own, _) = removals.iter().find(|(removal, _)| removal.function == handler)?;
    let settles = |call: In<CallId>| {
        project.origins(call.with(project.call(call).callee)).iter().any(|origin| match origin {
            Origin::Parameter(binding) => project.is_executor(binding.with(project.binding(*binding).function)),
            _ => false,
        })
    };
    let removes = |call: In<CallId>| {
        let led = |function: In<FunctionId>| removals.iter().any(|(removal, _)| project.leads_to(function, removal.function));
        removals.iter().any(|(removal, _)| removal.call == Some(call))
            || project.targets(call).functions.into_iter().any(led)
    };
    // What somebody else removes when the promise is settled, does not hang on the handler.
    let later = removals.iter().any(|(removal, _)| is_reaction(project, removal.function));
    let on = project.text(listener.on());
    let asks = |cond: &Cond| {
        let mut only = true;
        cond.values(&mut |value| {
            let value = handler.with(value);
            only &= project.is_empty_value(value) || on.starts_with(project.text(value).as_str());
        });
        only
    };
    let ways = ways::through(project, handler, &Marks { answers: &settles, removes: &removes, asks: &asks });
    (ways.without && ways.with && !later && !project.function(handler).is_async)
        .then(|| (*own, "one way through the handler answers without removing it".to_owned()))
}

/// Where the removals hang: each on events of one other emitter.
fn one_of_several_ends<'p>(listener: &Listener<'p, '_>) -> Option<(&'p Removal, String)> {
    let project = listener.project;
    let removals = listener.removals();
    let mut ends: Vec<(In<ValueId>, &'static str)> = Vec::new();
    for (removal, meeting) in &removals {
        if !meeting.matches() {
            return None;
        }
        ends.extend(ends_of(listener, removal)?);
    }
    let (removal, _) = removals.first()?;
    let (of, _) = ends.first().copied()?;
    if ends.iter().any(|(other, _)| project.objects(*other, of) == Likeness::Different) {
        return None;
    }
    let names: Vec<&str> = ends.iter().map(|(_, name)| *name).collect();
    let has = |words: &[&str]| names.iter().any(|name| words.contains(name));
    if has(&["close", "end", "finish", "exit", "disconnect", "destroyed", "closed", "finally"]) {
        return None;
    }
    let list = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(" and ");
    let of = project.text(of);
    if names.iter().all(|name| ["abort", "aborted", "cancel", "timeout"].contains(name)) {
        return Some((removal, format!("it is removed on {list} of `{of}` only, which is not how it ordinarily ends")));
    }
    let completes = has(&["complete", "completed", "done", "success", "finished", "result"]);
    (completes && !has(&["error", "failed", "failure"]) && emits(listener, ends.first()?.0, "error"))
        .then(|| (*removal, format!("it is removed on {list} of `{of}` only, and stays when that ends with 'error'")))
}

/// The events on which a removal hangs; none where it is reached in another way too.
fn ends_of(listener: &Listener<'_, '_>, removal: &Removal) -> Option<Vec<(In<ValueId>, &'static str)>> {
    let project = listener.project;
    let cleanup = removal.function;
    if cleanup == listener.function() || !project.callers(cleanup).is_empty() {
        return None;
    }
    let mut ends = Vec::new();
    for passed in project.passed_to(cleanup).iter() {
        let add = project.registry().adds_in(passed.call.file).find(|add| add.call == passed.call)?;
        let Event::Named(name) = add.event else { return None };
        ends.push((add.on?, name.as_str()));
    }
    let itself = ends.iter().any(|(on, _)| project.objects(*on, listener.on()) == Likeness::Same);
    (!ends.is_empty() && !itself).then_some(ends)
}

/// Whether the project makes an object emit an event.
fn emits(listener: &Listener<'_, '_>, on: In<ValueId>, event: &str) -> bool {
    let project = listener.project;
    let file = listener.add.call.file;
    let calls = (0..project.summary(file).calls.len() as u32).map(|at| In::new(file, crate::model::CallId(at)));
    let mut emits = calls.filter(|call| project.method_name(*call).is_some_and(|name| name == "emit"));
    emits.any(|call| {
        let named = project.argument(call, 0).is_some_and(|value| {
            project.origin(value) == crate::project::Origin::Literal(crate::model::Literal::String(event.into()))
        });
        named && project.receiver(call).is_some_and(|receiver| project.objects(receiver, on) != Likeness::Different)
    })
}

fn report(listener: &Listener<'_, '_>, removal: &Removal, why: String) -> Finding {
    let message = format!("{} on {} is removed on some ends only", listener.event_text(), listener.on_text());
    listener
        .finding("listener-removed-on-some-paths", Confidence::Medium, message)
        .with_why(why.clone())
        .with_help(format!(
            "call `{}` on the end that always comes ('close', `finally`), or on each of them",
            listener.removal_text()
        ))
        .with_step(StepKind::Grow, listener.at(), "the listener is added here")
        .with_step(StepKind::Release, removal.at, why)
}
