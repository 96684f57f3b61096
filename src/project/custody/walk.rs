//! The interpreter: one function's flow, one owned thing, a small set of states at each point.
//! Asks `conditions` which paths exist and `effects` what calls do; records losses and settlements, judges neither.

use super::acquire::{Begin, Owned};
use super::conditions::{Conditions, Judge};
use super::effects::{Effect, Effects, Taken, is_view};
use super::state::{Mention, State, Status, is_inside, join, mention, root};
use super::{Custody, How, Loss, Settlement, Way};
use crate::model::{
    Assign, BindingId, BindingKind, CallId, Cond, Exit, Flow, Function, Holder, In, Literal, Loop, Name, Step, Summary,
    TypeFacts, Value, ValueId,
};
use crate::project::Project;
use crate::text::Span;
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

/// Most states at one point; beyond that, what is remembered of conditions is given up.
const MOST_STATES: usize = 48;
const MOST_STATES_BELOW: usize = 12;
/// How many steps of states one walk may take at the top, and in what it calls; after that a few states go on alone.
const BUDGET: usize = 12_000;
const BUDGET_BELOW: usize = 2_000;
const FEW_STATES: usize = 3;
/// How often a loop's body is walked: once, and once more with what the first turn left.
const TURNS: usize = 2;
/// Conditions kept for the story.
const MOST_DECISIONS: usize = 12;

/// One walk through one function.
pub(super) struct Walk<'w, 'p, 'a> {
    project: &'p Project<'a>,
    summary: &'p Summary,
    function: &'p Function,
    owned: &'w Owned<'a>,
    effects: &'w Effects<'p, 'a>,
    conditions: &'w Conditions,
    /// Loops and switches around.
    depth: u32,
    breaks: Vec<(Option<Name>, State)>,
    continues: Vec<(Option<Name>, State)>,
    jumps: FxHashMap<Name, Vec<State>>,
    thrown: Vec<Vec<State>>,
    /// Whether the settlement that comes next is no guess.
    sure: bool,
    /// Steps of states that are left.
    budget: usize,
    out: Custody,
}

impl<'w, 'p, 'a> Walk<'w, 'p, 'a> {
    pub(super) fn run(
        project: &'p Project<'a>,
        effects: &'w Effects<'p, 'a>,
        conditions: &'w Conditions,
        owned: &'w Owned<'a>,
    ) -> Custody {
        let summary = project.summary(owned.function.file);
        let function = summary.function(owned.function.id);
        let mut walk = Walk {
            project,
            summary,
            function,
            owned,
            effects,
            conditions,
            depth: 0,
            breaks: Vec::new(),
            continues: Vec::new(),
            jumps: FxHashMap::default(),
            thrown: Vec::new(),
            sure: true,
            budget: if matches!(owned.begin, Begin::Entry(_)) { BUDGET_BELOW } else { BUDGET },
            out: Custody::default(),
        };
        let mut start = State::default();
        if let Begin::Entry(value) = owned.begin {
            start.owned = true;
            start.add(value);
        }
        let left = walk.flow(&function.flow, vec![start]);
        let end = Span::new(function.body.end.saturating_sub(1), function.body.end);
        for state in left {
            walk.lose(&state, Way::End, end);
        }
        walk.out
    }

