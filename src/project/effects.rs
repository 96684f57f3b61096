//! What calls do with the handles they are given: by catalog row, or by a look into the project function that they run.
//! Interprocedural, bounded in depth; one mechanism for both languages.

use super::Project;
use crate::model::contract::By;
use crate::model::{CallId, In, Type, ValueId};

/// The part that a value plays in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What the method is called on.
    Receiver,
    /// The n-th argument.
    Argument(u16),
}

/// What a call (or function) does with a handle that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Only looks at it.
    Borrows,
    /// Releases it on every ordinary way out.
    Releases,
    /// Releases it on some ways out only.
    MayRelease,
    /// Takes it over: stores it in something that lives longer, passes it to something that does, queues it.
    Takes,
    /// On some ways out only.
    MayTake,
    /// Gives it back as its result (fluent methods, casts, `pipe`).
    Returns,
    /// Not known.
    Unknown,
}

/// What a call gives its caller to release.
#[derive(Clone, Debug)]
pub struct Gives<'a> {
    /// The type of handle.
    pub ty: &'a Type,
    /// How it reaches the caller.
    pub by: By,
    /// The handle where one value of the caller's file denotes it: the result, the out-argument's place, the receiver. A promise's
    /// is the `Awaited` result; a callback's is its parameter.
    pub handle: Option<In<ValueId>>,
    /// The API call that acquires it at last; `call` itself but for wrappers.
    pub from: In<CallId>,
}

impl<'a> Project<'a> {
    /// What a call gives its caller to release: by its catalog row, or because the project function that it runs returns
    /// what it acquired.
    pub fn gives(&self, _call: In<CallId>) -> Option<Gives<'a>> {
        None
    }

    /// What a call does with its receiver or an argument, where that is a handle of a type (none: of any).
    pub fn effect(&self, _call: In<CallId>, _role: Role, _ty: Option<&Type>) -> Doing {
        Doing::Unknown
    }

    /// Whether a call may throw (or reject) in ordinary operation: rows that say so, and project functions that throw on
    /// some path.
    pub fn may_throw(&self, _call: In<CallId>) -> bool {
        false
    }
}
