//! The catalog's view of values and calls: which type a value has, which row a call is.

use super::memo::{Ask, guarded};
use super::resolve::{Resolver, single};
use super::{AccessKind, Key, Origin, Project};
use crate::model::contract::{By, Spoken};
use crate::model::contracts::View;
use crate::model::{
    Api, BindingId, BindingKind, CallId, ClassId, Holder, In, Literal, Name, Type, TypeFacts, Value, ValueId,
};
use crate::text::FileId;
use rustc_hash::FxHashSet;

impl<'a> Project<'a> {
    /// The catalog as the code of a file sees it.
    pub(super) fn rows(&self, file: FileId) -> View<'a> {
        self.contracts.speaking(if self.is_native(file) { Spoken::C } else { Spoken::Js })
    }

    /// The catalog type of a value: by what made it, by its class, by its declaration, by the event that hands it over.
    pub fn ty(&self, value: In<ValueId>) -> Option<&'a Type> {
        self.resolver().ty(value)
    }

    /// Whether the type of a value is, or extends, one of a family.
    pub fn is_family(&self, value: In<ValueId>, family: &str) -> bool {
        self.ty(value).is_some_and(|ty| self.contracts.is_family(ty, family))
    }

    /// The path of what a call calls, with or without a catalog row: `fs.open`, `net.Socket#destroy`, `new ws.WebSocket`.
    /// None for calls of project functions and of what cannot be followed.
    pub fn path(&self, call: In<CallId>) -> Option<Name> {
        self.resolver().path(call)
    }

    /// The catalog row of a call; none for calls of project functions. C++ `new T` is the row of `T`'s constructor; what
    /// `new` itself does is [`Project::operator`].
    pub fn api(&self, call: In<CallId>) -> Option<&'a Api> {
        self.resolver().api(call)
    }

    /// How a call hands over what its row says it gives: a function that takes a callback gives a promise where it was
    /// promisified, or is awaited.
    pub(super) fn by(&self, call: In<CallId>, api: &Api) -> By {
        self.resolver().by(call, api)
    }

    /// The row of C++ `operator new` or `operator new[]` that a `new` expression runs.
    pub fn operator(&self, call: In<CallId>) -> Option<&'a Api> {
        let data = self.call(call);
        if !data.is_new || data.is_placement || !self.is_native(call.file) {
            return None;
        }
        self.rows(call.file).api(if data.is_array_new { "operator new[]" } else { "operator new" })
    }

    /// The project class that a value is an instance of: by what made it, or by its declaration.
    pub fn class_of_value(&self, value: In<ValueId>) -> Option<In<ClassId>> {
        self.resolver().class_of_value(value)
    }

    /// The catalog type that a project class extends.
    pub fn class_type(&self, class: In<ClassId>) -> Option<&'a Type> {
        self.memos.class_types.ask(Ask::ClassType, class, || {
            let mut classes = std::iter::once(class).chain(self.bases(class));
            classes.find_map(|class| {
                self.class(class).bases.iter().find_map(|base| self.base_type(class, class.with(*base)))
            })
        })
    }

    fn base_type(&self, class: In<ClassId>, base: In<ValueId>) -> Option<&'a Type> {
        if self.is_native(base.file) {
            let name = self.native_name(base)?;
            // A class of the project that has the bare name of a known one, and extends another.
            let own = self.classes.native(base.file, &name);
            let own = own.filter(|own| !self.class(*own).bases.is_empty() && self.canonical_class(*own) != class);
            return own.and_then(|own| self.class_type(own)).or_else(|| self.rows(base.file).ty(&name));
        }
        let mut resolver = self.resolver();
        resolver.shallow = true;
        match resolver.origin(base) {
            Origin::External(path) => self.rows(base.file).ty(&path),
            _ => None,
        }
    }

    /// `events.EventEmitter#on` of `super.on()` in a class that extends it.
    fn inherited_path(&self, call: In<CallId>, path: &str) -> Option<String> {
        let method = path.strip_prefix("super.")?;
        let class = self.enclosing_class(call.with(self.call(call).function))?;
        let ty = self.class_type(class)?;
        self.contracts.method(ty, method).map(|_| format!("{}#{method}", ty.name))
    }

    /// The catalog type of a name as code of a file writes types.
    pub fn named_type(&self, file: FileId, name: &str) -> Option<&'a Type> {
        self.rows(file).ty(name)
    }

    /// The catalog row of a static function of a named class.
    pub fn named_method(&self, file: FileId, class: &str, method: &str) -> Option<&'a Api> {
        self.rows(file).api(&format!("{class}::{method}"))
    }

    /// The catalog type that a declaration names.
    pub fn declared_type(&self, file: FileId, facts: &TypeFacts) -> Option<&'a Type> {
        if self.is_native(file) {
            let of =
                |name: &str| self.rows(file).ty(name).or_else(|| self.class_type(self.declared_class(file, name)?));
            return of(&facts.name).or_else(|| {
                (facts.holder == Holder::Smart).then(|| facts.arguments.first().and_then(|name| of(name)))?
            });
        }
        let (head, rest) = match facts.name.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (&*facts.name, None),
        };
        let summary = self.summary(file);
        let found = Name::from_existing(head).and_then(|name| {
            let scope = summary.scopes.first()?;
            scope.bindings.iter().copied().find(|binding| summary.binding(*binding).name == name)
        });
        let Some(value) = found.and_then(|binding| summary.binding(binding).value) else {
            return if found.is_some() { None } else { self.rows(file).ty(&facts.name) };
        };
        let mut resolver = self.resolver();
        resolver.shallow = true;
        match (resolver.origin(In::new(file, value)), rest) {
            (Origin::External(path), None) => self.rows(file).ty(&path),
            (Origin::External(path), Some(rest)) => self.rows(file).ty(&format!("{path}.{rest}")),
            (Origin::Class(class), None) => self.class_type(class),
            _ => None,
        }
    }
}

