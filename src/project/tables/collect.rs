//! What happens to one collection: growths, shrinks and escapes, at its place and at the parameters it is passed as.

use super::sizes::{bounds, contains, says_empty};
use super::{DEPTH, Gone, Growth, Made, Shape, Shrink, Table};
use crate::model::contract::{Effect, Part};
use crate::model::{Api, BindingId, CallId, Flow, FunctionId, In, Literal, Value, ValueId};
use crate::project::{Access, AccessKind, Key, Origin, Place, Project, Root};

/// Gathers what happens to a collection, at its place and at the parameters that it is passed as.
pub(super) struct Collector<'p, 'a> {
    pub(super) project: &'p Project<'a>,
    pub(super) table: &'p mut Table,
    /// The place that is looked at now: the table's own, or a parameter.
    pub(super) place: Place,
    /// The function that passed it, where it is a parameter: what is done there is done by its doing.
    pub(super) from: Option<In<FunctionId>>,
    pub(super) depth: u32,
    pub(super) births: usize,
    /// The receiver is not known.
    pub(super) guessing: bool,
}

impl Collector<'_, '_> {
    pub(super) fn run(&mut self) {
        for access in self.project.accesses(self.place).iter() {
            self.access(access);
        }
        if self.depth == 0 && self.place.path.is_empty() {
            self.guessing = true;
            self.strangers();
            self.guessing = false;
        }
        if let Some(above) = self.place.above().filter(|_| self.depth == 0) {
            for access in self.project.accesses(above).iter() {
                let again =
                    matches!(access.kind, AccessKind::Assigned { is_declaration: false, only_if_empty: false, .. });
                if again && !self.is_birth(access) {
                    self.shrink(access, None, Gone::All);
                }
                // `lists[kind] = lists[kind].filter(…)` of whatever kind.
                if matches!(access.kind, AccessKind::KeyAssigned { key: Key::Value(_), .. })
                    && !self.place.path.ends_with("[]")
                {
                    self.shrink(access, None, Gone::Some);
                }
            }
        }
    }

