//! Members that the function which ends their siblings leaves out: of several fields of one type, one function empties all
//! but this one, and nothing else does. For owners that release by their destructor, where a destructor comes too late:
//! what they own is a root and keeps, in the end, the object itself. Says nothing of fields that are no roots.

use crate::model::contract::Part;
use crate::model::{ClassId, FunctionId, FunctionKind, Holder, In, Literal, Name, TypeFacts, Value};
use crate::project::{Access, AccessKind, Place, Project};
use crate::text::Location;
use rustc_hash::FxHashMap;

/// As many siblings at least have to be emptied before one left out is taken for forgotten.
const ENOUGH: usize = 2;

/// A member left out.
#[derive(Clone, Debug)]
pub(crate) struct LeftOut {
    /// Whose member.
    pub(crate) class: In<ClassId>,
    /// Its name.
    pub(crate) field: Name,
    /// Where it is filled.
    pub(crate) filled: Access,
    /// The function that empties its siblings.
    pub(crate) ending: In<FunctionId>,
    /// A sibling, and where it is emptied.
    pub(crate) sibling: (Name, Location),
    /// How many siblings are.
    pub(crate) emptied: usize,
}

/// Every member left out whose type owns a root of a catalog family.
pub(crate) fn left_out(project: &Project<'_>, family: &str) -> Vec<LeftOut> {
    let mut found = Vec::new();
    for class in project.classes().filter(|class| project.is_native(class.file)) {
        if project.canonical_class(class) != class {
            continue;
        }
        for group in groups(project, class, family) {
            found.extend(left_out_of(project, class, &group));
        }
    }
    found
}

/// The fields of a class that own such roots, by their type.
fn groups(project: &Project<'_>, class: In<ClassId>, family: &str) -> Vec<Vec<Place>> {
    let mut groups: FxHashMap<(Name, &[Name]), Vec<Place>> = FxHashMap::default();
    for place in project.fields(class) {
        let Some((owner, name)) = place.field() else { continue };
        let Some((declared, facts)) = project.field_type(class, &name).filter(|_| owner == class) else { continue };
        if owns_root(project, declared, facts, family) {
            groups.entry((facts.name, &facts.arguments)).or_default().push(place);
        }
    }
    let mut groups: Vec<Vec<Place>> = groups.into_values().filter(|group| group.len() > ENOUGH).collect();
    groups.sort_by_key(|group| group.first().and_then(|place| place.field()).map(|(_, name)| name));
    groups
}

/// Whether a field is a root of the family, or owns an object of a class that has one among its fields.
fn owns_root(project: &Project<'_>, class: In<ClassId>, facts: &TypeFacts, family: &str) -> bool {
    let is_root = |file, facts: &TypeFacts| {
        matches!(facts.holder, Holder::Smart | Holder::Value)
            && project.declared_type(file, facts).is_some_and(|ty| project.contracts.is_family(ty, family))
    };
    if facts.is_array || !matches!(facts.holder, Holder::Smart | Holder::Value) {
        return false;
    }
    let named = if facts.holder == Holder::Smart { facts.arguments.first().copied() } else { Some(facts.name) };
    is_root(class.file, facts)
        || named.and_then(|name| project.declared_class(class.file, &name)).is_some_and(|owned| {
            project
                .class(owned)
                .fields
                .iter()
                .any(|field| !field.is_static && field.ty.as_ref().is_some_and(|facts| is_root(owned.file, facts)))
        })
}

/// The one of a group that a function leaves out.
fn left_out_of(project: &Project<'_>, class: In<ClassId>, group: &[Place]) -> Option<LeftOut> {
    let mut emptied: FxHashMap<In<FunctionId>, Vec<(Place, Location)>> = FxHashMap::default();
    for place in group {
        for access in project.accesses(*place).iter().filter(|access| empties(project, access)) {
            let in_function = emptied.entry(access.function()).or_default();
            if !in_function.iter().any(|(known, _)| known == place) {
                in_function.push((*place, access.at()));
            }
        }
    }
    let forgotten = group.iter().find(|place| !emptied.values().flatten().any(|(known, _)| known == *place))?;
    let ends_all_others = |function: &In<FunctionId>, siblings: &[(Place, Location)]| {
        let kind = project.function(*function).kind;
        siblings.len() + 1 == group.len() && !matches!(kind, FunctionKind::Constructor | FunctionKind::Destructor)
    };
    let (ending, siblings) = emptied
        .iter()
        .filter(|(function, siblings)| ends_all_others(function, siblings))
        .min_by_key(|(function, _)| **function)?;
    let accesses = project.accesses(*forgotten);
    // Whoever is handed it may empty it.
    let is_handed_on = |access: &Access| {
        matches!(
            access.kind,
            AccessKind::Argument { .. } | AccessKind::Stored { .. } | AccessKind::Inside { .. } | AccessKind::Returned
        )
    };
    if accesses.iter().any(is_handed_on) {
        return None;
    }
    let fills = |access: &&Access| {
        matches!(access.kind, AccessKind::Assigned { is_declaration: false, .. })
            && project.function(access.function()).kind != FunctionKind::Constructor
    };
    let filled = *accesses.iter().find(fills)?;
    let (_, field) = forgotten.field()?;
    let (sibling, at) = siblings.first()?;
    let sibling = (sibling.field()?.1, *at);
    Some(LeftOut { class, field, filled, ending: *ending, sibling, emptied: siblings.len() })
}

/// Whether an access releases what a field owns, or empties it.
fn empties(project: &Project<'_>, access: &Access) -> bool {
    match access.kind {
        AccessKind::Method { call, .. } => {
            let call = access.of(call);
            let releases = project.api(call).is_some_and(|api| api.releases == Some(Part::Receiver));
            // `reset(new T)` fills it.
            releases && project.call(call).arguments.is_empty()
        }
        AccessKind::Assigned { value, is_declaration: false, .. } => {
            matches!(project.value(access.of(value)), Value::Literal(Literal::Null))
        }
        _ => false,
    }
}
