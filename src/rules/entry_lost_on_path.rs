//! An entry that one operation puts in and takes out again, and that stays where the operation fails in between; or that waits
//! for an answer, and stays after one of several.

use super::support::keeper::{Keeper, care, keeper};
use super::support::outcomes::{fulfilment, gives_up, is_reaction};
use super::support::tables::answered::kept;
use super::support::tables::{Life, excludes, is_inside, life, outlives, useless};
use super::support::mend::finally::in_finally;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::{Exit, Flow, FunctionId, In, Step, Value, ValueId};
use crate::project::{Access, Gone, Growth, Project, Shrink, Table};
use crate::text::{Edit, Location, Span};

/// Reports each growth once, with the first way out that skips the removal.
pub fn check(project: &Project<'_>, found: &mut Vec<Finding>) {
    for table in project.tables() {
        let Some((life, _)) = life(project, table) else { continue };
        for growth in &table.growths {
            let finding = judge(project, table, life, growth)
                .or_else(|| forgotten(project, table, life, growth).map(|lost| tell(project, table, growth, &lost)));
            found.extend(finding);
        }
    }
}

fn judge(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<Finding> {
    let (function, put) = operation(project, growth);
    let takes_back = |growth: &Growth, shrink: &Shrink| takes_back(growth, function, put, shrink);
    let own: Vec<&Shrink> = table.shrinks.iter().filter(|shrink| takes_back(growth, shrink)).collect();
    // `count.set(key, count.get(key) - 1)` puts nothing in.
    if is_update(project, table, growth) {
        return None;
    }
    // `if (known) table.set(key, known); else table.delete(key)` puts back what was there.
    if own.iter().any(|shrink| excludes(project, growth, shrink)) {
        return None;
    }
    let first = own.first()?;
    let driven = project.drive(growth.function);
    let another =
        |shrink: &Shrink| !takes_back(growth, shrink) && useless(project, life, growth, &driven, shrink).is_none();
    if !outlives(project, table, life, growth) || table.shrinks.iter().any(another) {
        return None;
    }
    let mut walk = Walk {
        project,
        function,
        put,
        taken: own.iter().map(|shrink| shrink.at.span).collect(),
        lost: Vec::new(),
        cleaning: false,
    };
    let end = walk.flow(&project.function(function).flow, OUT);
    if end & IN != 0 {
        return None;
    }
    let (at, how) = walk.lost.into_iter().find(|(at, _)| at.start > put.start)?;
    let name = project.place_text(table.place);
    let at = project.at(growth.at.file, at);
    let how = match how {
        Way::Rejection => "this `await` may reject, and the removal below it is skipped",
        Way::Throw => "this throws, and the removal below it is skipped",
        Way::Return => "this returns, and the removal below it is skipped",
    };
    let finding = Finding::new(
        "entry-lost-on-path",
        Confidence::Medium,
        growth.at,
        format!("the entry put into `{name}` stays there where the operation fails before it takes it out"),
    )
    .with_why(format!("{how}; nothing else takes the entry out of `{name}`, which outlives the call"))
    .with_help(format!("wrap what follows in `try` and move the removal from `{name}` into `finally`"))
    .with_context(project.function_name(function))
    .with_step(StepKind::Grow, growth.at, format!("an entry is put into `{name}`"))
    .with_step(StepKind::Exit, at, how)
    .with_step(StepKind::Release, first.at, "the removal that this way out skips");
    let edits = if own.len() == 1 { taken_in_finally(project, function, put, first) } else { None };
    Some(match edits {
        Some(edits) => finding.with_fix("take it out in `finally`", Applicability::Unsafe, edits),
        None => finding,
    })
}

/// Whether what is put in is made of what stands there.
fn is_update(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let Some(value) = growth.value else { return false };
    let Value::Opaque(parts) = project.value(value) else { return false };
    parts.iter().any(|part| match project.value(value.with(*part)) {
        Value::Result(call) => {
            let call = value.with(*call);
            project.receiver(call).and_then(|on| project.place(on)) == Some(table.place)
                && project.argument(call, 0) == growth.key
        }
        _ => false,
    })
}

/// The removal moved into `finally`.
fn taken_in_finally(project: &Project<'_>, function: In<FunctionId>, put: Span, taken: &Shrink) -> Option<Vec<Edit>> {
    let call = project.calls_in(function).map(|call| project.call(call)).find(|call| call.span.contains(put));
    let assigned = || {
        let mut found = None;
        project.function(function).flow.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow
                && assign.statement.contains(put)
            {
                found = found.or(Some(assign.statement));
            }
        });
        found
    };
    let statement = call.map(|call| call.statement).or_else(assigned)?;
    in_finally(project, function, statement, taken.call.map_or(taken.at.span, |call| project.call(call).statement))
}

