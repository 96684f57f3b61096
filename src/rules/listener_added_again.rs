//! listener-added-again: the same code adds a listener again to an emitter that already has it.

use super::abort_listener_left::is_on_callers_signal;
use super::removal_never_matches;
use super::support::listeners::{self, Listener};
use super::support::waiting;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::Runs;
use crate::model::words::Meaning;
use crate::model::{BindingId, CallId, FunctionId, FunctionKind, In, Value, ValueId};
use crate::project::{AccessKind, Event, Origin, Owner, Project, Registration};
use crate::text::Location;

/// Finds listeners that are added again on one emitter.
pub fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for listener in listeners::all(project) {
        if let Some(again) = again(&listener) {
            findings.push(report(&listener, again));
        }
    }
}

/// Why it is added again.
pub(super) struct Again {
    confidence: Confidence,
    why: String,
    at: Location,
}

/// Why the code adds the listener again, where it does.
pub(super) fn again(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    let deduped =
        listener.add.dedupes && listener.add.handler.is_some_and(|handler| !project.is_fresh_function(handler));
    let over = deduped
        || listener.is_checked()
        || listener.ends_by_itself()
        || listener.emitter_is_ended_in(&[listener.function()], true);
    if over || !listener.removals().is_empty() || removal_never_matches::missed(listener).is_some() {
        return None;
    }
    in_loop(listener).or_else(|| {
        if listener.is_made_before() {
            return None;
        }
        loaded(listener)
            .or_else(|| per_event(listener))
            .or_else(|| re_entered(listener))
            .or_else(|| waited(listener))
            .or_else(|| repeated(listener))
    })
}

/// In a loop over something that neither the emitter nor the function depends on.
fn in_loop(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    let head = project.loop_around(listener.add.call)?;
    let made_in_turn = matches!(project.value(root(project, listener.on())), Value::Result(_));
    let outside = !made_in_turn && !listener.is_on_loop_local(head.span) && project.is_open_ended(&head);
    let varies = listener.add.handler.is_some_and(|handler| listener.depends_on_loop(handler, head.span));
    let fixed = matches!(listener.add.event, Event::Named(_) | Event::All);
    let lifted = listener.add.call != listener.add.api && project.is_conditional(listener.add.api);
    (outside && fixed && !varies && !lifted && !project.leaves_after(listener.add.call)).then(|| Again {
        confidence: if listener.add.once { Confidence::Low } else { Confidence::High },
        why: "each turn of the loop adds one more, to the same emitter and for the same event".to_owned(),
        at: project.at(listener.add.call.file, head.span),
    })
}

/// The emitter was made here or loaded from a table, and the listener is added in both cases.
fn loaded(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    let holder = listener.holder();
    let Value::Binding(binding) = project.value(holder) else { return None };
    let before = project.assigned_before(listener.add.call, holder);
    let is_known = !before.is_empty() && !before.iter().any(|value| listener.is_load(*value));
    if is_known || project.binding(holder.with(*binding)).assignments < 2 {
        return None;
    }
    let assigned = project.assigned_values(holder);
    let made = |value: &In<ValueId>| {
        matches!(project.value(*value), Value::Object(_))
            || matches!(project.origin(*value), Origin::New(..) | Origin::Object(_))
    };
    let from_table = assigned.iter().find(|value| listener.is_load(**value))?;
    assigned.iter().any(made).then(|| Again {
        confidence: Confidence::Medium,
        why: format!(
            "{} may be the one loaded by `{}`, which has the listener already",
            listener.on_text(),
            project.text(*from_table)
        ),
        at: listener.at(),
    })
}

/// For each event, on something that is older than the event.
fn per_event(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    let (event, at) = listener.repeated_event()?;
    // What lives as long as the process outlives each event; `listener-outlives-handler` says so.
    if is_on_callers_signal(listener) || project.lifetime(listener.on()).is_process() {
        return None;
    }
    // What is handed over may be the event's own data, and `on` the way to tell it.
    let unknown = listener.add.handler.is_none_or(|handler| project.functions_in(handler).is_empty());
    let latent = listener.add.once || unknown;
    let confidence = if latent { Confidence::Low } else { Confidence::Medium };
    Some(Again {
        confidence,
        why: format!(
            "{} runs for each '{event}', and each time adds one more",
            project.function_name(listener.function())
        ),
        at,
    })
}

