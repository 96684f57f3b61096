//! Entries that have served and stay: the `resolve` of promises, and those that the very method for taking them back leaves
//! where they are. It looks one up by what it is given, ends what it finds, and does not delete it.

use super::keys::openness;
use crate::model::words::{Meaning, singular, split};
use crate::model::{Flow, FunctionId, In, Step, Value, ValueId};
use crate::project::{AccessKind, Growth, Key, Openness, Origin, Project, Table};

/// Whether nothing takes entries out, and a method that says that it does looks them up by what it is given.
pub fn is_left_by_removal(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let entries = table.place.below("[]").map(|entries| project.accesses(entries));
    let of_entries = entries.iter().flat_map(|accesses| accesses.iter());
    // A list that is made where there is none, and used again under its key, is filled and emptied itself.
    table.shrinks.is_empty()
        && growth.key.is_some()
        && !is_kept_as_it_is(project, table, growth)
        && project.accesses(table.place).iter().chain(of_entries).any(|access| {
            let function = access.function();
            let key = match access.kind {
                AccessKind::KeyRead { key: Key::Value(key) } | AccessKind::Method { key: Key::Value(key), .. } => {
                    Some(access.of(key))
                }
                AccessKind::Method { call, key: Key::Name(name) } if name == "get" => {
                    project.argument(access.of(call), 0)
                }
                AccessKind::Assigned { .. } | AccessKind::Deleted => None,
                _ => match project.value(access.of(access.value)) {
                    Value::Index(_, key) => Some(access.of(*key)),
                    _ => None,
                },
            };
            function != growth.function
                && key.is_some_and(|key| is_given_to(project, key, function))
                && says_so(project, function, table, growth)
        })
}

/// `table[key] = table[key] || []`.
fn is_kept_as_it_is(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let own = |value: In<ValueId>| match project.value(value) {
        Value::Choice(parts) => parts.iter().any(|part| match project.value(value.with(*part)) {
            Value::Index(object, _) => project.place(value.with(*object)) == Some(table.place),
            _ => false,
        }),
        _ => false,
    };
    growth.value.is_some_and(own) || keeps(project, growth.function, growth)
}

/// Whether what is assigned there is assigned only where nothing was.
fn keeps(project: &Project<'_>, function: In<FunctionId>, growth: &Growth) -> bool {
    let mut keeps = false;
    project.function(function).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Assign(assign)) = flow {
            keeps |= assign.span == growth.at.span && assign.only_if_empty;
        }
    });
    keeps
}

/// Whether a table keeps the `resolve` of promises, which settle once, and nothing takes them out; under keys of their own,
/// where it has keys.
pub fn is_settled_once(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let executor = |origin: &Origin| match origin {
        Origin::Parameter(parameter) => project.is_executor(parameter.with(project.binding(*parameter).function)),
        _ => false,
    };
    let own_key = |key: In<ValueId>| growth.value == Some(key) || openness(project, growth) == Openness::Generated;
    let settles = |value: In<ValueId>| project.origins(value).iter().any(executor);
    let holds = |value: In<ValueId>| match project.value(value) {
        Value::Array(_, parts) => parts.iter().any(|part| settles(value.with(*part))),
        Value::Object(object) => {
            let properties = &project.object(value.with(*object)).properties;
            properties.iter().any(|property| settles(value.with(property.value)))
        }
        _ => settles(value),
    };
    table.shrinks.is_empty() && growth.key.is_none_or(own_key) && growth.value.is_some_and(holds)
}

/// Whether a key is a parameter of the function, or a part of one.
pub fn is_given_to(project: &Project<'_>, key: In<ValueId>, function: In<FunctionId>) -> bool {
    match (project.origin(key), project.value(key)) {
        (Origin::Parameter(parameter), _) => parameter.with(project.binding(parameter).function) == function,
        (_, Value::Member(object, _)) => is_given_to(project, key.with(*object), function),
        _ => false,
    }
}

/// Whether a function's name begins with the word for taking something back, and what follows speaks of the table's things:
/// `unsubscribe`, `removeClient` of `clients`.
fn says_so(project: &Project<'_>, function: In<FunctionId>, table: &Table, growth: &Growth) -> bool {
    let (words, name) = (&project.contracts.words, project.function(function).name);
    let spoken = [project.place_text(table.place), project.function(growth.function).name.to_string()];
    let known: Vec<String> =
        spoken.iter().flat_map(|text| split(text)).map(|word| singular(&word).to_owned()).collect();
    let ends = words.first(Meaning::TakesOut, &name) || words.first(Meaning::Disposal, &name);
    ends && split(&name).iter().skip(1).all(|word| known.iter().any(|known| known == singular(word)))
}
