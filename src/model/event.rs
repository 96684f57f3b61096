//! Events: what the code does, one step at a time, in evaluation order. No verdicts: whether a call acquires, releases or
//! registers is for linking to say.

use super::{BindingId, CallId, FunctionId, Name, ValueId};
use crate::text::Span;

/// One step of a [`super::Flow`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Step {
    /// A call happens; its arguments were evaluated before.
    Call(CallId),
    /// A place receives a value. Declarations with an initial value are assignments.
    Assign(Assign),
    /// `delete object.key`. C++ `delete p` is a [`Call`] of the global `operator delete` (or `operator delete[]`).
    Delete {
        /// The place whose slot is removed: a `Member` or `Index`.
        place: ValueId,
        /// The whole expression.
        span: Span,
    },
    /// Control may leave here for a while and may come back by an exception: `await`, `for await`, `yield`.
    Await {
        /// The promise waited for.
        value: ValueId,
        /// The whole expression.
        span: Span,
        /// `yield` in a real generator: the consumer may never resume.
        is_yield: bool,
    },
    /// A variable goes out of scope and its destructor runs: C++ objects with destructors, JavaScript `using`.
    /// Smart pointers release what they hold; raw pointers never get this step. In C++ it also stands before each `return`,
    /// `break` and `continue` that leaves the scope, but not for what is returned itself.
    Drop(BindingId),
    /// A block ends and these of its variables (raw pointers, plain handles) can no longer be reached. In C++ it also stands
    /// before each `break` and `continue` that leaves the block; `return` says as much by itself.
    ScopeEnd {
        /// The variables, captured ones included.
        bindings: Box<[BindingId]>,
        /// The closing brace.
        span: Span,
    },
}

/// An assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Assign {
    /// The place.
    pub place: ValueId,
    /// What it receives.
    pub value: ValueId,
    /// The whole assignment or declarator.
    pub span: Span,
    /// The statement around it.
    pub statement: Span,
    /// `||=`, `??=`: only if the place was empty. `+=` and the like lower to an opaque value of both.
    pub only_if_empty: bool,
    /// The initial value of a declaration.
    pub is_declaration: bool,
}

/// A call, `new` included.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Call {
    /// What is called: `Member(receiver, name)` for a method. C++ `new T(x)` calls `Member`/`Global` of `T` with
    /// [`Call::is_new`]; `new T[n]` also has [`Call::is_array_new`].
    pub callee: ValueId,
    /// Its arguments, in order.
    pub arguments: Box<[Argument]>,
    /// C++: template arguments of the callee that are values or functions of the file (`SetAccessor<&X::Get>`,
    /// `js_create_external_arraybuffer<finalize>`); types are left out.
    pub template_arguments: Box<[Argument]>,
    /// C++: the first template argument of the callee that is a type, as written but without blanks: `v8::External` of
    /// `Nan::New<v8::External>(p)`.
    pub template_type: Option<Name>,
    /// The function whose code this is.
    pub function: FunctionId,
    /// The whole call expression.
    pub span: Span,
    /// The statement around it.
    pub statement: Span,
    /// The callee's name alone (for `a.b.c()`, that of `c`).
    pub name_span: Span,
    /// `new`.
    pub is_new: bool,
    /// C++ `new T[n]`.
    pub is_array_new: bool,
    /// C++ placement `new (p) T`: allocates nothing.
    pub is_placement: bool,
    /// `a?.()`, `a?.b()`.
    pub is_optional: bool,
    /// The result is used by nothing: the call is a statement of its own (or under `void`, or the unused side of a comma).
    /// With [`Call::is_awaited`]: what the promise resolves to is used by nothing.
    pub is_discarded: bool,
    /// Directly under `await`.
    pub is_awaited: bool,
    /// Loops of the same function around it.
    pub loop_depth: u8,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Argument {
    /// Its value; [`super::Value::Spread`] for `...x`.
    pub value: ValueId,
    /// Its text.
    pub span: Span,
}
