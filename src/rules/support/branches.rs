//! Handles in fields that the one function which ends them releases on several of its branches, and forgets on another: who
//! wrote the release twice meant it for all. Says nothing of fields with one release, whose guard may tell whether they are
//! set, nor of objects that die on the branch themselves: these may be of another make.

use super::members::Stored;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::{Api, Effect, Part, Runs};
use crate::model::{Flow, FunctionId, FunctionKind, In, Step, Value, ValueId};
use crate::project::{Access, AccessKind, ExitKind, Project, Row};
use crate::text::Location;

/// The branch that forgets a field.
#[derive(Clone, Debug)]
pub(crate) struct Forgetful {
    /// The function that forgets it.
    pub(crate) end: In<FunctionId>,
    /// Where another branch, or another such function, releases it.
    pub(crate) released: Location,
    /// The way out that forgets it; none where all do.
    pub(crate) lost: Option<Row>,
}

/// The branch that forgets a stored handle, if one does.
pub(crate) fn forgetful<'a>(project: &Project<'a>, stored: &Stored<'a>) -> Option<Forgetful> {
    let accesses = project.accesses(stored.place);
    let releases: Vec<&Access> = accesses.iter().filter(|access| releases(project, access)).collect();
    // Some other call has taken it over.
    let is_taken = |access: &Access| {
        let AccessKind::Argument { call, index } = access.kind else { return false };
        let effect = |api: &Api| api.arguments.get(index as usize).copied().unwrap_or(api.rest);
        project.api(access.of(call)).map(effect).is_some_and(|it| matches!(it, Effect::Take | Effect::TakeOnSuccess))
    };
    if accesses.iter().any(is_taken) {
        return None;
    }
    let mut ends: Vec<_> = releases.iter().map(|access| access.function()).collect();
    ends.dedup();
    // What a framework calls last may be one function for success and one for failure; any other end has to be the only one,
    // and to say it twice.
    let is_last = !ends.is_empty() && ends.iter().all(|end| ends_object(project, *end));
    if !is_last && (ends.len() != 1 || releases.len() < 2) {
        return None;
    }
    if let Some(end) = is_last.then(|| forgotten_by_twin(project, stored, &ends)).flatten() {
        return Some(Forgetful { end, released: releases.first()?.at(), lost: None });
    }
    ends.iter().find_map(|end| {
        let first = releases.iter().find(|access| access.function() == *end)?;
        let destructs = project.function(*end).kind == FunctionKind::Destructor;
        // Whoever asks for it, knows whether it is there.
        let asks = |access: &Access| access.function() == *end && matches!(access.kind, AccessKind::Tested);
        if *end == stored.function
            || destructs
            || accesses.iter().any(asks)
            || owner_dies(project, *end, first.of(first.value))
        {
            return None;
        }
        let forgets = |row: &Row| {
            let leaves = matches!(row.exit, ExitKind::Fallthrough | ExitKind::Return | ExitKind::ScopeEnd);
            let ends_others = |decision: &(Location, bool)| ends_others(project, *end, decision);
            row.is_lost() && leaves && (is_last || row.decisions.last().is_some_and(ends_others))
        };
        let lost = project.place_paths(*end, stored.place, stored.ty).into_iter().find(forgets)?;
        Some(Forgetful { end: *end, released: first.at(), lost: Some(lost) })
    })
}

/// A last callback of the same class, for the other outcome, that does not release what these do.
fn forgotten_by_twin(project: &Project<'_>, stored: &Stored<'_>, ends: &[In<FunctionId>]) -> Option<In<FunctionId>> {
    let helps = |method: In<FunctionId>| {
        project.calls_in(method).any(|call| project.targets(call).functions.iter().any(|target| ends.contains(target)))
    };
    // Whoever gets it there, a method that heirs define or code that is not here, may release it.
    let accesses = project.accesses(stored.place);
    let hands_on = |method: In<FunctionId>| {
        let is_handed = |access: &Access| match access.kind {
            AccessKind::Argument { call, .. } => project.api(access.of(call)).is_none(),
            _ => false,
        };
        accesses.iter().any(|access| access.function() == method && is_handed(access))
    };
    let mut methods = project.methods(stored.class).into_iter();
    methods.find(|twin| {
        let is_twin = project.function(*twin).has_body && !ends.contains(twin) && ends_object(project, *twin);
        is_twin && !helps(*twin) && !hands_on(*twin)
    })
}

