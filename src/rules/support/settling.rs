//! Promises that wait for the end of their owner: made once, and settled by nothing but an end or a failure.
//! Says nothing about who adds reactions to them.

use crate::model::words::Meaning;
use crate::model::{CallId, FunctionId, In, Name, Value, ValueId};
use crate::project::{Access, AccessKind, Origin, Place, Project};
use rustc_hash::FxHashSet;

/// How far a settling function is followed through variables and fields.
const DEPTH: u8 = 3;

/// Where the promise of a place is made, if it settles only when something ends.
pub(crate) fn made_until_end(project: &Project<'_>, place: Place) -> Option<In<CallId>> {
    let assigned: Vec<In<ValueId>> = project
        .accesses(place)
        .iter()
        .filter_map(|access| match access.kind {
            AccessKind::Assigned { value, .. } if !project.is_nothing(access.of(value)) => Some(access.of(value)),
            _ => None,
        })
        .collect();
    let mut made = assigned.into_iter().map(|value| until_end(project, value));
    let first = made.next()??;
    made.all(|other| other.is_some()).then_some(first)
}

fn until_end(project: &Project<'_>, value: In<ValueId>) -> Option<In<CallId>> {
    if let Value::Choice(sides) = project.value(value) {
        // `stopped = signal.aborted ? Promise.reject(…) : new Promise(…)`: one that is settled keeps nothing.
        let mut waiting = sides.iter().map(|side| value.with(*side)).filter(|side| !is_settled(project, *side));
        let made = until_end(project, waiting.next()?)?;
        return waiting.all(|side| until_end(project, side).is_some()).then_some(made);
    }
    let parts = deferred_parts(project, value);
    let (made, [resolve, reject]) = match parts {
        Some((call, settlers)) => (call, settlers),
        None => {
            let Origin::Result(call) = project.origin(value) else { return None };
            (call, executor_settlers(project, call)?)
        }
    };
    let ends = |values: &[In<ValueId>]| {
        let mut seen = Settling::default();
        values.iter().for_each(|value| seen.follow(project, *value, 0));
        seen
    };
    let (resolve, reject) = (ends(&resolve), ends(&reject));
    // What can only be rejected waits for a failure or an abort.
    let only_rejected = !resolve.is_used() && reject.later;
    (!resolve.otherwise && !reject.at_once && (resolve.at_end || only_rejected)).then_some(made)
}

/// A promise that is made settled.
fn is_settled(project: &Project<'_>, value: In<ValueId>) -> bool {
    let Value::Result(call) = project.value(value) else { return false };
    let settled = |path: Name| path == "Promise.reject" || path == "Promise.resolve";
    project.path(value.with(*call)).is_some_and(settled)
}

/// The two functions that a `new Promise` gives its executor.
fn executor_settlers(project: &Project<'_>, call: In<CallId>) -> Option<[Vec<In<ValueId>>; 2]> {
    if project.path(call)? != "new Promise" {
        return None;
    }
    let executor = project.callbacks(call).into_iter().next()?.function;
    let parameters = &project.function(executor).parameters;
    let summary = project.summary(executor.file);
    let value = |at: usize| {
        let wanted = Value::Binding(*parameters.get(at)?);
        let id = summary.values.iter().position(|value| *value == wanted)?;
        Some(executor.with(ValueId(id as u32)))
    };
    Some([value(0).into_iter().collect(), value(1).into_iter().collect()])
}

/// The parts of the deferred that a value is the promise of: `const { promise, reject } = withResolvers()`.
fn deferred_parts(project: &Project<'_>, value: In<ValueId>) -> Option<(In<CallId>, [Vec<In<ValueId>>; 2])> {
    let mut value = value;
    for _ in 0..4 {
        match project.value(value) {
            Value::Binding(binding) => value = value.with(project.binding(value.with(*binding)).value?),
            Value::Member(object, _) => {
                let object = value.with(*object);
                let call = match project.value(object) {
                    Value::Result(call) => object.with(*call),
                    Value::Binding(binding) => {
                        match project.value(object.with(project.binding(object.with(*binding)).value?)) {
                            Value::Result(call) => object.with(*call),
                            _ => return None,
                        }
                    }
                    _ => return None,
                };
                if !is_deferred(project, call, value) {
                    return None;
                }
                let part = |name: &str| part_of(project, object, Name::from(name));
                return Some((call, [part("resolve"), part("reject")]));
            }
            _ => return None,
        }
    }
    None
}

