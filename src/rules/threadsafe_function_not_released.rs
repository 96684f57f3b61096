//! `threadsafe-function-not-released`: a thread-safe function in a field that nothing releases, or that a second run of its
//! setter overwrites.

use super::member_never_freed::forgotten;
use super::persistent_never_reset::local_root;
use super::support::custody::{Kind, assigned, each, name};
use super::support::members::{Stored, is_released, stored};
use super::support::mend::before;
use super::support::siblings::{LeftOut, left_out};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{Flow, FunctionKind, Holder, In, Step};
use crate::project::{AccessKind, Custody, How, Owned, Project};
use crate::text::Edit;

const NAME: &str = "threadsafe-function-not-released";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        let Some(ty) = stored.ty.filter(|ty| project.contracts.is_family(ty, "tsfn")) else { continue };
        let how = format!("call `{}.Release()`", stored.field);
        let what = format!("{} `{}`", ty.noun, stored.field);
        findings.extend(forgotten(project, &stored, NAME, &what, &how).or_else(|| overwritten(project, &stored)));
    }
    each(project, Kind::ThreadSafe, |owned, custody| {
        findings.extend(local_root(project, NAME, owned, custody).or_else(|| captured(project, owned, custody)));
    });
    findings.extend(left_out(project, "tsfn").iter().map(|left| report_left_out(project, left)));
}

/// A thread-safe function in a local variable that only closures know, none of which releases it.
fn captured(project: &Project<'_>, owned: &Owned<'_>, custody: &Custody) -> Option<Finding> {
    let is_captured = custody.settlements.iter().all(|settlement| settlement.how == How::Captured);
    if custody.settlements.is_empty() || !is_captured || !custody.losses.is_empty() {
        return None;
    }
    let at = In::new(owned.function.file, owned.call()?);
    let variable = name(project, owned)?;
    let names = project.under_all_names(In::new(owned.function.file, assigned(project, owned)?));
    let only_called = names.into_iter().flat_map(|name| project.uses(name)).all(|access| match access.kind {
        AccessKind::Method { call, .. } => project.api(access.of(call)).is_some_and(|api| api.releases.is_none()),
        AccessKind::Read | AccessKind::Tested | AccessKind::Assigned { .. } => true,
        _ => false,
    });
    if !only_called {
        return None;
    }
    let message = format!("{} in the local variable `{variable}` is never released", owned.noun);
    let finding = Finding::new(NAME, Confidence::Medium, project.locate(at), message)
        .with_why(format!("the closures that capture `{variable}` call it and end; nothing releases it, so its callback and the event loop stay alive"))
        .with_help(format!("call `{variable}.Release()` where its thread has done with it"))
        .with_context(project.function_name(owned.function))
        .with_step(StepKind::Acquire, project.locate(at), format!("`{variable}` is made here"))
        .with_step(StepKind::Hold, project.at(owned.function.file, custody.settlements[0].span), "only closures know it from here on");
    Some(finding)
}

/// The function that ends the siblings of a thread-safe function leaves it out.
fn report_left_out(project: &Project<'_>, left: &LeftOut) -> Finding {
    let LeftOut { field, filled, ending, sibling, emptied, .. } = left;
    let (class, end) = (project.class(left.class).name, project.function_name(*ending));
    let message = format!("thread-safe function in `{field}` is left out where its {emptied} siblings are released");
    let why = format!(
        "it keeps its callback and the event loop alive, and with them the `{class}` whose destructor would end it"
    );
    Finding::new(NAME, Confidence::High, filled.at(), message)
        .with_why(why)
        .with_help(format!("release `{field}` in {end}"))
        .with_context(project.function_name(filled.function()))
        .with_step(StepKind::Acquire, filled.at(), format!("`{field}` receives it here"))
        .with_step(StepKind::Release, sibling.1, format!("its sibling `{}` is released here", sibling.0))
        .with_step(StepKind::Exit, project.locate_function(*ending), format!("{end} ends without `{field}`"))
}

/// The setter assigns a new function over the live one.
fn overwritten(project: &Project<'_>, stored: &Stored<'_>) -> Option<Finding> {
    let function = project.function(stored.function);
    if function.kind == FunctionKind::Constructor || !is_released(project, stored) {
        return None;
    }
    let looks_first = project.accesses(stored.place).iter().any(|access| {
        let before = access.function() == stored.function && access.span.start < stored.at.span.start;
        before && !matches!(access.kind, AccessKind::Assigned { .. })
    });
    let helped = project.calls_in(stored.function).any(|call| {
        project.call(call).span.start < stored.at.span.start
            && project.targets(call).functions.iter().any(|&target| {
                project.accesses(stored.place).iter().any(|access| access.function() == target)
            })
    });
    let name = project.function_name(stored.function);
    let reachable = project.rate(stored.function).rate.is_some_and(|rate| rate >= crate::model::Rate::PerCall)
        || project.is_called_from_javascript(stored.function);
    // Who calls the setter may have looked; that it is stopped is known.
    let callers = project.callers(stored.function);
    let asked = !callers.is_empty() && callers.iter().all(|caller| project.is_conditional(caller.call));
    let made = project.constructions(stored.class);
    let is_fresh = made.iter().any(|call| project.function_of(*call) == stored.function);
    if looks_first || helped || asked || is_fresh || !reachable {
        return None;
    }
    let field = stored.field;
    let finding = Finding::new(NAME, Confidence::Medium, stored.at, format!("thread-safe function `{field}` is overwritten while it lives"))
            .with_why(format!("{name} can be called again; the old function keeps its callback and the event loop alive, and nothing can release it any more"))
            .with_help(format!("release `{field}` before this assignment, if it is set"))
            .with_context(name.clone())
            .with_step(StepKind::Acquire, stored.at, format!("`{field}` receives a new one, whatever it held before"));
    Some(match released_before(project, stored) {
        Some(edits) => finding.with_fix("release the old one first", Applicability::Unsafe, edits),
        None => finding,
    })
}

/// The release of what the field holds, before the assignment.
fn released_before(project: &Project<'_>, stored: &Stored<'_>) -> Option<Vec<Edit>> {
    let (_, declared) = project.field_type(stored.class, &stored.field)?;
    let field = stored.field;
    let release = if declared.name.ends_with("ThreadSafeFunction") && declared.holder == Holder::Value {
        format!("if ({field}) {field}.Release();")
    } else {
        return None;
    };
    let mut statement = None;
    project.function(stored.function).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Assign(assign)) = flow
            && assign.statement.contains(stored.at.span)
        {
            statement = statement.or(Some(assign.statement));
        }
    });
    before(stored.at.file, &project.sources.get(stored.at.file).text, statement?, &release)
}
