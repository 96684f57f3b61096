//! Who makes a function run: the package itself in the course of events, or only those who use the package. A release that
//! nobody but a user asks for is no release of what the package puts in by itself.

use super::Project;
use crate::model::contract::Runs;
use crate::model::words::Meaning;
use crate::model::{CallId, FunctionId, FunctionKind, In, Rate};
use rustc_hash::FxHashSet;

/// What leads to a function, callers of callers included.
#[derive(Clone, Debug, Default)]
pub struct Drive {
    /// The function and all that lead to it.
    pub through: FxHashSet<In<FunctionId>>,
    /// The events that lead to it: the functions that are handed to them.
    pub events: Vec<In<FunctionId>>,
    /// The single events, timeouts and answers that lead to it.
    pub later: Vec<In<FunctionId>>,
    /// The functions among them that users of the package can call.
    pub public: Vec<In<FunctionId>>,
    /// The file's own top-level code leads to it.
    pub at_start: bool,
}

impl Drive {
    /// Whether the package itself runs it in the course of events.
    pub fn by_events(&self) -> bool {
        !self.events.is_empty()
    }
}

impl Project<'_> {
    /// What leads to a function.
    pub fn drive(&self, function: In<FunctionId>) -> Drive {
        self.drive_apart(function, None)
    }

    /// What leads to a function other than through a certain one.
    pub fn drive_apart(&self, function: In<FunctionId>, apart: Option<In<FunctionId>>) -> Drive {
        let mut drive = Drive::default();
        let mut next = vec![function];
        while let Some(function) = next.pop() {
            if drive.through.len() > 400 || Some(function) == apart || !drive.through.insert(function) {
                continue;
            }
            if function.id == FunctionId::MODULE {
                drive.at_start = true;
                continue;
            }
            for caller in self.callers(function).iter() {
                next.push(self.function_of(caller.call));
            }
            for passed in self.passed_to(function).iter() {
                let outer = self.function_of(passed.call);
                let lasting = match passed.handed.runs {
                    Some(runs) => runs == Runs::Event,
                    // A handler of requests by the look of it; `each` of an unknown list is none.
                    None => !self.is_iteration(passed.call) && self.rate(function).rate == Some(Rate::PerEvent),
                };
                if lasting && !self.is_disposal(outer) {
                    drive.events.push(function);
                } else if passed.handed.runs == Some(Runs::Maybe) && !self.is_disposal(outer) {
                    drive.later.push(function);
                }
                next.push(outer);
            }
            if self.is_user_callable(function) {
                drive.public.push(function);
            }
        }
        drive
    }

    /// Whether a call has the name of a method that runs its callback for each element.
    fn is_iteration(&self, call: In<CallId>) -> bool {
        self.method_name(call).is_some_and(|name| {
            let row = self.contracts.api(&format!("Array#{name}"));
            row.is_some_and(|row| !row.callbacks.is_empty()) || name == "each"
        })
    }

    /// Whether users of the package can call a function, or somebody whom nobody can see: a script's function that
    /// nothing calls, a closure that is returned.
    fn is_user_callable(&self, function: In<FunctionId>) -> bool {
        if self.is_public(function) {
            return true;
        }
        // Calls of itself do not start it.
        let outside = |call: In<CallId>| {
            call.file != function.file || !self.summary(call.file).is_inside(self.call(call).function, function.id)
        };
        let idle = !self.callers(function).iter().any(|caller| outside(caller.call))
            && !self.passed_to(function).iter().any(|passed| outside(passed.call));
        idle && self.function(function).kind != FunctionKind::Constructor
    }

    /// Whether a function's name says that it ends its object's life: `close`, `[kClose]`, `#destroy`.
    pub fn is_disposal(&self, function: In<FunctionId>) -> bool {
        let name = self.function(function).name;
        let bare = name.trim_matches(['[', ']', '#']);
        let symbol =
            bare.strip_prefix('k').filter(|rest| rest.starts_with(char::is_uppercase) && name.starts_with('['));
        let bare = symbol.unwrap_or(bare);
        self.contracts.words.has(Meaning::Disposal, bare)
    }
}
