//! Timers that end an operation when it takes too long, and the other ways on which the operation ends: each of them must
//! clear the timer. An operation is a promise's executor, or a function that answers by a callback. Weighs no rates.

use super::ending::reach;
use super::keeper::{Care, Keeper, care, keeper};
use crate::model::words::Meaning;
use crate::model::{
    BindingId, BindingKind, CallId, Cond, Flow, FunctionId, In, Literal, Step, Summary, Type, Value, ValueId,
};
use crate::project::{Access, AccessKind, ExitKind, Key, Origin, Place, Project, Root, State};
use crate::text::Location;
use rustc_hash::FxHashSet;

/// Below this many milliseconds a timer is a pause that is over before anybody misses what it holds.
pub(super) const PAUSE: i64 = 1000;

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
    if let Some(left) = hopeful(project, call, place, &care) {
        return Some(left);
    }
    let answers = answers(project, home, handler);
    if answers.is_empty() {
        return None;
    }
    let deadline = Deadline { project, call, home, handler, care, place, ty };
    deadline.left(&answers)
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
fn is_pause(project: &Project<'_>, call: In<CallId>) -> bool {
    let Some(delay) = project.argument(call, 1) else { return true };
    matches!(project.origin(delay), Origin::Literal(Literal::Int(delay)) if delay < PAUSE)
}

/// `unref()` is no release, but whoever calls it has thought of the timer that stays.
fn is_unreferenced(project: &Project<'_>, call: In<CallId>, place: Option<Place>) -> bool {
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
    let ends = project.calls_in(callback).any(|inner| {
        let word = project.method_name(inner);
        word.is_some_and(|word| project.contracts.words.has(Meaning::Disposal, &word))
            && project.receiver(inner).is_some_and(|receiver| project.same(receiver, awaited))
    });
    let assigned =
        care.assigned.len() == 1 && project.accesses(place).iter().any(|access| care.releases.contains(access));
    (ends && assigned).then(|| Left { at: project.locate(wait), cleared: Some(care.releases[0].at()) })
}

/// The variables by which the operation around `home` answers, as far as the timer's callback uses one of them.
fn answers(project: &Project<'_>, home: In<FunctionId>, handler: In<ValueId>) -> Vec<In<BindingId>> {
    let mut used: Vec<In<BindingId>> = Vec::new();
    let mut note = |value: In<ValueId>| {
        for origin in project.origins(value) {
            if let Origin::Parameter(binding) = origin {
                used.push(binding);
            }
        }
    };
    note(handler);
    for function in project.functions_in(handler) {
        for function in within(project, home, &reach(project, function)) {
            for call in project.calls_in(function) {
                note(call.with(project.call(call).callee));
            }
        }
    }
    let mut found: Vec<In<BindingId>> = Vec::new();
    for binding in used {
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
        // Whoever clears it elsewhere (in a `finally`, on 'close') does so whatever the way.
        let tied = |release: &Access| {
            own.contains(&release.function()) || ways.iter().any(|way| self.answers_with(way, release.function()))
        };
        if !matches!(self.place, Some(Place { root: Root::Variable(_), .. })) || !self.care.releases.iter().all(tied) {
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
            return handed && access.span.start > in_call.end && self.is_past(access);
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
            let used = project.passed_to(outer).iter().map(|passed| passed.call).collect::<Vec<_>>();
            used.iter().any(|call| {
                let at = project.call(*call).span;
                call.file == self.call.file && at.start > armed.end && !self.excludes(at.start)
            })
        }
    }

    /// Whether a position lies in the other arm of a branch whose one arm arms the timer.
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
                    (armed_here, low <= at && at < high)
                };
                let (a, b) = (arms(then), arms(otherwise));
                excludes |= a.0 && b.1 || b.0 && a.1;
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
        if function == self.home || self.is_cleared_around(function) {
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

/// What a dropped timer does when it fires: it first asks whether a thing that its function was given is over, and ends it
/// if not. That it asks says that it mostly comes too late.
pub(crate) fn asks_first(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Location> {
    if keeper(project, call, ty) != Keeper::Dropped || is_pause(project, call) || is_unreferenced(project, call, None) {
        return None;
    }
    let callback = *project.functions_in(project.argument(call, 0)?).first()?;
    let summary = project.summary(callback.file);
    let (asked, then, span) = guarded(&project.function(callback).flow)?;
    let asked = over(summary, asked);
    let mut ends = false;
    then.walk(&mut |flow| {
        let Flow::Step(Step::Call(inner)) = flow else { return };
        let Value::Member(object, name) = summary.value(summary.call(*inner).callee) else { return };
        let word = name == "reject" || project.contracts.words.has(Meaning::Disposal, name);
        let root = root_of(project, callback.with(*object));
        ends |= word && root.is_some() && asked.iter().any(|value| root_of(project, callback.with(*value)) == root);
    });
    ends.then(|| project.at(callback.file, span))
}

/// The condition on which a body does anything at all, and what it does then.
fn guarded(flow: &Flow) -> Option<(&Cond, &Flow, crate::text::Span)> {
    let parts = match flow {
        Flow::Sequence(parts) => &parts[..],
        one => std::slice::from_ref(one),
    };
    let branches: Vec<&Flow> = parts.iter().filter(|part| matches!(part, Flow::Branch { .. })).collect();
    let [Flow::Branch { cond, then, otherwise, span }] = branches[..] else { return None };
    let rest = parts.iter().any(|part| !matches!(part, Flow::Branch { .. } | Flow::Step(Step::ScopeEnd { .. })));
    (otherwise.is_empty() && !rest).then_some((cond, &**then, *span))
}

/// The parts of things that a condition wants to be false: `!child.killed`, not whether there is a child.
fn over(summary: &Summary, cond: &Cond) -> Vec<ValueId> {
    match cond {
        Cond::Not(inner) => match &**inner {
            Cond::Truthy(value) if matches!(summary.value(*value), Value::Member(..)) => vec![*value],
            _ => Vec::new(),
        },
        Cond::All(parts) => parts.iter().flat_map(|part| over(summary, part)).collect(),
        _ => Vec::new(),
    }
}

/// The local variable of an outer function that a value is a part of.
fn root_of(project: &Project<'_>, value: In<ValueId>) -> Option<In<BindingId>> {
    match project.value(value) {
        Value::Member(object, _) | Value::Index(object, _) => root_of(project, value.with(*object)),
        Value::Opaque(parts) => match parts[..] {
            [only] => root_of(project, value.with(only)),
            _ => None,
        },
        Value::Binding(binding) => {
            let binding = value.with(*binding);
            (project.binding(binding).function != FunctionId::MODULE).then_some(binding)
        }
        _ => None,
    }
}
