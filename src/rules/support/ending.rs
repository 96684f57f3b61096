//! Methods that end an object's life, by the catalog's words, and what they reach.

use super::keeper::Care;
use crate::model::contract::Runs;
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, Flow, FunctionId, In, Value, ValueId};
use crate::project::{Access, AccessKind, Handed, Project};
use rustc_hash::FxHashSet;

/// Methods of a class (and its project bases) that end its instances: `close`, `destroy`, `stop`, ...
pub(crate) fn endings(project: &Project<'_>, class: In<ClassId>) -> Vec<In<FunctionId>> {
    let mut found: Vec<In<FunctionId>> = Vec::new();
    for class in std::iter::once(class).chain(project.bases(class)) {
        for method in project.methods(class) {
            let name = project.function(method).name;
            let known = found.iter().any(|&f| project.function(f).name == name);
            let fits = is_ending_word(project, &name) && !takes_out(project, method);
            let own = !is_reaction(project, method) && !ends_its_argument(project, method);
            if !known && fits && project.function(method).has_body && own {
                found.push(method);
            }
        }
    }
    found
}

/// Of the methods that end an object, those that end it as a whole: `close` rather than `cancel`, where there are both.
pub(crate) fn whole_endings(project: &Project<'_>, endings: &[In<FunctionId>]) -> Vec<In<FunctionId>> {
    let without = |from: &[In<FunctionId>], meaning: Meaning| {
        let says = |ending: &&In<FunctionId>| {
            let name = project.function(**ending).name;
            !project.contracts.words.has(meaning, name.trim_start_matches(['#', '_']))
        };
        let whole: Vec<In<FunctionId>> = from.iter().filter(says).copied().collect();
        if whole.is_empty() { from.to_vec() } else { whole }
    };
    without(&without(endings, Meaning::TakesOut), Meaning::EndsOne)
}

/// Whether its name is that of a method that takes something out of an object: `unsubscribe`.
pub(crate) fn says_takes_out(project: &Project<'_>, method: In<FunctionId>) -> bool {
    let name = project.function(method).name;
    project.contracts.words.has(Meaning::TakesOut, name.trim_start_matches(['#', '_']))
}

/// `unsubscribe(topic)`: it is told what to take out of the object, which goes on.
fn takes_out(project: &Project<'_>, method: In<FunctionId>) -> bool {
    let function = project.function(method);
    says_takes_out(project, method)
        && function.parameters.first().is_some_and(|first| {
            let name = project.binding(method.with(*first)).name;
            !project.contracts.words.has(Meaning::Answering, &name) && !name.to_lowercase().contains("err")
        })
}

/// `onClose` that the project runs itself when something else closes: what it closes over has ended by then.
fn is_reaction(project: &Project<'_>, method: In<FunctionId>) -> bool {
    let name = project.function(method).name;
    let bare = name.trim_start_matches(['#', '_']);
    let tells = bare.strip_prefix("on").is_some_and(|rest| rest.starts_with(|first: char| first.is_uppercase()));
    tells && (!project.callers(method).is_empty() || !project.passed_to(method).is_empty())
}

/// `pool.destroy(resource)`, `presence.unsubscribe(topic)`: what ends is the argument, or what the object keeps under it.
pub(crate) fn ends_its_argument(project: &Project<'_>, method: In<FunctionId>) -> bool {
    let Some(&first) = project.function(method).parameters.first() else { return false };
    let summary = project.summary(method.file);
    // `store.destroy(sid)`.
    if project.contracts.words.last(Meaning::Data, &summary.binding(first).name) {
        return true;
    }
    let is_first = |value: ValueId| matches!(summary.value(value), Value::Binding(binding) if *binding == first);
    let own = |value: ValueId| match summary.value(value) {
        Value::Member(object, _) => matches!(summary.value(*object), Value::This(_)),
        _ => false,
    };
    let ends = |at: usize| {
        let call = &summary.calls[at];
        if !summary.is_inside(call.function, method.id) {
            return false;
        }
        let Value::Member(object, name) = summary.value(call.callee) else { return false };
        let taken_out = own(*object) && call.arguments.first().is_some_and(|argument| is_first(argument.value));
        is_first(*object) && project.contracts.words.has(Meaning::Disposal, name)
            || taken_out
                && matches!(name.as_str(), "delete" | "get" | "has" | "off" | "removeListener" | "removeAllListeners")
    };
    summary.values.iter().any(|value| matches!(value, Value::Index(table, key) if own(*table) && is_first(*key)))
        || (0..summary.calls.len()).any(ends)
}

