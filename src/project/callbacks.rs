//! Functions that are handed to calls: by which argument, and when they run. Through variables, `.bind()`, options objects
//! and project functions that pass a parameter on.

use super::memo::Ask;
use super::{AccessKind, Key, Origin, Project};
use crate::model::contract::{Callback, Part, Registers, Runs};
use crate::model::{Api, BindingId, BindingKind, CallId, FunctionId, In, Name, Value, ValueId};
use smallvec::SmallVec;
use std::sync::Arc;

/// A function handed to a call.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The function below: through variables, `.bind()` and the like.
    pub function: In<FunctionId>,
    /// Which argument holds it; its options object may be around it.
    pub argument: u16,
    /// When it runs; none where nothing says.
    pub runs: Option<Runs>,
    /// The event that it is registered for, if any.
    pub event: Option<Name>,
    /// Its first parameter is an error.
    pub error_first: bool,
    /// Types of its parameters.
    pub parameters: Vec<String>,
}

/// A call that a function is handed to.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The call.
    pub call: In<CallId>,
    /// How.
    pub handed: Handed,
}
impl<'a> Project<'a> {
    /// The functions that a value may be: itself, bound, behind a pointer.
    pub fn functions_in(&self, value: In<ValueId>) -> SmallVec<[In<FunctionId>; 2]> {
        let value = match self.value(value) {
            Value::Address(inner) | Value::Moved(inner) | Value::Spread(inner) => value.with(*inner),
            _ => value,
        };
        let mut found = SmallVec::new();
        for origin in self.origins(value) {
            if let Origin::Function(function) | Origin::Bound(_, Some(function)) = origin {
                found.push(function);
            }
        }
        found
    }

