//! Handles of JavaScript code that must be released: files, sockets, clients, members of pools, and the ways on which one
//! call's handle leaves its function. Rules choose which ways matter.

use crate::model::contract::By;
use crate::model::words::Meaning;
use crate::model::{CallId, FunctionId, In, Rate, Type, Value};
use crate::project::{
    Access, AccessKind, Doing, ExitKind, Gives, Key, Obligation, Project, RateAnswer, Role, Row, Start, State,
};

/// Families of things that somebody else counts until they are released: the system, a server, a pool.
const COUNTED: &[&str] = &[
    "file",
    "connection",
    "session",
    "cursor",
    "lock",
    "statement",
    "database",
    "client",
    "pool",
    "watcher",
    "temporary",
    "worker",
    "port",
    "addon-handle",
];

/// Families of things that end by themselves when all goes well, and are left behind when it does not.
const ENDING: &[&str] = &["file-stream", "socket", "stream", "server", "reader", "process", "zlib", "window"];

/// A handle and what becomes of it.
pub(crate) struct Followed<'a> {
    /// The acquiring call.
    pub(crate) call: In<CallId>,
    /// What it gives.
    pub(crate) gives: Gives<'a>,
    /// How often.
    pub(crate) rate: RateAnswer,
    /// The ways out on which it was acquired.
    pub(crate) rows: Vec<Row>,
    /// It ends by itself when all goes well.
    pub(crate) ends_itself: bool,
}

impl Followed<'_> {
    /// Whether some way out releases it.
    pub(crate) fn is_released(&self) -> bool {
        self.rows.iter().any(|row| row.state == State::Released)
    }

    /// Whether all that the code has is one variable, and nothing ever happens to that but calls of methods that do not release:
    /// whatever closures hold it, none of them can give it back.
    pub(crate) fn never_leaves(&self, project: &Project<'_>) -> bool {
        let Some(handle) = self.gives.handle else { return false };
        let stored = |access: &Access| match access.kind {
            AccessKind::Stored { place } => project.place(access.of(place)),
            _ => None,
        };
        let uses = project.uses(handle);
        let [Some(place)] = uses.iter().map(stored).collect::<Vec<_>>()[..] else { return false };
        let ends = |key: Key| matches!(key, Key::Name(name) if project.contracts.words.has(Meaning::Disposal, &name));
        let held = |state: State| matches!(state, State::Held | State::Captured);
        place.variable().is_some()
            && !self.rows.is_empty()
            && self.rows.iter().all(|row| held(row.state))
            && project.accesses(place).iter().all(|access| match access.kind {
                AccessKind::Method { call, key } => {
                    let doing = project.effect(access.of(call), Role::Receiver, Some(self.gives.ty));
                    doing == Doing::Borrows && !ends(key)
                }
                AccessKind::KeyRead { key } => !ends(key),
                AccessKind::Assigned { is_declaration, .. } => is_declaration,
                AccessKind::Tested => true,
                _ => false,
            })
    }

    /// Ways on which it is lost.
    pub(crate) fn lost(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_lost())
    }
}

/// Every handle that JavaScript code of the project obtains more than once.
pub(crate) fn followed<'a, 'p>(project: &'p Project<'a>) -> impl Iterator<Item = Followed<'a>> + use<'a, 'p> {
    project.calls().filter(|call| !project.is_native(call.file)).filter_map(|call| {
        let gives = project.gives(call)?;
        let of = |families: &[&str]| families.iter().any(|family| gives.ty.family == *family);
        let ends_itself = of(ENDING) || is_awaited(project, call, &gives);
        if gives.ty.collectable || !ends_itself && !of(COUNTED) {
            return None;
        }
        let rate = project.call_rate(call);
        if rate.rate == Some(Rate::Once)
            || is_known_to_its_callback(project, call, &gives)
            || is_handed_on_before(project, call, &gives)
        {
            return None;
        }
        let (function, start) = beginning(project, call, &gives)?;
        let mut rows = project.paths(&Obligation { function, start, ty: Some(gives.ty) });
        rows.retain(|row| row.state != State::NotAcquired);
        Some(Followed { call, gives, rate, rows, ends_itself })
    })
}

