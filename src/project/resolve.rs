//! What a value comes from: single assignments, aliases, destructuring, imports, fields, wrappers, through files.
//! Of contracts it asks one thing only: whether a call returns
//! its receiver or an argument.

use super::Project;
use super::memo::{Ask, guarded};
use super::slots::Holder;
use crate::model::{
    BindingId, BindingKind, CallId, ClassId, FunctionId, FunctionKind, In, Literal, Name, ObjectId, Value, ValueId,
};
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

/// How many origins are kept.
const WIDTH: usize = 8;

impl<'a> Project<'a> {
    /// Where a value comes from, if there is one answer: null and undefined beside one real origin do not count.
    pub fn origin(&self, value: In<ValueId>) -> Origin {
        Resolver::new(self).origin(value)
    }

    /// Everything that a value may come from.
    pub fn origins(&self, value: In<ValueId>) -> Origins {
        Resolver::new(self).origins(value)
    }

    /// Whether two values surely denote the same object: one place, or one single origin that is made once a call.
    pub fn same(&self, a: In<ValueId>, b: In<ValueId>) -> bool {
        if a == b {
            return true;
        }
        if let (Some(a), Some(b)) = (self.place(a), self.place(b)) {
            return a == b;
        }
        let origin = self.origin(a);
        !matches!(origin, Origin::Unknown | Origin::Part(_) | Origin::Opaque(_) | Origin::Literal(_))
            && origin == self.origin(b)
    }

    /// What callers of the project pass for a parameter.
    pub fn arguments_of(&self, parameter: In<BindingId>) -> Vec<In<ValueId>> {
        let binding = self.binding(parameter);
        let BindingKind::Parameter(index) = binding.kind else { return Vec::new() };
        let callers = self.callers(parameter.with(binding.function));
        callers.iter().filter(|caller| !caller.weak).filter_map(|caller| self.given(caller.call, index)).collect()
    }

    /// The file that an import of a file means, if it is one of the project.
    pub fn imported(&self, from: FileId, specifier: Name) -> Option<FileId> {
        self.memos.imports.ask(Ask::Other, (from, specifier), || self.modules.resolve(from, &specifier))
    }

    pub(super) fn resolver(&self) -> Resolver<'_, 'a> {
        Resolver::new(self)
    }
}

/// The one origin that counts.
pub(super) fn single(origins: &[Origin]) -> Origin {
    let mut real =
        origins.iter().filter(|origin| !matches!(origin, Origin::Literal(Literal::Null | Literal::Undefined)));
    match (real.next(), real.next()) {
        (Some(one), None) => *one,
        (None, None) => origins.first().copied().unwrap_or(Origin::Unknown),
        _ => Origin::Unknown,
    }
}

/// Whether a file's name for a module of the system: without `node:`.
fn external(specifier: Name) -> Name {
    specifier.strip_prefix("node:").map_or(specifier, Name::from)
}

/// A question under way.
pub(super) struct Resolver<'p, 'a> {
    pub(super) project: &'p Project<'a>,
    /// Fields are not followed: for questions that fields depend on.
    pub(super) shallow: bool,
}

impl<'p, 'a> Resolver<'p, 'a> {
    fn new(project: &'p Project<'a>) -> Self {
        Resolver { project, shallow: false }
    }

    pub(super) fn origins(&mut self, value: In<ValueId>) -> Origins {
        self.read(value, Origins::from_slice)
    }

    /// Looks at the origins of a value.
    fn read<R>(&mut self, value: In<ValueId>, read: impl FnOnce(&[Origin]) -> R) -> R {
        if let Some(itself) = self.itself(value) {
            return read(&[itself]);
        }
        if self.shallow {
            return read(&guarded(Ask::Receiver, &value, || self.find(value)));
        }
        let project = self.project;
        project.memos.origins.read(Ask::Origins, value, || self.find(value), |found| read(found))
    }

