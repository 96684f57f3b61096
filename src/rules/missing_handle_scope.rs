//! `missing-handle-scope`: the event loop enters native code that makes local handles without a scope of its own.

use super::support::mend::{at_start, is_name};
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::contract::{Callback, Thread};
use crate::model::{CallId, FunctionId, In};
use crate::project::Project;
use crate::text::Location;

const NAME: &str = "missing-handle-scope";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for (function, entry) in handed_to_loop(project).into_iter().chain(called_by_base(project)) {
        let Some(made) = unscoped(project, function, 0) else { continue };
        let name = project.function_name(function);
        let at = if made.file == function.file { project.locate(made) } else { project.locate_function(function) };
        let finding =
            Finding::new(NAME, Confidence::Medium, at, format!("local handles are made in {name} without a handle scope"))
                .with_why(format!("{} has the event loop run {name}, and the event loop opens no scope; handles made there pile up in an outer one", entry.who))
                .with_help(format!("open a scope as the first line of {name}: `HandleScope scope(…);`"))
                .with_context(name.clone())
                .with_step(StepKind::Grow, project.locate(made), "a local handle is made here")
                .with_step(StepKind::Repeat, entry.at, entry.words);
        let opened = scope_as_written(project, function).or_else(|| scope_for(project, function, made))
            .and_then(|scope| at_start(function.file, text_of(project, function), project.function(function).body.start, &scope));
        findings.push(match opened {
            Some(edit) => finding.with_fix("open a handle scope", Applicability::Unsafe, vec![edit]),
            None => finding,
        });
    }
}

/// How the event loop comes to a function.
struct Entry {
    /// What has it do so.
    who: String,
    /// Where one sees it.
    at: Location,
    /// What one sees there.
    words: String,
}

/// The functions that the event loop is handed, in order.
fn handed_to_loop(project: &Project<'_>) -> Vec<(In<FunctionId>, Entry)> {
    let is_loop = |call: &In<CallId>| {
        project.api(*call).is_some_and(|api| api.callbacks.iter().any(|callback| callback.thread == Thread::Loop))
    };
    let calls = project.calls().filter(|call| project.is_native(call.file)).filter(is_loop);
    let mut found: Vec<_> = calls.flat_map(|call| project.callbacks(call)).map(|handed| handed.function).collect();
    found.sort_unstable();
    found.dedup();
    let entered = found.into_iter().filter_map(|function| {
        let by = entered_by(project, function)?;
        let callee = project.callee_text(by);
        let words = format!("handed to `{callee}` here");
        Some((function, Entry { who: format!("`{callee}`"), at: project.locate(by), words }))
    });
    entered.collect()
}

/// Methods that a base class of the catalog calls from the event loop, with no scope of its own around them.
fn called_by_base(project: &Project<'_>) -> Vec<(In<FunctionId>, Entry)> {
    let mut found = Vec::new();
    for class in project.classes().filter(|class| project.is_native(class.file)) {
        let Some(ty) = project.class_type(class).filter(|_| project.canonical_class(class) == class) else { continue };
        let methods = ty.unscoped.iter().filter_map(|name| project.own_method(class, name));
        for method in methods.filter(|method| project.function(*method).has_body) {
            let words = format!("`{}` calls it when the work is done", ty.name);
            found.push((method, Entry { who: format!("`{}`", ty.name), at: project.locate_function(method), words }));
        }
    }
    found
}

/// The call that has the event loop run this function on the JavaScript thread.
fn entered_by(project: &Project<'_>, function: In<FunctionId>) -> Option<In<CallId>> {
    project.passed_to(function).iter().find_map(|passed| {
        let api = project.api(passed.call)?;
        let argument = i16::try_from(passed.handed.argument).ok()?;
        let is_entry = |callback: &&Callback| callback.argument == argument || callback.argument < 0;
        let callback = api.callbacks.iter().find(is_entry)?;
        (callback.thread == Thread::Loop).then_some(passed.call)
    })
}

