//! Handles that C and C++ code keeps in fields: where each is stored, and what any code of the project does to release it.
//! Says nothing of locals; `Project::owned_in` follows those.

use super::custody::assigned;
use crate::model::contract::{By, Effect, Part};
use crate::model::words::{Meaning, split};
use crate::model::{CallId, ClassId, FunctionId, FunctionKind, Holder, In, Literal, Name, Type, Value, ValueId};
use crate::project::{AccessKind, Doubt, How, Origin, Owned, Place, Project, Root};
use crate::text::{Location, Span};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// How many calls deep a release is looked for.
const DEPTH: u8 = 3;

/// A handle stored in a field.
#[derive(Clone, Debug)]
pub(crate) struct Stored<'a> {
    /// The field.
    pub(crate) place: Place,
    /// Whose field.
    pub(crate) class: In<ClassId>,
    /// Its name.
    pub(crate) field: Name,
    /// Where it is stored, or acquired for a callee that stores it.
    pub(crate) at: Location,
    /// Where that callee stores it.
    pub(crate) held: Option<Location>,
    /// The function whose code stores it.
    pub(crate) function: In<FunctionId>,
    /// Its type, where the catalog has one.
    pub(crate) ty: Option<&'a Type>,
    /// What messages call it.
    pub(crate) noun: String,
    /// The class of the object, where it is one of the project's.
    pub(crate) made: Option<In<ClassId>>,
    /// Names of functions that release it by convention.
    releasers: Vec<String>,
}

