//! Where things are kept: one identity for a variable, field or property, the same from every file, and everything that
//! the project does with it. Weighs nothing.

use super::memo::{Ask, guarded};
use super::slots::Holder as Slot;
use super::{Origin, Origins, Project};
use crate::model::{BindingId, BindingKind, CallId, ClassId, FunctionId, Holder, In, Name, ObjectId, Value, ValueId};
use crate::text::{FileId, Location, Span};
use std::sync::{Arc, LazyLock};

/// The empty path; interning it anew for each place would be most of the cost of one.
static EMPTY: LazyLock<Name> = LazyLock::new(Name::default);

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
    /// A property of a module's exports that no variable holds.
    Export(FileId, Name),
    /// A name that no file declares, with its properties: `process.stdout`, `global.cache`; modules by their path.
    External(Name),
}

impl Root {
    /// The file that declares it; none for what no file declares.
    pub fn file(self) -> Option<FileId> {
        match self {
            Root::Variable(of) => Some(of.file),
            Root::Field(of, _) | Root::Static(of, _) => Some(of.file),
            Root::Property(of, _) => Some(of.file),
            Root::Object(of, _) => Some(of.file),
            Root::Export(file, _) => Some(file),
            Root::External(_) => None,
        }
    }
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

impl Place {
    /// The place of a root alone.
    pub fn new(root: Root) -> Self {
        Place { root, path: *EMPTY }
    }

    /// A part of this place: `.name`, `[]`, `*`. None where it gets too deep to be worth naming.
    pub fn below(self, part: &str) -> Option<Self> {
        if let (Root::External(path), true) = (self.root, self.path.is_empty() && part.starts_with('.')) {
            return Some(Place::new(Root::External(Name::from(&format!("{path}{part}")))));
        }
        let path = format!("{}{part}", self.path);
        (path.len() <= 120).then(|| Place { root: self.root, path: Name::from(&path) })
    }

    /// The place that this one is a part of.
    pub fn above(self) -> Option<Self> {
        let path = self.path.as_str();
        let cut = path
            .strip_suffix("[]")
            .or_else(|| path.strip_suffix('*'))
            .or_else(|| path.rfind('.').map(|at| &path[..at]))?;
        Some(Place { root: self.root, path: Name::from(cut) })
    }

    /// The name of the property that the path ends with.
    fn last_name(self) -> Option<Name> {
        let path = self.path.as_str();
        let name = &path[path.rfind('.')? + 1..];
        (!name.ends_with("[]") && !name.ends_with('*')).then(|| Name::from(name))
    }

    /// The variable that it is, with nothing below.
    pub fn variable(self) -> Option<In<BindingId>> {
        match self.root {
            Root::Variable(variable) if self.path.is_empty() => Some(variable),
            _ => None,
        }
    }

    /// The class and name of the instance field that it is, with nothing below.
    pub fn field(self) -> Option<(In<ClassId>, Name)> {
        match self.root {
            Root::Field(class, name) if self.path.is_empty() => Some((class, name)),
            _ => None,
        }
    }
}

impl AccessKind {
    /// Whether it does something with what is there, rather than put something in, test or count it.
    pub fn is_use(&self) -> bool {
        !matches!(self, AccessKind::Assigned { .. } | AccessKind::Tested | AccessKind::SizeTested | AccessKind::Deleted)
    }
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
    /// The place that a value denotes, aliases followed: `list` of `const list = this.items` is the field `items`; `&x` is
    /// `x`. None for values that are no place.
    pub fn place(&self, value: In<ValueId>) -> Option<Place> {
        self.memos.places.ask(Ask::Place, value, || self.find_place(value))
    }

