//! `timer-overwritten`: a timer's field receives the next timer while the last one is still armed.

use super::support::ending::{reach, reaches_apart, released_by_end_event};
use super::support::deadline::is_pause;
use super::support::keeper::{Care, Keeper, care, keeper, release_text};
use super::support::mend::{before, mentions};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::contract::Runs;
use crate::model::words::Meaning;
use crate::model::{CallId, FunctionId, In, Literal, Name, Rate, Value, ValueId};
use crate::project::{Access, AccessKind, Event, Origin, Place, Project, Root};

const NAME: &str = "timer-overwritten";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(ty) = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { continue };
        if !project.contracts.is_family(ty, "timer") {
            continue;
        }
        let Keeper::Place(place) = keeper(project, call, ty) else { continue };
        if !matches!(place.root, Root::Field(..)) {
            continue;
        }
        let care = care(project, place, ty);
        // Without any release it is `timer-never-cleared`'s; with a test or release in the way, the old one is known of.
        if care.releases.is_empty() || !care.escapes.is_empty() || is_careful(project, call, &care) {
            continue;
        }
        let function = operation(project, project.function_of(call));
        let rate = project.rate(function);
        if project.is_once_guarded(call) {
            continue;
        }
        if rate.rate.is_none_or(|rate| rate < Rate::PerCall)
            || !runs_again(project, function)
            || takes_turns(project, function, &care)
            || fires_first(project, call)
        {
            continue;
        }
        // One that fires once is over some time, whoever forgot it, unless they come faster than they go.
        let fires_at_once = is_pause(project, call);
        let comes_often = comes_often(project, function) && !fires_at_once;
        let confidence = if starts_itself(project, function, &care) {
            Confidence::Medium
        } else if project.contracts.is_family(ty, "interval") || comes_often {
            confidence(project, function, place, rate.rate)
        } else {
            Confidence::Low
        };
        findings.push(report(project, call, place, &care, (confidence, rate.because())));
    }
}

fn report(project: &Project<'_>, call: In<CallId>, place: Place, care: &Care, known: (Confidence, String)) -> Finding {
    let (confidence, because) = known;
    let name = project.place_text(place);
    let function = project.function_name(project.function_of(call));
    let statement = project.call(call).statement;
    let release = &care.releases[0];
    let mut finding = Finding::new(
        NAME,
        confidence,
        project.locate(call),
        format!("timer in `{name}` is overwritten while it may still be armed"),
    )
    .with_why(format!("{because}; a second run assigns `{name}` again, and only the last timer can be cleared"))
    .with_help(format!("clear `{name}` before this assignment, or leave {function} when it is set"))
    .with_context(function)
    .with_step(
        StepKind::Acquire,
        project.locate(call),
        format!("`{name}` receives a timer here, whatever it held before"),
    )
    .with_step(StepKind::Release, release.at(), "clears the last timer only");
    let text = &project.sources.get(call.file).text;
    let edits = release_text(project, release)
        .filter(|clear| mentions(clear, &name))
        .and_then(|clear| before(call.file, text, statement, &format!("{clear};")));
    if let Some(edits) = edits {
        finding = finding.with_fix(format!("clear `{name}` first"), Applicability::Safe, edits);
    }
    finding
}

/// Whether the function, or one of its callers, looks at the old timer or clears it before the assignment.
fn is_careful(project: &Project<'_>, call: In<CallId>, care: &Care) -> bool {
    let function = project.function_of(call);
    let before = project.call(call).span.start;
    let concerns: Vec<&Access> = care.releases.iter().chain(&care.tests).collect();
    // A clean-up on a method's way out says nothing of its way on.
    let is_method = project.class_of(function).is_some();
    let leads_on =
        |inner: In<CallId>| !is_method || project.function_of(inner) != function || project.leads_on(inner.id, call);
    let in_function = |f: In<FunctionId>, until: Option<u32>| {
        concerns
            .iter()
            .any(|a| {
                let on = !matches!(a.kind, AccessKind::Argument { call, .. } if !leads_on(a.of(call)));
                a.file == f.file && a.function == f.id && until.is_none_or(|until| a.span.start <= until) && on
            })
            || project.calls_in(f).any(|inner| {
                until.is_none_or(|until| project.call(inner).span.start <= until)
                    && leads_on(inner)
                    && project
                        .targets(inner)
                        .functions
                        .iter()
                        .any(|target| concerns.iter().any(|a| a.file == target.file && a.function == target.id))
            })
    };
    let mut around = Some(function);
    while let Some(f) = around {
        if in_function(f, Some(before)) {
            return true;
        }
        around = project.function(f).parent.filter(|p| *p != FunctionId::MODULE).map(|p| f.with(p));
    }
    project.callers(function).iter().any(|caller| in_function(project.function_of(caller.call), None))
}

