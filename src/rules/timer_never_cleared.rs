//! `timer-never-cleared`: an interval started more than once in the process that nothing clears.

use super::support::ending::endings;
use super::support::idle::{self, Served};
use super::support::keeper::{Care, Keeper, care, keeper};
use super::support::deadline::is_unreferenced;
use super::support::mend::{at_end, at_start, semicolon};
use super::support::programs::{can_be_ended, ends_process, only_users, speaks_of_ends};
use super::support::tables::is_start;
use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::words::Meaning;
use crate::model::{BindingId, BindingKind, CallId, Exit, Flow, FunctionId, FunctionKind, In, Rate, Step, Type, Value};
use crate::project::{Access, AccessKind, Origin, Place, Project, RateAnswer, Root};
use crate::text::{Edit, Span};

const NAME: &str = "timer-never-cleared";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for call in project.calls() {
        let Some(ty) = interval(project, call) else { continue };
        let rate = project.call_rate(call);
        if rate.rate.is_none_or(|rate| rate == Rate::Once) {
            continue;
        }
        let Some((message, help, mut confidence, steps)) = judge(project, call, ty) else { continue };
        if steps.is_empty() && is_of_program(project, call, &rate) {
            confidence = Confidence::Low;
        }
        let text = project.callee_text(call);
        let mut finding = Finding::new(NAME, confidence, project.locate(call), message)
            .with_why(format!("{}; a running interval holds its callback and all that it captures", rate.because()))
            .with_help(help)
            .with_context(project.function_name(project.function_of(call)))
            .with_step(StepKind::Acquire, project.locate(call), format!("`{text}` starts an interval here"));
        finding.trace.extend(rate.why);
        for access in steps {
            finding = finding.with_step(StepKind::Release, access.at(), "cleared here only, which does not come with the end");
        }
        findings.push(match cleared_at_end(project, call, ty) {
            Some((title, edit)) => finding.with_fix(title, Applicability::Unsafe, vec![edit]),
            None => finding,
        });
    }
}

/// Whether it goes on with a program that starts it once: only users could repeat it, and nothing there has an end, ends the
/// process itself, or is without weight for its end.
fn is_of_program(project: &Project<'_>, call: In<CallId>, rate: &RateAnswer) -> bool {
    let function = project.function_of(call);
    if !only_users(project, rate, function) {
        return false;
    }
    let named = project.named_around(function);
    match project.enclosing_class(function) {
        Some(class) => {
            // What a file offers to whoever looks it up by name may be made by code that nobody sees.
            !(rate.is_offered && rate.rate == Some(Rate::PerCall))
                && endings(project, class).is_empty()
                && (is_start(project, &project.drive(function)) || !can_be_ended(project, rate, function))
        }
        None => {
            is_unreferenced(project, call, None)
                || named.is_some_and(|named| ends_process(project, named))
                || !speaks_of_ends(project, function.file) && !named.is_some_and(|named| serves_argument(project, call, named))
        }
    }
}

/// Whether what a timer runs is, or speaks of, what the function was called with, where that is no start: another call has
/// another one.
fn serves_argument(project: &Project<'_>, call: In<CallId>, named: In<FunctionId>) -> bool {
    if project.contracts.words.either_end(Meaning::Start, &project.function(named).name) {
        return false;
    }
    let given = |binding: In<BindingId>| {
        let variable = project.binding(binding);
        binding.file == named.file && variable.function == named.id && matches!(variable.kind, BindingKind::Parameter(_))
    };
    let is_given = project.argument(call, 0).is_some_and(|argument| match project.origin(argument) {
        Origin::Parameter(binding) => given(binding),
        _ => false,
    });
    is_given
        || project.callbacks(call).into_iter().any(|handed| {
            let captures = &project.function(handed.function).captures;
            captures.iter().any(|binding| given(handed.function.with(*binding)))
        })
}