/// Whether a function that the acquiring call is handed has the handle's variable: `const w = watch(p, () => w.close())`.
fn is_known_to_its_callback(project: &Project<'_>, call: In<CallId>, gives: &Gives<'_>) -> bool {
    let returned = gives.handle.filter(|_| gives.by == By::Return);
    let names = returned.map(|handle| project.under_all_names(handle)).unwrap_or_default();
    let arguments = &project.call(call).arguments;
    let closures = arguments.iter().filter_map(|argument| match project.value(call.with(argument.value)) {
        Value::Function(function) => Some(project.function(call.with(*function))),
        _ => None,
    });
    let captured: Vec<_> = closures.flat_map(|closure| closure.captures.iter().copied()).collect();
    names.iter().any(|name| matches!(project.value(*name), Value::Binding(binding) if captured.contains(binding)))
}

/// Whether a closure that was made before hands the thing on: `client.on('ready', () => resolve(client)); client.connect()`.
fn is_handed_on_before(project: &Project<'_>, call: In<CallId>, gives: &Gives<'_>) -> bool {
    let receiver = gives.handle.filter(|_| gives.by == By::Receiver);
    let (start, function) = (project.call(call).span.start, project.function_of(call));
    receiver.and_then(|handle| project.place(handle)).is_some_and(|place| {
        project.accesses(place).iter().any(|access| {
            matches!(access.kind, AccessKind::Argument { .. } | AccessKind::Returned)
                && access.file == call.file
                && access.span.start < start
                && access.function != function.id
                && project.summary(call.file).is_inside(access.function, function.id)
        })
    })
}

/// Whether the code waits for the thing to exit by itself: a worker that is done.
fn is_awaited(project: &Project<'_>, call: In<CallId>, gives: &Gives<'_>) -> bool {
    let Some(handle) = gives.handle else { return false };
    gives.ty.ends.iter().any(|end| end == "exit")
        && project.calls_in(project.function_of(call)).any(|waits| {
            let registers = project.api(waits).and_then(|api| api.registers.as_ref());
            registers.is_some_and(|registers| project.event_name(waits, registers).is_some_and(|event| event == "exit"))
                && project.receiver(waits).is_some_and(|on| project.same(on, handle))
        })
}

/// Whether a type of handle is one that must be released.
pub(crate) fn is_counted(ty: &Type) -> bool {
    COUNTED.iter().chain(ENDING).any(|family| ty.family == **family)
}

/// Whether things of a type end when what they work on ends: not sockets and servers, which wait for somebody.
pub(crate) fn ends_with_others(ty: &Type) -> bool {
    ENDING.contains(&ty.family.as_str()) && !matches!(ty.family.as_str(), "socket" | "server")
}

/// Where the handle's life begins: at the call, or in the callback that receives it.
pub(crate) fn beginning(project: &Project<'_>, call: In<CallId>, gives: &Gives<'_>) -> Option<(In<FunctionId>, Start)> {
    let By::Callback(parameter) = gives.by else { return Some((project.function_of(call), Start::Call(call.id))) };
    let callback = project.callbacks(call).into_iter().last()?.function;
    let binding = *project.function(callback).parameters.get(parameter as usize)?;
    Some((callback, Start::Entry(binding)))
}

/// How a way out reads in a sentence: "when `fs.writeSync` throws".
pub(crate) fn way(project: &Project<'_>, row: &Row) -> String {
    let text = |at| short(project.sources.snippet(at));
    match row.exit {
        ExitKind::ImplicitThrow(call) => format!("when `{}` throws", project.callee_text(In::new(row.at.file, call))),
        ExitKind::Rejection => format!("when `{}` rejects", text(row.at)),
        ExitKind::Throw => format!("by `{}`", text(row.at)),
        ExitKind::Return => format!("by `{}`", text(row.at)),
        ExitKind::Overwrite => "when its variable is overwritten".to_owned(),
        _ => "at the end of the function".to_owned(),
    }
}

/// The first line of a piece of code, as far as it is short.
pub(crate) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or("").trim_start_matches("await ").trim_end_matches(';');
    if line.chars().count() <= 48 { line.to_owned() } else { line.chars().take(47).chain(['…']).collect() }
}
