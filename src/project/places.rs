//! Where things are kept: one identity for a variable, field or property, the same from every file, and everything that
//! the project does with it. Weighs nothing.

use super::Project;
use crate::model::{BindingId, CallId, ClassId, FunctionId, In, Name, ObjectId, ValueId};
use crate::text::{FileId, Location, Span};

/// A variable, field, property or element, the same from whichever file and through whichever alias it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// What it starts from.
    pub root: Root,
    /// Properties below that: `.a.b`; `[]` for an element under any key, `*` for what a pointer points to; mostly empty.
    pub path: Name,
}

/// What a place starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// A variable of the declaring file, parameters included.
    Variable(In<BindingId>),
    /// A field of the instances of a class: `this.timer`; of the class that first assigns it among the bases.
    Field(In<ClassId>, Name),
    /// A static field: `Foo.instances`.
    Static(In<ClassId>, Name),
    /// A property of a function object: `createDebug.instances`, or of `this` in a function that is no class.
    Property(In<FunctionId>, Name),
    /// A property of the object that one literal makes: `state.list` with `const state = { list: [] }`.
    Object(In<ObjectId>, Name),
    /// A name that no file declares, with its properties: `process.stdout`, `global.cache`; modules by their path.
    External(Name),
}

/// One thing that the code does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The file.
    pub file: FileId,
    /// The value that is touched, as this file writes it.
    pub value: ValueId,
    /// The function whose code does it.
    pub function: FunctionId,
    /// The call, assignment, condition, argument or statement.
    pub span: Span,
    /// What is done.
    pub kind: AccessKind,
}

/// What is done with a value. Ids are of the access's own file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// It receives a value: `x = value`. `x = null` is one with a null literal.
    Assigned {
        /// What it receives.
        value: ValueId,
        /// `||=`, `??=`.
        only_if_empty: bool,
        /// The initial value of its declaration.
        is_declaration: bool,
    },
    /// `delete x` of the place itself (its slot is removed from its object).
    Deleted,
    /// One of its slots receives a value: `x[key] = value`, `x.name = value`.
    KeyAssigned {
        /// Which.
        key: Key,
        /// What it receives.
        value: ValueId,
    },
    /// One of its slots is removed: `delete x[key]`.
    KeyDeleted {
        /// Which.
        key: Key,
    },
    /// One of its slots is read: `x[key]`, `x.name`.
    KeyRead {
        /// Which.
        key: Key,
    },
    /// `x.name(…)`, `x[key](…)`.
    Method {
        /// The call.
        call: CallId,
        /// The method.
        key: Key,
    },
    /// `x(…)`, `new x(…)`.
    Called {
        /// The call.
        call: CallId,
    },
    /// `f(x)`; also for what `&x`, `*x`, `a ? x : y` mention.
    Argument {
        /// The call.
        call: CallId,
        /// Which argument.
        index: u16,
    },
    /// Part of an object or array literal.
    Inside {
        /// The literal.
        outer: ValueId,
    },
    /// Assigned to a place (declarations of aliases included).
    Stored {
        /// The place.
        place: ValueId,
    },
    /// Returned.
    Returned,
    /// Thrown.
    Thrown,
    /// Awaited.
    Awaited,
    /// A condition mentions it.
    Tested,
    /// A condition mentions its `length`, `size`, `empty()`.
    SizeTested,
    /// Looped over or spread.
    Iterated,
    /// Mentioned in some other expression.
    Read,
}

/// The key of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A literal name.
    Name(Name),
    /// A computed key, a value of the access's own file.
    Value(ValueId),
}

impl Access {
    /// Where.
    pub fn at(&self) -> Location {
        Location { file: self.file, span: self.span }
    }

    /// The function whose code does it.
    pub fn function(&self) -> In<FunctionId> {
        In::new(self.file, self.function)
    }

    /// A thing of the same file.
    pub fn of<T>(&self, id: T) -> In<T> {
        In::new(self.file, id)
    }
}

impl Project<'_> {
    /// The place that a value denotes, aliases followed: `list` of `const list = this.items` is the field `items`.
    /// None for values that are no place.
    pub fn place(&self, _value: In<ValueId>) -> Option<Place> {
        None
    }

    /// Everything that the project does with a place, under all its names, in file order.
    pub fn accesses(&self, _place: Place) -> Vec<Access> {
        Vec::new()
    }
}
