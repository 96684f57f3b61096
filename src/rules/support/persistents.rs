//! Persistent handles whose C++ object dies while the handle is still strong: locals, elements of containers, and what smart
//! pointers and `delete` destroy. Fields that hold one by value are `members`' business.

use super::mend::{at_end, before, mentions};
use crate::model::contract::{Effect, Part};
use crate::model::words::Meaning;
use crate::model::{
    Api, Binding, BindingId, BindingKind, CallId, Exit, Flow, FunctionId, Holder, In, TypeFacts, Value, ValueId,
};
use crate::project::{AccessKind, Place, Project, Root};
use crate::text::{Edit, FileId, Location, Span};

/// A handle that dies without being reset.
pub(in crate::rules) struct Dying {
    /// What dies, in words.
    pub(in crate::rules) what: String,
    /// Where it is made or filled.
    pub(in crate::rules) at: Location,
    /// Where and how it dies.
    pub(in crate::rules) end: Option<(Location, String)>,
    /// Why nothing resets it.
    pub(in crate::rules) why: String,
    /// What to do.
    pub(in crate::rules) help: String,
    /// The function that makes it.
    pub(in crate::rules) function: In<FunctionId>,
    /// What resets it in time.
    pub(in crate::rules) edits: Vec<Edit>,
}

/// Everything of the kind in the project.
pub(in crate::rules) fn dying(project: &Project<'_>) -> Vec<Dying> {
    let mut found = Vec::new();
    for function in project.functions().filter(|function| super::custody::is_shipped(project, *function)) {
        found.extend(locals(project, function));
        for call in project.calls_in(function) {
            found.extend(shared(project, call).or_else(|| element(project, call)).or_else(|| deleted(project, call)));
        }
    }
    found
}

/// Whether a declared type is a persistent handle whose destructor resets nothing.
fn is_persistent(project: &Project<'_>, file: FileId, name: &str) -> bool {
    project.named_type(file, name).is_some_and(|ty| !ty.raii && project.contracts.is_family(ty, "persistent"))
}

/// Traits that reset in the destructor are written as a template argument.
fn has_traits(written: &str) -> bool {
    written.contains("Traits")
}

/// A class or function template is made once, and lives as long as its context with or without the handle.
fn of_template(facts: &TypeFacts) -> bool {
    facts.arguments.first().is_some_and(|argument| argument.ends_with("Template"))
}

/// Whether a row empties a persistent handle for good. One that makes it weak comes with a callback.
fn resets(api: &Api, part: Part) -> bool {
    api.releases == Some(part) && api.callbacks.is_empty()
}

/// Whether a row fills a persistent handle that is its receiver or behind this argument.
fn fills(project: &Project<'_>, api: &Api, part: Part) -> bool {
    use crate::model::contract::By;
    let is_filled = match part {
        Part::Argument(at) => api.by == By::Out(at),
        _ => api.by == By::Receiver,
    };
    is_filled
        && api
            .gives
            .as_deref()
            .and_then(|gives| project.contracts.ty(gives))
            .is_some_and(|ty| ty.family == "persistent")
}

/// Handles in local variables.
fn locals(project: &Project<'_>, function: In<FunctionId>) -> Vec<Dying> {
    let summary = project.summary(function.file);
    let bindings = summary.bindings.iter().enumerate().filter(|(_, binding)| {
        binding.function == function.id
            && matches!(binding.kind, BindingKind::Var | BindingKind::Const)
            && binding.captured_by.is_empty()
            && binding.ty.as_ref().is_some_and(|ty| {
                ty.holder == Holder::Value
                    && !ty.is_array
                    && !has_traits(&ty.text)
                    && !of_template(ty)
                    && is_persistent(project, function.file, &ty.name)
            })
    });
    bindings.filter_map(|(at, binding)| local(project, function.with(BindingId(at as u32)), binding)).collect()
}