    fn find_place(&self, value: In<ValueId>) -> Option<Place> {
        match self.value(value) {
            Value::Binding(binding) => Some(self.variable_place(value.with(*binding))),
            Value::Member(object, name) => self.member_place(value, value.with(*object), *name),
            Value::Index(object, _) => self.element_place(value.with(*object)),
            Value::Deref(inner) => match self.value(value.with(*inner)) {
                Value::Address(target) => self.place(value.with(*target)),
                _ => self.place(value.with(*inner))?.below("*"),
            },
            Value::Address(inner) | Value::Moved(inner) => self.place(value.with(*inner)),
            Value::Global(name) => Some(match self.native_variable(value.file, *name) {
                Some(variable) => Place::new(Root::Variable(variable)),
                None => Place::new(Root::External(*name)),
            }),
            Value::Import(_) => match self.origin(value) {
                Origin::External(path) => Some(Place::new(Root::External(path))),
                _ => None,
            },
            _ => None,
        }
    }

    fn native_variable(&self, file: FileId, name: Name) -> Option<In<BindingId>> {
        if self.is_native(file) { self.native_global(file, name) } else { None }
    }

    fn variable_place(&self, variable: In<BindingId>) -> Place {
        let own = Place::new(Root::Variable(variable));
        let binding = self.binding(variable);
        let Some(value) = binding.value.map(|value| variable.with(value)) else {
            let is_element = matches!(binding.kind, BindingKind::Parameter(0)) && !self.is_native(variable.file);
            return is_element.then(|| self.parameter_place(variable)).flatten().unwrap_or(own);
        };
        let by_value = self.is_native(variable.file)
            && !binding.ty.as_ref().is_some_and(|ty| matches!(ty.holder, Holder::Raw | Holder::Reference));
        if by_value || self.is_parameter(variable) {
            return own;
        }
        match self.value(value) {
            Value::Binding(_) | Value::Member(..) | Value::Index(..) | Value::Global(_) => {
                self.place(value).unwrap_or(own)
            }
            Value::Address(_) => self.place(value).unwrap_or(own),
            Value::Import(_) => self.exported_place(value, Name::from("=")).unwrap_or(own),
            Value::Result(call) => self.returned_place(variable.with(*call)).unwrap_or(own),
            _ => own,
        }
    }

    fn is_parameter(&self, variable: In<BindingId>) -> bool {
        matches!(self.binding(variable).kind, BindingKind::Parameter(_))
    }

    /// What a project function returns, where that is one place that does not die with the call.
    fn returned_place(&self, call: In<CallId>) -> Option<Place> {
        let Origin::Function(function) = self.origin(call.with(self.call(call).callee)) else { return None };
        if self.function(function).is_async || self.function(function).is_generator {
            return None;
        }
        let [value] = self.index(function.file).returns[function.id.index()][..] else { return None };
        let place = self.place(function.with(value))?;
        let local = match place.root {
            Root::Variable(variable) => self.binding(variable).function != FunctionId::MODULE,
            _ => false,
        };
        (!local).then_some(place)
    }

    /// The place behind an export of the file that an import means.
    fn exported_place(&self, import: In<ValueId>, name: Name) -> Option<Place> {
        let Value::Import(specifier) = self.value(import) else { return None };
        let Some(file) = self.imported(import.file, *specifier) else {
            return match self.origin(import) {
                Origin::External(path) => Some(Place::new(Root::External(path))),
                _ => None,
            };
        };
        self.export_place(file, name)
    }

    fn export_place(&self, file: FileId, name: Name) -> Option<Place> {
        guarded(Ask::ExportPlace, &(file, name), || self.find_export_place(file, name))
    }

    fn find_export_place(&self, file: FileId, name: Name) -> Option<Place> {
        let mut named = self.summary(file).exports.iter().filter(|export| export.name == name);
        if let Some(export) = named.next() {
            let value = In::new(file, export.value);
            return self.place(value);
        }
        if name == "default" {
            return self.export_place(file, Name::from("="));
        }
        if name == "=" {
            return None;
        }
        let from = |include: &Name| self.export_place(self.imported(file, *include)?, name);
        self.summary(file).includes.iter().find_map(from)
    }

