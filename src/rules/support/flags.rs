//! Flags by which an object knows that it has ended: what its ending method sets, and who looks at that.

use crate::model::words::Meaning;
use crate::model::{Exit, Flow, FunctionId, In, Name, Step, Value, ValueId};
use crate::project::Project;

/// Fields of the object that a method sets.
pub(crate) fn fields_set(project: &Project<'_>, ending: In<FunctionId>) -> Vec<Name> {
    let summary = project.summary(ending.file);
    let mut fields = Vec::new();
    project.function(ending).flow.walk(&mut |flow| {
        let Flow::Step(Step::Assign(assign)) = flow else { return };
        let Value::Member(object, name) = summary.value(assign.place) else { return };
        if matches!(summary.value(*object), Value::This(_)) {
            fields.push(*name);
        }
    });
    fields
}

/// Whether a field's name says that its object has ended.
pub(crate) fn is_ending_flag(project: &Project<'_>, name: &str) -> bool {
    project.contracts.words.has(Meaning::Ending, name.trim_start_matches(['#', '_']))
}

/// Whether a function asks for one of the fields, or any other flag of the end, behind a position of its file.
pub(crate) fn tests_flag(project: &Project<'_>, function: In<FunctionId>, flags: &[Name], behind: u32) -> bool {
    let mut tested = false;
    project.function(function).flow.walk(&mut |flow| {
        let (Flow::Branch { cond, span, .. } | Flow::Loop { cond, span, .. }) = flow else { return };
        if span.start < behind {
            return;
        }
        cond.values(&mut |value| {
            tested |=
                mentions(project, function.with(value), flags) || asks_for_flag(project, function.with(value), flags);
        });
    });
    tested
}

/// `this.isOver()`, which gives back a flag.
fn asks_for_flag(project: &Project<'_>, value: In<ValueId>, flags: &[Name]) -> bool {
    let Value::Result(call) = project.value(value) else { return false };
    project.targets(value.with(*call)).functions.iter().any(|&function| {
        let mut returns = false;
        project.function(function).flow.walk(&mut |flow| {
            if let Flow::Exit(Exit::Return(Some(value)), _) = flow {
                returns |= mentions(project, function.with(*value), flags);
            }
        });
        returns
    })
}

/// A field among some, or one whose name says that the object has ended.
fn mentions(project: &Project<'_>, value: In<ValueId>, flags: &[Name]) -> bool {
    match project.value(value) {
        Value::Member(_, name) => flags.contains(name) || is_ending_flag(project, name),
        Value::Opaque(values) | Value::Choice(values) => {
            values.iter().any(|v| mentions(project, value.with(*v), flags))
        }
        _ => false,
    }
}
