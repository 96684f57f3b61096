//! What calls do with the handles they are given: by catalog row, or by a look into the project function that they run.
//! Interprocedural, bounded in depth; one mechanism for both languages.

use super::memo::{Acquired, Ask, apart};
use super::paths::summed;
use super::said::Said;
use super::{Obligation, Origin, Place, Project, Start, State};
use crate::model::contract::{By, Effect, Part, Throws};
use crate::model::words::Meaning;
use crate::model::{
    Api, BindingKind, CallId, Cond, Exit, Flow, FunctionId, In, Literal, Name, Step, Type, Value, ValueId,
};
use rustc_hash::FxHashMap;

/// The part that a value plays in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What the method is called on.
    Receiver,
    /// The n-th argument.
    Argument(u16),
    /// It is called itself: a disposer.
    Callee,
    /// A method is called on a part of it: `response.body.cancel()`.
    Through,
}

/// What a call (or function) does with a handle that it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Only looks at it.
    #[default]
    Borrows,
    /// Releases it on every ordinary way out.
    Releases,
    /// Releases it on some ways out only.
    MayRelease,
    /// Takes it over: stores it in something that lives longer, passes it to something that does, queues it.
    Takes,
    /// On some ways out only.
    MayTake,
    /// Gives it back as its result (fluent methods, casts, `pipe`).
    Returns,
    /// Not known.
    Unknown,
}

/// What a call gives its caller to release.
#[derive(Clone, Debug)]
pub struct Gives<'a> {
    /// The type of handle.
    pub ty: &'a Type,
    /// How it reaches the caller.
    pub by: By,
    /// The handle where one value of the caller's file denotes it: the result, the out-argument's place, the receiver. A promise's
    /// is the `Awaited` result; a callback's is its parameter.
    pub handle: Option<In<ValueId>>,
    /// The API call that acquires it at last; `call` itself but for wrappers.
    pub from: In<CallId>,
}

/// What a macro does to control flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MacroExits {
    /// It leaves the function on some path.
    pub may: bool,
    /// It leaves the function on every path.
    pub always: bool,
}

/// How deep calls are looked into for whether they throw.
const DEPTH: u32 = 3;