    /// The origin of a value that is one.
    fn itself(&self, value: In<ValueId>) -> Option<Origin> {
        Some(match self.project.value(value) {
            Value::Function(function) => Origin::Function(value.with(*function)),
            Value::Class(class) => Origin::Class(self.project.canonical_class(value.with(*class))),
            Value::Literal(literal) => Origin::Literal(*literal),
            Value::Object(object) => Origin::Object(value.with(*object)),
            Value::Array(..) => Origin::Array(value),
            Value::Opaque(_) | Value::Spread(_) => Origin::Opaque(value),
            _ => return None,
        })
    }

    fn find(&mut self, value: In<ValueId>) -> Origins {
        let mut found = Origins::new();
        self.follow(value, &mut found);
        if found.len() > WIDTH {
            found.truncate(WIDTH);
            found.push(Origin::Unknown);
        }
        found
    }

    pub(super) fn origin(&mut self, value: In<ValueId>) -> Origin {
        self.read(value, single)
    }

    pub(super) fn join(&mut self, value: In<ValueId>, found: &mut Origins) {
        for origin in self.origins(value) {
            add(found, origin);
        }
    }

    fn follow(&mut self, value: In<ValueId>, found: &mut Origins) {
        let project = self.project;
        match project.value(value) {
            Value::Binding(binding) => self.binding(value, *binding, found),
            Value::This(function) => add(found, self.this(value.with(*function))),
            Value::Global(name) => self.global(value, *name, found),
            Value::Import(specifier) => self.import(value.file, *specifier, found),
            Value::Member(object, name) => self.member(value, value.with(*object), *name, found),
            Value::Result(call) => self.result(value.with(*call), found),
            Value::Awaited(inner) => {
                for origin in self.origins(value.with(*inner)) {
                    self.awaited(origin, found);
                }
            }
            Value::Choice(parts) => {
                for part in parts {
                    self.join(value.with(*part), found);
                }
            }
            Value::Moved(inner) => self.join(value.with(*inner), found),
            Value::Deref(inner) => match project.value(value.with(*inner)) {
                Value::Address(target) => self.join(value.with(*target), found),
                _ => add(found, Origin::Part(value)),
            },
            Value::Index(object, _) if self.modules_of(value.with(*object), found) => {}
            Value::Index(..) => add(found, Origin::Part(value)),
            _ => add(found, Origin::Opaque(value)),
        }
    }

    /// `({ http: require('http'), https: require('https') })[protocol]`: one of the modules that a table lists.
    fn modules_of(&mut self, table: In<ValueId>, found: &mut Origins) -> bool {
        let project = self.project;
        if project.is_native(table.file) {
            return false;
        }
        let Origin::Object(object) = self.origin(table) else { return false };
        let properties = &project.object(object).properties;
        let mut modules = Origins::new();
        for property in properties {
            for origin in self.origins(object.with(property.value)) {
                add(&mut modules, origin);
            }
        }
        let all = !modules.is_empty() && modules.iter().all(|origin| matches!(origin, Origin::External(_)));
        if all {
            found.extend(modules);
        }
        all
    }

    fn binding(&mut self, value: In<ValueId>, id: BindingId, found: &mut Origins) {
        let project = self.project;
        let binding = project.summary(value.file).binding(id);
        match binding.kind {
            BindingKind::Parameter(index) => {
                let before = found.len();
                if index == 0 && !self.shallow {
                    self.settled(value.with(binding.function), found);
                }
                if found.len() == before {
                    add(found, Origin::Parameter(value.with(id)));
                }
                if binding.assignments > 1 {
                    self.assigned(value, found);
                }
            }
            BindingKind::Catch => add(found, Origin::Variable(value.with(id))),
            _ => match binding.value {
                Some(inner) if inner != value.id => self.join(value.with(inner), found),
                _ => {
                    self.assigned(value, found);
                    let native = project.is_native(value.file);
                    if found.is_empty() || native {
                        add(found, Origin::Variable(value.with(id)));
                    }
                }
            },
        }
    }

    /// Everything that the file assigns to a place; several values of the place itself (`x = x || y`) are left out.
    fn assigned(&mut self, place: In<ValueId>, found: &mut Origins) {
        let project = self.project;
        for (_, value) in project.index(place.file).assigned(place.id).take(2 * WIDTH) {
            self.join(place.with(value), found);
        }
    }