fn local(project: &Project<'_>, id: In<BindingId>, binding: &Binding) -> Option<Dying> {
    let function = id.with(binding.function);
    let value = id.with(project.binding_value(id)?);
    let at = strongest_use(project, value)?;
    let body = project.function(function).body;
    let end = Span::new(body.end.saturating_sub(1), body.end);
    let name = binding.name;
    Some(Dying {
        what: format!("persistent handle in the local variable `{name}` is never reset"),
        at,
        end: Some((project.at(id.file, end), format!("`{name}` is gone here, what it refers to is not"))),
        why: "its destructor leaves the global handle behind, so each call roots one more value for ever".to_owned(),
        help: format!("call `{name}.Reset()` on every way out, or make `{name}` a `Local` or a `Global`"),
        function,
        edits: reset_on_exits(project, function, at, &name).unwrap_or_default(),
    })
}

/// A handle of a local variable reset before every way out behind its filling.
fn reset_on_exits(project: &Project<'_>, function: In<FunctionId>, filled: Location, name: &str) -> Option<Vec<Edit>> {
    let text = &*project.sources.get(function.file).text;
    let release = format!("{};", resetter(project, function.file, name));
    let mut exits = Vec::new();
    project.function(function).flow.walk(&mut |flow| {
        if let Flow::Exit(Exit::Return(_) | Exit::Throw(_) | Exit::Macro(_), span) = flow
            && span.start > filled.span.end
        {
            exits.push(*span);
        }
    });
    let mut edits = Vec::new();
    for exit in &exits {
        edits.extend(before(function.file, text, *exit, &release).filter(|_| !mentions(exit.of(text), name))?);
    }
    let body = project.function(function).body;
    let last = exits.last().is_none_or(|exit| {
        !text[exit.end as usize..body.end.saturating_sub(1) as usize].trim_start_matches([';', ')']).trim().is_empty()
    });
    if last {
        edits.push(at_end(function.file, text, body.end.checked_sub(1)?, &release)?);
    }
    Some(edits)
}

/// What empties a handle, as this file says it: the first of the catalog's ways that it uses, else `Reset`.
fn resetter(project: &Project<'_>, file: FileId, name: &str) -> String {
    let calls = (0..project.summary(file).calls.len()).map(|at| In::new(file, CallId(at as u32)));
    let mut ways = calls.filter_map(|call| {
        let api =
            project.api(call).filter(|api| api.releases == Some(Part::Argument(0)) && api.callbacks.is_empty())?;
        let is_reset = api.of.iter().any(|of| is_persistent(project, file, of));
        (is_reset && project.call(call).arguments.len() == 1).then(|| project.callee_text(call))
    });
    ways.next().map_or_else(|| format!("{name}.Reset()"), |way| format!("{way}({name})"))
}

/// Where a handle is filled, if nothing resets it, makes it weak, copies it or hands it to code that might.
fn strongest_use(project: &Project<'_>, value: In<ValueId>) -> Option<Location> {
    let mut filled = None;
    for access in project.uses(value) {
        let (call, part) = match access.kind {
            AccessKind::Argument { call, index } => (access.of(call), Part::Argument(index)),
            AccessKind::Method { call, .. } => (access.of(call), Part::Receiver),
            AccessKind::Assigned { value, .. } => {
                let Value::Result(made) = *project.value(access.of(value)) else { return None };
                let api = project.api(access.of(made))?;
                filled = filled.or(api.gives.is_some().then(|| project.locate(access.of(made))));
                continue;
            }
            AccessKind::KeyRead { .. } => continue,
            _ => return None,
        };
        let api = project.api(call)?;
        if fills(project, api, part) {
            filled = filled.or(Some(project.locate(call)));
        } else if api.releases == Some(part) || !only_looks(api, part) {
            return None;
        }
    }
    filled
}

fn only_looks(api: &Api, part: Part) -> bool {
    match part {
        Part::Argument(at) => {
            matches!(api.arguments.get(at as usize).copied().unwrap_or(api.rest), Effect::Borrow | Effect::Copy)
        }
        _ => true,
    }
}

