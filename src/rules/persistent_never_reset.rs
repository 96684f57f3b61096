//! `persistent-never-reset`: a strong handle to a JavaScript value in a field, that nothing resets or deletes.

use super::member_never_freed::forgotten;
use super::support::members::stored;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "persistent-never-reset";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        let Some(ty) = stored.ty else { continue };
        let is = |family| project.contracts.is_family(ty, family);
        let how = match (is("persistent"), is("reference")) {
            (true, _) => format!("call `{}.Reset()`", stored.field),
            (_, true) => format!("delete the reference `{}`", stored.field),
            _ => continue,
        };
        findings.extend(forgotten(project, &stored, NAME, &format!("{} `{}`", ty.noun, stored.field), &how));
    }
}
