//! Registrations (listeners, subscriptions, hooks, taps) and their removals as facts: on what, for which event, with which
//! function. Project functions that only pass a function on are lifted to their callers, so that `util.listen(signal, f)`
//! is a registration too. One identity model for both sides. Judges neither lifetimes nor rates.

use super::{Origin, Project};
use crate::model::contract::{Part, Registers, Removes, Runs};
use crate::model::{CallId, Flow, FunctionId, In, Literal, Name, Step, Value, ValueId};
use std::sync::OnceLock;

/// How deep wrappers of wrappers are followed.
const DEPTH: u32 = 3;

/// Something that stays registered until it is removed.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The call that hands the function over: the API call itself, or a call of a project wrapper.
    pub call: In<CallId>,
    /// The API call.
    pub api: In<CallId>,
    /// `listener`, `subscription`, `hook`, `tap`.
    pub kind: Name,
    /// What it is registered on; none where that is the process as a whole.
    pub on: Option<In<ValueId>>,
    /// For what.
    pub event: Event,
    /// The function.
    pub handler: Option<In<ValueId>>,
    /// It removes itself after the first event.
    pub once: bool,
    /// The same function is registered only once.
    pub dedupes: bool,
    /// The `signal` option: its abort removes the listener.
    pub signal: Option<In<ValueId>>,
    /// The function is a parameter of a wrapper; [`Project::registrations`] has its callers' calls too.
    pub is_wrapper: bool,
    /// Its place in [`Registry::adds`].
    pub number: u32,
}

/// A removal of registrations.
#[derive(Clone, Copy, Debug)]
pub struct Removal {
    /// The call that asks for it; for `delete emitter._events[name]` none.
    pub call: Option<In<CallId>>,
    /// The function whose code it is.
    pub function: In<FunctionId>,
    /// Where it is.
    pub at: crate::text::Location,
    /// Of what kind.
    pub kind: Name,
    /// From what.
    pub on: Option<In<ValueId>>,
    /// For what.
    pub event: Event,
    /// Which function; none: all.
    pub handler: Option<In<ValueId>>,
    /// The call is one of a project function that removes what it is given.
    pub is_lifted: bool,
}

/// What a registration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An event of this name.
    Named(Name),
    /// A computed name.
    Value(In<ValueId>),
    /// Everything, or there is only one thing.
    All,
}

/// Whether two things are the same, as far as the code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Surely two.
    Different,
    /// It can't be told.
    Unknown,
    /// Surely one.
    Same,
}

/// How a removal meets a registration, part by part.
#[derive(Clone, Copy, Debug)]
pub struct Meeting {
    /// The emitters.
    pub on: Likeness,
    /// The events.
    pub event: Likeness,
    /// The functions.
    pub handler: Likeness,
    /// The removal names a function. One that removes all of an emitter which may be another says nothing.
    pub named: bool,
}

impl Meeting {
    /// The removal takes the registration back, or may do so.
    pub fn may_match(self) -> bool {
        self.on.min(self.event).min(self.handler) > Likeness::Different && (self.named || self.on == Likeness::Same)
    }

    /// It surely does.
    pub fn matches(self) -> bool {
        self.on.min(self.event).min(self.handler) == Likeness::Same
    }
}

/// All registrations and removals of a project.
#[derive(Debug, Default)]
pub struct Registry {
    /// What is registered.
    pub adds: Vec<Registration>,
    /// What is removed.
    pub removals: Vec<Removal>,
    pub(super) index: super::meetings::Index,
}

/// The registry, made when it is first asked for.
#[derive(Default)]
pub(super) struct LazyRegistry(OnceLock<Registry>);

impl<'a> Project<'a> {
    /// Every registration and removal of the project's JavaScript, wrappers lifted to their callers.
    pub fn registry(&self) -> &Registry {
        if let Some(registry) = self.registry.0.get() {
            return registry;
        }
        // Not under the lock: what is asked on the way may be answered on other threads, which then ask for the registry
        // themselves. Two may make it, and both make the same.
        let registry = self.find_registry();
        self.registry.0.get_or_init(|| registry)
    }

    fn find_registry(&self) -> Registry {
        let mut registry = Registry::default();
        for call in self.calls().filter(|call| !self.is_native(call.file)) {
            let Some(api) = self.api(call) else { continue };
            if let Some(row) = &api.registers
                && !self.lacks_handler(call, row)
            {
                self.lift_add(self.registration(call, row), 0, &mut registry.adds);
            }
            if let Some(row) = &api.removes {
                self.lift_removal(self.removal(call, row), 0, &mut registry.removals);
            }
        }
        for (file, summary) in self.files() {
            if summary.language.is_some_and(crate::model::Language::is_native) {
                continue;
            }
            for (at, function) in summary.functions.iter().enumerate() {
                let function_id = In::new(file, FunctionId(at as u32));
                function.flow.walk(&mut |flow| {
                    if let Flow::Step(Step::Delete { place, span }) = flow {
                        registry.removals.extend(self.deleted_events(function_id, *place, *span));
                    }
                });
            }
        }
        self.index_registry(&mut registry);
        registry
    }

