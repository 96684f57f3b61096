//! Signs that code belongs to a program, or to one connection of its server, which do a thing once: how often it happens is
//! then not what users of a package might do. Decides nothing by itself.

use super::ending::endings;
use crate::model::words::Meaning;
use crate::model::{FunctionId, In, Literal, Value, ValueId};
use crate::project::{Drive, Event, Likeness, Origin, Project, RateAnswer};
use crate::text::FileId;

/// Whether only users of the package could repeat it: nothing that the package does in the course of events leads there.
pub(crate) fn only_users(project: &Project<'_>, rate: &RateAnswer, function: In<FunctionId>) -> bool {
    rate.by_users && !project.drive(function).by_events()
}

/// Whether a value is something of the platform, `process`, `window`, and not what a program has put into a global.
pub(crate) fn is_of_platform(project: &Project<'_>, value: In<ValueId>) -> bool {
    project.origins(value).iter().any(|origin| match origin {
        Origin::External(path) => !path.contains('.') || project.contracts.value(path).is_some(),
        Origin::Result(call) => project.api(*call).is_some(),
        _ => false,
    })
}

/// Whether a function, or a closure in it, ends the process: whoever does so is the program.
pub(crate) fn ends_process(project: &Project<'_>, function: In<FunctionId>) -> bool {
    function.id != FunctionId::MODULE
        && project.calls_within(function).any(|call| project.api(call).is_some_and(|api| api.never_returns))
}

/// Whether users who make an instance, or start a thing, get one that they can end: some class on the way there has an end.
pub(crate) fn can_be_ended(project: &Project<'_>, rate: &RateAnswer, function: In<FunctionId>) -> bool {
    let mut classes: Vec<_> = project.enclosing_class(function).into_iter().collect();
    let functions = project.drive(function).through;
    let of_reason = |at: crate::text::Location| {
        functions.iter().copied().find(|f| f.file == at.file && project.function(*f).span.contains(at.span))
    };
    classes.extend(rate.why.iter().filter_map(|step| project.enclosing_class(of_reason(step.at)?)));
    classes.into_iter().any(|class| !endings(project, class).is_empty())
}

/// Whether a function is told of a request that is made to take the connection over: it never goes back to a pool.
pub(crate) fn is_of_upgrade(project: &Project<'_>, function: In<FunctionId>) -> bool {
    project.passed_to(function).iter().filter_map(|passed| project.receiver(passed.call)).any(|request| {
        let mut adds =
            project.registry().adds_in(request.file).filter(|add| add.event == Event::Named("upgrade".into()));
        adds.any(|add| add.on.is_some_and(|on| project.objects(on, request) == Likeness::Same))
    })
}

/// Whether a value is the input of the program.
pub(crate) fn is_stdin(project: &Project<'_>, value: In<ValueId>) -> bool {
    project.origin(value) == Origin::External("process.stdin".into())
}

/// Whether all events that lead to a function tell of the input of the program, which ends: lines, and what comes in by `stdin`.
pub(crate) fn is_input(project: &Project<'_>, driven: &Drive) -> bool {
    let of_input = |handler: &In<FunctionId>| {
        let passed = project.passed_to(*handler);
        !passed.is_empty()
            && passed.iter().all(|passed| {
                project.receiver(passed.call).is_some_and(|on| {
                    let lines = project
                        .ty(on)
                        .is_some_and(|ty| project.contracts.bases(ty).any(|base| base.name == "readline.Interface"));
                    lines || is_stdin(project, on)
                })
            })
    };
    !driven.events.is_empty() && driven.events.iter().all(of_input)
}

/// Whether a file has any function that ends something, by its name: what it starts is meant to end before the process.
pub(crate) fn speaks_of_ends(project: &Project<'_>, file: FileId) -> bool {
    let functions = project.summary(file).functions.len() as u32;
    (0..functions).map(|at| In::new(file, FunctionId(at))).any(|function| project.is_disposal(function))
}

/// Whether the handler that was given what a value is a part of answers without end, as long as the connection lasts.
pub(crate) fn answers_endlessly(project: &Project<'_>, part: In<ValueId>, function: In<FunctionId>) -> bool {
    let mut root = part;
    while let Value::Member(object, _) = project.value(root) {
        root = root.with(*object);
    }
    let handler = match project.value(root) {
        Value::Binding(binding) => root.with(project.binding(root.with(*binding)).function),
        _ => function,
    };
    let says = |value: In<ValueId>| match project.value(value) {
        Value::Literal(Literal::String(text)) => {
            let kind = text.split(';').next().unwrap_or_default().trim();
            project.contracts.words.has(Meaning::Endless, kind)
        }
        _ => false,
    };
    handler.id != FunctionId::MODULE
        && project.calls_within(handler).any(|call| {
            project.call(call).arguments.iter().map(|argument| call.with(argument.value)).any(|argument| {
                let inside = |object| {
                    project.object(argument.with(object)).properties.iter().any(|p| says(argument.with(p.value)))
                };
                says(argument) || matches!(project.value(argument), Value::Object(object) if inside(*object))
            })
        })
}
