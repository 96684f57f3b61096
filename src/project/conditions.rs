//! The conditions under which a call's place in the code is reached: the branches around it, and those before it that
//! leave. Looks at one function; says nothing about what the conditions mean.

use super::Project;
use super::guards::always_leaves;
use crate::model::{CallId, Cond, Exit, Flow, In, Step, ValueId};
use smallvec::{SmallVec, smallvec};

/// Conditions with the side on which the call lies.
pub type Conditions<'p> = Vec<(&'p Cond, bool)>;

impl Project<'_> {
    /// The conditions that hold where a call happens, outermost first.
    pub fn conditions(&self, call: In<CallId>) -> Conditions<'_> {
        let mut conditions = Conditions::new();
        find(&self.function(self.function_of(call)).flow, call.id, &mut conditions);
        conditions
    }

    /// Whether a call happens only under some condition of its function.
    pub fn is_conditional(&self, call: In<CallId>) -> bool {
        !self.conditions(call).is_empty()
    }
}

fn find<'p>(flow: &'p Flow, call: CallId, conditions: &mut Conditions<'p>) -> bool {
    match flow {
        Flow::Step(step) => matches!(step, Step::Call(id) if *id == call),
        Flow::Sequence(parts) => {
            let before = conditions.len();
            for part in parts {
                if find(part, call, conditions) {
                    return true;
                }
                if let Flow::Branch { cond, then, otherwise, .. } = part {
                    if always_leaves(then) {
                        conditions.push((cond, false));
                    } else if always_leaves(otherwise) {
                        conditions.push((cond, true));
                    }
                }
            }
            conditions.truncate(before);
            false
        }
        Flow::Branch { cond, then, otherwise, .. } => {
            for (side, holds) in [(then, true), (otherwise, false)] {
                conditions.push((cond, holds));
                if find(side, call, conditions) {
                    return true;
                }
                conditions.pop();
            }
            false
        }
        Flow::Switch { arms, .. } => arms.iter().any(|arm| find(arm, call, conditions)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => find(body, call, conditions),
        Flow::Try { body, handler, finally } => {
            find(body, call, conditions)
                || handler.as_ref().is_some_and(|(_, handler)| find(handler, call, conditions))
                || finally.as_ref().is_some_and(|finally| find(finally, call, conditions))
        }
        Flow::Label(_) | Flow::Exit(..) => false,
    }
}

impl Project<'_> {
    /// What a place was surely assigned last before a call of the same function, on the straight way to it: the newest value
    /// of `this.socket` where `this.socket = net.connect(…)` stands before, or the values of both arms of a branch. Empty
    /// where the code does not say.
    pub fn assigned_before(&self, call: In<CallId>, place: In<ValueId>) -> SmallVec<[In<ValueId>; 2]> {
        let mut last = Latest::new();
        let flow = &self.function(self.function_of(call)).flow;
        if !latest(flow, call.id, place.id, &mut last) {
            return SmallVec::new();
        }
        last.into_iter().map(|value| call.with(value)).collect()
    }
}

/// What a place may hold; empty: unknown.
type Latest = SmallVec<[ValueId; 2]>;