    /// `socket.setTimeout(1000)`: nothing is registered without a function.
    fn lacks_handler(&self, call: In<CallId>, row: &Registers) -> bool {
        let spread = |value: ValueId| matches!(self.value(call.with(value)), Value::Spread(_));
        row.handler.is_some_and(|at| self.argument(call, at).is_none())
            && !self.call(call).arguments.iter().any(|argument| spread(argument.value))
    }

    fn registration(&self, call: In<CallId>, row: &'a Registers) -> Registration {
        let options = row.options.and_then(|at| self.argument(call, at));
        let option = |name: &str| self.property(options?, name);
        let once = option("once").is_some_and(|value| self.origin(value) == Origin::Literal(Literal::Bool(true)));
        let handler = row.handler.and_then(|at| self.argument(call, at));
        Registration {
            call,
            api: call,
            kind: row.kind.as_str().into(),
            on: self.part(call, row.on.unwrap_or(Part::Receiver)).map(|on| self.before_chain(on)),
            event: match (&row.fixed_event, row.event) {
                (Some(name), _) => Event::Named(name.as_str().into()),
                (None, Some(at)) => self.event(call, at),
                (None, None) => Event::All,
            },
            handler,
            once: row.once || once,
            dedupes: row.dedupes,
            signal: option("signal"),
            is_wrapper: handler.is_some_and(|handler| self.passes_on(call, handler).is_some()),
            number: 0,
        }
    }

    fn removal(&self, call: In<CallId>, row: &'a Removes) -> Removal {
        Removal {
            call: Some(call),
            function: self.function_of(call),
            at: self.locate(call),
            kind: row.kind.as_str().into(),
            on: self.part(call, row.on.unwrap_or(Part::Receiver)).map(|on| self.before_chain(on)),
            event: row.event.map_or(Event::All, |at| self.event(call, at)),
            handler: row.handler.filter(|_| !row.all).and_then(|at| self.argument(call, at)),
            is_lifted: false,
        }
    }

    /// What a chain of fluent calls starts from: `socket` of `socket.on(…).on(…)`.
    fn before_chain(&self, mut value: In<ValueId>) -> In<ValueId> {
        while let Value::Result(call) = self.value(value) {
            let call = value.with(*call);
            match self.api(call).and_then(|api| api.returns) {
                Some(Part::Receiver) => match self.receiver(call) {
                    Some(receiver) => value = receiver,
                    None => break,
                },
                _ => break,
            }
        }
        value
    }

    fn event(&self, call: In<CallId>, at: u16) -> Event {
        let Some(value) = self.argument(call, at) else { return Event::All };
        match self.origin(value) {
            Origin::Literal(Literal::String(name)) => Event::Named(name),
            Origin::Literal(Literal::Undefined) => Event::All,
            _ => Event::Value(value),
        }
    }

    /// `delete emitter._events[name]`, as old code forgets all listeners of an event.
    fn deleted_events(&self, function: In<FunctionId>, place: ValueId, span: crate::text::Span) -> Option<Removal> {
        let summary = self.summary(function.file);
        let (table, event) = match summary.value(place) {
            Value::Member(table, name) => (*table, Event::Named(*name)),
            Value::Index(table, key) => (*table, Event::Value(function.with(*key))),
            _ => return None,
        };
        let Value::Member(on, name) = summary.value(table) else { return None };
        (name.as_str() == "_events").then(|| Removal {
            call: None,
            function,
            at: self.at(function.file, span),
            kind: "listener".into(),
            on: Some(function.with(*on)),
            event,
            handler: None,
            is_lifted: false,
        })
    }

    /// A property of an options object.
    fn property(&self, options: In<ValueId>, name: &str) -> Option<In<ValueId>> {
        match self.origin(options) {
            Origin::Object(object) => self.object(object).get(name).map(|value| object.with(value)),
            _ => None,
        }
    }

    /// The position of a value among the parameters of a function.
    fn position_in(&self, function: In<FunctionId>, value: In<ValueId>) -> Option<u16> {
        let Origin::Parameter(binding) = self.origin(value) else { return None };
        let parameters = &self.function(function).parameters;
        parameters.iter().position(|p| function.with(*p) == binding).map(|at| at as u16)
    }

    /// The function around a place in the code whose parameter a value is; itself or one that it is written in.
    fn wrapper_of(&self, inner: In<FunctionId>, value: In<ValueId>) -> Option<In<FunctionId>> {
        let Origin::Parameter(binding) = self.origin(value) else { return None };
        let summary = self.summary(inner.file);
        let declared = self.binding(binding).function;
        let around = binding.file == inner.file && summary.is_inside(inner.id, declared);
        (around && !self.is_executor(inner.with(declared))).then(|| inner.with(declared))
    }

