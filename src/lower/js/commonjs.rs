//! Exports of CommonJS files, as people write them and as compilers emit them, read off the finished steps.

use super::settle::Settling;
use crate::model::{Assign, Call, Exit, Export, Flow, FunctionId, Literal, Name, ObjectId, Step, Value, ValueId};
use crate::text::Span;

impl Settling {
    /// Finds what the file exports through `module.exports` and `exports`.
    pub fn commonjs(&mut self) {
        let assigns = std::mem::take(&mut self.assigns);
        for (_, assign) in &assigns {
            if self.is_exports(assign.place) {
                self.export_whole(assign.value, assign.span);
            } else if let Value::Member(object, name) = self.out.values[assign.place.index()]
                && self.means_exports(object)
                && !self.is_undefined(assign.value)
            {
                self.export(name, assign.value, assign.span);
            }
        }
        self.export_properties(&assigns);
        self.assigns = assigns;
        for at in 0..self.out.calls.len() {
            let call = self.out.calls[at].clone();
            self.export_call(&call);
        }
        // TypeScript's `export =` and the object's own properties.
        for at in 0..self.out.exports.len() {
            let export = self.out.exports[at];
            if export.name == "="
                && let Value::Object(object) = *self.resolved(export.value)
            {
                self.export_object(object, export.span);
            }
        }
    }

    /// `app.use = …` with `const app = module.exports = { … }`.
    fn export_properties(&mut self, assigns: &[(FunctionId, Assign)]) {
        let whole: Vec<ValueId> = self
            .out
            .exports
            .iter()
            .filter(|export| export.name == "=")
            .map(|export| self.resolve(export.value))
            .filter(|value| {
                matches!(self.out.values[value.index()], Value::Object(_) | Value::Function(_) | Value::Class(_))
            })
            .collect();
        if whole.is_empty() {
            return;
        }
        for (_, assign) in assigns {
            if let Value::Member(object, name) = self.out.values[assign.place.index()]
                && matches!(self.out.values[object.index()], Value::Binding(_))
                && whole.contains(&self.resolve(object))
                && name != "prototype"
            {
                self.export(name, assign.value, assign.span);
            }
        }
    }

    fn export(&mut self, name: Name, mut value: ValueId, span: Span) {
        // `module.exports = exports.default`, `module.exports.default = module.exports`.
        if self.means_exports(value) {
            match self.out.exports.iter().rev().find(|known| known.name == "=") {
                Some(whole) => value = whole.value,
                None => return,
            }
        } else if let Value::Member(object, _) = self.out.values[value.index()]
            && self.means_exports(object)
        {
            value = self.resolve(value);
        }
        if !self.out.exports.iter().rev().take(64).any(|known| known.name == name && known.value == value) {
            self.out.exports.push(Export { name, value, span });
        }
    }

    /// `module.exports = value`.
    fn export_whole(&mut self, value: ValueId, span: Span) {
        if self.means_exports(value) {
            return; // `exports = module.exports`
        }
        // esbuild: `module.exports = __toCommonJS(exports_object)`.
        if let Value::Result(call) = self.out.values[value.index()] {
            let call = self.out.calls[call.index()].clone();
            if self.callee_name(&call) == "__toCommonJS" {
                return;
            }
        }
        if let Value::Import(name) = *self.resolved(value) {
            self.out.includes.push(name);
        }
        self.export(Name::from("="), value, span);
    }

    fn export_object(&mut self, object: ObjectId, span: Span) {
        for property in self.out.objects[object.index()].properties.clone() {
            match property.name {
                Some(name) => self.export(name, property.value, span),
                None => self.include(property.value),
            }
        }
    }

    /// `...require('./x')`.
    fn include(&mut self, value: ValueId) {
        let value = match self.out.values[value.index()] {
            Value::Spread(inner) => inner,
            _ => value,
        };
        if let Value::Import(name) = *self.resolved(value) {
            self.out.includes.push(name);
        }
    }

