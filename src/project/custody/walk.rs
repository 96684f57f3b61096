//! The interpreter: one function's flow, one owned thing, a small set of states at each point.
//! Asks `conditions` which paths exist and `effects` what calls do; records losses and settlements, judges neither.

use super::acquire::{Begin, Owned};
use super::conditions::{Conditions, Judge};
use super::effects::Effects;
use super::state::{Doubt, Mention, State, join, mention, root};
use super::{Custody, How, Loss, Settlement, Way};
use crate::model::{BindingKind, Cond, Exit, Flow, Function, Holder, Loop, Name, Step, Summary, Value, ValueId};
use crate::project::Project;
use crate::text::Span;
use rustc_hash::FxHashMap;

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
    pub(super) project: &'p Project<'a>,
    pub(super) summary: &'p Summary,
    pub(super) function: &'p Function,
    pub(super) owned: &'w Owned<'a>,
    pub(super) effects: &'w Effects<'p, 'a>,
    pub(super) conditions: &'w Conditions,
    /// Loops and switches around.
    pub(super) depth: u32,
    breaks: Vec<(Option<Name>, State)>,
    continues: Vec<(Option<Name>, State)>,
    jumps: FxHashMap<Name, Vec<State>>,
    pub(super) thrown: Vec<Vec<State>>,
    /// Whether the settlement that comes next is no guess.
    pub(super) sure: bool,
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
        let mut other = self.decide(cond, false, span, &states);
        if self.gives_on_request(cond, then) {
            // The caller said that it does not want it, and no caller that is known says so.
            other.iter_mut().filter(|state| state.owned).for_each(|state| state.doubt = Doubt::Unsure);
        }
        join(&mut out, self.flow(otherwise, other));
        out
    }

    /// `if (out) *out = thing;` with a parameter.
    fn gives_on_request(&self, cond: &Cond, then: &Flow) -> bool {
        let Cond::Truthy(asked) = cond else { return false };
        let Value::Binding(binding) = self.summary.value(*asked) else { return false };
        if !matches!(self.summary.binding(*binding).kind, BindingKind::Parameter(_)) {
            return false;
        }
        let mut gives = false;
        then.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow {
                gives |= matches!(self.summary.value(assign.place), Value::Deref(place) if place == asked);
            }
        });
        gives
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
            let mut states = states;
            // An arm for each of its values: where all of them end it, no other is meant to come.
            if !arms.is_empty() && out.iter().all(|state| !state.owned || state.doubt == Doubt::Unsure) {
                states.iter_mut().filter(|state| state.owned).for_each(|state| state.doubt = Doubt::Unsure);
            }
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
        for turn in 0..TURNS {
            let (known, settled) = (self.out.losses.len(), self.out.settlements.len());
            let mut after = self.flow(body, entering);
            // What each turn hands on was made for the turns: who makes an empty array leaves none of them out.
            let is_for_turns = self.out.settlements.len() > settled && self.out.losses.len() == known;
            if turn == 0 && is_for_turns && !after.iter().any(|state| state.owned) && self.breaks.is_empty() {
                out.iter_mut().for_each(|state| state.owned = false);
            }
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
            Exit::Throw(value) => {
                let (given, states): (Vec<State>, Vec<State>) =
                    states.into_iter().partition(|state| value.is_some_and(|value| self.is_thrown(state, value)));
                for state in given {
                    self.settle(&state, How::Thrown, span);
                }
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

    /// Whether a variable that holds the thing is thrown: who catches the pointer gets it. `throw new E()` is meant to throw
    /// an object, and who catches that gets nothing.
    fn is_thrown(&self, state: &State, value: ValueId) -> bool {
        state.owned && matches!(self.summary.value(value), Value::Binding(_)) && state.holds(value)
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
        self.function
            .returns
            .as_ref()
            .is_none_or(|ty| ty.holder != Holder::Value || !self.project.contracts.words.is_scalar(&ty.name))
    }

    pub(super) fn lose(&mut self, state: &State, way: Way, span: Span) {
        if !state.owned {
            return;
        }
        // A taker that may have failed, and nobody looked: it most likely succeeded.
        if state.status.as_ref().is_some_and(|status| !status.succeeded && !status.tested) {
            return;
        }
        if state.doubt == Doubt::Unsure {
            self.out.taker = self.out.taker.or(state.because);
        }
        let loss = Loss { way, span, doubt: state.doubt, because: state.because, decisions: state.decisions.clone() };
        match self.out.losses.iter_mut().find(|known| known.way == way && known.span == span) {
            Some(known) if known.doubt <= loss.doubt => {}
            Some(known) => *known = loss,
            None => self.out.losses.push(loss),
        }
    }

    pub(super) fn settle(&mut self, state: &State, how: How, span: Span) {
        if state.owned {
            let settlement = Settlement { how, span, sure: std::mem::replace(&mut self.sure, true) };
            if !self.out.settlements.contains(&settlement) {
                self.out.settlements.push(settlement);
            }
        }
    }
}

/// Whether a value is one of these, or something computed from one alone: `!!result`.
pub(super) fn speaks_of(summary: &Summary, values: &[ValueId], value: ValueId) -> bool {
    values.contains(&value)
        || matches!(summary.value(value), Value::Opaque(parts) if parts.iter().any(|part| speaks_of(summary, values, *part)))
}