impl<'a> Project<'a> {
    /// What a call gives its caller to release: by its catalog row, or because the project function that it runs returns
    /// what it acquired. C++ `new` gives what `operator new` does.
    pub fn gives(&self, call: In<CallId>) -> Option<Gives<'a>> {
        let found = self.memos.gives.ask(Ask::Gives, call, || self.find_gives(call));
        let (ty, by, from) = found?;
        let handle = self.handle(call, &by);
        Some(Gives { ty, by, handle, from })
    }

    fn find_gives(&self, call: In<CallId>) -> Option<Acquired<'a>> {
        if let Some(said) = self.said_to_give(call) {
            return Some(said);
        }
        let own = |api: &'a Api| {
            let ty = self.contracts.ty(api.gives.as_ref()?)?;
            let by = self.by(call, api);
            (by != By::Promise || !self.answers_by_callback(call)).then_some((ty, by, call))
        };
        if let Some(api) = self.api(call) {
            if let Some(found) = own(api) {
                return Some(found);
            }
        } else if let Some(found) = self.constructed(call) {
            return Some(found);
        }
        if let Some(api) = self.operator(call) {
            return own(api);
        }
        self.wrapped(call)
    }

    /// `Client.connect(url, (err, client) => …)`: what a promise is documented for comes to a callback, as it once did.
    fn answers_by_callback(&self, call: In<CallId>) -> bool {
        let data = self.call(call);
        let last = data.arguments.last().map(|argument| call.with(argument.value));
        data.is_discarded
            && last.is_some_and(|last| {
                matches!(self.origin(last), Origin::Function(_) | Origin::Bound(..) | Origin::Parameter(_))
            })
    }

    /// `new net.Socket()` without a row of its own: constructing a type gives it.
    fn constructed(&self, call: In<CallId>) -> Option<Acquired<'a>> {
        if !self.call(call).is_new || self.is_native(call.file) {
            return None;
        }
        let path = self.path(call)?;
        let ty = self.rows(call.file).ty(path.strip_prefix("new ")?)?;
        Some((ty, By::Return, call))
    }

    /// A call of a project function that returns what it acquired itself.
    fn wrapped(&self, call: In<CallId>) -> Option<Acquired<'a>> {
        let targets = self.targets(call);
        let [function] = targets.functions[..] else { return None };
        if targets.weak || self.call(call).is_new {
            return None;
        }
        let (ty, by, from) = self.memos.returned.ask(Ask::Returned, function, || self.returns_acquired(function))?;
        let is_async = self.function(function).is_async;
        let by = if is_async || by == By::Promise { By::Promise } else { By::Return };
        Some((ty, by, from))
    }

    /// The call of a function whose handle it returns on some path and keeps nowhere else.
    fn returns_acquired(&self, function: In<FunctionId>) -> Option<Acquired<'a>> {
        for value in &self.index(function.file).returns[function.id.index()] {
            for origin in self.origins(function.with(*value)) {
                let (Origin::Result(inner) | Origin::Resolved(inner) | Origin::New(inner, _)) = origin else {
                    continue;
                };
                if let Some(resolved) = self.resolved_with(inner) {
                    return Some(resolved);
                }
                if inner.file != function.file || self.call(inner).function != function.id {
                    // The handle of a wrapper's wrapper: the inner call is in the inner function.
                    let through = self.calls_in(function).find(|call| {
                        self.result(*call).is_some_and(|result| self.origins(result).contains(&origin))
                            && *call != inner
                    });
                    if let Some(gives) = through.and_then(|call| self.gives(call))
                        && let Some(through) = through
                        && self.is_given_back(function, through, gives.ty)
                    {
                        return Some((gives.ty, gives.by, gives.from));
                    }
                    continue;
                }
                if let Some(gives) = self.gives(inner)
                    && matches!(gives.by, By::Return | By::Promise)
                    && self.is_given_back(function, inner, gives.ty)
                {
                    return Some((gives.ty, gives.by, gives.from));
                }
            }
        }
        None
    }

    /// What the executor of a `new Promise` resolves it with, where that is a handle that the executor obtained.
    fn resolved_with(&self, made: In<CallId>) -> Option<Acquired<'a>> {
        if self.path(made)? != "new Promise" {
            return None;
        }
        let executor = self.callbacks(made).into_iter().next()?.function;
        let resolve = executor.with(*self.function(executor).parameters.first()?);
        let handed = |access: &super::Access| match access.kind {
            super::AccessKind::Called { call } => self.argument(access.of(call), 0),
            _ => None,
        };
        let accesses = self.accesses(Place::new(super::Root::Variable(resolve)));
        accesses.iter().filter_map(handed).find_map(|value| match self.origin(value) {
            Origin::Result(call) if call.file == made.file => {
                let gives = self.gives(call).filter(|gives| gives.by == By::Return)?;
                Some((gives.ty, By::Promise, gives.from))
            }
            _ => None,
        })
    }

    fn is_given_back(&self, function: In<FunctionId>, call: In<CallId>, ty: &Type) -> bool {
        let rows = self.paths(&Obligation { function, start: Start::Call(call.id), ty: Some(ty) });
        rows.iter().any(|row| row.state == State::Returned) && !rows.iter().any(|row| row.state == State::Escaped)
    }

    /// The value that denotes what a call gives.
    fn handle(&self, call: In<CallId>, by: &By) -> Option<In<ValueId>> {
        match by {
            By::Return => self.result(call),
            By::Promise => {
                let result = self.result(call)?;
                let values = &self.summary(call.file).values;
                let at = values.iter().position(|value| *value == Value::Awaited(result.id));
                Some(at.map_or(result, |at| call.with(ValueId(at as u32))))
            }
            By::Callback(at) => {
                let handed = self.callbacks(call).into_iter().find(|handed| handed.function.file == call.file)?;
                let parameter = *self.function(handed.function).parameters.get(*at as usize)?;
                self.index(call.file).bindings[parameter.index()].map(|id| call.with(id))
            }
            By::Out(at) | By::OutField(at, _) | By::OutElement(at, _) | By::Argument(at) => {
                let argument = self.argument(call, *at)?;
                match self.value(argument) {
                    Value::Address(inner) => Some(call.with(*inner)),
                    _ => Some(argument),
                }
            }
            By::Receiver => self.receiver(call),
        }
    }

    /// What a call does with its receiver or an argument, where that is a handle of a type (none: of any).
    pub fn effect(&self, call: In<CallId>, role: Role, ty: Option<&Type>) -> Doing {
        match role {
            Role::Argument(at) => match self.said_of_argument(call, at) {
                Some(Said::Owns) => return Doing::Takes,
                Some(Said::Borrows) => return Doing::Borrows,
                None if !self.is_native(call.file) && self.pays(call, ty) => return Doing::Releases,
                None => {}
            },
            Role::Receiver if self.pays(call, ty) => return Doing::Releases,
            _ => {}
        }
        if let Some(api) = self.row_of(call) {
            return self.row_effect(call, api, role, ty);
        }
        let targets = self.targets(call);
        if role == Role::Through {
            return Doing::Borrows;
        }
        if let Some(&function) = targets.functions.first() {
            if targets.weak && role != Role::Receiver {
                return Doing::Unknown;
            }
            return match role {
                Role::Argument(at) => self.function_effect(function, at, ty),
                Role::Receiver if self.is_disposal_call(call) => Doing::Releases,
                _ => Doing::Borrows,
            };
        }
        match role {
            Role::Receiver if self.is_disposal_call(call) => Doing::Releases,
            Role::Receiver => Doing::Borrows,
            Role::Argument(_) if self.is_native(call.file) && self.is_releaser(call) => Doing::Releases,
            Role::Argument(_) => Doing::Unknown,
            Role::Callee | Role::Through => Doing::Releases,
        }
    }

    /// The row of a call, `operator new`'s left out.
    fn row_of(&self, call: In<CallId>) -> Option<&'a Api> {
        self.api(call)
    }

    fn row_effect(&self, call: In<CallId>, api: &Api, role: Role, ty: Option<&Type>) -> Doing {
        let part = match role {
            Role::Receiver => Part::Receiver,
            Role::Argument(at) => Part::Argument(at),
            Role::Callee => Part::Result,
            Role::Through => return self.through(call, api, ty),
        };
        let fits = api.of.is_empty()
            || ty.is_none_or(|ty| {
                let names = self.type_names(ty);
                api.of.iter().any(|of| {
                    names.contains(of.as_str())
                        || self.contracts.ty(of).is_some_and(|of| self.type_names(of).contains(ty.name.as_str()))
                })
            });
        if api.releases == Some(part) && fits || role == Role::Callee {
            return Doing::Releases;
        }
        if api.returns == Some(part) {
            return Doing::Returns;
        }
        let Role::Argument(at) = role else {
            return if self.is_disposal_call(call)
                && api.releases.is_none()
                && api.gives.is_none()
                && api.registers.is_none()
            {
                Doing::Releases
            } else {
                Doing::Borrows
            };
        };
        match api.arguments.get(at as usize).copied().unwrap_or(api.rest) {
            Effect::Borrow | Effect::Copy => Doing::Borrows,
            // Whoever keeps it can give it back to code that releases it.
            Effect::Store if !self.is_native(call.file) => Doing::Takes,
            Effect::Store => Doing::Borrows,
            Effect::Take => Doing::Takes,
            Effect::TakeOnSuccess => Doing::Takes,
            Effect::HandTo(to) | Effect::HandToOnSuccess(to) => match self.argument(call, to) {
                Some(value) if !self.is_empty_value(value) => Doing::Takes,
                _ => Doing::Borrows,
            },
            Effect::Unknown => Doing::Unknown,
        }
    }

    /// `response.body.cancel()`: what releases a member that stands for the whole releases the whole.
    fn through(&self, call: In<CallId>, api: &Api, ty: Option<&Type>) -> Doing {
        let member = self.receiver(call).and_then(|receiver| match self.value(receiver) {
            Value::Member(_, name) => Some(*name),
            _ => None,
        });
        let stands = |name: Name| {
            ty.is_some_and(|ty| self.contracts.bases(ty).any(|ty| ty.through.iter().any(|through| name == **through)))
        };
        if api.releases == Some(Part::Receiver) && member.is_some_and(stands) {
            Doing::Releases
        } else {
            Doing::Borrows
        }
    }

    /// Whether a method's name says that it ends its receiver's life.
    pub fn is_disposal_call(&self, call: In<CallId>) -> bool {
        self.method_name(call).is_some_and(|name| self.contracts.words.has(Meaning::Disposal, &name))
    }

    /// Whether the name of a C function says that it releases.
    fn is_releaser(&self, call: In<CallId>) -> bool {
        self.method_name(call).is_some_and(|name| {
            let lower = name.to_ascii_lowercase();
            ["free", "delete", "destroy", "release", "close", "dispose", "unref", "dealloc"]
                .iter()
                .any(|word| lower.contains(word))
        })
    }

    /// What a project function does with its n-th parameter.
    pub fn function_effect(&self, function: In<FunctionId>, parameter: u16, ty: Option<&Type>) -> Doing {
        let name = ty.map_or(Name::default(), |ty| Name::from(&ty.name));
        self.memos.effects.ask(Ask::Effect, (function, parameter, name), || {
            let data = self.function(function);
            if let Some(said) = self.said_of_parameter(function, parameter) {
                return said;
            }
            if !data.has_body {
                return Doing::Unknown;
            }
            match data.parameters.get(parameter as usize) {
                Some(&binding) => summed(&self.paths(&Obligation { function, start: Start::Entry(binding), ty })),
                // `arguments`, rest parameters.
                None => Doing::Unknown,
            }
        })
    }

    /// What a project function does with the handle that a place holds when it is entered: a field of its receiver, a
    /// module's variable. Functions that it calls in turn are looked into.
    pub fn place_effect(&self, function: In<FunctionId>, place: Place, ty: Option<&Type>) -> Doing {
        let name = ty.map_or(Name::default(), |ty| Name::from(&ty.name));
        self.memos.holdings.ask(Ask::Holding, (function, place, name), || {
            if !self.function(function).has_body {
                return Doing::Borrows;
            }
            summed(&self.place_paths(function, place, ty))
        })
    }

    /// Whether a call may throw in ordinary operation: rows that say so, and project functions that throw on some path.
    pub fn may_throw(&self, call: In<CallId>) -> bool {
        self.throws_in(call, 0)
    }

    fn throws_in(&self, call: In<CallId>, depth: u32) -> bool {
        if let Some(api) = self.api(call) {
            // What has an error-first callback, or a promise in its place, fails by that.
            let later = api.by == By::Promise || api.callbacks.iter().any(|callback| callback.error_first);
            return api.throws == Throws::Often && !later && !self.is_native(call.file);
        }
        let targets = self.targets(call);
        !targets.weak && targets.functions.iter().any(|function| self.function_throws(*function, depth))
    }

    /// Whether waiting for a call's promise can end in a rejection in ordinary operation.
    pub fn may_reject(&self, call: In<CallId>) -> bool {
        // `await work().catch(log)`: what the handler does not throw is not thrown here.
        if self.method_name(call).is_some_and(|name| name == "catch")
            && let Some(handler) = self.argument(call, 0)
        {
            let handlers = self.functions_in(handler);
            return handlers.is_empty() || handlers.iter().any(|handler| self.function_throws(*handler, 0));
        }
        if let Some(api) = self.api(call) {
            return api.throws != Throws::Never;
        }
        if self.result(call).is_some_and(|result| self.never_rejects(result)) {
            return false;
        }
        let targets = self.targets(call);
        match targets.functions[..] {
            [function] if !targets.weak && self.function(function).is_async => {
                waits_bare(&self.function(function).flow) || self.function_throws(function, 0)
            }
            _ => true,
        }
    }

    /// Whether a value is surely a promise that can only be fulfilled: its executor takes no `reject`, and throws nothing.
    pub fn never_rejects(&self, value: In<ValueId>) -> bool {
        let origins = self.origins(value);
        let fulfils = |origin: &Origin| {
            let (Origin::Result(call) | Origin::New(call, _) | Origin::Resolved(call)) = origin else { return false };
            // `Promise.resolve().then(…)` puts off, and waits for nothing.
            if self.path(*call).is_some_and(|path| path == "Promise.resolve") && self.argument(*call, 0).is_none() {
                return true;
            }
            let is_promise = self.call(*call).is_new && self.callee_text(*call) == "Promise";
            let executor = self.callbacks(*call).into_iter().next().map(|handed| handed.function);
            is_promise
                && executor.is_some_and(|executor| {
                    self.function(executor).parameters.len() == 1 && !self.function_throws(executor, 0)
                })
        };
        // `exit = exit.then(…)` goes on from what it was before.
        let place = self.place(value);
        let goes_on = |origin: &Origin| match origin {
            Origin::Result(call) => {
                let chains = self.method_name(*call).is_some_and(|name| name == "then" || name == "finally");
                let same = |on: In<ValueId>| place.is_some() && self.place(on) == place;
                chains && self.receiver(*call).is_some_and(same)
            }
            _ => false,
        };
        origins.iter().any(fulfils) && origins.iter().all(|origin| fulfils(origin) || goes_on(origin))
    }

    /// Whether a function throws on some path, not counting what it catches itself.
    pub(super) fn function_throws(&self, function: In<FunctionId>, depth: u32) -> bool {
        if depth >= DEPTH {
            return false;
        }
        if depth > 0 {
            return self.flow_throws(function, &self.function(function).flow, depth);
        }
        self.memos
            .throws
            .ask(Ask::Throws, function, || self.flow_throws(function, &self.function(function).flow, depth))
    }

    fn flow_throws(&self, function: In<FunctionId>, flow: &Flow, depth: u32) -> bool {
        let inside = |part: &Flow| self.flow_throws(function, part, depth);
        match flow {
            Flow::Exit(Exit::Throw(_), _) => true,
            Flow::Step(Step::Call(call)) => self.throws_in(function.with(*call), depth + 1),
            Flow::Sequence(parts) | Flow::Switch { arms: parts, .. } => parts.iter().any(inside),
            // `if (typeof f !== 'function') throw …`: only a bug in the caller gets there.
            Flow::Branch { cond, then, .. } if depth > 0 && self.is_validation(function, cond, then) => false,
            Flow::Branch { then, otherwise, .. } => inside(then) || inside(otherwise),
            Flow::Loop { body, .. } | Flow::Labelled(_, body) => inside(body),
            Flow::Try { body, handler, finally } => {
                handler.as_ref().map_or_else(|| inside(body), |(_, handler)| inside(handler))
                    || finally.as_ref().is_some_and(|finally| inside(finally))
            }
            _ => false,
        }
    }

    /// A throw of a `TypeError` or its like, under a condition that looks at nothing but parameters and the receiver.
    fn is_validation(&self, function: In<FunctionId>, cond: &Cond, then: &Flow) -> bool {
        let throws = match then {
            Flow::Sequence(parts) => matches!(parts.as_slice(), [.., Flow::Exit(Exit::Throw(_), _)]),
            Flow::Exit(Exit::Throw(_), _) => true,
            _ => false,
        };
        let mut given = true;
        cond.values(&mut |value| given &= self.is_given(function, value, 0));
        throws && given
    }

    /// A parameter, the receiver, a constant, or something made of these alone.
    fn is_given(&self, function: In<FunctionId>, value: ValueId, depth: u32) -> bool {
        let summary = self.summary(function.file);
        match summary.value(value) {
            Value::Literal(_) | Value::This(_) | Value::Global(_) | Value::Class(_) | Value::Function(_) => true,
            Value::Binding(binding) => {
                let data = summary.binding(*binding);
                matches!(data.kind, BindingKind::Parameter(_))
                    || data.value.is_some_and(|value| {
                        matches!(summary.value(value), Value::Class(_) | Value::Function(_) | Value::Literal(_))
                    })
            }
            Value::Opaque(parts) if depth < 3 => parts.iter().all(|part| self.is_given(function, *part, depth + 1)),
            _ => false,
        }
    }

    /// Whether a function never comes back: each of its ways ends the process.
    pub fn never_returns(&self, call: In<CallId>) -> bool {
        self.api(call).is_some_and(|api| api.never_returns)
    }

    /// What a macro does to control flow, by its `#define` or its catalog row.
    pub fn macro_flow(&self, name: Name) -> MacroExits {
        let known = self.memos.macros.get_or_init(|| {
            apart(|| {
                let mut known: FxHashMap<Name, MacroExits> = FxHashMap::default();
                for found in self.summaries.iter().flat_map(|summary| &summary.macros) {
                    let entry = known.entry(found.name).or_default();
                    entry.may |= found.may_exit;
                    entry.always |= found.always_exits;
                }
                known
            })
        });
        known.get(&name).copied().unwrap_or_else(|| {
            let may = self.contracts.api(&name).is_none_or(|api| api.exits);
            MacroExits { may, always: may && name.contains("Return") || name.contains("RETURN") }
        })
    }

    /// Whether a value is the literal null or undefined.
    pub fn is_null(&self, value: In<ValueId>) -> bool {
        matches!(self.value(value), Value::Literal(Literal::Null | Literal::Undefined))
    }
}

/// Whether code waits for something whose failure it does not catch.
fn waits_bare(flow: &Flow) -> bool {
    match flow {
        Flow::Step(Step::Await { .. }) => true,
        Flow::Sequence(parts) | Flow::Switch { arms: parts, .. } => parts.iter().any(waits_bare),
        Flow::Branch { then, otherwise, .. } => waits_bare(then) || waits_bare(otherwise),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => waits_bare(body),
        Flow::Try { body, handler, finally } => {
            handler.as_ref().map_or_else(|| waits_bare(body), |(_, handler)| waits_bare(handler))
                || finally.as_ref().is_some_and(|finally| waits_bare(finally))
        }
        _ => false,
    }
}
