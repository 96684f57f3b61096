//! Once-guards: `if (started) return; started = true`, `if (!x) x = …`. A call behind one happens once in the life of the
//! place that it tests, however often its function runs.

use super::{Access, AccessKind, Place, Project};
use crate::model::contract::By;
use crate::model::words::Meaning;
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

/// Values known to be false (or true) at a point, with the conditions that say so.
type Known = Vec<(ValueId, bool, Span)>;

impl Project<'_> {
    /// The once-guards around a call in its own function.
    pub(super) fn guards(&self, call: In<CallId>) -> SmallVec<[Guard; 1]> {
        let function = self.function_of(call);
        let mut known = Known::new();
        let mut found = SmallVec::new();
        if !reach(&self.function(function).flow, call.id, &mut known) {
            return found;
        }
        for (value, holds, span) in known {
            // `if (!x)` and `if (x.IsEmpty())` say the same of `x`.
            let value = if holds { self.asked_for_emptiness(call.with(value)) } else { Some(call.with(value)) };
            let Some(place) = value.and_then(|value| self.place(value)) else { continue };
            if place.variable().is_some_and(|variable| {
                self.binding(variable).function == function.id
                    && variable.file == function.file
                    && self.function(function).parent.is_some()
            }) {
                continue;
            }
            let fills = self.accesses(place).iter().any(|access| {
                let inside =
                    access.file == call.file && self.summary(call.file).is_inside(access.function, function.id);
                // In C++, what is guarded may fill the place itself.
                let fills_it =
                    || self.is_native(call.file) && self.targets(call).functions.contains(&access.function());
                (inside || fills_it()) && self.is_filling(access)
            });
            if fills {
                found.push(Guard { place, span });
            }
        }
        found
    }

    /// The place that a call asks whether it is empty: `x` of `x.IsEmpty()`.
    fn asked_for_emptiness(&self, value: In<ValueId>) -> Option<In<ValueId>> {
        let Value::Result(call) = *self.value(value) else { return None };
        let call = value.with(call);
        let name = self.method_name(call)?;
        let asks = self.call(call).arguments.is_empty() && self.contracts.words.has(Meaning::Emptiness, &name);
        asks.then(|| self.receiver(call)).flatten()
    }

    /// Whether an access puts something into its place.
    fn is_filling(&self, access: &Access) -> bool {
        match access.kind {
            AccessKind::Assigned { value, .. } => !self.is_empty_value(access.of(value)),
            AccessKind::Method { call, .. } => {
                self.api(access.of(call)).is_some_and(|api| api.by == By::Receiver && api.gives.is_some())
            }
            _ => false,
        }
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

/// Walks to a call; on the way out `known` holds what is known to be false or true there.
fn reach(flow: &Flow, wanted: CallId, known: &mut Known) -> bool {
    match flow {
        Flow::Step(Step::Call(call)) => *call == wanted,
        Flow::Step(_) | Flow::Label(_) | Flow::Exit(..) => false,
        Flow::Sequence(parts) => {
            let before = known.len();
            for part in parts {
                if reach(part, wanted, known) {
                    return true;
                }
                match part {
                    Flow::Branch { cond, then, otherwise, span } => {
                        if always_leaves(then) {
                            when(cond, false, *span, known);
                        } else if always_leaves(otherwise) && !otherwise.is_empty() {
                            when(cond, true, *span, known);
                        }
                    }
                    // `x ||= make()`: the call stands before its assignment and is followed by nothing else.
                    Flow::Step(Step::Assign(Assign { .. })) => {}
                    _ => {}
                }
            }
            known.truncate(before);
            false
        }
        Flow::Branch { cond, then, otherwise, span } => {
            let before = known.len();
            when(cond, true, *span, known);
            if reach(then, wanted, known) {
                return true;
            }
            known.truncate(before);
            when(cond, false, *span, known);
            if reach(otherwise, wanted, known) {
                return true;
            }
            known.truncate(before);
            false
        }
        Flow::Switch { arms, .. } => arms.iter().any(|arm| reach(arm, wanted, known)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => reach(body, wanted, known),
        Flow::Try { body, handler, finally } => {
            reach(body, wanted, known)
                || handler.as_ref().is_some_and(|(_, handler)| reach(handler, wanted, known))
                || finally.as_ref().is_some_and(|finally| reach(finally, wanted, known))
        }
    }
}

/// What is false or true where a condition holds, or does not.
fn when(cond: &Cond, holds: bool, span: Span, known: &mut Known) {
    match cond {
        Cond::Truthy(value) => known.push((*value, holds, span)),
        Cond::Equal(a, b) if holds => {
            known.push((*a, false, span));
            known.push((*b, false, span));
        }
        Cond::Not(inner) => when(inner, !holds, span, known),
        Cond::All(parts) if holds => parts.iter().for_each(|part| when(part, true, span, known)),
        Cond::Any(parts) if !holds => parts.iter().for_each(|part| when(part, false, span, known)),
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
