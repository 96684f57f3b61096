//! `external-without-finalizer`: memory of its own is given to JavaScript as an external buffer, and nobody will free it.

use super::support::custody::{assigned, is_shipped, kind, name, releaser, report, unfinalized, witness};
use super::support::mend::finalizer::finalizer;
use super::support::members::deleted;
use super::support::payload::{lacks_finalizer, names_nobody};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{Argument, CallId, Flow, In, Name, Step, Value};
use crate::project::{Custody, How, Owned, Project};
use crate::text::{Edit, FileId};
use rustc_hash::FxHashMap;

const NAME: &str = "external-without-finalizer";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        for (owned, custody) in project.owned_in(function).iter() {
            if kind(owned).is_none() {
                continue;
            }
            let Some(by) = unfinalized(project, owned) else { continue };
            let Some(loss) = witness(project, owned.function, custody, |_| true) else { continue };
            let variable = name(project, owned).unwrap_or_else(|| "it".to_owned());
            let callee = project.callee_text(by);
            let message = format!("{} in `{variable}` is given to JavaScript without a finalizer", owned.noun);
            let Some(finding) = report(project, NAME, owned, custody, loss, message) else { continue };
            let finding = finding
                    .with_step(StepKind::Hold, project.locate(by), format!("`{callee}` only points to it"))
                    .with_why(format!("`{callee}` neither copies nor owns what it points to; when the JavaScript object is collected, `{variable}` stays"))
                    .with_help(format!("pass a finalizer that frees `{variable}`, or copy it into a buffer of JavaScript's own and free it here"));
            let given = |argument: &Argument| project.text(by.with(argument.value)) == variable;
            let at = project.call(by).arguments.iter().position(given);
            let edit = at.and_then(|at| finalizer(project, by, at as u16, |data| releaser(project, owned, data)));
            findings.push(mended(finding, edit));
        }
    }
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        let owned = project.owned_in(function);
        findings.extend(owned.iter().filter_map(|(owned, custody)| pointed_to(project, owned, custody)));
    }
    for file in project.files().map(|(file, _)| file).filter(|file| project.is_native(*file)) {
        fields(project, file, findings);
    }
}

/// An object that only a JavaScript value points to, of a class that no code of the project ever releases.
fn pointed_to(project: &Project<'_>, owned: &Owned<'_>, custody: &Custody) -> Option<Finding> {
    let [settlement] = custody.settlements.as_slice() else { return None };
    let How::Handed(call, _) = settlement.how else { return None };
    let (call, made) = (owned.function.with(call), owned.function.with(owned.call()?));
    kind(owned).filter(|_| project.is_heap(made) && custody.losses.is_empty())?;
    let place = assigned(project, owned)?;
    let is_it = |argument: &Argument| argument.value == place || Some(argument.value) == owned.holder;
    let at = project.call(call).arguments.iter().position(is_it)?;
    let class = project.class_of_value(owned.function.with(place)).filter(|_| names_nobody(project, call, at as u16))?;
    if deleted(project, class).is_some() || project.class_type(class).is_some() {
        return None;
    }
    let (variable, callee) = (name(project, owned)?, project.callee_text(call));
    let finding = Finding::new(NAME, Confidence::Medium, project.locate(call), format!("{} in `{variable}` is given to JavaScript without a finalizer", owned.noun))
        .with_why(format!("`{callee}` only points to it, and no code of the project releases a `{}`", project.class(class).name))
        .with_help(format!("pass a finalizer that frees `{variable}`"))
        .with_context(project.function_name(owned.function))
        .with_step(StepKind::Acquire, project.locate(made), format!("{} is acquired here", owned.noun))
        .with_step(StepKind::Hold, project.locate(call), "only pointed to from here on");
    let edit = finalizer(project, call, at as u16, |data| releaser(project, owned, data));
    Some(mended(finding, edit))
}

/// A field that is filled with memory of its own, and of which an external buffer is made.
fn fields(project: &Project<'_>, file: FileId, findings: &mut Vec<Finding>) {
    let summary = project.summary(file);
    let mut filled: FxHashMap<Name, In<CallId>> = FxHashMap::default();
    for at in 0..summary.functions.len() {
        let function = In::new(file, crate::model::FunctionId(at as u32));
        project.function(function).flow.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow
                && let Value::Member(_, name) = summary.value(assign.place)
                && let Value::Result(call) = summary.value(assign.value)
                && project.is_heap(In::new(file, *call))
            {
                filled.entry(*name).or_insert(In::new(file, *call));
            }
        });
    }
    if filled.is_empty() {
        return;
    }
    for at in 0..summary.calls.len() {
        let call = In::new(file, CallId(at as u32));
        for (index, argument) in summary.call(call.id).arguments.iter().enumerate() {
            if !lacks_finalizer(project, call, index as u16) || !is_shipped(project, project.function_of(call)) {
                continue;
            }
            let Value::Member(object, name) = summary.value(argument.value) else { continue };
            let Some(from) = filled.get(name).filter(|_| !matches!(summary.value(*object), Value::Global(_))) else {
                continue;
            };
            let text = project.text(In::new(file, argument.value));
            let finding = Finding::new(NAME, Confidence::Medium, project.locate(call), format!("heap memory in `{text}` is given to JavaScript without a finalizer"))
                    .with_why(format!("`{}` neither copies nor owns what it points to; when the JavaScript object is collected, the memory stays", project.callee_text(call)))
                    .with_help(format!("pass a finalizer that frees `{text}`, or copy it and free it here"))
                    .with_context(project.function_name(project.function_of(call)))
                    .with_step(StepKind::Acquire, project.locate(*from), format!("`{name}` is filled with memory of its own here"))
                    .with_step(StepKind::Hold, project.locate(call), "only pointed to from here on");
            let release = |data: &str| {
                let made = project.call(*from);
                match (made.is_new, made.is_array_new) {
                    (true, true) => format!("delete[] {data}"),
                    (true, false) => format!("delete {data}"),
                    _ => format!("free({data})"),
                }
            };
            findings.push(mended(finding, finalizer(project, call, index as u16, release)));
        }
    }
}

fn mended(finding: Finding, edit: Option<Edit>) -> Finding {
    match edit {
        Some(edit) => finding.with_fix("give it a finalizer", Applicability::Unsafe, vec![edit]),
        None => finding,
    }
}
