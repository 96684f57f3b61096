//! `allocation-lost-on-exit`: memory that is released or handed over on some ways out and lost on another.

use super::support::custody::Kind;
use super::support::custody_reports::lost_on_exit;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "allocation-lost-on-exit";
const ADVICE: &str = "before leaving there, or let a `std::unique_ptr` own it until it is handed over";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    lost_on_exit(project, NAME, Kind::Memory, ADVICE, findings);
}