    /// The receiver of a function.
    pub(super) fn this(&mut self, function: In<FunctionId>) -> Origin {
        let project = self.project;
        let function = project.index(function.file).lent.get(&function.id).map_or(function, |f| function.with(*f));
        if let Some(class) = project.class_of(function) {
            let is_static =
                project.function(function).is_static || project.function(function).kind == FunctionKind::StaticBlock;
            return if is_static { Origin::Class(class) } else { Origin::This(class) };
        }
        let index = project.index(function.file);
        if let Some((object, _)) = index.held_in.get(&function.id) {
            return Origin::Object(function.with(*object));
        }
        let Some(value) = index.functions[function.id.index()] else { return Origin::Receiver(function) };
        for access in index.accesses(value) {
            if let super::AccessKind::Stored { place } = access.kind
                && let Value::Member(object, _) = project.value(function.with(place))
                && let origin @ (Origin::Object(_) | Origin::Function(_) | Origin::Class(_) | Origin::Module(_)) =
                    self.origin(function.with(*object))
            {
                return origin;
            }
        }
        Origin::Receiver(function)
    }

    fn global(&mut self, value: In<ValueId>, name: Name, found: &mut Origins) {
        let project = self.project;
        if !project.is_native(value.file) {
            let own = matches!(name.as_str(), "exports" | "module");
            let origin = if own && name == "exports" { Origin::Module(value.file) } else { Origin::External(name) };
            return add(found, origin);
        }
        for function in project.free_functions(value.file, &name) {
            add(found, Origin::Function(function));
        }
        if let Some(class) = project.classes.native(value.file, &name) {
            add(found, Origin::Class(project.canonical_class(class)));
        }
        if let Some(global) = project.native_global(value.file, name) {
            add(found, Origin::Variable(global));
        }
        if found.is_empty() {
            add(found, Origin::External(name));
        }
    }

    fn import(&mut self, from: FileId, specifier: Name, found: &mut Origins) {
        match self.project.imported(from, specifier) {
            Some(file) => self.module(file, found),
            None => add(found, Origin::External(external(specifier))),
        }
    }

    /// What `require` of a file gives.
    fn module(&mut self, file: FileId, found: &mut Origins) {
        let project = self.project;
        for export in project.summary(file).exports.iter().filter(|export| export.name == "=") {
            self.join(In::new(file, export.value), found);
        }
        found.retain(|origin| !matches!(origin, Origin::Opaque(_) | Origin::Part(_)));
        if found.is_empty() {
            add(found, Origin::Module(file));
        }
    }

    /// What a file exports under a name, `export *` included.
    pub(super) fn export(&mut self, file: FileId, name: Name, found: &mut Origins, depth: u32) {
        let project = self.project;
        let summary = project.summary(file);
        let mut any = false;
        for export in summary.exports.iter().filter(|export| export.name == name) {
            self.join(In::new(file, export.value), found);
            any = true;
        }
        if any {
            return;
        }
        if name == "default" {
            return self.module(file, found);
        }
        if depth < 8 && !summary.language.is_some_and(crate::model::Language::is_native) {
            for include in &summary.includes {
                if let Some(target) = project.imported(file, *include) {
                    self.export(target, name, found, depth + 1);
                } else {
                    add(found, Origin::External(Name::from(&format!("{}.{name}", external(*include)))));
                }
                if !found.is_empty() {
                    return;
                }
            }
        }
        if depth == 0 {
            let mut whole = Origins::new();
            for export in summary.exports.iter().filter(|export| export.name == "=") {
                self.join(In::new(file, export.value), &mut whole);
            }
            whole.retain(|origin| !matches!(origin, Origin::Module(_)));
            for origin in whole {
                self.member_of(origin, None, name, found);
            }
        }
    }

    fn member(&mut self, value: In<ValueId>, object: In<ValueId>, name: Name, found: &mut Origins) {
        let project = self.project;
        if project.is_native(value.file) {
            if let Some(path) = project.native_name(value) {
                return self.native_path(value, &path, found);
            }
        } else if name == "exports" && matches!(project.value(object), Value::Global(global) if global == "module") {
            return add(found, Origin::Module(value.file));
        }
        let before = found.len();
        if let Value::Import(specifier) = project.value(object)
            && let Some(file) = project.imported(value.file, *specifier)
        {
            self.export(file, name, found, 0);
        } else {
            for origin in self.origins(object) {
                self.member_of(origin, Some(value), name, found);
            }
        }
        if found.len() == before {
            if project.is_native(value.file)
                && let Some(class) = self.class_of_value(object)
            {
                self.field(class, Some(value), name, found);
            }
            if found.len() == before {
                add(found, Origin::Part(value));
            }
        }
    }

