//! Owners that are replaced: a variable or field that outlives a function receives a new instance each time the function
//! runs, and the last one, whose end other code does call, goes on listening to the process or ticking.

use super::ending::{endings, reaches};
use super::keeper::{Keeper, care, keeper};
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, FunctionId, In, Rate};
use crate::project::{Access, AccessKind, Key, Origin, Place, Project, Root};
use crate::text::Location;

/// An instance that another one takes the place of.
pub(crate) struct Replaced {
    /// The place.
    pub(crate) place: Place,
    /// The method that would end it.
    pub(crate) ending: In<FunctionId>,
    /// Where other code calls that.
    pub(crate) ended: Location,
    /// What goes on until then.
    pub(crate) held: Location,
}

/// What `new` replaces without ending it.
pub(crate) fn found(project: &Project<'_>, call: In<CallId>) -> Option<Replaced> {
    let result = project.result(call).filter(|_| project.call(call).is_new)?;
    let class = project.origins(result).iter().find_map(|origin| match origin {
        Origin::New(made, class) if *made == call => Some(*class),
        _ => None,
    })?;
    let home = project.function_of(call);
    let again = project.call_rate(call).rate.is_some_and(|rate| rate >= Rate::PerCall);
    if !again || project.is_once_guarded(call) || project.is_constructor(home) || is_start(project, home) {
        return None;
    }
    let place = project.uses(result).iter().find_map(|access| match access.kind {
        AccessKind::Stored { place } => project.place(access.of(place)),
        _ => None,
    })?;
    if !outlives(project, place, home) {
        return None;
    }
    let endings = endings(project, class);
    let (ending, ended) = project.accesses(place).iter().find_map(|access| {
        let AccessKind::Method { call: by, key: Key::Name(name) } = access.kind else { return None };
        let ending = endings.iter().find(|ending| project.function(**ending).name == name)?;
        project.contracts.words.has(Meaning::Disposal, &name).then(|| (*ending, project.locate(access.of(by))))
    })?;
    let held = held(project, class, &endings)?;
    (!is_careful(project, call, home, place)).then_some(Replaced { place, ending, ended, held })
}

/// `start()`, or what only that can call: whoever starts twice has stopped in between.
fn is_start(project: &Project<'_>, home: In<FunctionId>) -> bool {
    let words = &project.contracts.words;
    let starts = |function: In<FunctionId>| {
        let name = project.function(function).name;
        words.any(Meaning::Start, &name) || words.any(Meaning::Booting, &name)
    };
    let around = |call: In<CallId>| project.named_around(project.function_of(call));
    let callers = project.callers(home);
    starts(home)
        || !project.is_public(home)
            && !callers.is_empty()
            && callers.iter().all(|caller| around(caller.call).is_none_or(&starts))
}

/// A variable of the module, or a field of an object that the function is a method of.
fn outlives(project: &Project<'_>, place: Place, home: In<FunctionId>) -> bool {
    match place.root {
        Root::Variable(binding) => project.binding(binding).function == FunctionId::MODULE && place.path.is_empty(),
        Root::Field(class, _) => project.class_of(home) == Some(class) && place.path.is_empty(),
        _ => false,
    }
}

/// Whether the code looks at the place, or ends what is in it, before it puts the next one there.
fn is_careful(project: &Project<'_>, call: In<CallId>, home: In<FunctionId>, place: Place) -> bool {
    let before = project.call(call).span.start;
    let touches = |access: &Access| !matches!(access.kind, AccessKind::Assigned { .. } | AccessKind::Stored { .. });
    let accesses = project.accesses(place);
    let concerns: Vec<&Access> = accesses.iter().filter(|access| touches(access)).collect();
    let around =
        |f: In<FunctionId>| project.around(home, |outer| outer == f && outer.id != FunctionId::MODULE).is_some();
    let here = concerns.iter().any(|access| around(access.function()) && access.span.start < before);
    let callers = project.callers(home);
    here || project.calls_in(home).filter(|inner| project.call(*inner).span.start < before).any(|inner| {
        let targets = project.targets(inner).functions;
        targets.iter().any(|target| concerns.iter().any(|access| project.leads_to(*target, access.function())))
    }) || callers.iter().any(|caller| {
        let from = project.function_of(caller.call);
        from.id != FunctionId::MODULE && concerns.iter().any(|access| access.function() == from)
    })
}

/// Something of the class that goes on until its end: a listener on what lives as long as the process, an interval.
fn held(project: &Project<'_>, class: In<ClassId>, endings: &[In<FunctionId>]) -> Option<Location> {
    let own = |call: In<CallId>| project.enclosing_class(project.function_of(call)) == Some(class);
    let listens = project.registry().adds_in(class.file).filter(|add| own(add.call)).find(|add| {
        let lasting = add.on.is_some_and(|on| project.lifetime(on).is_process());
        let mut meetings = project.meetings(add);
        lasting && meetings.any(|(removal, meeting)| meeting.may_match() && own_end(project, removal.function, endings))
    });
    if let Some(add) = listens {
        return Some(project.locate(add.call));
    }
    let calls = (0..project.summary(class.file).calls.len() as u32).map(|at| class.with(CallId(at)));
    calls.filter(|call| own(*call)).find_map(|call| {
        let ty = project.api(call).and_then(|api| project.contracts.ty(api.gives.as_deref()?))?;
        let Keeper::Place(place) = keeper(project, call, ty) else { return None };
        let ticks =
            project.contracts.is_family(ty, "interval") && matches!(place.root, Root::Field(of, _) if of == class);
        let care = care(project, place, ty);
        let cleared = endings.iter().any(|ending| reaches(project, *ending, &care.releases));
        (ticks && cleared).then(|| project.locate(call))
    })
}

fn own_end(project: &Project<'_>, function: In<FunctionId>, endings: &[In<FunctionId>]) -> bool {
    endings.iter().any(|ending| project.leads_to(*ending, function))
}
