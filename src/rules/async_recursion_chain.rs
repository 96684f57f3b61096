//! `async-recursion-chain`: an async function that returns itself after an `await`, without a limit in sight.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{CallId, Cond, Exit, Flow, FunctionId, In, Step, Summary, Value, ValueId};
use crate::project::Project;
use crate::text::Span;

const NAME: &str = "async-recursion-chain";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for function in project.functions() {
        let facts = project.function(function);
        if !facts.is_async || facts.is_generator || !facts.has_body {
            continue;
        }
        let Some((call, span)) = tail_call(project, function) else { continue };
        if !waits_before(&facts.flow, span.start) || is_limited(project, function, call) {
            continue;
        }
        // A turn that is taken only in some branch is a retry, or the next piece of something that has an end; and whoever only
        // waits for something to happen is done when it has.
        let summary = project.summary(function.file);
        let lasts = is_endless(project, summary, &facts.flow, call.id) || fetches(summary, &facts.flow, span.start);
        let confidence =
            if lasts && goes_on(summary, &facts.flow, call.id) { Confidence::Medium } else { Confidence::Low };
        let name = project.function_name(function);
        findings.push(
            Finding::new(
                NAME,
                confidence,
                project.locate_function(function),
                format!("{name} returns itself again after each wait: the promises form a chain"),
            )
            .with_why("the promise of each turn waits for the next one, and nothing limits the number of turns")
            .with_help("write it as a loop: `while (true) { … await … }`")
            .with_context(name.clone())
            .with_step(
                StepKind::Grow,
                project.at(function.file, span),
                format!("one more pending promise of {name} for each turn"),
            ),
        );
    }
}

/// The call by which the function returns itself: `return self(…)`, `return await self(…)`, `return this.self(…)`.
fn tail_call(project: &Project<'_>, function: In<FunctionId>) -> Option<(In<CallId>, Span)> {
    let summary = project.summary(function.file);
    let mut found = None;
    project.function(function).flow.walk(&mut |flow| {
        let Flow::Exit(Exit::Return(Some(value)), _) = flow else { return };
        let mut value = *value;
        while let Value::Awaited(inner) = summary.value(value) {
            value = *inner;
        }
        if let Value::Result(call) = summary.value(value) {
            let call = function.with(*call);
            let targets = project.targets(call);
            let one = !targets.weak && targets.functions.as_slice() == [function];
            if one && project.call(call).loop_depth == 0 && !is_replaced(project, call) {
                found = Some((call, project.call(call).span));
            }
        }
    });
    found
}

/// Whether the variable by which the function is called receives other functions, too.
fn is_replaced(project: &Project<'_>, call: In<CallId>) -> bool {
    match project.value(call.with(project.call(call).callee)) {
        Value::Binding(binding) => project.binding(call.with(*binding)).assignments > 1,
        _ => false,
    }
}

/// Whether the function comes to the call whenever nothing ends it earlier.
fn goes_on(summary: &Summary, flow: &Flow, call: CallId) -> bool {
    match flow {
        Flow::Exit(Exit::Return(Some(value)), _) => {
            let mut value = *value;
            while let Value::Awaited(inner) = summary.value(value) {
                value = *inner;
            }
            *summary.value(value) == Value::Result(call)
        }
        Flow::Sequence(parts) => parts.iter().any(|part| goes_on(summary, part, call)),
        Flow::Try { body, finally, .. } => {
            goes_on(summary, body, call) || finally.as_ref().is_some_and(|finally| goes_on(summary, finally, call))
        }
        _ => false,
    }
}