/// The function whose run this code is part of: around the executor of a promise, the one that makes the promise.
fn operation(project: &Project<'_>, function: In<FunctionId>) -> In<FunctionId> {
    match project.function(function).parent {
        Some(parent) if parent != FunctionId::MODULE && project.is_executor(function) => {
            operation(project, function.with(parent))
        }
        _ => function,
    }
}

/// Whether the project itself gives a reason for a second run: an event that comes again. A `start` may be started twice,
/// but who does? And an object ends once: what a second `close` finds is closed, as a rule, by some state that it looks at.
/// Events of those who make the objects say how often that happens, not how often one object arms its timer; and which slot
/// of a table is filled, its key says.
fn confidence(project: &Project<'_>, function: In<FunctionId>, place: Place, rate: Option<Rate>) -> Confidence {
    let name = project.function(function).name;
    let ends = project.contracts.words.has(Meaning::Disposal, &name);
    let slot = place.path.contains("[]");
    let own = |handler: &In<FunctionId>| match place.root {
        Root::Field(class, _) => project
            .enclosing_class(*handler)
            .is_none_or(|of| of == class || project.bases(class).contains(&of) || project.bases(of).contains(&class)),
        _ => true,
    };
    if rate == Some(Rate::PerEvent) && !ends && !slot && project.drive(function).events.iter().any(own) {
        Confidence::Medium
    } else {
        Confidence::Low
    }
}

/// Whether the method around leads to its own next run on the same object, as one that connects again when its connection
/// is lost, and neither that way nor any other end of what it began clears the timer.
fn starts_itself(project: &Project<'_>, function: In<FunctionId>, care: &Care) -> bool {
    let Some(method) = project.around(function, |f| project.class_of(f).is_some()) else { return false };
    if project.is_constructor(method) || released_by_end_event(project, care) {
        return false;
    }
    let reached = reach(project, method);
    let inner = |f: In<FunctionId>| f.file == method.file && project.summary(f.file).is_inside(f.id, method.id);
    // A call of itself in one run is a recursion; a handler or timer of that run that calls it is a next run.
    let later = |f: In<FunctionId>| {
        project.around(f, |g| project.passed_to(g).iter().any(|passed| passed.handed.runs != Some(Runs::Sync))).is_some()
    };
    let own = |call: In<CallId>| {
        project.receiver(call).is_some_and(|on| matches!(project.origin(on), Origin::This(_)))
    };
    project.callers(method).iter().any(|caller| {
        let from = project.function_of(caller.call);
        !caller.weak
            && own(caller.call)
            && reached.contains(&from)
            && later(from)
            && (inner(from) || project.class_of(from) == project.class_of(method))
            && !clears_on_the_way(project, from, method, care)
    })
}

/// Whether the code that leads to the next run clears the timer, or looks whether there is one.
fn clears_on_the_way(project: &Project<'_>, from: In<FunctionId>, method: In<FunctionId>, care: &Care) -> bool {
    let mut around = Some(from);
    while let Some(f) = around.filter(|f| *f != method) {
        let concerns = care.releases.iter().chain(&care.tests);
        if reaches_apart(project, f, Some(method), &concerns.copied().collect::<Vec<_>>()) {
            return true;
        }
        let handed = project.passed_to(f);
        let outer = handed.iter().map(|passed| project.function_of(passed.call)).find(|outer| *outer != f);
        around = project.function(f).parent.filter(|p| *p != FunctionId::MODULE).map(|p| f.with(p)).or(outer);
        if project.class_of(f).is_some() {
            break;
        }
    }
    false
}

/// Whether the function can run twice on one object: it is not only part of the construction.
fn runs_again(project: &Project<'_>, function: In<FunctionId>) -> bool {
    runs_again_in(project, function, 0)
}

/// How many callers of callers are looked at.
const CALLERS: u32 = 4;

