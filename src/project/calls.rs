//! Who calls whom, and which functions are handed to whom: the project's call graph, callbacks included.

use super::memo::Ask;
use super::{AccessKind, Key, Origin, Project};
use crate::model::contract::Part;
use crate::model::{BindingId, CallId, FunctionId, FunctionKind, In, Literal, Name, Value, ValueId};
use crate::text::FileId;
use smallvec::SmallVec;
use std::sync::Arc;

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

/// Methods that every object has, or so many classes that a unique one in the project proves nothing.
const COMMON: [&str; 28] = [
    "get", "set", "add", "has", "delete", "push", "pop", "call", "apply", "bind", "then", "catch", "finally", "on",
    "once", "off", "emit", "map", "filter", "forEach", "reduce", "toString", "keys", "values", "next", "test", "exec",
    "join",
];

impl Project<'_> {
    /// The receiver of a method call; of `super.f()`, `this`, where the file says it anywhere.
    pub fn receiver(&self, call: In<CallId>) -> Option<In<ValueId>> {
        match self.value(call.with(self.call(call).callee)) {
            Value::Member(object, _) | Value::Index(object, _) => match self.value(call.with(*object)) {
                Value::Global(name) if name == "super" => self.this(call.with(self.call(call).function)),
                _ => Some(call.with(*object)),
            },
            _ => None,
        }
    }

    /// `this` as the code of a function sees it.
    fn this(&self, mut function: In<FunctionId>) -> Option<In<ValueId>> {
        while self.function(function).kind == FunctionKind::Arrow {
            function = function.with(self.function(function).parent?);
        }
        let wanted = Value::This(function.id);
        let at = self.summary(function.file).values.iter().position(|value| *value == wanted)?;
        Some(function.with(ValueId(at as u32)))
    }

    /// The name of the method, or of the function, that a call names.
    pub fn method_name(&self, call: In<CallId>) -> Option<Name> {
        let summary = self.summary(call.file);
        match summary.value(summary.call(call.id).callee) {
            Value::Member(_, name) | Value::Global(name) => Some(*name),
            Value::Binding(binding) => Some(summary.binding(*binding).name),
            _ => None,
        }
    }

    /// The n-th argument; none at and past a spread.
    pub fn argument(&self, call: In<CallId>, index: u16) -> Option<In<ValueId>> {
        let summary = self.summary(call.file);
        let arguments = &summary.call(call.id).arguments;
        let before = arguments.get(..=index as usize)?;
        let spread = before.iter().any(|argument| matches!(summary.value(argument.value), Value::Spread(_)));
        (!spread).then(|| call.with(before[index as usize].value))
    }

    /// What a call of a project function gives for its parameter of that number: `f.call(receiver, argument)` gives one more.
    pub fn given(&self, call: In<CallId>, index: u16) -> Option<In<ValueId>> {
        if let Value::Member(object, name) = self.value(call.with(self.call(call).callee))
            && matches!(name.as_str(), "call" | "apply")
            && matches!(self.origin(call.with(*object)), Origin::Function(_))
        {
            return (name == "call").then(|| self.argument(call, index + 1)).flatten();
        }
        self.argument(call, index)
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

    /// The string literal that a value is: an event's name, a key.
    pub fn string(&self, value: In<ValueId>) -> Option<Name> {
        match self.origin(value) {
            Origin::Literal(Literal::String(name)) => Some(name),
            _ => None,
        }
    }

    /// The project functions that a call runs itself (not those that it is handed).
    pub fn targets(&self, call: In<CallId>) -> Targets {
        self.memos.targets.ask(Ask::Targets, call, || self.find_targets(call))
    }

    fn find_targets(&self, call: In<CallId>) -> Targets {
        let data = self.call(call);
        let callee = call.with(data.callee);
        let mut found = Targets::default();
        for origin in self.origins(callee) {
            match origin {
                Origin::Function(function) => found.functions.push(self.implementation(function, data.arguments.len())),
                Origin::Bound(_, Some(function)) => found.functions.push(function),
                Origin::Class(class) => {
                    let constructors = self.constructors(class);
                    let arity = |f: &&In<FunctionId>| self.function(**f).parameters.len() == data.arguments.len();
                    let best = constructors.iter().find(arity).or(constructors.first()).copied();
                    found.functions.extend(best.or_else(|| {
                        self.bases(class).into_iter().find_map(|base| self.constructors(base).first().copied())
                    }));
                    // Which one of several C++ constructors it is, types decide: any of them may run.
                    if self.is_native(class.file) {
                        found.functions.extend(constructors.iter().filter(arity).skip(1).copied());
                    }
                }
                _ => {}
            }
        }
        if let (Value::Member(object, name), true) = (self.value(callee), found.functions.is_empty()) {
            let target = call.with(*object);
            if let Some(class) = self.class_of_value(target) {
                let methods = std::iter::once(class).chain(self.subclasses(class));
                found.functions.extend(methods.filter_map(|class| self.method(class, name)).take(1));
            } else if matches!(name.as_str(), "call" | "apply") {
                if let Origin::Function(function) = self.origin(target) {
                    found.functions.push(function);
                }
            } else if !COMMON.contains(&name.as_str())
                && let Some([only]) = self.classes.by_method.get(name).map(|found| &found[..])
                && self.is_native(only.file) == self.is_native(call.file)
                && self.ty(target).is_none()
                && matches!(
                    self.origin(target),
                    Origin::Part(_) | Origin::Parameter(_) | Origin::Unknown | Origin::Variable(_)
                )
            {
                found.functions.push(*only);
                found.weak = true;
            }
        }
        found.functions.dedup();
        found
    }

    /// The body of a C++ function that is only declared where it was found, by number of arguments.
    fn implementation(&self, function: In<FunctionId>, arguments: usize) -> In<FunctionId> {
        let data = self.function(function);
        if data.has_body && data.parameters.len() == arguments || !self.is_native(function.file) {
            return function;
        }
        let same = |other: &In<FunctionId>| {
            let other = self.function(*other);
            other.name == data.name && other.has_body
        };
        let candidates: Vec<In<FunctionId>> = match self.class_of(function) {
            Some(class) => self.methods(class).into_iter().filter(same).collect(),
            None => self.free_functions(function.file, &data.name).into_iter().filter(same).collect(),
        };
        let fits = |f: &&In<FunctionId>| self.function(**f).parameters.len() == arguments;
        candidates.iter().find(fits).or(candidates.first()).copied().unwrap_or(function)
    }

    /// C and C++ functions of a name that a file can call: its own, then those with external linkage.
    pub(super) fn free_functions(&self, from: FileId, name: &str) -> SmallVec<[In<FunctionId>; 2]> {
        let last = name.rsplit("::").next().unwrap_or(name);
        let Some(all) = Name::from_existing(last).and_then(|last| self.classes.free.get(&last)) else {
            return SmallVec::new();
        };
        let fits = |f: &In<FunctionId>| {
            let full = self.function(*f).name;
            full == *name || full.ends_with(&format!("::{name}")) || name.ends_with(&format!("::{full}"))
        };
        let own: SmallVec<[In<FunctionId>; 2]> = all.iter().copied().filter(|f| f.file == from && fits(f)).collect();
        if !own.is_empty() {
            return own;
        }
        // A header that is included into the middle of a file uses what that file defines.
        let visible = |f: &In<FunctionId>| {
            !self.function(*f).is_static || self.classes.includes(from, f.file) || self.classes.includes(f.file, from)
        };
        all.iter().copied().filter(|f| fits(f) && visible(f)).take(4).collect()
    }

    /// A C or C++ variable of another file by its name.
    pub(super) fn native_global(&self, from: FileId, name: Name) -> Option<In<BindingId>> {
        let all = self.classes.globals.get(&name)?;
        match all[..] {
            [only] => Some(only),
            _ => all.iter().copied().find(|binding| self.classes.includes(from, binding.file)),
        }
    }

    /// The project's calls of a function.
    pub fn callers(&self, function: In<FunctionId>) -> Arc<[Caller]> {
        self.memos.callers.ask(Ask::Callers, function, || self.find_callers(function).into())
    }

    fn find_callers(&self, function: In<FunctionId>) -> Vec<Caller> {
        let mut found = Vec::new();
        for value in self.references(function).iter() {
            for access in self.index(value.file).accesses(value.id) {
                match access.kind {
                    AccessKind::Called { call } => found.push(Caller { call: value.with(call), weak: false }),
                    AccessKind::Method { call, key: Key::Name(name) } if name == "call" || name == "apply" => {
                        found.push(Caller { call: value.with(call), weak: false });
                    }
                    _ => {}
                }
            }
        }
        let data = self.function(function);
        if matches!(data.kind, FunctionKind::Method | FunctionKind::Plain | FunctionKind::Arrow)
            && self.class_of(function).is_some()
            && !data.name.is_empty()
        {
            for value in self.members_named(data.name, Some(function.file)) {
                for access in self.index(value.file).accesses(value.id) {
                    if let AccessKind::Called { call } = access.kind {
                        let call = value.with(call);
                        if found.iter().any(|caller: &Caller| caller.call == call) {
                            continue;
                        }
                        let targets = self.targets(call);
                        if targets.functions.contains(&function) {
                            found.push(Caller { call, weak: targets.weak });
                        }
                    }
                }
            }
        }
        found.sort_by_key(|caller| caller.call);
        found.dedup();
        found
    }
}
