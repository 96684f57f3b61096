//! `allocation-never-freed`: memory or an object that a local pointer owns and that no path releases, stores or hands on.

use super::support::custody::Kind;
use super::support::custody_reports::never_released;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "allocation-never-freed";
const ADVICE: &str = "when it is no longer needed, or let a `std::unique_ptr` or a value own it";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    never_released(project, NAME, Kind::Memory, "never freed", ADVICE, findings);
}
