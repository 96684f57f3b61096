//! What is kept of one file when its syntax tree is dropped. A summary knows only its own file, holds no verdict, and is
//! a pure function of the file's bytes and language (C and C++: and of the macros that its includes define).

use super::{
    BindingId, Call, CallId, ClassId, Flow, FunctionId, Name, ObjectId, ObjectLiteral, ScopeId, Value, ValueId,
};
use crate::text::Span;

/// The language of a file, by its ending and, for `.h` and `.js`, its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// JavaScript, JSX included.
    Js,
    /// TypeScript, TSX included.
    Ts,
    /// C.
    C,
    /// C++ and Objective-C++.
    Cpp,
}

impl Language {
    /// C or C++.
    pub fn is_native(self) -> bool {
        matches!(self, Language::C | Language::Cpp)
    }
}

/// Everything that later stages know of a file.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// Its language; none for an empty placeholder.
    pub language: Option<Language>,
    /// Functions; index 0 is the file's top-level code, always there.
    pub functions: Vec<Function>,
    /// Classes, prototype-built ones and C structs included.
    pub classes: Vec<Class>,
    /// Variables.
    pub bindings: Vec<Binding>,
    /// Scopes; a JavaScript closure keeps what any closure of its scopes captures.
    pub scopes: Vec<Scope>,
    /// Values and places, interned.
    pub values: Vec<Value>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Object literals.
    pub objects: Vec<ObjectLiteral>,
    /// What the file gives to others.
    pub exports: Vec<Export>,
    /// Files that it includes or re-exports whole: `#include "x.h"`, `export * from './x'`.
    pub includes: Vec<Name>,
    /// C++: `using namespace v8`, anywhere in the file.
    pub usings: Vec<Name>,
    /// C and C++: `#define`s with a body.
    pub macros: Vec<Macro>,
    /// C and C++: what the nearest `binding.gyp` says, put in by whoever reads the project.
    #[serde(skip)]
    pub build: Option<std::sync::Arc<super::Gyp>>,
    /// Comments, for suppression, ownership and commented-out releases.
    pub comments: Vec<Span>,
    /// What could not be parsed.
    pub errors: Vec<SyntaxError>,
    /// Some code of the file is not in the summary (error recovery, nesting too deep): confidence is lower.
    pub partial: bool,
}

impl Summary {
    /// A value by its id.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// A call by its id.
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// A function by its id.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// A variable by its id.
    pub fn binding(&self, id: BindingId) -> &Binding {
        &self.bindings[id.index()]
    }

    /// A class by its id.
    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    /// A scope by its id.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.index()]
    }

    /// An object literal by its id.
    pub fn object(&self, id: ObjectId) -> &ObjectLiteral {
        &self.objects[id.index()]
    }

    /// Whether `inner` is `outer` or a function written inside it.
    pub fn is_inside(&self, mut inner: FunctionId, outer: FunctionId) -> bool {
        loop {
            if inner == outer {
                return true;
            }
            match self.function(inner).parent {
                Some(parent) => inner = parent,
                None => return false,
            }
        }
    }
}

/// How a function came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum FunctionKind {
    /// The file's top-level code.
    Module,
    /// A named or anonymous function with its own receiver.
    Plain,
    /// An arrow function or C++ lambda: no receiver of its own.
    Arrow,
    /// A method.
    Method,
    /// A constructor. Field initialisers run at its start and are part of its flow (JavaScript and C++ alike).
    Constructor,
    /// A C++ destructor.
    Destructor,
    /// A getter or setter.
    Accessor,
    /// `static { … }` of a class.
    StaticBlock,
}

