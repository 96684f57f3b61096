//! Collections as places: which places hold one, where they grow, where they shrink, and where they get out of sight.
//! A collection handed to a project function is followed into it, one handed to anything else is out of sight unless its
//! row says that it is only looked at. Weighs neither lifetimes nor rates.

use super::{Access, AccessKind, Key, Origin, Place, Project, Root};
use crate::model::contract::{Effect, Part};
use crate::model::{Api, BindingId, BindingKind, CallId, Cond, Flow, FunctionId, In, Literal, Type, Value, ValueId};
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
    /// The function whose code it is.
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

impl<'a> Project<'a> {
    /// Every place of the project's JavaScript that holds a collection and gets entries, in the order of its first growth.
    pub fn tables(&self) -> &[Table] {
        &self.tables.0.get_or_init(|| self.find_tables())
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
                self.api(access.of(call)).is_some_and(grows) || ["Map", "Set", "Array"].iter().any(|s| named(s).is_some_and(grows))
            }
            _ => false,
        }
    }

    /// The collection of a place; none where it holds none, or one that bounds itself or is weak.
    pub fn table(&self, place: Place) -> Option<Table> {
        let accesses = self.accesses(place);
        let mut shape = None;
        let mut ty = None;
        let mut made = Vec::new();
        for access in accesses.iter() {
            let AccessKind::Assigned { value, .. } = access.kind else { continue };
            match self.made(access.of(value)) {
                Made::Fresh(found, found_ty) => {
                    if shape.is_some_and(|shape| shape != found) {
                        return None;
                    }
                    shape = Some(found);
                    ty = ty.or(found_ty);
                    made.push(*access);
                }
                Made::Other => return None,
                Made::Derived | Made::Nothing => {}
            }
        }
        let shape = shape?;
        let mut table = Table {
            place,
            shape,
            made,
            growths: Vec::new(),
            shrinks: Vec::new(),
            escapes: Vec::new(),
            size_checks: Vec::new(),
            is_read: false,
        };
        self.collect(&mut table, ty, place, None, 0);
        Some(table)
    }

    /// What an assignment puts into a place.
    fn made(&self, value: In<ValueId>) -> Made<'a> {
        match self.value(value) {
            Value::Literal(Literal::Null | Literal::Undefined | Literal::Bool(false)) => return Made::Nothing,
            Value::Choice(parts) => {
                let mut best = Made::Nothing;
                for part in parts.iter() {
                    match (self.made(value.with(*part)), &best) {
                        (Made::Fresh(shape, ty), _) => best = Made::Fresh(shape, ty),
                        (Made::Derived, Made::Nothing) => best = Made::Derived,
                        (Made::Other, Made::Nothing) => best = Made::Derived,
                        _ => {}
                    }
                }
                return best;
            }
            Value::Array(..) => return Made::Fresh(Shape::List, self.contracts.ty("Array")),
            Value::Object(object) => {
                let empty = self.object(value.with(*object)).properties.is_empty();
                return if empty { Made::Fresh(Shape::Object, None) } else { Made::Record };
            }
            _ => {}
        }
        if let Origin::Result(call) = self.origin(value) {
            let path = self.path(call);
            if path.is_some_and(|path| path == "Object.create") {
                return Made::Fresh(Shape::Object, None);
            }
            if let Some(ty) = self.ty(value) {
                return self.made_of_type(call, ty);
            }
        }
        match self.value(value) {
            Value::Result(call) if self.receiver(value.with(*call)).is_some() => Made::Derived,
            _ => Made::Other,
        }
    }
}