/// `std::make_shared<v8::Persistent<T>>(…)`: whoever drops the last pointer runs a destructor that resets nothing.
fn shared(project: &Project<'_>, call: In<CallId>) -> Option<Dying> {
    let made = project.api(call)?.returns_type.as_deref().and_then(|name| project.contracts.ty(name))?;
    if made.family != "smart-pointer" || project.call(call).arguments.is_empty() {
        return None;
    }
    let inner = project.call(call).template_type?;
    let inner: &str = &inner;
    let name = inner.split('<').next()?.trim();
    if has_traits(inner) || !is_persistent(project, call.file, name) || pointee_is_reset(project, inner) {
        return None;
    }
    Some(Dying {
        what: format!("nothing resets the `{inner}` that a smart pointer owns"),
        at: project.locate(call),
        end: None,
        why: "when the last pointer goes, the destructor of the handle leaves it strong: dropping the pointer is no `Reset()`"
            .to_owned(),
        help: "give the pointer a deleter that calls `Reset()`, or hold a `v8::Global`, which resets itself".to_owned(),
        function: project.function_of(call),
        edits: Vec::new(),
    })
}

/// Whether code of the project resets a handle of this type through a smart pointer.
fn pointee_is_reset(project: &Project<'_>, inner: &str) -> bool {
    let plain = |text: &str| text.replace([' ', '\n', '\t'], "").replace("v8::", "");
    let inner = plain(inner);
    project.calls().filter(|call| project.is_native(call.file)).any(|call| {
        let Some(api) = project.api(call).filter(|api| api.releases.is_some()) else { return false };
        let of_handle = api.of.is_empty() || api.of.iter().any(|of| is_persistent(project, call.file, of));
        let receiver = match api.releases {
            Some(Part::Argument(at)) => project.argument(call, at),
            _ => project.receiver(call),
        };
        let ty = receiver.and_then(|receiver| project.ty(receiver));
        let is_handle = ty.is_some_and(|ty| project.contracts.is_family(ty, "persistent"));
        of_handle && is_handle && receiver.is_none_or(|receiver| plain(&declared(project, receiver)).contains(&inner))
    })
}

/// The declared type of the field or variable that a value is, as written; of what is neither, nothing.
fn declared(project: &Project<'_>, value: In<ValueId>) -> String {
    let facts = match project.place(value).map(|place| place.root) {
        Some(Root::Field(class, field)) => project.field_type(class, &field).map(|(_, facts)| facts.text),
        Some(Root::Variable(binding)) => project.binding(binding).ty.as_ref().map(|facts| facts.text),
        _ => None,
    };
    facts.map(|text| text.to_string()).unwrap_or_default()
}

/// An element that goes into a container of handles whose elements nobody resets before they are removed.
fn element(project: &Project<'_>, call: In<CallId>) -> Option<Dying> {
    project.api(call)?.grows?;
    let place = project.place(project.receiver(call)?)?;
    let Root::Field(class, field) = place.root else { return None };
    let (_, facts) = project.field_type(class, &field)?;
    let holds = holds_handles(project, class.file, facts);
    if !holds || facts.holder != Holder::Value || !place.path.is_empty() || elements_are_reset(project, place) {
        return None;
    }
    let (at, how) = removal(project, place)?;
    Some(Dying {
        what: format!("persistent handles in `{field}` are never reset"),
        at: project.locate(call),
        end: Some((at, how)),
        why: format!(
            "`{field}` destroys its elements, and the destructor of a `{}` leaves the handle strong",
            facts.arguments.last()?
        ),
        help: format!("call `Reset()` on each element before it leaves `{field}`, or let it hold `v8::Global`"),
        function: project.function_of(call),
        edits: Vec::new(),
    })
}

fn holds_handles(project: &Project<'_>, file: FileId, facts: &TypeFacts) -> bool {
    !has_traits(&facts.text)
        && !facts.text.contains('*')
        && facts.arguments.iter().any(|argument| is_persistent(project, file, argument))
}