fn is_ending_word(project: &Project<'_>, name: &str) -> bool {
    let ends = |word: &str| project.contracts.words.has(Meaning::Disposal, word);
    let bare = name.trim_start_matches(['#', '_']);
    ends(bare) || bare.strip_suffix("Async").or_else(|| bare.strip_suffix("Sync")).is_some_and(ends)
}

/// Everything that running a function may run: what it calls, what it hands on, and functions inside it.
pub(crate) fn reach(project: &Project<'_>, from: In<FunctionId>) -> FxHashSet<In<FunctionId>> {
    reach_by(project, from, None, |_| true)
}

/// Likewise, without what it hands on to be run later.
pub(crate) fn reach_at_once(project: &Project<'_>, from: In<FunctionId>) -> FxHashSet<In<FunctionId>> {
    reach_by(project, from, None, |handed| handed.runs == Some(Runs::Sync))
}

/// Likewise, without the listeners that it registers for anything but an end: to wait for an answer is not to run what the
/// answer runs.
fn reach_of_end(
    project: &Project<'_>,
    from: In<FunctionId>,
    apart: Option<In<FunctionId>>,
) -> FxHashSet<In<FunctionId>> {
    reach_by(project, from, apart, |handed| handed.event.is_none_or(|event| is_end(&event)))
}

fn reach_by(
    project: &Project<'_>,
    from: In<FunctionId>,
    apart: Option<In<FunctionId>>,
    follows: impl Fn(&Handed) -> bool,
) -> FxHashSet<In<FunctionId>> {
    let mut seen = FxHashSet::default();
    let mut left = vec![from];
    while let Some(function) = left.pop() {
        if Some(function) == apart && function != from || !seen.insert(function) || seen.len() > 400 {
            continue;
        }
        for call in project.calls_in(function) {
            let targets = project.targets(call);
            if targets.functions.is_empty() && project.api(call).is_none() {
                left.extend(project.dispatched(call));
                left.extend(collected(project, call));
            }
            // `this.response.destroy()` of something unknown is hardly this class's own `destroy`.
            let own = |f: &In<FunctionId>| {
                let class = project.class_of(*f);
                class.is_some() && class == project.enclosing_class(function)
            };
            left.extend(targets.functions.iter().copied().filter(|f| !(targets.weak && own(f))));
            // `removeListener(event, f)` runs nothing.
            if !project.api(call).is_some_and(|api| api.removes.is_some()) {
                left.extend(project.callbacks(call).into_iter().filter(&follows).map(|handed| handed.function));
            }
        }
    }
    seen
}

/// `this.disposables.forEach((dispose) => dispose())`: the functions that were put into the list.
fn collected(project: &Project<'_>, call: In<CallId>) -> Vec<In<FunctionId>> {
    let callee = call.with(project.call(call).callee);
    let Value::Binding(element) = project.value(callee) else { return Vec::new() };
    let element = callee.with(*element);
    let lists: Vec<In<ValueId>> = match project.binding(element).value.map(|value| project.value(element.with(value))) {
        Some(Value::Index(list, _)) => vec![element.with(*list)],
        _ => {
            let passed = project.passed_to(element.with(project.binding(element).function));
            let at_once = passed.iter().filter(|passed| passed.handed.runs == Some(Runs::Sync));
            at_once.filter_map(|passed| project.receiver(passed.call)).collect()
        }
    };
    lists.into_iter().flat_map(|list| put_into(project, list)).flat_map(|value| project.functions_in(value)).collect()
}

/// What a list is made of, and what is added to it later.
fn put_into(project: &Project<'_>, list: In<ValueId>) -> Vec<In<ValueId>> {
    let Some(place) = project.place(list) else { return Vec::new() };
    let mut found: Vec<In<ValueId>> = Vec::new();
    for access in project.accesses(place).iter() {
        if let AccessKind::Assigned { value, .. } = access.kind
            && let Value::Array(_, parts) = project.value(access.of(value))
        {
            found.extend(parts.iter().map(|part| access.of(*part)));
        }
    }
    let tables = project.tables().iter().filter(|table| table.place == place);
    found.extend(tables.flat_map(|table| table.growths.iter()).filter_map(|growth| growth.value.or(growth.key)));
    found
}

