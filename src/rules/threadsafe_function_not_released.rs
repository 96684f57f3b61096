//! `threadsafe-function-not-released`: a thread-safe function in a field that nothing releases, or that a second run of its
//! setter overwrites.

use super::member_never_freed::forgotten;
use super::persistent_never_reset::local_root;
use super::support::custody::{Kind, each};
use super::support::members::{Stored, is_released, stored};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::FunctionKind;
use crate::project::{AccessKind, Project};

const NAME: &str = "threadsafe-function-not-released";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        let Some(ty) = stored.ty.filter(|ty| project.contracts.is_family(ty, "tsfn")) else { continue };
        let how = format!("call `{}.Release()`", stored.field);
        let what = format!("{} `{}`", ty.noun, stored.field);
        findings.extend(forgotten(project, &stored, NAME, &what, &how).or_else(|| overwritten(project, &stored)));
    }
    each(project, Kind::ThreadSafe, |owned, custody| {
        findings.extend(local_root(project, NAME, owned, custody));
    });
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
    if looks_first || helped || !reachable {
        return None;
    }
    let field = stored.field;
    Some(
        Finding::new(NAME, Confidence::Medium, stored.at, format!("thread-safe function `{field}` is overwritten while it lives"))
            .with_why(format!("{name} can be called again; the old function keeps its callback and the event loop alive, and nothing can release it any more"))
            .with_help(format!("release `{field}` before this assignment, if it is set"))
            .with_context(name.clone())
            .with_step(StepKind::Acquire, stored.at, format!("`{field}` receives a new one, whatever it held before")),
    )
}
