//! A collection that lives long, gets entries again and again under open keys, and loses none of them as often.

use super::removal_that_removes_nothing::has_fault;
use super::support::programs::{is_input, only_users};
use super::support::tables::inside::{Filled, unbounded};
use super::support::tables::keys::{is_data, is_handed_over, is_looked_up, is_record, is_spelled_out, openness};
use super::support::tables::left::{is_given_to, is_left_by_removal, is_settled_once};
use super::support::tables::waits::{accumulates, kept_timer, unanswered};
use super::support::tables::{
    Life, Useless, is_held_back, is_one_of_many, is_start, life, lives_long, outgrows, outlives, registers_itself, useless,
};
use crate::finding::{Confidence, Finding, StepKind, TraceStep};
use crate::model::{CallId, FunctionId, In};
use crate::project::{AccessKind, Gone, Growth, Key, Lifetime, Openness, Place, Project, RateAnswer, Root, Shape, Shrink, Table};

/// One growth that nothing keeps up with.
struct Verdict<'t> {
    growth: &'t Growth,
    confidence: Confidence,
    rate: RateAnswer,
    removals: Vec<(usize, Useless)>,
    /// The function that ought to empty the table.
    end: Option<In<FunctionId>>,
}

/// Reports one finding a table, at its most certain growth.
pub fn check(project: &Project<'_>, found: &mut Vec<Finding>) {
    found.extend(project.calls().filter(|call| !project.is_native(call.file)).filter_map(|call| inside(project, call)));
    for table in project.tables() {
        if !table.size_checks.is_empty() {
            continue;
        }
        let Some((life, lifetime)) = life(project, table) else { continue };
        // A field of the one instance there is is made once, too.
        let born = if lifetime.is_process() { Life::Process } else { life };
        let verdicts = table.growths.iter().filter_map(|growth| judge(project, table, (life, born), growth));
        let best = verdicts.max_by_key(|verdict| (verdict.confidence, std::cmp::Reverse(verdict.growth.at.span.start)));
        if let Some(verdict) = best
            && !has_fault(project, table, life)
        {
            found.push(report(project, table, &lifetime, life, &verdict));
        }
    }
}

/// A table that a package keeps inside of what it makes, without a bound.
fn inside(project: &Project<'_>, call: In<CallId>) -> Option<Finding> {
    let (ty, filled) = unbounded(project, call)?;
    let at = project.locate(call);
    let bounds = ty.bounded_by.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let finding = Finding::new(
        "unbounded-collection",
        Confidence::Medium,
        at,
        format!("the table inside this {} grows without a bound", ty.noun),
    )
    .with_context(project.function_name(project.function_of(call)))
    .with_step(StepKind::Hold, at, format!("{} made here, without a bound", ty.noun));
    Some(match filled {
        Filled::ByItself => finding
            .with_why("what comes in is kept in the memory of the process, and what has expired goes only when it is asked for")
            .with_help(format!("give it one of {bounds}")),
        Filled::By(by) => finding
            .with_why("it finds results by the identity of the first argument; one that is made for each call is never found again, and kept")
            .with_help(format!("give a second function that makes a text of the arguments, or one of {bounds}"))
            .with_step(StepKind::Grow, project.locate(by), "a new key each time"),
    })
}