/// The clearing at the start of the method that ends the object, where there is such a method.
fn cleared_at_end(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<(String, Edit)> {
    let Keeper::Place(place) = keeper(project, call, ty) else { return None };
    let name = project.place_text(place);
    let Root::Field(class, _) = place.root else {
        let Served { event, handler, .. } = idle::after_end(project, call, place, &care(project, place, ty))?;
        let text = &project.sources.get(handler.file).text;
        let brace = project.function(handler).body.end.checked_sub(1)?;
        let clear = format!("clearInterval({name}){}", semicolon(text, project.call(call).statement));
        return Some((format!("clear it in the '{event}' handler"), at_end(handler.file, text, brace, &clear)?));
    };
    let ending = endings(project, class).into_iter().next()?;
    let text = &project.sources.get(ending.file).text;
    let edit = at_start(ending.file, text, project.function(ending).body.start, &format!("clearInterval({name});"))?;
    name.starts_with("this.").then(|| (format!("clear it in {}", project.function_name(ending)), edit))
}

/// The type that the call gives, if it is an interval that it starts itself (a wrapper's caller is not asked).
fn interval<'a>(project: &Project<'a>, call: In<CallId>) -> Option<&'a Type> {
    let ty = project.contracts.ty(project.api(call)?.gives.as_deref()?)?;
    (project.contracts.is_family(ty, "interval") && !runs_nothing(project, call)).then_some(ty)
}

/// A clock that is given options where the function to run would stand is only asked for times.
fn runs_nothing(project: &Project<'_>, call: In<CallId>) -> bool {
    let count = project.call(call).arguments.len();
    let data = |at: i16| {
        let from_end = usize::from(at.unsigned_abs());
        let at = if at < 0 { count.checked_sub(from_end) } else { Some(from_end) };
        let given = at.and_then(|at| project.argument(call, u16::try_from(at).ok()?));
        given.is_none_or(|argument| matches!(project.origin(argument), Origin::Object(_) | Origin::Literal(_)))
    };
    let callbacks = project.api(call).map(|api| api.callbacks.as_slice()).unwrap_or_default();
    !callbacks.is_empty() && callbacks.iter().all(|callback| data(callback.argument))
}

type Verdict = (String, String, Confidence, Vec<Access>);

