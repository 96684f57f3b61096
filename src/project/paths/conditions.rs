//! What conditions say: whether the handle exists, whether its acquisition succeeded, which branch a flag or a condition
//! tested before decides.

use super::state::{Fact, State, is_empty, join};
use super::walk::Walk;
use super::{Start, State as Fate};
use crate::model::contract::Valid;
use crate::model::words::Meaning;
use crate::model::{BindingKind, Cond, FunctionId, Literal, Value, ValueId};
use crate::project::AccessKind;
use crate::text::Span;

/// What a test of one value says where it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Acquired,
    Failed,
    Nothing,
}

impl Walk<'_, '_> {
    /// The states in which a condition holds, and in which it does not.
    pub(super) fn split(&self, states: Vec<State>, cond: &Cond, span: Span) -> (Vec<State>, Vec<State>) {
        let (mut holds, mut fails) = (Vec::new(), Vec::new());
        for state in states {
            let mut yes = self.assume(state.clone(), cond, true);
            let mut no = self.assume(state, cond, false);
            if !yes.is_empty() && !no.is_empty() {
                yes.iter_mut().for_each(|state| state.decide(span, true));
                no.iter_mut().for_each(|state| state.decide(span, false));
            }
            holds.append(&mut yes);
            fails.append(&mut no);
        }
        (join(holds), join(fails))
    }

    /// The states that remain where a condition holds, or does not; none where that cannot be.
    fn assume(&self, state: State, cond: &Cond, holds: bool) -> Vec<State> {
        match cond {
            Cond::Truthy(value) => self.truthy(state, *value, holds),
            Cond::Equal(a, b) => self.equal(state, *a, *b, holds),
            Cond::Less(a, b) => self.compare(state, *a, *b, true, holds),
            Cond::AtMost(a, b) => self.compare(state, *a, *b, false, holds),
            Cond::Not(inner) => self.assume(state, inner, !holds),
            Cond::All(parts) => self.several(state, parts, holds, true),
            Cond::Any(parts) => self.several(state, parts, holds, false),
            Cond::Config(name) => match state.config.iter().find(|(known, _)| known == name) {
                Some((_, known)) if *known != holds => Vec::new(),
                Some(_) => vec![state],
                None => {
                    let mut state = state;
                    state.config.push((*name, holds));
                    vec![state]
                }
            },
            Cond::Opaque(_) => vec![state],
        }
    }

    /// All of some conditions (`all`), or any of them.
    fn several(&self, state: State, parts: &[Cond], holds: bool, all: bool) -> Vec<State> {
        if holds == all {
            let mut states = vec![state];
            for part in parts {
                states = states.into_iter().flat_map(|state| self.assume(state, part, holds)).collect();
            }
            return states;
        }
        // `!child || !child.stdout`: whoever asks for a part in one breath with the whole asks whether there is one.
        if !all && state.is_held() && parts.iter().any(|part| self.is_missing(&state, part)) {
            let missing = |part: &Cond| self.is_missing(&state, part) || self.is_missing_part(&state, part);
            if parts.iter().all(missing) {
                return self.tested(state, Says::Failed);
            }
        }
        let (mut found, mut left) = (Vec::new(), vec![state]);
        for part in parts {
            found.extend(left.iter().flat_map(|state| self.assume(state.clone(), part, holds)));
            left = left.into_iter().flat_map(|state| self.assume(state, part, !holds)).collect();
        }
        join(found)
    }

    fn truthy(&self, mut state: State, value: ValueId, holds: bool) -> Vec<State> {
        match self.summary.value(value) {
            Value::Literal(literal) => {
                let truth =
                    !matches!(literal, Literal::Null | Literal::Undefined | Literal::Bool(false) | Literal::Int(0));
                return if truth == holds { vec![state] } else { Vec::new() };
            }
            Value::Object(_) | Value::Array(..) | Value::Function(_) | Value::Class(_) => {
                return if holds { vec![state] } else { Vec::new() };
            }
            Value::Choice(parts)
                if parts.iter().all(|part| state.aliases.contains(part) || is_empty(self.summary, *part)) =>
            {
                return self.tested(state, if holds { Says::Acquired } else { Says::Failed });
            }
            _ => {}
        }
        if state.aliases.contains(&value) {
            return self.tested(state, if holds { Says::Acquired } else { Says::Failed });
        }
        if let Some(says) = self.asked_for_nothing(&state, value, holds) {
            return self.tested(state, says);
        }
        if holds && self.says_ended(&state, value) {
            state.settle(Fate::Released, self.span_of(value));
            return vec![state];
        }
        if state.twins.contains(&value) {
            let says = match (self.succeeds, holds) {
                (Valid::Truthy | Valid::NonNegative | Valid::NotInvalid, true) | (Valid::Zero, false) => Says::Acquired,
                (Valid::Truthy, false) | (Valid::Zero, true) => Says::Failed,
                _ => Says::Nothing,
            };
            return self.tested(state, says);
        }
        match state.fact(value) {
            Some(Fact::Truthy) => return if holds { vec![state] } else { Vec::new() },
            Some(Fact::Falsy) => return if holds { Vec::new() } else { vec![state] },
            Some(Fact::Is(other)) => {
                if is_empty(self.summary, other) {
                    return if holds { Vec::new() } else { vec![state] };
                }
                if matches!(self.summary.value(other), Value::Literal(_)) {
                    return if holds { vec![state] } else { Vec::new() };
                }
            }
            _ => {}
        }
        if self.matters(value) {
            state.learn(value, if holds { Fact::Truthy } else { Fact::Falsy });
        }
        vec![state]
    }