    /// `ns::Class`, `Class::Method`, `ns::function`, or a path outside the project.
    fn native_path(&mut self, value: In<ValueId>, path: &str, found: &mut Origins) {
        let project = self.project;
        if let Some((head, last)) = path.rsplit_once("::")
            && let Some(class) = project.classes.native(value.file, head)
        {
            match project.method(class, last) {
                Some(method) => add(found, Origin::Function(method)),
                None => add(found, Origin::Part(value)),
            }
            return;
        }
        if let Some(class) = project.classes.native(value.file, path) {
            return add(found, Origin::Class(project.canonical_class(class)));
        }
        for function in project.free_functions(value.file, path) {
            add(found, Origin::Function(function));
        }
        if found.is_empty() {
            add(found, Origin::External(Name::from(path)));
        }
    }

    /// The property of one origin. `value`: the expression that reads it, for the answer where it cannot be followed.
    fn member_of(&mut self, origin: Origin, value: Option<In<ValueId>>, name: Name, found: &mut Origins) {
        let project = self.project;
        let before = found.len();
        match origin {
            Origin::Module(file) => self.export(file, name, found, 0),
            Origin::External(path) if name == "default" => add(found, Origin::External(path)),
            Origin::External(path) if value.is_none_or(|value| !project.is_native(value.file)) => {
                add(found, Origin::External(Name::from(&format!("{path}.{name}"))));
            }
            Origin::Object(object) => {
                if let Some(inner) = project.object(object).get(&name) {
                    self.join(object.with(inner), found);
                }
                self.slot(Holder::Object(object), name, found);
            }
            Origin::Class(class) => {
                if let Some(method) =
                    if self.shallow { project.own_method(class, &name) } else { project.method(class, &name) }
                {
                    self.called_or_read(method, found);
                } else if !self.shallow {
                    for class in std::iter::once(class).chain(project.bases(class)) {
                        self.slot(Holder::Static(class), name, found);
                    }
                }
            }
            Origin::Function(function) => self.slot(Holder::Function(function), name, found),
            Origin::This(class) | Origin::New(_, class) => self.field(class, value, name, found),
            _ => {}
        }
        if found.len() == before
            && let Some(value) = value
        {
            add(found, Origin::Part(value));
        }
    }

    /// A method as a value, or what a getter returns.
    fn called_or_read(&mut self, method: In<FunctionId>, found: &mut Origins) {
        let project = self.project;
        if project.function(method).kind != FunctionKind::Accessor {
            return add(found, Origin::Function(method));
        }
        for value in project.index(method.file).returns[method.id.index()].clone() {
            self.join(method.with(value), found);
        }
    }

    fn field(&mut self, class: In<ClassId>, value: Option<In<ValueId>>, name: Name, found: &mut Origins) {
        let project = self.project;
        if self.shallow {
            return;
        }
        if let Some(method) = project.method(class, &name) {
            return self.called_or_read(method, found);
        }
        let before = found.len();
        for class in std::iter::once(class).chain(project.bases(class)) {
            self.slot(Holder::Instance(class), name, found);
        }
        if found.len() == before {
            for class in project.subclasses(class) {
                self.slot(Holder::Instance(class), name, found);
            }
        }
        if found.len() == before
            && let Some(value) = value
        {
            add(found, Origin::Part(value));
        }
    }

    /// What the project assigns to a slot of a known owner.
    fn slot(&mut self, holder: Holder, name: Name, found: &mut Origins) {
        let project = self.project;
        for place in project.slots.get(holder, name) {
            self.assigned(*place, found);
        }
    }
}

pub(super) fn add(found: &mut Origins, origin: Origin) {
    if found.len() <= WIDTH && !found.contains(&origin) {
        found.push(origin);
    }
}