fn judge(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Verdict> {
    match keeper(project, call, ty) {
        Keeper::Elsewhere => None,
        Keeper::Dropped => {
            // `clearInterval(this)` in the callback: Node passes the timer as the receiver of plain functions.
            let callback = project.callbacks(call).into_iter().next();
            if callback.is_some_and(|handed| clears_itself(project, &handed.function)) {
                return None;
            }
            let help = "keep the handle and pass it to `clearInterval` where its owner ends".to_owned();
            Some((
                "interval whose handle is dropped: nothing can clear it".to_owned(),
                help,
                lost(project, call),
                Vec::new(),
            ))
        }
        Keeper::Place(place) => {
            let care = care(project, place, ty);
            if let Some(served) = idle::after_end(project, call, place, &care) {
                return Some(idles(project, place, served));
            }
            if is_cleared_elsewhere(project, call, place) || !care.escapes.is_empty() {
                return None;
            }
            if let Some(verdict) = failed_only(project, place, &care) {
                return Some(verdict);
            }
            if !care.releases.iter().all(|access| is_rearmed(project, access, &care)) {
                return None;
            }
            Some(kept(project, call, place, care))
        }
    }
}

/// An interval of a function that only an 'error' clears: what ends in good order leaves it running.
fn failed_only(project: &Project<'_>, place: Place, care: &Care) -> Option<Verdict> {
    let on_error = |release: &Access| {
        let function = release.function();
        let handed = project.passed_to(function);
        let error = |event: crate::model::Name| event == "error";
        !handed.is_empty()
            && handed.iter().all(|passed| passed.handed.event.is_some_and(error))
            && project.callers(function).is_empty()
    };
    let local = matches!(place.root, Root::Variable(_));
    (local && !care.releases.is_empty() && care.releases.iter().all(on_error)).then(|| {
        let name = project.place_text(place);
        (
            format!("interval in `{name}` is cleared only when there is an error"),
            format!("call `clearInterval({name})` on 'close', which comes after every end"),
            Confidence::Medium,
            care.releases.clone(),
        )
    })
}

/// `client.tick = setInterval(…)` of an object that was handed in, and `clearInterval(this.tick)` in that object's own code, or
/// the other way round: by their names one. In one file the name alone says so.
fn is_cleared_elsewhere(project: &Project<'_>, call: In<CallId>, place: Place) -> bool {
    let slot = || place.path.rsplit_once('.').map(|(_, name)| name);
    let (name, parameter) = match place.root {
        Root::Variable(binding) => (slot(), matches!(project.binding(binding).kind, BindingKind::Parameter(_))),
        Root::Field(_, ref name) if place.path.is_empty() => (Some(name.as_str()), false),
        _ => return false,
    };
    let Some(name) = name else { return false };
    let clears = |other: In<CallId>| {
        let cleared = project.api(other).and_then(|api| api.releases).and_then(|_| project.argument(other, 0));
        cleared.is_some_and(|value| {
            let named = matches!(project.value(value), Value::Member(_, of) if *of == *name);
            named && project.place(value) != Some(place)
        })
    };
    project
        .calls()
        .filter(|other| !project.is_native(other.file) && (parameter || other.file == call.file))
        .any(clears)
}

/// An interval that its own callback clears, but not when what it serves ends.
fn idles(project: &Project<'_>, place: Place, served: Served) -> Verdict {
    let name = project.place_text(place);
    let Served { object, event, cleared, .. } = served;
    (
        format!("interval in `{name}` goes on after '{event}' of `{object}`"),
        format!("call `clearInterval({name})` in the '{event}' handler of `{object}`"),
        Confidence::Medium,
        vec![cleared],
    )
}

fn kept(project: &Project<'_>, call: In<CallId>, place: Place, care: Care) -> Verdict {
    let name = project.place_text(place);
    let ending = match place.root {
        Root::Field(class, _) => endings(project, class).into_iter().next(),
        _ => None,
    };
    let offered = project.call_rate(call).is_offered;
    let confidence = match (&place.root, ending, care.releases.is_empty()) {
        // A local that nobody clears is as lost as a dropped handle.
        (Root::Variable(_), _, true) => lost(project, call),
        (_, Some(_), true) if !offered => Confidence::High,
        _ => Confidence::Medium,
    };
    let message = if care.releases.is_empty() {
        format!("interval in `{name}` is never cleared")
    } else {
        format!("interval in `{name}` is cleared only to be armed again: the last one stays")
    };
    let help = match ending {
        Some(ending) => format!("call `clearInterval({name})` in {}", project.function_name(ending)),
        None if matches!(place.root, Root::Variable(_)) => {
            let function = project.function(project.function_of(call));
            let owner = if function.kind == FunctionKind::Constructor {
                "a field, and clear it"
            } else {
                "reach, and clear it"
            };
            format!("keep the handle in {owner} with `clearInterval` where the owner ends")
        }
        None => format!("add a method that ends the object and calls `clearInterval({name})`"),
    };
    (message, help, confidence, care.releases)
}

/// How sure it is that an interval which nobody can clear is left behind: surely where each event or each instance of
/// something that ends starts one; what an exported function starts goes on with the program, as a rule.
fn lost(project: &Project<'_>, call: In<CallId>) -> Confidence {
    let class = project.enclosing_class(project.function_of(call));
    match project.call_rate(call).rate {
        _ if class.is_none() && is_in_start(project, call) => Confidence::Low,
        Some(Rate::PerEvent) if project.drive(project.function_of(call)).by_events() => Confidence::High,
        Some(Rate::PerInstance) if class.is_some_and(|class| !endings(project, class).is_empty()) => Confidence::High,
        _ => Confidence::Medium,
    }
}

/// A function whose name says that it makes a whole program ready, and that nobody else can call: it runs once, and its
/// interval goes on with the program.
fn is_in_start(project: &Project<'_>, call: In<CallId>) -> bool {
    let named = project.named_around(project.function_of(call));
    let offered = project.call_rate(call).is_offered;
    named.filter(|function| !offered && !project.is_public(*function)).is_some_and(|function| {
        let (words, name) = (&project.contracts.words, project.function(function).name);
        words.any(Meaning::Booting, &name) || words.any(Meaning::SettingUp, &name)
    })
}

/// Whether a release is followed by an assignment of the place in the same function: the next interval replaces it.
fn is_rearmed(project: &Project<'_>, release: &Access, care: &Care) -> bool {
    care.assigned.iter().any(|assigned| {
        assigned.file == release.file
            && assigned.function == release.function
            && assigned.span.start > release.span.start
            && !released_call(release)
                .is_some_and(|call| stops_between(&project.function(release.function()).flow, call, assigned.span))
    })
}

fn released_call(release: &Access) -> Option<CallId> {
    match release.kind {
        AccessKind::Argument { call, .. } | AccessKind::Method { call, .. } => Some(call),
        _ => None,
    }
}

/// Whether some way leads past the assignment after the release: it leaves in between, or the assignment is in a branch that
/// the release is not in.
fn stops_between(flow: &Flow, release: CallId, assigned: Span) -> bool {
    let (releases, assigns) = (|part: &Flow| has_call(part, release), |part: &Flow| has_assignment(part, assigned));
    match flow {
        Flow::Sequence(parts) => {
            if let Some(both) = parts.iter().find(|part| releases(part) && assigns(part)) {
                return stops_between(both, release, assigned);
            }
            let mut leaves = parts.iter().find(|part| releases(part)).is_some_and(|part| leaves_after(part, release));
            for part in parts.iter().skip_while(|part| !releases(part)).skip(1) {
                if assigns(part) {
                    return leaves || matches!(part, Flow::Branch { then, otherwise, .. } if !assigns(then) || !assigns(otherwise));
                }
                part.walk(&mut |inner| leaves |= matches!(inner, Flow::Exit(Exit::Return(_), _)));
            }
            false
        }
        Flow::Branch { then, otherwise, .. } => {
            [then, otherwise].into_iter().any(|side| releases(side) && stops_between(side, release, assigned))
        }
        Flow::Loop { body, .. } | Flow::Labelled(_, body) | Flow::Try { body, .. } => {
            stops_between(body, release, assigned)
        }
        _ => false,
    }
}

/// Whether the side of a branch that has the release leaves the function.
fn leaves_after(flow: &Flow, release: CallId) -> bool {
    match flow {
        Flow::Sequence(parts) => {
            let after = parts.iter().skip_while(|part| !has_call(part, release));
            let mut leaves = false;
            for part in after {
                leaves |= matches!(part, Flow::Exit(Exit::Return(_), _)) || leaves_after(part, release);
            }
            leaves
        }
        Flow::Branch { then, otherwise, .. } => {
            [then, otherwise].into_iter().any(|side| has_call(side, release) && leaves_after(side, release))
        }
        _ => false,
    }
}

fn has_call(flow: &Flow, call: CallId) -> bool {
    let mut found = false;
    flow.walk(&mut |inner| found |= matches!(inner, Flow::Step(Step::Call(id)) if *id == call));
    found
}

fn has_assignment(flow: &Flow, at: Span) -> bool {
    let mut found = false;
    flow.walk(&mut |inner| {
        if let Flow::Step(Step::Assign(assign)) = inner {
            found |= assign.span.start <= at.start && at.end <= assign.span.end;
        }
    });
    found
}

fn clears_itself(project: &Project<'_>, callback: &In<crate::model::FunctionId>) -> bool {
    let summary = project.summary(callback.file);
    project.calls_in(*callback).any(|call| {
        project.api(call).is_some_and(|api| api.releases.is_some())
            && project.argument(call, 0).is_some_and(|argument| {
                matches!(summary.value(argument.id), crate::model::Value::This(receiver) if *receiver == callback.id)
            })
    })
}