    fn export_call(&mut self, call: &Call) {
        let name = self.callee_name(call);
        match (name.as_str(), &call.arguments[..]) {
            ("__exportStar" | "_export_star" | "__export", [module, target]) if self.means_exports(target.value) => {
                self.include(module.value);
            }
            ("__export", [module]) => self.include(module.value),
            // esbuild: `__export(object, { name: () => value })`, `__reExport(object, require('./x'))`.
            ("__export" | "_export", [_, getters]) => {
                if let Value::Object(object) = *self.resolved(getters.value) {
                    for property in self.out.objects[object.index()].properties.clone() {
                        if let (Some(name), Some(value)) = (property.name, self.returned(property.value)) {
                            self.export(name, value, call.span);
                        }
                    }
                }
            }
            ("__reExport", [_, module, ..]) => self.include(module.value),
            ("assign", [target, sources @ ..]) if self.means_exports(target.value) => {
                for source in sources {
                    match *self.resolved(source.value) {
                        Value::Object(object) => self.export_object(object, call.span),
                        _ => self.include(source.value),
                    }
                }
            }
            ("defineProperty", [target, key, descriptor]) if self.means_exports(target.value) => {
                if let Value::Literal(Literal::String(name)) = *self.resolved(key.value) {
                    self.export_descriptor(name, descriptor.value, call.span);
                }
            }
            // Babel: `Object.keys(module).forEach(function (key) { … exports … })`.
            ("forEach", [visit]) => {
                let Value::Function(function) = self.out.values[visit.value.index()] else { return };
                if let Some(module) = self.keys_of(call)
                    && self.mentions_exports(function)
                {
                    self.include(module);
                }
            }
            _ => {}
        }
    }

    fn export_descriptor(&mut self, name: Name, descriptor: ValueId, span: Span) {
        let Value::Object(object) = *self.resolved(descriptor) else { return };
        if name == "__esModule" {
            return;
        }
        let literal = self.out.objects[object.index()].clone();
        let value = match (literal.get("get"), literal.get("value")) {
            (Some(getter), _) => self.returned(getter),
            (None, value) => value,
        };
        if let Some(value) = value {
            self.export(name, value, span);
        }
    }

    /// What a function returns, where that is one value.
    fn returned(&self, function: ValueId) -> Option<ValueId> {
        let Value::Function(function) = *self.resolved(function) else { return None };
        let mut found = None;
        self.out.functions[function.index()].flow.walk(&mut |flow| {
            if let Flow::Exit(Exit::Return(Some(value)), _) = flow {
                found = Some(*value);
            }
        });
        found
    }

    /// The module of `Object.keys(module).forEach(…)`.
    fn keys_of(&self, call: &Call) -> Option<ValueId> {
        let Value::Member(keys, _) = self.out.values[call.callee.index()] else { return None };
        let Value::Result(keys) = self.out.values[keys.index()] else { return None };
        let keys = &self.out.calls[keys.index()];
        if self.callee_name(keys) != "keys" {
            return None;
        }
        let module = keys.arguments.first()?.value;
        matches!(self.resolved(module), Value::Import(_)).then_some(module)
    }

    fn mentions_exports(&self, function: FunctionId) -> bool {
        let mut found = false;
        self.out.functions[function.index()].flow.walk(&mut |flow| match flow {
            Flow::Step(Step::Assign(assign)) => {
                if let Value::Index(object, _) | Value::Member(object, _) = self.out.values[assign.place.index()] {
                    found |= self.means_exports(object);
                }
            }
            Flow::Step(Step::Call(call)) => {
                let first = self.out.calls[call.index()].arguments.first();
                found |= first.is_some_and(|first| self.means_exports(first.value));
            }
            _ => {}
        });
        found
    }

    /// `module.exports` or `exports` itself.
    pub fn is_exports(&self, id: ValueId) -> bool {
        match self.out.values[id.index()] {
            Value::Global(name) => name == "exports",
            Value::Member(object, name) => {
                name == "exports"
                    && matches!(self.out.values[object.index()], Value::Global(module) if module == "module")
            }
            _ => false,
        }
    }

    /// Likewise, or a variable that holds it.
    fn means_exports(&self, id: ValueId) -> bool {
        if self.is_exports(id) {
            return true;
        }
        match self.out.values[id.index()] {
            Value::Binding(binding) => {
                self.out.bindings[binding.index()].value.is_some_and(|value| self.is_exports(value))
            }
            _ => false,
        }
    }

    fn is_undefined(&self, id: ValueId) -> bool {
        matches!(self.out.values[id.index()], Value::Literal(Literal::Undefined))
    }
}
