//! Which removals keep up with what makes a collection grow, and how long the collection lives: the first law for tables.

use crate::model::{ClassId, FunctionId, In, Rate, Value};
use crate::project::{AccessKind, Drive, Gone, Growth, Key, Lifetime, Origin, Owner, Project, Root, Shrink, Table};

/// How long a table lives, as far as rules weigh it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// As long as the process.
    Process,
    /// As long as an instance of a class.
    Instance(In<ClassId>),
    /// As long as the closures of one run of a function.
    Closure(In<FunctionId>),
}

/// Why a removal does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Useless {
    /// It empties the table when its owner's life ends.
    AtTheEnd,
    /// Only users of the package can ask for it, and nothing tells them to.
    OptIn,
    /// It makes room for the same key only.
    SameKey,
    /// It runs only where the operation failed.
    OnFailure,
    /// It runs once, at the start.
    AtStart,
}

/// How long a table lives; none for what dies with a call, or where nothing tells.
pub fn life(project: &Project<'_>, table: &Table) -> Option<(Life, Lifetime)> {
    let lifetime = project.place_lifetime(table.place);
    let life = match (lifetime.owner, table.place.root) {
        _ if lifetime.is_process() => Life::Process,
        (Owner::Instance(class), _) => Life::Instance(class),
        (_, Root::Variable(variable)) => Life::Closure(variable.with(project.binding(variable).function)),
        (_, Root::Property(function, _)) => Life::Closure(function),
        (Owner::Call(function), _) => Life::Closure(function),
        _ => return None,
    };
    Some((life, lifetime))
}

/// Why a removal does not keep up with a growth; none where it does, or may.
pub fn useless(
    project: &Project<'_>,
    life: Life,
    growth: &Growth,
    driven: &Drive,
    shrink: &Shrink,
) -> Option<Useless> {
    if shrink.at.file == growth.at.file && is_inside(project, shrink.function, growth.function) {
        return within(project, growth, shrink);
    }
    let led = project.drive(shrink.function);
    if led.through.contains(&growth.function) || led.by_events() {
        return None;
    }
    // Emptied to be filled anew.
    if shrink.what == Gone::All && driven.through.contains(&shrink.function) {
        return None;
    }
    let ends = led.through.iter().any(|function| project.is_disposal(*function));
    if led.public.is_empty() {
        return if led.at_start { Some(Useless::AtStart) } else { Some(Useless::OptIn) };
    }
    match (shrink.what, life) {
        (Gone::All, _) if ends => Some(Useless::AtTheEnd),
        (Gone::All, Life::Process) => Some(Useless::OptIn),
        (Gone::Entry(_) | Gone::Some, _) if registers_itself(project, growth) => Some(Useless::OptIn),
        (Gone::Some, Life::Process) if shrink.from_loop => Some(Useless::OptIn),
        _ => None,
    }
}

/// A removal in the function that also puts in, or in a callback of it.
fn within(project: &Project<'_>, growth: &Growth, shrink: &Shrink) -> Option<Useless> {
    let same_key = match (shrink.what, growth.key.or(growth.value)) {
        (Gone::Entry(gone), Some(key)) => gone == key,
        _ => false,
    };
    if shrink.function == growth.function && same_key && shrink.at.span.start < growth.at.span.start {
        return Some(Useless::SameKey);
    }
    let failed = shrink.function != growth.function
        && project
            .passed_to(shrink.function)
            .iter()
            .any(|passed| project.method_name(passed.call).is_some_and(|name| name == "catch"));
    (same_key && failed).then_some(Useless::OnFailure)
}

/// Whether a function is another, or written inside it.
pub fn is_inside(project: &Project<'_>, inner: In<FunctionId>, outer: In<FunctionId>) -> bool {
    inner.file == outer.file && project.summary(inner.file).is_inside(inner.id, outer.id)
}

/// `instances.push(this)` in a constructor, or what a factory makes and gives back.
pub fn registers_itself(project: &Project<'_>, growth: &Growth) -> bool {
    let Some(value) = growth.value.or(growth.key) else { return false };
    match project.origin(value) {
        Origin::This(_) | Origin::Receiver(_) => true,
        Origin::Function(made) => {
            made != growth.function && is_inside(project, made, growth.function) && is_returned(project, growth, value)
        }
        Origin::New(call, _) | Origin::Result(call) => {
            project.function_of(call) == growth.function && is_returned(project, growth, value)
        }
        _ => false,
    }
}

fn is_returned(project: &Project<'_>, growth: &Growth, value: In<crate::model::ValueId>) -> bool {
    project.uses(value).iter().any(|access| {
        access.kind == AccessKind::Returned && access.function() == growth.function
    })
}

/// Whether what is put in is just what the caller handed over: a registration, as many entries as there are calls in the
/// source.
pub fn is_handed_over(project: &Project<'_>, growth: &Growth) -> bool {
    let own = |value: In<crate::model::ValueId>| match project.origin(value) {
        Origin::Parameter(parameter) => project.binding(parameter).function == growth.function.id,
        _ => false,
    };
    growth.value.is_some_and(own) || growth.value == growth.key && growth.key.is_some_and(own)
}

/// Whether the function that puts in looks the same key up before: a cache, filled by what is asked for.
pub fn is_looked_up(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let Some(key) = growth.key else { return false };
    project.accesses(table.place).iter().any(|access| {
        let near = access.file == growth.at.file && is_inside(project, growth.function, access.function());
        near && access.span.start < growth.at.span.start
            && match access.kind {
                AccessKind::KeyRead { key: Key::Value(read) } => read == key.id,
                AccessKind::Method { call, key: Key::Name(name) } if matches!(name.as_str(), "get" | "has") => {
                    project.argument(access.of(call), 0) == Some(key)
                }
                AccessKind::Tested | AccessKind::Read => false,
                _ => false,
            }
    })
}

/// Whether instances of a class are meant to live long: they have a life that somebody ends, or events.
pub fn lives_long(project: &Project<'_>, class: In<ClassId>) -> bool {
    project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "emitter"))
        || project.methods(class).iter().any(|method| project.is_disposal(*method))
}

/// Whether the rate of a growth exceeds the birth of its place.
pub fn outgrows(rate: Option<Rate>, life: Life) -> bool {
    match life {
        Life::Process => rate > Some(Rate::Once),
        Life::Instance(_) | Life::Closure(_) => rate > Some(Rate::PerInstance),
    }
}

/// Whether an element is a fresh object or closure: data about an event, not something registered.
pub fn is_record(project: &Project<'_>, growth: &Growth) -> bool {
    growth.value.is_some_and(|value| matches!(project.value(value), Value::Object(_) | Value::Array(..)))
}
