//! Who calls whom, and which functions are handed to whom: the project's call graph, callbacks included.

use super::memo::Ask;
use super::{AccessKind, Key, Origin, Project};
use crate::model::contract::{Callback, Part, Registers, Runs};
use crate::model::{
    Api, BindingId, BindingKind, CallId, ClassId, FunctionId, FunctionKind, In, Literal, Name, Value, ValueId,
};
use crate::text::FileId;
use smallvec::SmallVec;
use std::sync::Arc;

/// The project functions that a call runs.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// The functions; constructors for `new`.
    pub functions: SmallVec<[In<FunctionId>; 1]>,
    /// They are only a guess: the receiver is not known and this is the one method of that name in the project.
    pub weak: bool,
}

/// A call of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The call.
    pub call: In<CallId>,
    /// See [`Targets::weak`].
    pub weak: bool,
}

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

/// Methods that every object has, or so many classes that a unique one in the project proves nothing.
const COMMON: [&str; 28] = [
    "get", "set", "add", "has", "delete", "push", "pop", "call", "apply", "bind", "then", "catch", "finally", "on",
    "once", "off", "emit", "map", "filter", "forEach", "reduce", "toString", "keys", "values", "next", "test", "exec",
    "join",
];

impl<'a> Project<'a> {
    /// The receiver of a method call; of `super.f()`, `this`, where the file says it anywhere.
    pub fn receiver(&self, call: In<CallId>) -> Option<In<ValueId>> {
        match self.value(call.with(self.call(call).callee)) {
            Value::Member(object, _) | Value::Index(object, _) => match self.value(call.with(*object)) {
                Value::Global(name) if name == "super" => self.this(call.with(self.call(call).function)),
                _ => Some(call.with(*object)),
            },
            _ => None,
        }
    }

    /// `this` as the code of a function sees it.
    fn this(&self, mut function: In<FunctionId>) -> Option<In<ValueId>> {
        while self.function(function).kind == FunctionKind::Arrow {
            function = function.with(self.function(function).parent?);
        }
        let wanted = Value::This(function.id);
        let at = self.summary(function.file).values.iter().position(|value| *value == wanted)?;
        Some(function.with(ValueId(at as u32)))
    }

    /// The name of the method, or of the function, that a call names.
    pub fn method_name(&self, call: In<CallId>) -> Option<Name> {
        let summary = self.summary(call.file);
        match summary.value(summary.call(call.id).callee) {
            Value::Member(_, name) | Value::Global(name) => Some(*name),
            Value::Binding(binding) => Some(summary.binding(*binding).name),
            _ => None,
        }
    }

    /// The n-th argument; none at and past a spread.
    pub fn argument(&self, call: In<CallId>, index: u16) -> Option<In<ValueId>> {
        let summary = self.summary(call.file);
        let arguments = &summary.call(call.id).arguments;
        let before = arguments.get(..=index as usize)?;
        let spread = before.iter().any(|argument| matches!(summary.value(argument.value), Value::Spread(_)));
        (!spread).then(|| call.with(before[index as usize].value))
    }

    /// The value of a part that a catalog row names.
    pub fn part(&self, call: In<CallId>, part: Part) -> Option<In<ValueId>> {
        match part {
            Part::Receiver => self.receiver(call),
            Part::Argument(index) => self.argument(call, index),
            Part::Result => self.index(call.file).results[call.id.index()].map(|id| call.with(id)),
        }
    }

    /// The value of a call's result, where any code uses it.
    pub fn result(&self, call: In<CallId>) -> Option<In<ValueId>> {
        self.part(call, Part::Result)
    }

    /// The string literal that a value is: an event's name, a key.
    pub fn string(&self, value: In<ValueId>) -> Option<Name> {
        match self.origin(value) {
            Origin::Literal(Literal::String(name)) => Some(name),
            _ => None,
        }
    }

    /// The project functions that a call runs itself (not those that it is handed).
    pub fn targets(&self, call: In<CallId>) -> Targets {
        self.memos.targets.ask(Ask::Targets, call, || self.find_targets(call))
    }

    fn find_targets(&self, call: In<CallId>) -> Targets {
        let data = self.call(call);
        let callee = call.with(data.callee);
        let mut found = Targets::default();
        for origin in self.origins(callee) {
            match origin {
                Origin::Function(function) => found.functions.push(self.implementation(function, data.arguments.len())),
                Origin::Bound(_, Some(function)) => found.functions.push(function),
                Origin::Class(class) => {
                    let constructors = self.constructors(class);
                    let arity = |f: &&In<FunctionId>| self.function(**f).parameters.len() == data.arguments.len();
                    let best = constructors.iter().find(arity).or(constructors.first()).copied();
                    found.functions.extend(best.or_else(|| {
                        self.bases(class).into_iter().find_map(|base| self.constructors(base).first().copied())
                    }));
                }
                _ => {}
            }
        }
        if let (Value::Member(object, name), true) = (self.value(callee), found.functions.is_empty()) {
            let target = call.with(*object);
            if let Some(class) = self.class_of_value(target) {
                let methods = std::iter::once(class).chain(self.subclasses(class));
                found.functions.extend(methods.filter_map(|class| self.method(class, name)).take(1));
            } else if matches!(name.as_str(), "call" | "apply") {
                if let Origin::Function(function) = self.origin(target) {
                    found.functions.push(function);
                }
            } else if !COMMON.contains(&name.as_str())
                && let Some([only]) = self.classes.by_method.get(name).map(|found| &found[..])
                && self.is_native(only.file) == self.is_native(call.file)
                && self.ty(target).is_none()
                && matches!(
                    self.origin(target),
                    Origin::Part(_) | Origin::Parameter(_) | Origin::Unknown | Origin::Variable(_)
                )
            {
                found.functions.push(*only);
                found.weak = true;
            }
        }
        found.functions.dedup();
        found
    }