/// Every handle that native code stores in a field, one store a field.
pub(crate) fn stored<'a>(project: &Project<'a>) -> Vec<Stored<'a>> {
    let mut found: FxHashMap<Place, Stored<'a>> = FxHashMap::default();
    for function in project.functions().filter(|f| project.is_native(f.file)) {
        for (owned, custody) in project.owned_in(function).iter() {
            for settlement in &custody.settlements {
                let at = project.at(function.file, settlement.span);
                match settlement.how {
                    How::Stored(place) => {
                        keep(project, &mut found, function.with(place), at, function, Some(owned), owned.ty);
                    }
                    // Whoever got its number, too, can close it: the field is but a copy.
                    How::Handed(..) if is_told(project, function, owned) => {}
                    How::Handed(..) if is_lent(project, function, owned, settlement.span) => {}
                    How::Handed(call, Some(index)) => {
                        // The story starts where it is acquired, and goes on where the callee stores it.
                        let acquired = owned.call().map(|call| project.locate(function.with(call)));
                        for (place, held, _) in stored_by_callee(project, function.with(call), index) {
                            let at = acquired.unwrap_or(held);
                            let kept = keep(project, &mut found, place, at, function, Some(owned), owned.ty);
                            if let Some(stored) = kept {
                                stored.held = Some(held);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        for call in project.calls_in(function) {
            if let Some((place, ty)) = written(project, call) {
                keep(project, &mut found, place, project.locate(call), function, None, Some(ty));
            }
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|stored| stored.at);
    found
}

/// Whether a function also gives the number that it acquires to JavaScript: `info.GetReturnValue().Set(fd)`.
fn is_told(project: &Project<'_>, function: In<FunctionId>, owned: &Owned<'_>) -> bool {
    let holds = |value: ValueId| Some(value) == owned.holder || Some(value) == assigned(project, owned);
    project.calls_in(function).filter_map(|call| Some((call, project.api(call)?))).any(|(call, api)| {
        let arguments = project.call(call).arguments.iter().enumerate();
        let copies = |at: usize| api.arguments.get(at).copied().unwrap_or(api.rest) == Effect::Copy;
        arguments.filter(|(at, _)| copies(*at)).any(|(_, argument)| holds(argument.value))
    })
}

/// Whether a function releases itself what it has given to another object: that one only looks at it.
fn is_lent(project: &Project<'_>, function: In<FunctionId>, owned: &Owned<'_>, handed: Span) -> bool {
    let holder = assigned(project, owned).or(owned.holder);
    project.calls_in(function).filter_map(|call| Some((call, project.api(call)?.releases?))).any(|(call, part)| {
        holder.is_some()
            && project.call(call).span.start >= handed.end
            && project.part(call, part).map(|value| value.id) == holder
    })
}

/// Remembers a store, unless one of the same field is known; gives the new one.
fn keep<'a, 'f>(
    project: &Project<'a>,
    found: &'f mut FxHashMap<Place, Stored<'a>>,
    value: In<ValueId>,
    at: Location,
    function: In<FunctionId>,
    owned: Option<&Owned<'a>>,
    ty: Option<&'a Type>,
) -> Option<&'f mut Stored<'a>> {
    let place = project.place(value)?;
    let Root::Field(class, field) = place.root else { return None };
    let ends_itself = ty.is_some_and(|ty| ty.raii || ty.collectable) || is_smart(project, class, &field);
    // Read out of memory, or told about it: a number points to none.
    let is_memory = ty.is_none_or(|ty| matches!(ty.family.as_str(), "heap" | "array-heap" | "object"));
    let is_copy = is_memory && project.is_number_field(class, &field);
    if !place.path.is_empty() || ends_itself || is_copy || is_of_class(project, class, field) {
        return None;
    }
    let noun =
        owned.map_or_else(|| ty.map_or_else(|| "handle".to_owned(), |ty| ty.noun.clone()), |owned| owned.noun.clone());
    let releasers = owned.map(|owned| owned.releasers.clone()).unwrap_or_default();
    let made = owned.and_then(|owned| owned.holder.map(|holder| owned.function.with(holder)));
    let made = made.and_then(|value| project.class_of_value(value));
    match found.entry(place) {
        Entry::Occupied(_) => None,
        Entry::Vacant(free) => {
            Some(free.insert(Stored { place, class, field, at, held: None, function, ty, noun, made, releasers }))
        }
    }
}

/// An owned thing that a field receives among others.
pub(super) fn stored_in<'a>(
    project: &Project<'_>,
    place: Place,
    owned: &Owned<'a>,
    at: Location,
) -> Option<Stored<'a>> {
    let (class, field) = place.field()?;
    let made = owned.holder.and_then(|holder| project.class_of_value(owned.function.with(holder)));
    let (ty, noun, releasers) = (owned.ty, owned.noun.clone(), owned.releasers.clone());
    Some(Stored { place, class, field, at, held: None, function: owned.function, ty, noun, made, releasers })
}

pub(super) fn is_smart(project: &Project<'_>, class: In<ClassId>, field: &str) -> bool {
    project.field_type(class, field).is_some_and(|(declared, facts)| {
        let ends_itself = || project.declared_type(declared.file, facts).is_some_and(|ty| ty.raii);
        (facts.holder == Holder::Value && ends_itself())
            || matches!(facts.holder, Holder::Smart | Holder::Reference)
            // `Ref<T> field_`: a class of its own for the pointer.
            || (facts.holder == Holder::Value
                && !facts.arguments.is_empty()
                && project.declared_type(declared.file, facts).is_none())
            || (facts.holder == Holder::Value
                && matches!(facts.name.rsplit("::").next(), Some("string" | "vector" | "function")))
    })
}

/// Whether a class has one field of that name for all its objects, which lives with the process: in C++ its definition may
/// stand in any file, and a method names it like one of its own.
fn is_of_class(project: &Project<'_>, class: In<ClassId>, field: Name) -> bool {
    project.is_native(class.file) && project.class(class).fields.iter().any(|own| own.name == field && own.is_static)
}

/// The field that a call fills: through an out-argument, or because the field itself is its receiver or argument.
fn written<'a>(project: &Project<'a>, call: In<CallId>) -> Option<(In<ValueId>, &'a Type)> {
    let api = project.api(call)?;
    let ty = project.contracts.ty(api.gives.as_deref()?)?;
    let value = match api.by {
        By::Out(index) | By::Argument(index) => project.argument(call, index)?,
        By::Receiver => project.receiver(call)?,
        By::Return => return stored_result(project, call).map(|place| (place, ty)),
        _ => return None,
    };
    let value = match project.value(value) {
        Value::Address(inner) => value.with(*inner),
        _ => value,
    };
    Some((value, ty))
}

fn stored_result(project: &Project<'_>, call: In<CallId>) -> Option<In<ValueId>> {
    project.uses(project.result(call)?).iter().find_map(|access| match access.kind {
        AccessKind::Stored { place } => Some(access.of(place)),
        _ => None,
    })
}

/// Where the function that a call runs stores one of its parameters.
fn stored_by_callee(
    project: &Project<'_>,
    call: In<CallId>,
    index: u16,
) -> Vec<(In<ValueId>, Location, In<FunctionId>)> {
    let mut found = Vec::new();
    let targets = project.targets(call);
    if targets.weak {
        return found;
    }
    for target in targets.functions {
        // Which one of several constructors it is, their types decide.
        if project.is_overloaded(target) {
            continue;
        }
        let Some(&parameter) = project.function(target).parameters.get(index as usize) else { continue };
        let Some(value) = project.binding_value(target.with(parameter)) else { continue };
        for access in project.uses(target.with(value)) {
            if let AccessKind::Stored { place } = access.kind {
                found.push((access.of(place), access.at(), target));
            }
        }
    }
    found
}

/// Whether any code releases a stored handle, gives it away, or looks as if it did.
pub(crate) fn is_released(project: &Project<'_>, stored: &Stored<'_>) -> bool {
    project.accesses(stored.place).iter().any(|access| match access.kind {
        AccessKind::Argument { call, index } => {
            releases_argument(project, access.of(call), index, stored)
                || is_released_by_callback(project, access.of(call))
        }
        AccessKind::Method { call, .. } => releases_receiver(project, access.of(call)),
        AccessKind::Inside { .. } => true,
        AccessKind::Stored { place } => match project.place(access.of(place)) {
            Some(Place { root: Root::Field(..) | Root::Static(..) | Root::External(_), .. }) => true,
            Some(cursor @ Place { root: Root::Variable(_), .. }) => is_released_from(project, cursor, stored, 0),
            _ => false,
        },
        AccessKind::Returned => {
            gives_up(project, access.function(), stored.place)
                || is_released_by_readers(project, access.function(), stored)
        }
        _ => false,
    })
}

/// Whether code that goes on from a variable releases what it stands at: `for (node = first_; node; node = next) free(node);`.
fn is_released_from(project: &Project<'_>, cursor: Place, stored: &Stored<'_>, depth: u8) -> bool {
    project.accesses(cursor).iter().any(|access| match access.kind {
        AccessKind::Argument { call, index } => releases_argument(project, access.of(call), index, stored),
        AccessKind::Stored { place } if depth < DEPTH => match project.place(access.of(place)) {
            Some(next @ Place { root: Root::Variable(_), .. }) if next != cursor => {
                is_released_from(project, next, stored, depth + 1)
            }
            _ => false,
        },
        _ => false,
    })
}

/// Whether the callback that a call is handed releases the handle that it is called with: `uv_close` of its first parameter.
fn is_released_by_callback(project: &Project<'_>, call: In<CallId>) -> bool {
    let handed = project.callbacks(call).into_iter().map(|handed| handed.function);
    handed.chain(passed_in(project, call)).any(|function| {
        let first = project.function(function).parameters.first();
        let value = first.and_then(|parameter| project.binding_value(function.with(*parameter)));
        let names = value.map(|value| project.under_all_names(function.with(value))).unwrap_or_default();
        names.into_iter().flat_map(|value| project.uses(value)).any(|access| match access.kind {
            AccessKind::Argument { call, index } => {
                project.api(access.of(call)).is_some_and(|api| api.releases == Some(Part::Argument(index)))
            }
            _ => false,
        })
    })
}

/// Functions that the callers of a call's function hand to it, and it to the call.
fn passed_in(project: &Project<'_>, call: In<CallId>) -> Vec<In<FunctionId>> {
    let function = project.function_of(call);
    let parameters = &project.function(function).parameters;
    let given =
        project.call(call).arguments.iter().filter_map(|argument| match project.value(call.with(argument.value)) {
            Value::Binding(binding) => parameters.iter().position(|parameter| parameter == binding),
            _ => None,
        });
    let callers = project.callers(function);
    given
        .flat_map(|at| callers.iter().filter_map(move |caller| project.argument(caller.call, u16::try_from(at).ok()?)))
        .flat_map(|value| project.functions_in(value))
        .collect()
}

/// Whether who asks for the field releases what it gets: `close(device->Fd())`.
fn is_released_by_readers(project: &Project<'_>, getter: In<FunctionId>, stored: &Stored<'_>) -> bool {
    let results = project.callers(getter).iter().filter_map(|caller| project.result(caller.call)).collect::<Vec<_>>();
    results.into_iter().flat_map(|result| project.under_all_names(result)).any(|value| {
        project.uses(value).iter().any(|access| match access.kind {
            AccessKind::Argument { call, index } => releases_argument(project, access.of(call), index, stored),
            AccessKind::Method { call, .. } => releases_receiver(project, access.of(call)),
            _ => false,
        })
    })
}

/// Whether a call releases what it is given, or takes it over.
pub(super) fn releases_argument(project: &Project<'_>, call: In<CallId>, index: u16, stored: &Stored<'_>) -> bool {
    releases_through(project, call, index, stored, 0)
}

fn releases_through(project: &Project<'_>, call: In<CallId>, index: u16, stored: &Stored<'_>, depth: u8) -> bool {
    if let Some(api) = project.api(call) {
        let effect = api.arguments.get(index as usize).copied().unwrap_or(api.rest);
        if is_memory(project, stored) && hands_to_nobody(project, call, effect) {
            return false;
        }
        let takes =
            matches!(effect, Effect::Take | Effect::TakeOnSuccess | Effect::HandTo(_) | Effect::HandToOnSuccess(_));
        // A JavaScript value that stands for the pointer: whoever gets that has it.
        let value = api.returns_type.as_deref().and_then(|ty| project.contracts.ty(ty));
        let is_told = effect == Effect::Store && value.is_some_and(|ty| ty.family == "local-handle");
        return takes
            || is_told
            || api.releases.is_some_and(|part| part == Part::Argument(index))
            || is_released_as_copy(project, call, stored);
    }
    let name = project.method_name(call).unwrap_or_default();
    if stored.releasers.iter().any(|releaser| name == **releaser) || sounds_like_release(project, &name) {
        return true;
    }
    let targets = project.targets(call).functions;
    // Code that is not here, and that is handed a function beside it, calls that when it has done with it.
    if targets.is_empty() && is_given_function(project, call) {
        return true;
    }
    // A project function that releases or keeps what it is given.
    targets.iter().any(|&target| {
        let Some(&parameter) = project.function(target).parameters.get(index as usize) else { return false };
        let Some(value) = project.binding_value(target.with(parameter)) else { return false };
        project.uses(target.with(value)).iter().any(|access| match access.kind {
            AccessKind::Argument { call, index } => {
                depth < DEPTH && releases_through(project, access.of(call), index, stored, depth + 1)
            }
            AccessKind::Method { call, .. } => releases_receiver(project, access.of(call)),
            AccessKind::Stored { .. } => true,
            _ => false,
        })
    })
}

fn is_given_function(project: &Project<'_>, call: In<CallId>) -> bool {
    let arguments = project.call(call).arguments.iter();
    arguments.map(|argument| call.with(argument.value)).any(|value| !project.functions_in(value).is_empty())
}

/// Whether what is stored is a block of memory, whatever lives in it.
fn is_memory(project: &Project<'_>, stored: &Stored<'_>) -> bool {
    stored.ty.is_some_and(|ty| ["heap", "array-heap"].iter().any(|family| project.contracts.is_family(ty, family)))
}

/// Whether a call would leave its argument to a callback, and is handed none, or one that frees nothing: `uv_close(handle,
/// NULL)` closes, and frees nothing.
fn hands_to_nobody(project: &Project<'_>, call: In<CallId>, effect: Effect) -> bool {
    let (Effect::HandTo(to) | Effect::HandToOnSuccess(to)) = effect else { return false };
    let Some(callback) = project.argument(call, to) else { return false };
    if matches!(project.value(callback), Value::Literal(Literal::Null | Literal::Int(0))) {
        return true;
    }
    let handed = project.functions_in(callback);
    !handed.is_empty() && handed.iter().all(|function| ignores_argument(project, *function))
}

/// Whether a callback neither releases its first argument nor gives it to anybody.
pub(in crate::rules) fn ignores_argument(project: &Project<'_>, callback: In<FunctionId>) -> bool {
    let function = project.function(callback);
    let Some(parameter) = function.parameters.first().filter(|_| function.has_body) else { return false };
    let Some(value) = project.binding_value(callback.with(*parameter)) else { return true };
    let custody = project.custody(&Owned::pointer(callback, value));
    custody.is_never_settled() && custody.losses.iter().all(|loss| loss.doubt != Doubt::Unsure)
}

/// Where a stored block is closed as what it holds, with nobody to free it: its end, and that of nothing else.
pub(crate) fn closed_for_nobody(project: &Project<'_>, stored: &Stored<'_>) -> Option<Location> {
    if !is_memory(project, stored) {
        return None;
    }
    project.accesses(stored.place).iter().find_map(|access| {
        let AccessKind::Argument { call, index } = access.kind else { return None };
        closes_for_nobody(project, access.of(call), index).then(|| access.at())
    })
}

/// Whether a call closes a handle in a block of memory, and leaves the block to nobody.
pub(in crate::rules) fn closes_for_nobody(project: &Project<'_>, call: In<CallId>, index: u16) -> bool {
    let Some(api) = project.api(call).filter(|api| api.releases == Some(Part::Argument(index))) else { return false };
    hands_to_nobody(project, call, api.arguments.get(index as usize).copied().unwrap_or(api.rest))
}

/// Whether a call makes another handle of the same kind out of it, which is released: `Persistent<Value> last(keys)`.
fn is_released_as_copy(project: &Project<'_>, call: In<CallId>, stored: &Stored<'_>) -> bool {
    let copies =
        project.api(call).is_some_and(|api| api.gives.is_some() && api.gives.as_ref() == stored.ty.map(|ty| &ty.name));
    let results =
        project.result(call).filter(|_| copies).map(|result| project.under_all_names(result)).unwrap_or_default();
    results.into_iter().flat_map(|value| project.uses(value)).any(|access| match access.kind {
        AccessKind::Method { call, .. } => releases_receiver(project, access.of(call)),
        _ => false,
    })
}

fn releases_receiver(project: &Project<'_>, call: In<CallId>) -> bool {
    match project.api(call) {
        Some(api) => api.releases.is_some_and(|part| part == Part::Receiver),
        None => project.method_name(call).is_some_and(|name| sounds_like_release(project, &name)),
    }
}

/// Whether a name has one of the words for an end as one of its parts: `FreeHandle`, `ctx_destroy`.
fn sounds_like_release(project: &Project<'_>, name: &str) -> bool {
    let words = &project.contracts.words;
    split(name)
        .iter()
        .any(|part| matches!(&**part, "free" | "delete" | "unref" | "reset") || words.has(Meaning::Disposal, part))
}

/// Whether a function that returns the field also empties it.
fn gives_up(project: &Project<'_>, function: In<FunctionId>, place: Place) -> bool {
    project.accesses(place).iter().any(|access| {
        access.function() == function
            && matches!(access.kind, AccessKind::Assigned { value, .. }
                if matches!(project.value(access.of(value)), Value::Literal(Literal::Null | Literal::Int(_))))
    })
}

/// Whether objects of the stored one's class end by themselves, or are ended through something else than this field: by a
/// callback that gets them as its data, a table, their own methods.
pub(crate) fn ends_elsewhere(project: &Project<'_>, stored: &Stored<'_>) -> bool {
    let Some(made) = stored.made else { return false };
    let ends_itself = project
        .class_type(made)
        .is_some_and(|ty| ["async-worker", "object-wrap"].iter().any(|family| project.contracts.is_family(ty, family)));
    ends_itself || deleted(project, made).is_some()
}

/// Why it is believed that objects of a class come and go, and whether one of their fields is released: then the class
/// knows its duty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mortality {
    /// Where an object dies: a destructor with a body, a `delete`, a finalizer.
    pub(crate) dies: Option<Location>,
    /// A sibling that is released, and where.
    pub(crate) sibling: Option<(Name, Location)>,
}

/// Looks how objects of a class end.
pub(crate) fn mortality(project: &Project<'_>, stored: &Stored<'_>) -> Mortality {
    let mut found = Mortality::default();
    for method in project.methods(stored.class) {
        let function = project.function(method);
        if function.kind == FunctionKind::Destructor && function.has_body {
            found.dies = Some(project.locate_function(method));
        }
    }
    for place in project.fields(stored.class) {
        let Root::Field(_, name) = place.root else { continue };
        if place == stored.place {
            continue;
        }
        let release = project.accesses(place).iter().copied().find(|access| match access.kind {
            AccessKind::Argument { call, index } => project
                .api(access.of(call))
                .is_some_and(|api| api.releases.is_some_and(|part| part == Part::Argument(index))),
            AccessKind::Method { call, .. } => {
                project.api(access.of(call)).is_some_and(|api| api.releases.is_some_and(|part| part == Part::Receiver))
            }
            _ => false,
        });
        if let Some(access) = release {
            found.sibling = Some((name, access.at()));
        }
    }
    if found.dies.is_none() {
        found.dies = deleted(project, stored.class)
            .or_else(|| dies_with_owner(project, stored.class))
            .or_else(|| dies_by_itself(project, stored.class));
    }
    found
}

/// Where an object of a class is made that JavaScript's collector, or a smart pointer, deletes.
fn dies_by_itself(project: &Project<'_>, class: In<ClassId>) -> Option<Location> {
    let is_wrapped = project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "object-wrap"));
    let is_held = |call: In<CallId>| {
        let result = project.result(call)?;
        let made = project.uses(result).iter().any(|access| match access.kind {
            AccessKind::Argument { call, .. } => project
                .api(access.of(call))
                .and_then(|api| project.contracts.ty(api.gives.as_deref().or(api.returns_type.as_deref())?))
                .is_some_and(|ty| project.contracts.is_family(ty, "smart-pointer")),
            _ => false,
        });
        (is_wrapped || made).then(|| project.locate(call))
    };
    let constructor = || {
        let mut methods = project.methods(class).into_iter().filter(|_| is_wrapped);
        methods.find(|method| project.function(*method).kind == FunctionKind::Constructor)
    };
    let made = project.constructions(class).into_iter().find_map(is_held);
    made.or_else(|| constructor().map(|constructor| project.locate_function(constructor)))
}

/// A `delete` of an object that has one of a class as a part.
fn dies_with_owner(project: &Project<'_>, class: In<ClassId>) -> Option<Location> {
    let is_part = |owner: In<ClassId>| {
        project.class(owner).fields.iter().any(|field| {
            field.ty.as_ref().is_some_and(|ty| {
                ty.holder == Holder::Value
                    && !ty.is_array
                    && project.declared_class(owner.file, &ty.name) == Some(class)
            })
        })
    };
    project
        .classes()
        .filter(|owner| project.is_native(owner.file) && project.canonical_class(*owner) == *owner && is_part(*owner))
        .find_map(|owner| deleted(project, owner))
}

/// A `delete` or `free` of an object of a class.
pub(in crate::rules) fn deleted(project: &Project<'_>, class: In<ClassId>) -> Option<Location> {
    project.calls().filter(|call| project.is_native(call.file)).find_map(|call| {
        let name = project.method_name(call)?;
        if !matches!(&*name, "operator delete" | "free") {
            return None;
        }
        let argument = project.argument(call, 0)?;
        let of_class = project.class_of_value(argument) == Some(class)
            || matches!(project.origin(argument), Origin::New(_, made) if made == class);
        of_class.then(|| project.locate(call))
    })
}
