//! `owner-forgets-handle`: a class keeps a handle that it obtained itself, and the methods that end it do not release it.

use super::support::ending::{endings, reach, reaches};
use super::support::handles::{beginning, ends_with_others, is_counted};
use super::support::inherited::{Forgotten, self};
use super::support::late::{Late, self};
use super::support::keeper::{Keeper, care, keeper};
use super::support::mend::handle::release;
use super::support::replaced::{self, Replaced};
use super::support::mend::{at_start, semicolon};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, FunctionId, In, Rate, Type, Value};
use crate::project::{Access, AccessKind, Origin, Project, Root};
use crate::text::Edit;

const NAME: &str = "owner-forgets-handle";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    findings.extend(inherited::forgotten(project).into_iter().map(|forgotten| left_by_destroy(project, &forgotten)));
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        if let Some(late) = late::arrives_late(project, call) {
            findings.push(comes_late(project, call, &late));
            continue;
        }
        findings.extend(replaced::found(project, call).map(|replaced| overwritten(project, call, &replaced)));
        let Some(gives) = project.gives(call).filter(|gives| is_counted(gives.ty) && !gives.ty.collectable) else { continue };
        if beginning(project, call, &gives).is_none() {
            continue;
        }
        let Keeper::Place(place) = keeper(project, call, gives.ty) else { continue };
        let Root::Field(class, _) = place.root else { continue };
        if project.instances(class).rate.is_none_or(|rate| rate == Rate::Once) {
            continue;
        }
        let care = care(project, place, gives.ty);
        let endings = endings(project, class);
        let Some(&ending) = endings.iter().find(|&&ending| project.calls_in(ending).next().is_some()) else { continue };
        // The end waits for it: `this.child.once('close', resolve)`.
        let waits = |access: &Access| match access.kind {
            AccessKind::Method { call, .. } => project.api(access.of(call)).is_some_and(|api| api.registers.is_some()),
            _ => false,
        };
        let waited: Vec<Access> = project.accesses(place).iter().copied().filter(waits).collect();
        if endings.iter().any(|&ending| reaches(project, ending, &waited)) {
            continue;
        }
        // `this[name].quit()`, whatever the names are.
        if endings.iter().any(|&ending| reach(project, ending).into_iter().any(|f| looks_up_fields(project, f))) {
            continue;
        }
        if !care.escapes.is_empty() || endings.iter().any(|&ending| reaches(project, ending, &care.releases)) {
            continue;
        }
        let (noun, name, method) = (&gives.ty.noun, project.place_text(place), project.function_name(ending));
        let at = project.locate(call);
        // What ends by itself may do so because something else ends: a child whose input is closed.
        let sure = care.releases.is_empty() && !ends_with_others(gives.ty);
        let confidence = if sure { Confidence::Medium } else { Confidence::Low };
        let mut finding = Finding::new(NAME, confidence, at, format!("{noun} in `{name}` is not released by {method}"))
            .with_why(format!("{method} ends the object, and neither it nor what it calls releases `{name}`"))
            .with_help(format!("release `{name}` in {method}"))
            .with_context(project.function_name(project.function_of(call)))
            .with_step(StepKind::Acquire, at, format!("`{name}` receives the {noun} here"))
            .with_step(StepKind::Exit, project.locate_function(ending), format!("{method} ends without releasing it"));
        if let Some(release) = care.releases.first() {
            finding = finding.with_step(StepKind::Release, release.at(), "released on this way only");
        }
        findings.push(match released_in(project, call, gives.ty, &name, ending) {
            Some(edit) => finding.with_fix(format!("release it in {method}"), Applicability::Unsafe, vec![edit]),
            None => finding,
        });
    }
}

/// What the `destroy` of a stream leaves behind because it is the inherited one.
fn left_by_destroy(project: &Project<'_>, forgotten: &Forgotten) -> Finding {
    let name = project.place_text(forgotten.place);
    let (class, method) = (project.class(forgotten.class).name, project.function_name(forgotten.ending));
    let at = project.locate(forgotten.made);
    Finding::new(NAME, Confidence::Medium, at, format!("what `{name}` holds goes on after `destroy`, which `{class}` inherits"))
        .with_why(format!("{method} ends it; the stream's own `destroy`, which `pipeline` and whoever gives it up call, does not"))
        .with_help(format!("end `{name}` in a `_destroy(error, callback)` of `{class}`, too"))
        .with_context(project.function_name(project.function_of(forgotten.made)))
        .with_step(StepKind::Acquire, at, format!("`{name}` receives it here"))
        .with_step(StepKind::Release, project.locate(forgotten.ended), format!("{method} ends it"))
}

/// What is put into a field of an object that has ended meanwhile.
fn comes_late(project: &Project<'_>, call: In<CallId>, late: &Late) -> Finding {
    let noun = project.gives(call).map_or("handle", |gives| &*gives.ty.noun);
    let (name, method, flag) = (project.place_text(late.place), project.function_name(late.ending), late.flag);
    let at = project.locate(call);
    Finding::new(NAME, Confidence::Medium, at, format!("{noun} for `{name}` may come after {method}, and is never released then"))
        .with_why(format!("{method} releases what `{name}` holds at that moment; nobody waits for this start, and it does not ask for `this.{flag}`"))
        .with_help(format!("after the `await`, release it at once `if (this.{flag})`"))
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, at, format!("the {noun} is obtained here"))
        .with_step(StepKind::Repeat, late.waits, "the object may end during this wait")
        .with_step(StepKind::Release, project.locate_function(late.ending), format!("{method} releases what is there"))
}

/// The next instance takes the place of one that nobody ended.
fn overwritten(project: &Project<'_>, call: In<CallId>, replaced: &Replaced) -> Finding {
    let (name, method) = (project.place_text(replaced.place), project.function_name(replaced.ending));
    let rate = project.call_rate(call);
    let at = project.locate(call);
    let message = format!("what is in `{name}` is replaced without its {method}");
    let mut finding = Finding::new(NAME, Confidence::Medium, at, message)
        .with_why(format!("{}; nothing can reach the last one any more, and it goes on", rate.because()))
        .with_help(format!("call {method} of `{name}` before this assignment"))
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, at, format!("`{name}` receives the next one here"))
        .with_step(StepKind::Hold, replaced.held, "each goes on until its end")
        .with_step(StepKind::Release, replaced.ended, "ends the last one only");
    finding.trace.extend(rate.why);
    finding
}

/// The release at the start of the method that ends the object, where the field may still be empty.
fn released_in(project: &Project<'_>, call: In<CallId>, ty: &Type, name: &str, ending: In<FunctionId>) -> Option<Edit> {
    let release = release(project, call, ty, name).filter(|_| name.starts_with("this."))?;
    let text = &project.sources.get(ending.file).text;
    // Whoever ends an object need not wait for each of its parts.
    let release = release.trim_start_matches("await ");
    let end = semicolon(&project.sources.get(call.file).text, project.call(call).statement);
    let code = format!("if ({name}) {release}{end}");
    at_start(ending.file, text, project.function(ending).body.start, &code)
}

/// Whether a function calls methods of fields that it has by computed names.
fn looks_up_fields(project: &Project<'_>, function: In<FunctionId>) -> bool {
    project.calls_in(function).any(|call| {
        let field = project.receiver(call).map(|receiver| (receiver, project.value(receiver)));
        match field {
            Some((receiver, Value::Index(object, _))) => {
                matches!(project.origin(receiver.with(*object)), Origin::This(_))
            }
            _ => false,
        }
    })
}