/// Walks to the call; `last` is what the place holds there.
fn latest(flow: &Flow, call: CallId, place: ValueId, last: &mut Latest) -> bool {
    match flow {
        Flow::Step(Step::Assign(assign)) if assign.place == place => {
            *last = smallvec![assign.value];
            false
        }
        Flow::Sequence(parts) => parts.iter().any(|part| latest(part, call, place, last)),
        Flow::Branch { then, otherwise, .. } => {
            let mut sides = [last.clone(), last.clone()];
            for (side, value) in [then, otherwise].into_iter().zip(&mut sides) {
                if latest(side, call, place, value) {
                    *last = std::mem::take(value);
                    return true;
                }
            }
            let [mut left, right] = sides;
            *last = match (always_leaves(then), always_leaves(otherwise)) {
                (true, _) => right,
                (_, true) => left,
                _ if left.is_empty() || right.is_empty() => Latest::new(),
                _ => {
                    left.extend(right.into_iter().filter(|value| !left.contains(value)).collect::<Latest>());
                    left
                }
            };
            false
        }
        Flow::Step(step) => matches!(step, Step::Call(id) if *id == call),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => within(body, call, place, last),
        Flow::Switch { arms, .. } => {
            let before = last.clone();
            for arm in arms {
                last.clone_from(&before);
                if latest(arm, call, place, last) {
                    return true;
                }
            }
            last.clear();
            false
        }
        Flow::Try { body, handler, finally } => {
            let inside = latest(body, call, place, last)
                || handler.as_ref().is_some_and(|(_, handler)| within(handler, call, place, last));
            inside || finally.as_ref().is_some_and(|finally| latest(finally, call, place, last))
        }
        Flow::Label(_) | Flow::Exit(..) => false,
    }
}

/// Code that may not run: what it assigns counts inside it only.
fn within(flow: &Flow, call: CallId, place: ValueId, last: &mut Latest) -> bool {
    let before = last.clone();
    let found = latest(flow, call, place, last);
    if !found && *last != before {
        last.clear();
    }
    found
}

/// A loop around a call.
#[derive(Clone, Debug)]
pub struct LoopAround {
    /// Its head.
    pub span: crate::text::Span,
    /// Its condition to go on.
    pub cond: Cond,
    /// Its kind.
    pub kind: crate::model::Loop,
}

impl Project<'_> {
    /// The innermost loop of its own function around a call.
    pub fn loop_around(&self, call: In<CallId>) -> Option<LoopAround> {
        let index = self.index(call.file);
        let head = &index.heads[*index.loops.get(&call.id)?.last()? as usize];
        Some(LoopAround { span: head.span, cond: head.cond.clone(), kind: head.kind })
    }

    /// Whether a loop may turn any number of times: not one over the elements of something.
    pub fn is_open_ended(&self, head: &LoopAround) -> bool {
        head.kind != crate::model::Loop::ForEach
    }

    /// Whether a call happens in a loop that turns until something says so, not a number of times.
    pub fn turns(&self, call: In<CallId>) -> bool {
        let counts = |head: &LoopAround| matches!(head.cond, Cond::Less(..) | Cond::AtMost(..));
        self.loop_around(call).is_some_and(|head| self.is_open_ended(&head) && !counts(&head))
    }

    /// Whether a call happens in the innermost loop around another.
    pub fn is_in_loop_of(&self, call: In<CallId>, other: In<CallId>) -> bool {
        let loops = |call: In<CallId>| self.index(call.file).loops.get(&call.id);
        let innermost = loops(other).and_then(|heads| heads.last());
        let inside = |head: &u32| loops(call).is_some_and(|heads| heads.contains(head));
        call.file == other.file && innermost.is_some_and(inside)
    }

    /// Everything that the file assigns to a variable or place, as written.
    pub fn assigned_values(&self, place: In<ValueId>) -> Vec<In<ValueId>> {
        self.index(place.file).assigned(place.id).map(|(_, value)| place.with(value)).collect()
    }
}

impl Project<'_> {
    /// Whether the code goes on only to leave after a call: `emitter.once(…); return`. In a loop such a call happens once.
    pub fn leaves_after(&self, call: In<CallId>) -> bool {
        left_after(&self.function(self.function_of(call)).flow, call.id) == Some(true)
    }

    /// Whether a call is behind a guard that lets it happen once in the life of what the guard tests.
    pub fn is_once_guarded(&self, call: In<CallId>) -> bool {
        !self.guards(call).is_empty()
    }
}

/// Whether code may go on with the next turn of a loop.
fn goes_round(flow: &Flow) -> bool {
    let mut found = false;
    flow.walk(&mut |part| found |= matches!(part, Flow::Exit(Exit::Continue(_), _)));
    found
}