/// An outcome of the operation that leaves an entry where it is, and a removal that another outcome runs.
struct Forgotten<'t> {
    at: Location,
    how: &'static str,
    help: &'static str,
    taken: &'t Shrink,
}

/// The entry's removals hang on the fulfilment of a promise, or the operation gives up by a timer that removes nothing.
fn forgotten<'t>(project: &Project<'_>, table: &'t Table, life: Life, growth: &Growth) -> Option<Forgotten<'t>> {
    let (function, _) = operation(project, growth);
    let keyed = |shrink: &Shrink| matches!(shrink.what, Gone::Entry(_) | Gone::All) && !shrink.is_guess;
    let first = table.shrinks.first()?;
    if !outlives(project, table, life, growth)
        || !table.shrinks.iter().all(keyed)
        || !table.escapes.is_empty()
        || !table.size_checks.is_empty()
    {
        return None;
    }
    let answered = || {
        let kept = kept(project, table, growth)?;
        Some(Forgotten {
            at: kept.at,
            how: "this answers for the entry and leaves it, where another answer takes it out",
            help: "take the entry out before it is answered, whatever the answer",
            taken: kept.taken,
        })
    };
    let other = unfulfilled(project, table, growth, function)
        .or_else(|| called_off(project, table, growth))
        .or_else(answered);
    other.or_else(|| {
        let given = gives_up(project, growth.function).into_iter().filter(|given| {
            // The promise that it rejects is the operation's own, not one of something that the operation offers.
            let mut of = project.function_of(given.call);
            while of != growth.function && project.is_executor(of) {
                let Some(parent) = project.function(of).parent else { break };
                of = of.with(parent);
            }
            (of == growth.function || of == function) && !is_put_off(project, given.call)
        }).find(|given| {
            let hangs_there = |shrink: &Shrink| {
                let around = is_inside(project, growth.function, shrink.function) || shrink.function == function;
                around
                    || is_reaction(project, shrink.function)
                    || project.leads_to(given.callback, shrink.function)
                    || shrink.what == Gone::All && !is_at_end(project, shrink)
            };
            !table.shrinks.iter().any(hangs_there)
        })?;
        Some(Forgotten {
            at: project.locate(given.call),
            how: "when this timer fires, the operation has failed, and the entry stays",
            help: "take the entry out where the timer gives up, too",
            taken: first,
        })
    })
}

/// A timer that is cleared just before it is armed anew puts something off; nobody gives up when it fires.
fn is_put_off(project: &Project<'_>, armed: crate::model::In<crate::model::CallId>) -> bool {
    let Some(ty) = project.api(armed).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { return false };
    let Keeper::Place(place) = keeper(project, armed, ty) else { return false };
    care(project, place, ty).releases.iter().any(|release| {
        release.function() == project.function_of(armed) && release.span.start < project.call(armed).span.start
    })
}

/// Only a timer takes the entry out, and what clears the timer, because the answer has come, does not.
fn called_off<'t>(project: &Project<'_>, table: &'t Table, growth: &Growth) -> Option<Forgotten<'t>> {
    let taken = table.shrinks.iter().find(|shrink| matches!(shrink.what, Gone::Entry(_)))?;
    // A check that comes round puts in and takes out as things come and go.
    if taken.function == growth.function {
        return None;
    }
    let mut cleared = None;
    for shrink in &table.shrinks {
        if shrink.what == Gone::All && is_at_end(project, shrink) {
            continue;
        }
        let handed = project.passed_to(shrink.function);
        let [passed] = &handed[..] else { return None };
        let ty = project.contracts.ty(project.api(passed.call)?.gives.as_deref()?)?;
        let timer = project.contracts.is_family(ty, "timer") && !project.contracts.is_family(ty, "interval");
        let Keeper::Place(place) = keeper(project, passed.call, ty) else { return None };
        let care = care(project, place, ty);
        let off = care.releases.iter().filter(|release| release.function() != shrink.function);
        let near = is_inside(project, shrink.function, growth.function) && timer && project.callers(shrink.function).is_empty();
        let takes = |release: &&Access| {
            table.shrinks.iter().any(|other| project.leads_to(release.function(), other.function))
        };
        if !near || !care.escapes.is_empty() || off.clone().any(|release| takes(&release)) {
            return None;
        }
        cleared = cleared.or(off.map(Access::at).next());
    }
    Some(Forgotten {
        at: cleared?,
        how: "this clears the timer that would have taken the entry out, and the entry stays",
        help: "take the entry out where the timer is cleared, too",
        taken,
    })
}

