//! `allocation-never-freed`: memory or an object that a local pointer owns and that no path releases, stores or hands on.

use super::support::custody::{Kind, each, name, releaser, report, witness};
use super::support::mend::native::mend;
use crate::finding::Finding;
use crate::project::Project;

const NAME: &str = "allocation-never-freed";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    each(project, Kind::Memory, |owned, custody| {
        if !custody.is_never_settled() {
            return;
        }
        let Some(loss) = witness(project, owned.function, custody, |_| true) else { return };
        let variable = name(project, owned);
        let subject =
            variable.as_ref().map_or_else(|| owned.noun.clone(), |name| format!("{} in `{name}`", owned.noun));
        let Some(finding) = report(project, NAME, owned, custody, loss, format!("{subject} is never freed")) else {
            return;
        };
        let release = releaser(project, owned, variable.as_deref().unwrap_or("it"));
        let finding =
            finding
                .with_why(format!(
                    "no path of `{}` releases it, stores it or hands it on, so each call leaves one behind",
                    project.function(owned.function).name
                ))
                .with_help(format!(
                    "call `{release}` when it is no longer needed, or let a `std::unique_ptr` or a value own it"
                ));
        findings.push(mend(project, owned, custody, finding));
    });
}
