//! Whether two values are one object or surely two: what removal by identity needs. [`Project::same`] says only the one;
//! here the other is said as well, and the rest stays unknown.

use super::registrations::{Event, Registration, Removal};
use super::{Likeness, Meeting, Origin, Origins, Project};
use crate::model::{CallId, FunctionId, In, Literal, Name, Value, ValueId};

impl Project<'_> {
    /// How a removal meets a registration.
    pub fn meeting(&self, add: &Registration, removal: &Removal) -> Meeting {
        Meeting {
            on: match (add.on, removal.on) {
                (Some(a), Some(b)) => self.objects(a, b),
                (None, None) => Likeness::Same,
                _ => Likeness::Unknown,
            },
            event: self.events(add.event, removal.event),
            handler: match (add.handler, removal.handler) {
                // A wrapper that keeps what it is given can give that back later, under whatever name.
                (Some(_), Some(b)) if self.is_kept_by_wrapper(add) && !self.origins(b).iter().any(is_function) => {
                    Likeness::Unknown
                }
                (Some(a), Some(b)) => self.listeners(a, b),
                (_, None) => Likeness::Same,
                (None, Some(_)) => Likeness::Unknown,
            },
            named: removal.handler.is_some(),
        }
    }

    /// `on(event, f) { this.listeners.push(f); bus.on(event, f) }`: the function is put into a collection beside.
    fn is_kept_by_wrapper(&self, add: &Registration) -> bool {
        if add.call == add.api {
            return false;
        }
        let Some(row) = self.api(add.api).and_then(|api| api.registers.as_ref()) else { return false };
        let Some(given) = row.handler.and_then(|at| self.argument(add.api, at)) else { return false };
        self.uses(given).iter().any(|access| match access.kind {
            super::AccessKind::Argument { call, .. } => {
                let call = access.of(call);
                call != add.api && self.api(call).is_some_and(|api| api.grows.is_some())
            }
            super::AccessKind::Inside { .. } => true,
            super::AccessKind::Stored { place } => !matches!(self.value(access.of(place)), Value::Binding(_)),
            _ => false,
        })
    }

    /// Whether a function value is made anew where it stands, so that nothing else can name it: a literal in place, the
    /// result of `.bind()`, or what a project function makes at each call.
    pub fn is_fresh_function(&self, value: In<ValueId>) -> bool {
        let kept = |access: &super::Access| matches!(access.kind, super::AccessKind::Stored { .. });
        match self.value(value) {
            Value::Function(_) | Value::Result(_) if self.uses(value).iter().any(kept) => false,
            Value::Function(_) => true,
            Value::Result(call) => {
                let call = value.with(*call);
                if matches!(self.origin(value), Origin::Bound(..))
                    && self.method_name(call).is_some_and(|n| n == "bind")
                {
                    return true;
                }
                self.is_factory_call(call)
            }
            _ => false,
        }
    }

    fn is_factory_call(&self, call: In<crate::model::CallId>) -> bool {
        let targets = self.targets(call);
        !targets.weak && !targets.functions.is_empty() && targets.functions.iter().all(|f| self.makes_functions(*f))
    }

    /// Whether a function returns a new function at each call, and nothing else.
    pub fn makes_functions(&self, function: In<FunctionId>) -> bool {
        let returned = &self.index(function.file).returns[function.id.index()];
        !returned.is_empty()
            && returned.iter().all(|value| {
                let value = function.with(*value);
                let made = match self.value(value) {
                    Value::Binding(binding) => self.binding(value.with(*binding)).function == function.id,
                    Value::Function(_) | Value::Result(_) => true,
                    _ => false,
                };
                made && matches!(self.origin(value), Origin::Function(f) if f.file == function.file
                    && f != function && self.summary(f.file).is_inside(f.id, function.id))
                    || matches!(self.value(value), Value::Result(_)) && matches!(self.origin(value), Origin::Bound(..))
            })
    }

    /// Two listener functions.
    pub fn listeners(&self, a: In<ValueId>, b: In<ValueId>) -> Likeness {
        if a == b {
            return Likeness::Same;
        }
        let own_name = |literal: In<ValueId>, other: In<ValueId>| match self.value(literal) {
            Value::Function(f) => self.origins(other).contains(&Origin::Function(literal.with(*f))),
            _ => false,
        };
        if own_name(a, b) || own_name(b, a) {
            return Likeness::Same;
        }
        if self.is_fresh_function(a) || self.is_fresh_function(b) {
            return Likeness::Different;
        }
        if self.same(a, b) || self.one_place(a, b) {
            return Likeness::Same;
        }
        let (of_a, of_b) = (self.origins(a), self.origins(b));
        let known = |origins: &Origins| !origins.is_empty() && origins.iter().all(is_function);
        if of_a.iter().any(|origin| is_function(origin) && of_b.contains(origin)) {
            return Likeness::Same;
        }
        let two = known(&of_a) && known(&of_b) || self.is_made_after(&of_a, &of_b) || self.is_made_after(&of_b, &of_a);
        if two { Likeness::Different } else { Likeness::Unknown }
    }

    /// Whether functions are written inside the function whose parameter the other thing is: that was there before them.
    fn is_made_after(&self, made: &Origins, given: &Origins) -> bool {
        let inside = |function: &Origin, parameter: &Origin| {
            let (Origin::Function(function), Origin::Parameter(parameter)) = (function, parameter) else {
                return false;
            };
            let owner = self.binding(*parameter).function;
            function.file == parameter.file
                && function.id != owner
                && self.summary(function.file).is_inside(function.id, owner)
        };
        !made.is_empty() && !given.is_empty() && made.iter().all(|f| given.iter().all(|parameter| inside(f, parameter)))
    }

    /// Two objects.
    pub fn objects(&self, a: In<ValueId>, b: In<ValueId>) -> Likeness {
        if a == b || self.same(a, b) || self.one_place(a, b) {
            return Likeness::Same;
        }
        if self.is_part_of(a, b, 0) || self.is_part_of(b, a, 0) {
            return Likeness::Different;
        }
        let (of_a, of_b) = (self.origins(a), self.origins(b));
        if of_a.iter().any(|origin| is_definite(origin) && of_b.contains(origin)) {
            return Likeness::Same;
        }
        let lasting = |origins: &Origins| origins.iter().all(|origin| matches!(origin, Origin::External(_)));
        if of_a.iter().chain(&of_b).any(|origin| matches!(origin, Origin::Unknown))
            || of_a.is_empty()
            || of_b.is_empty()
        {
            let one_is = (!of_a.is_empty() && lasting(&of_a)) || (!of_b.is_empty() && lasting(&of_b));
            return if one_is { Likeness::Different } else { Likeness::Unknown };
        }
        // What the process has once is hardly ever passed around under another name.
        if lasting(&of_a) || lasting(&of_b) {
            return Likeness::Different;
        }
        // `map.get(key)` at two places may well give one thing.
        if of_a.iter().any(|a| of_b.iter().any(|b| self.are_alike(*a, *b))) {
            return Likeness::Unknown;
        }
        if of_a.iter().all(is_definite) && of_b.iter().all(is_definite) && !self.may_be_passed(&of_a, &of_b) {
            return Likeness::Different;
        }
        match (self.slot_name(a), self.slot_name(b)) {
            (Some(x), Some(y)) if x != y => Likeness::Different,
            _ => Likeness::Unknown,
        }
    }

    /// Results of two calls of one name that make nothing new, as far as is known.
    fn are_alike(&self, a: Origin, b: Origin) -> bool {
        let (Origin::Result(a) | Origin::Resolved(a), Origin::Result(b) | Origin::Resolved(b)) = (a, b) else {
            return false;
        };
        let plain = |call: In<CallId>| !self.call(call).is_new && self.gives(call).is_none();
        a != b && plain(a) && plain(b) && self.method_name(a).is_some() && self.method_name(a) == self.method_name(b)
    }

    /// A parameter may hold what the other is; two parameters of one function are two things.
    fn may_be_passed(&self, a: &Origins, b: &Origins) -> bool {
        let function = |origins: &Origins| match origins.first() {
            Some(Origin::Parameter(binding)) => Some(binding.with(self.binding(*binding).function)),
            _ => None,
        };
        match (function(a), function(b)) {
            (None, None) => false,
            (x, y) => x != y,
        }
    }

    /// Two event names.
    pub fn events(&self, a: Event, b: Event) -> Likeness {
        match (a, b) {
            (Event::All, _) | (_, Event::All) => Likeness::Same,
            (Event::Named(a), Event::Named(b)) if a == b => Likeness::Same,
            (Event::Named(_), Event::Named(_)) => Likeness::Different,
            (Event::Value(a), Event::Value(b)) if a == b || self.same(a, b) => Likeness::Same,
            // `signals.forEach((signal) => …)` twice: what goes through the list once goes through it again.
            (Event::Value(a), Event::Value(b)) if self.is_element(a) && self.one_place(a, b) => Likeness::Same,
            (Event::Value(value), Event::Named(name)) | (Event::Named(name), Event::Value(value)) => {
                let origins = self.origins(value);
                let literal = |origin: &Origin| matches!(origin, Origin::Literal(_));
                if !origins.is_empty() && origins.iter().all(literal) {
                    let has = origins.contains(&Origin::Literal(Literal::String(name)));
                    if has { Likeness::Same } else { Likeness::Different }
                } else {
                    Likeness::Unknown
                }
            }
            (Event::Value(_), Event::Value(_)) => Likeness::Unknown,
        }
    }

    /// Whether a value is each element of a list in turn.
    fn is_element(&self, value: In<ValueId>) -> bool {
        self.place(value).is_some_and(|place| place.path.ends_with("[]"))
    }

    fn one_place(&self, a: In<ValueId>, b: In<ValueId>) -> bool {
        self.place(a).is_some_and(|place| self.place(b) == Some(place))
    }

    /// Whether `part` is written as a property of `whole`: `self.core.server` of `self`.
    fn is_part_of(&self, part: In<ValueId>, whole: In<ValueId>, depth: u32) -> bool {
        match self.value(part) {
            Value::Member(object, _) | Value::Index(object, _) if depth < 8 => {
                let object = part.with(*object);
                object == whole || self.same(object, whole) || self.is_part_of(object, whole, depth + 1)
            }
            _ => false,
        }
    }

    /// The last name of a property chain.
    fn slot_name(&self, value: In<ValueId>) -> Option<Name> {
        match self.value(value) {
            Value::Member(_, name) => Some(*name),
            _ => None,
        }
    }
}

fn is_function(origin: &Origin) -> bool {
    matches!(origin, Origin::Function(_) | Origin::Bound(..))
}

fn is_definite(origin: &Origin) -> bool {
    !matches!(origin, Origin::Unknown | Origin::Part(_) | Origin::Opaque(_) | Origin::Literal(_))
}