/// Whether nothing but the end of its object ends the function: a flag of that end is all that its other returns look at.
fn is_endless(project: &Project<'_>, summary: &Summary, flow: &Flow, call: CallId) -> bool {
    let ends = |value: ValueId| match summary.value(value) {
        Value::Member(_, name) => {
            let words = &project.contracts.words;
            words.has(Meaning::Ending, name) || words.any(Meaning::Disposal, name)
        }
        _ => false,
    };
    match flow {
        Flow::Exit(Exit::Return(_), _) => goes_on(summary, flow, call),
        Flow::Sequence(parts) => parts.iter().all(|part| is_endless(project, summary, part, call)),
        Flow::Branch { cond, then, otherwise, .. } => {
            let mut asks = false;
            cond.values(&mut |value| asks |= ends(value));
            asks || [then, otherwise].into_iter().all(|side| is_endless(project, summary, side, call))
        }
        Flow::Switch { arms, .. } => arms.iter().all(|arm| is_endless(project, summary, arm, call)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => is_endless(project, summary, body, call),
        Flow::Try { body, handler, finally } => {
            let handler = handler.as_ref().map(|(_, handler)| handler);
            [Some(body), handler, finally.as_ref()]
                .into_iter()
                .flatten()
                .all(|part| is_endless(project, summary, part, call))
        }
        _ => true,
    }
}

/// Whether each turn begins with an answer that it keeps: somebody else decides how often that goes on. What is waited for
/// last, on the way that leads to the next turn, tells.
fn fetches(summary: &Summary, flow: &Flow, before: u32) -> bool {
    let mut last = None;
    straight(flow, &mut |step| match step {
        Step::Await { value, span, .. } if span.start < before => last = Some((*value, false)),
        Step::Assign(assign) => {
            if let (Value::Awaited(inner), Some((awaited, kept))) = (summary.value(assign.value), &mut last)
                && inner == awaited
            {
                *kept = true;
            }
        }
        _ => {}
    });
    last.is_some_and(|(_, kept)| kept)
}

/// The steps that a run takes when no condition stops it.
fn straight<'f>(flow: &'f Flow, visit: &mut dyn FnMut(&'f Step)) {
    match flow {
        Flow::Step(step) => visit(step),
        Flow::Sequence(parts) => parts.iter().for_each(|part| straight(part, visit)),
        Flow::Try { body, .. } => straight(body, visit),
        _ => {}
    }
}

fn waits_before(flow: &Flow, before: u32) -> bool {
    let mut waits = false;
    flow.walk(&mut |flow| {
        if let Flow::Step(Step::Await { span, is_yield: false, .. }) = flow {
            waits |= span.start < before;
        }
    });
    waits
}

/// Whether something in sight ends the recursion: an argument that changes from turn to turn (a counter, a shorter list, a
/// child), or a comparison of numbers on the way.
fn is_limited(project: &Project<'_>, function: In<FunctionId>, call: In<CallId>) -> bool {
    let facts = project.function(function);
    let summary = project.summary(function.file);
    let changes = facts
        .parameters
        .iter()
        .zip(project.call(call).arguments.iter())
        .any(|(&parameter, argument)| !is_same(summary, argument.value, parameter));
    let mut counts_up = false;
    facts.flow.walk(&mut |flow| {
        if let Flow::Step(Step::Assign(assign)) = flow
            && let Value::Binding(binding) = summary.value(assign.place)
        {
            counts_up |= !assign.is_declaration && facts.parameters.contains(binding);
        }
    });
    if changes || counts_up {
        return true;
    }
    let mut compares = false;
    facts.flow.walk(&mut |flow| {
        if let Flow::Branch { cond, .. } | Flow::Loop { cond, .. } = flow {
            compares |= counts(summary, cond);
        }
    });
    compares
}

fn is_same(summary: &Summary, value: ValueId, parameter: crate::model::BindingId) -> bool {
    match summary.value(value) {
        Value::Binding(binding) => *binding == parameter,
        Value::Object(object) => {
            // Options written out again, each from the parts of the destructured parameter.
            summary.object(*object).properties.iter().all(|p| matches!(summary.value(p.value), Value::Binding(_)))
        }
        Value::Literal(_) => true,
        _ => false,
    }
}

/// Whether a condition compares numbers that are no sizes: how much there is says nothing of how often to go on.
fn counts(summary: &Summary, cond: &Cond) -> bool {
    let is_size = |value: &ValueId| match summary.value(*value) {
        Value::Member(_, name) => matches!(&**name, "length" | "size" | "byteLength"),
        _ => false,
    };
    match cond {
        Cond::Less(a, b) | Cond::AtMost(a, b) => !is_size(a) && !is_size(b),
        Cond::Not(inner) => counts(summary, inner),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().any(|part| counts(summary, part)),
        _ => false,
    }
}
