//! The interpreter: runs structured flow over sets of states, and writes a row for every way out.

use super::state::{Reach, State, Trail, join};
use super::{ExitKind, Row, Start, State as Fate};
use crate::model::contract::{By, Valid};
use crate::model::{
    BindingId, CallId, Cond, Exit, Flow, FunctionId, In, Loop, Name, Step, Summary, Type, Value, ValueId,
};
use crate::project::{Doing, Place, Project, Role};
use crate::text::{Location, Span};
use rustc_hash::FxHashMap;

/// How many closures deep code that runs at once is followed.
const INLINE: u32 = 3;

/// A way out of a piece of flow.
pub(super) struct Leave {
    pub(super) kind: Way,
    pub(super) span: Span,
    pub(super) state: State,
}

/// How flow is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Break(Option<Name>),
    Continue(Option<Name>),
    Return,
    Throw(ExitKind),
    Macro(Name),
}

/// Says what a call does with the handle; none: the default.
pub type Judge<'j> = dyn Fn(In<CallId>, Role) -> Option<Doing> + 'j;

/// One run over one function.
pub(super) struct Walk<'p, 'a> {
    pub(super) project: &'p Project<'a>,
    pub(super) summary: &'p Summary,
    pub(super) function: In<FunctionId>,
    pub(super) start: Start,
    pub(super) ty: Option<&'p Type>,
    pub(super) judge: Option<&'p Judge<'p>>,
    /// The place that holds the handle from the start, where it is one that called functions see too.
    pub(super) place: Option<Place>,
    /// How the acquiring call's status says that it succeeded.
    pub(super) succeeds: Valid,
    /// Where the acquired handle is, besides the call's result.
    pub(super) out: Option<ValueId>,
    /// How often conditions test each value.
    pub(super) tested: FxHashMap<ValueId, u32>,
    pub(super) rows: Vec<Row>,
    /// Closures behind the rows with [`Fate::Captured`], by row.
    pub(super) captured: Vec<(usize, Vec<Reach>)>,
    /// The function and the closures being run inside it.
    pub(super) frames: Vec<FunctionId>,
    leaves: Vec<Leave>,
    macro_next: Vec<State>,
    gotos: Vec<(Name, State)>,
    pub(super) inline: u32,
}

impl<'p, 'a> Walk<'p, 'a> {
    pub(super) fn new(
        project: &'p Project<'a>,
        function: In<FunctionId>,
        start: Start,
        ty: Option<&'p Type>,
        judge: Option<&'p Judge<'p>>,
    ) -> Self {
        let summary = project.summary(function.file);
        let mut walk = Walk {
            project,
            summary,
            function,
            start,
            ty,
            judge,
            place: None,
            succeeds: Valid::Unknown,
            out: None,
            tested: FxHashMap::default(),
            rows: Vec::new(),
            captured: Vec::new(),
            frames: vec![function.id],
            leaves: Vec::new(),
            macro_next: Vec::new(),
            gotos: Vec::new(),
            inline: INLINE,
        };
        let flow = &project.function(function).flow;
        flow.walk(&mut |part| match part {
            Flow::Branch { cond, .. } | Flow::Loop { cond, .. } => walk.count(cond),
            Flow::Step(Step::Assign(assign)) if matches!(summary.value(assign.value), Value::Literal(_)) => {
                *walk.tested.entry(assign.place).or_default() += 1;
            }
            _ => {}
        });
        walk
    }

    fn count(&mut self, cond: &Cond) {
        cond.values(&mut |value| *self.tested.entry(value).or_default() += 1);
    }

    /// Runs the whole function from its start.
    pub(super) fn run(&mut self) {
        let state = self.enter();
        self.run_from(state);
    }

    /// Runs the whole function.
    pub(super) fn run_from(&mut self, state: State) {
        let project = self.project;
        let flow = &project.function(self.function).flow;
        let mut ends = self.flow(flow, vec![state], None);
        if !self.gotos.is_empty() {
            // Backward jumps: once more from their labels, which is enough to see a release or a second acquisition.
            ends.extend(self.flow(flow, Vec::new(), None));
            self.gotos.clear();
        }
        let body = project.function(self.function).body;
        let end = Span::new(body.end.saturating_sub(1), body.end);
        for state in join(ends) {
            self.finish(ExitKind::Fallthrough, end, &state);
        }
        for leave in std::mem::take(&mut self.leaves) {
            match leave.kind {
                Way::Return => self.finish(ExitKind::Return, leave.span, &leave.state),
                Way::Throw(kind) => self.finish(kind, leave.span, &leave.state),
                Way::Macro(name) => self.finish(ExitKind::Macro(name), leave.span, &leave.state),
                Way::Break(_) | Way::Continue(_) => {}
            }
        }
    }

