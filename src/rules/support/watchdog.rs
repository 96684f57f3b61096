//! Watchdogs that nobody can call off: timers that end a thing of their function when it takes too long, without a handle.
//! What promises and callbacks have to do with it, `deadline` asks.

use super::deadline::{is_pause, is_soon, is_unreferenced};
use super::keeper::{Keeper, care, keeper};
use crate::model::words::Meaning;
use crate::model::{BindingId, CallId, Cond, Flow, FunctionId, In, Step, Summary, Type, Value, ValueId};
use crate::project::{AccessKind, Project, Root};
use crate::text::{Location, Span};

/// A timer that aborts a controller of its own function, whose signal works there, and that nothing clears when the work is
/// done: where the signal is handed over.
pub(crate) fn aborts(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Location> {
    let place = match keeper(project, call, ty) {
        Keeper::Dropped => None,
        Keeper::Place(place) if matches!(place.root, Root::Variable(_)) => Some(place),
        _ => return None,
    };
    let cared = place.is_some_and(|place| {
        let care = care(project, place, ty);
        !care.releases.is_empty() || !care.escapes.is_empty()
    });
    if cared || is_pause(project, call) || is_unreferenced(project, call, place) {
        return None;
    }
    let callback = *project.functions_in(project.argument(call, 0)?).first()?;
    let controller = project.calls_in(callback).find_map(|inner| {
        let aborts = project.method_name(inner).is_some_and(|name| name == "abort");
        project.receiver(inner).filter(|receiver| aborts && project.is_family(*receiver, "controller"))
    })?;
    let home = project.function_of(call);
    let own = match project.value(controller) {
        Value::Binding(binding) => project.binding(controller.with(*binding)).function == home.id,
        // What a field holds may be reached from elsewhere; the timer may not.
        _ => place.is_none() && is_made_in(project, controller, home),
    };
    if !own {
        return None;
    }
    let local = matches!(project.value(controller), Value::Binding(_));
    let mut signal = None;
    for made in made_in(project, controller, home) {
        let Some(place) = project.place(made) else { continue };
        for access in project.accesses(place).iter() {
            match access.kind {
                // Whoever gets the controller may know when the work is done.
                AccessKind::Argument { .. } | AccessKind::Inside { .. } | AccessKind::Returned => return None,
                AccessKind::Stored { .. } if local => return None,
                AccessKind::KeyRead { .. } if access.function() == home => signal = Some(access.at()),
                _ => {}
            }
        }
    }
    signal
}

/// Whether a field holds a controller that a function makes.
fn is_made_in(project: &Project<'_>, field: In<ValueId>, home: In<FunctionId>) -> bool {
    !made_in(project, field, home).is_empty()
}

/// The variables of a function, and the value itself, by which it speaks of a controller.
fn made_in(project: &Project<'_>, controller: In<ValueId>, home: In<FunctionId>) -> Vec<In<ValueId>> {
    if matches!(project.value(controller), Value::Binding(_)) {
        return vec![controller];
    }
    let Some(place) = project.place(controller) else { return Vec::new() };
    let accesses = project.accesses(place);
    let assigned = accesses.iter().filter_map(|access| match access.kind {
        AccessKind::Assigned { value, .. } if access.function() == home => Some(access.of(value)),
        _ => None,
    });
    assigned.filter(|value| matches!(project.value(*value), Value::Binding(_))).collect()
}

/// What a dropped timer does when it fires: it first asks whether a thing that its function was given is over, and ends it
/// if not. That it asks says that it mostly comes too late.
pub(crate) fn asks_first(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Location> {
    if keeper(project, call, ty) != Keeper::Dropped || is_pause(project, call) || is_unreferenced(project, call, None) {
        return None;
    }
    let callback = *project.functions_in(project.argument(call, 0)?).first()?;
    let summary = project.summary(callback.file);
    let (asked, then, span) = guarded(summary, &project.function(callback).flow)?;
    let asked = over(project, callback, asked);
    let mut ends = false;
    then.walk(&mut |flow| {
        let Flow::Step(Step::Call(inner)) = flow else { return };
        let Value::Member(object, name) = summary.value(summary.call(*inner).callee) else { return };
        let word = name == "reject" || project.contracts.words.has(Meaning::Disposal, name);
        let root = root_of(project, callback.with(*object));
        ends |= word && root.is_some() && asked.iter().any(|value| root_of(project, callback.with(*value)) == root);
    });
    ends.then(|| project.at(callback.file, span))
}

/// Where something is released that a dropped timer releases as well when it takes too long: the timer goes on from there.
pub(crate) fn gives_up(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Location> {
    let dropped = match keeper(project, call, ty) {
        Keeper::Dropped => true,
        Keeper::Place(place) => {
            let care = care(project, place, ty);
            matches!(place.root, Root::Variable(_)) && care.releases.is_empty() && care.escapes.is_empty()
        }
        Keeper::Elsewhere => false,
    };
    let brief = || {
        is_pause(project, call)
            || is_soon(project, project.argument(call, 1).unwrap_or(call.with(project.call(call).callee)))
    };
    if !dropped || project.contracts.is_family(ty, "interval") || brief() || is_unreferenced(project, call, None) {
        return None;
    }
    let home = project.function_of(call);
    let callback = *project.functions_in(project.argument(call, 0)?).first()?;
    let armed = project.call(call).span;
    let released = |inner: In<CallId>| {
        let part = project.api(inner)?.releases?;
        project.place(project.part(inner, part)?)
    };
    let own = project.calls_in(callback).filter_map(|inner| match released(inner)?.root {
        Root::Variable(binding) if project.binding(binding).function == home.id => released(inner),
        _ => None,
    });
    own.into_iter().find_map(|place| {
        let accesses = project.accesses(place);
        let elsewhere = accesses.iter().find(|access| {
            let function = access.function();
            let given = match access.kind {
                AccessKind::Argument { call, .. } | AccessKind::Method { call, .. } => released(access.of(call)),
                _ => None,
            };
            given == Some(place)
                && function != home
                && !armed.contains(access.span)
                && project.around(function, |f| f == callback).is_none()
                && !project.leads_to(callback, function)
        })?;
        Some(elsewhere.at())
    })
}

/// The condition on which a body does anything at all, and what it does then.
fn guarded<'f>(summary: &Summary, flow: &'f Flow) -> Option<(&'f Cond, &'f Flow, Span)> {
    let parts = match flow {
        Flow::Sequence(parts) => &parts[..],
        one => std::slice::from_ref(one),
    };
    let branches: Vec<&Flow> = parts.iter().filter(|part| matches!(part, Flow::Branch { .. })).collect();
    let [Flow::Branch { cond, then, otherwise, span }] = branches[..] else { return None };
    let rest = parts.iter().any(|part| match part {
        Flow::Branch { .. } | Flow::Step(Step::ScopeEnd { .. }) => false,
        // The condition's own calls.
        Flow::Step(Step::Call(call)) => !span.contains(summary.call(*call).span),
        _ => true,
    });
    (otherwise.is_empty() && !rest).then_some((cond, &**then, *span))
}

/// The parts of things that a condition wants to be false, `!child.killed`, and the things that it asks a function about,
/// `!hasExited(child)`; not whether there is a child.
fn over(project: &Project<'_>, callback: In<FunctionId>, cond: &Cond) -> Vec<ValueId> {
    match cond {
        Cond::Not(inner) => match &**inner {
            Cond::Truthy(value) => match project.value(callback.with(*value)) {
                Value::Member(..) => vec![*value],
                Value::Result(call) => {
                    let call = callback.with(*call);
                    let name = project.method_name(call);
                    let ends = name.is_some_and(|name| project.contracts.words.any(Meaning::Ending, &name));
                    let given = project.call(call).arguments.iter().map(|argument| argument.value);
                    let asked = given.chain(project.receiver(call).map(|receiver| receiver.id));
                    asked.filter(|_| ends).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        },
        Cond::All(parts) => parts.iter().flat_map(|part| over(project, callback, part)).collect(),
        _ => Vec::new(),
    }
}

/// The local variable of an outer function that a value is a part of.
fn root_of(project: &Project<'_>, value: In<ValueId>) -> Option<In<BindingId>> {
    match project.value(value) {
        Value::Member(object, _) | Value::Index(object, _) => root_of(project, value.with(*object)),
        Value::Opaque(parts) => match parts[..] {
            [only] => root_of(project, value.with(only)),
            _ => None,
        },
        Value::Binding(binding) => {
            let binding = value.with(*binding);
            (project.binding(binding).function != FunctionId::MODULE).then_some(binding)
        }
        _ => None,
    }
}