/// The function that adds it calls itself later: on reconnect, retry, refresh.
fn re_entered(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    let function = listener.function();
    if !is_older(project, listener.on(), function)
        || is_on_callers_signal(listener)
        || project.function(function).kind == FunctionKind::Module
    {
        return None;
    }
    let inner = |call: &In<CallId>| {
        let of = project.call(*call).function;
        of != function.id && project.summary(function.file).is_inside(of, function.id)
    };
    let all = (0..project.summary(function.file).calls.len() as u32).map(|at| function.with(CallId(at)));
    // A closure that runs at once is part of this run: it goes through parts of what the function was given.
    let later = |call: &In<CallId>| {
        let closure = project.function_of(*call);
        !project.passed_to(closure).iter().any(|passed| passed.handed.runs == Some(Runs::Sync))
    };
    let mut again = all.filter(inner).filter(later).filter(|call| {
        let targets = project.targets(*call);
        !targets.weak && targets.functions.contains(&function)
    });
    let call = again.next()?;
    Some(Again {
        confidence: if listener.add.once { Confidence::Low } else { Confidence::Medium },
        why: format!(
            "{} is called again by `{}`, and each time adds one more",
            project.function_name(function),
            project.callee_text(call)
        ),
        at: project.locate(call),
    })
}

/// It waits for one of several answers, and another one leaves it.
fn waited(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    if project.lifetime(listener.on()).is_process() || is_on_callers_signal(listener) {
        return None;
    }
    let at = waiting::left(listener)?;
    Some(Again {
        confidence: Confidence::Medium,
        why: format!("{} waits with one more each time, and another answer leaves it there", project.function_name(listener.function())),
        at,
    })
}

/// The method runs as its object is made, and again in the course of its work.
fn repeated(listener: &Listener<'_, '_>) -> Option<Again> {
    let project = listener.project;
    let function = listener.function();
    let class = project.class_of(function)?;
    if listener.add.once || project.is_constructor(function) || project.lifetime(listener.on()).is_process()
        || is_on_callers_signal(listener)
        || !waiting::lives_on(listener, function)
    {
        return None;
    }
    let callers = project.callers(function);
    let own = |call: In<CallId>| {
        let from = project.function_of(call);
        let this = project.receiver(call).is_some_and(|on| matches!(project.origin(on), Origin::This(_)));
        (project.enclosing_class(from) == Some(class) && this && !project.is_once_guarded(call)).then_some(from)
    };
    let first = callers.iter().any(|caller| own(caller.call).is_some_and(|from| project.is_constructor(from)));
    let again = callers.iter().find(|caller| {
        !caller.weak && own(caller.call).is_some_and(|from| project.around(from, |f| project.is_constructor(f)).is_none())
    })?;
    first.then(|| Again {
        confidence: Confidence::Medium,
        why: format!("{} runs in the constructor and again here, and each time adds one more", project.function_name(function)),
        at: project.locate(again.call),
    })
}

fn report(listener: &Listener<'_, '_>, again: Again) -> Finding {
    let message = format!("{} is added to {} again and again", listener.event_text(), listener.on_text());
    listener
        .finding("listener-added-again", again.confidence, message)
        .with_why(format!("{}; emitters do not de-duplicate, and nothing removes it", again.why))
        .with_help(format!(
            "add it once, where {} is made or behind a flag, or call `{}` before",
            listener.on_text(),
            listener.removal_text()
        ))
        .with_step(StepKind::Grow, listener.at(), "the listener is added here")
        .with_step(StepKind::Repeat, again.at, again.why)
}

/// The variable, receiver or call below a chain of properties, single assignments looked through.
fn root(project: &Project<'_>, value: In<ValueId>) -> In<ValueId> {
    let mut value = value;
    for _ in 0..12 {
        match project.value(value) {
            Value::Member(object, _) => value = value.with(*object),
            Value::Binding(binding) => match project.binding(value.with(*binding)).value {
                Some(inner)
                    if matches!(
                        project.value(value.with(inner)),
                        Value::Member(..) | Value::Binding(_) | Value::This(_)
                    ) =>
                {
                    value = value.with(inner);
                }
                _ => break,
            },
            _ => break,
        }
    }
    value
}

/// Whether a parameter is what an event hands to its listener.
fn is_handed_per_event(project: &Project<'_>, parameter: In<BindingId>) -> bool {
    let function = parameter.with(project.binding(parameter).function);
    project.passed_to(function).iter().any(|passed| passed.handed.runs == Some(Runs::Event))
}

