//! `timer-survives-close`: the method that ends an object does not clear a timer that other methods clear, a timer is armed
//! again after an `await` without a look at the closing flag, or one that nobody clears brings the ended object back.

use super::support::ending::{asks_for_end, endings, hands_itself_over, reach, reaches, reaches_apart, released_by_end_event, says_takes_out, whole_endings};
use super::support::deadline::{is_soon, is_unreferenced};
use super::support::flags::{fields_set, is_ending_flag, tests_flag};
use super::support::keeper::{Care, Keeper, care, keeper, release_text};
use super::support::leftover::{self, Leftover};
use super::support::mend;
use super::support::revival::outlived_end;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, Flow, FunctionId, In, Rate, Step, Type, Value};
use crate::project::{Access, AccessKind, Place, Project, Root};
use crate::text::{Edit, Span};

const NAME: &str = "timer-survives-close";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(ty) = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?)) else { continue };
        if !project.contracts.is_family(ty, "timer") {
            continue;
        }
        if let Some(found) = revived(project, call, ty) {
            findings.push(found);
            continue;
        }
        findings.extend(leftover::found(project, call, ty).map(|left| unreachable(project, call, &left)));
        let Keeper::Place(place) = keeper(project, call, ty) else { continue };
        let Root::Field(class, _) = place.root else { continue };
        // `this.connection.timer` is the connection's to clear.
        if place.path.contains('.') {
            continue;
        }
        if project.instances(class).rate.is_none_or(|rate| rate == Rate::Once) {
            continue;
        }
        let care = care(project, place, ty);
        if care.releases.is_empty() || !care.escapes.is_empty() {
            continue;
        }
        let found =
            forgotten(project, call, class, place, &care).or_else(|| rearmed(project, call, class, place, &care));
        findings.extend(found);
    }
}

/// A timer of the object whose handle is thrown away, beside others that its end clears.
fn unreachable(project: &Project<'_>, call: In<CallId>, left: &Leftover) -> Finding {
    let method = project.function_name(left.ending);
    Finding::new(
        NAME,
        Confidence::Medium,
        project.locate(call),
        format!("timer goes on after {method}: its handle is dropped"),
    )
    .with_why(format!(
        "{method} clears `{}` and cannot clear this one; the timer holds the object, and then runs its code after the end",
        left.cleared
    ))
    .with_help(format!("keep the handle in a field, and clear it in {method}, too"))
    .with_context(project.function_name(project.function_of(call)))
    .with_step(StepKind::Acquire, project.locate(call), "armed here, and nothing can clear it")
    .with_step(StepKind::Release, left.at, "another timer of the object is cleared here")
    .with_step(StepKind::Exit, project.locate_function(left.ending), format!("{method} ends the object"))
}

/// The ending method that does not reach any release of the timer.
fn forgotten(
    project: &Project<'_>,
    call: In<CallId>,
    class: In<ClassId>,
    place: Place,
    care: &Care,
) -> Option<Finding> {
    let endings = endings(project, class);
    // What arms the timer on its way is no end: `end()` of a request that starts it.
    let arming = project.function_of(call);
    let ends = |f: &In<FunctionId>| ends_all(project, *f) && !is_helped(project, *f, &care.releases) && !reach(project, *f).contains(&arming);
    let ends: Vec<In<FunctionId>> = endings.iter().filter(|f| ends(f)).copied().collect();
    let ending = whole_endings(project, &ends).into_iter().find(|&f| !hands_itself_over(project, f, class))?;
    if says_takes_out(project, ending) && !whole_endings(project, &endings).contains(&ending) {
        return None;
    }
    // To start over is no way to clear it: what waits for the answer of a start clears when that comes.
    let start = outermost(project, arming);
    if endings.iter().any(|&f| reaches_apart(project, f, Some(start), &care.releases))
        || released_by_end_event(project, care)
        || project.callbacks(call).iter().any(|handed| asks_for_end(project, handed.function))
    {
        return None;
    }
    let name = project.place_text(place);
    let method = project.function_name(ending);
    let confidence = if is_brief(project, call, place) || !ends_something(project, ending) {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    let finding =
        Finding::new(
            NAME,
            confidence,
            project.locate(call),
            format!("timer in `{name}` goes on after {method}: it does not clear `{name}`"),
        )
        .with_why(format!("{method} ends the object and never reaches a `clearTimeout` of `{name}`; the timer holds the object until it fires"))
        .with_help(format!("clear `{name}` in {method}"))
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, project.locate(call), format!("`{name}` is armed here"))
        .with_step(StepKind::Release, care.releases[0].at(), "cleared on this way only")
        .with_step(StepKind::Exit, project.locate_function(ending), format!("{method} ends the object without clearing `{name}`"));
    Some(match cleared_in(project, ending, &name, &care.releases[0]) {
        Some(edit) => finding.with_fix(format!("clear `{name}` in {method}"), Applicability::Unsafe, vec![edit]),
        None => finding,
    })
}

