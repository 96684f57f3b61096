//! Values and places: what an expression denotes, as far as one file can tell.
//! Interned per file, so that equal ids mean the same text over the same variables. Holds no positions and no verdicts.

use super::{BindingId, CallId, ClassId, FunctionId, ObjectId, ValueId};

/// An interned name; compares by pointer, reads as `&str`.
pub type Name = ustr::Ustr;

/// What an expression denotes. A value that can be assigned to is a place.
///
/// Lowering resolves scopes, so two ids are equal where the text means the same variables: `self.timer` with
/// `const self = this` is `Member(This(f), timer)`, and so is `this.timer` in an arrow function inside `f`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Value {
    /// A variable of this file, parameters and imports included.
    Binding(BindingId),
    /// The receiver of a function: the nearest one that has a receiver of its own. C++: `this`, also where it is implicit.
    This(FunctionId),
    /// A name that this file does not declare: `process`, `setInterval`, `malloc`, a C++ member declared in the header.
    Global(Name),
    /// Another module: `require('x')`, the namespace of `import`. A named import is `Member(Import("x"), "name")`,
    /// a default import `Member(Import("x"), "default")`.
    Import(Name),
    /// `object.name`, `object->name`, `object.#name` (with the `#`), `object["name"]`. C++ scope resolution
    /// (`Napi::Buffer::New`) is `Member` over `Global`, template arguments dropped.
    Member(ValueId, Name),
    /// `object[key]` with a key that is no literal string.
    Index(ValueId, ValueId),
    /// What a call returns. `new` is a call.
    Result(CallId),
    /// What a promise resolves to: `await value`, or `yield` in an emitted `__awaiter` generator.
    Awaited(ValueId),
    /// A function literal or declaration of this file.
    Function(FunctionId),
    /// A class of this file.
    Class(ClassId),
    /// A literal.
    Literal(Literal),
    /// A fresh object literal. Every site is a different one.
    Object(ObjectId),
    /// A fresh array literal with its elements; the number tells sites apart.
    Array(u32, Box<[ValueId]>),
    /// One of several: `a ? b : c`, `a || b`, `a ?? b`, `a && b`.
    Choice(Box<[ValueId]>),
    /// C++: `&place`.
    Address(ValueId),
    /// C++: `*pointer`.
    Deref(ValueId),
    /// C++: `std::move(value)`: the source gives its ownership away.
    Moved(ValueId),
    /// `...value` in an argument or element position.
    Spread(ValueId),
    /// Anything else (arithmetic, templates, comparisons), with the values that it mentions. C++: what is taken away is
    /// mentioned behind -1, as if it were written as a product.
    Opaque(Box<[ValueId]>),
}

/// A literal as far as leaks care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Literal {
    /// `null`, `nullptr`, `NULL`.
    Null,
    /// `undefined`, `void 0`.
    Undefined,
    /// `true`, `false`.
    Bool(bool),
    /// An integer; other numbers are [`Literal::Number`].
    Int(i64),
    /// A number that is no integer.
    Number,
    /// A string of at most 80 bytes.
    String(Name),
    /// A longer string.
    LongString,
    /// A regular expression.
    Regex,
}

/// An object literal: its properties in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObjectLiteral {
    /// Its properties.
    pub properties: Vec<Property>,
}

impl ObjectLiteral {
    /// The value of a property with a literal name; the last one wins, as at run time.
    pub fn get(&self, name: &str) -> Option<ValueId> {
        self.properties
            .iter()
            .rev()
            .find(|property| property.name.is_some_and(|n| n == *name))
            .map(|property| property.value)
    }
}

/// One property of an object literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Property {
    /// Its name; none for computed names and spreads.
    pub name: Option<Name>,
    /// Its value; [`Value::Spread`] for spreads. Methods and accessors are [`Value::Function`].
    pub value: ValueId,
}
