//! Classes that are built on prototypes by hand or by a compiler, read off the finished assignments and calls.

use super::class::blank_class;
use super::settle::Settling;
use crate::model::{
    Assign, Call, CallId, ClassId, FunctionId, FunctionKind, Literal, Method, Name, ObjectId, Value, ValueId,
};
use rustc_hash::FxHashMap;

/// Calls that make their first argument extend their second.
const INHERIT: &[&str] = &["inherits", "__extends", "_inherits", "_inheritsLoose", "_inherits_loose", "_extends"];

/// Calls that copy properties into their first argument.
const MIX_IN: &[&str] = &["assign", "extend", "mixin", "_extends"];

/// Calls that define methods from lists of `{ key, value }`.
const DEFINE: &[&str] = &["_createClass", "_create_class"];

impl Settling {
    /// Finds the classes.
    pub fn prototypes(&mut self) {
        let mut found = Prototypes { of: FxHashMap::default() };
        for class in 0..self.out.classes.len() {
            let class = ClassId(class as u32);
            for &constructor in &self.out.classes[class.index()].constructors {
                found.of.insert(constructor, class);
            }
        }
        let assigns = std::mem::take(&mut self.assigns);
        for (_, assign) in &assigns {
            found.assignment(self, assign);
        }
        for at in 0..self.out.calls.len() {
            found.call(self, CallId(at as u32));
            self.extended(CallId(at as u32));
        }
        found.constructed(self, &assigns);
        for (_, assign) in &assigns {
            self.own_method(assign);
        }
        for (_, assign) in &assigns {
            found.static_member(self, assign);
        }
        self.assigns = assigns;
        for binding in 0..self.out.bindings.len() {
            let Some(value) = self.out.bindings[binding].value else { continue };
            if let Value::Class(class) = *self.resolved(value)
                && self.out.classes[class.index()].name.is_empty()
            {
                self.out.classes[class.index()].name = self.out.bindings[binding].name;
            }
        }
        for (&function, &class) in &found.of {
            let value = self.value(Value::Function(function));
            self.replace(value, Value::Class(class));
        }
    }

    fn add_base(&mut self, class: ClassId, base: ValueId) {
        let bases = &mut self.out.classes[class.index()].bases;
        if !bases.contains(&base) {
            bases.push(base);
        }
    }

    /// The functions of an object as methods.
    fn add_methods(&mut self, class: ClassId, object: ObjectId) {
        for property in self.out.objects[object.index()].properties.clone() {
            if let Some(name) = property.name.filter(|name| *name != "constructor") {
                self.add_method(class, name, property.value, false);
            }
        }
    }

    fn add_method(&mut self, class: ClassId, name: Name, value: ValueId, is_static: bool) {
        let Value::Function(function) = *self.resolved(value) else { return };
        let lowered = &mut self.out.functions[function.index()];
        if lowered.class.is_none() {
            lowered.class = Some(class);
            lowered.is_static = is_static;
            if lowered.kind == FunctionKind::Plain {
                lowered.kind = FunctionKind::Method;
            }
        }
        let methods = &mut self.out.classes[class.index()].methods;
        if !methods.iter().any(|method| method.function == function && method.name == name) {
            methods.push(Method { name, function, is_static });
        }
    }

    /// `Object.defineProperty(X.prototype, 'name', { get, set, value })`.
    fn define_property(&mut self, class: ClassId, key: ValueId, call: &Call) {
        let Value::Literal(Literal::String(name)) = *self.resolved(key) else { return };
        let Some(descriptor) = call.arguments.get(2) else { return };
        let Value::Object(object) = *self.resolved(descriptor.value) else { return };
        for part in ["get", "set", "value"] {
            let Some(value) = self.out.objects[object.index()].get(part) else { continue };
            self.add_method(class, name, value, false);
            if let (Value::Function(function), true) = (self.resolved(value).clone(), part != "value") {
                self.out.functions[function.index()].kind = FunctionKind::Accessor;
            }
        }
    }

    /// `[{ key: 'name', value: function () { … } }, …]`.
    fn defined(&mut self, class: ClassId, list: ValueId, is_static: bool) {
        let Value::Array(_, elements) = self.resolved(list).clone() else { return };
        for element in elements {
            let Value::Object(object) = *self.resolved(element) else { continue };
            let literal = self.out.objects[object.index()].clone();
            let Some(key) = literal.get("key") else { continue };
            let Value::Literal(Literal::String(name)) = *self.resolved(key) else { continue };
            for part in ["value", "get", "set"] {
                let Some(value) = literal.get(part) else { continue };
                self.add_method(class, name, value, is_static);
                if let (Value::Function(function), true) = (self.resolved(value).clone(), part != "value") {
                    self.out.functions[function.index()].kind = FunctionKind::Accessor;
                }
            }
        }
    }

