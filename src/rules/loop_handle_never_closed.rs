//! `loop-handle-never-closed`: a libuv handle in an object that comes and goes, with no `uv_close` anywhere.

use super::member_never_freed::forgotten;
use super::support::members::stored;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "loop-handle-never-closed";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for stored in stored(project) {
        let Some(ty) = stored.ty.filter(|ty| project.contracts.is_family(ty, "uv-handle")) else { continue };
        let how = format!("call `uv_close` on `{}`", stored.field);
        findings.extend(forgotten(project, &stored, NAME, &format!("{} `{}`", ty.noun, stored.field), &how));
    }
}