fn judge<'t>(
    project: &Project<'_>,
    table: &'t Table,
    (life, born): (Life, Life),
    growth: &'t Growth,
) -> Option<Verdict<'t>> {
    if !outlives(project, table, life, growth) || is_held_back(project, table, growth) {
        return None;
    }
    let rate = match growth.call {
        Some(call) => project.call_rate(call),
        None => project.rate(growth.function),
    };
    let driven = project.drive(growth.function);
    let unknown = rate.rate.is_none() && !driven.public.is_empty();
    if !unknown && !outgrows(rate.rate, born) {
        return None;
    }
    if is_start(project, &driven) && !(is_given(project, growth) && driven.public == [growth.function]) {
        return None;
    }
    let openness = openness(project, growth);
    if openness == Openness::Fixed {
        return None;
    }
    if accumulates(project, table, growth) {
        return None;
    }
    if kept_timer(project, table, growth).is_some() {
        return Some(timer_stays(table, growth, rate));
    }
    if let Some(end) = unanswered(project, table, life, growth) {
        let removals = (0..table.shrinks.len()).map(|at| (at, Useless::OnAnswer)).collect();
        return Some(Verdict { growth, confidence: Confidence::Medium, rate, removals, end: Some(end) });
    }
    let mut removals = Vec::new();
    for (at, shrink) in table.shrinks.iter().enumerate() {
        removals.push((at, useless(project, life, growth, &driven, shrink)?));
    }
    let handed_over = openness != Openness::Generated && is_handed_over(project, growth) && !driven.by_events();
    let unread = table.shape == Shape::List && !table.is_read && table.place.path.is_empty();
    let sure = match life {
        // What only users could repeat has as many keys as their program has uses of it.
        Life::Process if only_users(project, &rate, growth.function) => {
            registers_itself(project, growth) || unread
        }
        // A list of the process says what it consists of, or what has happened; only what registers itself is ever more.
        Life::Process if table.shape == Shape::List && !unread && !registers_itself(project, growth) => false,
        Life::Process => !handed_over || !table.is_read,
        Life::Instance(class) => {
            lives_long(project, class)
                && (driven.by_events() || !is_one_of_many(project, class))
                && table.shape != Shape::List
                && !handed_over
                && (is_looked_up(project, table, growth)
                    || driven.by_events() || openness == Openness::Generated && is_asked_by_events(project, table))
                || lives_long(project, class) && driven.by_events() && is_record(project, growth)
                // The one instance there is, and each entry under a key of its own.
                || born == Life::Process && openness == Openness::Generated && table.shrinks.is_empty()
        }
        Life::Closure(_) => table.shape != Shape::List && !handed_over && is_looked_up(project, table, growth),
    };
    let nested = table.place.path.contains("[]");
    let forgotten = is_forgotten_beside(project, table, growth)
        || is_settled_once(project, table, growth)
        || is_left_by_removal(project, table, growth) && !is_spelled_out(project, table, growth, &driven);
    // What is taken out elsewhere comes and goes, whatever its names say.
    let counted = || {
        sure && !is_spelled_out(project, table, growth, &driven)
            && is_data(project, table, growth, &driven)
            && openness != Openness::Unknown
            && !(unknown && !matches!(life, Life::Closure(_)) && !unread)
            && !is_input(project, &driven)
    };
    let confidence = if nested || !table.escapes.is_empty() || !forgotten && !counted() {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    Some(Verdict { growth, confidence, rate, removals, end: None })
}

/// Whether the key is what the caller gives, or a part of it: not the owner starts then, but one of the things it is told of.
fn is_given(project: &Project<'_>, growth: &Growth) -> bool {
    growth.key.is_some_and(|key| is_given_to(project, key, growth.function)) && openness(project, growth) >= Openness::Open
}

/// Whether nothing takes entries out, and the answers that come in look them up: each is needed once.
fn is_asked_by_events(project: &Project<'_>, table: &Table) -> bool {
    let accesses = project.accesses(table.place);
    let mut reads = accesses.iter().filter(|access| matches!(access.kind, AccessKind::KeyRead { key: Key::Value(_) }));
    table.shrinks.is_empty() && reads.any(|read| project.drive(read.function()).by_events())
}

/// The same function puts the same thing into another table of the same owner, from which a function takes it out again that
/// forgets this one.
fn is_forgotten_beside(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let owner = |place: Place| match place.root {
        Root::Field(class, _) => Some((class.file, Some(class))),
        Root::Variable(binding) if project.binding(binding).function == FunctionId::MODULE => Some((binding.file, None)),
        _ => None,
    };
    let entry = |shrink: &Shrink| matches!(shrink.what, Gone::Entry(_)) && !shrink.is_guess;
    table.shrinks.is_empty()
        && owner(table.place).is_some()
        && project.tables().iter().any(|other| {
            let beside = |grown: &Growth| {
                grown.function == growth.function && grown.value.is_some() && grown.value == growth.value
            };
            other.place != table.place
                && other.shape == table.shape
                && owner(other.place) == owner(table.place)
                && other.growths.iter().any(beside)
                && other.shrinks.iter().any(|shrink| entry(shrink) && shrink.function != growth.function)
        })
}

