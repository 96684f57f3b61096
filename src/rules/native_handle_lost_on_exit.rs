//! `native-handle-lost-on-exit`: a descriptor, handle or system object that some ways out close and another loses.

use super::support::custody::{Kind, each, name, releaser, report, witness};
use super::support::mend::native::mend;
use crate::finding::Finding;
use crate::project::{Project, Way};

const NAME: &str = "native-handle-lost-on-exit";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    each(project, Kind::Handle, |owned, custody| {
        if custody.is_never_settled() {
            return;
        }
        let Some(loss) = witness(project, owned.function, custody, |loss| !matches!(loss.way, Way::Overwrite(_))) else { return };
        let variable = name(project, owned);
        let subject =
            variable.as_ref().map_or_else(|| owned.noun.clone(), |name| format!("{} in `{name}`", owned.noun));
        let Some(finding) = report(project, NAME, owned, custody, loss, format!("{subject} is lost on one way out"))
        else {
            return;
        };
        let release = releaser(project, owned, variable.as_deref().unwrap_or("it"));
        let finding =
            finding
                .with_why("the release or hand-over that the other ways reach is skipped on this one, and nothing else holds it".to_owned())
                .with_help(format!("call `{release}` before leaving there, or in one clean-up that every way out passes"));
        findings.push(mend(project, owned, custody, finding));
    });
}
