//! `pipe-leaves-source-open`: a stream opened here is piped, and stays open when its destination fails.

use super::support::handles::is_counted;
use super::support::mend::mentions;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{CallId, In, Rate, Value};
use crate::project::{AccessKind, Doing, Origin, Project, Role};
use crate::text::Edit;

const NAME: &str = "pipe-leaves-source-open";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls().filter(|call| !project.is_native(call.file)) {
        if project.method_name(call).is_none_or(|name| name != "pipe") {
            continue;
        }
        if project.call_rate(call).rate == Some(Rate::Once) {
            continue;
        }
        let (Some(source), Some(destination)) = (project.receiver(call), project.argument(call, 0)) else { continue };
        let Some(opened) = opened_here(project, source, call) else { continue };
        let watched = watched(project, destination, call);
        if watched.is_none() && !goes_away(project, destination, call) || is_released(project, source) {
            continue;
        }
        let finding = report(project, call, (opened, destination), watched);
        findings.push(match pipeline(project, call) {
            Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
            None => finding,
        });
    }
}

fn report(
    project: &Project<'_>,
    pipe: In<CallId>,
    (opened, destination): (In<CallId>, In<crate::model::ValueId>),
    watched: Option<In<CallId>>,
) -> Finding {
    let (from, to) = (project.callee_text(opened), project.text(destination));
    let at = project.locate(opened);
    let (when, why, help) = match watched {
        Some(_) => (
            format!("`{to}` fails"),
            format!("the handler of `{to}` ends the operation and leaves the source open"),
            format!("destroy the source in the `'error'` handler of `{to}`"),
        ),
        None => (
            format!("the client of `{to}` goes away"),
            format!("`{to}` closes with the connection, and nothing reads or closes the source any more"),
            format!("destroy the source on 'close' of `{to}`"),
        ),
    };
    let finding = Finding::new(NAME, Confidence::Medium, at, format!("the stream from `{from}` stays open when {when}"))
        .with_why(format!("`pipe` does not destroy its source; {why}"))
        .with_help(format!("use `pipeline` instead of `pipe`, or {help}"))
        .with_context(project.function_name(project.function_of(pipe)))
        .with_step(StepKind::Acquire, at, "opened here")
        .with_step(StepKind::Hold, project.locate(pipe), format!("piped into `{to}`"));
    match watched {
        Some(watched) => finding.with_step(
            StepKind::Exit,
            project.locate(watched),
            format!("ends when `{to}` fails, without destroying the source"),
        ),
        None => finding,
    }
}

/// The destination is a server's response: its client may close the connection at any time.
fn goes_away(project: &Project<'_>, destination: In<crate::model::ValueId>, pipe: In<CallId>) -> bool {
    let answers = project.ty(destination).is_some_and(|ty| ty.family == "response");
    answers && project.call_rate(pipe).rate.is_some_and(|rate| rate > Rate::Once)
}

/// The call that opened the piped stream, in the same function.
fn opened_here(project: &Project<'_>, source: In<crate::model::ValueId>, pipe: In<CallId>) -> Option<In<CallId>> {
    project.origins(source).into_iter().find_map(|origin| {
        let Origin::Result(call) = origin else { return None };
        let gives = project.gives(call)?;
        let own = call.file == pipe.file
            && project.summary(call.file).is_inside(project.call(pipe).function, project.call(call).function);
        (own && gives.ty.family == "file-stream" && is_counted(gives.ty)).then_some(call)
    })
}

/// The listener for the destination's failure.
fn watched(project: &Project<'_>, destination: In<crate::model::ValueId>, pipe: In<CallId>) -> Option<In<CallId>> {
    let place = project.place(destination)?;
    project.accesses(place).iter().find_map(|access| {
        let AccessKind::Method { call, .. } = access.kind else { return None };
        let call = access.of(call);
        let registers = project.api(call).and_then(|api| api.registers.as_ref());
        let event = project.argument(call, registers.map_or(0, |r| r.event.unwrap_or(0)))?;
        let error = matches!(project.value(event), Value::Literal(crate::model::Literal::String(name)) if *name == "error");
        let near = call.file == pipe.file && project.method_name(call).is_some_and(|name| matches!(&*name, "on" | "once"));
        (error && near).then_some(call)
    })
}

/// Whether any code releases the source, or hands it to something that might.
fn is_released(project: &Project<'_>, source: In<crate::model::ValueId>) -> bool {
    let Some(place) = project.place(source) else { return false };
    let ty = project.ty(source);
    project.accesses(place).iter().any(|access| match access.kind {
        AccessKind::Method { call, .. } => {
            matches!(project.effect(access.of(call), Role::Receiver, ty), Doing::Releases | Doing::MayRelease)
        }
        AccessKind::Argument { call, index } => {
            !matches!(project.effect(access.of(call), Role::Argument(index), ty), Doing::Borrows | Doing::Returns)
        }
        AccessKind::Returned | AccessKind::Inside { .. } => true,
        _ => false,
    })
}

/// `source.pipe(destination)` made `pipeline(source, destination, () => {})`: the handlers of both still see what fails.
fn pipeline(project: &Project<'_>, pipe: In<CallId>) -> Option<(String, Vec<Edit>)> {
    let call = project.call(pipe);
    let text = &*project.sources.get(pipe.file).text;
    let name = call.name_span.start.checked_sub(call.span.start)? as usize;
    let from = call.span.of(text).get(..name)?.trim_end().strip_suffix('.')?.trim_end();
    // Options, chains and results that are used need more than another name.
    if call.arguments.len() != 1 || !call.is_discarded || from.contains(".pipe(") || from.ends_with('?') {
        return None;
    }
    let to = call.arguments[0].span.of(text);
    let known = text.lines().any(|line| {
        let brings = line.contains("require(") || line.trim_start().starts_with("import ");
        brings && mentions(line, "pipeline") && line.contains("stream") && !line.contains("promises")
    });
    let is_module = text.lines().any(|line| line.starts_with("import ") || line.starts_with("export "));
    let name = match (known, is_module) {
        (true, _) => "pipeline".to_owned(),
        (false, false) => "require('stream').pipeline".to_owned(),
        (false, true) => return None,
    };
    let edit = Edit { file: pipe.file, span: call.span, text: format!("{name}({from}, {to}, () => {{}})") };
    Some(("use `pipeline` instead of `pipe`".to_owned(), vec![edit]))
}