/// Whether an emitter was there before a function ran: its receiver or a part of that, or a variable from around it.
pub(super) fn is_older(project: &Project<'_>, emitter: In<ValueId>, function: In<FunctionId>) -> bool {
    let root = root(project, emitter);
    match project.value(root) {
        Value::This(_) => !project.is_constructor(function),
        Value::Binding(binding) => {
            let declared = project.binding(root.with(*binding)).function;
            root.file == function.file
                && declared != function.id
                && project.summary(root.file).is_inside(function.id, declared)
        }
        _ => false,
    }
}

/// The emitter as the caller of a function names it.
fn seen_by_caller(
    project: &Project<'_>,
    emitter: In<ValueId>,
    function: In<FunctionId>,
    call: In<CallId>,
) -> Option<In<ValueId>> {
    let root = root(project, emitter);
    match project.value(root) {
        Value::This(_) if project.call(call).is_new => None,
        Value::This(_) => project.receiver(call),
        Value::Binding(binding) => {
            let binding = root.with(*binding);
            if project.binding(binding).function != function.id {
                return Some(emitter);
            }
            project.given(call, project.parameter_index(binding)?)
        }
        _ => None,
    }
}

/// The caller has just made the emitter that it hands over.
fn is_made_for(project: &Project<'_>, call: In<CallId>, emitter: In<ValueId>) -> bool {
    let made = project.assigned_before(call, emitter);
    let fresh = |value: &In<ValueId>| {
        let origins = project.origins(*value);
        matches!(project.value(*value), Value::Result(_))
            && !origins.is_empty()
            && origins.iter().all(|origin| matches!(origin, Origin::New(..) | Origin::Result(_) | Origin::Resolved(_)))
    };
    !made.is_empty() && made.iter().all(fresh)
}

impl Listener<'_, '_> {
    /// The variable or field below a chain of properties: `entry` of `entry.signal`.
    fn holder(&self) -> In<ValueId> {
        let mut value = self.on();
        while let Value::Member(object, _) = self.project.value(value) {
            value = value.with(*object);
        }
        value
    }

    /// A value that comes out of a table: `map.get(key)`, `table[key]`.
    fn is_load(&self, value: In<ValueId>) -> bool {
        let project = self.project;
        match project.value(value) {
            Value::Index(table, _) => project.place(value.with(*table)).is_some(),
            Value::Result(call) => {
                let call = value.with(*call);
                project.method_name(call).is_some_and(|name| name == "get")
                    && project.receiver(call).is_some_and(|table| {
                        project.place(table).is_some() && !matches!(project.lifetime(table).owner, Owner::Call(_))
                    })
            }
            Value::Awaited(inner) => self.is_load(value.with(*inner)),
            _ => false,
        }
    }

    /// The emitter, or what holds it, was made by this function before the listener is added.
    pub(super) fn is_made_before(&self) -> bool {
        let project = self.project;
        let (mut value, mut part) = (self.on(), None);
        for _ in 0..8 {
            // What the handler was given for this event, put into something older: `this.current = client`.
            let older = match project.value(value) {
                Value::Binding(binding) => project.binding(value.with(*binding)).function != self.function().id,
                _ => true,
            };
            let fresh = |origin: &Origin| match origin {
                Origin::New(..) | Origin::Result(_) | Origin::Resolved(_) => true,
                // In a fresh copy of older options is what was in those.
                Origin::Object(object) => part.is_none_or(|part| project.copied_from(*object, part).is_empty()),
                Origin::Parameter(parameter) => older && is_handed_per_event(project, *parameter),
                _ => false,
            };
            let is_made = |made: &In<ValueId>| {
                let origins = project.origins(*made);
                !self.is_load(*made) && !origins.is_empty() && origins.iter().all(fresh)
            };
            let mut call = self.add.call;
            for _ in 0..4 {
                let made = project.assigned_before(call, value);
                if !made.is_empty() && made.iter().all(is_made) {
                    return true;
                }
                // An executor is a part of the run that makes the promise.
                let executor = project.function_of(call);
                let passed = project.passed_to(executor).iter().map(|passed| passed.call).find(|made| project.call(*made).is_new);
                let Some(outer) = passed.filter(|outer| outer.file == call.file && project.is_executor(executor)) else { break };
                call = outer;
            }
            match project.value(value) {
                Value::Member(object, name) => (value, part) = (value.with(*object), Some(*name)),
                Value::Index(object, _) => (value, part) = (value.with(*object), None),
                _ => break,
            }
        }
        false
    }

