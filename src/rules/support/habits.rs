//! Things that unknown code gives and takes back under names that say so: `pool.getConnection()` and `connection.release()`,
//! `lock.acquire()` and `lock.release()`. A name alone proves nothing; that the same function gives the thing back on one of
//! its ways does. What the catalog knows is `handles`' business.

use crate::model::contract::Spoken;
use crate::model::words::Meaning;
use crate::model::{CallId, In, Name, Rate, Value, ValueId};
use crate::project::{Doing, ExitKind, Obligation, Project, Role, Row, Start, State};

/// A thing that is given back on some ways out.
pub(crate) struct Borrowed {
    /// The call that obtains it.
    pub(crate) call: In<CallId>,
    /// What it is called.
    pub(crate) noun: String,
    /// The ways out on which it was obtained.
    pub(crate) rows: Vec<Row>,
}

/// Every call that obtains something by a habit, with what becomes of that.
pub(crate) fn borrowed<'a, 'p>(project: &'p Project<'a>) -> impl Iterator<Item = Borrowed> + use<'a, 'p> {
    project.calls().filter(|call| !project.is_native(call.file)).filter_map(|call| followed(project, call))
}

fn followed(project: &Project<'_>, call: In<CallId>) -> Option<Borrowed> {
    let data = project.call(call);
    let receiver = project.receiver(call)?;
    let name = project.method_name(call)?;
    let releasers = releasers(project, &name)?;
    let targets = project.targets(call);
    let known = project.api(call).is_some() || !targets.weak && !targets.functions.is_empty();
    if known || data.is_new || project.gives(call).is_some() {
        return None;
    }
    if project.call_rate(call).rate.is_none_or(|rate| rate == Rate::Once) {
        return None;
    }
    let lent = if data.is_discarded {
        of_receiver(project, call, receiver, &releasers)
    } else {
        of_result(project, call, &releasers)
    };
    let rows = lent.filter(|rows| is_given_back(rows))?;
    Some(Borrowed { call, noun: noun(&name), rows })
}

/// The names under which what a call gives is given back.
fn releasers(project: &Project<'_>, name: &str) -> Option<Vec<String>> {
    let habits = project.contracts.conventions.iter().filter(|habit| habit.language == Spoken::Js);
    let found: Vec<String> = habits.filter_map(|habit| habit.releasers(name)).flatten().collect();
    (!found.is_empty()).then_some(found)
}

/// `connection` of `getConnection`, `lock` of `lock`.
fn noun(name: &str) -> String {
    let words = crate::model::words::split(name);
    match words.last().map(String::as_str) {
        Some("acquire" | "checkout" | "borrow" | "reserve" | "connect" | "open" | "begin") | None => "thing".to_owned(),
        Some(last) => last.to_owned(),
    }
}

/// The ways of what the call gives: a method of it, a function that is told of it, or it itself is called to give it back.
fn of_result(project: &Project<'_>, call: In<CallId>, releasers: &[String]) -> Option<Vec<Row>> {
    let judge = |inner: In<CallId>, role: Role| match role {
        Role::Callee if says_back(project, inner) => Some(Doing::Releases),
        Role::Receiver | Role::Argument(_) if is_releaser(project, inner, releasers) => Some(Doing::Releases),
        // What its other methods do is not known to end it.
        Role::Receiver => Some(Doing::Borrows),
        _ => None,
    };
    let function = project.function_of(call);
    let mut rows = project.paths_by(&Obligation { function, start: Start::Call(call.id), ty: None }, &judge);
    rows.retain(|row| row.state != State::NotAcquired);
    Some(rows)
}

/// The ways of what is held by its giver: `lock.acquire()`, and then `lock.release()`.
fn of_receiver(
    project: &Project<'_>,
    call: In<CallId>,
    receiver: In<ValueId>,
    releasers: &[String],
) -> Option<Vec<Row>> {
    if project.is_conditional(call) || project.loop_around(call).is_some() {
        return None;
    }
    let judge = |inner: In<CallId>, role: Role| match role {
        Role::Receiver if is_releaser(project, inner, releasers) => Some(Doing::Releases),
        _ => Some(Doing::Borrows),
    };
    let function = project.function_of(call);
    let holding = Obligation { function, start: Start::Holding(receiver.id), ty: None };
    let mut rows = project.paths_by(&holding, &judge);
    // Before it is obtained there is nothing to give back.
    let obtained = project.call(call).span;
    rows.retain(|row| {
        row.at.file == call.file && row.at.span.start > obtained.start && !row.at.span.contains(obtained)
    });
    Some(rows)
}

/// `release()`: what is called has a name that says so.
fn says_back(project: &Project<'_>, call: In<CallId>) -> bool {
    let Value::Binding(binding) = project.value(call.with(project.call(call).callee)) else { return false };
    project.contracts.words.any(Meaning::Disposal, &project.binding(call.with(*binding)).name)
}

fn is_releaser(project: &Project<'_>, call: In<CallId>, releasers: &[String]) -> bool {
    let fits = |name: Name| releasers.iter().any(|releaser| *releaser == *name.as_str());
    project.method_name(call).is_some_and(fits)
}

/// Whether an ordinary way out gives it back, and none hands it on: then the function owes it on every way.
fn is_given_back(rows: &[Row]) -> bool {
    let ordinary = |row: &Row| matches!(row.exit, ExitKind::Fallthrough | ExitKind::Return | ExitKind::ScopeEnd);
    let back = rows.iter().any(|row| row.state == State::Released && ordinary(row));
    back && rows.iter().all(|row| matches!(row.state, State::Released | State::Held))
}
