//! What entries of a table are, by their keys, values and names: how many there can be, and who decided to put them in.

use super::{is_in_event, is_inside};
use crate::model::words::{Meaning, singular, split};
use crate::model::{In, Value, ValueId};
use crate::project::{AccessKind, Drive, Growth, Key, Openness, Origin, Project, Shape, Table};

/// Whether what is put in is just what the caller handed over, be it wrapped: a registration, as many entries as there
/// are calls in the source.
pub fn is_handed_over(project: &Project<'_>, growth: &Growth) -> bool {
    let key_is_value = growth.value == growth.key || growth.value.is_none();
    let value = if key_is_value { growth.key } else { growth.value };
    project.passed_to(growth.function).is_empty()
        && value.is_some_and(|value| is_callers_own(project, growth, value, 0))
}

fn is_callers_own(project: &Project<'_>, growth: &Growth, value: In<ValueId>, depth: u32) -> bool {
    if depth > 3 {
        return false;
    }
    let own = |part: &ValueId| is_callers_own(project, growth, value.with(*part), depth + 1);
    let plain = |part: &ValueId| matches!(project.value(value.with(*part)), Value::Literal(_)) || own(part);
    match project.origin(value) {
        Origin::Parameter(parameter) => return project.binding(parameter).function == growth.function.id,
        Origin::Bound(call, _) => {
            return project.receiver(call).is_some_and(|on| is_callers_own(project, growth, on, depth + 1));
        }
        _ => {}
    }
    match project.value(value) {
        Value::Choice(parts) => parts.iter().any(own),
        Value::Opaque(parts) | Value::Array(_, parts) => parts.iter().any(own) && parts.iter().all(plain),
        Value::Object(object) => {
            let object = project.object(value.with(*object));
            object.properties.iter().any(|property| own(&property.value))
        }
        Value::Member(object, _) | Value::Spread(object) => own(object),
        Value::Binding(binding) => match project.binding(value.with(*binding)).value {
            Some(given) => own(&given),
            None => project.binding(value.with(*binding)).name == "arguments",
        },
        Value::Global(name) => *name == "arguments",
        Value::Result(call) => {
            let call = value.with(*call);
            let arguments = project.call(call).arguments.iter();
            project.path(call).is_some_and(|path| path.starts_with("Array"))
                && arguments.map(|a| a.value).any(|a| own(&a))
        }
        _ => false,
    }
}

/// Whether the function that puts in looks the same key up before: a cache, filled by what is asked for.
pub fn is_looked_up(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let Some(key) = growth.key else { return false };
    project.accesses(table.place).iter().any(|access| {
        let near = access.file == growth.at.file && is_inside(project, growth.function, access.function());
        near && access.span.start < growth.at.span.start
            && match access.kind {
                AccessKind::KeyRead { key: Key::Value(read) } => read == key.id,
                AccessKind::Method { call, key: Key::Name(name) } => {
                    let looks = name == "get" || name == "has" && growth.value.is_none_or(|value| value == key);
                    looks && project.argument(access.of(call), 0) == Some(key)
                }
                _ => false,
            }
    })
}

/// Whether the names say that there are as many entries as the source, the configuration or the installation spells out.
pub fn is_spelled_out(project: &Project<'_>, table: &Table, growth: &Growth, driven: &Drive) -> bool {
    let words = &project.contracts.words;
    let name = project.function(growth.function).name;
    let declares = words.first(Meaning::Declaring, &name);
    let composed = growth.value.filter(|value| matches!(project.value(*value), Value::Opaque(_)));
    let named = growth.key.or(composed);
    // `stopInstance(id)`.
    let of_part = || {
        let bare = named.is_some_and(|value| matches!(project.text(value).as_str(), "id" | "name" | "key"));
        bare && split(&name).last().is_some_and(|word| words.has(Meaning::Parts, singular(word)))
    };
    let few = || named.is_some_and(|value| is_few(project, value, 0)) || of_part();
    let thing = |text: &str| split(text).iter().any(|word| words.has(Meaning::Things, singular(word)));
    let things = || {
        thing(&project.place_text(table.place))
            || thing(&name)
            || named.is_some_and(|value| thing(&project.text(value)))
    };
    let own = is_own_property(project, growth);
    // `this.devices`.
    let parts = || {
        let place = project.place_text(table.place);
        let named = split(&place).last().is_some_and(|word| words.has(Meaning::Parts, singular(word)));
        let of_value = || {
            let value = growth.value.map(|value| project.text(value)).unwrap_or_default();
            split(&value).last().is_some_and(|word| words.has(Meaning::Parts, word))
        };
        (named || of_value()) && table.shape != Shape::List
    };
    declares && !is_in_event(project, growth, driven) || !own && (few() || things() || parts())
}

/// Whether something says that the entries are data: generated keys, objects, what an event brings, or the key's name.
pub fn is_data(project: &Project<'_>, table: &Table, growth: &Growth, driven: &Drive) -> bool {
    if openness(project, growth) == Openness::Generated || is_in_event(project, growth, driven) {
        return true;
    }
    match growth.key {
        Some(key) => {
            let object = matches!(
                project.origin(key),
                Origin::New(..) | Origin::This(_) | Origin::Receiver(_) | Origin::Object(_)
            );
            object || names_data(project, key, 0)
        }
        None => {
            driven.by_events()
                || super::registers_itself(project, growth)
                || !table.is_read && table.place.path.is_empty()
        }
    }
}

