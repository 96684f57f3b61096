//! `wrong-deallocator`: something is released by a function that is not for such a thing.

use super::support::custody::{Kind, each, is_released_with_more, name, releaser};
use super::support::mend;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::In;
use crate::project::{Doubt, How, Project};
use crate::text::Edit;

const NAME: &str = "wrong-deallocator";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for kind in [Kind::Memory, Kind::Handle] {
        each(project, kind, |owned, custody| {
            let Some(call) = owned.call().filter(|_| owned.doubt == Doubt::Sure) else { return };
            let wrong = custody.settled(|how| matches!(how, How::Misreleased(_)));
            let Some(How::Misreleased(by)) = wrong.map(|settled| settled.how) else { return };
            let file = owned.function.file;
            let (call, by) = (In::new(file, call), In::new(file, by));
            let used = project.callee_text(by).replace("operator ", "");
            let variable = name(project, owned);
            let subject =
                variable.as_ref().map_or_else(|| owned.noun.clone(), |name| format!("{} in `{name}`", owned.noun));
            let right = releaser(project, owned, variable.as_deref().unwrap_or("it"));
            let finding = Finding::new(
                    NAME,
                    Confidence::Medium,
                    project.locate(call),
                    format!("{subject} is released with `{used}`"),
                )
                .with_why(format!(
                    "`{used}` does not undo this acquisition: part of it stays allocated, or the heap is damaged"
                ))
                .with_help(format!("release it with `{right}`"))
                .with_context(project.function_name(owned.function))
                .with_step(StepKind::Acquire, project.locate(call), format!("{} is acquired here", owned.noun))
                .with_step(
                    StepKind::Release,
                    project.locate(by),
                    format!("`{used}` is not its releaser"),
                );
            let span = project.call(by).span;
            let written = project.sources.snippet(project.at(file, span));
            let simple = variable.as_deref().is_some_and(|name| mend::mentions(written, name) && !name.contains('('))
                && !written.contains('\n')
                && !is_released_with_more(project, owned);
            findings.push(if simple {
                let edits = vec![Edit { file, span, text: right.clone() }];
                finding.with_fix(format!("release it with `{right}`"), Applicability::Unsafe, edits)
            } else {
                finding
            });
        });
    }
}
