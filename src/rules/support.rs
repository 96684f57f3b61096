//! Questions that several rules ask in the same words, built from the project's own. A question that is a fact about code
//! belongs into `project`.

pub(super) mod branches;
pub(super) mod custody;
pub(super) mod custody_reports;
pub(super) mod deadline;
pub(super) mod ending;
pub(super) mod expiry;
pub(super) mod failing;
pub(super) mod flags;
pub(super) mod habits;
pub(super) mod handles;
pub(super) mod idle;
pub(super) mod inherited;
pub(super) mod keeper;
pub(super) mod late;
pub(super) mod leftover;
pub(super) mod listeners;
pub(super) mod members;
pub(super) mod mend;
pub(super) mod operations;
pub(super) mod outcomes;
pub(super) mod pause;
pub(super) mod payload;
pub(super) mod persistents;
pub(super) mod polling;
pub(super) mod renewed;
pub(super) mod replaced;
pub(super) mod revival;
pub(super) mod settling;
pub(super) mod siblings;
pub(super) mod sweeps;
pub(super) mod tables;
pub(super) mod unread;
pub(super) mod waiting;
pub(super) mod watchdog;
pub(super) mod ways;
