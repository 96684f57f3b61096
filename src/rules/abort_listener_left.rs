//! abort-listener-left: an 'abort' listener on the caller's signal outlives the call that added it.

use super::listener_added_again::again;
use super::removal_never_matches;
use super::support::listeners::{self, Listener};
use super::support::mend::listener::{removed_in, removed_in_finally};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{Exit, Flow, FunctionKind, In, Rate, Value, ValueId};
use crate::project::{Origin, Owner, Project};

/// Finds 'abort' listeners that nothing removes from the caller's signal.
pub fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for listener in listeners::all(project) {
        if is_left(&listener) {
            findings.push(report(&listener));
        }
    }
}

fn is_left(listener: &Listener<'_, '_>) -> bool {
    is_on_callers_signal(listener)
        && listener.project.call_rate(listener.add.call).rate != Some(Rate::Once)
        && !listener.is_made_before()
        && !listener.is_in_boot()
        && !makes_what_it_ends(listener)
        && !listener.ends_by_itself()
        && (listener.removals().is_empty() || listener.drops_disposer())
        && removal_never_matches::missed(listener).is_none()
        && again(listener).is_none()
}

/// The call makes an object with methods for its caller and is over at once: the signal ends that object, which may live long.
fn makes_what_it_ends(listener: &Listener<'_, '_>) -> bool {
    let project = listener.project;
    let function = listener.function();
    let data = project.function(function);
    let mut makes = false;
    data.flow.walk(&mut |flow| {
        if let Flow::Exit(Exit::Return(Some(value)), _) = flow
            && let Value::Object(object) = project.value(function.with(*value))
        {
            let method = |value: ValueId| matches!(project.value(function.with(value)), Value::Function(_));
            makes |= project.object(function.with(*object)).properties.iter().any(|property| method(property.value));
        }
    });
    makes && !data.is_async
}

/// An 'abort' listener on a signal that came from outside.
pub(super) fn is_on_callers_signal(listener: &Listener<'_, '_>) -> bool {
    let project = listener.project;
    // `options.signal = controller.signal` just before.
    let put = project.assigned_before(listener.add.call, listener.on());
    let is_callers = |signal: In<ValueId>| !is_own(project, signal, 0) || is_copied(listener, signal, 0);
    listener.event() == Some("abort")
        && is_signal(listener)
        && is_callers(listener.on())
        && (put.is_empty() || put.into_iter().any(is_callers))
}

/// The signal of options that were copied from a parameter: the object is new, what is in it is the caller's.
fn is_copied(listener: &Listener<'_, '_>, value: In<ValueId>, depth: u32) -> bool {
    let project = listener.project;
    let call = listener.add.call;
    if depth > 3 || value.file != call.file {
        return false;
    }
    match project.value(value) {
        Value::Choice(sides) => sides.iter().any(|side| is_copied(listener, value.with(*side), depth + 1)),
        Value::Binding(binding) => project
            .binding(value.with(*binding))
            .value
            .is_some_and(|assigned| is_copied(listener, value.with(assigned), depth + 1)),
        Value::Member(holder, name) => {
            let copied = project.copied_into(value.with(*holder), *name);
            let given = |from: &In<ValueId>| project.origins(*from).iter().any(|o| matches!(o, Origin::Parameter(_)));
            copied.iter().any(given) && project.assigned_before(call, value).is_empty()
        }
        _ => false,
    }
}

fn is_signal(listener: &Listener<'_, '_>) -> bool {
    let project = listener.project;
    project.is_family(listener.on(), "signal")
        || listener.add.dedupes
        || last_name(project, listener.on()).ends_with("ignal")
}

/// The name by which the code calls a value.
fn last_name(project: &Project<'_>, value: In<ValueId>) -> &'static str {
    match project.value(value) {
        Value::Member(_, name) => name.as_str(),
        Value::Binding(binding) => project.binding(value.with(*binding)).name.as_str(),
        _ => "",
    }
}

/// The signal of a controller that this code made or keeps, or a signal made here.
fn is_own(project: &Project<'_>, value: In<ValueId>, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    if let Value::Member(holder, name) = project.value(value) {
        let holder = value.with(*holder);
        let named = last_name(project, holder).to_ascii_lowercase();
        let controller = project.is_family(holder, "controller") || named.ends_with("controller") || named == "ac";
        // A request's signal is the request's own and dies with it.
        let request = matches!(named.as_str(), "req" | "request" | "ctx" | "context");
        if *name == "signal" && (controller && !is_given(project, holder) || request) {
            return true;
        }
    }
    let made = |origin: &Origin| match origin {
        Origin::Result(_) | Origin::New(..) | Origin::Resolved(_) => true,
        Origin::Part(part) => *part != value && is_own(project, *part, depth + 1),
        _ => false,
    };
    // A signal inside an options object is not made with that object; one inside a `new Request(…)` is.
    let holder_is_made = match project.value(value) {
        Value::Member(holder, _) => {
            let outside = |origin: &Origin| matches!(origin, Origin::Result(_) | Origin::Resolved(_));
            let origins = project.origins(value.with(*holder));
            !origins.is_empty() && origins.iter().all(outside)
        }
        _ => matches!(project.lifetime(value).owner, Owner::Call(_)),
    };
    let origins = project.origins(value);
    holder_is_made || (!origins.is_empty() && origins.iter().all(made))
}

/// A controller that users of the package pass in: they may abort many calls by it.
fn is_given(project: &Project<'_>, controller: In<ValueId>) -> bool {
    match project.origin(controller) {
        Origin::Parameter(parameter) => {
            let function = parameter.with(project.binding(parameter).function);
            let plain = !project.is_constructor(function) && project.class_of(function).is_none();
            plain && project.is_public(function)
        }
        _ => false,
    }
}

fn report(listener: &Listener<'_, '_>) -> Finding {
    let project = listener.project;
    let constructs = project.function(listener.function()).kind == FunctionKind::Constructor;
    let (what, end) = if constructs {
        ("instance", "when the instance is done")
    } else {
        ("call", "when the work ends, in `finally`")
    };
    let once = if listener.add.once { "; `once` helps only if the signal is aborted" } else { "" };
    let message = format!("the 'abort' listener stays on {} after the {what} has ended", listener.on_text());
    let finding = listener
        .finding("abort-listener-left", Confidence::Medium, message)
        .with_why(format!(
            "the signal comes from the caller, who may use it for many calls, and nothing removes the listener{once}"
        ))
        .with_help(format!(
            "call `{}` {end}, or pass `{{ signal }}` of a controller that is aborted there",
            listener.removal_text()
        ))
        .with_step(StepKind::Grow, listener.at(), "the listener is added, once for each ".to_owned() + what);
    let in_disposal = || listener.disposal().and_then(|ending| removed_in(listener, ending));
    match removed_in_finally(listener).or_else(in_disposal) {
        Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
        None => finding,
    }
}
