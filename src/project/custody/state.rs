//! What is known at one point of one path: who holds the thing, which conditions are decided, how doubtful it all is.

use super::super::Project;
use crate::model::contract::Valid;
use crate::model::{BindingId, CallId, Literal, Summary, Value, ValueId};
use crate::text::Span;
use smallvec::SmallVec;

/// How doubtful it is that a thing is still owned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// Nothing that saw it could have taken it.
    #[default]
    Sure,
    /// Something unknown saw it that by its kind only reads.
    Likely,
    /// Something unknown saw it that may have taken it.
    Unsure,
}

/// One state of one path. Equality leaves out how it came about.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The thing exists and is owed.
    pub(super) owned: bool,
    /// A second instance was acquired after this one: the acquiring call's result is not this thing any more.
    pub(super) old: bool,
    /// Places and values that are the thing. Sorted.
    pub(super) holders: SmallVec<[ValueId; 4]>,
    /// The value that says whether a call succeeded, and whether it has to be a success on this path.
    pub(super) status: Option<Status>,
    /// Variables in which the acquiring call reports a failure, as long as no other call does.
    pub(super) reports: SmallVec<[BindingId; 1]>,
    /// Decided conditions, by number. Sorted.
    pub(super) facts: SmallVec<[(u32, bool); 4]>,
    /// Variables with a known literal value. Sorted.
    pub(super) constants: SmallVec<[(BindingId, Literal); 4]>,
    pub(super) doubt: Doubt,
    pub(super) because: Option<CallId>,
    /// Conditions since the acquisition, newest last.
    pub(super) decisions: Vec<(Span, bool)>,
}

/// A call's outcome that this path depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// Places that hold the outcome.
    pub(super) values: SmallVec<[ValueId; 2]>,
    /// Fields that received something computed from it: whether they say success or failure is not known.
    pub(super) derived: SmallVec<[ValueId; 1]>,
    /// How the outcome says success.
    pub(super) valid: Valid,
    /// The path is that of success.
    pub(super) succeeded: bool,
    /// A condition has looked at it.
    pub(super) tested: bool,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.owned == other.owned
            && self.old == other.old
            && self.holders == other.holders
            && self.status == other.status
            && self.reports == other.reports
            && self.facts == other.facts
            && self.constants == other.constants
            && self.doubt == other.doubt
    }
}

impl State {
    pub(super) fn holds(&self, value: ValueId) -> bool {
        self.holders.contains(&value)
    }

    pub(super) fn add(&mut self, value: ValueId) {
        if let Err(at) = self.holders.binary_search(&value) {
            self.holders.insert(at, value);
        }
    }

    pub(super) fn remove(&mut self, value: ValueId) {
        self.holders.retain(|holder| *holder != value);
    }

    pub(super) fn know(&mut self, condition: u32, holds: bool) {
        match self.facts.binary_search_by_key(&condition, |fact| fact.0) {
            Ok(at) => self.facts[at].1 = holds,
            Err(at) => self.facts.insert(at, (condition, holds)),
        }
    }

    pub(super) fn fact(&self, condition: u32) -> Option<bool> {
        self.facts.iter().find(|fact| fact.0 == condition).map(|fact| fact.1)
    }

    pub(super) fn set_constant(&mut self, binding: BindingId, literal: Option<Literal>) {
        self.constants.retain(|constant| constant.0 != binding);
        if let Some(literal) = literal {
            let at = self.constants.partition_point(|constant| constant.0 < binding);
            self.constants.insert(at, (binding, literal));
        }
    }

    pub(super) fn constant(&self, binding: BindingId) -> Option<Literal> {
        self.constants.iter().find(|constant| constant.0 == binding).map(|constant| constant.1)
    }

    /// The state on one arm of a `switch` over the acquisition's outcome, that nobody has tested yet.
    pub(super) fn asked_in_arms(&self, subject: ValueId) -> State {
        let mut state = self.clone();
        if self.is_asked_by(subject) && state.doubt == Doubt::Sure {
            state.doubt = Doubt::Unsure;
        }
        state
    }

    /// What has come through a `switch` over the outcome has succeeded.
    pub(super) fn left_arms(&mut self, subject: ValueId) {
        if self.is_asked_by(subject) && self.doubt == Doubt::Unsure && self.because.is_none() {
            self.doubt = Doubt::Sure;
        }
    }

    fn is_asked_by(&self, subject: ValueId) -> bool {
        self.owned && self.status.as_ref().is_some_and(|status| status.succeeded && status.values.contains(&subject))
    }

