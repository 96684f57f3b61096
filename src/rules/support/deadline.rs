//! Timers that end an operation when it takes too long, and the other ways on which the operation ends: each of them must
//! clear the timer. An operation is a promise's executor, or a function that answers by a callback. Weighs no rates.

use super::ending::reach;
use super::keeper::{Care, Keeper, care, keeper};
use super::outcomes::fulfilment;
use crate::model::words::Meaning;
use crate::model::{BindingId, BindingKind, CallId, Exit, Flow, FunctionId, In, Literal, Step, Type, Value, ValueId};
use crate::project::{Access, AccessKind, ExitKind, Key, Origin, Place, Project, Root, State};
use crate::text::Location;
use rustc_hash::FxHashSet;

/// Below this many milliseconds a timer is a pause that is over before anybody misses what it holds.
pub(super) const PAUSE: i64 = 1000;

/// Below this many milliseconds, half a minute, a timer that fires once is over before anybody misses what it holds.
const SOON: i64 = 30_000;

/// A way on which the operation ends with the timer still armed.
pub(crate) struct Left {
    /// Where it ends.
    pub(crate) at: Location,
    /// Where another way clears the timer, if any does.
    pub(crate) cleared: Option<Location>,
}

/// The way on which the operation that a one-shot timer ends is over while the timer goes on.
pub(crate) fn left(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Left> {
    if is_pause(project, call) {
        return None;
    }
    let home = project.function_of(call);
    let kept = keeper(project, call, ty);
    let place = match kept {
        Keeper::Dropped => None,
        Keeper::Place(place) => Some(place),
        Keeper::Elsewhere => return None,
    };
    let care = place.map(|place| care(project, place, ty)).unwrap_or_default();
    if !care.escapes.is_empty() || is_unreferenced(project, call, place) || is_shared(project, place, &care) {
        return None;
    }
    let handler = project.argument(call, 0)?;
    if let Some(left) = hopeful(project, call, place, &care).or_else(|| fulfilled(project, call, place, &care)) {
        return Some(left);
    }
    let mut answers = answers(project, home, handler);
    if answers.is_empty() {
        answers = answered_beside(project, home, &care);
    }
    if answers.is_empty() {
        return None;
    }
    let deadline = Deadline { project, call, home, handler, care, place, ty };
    deadline.left(&answers)
}

/// Whether code never comes to its end.
fn leaves(flow: &Flow) -> bool {
    match flow {
        Flow::Sequence(parts) => parts.iter().any(leaves),
        Flow::Branch { then, otherwise, .. } => leaves(then) && leaves(otherwise),
        Flow::Exit(exit, _) => matches!(exit, Exit::Return(_) | Exit::Throw(_)),
        _ => false,
    }
}

/// Whether anything but a release is handed the timer: a list of timers to clear, a helper.
fn is_shared(project: &Project<'_>, place: Option<Place>, care: &Care) -> bool {
    place.is_some_and(|place| {
        project.accesses(place).iter().any(|access| {
            matches!(access.kind, AccessKind::Argument { .. } | AccessKind::Inside { .. })
                && !care.releases.contains(access)
        })
    })
}

/// Whether the delay is written out and short.
pub(crate) fn is_pause(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(delay) = project.argument(call, 1) else { return true };
    match project.value(delay) {
        // `Math.random() * 250`.
        Value::Opaque(parts) => {
            let random = |part: &ValueId| match project.value(delay.with(*part)) {
                Value::Result(random) => project.path(delay.with(*random)).is_some_and(|path| path == "Math.random"),
                _ => false,
            };
            let short = |part: &ValueId| match project.value(delay.with(*part)) {
                Value::Literal(Literal::Int(delay)) => *delay < PAUSE,
                Value::Literal(_) => true,
                _ => random(part),
            };
            parts.iter().any(random) && parts.iter().all(short)
        }
        // `delay || 500`.
        Value::Choice(parts) => {
            let short = |part: &ValueId| matches!(project.value(delay.with(*part)), Value::Literal(Literal::Int(delay)) if *delay < PAUSE);
            parts.iter().any(short)
        }
        _ => matches!(project.origin(delay), Origin::Literal(Literal::Int(delay)) if delay < PAUSE),
    }
}

/// A short time that is written out, be it the one that holds where nobody gives another.
pub(crate) fn is_soon(project: &Project<'_>, delay: In<ValueId>) -> bool {
    let short = |origin: Origin| matches!(origin, Origin::Literal(Literal::Int(delay)) if delay < SOON);
    match project.value(delay) {
        Value::Choice(parts) => parts.iter().any(|part| short(project.origin(delay.with(*part)))),
        _ => short(project.origin(delay)),
    }
}

/// `unref()` is no release, but whoever calls it has thought of the timer that stays.
pub(crate) fn is_unreferenced(project: &Project<'_>, call: In<CallId>, place: Option<Place>) -> bool {
    let is_unref =
        |access: &Access| matches!(access.kind, AccessKind::Method { key: Key::Name(name), .. } if name == "unref");
    project.result(call).is_some_and(|result| project.uses(result).iter().any(is_unref))
        || place.is_some_and(|place| project.accesses(place).iter().any(is_unref))
}

/// A local timer that is cleared when the thing that it waits for begins, and by nothing that tells of its failure.
fn hopeful(project: &Project<'_>, call: In<CallId>, place: Option<Place>, care: &Care) -> Option<Left> {
    let place = place.filter(|place| matches!(place.root, Root::Variable(_)))?;
    let home = project.function_of(call);
    let event = |access: &Access| {
        let mut function = access.function();
        let mut events = Vec::new();
        while function != home {
            events.extend(
                project.passed_to(function).iter().filter_map(|passed| Some((passed.call, passed.handed.event?))),
            );
            function = function.with(project.function(function).parent?);
        }
        (!events.is_empty() && events.iter().all(|(_, event)| project.contracts.words.has(Meaning::Hoped, event)))
            .then(|| events[events.len() - 1].0)
    };
    let waits: Option<Vec<In<CallId>>> = care.releases.iter().map(event).collect();
    let wait = *waits?.first()?;
    // What it waits for is what it ends when nothing comes.
    let awaited = project.receiver(wait)?;
    let callback = *project.functions_in(project.argument(call, 0)?).first()?;
    // The one clean-up of both.
    if care.releases.iter().any(|release| release.function() == callback) {
        return None;
    }
    let ends = project.calls_in(callback).any(|inner| {
        let word = project.method_name(inner);
        word.is_some_and(|word| project.contracts.words.has(Meaning::Disposal, &word))
            && project.receiver(inner).is_some_and(|receiver| project.same(receiver, awaited))
    });
    let assigned =
        care.assigned.len() == 1 && project.accesses(place).iter().any(|access| care.releases.contains(access));
    (ends && assigned).then(|| Left { at: project.locate(wait), cleared: Some(care.releases[0].at()) })
}

/// A local timer that is cleared where a promise is fulfilled, and stays where it is rejected.
fn fulfilled(project: &Project<'_>, call: In<CallId>, place: Option<Place>, care: &Care) -> Option<Left> {
    let place = place.filter(|place| matches!(place.root, Root::Variable(_)))?;
    let home = project.function_of(call);
    let reaction = |release: &Access| {
        let conditional = match release.kind {
            AccessKind::Argument { call, .. } => project.is_conditional(release.of(call)),
            _ => true,
        };
        fulfilment(project, release.function()).filter(|then| !conditional && project.function_of(*then) == home)
    };
    let reactions: Option<Vec<In<CallId>>> = care.releases.iter().map(reaction).collect();
    let then = *reactions?.first()?;
    let after = project.call(then).span.end > project.call(call).span.end;
    let declared = project.accesses(place).iter().any(|access| care.releases.contains(access));
    (after && declared).then(|| Left { at: project.locate(then), cleared: Some(care.releases[0].at()) })
}

/// The variables by which the operation around `home` answers, as far as the timer's callback uses one of them.
pub(crate) fn answers(project: &Project<'_>, home: In<FunctionId>, handler: In<ValueId>) -> Vec<In<BindingId>> {
    let mut used = vec![handler];
    for function in project.functions_in(handler) {
        for function in within(project, home, &reach(project, function)) {
            used.extend(project.calls_in(function).map(|call| call.with(project.call(call).callee)));
        }
    }
    parameters_of_operation(project, home, used)
}

/// The parameters of functions around `home` by which an operation answers, among what some values may be; both of an
/// executor's where one is.
fn parameters_of_operation(
    project: &Project<'_>,
    home: In<FunctionId>,
    values: impl IntoIterator<Item = In<ValueId>>,
) -> Vec<In<BindingId>> {
    let mut found: Vec<In<BindingId>> = Vec::new();
    for origin in values.into_iter().flat_map(|value| project.origins(value).to_vec()) {
        let Origin::Parameter(binding) = origin else { continue };
        let data = project.binding(binding);
        let owner = binding.with(data.function);
        let around = binding.file == home.file && project.summary(home.file).is_inside(home.id, owner.id);
        if !around || !matches!(data.kind, BindingKind::Parameter(_)) {
            continue;
        }
        if project.is_executor(owner) {
            found.extend(project.function(owner).parameters.iter().take(2).map(|parameter| owner.with(*parameter)));
        } else if project.contracts.words.has(Meaning::Answering, &data.name) {
            found.push(binding);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The answers that go with clearing the timer in several functions: the timer is there until the operation has answered,
/// whatever it does itself when it fires.
fn answered_beside(project: &Project<'_>, home: In<FunctionId>, care: &Care) -> Vec<In<BindingId>> {
    let mut sites: Vec<In<FunctionId>> = care.releases.iter().map(Access::function).filter(|f| *f != home).collect();
    sites.sort_unstable();
    sites.dedup();
    let answered = |site: &In<FunctionId>| {
        let callees = project.calls_in(*site).map(|call| call.with(project.call(call).callee));
        parameters_of_operation(project, home, callees)
    };
    let mut each = sites.iter().map(answered);
    let (Some(first), Some(second)) = (each.next(), each.next()) else { return Vec::new() };
    let rest: Vec<Vec<In<BindingId>>> = each.collect();
    let everywhere = |answer: &In<BindingId>| second.contains(answer) && rest.iter().all(|site| site.contains(answer));
    first.into_iter().filter(everywhere).collect()
}

/// The functions of a set that are written inside the outermost function around `home`.
fn within(project: &Project<'_>, home: In<FunctionId>, set: &FxHashSet<In<FunctionId>>) -> Vec<In<FunctionId>> {
    let summary = project.summary(home.file);
    let mut outer = home.id;
    while let Some(parent) = summary.function(outer).parent.filter(|parent| *parent != FunctionId::MODULE) {
        outer = parent;
    }
    set.iter().copied().filter(|f| f.file == home.file && summary.is_inside(f.id, outer)).collect()
}

struct Deadline<'p, 'a> {
    project: &'p Project<'a>,
    call: In<CallId>,
    home: In<FunctionId>,
    handler: In<ValueId>,
    care: Care,
    place: Option<Place>,
    ty: &'p Type,
}

impl Deadline<'_, '_> {
    fn left(&self, answers: &[In<BindingId>]) -> Option<Left> {
        let project = self.project;
        let own: FxHashSet<_> = project.functions_in(self.handler).iter().flat_map(|f| reach(project, *f)).collect();
        let mut ways: Vec<Access> = Vec::new();
        for answer in answers {
            let accesses = project.accesses(Place::new(Root::Variable(*answer)));
            ways.extend(accesses.iter().filter(|access| self.is_way(access, &own)));
        }
        ways.sort_unstable_by_key(|access| access.span.start);
        if self.care.releases.is_empty() {
            return ways.first().map(|way| Left { at: way.at(), cleared: None });
        }
        let local = matches!(self.place, Some(Place { root: Root::Variable(_), .. }));
        if let Some(at) = self.caught(answers).filter(|_| local) {
            return Some(Left { at, cleared: Some(self.care.releases[0].at()) });
        }
        // Whoever clears it elsewhere (in a `finally`, on 'close') does so whatever the way.
        let tied = |release: &Access| {
            own.contains(&release.function()) || ways.iter().any(|way| self.answers_with(way, release.function()))
        };
        if !local || !self.care.releases.iter().all(tied) {
            return None;
        }
        let siblings = || self.care.releases.iter().find(|release| !own.contains(&release.function()));
        let cleared = siblings()?.at();
        ways.iter().find(|way| self.is_uncleared(way)).map(|way| Left { at: way.at(), cleared: Some(cleared) })
    }

    /// Whether an access of an answer ends the operation by something else than the timer, after it was armed.
    fn is_way(&self, access: &Access, own: &FxHashSet<In<FunctionId>>) -> bool {
        let project = self.project;
        let summary = project.summary(access.file);
        let function = access.function();
        let ends = matches!(access.kind, AccessKind::Called { .. } | AccessKind::Argument { .. });
        let inside = summary.is_inside(access.function, self.home.id);
        let in_call = project.call(self.call).span;
        if !ends || !inside || in_call.start <= access.span.start && access.span.end <= in_call.end {
            return false;
        }
        if function == self.home {
            let handed = matches!(access.kind, AccessKind::Argument { .. });
            let after = access.span.start > in_call.end || !self.may_wait();
            return handed && after && self.is_past(access) && !self.excludes(access.span.start);
        }
        if !own.contains(&function) {
            return self.is_later(function);
        }
        // A function that the timer shares with others.
        let others = project.callers(function);
        let called = others.iter().any(|caller| {
            let from = project.function_of(caller.call);
            !own.contains(&from) && from != self.home
        });
        let handed = project.passed_to(function);
        called
            || handed.iter().any(|passed| passed.call != self.call && !own.contains(&project.function_of(passed.call)))
    }

    /// Whether `resolve` is handed over as an end that comes later: to a promise or an event, not to a wrapper of its own.
    fn is_past(&self, access: &Access) -> bool {
        let AccessKind::Argument { call, .. } = access.kind else { return false };
        let name = self.project.method_name(access.of(call));
        name.is_some_and(|name| {
            matches!(name.as_str(), "then" | "catch" | "once" | "on" | "addListener" | "addEventListener")
        })
    }

    /// Whether a closure can run after the timer was armed: it, or the name that it has, is handed over or called then.
    fn is_later(&self, function: In<FunctionId>) -> bool {
        let project = self.project;
        let armed = project.call(self.call).span;
        // Of branches that exclude each other only one arms the timer.
        let mut outer = function;
        while let Some(parent) = project.function(outer).parent.map(|parent| outer.with(parent)) {
            if parent == self.home {
                break;
            }
            outer = parent;
        }
        let span = project.function(outer).span;
        span.start > armed.end && !self.excludes(span.start) || {
            project.passed_to(outer).iter().any(|passed| {
                let at = project.call(passed.call).span;
                // Events come when the code that arms the timer has run to its end, wherever it asks for them.
                let comes = passed.handed.event.is_some() || self.is_interval(passed.call);
                let after = at.start > armed.end || comes && !self.may_wait();
                passed.call.file == self.call.file && after && !self.excludes(at.start)
            })
        }
    }

    /// Whether a call starts an interval, whose turns come as events do.
    fn is_interval(&self, call: In<CallId>) -> bool {
        let contracts = self.project.contracts;
        let given = self.project.api(call).and_then(|api| contracts.ty(api.gives.as_deref()?));
        given.is_some_and(|ty| contracts.is_family(ty, "interval"))
    }

    /// Whether the function that arms the timer may wait for something before it does so.
    fn may_wait(&self) -> bool {
        self.project.function(self.home).is_async
    }

    /// Whether a position lies in the other arm of a branch whose one arm arms the timer, or behind the branch where that arm
    /// leaves the function.
    fn excludes(&self, at: u32) -> bool {
        let armed = self.call.id;
        let mut excludes = false;
        let summary = self.project.summary(self.home.file);
        self.project.function(self.home).flow.walk(&mut |flow| {
            if let Flow::Branch { then, otherwise, .. } = flow {
                let arms = |arm: &Flow| {
                    let (mut armed_here, mut low, mut high) = (false, u32::MAX, 0);
                    arm.walk(&mut |flow| {
                        if let Flow::Step(Step::Call(call)) = flow {
                            armed_here |= *call == armed;
                            let span = summary.call(*call).statement;
                            low = low.min(span.start);
                            high = high.max(span.end);
                        }
                    });
                    (armed_here, low <= at && at < high, armed_here && leaves(arm))
                };
                let (a, b) = (arms(then), arms(otherwise));
                excludes |= a.0 && b.1 || b.0 && a.1 || a.2 && !a.1 || b.2 && !b.1;
            }
        });
        excludes
    }

    /// Whether a way ends in a function that clears the timer, too, before or after.
    fn answers_with(&self, way: &Access, release: In<FunctionId>) -> bool {
        let way = way.function();
        way == release
            || self.project.leads_to(way, release) && way != self.home
            || self.project.leads_to(release, way) && release != self.home
    }

    /// Whether a way answers on a path that does not clear.
    fn is_uncleared(&self, way: &Access) -> bool {
        let project = self.project;
        let function = way.function();
        let Some(place) = self.place else { return false };
        if function == self.home {
            return self.is_handed_bare(way);
        }
        if self.is_cleared_around(function) {
            return false;
        }
        let releases = &self.care.releases;
        let reached = releases.iter().any(|release| project.leads_to(function, release.function()));
        if !reached {
            return true;
        }
        if !releases.iter().any(|release| release.function() == function) {
            return false;
        }
        let rows = project.place_paths(function, place, Some(self.ty));
        rows.iter().any(|row| row.state == State::Released)
            && rows.iter().any(|row| {
                let early = row.is_lost() && row.exit == ExitKind::Return && row.through.is_empty();
                early
                    && row.at.file == way.file
                    && row.at.span.start <= way.span.start
                    && way.span.end <= row.at.span.end
            })
    }

    /// Whether an answer is handed to an event as it is, `child.on('error', reject)`, and no handler of the same event, or of
    /// the 'close' that follows it, clears the timer.
    fn is_handed_bare(&self, way: &Access) -> bool {
        let project = self.project;
        let AccessKind::Argument { call, .. } = way.kind else { return false };
        let event_of = |call: In<CallId>| {
            let registers = project.api(call)?.registers.as_ref()?;
            project.event_name(call, registers)
        };
        let Some(event) = event_of(way.of(call)) else { return false };
        let heard = |function: In<FunctionId>| {
            project.passed_to(function).iter().any(|passed| {
                passed.handed.event.is_some_and(|other| other == event || other == "close" || other == "finish")
            })
        };
        !self.care.releases.iter().any(|release| project.around(release.function(), heard).is_some())
    }

    /// The answer of a handler that what follows the arming may throw into, where the handler does not clear the timer.
    fn caught(&self, answers: &[In<BindingId>]) -> Option<Location> {
        let project = self.project;
        let releases = |flow: &Flow| {
            let mut found = false;
            flow.walk(&mut |inner| {
                let Flow::Step(Step::Call(call)) = inner else { return };
                let span = project.call(self.home.with(*call)).span;
                found |= self
                    .care
                    .releases
                    .iter()
                    .any(|release| release.file == self.home.file && span.contains(release.span));
            });
            found
        };
        let all = &project.function(self.home).flow;
        let mut at = None;
        all.walk(&mut |flow| {
            let Flow::Try { body, handler: Some((_, handler)), .. } = flow else { return };
            let armed = project.call(self.call).span;
            let (mut arms, mut goes_on) = (false, false);
            body.walk(&mut |inner| {
                let Flow::Step(Step::Call(call)) = inner else { return };
                arms |= *call == self.call.id;
                goes_on |= project.call(self.home.with(*call)).span.start > armed.end;
            });
            if !arms || !goes_on {
                return;
            }
            handler.walk(&mut |inner| {
                let Flow::Step(Step::Call(call)) = inner else { return };
                let call = self.home.with(*call);
                let callee = call.with(project.call(call).callee);
                let answer =
                    |origin: &Origin| matches!(origin, Origin::Parameter(binding) if answers.contains(binding));
                if at.is_none() && project.origins(callee).iter().any(answer) {
                    at = Some(project.locate(call));
                }
            });
        });
        at.filter(|_| !releases(all))
    }

    /// Whether somebody who runs the function clears the timer himself.
    fn is_cleared_around(&self, function: In<FunctionId>) -> bool {
        let project = self.project;
        let clears = |from: In<FunctionId>| {
            from != self.home && self.care.releases.iter().any(|release| release.function() == from)
        };
        let mut around = project.function(function).parent.map(|parent| function.with(parent));
        while let Some(outer) = around.filter(|outer| *outer != self.home) {
            if clears(outer) {
                return true;
            }
            around = project.function(outer).parent.map(|parent| outer.with(parent));
        }
        project.callers(function).iter().any(|caller| clears(project.function_of(caller.call)))
    }
}