    /// The function that registers what it is given: the parameter's own, and the call happens in each of its runs. A closure
    /// that registers its maker's parameter later and perhaps often is no wrapper.
    fn passes_on(&self, call: In<CallId>, handler: In<ValueId>) -> Option<In<FunctionId>> {
        let wrapper = self.wrapper_of(self.function_of(call), handler)?;
        let mut inner = self.function_of(call);
        while inner != wrapper {
            let passed = self.passed_to(inner);
            let at_once = |passed: &super::Passed| passed.handed.runs == Some(Runs::Sync);
            if !self.is_executor(inner) && !passed.iter().any(at_once) {
                return None;
            }
            inner = inner.with(self.function(inner).parent?);
        }
        Some(wrapper)
    }

    /// Whether a function is what a promise is made with: its parameters are functions of the promise.
    pub fn is_executor(&self, function: In<FunctionId>) -> bool {
        self.passed_to(function).iter().any(|passed| {
            self.path(passed.call).is_some_and(|path| path == "new Promise")
                || self.is_executor_of(passed.call, function)
        })
    }

    fn lift_add(&self, add: Registration, depth: u32, found: &mut Vec<Registration>) {
        let wrapper = add.handler.and_then(|handler| self.passes_on(add.call, handler));
        if let Some(wrapper) = wrapper.filter(|_| depth < DEPTH) {
            for caller in self.callers(wrapper).iter().filter(|caller| !caller.weak).map(|caller| caller.call) {
                let at = |value: In<ValueId>| self.seen_from(wrapper, value, caller);
                let handler = add.handler.and_then(at);
                let lifted = Registration {
                    call: caller,
                    on: add.on.and_then(|on| self.emitter_from(wrapper, on, caller)),
                    event: self.event_from(add.event, at),
                    handler,
                    signal: add.signal.and_then(at),
                    is_wrapper: handler.is_some_and(|handler| self.passes_on(caller, handler).is_some()),
                    ..add
                };
                let known = found.iter().any(|known| known.call == lifted.call && known.event == lifted.event);
                if !known && lifted.handler.is_some() {
                    self.lift_add(lifted, depth + 1, found);
                }
            }
        }
        found.push(add);
    }

    fn lift_removal(&self, removal: Removal, depth: u32, found: &mut Vec<Removal>) {
        let Some(call) = removal.call else { return };
        let inside = self.function_of(call);
        let of = |value: Option<In<ValueId>>| value.and_then(|value| self.wrapper_of(inside, value));
        if let Some(wrapper) = of(removal.handler).or_else(|| of(removal.on)).filter(|_| depth < DEPTH) {
            for caller in self.callers(wrapper).iter().filter(|caller| !caller.weak).map(|caller| caller.call) {
                let at = |value: In<ValueId>| self.seen_from(wrapper, value, caller);
                let lifted = Removal {
                    call: Some(caller),
                    // What a closure of the wrapper removes, it removes when the closure runs.
                    function: if wrapper == inside { self.function_of(caller) } else { removal.function },
                    at: self.locate(caller),
                    on: removal.on.and_then(|on| self.emitter_from(wrapper, on, caller)),
                    event: self.event_from(removal.event, at),
                    handler: removal.handler.and_then(at),
                    is_lifted: true,
                    ..removal
                };
                if removal.handler.is_some() == lifted.handler.is_some() {
                    self.lift_removal(lifted, depth + 1, found);
                }
            }
        }
        found.push(removal);
    }

    /// A value of a function as its caller sees it: arguments for parameters, itself where it is no parameter.
    fn seen_from(&self, wrapper: In<FunctionId>, value: In<ValueId>, caller: In<CallId>) -> Option<In<ValueId>> {
        match self.position_in(wrapper, value) {
            Some(at) => self.argument(caller, at),
            None => Some(value),
        }
    }

    /// An emitter of a wrapper as its caller sees it: what hangs on the wrapper's `this` is as old as the caller's receiver,
    /// and is known by that.
    fn emitter_from(&self, wrapper: In<FunctionId>, on: In<ValueId>, caller: In<CallId>) -> Option<In<ValueId>> {
        let mut root = on;
        while let Value::Member(object, _) = self.value(root) {
            root = root.with(*object);
        }
        match self.value(root) {
            Value::This(_) => {
                let receiver = self.receiver(caller).filter(|on| !matches!(self.value(*on), Value::This(_)));
                Some(receiver.unwrap_or(on))
            }
            _ => self.seen_from(wrapper, on, caller),
        }
    }

    fn event_from(&self, event: Event, at: impl Fn(In<ValueId>) -> Option<In<ValueId>>) -> Event {
        match event {
            Event::Value(value) => at(value).map_or(Event::All, |value| self.named(value)),
            other => other,
        }
    }

    fn named(&self, value: In<ValueId>) -> Event {
        match self.origin(value) {
            Origin::Literal(Literal::String(name)) => Event::Named(name),
            _ => Event::Value(value),
        }
    }
}
