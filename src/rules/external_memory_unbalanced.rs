//! `external-memory-unbalanced`: memory reported to V8 that is never reported back.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{BindingKind, CallId, In, Literal, TypeFacts, Value, ValueId};
use crate::project::Project;

const NAME: &str = "external-memory-unbalanced";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    let calls: Vec<In<CallId>> = project.calls().filter(|call| adjusts(project, *call)).collect();
    // An amount in a variable may be of either sign: only what is written with a minus is surely down, and one such call
    // (or one that cannot be read) anywhere in the project is enough to be silent.
    if calls.iter().any(|call| goes_down(project, *call)) {
        return;
    }
    for call in calls {
        let at = project.locate(call);
        findings.push(
            Finding::new(NAME, Confidence::Medium, at, "external memory is reported up and never down again")
                .with_why("no code of the project reports a negative amount; V8 goes on counting memory that is long free")
                .with_help("report the negative amount where the memory is freed: in the destructor or finalizer")
                .with_context(project.function_name(project.function_of(call)))
                .with_step(StepKind::Grow, at, "reported up here"),
        );
    }
}

/// Whether a call reports memory, by a balance that only the opposite call evens out.
fn adjusts(project: &Project<'_>, call: In<CallId>) -> bool {
    project.is_native(call.file)
        && project
            .api(call)
            .and_then(|api| api.registers.as_ref())
            .is_some_and(|registers| registers.kind == "memory")
}

/// Whether the amount is, or may be, negative.
fn goes_down(project: &Project<'_>, call: In<CallId>) -> bool {
    let arguments = &project.call(call).arguments;
    arguments.iter().any(|argument| may_be_negative(project, call.with(argument.value), 4))
}

/// Whether an amount has a minus in it, is a variable that once got such an amount, or a signed parameter: callers decide
/// which way that goes.
fn may_be_negative(project: &Project<'_>, amount: In<ValueId>, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    let any_of = |values: &[ValueId]| values.iter().any(|value| may_be_negative(project, amount.with(*value), depth - 1));
    match project.value(amount) {
        Value::Literal(Literal::Int(number)) => *number < 0,
        Value::Opaque(parts) | Value::Choice(parts) => any_of(parts),
        Value::Binding(binding) => {
            let variable = project.binding(amount.with(*binding));
            if matches!(variable.kind, BindingKind::Parameter(_)) {
                let is_unsigned = |ty: &TypeFacts| ty.name.starts_with('u') || &*ty.name == "size_t";
                return variable.ty.as_ref().is_some_and(|ty| !is_unsigned(ty));
            }
            project.assigned_values(amount).into_iter().any(|value| may_be_negative(project, value, depth - 1))
        }
        _ => false,
    }
}
