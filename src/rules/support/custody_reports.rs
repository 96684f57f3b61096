//! What is said of an owned thing of native code that a function loses: on some ways out, or on all. One story for memory and
//! for handles; the rules differ in what they call it and in the advice that follows the release.

use super::custody::{Kind, each, name, releaser, report, witness};
use super::mend::native::mend;
use crate::finding::Finding;
use crate::project::{Custody, Owned, Project, Way};

/// Things that some ways out release or hand over, and another loses. `advice` follows `` call `free(p)` ``.
pub(in crate::rules) fn lost_on_exit(
    project: &Project<'_>,
    rule: &'static str,
    kind: Kind,
    advice: &str,
    findings: &mut Vec<Finding>,
) {
    each(project, kind, |owned, custody| {
        if custody.is_never_settled() {
            return;
        }
        let told =
            tell(project, rule, owned, custody, "lost on one way out", advice, |way| !matches!(way, Way::Overwrite(_)));
        let why =
            "the release or hand-over that the other ways reach is skipped on this one, and nothing else holds it";
        findings.extend(told.map(|finding| mend(project, owned, custody, finding.with_why(why))));
    });
}

/// Things that no way out releases, stores or hands on. `never`: `never freed`.
pub(in crate::rules) fn never_released(
    project: &Project<'_>,
    rule: &'static str,
    kind: Kind,
    never: &str,
    advice: &str,
    findings: &mut Vec<Finding>,
) {
    each(project, kind, |owned, custody| {
        if !custody.is_never_settled() {
            return;
        }
        let function = project.function(owned.function).name;
        let why =
            format!("no path of `{function}` releases it, stores it or hands it on, so each call leaves one behind");
        let told = tell(project, rule, owned, custody, never, advice, |_| true);
        findings.extend(told.map(|finding| mend(project, owned, custody, finding.with_why(why))));
    });
}

fn tell(
    project: &Project<'_>,
    rule: &'static str,
    owned: &Owned<'_>,
    custody: &Custody,
    what: &str,
    advice: &str,
    counts: impl Fn(Way) -> bool,
) -> Option<Finding> {
    let loss = witness(project, owned.function, custody, |loss| counts(loss.way))?;
    let variable = name(project, owned);
    let subject = variable.as_ref().map_or_else(|| owned.noun.clone(), |name| format!("{} in `{name}`", owned.noun));
    let finding = report(project, rule, owned, custody, loss, format!("{subject} is {what}"))?;
    let release = releaser(project, owned, variable.as_deref().unwrap_or("it"));
    Some(finding.with_help(format!("call `{release}` {advice}")))
}
