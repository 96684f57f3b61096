//! Classes joined: C++ header and source by qualified name, bases found, methods and fields looked up through them.

use super::memo::{Ask, apart};
use super::{Origin, Project};
use crate::model::{Class, ClassId, FunctionId, FunctionKind, In, Name, Summary, TypeFacts, Value};
use crate::text::FileId;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// The project's classes and methods by name.
#[derive(Default)]
pub(super) struct Classes {
    /// C++ classes by the last segment of their name.
    native: FxHashMap<Name, Vec<(Name, In<ClassId>)>>,
    /// Out-of-class definitions of C++ methods, by class.
    outside: FxHashMap<In<ClassId>, Vec<In<FunctionId>>>,
    /// The class of each out-of-class method.
    class_of: FxHashMap<In<FunctionId>, In<ClassId>>,
    /// Files that each C++ file includes, directly.
    includes: FxHashMap<FileId, SmallVec<[FileId; 4]>>,
    /// Methods of all classes by bare name, for receivers that are not known.
    pub(super) by_method: FxHashMap<Name, SmallVec<[In<FunctionId>; 1]>>,
    /// Free C and C++ functions with a body, by name.
    pub(super) free: FxHashMap<Name, SmallVec<[In<FunctionId>; 1]>>,
    /// File-level C and C++ variables, by name.
    pub(super) globals: FxHashMap<Name, SmallVec<[In<crate::model::BindingId>; 1]>>,
}