    /// `isNil(handle)`; and `isNil(handle.part)`, where the part tells whether there is a whole: `child.pid`.
    fn asked_for_nothing(&self, state: &State, value: ValueId, holds: bool) -> Option<Says> {
        let Value::Result(call) = *self.summary.value(value) else { return None };
        let [argument] = &self.summary.call(call).arguments[..] else { return None };
        let name = self.project.method_name(self.function.with(call))?;
        if !self.project.contracts.words.has(Meaning::Emptiness, &name) {
            return None;
        }
        if state.aliases.contains(&argument.value) {
            return Some(if holds { Says::Failed } else { Says::Acquired });
        }
        let part =
            matches!(self.summary.value(argument.value), Value::Member(object, _) if state.aliases.contains(object));
        (part && holds).then_some(Says::Failed)
    }

    fn equal(&self, mut state: State, a: ValueId, b: ValueId, holds: bool) -> Vec<State> {
        let (value, other) = if self.is_constant(b) || !self.is_constant(a) { (a, b) } else { (b, a) };
        if let (Value::Literal(x), Value::Literal(y)) = (self.summary.value(value), self.summary.value(other)) {
            return if (x == y) == holds { vec![state] } else { Vec::new() };
        }
        if state.aliases.contains(&value) {
            let invalid = is_empty(self.summary, other)
                || matches!(self.summary.value(other), Value::Literal(Literal::Int(n)) if *n < 0)
                || matches!(self.summary.value(other), Value::Global(name) if is_invalid(name));
            let says = match (invalid, holds) {
                (true, true) => Says::Failed,
                (true, false) => Says::Acquired,
                _ => Says::Nothing,
            };
            return self.tested(state, says);
        }
        // `child.pid === undefined`: whoever finds a part missing has no whole.
        let part = matches!(self.summary.value(value), Value::Member(object, _) if state.aliases.contains(object));
        if part && *self.summary.value(other) == Value::Literal(Literal::Undefined) && holds {
            return self.tested(state, Says::Failed);
        }
        if state.twins.contains(&value) {
            let ok = match self.summary.value(other) {
                Value::Literal(Literal::Null | Literal::Undefined) => Some(true),
                Value::Literal(Literal::Int(0) | Literal::Bool(false)) => Some(self.succeeds != Valid::Truthy),
                Value::Literal(Literal::Bool(true)) => Some(true),
                Value::Literal(Literal::Int(_)) => Some(false),
                Value::Global(name) | Value::Member(_, name) => Some(is_success(name)),
                _ => None,
            };
            let says = match ok {
                Some(ok) if ok == holds => Says::Acquired,
                Some(_) => Says::Failed,
                None => Says::Nothing,
            };
            return self.tested(state, says);
        }
        let contradicts = match state.fact(value) {
            Some(Fact::Is(known)) => (known == other) != holds && (known == other || self.differ(known, other)),
            Some(Fact::Not(known)) => known == other && holds,
            Some(Fact::Truthy) => is_empty(self.summary, other) && holds,
            Some(Fact::Falsy) => {
                holds && matches!(self.summary.value(other), Value::Literal(_)) && !is_empty(self.summary, other)
            }
            None => false,
        };
        if contradicts {
            return Vec::new();
        }
        if self.matters(value) && !(state.fact(value).is_some() && !holds) {
            let empty = is_empty(self.summary, other);
            let fact = match (holds, empty) {
                (true, true) => Fact::Falsy,
                (false, true) => Fact::Truthy,
                (true, false) => Fact::Is(other),
                (false, false) => Fact::Not(other),
            };
            // `x != 0` says nothing of null, but nobody tests the same thing in two ways on purpose.
            state.learn(value, fact);
        }
        vec![state]
    }