/// Whether a function is one of the callbacks for an outcome, the last that a framework calls of an object before it
/// deletes it.
fn ends_object(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let ty = project.class_of(function).and_then(|class| project.class_type(class));
    ty.is_some_and(|ty| {
        let runs = project.contracts.overridden(ty, &project.function(function).name);
        project.contracts.is_family(ty, "async-worker") && runs == Some(Runs::Maybe)
    })
}

/// Whether the side of a branch that a decision takes releases something itself: then it is an end, too.
fn ends_others(project: &Project<'_>, end: In<FunctionId>, (at, held): &(Location, bool)) -> bool {
    let mut found = false;
    project.function(end).flow.walk(&mut |flow| {
        let Flow::Branch { then, otherwise, span, .. } = flow else { return };
        if project.at(end.file, *span) == *at {
            let side = if *held { then } else { otherwise };
            side.walk(&mut |flow| {
                let Flow::Step(Step::Call(call)) = flow else { return };
                found |= project.api(end.with(*call)).is_some_and(|api| api.releases.is_some());
            });
        }
    });
    found
}

fn releases(project: &Project<'_>, access: &Access) -> bool {
    let part = match access.kind {
        AccessKind::Argument { index, .. } => Part::Argument(index),
        AccessKind::Method { .. } => Part::Receiver,
        _ => return false,
    };
    match access.kind {
        AccessKind::Argument { call, .. } | AccessKind::Method { call, .. } => {
            project.api(access.of(call)).is_some_and(|api| api.releases == Some(part))
        }
        _ => false,
    }
}

/// Whether a function releases or gives away the object whose field a value is.
fn owner_dies(project: &Project<'_>, function: In<FunctionId>, value: In<ValueId>) -> bool {
    let Value::Member(owner, _) = project.value(value) else { return true };
    let names = project.under_all_names(value.with(*owner));
    names.into_iter().flat_map(|name| project.uses(name)).any(|access| match access.kind {
        AccessKind::Argument { call, index } if access.function() == function => {
            let api = project.api(access.of(call));
            api.is_none_or(|api| {
                let effect = api.arguments.get(index as usize).copied().unwrap_or(api.rest);
                api.releases == Some(Part::Argument(index)) || matches!(effect, Effect::Take | Effect::TakeOnSuccess)
            })
        }
        _ => false,
    })
}

/// The finding about it.
pub(crate) fn on_one_way(project: &Project<'_>, rule: &'static str, stored: &Stored<'_>, found: &Forgetful) -> Finding {
    let (Stored { field, noun, at, .. }, Forgetful { end, released, lost }) = (stored, found);
    let name = project.function_name(*end);
    let mut finding = Finding::new(
        rule,
        Confidence::Medium,
        *at,
        match lost {
            Some(_) => format!("{noun} `{field}` is forgotten on one way through {name}"),
            None => format!("{noun} `{field}` is forgotten by {name}"),
        },
    )
    .with_why(match lost {
        Some(_) => format!("{name} releases it on the other ways, and nothing else does"),
        None => "the callback for the other outcome releases it, and only one of them is called".to_owned(),
    })
    .with_help(format!("release `{field}` on all ways through {name}"))
    .with_context(project.function_name(stored.function))
    .with_step(StepKind::Acquire, *at, format!("`{field}` receives it here"))
    .with_step(StepKind::Release, *released, "released on this way");
    let Some(lost) = lost else {
        return finding.with_step(StepKind::Exit, project.locate_function(*end), "this one does not release it");
    };
    for (at, held) in lost.decisions.iter().take(3) {
        let words = if *held { "where this holds" } else { "where this does not hold" };
        finding = finding.with_step(StepKind::Hold, *at, words);
    }
    finding.with_step(StepKind::Exit, lost.at, "left without releasing it")
}