fn segment(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

impl Classes {
    pub(super) fn new(summaries: &[Summary], modules: &super::modules::Modules) -> Self {
        let mut classes = Classes::default();
        for (at, summary) in summaries.iter().enumerate() {
            let file = FileId(at as u32);
            let native = summary.language.is_some_and(crate::model::Language::is_native);
            for (at, class) in summary.classes.iter().enumerate() {
                let id = In::new(file, ClassId(at as u32));
                if native {
                    classes.native.entry(Name::from(segment(&class.name))).or_default().push((class.name, id));
                }
                for method in &class.methods {
                    if !matches!(summary.function(method.function).kind, FunctionKind::Constructor) {
                        classes.by_method.entry(method.name).or_default().push(In::new(file, method.function));
                    }
                }
            }
            if native {
                let includes = summary.includes.iter().filter_map(|name| modules.include(file, name)).collect();
                classes.includes.insert(file, includes);
                classes.globals_of(file, summary);
            }
        }
        classes.join(summaries);
        classes
    }

    fn globals_of(&mut self, file: FileId, summary: &Summary) {
        for (at, binding) in summary.bindings.iter().enumerate() {
            let plain = matches!(
                binding.kind,
                crate::model::BindingKind::Var | crate::model::BindingKind::Const | crate::model::BindingKind::Static
            );
            if binding.function == FunctionId::MODULE && plain {
                let id = In::new(file, crate::model::BindingId(at as u32));
                self.globals.entry(binding.name).or_default().push(id);
            }
        }
    }

    fn join(&mut self, summaries: &[Summary]) {
        for (at, summary) in summaries.iter().enumerate() {
            let file = FileId(at as u32);
            if !summary.language.is_some_and(crate::model::Language::is_native) {
                continue;
            }
            for (at, function) in summary.functions.iter().enumerate().skip(1) {
                let id = In::new(file, FunctionId(at as u32));
                if function.class.is_some() {
                    continue;
                }
                match &function.class_name {
                    Some(name) => {
                        if let Some(class) = self.native(file, name) {
                            self.class_of.insert(id, class);
                            self.outside.entry(class).or_default().push(id);
                            if !matches!(function.kind, FunctionKind::Constructor | FunctionKind::Destructor) {
                                self.by_method.entry(function.name).or_default().push(id);
                            }
                        }
                    }
                    None if function.has_body && function.kind == FunctionKind::Plain => {
                        self.free.entry(Name::from(segment(&function.name))).or_default().push(id);
                    }
                    None => {}
                }
            }
        }
    }

    /// A C or C++ class by a name as a file writes it: its own first, then an included one, then any.
    pub(super) fn native(&self, from: FileId, name: &str) -> Option<In<ClassId>> {
        let candidates = self.native.get(&Name::from_existing(segment(name))?)?;
        let fits = |full: &str| {
            full == name
                || full.strip_suffix(name).is_some_and(|head| head.ends_with("::"))
                || name.strip_suffix(full).is_some_and(|head| head.ends_with("::"))
        };
        let mut fitting = candidates.iter().filter(|(full, _)| fits(full)).map(|(_, id)| *id);
        let first = fitting.next()?;
        let rest: SmallVec<[In<ClassId>; 4]> = fitting.collect();
        if rest.is_empty() {
            return Some(first);
        }
        let all = || std::iter::once(first).chain(rest.iter().copied());
        if let Some(own) = all().find(|id| id.file == from) {
            return Some(own);
        }
        let mut seen: FxHashSet<FileId> = FxHashSet::default();
        let mut files = vec![from];
        while let Some(file) = files.pop() {
            if !seen.insert(file) || seen.len() > 200 {
                continue;
            }
            if let Some(found) = all().find(|id| id.file == file) {
                return Some(found);
            }
            files.extend(self.includes.get(&file).into_iter().flatten().copied());
        }
        Some(first)
    }

    /// Whether a C or C++ file includes another, directly or not.
    pub(super) fn includes(&self, from: FileId, wanted: FileId) -> bool {
        let mut seen: FxHashSet<FileId> = FxHashSet::default();
        let mut files = vec![from];
        while let Some(file) = files.pop() {
            if file == wanted {
                return true;
            }
            if seen.insert(file) && seen.len() < 200 {
                files.extend(self.includes.get(&file).into_iter().flatten().copied());
            }
        }
        false
    }

    /// Classes with methods defined outside their file.
    pub(super) fn defined_elsewhere(&self) -> impl Iterator<Item = In<ClassId>> {
        self.outside.keys().copied()
    }

    /// The class of a method defined outside its class.
    pub(super) fn class_of_outside(&self, function: In<FunctionId>) -> Option<In<ClassId>> {
        self.class_of.get(&function).copied()
    }
}

impl Project<'_> {
    /// The one class that stands for a class seen several times (both sides of an `#if`).
    pub fn canonical_class(&self, class: In<ClassId>) -> In<ClassId> {
        if !self.is_native(class.file) {
            return class;
        }
        let summary = self.summary(class.file);
        let name = summary.class(class.id).name;
        let same = summary.classes.iter().position(|other| other.name == name && !name.is_empty());
        same.map_or(class, |at| class.with(ClassId(at as u32)))
    }

    /// The class whose method a function is, C++ methods outside their class included. For arrow functions: none; see
    /// [`Project::enclosing_class`].
    pub fn class_of(&self, function: In<FunctionId>) -> Option<In<ClassId>> {
        let class = self.function(function).class.map(|class| function.with(class));
        class.or_else(|| self.classes.class_of_outside(function)).map(|class| self.canonical_class(class))
    }

    /// The class inside whose methods a function is written, however deep.
    pub fn enclosing_class(&self, mut function: In<FunctionId>) -> Option<In<ClassId>> {
        for _ in 0..32 {
            if let Some(class) = self.class_of(function) {
                return Some(class);
            }
            function = function.with(self.function(function).parent?);
        }
        None
    }

    /// All functions of a class: constructors, destructor, methods, wherever they are defined; bodies only.
    pub fn methods(&self, class: In<ClassId>) -> Vec<In<FunctionId>> {
        let own = self.class(class);
        let mut found: Vec<In<FunctionId>> = own
            .constructors
            .iter()
            .chain(own.destructor.iter())
            .copied()
            .chain(own.methods.iter().map(|method| method.function))
            .map(|function| class.with(function))
            .collect();
        found.extend(self.classes.outside.get(&class).into_iter().flatten().copied());
        found.retain(|function| self.function(*function).has_body || !self.is_native(class.file));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Constructors of a class, wherever they are defined.
    pub fn constructors(&self, class: In<ClassId>) -> Vec<In<FunctionId>> {
        let mut found = self.methods(class);
        found.retain(|function| {
            self.function(*function).kind == FunctionKind::Constructor
                || self.class(class).constructors.contains(&function.id) && function.file == class.file
        });
        found
    }

    /// The destructor of a class, wherever it is defined, with a body.
    pub fn destructor(&self, class: In<ClassId>) -> Option<In<FunctionId>> {
        self.methods(class).into_iter().find(|function| self.function(*function).kind == FunctionKind::Destructor)
    }

    /// A method by name of the class itself.
    pub fn own_method(&self, class: In<ClassId>, name: &str) -> Option<In<FunctionId>> {
        let own =
            self.class(class).methods.iter().filter(|method| method.name == *name).map(|m| class.with(m.function));
        let outside = self.classes.outside.get(&class).into_iter().flatten().copied();
        let mut found: Option<In<FunctionId>> = None;
        for function in own.chain(outside.filter(|function| self.function(*function).name == *name)) {
            if found.is_none_or(|found| !self.function(found).has_body) {
                found = Some(function);
            }
        }
        found
    }

    /// Whether a function makes instances: an ES or C++ constructor, or a function with a prototype.
    pub fn is_constructor(&self, function: In<FunctionId>) -> bool {
        self.function(function).kind == crate::model::FunctionKind::Constructor
            || self.index(function.file).constructed.contains_key(&function.id)
    }

    /// A method by name, looked up through the project's base classes: the nearest class that has it.
    pub fn method(&self, class: In<ClassId>, name: &str) -> Option<In<FunctionId>> {
        self.own_method(class, name).or_else(|| self.bases(class).iter().find_map(|base| self.own_method(*base, name)))
    }

    /// The project classes that a class extends, nearest first, itself left out.
    pub fn bases(&self, class: In<ClassId>) -> Vec<In<ClassId>> {
        let class = self.canonical_class(class);
        if self.class(class).bases.is_empty() {
            return Vec::new();
        }
        self.memos.bases.ask(Ask::Bases, class, || self.find_bases(class).into()).to_vec()
    }

    fn find_bases(&self, class: In<ClassId>) -> Vec<In<ClassId>> {
        let mut found = Vec::new();
        let mut next = vec![class];
        while let Some(at) = next.pop() {
            for base in &self.class(at).bases {
                let base = at.with(*base);
                let mut resolver = self.resolver();
                resolver.shallow = true;
                let target = match resolver.origin(base) {
                    Origin::Class(base) => Some(base),
                    _ if self.is_native(at.file) => {
                        self.native_name(base).and_then(|name| self.classes.native(at.file, &name))
                    }
                    _ => None,
                };
                if let Some(target) = target.map(|target| self.canonical_class(target))
                    && target != class
                    && !found.contains(&target)
                    && found.len() < 16
                {
                    found.push(target);
                    next.push(target);
                }
            }
        }
        found
    }

    /// The project classes that extend a class, at any depth.
    pub fn subclasses(&self, class: In<ClassId>) -> Vec<In<ClassId>> {
        let class = self.canonical_class(class);
        let all = self.memos.subclasses.get_or_init(|| {
            apart(|| {
                let mut all: FxHashMap<In<ClassId>, Vec<In<ClassId>>> = FxHashMap::default();
                for sub in self.classes().filter(|sub| !self.class(*sub).bases.is_empty()) {
                    for base in self.bases(sub) {
                        all.entry(base).or_default().push(sub);
                    }
                }
                all
            })
        });
        all.get(&class).cloned().unwrap_or_default()
    }

    /// `A::B::C` of nested `Member`s over a `Global`.
    pub(super) fn native_name(&self, value: In<crate::model::ValueId>) -> Option<String> {
        match self.value(value) {
            Value::Global(name) => Some(name.to_string()),
            Value::Member(object, name) => Some(format!("{}::{name}", self.native_name(value.with(*object))?)),
            Value::Class(class) => Some(self.class(value.with(*class)).name.to_string()),
            _ => None,
        }
    }

    /// Whether a C or C++ field is declared as a number or a truth value.
    pub fn is_number_field(&self, class: In<ClassId>, name: &str) -> bool {
        self.field_type(class, name)
            .is_some_and(|(_, ty)| !ty.text.contains('*') && !ty.is_array && self.contracts.words.is_scalar(&ty.name))
    }

    /// What the declaration of a field says of its type, bases included.
    pub fn field_type(&self, class: In<ClassId>, name: &str) -> Option<(In<ClassId>, &TypeFacts)> {
        let declared = |class: In<ClassId>| {
            let own: &Class = self.class(class);
            let field = own.fields.iter().find(|field| field.name == *name)?;
            Some((class, field.ty.as_ref()?))
        };
        declared(class).or_else(|| self.bases(class).into_iter().find_map(declared))
    }

    /// The class of the project that a declared type names, as a file writes it.
    pub fn declared_class(&self, file: FileId, name: &str) -> Option<In<ClassId>> {
        if self.is_native(file) {
            return self.classes.native(file, name).map(|class| self.canonical_class(class));
        }
        let summary = self.summary(file);
        let name = Name::from_existing(name.split(['<', '.']).next()?)?;
        let binding =
            summary.scopes.first()?.bindings.iter().find(|binding| summary.binding(**binding).name == name)?;
        match self
            .origin(In::new(file, self.index(file).bindings[binding.index()].or(summary.binding(*binding).value)?))
        {
            Origin::Class(class) => Some(class),
            _ => None,
        }
    }
}
