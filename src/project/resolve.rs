//! What a value comes from: single assignments, aliases, destructuring, imports, fields, wrappers, through files.
//! Knows shapes, not contracts: it never asks what an API means.

use super::Project;
use crate::model::{BindingId, CallId, ClassId, FunctionId, In, Literal, Name, ObjectId, ValueId};
use crate::text::FileId;
use smallvec::SmallVec;

/// Where a value comes from, as far as it can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// What a call returns: an API's, a callee that is not known, or `new` of a class from outside. Calls of project
    /// functions are followed to what these return.
    Result(In<CallId>),
    /// What the promise of such a call resolves to.
    Resolved(In<CallId>),
    /// `new` of a project class.
    New(In<CallId>, In<ClassId>),
    /// A function of the project.
    Function(In<FunctionId>),
    /// `f.bind(…)`, fresh at each evaluation: the call, and the function below where it is known.
    Bound(In<CallId>, Option<In<FunctionId>>),
    /// A class of the project.
    Class(In<ClassId>),
    /// An object literal.
    Object(In<ObjectId>),
    /// An array literal.
    Array(In<ValueId>),
    /// A literal.
    Literal(Literal),
    /// All exports of a file of the project.
    Module(FileId),
    /// Something outside the project by its path: `fs`, `fs.constants`, `process.stdout`, `napi_ok`.
    External(Name),
    /// A parameter: the caller's business; see [`Project::arguments_of`].
    Parameter(In<BindingId>),
    /// The receiver in methods of a class.
    This(In<ClassId>),
    /// The receiver of a function that is no method.
    Receiver(In<FunctionId>),
    /// A variable whose value is not one of its assignments: C++ objects by value, out-parameters, catch variables.
    Variable(In<BindingId>),
    /// A property, element or pointee of something that could not be followed further.
    Part(In<ValueId>),
    /// Arithmetic, templates, anything else.
    Opaque(In<ValueId>),
    /// Not known, or too deep.
    Unknown,
}

/// All origins of a value: several for choices and variables with several assignments. At most eight; a longer list is
/// cut and ends with [`Origin::Unknown`].
pub type Origins = SmallVec<[Origin; 2]>;

impl Project<'_> {
    /// Where a value comes from, if there is one answer: null and undefined beside one real origin do not count.
    pub fn origin(&self, value: In<ValueId>) -> Origin {
        let origins = self.origins(value);
        let mut real =
            origins.iter().filter(|origin| !matches!(origin, Origin::Literal(Literal::Null | Literal::Undefined)));
        match (real.next(), real.next()) {
            (Some(one), None) => *one,
            (None, None) => origins.first().copied().unwrap_or(Origin::Unknown),
            _ => Origin::Unknown,
        }
    }

    /// Everything that a value may come from.
    pub fn origins(&self, _value: In<ValueId>) -> Origins {
        Origins::new()
    }

    /// Whether two values surely denote the same object: one place, or one single origin that is made once a call.
    pub fn same(&self, _a: In<ValueId>, _b: In<ValueId>) -> bool {
        false
    }

    /// What callers of the project pass for a parameter.
    pub fn arguments_of(&self, _parameter: In<BindingId>) -> Vec<In<ValueId>> {
        Vec::new()
    }
}