fn runs_again_in(project: &Project<'_>, function: In<FunctionId>, depth: u32) -> bool {
    if project.is_constructor(function) {
        return false;
    }
    let callers = project.callers(function);
    callers.is_empty()
        || callers.iter().any(|c| {
            let outer = project.function_of(c.call);
            let own = project.class_of(outer).is_some() && project.class_of(outer) == project.class_of(function);
            let again = !own || depth >= CALLERS || outer == function || runs_again_in(project, outer, depth + 1);
            !project.is_constructor(outer) && !is_on_new_object(project, c.call) && again
        })
}

/// Whether a method is called on an object that the calling code has made itself: each run has another one.
fn is_on_new_object(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(receiver) = project.receiver(call) else { return false };
    let summary = project.summary(call.file);
    let around = |made: FunctionId| made != FunctionId::MODULE && summary.is_inside(project.call(call).function, made);
    let is_new = |value: In<ValueId>| match project.value(value) {
        Value::Result(made) => {
            let made = project.call(value.with(*made));
            made.is_new && around(made.function)
        }
        _ => false,
    };
    if matches!(project.value(receiver), Value::This(_)) {
        return false;
    }
    let Some(place) = project.place(receiver) else { return is_new(receiver) };
    project.accesses(place).iter().any(|access| {
        matches!(access.kind, AccessKind::Assigned { value, .. } if is_new(access.of(value)))
            && access.file == call.file
            && around(access.function)
    })
}

/// Whether the timer is armed by one event and cleared by its opposite on the same emitter: they take turns.
fn takes_turns(project: &Project<'_>, function: In<FunctionId>, care: &Care) -> bool {
    let events = |f: In<FunctionId>| -> Vec<(In<CallId>, Name)> {
        let passed = project.passed_to(f);
        passed.iter().filter_map(|passed| Some((passed.call, passed.handed.event?))).collect()
    };
    let armed = events(function);
    care.releases.iter().flat_map(|release| events(release.function())).any(|(clears, end)| {
        armed.iter().any(|(arms, begin)| {
            let on = |call: In<CallId>| project.receiver(call);
            let same = on(*arms).zip(on(clears)).is_some_and(|(a, b)| project.same(a, b));
            same && OPPOSITES.iter().any(|(one, other)| begin.contains(one) && begin.replace(one, other) == *end)
        })
    })
}

/// Parts of the names of events that follow each other in turn.
const OPPOSITES: [(&str, &str); 6] = [
    ("connect", "disconnect"),
    ("open", "close"),
    ("start", "stop"),
    ("online", "offline"),
    ("pause", "resume"),
    ("enter", "leave"),
];

/// Whether the assignment happens in the timer's own callback, which has fired by then, or in a handler of what that emits.
fn fires_first(project: &Project<'_>, call: In<CallId>) -> bool {
    let function = project.function_of(call);
    project.callbacks(call).iter().any(|handed| {
        let mut reach = reach(project, handed.function);
        let heard: Vec<In<FunctionId>> = reach.iter().flat_map(|f| heard(project, *f)).collect();
        for handler in heard {
            reach.extend(super::support::ending::reach(project, handler));
        }
        reach.contains(&function)
    })
}

/// Whether a function is itself the handler of an event that comes again and again from something else, or of an interval.
fn comes_often(project: &Project<'_>, function: In<FunctionId>) -> bool {
    project.passed_to(function).iter().any(|passed| {
        let own = project.receiver(passed.call).is_some_and(|on| matches!(project.value(on), Value::This(_)));
        match passed.handed.event {
            Some(event) => !own && project.contracts.words.last(Meaning::Often, &event),
            None => passed.handed.runs == Some(Runs::Event),
        }
    })
}

/// The handlers, in the same file, of the events that a function emits.
fn heard(project: &Project<'_>, function: In<FunctionId>) -> Vec<In<FunctionId>> {
    let emitted = project.calls_in(function).filter_map(|call| {
        let emits = project.method_name(call).is_some_and(|name| name == "emit");
        let event = project.argument(call, 0).filter(|_| emits)?;
        match project.origin(event) {
            Origin::Literal(Literal::String(name)) => Some((call, name)),
            _ => None,
        }
    });
    let mut found = Vec::new();
    for (call, event) in emitted {
        let adds = project.registry().adds_in(call.file);
        let adds = adds.filter(|add| matches!(add.event, Event::Named(name) if name == event));
        found.extend(adds.filter_map(|add| add.handler).flat_map(|handler| project.functions_in(handler)));
    }
    found
}
