//! What calls return: `new` of a class, what a project function returns with the caller's side put in, and what a promise
//! of one resolves to. A part of `resolve`.

use super::Origin;
use super::resolve::{Origins, Resolver, add};
use crate::model::{BindingKind, CallId, FunctionId, FunctionKind, In, Name, Value};

impl Resolver<'_, '_> {
    pub(super) fn result(&mut self, id: In<CallId>, found: &mut Origins) {
        let project = self.project;
        let call = project.call(id);
        let callee = id.with(call.callee);
        if let Value::Member(object, name) = project.value(callee)
            && !project.is_native(id.file)
            && !call.is_new
        {
            let object = id.with(*object);
            if name == "bind" {
                let inner = match self.origin(object) {
                    Origin::Function(function) => Some(function),
                    Origin::Bound(_, inner) => inner,
                    _ => None,
                };
                return add(found, Origin::Bound(id, inner));
            }
        }
        for origin in self.origins(callee) {
            match origin {
                Origin::Class(class) if call.is_new || project.is_native(id.file) => add(found, Origin::New(id, class)),
                Origin::Function(function) => self.returned(id, function, found),
                _ => self.outside(id, found),
            }
        }
        if found.is_empty() {
            add(found, Origin::Result(id));
        }
    }

    /// The result of a call of something outside: itself, or what its row says that it returns.
    fn outside(&mut self, id: In<CallId>, found: &mut Origins) {
        let returns = self.api(id).and_then(|api| api.returns);
        match returns.and_then(|part| self.project.part(id, part)) {
            Some(part) if part != id.with(self.project.call(id).callee) => {
                let before = found.len();
                self.join(part, found);
                if found.len() == before {
                    add(found, Origin::Result(id));
                }
            }
            _ => add(found, Origin::Result(id)),
        }
    }

    fn returned(&mut self, id: In<CallId>, function: In<FunctionId>, found: &mut Origins) {
        let project = self.project;
        let callee = project.function(function);
        if project.call(id).is_new
            && let Some(class) = project.index(function.file).constructed.get(&function.id)
        {
            return add(found, Origin::New(id, function.with(*class)));
        }
        if callee.is_async || callee.is_generator || !callee.has_body {
            return add(found, Origin::Result(id));
        }
        for value in project.index(function.file).returns[function.id.index()].clone() {
            for origin in self.origins(function.with(value)) {
                self.substitute(id, function, origin, found);
            }
        }
    }

    /// Puts the caller's side in for a callee's parameters and receiver.
    fn substitute(&mut self, id: In<CallId>, function: In<FunctionId>, origin: Origin, found: &mut Origins) {
        let project = self.project;
        let part = match origin {
            Origin::Parameter(parameter) if parameter.file == function.file => {
                let binding = project.binding(parameter);
                match binding.kind {
                    BindingKind::Parameter(index) if binding.function == function.id => project.argument(id, index),
                    _ => None,
                }
            }
            Origin::This(_) | Origin::Receiver(_) if project.function(function).kind != FunctionKind::Arrow => {
                project.receiver(id)
            }
            _ => None,
        };
        match part {
            Some(part) => self.join(part, found),
            None => add(found, origin),
        }
    }

    /// What the first parameter of a function gets that is handed to `promise.then(…)` of a promise that can be followed.
    pub(super) fn settled(&mut self, function: In<FunctionId>, found: &mut Origins) {
        let project = self.project;
        if project.is_native(function.file) {
            return;
        }
        for (call, argument) in project.handed_directly(function) {
            let name = project.method_name(call);
            if argument == 0
                && name.is_some_and(|name| name == "then")
                && let Some(promise) = project.receiver(call)
            {
                for origin in self.origins(promise) {
                    if matches!(origin, Origin::Result(_)) {
                        self.awaited(origin, found);
                    }
                }
                found.retain(|origin| !matches!(origin, Origin::Literal(_)));
            }
        }
    }

    pub(super) fn awaited(&mut self, origin: Origin, found: &mut Origins) {
        let project = self.project;
        let Origin::Result(call) = origin else {
            return add(found, origin);
        };
        let before = found.len();
        let callee = call.with(project.call(call).callee);
        let name = project.method_name(call).filter(|_| matches!(project.value(callee), Value::Member(..)));
        match name.as_deref() {
            // `Promise.resolve(x)`
            Some("resolve") if self.origin(callee) == Origin::External(Name::from("Promise.resolve")) => {
                if let Some(value) = project.argument(call, 0) {
                    self.join(value, found);
                }
            }
            // `promise.then(() => x)`
            Some("then") => {
                let then = project.argument(call, 0).map(|value| self.origins(value)).unwrap_or_default();
                for origin in then {
                    if let Origin::Function(function) = origin {
                        for value in project.index(function.file).returns[function.id.index()].clone() {
                            for origin in self.origins(function.with(value)) {
                                add(
                                    found,
                                    if let Origin::Result(inner) = origin { Origin::Resolved(inner) } else { origin },
                                );
                            }
                        }
                    }
                }
            }
            _ => {}
        }
        for target in self.origins(callee) {
            if let Origin::Function(function) = target
                && project.function(function).is_async
            {
                for value in project.index(function.file).returns[function.id.index()].clone() {
                    for origin in self.origins(function.with(value)) {
                        match origin {
                            Origin::Result(inner) => add(found, Origin::Resolved(inner)),
                            _ => self.substitute(call, function, origin, found),
                        }
                    }
                }
            }
        }
        if found.len() == before {
            add(found, Origin::Resolved(call));
        }
    }
}