    /// Removals from a property of that name of something unknown: it may be this one.
    fn strangers(&mut self) {
        let (Root::Field(_, name)
        | Root::Static(_, name)
        | Root::Property(_, name)
        | Root::Object(_, name)
        | Root::Export(_, name)) = self.place.root
        else {
            return;
        };
        let project = self.project;
        for value in project.members_named(name, None) {
            let place = project.place(value);
            let unknown = match place {
                None => true,
                Some(found) => match found.root {
                    Root::Variable(variable) => project.binding(variable).value.is_none(),
                    // The receiver of a function that is no method: whatever calls it.
                    Root::Property(..) => matches!(
                        project.value(value),
                        Value::Member(object, _) if matches!(project.value(value.with(*object)), Value::This(_))
                    ),
                    _ => !found.path.is_empty(),
                },
            };
            if !unknown {
                continue;
            }
            let all = place.map(|place| project.accesses(place));
            for access in all.as_deref().unwrap_or(project.uses(value)) {
                match access.kind {
                    AccessKind::KeyDeleted { key: Key::Value(key) } => {
                        self.shrink(access, None, Gone::Entry(access.of(key)));
                    }
                    AccessKind::KeyDeleted { .. } => self.shrink(access, None, Gone::Some),
                    AccessKind::Assigned { value, only_if_empty: false, is_declaration: false }
                        if matches!(project.put(access.of(value), self.place), Made::Fresh(_) | Made::Nothing) =>
                    {
                        self.shrink(access, None, Gone::All);
                    }
                    AccessKind::Method { call, key: Key::Name(method) } => {
                        let shrinks = self.row(access.of(call), &method).and_then(|row| row.shrinks);
                        if let Some(shrinks) = shrinks.filter(|shrinks| shrinks.what == Part::Receiver) {
                            let key = shrinks.key.and_then(|at| project.argument(access.of(call), at));
                            self.shrink_by(access, access.of(call), &method, shrinks.all, key);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn access(&mut self, access: &Access) {
        match access.kind {
            AccessKind::Assigned { value, only_if_empty, is_declaration } => {
                if !only_if_empty && !is_declaration {
                    self.assigned(access, access.of(value));
                }
            }
            AccessKind::Deleted => self.shrink(access, None, Gone::All),
            AccessKind::KeyAssigned { key: Key::Name(name), .. } => {
                if self.table.shape == Shape::List && name == "length" {
                    self.shrink(access, None, Gone::All);
                }
            }
            AccessKind::KeyAssigned { key: Key::Value(key), value } => {
                self.slot(access, access.of(key), access.of(value));
            }
            AccessKind::KeyDeleted { key: Key::Value(key) } => self.shrink(access, None, Gone::Entry(access.of(key))),
            AccessKind::KeyDeleted { .. } | AccessKind::Called { .. } | AccessKind::Tested => {}
            AccessKind::KeyRead { key } => {
                self.table.is_read |= !matches!(key, Key::Name(name) if name == "length" || name == "size");
            }
            AccessKind::Method { call, key } => self.method(access, access.of(call), key),
            AccessKind::Argument { call, index } => self.argument(access, access.of(call), index),
            AccessKind::Inside { outer } => self.inside(access, access.of(outer)),
            AccessKind::Stored { place } => self.stored(access, access.of(place)),
            AccessKind::SizeTested => self.size_tested(access),
            AccessKind::Returned
            | AccessKind::Thrown
            | AccessKind::Awaited
            | AccessKind::Iterated
            | AccessKind::Read => {
                self.table.is_read = true;
            }
        }
    }

    fn assigned(&mut self, access: &Access, value: In<ValueId>) {
        if self.is_birth(access) {
            return;
        }
        if let Value::Choice(parts) = self.project.value(value)
            && parts.iter().any(|part| self.project.place(value.with(*part)) == Some(self.place))
        {
            return;
        }
        if self.is_copy_with_more(value) {
            self.grow(access, None, value, None, None);
            return;
        }
        match self.project.put(value, self.place) {
            Made::Fresh(_) | Made::Nothing => self.shrink(access, None, Gone::All),
            Made::Derived => self.shrink(access, None, Gone::Some),
            Made::Other => self.table.escapes.push(access.at()),
        }
    }

    /// `x = [...x, y]`, `x = x.concat(y)`.
    fn is_copy_with_more(&self, value: In<ValueId>) -> bool {
        match self.project.value(value) {
            Value::Array(_, parts) => parts.iter().any(|part| match self.project.value(value.with(*part)) {
                Value::Spread(inner) => self.project.place(value.with(*inner)) == Some(self.place),
                _ => false,
            }),
            Value::Result(call) => {
                let call = value.with(*call);
                self.project.method_name(call).is_some_and(|name| name == "concat")
                    && self.project.receiver(call).and_then(|on| self.project.place(on)) == Some(self.place)
            }
            _ => false,
        }
    }

    /// Whether an assignment is the collection's own beginning: the only one, or the constructor's.
    fn is_birth(&self, access: &Access) -> bool {
        if self.births <= 1 && self.depth == 0 && self.place == self.table.place {
            let fresh = |made: &Access| made.span == access.span && made.file == access.file;
            if self.table.made.iter().any(fresh) && !self.is_done_again(access.function()) {
                return true;
            }
        }
        let function = access.function();
        match self.place.root {
            Root::Field(class, _) => {
                let constructors = self.project.constructors(class);
                constructors.contains(&function)
                    || self.project.subclasses(class).iter().any(|c| self.project.constructors(*c).contains(&function))
            }
            Root::Variable(variable) => {
                function == variable.with(self.project.binding(variable).function)
                    && self.project.binding(variable).function == FunctionId::MODULE
            }
            _ => function.id == FunctionId::MODULE,
        }
    }

    /// A method that the constructor calls first, and others later: what it makes anew it empties. `reset()`.
    fn is_done_again(&self, function: In<FunctionId>) -> bool {
        let Root::Field(class, _) = self.place.root else { return false };
        let constructors = self.project.constructors(class);
        let callers = self.project.callers(function);
        let by_constructor = |call: In<CallId>| constructors.contains(&self.project.function_of(call));
        !constructors.contains(&function)
            && self.project.class_of(function).is_some()
            && (callers.is_empty() || !callers.iter().all(|caller| by_constructor(caller.call)))
    }

    /// `x[key] = value`.
    fn slot(&mut self, access: &Access, key: In<ValueId>, value: In<ValueId>) {
        let empty = matches!(self.project.value(value), Value::Literal(Literal::Null | Literal::Undefined));
        let appends = self.table.shape != Shape::List || self.is_own_length(key, 0);
        if empty || !appends {
            let growth = self.growth(access, None, access.of(access.value), Some(key), Some(value));
            self.table.overwrites.push(growth);
        } else if self.table.shape == Shape::List {
            self.grow(access, None, access.of(access.value), None, Some(value));
        } else if self.table.shape == Shape::Object {
            self.grow(access, None, access.of(access.value), Some(key), Some(value));
        }
    }

    fn is_own_length(&self, key: In<ValueId>, depth: u32) -> bool {
        match self.project.value(key) {
            Value::Member(object, name) => {
                *name == "length" && self.project.place(key.with(*object)) == Some(self.place)
            }
            Value::Binding(binding) if depth < 3 => {
                let value = self.project.binding(key.with(*binding)).value;
                value.is_some_and(|value| self.is_own_length(key.with(value), depth + 1))
            }
            Value::Opaque(parts) if depth < 3 => {
                parts.iter().any(|part| self.is_own_length(key.with(*part), depth + 1))
            }
            _ => false,
        }
    }

    fn method(&mut self, access: &Access, call: In<CallId>, key: Key) {
        let Key::Name(name) = key else {
            self.table.is_read = true;
            return;
        };
        let Some((grows, shrinks)) = self.row(call, &name).map(|row| (row.grows, row.shrinks)) else {
            self.table.is_read = true;
            return;
        };
        let on = access.of(access.value);
        let argument = |at: Option<u16>| at.and_then(|at| self.project.argument(call, at));
        if let Some(grows) = grows.filter(|grows| grows.what == Part::Receiver) {
            let (key, value) = (argument(grows.key), argument(grows.value));
            let empty = value.is_some_and(|value| {
                matches!(self.project.value(value), Value::Literal(Literal::Null | Literal::Undefined))
            });
            if empty && grows.key.is_some() {
                let growth = self.growth(access, Some(call), on, key, value);
                self.table.overwrites.push(growth);
            } else {
                self.grow_by(access, call, key, value);
            }
        }
        if let Some(shrinks) = shrinks.filter(|shrinks| shrinks.what == Part::Receiver) {
            self.shrink_by(access, call, &name, shrinks.all, argument(shrinks.key));
        } else if name == "fill" {
            self.shrink(access, Some(call), Gone::All);
        } else if grows.is_none() {
            self.table.is_read = true;
        }
    }

    fn grow_by(&mut self, access: &Access, call: In<CallId>, key: Option<In<ValueId>>, value: Option<In<ValueId>>) {
        self.grow(access, Some(call), access.of(access.value), key, value);
    }

    /// `splice` may take one element out by its index, or put one in.
    fn shrink_by(&mut self, access: &Access, call: In<CallId>, name: &str, all: bool, key: Option<In<ValueId>>) {
        let project = self.project;
        if name == "splice" {
            let count = project.argument(call, 1).map(|count| project.origin(count));
            if count == Some(Origin::Literal(Literal::Int(0))) {
                self.grow(access, Some(call), access.of(access.value), None, project.argument(call, 2));
                return;
            }
            let found = project.argument(call, 0).and_then(|at| self.sought(at));
            self.shrink(access, Some(call), found.map_or(Gone::Some, Gone::Entry));
            return;
        }
        let what = match (all, key) {
            (true, _) => Gone::All,
            (false, Some(key)) => Gone::Entry(key),
            (false, None) => Gone::Some,
        };
        self.shrink(access, Some(call), what);
    }

    /// `x` of `list.indexOf(x)`.
    fn sought(&self, index: In<ValueId>) -> Option<In<ValueId>> {
        let value = match self.project.value(index) {
            Value::Binding(binding) => index.with(self.project.binding(index.with(*binding)).value?),
            _ => index,
        };
        let Value::Result(call) = self.project.value(value) else { return None };
        let call = value.with(*call);
        self.project.method_name(call).filter(|name| matches!(name.as_str(), "indexOf" | "lastIndexOf"))?;
        self.project.argument(call, 0)
    }

    /// The row of a method, by the call's own type or by the collection's shape.
    fn row(&self, call: In<CallId>, name: &str) -> Option<&Api> {
        let shapes: &[&str] = match self.table.shape {
            Shape::Keyed => &["Map", "Set"],
            Shape::List => &["Array"],
            Shape::Object => return None,
        };
        let by_shape = || shapes.iter().find_map(|shape| self.project.contracts.api(&format!("{shape}#{name}")));
        self.project.api(call).or_else(by_shape)
    }

    fn argument(&mut self, access: &Access, call: In<CallId>, index: u16) {
        let project = self.project;
        let targets = project.targets(call);
        if !targets.functions.is_empty() {
            self.table.is_read = true;
            for target in &targets.functions {
                match project.function(*target).parameters.get(index as usize) {
                    Some(parameter) if self.depth < DEPTH => self.follow(access, target.with(*parameter)),
                    _ => self.table.escapes.push(access.at()),
                }
            }
            return;
        }
        self.table.is_read = true;
        let Some(api) = project.api(call) else {
            self.table.escapes.push(access.at());
            return;
        };
        if let Some(shrinks) = api.shrinks.filter(|shrinks| shrinks.what == Part::Argument(index)) {
            let key = shrinks.key.and_then(|key| project.argument(call, key));
            self.shrink(access, Some(call), key.map_or(Gone::Some, Gone::Entry));
        } else if let Some(grows) = api.grows.filter(|grows| grows.what == Part::Argument(index)) {
            let argument = |at: Option<u16>| at.and_then(|at| project.argument(call, at));
            self.grow(access, Some(call), access.of(access.value), argument(grows.key), argument(grows.value));
        } else {
            let effect = api.arguments.get(index as usize).copied().unwrap_or(api.rest);
            if !matches!(effect, Effect::Borrow | Effect::Copy) {
                self.table.escapes.push(access.at());
            }
        }
    }

    /// Goes on in a function that the collection is passed to.
    fn follow(&mut self, access: &Access, parameter: In<BindingId>) {
        let from = self.from.or(Some(access.function()));
        let mut inner = Collector {
            project: self.project,
            table: self.table,
            place: Place::new(Root::Variable(parameter)),
            from,
            depth: self.depth + 1,
            births: 0,
            guessing: self.guessing,
        };
        inner.run();
    }

    fn inside(&mut self, access: &Access, outer: In<ValueId>) {
        self.table.is_read = true;
        let summary = self.project.summary(outer.file);
        let exported = summary.exports.iter().any(|export| export.value == outer.id);
        let looked_at = matches!(self.project.value(outer), Value::Array(..));
        if !exported && !looked_at {
            self.table.escapes.push(access.at());
        }
    }

    fn stored(&mut self, access: &Access, place: In<ValueId>) {
        let Some(other) = self.project.place(place) else {
            self.table.escapes.push(access.at());
            return;
        };
        if other == self.place || matches!(other.root, Root::Export(..)) {
            return;
        }
        self.table.is_read = true;
        if self.depth >= DEPTH {
            self.table.escapes.push(access.at());
            return;
        }
        let mut inner = Collector {
            project: self.project,
            table: self.table,
            place: other,
            from: self.from,
            depth: self.depth + 1,
            births: usize::MAX,
            guessing: self.guessing,
        };
        inner.run();
    }

    fn size_tested(&mut self, access: &Access) {
        let project = self.project;
        let mut found = false;
        let place = self.place;
        project.function(access.function()).flow.walk(&mut |flow| {
            if let Flow::Branch { cond, span, .. } = flow
                && *span == access.span
            {
                found |= bounds(project, access, cond, place);
            }
        });
        if found {
            self.table.size_checks.push(access.at());
        }
    }

    /// The function that does it: the one that passed the collection, unless a closure of the called one does it later.
    fn doer(&self, access: &Access) -> In<FunctionId> {
        let own = self.place.variable().map(|variable| variable.with(self.project.binding(variable).function));
        match self.from {
            Some(from) if own == Some(access.function()) => from,
            _ => access.function(),
        }
    }

    fn growth(
        &self,
        access: &Access,
        call: Option<In<CallId>>,
        on: In<ValueId>,
        key: Option<In<ValueId>>,
        value: Option<In<ValueId>>,
    ) -> Growth {
        Growth { at: access.at(), function: self.doer(access), call, on, key, value }
    }

    fn grow(
        &mut self,
        access: &Access,
        call: Option<In<CallId>>,
        on: In<ValueId>,
        key: Option<In<ValueId>>,
        value: Option<In<ValueId>>,
    ) {
        let growth = self.growth(access, call, on, key, value);
        if !self.table.growths.iter().any(|known| known.at == growth.at) {
            self.table.growths.push(growth);
        }
    }

    fn is_when_empty(&self, access: &Access) -> bool {
        let mut found = false;
        self.project.function(access.function()).flow.walk(&mut |flow| {
            if let Flow::Branch { cond, then, otherwise, .. } = flow {
                let says = |holds: bool| says_empty(self.project, access, cond, self.place, holds);
                found |= says(true) && contains(self.project, access, then)
                    || says(false) && contains(self.project, access, otherwise);
            }
        });
        found
    }

    fn shrink(&mut self, access: &Access, call: Option<In<CallId>>, what: Gone) {
        let function = self.doer(access);
        // `while (list.length) list.shift()`; a `splice` in a loop takes one out that the loop looks for.
        let from_loop = call.is_some_and(|call| {
            let name = self.project.method_name(call);
            self.project.call(call).loop_depth > 0 && name.is_some_and(|name| name == "shift" || name == "pop")
        });
        let when_empty = what == Gone::All && self.is_when_empty(access);
        self.table.shrinks.push(Shrink {
            at: access.at(),
            function,
            call,
            what,
            from_loop,
            when_empty,
            is_guess: self.guessing,
        });
    }
}
