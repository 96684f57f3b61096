//! Once-guards: `if (started) return; started = true`, `if (!x) x = …`. A call behind one happens once in the life of the
//! place that it tests, however often its function runs.

use super::paths::lies_in;
use super::{Access, AccessKind, Place, Project};
use crate::model::contract::By;
use crate::model::words::Meaning;
use crate::model::{Assign, CallId, Cond, Exit, Flow, FunctionId, In, Literal, Step, Summary, Value, ValueId};
use crate::text::Span;
use smallvec::SmallVec;

/// A place that a call's code tests to be empty before, and fills.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    pub(super) place: Place,
    /// The condition.
    pub(super) span: Span,
}

/// How many functions behind a guarded call are looked into.
const REACH: usize = 24;

/// Values known to be false (or true) at a point, with the conditions that say so.
type Known = Vec<(ValueId, bool, Span)>;

impl Project<'_> {
    /// The once-guards around a call in its own function.
    pub(super) fn guards(&self, call: In<CallId>) -> SmallVec<[Guard; 1]> {
        let function = self.function_of(call);
        let mut known = Known::new();
        let mut found = SmallVec::new();
        if !reach(self.summary(call.file), &self.function(function).flow, call.id, &mut known) {
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
            if fills || self.leads_to_filling(call, place) {
                found.push(Guard { place, span });
            }
        }
        found
    }

    /// The place that a call asks whether it is empty: `x` of `x.IsEmpty()` and of `isNil(x)`.
    fn asked_for_emptiness(&self, value: In<ValueId>) -> Option<In<ValueId>> {
        let Value::Result(call) = *self.value(value) else { return None };
        let call = value.with(call);
        let name = self.method_name(call)?;
        if !self.contracts.words.has(Meaning::Emptiness, &name) {
            return None;
        }
        match self.call(call).arguments.len() {
            0 => self.receiver(call),
            1 => self.argument(call, 0),
            _ => None,
        }
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

    /// `if (!this.client) this.start()`: what the call runs, at once or when an answer comes, fills the place.
    fn leads_to_filling(&self, call: In<CallId>, place: Place) -> bool {
        if self.is_native(call.file) {
            return false;
        }
        let accesses = self.accesses(place);
        let fills: SmallVec<[In<FunctionId>; 4]> = accesses
            .iter()
            .filter(|access| !matches!(access.kind, AccessKind::Assigned { is_declaration: true, .. }))
            .filter(|access| self.is_filling(access))
            .map(Access::function)
            .collect();
        if fills.is_empty() {
            return false;
        }
        let mut left: Vec<In<FunctionId>> = self.targets(call).functions.iter().copied().collect();
        let mut seen: Vec<In<FunctionId>> = Vec::new();
        while let Some(function) = left.pop().filter(|_| seen.len() < REACH) {
            if seen.contains(&function) {
                continue;
            }
            let inside =
                |f: &In<FunctionId>| f.file == function.file && self.summary(f.file).is_inside(f.id, function.id);
            if fills.iter().any(inside) {
                return true;
            }
            seen.push(function);
            for inner in self.calls_within(function) {
                let targets = self.targets(inner);
                if !targets.weak {
                    left.extend(targets.functions.iter().copied());
                }
            }
        }
        false
    }

    /// The calls of a function and of those written inside it.
    pub fn calls_within(&self, function: In<FunctionId>) -> impl Iterator<Item = In<CallId>> {
        let summary = self.summary(function.file);
        let calls = summary.calls.iter().enumerate();
        calls
            .filter(move |(_, call)| summary.is_inside(call.function, function.id))
            .map(move |(at, _)| function.with(CallId(at as u32)))
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
fn reach(summary: &Summary, flow: &Flow, wanted: CallId, known: &mut Known) -> bool {
    match flow {
        Flow::Step(Step::Call(call)) => *call == wanted,
        Flow::Step(_) | Flow::Label(_) | Flow::Exit(..) => false,
        Flow::Sequence(parts) => {
            let before = known.len();
            for part in parts {
                if reach(summary, part, wanted, known) {
                    return true;
                }
                match part {
                    Flow::Branch { cond, then, otherwise, span } => {
                        if always_leaves(then) {
                            when(summary, cond, false, *span, known);
                        } else if always_leaves(otherwise) && !otherwise.is_empty() {
                            when(summary, cond, true, *span, known);
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
            when(summary, cond, true, *span, known);
            if reach(summary, then, wanted, known) {
                return true;
            }
            known.truncate(before);
            when(summary, cond, false, *span, known);
            if reach(summary, otherwise, wanted, known) {
                return true;
            }
            known.truncate(before);
            false
        }
        Flow::Switch { arms, .. } => arms.iter().any(|arm| reach(summary, arm, wanted, known)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => reach(summary, body, wanted, known),
        Flow::Try { body, handler, finally } => {
            reach(summary, body, wanted, known)
                || handler.as_ref().is_some_and(|(_, handler)| reach(summary, handler, wanted, known))
                || finally.as_ref().is_some_and(|finally| reach(summary, finally, wanted, known))
        }
    }
}

/// What is false or true where a condition holds, or does not.
fn when(summary: &Summary, cond: &Cond, holds: bool, span: Span, known: &mut Known) {
    match cond {
        Cond::Truthy(value) => known.push((*value, holds, span)),
        Cond::Equal(a, b) if holds => {
            let told = [*a, *b].into_iter().filter(|value| !matches!(summary.value(*value), Value::Literal(_)));
            known.extend(told.map(|value| (value, false, span)));
        }
        Cond::Not(inner) => when(summary, inner, !holds, span, known),
        Cond::All(parts) if holds => parts.iter().for_each(|part| when(summary, part, true, span, known)),
        // `!x || !x.y`: something of it is missing.
        Cond::Any(parts) if holds => {
            let mut all = parts.iter().map(|part| {
                let mut of = Known::new();
                when(summary, part, true, span, &mut of);
                of
            });
            if let Some([first]) = all.next().as_deref()
                && all
                    .all(|of| of.iter().any(|(value, holds, _)| *holds == first.1 && lies_in(summary, *value, first.0)))
            {
                known.push(*first);
            }
        }
        Cond::Any(parts) if !holds => parts.iter().for_each(|part| when(summary, part, false, span, known)),
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