    fn member_place(&self, value: In<ValueId>, object: In<ValueId>, name: Name) -> Option<Place> {
        let native = self.is_native(value.file);
        if native && let Some(path) = self.native_name(value) {
            return Some(self.native_place(value, &path));
        }
        if let Value::Import(_) = self.value(object)
            && let Some(place) = self.exported_place(object, name)
        {
            return Some(if matches!(place.root, Root::External(_)) {
                place.below(&format!(".{name}"))?
            } else {
                place
            });
        }
        if matches!(self.value(object), Value::Import(_)) && name == "default" {
            return None;
        }
        let root = match self.origin(object) {
            Origin::This(class) | Origin::New(_, class) => Root::Field(self.field_home(class, name), name),
            Origin::Class(class) => Root::Static(self.static_home(class, name), name),
            Origin::Function(function) | Origin::Receiver(function) => Root::Property(function, name),
            Origin::Object(object) => Root::Object(object, name),
            Origin::Module(file) => {
                return Some(self.export_place(file, name).unwrap_or(Place::new(Root::Export(file, name))));
            }
            // `Job* job = (Job*)async->data` of a parameter that a macro declares: the declaration says what it is.
            Origin::External(path) => match self.class_of_value(object).filter(|_| native) {
                Some(class) => Root::Field(self.field_home(class, name), name),
                None => Root::External(Name::from(&format!("{path}.{name}"))),
            },
            _ => match self.class_of_value(object) {
                Some(class) => Root::Field(self.field_home(class, name), name),
                None => return self.place(object)?.below(&format!(".{name}")),
            },
        };
        Some(Place::new(root))
    }

    /// `Class::field`, or a name outside.
    fn native_place(&self, value: In<ValueId>, path: &str) -> Place {
        if let Some((head, last)) = path.rsplit_once("::")
            && let Some(class) = self.classes.native(value.file, head)
        {
            return Place::new(Root::Static(self.canonical_class(class), Name::from(last)));
        }
        let last = Name::from(path.rsplit("::").next().unwrap_or(path));
        match self.native_global(value.file, last) {
            Some(variable) => Place::new(Root::Variable(variable)),
            None => Place::new(Root::External(Name::from(path))),
        }
    }

    /// The class among a class and its bases that a field belongs to: the furthest base that knows it.
    pub fn field_home(&self, class: In<ClassId>, name: Name) -> In<ClassId> {
        let knows = |class: &In<ClassId>| {
            self.slots.has(*class, name) || self.class(*class).fields.iter().any(|field| field.name == name)
        };
        self.bases(class).into_iter().rev().find(knows).unwrap_or(class)
    }

    fn static_home(&self, class: In<ClassId>, name: Name) -> In<ClassId> {
        let knows = |class: &In<ClassId>| {
            let declared = self.class(*class).fields.iter().any(|field| field.name == name && field.is_static);
            declared || !self.slots.get(Slot::Static(*class), name).is_empty()
        };
        if knows(&class) { class } else { self.bases(class).into_iter().find(knows).unwrap_or(class) }
    }

    /// Every value of the project that denotes a place.
    pub fn values_of(&self, place: Place) -> Arc<[In<ValueId>]> {
        self.memos.values.ask(Ask::Values, place, || self.find_values(place).into())
    }