/// Whether a timer fires once, and that soon, without keeping the process up, or only to tidy its own slot of a table.
fn is_brief(project: &Project<'_>, call: In<CallId>, place: Place) -> bool {
    let ty = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?));
    let arming = project.function_of(call);
    let handed = project.callbacks(call);
    let free = is_unreferenced(project, call, Some(place));
    let again = handed.iter().any(|handed| reach(project, handed.function).contains(&arming));
    // One state of many arms it, and it leads to the next one.
    let perhaps = free && project.is_conditional(call);
    if again && !perhaps || ty.is_some_and(|ty| project.contracts.is_family(ty, "interval")) {
        return false;
    }
    let soon = project.argument(call, 1).is_none_or(|delay| is_soon(project, delay));
    let tidies = place.path.contains("[]")
        && handed.iter().any(|handed| {
            project.accesses(place).iter().any(|access| access.kind == AccessKind::Deleted && access.function() == handed.function)
                || project.calls_in(handed.function).next().is_none()
        });
    soon || tidies || free
}

/// Whether a method that may end one thing of many ends anything at all: a `cancel` that only sends a message leaves the
/// object waiting for the answer.
fn ends_something(project: &Project<'_>, ending: In<FunctionId>) -> bool {
    let words = &project.contracts.words;
    let name = project.function(ending).name;
    let bare = name.trim_start_matches(['#', '_']);
    if !words.has(Meaning::EndsOne, bare) && !words.has(Meaning::TakesOut, bare) {
        return true;
    }
    let own = |call: In<CallId>| {
        project.receiver(call).is_some_and(|on| matches!(project.value(on), Value::This(_)))
    };
    fields_set(project, ending).iter().any(|field| is_ending_flag(project, field))
        || reach(project, ending).into_iter().flat_map(|f| project.calls_in(f).collect::<Vec<_>>()).any(|call| {
            !own(call) && project.method_name(call).is_some_and(|name| words.has(Meaning::Disposal, &name))
        })
}

/// The release as it is written elsewhere, put at the start of the method that ends the object.
fn cleared_in(project: &Project<'_>, ending: In<FunctionId>, name: &str, release: &Access) -> Option<Edit> {
    let clear = release_text(project, release).filter(|clear| name.starts_with("this.") && mend::mentions(clear, name))?;
    let text = &project.sources.get(ending.file).text;
    mend::at_start(ending.file, text, project.function(ending).body.start, &format!("{clear};"))
}

/// The function at the top of a file, or method, inside which another is written.
fn outermost(project: &Project<'_>, function: In<FunctionId>) -> In<FunctionId> {
    let is_top = |f: In<FunctionId>| project.function(f).parent.is_none_or(|parent| parent == FunctionId::MODULE);
    project.around(function, is_top).unwrap_or(function)
}

/// Whether the class's own code clears the timer beside its call of an ending method: that is a part of the end.
fn is_helped(project: &Project<'_>, ending: In<FunctionId>, releases: &[Access]) -> bool {
    project.callers(ending).iter().any(|caller| {
        let around = project.function_of(caller.call);
        let called = |f: In<FunctionId>| project.calls_in(around).any(|call| project.targets(call).functions.contains(&f));
        releases.iter().any(|release| release.function() == around || called(release.function()))
    })
}