/// The entry is taken out where a promise is fulfilled, and by nothing where it is rejected.
fn unfulfilled<'t>(
    project: &Project<'_>,
    table: &'t Table,
    growth: &Growth,
    function: In<FunctionId>,
) -> Option<Forgotten<'t>> {
    let own = |shrink: &&Shrink| matches!(shrink.what, Gone::Entry(gone) if Some(gone) == growth.key || Some(gone) == growth.value);
    let taken = table.shrinks.iter().find(own)?;
    let then = |shrink: &Shrink| {
        let always = shrink.call.is_none_or(|call| !project.is_conditional(call));
        fulfilment(project, shrink.function)
            .filter(|then| always && is_inside(project, project.function_of(*then), function))
    };
    let at = then(taken)?;
    let all = table.shrinks.iter().all(|shrink| match shrink.what {
        Gone::Entry(_) => then(shrink).is_some(),
        _ => is_at_end(project, shrink),
    });
    all.then(|| Forgotten {
        at: project.locate(at),
        how: "this promise may be rejected, and then nothing takes the entry out",
        help: "take the entry out in `finally`, or in the second function of `then`, too",
        taken,
    })
}

/// Whether a removal runs when its owner ends only.
fn is_at_end(project: &Project<'_>, shrink: &Shrink) -> bool {
    project.around(shrink.function, |function| project.is_disposal(function)).is_some()
}

fn tell(project: &Project<'_>, table: &Table, growth: &Growth, lost: &Forgotten<'_>) -> Finding {
    let name = project.place_text(table.place);
    let message = format!("the entry put into `{name}` stays there where the operation fails before it takes it out");
    Finding::new("entry-lost-on-path", Confidence::Medium, growth.at, message)
        .with_why(format!("{}; `{name}` outlives the operation", lost.how))
        .with_help(lost.help)
        .with_context(project.function_name(growth.function))
        .with_step(StepKind::Grow, growth.at, format!("an entry is put into `{name}`"))
        .with_step(StepKind::Exit, lost.at, lost.how)
        .with_step(StepKind::Release, lost.taken.at, "the removal that belongs to another outcome")
}

/// The function whose run the growth is part of, and the step of it: around the executor of a promise, the one that makes
/// the promise.
fn operation(project: &Project<'_>, growth: &Growth) -> (In<FunctionId>, Span) {
    let (mut function, mut put) = (growth.function, growth.at.span);
    for _ in 0..4 {
        let passed = project.passed_to(function);
        let made = passed.iter().map(|passed| passed.call).find(|call| project.call(*call).is_new);
        let Some(made) = made.filter(|made| made.file == function.file && project.is_executor(function)) else { break };
        (function, put) = (project.function_of(made), project.call(made).span);
    }
    (function, put)
}

/// Whether a removal takes out what the growth has put in, later in the same operation.
fn takes_back(growth: &Growth, function: In<FunctionId>, put: Span, shrink: &Shrink) -> bool {
    let entry = match shrink.what {
        Gone::Entry(gone) => Some(gone) == growth.key || Some(gone) == growth.value,
        _ => false,
    };
    entry && shrink.function == function && shrink.at.span.start > put.start
}

/// Not put in yet; put in; taken out again. A point of the code may be in several.
const OUT: u8 = 1;
const IN: u8 = 2;
const TAKEN: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Rejection,
    Throw,
    Return,
}

