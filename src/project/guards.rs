//! Once-guards: `if (started) return; started = true`, `if (!x) x = …`. A call behind one happens once in the life of the
//! place that it tests, however often its function runs.

use super::{AccessKind, Place, Project};
use crate::model::{Assign, CallId, Cond, Exit, Flow, FunctionId, In, Literal, Step, Value, ValueId};
use crate::text::Span;
use smallvec::SmallVec;

/// A place that a call's code tests to be empty before, and fills.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    pub(super) place: Place,
    /// The condition.
    pub(super) span: Span,
}

/// Values known to be empty at a point, with the conditions that say so.
type Empty = Vec<(ValueId, Span)>;

impl Project<'_> {
    /// The once-guards around a call in its own function.
    pub(super) fn guards(&self, call: In<CallId>) -> SmallVec<[Guard; 1]> {
        let function = self.function_of(call);
        let mut empty = Empty::new();
        let mut found = SmallVec::new();
        if !reach(&self.function(function).flow, call.id, &mut empty) {
            return found;
        }
        for (value, span) in empty {
            let value = call.with(value);
            let Some(place) = self.place(value) else { continue };
            if place.variable().is_some_and(|variable| {
                self.binding(variable).function == function.id
                    && variable.file == function.file
                    && self.function(function).parent.is_some()
            }) {
                continue;
            }
            let fills = self.accesses(place).iter().any(|access| {
                let inside = access.file == call.file
                    && self.summary(call.file).is_inside(access.function, function.id);
                inside && matches!(access.kind, AccessKind::Assigned { value, .. } if !self.is_empty_value(access.of(value)))
            });
            if fills {
                found.push(Guard { place, span });
            }
        }
        found
    }

    /// Whether other code than a function itself empties a place again.
    pub(super) fn is_emptied_elsewhere(&self, place: Place, function: In<FunctionId>) -> bool {
        self.accesses(place).iter().any(|access| match access.kind {
            AccessKind::Assigned { value, is_declaration: false, .. } => {
                access.function() != function
                    && access.function != FunctionId::MODULE
                    && self.is_empty_value(access.of(value))
            }
            _ => false,
        })
    }

    /// Null, undefined, false, zero.
    pub fn is_empty_value(&self, value: In<ValueId>) -> bool {
        matches!(
            self.value(value),
            Value::Literal(Literal::Null | Literal::Undefined | Literal::Bool(false) | Literal::Int(0))
        )
    }
}

/// Walks to a call; on the way out `empty` holds what is known to be empty there.
fn reach(flow: &Flow, wanted: CallId, empty: &mut Empty) -> bool {
    match flow {
        Flow::Step(Step::Call(call)) => *call == wanted,
        Flow::Step(_) | Flow::Label(_) | Flow::Exit(..) => false,
        Flow::Sequence(parts) => {
            let before = empty.len();
            for part in parts {
                if reach(part, wanted, empty) {
                    return true;
                }
                match part {
                    Flow::Branch { cond, then, otherwise, span } => {
                        if always_leaves(then) {
                            when(cond, false, *span, empty);
                        } else if always_leaves(otherwise) && !otherwise.is_empty() {
                            when(cond, true, *span, empty);
                        }
                    }
                    // `x ||= make()`: the call stands before its assignment and is followed by nothing else.
                    Flow::Step(Step::Assign(Assign { .. })) => {}
                    _ => {}
                }
            }
            empty.truncate(before);
            false
        }
        Flow::Branch { cond, then, otherwise, span } => {
            let before = empty.len();
            when(cond, true, *span, empty);
            if reach(then, wanted, empty) {
                return true;
            }
            empty.truncate(before);
            when(cond, false, *span, empty);
            if reach(otherwise, wanted, empty) {
                return true;
            }
            empty.truncate(before);
            false
        }
        Flow::Switch { arms, .. } => arms.iter().any(|arm| reach(arm, wanted, empty)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => reach(body, wanted, empty),
        Flow::Try { body, handler, finally } => {
            reach(body, wanted, empty)
                || handler.as_ref().is_some_and(|(_, handler)| reach(handler, wanted, empty))
                || finally.as_ref().is_some_and(|finally| reach(finally, wanted, empty))
        }
    }
}

/// What is empty where a condition holds, or does not.
fn when(cond: &Cond, holds: bool, span: Span, empty: &mut Empty) {
    match cond {
        Cond::Truthy(value) if !holds => empty.push((*value, span)),
        Cond::Equal(a, b) if holds => {
            empty.push((*a, span));
            empty.push((*b, span));
        }
        Cond::Not(inner) => when(inner, !holds, span, empty),
        Cond::All(parts) if holds => parts.iter().for_each(|part| when(part, true, span, empty)),
        Cond::Any(parts) if !holds => parts.iter().for_each(|part| when(part, false, span, empty)),
        _ => {}
    }
}

/// Whether code leaves its function (or loop turn) on every way through.
pub(super) fn always_leaves(flow: &Flow) -> bool {
    match flow {
        Flow::Exit(exit, _) => !matches!(exit, Exit::Macro(_)),
        Flow::Sequence(parts) => parts.iter().any(always_leaves),
        Flow::Branch { then, otherwise, .. } => always_leaves(then) && always_leaves(otherwise),
        Flow::Try { body, handler, finally } => {
            finally.as_ref().is_some_and(|finally| always_leaves(finally))
                || always_leaves(body) && handler.as_ref().is_none_or(|(_, handler)| always_leaves(handler))
        }
        _ => false,
    }
}
