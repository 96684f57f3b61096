//! The ways through one function, by what was called on them: an answer, a removal, both. Knows no calls of other functions
//! but by the word of who asks.

use crate::model::contract::Throws;
use crate::model::{CallId, Cond, Flow, FunctionId, In, Step};
use crate::project::Project;

/// What a way has done so far; a point of the code may be on several, so these are bits.
const NOTHING: u8 = 1;
const ANSWERED: u8 = 2;
const REMOVED: u8 = 4;
const BOTH: u8 = 8;

/// How the ways through a function that answer end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ways {
    /// One answers, and removes.
    pub(crate) with: bool,
    /// One answers, and does not.
    pub(crate) without: bool,
}

/// What to look for on the ways.
pub(crate) struct Marks<'f> {
    /// Whether a call answers.
    pub(crate) answers: &'f dyn Fn(In<CallId>) -> bool,
    /// Whether a call removes.
    pub(crate) removes: &'f dyn Fn(In<CallId>) -> bool,
    /// Whether a condition only asks whether there is anything to remove from.
    pub(crate) asks: &'f dyn Fn(&Cond) -> bool,
}

/// The ways through a function.
pub(crate) fn through(project: &Project<'_>, function: In<FunctionId>, marks: &Marks<'_>) -> Ways {
    let mut walk = Walk { project, function, marks, ways: Ways::default(), thrown: 0 };
    let end = walk.flow(&project.function(function).flow, NOTHING);
    walk.end(end);
    walk.ways
}

struct Walk<'f, 'a> {
    project: &'f Project<'a>,
    function: In<FunctionId>,
    marks: &'f Marks<'f>,
    ways: Ways,
    /// What the way had done where something may have been thrown.
    thrown: u8,
}

impl Walk<'_, '_> {
    fn flow(&mut self, flow: &Flow, state: u8) -> u8 {
        match flow {
            _ if state == 0 => 0,
            Flow::Step(Step::Call(call)) => {
                let call = self.function.with(*call);
                if self.throws(call) {
                    self.thrown |= state;
                }
                self.call(call, state)
            }
            Flow::Step(Step::Await { .. }) => {
                self.thrown |= state;
                state
            }
            Flow::Sequence(parts) => parts.iter().fold(state, |state, part| self.flow(part, state)),
            Flow::Branch { cond, then, otherwise, .. } => {
                let ends = [self.flow(then, state), self.flow(otherwise, state)];
                // Without an emitter there was nothing to add, either.
                let done = ends.iter().find(|end| **end != state).filter(|_| (self.marks.asks)(cond));
                done.copied().unwrap_or(ends[0] | ends[1])
            }
            Flow::Switch { arms, has_default, .. } => {
                let ends = arms.iter().fold(0, |ends, arm| ends | self.flow(arm, state));
                if *has_default { ends } else { ends | state }
            }
            Flow::Loop { body, .. } | Flow::Labelled(_, body) => state | self.flow(body, state),
            Flow::Try { body, handler, finally } => {
                let around = std::mem::take(&mut self.thrown);
                let mut end = self.flow(body, state);
                let thrown = std::mem::replace(&mut self.thrown, around);
                match handler {
                    Some((_, handler)) => end |= self.flow(handler, if thrown == 0 { state } else { thrown }),
                    None => self.thrown |= thrown,
                }
                finally.as_ref().map_or(end, |finally| self.flow(finally, end))
            }
            Flow::Exit(..) => {
                self.end(state);
                0
            }
            Flow::Step(_) | Flow::Label(_) => state,
        }
    }

    /// Whether a call may throw: not an answer or a removal by themselves, and not what is known never to.
    fn throws(&self, call: In<CallId>) -> bool {
        !(self.marks.removes)(call)
            && !(self.marks.answers)(call)
            && self.project.api(call).is_none_or(|api| api.throws != Throws::Never)
    }

    fn call(&self, call: In<CallId>, state: u8) -> u8 {
        let moved = |state: u8, from: u8, to: u8| if state & from == 0 { state } else { state & !from | to };
        let mut state = state;
        if (self.marks.removes)(call) {
            state = moved(moved(state, NOTHING, REMOVED), ANSWERED, BOTH);
        }
        if (self.marks.answers)(call) {
            state = moved(moved(state, NOTHING, ANSWERED), REMOVED, BOTH);
        }
        state
    }

    fn end(&mut self, state: u8) {
        self.ways.with |= state & BOTH != 0;
        self.ways.without |= state & ANSWERED != 0;
    }
}
