//! The leak model: what lowering writes down of a file, and what linking and rules reason with.
//!
//! Two laws say what a leak is:
//!
//! 1. **Retention**: a place *grows* more often than it is reborn, and nothing *shrinks* it as often.
//! 2. **Loss**: the last holder of an owned handle dies on some path without *release*.
//!
//! One ordered scale, [`Rate`], measures both how often a place is born and how often an event fires, so the first law
//! is one comparison. The second is the must-call discipline of Kellogg et al., "Lightweight and modular resource leak
//! verification" (ESEC/FSE 2021): an owned handle's obligation against what every exit has called.
//!
//! A [`Summary`] knows only its own file and names nothing that another file decides: whether a call releases, how often
//! a function runs and what an import means are questions for `project`. The model is one for both languages; what is
//! particular to one (hoisting, `await`, RAII, macros) is settled by its lowering before it gets here.
//!
//! Never here: a parser, a catalog file, a rule.

pub mod contract;
pub mod contracts;
pub mod dump;
pub mod event;
pub mod flow;
pub mod manifest;
pub mod place;
pub mod summary;
pub mod words;

pub use contract::{Api, Type};
pub use contracts::Contracts;
pub use event::{Argument, Assign, Call, Step};
pub use flow::{Cond, Exit, Flow, Loop};
pub use manifest::Gyp;
pub use place::{Literal, Name, ObjectLiteral, Property, Value};
pub use summary::{
    Binding, BindingKind, Class, Export, Field, Function, FunctionKind, Holder, Language, Macro, Method, Scope,
    Summary, SyntaxError, TypeFacts,
};

use crate::text::FileId;

/// How often something happens or a place is born. Ordered: a later one happens more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    /// Once in the life of the process (module initialisation, a guarded first call).
    Once,
    /// Once for each instance of some class, however many there are.
    PerInstance,
    /// For each call of a function that others call as often as they like.
    PerCall,
    /// For each event, request, message, tick or loop turn.
    PerEvent,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        pub struct $name(pub u32);

        impl $name {
            /// The index into the summary's table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> u32 {
                id.0
            }
        }
    )*};
}

ids! {
    /// A function of one summary. `FunctionId(0)` is always the file's own top-level code.
    FunctionId,
    /// A variable of one summary.
    BindingId,
    /// A value or place of one summary; equal ids mean the same text of the same variables.
    ValueId,
    /// A call of one summary.
    CallId,
    /// A class of one summary.
    ClassId,
    /// A scope of one summary.
    ScopeId,
    /// An object literal of one summary.
    ObjectId,
}

impl FunctionId {
    /// The file's own top-level code.
    pub const MODULE: FunctionId = FunctionId(0);
}

/// Something of one file, named from outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct In<T> {
    /// The file.
    pub file: FileId,
    /// The thing in its summary.
    pub id: T,
}

impl<T> In<T> {
    /// Names a thing of a file.
    pub fn new(file: FileId, id: T) -> Self {
        In { file, id }
    }

    /// Another thing of the same file.
    pub fn with<U>(&self, id: U) -> In<U> {
        In { file: self.file, id }
    }
}
