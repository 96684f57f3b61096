//! Entries that wait for an answer: a function looks one up and settles it on several ways, and takes it out on some of them
//! only. Knows one function at a time; who else takes entries out is asked of the table.

use crate::model::words::Meaning;
use crate::model::{CallId, Exit, Flow, FunctionId, In, Name, Step, Value, ValueId};
use crate::project::{Gone, Growth, Origin, Project, Shrink, Table};
use crate::text::{Location, Span};

/// An answer after which the entry stays.
pub(in crate::rules) struct Kept<'t> {
    /// The call that settles it.
    pub(in crate::rules) at: Location,
    /// The removal that another answer runs.
    pub(in crate::rules) taken: &'t Shrink,
}

/// The answer that leaves an entry where it is, beside one that takes it out.
pub(in crate::rules) fn kept<'t>(project: &Project<'_>, table: &'t Table, growth: &Growth) -> Option<Kept<'t>> {
    let settlers = settlers(project, growth)?;
    let taken = table.shrinks.iter().find(|shrink| matches!(shrink.what, Gone::Entry(_)))?;
    let Gone::Entry(key) = taken.what else { return None };
    let elsewhere =
        |shrink: &Shrink| shrink.function != taken.function && matches!(shrink.what, Gone::Entry(_) | Gone::Some);
    if taken.is_guess || taken.function == growth.function || table.shrinks.iter().any(elsewhere) {
        return None;
    }
    let spans: Vec<Span> =
        table.shrinks.iter().filter(|shrink| shrink.function == taken.function).map(|shrink| shrink.at.span).collect();
    let entry = Entry { project, table, key, settlers: &settlers.names };
    let answers: Vec<In<CallId>> = project.calls_in(taken.function).filter(|call| entry.is_settled_by(*call)).collect();
    let ends = |answer: &In<CallId>| {
        let answer = project.call(*answer).span;
        let mut walk = Walk { project, function: taken.function, answer, taken: &spans, ends: 0 };
        let end = walk.flow(&project.function(taken.function).flow, OPEN);
        walk.ends | end
    };
    // A callback may be told several things in turn, but of one failure only.
    let fails = |answer: &In<CallId>| match &project.call(*answer).arguments[..] {
        [told] => !project.is_nothing(answer.with(told.value)),
        _ => false,
    };
    let last = |answer: &&In<CallId>| settlers.is_promise || fails(answer);
    let left = answers.iter().filter(last).find(|answer| ends(answer) & (ANSWERED | BOTH) == ANSWERED)?;
    let works = answers.iter().any(|answer| ends(answer) & (ANSWERED | BOTH) == BOTH);
    works.then(|| Kept { at: project.locate(*left), taken })
}

/// What of an entry answers whoever waits.
struct Settlers {
    /// Properties of the entry; none where the entry is such a function itself.
    names: Vec<Name>,
    /// They settle a promise: whatever is said first is the answer.
    is_promise: bool,
}

/// The functions in an entry that settle a promise, or else are the caller's callback by their names.
fn settlers(project: &Project<'_>, growth: &Growth) -> Option<Settlers> {
    let value = growth.value?;
    let parameter = |value: In<ValueId>| match project.origin(value) {
        Origin::Parameter(binding) => Some(binding),
        _ => None,
    };
    let settles = |value: In<ValueId>| {
        parameter(value).is_some_and(|binding| project.is_executor(binding.with(project.binding(binding).function)))
    };
    let answers = |value: In<ValueId>| {
        parameter(value)
            .is_some_and(|binding| project.contracts.words.has(Meaning::Answering, &project.binding(binding).name))
    };
    let find = |fits: &dyn Fn(In<ValueId>) -> bool, is_promise: bool| {
        if fits(value) {
            return Some(Settlers { names: Vec::new(), is_promise });
        }
        let Value::Object(object) = project.value(value) else { return None };
        let properties = project.object(value.with(*object)).properties.iter();
        let names: Vec<Name> = properties
            .filter(|property| fits(value.with(property.value)))
            .filter_map(|property| property.name)
            .collect();
        (!names.is_empty()).then_some(Settlers { names, is_promise })
    };
    find(&settles, true).or_else(|| find(&answers, false))
}

/// An entry as the function that takes it out knows it.
struct Entry<'p, 'a> {
    project: &'p Project<'a>,
    table: &'p Table,
    key: In<ValueId>,
    settlers: &'p [Name],
}

