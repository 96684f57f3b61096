//! Who calls whom, and which functions are handed to whom: the project's call graph, callbacks included.

use super::Project;
use crate::model::contract::{Part, Runs};
use crate::model::{CallId, FunctionId, In, Name, ValueId};
use smallvec::SmallVec;

/// The project functions that a call runs.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// The functions; constructors for `new`.
    pub functions: SmallVec<[In<FunctionId>; 1]>,
    /// They are only a guess: the receiver is not known and this is the one method of that name in the project.
    pub weak: bool,
}

/// A call of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The call.
    pub call: In<CallId>,
    /// See [`Targets::weak`].
    pub weak: bool,
}

/// A function handed to a call.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The function below: through variables, `.bind()` and the like.
    pub function: In<FunctionId>,
    /// Which argument holds it; its options object may be around it.
    pub argument: u16,
    /// When it runs; none where nothing says.
    pub runs: Option<Runs>,
    /// The event that it is registered for, if any.
    pub event: Option<Name>,
    /// Its first parameter is an error.
    pub error_first: bool,
    /// Types of its parameters.
    pub parameters: Vec<String>,
}

/// A call that a function is handed to.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The call.
    pub call: In<CallId>,
    /// How.
    pub handed: Handed,
}

impl Project<'_> {
    /// The receiver of a method call.
    pub fn receiver(&self, call: In<CallId>) -> Option<In<ValueId>> {
        use crate::model::Value;
        match self.value(call.with(self.call(call).callee)) {
            Value::Member(object, _) | Value::Index(object, _) => Some(call.with(*object)),
            _ => None,
        }
    }

    /// The name of the method, or of the function, that a call names.
    pub fn method_name(&self, call: In<CallId>) -> Option<Name> {
        use crate::model::Value;
        let summary = self.summary(call.file);
        match summary.value(summary.call(call.id).callee) {
            Value::Member(_, name) | Value::Global(name) => Some(*name),
            Value::Binding(binding) => Some(summary.binding(*binding).name),
            _ => None,
        }
    }

    /// The n-th argument; none at and past a spread.
    pub fn argument(&self, call: In<CallId>, index: u16) -> Option<In<ValueId>> {
        use crate::model::Value;
        let summary = self.summary(call.file);
        let arguments = &summary.call(call.id).arguments;
        let before = arguments.get(..=index as usize)?;
        let spread = before.iter().any(|argument| matches!(summary.value(argument.value), Value::Spread(_)));
        (!spread).then(|| call.with(before[index as usize].value))
    }

    /// The value of a part that a catalog row names.
    pub fn part(&self, call: In<CallId>, part: Part) -> Option<In<ValueId>> {
        match part {
            Part::Receiver => self.receiver(call),
            Part::Argument(index) => self.argument(call, index),
            Part::Result => self.index(call.file).results[call.id.index()].map(|id| call.with(id)),
        }
    }

    /// The value of a call's result, where any code uses it.
    pub fn result(&self, call: In<CallId>) -> Option<In<ValueId>> {
        self.part(call, Part::Result)
    }

    /// The project functions that a call runs itself (not those that it is handed).
    pub fn targets(&self, _call: In<CallId>) -> Targets {
        Targets::default()
    }

    /// The project's calls of a function.
    pub fn callers(&self, _function: In<FunctionId>) -> Vec<Caller> {
        Vec::new()
    }

    /// The functions that a call is handed as arguments, and when they run.
    pub fn callbacks(&self, _call: In<CallId>) -> Vec<Handed> {
        Vec::new()
    }

    /// The calls that a function is handed to, directly or through variables, fields and `.bind()`.
    pub fn passed_to(&self, _function: In<FunctionId>) -> Vec<Passed> {
        Vec::new()
    }
}
