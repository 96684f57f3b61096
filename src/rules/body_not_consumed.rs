//! `body-not-consumed`: a response whose body is neither read nor thrown away on some way out.

use super::support::handles::way;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::By;
use crate::model::{CallId, Cond, Flow, FunctionId, In, Literal, Rate, Value, ValueId};
use crate::project::{ExitKind, Obligation, Project, Row, Start, State};

const NAME: &str = "body-not-consumed";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        let Some(gives) = project.gives(call).filter(|gives| gives.ty.family == "body") else { continue };
        // A wrapper's response is looked at where the wrapper asks for it.
        if gives.from != call || matches!(gives.by, By::Callback(_)) || is_head(project, call) {
            continue;
        }
        if project.call_rate(call).rate == Some(Rate::Once) {
            continue;
        }
        let function = project.function_of(call);
        let rows = project.paths(&Obligation { function, start: Start::Call(call.id), ty: Some(gives.ty) });
        let acquired: Vec<&Row> = rows.iter().filter(|row| row.state != State::NotAcquired).collect();
        let lost = acquired.iter().find(|row| row.is_lost() && matters(row) && !is_empty(project, function, row));
        let Some(lost) = lost else { continue };
        let never = acquired.iter().all(|row| row.is_lost());
        let callee = project.callee_text(call);
        let way = way(project, lost);
        let at = project.locate(call);
        findings.push(
            Finding::new(NAME, Confidence::Medium, at, if never { format!("the body of the response from `{callee}` is never read") } else { format!("the body of the response from `{callee}` is not read when it leaves {way}") })
                .with_why("an unread body keeps its connection busy: it does not go back to the pool until the collector finds the response")
                .with_help("read it, or cancel it (`response.body?.cancel()`, `body.dump()`) before leaving")
                .with_context(project.function_name(function))
                .with_step(StepKind::Acquire, at, "the response is obtained here")
                .with_step(StepKind::Exit, lost.at, format!("leaves {way}, with the body unread")),
        );
    }
}

fn matters(row: &Row) -> bool {
    matches!(row.exit, ExitKind::Return | ExitKind::Throw | ExitKind::Fallthrough)
}

/// Statuses of responses that have no body.
const BODILESS: [i64; 3] = [204, 205, 304];

/// Whether the way led through `status === 304`.
fn is_empty(project: &Project<'_>, function: In<FunctionId>, row: &Row) -> bool {
    let summary = project.summary(function.file);
    let bodiless = |value: ValueId| {
        matches!(summary.value(value), Value::Literal(Literal::Int(status)) if BODILESS.contains(status))
    };
    let mut empty = false;
    project.function(function).flow.walk(&mut |flow| {
        let Flow::Branch { cond, span, .. } = flow else { return };
        let says = match cond {
            Cond::Equal(a, b) => bodiless(*a) || bodiless(*b),
            _ => false,
        };
        empty |= says
            && row.decisions.iter().any(|(at, holds)| at.file == function.file && at.span == *span && *holds);
    });
    empty
}

/// Whether the request has no body to read: its options say `HEAD`.
fn is_head(project: &Project<'_>, call: In<CallId>) -> bool {
    let summary = project.summary(call.file);
    project.call(call).arguments.iter().any(|argument| {
        let Value::Object(object) = summary.value(argument.value) else { return false };
        summary.object(*object).get("method").is_some_and(|method| {
            matches!(summary.value(method), Value::Literal(Literal::String(name)) if name.eq_ignore_ascii_case("head"))
        })
    })
}
