//! Collections as places: which places hold one, where they grow, where they shrink, and where they get out of sight.
//! A collection handed to a project function is followed into it, one handed to anything else is out of sight unless its
//! row says that it is only looked at. Weighs neither lifetimes nor rates.

use super::{Access, AccessKind, Key, Origin, Place, Project, Root};
use crate::model::contract::{Effect, Part};
use crate::model::{
    Api, BindingId, BindingKind, CallId, Cond, Flow, FunctionId, In, Literal, Step, Type, Value, ValueId,
};
use crate::text::Location;
use std::sync::OnceLock;

/// How deep collections are followed into the functions they are handed to.
const DEPTH: u32 = 3;

/// What kind of collection a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A collection with keys and methods: `Map`, `Set` and their like.
    Keyed,
    /// An array.
    List,
    /// A plain object used as a table.
    Object,
}

/// A place that holds a collection.
#[derive(Clone, Debug)]
pub struct Table {
    /// The place.
    pub place: Place,
    /// What it holds.
    pub shape: Shape,
    /// Where it is made, in file order.
    pub made: Vec<Access>,
    /// Where it gets entries.
    pub growths: Vec<Growth>,
    /// Where it may lose entries.
    pub shrinks: Vec<Shrink>,
    /// Where a slot that is there receives something else: a list's element is replaced, an entry is set to `null`.
    pub overwrites: Vec<Growth>,
    /// Where it goes to code that nobody knows, which may do anything with it.
    pub escapes: Vec<Location>,
    /// Where a condition looks at its size, other than for being empty.
    pub size_checks: Vec<Location>,
    /// Whether anything ever looks at its entries.
    pub is_read: bool,
}

/// An entry is put in.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// The call or assignment.
    pub at: Location,
    /// The function whose code it is, or which hands the collection to the code.
    pub function: In<FunctionId>,
    /// The call, where it is one.
    pub call: Option<In<CallId>>,
    /// The collection, as written there.
    pub on: In<ValueId>,
    /// Under which key; none for appends.
    pub key: Option<In<ValueId>>,
    /// What.
    pub value: Option<In<ValueId>>,
}

/// Entries are taken out.
#[derive(Clone, Copy, Debug)]
pub struct Shrink {
    /// The call, assignment or `delete`.
    pub at: Location,
    /// The function whose code it is, or which hands the collection to the code.
    pub function: In<FunctionId>,
    /// The call, where it is one.
    pub call: Option<In<CallId>>,
    /// Which entries.
    pub what: Gone,
    /// It stands in a loop: in the end all of them.
    pub from_loop: bool,
    /// It runs only where the collection is empty already.
    pub when_empty: bool,
    /// The receiver is not known; only the property's name is the same.
    pub is_guess: bool,
}

/// Which entries go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The one under a key, or the element that a value is.
    Entry(In<ValueId>),
    /// Some entry: the first, the last, those that a test picks.
    Some,
    /// All of them.
    All,
}

/// All collections of a project, made when they are first asked for.
#[derive(Default)]
pub(super) struct LazyTables(OnceLock<Vec<Table>>);

