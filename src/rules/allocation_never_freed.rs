//! `allocation-never-freed`: memory or an object that a local pointer owns and that no path releases, stores or hands on.

use super::support::custody::{Kind, kind};
use super::support::custody_reports::never_released;
use super::support::local_elements::{Buried, buried};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::In;
use crate::project::Project;

const NAME: &str = "allocation-never-freed";
const ADVICE: &str = "when it is no longer needed, or let a `std::unique_ptr` or a value own it";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    never_released(project, NAME, Kind::Memory, "never freed", ADVICE, findings);
    findings.extend(buried(project).iter().filter_map(|found| with_container(project, found)));
}

/// Elements that end with their container, unreleased.
fn with_container(project: &Project<'_>, found: &Buried<'_>) -> Option<Finding> {
    let Buried { owned, put, container } = found;
    kind(owned).filter(|kind| *kind == Kind::Memory)?;
    let at = project.locate(In::new(owned.function.file, owned.call()?));
    let finding = Finding::new(NAME, Confidence::Medium, at, format!("{} in `{container}` is never freed", owned.noun))
        .with_why(format!("`{container}` ends with the function, and no code of it releases what it put in"))
        .with_help(format!("release each element of `{container}` before it ends, or let it hold strings or `std::unique_ptr`s"))
        .with_context(project.function_name(owned.function))
        .with_step(StepKind::Acquire, at, format!("{} is acquired here", owned.noun))
        .with_step(StepKind::Hold, project.at(owned.function.file, *put), format!("put into `{container}` here"));
    Some(finding)
}