    fn enter(&mut self) -> State {
        match self.start {
            Start::Call(call) => {
                self.prepare(call);
                State::start()
            }
            Start::Entry(binding) => {
                let mut state = State::holding(&self.named(binding).into_iter().collect::<Vec<_>>());
                self.learn_error(Some(binding), &mut state);
                state
            }
            Start::Holding(value) => {
                self.place = self.project.place(self.function.with(value));
                State::holding(&[value])
            }
            Start::Nowhere => State::holding(&[]),
        }
    }

    /// Where an API puts what it acquires, and how it says that it could.
    fn prepare(&mut self, call: CallId) {
        let id = self.function.with(call);
        let Some(api) = self.project.api(id) else { return };
        self.succeeds = api.succeeds;
        self.out = match &api.by {
            By::Out(at) | By::OutField(at, _) | By::OutElement(at, _) | By::Argument(at) => {
                self.project.argument(id, *at).map(|value| value.id)
            }
            By::Receiver => self.project.receiver(id).map(|value| value.id),
            By::Return | By::Promise | By::Callback(_) => None,
        };
    }

    /// The error that an error-first callback gets, beside the handle or instead of it, tells whether there is one.
    pub(super) fn learn_error(&mut self, handle: Option<BindingId>, state: &mut State) {
        let Some(&first) = self.summary.function(self.function.id).parameters.first() else { return };
        let calls = self.project.handed_directly(self.function);
        let error_first = calls.into_iter().any(|(call, _)| {
            self.project.callbacks(call).iter().any(|handed| handed.function == self.function && handed.error_first)
        });
        if let Some(error) = self.named(first).filter(|_| handle != Some(first) && error_first) {
            self.succeeds = Valid::Zero;
            state.twins.push(error);
        }
    }

    /// Writes the row of a path that ends.
    pub(super) fn finish(&mut self, exit: ExitKind, span: Span, state: &State) {
        if !state.begun {
            return;
        }
        let file = self.function.file;
        let mut fate = state.fate;
        if fate == Fate::Held && !state.captured.is_empty() {
            fate = Fate::Captured;
        }
        let at = Location { file, span };
        let known = self.rows.iter().position(|row| row.exit == exit && row.at == at && row.state == fate);
        let row = known.unwrap_or_else(|| {
            let by = state.by.map(|span| Location { file, span });
            let decisions = decisions(state.trail.as_deref(), file);
            self.rows.push(Row { exit, at, state: fate, by, decisions, through: Vec::new(), ends: Vec::new() });
            self.rows.len() - 1
        });
        if fate == Fate::Captured {
            self.captured.push((row, state.captured.to_vec()));
        }
    }

    pub(super) fn leave(&mut self, kind: Way, span: Span, state: State) {
        self.leaves.push(Leave { kind, span, state });
    }

    /// Runs flow; the states that go straight on.
    pub(super) fn flow(&mut self, flow: &'p Flow, states: Vec<State>, label: Option<Name>) -> Vec<State> {
        if states.is_empty() && self.gotos.is_empty() {
            return states;
        }
        match flow {
            Flow::Step(step) => self.each(states, |walk, state| walk.step(step, state)),
            Flow::Sequence(parts) => parts.iter().fold(states, |states, part| self.flow(part, states, None)),
            Flow::Branch { cond, then, otherwise, span } => {
                let (holds, fails) = self.split(states, cond, *span);
                let mut next = self.flow(then, holds, None);
                next.extend(self.flow(otherwise, fails, None));
                join(next)
            }
            Flow::Switch { arms, has_default, .. } => self.switch(arms, *has_default, states),
            Flow::Loop { kind, cond, body, span } => self.looped(*kind, cond, body, *span, states, label),
            Flow::Try { body, handler, finally } => {
                self.tried(body, handler.as_ref().map(|(_, handler)| &**handler), finally.as_deref(), states)
            }
            Flow::Labelled(name, body) => {
                let mark = self.leaves.len();
                let mut next = self.flow(body, states, Some(*name));
                next.extend(self.take(mark, |way| way == Way::Break(Some(*name))));
                join(next)
            }
            Flow::Label(name) => {
                let mut next = states;
                let (here, rest) = std::mem::take(&mut self.gotos).into_iter().partition(|(to, _)| to == name);
                self.gotos = rest;
                let here: Vec<(Name, State)> = here;
                next.extend(here.into_iter().map(|(_, state)| state));
                join(next)
            }
            Flow::Exit(exit, span) => {
                for state in states {
                    self.exit(exit, *span, state);
                }
                // A macro may also go on.
                match exit {
                    Exit::Macro(_) => std::mem::take(&mut self.macro_next),
                    _ => Vec::new(),
                }
            }
        }
    }

    fn each(&mut self, states: Vec<State>, mut run: impl FnMut(&mut Self, State) -> Vec<State>) -> Vec<State> {
        let mut next = Vec::with_capacity(states.len());
        for state in states {
            next.append(&mut run(self, state));
        }
        join(next)
    }

