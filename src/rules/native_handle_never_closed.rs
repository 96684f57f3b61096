//! `native-handle-never-closed`: a descriptor, handle or system object in a local variable that no path closes, stores or hands on.

use super::support::custody::Kind;
use super::support::custody_reports::never_released;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "native-handle-never-closed";
const ADVICE: &str = "on every way out";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    never_released(project, NAME, Kind::Handle, "never closed", ADVICE, findings);
    never_released(project, NAME, Kind::Work, "never closed", ADVICE, findings);
}