/// None where the call is not in the code; otherwise whether that leaves after it.
fn left_after(flow: &Flow, call: CallId) -> Option<bool> {
    match flow {
        Flow::Step(Step::Call(id)) => (*id == call).then_some(false),
        Flow::Sequence(parts) => {
            let (at, left) = parts.iter().enumerate().find_map(|(at, part)| Some((at, left_after(part, call)?)))?;
            Some(left || parts[at + 1..].iter().any(|part| always_leaves(part) && !goes_round(part)))
        }
        Flow::Branch { then, otherwise, .. } => left_after(then, call).or_else(|| left_after(otherwise, call)),
        Flow::Switch { arms, .. } => arms.iter().find_map(|arm| left_after(arm, call)),
        Flow::Loop { body, .. } => left_after(body, call),
        Flow::Labelled(_, body) => left_after(body, call),
        Flow::Try { body, handler, finally } => left_after(body, call)
            .or_else(|| handler.as_ref().and_then(|(_, handler)| left_after(handler, call)))
            .or_else(|| finally.as_ref().and_then(|finally| left_after(finally, call))),
        _ => None,
    }
}

impl Project<'_> {
    /// Whether a call stands in an arm of a `switch`: it runs for one of several cases.
    pub fn is_dispatched(&self, call: In<CallId>) -> bool {
        fn inside(flow: &Flow, call: CallId, switched: bool) -> bool {
            match flow {
                Flow::Step(Step::Call(id)) => *id == call && switched,
                Flow::Switch { arms, .. } => arms.iter().any(|arm| inside(arm, call, true)),
                Flow::Sequence(parts) => parts.iter().any(|part| inside(part, call, switched)),
                Flow::Branch { then, otherwise, .. } => {
                    inside(then, call, switched) || inside(otherwise, call, switched)
                }
                Flow::Loop { body, .. } | Flow::Labelled(_, body) => inside(body, call, switched),
                Flow::Try { body, handler, finally } => {
                    inside(body, call, switched)
                        || handler.as_ref().is_some_and(|(_, handler)| inside(handler, call, switched))
                        || finally.as_ref().is_some_and(|finally| inside(finally, call, switched))
                }
                _ => false,
            }
        }
        inside(&self.function(self.function_of(call)).flow, call.id, false)
    }
}

impl Project<'_> {
    /// Whether code goes on from one call of a function to another of the same function, on some way without a turn of a loop
    /// around both.
    pub fn leads_on(&self, first: CallId, then: In<CallId>) -> bool {
        goes_on(&self.function(self.function_of(then)).flow, first, then.id) != Some(false)
    }
}

/// None where the two are not both in the code.
fn goes_on(flow: &Flow, first: CallId, then: CallId) -> Option<bool> {
    let has = |flow: &Flow, call: CallId| left_after(flow, call).is_some();
    let both = |flow: &Flow| has(flow, first) && has(flow, then);
    match flow {
        Flow::Sequence(parts) => {
            let from = parts.iter().position(|part| has(part, first))?;
            let to = parts.iter().position(|part| has(part, then))?;
            if from == to {
                return goes_on(&parts[from], first, then);
            }
            let left = || left_after(&parts[from], first) == Some(true);
            Some(from < to && !left() && !parts[from + 1..to].iter().any(always_leaves))
        }
        Flow::Branch { then: side, otherwise, .. } => match (both(side), both(otherwise)) {
            (true, _) => goes_on(side, first, then),
            (_, true) => goes_on(otherwise, first, then),
            _ => both(flow).then_some(false),
        },
        Flow::Switch { arms, .. } => arms.iter().find(|arm| both(arm)).and_then(|arm| goes_on(arm, first, then)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => goes_on(body, first, then),
        Flow::Try { body, handler, finally } => {
            let handler = handler.as_ref().map(|(_, handler)| &**handler);
            let within = [Some(&**body), handler, finally.as_deref()].into_iter().flatten().find(|part| both(part));
            within.map_or(both(flow).then_some(true), |part| goes_on(part, first, then))
        }
        _ => None,
    }
}