    /// Takes the ways out since a mark that go to a point.
    fn take(&mut self, mark: usize, here: impl Fn(Way) -> bool) -> Vec<State> {
        let mut found = Vec::new();
        let mut at = mark;
        while at < self.leaves.len() {
            if here(self.leaves[at].kind) {
                found.push(self.leaves.remove(at).state);
            } else {
                at += 1;
            }
        }
        found
    }

    fn switch(&mut self, arms: &'p [Flow], has_default: bool, states: Vec<State>) -> Vec<State> {
        let mark = self.leaves.len();
        let mut through: Vec<State> = Vec::new();
        for arm in arms {
            let mut entering = states.clone();
            entering.append(&mut through);
            through = self.flow(arm, join(entering), None);
        }
        if !has_default {
            through.extend(states);
        }
        through.extend(self.take(mark, |way| way == Way::Break(None)));
        join(through)
    }

    fn looped(
        &mut self,
        kind: Loop,
        cond: &Cond,
        body: &'p Flow,
        span: Span,
        states: Vec<State>,
        label: Option<Name>,
    ) -> Vec<State> {
        let mark = self.leaves.len();
        let mut after = Vec::new();
        let mut states = states;
        if kind == Loop::ForEach {
            // `for await (const chunk of response.body)` reads to the end, and gives up what is left when it leaves before.
            cond.values(&mut |value| states.iter_mut().for_each(|state| self.iterate(state, value, span)));
        }
        for turn in 0..2 {
            if kind != Loop::DoWhile || turn > 0 {
                let (more, done) = self.split(states, cond, span);
                after.extend(done);
                states = more;
            }
            states = self.flow(body, states, None);
            let again = |way| way == Way::Continue(None) || label.is_some() && way == Way::Continue(label);
            states.extend(self.take(mark, again));
            after.extend(self.take(mark, |way| way == Way::Break(None)));
            states = join(states);
        }
        after.extend(self.split(states, cond, span).1);
        join(after)
    }

    fn tried(
        &mut self,
        body: &'p Flow,
        handler: Option<&'p Flow>,
        finally: Option<&'p Flow>,
        states: Vec<State>,
    ) -> Vec<State> {
        let mark = self.leaves.len();
        let mut next = self.flow(body, states, None);
        if let Some(handler) = handler {
            let thrown = self.take(mark, |way| matches!(way, Way::Throw(_)));
            next.extend(self.flow(handler, join(thrown), None));
        }
        let next = join(next);
        let Some(finally) = finally else { return next };
        let leaving: Vec<Leave> = self.leaves.drain(mark..).collect();
        let next = self.flow(finally, next, None);
        for leave in leaving {
            for state in self.flow(finally, vec![leave.state], None) {
                self.leave(leave.kind, leave.span, state);
            }
        }
        next
    }

    /// Runs the flow of a closure as part of the path: its returns go on.
    pub(super) fn contained(&mut self, flow: &'p Flow, states: Vec<State>) -> Vec<State> {
        let mark = self.leaves.len();
        let mut next = self.flow(flow, states, None);
        next.extend(self.take(mark, |way| way == Way::Return));
        join(next)
    }

    fn exit(&mut self, exit: &Exit, span: Span, mut state: State) {
        match exit {
            Exit::Return(value) => {
                if let Some(value) = value {
                    // What a closure run inside returns stays in the path.
                    if self.frames.len() == 1 {
                        self.given_away(&mut state, *value, span, Fate::Returned);
                    }
                }
                self.leave(Way::Return, span, state);
            }
            Exit::Throw(value) => {
                if let Some(value) = value {
                    self.given_away(&mut state, *value, span, Fate::Escaped);
                }
                self.leave(Way::Throw(ExitKind::Throw), span, state);
            }
            Exit::Break(label) => self.leave(Way::Break(*label), span, state),
            Exit::Continue(label) => self.leave(Way::Continue(*label), span, state),
            Exit::Goto(name) => self.gotos.push((*name, state)),
            Exit::Macro(name) => {
                let facts = self.project.macro_flow(*name);
                let mut gone = state.clone();
                if state.checked_by == Some(*name) && gone.is_held() {
                    gone.fate = Fate::NotAcquired;
                }
                state.checked_by = None;
                if facts.may {
                    self.leave(Way::Macro(*name), span, gone);
                }
                if !facts.always {
                    self.macro_next.push(state);
                }
            }
            Exit::Never => {}
        }
    }
}

/// The branches of a trail, first to last.
fn decisions(trail: Option<&Trail>, file: crate::text::FileId) -> Vec<(Location, bool)> {
    let mut found = Vec::new();
    let mut at = trail;
    while let Some(trail) = at {
        found.push((Location { file, span: trail.span }, trail.holds));
        at = trail.before.as_deref();
    }
    found.reverse();
    found
}