/// Whether a function that touches the container also resets, or makes weak, some handle that is no field.
fn elements_are_reset(project: &Project<'_>, place: Place) -> bool {
    let mut functions: Vec<_> = project.accesses(place).iter().map(|access| access.function()).collect();
    functions.sort_unstable();
    functions.dedup();
    functions.into_iter().any(|function| {
        project.calls_in(function).any(|call| {
            let name = project.method_name(call);
            let is_row = project.api(call).is_some_and(|api| api.releases.is_some());
            let sounds = name.is_some_and(|name| matches!(name.as_str(), "Reset" | "Dispose" | "SetWeak" | "MakeWeak"));
            let inner = project.receiver(call).and_then(|receiver| project.place(receiver));
            (is_row || sounds)
                && inner.is_none_or(|inner| !matches!(inner.root, Root::Field(..)) || inner.root == place.root)
        })
    })
}

/// Where elements leave a container.
fn removal(project: &Project<'_>, place: Place) -> Option<(Location, String)> {
    project.accesses(place).iter().find_map(|access| match access.kind {
        AccessKind::Method { call, .. } => {
            let api = project.api(access.of(call))?;
            api.shrinks.is_some().then(|| (access.at(), "elements are destroyed here".to_owned()))
        }
        AccessKind::Argument { .. } => Some((access.at(), "the elements leave here".to_owned())),
        _ => None,
    })
}

/// `delete handle` of a heap-allocated handle that nothing resets.
fn deleted(project: &Project<'_>, call: In<CallId>) -> Option<Dying> {
    let argument = is_delete(project, call)?;
    let ty = project.ty(argument).filter(|ty| !ty.raii && project.contracts.is_family(ty, "persistent"))?;
    let place = project.place(argument)?;
    if place.path.is_empty() && !matches!(place.root, Root::Field(..) | Root::Variable(_))
        || has_traits(&declared(project, argument))
    {
        return None;
    }
    let mut strong = false;
    for access in project.accesses(place).iter().copied() {
        let (other, part) = match access.kind {
            AccessKind::Argument { call, index } => (access.of(call), Part::Argument(index)),
            AccessKind::Method { call, .. } => (access.of(call), Part::Receiver),
            AccessKind::Assigned { value, .. } => {
                let Value::Result(made) = *project.value(access.of(value)) else { continue };
                let made = access.of(made);
                strong |= project.call(made).is_new
                    && !project.call(made).arguments.is_empty()
                    && !is_weakened(project, place, access.function());
                continue;
            }
            AccessKind::Stored { .. } | AccessKind::Returned | AccessKind::Inside { .. } => return None,
            _ => continue,
        };
        if is_delete(project, other).is_some() {
            continue;
        }
        let api = project.api(other)?;
        if resets(api, part) || !only_looks(api, part) {
            return None;
        }
    }
    let text = project.text(argument);
    strong.then(|| Dying {
        what: format!("{} `{text}` is deleted without a reset", ty.noun),
        at: project.locate(call),
        end: None,
        why: "its destructor leaves the global handle behind, and with it the JavaScript value".to_owned(),
        help: format!("call `{text}->Reset()` before `delete {text}`"),
        function: project.function_of(call),
        edits: Vec::new(),
    })
}

/// What a `delete` expression deletes.
fn is_delete(project: &Project<'_>, call: In<CallId>) -> Option<In<ValueId>> {
    let api = project.api(call)?;
    let is_operator = matches!(project.value(call.with(project.call(call).callee)), Value::Global(name) if name.starts_with("operator delete"));
    (is_operator && api.releases == Some(Part::Argument(0))).then(|| project.argument(call, 0))?
}

/// Whether a function that stores a handle also makes it weak.
fn is_weakened(project: &Project<'_>, place: Place, function: In<FunctionId>) -> bool {
    project.accesses(place).iter().any(|access| {
        let AccessKind::Method { call, .. } = access.kind else { return false };
        access.function() == function
            && project
                .api(access.of(call))
                .is_some_and(|api| api.releases == Some(Part::Receiver) && !api.callbacks.is_empty())
    })
}

/// Whether a call keeps a JavaScript object alive, by its name.
pub(in crate::rules) fn keeps_alive(project: &Project<'_>, call: In<CallId>) -> bool {
    project.method_name(call).is_some_and(|name| project.contracts.words.has(Meaning::Keeping, &name))
}