/// The first call that makes a local handle before any scope is opened, in the function or in what it calls.
fn unscoped(project: &Project<'_>, function: In<FunctionId>, depth: u8) -> Option<In<CallId>> {
    for call in project.calls_in(function) {
        if opens_scope(project, call) {
            return None;
        }
        if makes_handle(project, call) {
            return Some(call);
        }
        if depth < 3 {
            let targets = project.targets(call);
            let inner = targets.functions.iter().filter(|_| !targets.weak).find_map(|&f| unscoped(project, f, depth + 1));
            if inner.is_some() {
                return inner.map(|_| call);
            }
        }
    }
    None
}

fn opens_scope(project: &Project<'_>, call: In<CallId>) -> bool {
    let named = project.named_type(call.file, &project.callee_text(call).replace('.', "::"));
    let api = project.api(call);
    let of = |name: Option<&String>| name.and_then(|name| project.contracts.ty(name));
    let given = [api.and_then(|api| of(api.gives.as_ref())), api.and_then(|api| of(api.returns_type.as_ref())), named];
    given.into_iter().flatten().any(|ty| project.contracts.is_family(ty, "handle-scope")) || holds_scope(project, call)
}

/// Whether a call makes an object of a class of the project that has a scope for a part.
fn holds_scope(project: &Project<'_>, call: In<CallId>) -> bool {
    let class = project.declared_class(call.file, &project.callee_text(call).replace('.', "::"));
    class.is_some_and(|class| {
        project.class(class).fields.iter().any(|field| {
            let ty = field.ty.as_ref().and_then(|facts| project.declared_type(class.file, facts));
            ty.is_some_and(|ty| project.contracts.is_family(ty, "handle-scope"))
        })
    })
}

fn makes_handle(project: &Project<'_>, call: In<CallId>) -> bool {
    let returned = project.api(call).and_then(|api| project.contracts.ty(api.returns_type.as_deref()?));
    returned.is_some_and(|ty| project.contracts.is_family(ty, "local-handle"))
}

fn text_of<'p>(project: &'p Project<'_>, function: In<FunctionId>) -> &'p str {
    &project.sources.get(function.file).text
}

/// How the project opens a scope elsewhere: `Nan::HandleScope scope;`. One that needs an environment or isolate is for
/// people to write.
fn scope_as_written(project: &Project<'_>, function: In<FunctionId>) -> Option<String> {
    let own = std::iter::once(text_of(project, function));
    let others = project.files().filter(|(file, _)| project.is_native(*file));
    let texts = own.chain(others.map(|(file, _)| &*project.sources.get(file).text));
    let is_scope = |line: &&str| {
        let words = line.strip_suffix(';').and_then(|line| line.split_once("HandleScope "));
        words.is_some_and(|(path, name)| path.chars().all(|c| c.is_alphanumeric() || c == ':') && is_name(name))
    };
    texts.flat_map(str::lines).map(str::trim).find(is_scope).map(str::to_owned)
}

/// A scope of the kind of the handle that is made: with the environment or isolate of the function's own parameter, where it
/// wants one.
fn scope_for(project: &Project<'_>, function: In<FunctionId>, made: In<CallId>) -> Option<String> {
    let callee = project.callee_text(made).replace('.', "::");
    if callee.starts_with("Nan::") {
        return Some("Nan::HandleScope scope;".to_owned());
    }
    let kind = if callee.starts_with("Napi::") { "Napi" } else { "v8" };
    let wanted = if kind == "Napi" { "Env" } else { "Isolate" };
    let mut parameters = project.function(function).parameters.iter().map(|&parameter| project.binding(function.with(parameter)));
    let given = parameters.find(|parameter| parameter.ty.as_ref().is_some_and(|ty| ty.name.rsplit(':').next() == Some(wanted)));
    match given.map(|given| given.name) {
        Some(name) if is_name(&name) => Some(format!("{kind}::HandleScope scope({name});")),
        None if callee.starts_with("v8::") => Some("v8::HandleScope scope(v8::Isolate::GetCurrent());".to_owned()),
        _ => None,
    }
}
