//! removal-never-matches: the removal names another function, event or emitter than the registration.

use super::support::listeners::{self, Listener};
use super::support::mend::listener::same_function;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Value, ValueId};
use crate::project::{Likeness, Meeting, Origin, Project, Removal};

/// Finds registrations whose removal can't match them.
pub fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for listener in listeners::all(project) {
        if let Some((removal, why)) = missed(&listener) {
            findings.push(report(&listener, removal, why));
        }
    }
}

/// Why a removal misses.
#[derive(Clone, Copy)]
enum Miss {
    /// It names a function that is made where it stands.
    Fresh,
    /// It names one function, the registration another.
    Function,
    /// The function that makes listeners instead of the one it made.
    Factory,
    /// The function that the registered one was made to run.
    Wrapped,
    /// The right function, another event.
    Event,
    /// The right function and event, another emitter.
    Emitter,
}

/// The removal that means this registration and misses it; none where another one takes it back.
pub(super) fn missed<'p>(listener: &Listener<'p, '_>) -> Option<(&'p Removal, impl Fn() -> String + use<>)> {
    let (removal, miss) = find(listener)?;
    Some((removal, move || words(miss)))
}

fn find<'p>(listener: &Listener<'p, '_>) -> Option<(&'p Removal, Miss)> {
    let project = listener.project;
    listener.add.handler?;
    let removals = listener.removals();
    if listener.ends_by_itself() {
        return None;
    }
    if removals.iter().any(|(removal, _)| removal.handler.is_some()) {
        return astray(listener, &removals).map(|removal| (removal, Miss::Event));
    }
    let others = !removals.is_empty();
    let near = listener.meetings().filter(|(removal, _)| belongs(listener, removal)).find_map(|(removal, meeting)| {
        let handler = removal.handler?;
        let miss = miss(listener, removal, handler, meeting)?;
        // A removal that can't match anything is wrong even where another place forgets all listeners at once.
        let surely = matches!(miss, Miss::Fresh | Miss::Factory);
        ((surely || !others) && !means_another(listener, removal)).then_some((removal, miss))
    });
    near.or_else(|| wrong_event(listener).filter(|_| !others).map(|removal| (removal, Miss::Event)))
        .filter(|_| !project.is_native(listener.add.call.file))
}

/// The removal is written for what the registration is written for: in the same class or the same outermost function.
fn belongs(listener: &Listener<'_, '_>, removal: &Removal) -> bool {
    let project = listener.project;
    let adding = listener.function();
    let class =
        |function| project.around(function, |f| project.class_of(f).is_some()).and_then(|f| project.class_of(f));
    let outermost = |function| {
        project.around(function, |f| project.function(f).parent.is_none_or(|parent| parent == FunctionId::MODULE))
    };
    let module = adding.id == FunctionId::MODULE || removal.function.id == FunctionId::MODULE;
    adding.file == removal.function.file
        && (module
            || outermost(adding) == outermost(removal.function)
            || class(adding).is_some() && class(adding) == class(removal.function)
            || !project.lifetime(listener.on()).is_process())
}

fn miss(listener: &Listener<'_, '_>, removal: &Removal, removed: In<ValueId>, meeting: Meeting) -> Option<Miss> {
    let project = listener.project;
    if makes(listener, removed) {
        return Some(Miss::Factory);
    }
    if meeting.handler == Likeness::Same {
        let surely = meeting.on == Likeness::Different && meeting.event == Likeness::Same;
        return (surely && is_known(listener, removal) && !is_called_on(listener, removal)).then_some(Miss::Emitter);
    }
    if is_wrapped(listener, removal, removed, meeting) {
        return Some(Miss::Wrapped);
    }
    if removal.is_lifted
        || meeting.on != Likeness::Same
        || meeting.event != Likeness::Same
        || meeting.handler != Likeness::Different
    {
        return None;
    }
    if is_found_there(listener, removed) {
        return None;
    }
    // What a callback is handed is known to its caller alone: `emitter.listeners('x').forEach((f) => emitter.off('x', f))`.
    let given = |origin: &Origin| match origin {
        Origin::Parameter(binding) => Some(binding.with(project.binding(*binding).function)),
        _ => None,
    };
    if let Some(owner) = project.origins(removed).iter().find_map(given) {
        let around = || project.around(listener.function(), |f| f == owner).is_some();
        let kept = listener.add.handler.is_some_and(|added| !project.is_fresh_function(added));
        return (kept && around()).then_some(Miss::Function);
    }
    let factory = project.functions_in(removed).iter().any(|function| project.makes_functions(*function));
    match () {
        () if project.is_fresh_function(removed) => Some(Miss::Fresh),
        () if factory => None,
        () => Some(Miss::Function),
    }
}