    /// `Base.extend({ … })`: a class of the object's functions.
    fn extended(&mut self, id: CallId) {
        let call = &self.out.calls[id.index()];
        let (Value::Member(base, name), [only]) = (&self.out.values[call.callee.index()], &call.arguments[..]) else {
            return;
        };
        let (base, span) = (*base, call.span);
        let base_name = match &self.out.values[base.index()] {
            Value::Member(_, name) | Value::Global(name) => *name,
            Value::Binding(binding) => self.out.bindings[binding.index()].name,
            _ => return,
        };
        let Value::Object(object) = self.out.values[only.value.index()] else { return };
        if *name != "extend" || !base_name.starts_with(char::is_uppercase) {
            return;
        }
        let has_methods = self.out.objects[object.index()]
            .properties
            .iter()
            .any(|property| matches!(self.resolved(property.value), Value::Function(_)));
        if !has_methods {
            return;
        }
        let class = ClassId(self.out.classes.len() as u32);
        let mut blank = blank_class(Name::default(), span);
        blank.bases.push(base);
        self.out.classes.push(blank);
        self.add_methods(class, object);
        let result = self.value(Value::Result(id));
        self.replace(result, Value::Class(class));
    }

    /// `this.name = function () { … }` in a class's own code.
    fn own_method(&mut self, assign: &Assign) {
        let Value::Member(object, name) = self.out.values[assign.place.index()] else { return };
        let Value::This(owner) = *self.resolved(object) else { return };
        let Value::Function(function) = self.out.values[assign.value.index()] else { return };
        if let Some(class) = self.out.functions[owner.index()].class
            && self.out.functions[function.index()].kind == FunctionKind::Plain
        {
            self.add_method(class, name, assign.value, false);
        }
    }

    /// The last name of what a call calls.
    pub fn callee_name(&self, call: &Call) -> Name {
        match &self.out.values[call.callee.index()] {
            Value::Member(_, name) | Value::Global(name) => *name,
            Value::Binding(binding) => self.out.bindings[binding.index()].name,
            _ => Name::default(),
        }
    }
}

struct Prototypes {
    /// Classes by their constructor functions.
    of: FxHashMap<FunctionId, ClassId>,
}

impl Prototypes {
    /// The class that a value is; a plain function becomes one.
    fn class(&mut self, settling: &mut Settling, id: ValueId) -> Option<ClassId> {
        match *settling.resolved(id) {
            Value::Class(class) => Some(class),
            Value::Function(function) => Some(self.class_of(settling, function)),
            _ => None,
        }
    }

    fn class_of(&mut self, settling: &mut Settling, function: FunctionId) -> ClassId {
        if let Some(&class) = self.of.get(&function) {
            return class;
        }
        let class = ClassId(settling.out.classes.len() as u32);
        let constructor = &mut settling.out.functions[function.index()];
        let mut blank = blank_class(constructor.name, constructor.span);
        blank.constructors.push(function);
        constructor.class = Some(class);
        constructor.kind = FunctionKind::Constructor;
        settling.out.classes.push(blank);
        self.of.insert(function, class);
        class
    }

    /// The owner of `X.prototype`.
    fn prototype(&mut self, settling: &mut Settling, id: ValueId) -> Option<ClassId> {
        let owner = Self::prototype_owner(settling, id)?;
        self.class(settling, owner)
    }

    fn prototype_owner(settling: &Settling, id: ValueId) -> Option<ValueId> {
        let owner = |id: ValueId| match settling.out.values[id.index()] {
            Value::Member(object, name) if name == "prototype" => Some(object),
            _ => None,
        };
        if let Some(owner) = owner(id) {
            return Some(owner);
        }
        // `var proto = X.prototype`
        let Value::Binding(binding) = settling.out.values[id.index()] else { return None };
        settling.out.bindings[binding.index()].value.and_then(owner)
    }

    fn assignment(&mut self, settling: &mut Settling, assign: &Assign) {
        let (object, name) = match settling.out.values[assign.place.index()] {
            Value::Member(object, name) => (object, Some(name)),
            Value::Index(object, _) => (object, None),
            // `var proto = X.prototype = { … }` is found by the inner assignment.
            _ => return,
        };
        if name.is_some_and(|name| name == "prototype") {
            return self.whole_prototype(settling, object, assign.value);
        }
        let Some(class) = self.prototype(settling, object) else { return };
        if name.is_some_and(|name| name == "__proto__") {
            if let Some(base) = Self::prototype_owner(settling, assign.value) {
                settling.add_base(class, base);
            }
            return;
        }
        if let Some(name) = name.filter(|name| *name != "constructor") {
            settling.add_method(class, name, assign.value, false);
        }
    }