impl Entry<'_, '_> {
    fn is_settled_by(&self, call: In<CallId>) -> bool {
        let callee = call.with(self.project.call(call).callee);
        if self.settlers.is_empty() { self.is(callee, 0) } else { self.is_settler(callee, 0) }
    }

    /// `entry.resolve`, and a variable that was taken out of the entry.
    fn is_settler(&self, value: In<ValueId>, depth: u32) -> bool {
        match self.project.value(value) {
            Value::Member(object, name) => self.settlers.contains(name) && self.is(value.with(*object), 0),
            Value::Binding(binding) if depth < 3 => {
                let of = self.project.binding(value.with(*binding)).value;
                of.is_some_and(|of| self.is_settler(value.with(of), depth + 1))
            }
            _ => false,
        }
    }

    /// `table.get(key)`, `table[key]`, and a variable that holds it.
    fn is(&self, value: In<ValueId>, depth: u32) -> bool {
        let project = self.project;
        let on_table = |on: In<ValueId>| project.place(on) == Some(self.table.place);
        match project.value(value) {
            Value::Result(call) => {
                let call = value.with(*call);
                let gets = project.method_name(call).is_some_and(|name| name == "get");
                gets && project.argument(call, 0) == Some(self.key) && project.receiver(call).is_some_and(on_table)
            }
            Value::Index(table, key) => value.with(*key) == self.key && on_table(value.with(*table)),
            Value::Binding(binding) if depth < 3 => {
                let of = project.binding(value.with(*binding)).value;
                of.is_some_and(|of| self.is(value.with(of), depth + 1))
            }
            _ => false,
        }
    }
}

/// Neither; taken out only; answered only; both, in any order. A point of the code may be in several.
const OPEN: u8 = 1;
const TAKEN: u8 = 2;
const ANSWERED: u8 = 4;
const BOTH: u8 = 8;

/// Walks a function's flow for one answer, and gathers the states in which it ends in good order.
struct Walk<'p, 'a> {
    project: &'p Project<'a>,
    function: In<FunctionId>,
    answer: Span,
    taken: &'p [Span],
    ends: u8,
}

impl Walk<'_, '_> {
    fn flow(&mut self, flow: &Flow, state: u8) -> u8 {
        if state == 0 {
            return 0;
        }
        match flow {
            Flow::Step(step) => self.step(step, state),
            Flow::Sequence(parts) => parts.iter().fold(state, |state, part| self.flow(part, state)),
            Flow::Branch { then, otherwise, .. } => self.flow(then, state) | self.flow(otherwise, state),
            Flow::Switch { arms, has_default, .. } => {
                let (mut falls, mut ends) = (0, if *has_default { 0 } else { state });
                for arm in arms {
                    falls = self.flow(arm, state | falls);
                    ends |= falls;
                }
                ends
            }
            Flow::Loop { body, .. } => state | self.flow(body, state),
            Flow::Labelled(_, body) => self.flow(body, state),
            Flow::Try { body, handler, finally } => {
                let outer = std::mem::take(&mut self.ends);
                let mut end = self.flow(body, state);
                if let Some((_, handler)) = handler {
                    end |= self.flow(handler, state | end);
                }
                if let Some(finally) = finally {
                    let left = std::mem::take(&mut self.ends);
                    self.ends |= self.flow(finally, left);
                    end = self.flow(finally, end);
                }
                self.ends |= outer;
                end
            }
            Flow::Exit(Exit::Return(_), _) => {
                self.ends |= state;
                0
            }
            Flow::Exit(Exit::Break(_) | Exit::Continue(_), _) => state,
            Flow::Exit(..) => 0,
            Flow::Label(_) => state,
        }
    }

    fn step(&self, step: &Step, state: u8) -> u8 {
        let span = match step {
            Step::Call(call) => self.project.call(self.function.with(*call)).span,
            Step::Delete { span, .. } => *span,
            Step::Assign(assign) => assign.span,
            _ => return state,
        };
        let moved = |from: u8, to: u8| if state & from != 0 { to } else { 0 };
        if span == self.answer {
            moved(OPEN, ANSWERED) | moved(TAKEN, BOTH) | state & (ANSWERED | BOTH)
        } else if self.taken.contains(&span) {
            moved(OPEN, TAKEN) | moved(ANSWERED, BOTH) | state & (TAKEN | BOTH)
        } else {
            state
        }
    }
}
