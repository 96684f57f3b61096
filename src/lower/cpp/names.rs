//! Names and scopes of one C or C++ file: what is declared where, and what a name without qualification means at a point:
//! a variable, a member of the class around, something of the file, or a global that only the project knows.

use super::lowering::{Alias, Lowering, Member, bare};
use crate::model::{
    Binding, BindingId, BindingKind, ClassId, FunctionId, Name, Scope, ScopeId, TypeFacts, Value, ValueId,
};
use crate::text::Span;
use rustc_hash::FxHashMap;

impl Lowering<'_> {
    /// Opens a scope.
    pub fn new_scope(&mut self, parent: Option<ScopeId>, function: FunctionId, span: Span, is_loop: bool) -> ScopeId {
        let id = ScopeId(self.out.scopes.len() as u32);
        self.out.scopes.push(Scope { parent, function, span, bindings: Vec::new(), is_loop });
        self.names.push(FxHashMap::default());
        id
    }

    /// Declares a variable in a scope; a second declaration of a name (the other side of an `#if`) is the same one.
    pub fn declare(
        &mut self,
        scope: ScopeId,
        name: Name,
        kind: BindingKind,
        span: Span,
        ty: Option<TypeFacts>,
    ) -> BindingId {
        if !name.is_empty()
            && let Some(&known) = self.names[scope.index()].get(&name)
        {
            return known;
        }
        let id = BindingId(self.out.bindings.len() as u32);
        let function = self.out.scopes[scope.index()].function;
        let assignments = u32::from(matches!(kind, BindingKind::Parameter(_) | BindingKind::Catch));
        let binding =
            Binding { name, kind, scope, function, span, value: None, assignments, captured_by: Vec::new(), ty };
        self.out.bindings.push(binding);
        self.out.scopes[scope.index()].bindings.push(id);
        if !name.is_empty() {
            self.names[scope.index()].insert(name, id);
        }
        id
    }

    /// Empties a scope whose declaration is replaced by a definition.
    pub fn forget_scope(&mut self, scope: ScopeId) {
        self.names[scope.index()].clear();
        self.out.scopes[scope.index()].bindings.clear();
    }

    /// A variable of exactly this scope.
    pub fn declared(&self, scope: ScopeId, name: Name) -> Option<BindingId> {
        self.names[scope.index()].get(&name).copied()
    }

    /// What a name without qualification means here.
    pub fn resolve(&mut self, name: Name) -> ValueId {
        let mut scope = Some(self.frame.scope);
        while let Some(at) = scope.filter(|at| *at != ScopeId(0)) {
            if let Some(binding) = self.declared(at, name) {
                return self.mention(binding);
            }
            scope = self.out.scopes[at.index()].parent;
        }
        if let Some(member) = self.own_member(name) {
            return member;
        }
        if let Some(binding) = self.declared(ScopeId(0), name) {
            return self.mention(binding);
        }
        if let Some(functions) = self.functions.get(&name) {
            let function = functions[0];
            return self.value(Value::Function(function));
        }
        match self.aliases.get(&name) {
            Some(Alias::Path(path)) => {
                let path = path.clone();
                self.path(&path)
            }
            _ => self.value(Value::Global(name)),
        }
    }

    /// A name that the class around (or a base in this file) has.
    fn own_member(&mut self, name: Name) -> Option<ValueId> {
        let qualifier = self.frame.class.map(|class| self.out.class(class).name).or(self.frame.class_name)?;
        let (class, kind) = match self.frame.class {
            Some(class) => self.find_member(class, name, 0).unzip(),
            None => (None, None),
        };
        let owner = class.map_or(qualifier, |class| self.out.class(class).name);
        // A static member's definition is a variable of this file, named as written.
        for owner in [owner, qualifier, bare(owner)] {
            if let Some(binding) = self.declared(ScopeId(0), Name::from(&format!("{owner}::{name}"))) {
                return Some(self.mention(binding));
            }
        }
        match kind? {
            Member::Own => {
                let this = self.this();
                Some(self.member(this, name))
            }
            Member::Static => Some(self.static_member(class?, name)),
        }
    }

    /// A member of the class itself: its code where that is here, else its path.
    pub fn static_member(&mut self, class: ClassId, name: Name) -> ValueId {
        let owner = self.out.class(class);
        let method = owner.methods.iter().find(|method| method.name == name).map(|method| method.function);
        if let Some(function) = method.filter(|function| self.out.function(*function).has_body) {
            return self.value(Value::Function(function));
        }
        let path: Vec<Name> = owner.name.split("::").map(Name::from).chain([name]).collect();
        self.path(&path)
    }

    fn find_member(&self, class: ClassId, name: Name, depth: u32) -> Option<(ClassId, Member)> {
        if let Some(&member) = self.members[class.index()].get(&name) {
            return Some((class, member));
        }
        if depth > 8 {
            return None;
        }
        self.out.class(class).bases.iter().find_map(|&base| {
            let base = self.class_of_path(base)?;
            (base != class).then(|| self.find_member(base, name, depth + 1)).flatten()
        })
    }

    /// The class of this file that a path names.
    pub fn class_of_path(&self, path: ValueId) -> Option<ClassId> {
        match self.out.value(path) {
            Value::Global(name) | Value::Member(_, name) => self.classes.get(name).copied(),
            _ => None,
        }
    }

    /// The value of a variable, noting which functions keep it.
    fn mention(&mut self, binding: BindingId) -> ValueId {
        let owner = self.out.binding(binding).function;
        let mut function = self.frame.function;
        let mut chain = Vec::new();
        while function != owner {
            chain.push(function);
            match self.out.functions[function.index()].parent {
                Some(parent) => function = parent,
                None => break,
            }
        }
        for function in chain.into_iter().rev() {
            let captured_by = &mut self.out.bindings[binding.index()].captured_by;
            if !captured_by.contains(&function) {
                captured_by.push(function);
                self.out.functions[function.index()].captures.push(binding);
            }
        }
        self.value(Value::Binding(binding))
    }
}