/// Walks a function's flow with the states that a point may be in; notes where it is left with the entry in.
struct Walk<'p, 'a> {
    project: &'p Project<'a>,
    function: In<FunctionId>,
    put: Span,
    taken: Vec<Span>,
    lost: Vec<(Span, Way)>,
    /// In a handler or `finally`: a removal under a condition asks whether the entry is still there.
    cleaning: bool,
}

impl Walk<'_, '_> {
    fn flow(&mut self, flow: &Flow, state: u8) -> u8 {
        if state == 0 {
            return 0;
        }
        match flow {
            Flow::Step(step) => self.step(step, state),
            Flow::Sequence(parts) => parts.iter().fold(state, |state, part| self.flow(part, state)),
            Flow::Branch { then, otherwise, .. } => {
                let (then, otherwise) = (self.flow(then, state), self.flow(otherwise, state));
                let asks = self.cleaning && (then | otherwise) & TAKEN != 0;
                if asks { (then | otherwise) & !IN } else { then | otherwise }
            }
            Flow::Switch { arms, has_default, .. } => {
                let ends = arms.iter().fold(0, |ends, arm| ends | self.flow(arm, state));
                if *has_default { ends } else { ends | state }
            }
            Flow::Loop { body, .. } => state | self.flow(body, state),
            Flow::Labelled(_, body) => self.flow(body, state),
            Flow::Try { body, handler, finally } => {
                let before = self.lost.len();
                let mut end = self.flow(body, state);
                if let Some((_, handler)) = handler {
                    let thrown = self.lost[before..].iter().any(|(_, way)| *way != Way::Return);
                    let mut rest = self.lost.split_off(before);
                    rest.retain(|(_, way)| *way == Way::Return);
                    self.lost.extend(rest);
                    let entered = if thrown { IN } else { 0 } | state;
                    end |= self.clean(handler, entered);
                }
                if let Some(finally) = finally {
                    let noted = self.lost.len();
                    if noted > before && self.clean(finally, IN) & IN == 0 {
                        self.lost.truncate(before);
                    }
                    end = self.clean(finally, end);
                }
                end
            }
            Flow::Label(_) => state,
            Flow::Exit(exit, span) => self.exit(exit, *span, state),
        }
    }

    fn clean(&mut self, flow: &Flow, state: u8) -> u8 {
        let outer = std::mem::replace(&mut self.cleaning, true);
        let end = self.flow(flow, state);
        self.cleaning = outer;
        end
    }

    fn step(&mut self, step: &Step, state: u8) -> u8 {
        let span = match step {
            Step::Call(call) => self.project.call(self.function.with(*call)).span,
            Step::Assign(assign) => assign.span,
            Step::Delete { span, .. } => *span,
            Step::Await { value, span, is_yield } => {
                if state & IN != 0 && !is_yield && !self.is_caught(self.function.with(*value)) {
                    self.lost.push((*span, Way::Rejection));
                }
                return state;
            }
            Step::Drop(_) | Step::ScopeEnd { .. } => return state,
        };
        if span == self.put {
            IN
        } else if self.taken.contains(&span) {
            if state & IN != 0 { state & !IN | TAKEN } else { state }
        } else {
            state
        }
    }

    /// `await work.catch(…)`.
    fn is_caught(&self, value: In<ValueId>) -> bool {
        match self.project.value(value) {
            Value::Result(call) => {
                let call = value.with(*call);
                self.project.method_name(call).is_some_and(|name| name == "catch" || name == "allSettled")
            }
            _ => false,
        }
    }

    fn exit(&mut self, exit: &Exit, span: Span, state: u8) -> u8 {
        if state & IN == 0 {
            return 0;
        }
        match exit {
            Exit::Throw(_) => self.lost.push((span, Way::Throw)),
            // What is given back is handed over with its entry.
            Exit::Return(value) if self.is_async() && value.is_none_or(|value| self.is_nothing(value)) => {
                self.lost.push((span, Way::Return));
            }
            _ => {}
        }
        0
    }

    /// In synchronous code whoever returns early has mostly decided what becomes of the entry.
    fn is_async(&self) -> bool {
        self.project.function(self.function).is_async
    }

    fn is_nothing(&self, value: ValueId) -> bool {
        self.project.is_nothing(self.function.with(value))
    }
}