/// A function.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Function {
    /// Its name, or that of the variable, property or method that holds it; empty where there is none.
    /// C++: qualified as written (`Class::Method` has `class_name` set and the bare name here).
    pub name: Name,
    /// How it came to be.
    pub kind: FunctionKind,
    /// The function around it; none only for [`FunctionId::MODULE`].
    pub parent: Option<FunctionId>,
    /// The class it is a method of, where that class is in this file.
    pub class: Option<ClassId>,
    /// C++ `Class::Method` outside the class: the qualifier as written (`ns::Class`), for joining over files.
    pub class_name: Option<Name>,
    /// Static method, or C++ free function with internal linkage.
    pub is_static: bool,
    /// `async`, `__awaiter`-wrapped, or a C++ coroutine.
    pub is_async: bool,
    /// A real generator.
    pub is_generator: bool,
    /// Its parameters, in order. A destructured one is a nameless variable whose parts are other bindings.
    pub parameters: Vec<BindingId>,
    /// Its own outermost scope.
    pub scope: ScopeId,
    /// What it does. Empty for a declaration without body.
    pub flow: Flow,
    /// Whether it has a body at all.
    pub has_body: bool,
    /// The whole function.
    pub span: Span,
    /// Its body, braces included; the span of the expression for `() => x`.
    pub body: Span,
    /// Its name, or its head where it has none.
    pub name_span: Span,
    /// Variables of outer functions that it mentions, nested functions included.
    pub captures: Vec<BindingId>,
    /// It, or an arrow inside it, mentions the receiver of an outer function (directly, or by `self = this`).
    pub captures_this: bool,
    /// Calls `eval` directly: everything visible is captured.
    pub has_eval: bool,
    /// C++: the declared return type.
    pub returns: Option<TypeFacts>,
    /// C++: `noexcept`.
    pub is_noexcept: bool,
    /// Names of decorators or attributes (`@Injectable`), without arguments.
    pub decorators: Vec<Name>,
}

/// What a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum BindingKind {
    /// The n-th parameter, 0-based. Also the nameless variable of a destructured parameter.
    Parameter(u16),
    /// `var`, or a C/C++ local or file variable.
    Var,
    /// `let`.
    Let,
    /// `const`, C++ `const` objects that cannot be reassigned.
    Const,
    /// `using`, `await using`.
    Using,
    /// A function declaration.
    Function,
    /// A class declaration.
    Class,
    /// An import.
    Import,
    /// The variable of a `catch`.
    Catch,
    /// C/C++ `static` local: lives as long as the process.
    Static,
    /// Not declared anywhere but assigned: a sloppy global.
    Implicit,
}

/// A variable.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Binding {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: BindingKind,
    /// Where it lives.
    pub scope: ScopeId,
    /// The function whose code declares it.
    pub function: FunctionId,
    /// Its name in the declaration.
    pub span: Span,
    /// Its value where exactly one assignment is ever made to it (declarations of functions, classes, imports and parts
    /// of a destructured value included: `const {a} = b` gives `Member(b, a)`). JavaScript: also parameters of a function
    /// literal that is called where it stands. Never mentions the variable itself.
    pub value: Option<ValueId>,
    /// Number of assignments, the declaration's included where it has a value. Parameters and `catch` variables have one
    /// unseen.
    pub assignments: u32,
    /// Functions, other than the declaring one, whose text mentions it, outermost first.
    pub captured_by: Vec<FunctionId>,
    /// What its declaration says of its type.
    pub ty: Option<TypeFacts>,
}

/// A scope that can hold variables: a function, block, loop head or the file.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Scope {
    /// The scope around it.
    pub parent: Option<ScopeId>,
    /// The function whose code it is part of.
    pub function: FunctionId,
    /// Its text.
    pub span: Span,
    /// Variables declared in it.
    pub bindings: Vec<BindingId>,
    /// It is the body of a loop: born anew each turn.
    pub is_loop: bool,
}

/// Who owns what a declared type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Holder {
    /// An object by value: its destructor runs by itself. Every JavaScript variable.
    Value,
    /// `T*`, `T[]` of pointers, `void*`, an integer handle: nothing is freed by itself.
    Raw,
    /// `unique_ptr`, `shared_ptr`, `QScopedPointer`, `CComPtr` ...: releases what it holds.
    Smart,
    /// `T&`.
    Reference,
}

