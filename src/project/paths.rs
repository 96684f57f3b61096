//! What happens to one handle on every way out of a function: the second law, written once for both languages.
//!
//! An abstract interpreter over `Flow` with a small set of states a point; conditions that test the handle, its status or
//! the same thing twice are understood, `finally` runs on every exit, and callbacks continue the path. Which calls release
//! is asked of `effects`; which exits matter is the rule's business.

mod conditions;
mod continued;
mod holding;
mod state;
mod steps;
mod walk;

pub(super) use continued::summed;
pub(super) use state::lies_in;
pub use walk::Judge;

use super::{Doing, Place, Project};
use crate::model::contract::{By, Runs};
use crate::model::{BindingId, CallId, FunctionId, In, Name, Type, ValueId};
use crate::text::Location;

/// A handle to follow.
#[derive(Clone, Copy, Debug)]
pub struct Obligation<'t> {
    /// The function in which it is followed.
    pub function: In<FunctionId>,
    /// Where it begins.
    pub start: Start,
    /// Its type, which decides what releases it; none: anything that releases something like it.
    pub ty: Option<&'t Type>,
}

/// Where an obligation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// At a call that gives a handle (see [`Project::gives`]; callback-given handles begin in their callback).
    Call(CallId),
    /// The variable holds it when the function is entered.
    Entry(BindingId),
    /// The place holds it when the function is entered (a field of the receiver, a captured variable).
    Holding(ValueId),
    /// Something that this function holds without naming it: [`Project::place_paths`].
    Nowhere,
}

/// One way out.
#[derive(Clone, Debug)]
pub struct Row {
    /// How.
    pub exit: ExitKind,
    /// Where it leaves (or where the last reference is overwritten or dropped).
    pub at: Location,
    /// What has become of the handle.
    pub state: State,
    /// Where it was released or handed over, if it was.
    pub by: Option<Location>,
    /// The branches that lead here: the condition and whether it held. Those before the acquisition are left out.
    pub decisions: Vec<(Location, bool)>,
    /// The callbacks through which the path went on, outermost first.
    pub through: Vec<In<FunctionId>>,
    /// Event listeners (and other callbacks that may never run) that reach the handle here.
    pub ends: Vec<End>,
}

/// A callback that may run some day and can reach the handle.
#[derive(Clone, Debug)]
pub struct End {
    /// The call that it was handed to.
    pub call: In<CallId>,
    /// The callback.
    pub function: In<FunctionId>,
    /// The event that it waits for.
    pub event: Option<Name>,
    /// It may run several times.
    pub repeats: bool,
    /// What it does with the handle.
    pub releases: Doing,
}

/// How a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExitKind {
    /// The end of the body.
    Fallthrough,
    /// `return`.
    Return,
    /// `throw`.
    Throw,
    /// A call that throws.
    ImplicitThrow(CallId),
    /// An `await` that rejects.
    Rejection,
    /// A macro that leaves the function.
    Macro(Name),
    /// The last variable that held it goes out of scope.
    ScopeEnd,
    /// The last place that held it receives something else.
    Overwrite,
    /// Event listeners are all that is left of it: see [`Row::ends`].
    Listeners,
    /// The call's result is dropped on the spot.
    Discarded,
}

/// What has become of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Not acquired on this path.
    NotAcquired,
    /// Held, and lost here.
    Held,
    /// Released.
    Released,
    /// Given to the caller.
    Returned,
    /// Somebody else's: stored in something that lives longer, taken by a call.
    Escaped,
    /// Held by closures that were handed out and about which nothing more is known.
    Captured,
}

impl Row {
    /// Whether the handle is lost here.
    pub fn is_lost(&self) -> bool {
        self.state == State::Held
    }
}

impl Project<'_> {
    /// One row for each way out of the function (and of the callbacks that continue it). What calls do is
    /// [`Project::effect`]'s answer; [`Project::paths_by`] lets a rule say otherwise.
    pub fn paths(&self, obligation: &Obligation<'_>) -> Vec<Row> {
        self.follow(obligation, None, 0)
    }

    /// Likewise, with the rule's own word on what calls do with the handle; where it says none, the default.
    pub fn paths_by(&self, obligation: &Obligation<'_>, judge: &Judge<'_>) -> Vec<Row> {
        self.follow(obligation, Some(judge), 0)
    }

    /// One row for each way out of a function that is entered while a place holds a handle: what `close()` does with
    /// `this.timer`.
    pub fn place_paths(&self, function: In<FunctionId>, place: Place, ty: Option<&Type>) -> Vec<Row> {
        self.follow_place(function, place, ty)
    }

    /// The obligations that a call starts: in its own function where it returns the handle, writes it through an argument or
    /// resolves a promise; in the callback that gets it otherwise.
    pub fn obligations(&self, call: In<CallId>) -> Vec<Obligation<'_>> {
        let Some(gives) = self.gives(call) else { return Vec::new() };
        let function = self.function_of(call);
        let By::Callback(at) = gives.by else {
            return vec![Obligation { function, start: Start::Call(call.id), ty: Some(gives.ty) }];
        };
        let handed = self.callbacks(call).into_iter().filter(|handed| handed.runs != Some(Runs::Event));
        handed
            .filter_map(|handed| {
                let parameter = *self.function(handed.function).parameters.get(at as usize)?;
                Some(Obligation { function: handed.function, start: Start::Entry(parameter), ty: Some(gives.ty) })
            })
            .collect()
    }
}
