//! `native-handle-lost-on-exit`: a descriptor, handle or system object that some ways out close and another loses.

use super::support::custody::Kind;
use super::support::custody_reports::lost_on_exit;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "native-handle-lost-on-exit";
const ADVICE: &str = "before leaving there, or in one clean-up that every way out passes";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    lost_on_exit(project, NAME, Kind::Handle, ADVICE, findings);
}