/// `emitter.listeners('x')[0]`: what is taken back was asked of the emitter, and is not what stands here. Likewise what `on`
/// itself gave: whoever takes that back knows an emitter that gives its listeners.
fn is_found_there(listener: &Listener<'_, '_>, removed: In<ValueId>) -> bool {
    let project = listener.project;
    let mut value = removed;
    for _ in 0..6 {
        let next = match project.value(value) {
            Value::Binding(binding) => project.binding(value.with(*binding)).value,
            Value::Member(list, _) | Value::Index(list, _) => Some(*list),
            Value::Result(call) => {
                let call = value.with(*call);
                let name = project.method_name(call);
                if call == listener.add.call {
                    return true;
                }
                return name.is_some_and(|name| matches!(name.as_str(), "listeners" | "rawListeners"));
            }
            _ => None,
        };
        let Some(next) = next else { return false };
        value = value.with(next);
    }
    false
}

/// `on(event, f)` registers a closure that runs `f`, and `off(event, f)` asks for `f` itself.
fn is_wrapped(listener: &Listener<'_, '_>, removal: &Removal, removed: In<ValueId>, meeting: Meeting) -> bool {
    let project = listener.project;
    let Some(added) = listener.add.handler.filter(|added| matches!(project.value(*added), Value::Function(_))) else {
        return false;
    };
    let (adds, removes) = (listener.function(), removal.function);
    let Origin::Parameter(asked) = project.origin(removed) else { return false };
    let apart = adds != removes && asked.with(project.binding(asked).function) == removes;
    if !apart
        || removal.is_lifted
        || listener.add.call != listener.add.api
        || meeting.on != Likeness::Same
        || meeting.event == Likeness::Different
        || !project.is_fresh_function(added)
        || !listeners::takes_back(&project.function(removes).name)
    {
        return false;
    }
    let runs_given = |call: In<CallId>| match project.origin(call.with(project.call(call).callee)) {
        Origin::Parameter(given) => {
            let named = project.binding(given).name == project.binding(asked).name;
            named && given.with(project.binding(given).function) == adds
        }
        _ => false,
    };
    project.functions_in(added).iter().any(|wrapper| project.calls_in(*wrapper).any(runs_given))
}

/// Beside a removal that takes the listener back, one on another way that names an event which it was never added for.
fn astray<'p>(listener: &Listener<'p, '_>, removals: &[(&'p Removal, Meeting)]) -> Option<&'p Removal> {
    let project = listener.project;
    if !removals.iter().all(|(_, meeting)| meeting.matches()) || project.is_native(listener.add.call.file) {
        return None;
    }
    // Where both are asked for, the one too many does no harm; and it may mean another listener, and name the wrong function.
    let alone = |wrong: &&Removal| !removals.iter().any(|(right, _)| right.function == wrong.function);
    let means_another = |wrong: &Removal| {
        project.registry().adds_in(wrong.function.file).any(|add| {
            let near = project.function_of(add.call) == listener.function();
            near && project.events(add.event, wrong.event) == Likeness::Same
        })
    };
    wrong_event(listener).filter(alone).filter(|wrong| !means_another(wrong))
}

/// What the removal is called on is made or named in sight: what some call has given may be the very same emitter.
fn is_known(listener: &Listener<'_, '_>, removal: &Removal) -> bool {
    let project = listener.project;
    let given = |origin: &Origin| match origin {
        Origin::Result(call) | Origin::Resolved(call) => !project.call(*call).is_new && project.gives(*call).is_none(),
        _ => false,
    };
    // Whose receiver a plain function's is, its caller knows.
    !listener.is_on_receiver() && removal.on.is_some_and(|on| !project.origins(on).iter().any(given))
}

