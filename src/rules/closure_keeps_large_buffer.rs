//! `closure-keeps-large-buffer`: a long-lived closure keeps a large buffer that only a sibling closure mentions.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::Runs;
use crate::model::{BindingId, CallId, FunctionId, In, Summary, Value};
use crate::project::{AccessKind, Place, Project, Root};

const NAME: &str = "closure-keeps-large-buffer";

/// Bytes from which a buffer counts as large: eight times the slab that small ones share (`Buffer.poolSize`, 8 KiB).
const LARGE: u64 = 64 * 1024;

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(bytes) = bytes(project, call).filter(|&bytes| bytes >= LARGE && allocates(project, call)) else {
            continue;
        };
        let Some(Place { root: Root::Variable(binding), .. }) = kept(project, call) else { continue };
        let variable = project.binding(binding);
        if variable.function == FunctionId::MODULE
            || variable.captured_by.is_empty()
            || is_cleared(project, call, binding)
        {
            continue;
        }
        let Some((keeper, user)) = siblings(project, call, binding) else { continue };
        let (name, keeper_name) = (variable.name, project.function_name(keeper));
        findings.push(
            Finding::new(NAME, Confidence::High, project.locate(call), format!("`{name}` ({bytes} bytes) is kept by {keeper_name}, which does not use it"))
                .with_why(format!("closures of one scope share one context; {} captures `{name}`, so {keeper_name} keeps it too and outlives the call", project.function_name(user)))
                .with_help(format!("make {keeper_name} in a function of its own, or set `{name}` to null when it is done with"))
                .with_context(project.function_name(project.function_of(call)))
                .with_step(StepKind::Hold, project.locate_function(user), format!("captures `{name}`, which puts it into the shared context"))
                .with_step(StepKind::Hold, project.locate_function(keeper), "lives on, with the whole context"),
        );
    }
}

/// Whether a call allocates outside the JavaScript heap.
fn allocates(project: &Project<'_>, call: In<CallId>) -> bool {
    project.result(call).is_some_and(|result| project.is_family(result, "buffer"))
}

/// The number of bytes that a call is asked for, where the code says it.
fn bytes(project: &Project<'_>, call: In<CallId>) -> Option<u64> {
    let argument = project.call(call).arguments.first()?;
    argument.span.of(&project.sources.get(call.file).text).split('*').try_fold(1_u64, |product, factor| {
        let digits: String = factor.trim().chars().filter(|c| *c != '_').collect();
        let factor = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                mantissa.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(exponent.parse().ok()?)?)?
            }
            None => digits.parse().ok()?,
        };
        product.checked_mul(factor)
    })
}

fn kept(project: &Project<'_>, call: In<CallId>) -> Option<Place> {
    project.uses(project.result(call)?).iter().find_map(|access| match access.kind {
        AccessKind::Stored { place } => project.place(access.of(place)),
        _ => None,
    })
}

fn is_cleared(project: &Project<'_>, call: In<CallId>, binding: In<BindingId>) -> bool {
    let _ = call;
    project.binding(binding).assignments > 1
}

/// A closure that outlives the call without mentioning the buffer, and one that mentions it and does not outlive the call.
fn siblings(
    project: &Project<'_>,
    call: In<CallId>,
    binding: In<BindingId>,
) -> Option<(In<FunctionId>, In<FunctionId>)> {
    let summary = project.summary(call.file);
    let variable = project.binding(binding);
    let user = *variable.captured_by.iter().find(|&&f| !outlives(project, call.with(f)))?;
    if variable.captured_by.iter().any(|&f| outlives(project, call.with(f)) && mentions(summary, f, binding.id)) {
        return None;
    }
    let keeper = (0..summary.functions.len() as u32).map(FunctionId).find(|&f| {
        let facts = summary.function(f);
        facts.parent == Some(variable.function)
            && !mentions(summary, f, binding.id)
            && (facts.captures_this || facts.captures.iter().any(|&b| summary.binding(b).function == variable.function))
            && outlives(project, call.with(f))
    })?;
    Some((call.with(keeper), call.with(user)))
}

fn mentions(summary: &Summary, function: FunctionId, binding: BindingId) -> bool {
    summary.function(function).captures.contains(&binding) || summary.function(function).has_eval
}

/// Whether a closure lives longer than the call that makes it: returned, kept in a longer-lived place, run on events.
fn outlives(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let summary = project.summary(function.file);
    let Some(at) = summary.values.iter().position(|value| *value == Value::Function(function.id)) else { return false };
    let value = function.with(crate::model::ValueId(at as u32));
    let mut values = vec![value];
    for access in project.uses(value) {
        if let AccessKind::Stored { place } = access.kind {
            values.push(access.of(place));
        }
    }
    values.iter().flat_map(|&value| project.uses(value)).any(|access| match access.kind {
        AccessKind::Returned => true,
        AccessKind::Stored { place } => {
            matches!(
                project.place(access.of(place)),
                Some(Place { root: Root::Field(..) | Root::Static(..) | Root::External(_), .. })
            )
        }
        AccessKind::Argument { call, .. } => project
            .callbacks(access.of(call))
            .iter()
            .any(|handed| handed.function == function && handed.runs == Some(Runs::Event)),
        _ => false,
    })
}
