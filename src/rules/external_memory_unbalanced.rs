//! `external-memory-unbalanced`: memory reported to V8 that is never reported back.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{BindingKind, CallId, In, TypeFacts, Value, ValueId};
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
    let text = &project.sources.get(call.file).text;
    project.call(call).arguments.iter().any(|argument| {
        let written = argument.span.of(text).trim();
        written.starts_with('-')
            || ["(-", "* -1", "0 -", " - "].iter().any(|minus| written.contains(minus))
            || goes_both_ways(project, call.with(argument.value))
    })
}

/// Whether an amount is a variable that is declared as a difference, or a signed parameter: callers decide which way it goes.
fn goes_both_ways(project: &Project<'_>, amount: In<ValueId>) -> bool {
    let Value::Binding(binding) = *project.value(amount) else { return false };
    let variable = project.binding(amount.with(binding));
    if matches!(variable.kind, BindingKind::Parameter(_)) {
        let is_unsigned = |ty: &TypeFacts| ty.name.starts_with('u') || &*ty.name == "size_t";
        return variable.ty.as_ref().is_some_and(|ty| !is_unsigned(ty));
    }
    let text = &project.sources.get(amount.file).text;
    let declaration = text.get(variable.span.start as usize..).unwrap_or_default();
    declaration.split(';').next().is_some_and(|words| words.contains(" - "))
}
