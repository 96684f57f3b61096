//! What one step does to the handle: acquired, copied, stored, passed, released, captured, dropped, overwritten.

use super::state::{Reach, State, is_empty, lies_in, root};
use super::walk::{Walk, Way};
use super::{ExitKind, Start, State as Fate};
use crate::model::contract::{By, Runs};
use crate::model::{Assign, BindingId, BindingKind, CallId, FunctionId, Holder, Step, Value, ValueId};
use crate::project::{Doing, Place, Role};
use crate::text::Span;

impl<'p> Walk<'p, '_> {
    pub(super) fn step(&mut self, step: &'p Step, mut state: State) -> Vec<State> {
        match step {
            Step::Call(call) => return self.call(*call, state),
            Step::Assign(assign) => return self.assign(assign, state),
            Step::Delete { place, span } => {
                state.forget(self.summary, *place);
                return self
                    .drop_aliases(state, ExitKind::Overwrite, *span, |summary, alias| lies_in(summary, alias, *place));
            }
            Step::Await { value, span, is_yield } => {
                let acquires = matches!((self.summary.value(*value), self.start), (Value::Result(call), Start::Call(start)) if *call == start);
                if state.is_held() && !acquires && !is_yield && self.may_reject(*value) {
                    self.leave(Way::Throw(ExitKind::Rejection), *span, state.clone());
                }
            }
            Step::Drop(binding) => {
                let mut owner = false;
                let of = |value: &ValueId| root(self.summary, *value) == Some(*binding);
                owner |= state.aliases.iter().any(of) || state.boxes.iter().any(of);
                if owner {
                    state.settle(Fate::Released, self.summary.binding(*binding).span);
                }
            }
            Step::ScopeEnd { bindings, span } => {
                let gone = |summary: &crate::model::Summary, alias: ValueId| {
                    root(summary, alias).is_some_and(|binding| bindings.contains(&binding))
                };
                return self.drop_aliases(state, ExitKind::ScopeEnd, *span, gone);
            }
        }
        vec![state]
    }

    /// Removes names of the handle; the path ends where the last one goes.
    fn drop_aliases(
        &mut self,
        mut state: State,
        exit: ExitKind,
        span: Span,
        gone: impl Fn(&crate::model::Summary, ValueId) -> bool,
    ) -> Vec<State> {
        let before = state.aliases.len() + state.boxes.len();
        let summary = self.summary;
        state.aliases.retain(|alias| !gone(summary, *alias));
        state.boxes.retain(|holder| !gone(summary, *holder));
        let named = state
            .aliases
            .iter()
            .any(|alias| root(summary, *alias).is_some() || matches!(summary.value(*alias), Value::Member(..)));
        if before > state.aliases.len() + state.boxes.len() && state.is_held() && !named && state.boxes.is_empty() {
            self.finish(exit, span, &state);
            return Vec::new();
        }
        vec![state]
    }

    fn assign(&mut self, assign: &Assign, mut state: State) -> Vec<State> {
        let Assign { place, value, span, .. } = *assign;
        let summary = self.summary;
        let carries = self.carries(&state, value);
        let twin = state.twins.contains(&value);
        state.forget(summary, place);
        if state.aliases.contains(&place) && !carries && !assign.only_if_empty {
            // `p = next(p)` of something that returns it was made an alias by the call.
            let kept =
                self.drop_aliases(state, ExitKind::Overwrite, span, |summary, alias| lies_in(summary, alias, place));
            let Some(left) = kept.into_iter().next() else { return Vec::new() };
            state = left;
        }
        if twin && !state.twins.contains(&place) {
            state.twins.push(place);
        }
        if carries && state.is_held() {
            self.stored(&mut state, place, value, span);
        } else if let Value::Literal(_) = summary.value(value)
            && self.tested.contains_key(&place)
            && matches!(summary.value(place), Value::Binding(_) | Value::Member(..) | Value::Global(_))
        {
            let fact = if is_empty(summary, value) { super::state::Fact::Falsy } else { super::state::Fact::Is(value) };
            state.learn(place, fact);
        }
        if let Value::Function(function) = summary.value(value)
            && state.is_held()
            && self.closure_reaches(&state, *function)
            && !self.is_own_local(place)
        {
            state.settle(Fate::Escaped, span);
        }
        vec![state]
    }

    /// The handle is assigned to a place.
    fn stored(&mut self, state: &mut State, place: ValueId, value: ValueId, span: Span) {
        let summary = self.summary;
        if self.is_own_local(place) {
            match summary.value(value) {
                _ if self.is_alias(state, value) => state.alias(place),
                Value::Member(_, name) if self.stands_for_it(*name) => state.alias(place),
                _ => state.boxes.push(place),
            }
            return;
        }
        match summary.value(place) {
            Value::Member(object, _) | Value::Index(object, _) | Value::Deref(object)
                if self.is_fresh_local(*object) =>
            {
                state.alias(place);
                if let Some(binding) = root(summary, *object)
                    && let Some(holder) = self.project.index(self.function.file).bindings[binding.index()]
                    && !state.boxes.contains(&holder)
                {
                    state.boxes.push(holder);
                }
            }
            Value::Binding(binding) if self.shared(*binding, place, value, state) => {}
            _ => state.settle(Fate::Escaped, span),
        }
    }

    /// A variable of an enclosing function, through which the closures beside this one go on with the handle.
    fn shared(&self, binding: BindingId, place: ValueId, value: ValueId, state: &mut State) -> bool {
        let data = self.summary.binding(binding);
        let here = self.function.id;
        if data.function == FunctionId::MODULE
            || data.kind == BindingKind::Static
            || !self.is_alias(state, value)
            || self.project.is_native(self.function.file)
        {
            return false;
        }
        let index = self.project.index(self.function.file);
        // The function that declares it goes on with it by itself.
        if index.accesses(place).iter().any(|access| access.function == data.function && access.kind.is_use()) {
            return false;
        }
        let before = state.captured.len();
        for &function in &data.captured_by {
            let around = self.summary.is_inside(here, function) || self.summary.is_inside(function, here);
            let nested =
                data.captured_by.iter().any(|outer| *outer != function && self.summary.is_inside(function, *outer));
            if around || nested {
                continue;
            }
            for (call, _) in self.project.handed_directly(self.function.with(function)) {
                let aliases = [place].into_iter().collect();
                state.captured.push(Reach { function, call: call.id, aliases });
            }
        }
        state.captured.len() > before
    }

    /// A variable of this very function.
    fn is_own_local(&self, place: ValueId) -> bool {
        match self.summary.value(place) {
            Value::Binding(binding) => {
                let data = self.summary.binding(*binding);
                self.frames.contains(&data.function)
                    && data.function != FunctionId::MODULE
                    && data.kind != BindingKind::Static
            }
            _ => false,
        }
    }

    /// A local of this function that holds an object made here, or is one.
    fn is_fresh_local(&self, object: ValueId) -> bool {
        let Some(binding) = root(self.summary, object) else { return false };
        let data = self.summary.binding(binding);
        if !self.frames.contains(&data.function) || data.function == FunctionId::MODULE {
            return false;
        }
        let by_value = self.project.is_native(self.function.file)
            && data.ty.as_ref().is_some_and(|ty| ty.holder == Holder::Value)
            && !matches!(data.kind, BindingKind::Parameter(_));
        by_value
            || data.value.is_some_and(|value| match self.summary.value(value) {
                Value::Object(_) | Value::Array(..) => true,
                Value::Result(call) => self.summary.call(*call).is_new,
                _ => false,
            })
    }

    fn call(&mut self, id: CallId, mut state: State) -> Vec<State> {
        let call = self.summary.call(id);
        if self.start == Start::Call(id) {
            return self.acquire(id, state);
        }
        if !state.is_held() {
            return self.inlined(id, state);
        }
        if call.arguments.iter().any(|argument| state.twins.contains(&argument.value))
            && let Value::Global(name) = self.summary.value(call.callee)
        {
            state.checked_by = Some(*name);
        }
        if let Some(reach) = self.resolved_into(id, &state) {
            state.captured.push(reach);
            state.aliases.clear();
            return vec![state];
        }
        let (doing, returns) = self.touch(id, &state);
        match doing {
            Doing::Releases | Doing::MayRelease => state.settle(Fate::Released, call.span),
            Doing::Takes | Doing::MayTake | Doing::Unknown => state.settle(Fate::Escaped, call.span),
            Doing::Returns | Doing::Borrows => {}
        }
        // `path.join(directory, 'socket')` names it, too.
        let named = self.is_text() && call.arguments.iter().any(|argument| self.carries(&state, argument.value));
        if (returns || named)
            && let Some(result) = self.project.index(self.function.file).results[id.index()]
        {
            state.alias(result);
        }
        if state.is_held() {
            self.capture(id, &mut state);
            // What a function that is run as a part of the path throws, its own flow says, and what it did before.
            if self.inlines(id, &state).is_empty() && self.project.may_throw(self.function.with(id)) {
                self.leave(Way::Throw(ExitKind::ImplicitThrow(id)), call.span, state.clone());
            }
        }
        self.inlined(id, state)
    }

    /// `open().then(h => …)`: the promise's handle goes on in the callback.
    fn resolved_into(&self, id: CallId, state: &State) -> Option<Reach> {
        let Start::Call(start) = self.start else { return None };
        let call = self.summary.call(id);
        let Value::Member(object, name) = self.summary.value(call.callee) else { return None };
        let start = self.function.with(start);
        let promise = self.project.gives(start)?.by == By::Promise;
        if !promise || *name != "then" || !state.aliases.contains(object) {
            return None;
        }
        if matches!(self.summary.value(*object), Value::Awaited(_)) {
            return None;
        }
        let function = *self.closures_in(call.arguments.first()?.value).first()?;
        let parameter = *self.summary.function(function).parameters.first()?;
        Some(Reach { function, call: id, aliases: self.named(parameter).into_iter().collect() })
    }

    /// What a call does with the handle, in whatever roles it has there, and whether its result is the handle again.
    fn touch(&self, id: CallId, state: &State) -> (Doing, bool) {
        let call = self.summary.call(id);
        let mut worst = Doing::Borrows;
        let mut returns = false;
        let mut note = |doing: Doing| {
            returns |= doing == Doing::Returns;
            if rank(doing) > rank(worst) {
                worst = doing;
            }
        };
        if let Some(place) = self.place {
            note(self.behind(id, place));
        }
        let receiver = match self.summary.value(call.callee) {
            Value::Member(object, _) | Value::Index(object, _) => Some(*object),
            _ => None,
        };
        if receiver.is_some_and(|receiver| self.is_alias(state, receiver)) {
            note(self.judged(id, Role::Receiver));
        } else if self.is_alias(state, call.callee) {
            note(self.judged(id, Role::Callee));
        } else if let Some(receiver) = receiver
            && let Value::Member(object, _) = self.summary.value(receiver)
            && self.is_alias(state, *object)
        {
            // `response.body.cancel()`: through a part of it.
            note(self.judged(id, Role::Through));
        }
        for (at, argument) in call.arguments.iter().enumerate() {
            if self.is_alias(state, argument.value) {
                note(self.judged(id, Role::Argument(at as u16)));
            } else if self.carries(state, argument.value) {
                note(match self.judged(id, Role::Argument(at as u16)) {
                    // Whoever learns its name in the midst of other things may be meant to have it.
                    Doing::Borrows if self.is_text() => Doing::MayTake,
                    Doing::Borrows => Doing::Borrows,
                    Doing::Releases | Doing::MayRelease => Doing::Takes,
                    other => other,
                });
            }
        }
        (worst, returns)
    }

    /// What the project functions that a call runs do with the place that holds the handle.
    fn behind(&self, id: CallId, place: Place) -> Doing {
        let targets = self.project.targets(self.function.with(id));
        let [target] = targets.functions[..] else { return Doing::Borrows };
        let near = target.file == self.function.file || place.root.file() == Some(target.file);
        if targets.weak || !near || target == self.function {
            return Doing::Borrows;
        }
        match self.project.place_effect(target, place, self.ty) {
            Doing::Returns => Doing::Borrows,
            doing => doing,
        }
    }

    fn judged(&self, id: CallId, role: Role) -> Doing {
        let call = self.function.with(id);
        self.judge.and_then(|judge| judge(call, role)).unwrap_or_else(|| self.project.effect(call, role, self.ty))
    }

    /// The acquiring call happens.
    fn acquire(&mut self, id: CallId, mut state: State) -> Vec<State> {
        let span = self.summary.call(id).span;
        let file = self.function.file;
        let result = self.project.index(file).results[id.index()];
        if state.begun {
            // A second time around: what was held under these names alone is lost.
            if state.is_held() {
                let out = self.out;
                let kept = self.drop_aliases(state, ExitKind::Overwrite, span, |_, alias| {
                    Some(alias) == result || Some(alias) == out
                });
                return kept;
            }
            return vec![state];
        }
        state.begun = true;
        state.fate = Fate::Held;
        state.trail = None;
        if let Some(out) = self.out {
            self.acquire_out(out, &mut state, span);
            state.twins.extend(result);
        } else if let Some(result) = result {
            state.alias(result);
            let awaited = self.summary.values.iter().position(|value| *value == Value::Awaited(result));
            if let Some(at) = awaited {
                state.alias(ValueId(at as u32));
            }
        }
        if self.summary.call(id).is_discarded && self.out.is_none() {
            self.finish(ExitKind::Discarded, span, &state);
            return Vec::new();
        }
        // `client.connect((err) => …)`: what is called when it is there goes on with it.
        if self.out.is_some() && state.is_held() {
            self.capture(id, &mut state);
        }
        vec![state]
    }

    /// The handle is written through an argument: `&local` is held here, anything else belongs to whoever sees it.
    fn acquire_out(&self, out: ValueId, state: &mut State, span: Span) {
        let place = match self.summary.value(out) {
            Value::Address(inner) => *inner,
            Value::Binding(binding) if self.summary.binding(*binding).ty.as_ref().is_some_and(|ty| ty.is_array) => out,
            _ if self.project.is_native(self.function.file) => return state.settle(Fate::Escaped, span),
            _ => out,
        };
        state.alias(place);
        state.alias(out);
        if !self.is_own_local(place) && !self.is_fresh_local(place) {
            state.settle(Fate::Escaped, span);
        }
    }

    /// Closures handed to a call that reach the handle.
    fn capture(&mut self, id: CallId, state: &mut State) {
        let call = self.summary.call(id);
        for argument in &call.arguments {
            for function in self.closures_in(argument.value) {
                let aliases = self.reached(state, function);
                let reach = Reach { function, call: id, aliases };
                if !reach.aliases.is_empty() && !self.runs_at_once(id, function) && !state.captured.contains(&reach) {
                    state.captured.push(reach);
                }
            }
        }
    }

    fn runs_at_once(&self, id: CallId, function: FunctionId) -> bool {
        let function = self.function.with(function);
        let call = self.function.with(id);
        self.project.callbacks(call).iter().any(|handed| handed.function == function && handed.runs == Some(Runs::Sync))
    }

    /// Closures that the call runs at once (`forEach`, a promise's executor) and local functions that it calls: their code is part
    /// of the path.
    fn inlined(&mut self, id: CallId, state: State) -> Vec<State> {
        let run = self.inlines(id, &state);
        run.into_iter().fold(vec![state], |states, function| self.inline(function, states))
    }

    fn inlines(&self, id: CallId, state: &State) -> Vec<FunctionId> {
        let mut run: Vec<FunctionId> = Vec::new();
        if self.inline == 0 || !state.begun {
            return run;
        }
        let call = self.summary.call(id);
        for argument in &call.arguments {
            if let Value::Function(function) = self.summary.value(argument.value)
                && self.reaches(state, *function)
                && self.runs_at_once(id, *function)
            {
                run.push(*function);
            }
        }
        if let Value::Binding(binding) = self.summary.value(call.callee)
            && let Some(value) = self.summary.binding(*binding).value
            && let Value::Function(function) = self.summary.value(value)
            && self.summary.function(*function).parent.is_some_and(|parent| self.is_around(parent))
            && !self.frames.contains(function)
            && self.reaches(state, *function)
        {
            run.push(*function);
        }
        run
    }

    /// Whether a function's variables are in reach of this code: it runs, or this code lies in it.
    fn is_around(&self, function: FunctionId) -> bool {
        self.frames.contains(&function)
            || function != FunctionId::MODULE && self.summary.is_inside(self.function.id, function)
    }

    /// Whether a closure's code can matter to the path: it mentions the handle, or holds closures that do.
    fn reaches(&self, state: &State, function: FunctionId) -> bool {
        state.is_held() && self.closure_reaches(state, function)
    }

    fn inline(&mut self, function: FunctionId, states: Vec<State>) -> Vec<State> {
        let project = self.project;
        let flow = &project.function(self.function.with(function)).flow;
        self.inline -= 1;
        self.frames.push(function);
        let next = self.contained(flow, states);
        self.frames.pop();
        self.inline += 1;
        next
    }

    /// Whether waiting for a value can end in a rejection that counts.
    fn may_reject(&self, value: ValueId) -> bool {
        match self.summary.value(value) {
            Value::Result(call) => self.project.may_reject(self.function.with(*call)),
            Value::Literal(_) => false,
            _ => !self.project.never_rejects(self.function.with(value)),
        }
    }

    /// A binding's value.
    pub(super) fn named(&self, binding: BindingId) -> Option<ValueId> {
        self.project.index(self.function.file).bindings.get(binding.index()).copied().flatten()
    }
}

fn rank(doing: Doing) -> u8 {
    match doing {
        Doing::Borrows => 0,
        Doing::Returns => 1,
        Doing::Unknown => 2,
        Doing::MayTake => 3,
        Doing::Takes => 4,
        Doing::MayRelease => 5,
        Doing::Releases => 6,
    }
}
