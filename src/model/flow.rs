//! Control flow in one small structured form for both languages, so that the path analysis is written once.
//! Carries no verdicts; which calls release and which macros leave is decided by linking.

use super::{BindingId, Name, Step, ValueId};
use crate::text::Span;

/// What a piece of code does, structured.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Flow {
    /// One step.
    Step(Step),
    /// One after the other.
    Sequence(Vec<Flow>),
    /// `if`, `?:`, `&&`, `||`, `??`, both sides of an `#if`. A condition's own calls stand before it in the sequence.
    Branch {
        /// When `then` is taken.
        cond: Cond,
        /// The taken side.
        then: Box<Flow>,
        /// The other side; an empty sequence where there is none.
        otherwise: Box<Flow>,
        /// The condition's text.
        span: Span,
    },
    /// `switch`: any one of the arms is entered, falling through to the next where it does not leave.
    Switch {
        /// What is looked at.
        subject: ValueId,
        /// The arms in order.
        arms: Vec<Flow>,
        /// Whether one of the arms is the default.
        has_default: bool,
    },
    /// A loop of any kind.
    Loop {
        /// Its kind.
        kind: Loop,
        /// The condition to go on; `Opaque` where there is none to say (`for of`).
        cond: Cond,
        /// The body, with a `for`'s update at its end.
        body: Box<Flow>,
        /// The loop's head.
        span: Span,
    },
    /// `try`.
    Try {
        /// The protected code.
        body: Box<Flow>,
        /// The handler and its variable.
        handler: Option<(Option<BindingId>, Box<Flow>)>,
        /// `finally`; runs on every way out. C++ has none.
        finally: Option<Box<Flow>>,
    },
    /// A labelled statement that `break label` leaves.
    Labelled(Name, Box<Flow>),
    /// A C label: the place to which an earlier (or later) [`Exit::Goto`] goes.
    Label(Name),
    /// Leaves the straight line.
    Exit(Exit, Span),
}

impl Flow {
    /// Code that does nothing.
    pub fn empty() -> Flow {
        Flow::Sequence(Vec::new())
    }

    /// Whether it does nothing at all.
    pub fn is_empty(&self) -> bool {
        matches!(self, Flow::Sequence(parts) if parts.iter().all(Flow::is_empty))
    }

    /// Calls `visit` on every step and exit, in source order, nested parts included.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Flow)) {
        visit(self);
        match self {
            Flow::Sequence(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Flow::Branch { then, otherwise, .. } => {
                then.walk(visit);
                otherwise.walk(visit);
            }
            Flow::Switch { arms, .. } => arms.iter().for_each(|arm| arm.walk(visit)),
            Flow::Loop { body, .. } | Flow::Labelled(_, body) => body.walk(visit),
            Flow::Try { body, handler, finally } => {
                body.walk(visit);
                if let Some((_, handler)) = handler {
                    handler.walk(visit);
                }
                if let Some(finally) = finally {
                    finally.walk(visit);
                }
            }
            Flow::Step(_) | Flow::Label(_) | Flow::Exit(..) => {}
        }
    }
}

/// How a loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Loop {
    /// `while`, `for (;;)`: the body may run no time at all.
    While,
    /// `do … while`: the body runs at least once.
    DoWhile,
    /// `for … of`, `for … in`, `for await`, C++ range `for`.
    ForEach,
}

/// A way out of the straight line.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Exit {
    /// `return`, with its value.
    Return(Option<ValueId>),
    /// `throw`, with its value.
    Throw(Option<ValueId>),
    /// `break`, with its label.
    Break(Option<Name>),
    /// `continue`, with its label.
    Continue(Option<Name>),
    /// C `goto`.
    Goto(Name),
    /// A macro that may leave the function, by its name: linking looks at its `#define` or the catalog.
    /// The macro's arguments were evaluated before.
    Macro(Name),
    /// Never comes back: `process.exit()`, `abort()`, `exit()`. The process ends, nothing leaks.
    Never,
}

/// A condition, as far as it tells whether a handle exists.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Cond {
    /// `if (x)`: neither null, undefined, zero, false nor empty.
    Truthy(ValueId),
    /// `a == b`, `a === b`.
    Equal(ValueId, ValueId),
    /// `a < b` and, with sides swapped, `a > b`.
    Less(ValueId, ValueId),
    /// `a <= b` and, with sides swapped, `a >= b`.
    AtMost(ValueId, ValueId),
    /// The opposite.
    Not(Box<Cond>),
    /// All of them.
    All(Vec<Cond>),
    /// Any of them.
    Any(Vec<Cond>),
    /// A preprocessor condition, by its text without spaces; `#else` is its `Not`.
    Config(Name),
    /// Anything else (`instanceof`, `in`, `typeof`), with the values that it mentions.
    Opaque(Box<[ValueId]>),
}

impl Cond {
    /// Calls `visit` on every value that the condition mentions.
    pub fn values(&self, visit: &mut dyn FnMut(ValueId)) {
        match self {
            Cond::Truthy(value) => visit(*value),
            Cond::Equal(a, b) | Cond::Less(a, b) | Cond::AtMost(a, b) => {
                visit(*a);
                visit(*b);
            }
            Cond::Not(inner) => inner.values(visit),
            Cond::All(parts) | Cond::Any(parts) => parts.iter().for_each(|part| part.values(visit)),
            Cond::Opaque(values) => values.iter().for_each(|value| visit(*value)),
            Cond::Config(_) => {}
        }
    }
}