    /// `X.prototype = value`.
    fn whole_prototype(&mut self, settling: &mut Settling, owner: ValueId, value: ValueId) {
        let Some(class) = self.class(settling, owner) else { return };
        if let Some(base) = Self::prototype_owner(settling, value) {
            return settling.add_base(class, base);
        }
        match *settling.resolved(value) {
            Value::Object(object) => settling.add_methods(class, object),
            Value::Result(call) => {
                let call = settling.out.calls[call.index()].clone();
                if call.is_new {
                    return settling.add_base(class, call.callee);
                }
                let first = call.arguments.first().map(|argument| argument.value);
                if let Some(base) = first.and_then(|first| Self::prototype_owner(settling, first)) {
                    settling.add_base(class, base);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, settling: &mut Settling, id: CallId) {
        let call = settling.out.calls[id.index()].clone();
        let [first, second, ..] = &call.arguments[..] else { return };
        let (first, second) = (first.value, second.value);
        let name = Self::known_name(settling, &call);
        if INHERIT.contains(&name.as_str())
            && !matches!(settling.resolved(second), Value::Object(_))
            && let Value::Function(_) | Value::Class(_) = settling.resolved(first)
        {
            if let Some(class) = self.class(settling, first) {
                settling.add_base(class, second);
            }
            return;
        }
        if DEFINE.contains(&name.as_str()) {
            if let Some(class) = self.class(settling, first) {
                settling.defined(class, second, false);
                if let Some(statics) = call.arguments.get(2) {
                    settling.defined(class, statics.value, true);
                }
            }
            return;
        }
        let Some(class) = self.prototype_named(settling, name, first) else { return };
        match name.as_str() {
            "setPrototypeOf" => {
                if let Some(base) = Self::prototype_owner(settling, second) {
                    settling.add_base(class, base);
                }
            }
            "defineProperty" => settling.define_property(class, second, &call),
            _ => {
                for argument in &call.arguments[1..] {
                    if let Some(base) = Self::prototype_owner(settling, argument.value) {
                        settling.add_base(class, base);
                    } else if let Value::Object(object) = *settling.resolved(argument.value) {
                        settling.add_methods(class, object);
                    }
                }
            }
        }
    }

    /// The name of the callee; of a function that is a module of its own, that of the module (`lodash/assign`).
    fn known_name(settling: &Settling, call: &Call) -> Name {
        let name = settling.callee_name(call);
        let callee = match *settling.resolved(call.callee) {
            Value::Member(module, name) if name == "default" => module,
            _ => call.callee,
        };
        match *settling.resolved(callee) {
            Value::Import(module) => Name::from(module.rsplit(['/', '.', '-']).next().unwrap_or_default()),
            _ => name,
        }
    }

    /// The class whose prototype is the first argument of a call that defines something on it.
    fn prototype_named(&mut self, settling: &mut Settling, name: Name, first: ValueId) -> Option<ClassId> {
        if matches!(name.as_str(), "setPrototypeOf" | "defineProperty") || MIX_IN.contains(&name.as_str()) {
            return self.prototype(settling, first);
        }
        None
    }

    /// A function that assigns to its `this` is a class where it is called with `new` in the file, or has a class's name.
    fn constructed(&mut self, settling: &mut Settling, assigns: &[(FunctionId, Assign)]) {
        let mut fills_receiver = rustc_hash::FxHashSet::default();
        for (_, assign) in assigns {
            if let Value::Member(object, _) = settling.out.values[assign.place.index()]
                && let Value::This(function) = *settling.resolved(object)
            {
                fills_receiver.insert(function);
            }
        }
        for at in 0..settling.out.functions.len() {
            let function = &settling.out.functions[at];
            let id = FunctionId(at as u32);
            if function.kind == FunctionKind::Plain
                && function.name.starts_with(char::is_uppercase)
                && fills_receiver.contains(&id)
            {
                self.class_of(settling, id);
            }
        }
        for at in 0..settling.out.calls.len() {
            if !settling.out.calls[at].is_new {
                continue;
            }
            let callee = settling.out.calls[at].callee;
            if let Value::Function(function) = *settling.resolved(callee)
                && settling.out.functions[function.index()].kind == FunctionKind::Plain
                && fills_receiver.contains(&function)
            {
                self.class_of(settling, function);
            }
        }
    }

    /// `X.name = function () { … }` of a class.
    fn static_member(&mut self, settling: &mut Settling, assign: &Assign) {
        let Value::Member(object, name) = settling.out.values[assign.place.index()] else { return };
        if name == "prototype" || name == "super_" {
            return;
        }
        let class = match *settling.resolved(object) {
            Value::Class(class) => Some(class),
            Value::Function(function) => self.of.get(&function).copied(),
            _ => None,
        };
        let Some(class) = class else { return };
        if let Value::Function(function) = *settling.resolved(assign.value)
            && settling.out.functions[function.index()].class.is_none()
        {
            settling.add_method(class, name, assign.value, true);
        }
    }
}