    /// The callback rows of an API that speak of an argument of a call.
    pub(super) fn rows_of<'r>(
        &'r self,
        call: In<CallId>,
        api: &'r Api,
        argument: u16,
    ) -> impl Iterator<Item = &'r Callback> + use<'r, 'a> {
        let count = i32::try_from(self.call(call).arguments.len()).unwrap_or(0);
        api.callbacks.iter().filter(move |row| {
            let at = if row.argument < 0 { count + i32::from(row.argument) } else { i32::from(row.argument) };
            at == i32::from(argument) || row.rest && i32::from(argument) >= at
        })
    }

    /// The types that listeners of a registering call's event receive.
    pub(super) fn event_parameters(&self, call: In<CallId>, registers: &Registers) -> Option<&'a Vec<String>> {
        let event = self.event_name(call, registers)?;
        let on = self.part(call, registers.on.unwrap_or(Part::Receiver))?;
        self.contracts.bases(self.ty(on)?).find_map(|ty| ty.events.get(event.as_str()))
    }

    /// The event that a registering call names.
    pub fn event_name(&self, call: In<CallId>, registers: &Registers) -> Option<Name> {
        match registers.event {
            Some(argument) => self.string(self.argument(call, argument)?),
            None => registers.fixed_event.as_deref().map(Name::from),
        }
    }

    /// The functions that a call is handed as arguments, and when they run.
    pub fn callbacks(&self, call: In<CallId>) -> Vec<Handed> {
        self.callbacks_in(call, 0)
    }

    fn callbacks_in(&self, call: In<CallId>, depth: u32) -> Vec<Handed> {
        let data = self.call(call);
        let mut found = Vec::new();
        for at in 0..data.arguments.len() as u16 {
            let value = call.with(data.arguments[at as usize].value);
            if matches!(self.value(value), Value::Literal(_)) {
                continue;
            }
            for function in self.functions_in(value) {
                found.push(self.handed(call, at, None, function, depth));
            }
            if let Origin::Object(object) = self.origin(value) {
                for property in &self.object(object).properties {
                    if let (Some(name), Value::Function(function)) =
                        (property.name, self.value(object.with(property.value)))
                    {
                        found.push(self.handed(call, at, Some(name), object.with(*function), depth));
                    }
                }
            }
        }
        found
    }

    fn handed(
        &self,
        call: In<CallId>,
        argument: u16,
        property: Option<Name>,
        function: In<FunctionId>,
        depth: u32,
    ) -> Handed {
        let mut handed =
            Handed { function, argument, runs: None, event: None, error_first: false, parameters: Vec::new() };
        if let Some(api) = self.api(call) {
            let fits = |row: &&Callback| row.property.as_deref() == property.as_deref();
            let row = self.rows_of(call, api, argument).find(fits);
            if let Some(row) = row {
                handed.runs = Some(row.runs);
                handed.error_first = row.error_first;
                handed.parameters.clone_from(&row.parameters);
            }
            if let Some(registers) = &api.registers {
                handed.event = self.event_name(call, registers);
                if registers.handler == Some(argument) && property.is_none() {
                    let runs = if registers.once { Runs::Maybe } else { Runs::Event };
                    handed.runs = handed.runs.or(Some(runs));
                    if let Some(types) = self.event_parameters(call, registers) {
                        handed.parameters.clone_from(types);
                    }
                }
            }
        } else if argument == 0 && property.is_none() && self.is_executor_of(call, function) {
            handed.runs = Some(Runs::Sync);
        } else if depth < 4 && property.is_none() {
            let targets = self.targets(call);
            if !targets.weak
                && let Some(&target) = targets.functions.first()
                && let Some(&parameter) = self.function(target).parameters.get(argument as usize)
            {
                handed.runs = self.parameter_runs(target.with(parameter), depth + 1);
            }
        }
        handed
    }

    /// Whether a function is the executor of a promise whose class is not known: `new P((resolve, reject) => …)`.
    pub(super) fn is_executor_of(&self, call: In<CallId>, function: In<FunctionId>) -> bool {
        let data = self.call(call);
        let named = |index: usize, prefix: &str| {
            let parameter = self.function(function).parameters.get(index).map(|parameter| function.with(*parameter));
            parameter.map(|parameter| self.binding(parameter).name.starts_with(prefix))
        };
        data.is_new
            && data.arguments.len() == 1
            && named(0, "resolve") == Some(true)
            && named(1, "reject") != Some(false)
    }

    /// When a function parameter is run by the function that takes it: called in it, or handed on.
    fn parameter_runs(&self, parameter: In<BindingId>, depth: u32) -> Option<Runs> {
        let index = self.index(parameter.file);
        let value = index.bindings[parameter.id.index()]?;
        let home = self.binding(parameter).function;
        let mut found: Option<Runs> = None;
        let mut raise = |runs: Option<Runs>| {
            if let Some(runs) = runs {
                found = Some(found.map_or(runs, |known| if order(runs) > order(known) { runs } else { known }));
            }
        };
        for access in index.accesses(value) {
            match access.kind {
                AccessKind::Called { .. } | AccessKind::Method { .. } if access.function == home => {
                    raise(Some(Runs::Sync));
                }
                AccessKind::Called { call } | AccessKind::Method { call, .. } => {
                    let runs = self.inner_runs(parameter.with(access.function), home, depth);
                    // `if (started) return; started = true; done()` in a handler.
                    let once = runs == Some(Runs::Event) && !self.guards(parameter.with(call)).is_empty();
                    raise(if once { Some(Runs::Maybe) } else { runs });
                }
                AccessKind::Argument { call, index } => {
                    let handed = self.callbacks_of_argument(parameter.with(call), index, depth);
                    raise(handed);
                }
                _ => {}
            }
        }
        found
    }

    /// When a closure inside `home` runs, by what it is handed to.
    fn inner_runs(&self, function: In<FunctionId>, home: FunctionId, depth: u32) -> Option<Runs> {
        let mut at = function;
        for _ in 0..8 {
            if at.id == home {
                return Some(Runs::Sync);
            }
            let calls = self.handed_directly(at);
            // Given back or kept: whoever has it runs it, not this call.
            if calls.is_empty() && self.callers(at).is_empty() {
                return None;
            }
            for (call, _) in calls {
                let handed = self.callbacks_in(call, depth).into_iter().find(|handed| handed.function == at);
                if let Some(Handed { runs: Some(runs), event, .. }) = handed
                    && runs != Runs::Sync
                {
                    // What a failure or an end calls back, is called back once.
                    let ends = event.is_some_and(|event| event == "error" || self.is_one_time(call, &event));
                    return Some(if ends && runs == Runs::Event { Runs::Maybe } else { runs });
                }
            }
            at = at.with(self.function(at).parent?);
        }
        None
    }

    fn callbacks_of_argument(&self, call: In<CallId>, argument: u16, depth: u32) -> Option<Runs> {
        if depth >= 4 {
            return None;
        }
        if let Some(api) = self.api(call) {
            let row = self.rows_of(call, api, argument).find(|row| row.property.is_none()).map(|row| row.runs);
            return row.or_else(|| {
                let registers = api.registers.as_ref()?;
                let runs = if registers.once { Runs::Maybe } else { Runs::Event };
                (registers.handler == Some(argument)).then_some(runs)
            });
        }
        let target = *self.targets(call).functions.first()?;
        let parameter = *self.function(target).parameters.get(argument as usize)?;
        self.parameter_runs(target.with(parameter), depth + 1)
    }

    /// The calls of its own file that a function literal or its variables are arguments of.
    pub(super) fn handed_directly(&self, function: In<FunctionId>) -> Vec<(In<CallId>, u16)> {
        let index = self.index(function.file);
        let Some(value) = index.functions[function.id.index()] else { return Vec::new() };
        let mut values = Vec::new();
        self.with_aliases(function.with(value), &mut values);
        let accesses = values.iter().flat_map(|value| index.accesses(value.id));
        accesses
            .filter_map(|access| match access.kind {
                AccessKind::Argument { call, index } => Some((function.with(call), index)),
                _ => None,
            })
            .collect()
    }

    /// The calls that a function is handed to, directly or through variables, fields and `.bind()`.
    pub fn passed_to(&self, function: In<FunctionId>) -> Arc<[Passed]> {
        self.memos.passed.ask(Ask::Passed, function, || self.find_passed(function).into())
    }

    fn find_passed(&self, function: In<FunctionId>) -> Vec<Passed> {
        let mut calls: Vec<In<CallId>> = Vec::new();
        for value in self.references(function).iter() {
            self.argument_calls(*value, 0, &mut calls);
        }
        calls.sort_unstable();
        calls.dedup();
        let mut found = Vec::new();
        for call in calls {
            let handed = self.callbacks(call).into_iter().filter(|handed| handed.function == function);
            found.extend(handed.map(|handed| Passed { call, handed }));
        }
        found
    }

    fn argument_calls(&self, value: In<ValueId>, depth: u32, calls: &mut Vec<In<CallId>>) {
        if depth > 4 {
            return;
        }
        let index = self.index(value.file);
        for access in index.accesses(value.id) {
            match access.kind {
                AccessKind::Argument { call, .. } => calls.push(value.with(call)),
                AccessKind::Inside { outer } => {
                    let mut outers = Vec::new();
                    self.with_aliases(value.with(outer), &mut outers);
                    for outer in outers {
                        self.argument_calls(outer, depth + 1, calls);
                    }
                }
                AccessKind::Method { call, key: Key::Name(name) } if name == "bind" => {
                    if let Some(result) = self.result(value.with(call)) {
                        let mut bound = Vec::new();
                        self.with_aliases(result, &mut bound);
                        for bound in bound {
                            self.argument_calls(bound, depth + 1, calls);
                            self.stored_calls(bound, depth, calls);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// `this.h = this.h.bind(this)`: reads of the field that a bound function is stored in.
    fn stored_calls(&self, value: In<ValueId>, depth: u32, calls: &mut Vec<In<CallId>>) {
        for access in self.index(value.file).accesses(value.id) {
            if let AccessKind::Stored { place } = access.kind
                && let Some(place) = self.place(value.with(place))
            {
                for value in self.values_of(place).iter() {
                    self.argument_calls(*value, depth + 1, calls);
                }
            }
        }
    }

    /// Whether a parameter is the n-th of its function.
    pub fn parameter_index(&self, parameter: In<BindingId>) -> Option<u16> {
        match self.binding(parameter).kind {
            BindingKind::Parameter(index) => Some(index),
            _ => None,
        }
    }
}

fn order(runs: Runs) -> u8 {
    match runs {
        Runs::Maybe => 0,
        Runs::Once => 1,
        Runs::Sync => 2,
        Runs::Event => 3,
    }
}
