//! A collection whose removal is there and cannot work: the slot is emptied and stays, the key is another one, the reset
//! runs when there is nothing to reset, one of several containers is forgotten, the function to remove is a new one.

use super::support::tables::keys::{is_few_key, is_own_property, openness};
use super::support::tables::{Life, has_life, life, outlives, useless};
use super::support::mend::at_start;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{BindingKind, ClassId, FunctionId, In, Literal, Name, Value, ValueId};
use crate::project::{AccessKind, Gone, Growth, Openness, Origin, Project, Shape, Shrink, Table};
use crate::text::{Edit, Location};

/// What is wrong with the removal.
struct Fault {
    at: Location,
    what: String,
    help: String,
    edit: Option<(Applicability, Edit)>,
}

/// Reports one finding a table, at its first growth.
pub fn check(project: &Project<'_>, found: &mut Vec<Finding>) {
    for table in project.tables() {
        let Some((life, lifetime)) = life(project, table) else { continue };
        if let Some((growth, fault)) = fault(project, table, life) {
            found.push(report(project, table, growth, &fault, lifetime.why.first().cloned()));
        }
    }
    for class in project.classes().filter(|class| !project.is_native(class.file)) {
        forgotten(project, class, found);
    }
}

/// What is wrong with the removals of a table, if something is.
fn fault<'t>(project: &Project<'_>, table: &'t Table, life: Life) -> Option<(&'t Growth, Fault)> {
    let growth = table.growths.iter().find(|growth| outlives(project, table, life, growth))?;
    let fault = emptied_slot(project, table, life, growth)
        .or_else(|| other_key(project, table, life, growth))
        .or_else(|| in_vain(project, table, life, growth))
        .or_else(|| new_function(project, table, life, growth))?;
    Some((growth, fault))
}

/// Whether a table is reported here, so that no other rule says the same of it.
pub(super) fn has_fault(project: &Project<'_>, table: &Table, life: Life) -> bool {
    fault(project, table, life).is_some()
}

fn report(
    project: &Project<'_>,
    table: &Table,
    growth: &Growth,
    fault: &Fault,
    hold: Option<crate::finding::TraceStep>,
) -> Finding {
    let name = project.place_text(table.place);
    let mut finding = Finding::new(
        "removal-that-removes-nothing",
        Confidence::Medium,
        growth.at,
        format!("what is put into `{name}` is never taken out, although code tries to"),
    )
    .with_why(fault.what.clone())
    .with_help(fault.help.clone())
    .with_context(project.function_name(growth.function))
    .with_step(StepKind::Grow, growth.at, format!("`{name}` grows here"));
    finding.trace.extend(hold);
    let finding = finding.with_step(StepKind::Release, fault.at, fault.what.clone());
    match &fault.edit {
        Some((how, edit)) => finding.with_fix("take the entry out", *how, vec![edit.clone()]),
        None => finding,
    }
}

/// Whether no other removal keeps up.
fn nothing_else(
    project: &Project<'_>,
    table: &Table,
    life: Life,
    growth: &Growth,
    but: impl Fn(&Shrink) -> bool,
) -> bool {
    let driven = project.drive(growth.function);
    table.escapes.is_empty()
        && table.size_checks.is_empty()
        && table.shrinks.iter().all(|shrink| but(shrink) || useless(project, life, growth, &driven, shrink).is_some())
}