impl Project<'_> {
    /// Every place of the project's JavaScript that holds a collection and gets entries, in the order of its first growth.
    pub fn tables(&self) -> &[Table] {
        self.tables.0.get_or_init(|| self.find_tables())
    }

    fn find_tables(&self) -> Vec<Table> {
        let mut places: Vec<Place> = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for (file, summary) in self.files() {
            if summary.language.is_none_or(crate::model::Language::is_native) {
                continue;
            }
            for at in 0..summary.values.len() {
                let value = In::new(file, ValueId(at as u32));
                if !self.uses(value).iter().any(|access| self.may_grow(access)) {
                    continue;
                }
                for place in self.places_behind(value, 0) {
                    if seen.insert(place) {
                        places.push(place);
                    }
                }
            }
        }
        places.into_iter().filter_map(|place| self.table(place)).filter(|table| !table.growths.is_empty()).collect()
    }

    /// The place of a value; for a parameter also those of what the project's callers pass.
    fn places_behind(&self, value: In<ValueId>, depth: u32) -> Vec<Place> {
        let Some(place) = self.place(value) else { return Vec::new() };
        let mut found = vec![place];
        if let Some(parameter) = self.parameter_of(place).filter(|_| depth < DEPTH) {
            for argument in self.arguments_of(parameter) {
                found.extend(self.places_behind(argument, depth + 1));
            }
        }
        found
    }

    fn parameter_of(&self, place: Place) -> Option<In<BindingId>> {
        let variable = place.variable()?;
        matches!(self.binding(variable).kind, BindingKind::Parameter(_)).then_some(variable)
    }

    /// Whether an access looks like a growth, before anything is known of the collection.
    fn may_grow(&self, access: &Access) -> bool {
        match access.kind {
            AccessKind::KeyAssigned { key: Key::Value(_), .. } => true,
            AccessKind::Method { call, key: Key::Name(name) } => {
                let named = |shape: &str| self.contracts.api(&format!("{shape}#{name}"));
                let grows = |api: &Api| api.grows.is_some();
                self.api(access.of(call)).is_some_and(grows)
                    || ["Map", "Set", "Array"].iter().any(|s| named(s).is_some_and(grows))
            }
            _ => false,
        }
    }

    /// The collection of a place; none where it holds none, or one that bounds itself or is weak.
    pub fn table(&self, place: Place) -> Option<Table> {
        let accesses = self.accesses(place);
        let mut shape = None;
        let mut made = Vec::new();
        let mut note = |found: Made, access: Option<&Access>| match found {
            Made::Fresh(found) if shape.is_none_or(|shape| shape == found) => {
                shape = Some(found);
                made.extend(access.copied());
                true
            }
            Made::Fresh(_) | Made::Other => false,
            Made::Derived | Made::Nothing => true,
        };
        for access in accesses.iter() {
            let AccessKind::Assigned { value, .. } = access.kind else { continue };
            if !note(self.put(access.of(value), place), Some(access)) {
                return None;
            }
        }
        if let (Root::Object(object, name), true) = (place.root, place.path.is_empty())
            && let Some(value) = self.object(object).get(&name)
            && !note(self.put(object.with(value), place), None)
        {
            return None;
        }
        let mut table = Table {
            place,
            shape: shape?,
            made,
            growths: Vec::new(),
            shrinks: Vec::new(),
            overwrites: Vec::new(),
            escapes: Vec::new(),
            size_checks: Vec::new(),
            is_read: false,
        };
        let births = table.made.len();
        let mut collector = Collector { project: self, table: &mut table, place, from: None, depth: 0, births, guessing: false };
        collector.run();
        Some(table)
    }

    /// What an assignment puts into a place.
    fn put(&self, value: In<ValueId>, place: Place) -> Made {
        match self.value(value) {
            Value::Literal(Literal::Null | Literal::Undefined | Literal::Bool(false)) => return Made::Nothing,
            Value::Choice(parts) => {
                let made: Vec<Made> = parts.iter().map(|part| self.put(value.with(*part), place)).collect();
                let fresh = made.iter().find(|made| matches!(made, Made::Fresh(_)));
                return fresh.or(made.iter().find(|made| **made != Made::Nothing)).copied().unwrap_or(Made::Nothing);
            }
            Value::Array(..) => return Made::Fresh(Shape::List),
            Value::Object(object) => {
                let empty = self.object(value.with(*object)).properties.is_empty();
                return if empty { Made::Fresh(Shape::Object) } else { Made::Other };
            }
            _ => {}
        }
        if self.place(value) == Some(place) {
            return Made::Derived;
        }
        if let Origin::Result(call) = self.origin(value) {
            if self.path(call).is_some_and(|path| path == "Object.create") {
                return Made::Fresh(Shape::Object);
            }
            if self.call(call).is_new || self.receiver(call).is_none() {
                return self.ty(value).map_or(Made::Other, |ty| self.made_of_type(call, ty));
            }
            let on_itself = self.receiver(call).and_then(|on| self.place(on)) == Some(place);
            if on_itself {
                return Made::Derived;
            }
            if let Some(ty) = self.ty(value) {
                return self.made_of_type(call, ty);
            }
        }
        match self.origin(value) {
            Origin::Array(_) => Made::Fresh(Shape::List),
            Origin::Object(object) if self.object(object).properties.is_empty() => Made::Fresh(Shape::Object),
            _ => Made::Other,
        }
    }

    fn made_of_type(&self, call: In<CallId>, ty: &Type) -> Made {
        let family = ["collection", "cache"].iter().any(|family| self.contracts.is_family(ty, family));
        if !family || self.is_bounded(call, ty) {
            return Made::Other;
        }
        let has = |method: &str| self.contracts.method(ty, method).is_some_and(|api| api.grows.is_some());
        if has("set") || has("add") {
            Made::Fresh(Shape::Keyed)
        } else if has("push") {
            Made::Fresh(Shape::List)
        } else {
            Made::Other
        }
    }

    /// Whether a collection is made with an option that bounds it, or with options that cannot be seen.
    fn is_bounded(&self, call: In<CallId>, ty: &Type) -> bool {
        let bounds: Vec<&String> = self.contracts.bases(ty).flat_map(|ty| &ty.bounded_by).collect();
        if bounds.is_empty() {
            return false;
        }
        let mut arguments = self.call(call).arguments.iter().peekable();
        arguments.peek().is_some()
            && arguments.any(|argument| match self.value(call.with(argument.value)) {
                Value::Object(object) => {
                    let object = self.object(call.with(*object));
                    object.properties.iter().any(|p| p.name.is_none_or(|name| bounds.iter().any(|b| name == **b)))
                }
                _ => true,
            })
    }
}