/// What a declaration says of a type. TypeScript: the annotation's outermost name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TypeFacts {
    /// Qualified name without `const`, pointers and template arguments: `Napi::ObjectReference`, `uint8_t`, `Map`.
    pub name: Name,
    /// Template or type arguments, same form: `v8::Persistent<v8::Object>` has `v8::Object`.
    pub arguments: Vec<Name>,
    /// Who owns.
    pub holder: Holder,
    /// A fixed-size array of it, or an array type.
    pub is_array: bool,
    /// The whole type as written, for messages.
    pub text: Name,
}

impl TypeFacts {
    /// Whether it is a C++ container that holds plain pointers: `std::vector<Row*>`; of a map's two types the second is that
    /// of what it holds.
    pub fn contains_pointers(&self) -> bool {
        let elements = self.text.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>'));
        let element = elements.map(|(elements, _)| elements.rsplit_once(',').map_or(elements, |(_, last)| last));
        element.is_some_and(|element| element.trim_end().ends_with('*') && !element.contains('<'))
    }
}

/// A class, ES or built on a prototype, or a C/C++ class, struct or union.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Class {
    /// Its name; C++: qualified by namespaces and outer classes.
    pub name: Name,
    /// The head or, for prototype-built classes, the constructor function.
    pub span: Span,
    /// What it extends: `extends`, `util.inherits`, `Object.create(Base.prototype)`, C++ bases.
    pub bases: Vec<ValueId>,
    /// Template arguments of the bases: `ObjectWrap<X>`.
    pub base_arguments: Vec<Name>,
    /// Its constructors; several in C++.
    pub constructors: Vec<FunctionId>,
    /// C++: the destructor, where it is in this file.
    pub destructor: Option<FunctionId>,
    /// C++: a destructor is declared somewhere (maybe defined in another file).
    pub declares_destructor: bool,
    /// C++: the destructor is virtual, or overrides one.
    pub has_virtual_destructor: bool,
    /// Methods, accessors and static blocks.
    pub methods: Vec<Method>,
    /// Declared fields. JavaScript fields that are only assigned (`this.x = …`) are found by linking.
    pub fields: Vec<Field>,
    /// C `struct` in a C file, `union`.
    pub is_plain: bool,
    /// Names of decorators, without arguments.
    pub decorators: Vec<Name>,
}

/// A method.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Method {
    /// Its name; `#private` with the `#`; `Symbol.dispose` as `@@dispose`, `Symbol.asyncDispose` as `@@asyncDispose`.
    pub name: Name,
    /// Its code.
    pub function: FunctionId,
    /// Static.
    pub is_static: bool,
}

/// A declared field.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// Its name, `#private` with the `#`.
    pub name: Name,
    /// Static.
    pub is_static: bool,
    /// What its declaration says of its type.
    pub ty: Option<TypeFacts>,
    /// Its initial value. Also an assignment in the constructor's flow (static: in the module's).
    pub value: Option<ValueId>,
    /// The declaration.
    pub span: Span,
}

/// Something given to other files.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Export {
    /// The exported name; `default`; `=` for `module.exports = value` and `export =`.
    pub name: Name,
    /// What it is; `Member(Import("x"), "y")` for a re-export.
    pub value: ValueId,
    /// The exporting text.
    pub span: Span,
}

/// A `#define` with a body.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Macro {
    /// Its name.
    pub name: Name,
    /// Parameter names; none for an object-like macro.
    pub parameters: Option<Vec<Name>>,
    /// The body leaves the function on some path: it holds `return`, `throw` or `goto`.
    pub may_exit: bool,
    /// The body leaves the function on every path (no condition around the `return`).
    pub always_exits: bool,
    /// The body's text, lines joined.
    pub body: Box<str>,
    /// The whole directive.
    pub span: Span,
}

/// Something that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SyntaxError {
    /// Byte offset.
    pub offset: u32,
    /// Lower case, no full stop.
    pub message: String,
}