/// `function once() { this.off('x', once); }`: an emitter calls its listeners as methods of its own.
fn is_called_on(listener: &Listener<'_, '_>, removal: &Removal) -> bool {
    let project = listener.project;
    let (Some(on), Some(added)) = (removal.on, listener.add.handler) else { return false };
    match project.value(on) {
        Value::This(function) => project.functions_in(added).contains(&on.with(*function)),
        _ => false,
    }
}

/// The registered function is a result of the removed one.
fn makes(listener: &Listener<'_, '_>, removed: In<ValueId>) -> bool {
    let project = listener.project;
    let Some(added) = listener.add.handler else { return false };
    let Value::Result(call) = project.value(added) else { return false };
    let targets = project.targets(added.with(*call)).functions;
    let removed = project.functions_in(removed);
    removed.iter().any(|function| targets.contains(function) && project.makes_functions(*function))
}

/// The removal takes back some other registration, so this one was not meant.
fn means_another(listener: &Listener<'_, '_>, removal: &Removal) -> bool {
    let project = listener.project;
    let (own, other) = (listener.add.call.file, removal.function.file);
    let elsewhere = (other != own).then(|| project.registry().adds_in(other));
    let adds = project.registry().adds_in(own).chain(elsewhere.into_iter().flatten());
    adds.filter(|add| add.call != listener.add.call).any(|add| {
        let meeting = project.meeting(add, removal);
        meeting.may_match() && meeting.handler == Likeness::Same
    })
}

/// The same function is removed from the same emitter under a name that nothing is registered for.
fn wrong_event<'p>(listener: &Listener<'p, '_>) -> Option<&'p Removal> {
    let project = listener.project;
    let handler = listener.add.handler?;
    let event = listener.event()?;
    let file = listener.add.call.file;
    let same = |value: Option<In<ValueId>>,
                other: In<ValueId>,
                likeness: fn(&Project<'_>, In<ValueId>, In<ValueId>) -> Likeness| {
        value.is_some_and(|value| likeness(project, value, other) == Likeness::Same)
    };
    let mut removals = project.registry().removals_in(file);
    removals.find(|removal| {
        same(removal.handler, handler, |p, a, b| p.listeners(a, b))
            && same(removal.on, listener.on(), |p, a, b| p.objects(a, b))
            && matches!(removal.event, crate::project::Event::Named(name) if name != *event)
            && !means_another(listener, removal)
    })
}

fn words(miss: Miss) -> String {
    match miss {
        Miss::Fresh => "it names a function that is made on the spot, which nobody registered",
        Miss::Function => "it names another function than the one registered for this event",
        Miss::Factory => "it names the function that makes the listeners, not the one that it made",
        Miss::Wrapped => "it names the function that was given, and what is registered is a closure around it",
        Miss::Event => "it names an event for which nothing is registered",
        Miss::Emitter => "it is called on another object than the one the listener was added to",
    }
    .to_owned()
}

fn report(listener: &Listener<'_, '_>, removal: &Removal, why: impl Fn() -> String) -> Finding {
    let project = listener.project;
    let fresh = listener.add.handler.is_some_and(|handler| project.is_fresh_function(handler));
    let message =
        format!("{} on {} is never removed: the removal does not match it", listener.event_text(), listener.on_text());
    let removing = removal.call.map_or_else(String::new, |call| format!("`{}`", project.call_text(call)));
    let help = if fresh {
        format!("keep the function in a variable or field, pass it to {} and remove that one", listener.text())
    } else {
        format!("remove with `{}`", listener.removal_text())
    };
    let finding = listener
        .finding("removal-never-matches", Confidence::High, message)
        .with_why(format!("{removing} does nothing: {}; listeners are removed by identity", why()))
        .with_help(help)
        .with_step(StepKind::Grow, listener.at(), "the listener is added here")
        .with_step(StepKind::Release, removal.at, why());
    let one_event = project.events(listener.add.event, removal.event) != Likeness::Different;
    match same_function(listener, removal).filter(|_| one_event) {
        Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
        None => finding,
    }
}