    /// The body of a C++ function that is only declared where it was found, by number of arguments.
    fn implementation(&self, function: In<FunctionId>, arguments: usize) -> In<FunctionId> {
        let data = self.function(function);
        if data.has_body && data.parameters.len() == arguments || !self.is_native(function.file) {
            return function;
        }
        let same = |other: &In<FunctionId>| {
            let other = self.function(*other);
            other.name == data.name && other.has_body
        };
        let candidates: Vec<In<FunctionId>> = match self.class_of(function) {
            Some(class) => self.methods(class).into_iter().filter(same).collect(),
            None => self.free_functions(function.file, &data.name).into_iter().filter(same).collect(),
        };
        let fits = |f: &&In<FunctionId>| self.function(**f).parameters.len() == arguments;
        candidates.iter().find(fits).or(candidates.first()).copied().unwrap_or(function)
    }

    /// C and C++ functions of a name that a file can call: its own, then those with external linkage.
    pub(super) fn free_functions(&self, from: FileId, name: &str) -> SmallVec<[In<FunctionId>; 2]> {
        let last = name.rsplit("::").next().unwrap_or(name);
        let Some(all) = Name::from_existing(last).and_then(|last| self.classes.free.get(&last)) else {
            return SmallVec::new();
        };
        let fits = |f: &In<FunctionId>| {
            let full = self.function(*f).name;
            full == *name || full.ends_with(&format!("::{name}")) || name.ends_with(&format!("::{full}"))
        };
        let own: SmallVec<[In<FunctionId>; 2]> = all.iter().copied().filter(|f| f.file == from && fits(f)).collect();
        if !own.is_empty() {
            return own;
        }
        let visible = |f: &In<FunctionId>| !self.function(*f).is_static || self.classes.includes(from, f.file);
        all.iter().copied().filter(|f| fits(f) && visible(f)).take(4).collect()
    }

    /// A C or C++ variable of another file by its name.
    pub(super) fn native_global(&self, from: FileId, name: Name) -> Option<In<BindingId>> {
        let all = self.classes.globals.get(&name)?;
        match all[..] {
            [only] => Some(only),
            _ => all.iter().copied().find(|binding| self.classes.includes(from, binding.file)),
        }
    }

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

    /// The project's calls of a function.
    pub fn callers(&self, function: In<FunctionId>) -> Arc<[Caller]> {
        self.memos.callers.ask(Ask::Callers, function, || self.find_callers(function).into())
    }

    fn find_callers(&self, function: In<FunctionId>) -> Vec<Caller> {
        let mut found = Vec::new();
        for value in self.references(function).iter() {
            for access in self.index(value.file).accesses(value.id) {
                match access.kind {
                    AccessKind::Called { call } => found.push(Caller { call: value.with(call), weak: false }),
                    AccessKind::Method { call, key: Key::Name(name) } if name == "call" || name == "apply" => {
                        found.push(Caller { call: value.with(call), weak: false });
                    }
                    _ => {}
                }
            }
        }
        let data = self.function(function);
        if matches!(data.kind, FunctionKind::Method | FunctionKind::Plain | FunctionKind::Arrow)
            && self.class_of(function).is_some()
            && !data.name.is_empty()
        {
            for value in self.members_named(data.name, Some(function.file)) {
                for access in self.index(value.file).accesses(value.id) {
                    if let AccessKind::Called { call } = access.kind {
                        let call = value.with(call);
                        if found.iter().any(|caller: &Caller| caller.call == call) {
                            continue;
                        }
                        let targets = self.targets(call);
                        if targets.functions.contains(&function) {
                            found.push(Caller { call, weak: targets.weak });
                        }
                    }
                }
            }
        }
        found.sort_by_key(|caller| caller.call);
        found.dedup();
        found
    }

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
        let count = self.call(call).arguments.len() as i32;
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
                    raise(Some(Runs::Sync))
                }
                AccessKind::Called { .. } | AccessKind::Method { .. } => {
                    raise(self.inner_runs(parameter.with(access.function), home, depth));
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
            for (call, _) in self.handed_directly(at) {
                let handed = self.callbacks_in(call, depth).into_iter().find(|handed| handed.function == at);
                if let Some(runs) = handed.and_then(|handed| handed.runs)
                    && runs != Runs::Sync
                {
                    return Some(runs);
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
        match self.api(call) {
            Some(api) => {
                let row = self.rows_of(call, api, argument).find(|row| row.property.is_none()).map(|row| row.runs);
                row.or_else(|| {
                    let registers = api.registers.as_ref()?;
                    (registers.handler == Some(argument)).then_some(if registers.once {
                        Runs::Maybe
                    } else {
                        Runs::Event
                    })
                })
            }
            None => {
                let target = *self.targets(call).functions.first()?;
                let parameter = *self.function(target).parameters.get(argument as usize)?;
                self.parameter_runs(target.with(parameter), depth + 1)
            }
        }
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