/// Whether a call gives a promise together with what settles it.
fn is_deferred(project: &Project<'_>, call: In<CallId>, promise: In<ValueId>) -> bool {
    if project.method_name(call).is_some_and(|name| name == "withResolvers") {
        return true;
    }
    matches!(project.origin(promise), Origin::Result(made) if made != call && project.path(made).is_some_and(|path| path == "new Promise"))
}

fn part_of(project: &Project<'_>, object: In<ValueId>, name: Name) -> Vec<In<ValueId>> {
    let values = project.summary(object.file).values.iter().enumerate();
    let is_part = |value: &Value| matches!(value, Value::Member(of, part) if *of == object.id && *part == name);
    values.filter(|(_, value)| is_part(value)).map(|(at, _)| object.with(ValueId(at as u32))).collect()
}

/// When the functions that settle a promise are called.
#[derive(Default)]
struct Settling {
    /// When something ends.
    at_end: bool,
    /// By something else.
    otherwise: bool,
    /// While the promise is made, or when a timer fires.
    at_once: bool,
    /// By somebody later.
    later: bool,
    seen: FxHashSet<In<ValueId>>,
}

impl Settling {
    fn is_used(&self) -> bool {
        self.at_end || self.otherwise || self.at_once || self.later
    }

    fn follow(&mut self, project: &Project<'_>, value: In<ValueId>, depth: u8) {
        if depth > DEPTH || !self.seen.insert(value) {
            return;
        }
        let declared = match project.value(value) {
            Value::Binding(binding) => Some(project.binding(value.with(*binding)).function),
            _ => None,
        };
        // A variable is looked at by itself: what it is a part of may belong to others as well.
        let accesses: Vec<Access> = match project.place(value) {
            Some(place) if depth > 0 && declared.is_none() => project.accesses(place).to_vec(),
            _ => project.uses(value).to_vec(),
        };
        for access in accesses {
            match access.kind {
                AccessKind::Called { .. } => self.called(project, access.function(), declared == Some(access.function)),
                AccessKind::Argument { call, .. } => self.handed(project, access.of(call)),
                AccessKind::Stored { place } => {
                    self.later = true;
                    // `this.close = resolve`: whoever calls it ends the owner.
                    if let Value::Member(_, name) = project.value(access.of(place)) {
                        self.at_end |= project.contracts.words.has(Meaning::Disposal, name);
                    }
                    self.follow(project, access.of(place), depth + 1);
                }
                AccessKind::Inside { .. } | AccessKind::Returned => self.otherwise = true,
                _ => {}
            }
        }
    }

    fn called(&mut self, project: &Project<'_>, by: In<FunctionId>, is_executor: bool) {
        let handed = |function| project.passed_to(function).iter().any(|passed| is_end(project, passed.call));
        if is_executor {
            self.at_once = true;
        } else if project.around(by, |of| project.is_disposal(of) || is_hook(project, of) || handed(of)).is_some() {
            self.at_end = true;
            self.later = true;
        } else {
            self.otherwise = true;
            self.later = true;
        }
    }

    fn handed(&mut self, project: &Project<'_>, call: In<CallId>) {
        if is_end(project, call) {
            self.at_end = true;
            self.later = true;
        } else {
            self.at_once = true;
            self.otherwise = true;
        }
    }
}

/// Whether a call registers for an event that ends something, by the catalog or by its name.
fn is_end(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(registers) = project.api(call).and_then(|api| api.registers.as_ref()) else { return false };
    project.event_name(call, registers).is_some_and(|event| says_end(project, &event))
}

/// `signal.onabort = () => …`: the same, as a property.
fn is_hook(project: &Project<'_>, function: In<FunctionId>) -> bool {
    project.function(function).name.strip_prefix("on").is_some_and(|event| says_end(project, event))
}

fn says_end(project: &Project<'_>, event: &str) -> bool {
    let words = &project.contracts.words;
    words.has(Meaning::Disposal, event) || words.has(Meaning::Ending, event) || event == "exit"
}