    /// The event for each of which the listener is added again to one emitter, and where its handler is registered.
    fn repeated_event(&self) -> Option<(String, Location)> {
        let project = self.project;
        let mut queue = vec![(self.function(), self.on(), 0)];
        let mut seen = Vec::new();
        while let Some((function, emitter, depth)) = queue.pop() {
            if seen.contains(&function) || depth > 3 {
                continue;
            }
            seen.push(function);
            for passed in project.passed_to(function).iter() {
                let adds = project.registry().adds_in(passed.call.file);
                let mut adds = adds.filter(|add| add.call == passed.call && !add.once);
                let add = adds.find(|add| !self.removes_itself(function, add));
                if let Some(Event::Named(name)) = add.map(|add| add.event)
                    && comes_often(project, &name)
                    && is_older(project, emitter, function)
                {
                    return Some((name.to_string(), project.locate(passed.call)));
                }
            }
            for caller in project.callers(function).iter().filter(|caller| !caller.weak) {
                if project.is_dispatched(caller.call) {
                    continue;
                }
                if let Some(emitter) = seen_by_caller(project, emitter, function, caller.call)
                    && !is_made_for(project, caller.call, emitter)
                {
                    queue.push((project.function_of(caller.call), emitter, depth + 1));
                }
            }
        }
        None
    }

    /// A handler that removes itself runs once.
    pub(super) fn removes_itself(&self, handler: In<FunctionId>, add: &Registration) -> bool {
        let removals = self.project.registry().removals_in(handler.file);
        let mut own = removals.filter(|removal| removal.function == handler);
        own.any(|removal| self.project.meeting(add, removal).may_match())
    }

    /// The emitter is a variable of the loop, or comes from one.
    fn is_on_loop_local(&self, head: crate::text::Span) -> bool {
        self.depends_on_loop(self.on(), head)
    }

    /// The value mentions a variable that the loop declares or assigns.
    fn depends_on_loop(&self, value: In<ValueId>, head: crate::text::Span) -> bool {
        let project = self.project;
        let summary = project.summary(value.file);
        let inside = |binding: crate::model::BindingId| {
            let scope = summary.binding(binding).scope;
            let mut next = Some(scope);
            while let Some(scope) = next {
                if summary.scope(scope).span.start >= head.start && summary.scope(scope).is_loop {
                    return true;
                }
                next = summary.scope(scope).parent;
            }
            false
        };
        match project.value(value) {
            Value::Binding(binding) => {
                let assigned = project.uses(value).iter().any(|access| {
                    matches!(access.kind, AccessKind::Assigned { .. }) && access.span.start >= head.start
                });
                inside(*binding) || assigned
            }
            Value::Member(object, _) => self.depends_on_loop(value.with(*object), head),
            Value::Index(object, key) => {
                self.depends_on_loop(value.with(*object), head) || self.depends_on_loop(value.with(*key), head)
            }
            Value::Function(function) => {
                let captures = &summary.function(*function).captures;
                captures.iter().any(|captured| {
                    let value =
                        summary.values.iter().position(|value| matches!(value, Value::Binding(b) if b == captured));
                    inside(*captured) || value.is_some_and(|at| self.depends_on_loop(head_value(self, at), head))
                })
            }
            Value::Result(call) => {
                let call = summary.call(*call);
                self.depends_on_loop(value.with(call.callee), head)
                    || call.arguments.iter().any(|argument| self.depends_on_loop(value.with(argument.value), head))
            }
            Value::Opaque(parts) | Value::Choice(parts) => {
                parts.iter().any(|part| self.depends_on_loop(value.with(*part), head))
            }
            _ => false,
        }
    }
}

/// A value of the listener's file by its number.
fn head_value(listener: &Listener<'_, '_>, at: usize) -> In<ValueId> {
    listener.add.call.with(ValueId(at as u32))
}

/// Events that surely come again and again, by the words of their names. Of others nothing is known.
fn comes_often(project: &Project<'_>, event: &str) -> bool {
    project.contracts.words.last(Meaning::Often, event)
}
