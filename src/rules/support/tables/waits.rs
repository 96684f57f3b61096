//! Entries that wait for something that may not come: an answer when the connection has ended, a timer that has fired.

use super::keys::openness;
use super::{Life, is_inside};
use crate::model::contract::Runs;
use crate::model::words::split;
use crate::model::{Api, CallId, FunctionId, In, Value, ValueId};
use crate::project::{Access, AccessKind, Gone, Growth, Handed, Key, Openness, Origin, Project, Shrink, Table};

/// The function that hears of the end of a connection and leaves the callbacks that wait for its answers where they are:
/// answers under generated ids come no more, and the object is used again for the next connection.
pub fn unanswered(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<In<FunctionId>> {
    let Life::Instance(class) = life else { return None };
    let awaits = growth.value.is_some_and(|value| !project.functions_in(value).is_empty() || is_called(project, table));
    let keyed = |shrink: &Shrink| matches!(shrink.what, Gone::Entry(_));
    if openness(project, growth) != Openness::Generated
        || !awaits
        || table.shrinks.is_empty()
        || !table.shrinks.iter().all(keyed)
        || !table.escapes.is_empty()
    {
        return None;
    }
    let methods = || std::iter::once(class).chain(project.bases(class)).flat_map(|class| project.methods(class));
    let again = |method: In<FunctionId>| {
        let name = project.function(method).name;
        matches!(name.trim_start_matches('_'), "connect" | "reconnect" | "open" | "reopen")
    };
    let hears = |method: &In<FunctionId>| {
        let words = split(&project.function(*method).name);
        let ends =
            words.last().is_some_and(|last| matches!(last.as_str(), "close" | "disconnect" | "end" | "disconnected"));
        let on = matches!(words.first().map(String::as_str), Some("on" | "handle"))
            || words.first().is_some_and(|w| w.starts_with("on"));
        ends && on || matches!(words.last().map(String::as_str), Some("onclose" | "ondisconnect" | "onend"))
    };
    let end = methods().find(hears)?;
    let run = runs(project, end);
    let reached = table.shrinks.iter().any(|shrink| run.contains(&shrink.function));
    (methods().any(again) && !reached).then_some(end)
}

/// `on('data', (chunk) => chunks.push(chunk)); on('end', () => use(chunks))`: it ends with its source.
pub fn accumulates(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let event = |function: In<FunctionId>, events: &[&str]| {
        let passed = project.passed_to(function);
        passed.iter().any(|passed| passed.handed.event.is_some_and(|event| events.contains(&event.as_str())))
    };
    event(growth.function, &["data", "readable", "line", "row", "chunk"])
        && project
            .accesses(table.place)
            .iter()
            .any(|access| event(access.function(), &["end", "close", "finish", "exit", "done"]))
}

/// What running a function runs before it is done: what it calls and hands on to be called at once; not what it registers.
fn runs(project: &Project<'_>, from: In<FunctionId>) -> Vec<In<FunctionId>> {
    let mut seen: Vec<In<FunctionId>> = Vec::new();
    let mut left = vec![from];
    while let Some(function) = left.pop() {
        if seen.contains(&function) || seen.len() > 100 {
            continue;
        }
        seen.push(function);
        for call in project.calls_in(function) {
            left.extend(project.targets(call).functions);
            let at_once = |handed: &Handed| !matches!(handed.runs, Some(Runs::Event | Runs::Maybe));
            left.extend(project.callbacks(call).into_iter().filter(at_once).map(|handed| handed.function));
        }
    }
    seen
}

/// Whether entries of a table are called: `table[id](…)`, or taken into a variable and called.
fn is_called(project: &Project<'_>, table: &Table) -> bool {
    let called = |value: In<ValueId>| {
        project.uses(value).iter().any(|access| match access.kind {
            AccessKind::Called { .. } => true,
            AccessKind::Method { key: Key::Name(name), .. } => name == "apply" || name == "call",
            _ => false,
        })
    };
    let taken = |call: In<CallId>| {
        let Some(result) = project.result(call) else { return false };
        let stored = |access: &Access| match access.kind {
            AccessKind::Stored { place } => called(access.of(place)),
            _ => false,
        };
        called(result) || project.uses(result).iter().any(stored)
    };
    let entries = table.place.below("[]").map(|entries| project.accesses(entries));
    project.accesses(table.place).iter().any(|access| match access.kind {
        AccessKind::Method { key: Key::Value(_), .. } => true,
        AccessKind::Method { call, key: Key::Name(name) } => name == "get" && taken(access.of(call)),
        _ => false,
    }) || entries.is_some_and(|entries| entries.iter().any(|access| called(access.of(access.value))))
}

/// The call that arms a one-shot timer which a growth keeps, unless the timer's own callback takes it out again, or
/// may.
pub fn kept_timer(project: &Project<'_>, table: &Table, growth: &Growth) -> Option<In<CallId>> {
    let value = growth.value.or(growth.key)?;
    let call = match project.value(value) {
        Value::Result(call) => value.with(*call),
        Value::Binding(binding) => {
            let binding = value.with(*binding);
            let assigned = project.uses(value).iter().find_map(|access| match access.kind {
                AccessKind::Assigned { value: given, .. } => match project.value(access.of(given)) {
                    Value::Result(call) => Some(access.of(*call)),
                    _ => None,
                },
                _ => None,
            });
            match project.binding(binding).value.map(|value| project.value(binding.with(value))) {
                Some(Value::Result(call)) => binding.with(*call),
                _ => assigned?,
            }
        }
        _ => return None,
    };
    let keyed = growth.key.filter(|key| growth.value != Some(*key));
    let callback = project.argument(call, 0);
    let comes_again = |key: In<ValueId>| {
        project.openness(key) != Openness::Generated
            && !callback.is_some_and(|callback| tidies(project, table, callback, key))
    };
    if !arms_timer(project, call) || keyed.is_some_and(comes_again) {
        return None;
    }
    let removes = |function: In<FunctionId>| {
        table.shrinks.iter().any(|shrink| {
            is_inside(project, shrink.function, function) || project.drive(shrink.function).through.contains(&function)
        })
    };
    match callback.map(|callback| (project.origin(callback), project.functions_in(callback))) {
        Some((_, functions)) if !functions.is_empty() => (!functions.iter().any(|f| removes(*f))).then_some(call),
        // `new Promise((resolve) => setTimeout(resolve, ms))`: whoever awaits it may take the timer out.
        Some((Origin::Parameter(parameter), _)) => {
            let function = parameter.with(project.binding(parameter).function);
            let settles = project.passed_to(function).iter().any(|passed| project.call(passed.call).is_new);
            (!settles || table.shrinks.is_empty()).then_some(call)
        }
        _ => Some(call),
    }
}

/// Whether a timer's callback takes what is kept under the same key out of another table: the key has served.
fn tidies(project: &Project<'_>, table: &Table, callback: In<ValueId>, key: In<ValueId>) -> bool {
    let functions = project.functions_in(callback);
    project.tables().iter().filter(|other| other.place != table.place).any(|other| {
        other.shrinks.iter().any(|shrink| {
            let same = matches!(shrink.what, Gone::Entry(gone) if gone == key || project.same(gone, key));
            same && functions.iter().any(|function| is_inside(project, shrink.function, *function))
        })
    })
}

/// `setTimeout(…)`, also under the name of a parameter that callers pass it for.
fn arms_timer(project: &Project<'_>, call: In<CallId>) -> bool {
    let gives =
        |api: &Api| api.gives.as_ref().and_then(|ty| project.contracts.ty(ty)).is_some_and(|ty| ty.family == "timer");
    if let Some(api) = project.api(call) {
        return gives(api);
    }
    let Origin::Parameter(parameter) = project.origin(call.with(project.call(call).callee)) else { return false };
    project.arguments_of(parameter).into_iter().any(|argument| match project.origin(argument) {
        Origin::External(path) => project.contracts.api(&path).is_some_and(gives),
        _ => false,
    })
}