impl<'a> Resolver<'_, 'a> {
    /// See [`Project::api`].
    pub(super) fn api(&mut self, call: In<CallId>) -> Option<&'a Api> {
        if self.shallow {
            return None;
        }
        let project = self.project;
        project.memos.apis.ask(Ask::Api, call, || self.find_path(call).and_then(|path| self.row(call, &path)))
    }

    fn row(&self, call: In<CallId>, path: &str) -> Option<&'a Api> {
        let contracts = self.project.rows(call.file);
        let data = self.project.call(call);
        let arguments = data.arguments.len();
        let of_type = data.template_type.and_then(|ty| contracts.call(&format!("{path}<{ty}>"), arguments));
        let found = of_type.or_else(|| contracts.call(path, arguments));
        if !data.is_new {
            return found;
        }
        let class = path.strip_prefix("new ")?;
        found.or_else(|| self.project.is_native(call.file).then(|| contracts.call(class, arguments))?)
    }

    /// `net.Socket#destroy` of a callee that is a method of a typed value.
    fn method_path(&mut self, callee: In<ValueId>) -> Option<String> {
        let Value::Member(object, name) = self.project.value(callee) else { return None };
        Some(format!("{}#{name}", self.ty(callee.with(*object))?.name))
    }

    /// `fs.open` of `disk.open` where some caller passes `fs` for the parameter `disk`: whatever others pass, has to be like it.
    fn dependency_path(&mut self, callee: In<ValueId>) -> Option<String> {
        let project = self.project;
        let Value::Member(object, name) = project.value(callee) else { return None };
        let Value::Binding(binding) = project.value(callee.with(*object)) else { return None };
        let parameter = callee.with(*binding);
        if self.shallow
            || project.is_native(callee.file)
            || !matches!(project.binding(parameter).kind, BindingKind::Parameter(_))
        {
            return None;
        }
        project.arguments_of(parameter).into_iter().find_map(|argument| {
            let Origin::External(module) = self.origin(argument) else { return None };
            let path = format!("{module}.{name}");
            project.rows(callee.file).api(&path).filter(|api| api.registers.is_none()).map(|_| path)
        })
    }

    /// What the methods called on a value tell of it, where nothing else does.
    fn duck(&mut self, value: In<ValueId>) -> Option<&'a Type> {
        let project = self.project;
        if !matches!(
            project.value(value),
            Value::Binding(_) | Value::Global(_) | Value::Member(..) | Value::Index(..) | Value::This(_)
        ) {
            return None;
        }
        let rows = project.rows(value.file);
        let told = project.uses(value).iter().filter_map(|access| match access.kind {
            AccessKind::Method { call, key: Key::Name(name) } => {
                let told = rows.duck(&name)?;
                let event = project.argument(access.of(call), 0).map(|event| project.value(event));
                let telling = match event {
                    Some(Value::Literal(Literal::String(event))) => rows.duck(&format!("'{event}'")),
                    _ => None,
                };
                Some(
                    telling
                        .filter(|ty| project.contracts.bases(ty).any(|base| std::ptr::eq(base, told)))
                        .unwrap_or(told),
                )
            }
            _ => None,
        });
        // What is piped is a stream, though it also has listeners.
        told.reduce(|a, b| if project.contracts.bases(b).any(|base| std::ptr::eq(base, a)) { b } else { a })
    }

    /// See [`Project::path`].
    pub(super) fn path(&mut self, call: In<CallId>) -> Option<Name> {
        self.find_path(call).map(|path| Name::from(&path))
    }

    fn find_path(&mut self, id: In<CallId>) -> Option<String> {
        let project = self.project;
        let call = project.call(id);
        let callee = id.with(call.callee);
        let prefix = if call.is_new { "new " } else { "" };
        let origins = self.origins(callee);
        if origins.iter().any(|origin| matches!(origin, Origin::Function(_) | Origin::Class(_))) {
            return None;
        }
        if let Some(path) = origins.iter().find_map(|origin| match origin {
            Origin::External(path) => Some(*path),
            Origin::Result(made) => self.promisified(*made),
            _ => None,
        }) {
            if let Some(used) = self.in_used_namespace(id, &format!("{prefix}{path}")) {
                return Some(used);
            }
            let path = format!("{prefix}{path}");
            if project.rows(id.file).api(&path).is_some() {
                return Some(path);
            }
            // A method of a ready-made thing: `process.stdout.on`.
            return self
                .method_path(callee)
                .filter(|_| !call.is_new)
                .or_else(|| project.inherited_path(id, &path))
                .or(Some(path));
        }
        if let Some(path) = self.method_path(callee).or_else(|| self.dependency_path(callee)) {
            return Some(path);
        }
        let ty = self.ty(callee)?;
        Some(format!("{}#()", ty.name))
    }

    /// `Buffer::New` in a file that says `using namespace Napi`, where that namespace has such a function.
    fn in_used_namespace(&self, call: In<CallId>, path: &str) -> Option<String> {
        let project = self.project;
        let usings = &project.summary(call.file).usings;
        usings.iter().map(|space| format!("{space}::{path}")).find(|full| project.rows(call.file).api(full).is_some())
    }

    /// The path of the function that a call makes into one that gives a promise: `fs.open` of `util.promisify(fs.open)`.
    fn promisified(&mut self, made: In<CallId>) -> Option<Name> {
        let project = self.project;
        if project.is_native(made.file) {
            return None;
        }
        let argument = project.argument(made, self.api(made)?.promisifies?)?;
        self.origins(argument).iter().find_map(|origin| match origin {
            Origin::External(path) => Some(*path),
            _ => None,
        })
    }

    /// See [`Project::by`].
    fn by(&mut self, call: In<CallId>, api: &Api) -> By {
        let data = self.project.call(call);
        let promised = matches!(api.by, By::Callback(_))
            && (data.is_awaited
                || self.origins(call.with(data.callee)).iter().any(|origin| match origin {
                    Origin::Result(made) => self.promisified(*made).is_some(),
                    _ => false,
                }));
        if promised { By::Promise } else { api.by.clone() }
    }

    /// See [`Project::ty`].
    pub(super) fn ty(&mut self, value: In<ValueId>) -> Option<&'a Type> {
        let project = self.project;
        project.memos.types.ask(Ask::Type, value, || {
            let origins = self.origins(value);
            let known = origins.iter().find_map(|origin| self.type_of(*origin)).or_else(|| self.declared(value));
            known.or_else(|| self.duck(value))
        })
    }

    /// By the declaration of the variable or field itself.
    fn declared(&mut self, value: In<ValueId>) -> Option<&'a Type> {
        let project = self.project;
        match project.value(value) {
            Value::Binding(binding) => {
                let facts = project.summary(value.file).binding(*binding).ty.as_ref()?;
                project.declared_type(value.file, facts)
            }
            Value::Member(object, name) => self.member_type(value.with(*object), *name),
            Value::Address(inner) | Value::Deref(inner) | Value::Moved(inner) => self.ty(value.with(*inner)),
            Value::Choice(parts) => parts.iter().find_map(|part| self.ty(value.with(*part))),
            // `socket.on(…).on(…)`: the result of a fluent method is what it was called on.
            Value::Result(call) => {
                let call = value.with(*call);
                let part = self.api(call)?.returns?;
                self.ty(project.part(call, part)?)
            }
            _ => None,
        }
    }

    fn member_type(&mut self, object: In<ValueId>, name: Name) -> Option<&'a Type> {
        let project = self.project;
        if let Some(class) = self.class_of_value(object)
            && let Some((class, facts)) = project.field_type(class, &name)
            && let Some(found) = project.declared_type(class.file, facts)
        {
            return Some(found);
        }
        let ty = self.ty(object)?;
        let member = project.contracts.bases(ty).find_map(|ty| ty.members.get(&*name))?;
        project.contracts.ty(member)
    }

    fn type_of(&mut self, origin: Origin) -> Option<&'a Type> {
        let project = self.project;
        let contracts = project.contracts;
        match origin {
            Origin::Result(call) => self.result_type(call),
            Origin::Resolved(call) => {
                let api = self.api(call)?;
                let promised = api.gives.is_some() && self.by(call, api) == By::Promise;
                let given = api.gives.as_ref().filter(|_| promised).or(api.returns_type.as_ref())?;
                contracts.ty(given)
            }
            Origin::New(_, class) | Origin::This(class) => project.class_type(class),
            Origin::External(path) => project.contracts.value(&path).or_else(|| {
                // Of a module that is a file of some kind: `./build/Release/port.node`.
                let (_, ending) = path.rsplit_once('.')?;
                project.contracts.value(&format!(".{ending}"))
            }),
            Origin::Parameter(parameter) => self.parameter_type(parameter),
            Origin::Variable(variable) => {
                let facts = project.binding(variable).ty.as_ref()?;
                project.declared_type(variable.file, facts)
            }
            Origin::Part(value) => match project.value(value) {
                Value::Member(object, name) => self.member_type(value.with(*object), *name),
                Value::Deref(inner) => self.ty(value.with(*inner)),
                _ => None,
            },
            Origin::Array(_) => contracts.ty("Array"),
            _ => None,
        }
    }

    fn result_type(&mut self, call: In<CallId>) -> Option<&'a Type> {
        let project = self.project;
        let contracts = project.contracts;
        if let Some(api) = self.api(call) {
            let given = api.gives.as_ref().filter(|_| api.by == By::Return);
            if let Some(found) = given.or(api.returns_type.as_ref()).and_then(|name| contracts.ty(name)) {
                return Some(found);
            }
        }
        if project.call(call).is_new {
            let path = self.find_path(call)?;
            return project.rows(call.file).ty(path.strip_prefix("new ")?);
        }
        None
    }

    fn parameter_type(&mut self, parameter: In<BindingId>) -> Option<&'a Type> {
        let project = self.project;
        let binding = project.binding(parameter);
        if let Some(found) = binding.ty.as_ref().and_then(|facts| project.declared_type(parameter.file, facts)) {
            return Some(found);
        }
        let BindingKind::Parameter(index) = binding.kind else { return None };
        if project.is_native(parameter.file) {
            return None;
        }
        guarded(Ask::Receiver, &(parameter, index), || {
            self.handed_type(parameter, index).or_else(|| self.argument_type(parameter, index))
        })
        .or_else(|| self.named_type(parameter, index))
    }

    /// By its name: `(req, res)` side by side, or a `req` whose socket is asked for, are HTTP messages everywhere.
    fn named_type(&self, parameter: In<BindingId>, index: u16) -> Option<&'a Type> {
        let summary = self.project.summary(parameter.file);
        let binding = summary.binding(parameter.id);
        let is = |name: &str, names: &[&str]| names.contains(&name.trim_start_matches('_'));
        let request = is(&binding.name, &["req", "request"]);
        let response = is(&binding.name, &["res", "response"]);
        if !request && !response {
            return None;
        }
        let parameters = &summary.function(binding.function).parameters;
        let name = |at: u16| parameters.get(at as usize).map(|other| summary.binding(*other).name);
        let paired = match index.checked_sub(1).filter(|_| response) {
            Some(before) => name(before).is_some_and(|name| is(&name, &["req", "request"])),
            None => request && name(index + 1).is_some_and(|name| is(&name, &["res", "response"])),
        };
        // `request.connection` may as well be that of a database, `response.socket` one that was upgraded.
        let short = is(&binding.name, &["req"]);
        let has_socket = || {
            summary.values.iter().any(|value| match value {
                Value::Member(object, name) if short && (name == "socket" || name == "connection") => {
                    matches!(summary.value(*object), Value::Binding(b) if *b == parameter.id)
                }
                _ => false,
            })
        };
        let name = if paired && response { "http.ServerResponse" } else { "http.IncomingMessage" };
        (paired || has_socket()).then(|| self.project.contracts.ty(name))?
    }

    /// By the API that the function is handed to.
    fn handed_type(&mut self, parameter: In<BindingId>, index: u16) -> Option<&'a Type> {
        let project = self.project;
        let function = parameter.with(project.binding(parameter).function);
        for (call, argument) in project.handed_directly(function) {
            let data = project.call(call);
            let last = data.arguments.len().checked_sub(1) == Some(argument as usize);
            if let Some(api) = self.api(call) {
                if let By::Callback(at) = api.by
                    && at == index
                    && last
                    && let Some(ty) = api.gives.as_ref().and_then(|name| project.contracts.ty(name))
                {
                    return Some(ty);
                }
                let ty = api
                    .registers
                    .as_ref()
                    .filter(|registers| registers.handler == Some(argument))
                    .and_then(|registers| self.project.event_parameters(call, registers))
                    .and_then(|types| types.get(index as usize))
                    .and_then(|name| project.contracts.ty(name));
                if ty.is_some() {
                    return ty;
                }
                let ty = project
                    .rows_of(call, api, argument)
                    .find_map(|row| row.parameters.get(index as usize))
                    .filter(|name| !name.is_empty())
                    .and_then(|name| project.contracts.ty(name));
                if ty.is_some() {
                    return ty;
                }
            }
            if index == 0 && argument == 0 && project.method_name(call).is_some_and(|name| name == "then") {
                let promise = project.receiver(call)?;
                for origin in self.origins(promise) {
                    if let Origin::Result(call) = origin
                        && let Some(found) = self.type_of(Origin::Resolved(call))
                    {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// By what the callers in the project pass, where they agree.
    fn argument_type(&mut self, parameter: In<BindingId>, index: u16) -> Option<&'a Type> {
        let project = self.project;
        let function = parameter.with(project.binding(parameter).function);
        let mut found: Option<&'a Type> = None;
        for caller in project.callers(function).iter().filter(|caller| !caller.weak).take(8) {
            let ty = self.ty(project.argument(caller.call, index)?)?;
            if found.is_some_and(|found| found.name != ty.name) {
                return None;
            }
            found = Some(ty);
        }
        found
    }

    /// See [`Project::class_of_value`].
    pub(super) fn class_of_value(&mut self, value: In<ValueId>) -> Option<In<ClassId>> {
        let project = self.project;
        if let Value::This(_) = project.value(value) {
            return match self.origin(value) {
                Origin::This(class) => Some(class),
                _ => None,
            };
        }
        match single(&self.origins(value)) {
            Origin::This(class) | Origin::New(_, class) => return Some(class),
            _ => {}
        }
        let (file, facts) = self.declaration(value)?;
        project.declared_class(file, &facts.name).or_else(|| {
            (facts.holder == Holder::Smart).then(|| project.declared_class(file, facts.arguments.first()?))?
        })
    }

    /// What the declaration behind a value says of its type.
    pub(super) fn declaration(&mut self, value: In<ValueId>) -> Option<(FileId, &TypeFacts)> {
        let project = self.project;
        match project.value(value) {
            Value::Binding(binding) => {
                let binding = project.summary(value.file).binding(*binding);
                match (binding.ty.as_ref()?, binding.value) {
                    // `auto* x = f()`: the type is what it receives.
                    (ty, Some(given)) if ty.name == "auto" => {
                        guarded(Ask::Other, &value, || self.declaration(value.with(given)))
                    }
                    (ty, _) => Some((value.file, ty)),
                }
            }
            Value::Member(object, name) => {
                let class = guarded(Ask::Other, &value, || self.class_of_value(value.with(*object)));
                project.field_type(class?, name).map(|(class, facts)| (class.file, facts))
            }
            Value::Address(inner) | Value::Deref(inner) | Value::Moved(inner) | Value::Index(inner, _) => {
                self.declaration(value.with(*inner))
            }
            Value::Result(call) => {
                let callee = value.with(project.call(value.with(*call)).callee);
                match self.origin(callee) {
                    Origin::Function(function) => Some((function.file, project.function(function).returns.as_ref()?)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl Project<'_> {
    /// The names of a type and of all that it extends.
    pub fn type_names<'t>(&'t self, ty: &'t Type) -> FxHashSet<&'t str> {
        self.contracts.bases(ty).map(|ty| ty.name.as_str()).collect()
    }
}