/// Calls whose result stands for what they are given.
const SAME: [&str; 7] = ["String", "toString", "stringify", "join", "concat", "toLowerCase", "trim"];

/// Whether the last word of a name stands for data, or, where that could be called so whatever it is, the one before.
fn says_data(project: &Project<'_>, name: &str) -> bool {
    let known = &project.contracts.words;
    let words = split(name);
    let [before @ .., last] = words.as_slice() else { return false };
    let last = singular(last);
    if !known.has(Meaning::Vague, last) {
        return known.has(Meaning::Data, last) || known.has(Meaning::Contents, last);
    }
    before.last().is_some_and(|word| {
        let word = singular(word);
        known.has(Meaning::Crowds, word) || known.has(Meaning::Data, word) && !known.has(Meaning::Vague, word)
    })
}

/// A key by its name: the last word of `roomId`, `options.host`.
fn names_data(project: &Project<'_>, key: In<ValueId>, depth: u32) -> bool {
    let data = |name: &str| says_data(project, name);
    if depth > 4 {
        return false;
    }
    match project.value(key) {
        Value::Binding(binding) => {
            let binding = key.with(*binding);
            data(&project.binding(binding).name)
                || project
                    .binding(binding)
                    .value
                    .is_some_and(|value| names_data(project, binding.with(value), depth + 1))
        }
        Value::Member(_, name) => data(name),
        Value::Opaque(parts) | Value::Choice(parts) => {
            parts.iter().any(|part| names_data(project, key.with(*part), depth + 1))
        }
        Value::Result(call) => {
            let call = key.with(*call);
            let name = project.method_name(call);
            let same = name.is_some_and(|name| SAME.contains(&name.as_str()));
            let of = project
                .call(call)
                .arguments
                .iter()
                .map(|argument| call.with(argument.value))
                .chain(project.receiver(call));
            same && of.into_iter().any(|part| names_data(project, part, depth + 1))
                || name.is_some_and(|name| data(&name))
        }
        _ => false,
    }
}

/// How many keys a growth may come with. An object that registers itself under a property of its own does so under as many
/// as there are instances.
pub fn openness(project: &Project<'_>, growth: &Growth) -> Openness {
    let Some(key) = growth.key else { return Openness::Open };
    if is_own_property(project, growth) { Openness::Generated } else { project.openness(key) }
}

/// `table[this.id] = this`.
pub fn is_own_property(project: &Project<'_>, growth: &Growth) -> bool {
    let this = |value: In<ValueId>| matches!(project.value(value), Value::This(_));
    match (growth.key.map(|key| (key, project.value(key))), growth.value) {
        (Some((key, Value::Member(object, _))), Some(value)) => this(value) && key.with(*object) == value,
        _ => false,
    }
}

/// Whether a key's name says that there are few of them.
pub fn is_few_key(project: &Project<'_>, key: In<ValueId>) -> bool {
    is_few(project, key, 0)
}

/// A key by its name: the last word of `pluginName`, `event.type`.
pub fn is_few(project: &Project<'_>, key: In<ValueId>, depth: u32) -> bool {
    if depth == 0 && project.openness(key) == Openness::Generated {
        return false;
    }
    let few = |name: &str| {
        let (known, words) = (&project.contracts.words, split(name));
        let before = words.len().checked_sub(2).map(|at| singular(&words[at]));
        let Some(last) = words.last().map(|last| singular(last)) else { return false };
        // `nodeId`, `providerKey`: as many as what they are of.
        if known.has(Meaning::Data, last) {
            return before.is_some_and(|word| known.has(Meaning::Parts, word));
        }
        (known.has(Meaning::Few, last) || known.has(Meaning::Parts, last))
            && !before.is_some_and(|word| known.has(Meaning::Crowds, word))
    };
    match project.value(key) {
        Value::Binding(binding) => {
            let binding = key.with(*binding);
            few(&project.binding(binding).name)
                || depth < 3
                    && project
                        .binding(binding)
                        .value
                        .is_some_and(|value| is_few(project, binding.with(value), depth + 1))
        }
        // `server.id`.
        Value::Member(object, name) => {
            let of = project.text(key.with(*object));
            let part = split(&of).last().is_some_and(|word| project.contracts.words.has(Meaning::Parts, word));
            few(name) || part && matches!(name.as_str(), "id" | "key" | "address")
        }
        Value::Opaque(parts) if depth < 3 => parts.iter().any(|part| is_few(project, key.with(*part), depth + 1)),
        _ => false,
    }
}

/// Whether an element is a fresh object or closure: data about an event, not something registered.
pub fn is_record(project: &Project<'_>, growth: &Growth) -> bool {
    growth.value.is_some_and(|value| matches!(project.value(value), Value::Object(_) | Value::Array(..)))
}