    pub(super) fn doubt(&mut self, doubt: Doubt, call: CallId) {
        if doubt > self.doubt {
            self.doubt = doubt;
            self.because = Some(call);
        }
    }
}

/// Adds states that are not there yet.
pub(super) fn join(into: &mut Vec<State>, from: impl IntoIterator<Item = State>) {
    for state in from {
        if !into.contains(&state) {
            into.push(state);
        }
    }
}

/// How a value speaks of the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mention {
    /// Not at all, or only of its contents (`p->length`, `p[i]`).
    None,
    /// The contents by value: `*p`.
    Contents,
    /// The address of a part of it: `&p->request`.
    Part,
    /// It itself, or one of several that may be it.
    Whole,
    /// A pointer into it (`p + 4`), or something computed from it.
    Derived,
    /// The address of a variable that holds it: `&p`.
    Address,
    /// A local struct or array that holds it.
    Container,
    /// A closure that captures a holder.
    Closure,
}

/// The variable at the bottom of a place: `args` of `args.options[0].name`.
pub(super) fn root(summary: &Summary, value: ValueId) -> Option<BindingId> {
    match summary.value(value) {
        Value::Binding(binding) => Some(*binding),
        Value::Member(object, _) | Value::Index(object, _) | Value::Address(object) | Value::Deref(object) => {
            root(summary, *object)
        }
        _ => None,
    }
}

/// Whether a place lies inside another one: `args.options` in `args`.
pub(super) fn is_inside(summary: &Summary, inner: ValueId, outer: ValueId) -> bool {
    match summary.value(inner) {
        Value::Member(object, _) | Value::Index(object, _) => *object == outer || is_inside(summary, *object, outer),
        _ => false,
    }
}

/// How a value speaks of the thing that a state follows.
pub(super) fn mention(project: &Project<'_>, summary: &Summary, state: &State, value: ValueId) -> Mention {
    if state.holds(value) {
        return Mention::Whole;
    }
    let of = |value| mention(project, summary, state, value);
    match summary.value(value) {
        Value::Binding(_) if contains_holder(summary, state, value) => Mention::Container,
        Value::Member(..) | Value::Index(..) if contains_holder(summary, state, value) => Mention::Container,
        Value::Moved(inner) | Value::Spread(inner) | Value::Awaited(inner) => of(*inner),
        Value::Address(inner) => match of(*inner) {
            Mention::Whole => Mention::Address,
            Mention::Container => Mention::Container,
            Mention::Contents => Mention::Whole,
            _ if part_of_holder(summary, state, *inner) => Mention::Part,
            _ => Mention::None,
        },
        Value::Deref(inner) => match of(*inner) {
            Mention::Whole => Mention::Contents,
            Mention::Address => Mention::Whole,
            Mention::Container => Mention::Container,
            _ => Mention::None,
        },
        Value::Choice(parts) => strongest(parts.iter().map(|part| of(*part))),
        Value::Array(_, parts) => match strongest(parts.iter().map(|part| of(*part))) {
            Mention::Whole => Mention::Container,
            other => other,
        },
        Value::Object(object) => {
            match strongest(summary.object(*object).properties.iter().map(|property| of(property.value))) {
                Mention::Whole => Mention::Container,
                other => other,
            }
        }
        Value::Opaque(parts) => match strongest(parts.iter().map(|part| of(*part))) {
            Mention::Whole | Mention::Derived => Mention::Derived,
            _ => Mention::None,
        },
        Value::Function(function) => {
            let captures = &summary.function(*function).captures;
            let captured = state
                .holders
                .iter()
                .any(|holder| root(summary, *holder).is_some_and(|binding| captures.contains(&binding)));
            if captured { Mention::Closure } else { Mention::None }
        }
        _ => Mention::None,
    }
}

/// Whether a holder is a field or element of this place: it is a container on the stack.
fn contains_holder(summary: &Summary, state: &State, place: ValueId) -> bool {
    state.holders.iter().any(|holder| is_inside(summary, *holder, place))
}

/// Whether a place is a field or element of what a holder points to.
pub(super) fn part_of_holder(summary: &Summary, state: &State, place: ValueId) -> bool {
    state.holders.iter().any(|holder| is_inside(summary, place, *holder))
}

fn strongest(mentions: impl Iterator<Item = Mention>) -> Mention {
    let rank = |mention: &Mention| match mention {
        Mention::None => 0,
        Mention::Contents => 1,
        Mention::Part => 2,
        Mention::Derived => 3,
        Mention::Address => 4,
        Mention::Container => 5,
        Mention::Closure => 6,
        Mention::Whole => 7,
    };
    mentions.max_by_key(rank).unwrap_or(Mention::None)
}