    /// `handle.destroyed`, `handle.closed`; or a flag that only the callback of the acquiring call sets: a timer that has
    /// fired.
    fn says_ended(&self, state: &State, value: ValueId) -> bool {
        if !state.is_held() || self.project.is_native(self.function.file) {
            return false;
        }
        match self.summary.value(value) {
            Value::Member(object, name) => {
                state.aliases.contains(object) && self.project.contracts.words.has(Meaning::Ending, name)
            }
            Value::Binding(_) => self.is_set_by_callback(value),
            _ => false,
        }
    }

    fn is_set_by_callback(&self, value: ValueId) -> bool {
        let Start::Call(call) = self.start else { return false };
        if !self.ty.is_some_and(|ty| self.project.contracts.is_family(ty, "timer")) {
            return false;
        }
        let file = self.function.file;
        let callbacks = self.project.callbacks(crate::model::In::new(file, call));
        let Some(callback) = callbacks.first().map(|handed| handed.function).filter(|f| f.file == file) else {
            return false;
        };
        let mut set = false;
        let only_there = self.project.index(file).accesses(value).iter().all(|access| match access.kind {
            AccessKind::Assigned { is_declaration: false, .. } => {
                set = true;
                self.summary.is_inside(access.function, callback.id)
            }
            _ => true,
        });
        set && only_there
    }

    /// `!handle`.
    fn is_missing(&self, state: &State, cond: &Cond) -> bool {
        matches!(cond, Cond::Not(inner) if matches!(**inner, Cond::Truthy(value) if state.aliases.contains(&value)))
    }

    /// `!handle.part`.
    fn is_missing_part(&self, state: &State, cond: &Cond) -> bool {
        let Cond::Not(inner) = cond else { return false };
        let Cond::Truthy(value) = **inner else { return false };
        matches!(self.summary.value(value), Value::Member(object, _) if state.aliases.contains(object))
    }

    /// Where a binding's or member's object is declared: all that a condition tells of where it was released.
    fn span_of(&self, value: ValueId) -> Span {
        match self.summary.value(value) {
            Value::Binding(binding) => self.summary.binding(*binding).span,
            Value::Member(object, _) => self.span_of(*object),
            _ => self.summary.function(self.function.id).span,
        }
    }

    fn differ(&self, a: ValueId, b: ValueId) -> bool {
        matches!(
            (self.summary.value(a), self.summary.value(b)),
            (Value::Literal(x), Value::Literal(y)) if x != y
        )
    }

    /// `a < b`, `a <= b`: `fd < 0`, `0 <= fd`, `-1 < fd`.
    fn compare(&self, state: State, a: ValueId, b: ValueId, strict: bool, holds: bool) -> Vec<State> {
        let int = |value: ValueId| match self.summary.value(value) {
            Value::Literal(Literal::Int(n)) => Some(*n),
            _ => None,
        };
        let handle = |value: &ValueId| state.aliases.contains(value) || state.twins.contains(value);
        let negative = match (int(a), int(b)) {
            // `fd < 0`, `fd <= -1`.
            (None, Some(bound)) if handle(&a) && (bound == 0 && strict || bound == -1 && !strict) => Some(holds),
            // `0 <= fd`, `-1 < fd`, `0 < fd`.
            (Some(bound), None) if handle(&b) && (bound == 0 || bound == -1 && strict) => Some(!holds),
            _ => None,
        };
        match negative {
            Some(true) => self.tested(state, Says::Failed),
            Some(false) => self.tested(state, Says::Acquired),
            None => vec![state],
        }
    }

    /// What remains of a state when a test says so.
    fn tested(&self, mut state: State, says: Says) -> Vec<State> {
        match says {
            Says::Failed if state.is_held() => {
                state.fate = Fate::NotAcquired;
                vec![state]
            }
            Says::Acquired if state.begun && state.fate == Fate::NotAcquired && !state.captured.is_empty() => {
                Vec::new()
            }
            _ => vec![state],
        }
    }

    fn is_constant(&self, value: ValueId) -> bool {
        match self.summary.value(value) {
            Value::Literal(_) => true,
            Value::Global(_) => true,
            Value::Binding(binding) => {
                let binding = self.summary.binding(*binding);
                binding.kind == BindingKind::Const && binding.function == FunctionId::MODULE
            }
            _ => false,
        }
    }

    /// Whether what a condition says of a value is worth remembering: it is tested twice, or assigned a constant.
    pub(super) fn matters(&self, value: ValueId) -> bool {
        self.tested.get(&value).is_some_and(|times| *times > 1)
            && matches!(self.summary.value(value), Value::Binding(_) | Value::Member(..) | Value::Global(_))
    }
}

fn is_success(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.contains("ok")
        || lower.contains("success")
        || lower.ends_with("_none")
        || lower == "true"
        || lower.contains("noerr")
}

fn is_invalid(name: &str) -> bool {
    name.contains("INVALID") || name.contains("FAILED") || name == "NULL"
}
