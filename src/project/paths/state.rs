//! What is known at one point of one path: what has become of the handle, which values denote it, which conditions are
//! decided. Small, compared by content, joined where there would be too many.

use super::State as Fate;
use crate::model::{BindingId, CallId, FunctionId, Literal, Name, Summary, Value, ValueId};
use crate::text::Span;
use smallvec::SmallVec;
use std::rc::Rc;

/// How many states are kept apart at one point.
const STATES: usize = 64;

/// What is known of a value that conditions test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// Neither null, undefined, zero, false nor empty.
    Truthy,
    /// One of these.
    Falsy,
    /// Equal to this value.
    Is(ValueId),
    /// Different from this value.
    Not(ValueId),
}

/// The branches taken, last first.
#[derive(Debug)]
pub(super) struct Trail {
    pub(super) span: Span,
    pub(super) holds: bool,
    pub(super) before: Option<Rc<Trail>>,
}

/// A closure through which the handle can still be reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Reach {
    pub(super) function: FunctionId,
    /// The call that it was handed to.
    pub(super) call: CallId,
    /// The values of the handle that it mentions.
    pub(super) aliases: SmallVec<[ValueId; 2]>,
}

/// The state of one path.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Whether the acquiring call has happened.
    pub(super) begun: bool,
    pub(super) fate: Fate,
    /// Where it was released or handed over.
    pub(super) by: Option<Span>,
    /// Values that denote the handle.
    pub(super) aliases: SmallVec<[ValueId; 4]>,
    /// Local objects that hold it.
    pub(super) boxes: SmallVec<[ValueId; 1]>,
    /// Values that tell whether the acquisition succeeded.
    pub(super) twins: SmallVec<[ValueId; 2]>,
    /// The twin was looked at by this macro, which leaves if it failed.
    pub(super) checked_by: Option<Name>,
    pub(super) facts: SmallVec<[(ValueId, Fact); 2]>,
    pub(super) config: SmallVec<[(Name, bool); 1]>,
    /// Closures that can still reach it, with the calls that they were handed to.
    pub(super) captured: SmallVec<[Reach; 1]>,
    pub(super) trail: Option<Rc<Trail>>,
}

impl State {
    pub(super) fn start() -> Self {
        State {
            begun: false,
            fate: Fate::NotAcquired,
            by: None,
            aliases: SmallVec::new(),
            boxes: SmallVec::new(),
            twins: SmallVec::new(),
            checked_by: None,
            facts: SmallVec::new(),
            config: SmallVec::new(),
            captured: SmallVec::new(),
            trail: None,
        }
    }

    /// A state in which values hold the handle from the start.
    pub(super) fn holding(values: &[ValueId]) -> Self {
        let mut state = State { begun: true, fate: Fate::Held, ..State::start() };
        for &value in values {
            state.alias(value);
        }
        state
    }

    pub(super) fn is_held(&self) -> bool {
        self.fate == Fate::Held
    }

    pub(super) fn settle(&mut self, fate: Fate, by: Span) {
        if self.is_held() {
            self.fate = fate;
            self.by = Some(by);
        }
    }

    pub(super) fn decide(&mut self, span: Span, holds: bool) {
        if self.begun {
            self.trail = Some(Rc::new(Trail { span, holds, before: self.trail.take() }));
        }
    }

    pub(super) fn alias(&mut self, value: ValueId) {
        if !self.aliases.contains(&value) {
            self.aliases.push(value);
        }
    }

    pub(super) fn fact(&self, value: ValueId) -> Option<Fact> {
        self.facts.iter().find(|(of, _)| *of == value).map(|(_, fact)| *fact)
    }

    pub(super) fn learn(&mut self, value: ValueId, fact: Fact) {
        self.facts.retain(|(of, _)| *of != value);
        self.facts.push((value, fact));
    }

    /// Forgets what was known of a place that changes, and of what lies below it.
    pub(super) fn forget(&mut self, summary: &Summary, place: ValueId) {
        self.facts.retain(|(of, _)| !lies_in(summary, *of, place));
    }

    fn same(&self, other: &State) -> bool {
        self.begun == other.begun
            && self.fate == other.fate
            && self.aliases == other.aliases
            && self.boxes == other.boxes
            && self.facts == other.facts
            && self.config == other.config
            && self.captured == other.captured
    }
}

/// Whether a value is a place or something reached through it.
pub(in crate::project) fn lies_in(summary: &Summary, mut value: ValueId, place: ValueId) -> bool {
    for _ in 0..16 {
        if value == place {
            return true;
        }
        value = match summary.value(value) {
            Value::Member(object, _) | Value::Index(object, _) | Value::Deref(object) | Value::Address(object) => {
                *object
            }
            _ => return false,
        };
    }
    false
}

/// The variable that a value is reached through.
pub(super) fn root(summary: &Summary, mut value: ValueId) -> Option<BindingId> {
    for _ in 0..16 {
        value = match summary.value(value) {
            Value::Binding(binding) => return Some(*binding),
            Value::Member(object, _)
            | Value::Index(object, _)
            | Value::Deref(object)
            | Value::Address(object)
            | Value::Moved(object)
            | Value::Awaited(object) => *object,
            _ => return None,
        };
    }
    None
}

/// Null, undefined, zero, false.
pub(super) fn is_empty(summary: &Summary, value: ValueId) -> bool {
    matches!(
        summary.value(value),
        Value::Literal(Literal::Null | Literal::Undefined | Literal::Bool(false) | Literal::Int(0))
    )
}

/// Keeps distinct states only, and not too many.
pub(super) fn join(states: Vec<State>) -> Vec<State> {
    let distinct = |states: Vec<State>| {
        let mut kept: Vec<State> = Vec::with_capacity(states.len().min(STATES));
        for state in states {
            if !kept.iter().any(|known| known.same(&state)) {
                kept.push(state);
            }
        }
        kept
    };
    let kept = distinct(states);
    if kept.len() <= STATES {
        return kept;
    }
    let mut kept = kept;
    for state in &mut kept {
        state.facts.clear();
    }
    let mut kept = distinct(kept);
    kept.sort_by_key(|state| !state.is_held());
    kept.truncate(STATES);
    kept
}
