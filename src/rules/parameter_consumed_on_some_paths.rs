//! `parameter-consumed-on-some-paths`: a function takes over what its callers pass, but drops it on one of its ways out.

use super::support::custody::{is_shipped, way, witness};
use super::support::mend;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::Effect;
use crate::model::{BindingKind, CallId, FunctionId, Holder, In, Value};
use crate::project::{Custody, Doubt, How, Owned, Project, Way};
use rustc_hash::FxHashMap;

const NAME: &str = "parameter-consumed-on-some-paths";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    // What callers acquire, pass, and do not look at again.
    let mut passed: FxHashMap<(In<FunctionId>, u16), Vec<(In<CallId>, In<CallId>)>> = FxHashMap::default();
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        for (owned, custody) in project.owned_in(function).iter() {
            for settlement in &custody.settlements {
                let (How::Handed(call, Some(at)), Some(from)) = (settlement.how, owned.call()) else { continue };
                let call = function.with(call);
                let targets = project.targets(call);
                if let ([target], false) = (targets.functions.as_slice(), targets.weak) {
                    passed.entry((*target, at)).or_default().push((function.with(from), call));
                }
            }
        }
    }
    for (function, at) in finalized(project) {
        passed.entry((function, at)).or_default();
    }
    let mut passed: Vec<_> = passed.into_iter().collect();
    passed.sort();
    for ((function, at), uses) in passed {
        findings.extend(judge(project, function, at, &uses));
    }
}

fn judge(
    project: &Project<'_>,
    function: In<FunctionId>,
    at: u16,
    uses: &[(In<CallId>, In<CallId>)],
) -> Option<Finding> {
    let binding = *project.function(function).parameters.get(at as usize)?;
    // `const std::string& name` makes an object of its own of a pointer that it is given.
    let takes_value = |facts: &crate::model::TypeFacts| {
        matches!(facts.holder, Holder::Value | Holder::Reference) && !facts.text.contains('*')
    };
    if project.binding(function.with(binding)).ty.as_ref().is_some_and(takes_value) {
        return None;
    }
    let value = project.binding_value(function.with(binding))?;
    let owned = Owned::pointer(function, value);
    let custody: Custody = project.custody(&owned);
    if custody.capped || !custody.settlements.iter().any(|settled| settled.sure) {
        return None;
    }
    let loss = witness(project, function, &custody, |loss| {
        loss.doubt == Doubt::Sure
            && matches!(loss.way, Way::Return | Way::Throw | Way::End | Way::Scope | Way::Macro(_))
    })?;
    // A caller that looks at the result can clean up itself.
    let ignored: Vec<_> = uses.iter().filter(|(_, call)| project.call(*call).is_discarded).collect();
    if ignored.is_empty() && !uses.is_empty() {
        return None;
    }
    let name = project.binding(function.with(binding)).name;
    let callee = project.function_name(function);
    let taken = custody.settlements.first()?;
    let mut finding =
        Finding::new(NAME, Confidence::Medium, project.locate_function(function), format!("{callee} takes over `{name}`, but drops it on one way out"))
            .with_why(match ignored.len() {
                0 => format!("it gives `{name}` to something that frees it on the other ways out, so its callers leave `{name}` to it"),
                count => format!("its callers pass a fresh object and forget it, because the other ways out release or keep it; {count} of them ignore the result"),
            })
            .with_help(format!("release `{name}` before leaving there"))
            .with_context(callee.clone());
    if let Some((from, call)) = ignored.first() {
        finding = finding.with_step(StepKind::Acquire, project.locate(*from), "acquired by a caller").with_step(
            StepKind::Hold,
            project.locate(*call),
            "passed and forgotten",
        );
    }
    let finding = finding
        .with_step(StepKind::Release, project.at(function.file, taken.span), "taken over on another way")
        .with_step(StepKind::Exit, project.at(function.file, loss.span), way(project, function.file, loss));
    Some(match ignored.first().and_then(|(from, _)| deleted(project, *from, &name)) {
        Some(release) => mend::native::released(project, &owned, &custody, &name, &release, finding),
        None => finding,
    })
}

/// What releases what a `new` of a caller made.
fn deleted(project: &Project<'_>, from: In<CallId>, name: &str) -> Option<String> {
    let call = project.call(from);
    (call.is_new && !call.is_placement).then(|| if call.is_array_new { format!("delete[] {name}") } else { format!("delete {name}") })
}

/// Parameters that a function gives to a finalizer which frees them: it does own them.
fn finalized(project: &Project<'_>) -> Vec<(In<FunctionId>, u16)> {
    let mut found = Vec::new();
    for call in project.calls().filter(|call| project.is_native(call.file)) {
        let Some(api) = project.api(call) else { continue };
        for (at, row) in api.arguments.iter().enumerate() {
            if !matches!(row, Effect::HandTo(_) | Effect::HandToOnSuccess(_)) || !frees(project, call) {
                continue;
            }
            let Some(argument) = project.argument(call, at as u16) else { continue };
            let Value::Binding(binding) = project.value(argument) else { continue };
            if let BindingKind::Parameter(index) = project.binding(call.with(*binding)).kind {
                found.push((project.function_of(call), index));
            }
        }
    }
    found
}

/// Whether a function that a call is given, also as a template argument, releases what it gets.
fn frees(project: &Project<'_>, call: In<CallId>) -> bool {
    let written = project.call(call);
    written.arguments.iter().chain(&written.template_arguments).any(|argument| {
        let Value::Function(function) = *project.value(call.with(argument.value)) else { return false };
        let function = call.with(function);
        project.function(function).parameters.iter().any(|parameter| {
            project.binding_value(function.with(*parameter)).is_some_and(|value| {
                let custody = project.custody(&Owned::pointer(function, value));
                custody.settled(|how| matches!(how, How::Released(_) | How::Misreleased(_))).is_some()
            })
        })
    })
}
