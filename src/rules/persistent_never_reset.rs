//! `persistent-never-reset`: a strong handle to a JavaScript value that nothing resets, deletes or counts down.

use super::member_never_freed::forgotten;
use super::support::branches::{forgetful, on_one_way};
use super::support::custody::{Kind, each, name, releaser, report as report_loss, runs_once, witness};
use super::support::members::stored;
use super::support::persistents::dying;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::contract::{By, Part};
use crate::model::{CallId, ClassId, In, Type};
use crate::project::{Custody, Doubt, Owned, Project};
use crate::text::Location;
use rustc_hash::FxHashSet;

const NAME: &str = "persistent-never-reset";

/// Whether objects of a class end a whole isolate, and with it every handle into it.
fn disposes_of_isolate(project: &Project<'_>, class: In<ClassId>) -> bool {
    project.methods(class).into_iter().any(|method| {
        project.calls_in(method).any(|call| {
            let is_isolate = |value| project.text(value).to_ascii_lowercase().contains("isolate");
            project.method_name(call).is_some_and(|name| &*name == "Dispose")
                && project.receiver(call).is_some_and(is_isolate)
        })
    })
}

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        let Some(ty) = stored.ty else { continue };
        if disposes_of_isolate(project, stored.class) {
            continue;
        }
        let is = |family| project.contracts.is_family(ty, family);
        let how = match (is("persistent"), is("reference")) {
            (true, _) => format!("call `{}.Reset()`", stored.field),
            (_, true) => format!("delete the reference `{}`", stored.field),
            _ => continue,
        };
        let what = format!("{} `{}`", ty.noun, stored.field);
        findings.extend(
            forgotten(project, &stored, NAME, &what, &how)
                .or_else(|| Some(on_one_way(project, NAME, &stored, &forgetful(project, &stored)?))),
        );
    }
    for dying in dying(project) {
        let mut finding = Finding::new(NAME, Confidence::Medium, dying.at, dying.what)
            .with_why(dying.why)
            .with_help(dying.help)
            .with_context(project.function_name(dying.function))
            .with_step(StepKind::Acquire, dying.at, "the handle is here");
        if let Some((at, words)) = dying.end {
            finding = finding.with_step(StepKind::Exit, at, words);
        }
        if !dying.edits.is_empty() {
            finding = finding.with_fix("reset it before it is gone", Applicability::Unsafe, dying.edits);
        }
        findings.push(finding);
    }
    findings.extend(uncounted(project));
    each(project, Kind::Reference, |owned, custody| {
        findings.extend(local_root(project, NAME, owned, custody));
    });
}

/// A reference or thread-safe function in a local variable, that no path releases, stores or hands on.
pub(super) fn local_root(
    project: &Project<'_>,
    rule: &'static str,
    owned: &Owned<'_>,
    custody: &Custody,
) -> Option<Finding> {
    let loss = witness(project, owned.function, custody, |loss| custody.is_never_settled() && loss.doubt == Doubt::Sure)?;
    let variable = name(project, owned)?;
    let message = format!("{} in the local variable `{variable}` is never released", owned.noun);
    let release = releaser(project, owned, &variable);
    Some(
        report_loss(project, rule, owned, custody, loss, message)?
            .with_why("the variable ends, and with it the only way to release what it names; the JavaScript value stays")
            .with_help(format!("call `{release}`, or keep `{variable}` where the end of its work finds it")),
    )
}

/// An object that counts itself up and never down: `Ref()` without `Unref()`. One finding a class.
fn uncounted(project: &Project<'_>) -> Vec<Finding> {
    let mut seen = FxHashSet::default();
    let calls = project.calls().filter(|call| project.is_native(call.file));
    calls.filter_map(|call| {
        let ty = counts_up(project, call)?;
        let class = receiver_class(project, call)?;
        if runs_once(project, project.function_of(call)) || !seen.insert(class) || counts_down(project, ty, class) {
            return None;
        }
        Some(report(project, call, class, ty))
    })
    .collect()
}

/// What a call makes its own receiver owe.
fn counts_up<'a>(project: &Project<'a>, call: In<CallId>) -> Option<&'a Type> {
    let api = project.api(call)?;
    let ty = project.contracts.ty(api.gives.as_deref()?)?;
    (api.by == By::Receiver && ty.family == "reference").then_some(ty)
}

/// The class of the object that a method is called on.
fn receiver_class(project: &Project<'_>, call: In<CallId>) -> Option<In<ClassId>> {
    let class = match project.receiver(call) {
        Some(receiver) => project.class_of_value(receiver)?,
        None => project.class_of(project.function_of(call))?,
    };
    Some(project.canonical_class(class))
}

/// Whether anything may be the other half: on an object of the class, its bases or heirs, or of no known class.
fn counts_down(project: &Project<'_>, ty: &Type, class: In<ClassId>) -> bool {
    let related = |other: In<ClassId>| {
        let is_below = |a, b| std::iter::once(a).chain(project.bases(a)).any(|base| project.canonical_class(base) == b);
        is_below(other, class) || is_below(class, other)
    };
    let rows = || project.contracts.apis.iter().filter(|api| api.of.contains(&ty.name));
    project.calls().filter(|call| project.is_native(call.file)).any(|call| {
        let is_other_half = match project.api(call) {
            Some(api) => api.releases == Some(Part::Receiver) && api.of.contains(&ty.name),
            None => project.method_name(call).is_some_and(|name| {
                rows().flat_map(|api| &api.names).any(|row| row.rsplit(['#', ':']).next() == Some(name.as_str()))
            }),
        };
        is_other_half && receiver_class(project, call).is_none_or(related)
    })
}

fn report(project: &Project<'_>, call: In<CallId>, class: In<ClassId>, ty: &Type) -> Finding {
    let at = project.locate(call);
    let name = project.class(class).name;
    let up = project.method_name(call).map(|name| name.to_string()).unwrap_or_default();
    let down = opposite(project, ty).unwrap_or_default();
    let comment = commented(project, class, &down);
    let confidence = if comment.is_some() { Confidence::High } else { Confidence::Medium };
    let mut finding = Finding::new(NAME, confidence, at, format!("`{up}()` without `{down}()`: a `{name}` is never collected"))
        .with_why(format!("`{up}()` makes the handle to the JavaScript object strong, and no code of the project calls `{down}()` on a `{name}`"))
        .with_help(format!("call `{down}()` where the work that needs the object alive has ended"))
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, at, "counted up here");
    if let Some(comment) = comment {
        finding = finding.with_step(StepKind::Release, comment, format!("`{down}()` is commented out"));
    }
    finding
}

/// The method that gives back what a type stands for.
fn opposite(project: &Project<'_>, ty: &Type) -> Option<String> {
    let api = project.contracts.apis.iter().find(|api| api.releases.is_some() && api.of.contains(&ty.name))?;
    api.names.first()?.rsplit(['#', ':']).next().map(str::to_owned)
}

/// A call of this name that is only a comment, in a method of the class.
fn commented(project: &Project<'_>, class: In<ClassId>, name: &str) -> Option<Location> {
    project.methods(class).into_iter().find_map(|method| {
        let body = project.function(method).body;
        let text = &project.sources.get(method.file).text;
        let is_call = |words: &str| words.split(name).nth(1).is_some_and(|rest| rest.starts_with('('));
        let comments = &project.summary(method.file).comments;
        comments.iter().find(|comment| body.contains(**comment) && is_call(comment.of(text))).map(|comment| project.at(method.file, *comment))
    })
}
