//! Collections as places: which places hold one, where they grow, where they shrink, and where they get out of sight.
//! A collection handed to a project function is followed into it, one handed to anything else is out of sight unless its
//! row says that it is only looked at. Weighs neither lifetimes nor rates.

mod collect;
mod sizes;

use super::{Access, AccessKind, Key, Origin, Place, Project, Root};

use crate::model::{Api, BindingId, BindingKind, CallId, FunctionId, In, Literal, Type, Value, ValueId};
use crate::text::{FileId, Location};
use collect::Collector;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
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
pub(super) struct LazyTables<'a> {
    all: OnceLock<Vec<Table>>,
    methods: OnceLock<FxHashSet<&'a str>>,
}

impl<'a> Project<'a> {
    /// Every place of the project's JavaScript that holds a collection and gets entries, in the order of its first growth.
    pub fn tables(&self) -> &[Table] {
        if let Some(tables) = self.tables.all.get() {
            return tables;
        }
        // Not under the lock: see `Project::registry`.
        let tables = self.find_tables();
        self.tables.all.get_or_init(|| tables)
    }

    fn find_tables(&self) -> Vec<Table> {
        let files: Vec<FileId> = self.files().map(|(file, _)| file).filter(|file| !self.is_native(*file)).collect();
        let mut places: Vec<Place> = files.par_iter().flat_map_iter(|file| self.growing_in(*file)).collect();
        let mut seen = FxHashSet::default();
        places.retain(|place| seen.insert(*place));
        let tables = places.into_par_iter().filter_map(|place| self.table(place));
        tables.filter(|table| !table.growths.is_empty()).collect()
    }

    /// The places that code of a file seems to put entries into.
    fn growing_in(&self, file: FileId) -> Vec<Place> {
        let mut found = Vec::new();
        for at in 0..self.summary(file).values.len() as u32 {
            let value = In::new(file, ValueId(at));
            if self.uses(value).iter().any(|access| self.may_grow(access)) {
                found.extend(self.places_behind(value, 0));
            }
        }
        found
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
                let grows = |api: &Api| api.grows.is_some();
                self.growing_methods().contains(name.as_str()) || self.api(access.of(call)).is_some_and(grows)
            }
            _ => false,
        }
    }

    /// The methods that put something into some kind of collection.
    fn growing_methods(&self) -> &FxHashSet<&'a str> {
        self.tables.methods.get_or_init(|| {
            let names = self.contracts.apis.iter().flat_map(|api| &api.names);
            let methods = names.filter_map(|name| Some(name.split_once('#')?.1)).map(|method| {
                method.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$' | '@')).next().unwrap_or(method)
            });
            let grows = |method: &&str| {
                let api = |shape: &str| self.contracts.api(&format!("{shape}#{method}"));
                ["Map", "Set", "Array"].iter().any(|shape| api(shape).is_some_and(|api| api.grows.is_some()))
            };
            methods.filter(grows).collect()
        })
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
        let mut collector =
            Collector { project: self, table: &mut table, place, from: None, depth: 0, births, guessing: false };
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
    pub fn is_bounded(&self, call: In<CallId>, ty: &Type) -> bool {
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
