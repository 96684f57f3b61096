//! `body-not-consumed`: a response whose body is neither read nor thrown away on some way out.

use super::support::handles::way;
use super::support::unread::{BODILESS, left_unread};
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::By;
use crate::model::{CallId, Cond, Flow, FunctionId, In, Literal, Rate, Value, ValueId};
use crate::text::Location;
use crate::project::{Event, ExitKind, Handed, Likeness, Origin, Obligation, Project, Row, Start, State};

const NAME: &str = "body-not-consumed";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        findings.extend(handed(project, call));
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

/// A response that a callback of the request is handed: once there is one, nobody else lets the data flow.
fn handed(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    let is_body = |ty: &String| project.contracts.ty(ty).is_some_and(|ty| ty.family == "body");
    let receives = |handed: &Handed| {
        handed.parameters.first().is_some_and(is_body) && handed.event.is_none_or(|event| event == "response")
    };
    let handed = project.callbacks(call).into_iter().find(receives)?;
    let callback = handed.function;
    if handed.event.is_some() && !is_only_listener(project, call, &receives) {
        return None;
    }
    if speaks_of_head(project, call) || project.call_rate(call).rate == Some(Rate::Once) {
        return None;
    }
    let response = project.function(callback).parameters.first().copied();
    let left = left_unread(project, callback, response)?;
    let callee = project.callee_text(call);
    let text = project.sources.snippet(left);
    let way = if text.starts_with("return") { format!("by `{}`", short(text)) } else { "at its end".to_owned() };
    let name = response.map(|response| project.binding(callback.with(response)).name).filter(|name| !name.is_empty());
    let drain = name.map_or_else(|| "response.resume()".to_owned(), |name| format!("{name}.resume()"));
    let at = project.locate(call);
    Some(
        Finding::new(NAME, Confidence::Medium, at, format!("the response that `{callee}` hands to its callback is not read when that leaves {way}"))
            .with_why("with a callback for the response, its data waits until it is read; until then the socket stays open and the request in memory")
            .with_help(format!("call `{drain}` where the body is of no interest"))
            .with_context(project.function_name(project.function_of(call)))
            .with_step(StepKind::Acquire, at, "the response is asked for here")
            .with_step(StepKind::Exit, left, format!("leaves {way}, with the response unread")),
    )
}

/// Whether a 'response' listener is the one that has to read: the request was made in this function and without a callback,
/// and nobody else listens for its response.
fn is_only_listener(project: &Project<'_>, call: In<CallId>, receives: &impl Fn(&Handed) -> bool) -> bool {
    let Some(request) = project.receiver(call) else { return false };
    let Origin::Result(made) = project.origin(request) else { return false };
    let others = project.registry().adds_in(call.file).filter(|add| add.event == Event::Named("response".into()));
    made.file == call.file
        && project.function_of(made) == project.function_of(call)
        && !project.callbacks(made).iter().any(receives)
        && others.filter(|add| add.on.is_some_and(|on| project.objects(on, request) == Likeness::Same)).count() == 1
}

/// The first line of a statement.
fn short(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches(';').to_owned()
}

/// Some code of the file asks for heads alone, which have no body; options are put together anywhere.
fn speaks_of_head(project: &Project<'_>, call: In<CallId>) -> bool {
    let says = |value: &Value| matches!(value, Value::Literal(Literal::String(name)) if name.eq_ignore_ascii_case("head"));
    project.summary(call.file).values.iter().any(says)
}

fn matters(row: &Row) -> bool {
    matches!(row.exit, ExitKind::Return | ExitKind::Throw | ExitKind::Fallthrough)
}

/// Whether the way led through `status === 304` or `!response.body`.
fn is_empty(project: &Project<'_>, function: In<FunctionId>, row: &Row) -> bool {
    let summary = project.summary(function.file);
    let bodiless = |value: ValueId| {
        matches!(summary.value(value), Value::Literal(Literal::Int(status)) if BODILESS.contains(status))
    };
    let mut empty = false;
    project.function(function).flow.walk(&mut |flow| {
        let Flow::Branch { cond, span, .. } = flow else { return };
        let body = |value: ValueId| matches!(summary.value(value), Value::Member(_, name) if *name == "body");
        let nothing = |value: ValueId| project.is_nothing(function.with(value));
        let mut plain = cond;
        let mut expected = true;
        while let Cond::Not(inner) = plain {
            plain = inner;
            expected = !expected;
        }
        let says = match plain {
            Cond::Equal(a, b) => bodiless(*a) || bodiless(*b) || body(*a) && nothing(*b) || body(*b) && nothing(*a),
            Cond::Truthy(value) => {
                expected = !expected;
                body(*value)
            }
            _ => false,
        };
        let taken = |(at, holds): &(Location, bool)| {
            at.file == function.file && at.span == *span && *holds == expected
        };
        empty |= says && row.decisions.iter().any(taken);
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