/// Whether an ending method does anything that ends things: an empty or merely forwarding one tells nothing.
fn ends_all(project: &Project<'_>, ending: In<FunctionId>) -> bool {
    project.calls_in(ending).next().is_some()
}

/// A timer armed after an `await` in a function that its own callback runs, with no look at anything that an ending method sets.
fn rearmed(
    project: &Project<'_>,
    call: In<CallId>,
    class: In<ClassId>,
    place: Place,
    care: &Care,
) -> Option<Finding> {
    let function = project.function_of(call);
    let callbacks: Vec<In<FunctionId>> = project.callbacks(call).iter().map(|handed| handed.function).collect();
    if !callbacks.iter().any(|callback| reach(project, *callback).contains(&function)) {
        return None;
    }
    let (waiting, awaited) = last_await(project, function, project.call(call).span.start)
        .map(|awaited| (function, awaited))
        .or_else(|| callbacks.iter().find_map(|callback| Some((*callback, waits_before(project, *callback, function)?))))?;
    let ending = endings(project, class).into_iter().find(|&f| reaches(project, f, &care.releases))?;
    let set = fields_set(project, ending);
    // A run that tests the flag before it waits arms one timer more, whose callback then stops.
    if set.is_empty() || std::iter::once(function).chain(callbacks).any(|f| tests_flag(project, f, &set, 0)) {
        return None;
    }
    let name = project.place_text(place);
    let method = project.function_name(ending);
    let flag = set.iter().find(|name| is_ending_flag(project, name))?;
    Some(
        Finding::new(
            NAME,
            Confidence::Medium,
            project.locate(call),
            format!("timer in `{name}` is armed again after {method}"),
        )
        .with_why(format!(
            "{method} clears `{name}` once; a run that waits at the `await` arms the next timer afterwards, and so on"
        ))
        .with_help(format!("arm it only `if (!this.{flag})`, tested after the `await`"))
        .with_context(project.function_name(function))
        .with_step(StepKind::Acquire, project.locate(call), "armed again here")
        .with_step(StepKind::Repeat, project.at(waiting.file, awaited), "the object may be closed during this wait")
        .with_step(
            StepKind::Release,
            project.locate_function(ending),
            format!("{method} clears the timer that is armed at that moment"),
        ),
    )
}

/// A timer that nobody clears, and whose callback leads to the next one whatever the end of the object did.
fn revived(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Finding> {
    if project.contracts.is_family(ty, "interval") {
        return None;
    }
    let (class, ending) = outlived_end(project, call, ty)?;
    let instances = project.instances(class);
    instances.rate.filter(|rate| *rate > Rate::Once)?;
    let method = project.function_name(ending);
    let at = project.locate(call);
    let mut finding = Finding::new(NAME, Confidence::Medium, at, format!("timer goes on after {method}, and starts the object anew"))
        .with_why(format!(
            "its callback leads back here; {method} neither clears it nor sets anything that is looked at on the way; {}",
            instances.because()
        ))
        .with_help(format!("keep the timer and clear it in {method}, or set a flag there and test it in the callback"))
        .with_context(project.function_name(project.function_of(call)))
        .with_step(StepKind::Acquire, at, "armed here, again after each run")
        .with_step(StepKind::Exit, project.locate_function(ending), format!("{method} ends the object and does not stop it"));
    finding.trace.extend(instances.why);
    Some(finding)
}

/// The last `await` of a callback before it runs the function that arms the timer.
fn waits_before(project: &Project<'_>, callback: In<FunctionId>, arms: In<FunctionId>) -> Option<Span> {
    let mut calls = project.calls_in(callback).filter(|inner| project.targets(*inner).functions.contains(&arms));
    calls.find_map(|inner| last_await(project, callback, project.call(inner).span.start))
}

fn last_await(project: &Project<'_>, function: In<FunctionId>, before: u32) -> Option<Span> {
    let mut last = None;
    project.function(function).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Await { span, .. }) = flow
            && span.end <= before
        {
            last = Some(*span);
        }
    });
    last
}
