//! `async-worker-never-queued`: a worker that deletes itself after its work, and that some way never gives any.

use super::support::custody::{Kind, each, name, report, witness};
use crate::finding::Finding;
use crate::project::{Project, Way};

const NAME: &str = "async-worker-never-queued";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    each(project, Kind::Worker, |owned, custody| {
        let never = custody.is_never_settled();
        let Some(loss) = witness(project, owned.function, custody, |loss| never || !matches!(loss.way, Way::Overwrite(_))) else { return };
        let noun = &owned.noun;
        let message = if never { format!("{noun} is never queued") } else { format!("{noun} is not queued on one way out") };
        let Some(finding) = report(project, NAME, owned, custody, loss, message) else { return };
        let worker = name(project, owned).unwrap_or_else(|| "the worker".to_owned());
        findings.push(
            finding
                .with_why("a worker deletes itself when its work is done; one that is never queued stays, with its callback and all that it holds".to_owned())
                .with_help(format!("queue `{worker}` on every way out, or delete it where the work is given up")),
        );
    });
}