/// A one-shot timer is kept, and its own callback does not take it out.
fn timer_stays<'t>(table: &'t Table, growth: &'t Growth, rate: RateAnswer) -> Verdict<'t> {
    let removals = (0..table.shrinks.len()).map(|at| (at, Useless::OnCancel)).collect();
    Verdict { growth, confidence: Confidence::Medium, rate, removals, end: None }
}

fn report(project: &Project<'_>, table: &Table, lifetime: &Lifetime, life: Life, verdict: &Verdict<'_>) -> Finding {
    let growth = verdict.growth;
    let name = project.place_text(table.place);
    let function = project.function_name(growth.function);
    let message = format!("`{name}` gets an entry again and again and nothing takes one out as often");
    let mut why = format!("{function} adds to `{name}`");
    if !verdict.rate.why.is_empty() {
        why = format!("{why}: {}", verdict.rate.because());
    }
    let removal = match verdict.removals.first() {
        None => "no code removes from it".to_owned(),
        Some((_, reason)) => explain(*reason).to_owned(),
    };
    let help = match verdict.end {
        Some(end) => format!("empty `{name}` in {}, and tell those who wait", project.function_name(end)),
        None if verdict.removals.iter().any(|(_, reason)| *reason == Useless::OnCancel) => {
            format!("take the timer out of `{name}` in its own callback, too")
        }
        None => help(project, table, life, growth, &name),
    };
    let mut finding = Finding::new("unbounded-collection", verdict.confidence, growth.at, message)
        .with_why(format!("{why}; {removal}"))
        .with_help(help)
        .with_context(function)
        .with_step(StepKind::Grow, growth.at, format!("`{name}` grows here"));
    let hold = lifetime.why.iter().filter(|step| step.kind == StepKind::Hold).take(1);
    finding.trace.extend(hold.cloned());
    finding.trace.extend(verdict.rate.why.iter().cloned());
    for (at, reason) in &verdict.removals {
        let message = explain(*reason).to_owned();
        finding.trace.push(TraceStep { kind: StepKind::Release, at: table.shrinks[*at].at, message });
    }
    finding
}

fn explain(reason: Useless) -> &'static str {
    match reason {
        Useless::AtTheEnd => "it is emptied only when its owner's life ends",
        Useless::OptIn => "only users of the package can ask for this removal, the package itself never does",
        Useless::SameKey => "this makes room for the same key only; keys that never come again stay",
        Useless::OnFailure => "this removes the entry only where the operation failed",
        Useless::AtStart => "this runs once, at the start",
        Useless::OnAnswer => "this removes the entry when its answer comes; when the connection ends, none comes",
        Useless::OnCancel => "a timer that fires by itself is not taken out, and keeps its callback",
    }
}

fn help(project: &Project<'_>, table: &Table, life: Life, growth: &Growth, name: &str) -> String {
    let is_instance = growth.key.is_none_or(|key| growth.value == Some(key)) || table.shape == Shape::List;
    if is_instance && registers_itself(project, growth) {
        return format!("hold the instances of `{name}` by `WeakRef`, or do not keep a list of them");
    }
    let key = growth.key.map(|key| project.text(key)).filter(|text| !text.is_empty() && text.len() < 40);
    let removal = match (table.shape, key) {
        (Shape::Keyed, Some(key)) => format!("call `{name}.delete({key})` when the entry has served"),
        (Shape::Object, Some(key)) => format!("`delete {name}[{key}]` when the entry has served"),
        (Shape::List, _) => format!("take the element out of `{name}` when it has served"),
        (_, None) => format!("take the entry out of `{name}` when it has served"),
    };
    match life {
        Life::Process => format!("{removal}, or bound `{name}`: evict the oldest entry when it is full"),
        _ => format!("{removal}, not only when the owner ends"),
    }
}
