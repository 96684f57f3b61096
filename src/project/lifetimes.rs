//! How long values and places live, and who owns them: the other side of the first law.

use super::{Place, Project};
use crate::finding::TraceStep;
use crate::model::{ClassId, FunctionId, In, Rate, ValueId};

/// How long something lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// How often such a thing is born; `Some(Once)`: it lives as long as the process. None where nothing tells.
    pub born: Option<Rate>,
    /// Who holds it.
    pub owner: Owner,
    /// Why that is believed.
    pub why: Vec<TraceStep>,
}

/// Who holds a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The process: module variables, static fields, `process`, standard streams.
    Process,
    /// Instances of a class of the project: it dies with its instance.
    Instance(In<ClassId>),
    /// One run of a function (this one, whose local it is and beyond which it does not escape).
    Call(In<FunctionId>),
    /// The caller: a parameter, an option, an injected object. It may live for ever and this code cannot tell.
    Caller(In<FunctionId>),
    /// Nobody known.
    Unknown,
}

impl Lifetime {
    /// Whether it came from outside: a parameter or something reached through one.
    pub fn is_callers(&self) -> bool {
        matches!(self.owner, Owner::Caller(_))
    }

    /// Whether it lives as long as the process.
    pub fn is_process(&self) -> bool {
        self.born == Some(Rate::Once)
    }
}

impl Project<'_> {
    /// How long the object that a value denotes lives.
    pub fn lifetime(&self, _value: In<ValueId>) -> Lifetime {
        Lifetime { born: None, owner: Owner::Unknown, why: Vec::new() }
    }

    /// How long a place (the variable or field itself, not what it holds) lives.
    pub fn place_lifetime(&self, _place: Place) -> Lifetime {
        Lifetime { born: None, owner: Owner::Unknown, why: Vec::new() }
    }
}