    fn judge(&self) -> Judge<'w, 'p, 'a> {
        Judge { project: self.project, summary: self.summary, conditions: self.conditions, owned: self.owned }
    }

    fn flow(&mut self, flow: &Flow, states: Vec<State>) -> Vec<State> {
        let states = self.limit(states);
        match flow {
            Flow::Step(step) => self.step(step, states),
            Flow::Sequence(parts) => parts.iter().fold(states, |states, part| self.flow(part, states)),
            Flow::Branch { cond, then, otherwise, span } => self.branch(cond, then, otherwise, *span, states),
            Flow::Switch { subject, arms, has_default } => self.switch(*subject, arms, *has_default, states),
            Flow::Loop { kind, cond, body, .. } => self.turns(*kind, cond, body, states),
            Flow::Try { body, handler, finally } => {
                self.thrown.push(Vec::new());
                let mut out = self.flow(body, states);
                let caught = self.thrown.pop().unwrap_or_default();
                if let Some((_, handler)) = handler {
                    let handled = self.flow(handler, caught);
                    join(&mut out, handled);
                }
                match finally {
                    Some(finally) => self.flow(finally, out),
                    None => out,
                }
            }
            Flow::Labelled(label, body) => {
                let mut out = self.flow(body, states);
                self.take_breaks(|name| name == Some(*label), &mut out);
                out
            }
            Flow::Label(name) => {
                let mut out = states;
                join(&mut out, self.jumps.remove(name).unwrap_or_default());
                out
            }
            Flow::Exit(exit, span) => self.exit(exit, *span, states),
        }
    }

    fn limit(&mut self, states: Vec<State>) -> Vec<State> {
        self.budget = self.budget.saturating_sub(states.len());
        let is_below = matches!(self.owned.begin, Begin::Entry(_));
        let most = match (self.budget, is_below) {
            (0, _) => FEW_STATES,
            (_, true) => MOST_STATES_BELOW,
            (_, false) => MOST_STATES,
        };
        if states.len() <= most {
            return states;
        }
        self.out.capped = true;
        let mut merged = Vec::new();
        for mut state in states {
            state.facts.clear();
            state.constants.clear();
            join(&mut merged, [state]);
        }
        // Those that still own come first: they are what is asked for.
        merged.sort_by_key(|state| !state.owned);
        merged.truncate(most);
        merged
    }

    fn branch(&mut self, cond: &Cond, then: &Flow, otherwise: &Flow, span: Span, states: Vec<State>) -> Vec<State> {
        let taken = self.decide(cond, true, span, &states);
        let mut out = self.flow(then, taken);
        let other = self.decide(cond, false, span, &states);
        join(&mut out, self.flow(otherwise, other));
        out
    }

    /// The states that go one way at a condition, with the decision noted.
    fn decide(&self, cond: &Cond, holds: bool, span: Span, states: &[State]) -> Vec<State> {
        let judge = self.judge();
        let mut out = Vec::new();
        for state in states {
            let mut refined = judge.refine(state, cond, holds);
            for state in &mut refined {
                self.conditions.forget_dead(state, span.start);
                if state.owned && state.decisions.len() < MOST_DECISIONS {
                    state.decisions.push((span, holds));
                }
            }
            join(&mut out, refined);
        }
        out
    }

    fn switch(&mut self, subject: ValueId, arms: &[Flow], has_default: bool, states: Vec<State>) -> Vec<State> {
        let outer = std::mem::take(&mut self.breaks);
        let mut falling = Vec::new();
        self.depth += 1;
        // One of the arms may be that of the acquisition that failed, and which one is not known here.
        let asked: Vec<State> = states.iter().map(|state| state.asked_in_arms(subject)).collect();
        for arm in arms {
            let mut entering = asked.clone();
            join(&mut entering, falling);
            falling = self.flow(arm, entering);
        }
        self.depth -= 1;
        let mut out = falling;
        self.take_breaks(|name| name.is_none(), &mut out);
        self.breaks.extend(outer);
        out.iter_mut().for_each(|state| state.left_arms(subject));
        if !has_default {
            join(&mut out, states);
        }
        out
    }

    fn turns(&mut self, kind: Loop, cond: &Cond, body: &Flow, states: Vec<State>) -> Vec<State> {
        let (outer_breaks, outer_continues) = (std::mem::take(&mut self.breaks), std::mem::take(&mut self.continues));
        let span = Span::default();
        let mut out = Vec::new();
        let mut entering = states.clone();
        if kind != Loop::DoWhile {
            join(&mut out, self.decide(cond, false, span, &states));
            entering = self.decide(cond, true, span, &states);
        }
        let mut seen = entering.clone();
        self.depth += 1;
        for _ in 0..TURNS {
            let mut after = self.flow(body, entering);
            let left = std::mem::take(&mut self.continues);
            for (label, state) in left {
                match label {
                    None => join(&mut after, [state]),
                    Some(_) => self.continues.push((label, state)),
                }
            }
            join(&mut out, self.decide(cond, false, span, &after));
            entering = self.decide(cond, true, span, &after);
            entering.retain(|state| !seen.contains(state));
            if entering.is_empty() {
                break;
            }
            seen.extend(entering.iter().cloned());
        }
        self.depth -= 1;
        self.take_breaks(|name| name.is_none(), &mut out);
        self.breaks.extend(outer_breaks);
        self.continues.extend(outer_continues);
        out
    }

    fn take_breaks(&mut self, mine: impl Fn(Option<Name>) -> bool, out: &mut Vec<State>) {
        let (taken, left): (Vec<_>, Vec<_>) = self.breaks.drain(..).partition(|(name, _)| mine(*name));
        self.breaks = left;
        join(out, taken.into_iter().map(|(_, state)| state));
    }

    fn exit(&mut self, exit: &Exit, span: Span, states: Vec<State>) -> Vec<State> {
        match exit {
            Exit::Return(value) => {
                for state in states {
                    self.leave(state, *value, span);
                }
                Vec::new()
            }
            Exit::Throw(_) => {
                match self.thrown.last_mut() {
                    Some(caught) => join(caught, states),
                    None => states.iter().for_each(|state| self.lose(state, Way::Throw, span)),
                }
                Vec::new()
            }
            // Outside of any loop that could be read: the code goes on.
            Exit::Break(None) | Exit::Continue(None) if self.depth == 0 => states,
            Exit::Break(label) => {
                self.breaks.extend(states.into_iter().map(|state| (*label, state)));
                Vec::new()
            }
            Exit::Continue(label) => {
                self.continues.extend(states.into_iter().map(|state| (*label, state)));
                Vec::new()
            }
            Exit::Goto(label) => {
                join(self.jumps.entry(*label).or_default(), states);
                Vec::new()
            }
            Exit::Macro(name) => self.macro_exit(*name, span, states),
            Exit::Never => Vec::new(),
        }
    }

    /// A macro that may leave: what it wraps or tests failed then, so a thing that it acquires or tests does not exist.
    fn macro_exit(&mut self, name: Name, span: Span, states: Vec<State>) -> Vec<State> {
        let Some(always) = self.project.macro_exits(self.owned.function.file, name) else { return states };
        let acquired_here = self.owned.call().is_some_and(|call| span.contains(self.summary.call(call).span));
        let calls = &self.project.index(self.owned.function.file).calls[self.owned.function.id.index()];
        let tested: Vec<ValueId> = calls
            .iter()
            .map(|call| self.summary.call(*call))
            .filter(|call| call.span == span)
            .flat_map(|call| call.arguments.iter().map(|argument| argument.value))
            .collect();
        for state in &states {
            let binding = |value: &ValueId| root(self.summary, *value);
            // `CHECK(status)` where the status is known to be good.
            if tested.iter().filter_map(binding).any(|it| self.conditions.status_of(state, it) == Some(true)) {
                continue;
            }
            let tests_it = tested.iter().any(|value| {
                state.holds(*value)
                    || binding(value).is_some_and(|it| state.reports.contains(&it))
                    || state
                        .status
                        .as_ref()
                        .is_some_and(|status| status.succeeded && speaks_of(self.summary, &status.values, *value))
            });
            if always || !(acquired_here || tests_it) {
                self.lose(state, Way::Macro(name), span);
            }
        }
        if always { Vec::new() } else { states }
    }

    fn leave(&mut self, state: State, value: Option<ValueId>, span: Span) {
        if let Some(value) = value {
            match mention(self.project, self.summary, &state, value) {
                Mention::Whole | Mention::Container | Mention::Address | Mention::Closure | Mention::Part => {
                    return self.settle(&state, How::Returned, span);
                }
                Mention::Derived if self.returns_pointer() => return self.settle(&state, How::Returned, span),
                _ => {}
            }
        }
        self.lose(&state, Way::Return, span);
    }

    fn returns_pointer(&self) -> bool {
        self.function.returns.as_ref().is_none_or(|ty| ty.holder != Holder::Value || !is_scalar(&ty.name))
    }

    fn lose(&mut self, state: &State, way: Way, span: Span) {
        if !state.owned {
            return;
        }
        // A taker that may have failed, and nobody looked: it most likely succeeded.
        if state.status.as_ref().is_some_and(|status| !status.succeeded && !status.tested) {
            return;
        }
        let loss = Loss { way, span, doubt: state.doubt, because: state.because, decisions: state.decisions.clone() };
        match self.out.losses.iter_mut().find(|known| known.way == way && known.span == span) {
            Some(known) if known.doubt <= loss.doubt => {}
            Some(known) => *known = loss,
            None => self.out.losses.push(loss),
        }
    }

    fn settle(&mut self, state: &State, how: How, span: Span) {
        if state.owned {
            let settlement = Settlement { how, span, sure: std::mem::replace(&mut self.sure, true) };
            if !self.out.settlements.contains(&settlement) {
                self.out.settlements.push(settlement);
            }
        }
    }

    fn step(&mut self, step: &Step, states: Vec<State>) -> Vec<State> {
        let mut out = Vec::new();
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
            state.status =
                Some(Status { values: smallvec![result], valid: self.owned.succeeds, succeeded: true, tested: false });
        }
        state.reports = self.reports(call);
        out.push(state);
        out
    }

    /// Variables through which the acquiring call says that it failed: `&error`, `status.code`.
    fn reports(&self, call: CallId) -> SmallVec<[BindingId; 1]> {
        let written = self.summary.call(call);
        let text = &self.project.sources.get(self.owned.function.file).text;
        let says = |span: Span| {
            let words = span.of(text).to_ascii_lowercase();
            words.contains("err") || words.contains("status")
        };
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
        if arguments.len() > 1
            && !state.reports.is_empty()
            && !super::conditions::asks_outcome(&self.effects.name(call))
        {
            let given = |binding| arguments.iter().any(|argument| root(self.summary, argument.value) == Some(binding));
            state.reports.retain(|binding| !given(*binding));
        }
        match effect {
            Effect::None => (None, Some(state)),
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
                let status = Status { values: smallvec![result], valid, succeeded: false, tested: false };
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
        let before = state.holders.len();
        state.holders.retain(|holder| {
            *holder != assign.place
                && (!is_inside(self.summary, *holder, assign.place) || matches!(place, Value::Member(..)))
        });
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
            if speaks {
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

/// Whether a value is one of these, or something computed from one alone: `!!result`.
fn speaks_of(summary: &Summary, values: &[ValueId], value: ValueId) -> bool {
    values.contains(&value)
        || matches!(summary.value(value), Value::Opaque(parts) if parts.iter().any(|part| speaks_of(summary, values, *part)))
}

/// Where a copy of a pointer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// A local variable, or a struct on the stack: one more holder.
    Alias,
    /// Into what it points to itself: `baton->request.data = baton`.
    Itself,
    /// A value that copies what it is given: `std::string s = p`, a number, a flag.
    Copy,
    /// Something that lives longer, or that owns.
    Owner,
}

impl Effects<'_, '_> {
    /// Where a copy goes that a place receives.
    pub(super) fn destination(&self, state: &State, place: ValueId, seen: Mention) -> Destination {
        let summary = self.summary;
        match summary.value(place) {
            Value::Binding(binding) => self.variable(*binding, seen),
            Value::Member(..) | Value::Index(..) => {
                let itself = state.holders.iter().any(|holder| is_inside(summary, place, *holder));
                if itself {
                    return Destination::Itself;
                }
                // Which element, only the run knows; whoever walks over the array answers for them.
                if has_computed_index(summary, place) {
                    return Destination::Owner;
                }
                let Some(root) = root(summary, place) else { return Destination::Owner };
                let binding = summary.binding(root);
                let is_local = binding.function == self.function && is_automatic(binding.kind);
                let ty = binding.ty.as_ref();
                let through_pointer = passes_pointer(summary, place);
                let is_struct = |ty: &TypeFacts| match ty.holder {
                    // `auto` may as well be a pointer, or an iterator into what lives on.
                    Holder::Value => ty.name != "auto",
                    Holder::Raw => ty.is_array || !ty.text.contains('*'),
                    Holder::Smart | Holder::Reference => false,
                };
                let on_stack = ty.is_some_and(is_struct) && !through_pointer;
                if is_local && on_stack && !self.is_container(root) { Destination::Alias } else { Destination::Owner }
            }
            _ => Destination::Owner,
        }
    }

    fn variable(&self, id: BindingId, seen: Mention) -> Destination {
        let binding = self.summary.binding(id);
        if binding.function != self.function || !is_automatic(binding.kind) {
            return Destination::Owner;
        }
        let Some(ty) = &binding.ty else { return Destination::Alias };
        // Whoever gets the closure gets what it captures.
        if seen == Mention::Closure {
            return Destination::Alias;
        }
        match ty.holder {
            Holder::Raw => Destination::Alias,
            Holder::Smart | Holder::Reference => Destination::Owner,
            Holder::Value if ty.is_array || ty.name == "auto" => Destination::Alias,
            Holder::Value if is_scalar(&ty.name) => match seen {
                Mention::Derived => Destination::Copy,
                _ => Destination::Alias,
            },
            Holder::Value if seen == Mention::Container => Destination::Alias,
            Holder::Value if self.is_handle_type(&ty.name) || is_view(&ty.name) => Destination::Alias,
            Holder::Value if self.copies(&ty.name) => Destination::Copy,
            Holder::Value => Destination::Owner,
        }
    }
}

fn is_automatic(kind: BindingKind) -> bool {
    matches!(kind, BindingKind::Var | BindingKind::Const | BindingKind::Let | BindingKind::Parameter(_))
}

/// Whether a place is an element under a key that is no literal.
pub(super) fn has_computed_index(summary: &Summary, place: ValueId) -> bool {
    match summary.value(place) {
        Value::Index(object, key) => {
            !matches!(summary.value(*key), Value::Literal(_)) || has_computed_index(summary, *object)
        }
        Value::Member(object, _) => has_computed_index(summary, *object),
        _ => false,
    }
}

/// Whether a place is reached through a pointer in a struct: `args.list->head`.
fn passes_pointer(summary: &Summary, place: ValueId) -> bool {
    match summary.value(place) {
        Value::Member(object, _) | Value::Index(object, _) => passes_pointer(summary, *object),
        Value::Deref(_) | Value::Result(_) => true,
        _ => false,
    }
}

/// Types that are numbers.
pub(super) fn is_scalar(name: &str) -> bool {
    let name = name.trim_start_matches("std::");
    matches!(
        name,
        "int"
            | "bool"
            | "char"
            | "short"
            | "long"
            | "unsigned"
            | "float"
            | "double"
            | "void"
            | "BOOL"
            | "DWORD"
            | "size_t"
            | "ssize_t"
            | "uint"
            | "LONG"
            | "ULONG"
            | "UINT"
            | "NTSTATUS"
            | "HRESULT"
            | "napi_status"
            | "OSStatus"
            | "SQLRETURN"
            | "SQLLEN"
            | "ptrdiff_t"
            | "long long"
            | "unsigned int"
            | "unsigned long"
            | "unsigned char"
    ) || ((name.starts_with("int") || name.starts_with("uint")) && name.ends_with("_t"))
}
