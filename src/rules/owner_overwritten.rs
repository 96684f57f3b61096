//! `owner-overwritten`: a variable, field or slot that owns something receives something else before it is released.

use super::support::mend::{before, native::mend};
use super::support::renewed::renewed;
use super::support::custody::{Kind, assigned, each, name, releaser, report, witness};
use crate::finding::{Applicability, Confidence, Finding, StepKind, TraceStep};
use crate::model::contract::{Effect, Part};
use crate::model::{CallId, Flow, FunctionId, In, Step, Value, ValueId};
use crate::project::{Custody, How, Owned, Project, Way};
use crate::text::Span;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

const NAME: &str = "owner-overwritten";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    // A field that one function grows in many places is one mistake made many times.
    let mut grown_already: FxHashMap<(In<FunctionId>, ValueId), usize> = FxHashMap::default();
    for kind in [Kind::Memory, Kind::Handle] {
        each(project, kind, |owned, custody| {
            if let Some((field, finding)) = grown(project, owned, custody) {
                match grown_already.entry((owned.function, field)) {
                    Entry::Vacant(first) => {
                        first.insert(findings.len());
                        findings.push(finding);
                    }
                    Entry::Occupied(first) => {
                        let step = TraceStep { kind: StepKind::Acquire, at: finding.at, message: "likewise here".to_owned() };
                        findings[*first.get()].trace.push(step);
                    }
                }
            }
            findings.extend(renewed_at_each_call(project, owned, custody));
            // Never released at all is another rule's word.
            if custody.is_never_settled() {
                return;
            }
            let Some(loss) = witness(project, owned.function, custody, |loss| matches!(loss.way, Way::Overwrite(_))) else { return };
            let variable = name(project, owned).unwrap_or_else(|| "its variable".to_owned());
            let message = format!("{} in `{variable}` is overwritten while `{variable}` still owns it", owned.noun);
            let Some(finding) = report(project, NAME, owned, custody, loss, message) else { return };
            let release = releaser(project, owned, &variable);
            let finding =
                finding
                    .with_why(format!(
                        "`{variable}` is the only pointer to it; after the assignment nothing can release it"
                    ))
                    .with_help(format!(
                        "call `{release}` before the assignment, or do not acquire what is about to be replaced"
                    ));
            findings.push(mend(project, owned, custody, finding));
        });
    }
}

/// `this->name = strdup(…)` in a method that JavaScript calls, which does not look at what is there.
fn renewed_at_each_call(project: &Project<'_>, owned: &Owned<'_>, custody: &Custody) -> Option<Finding> {
    let (field, at) = custody.settlements.iter().find_map(|stored| {
        let at = project.at(owned.function.file, stored.span);
        Some((renewed(project, owned, (&stored.how, at))?, at))
    })?;
    let text = project.text(field);
    let release = releaser(project, owned, &text);
    let message = format!("each call puts another {} into `{text}`, over the one before", owned.noun);
    let acquired = project.locate(owned.function.with(owned.call()?));
    Some(
        Finding::new(NAME, Confidence::Medium, acquired, message)
            .with_why(format!(
                "JavaScript may call {} any number of times; only what is in `{text}` last is released",
                project.function_name(owned.function)
            ))
            .with_help(format!("call `{release}` before the assignment"))
            .with_context(project.function_name(owned.function))
            .with_step(StepKind::Acquire, acquired, format!("{} is obtained here", owned.noun))
            .with_step(StepKind::Exit, at, format!("`{text}` forgets what it had")),
    )
}

/// `memcpy(larger, p->field, n); p->field = larger;`: the old block is copied and forgotten.
fn grown(project: &Project<'_>, owned: &Owned<'_>, custody: &Custody) -> Option<(ValueId, Finding)> {
    let larger = assigned(project, owned)?;
    let file = owned.function.file;
    let acquired = In::new(file, owned.call()?);
    let (field, stored) = custody.settlements.iter().find_map(|settlement| match settlement.how {
        How::Stored(place) if matches!(project.value(In::new(file, place)), Value::Member(..)) => {
            Some((place, settlement.span))
        }
        _ => None,
    })?;
    let between = Span::new(project.call(acquired).span.start, stored.start);
    let copied = copy(project, owned, between, larger, field)?;
    let (variable, text) = (project.text(In::new(file, larger)), project.text(In::new(file, field)));
    let release = releaser(project, owned, &text);
    let source = &*project.sources.get(file).text;
    let edits = before(file, source, statement(project, owned, stored), &format!("{};", cast(project, owned, larger, &release, &text)));
    let finding =
        Finding::new(NAME, Confidence::Medium, project.locate(acquired), format!("`{text}` is grown by hand and its old block forgotten"))
            .with_why(format!("the contents of `{text}` are copied to `{variable}`, then `{text}` receives `{variable}`; nothing knows the old block any more"))
            .with_help(format!("call `{release}` before the assignment"))
            .with_context(project.function_name(owned.function))
            .with_step(StepKind::Acquire, project.locate(acquired), "the larger block")
            .with_step(StepKind::Hold, project.at(file, copied), format!("copied from `{text}`"))
            .with_step(StepKind::Exit, project.at(file, stored), format!("`{text}` receives the larger block"));
    let finding = match edits {
        Some(edits) => {
            finding.with_fix(format!("release the old block of `{text}` first"), Applicability::Unsafe, edits)
        }
        None => finding,
    };
    Some((field, finding))
}

/// The statement around an assignment.
fn statement(project: &Project<'_>, owned: &Owned<'_>, assignment: Span) -> Span {
    let mut found = assignment;
    project.function(owned.function).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Assign(assign)) = flow
            && assign.span == assignment
        {
            found = assign.statement;
        }
    });
    found
}

/// A `delete` of what may be declared as `void*`, by the type that it is grown as.
fn cast(project: &Project<'_>, owned: &Owned<'_>, larger: ValueId, release: &str, text: &str) -> String {
    let summary = project.summary(owned.function.file);
    let ty = match summary.value(larger) {
        Value::Binding(binding) => summary.binding(*binding).ty.as_ref(),
        _ => None,
    };
    match ty.map(|ty| ty.text.trim()).filter(|ty| ty.ends_with('*') && !ty.contains("auto")) {
        Some(ty) if release.starts_with("delete") => release.replace(text, &format!("({ty}){text}")),
        _ => release.to_owned(),
    }
}

/// Where one place is copied to another, if the source is neither released nor remembered in between.
fn copy(project: &Project<'_>, owned: &Owned<'_>, between: Span, to: ValueId, from: ValueId) -> Option<Span> {
    let summary = project.summary(owned.function.file);
    let mut copied = None;
    let mut cared_for = false;
    project.function(owned.function).flow.walk(&mut |flow| match flow {
        Flow::Step(Step::Call(call)) if between.contains(summary.call(*call).span) => {
            if is_copy(project, owned.function.with(*call), to, from) {
                copied = Some(summary.call(*call).span);
            } else {
                cared_for |= summary.call(*call).arguments.iter().any(|argument| argument.value == from);
            }
        }
        Flow::Step(Step::Assign(assign)) if between.contains(assign.span) => cared_for |= assign.value == from,
        _ => {}
    });
    copied.filter(|_| !cared_for)
}

fn is_copy(project: &Project<'_>, call: In<CallId>, to: ValueId, from: ValueId) -> bool {
    let Some(api) = project.api(call) else { return false };
    let argument = |at: u16| project.argument(call, at).map(|value| value.id);
    api.returns == Some(Part::Argument(0))
        && api.arguments.get(1) == Some(&Effect::Copy)
        && argument(0) == Some(to)
        && argument(1) == Some(from)
}
