//! Streams of the project that hold something which their own method ends, and which the `destroy` that they inherit does not.

use super::ending::{endings, released_by_end_event};
use super::handles::is_counted;
use super::keeper::Care;
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, FunctionId, In, Rate, Type, ValueId};
use crate::project::{Access, AccessKind, Doing, Origin, Place, Project, Role};

/// What `destroy` leaves behind.
pub(crate) struct Forgotten {
    /// The call that makes it.
    pub(crate) made: In<CallId>,
    /// The field.
    pub(crate) place: Place,
    /// The method that ends it, and where.
    pub(crate) ending: In<FunctionId>,
    pub(crate) ended: In<CallId>,
    /// The class.
    pub(crate) class: In<ClassId>,
}

/// Everything that the streams of the project leave behind.
pub(crate) fn forgotten(project: &Project<'_>) -> Vec<Forgotten> {
    let streams = project.classes().filter(|class| {
        !project.is_native(class.file)
            && project.canonical_class(*class) == *class
            && project.class_type(*class).is_some_and(|ty| is_destroyed(project, ty))
            && project.instances(*class).rate.is_some_and(|rate| rate > Rate::Once)
            && !has_own_destroy(project, *class)
    });
    streams.flat_map(|class| in_class(project, class)).collect()
}

/// A stream with a `destroy` that can be told what to do; the oldest have none.
fn is_destroyed(project: &Project<'_>, ty: &Type) -> bool {
    let mut bases = project.contracts.bases(ty);
    project.contracts.is_family(ty, "stream") && bases.any(|ty| ty.overrides.contains_key("_destroy"))
}

/// A method, or an option handed to the base's constructor, that `destroy` runs.
fn has_own_destroy(project: &Project<'_>, class: In<ClassId>) -> bool {
    let summary = project.summary(class.file);
    std::iter::once(class).chain(project.bases(class)).any(|class| {
        let names = || project.class(class).methods.iter().map(|method| method.name);
        names().any(|name| matches!(name.as_str(), "destroy" | "_destroy" | "emit"))
    }) || summary.objects.iter().any(|object| object.get("destroy").is_some())
}

fn in_class(project: &Project<'_>, class: In<ClassId>) -> Vec<Forgotten> {
    let mut found: Vec<Forgotten> = Vec::new();
    for ending in endings(project, class) {
        if is_of_streams(project, ending, class) {
            continue;
        }
        for call in project.calls_in(ending) {
            let Some(place) = ended_field(project, call, class) else { continue };
            let Some(made) = made_here(project, place, class) else { continue };
            if !found.iter().any(|known| known.place == place) && !is_ended_with_it(project, place) {
                found.push(Forgotten { made, place, ending, ended: call, class });
            }
        }
    }
    found
}

/// `end`, `_final`: a stream has it anyway, and comes to it before its `destroy`.
fn is_of_streams(project: &Project<'_>, ending: In<FunctionId>, class: In<ClassId>) -> bool {
    let name = project.function(ending).name;
    project.class_type(class).is_some_and(|ty| {
        let overrides = || project.contracts.bases(ty).any(|ty| ty.overrides.contains_key(name.as_str()));
        project.contracts.method(ty, &name).is_some_and(|api| api.releases.is_none()) || overrides()
    })
}

/// The field whose thing a call ends: `this.request.abort()`, `abortRequest(this.request)`.
fn ended_field(project: &Project<'_>, call: In<CallId>, class: In<ClassId>) -> Option<Place> {
    let field = |value: In<ValueId>| {
        let place = project.place(value)?;
        place.field().filter(|(of, _)| *of == class).map(|_| place)
    };
    if is_end(project, call) {
        return field(project.receiver(call)?);
    }
    if project.targets(call).functions.is_empty() {
        return None;
    }
    let arguments = 0..project.call(call).arguments.len() as u16;
    arguments.into_iter().find_map(|at| {
        let place = field(project.argument(call, at)?)?;
        (project.effect(call, Role::Argument(at), None) == Doing::Releases).then_some(place)
    })
}

fn is_end(project: &Project<'_>, call: In<CallId>) -> bool {
    let words = &project.contracts.words;
    let ends = |name: &str| words.has(Meaning::Disposal, name);
    project.method_name(call).is_some_and(|name| ends(&name))
        && project.api(call).is_none_or(|api| api.releases.is_some() || api.gives.is_none())
}

/// The call of the class's own code that gives what the field holds: something that must be released, or at least tells of its
/// own life by events.
fn made_here(project: &Project<'_>, place: Place, class: In<ClassId>) -> Option<In<CallId>> {
    let mut found = None;
    for access in project.accesses(place).iter() {
        let AccessKind::Assigned { value, .. } = access.kind else { continue };
        let value = access.of(value);
        if project.is_nothing(value) {
            continue;
        }
        let (Origin::Result(call) | Origin::New(call, _)) = project.origin(value) else { return None };
        let names = project.under_all_names(value);
        let lives = names.into_iter().chain([access.of(access.value)]).any(|name| {
            let ty = project.gives(call).map(|gives| gives.ty).or_else(|| project.ty(name));
            ty.is_some_and(|ty| {
                is_counted(ty)
                    || project.contracts.is_family(ty, "emitter") && !project.contracts.is_family(ty, "timer")
            })
        });
        if !lives || project.enclosing_class(project.function_of(call)) != Some(class) {
            return None;
        }
        found = found.or(Some(call));
    }
    found
}

/// Whether something ends it when the stream is closed.
fn is_ended_with_it(project: &Project<'_>, place: Place) -> bool {
    let ends = |access: &Access| match access.kind {
        AccessKind::Method { call, .. } => is_end(project, access.of(call)),
        AccessKind::Argument { call, index } => {
            project.effect(access.of(call), Role::Argument(index), None) == Doing::Releases
        }
        _ => false,
    };
    let releases = project.accesses(place).iter().copied().filter(ends).collect();
    released_by_end_event(project, &Care { releases, ..Care::default() })
}
