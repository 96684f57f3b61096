//! The catalog's view of values and calls: which type a value has, which row a call is.

use super::Project;
use crate::model::{Api, CallId, In, Name, Type, ValueId};

impl<'a> Project<'a> {
    /// The catalog type of a value: by what made it, by its class, by its declaration, by the event that hands it over.
    pub fn ty(&self, _value: In<ValueId>) -> Option<&'a Type> {
        None
    }

    /// Whether the type of a value is, or extends, one of a family.
    pub fn is_family(&self, value: In<ValueId>, family: &str) -> bool {
        self.ty(value).is_some_and(|ty| self.contracts.is_family(ty, family))
    }

    /// The path of what a call calls, with or without a catalog row: `fs.open`, `net.Socket#destroy`, `new ws.WebSocket`.
    pub fn path(&self, _call: In<CallId>) -> Option<Name> {
        None
    }

    /// The catalog row of a call; none for calls of project functions.
    pub fn api(&self, _call: In<CallId>) -> Option<&'a Api> {
        None
    }
}
