//! `owner-overwritten`: a variable, field or slot that owns something receives something else before it is released.

use super::support::custody::{Kind, each, name, releaser, report, witness};
use crate::finding::Finding;
use crate::project::{Project, Way};

const NAME: &str = "owner-overwritten";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for kind in [Kind::Memory, Kind::Handle] {
        each(project, kind, |owned, custody| {
            // Never released at all is another rule's word.
            if custody.is_never_settled() {
                return;
            }
            let Some(loss) = witness(custody, |loss| matches!(loss.way, Way::Overwrite(_))) else { return };
            let variable = name(project, owned).unwrap_or_else(|| "its variable".to_owned());
            let message = format!("{} in `{variable}` is overwritten while `{variable}` still owns it", owned.noun);
            let Some(finding) = report(project, NAME, owned, custody, loss, message) else { return };
            let release = releaser(project, owned, &variable);
            findings.push(
                finding
                    .with_why(format!("`{variable}` is the only pointer to it; after the assignment nothing can release it"))
                    .with_help(format!("call `{release}` before the assignment, or do not acquire what is about to be replaced")),
            );
        });
    }
}
