//! What users of a package can reach: from the exports of the files that its manifest names. Where no manifest says what
//! the entries are, every file is one.

use super::memo::apart;
use super::slots::Holder;
use super::{Origin, Project};
use crate::model::{ClassId, FunctionId, FunctionKind, In, ObjectId};
use crate::text::FileId;
use rustc_hash::FxHashSet;

/// Everything that users can reach.
#[derive(Default)]
pub(super) struct Public {
    functions: FxHashSet<In<FunctionId>>,
    classes: FxHashSet<In<ClassId>>,
    objects: FxHashSet<In<ObjectId>>,
    files: FxHashSet<FileId>,
    /// Packages (or the lack of one) without known entries.
    open: FxHashSet<Option<usize>>,
}

impl Project<'_> {
    fn public(&self) -> &Public {
        self.memos.public.get_or_init(|| {
            apart(|| {
                let mut public = Public::default();
                let mut entries: Vec<FileId> = Vec::new();
                let mut packages = FxHashSet::default();
                for (file, _) in self.files().filter(|(file, _)| !self.is_native(*file)) {
                    let package = self.modules.package_of(file);
                    if packages.insert(package) {
                        let found = package.map(|package| self.modules.entries(package)).unwrap_or_default();
                        if found.is_empty() {
                            public.open.insert(package);
                        }
                        entries.extend(found);
                    }
                }
                let mut next: Vec<Origin> = entries.into_iter().map(Origin::Module).collect();
                while let Some(origin) = next.pop() {
                    self.reach(origin, &mut public, &mut next);
                }
                public
            })
        })
    }

    fn reach(&self, origin: Origin, public: &mut Public, next: &mut Vec<Origin>) {
        match origin {
            Origin::Module(file) if public.files.insert(file) => {
                next.extend(self.exports_of(file).iter().flat_map(|(_, origins)| origins.iter().copied()));
                let includes = &self.summary(file).includes;
                next.extend(includes.iter().filter_map(|name| self.imported(file, *name)).map(Origin::Module));
            }
            Origin::Function(function) | Origin::Bound(_, Some(function)) if public.functions.insert(function) => {
                for value in &self.index(function.file).returns[function.id.index()] {
                    next.extend(self.origins(function.with(*value)));
                }
                self.reach_slots(Holder::Function(function), next);
            }
            Origin::Class(class) | Origin::New(_, class) | Origin::This(class) if public.classes.insert(class) => {
                next.extend(self.bases(class).into_iter().map(Origin::Class));
                self.reach_slots(Holder::Static(class), next);
                for method in &self.class(class).methods {
                    if !method.name.starts_with(['#', '_']) {
                        for value in &self.index(class.file).returns[method.function.index()] {
                            next.extend(self.origins(class.with(*value)));
                        }
                    }
                }
            }
            Origin::Object(object) if public.objects.insert(object) => {
                for property in &self.object(object).properties {
                    next.extend(self.origins(object.with(property.value)));
                }
                self.reach_slots(Holder::Object(object), next);
            }
            _ => {}
        }
    }

    fn reach_slots(&self, holder: Holder, next: &mut Vec<Origin>) {
        for place in self.slots.of(holder) {
            next.extend(self.origins(place));
        }
    }

    /// Whether nothing says what users can reach of a file's package, so that every export counts.
    fn is_open(&self, file: FileId) -> bool {
        self.public().open.contains(&self.modules.package_of(file))
    }

    /// Whether users of the package can call a function: an exported function, a public method of an exported class.
    pub fn is_public(&self, function: In<FunctionId>) -> bool {
        if self.is_native(function.file) {
            return false;
        }
        if self.public().functions.contains(&function) {
            return true;
        }
        let data = self.function(function);
        if data.name.starts_with(['#', '_']) {
            return false;
        }
        if let Some(class) = self.class_of(function) {
            return data.kind != FunctionKind::StaticBlock && self.is_public_class(class);
        }
        if let Some((object, Some(name))) = self.index(function.file).held_in.get(&function.id) {
            return !name.starts_with('_') && self.public().objects.contains(&function.with(*object));
        }
        self.is_open(function.file) && self.is_exported(function)
    }

    /// Whether users of the package can make instances of a class.
    pub fn is_public_class(&self, class: In<ClassId>) -> bool {
        let class = self.canonical_class(class);
        self.public().classes.contains(&class) || self.is_open(class.file) && self.is_exported_class(class)
    }

    /// Whether a function is exported from its file, be it to the same package only.
    pub fn is_exported(&self, function: In<FunctionId>) -> bool {
        self.exports_of(function.file).iter().any(|(_, origins)| {
            origins.iter().any(|origin| match origin {
                Origin::Function(f) => *f == function,
                Origin::Object(object) => {
                    self.index(function.file).held_in.get(&function.id).is_some_and(|(held, _)| *held == object.id)
                        || self.object(*object).properties.iter().any(|property| {
                            self.origins(object.with(property.value)).contains(&Origin::Function(function))
                        })
                }
                _ => false,
            })
        })
    }

    /// Whether a class, or an instance of it, is exported from its file, be it to the same package only.
    pub fn is_exported_class(&self, class: In<ClassId>) -> bool {
        self.exports_of(class.file).iter().any(|(_, origins)| {
            origins.iter().any(|origin| match origin {
                Origin::Class(c) | Origin::New(_, c) => *c == class,
                Origin::Object(object) => self
                    .object(*object)
                    .properties
                    .iter()
                    .any(|property| self.origins(object.with(property.value)).contains(&Origin::Class(class))),
                _ => false,
            })
        })
    }
}
