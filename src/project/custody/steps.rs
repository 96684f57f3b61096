//! One step of the interpreter: a call, an assignment, the end of a scope, in one state of the owned thing.
//! `walk` says in which order steps are taken and which paths exist; `effects` what a call does.

use super::acquire::Begin;
use super::destination::Destination;
use super::effects::{Effect, Taken};
use super::named::{NAMED, is_constant};
use super::state::{Doubt, Mention, State, Status, is_inside, join, mention, root};
use super::statuses::asks_outcome;
use super::walk::{Walk, speaks_of};
use super::{How, Way};
use crate::model::words::Meaning;
use crate::model::{Assign, BindingId, CallId, In, Literal, Name, Step, Value, ValueId};
use crate::text::Span;
use smallvec::{SmallVec, smallvec};

impl Walk<'_, '_, '_> {
    pub(super) fn step(&mut self, step: &Step, states: Vec<State>) -> Vec<State> {
        let mut out = Vec::new();
        if let Step::Call(call) = step
            && self.project.ends_process(In::new(self.owned.function.file, *call), 0)
        {
            return out;
        }
        for state in states {
            let after = match step {
                Step::Call(call) => self.call(state, *call),
                Step::Assign(assign) => self.assign(state, assign).into_iter().collect(),
                Step::ScopeEnd { bindings, span } => self.scope_end(state, bindings, *span).into_iter().collect(),
                Step::Drop(binding) => self.drop(state, *binding).into_iter().collect(),
                Step::Delete { .. } | Step::Await { .. } => vec![state],
            };
            join(&mut out, after);
        }
        if let Step::Call(call) = step
            && let Some(caught) = self.thrown.last_mut()
            && self.project.may_throw(In::new(self.owned.function.file, *call))
        {
            // An acquisition that throws has acquired nothing.
            let acquires = self.owned.call() == Some(*call);
            join(caught, out.iter().filter(|state| state.owned && !(acquires && !state.old)).cloned());
        }
        out
    }

    fn scope_end(&mut self, mut state: State, bindings: &[BindingId], span: Span) -> Option<State> {
        for binding in bindings {
            state.set_constant(*binding, None);
            self.conditions.forget(&mut state, *binding);
        }
        if !state.owned {
            return Some(state);
        }
        let before = state.holders.len();
        state.holders.retain(|holder| root(self.summary, *holder).is_none_or(|root| !bindings.contains(&root)));
        self.forget_temporary(&mut state, before);
        if before > 0 && state.holders.is_empty() {
            self.lose(&state, Way::Scope, span);
            return Some(State { owned: false, ..state });
        }
        Some(state)
    }

    /// A struct on the stack dies with what it holds; one whose destructor is written may release it.
    fn drop(&mut self, mut state: State, binding: BindingId) -> Option<State> {
        let inside = |holder: &ValueId| {
            root(self.summary, *holder) == Some(binding) && !matches!(self.summary.value(*holder), Value::Binding(_))
        };
        if state.owned && state.holders.iter().any(inside) {
            let releases = self.effects.destructor_may_release(binding);
            if releases {
                let place = state.holders.iter().copied().find(inside)?;
                self.settle(&state, How::Stored(place), self.summary.binding(binding).span);
                return Some(State { owned: false, ..state });
            }
            state.holders.retain(|holder| root(self.summary, *holder) != Some(binding));
            if state.holders.is_empty() {
                self.lose(&state, Way::Scope, self.summary.binding(binding).span);
                return Some(State { owned: false, ..state });
            }
        }
        self.drop_handle(state, binding)
    }

    /// A handle that is spelled like a class has no destructor: its variable just ends. On the way out of the function the
    /// exit itself tells.
    fn drop_handle(&mut self, mut state: State, binding: BindingId) -> Option<State> {
        let is_outermost = self.summary.binding(binding).scope == self.function.scope;
        if !state.owned || is_outermost || self.depth == 0 {
            return Some(state);
        }
        let before = state.holders.len();
        state.holders.retain(|holder| *self.summary.value(*holder) != Value::Binding(binding));
        self.forget_temporary(&mut state, before);
        if before > 0 && state.holders.is_empty() {
            self.lose(&state, Way::Scope, self.summary.binding(binding).span);
            return Some(State { owned: false, ..state });
        }
        Some(state)
    }

    /// When no place is left, the bare result is of no use any more.
    fn forget_temporary(&self, state: &mut State, before: usize) {
        if before > state.holders.len()
            && state.holders.iter().all(|holder| matches!(self.summary.value(*holder), Value::Result(_)))
        {
            state.holders.clear();
        }
    }

    fn call(&mut self, state: State, call: CallId) -> Vec<State> {
        if !state.owned {
            let mut state = state;
            self.forget_written(&mut state, call);
            return if self.owned.call() == Some(call) { self.begin(state, call) } else { vec![state] };
        }
        let (ended, kept) = self.pass(state, call);
        let mut left: Vec<State> = kept.into_iter().collect();
        if let Some((state, how)) = ended {
            self.settle(&state, how, self.summary.call(call).span);
            if left.is_empty() {
                left.push(State { owned: false, holders: SmallVec::new(), status: None, ..state });
            }
        }
        if self.owned.call() == Some(call) {
            left = left.into_iter().flat_map(|state| self.begin(state, call)).collect();
        }
        left
    }

    /// Variables whose address a call is given are not known afterwards.
    fn forget_written(&self, state: &mut State, call: CallId) {
        for argument in &self.summary.call(call).arguments {
            if let Value::Address(inner) = self.summary.value(argument.value)
                && let Some(binding) = root(self.summary, *inner)
            {
                state.set_constant(binding, None);
                self.conditions.forget(state, binding);
            }
        }
    }

    /// The acquisition itself.
    fn begin(&mut self, state: State, call: CallId) -> Vec<State> {
        let mut out = Vec::new();
        let api = || self.project.api(In::new(self.owned.function.file, call));
        if state.owned && api().is_some_and(|api| api.renews) {
            // Where that fails, what was there before is there still.
            return vec![State { status: None, ..state }];
        }
        if state.owned {
            // The next turn of a loop: this instance goes on under its places only.
            let mut old = State { old: true, ..state };
            if let Some(result) = self.owned.holder {
                let before = old.holders.len();
                if matches!(self.summary.value(result), Value::Result(_)) {
                    old.remove(result);
                    if before > 0 && old.holders.is_empty() {
                        self.lose(&old, Way::Scope, self.summary.call(call).span);
                        old.owned = false;
                    }
                } else if old.holds(result) {
                    old.remove(result);
                    if old.holders.is_empty() {
                        self.lose(&old, Way::Overwrite(result), self.summary.call(call).span);
                        old.owned = false;
                    }
                }
            }
            out.push(old);
            return out;
        }
        let mut state = State { owned: true, old: false, decisions: Vec::new(), ..state };
        state.holders = self.owned.holder.into_iter().collect();
        if let Begin::Out(_) = self.owned.begin
            && let Some(result) = self.project.result_value(self.owned.function.file, call)
        {
            state.status = Some(Status {
                values: smallvec![result],
                derived: smallvec![],
                valid: self.owned.succeeds,
                succeeded: true,
                tested: false,
            });
        }
        state.reports = self.reports(call);
        out.push(state);
        out
    }

    /// Variables through which the acquiring call says that it failed: `&error`, `status.code`.
    fn reports(&self, call: CallId) -> SmallVec<[BindingId; 1]> {
        let written = self.summary.call(call);
        let text = &self.project.sources.get(self.owned.function.file).text;
        let says = |span: Span| self.project.contracts.words.any(Meaning::Reporting, span.of(text));
        let arguments = written.arguments.iter().filter(|argument| says(argument.span));
        arguments.filter_map(|argument| root(self.summary, argument.value)).collect()
    }

    /// What a call that is not the acquisition does with the thing: the state that it ends, and the one that goes on.
    fn pass(&mut self, mut state: State, call: CallId) -> (Option<(State, How)>, Option<State>) {
        let effect = self.effects.of_call(self.owned, &state, call);
        self.sure = true;
        self.forget_written(&mut state, call);
        // Another call that is given the variable beside its own arguments reports there, too.
        let arguments = &self.summary.call(call).arguments;
        if arguments.len() > 1 && !state.reports.is_empty() && !asks_outcome(&self.effects.name(call)) {
            let given = |binding| arguments.iter().any(|argument| root(self.summary, argument.value) == Some(binding));
            state.reports.retain(|binding| !given(*binding));
        }
        match effect {
            Effect::None => {
                // Who copies its bytes now still has them: whoever saw it before has not taken it.
                if state.doubt == Doubt::Unsure && self.effects.copies_bytes(self.owned, &state, call) {
                    state.doubt = Doubt::Likely;
                }
                (None, Some(state))
            }
            Effect::Doubtful(doubt) => {
                state.doubt(doubt, call);
                (None, Some(state))
            }
            Effect::Released => (Some((state, How::Released(call))), None),
            Effect::Misreleased => (Some((state, How::Misreleased(call))), None),
            Effect::Taken(Taken { argument, only_on_success: None, sure }) => {
                self.sure = sure;
                (Some((state, How::Handed(call, argument))), None)
            }
            Effect::Taken(Taken { argument, only_on_success: Some(valid), .. }) => {
                let Some(result) = self.project.result_value(self.owned.function.file, call) else {
                    return (Some((state, How::Handed(call, argument))), None);
                };
                let status =
                    Status { values: smallvec![result], derived: smallvec![], valid, succeeded: false, tested: false };
                let failed = State { status: Some(status), decisions: Vec::new(), ..state.clone() };
                (Some((state, How::Handed(call, argument))), Some(failed))
            }
            Effect::Captured => (Some((state, How::Captured)), None),
            Effect::Returned => {
                if let Some(result) = self.project.result_value(self.owned.function.file, call) {
                    state.add(result);
                }
                (None, Some(state))
            }
        }
    }

    fn assign(&mut self, mut state: State, assign: &Assign) -> Option<State> {
        let place = self.summary.value(assign.place);
        if let Value::Binding(binding) = *place {
            self.conditions.forget(&mut state, binding);
            let literal = match self.summary.value(assign.value) {
                Value::Literal(literal) if self.conditions.is_flag(binding) => Some(*literal),
                Value::Global(name) if self.conditions.is_flag(binding) => match name.as_str() {
                    "TRUE" | "YES" => Some(Literal::Bool(true)),
                    "FALSE" | "NO" => Some(Literal::Bool(false)),
                    name if is_constant(name) && self.conditions.is_named_flag(binding) => {
                        Some(Literal::String(Name::from(format!("{NAMED}{name}").as_str())))
                    }
                    _ => None,
                },
                _ => None,
            };
            state.set_constant(binding, literal);
        }
        self.copy_status(&mut state, assign);
        if !state.owned {
            return Some(state);
        }
        let seen = self.seen(&state, assign.value);
        let carries = !matches!(seen, Mention::None | Mention::Contents | Mention::Part);
        if carries {
            return self.store(state, assign, seen);
        }
        // A list that is threaded through its elements: who has the link has the element.
        let links = seen == Mention::Part
            && matches!(place, Value::Member(..) | Value::Index(..))
            && self.effects.destination(&state, assign.place, seen) == Destination::Owner;
        if links {
            self.settle(&state, How::Stored(assign.place), assign.span);
            return Some(State { owned: false, ..state });
        }
        let before = state.holders.len();
        // What is declared was not there before: what hangs on it hangs on what it is a name for.
        let stays = assign.is_declaration || matches!(place, Value::Member(..));
        state
            .holders
            .retain(|holder| *holder != assign.place && (stays || !is_inside(self.summary, *holder, assign.place)));
        self.forget_temporary(&mut state, before);
        if before > 0 && state.holders.is_empty() {
            self.lose(&state, Way::Overwrite(assign.place), assign.span);
            return Some(State { owned: false, ..state });
        }
        Some(state)
    }

    /// How a value speaks of the thing; a later acquisition's result does not.
    fn seen(&self, state: &State, value: ValueId) -> Mention {
        mention(self.project, self.summary, state, value)
    }

    fn copy_status(&self, state: &mut State, assign: &Assign) {
        if let Some(status) = &mut state.status {
            let speaks = speaks_of(self.summary, &status.values, assign.value);
            let is_field = matches!(self.summary.value(assign.place), Value::Member(..));
            if speaks && is_field && !status.values.contains(&assign.value) {
                status.derived.push(assign.place);
            } else if speaks {
                status.values.push(assign.place);
            } else {
                status.values.retain(|value| *value != assign.place);
                if status.values.is_empty() {
                    state.status = None;
                }
            }
        }
    }

    /// The thing is copied to another place: an alias, a container on the stack, or somebody else's from now on.
    fn store(&mut self, mut state: State, assign: &Assign, seen: Mention) -> Option<State> {
        match self.effects.destination(&state, assign.place, seen) {
            Destination::Alias => {
                if matches!(self.summary.value(assign.value), Value::Result(_)) && state.holds(assign.value) {
                    state.remove(assign.value);
                }
                if assign.place != assign.value {
                    let stale = state
                        .holders
                        .iter()
                        .copied()
                        .filter(|holder| *holder != assign.place && is_inside(self.summary, *holder, assign.place));
                    let stale: Vec<ValueId> = stale.collect();
                    if seen != Mention::Container {
                        stale.into_iter().for_each(|holder| state.remove(holder));
                    }
                }
                state.add(assign.place);
                Some(state)
            }
            Destination::Itself | Destination::Copy => Some(state),
            Destination::Owner => {
                self.settle(&state, How::Stored(assign.place), assign.span);
                Some(State { owned: false, ..state })
            }
        }
    }
}
