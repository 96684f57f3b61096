//! Every value of the project that denotes a function or class: by its own name, its variables, exports and imports.

use super::memo::Ask;
use super::{AccessKind, Key, Origin, Project};
use crate::model::{ClassId, FunctionId, FunctionKind, In, Name, Value, ValueId};
use smallvec::SmallVec;
use std::sync::Arc;

impl Project<'_> {
    /// Every value of the project that denotes a function: its own, its variables, its method reads, its imports.
    pub fn references(&self, function: In<FunctionId>) -> Arc<[In<ValueId>]> {
        self.memos.references.ask(Ask::References, function, || self.find_references(function).into())
    }

    fn find_references(&self, function: In<FunctionId>) -> Vec<In<ValueId>> {
        let data = self.function(function);
        let mut found: Vec<In<ValueId>> = Vec::new();
        let class = self.class_of(function).filter(|_| data.kind == FunctionKind::Constructor);
        let own = match class {
            Some(class) => self.class_values(class),
            None => self.index(function.file).functions[function.id.index()]
                .map(|id| function.with(id))
                .into_iter()
                .collect(),
        };
        let wanted = |project: &Self, value: In<ValueId>| {
            project.origins(value).iter().any(|origin| match origin {
                Origin::Function(f) => *f == function,
                Origin::Class(c) => Some(*c) == class,
                _ => false,
            })
        };
        for value in own {
            self.with_aliases(value, &mut found);
        }
        let names = self.names_of(function, class);
        for name in &names {
            for value in self.members_named(*name, Some(function.file)) {
                if wanted(self, value) {
                    self.with_aliases(value, &mut found);
                }
            }
        }
        if self.is_native(function.file) {
            let name = class.map_or(data.name, |class| self.class(class).name);
            for value in self.globals_named(Name::from(name.rsplit("::").next().unwrap_or(&name))) {
                if wanted(self, value) {
                    self.with_aliases(value, &mut found);
                }
            }
        } else if names.iter().any(|name| *name == "=" || *name == "default") {
            for value in self.imports_of(function.file) {
                if wanted(self, value) {
                    self.with_aliases(value, &mut found);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The names under which a function can be reached from elsewhere.
    fn names_of(&self, function: In<FunctionId>, class: Option<In<ClassId>>) -> SmallVec<[Name; 4]> {
        let mut names: SmallVec<[Name; 4]> = SmallVec::new();
        let data = self.function(function);
        let own = class.map_or(data.name, |class| self.class(class).name);
        if !own.is_empty() {
            names.push(Name::from(own.rsplit("::").next().unwrap_or(&own)));
        }
        if let Some((_, Some(name))) = self.index(function.file).held_in.get(&function.id) {
            names.push(*name);
        }
        for export in self.exports_of(function.file).iter() {
            if export.1.contains(&Origin::Function(function))
                || class.is_some_and(|class| export.1.contains(&Origin::Class(class)))
            {
                names.push(export.0);
            }
        }
        if data.kind != FunctionKind::Constructor
            && let Some(value) = self.index(function.file).functions[function.id.index()]
        {
            for access in self.index(function.file).accesses(value) {
                if let AccessKind::KeyAssigned { key: Key::Name(name), .. } = access.kind {
                    names.push(name);
                } else if let AccessKind::Stored { place } = access.kind
                    && let Value::Member(_, name) = self.value(function.with(place))
                {
                    names.push(*name);
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Every value of the project that denotes a class.
    pub fn class_references(&self, class: In<ClassId>) -> Arc<[In<ValueId>]> {
        self.memos.class_references.ask(Ask::ClassReferences, class, || {
            let mut found: Vec<In<ValueId>> = Vec::new();
            for value in self.class_values(class) {
                self.with_aliases(value, &mut found);
            }
            let data = self.class(class);
            let mut names: SmallVec<[Name; 4]> = SmallVec::new();
            names.push(Name::from(data.name.rsplit("::").next().unwrap_or(&data.name)));
            for (name, origins) in self.exports_of(class.file).iter() {
                if origins.contains(&Origin::Class(class)) {
                    names.push(*name);
                }
            }
            names.sort_unstable();
            names.dedup();
            let mut candidates: Vec<In<ValueId>> =
                names.iter().flat_map(|name| self.members_named(*name, Some(class.file))).collect();
            if self.is_native(class.file) {
                candidates.extend(names.iter().flat_map(|name| self.globals_named(*name)));
            } else if names.iter().any(|name| *name == "=" || *name == "default") {
                candidates.extend(self.imports_of(class.file));
            }
            // Constructor functions are called by the name of the function.
            let function = |project: &Self, value: In<ValueId>| match project.value(value) {
                Value::Function(function) => project.index(value.file).constructed.get(function) == Some(&class.id),
                _ => false,
            };
            for constructor in &data.constructors {
                if let Some(value) = self.index(class.file).functions[constructor.index()].map(|id| class.with(id))
                    && function(self, value)
                {
                    self.with_aliases(value, &mut found);
                }
            }
            for value in candidates {
                let denotes = self.origins(value).iter().any(|origin| match origin {
                    Origin::Class(c) => *c == class,
                    Origin::Function(f) => f.file == class.file && data.constructors.contains(&f.id),
                    _ => false,
                });
                if denotes {
                    self.with_aliases(value, &mut found);
                }
            }
            found.sort_unstable();
            found.dedup();
            found.into()
        })
    }

    /// `Value::Class` of a class.
    fn class_values(&self, class: In<ClassId>) -> Vec<In<ValueId>> {
        let summary = self.summary(class.file);
        let values = summary.values.iter().enumerate();
        values
            .filter(|(_, value)| matches!(value, Value::Class(id) if *id == class.id))
            .map(|(at, _)| class.with(ValueId(at as u32)))
            .collect()
    }

    /// A value and the variables that stand for it.
    pub fn under_all_names(&self, value: In<ValueId>) -> Vec<In<ValueId>> {
        let mut found = Vec::new();
        self.with_aliases(value, &mut found);
        found
    }

    /// The variables that stand for a value, and theirs.
    pub(super) fn with_aliases(&self, value: In<ValueId>, found: &mut Vec<In<ValueId>>) {
        if found.contains(&value) || found.len() > 4096 {
            return;
        }
        found.push(value);
        let index = self.index(value.file);
        for binding in index.aliases(value.id) {
            if let Some(alias) = index.bindings[binding.index()] {
                self.with_aliases(value.with(alias), found);
            }
        }
    }
}
