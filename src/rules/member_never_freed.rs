//! `member-never-freed`: a field owns memory or a handle that no code of the project releases.

use super::support::branches::{forgetful, on_one_way};
use super::support::custody::runs_once;
use super::support::members::{Mortality, Stored, closed_for_nobody, ends_elsewhere, is_released, mortality, stored};
use super::support::mend::member::mend;
use super::support::sweeps::{Unswept, unswept};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{ClassId, In, Rate};
use crate::project::Project;

const NAME: &str = "member-never-freed";

/// Families that rules of their own speak of.
const OTHERS: &[&str] = &["persistent", "reference", "tsfn", "uv-handle", "local-handle", "value", "async-worker"];

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        if stored.ty.is_some_and(|ty| OTHERS.iter().any(|family| project.contracts.is_family(ty, family))) {
            continue;
        }
        let noun = stored.noun.clone();
        let what = format!("{noun} in `{}`", stored.field);
        findings.extend(
            forgotten(project, &stored, NAME, &what, "release it")
                .or_else(|| Some(on_one_way(project, NAME, &stored, &forgetful(project, &stored)?))),
        );
    }
    findings.extend(unswept(project).iter().filter_map(|found| elements(project, found)));
}

/// A container whose elements nobody releases, in objects that come and go.
fn elements(project: &Project<'_>, unswept: &Unswept<'_>) -> Option<Finding> {
    let Unswept { stored, sibling } = unswept;
    let is_other = |family: &&str| stored.ty.is_some_and(|ty| project.contracts.is_family(ty, family));
    // Where such objects are deleted, it may be these; unless those are the elements of the sibling.
    let may_end = sibling.is_none() && ends_elsewhere(project, stored);
    if OTHERS.iter().any(is_other) || is_made_once(project, stored.class) || may_end {
        return None;
    }
    let dies = mortality(project, stored).dies?;
    let (class, field, noun) = (project.class(stored.class).name, stored.field, &stored.noun);
    let confidence = if sibling.is_some() { Confidence::High } else { Confidence::Medium };
    let mut finding = Finding::new(NAME, confidence, stored.at, format!("{noun} in `{field}` is never released"))
        .with_why(format!("a container of pointers frees no elements, and no code goes over `{field}` to release them"))
        .with_help(match sibling {
            Some((name, _)) => format!("release each element of `{field}` where those of `{name}` are released"),
            None => format!("release each element of `{field}`, or let it hold `std::unique_ptr`s"),
        })
        .with_context(project.function_name(stored.function))
        .with_step(StepKind::Acquire, stored.at, format!("made here for `{field}`"));
    if let Some((name, at)) = sibling {
        finding = finding.with_step(StepKind::Release, *at, format!("the elements of `{name}` are released here"));
    }
    Some(finding.with_step(StepKind::Exit, dies, format!("a `{class}` dies here, `{field}` is forgotten")))
}

/// Whether there is one object of a class, or one for each environment: then what ends the environment ends it.
fn is_made_once(project: &Project<'_>, class: In<ClassId>) -> bool {
    let made = project.constructions(class);
    project.instances(class).rate == Some(Rate::Once)
        || !made.is_empty() && made.iter().all(|call| runs_once(project, project.function_of(*call)))
}

/// The finding about a stored handle that nothing releases, in objects that come and go.
pub(super) fn forgotten(
    project: &Project<'_>,
    stored: &Stored<'_>,
    rule: &'static str,
    what: &str,
    how: &str,
) -> Option<Finding> {
    let is_cared_for = || is_released(project, stored) || ends_elsewhere(project, stored);
    if is_made_once(project, stored.class) || is_cared_for() {
        return None;
    }
    let Mortality { dies, sibling } = mortality(project, stored);
    let dies = dies.or_else(|| closed_for_nobody(project, stored));
    let confidence = match (dies, &sibling) {
        (Some(_), Some(_)) => Confidence::High,
        (Some(_), None) | (None, Some(_)) => Confidence::Medium,
        (None, None) => return None,
    };
    let class = project.class(stored.class).name;
    let field = stored.field;
    let where_to = match (&sibling, dies) {
        (Some((name, _)), _) => format!("where `{name}` is released"),
        _ => format!("in the destructor of `{class}`"),
    };
    let mut finding = Finding::new(rule, confidence, stored.at, format!("{what} is never released"))
        .with_why(format!("objects of `{class}` come and go, and no code of the project releases `{field}`"))
        .with_help(format!("{how} {where_to}"))
        .with_context(project.function_name(stored.function))
        .with_step(StepKind::Acquire, stored.at, match stored.held {
            Some(_) => format!("acquired here for `{class}`"),
            None => format!("stored in `{field}` here"),
        });
    if let Some(held) = stored.held {
        finding = finding.with_step(StepKind::Hold, held, format!("stored in `{field}` here"));
    }
    if let Some((name, at)) = sibling {
        finding = finding.with_step(StepKind::Release, at, format!("its sibling `{name}` is released here"));
    }
    if let Some(at) = dies {
        finding = finding.with_step(StepKind::Exit, at, format!("a `{class}` dies here, `{field}` is forgotten"));
    }
    Some(mend(project, stored, finding))
}