    fn find_values(&self, place: Place) -> Vec<In<ValueId>> {
        let mut candidates: Vec<In<ValueId>> = Vec::new();
        match (place.last_name(), place.root) {
            (Some(name), _) => candidates = self.members_named(name, place.root.file()),
            // `a[]`, `*p`: elements of whatever denotes the place above.
            (None, _) if !place.path.is_empty() => {
                for above in place.above().map(|above| self.values_of(above)).iter().flat_map(|found| found.iter()) {
                    candidates.extend(self.elements_of(*above));
                }
            }
            (None, Root::Variable(variable)) => {
                candidates.extend(self.index(variable.file).bindings[variable.id.index()].map(|id| variable.with(id)));
                candidates.extend(self.imports_of_variable(variable));
            }
            (None, Root::External(path)) => {
                candidates.extend(self.globals_named(path));
                candidates.extend(
                    path.rsplit_once('.')
                        .map(|(_, last)| self.members_named(Name::from(last), None))
                        .unwrap_or_default(),
                );
            }
            (
                None,
                Root::Field(_, name)
                | Root::Static(_, name)
                | Root::Property(_, name)
                | Root::Object(_, name)
                | Root::Export(_, name),
            ) => candidates = self.members_named(name, place.root.file()),
        }
        let mut found = Vec::new();
        for value in candidates {
            if self.place(value) == Some(place) {
                self.with_place_aliases(value, place, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn with_place_aliases(&self, value: In<ValueId>, place: Place, found: &mut Vec<In<ValueId>>) {
        let mut aliases = Vec::new();
        self.with_aliases(value, &mut aliases);
        found.extend(aliases.into_iter().filter(|alias| *alias == value || self.place(*alias) == Some(place)));
    }

    /// Values of other files that import a variable.
    fn imports_of_variable(&self, variable: In<BindingId>) -> Vec<In<ValueId>> {
        let summary = self.summary(variable.file);
        if self.is_native(variable.file) {
            return if self.binding(variable).function == FunctionId::MODULE {
                self.globals_named(self.binding(variable).name)
            } else {
                Vec::new()
            };
        }
        let mut found = Vec::new();
        for export in &summary.exports {
            if *summary.value(export.value) != Value::Binding(variable.id) {
                continue;
            }
            if export.name == "=" || export.name == "default" {
                found.extend(self.imports_of(variable.file));
            }
            found.extend(self.members_named(export.name, Some(variable.file)));
        }
        found
    }

    /// The `Member` values of a name, in all files that can name things of a file (none: in all).
    pub(super) fn members_named(&self, name: Name, near: Option<FileId>) -> Vec<In<ValueId>> {
        let mut found = Vec::new();
        for &file in self.names.mentioning(name, near).iter() {
            found.extend(self.index(file).members(self.summary(file), name).map(|id| In::new(file, id)));
        }
        found
    }

    /// The `Global` values of a name, in all files.
    pub(super) fn globals_named(&self, name: Name) -> Vec<In<ValueId>> {
        self.names.globals.get(&name).cloned().unwrap_or_default()
    }

    /// The `Import` values, and their `default`s, that mean a file.
    pub(super) fn imports_of(&self, file: FileId) -> Vec<In<ValueId>> {
        self.names.importers.get(&file).cloned().unwrap_or_default()
    }

    /// What a file exports, with what each export comes from.
    pub fn exports_of(&self, file: FileId) -> Arc<[(Name, Origins)]> {
        self.memos.exports.ask(Ask::Exports, file, || {
            let exports = self.summary(file).exports.iter();
            exports.map(|export| (export.name, self.origins(In::new(file, export.value)))).collect()
        })
    }

    /// Everything that the project does with a place, under all its names, in file order. The declaration of an alias
    /// is a [`AccessKind::Stored`] of the place, no assignment to it.
    pub fn accesses(&self, place: Place) -> Arc<[Access]> {
        self.memos.accesses.ask(Ask::Accesses, place, || self.find_accesses(place).into())
    }

    fn find_accesses(&self, place: Place) -> Vec<Access> {
        let mut found: Vec<Access> = Vec::new();
        for value in self.values_of(place).iter() {
            let alias = self.is_alias(*value, place);
            let accesses = self.index(value.file).accesses(value.id).iter();
            found.extend(
                accesses.filter(|access| !(alias && matches!(access.kind, AccessKind::Assigned { .. }))).copied(),
            );
        }
        found.sort_by_key(|access| (access.file, access.span.start, access.span.end));
        found
    }

    /// A variable that stands for another place than itself.
    pub(super) fn is_alias(&self, value: In<ValueId>, place: Place) -> bool {
        match self.value(value) {
            Value::Binding(binding) => place != Place::new(Root::Variable(value.with(*binding))),
            _ => false,
        }
    }

    /// The places of a class's instance fields that the project assigns or declares.
    pub fn fields(&self, class: In<ClassId>) -> Vec<Place> {
        let class = self.canonical_class(class);
        let declared = self.class(class).fields.iter().filter(|field| !field.is_static).map(|field| field.name);
        let mut names: Vec<Name> = declared.chain(self.slots.names(Slot::Instance(class)).iter().copied()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| Place::new(Root::Field(self.field_home(class, name), name))).collect()
    }
}