/// What an assignment puts into a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// A new collection.
    Fresh(Shape),
    /// Something made of what was there.
    Derived,
    /// Nothing.
    Nothing,
    /// Something that is no collection, or not one of ours.
    Other,
}

/// Gathers what happens to a collection, at its place and at the parameters that it is passed as.
struct Collector<'p, 'a> {
    project: &'p Project<'a>,
    table: &'p mut Table,
    /// The place that is looked at now: the table's own, or a parameter.
    place: Place,
    /// The function that passed it, where it is a parameter: what is done there is done by its doing.
    from: Option<In<FunctionId>>,
    depth: u32,
    births: usize,
    guessing: bool,
}

impl Collector<'_, '_> {
    fn run(&mut self) {
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
            let unknown = match project.place(value) {
                None => true,
                Some(found) => match found.root {
                    Root::Variable(variable) => project.binding(variable).value.is_none(),
                    _ => !found.path.is_empty(),
                },
            };
            if !unknown {
                continue;
            }
            for access in project.uses(value) {
                match access.kind {
                    AccessKind::KeyDeleted { key: Key::Value(key) } => {
                        self.shrink(access, None, Gone::Entry(access.of(key)));
                    }
                    AccessKind::KeyDeleted { .. } => self.shrink(access, None, Gone::Some),
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
                self.slot(access, access.of(key), access.of(value))
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
            if self.table.made.iter().any(fresh) {
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

/// Whether a condition holds (or does not) only where a collection is empty.
fn says_empty(project: &Project<'_>, access: &Access, cond: &Cond, place: Place, holds: bool) -> bool {
    let size = |value: ValueId| mentions_size(project, access.of(value), place, 3);
    let int = |value: ValueId, wanted: i64| matches!(project.value(access.of(value)), Value::Literal(Literal::Int(int)) if *int == wanted);
    match cond {
        Cond::Truthy(value) => !holds && size(*value),
        Cond::Equal(a, b) => holds && (size(*a) && int(*b, 0) || size(*b) && int(*a, 0)),
        Cond::Less(a, b) => holds && size(*a) && int(*b, 1) || !holds && int(*a, 0) && size(*b),
        Cond::AtMost(a, b) => holds && size(*a) && int(*b, 0) || !holds && int(*a, 1) && size(*b),
        Cond::Not(inner) => says_empty(project, access, inner, place, !holds),
        Cond::All(parts) => holds && parts.iter().any(|part| says_empty(project, access, part, place, true)),
        Cond::Any(parts) => !holds && parts.iter().any(|part| says_empty(project, access, part, place, false)),
        Cond::Opaque(_) | Cond::Config(_) => false,
    }
}

/// Whether a step of that range is in a piece of flow.
fn contains(project: &Project<'_>, access: &Access, flow: &Flow) -> bool {
    let mut found = false;
    flow.walk(&mut |part| {
        found |= match part {
            Flow::Step(Step::Assign(assign)) => assign.span == access.span,
            Flow::Step(Step::Call(call)) => project.call(access.of(*call)).span == access.span,
            _ => false,
        };
    });
    found
}

/// Whether a condition compares the size of a collection with something other than nothing at all.
fn bounds(project: &Project<'_>, access: &Access, cond: &Cond, place: Place) -> bool {
    let sized = |value: ValueId| mentions_size(project, access.of(value), place, 0);
    let zero = |value: ValueId| matches!(project.value(access.of(value)), Value::Literal(Literal::Int(0)));
    let one = |value: ValueId| matches!(project.value(access.of(value)), Value::Literal(Literal::Int(1)));
    match cond {
        Cond::Equal(a, b) => sized(*a) && !zero(*b) || sized(*b) && !zero(*a),
        Cond::Less(a, b) => sized(*a) && !one(*b) || sized(*b) && !zero(*a),
        Cond::AtMost(a, b) => sized(*a) && !zero(*b) || sized(*b) && !one(*a),
        Cond::Not(inner) => bounds(project, access, inner, place),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().any(|part| bounds(project, access, part, place)),
        Cond::Opaque(values) => values.iter().any(|value| sized(*value)),
        Cond::Truthy(_) | Cond::Config(_) => false,
    }
}

fn mentions_size(project: &Project<'_>, value: In<ValueId>, place: Place, depth: u32) -> bool {
    match project.value(value) {
        Value::Member(object, name) => {
            matches!(name.as_str(), "length" | "size") && project.place(value.with(*object)) == Some(place)
        }
        Value::Opaque(parts) | Value::Choice(parts) if depth < 3 => {
            parts.iter().any(|part| mentions_size(project, value.with(*part), place, depth + 1))
        }
        Value::Result(call) if depth < 3 => {
            let call = value.with(*call);
            let arguments = &project.call(call).arguments;
            arguments.iter().any(|argument| mentions_size(project, call.with(argument.value), place, depth + 1))
        }
        _ => false,
    }
}
