//! Who has charge of an owned thing of C or C++ code, on every path: the second law where nothing is collected.
//!
//! `paths` follows a handle that a garbage collector would free in the end; here every pointer counts, so this knows what
//! C code does with one: aliases and casts, null and status tests, copies in locals and in structs on the stack, passing to
//! callees that read, copy, take over, take over on success, or release; batons that store themselves in their own request.
//! It interprets one function's [`Flow`](crate::model::Flow) for one [`Owned`] thing with a small set of states, asks
//! [`fate`](crate::project::Project::fate) what project functions do with a parameter, and weighs what cannot be known.
//!
//! Never here: which leak is worth reporting, and what to call it.

mod acquire;
mod bounds;
mod conditions;
mod convention;
mod destination;
mod effects;
mod fates;
mod named;
mod naming;
mod outputs;
mod self_store;
mod state;
mod statuses;
mod steps;
mod treatment;
mod walk;

pub use acquire::{Begin, Owned};
pub use effects::{Effect, Taken};
pub use fates::Fate;
pub use state::Doubt;

use super::Project;
use super::memo::Memo;
use crate::model::{CallId, FunctionId, In, Name, ValueId};
use crate::text::Span;
use rustc_hash::FxHashMap;
use std::sync::{Arc, OnceLock};

/// What becomes of an owned thing in one function.
#[derive(Clone, Debug, Default)]
pub struct Custody {
    /// Ways out, or points, at which the last holder dies while it still owns.
    pub losses: Vec<Loss>,
    /// Points at which the obligation ends.
    pub settlements: Vec<Settlement>,
    /// An unknown call that a path leaves it to without another sign of an end.
    pub taker: Option<CallId>,
    /// There were too many paths to follow them all.
    pub capped: bool,
}

/// A loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// How.
    pub way: Way,
    /// The statement that leaves, or the brace, or the assignment.
    pub span: Span,
    /// How sure it is that it was still owned.
    pub doubt: Doubt,
    /// The call that makes it doubtful.
    pub because: Option<CallId>,
    /// Conditions since the acquisition that lead here, and whether they held.
    pub decisions: Vec<(Span, bool)>,
}

/// How an owned thing is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// The end of the function's body.
    End,
    /// `return`.
    Return,
    /// `throw`.
    Throw,
    /// A macro that leaves the function.
    Macro(Name),
    /// The variable's scope ends.
    Scope,
    /// The last holder receives something else.
    Overwrite(ValueId),
}

/// The end of an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// How.
    pub how: How,
    /// Where.
    pub span: Span,
    /// Its code or a row says so; else it is a guess by a name.
    pub sure: bool,
}

/// How an obligation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A call releases it.
    Released(CallId),
    /// A call releases it with the wrong releaser.
    Misreleased(CallId),
    /// A call takes it over, in this argument (none: as receiver).
    Handed(CallId, Option<u16>),
    /// A place that lives longer, or that owns, receives it.
    Stored(ValueId),
    /// Returned.
    Returned,
    /// A closure that is handed out captures it.
    Captured,
    /// Thrown, for whoever catches the pointer.
    Thrown,
}

impl Custody {
    /// Whether nothing ever ends the obligation.
    pub fn is_never_settled(&self) -> bool {
        self.settlements.is_empty() && self.perhaps_taken().is_none()
    }

    /// A call that nothing is known of, and that some paths leave it to, while others lose it before.
    pub fn perhaps_taken(&self) -> Option<CallId> {
        self.taker.filter(|_| self.losses.iter().any(|loss| loss.doubt != Doubt::Unsure))
    }

    /// The first settlement that satisfies a test.
    pub fn settled(&self, test: impl Fn(How) -> bool) -> Option<Settlement> {
        self.settlements.iter().copied().find(|settlement| test(settlement.how))
    }
}

/// What one function comes to own, with what becomes of each.
pub type Local<'a> = Arc<[(Owned<'a>, Custody)]>;

impl<'a> Project<'a> {
    /// Everything that a C or C++ function comes to own, with what becomes of it there.
    pub fn owned_in(&self, function: In<FunctionId>) -> Local<'a> {
        self.custody.locals.keep(function, || {
            let acquired = self.acquisitions(function).into_iter().filter(|owned| owned.doubt != Doubt::Unsure);
            acquired.map(|owned| (owned.clone(), self.custody(&owned))).collect()
        })
    }
}

/// Answers remembered.
#[derive(Default)]
pub(super) struct Memos<'a> {
    locals: Memo<In<FunctionId>, Local<'a>>,
    conditions: Memo<In<FunctionId>, Arc<conditions::Conditions>>,
    fates: Memo<(In<FunctionId>, Option<u16>, u8), Fate>,
    giving: Memo<(In<FunctionId>, u8), Option<acquire::Given>>,
    endings: Memo<In<FunctionId>, bool>,
    outputs: Memo<(In<FunctionId>, u8), Arc<[outputs::Output]>>,
    lends: OnceLock<FxHashMap<(Name, u16), u32>>,
    releasers: OnceLock<rustc_hash::FxHashSet<Name>>,
}