/// `table[key] = null`, `list[i] = { type: 'FREED' }`: the slot stays.
fn emptied_slot(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<Fault> {
    let name = project.place_text(table.place);
    let few = growth.key.is_some_and(|key| !is_own_property(project, growth) && is_few_key(project, key));
    let taken_out = |function: In<FunctionId>| {
        project.contracts.words.first(Meaning::TakesOut, &project.function(function).name)
    };
    let brief = matches!(life, Life::Instance(class) if !has_life(project, class));
    if openness(project, growth) < Openness::Open || few {
        return None;
    }
    let empties = |other: &&Growth| {
        let value = other.value;
        let placeholder = table.shape == Shape::List && value.is_some_and(|value| is_placeholder(project, value));
        other.function != growth.function && (value.is_some_and(|value| project.is_nothing(value)) || placeholder)
    };
    // `this.refs[topic] = []` in `unsubscribe(topic)`.
    let drains = |other: &&Growth| {
        other.function != growth.function
            && taken_out(other.function)
            && other.value.is_some_and(|value| is_empty_list(project, value))
    };
    let emptied = table.overwrites.iter().find(empties).filter(|_| !brief);
    let emptied = emptied.or_else(|| {
        let slots = table.growths.iter().chain(&table.overwrites);
        slots.into_iter().find(drains).filter(|_| table.shape != Shape::List)
    })?;
    if !nothing_else(project, table, life, growth, |_| false) {
        return None;
    }
    let key = emptied.key.map_or_else(|| "…".to_owned(), |key| project.text(key));
    let help = match table.shape {
        Shape::List => format!("take the element out: `{name}.splice({key}, 1)`, or shift what is done off the front"),
        Shape::Object => format!("`delete {name}[{key}]`"),
        Shape::Keyed => format!("call `{name}.delete({key})`"),
    };
    let what =
        format!("`{name}[{key}]` is overwritten, which frees its value and leaves its slot; `{name}` only gets larger");
    // The removal works then, and may still come too seldom: a sketch.
    let edit = deletion(project, table.shape, emptied.at, &name).map(|edit| (Applicability::Display, edit));
    Some(Fault { at: emptied.at, what, help, edit })
}

/// `table[key] = null` made `delete table[key]`, `map.set(key, null)` made `map.delete(key)`.
fn deletion(project: &Project<'_>, shape: Shape, at: Location, name: &str) -> Option<Edit> {
    let written = project.sources.snippet(at);
    let text = match shape {
        Shape::Object => {
            let (slot, _) = written.split_once('=').filter(|(slot, _)| slot.trim_end().ends_with(']'))?;
            format!("delete {}", slot.trim_end())
        }
        Shape::Keyed => {
            let arguments = written.strip_prefix(name)?.strip_prefix(".set(")?.strip_suffix(')')?;
            let (key, _) = arguments.rsplit_once(',').filter(|(key, _)| !key.contains([',', '(', '\n']))?;
            format!("{name}.delete({key})")
        }
        Shape::List => return None,
    };
    Some(Edit { file: at.file, span: at.span, text })
}

/// Empties a field at the start of the method that empties its siblings.
fn emptying(project: &Project<'_>, shape: Shape, method: In<FunctionId>, name: &str) -> Option<Edit> {
    if !name.starts_with("this.") {
        return None;
    }
    let text = &project.sources.get(method.file).text;
    let code = match shape {
        Shape::Keyed => format!("{name}.clear();"),
        Shape::Object => format!("{name} = {{}};"),
        Shape::List => format!("{name}.length = 0;"),
    };
    at_start(method.file, text, project.function(method).body.start, &code)
}

/// `[]`, or a variable that may hold one: nothing is left under the key.
fn is_empty_list(project: &Project<'_>, value: In<ValueId>) -> bool {
    project.origins(value).iter().any(|origin| match origin {
        Origin::Array(list) => matches!(project.value(*list), Value::Array(_, elements) if elements.is_empty()),
        _ => false,
    })
}

/// `{ type: 'FREED' }`: all literals.
fn is_placeholder(project: &Project<'_>, value: In<ValueId>) -> bool {
    let Value::Object(object) = project.value(value) else { return false };
    let properties = &project.object(value.with(*object)).properties;
    properties.iter().all(|property| matches!(project.value(value.with(property.value)), Value::Literal(_)))
}

/// Put in under `String(origin)`, taken out under `origin`; put in under `name + ':' + id`, taken out under `id`.
fn other_key(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<Fault> {
    let key = growth.key?;
    // Where keys are texts anyhow, the text of a thing and the thing are one.
    let source = normalized(project, key, 0).filter(|_| table.shape == Shape::Keyed);
    let composed = parts_of_text(project, key, 0);
    if source.is_none() && composed.is_empty() {
        return None;
    }
    let differs = |shrink: &Shrink| match shrink.what {
        Gone::Entry(gone) if !shrink.is_guess => {
            // What is called `key` in another function may well be the whole.
            let says_same = |part| matches!(project.value(part), Value::Member(..)) && project.text(part) == project.text(gone);
            let part = |part: &In<ValueId>| *part == gone || says_same(*part);
            source.is_some_and(|source| is_raw(project, gone, source)) || composed.iter().any(part)
        }
        _ => false,
    };
    let shrink = table.shrinks.iter().find(|shrink| differs(shrink))?;
    let Gone::Entry(gone) = shrink.what else { return None };
    if !nothing_else(project, table, life, growth, |shrink| shrink.is_guess || differs(shrink)) {
        return None;
    }
    let (name, put, gone) = (project.place_text(table.place), project.text(key), project.text(gone));
    let what = if source.is_some() {
        format!("`{name}.delete({gone})` is given `{gone}` as it came, the entry stands under the text made of it")
    } else {
        format!("the entry stands under `{put}`, and is looked for under `{gone}`, which is a part of that")
    };
    let help =
        format!("delete under the key that was put in: keep `{put}` in the closure, or make the same text of `{gone}`");
    Some(Fault { at: shrink.at, what, help, edit: None })
}

/// The values that a text is put together of, where it holds more than one of them: `name + ':' + id`.
fn parts_of_text(project: &Project<'_>, key: In<ValueId>, depth: u32) -> Vec<In<ValueId>> {
    let Value::Opaque(parts) = project.value(key) else {
        let Value::Binding(binding) = project.value(key) else { return Vec::new() };
        let value = project.binding(key.with(*binding)).value.filter(|_| depth < 4);
        return value.map_or_else(Vec::new, |value| parts_of_text(project, key.with(value), depth + 1));
    };
    let literal = |part: &ValueId| match project.value(key.with(*part)) {
        Value::Literal(Literal::String(text)) => Some(*text),
        _ => None,
    };
    // What lowering puts first is the operator, if there is one.
    let is_sum = |text: Name| text == "+" || text.contains(|c: char| c.is_alphanumeric());
    if parts.first().and_then(literal).is_some_and(|first| !is_sum(first)) {
        return Vec::new();
    }
    let has_text = parts.iter().skip(1).filter_map(literal).any(|text| !text.is_empty());
    let has_prefix = parts.first().and_then(literal).is_some_and(|text| text != "+");
    if !has_text && !has_prefix {
        return Vec::new();
    }
    let named = |part: &&ValueId| matches!(project.value(key.with(**part)), Value::Member(..) | Value::Binding(_));
    parts.iter().filter(named).map(|part| key.with(*part)).collect()
}

/// The name of the value that a key is the text of.
fn normalized(project: &Project<'_>, key: In<ValueId>, depth: u32) -> Option<Name> {
    if depth > 4 {
        return None;
    }
    match project.value(key) {
        Value::Binding(binding) => {
            let binding = key.with(*binding);
            if matches!(project.binding(binding).kind, BindingKind::Parameter(_)) {
                return None;
            }
            if let Some(value) = project.binding(binding).value {
                return normalized(project, binding.with(value), depth + 1);
            }
            project.uses(key).iter().find_map(|access| match access.kind {
                AccessKind::Assigned { value, .. } => normalized(project, access.of(value), depth + 1),
                _ => None,
            })
        }
        Value::Result(call) => {
            let call = key.with(*call);
            let name = project.method_name(call)?;
            match name.as_str() {
                "String" => source(project, project.argument(call, 0)?),
                "stringify" => source(project, project.argument(call, 0)?),
                "toString" => source(project, project.receiver(call)?),
                _ => None,
            }
        }
        _ => None,
    }
}

fn source(project: &Project<'_>, value: In<ValueId>) -> Option<Name> {
    match project.value(value) {
        Value::Binding(binding) => Some(project.binding(value.with(*binding)).name),
        Value::Member(_, name) => Some(*name),
        _ => None,
    }
}

/// A parameter of that name which nothing says to be a string.
fn is_raw(project: &Project<'_>, key: In<ValueId>, name: Name) -> bool {
    let Value::Binding(binding) = project.value(key) else { return false };
    let binding = project.binding(key.with(*binding));
    let text = binding.ty.as_ref().is_some_and(|ty| ty.name == "string");
    matches!(binding.kind, BindingKind::Parameter(_)) && binding.name == name && !text
}

/// `if (!list.length) list = []`.
fn in_vain(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<Fault> {
    let shrink = table.shrinks.iter().find(|shrink| shrink.when_empty && !is_first_filling(project, table, shrink))?;
    if !nothing_else(project, table, life, growth, |shrink| shrink.when_empty) {
        return None;
    }
    let name = project.place_text(table.place);
    let what = format!("`{name}` is emptied only where it is empty already");
    let help = format!("turn the condition around: empty `{name}` when it has entries");
    Some(Fault { at: shrink.at, what, help, edit: None })
}

/// `if (!list.length) list = [first]`: it is not emptied there, but gets what it has at least.
fn is_first_filling(project: &Project<'_>, table: &Table, shrink: &Shrink) -> bool {
    project.accesses(table.place).iter().any(|access| match access.kind {
        AccessKind::Assigned { value, .. } => {
            let parts = |value: In<ValueId>| match project.value(value) {
                Value::Array(_, parts) => parts.len(),
                Value::Object(object) => project.object(value.with(*object)).properties.len(),
                _ => 0,
            };
            shrink.at.span.contains(access.span) && shrink.at.file == access.file && parts(access.of(value)) > 0
        }
        _ => false,
    })
}

/// `handlers.delete(() => …)`.
fn new_function(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<Fault> {
    let never = |shrink: &Shrink| match shrink.what {
        Gone::Entry(gone) => {
            matches!(project.value(gone), Value::Function(_) | Value::Object(_))
                || matches!(project.origin(gone), Origin::Bound(..)) && matches!(project.value(gone), Value::Result(_))
        }
        _ => false,
    };
    let shrink = table.shrinks.iter().find(|shrink| never(shrink))?;
    if !nothing_else(project, table, life, growth, never) {
        return None;
    }
    let name = project.place_text(table.place);
    let what =
        "the function (or object) that is to be taken out is made on the spot, so it was never put in".to_owned();
    let help = format!("keep what is put into `{name}` in a variable and take out the same");
    Some(Fault { at: shrink.at, what, help, edit: None })
}

/// Containers that are filled together, and a reset that leaves one of them out.
fn forgotten(project: &Project<'_>, class: In<ClassId>, found: &mut Vec<Finding>) {
    let tables: Vec<Table> = project.fields(class).into_iter().filter_map(|place| project.table(place)).collect();
    if tables.len() < 3 {
        return;
    }
    let constructors = project.constructors(class);
    for missed in tables.iter().filter(|table| table.shape != Shape::List) {
        let Some(growth) = missed.growths.iter().find(|growth| !constructors.contains(&growth.function)) else {
            continue;
        };
        let emptied = missed.shrinks.iter().any(|shrink| shrink.what == Gone::All);
        let depends = missed.shrinks.iter().any(|shrink| matches!(shrink.what, Gone::Entry(_)));
        if emptied || !depends || !missed.escapes.is_empty() {
            continue;
        }
        let together: Vec<&Table> = tables
            .iter()
            .filter(|table| {
                let fills = |other: &Growth| other.function == growth.function;
                table.place != missed.place && (table.growths.iter().any(fills) || table.overwrites.iter().any(fills))
            })
            .collect();
        let resets = |method: &In<FunctionId>| {
            let empties = |table: &&&Table| {
                table.shrinks.iter().any(|shrink| shrink.what == Gone::All && shrink.function == *method)
            };
            together.iter().filter(empties).count()
        };
        let method = project
            .methods(class)
            .into_iter()
            .find(|method| {
                // What ends the object frees all that it holds.
                let own = !constructors.contains(method) && *method != growth.function && !project.is_disposal(*method);
                own && resets(method) >= 2
            });
        let Some(method) = method else { continue };
        let (name, reset) = (project.place_text(missed.place), project.function_name(method));
        let fault = Fault {
            at: project.locate_function(method),
            what: format!(
                "{reset} empties the containers that are filled together with `{name}` and leaves `{name}` as it is; \
                 what it held can't be found by the others any more"
            ),
            help: format!("empty `{name}` in {reset} too"),
            edit: emptying(project, missed.shape, method, &name).map(|edit| (Applicability::Unsafe, edit)),
        };
        found.push(report(project, missed, growth, &fault, None));
    }
}