/// Whether an event tells of the end of whoever emits it. An `'error'` does not: it is one of several ends.
pub(crate) fn is_end(event: &str) -> bool {
    matches!(event, "close" | "end" | "finish" | "exit" | "disconnect" | "abort" | "aborted" | "destroyed")
}

/// Whether one of the accesses happens in what a function may run.
pub(crate) fn reaches(project: &Project<'_>, from: In<FunctionId>, accesses: &[Access]) -> bool {
    reaches_apart(project, from, None, accesses)
}

/// Likewise, without what a certain function leads to.
pub(crate) fn reaches_apart(
    project: &Project<'_>,
    from: In<FunctionId>,
    apart: Option<In<FunctionId>>,
    accesses: &[Access],
) -> bool {
    if accesses.is_empty() {
        return false;
    }
    let reach = reach_of_end(project, from, apart);
    accesses.iter().any(|access| {
        let summary = project.summary(access.file);
        reach
            .iter()
            .any(|f| f.file == access.file && summary.is_inside(access.function, f.id) && f.id != FunctionId::MODULE)
    })
}

/// Whether a method runs code that can't be found with the object itself as its receiver or argument: the states of
/// a state machine. What other objects hand over of themselves, is not this one.
pub(crate) fn hands_itself_over(project: &Project<'_>, ending: In<FunctionId>, class: In<ClassId>) -> bool {
    let own = |function: In<FunctionId>| {
        project.enclosing_class(function).is_none_or(|of| of == class || project.bases(class).contains(&of))
    };
    reach(project, ending).into_iter().filter(|function| own(*function)).any(|function| {
        project.calls_in(function).any(|call| {
            let itself = project
                .call(call)
                .arguments
                .iter()
                .any(|argument| matches!(project.value(call.with(argument.value)), Value::This(_)));
            itself && project.targets(call).functions.is_empty() && project.api(call).is_none()
        })
    })
}

/// Whether a release runs in a handler of an event that tells of the end, whoever emits it. An `'error'` is one of several ends.
pub(crate) fn released_by_end_event(project: &Project<'_>, care: &Care) -> bool {
    let is_handler = |f: In<FunctionId>| {
        project.passed_to(f).iter().any(|passed| passed.handed.event.is_some_and(|event| is_end(&event)))
    };
    let mut seen = FxHashSet::default();
    // To arm it again, the old one is cleared.
    let rearms = |function: &In<FunctionId>| care.assigned.iter().any(|assigned| assigned.function() == *function);
    let releasing = care.releases.iter().map(Access::function);
    let mut left: Vec<In<FunctionId>> = releasing.filter(|function| !rearms(function)).collect();
    while let Some(function) = left.pop() {
        if !seen.insert(function) || seen.len() > 100 {
            continue;
        }
        if project.around(function, is_handler).is_some() {
            return true;
        }
        left.extend(project.callers(function).iter().map(|caller| project.function_of(caller.call)));
    }
    false
}

/// Whether the timer's callback looks at a flag of the end before it does anything: it comes too late, and does no harm.
pub(crate) fn asks_for_end(project: &Project<'_>, callback: In<FunctionId>) -> bool {
    let summary = project.summary(callback.file);
    let flag = |value: ValueId| match summary.value(value) {
        Value::Member(object, name) => {
            matches!(summary.value(*object), Value::This(_)) && project.contracts.words.has(Meaning::Ending, name)
        }
        // `this.callHasEnded()`.
        Value::Result(call) => {
            let name = project.method_name(callback.with(*call));
            name.is_some_and(|name| project.contracts.words.any(Meaning::Ending, &name))
        }
        _ => false,
    };
    let mut asks = false;
    project.function(callback).flow.walk(&mut |flow| {
        if let Flow::Branch { cond, .. } = flow {
            cond.values(&mut |value| asks |= flag(value));
        }
    });
    asks
}
