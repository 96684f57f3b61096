//! Timers of an object that nobody can clear, where the object's end clears others of its timers: whoever wrote the end
//! thinks of timers, and cannot reach this one. Intervals are `timer-never-cleared`'s.

use super::deadline::is_pause;
use super::ending::{asks_for_end, endings, reach_at_once, reaches};
use super::failing::methods_run_by;
use super::keeper::{Care, Keeper, care, keeper};
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, FunctionId, In, Rate, Type, Value};
use crate::project::{Project, Root};
use crate::text::{FileId, Location};

/// The end that leaves a timer behind.
pub(crate) struct Leftover {
    /// The method.
    pub(crate) ending: In<FunctionId>,
    /// The other timer, by name.
    pub(crate) cleared: String,
    /// Where that is cleared.
    pub(crate) at: Location,
}

/// The end of the object that a dropped timer serves.
pub(crate) fn found(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Leftover> {
    if project.contracts.is_family(ty, "interval") || is_pause(project, call) || !is_dropped(project, call, ty) {
        return None;
    }
    let home = project.function_of(call);
    let class = project.enclosing_class(home)?;
    if project.instances(class).rate.is_none_or(|rate| rate == Rate::Once) {
        return None;
    }
    // What it runs goes on with the object's work, and does not look whether the object has ended.
    let callbacks = project.functions_in(project.argument(call, 0)?);
    let own = |function: &In<FunctionId>| project.class_of(*function) == Some(class);
    let mut run: Vec<In<FunctionId>> = callbacks.iter().copied().filter(own).collect();
    run.extend(callbacks.iter().flat_map(|callback| methods_run_by(project, *callback, class)));
    // `setTimeout(() => this.kill(child), 5000)` ends something else, which the object has let go by then.
    let ends_another = |callback: &In<FunctionId>| {
        project.calls_in(*callback).any(|inner| {
            let given = project.argument(inner, 0).map(|given| project.value(given));
            let name = project.method_name(inner);
            matches!(given, Some(Value::Binding(_)))
                && name.is_some_and(|name| project.contracts.words.any(Meaning::Disposal, &name))
        })
    };
    if callbacks.iter().any(ends_another) {
        return None;
    }
    let asks = || callbacks.iter().chain(&run).any(|function| asks_for_end(project, *function));
    if run.is_empty() || asks() {
        return None;
    }
    let siblings = siblings(project, call, class);
    ends(project, class).into_iter().find_map(|ending| {
        // What an end arms is part of it.
        let calls = || project.calls_in(home).any(|inner| project.targets(inner).functions.contains(&ending));
        if reach_at_once(project, ending).contains(&home) || calls() {
            return None;
        }
        let sibling = siblings.iter().find(|(_, care)| reaches(project, ending, &care.releases));
        let sibling = sibling.map(|(name, care)| (name.clone(), care.releases[0].at()));
        let (cleared, at) = sibling.or_else(|| cleared_table(project, ending, class))?;
        Some(Leftover { ending, cleared, at })
    })
}

/// Whether nothing can clear it: thrown away, or in a variable of the function that nobody hands on.
fn is_dropped(project: &Project<'_>, call: In<CallId>, ty: &Type) -> bool {
    match keeper(project, call, ty) {
        Keeper::Dropped => true,
        Keeper::Place(place) => {
            let care = care(project, place, ty);
            matches!(place.root, Root::Variable(_))
                && place.path.is_empty()
                && care.releases.is_empty()
                && care.escapes.is_empty()
        }
        Keeper::Elsewhere => false,
    }
}

/// The timers that methods of the class, and of those that it extends, keep in its fields and clear.
fn siblings(project: &Project<'_>, call: In<CallId>, class: In<ClassId>) -> Vec<(String, Care)> {
    let of: Vec<In<ClassId>> = std::iter::once(class).chain(project.bases(class)).collect();
    let timer = |other: In<CallId>| {
        let ty = project.api(other).and_then(|api| project.contracts.ty(api.gives.as_deref()?))?;
        let family = project.contracts.is_family(ty, "timer");
        let Keeper::Place(place) = keeper(project, other, ty) else { return None };
        let own = family && matches!(place.root, Root::Field(owner, _) if of.contains(&owner));
        let care = care(project, place, ty);
        (own && !care.releases.is_empty()).then(|| (project.place_text(place), care))
    };
    let mut files: Vec<FileId> = of.iter().map(|class| class.file).chain([call.file]).collect();
    files.sort_unstable();
    files.dedup();
    let in_file = |file: FileId| (0..project.summary(file).calls.len() as u32).map(move |at| In::new(file, CallId(at)));
    files.into_iter().flat_map(in_file).filter(|other| *other != call).filter_map(timer).collect()
}

/// The table of timers that an end goes through: `this.timers.forEach((timer) => clearTimeout(timer))`.
fn cleared_table(project: &Project<'_>, ending: In<FunctionId>, class: In<ClassId>) -> Option<(String, Location)> {
    let of: Vec<In<ClassId>> = std::iter::once(class).chain(project.bases(class)).collect();
    let clears = |call: In<CallId>| {
        let api = project.api(call)?;
        let timers = api.of.iter().filter_map(|ty| project.contracts.ty(ty));
        let part = api.releases.filter(|_| timers.into_iter().any(|ty| project.contracts.is_family(ty, "timer")))?;
        let place = project.place(project.part(call, part)?)?;
        let own = matches!(place.root, Root::Field(owner, _) if of.contains(&owner)) && place.path.ends_with("[]");
        own.then(|| (project.place_text(place), project.locate(call)))
    };
    reach_at_once(project, ending).into_iter().flat_map(|f| project.calls_in(f).collect::<Vec<_>>()).find_map(clears)
}

/// Methods that end the object, and those that run when it has ended: `_disconnected`.
fn ends(project: &Project<'_>, class: In<ClassId>) -> Vec<In<FunctionId>> {
    let mut found = endings(project, class);
    let says = |method: &In<FunctionId>| {
        let name = project.function(*method).name;
        let bare = name.trim_start_matches(['#', '_']);
        project.contracts.words.has(Meaning::Ending, bare) && project.function(*method).has_body
    };
    found.extend(project.methods(class).into_iter().filter(says));
    found
}
