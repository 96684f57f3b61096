//! To which callback an owned thing is handed, and as what it arrives there: the request itself, or what its `data` holds.

use crate::model::contract::Effect as Row;
use crate::model::{BindingId, CallId, Flow, FunctionId, In, Literal, Name, Step, Value, ValueId};
use crate::project::{Custody, How, Owned, Project};

/// What a callback receives.
pub(in crate::rules) struct Payload {
    /// The last function that holds it.
    pub(in crate::rules) callback: In<FunctionId>,
    /// The call that hands it over.
    pub(in crate::rules) by: In<CallId>,
    /// The value that holds it there; none where the callback never mentions it.
    pub(in crate::rules) value: Option<ValueId>,
    parameter: Option<Name>,
    member: Option<Name>,
}

impl Payload {
    /// What the callback calls it.
    pub(in crate::rules) fn text(&self, project: &Project<'_>) -> String {
        if let Some(value) = self.value {
            return project.text(In::new(self.callback.file, value));
        }
        let parameter =
            self.parameter.map_or("its argument", |name| if name.is_empty() { "its argument" } else { name.as_str() });
        match self.member {
            Some(member) => format!("{parameter}->{member}"),
            None => parameter.to_owned(),
        }
    }
}

/// The callback that an owned thing is handed to, if that is where its obligation goes.
pub(in crate::rules) fn handed(project: &Project<'_>, owned: &Owned<'_>, custody: &Custody) -> Option<Payload> {
    if !custody.losses.is_empty() {
        return None;
    }
    let file = owned.function.file;
    let mut found = None;
    for settlement in &custody.settlements {
        let (call, at, member) = match settlement.how {
            How::Handed(call, Some(at)) => {
                let argument = project.argument(In::new(file, call), at)?;
                let member = match project.value(argument) {
                    // `&baton->request`: the callback finds the baton in the request's `data`.
                    Value::Address(inner) => Some(stored_in_itself(project, owned, *inner)?),
                    // `baton->request`, a pointer of the baton's own.
                    Value::Member(..) => project.points_back(In::new(file, owned.call()?)),
                    _ => None,
                };
                (call, at, member)
            }
            How::Stored(place) => {
                let Value::Member(object, member) = *project.value(In::new(file, place)) else { return None };
                let (call, at) = passes(project, owned.function, object)?;
                if !is_only_handed(project, owned.function, object, call) {
                    return None;
                }
                (call, at, Some(member))
            }
            _ => return None,
        };
        let payload = payload(project, In::new(file, call), at, member)?;
        // Two different last holders: neither is the one.
        if found.as_ref().is_some_and(|known: &Payload| known.callback != payload.callback) {
            return None;
        }
        found = Some(payload);
    }
    found
}

/// The member of a place that receives the thing itself: `data` for `baton->request.data = baton`.
fn stored_in_itself(project: &Project<'_>, owned: &Owned<'_>, request: ValueId) -> Option<Name> {
    let summary = project.summary(owned.function.file);
    let mut found = None;
    project.function(owned.function).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Assign(assign)) = flow
            && let Value::Member(object, name) = summary.value(assign.place)
            && *object == request
        {
            found = Some(*name);
        }
    });
    found
}

/// Whether a local object was made here and goes nowhere but to one call: nobody else reaches what it holds.
fn is_only_handed(project: &Project<'_>, function: In<FunctionId>, object: ValueId, call: CallId) -> bool {
    project.owned_in(function).iter().any(|(owned, custody)| {
        super::custody::assigned(project, owned) == Some(object)
            && custody.losses.is_empty()
            && custody.settlements.iter().all(|settled| matches!(settled.how, How::Handed(to, _) if to == call))
    })
}

/// The call of a function that hands a value to a callback.
fn passes(project: &Project<'_>, function: In<FunctionId>, object: ValueId) -> Option<(CallId, u16)> {
    let summary = project.summary(function.file);
    let mut found = None;
    project.function(function).flow.walk(&mut |flow| {
        let Flow::Step(Step::Call(call)) = flow else { return };
        for (at, argument) in summary.call(*call).arguments.iter().enumerate() {
            let is_it = argument.value == object || *summary.value(argument.value) == Value::Address(object);
            if is_it && found.is_none() && hands(project, function.with(*call), at as u16).is_some() {
                found = Some((*call, at as u16));
            }
        }
    });
    found
}

/// The argument of a call that is the last owner of another one, by its catalog row, where it is given.
pub(in crate::rules) fn hands(project: &Project<'_>, call: In<CallId>, at: u16) -> Option<u16> {
    match project.api(call)?.arguments.get(at as usize)? {
        Row::HandTo(to) | Row::HandToOnSuccess(to) => is_given(project, call, *to).then_some(*to),
        _ => None,
    }
}

/// Whether a call could have named a last owner for an argument and does not.
pub(in crate::rules) fn lacks_finalizer(project: &Project<'_>, call: In<CallId>, at: u16) -> bool {
    let Some(api) = project.api(call) else { return false };
    match api.arguments.get(at as usize) {
        // An external value is how code passes pointers to itself; a buffer is for JavaScript to keep.
        Some(Row::HandTo(to) | Row::HandToOnSuccess(to)) if api.exposes => {
            !is_given(project, call, *to) && project.call(call).template_arguments.is_empty()
        }
        _ => false,
    }
}

/// Whether a call could have named a last owner for an argument, whatever it makes of that, and does not.
pub(in crate::rules) fn names_nobody(project: &Project<'_>, call: In<CallId>, at: u16) -> bool {
    let row = project.api(call).and_then(|api| api.arguments.get(at as usize).copied());
    match row {
        Some(Row::HandTo(to) | Row::HandToOnSuccess(to)) => {
            !is_given(project, call, to) && project.call(call).template_arguments.is_empty()
        }
        _ => false,
    }
}

fn is_given(project: &Project<'_>, call: In<CallId>, at: u16) -> bool {
    project.argument(call, at).is_some_and(|argument| match project.value(argument) {
        Value::Literal(Literal::Null | Literal::Int(0)) => false,
        Value::Global(name) => !matches!(name.as_str(), "NULL" | "nullptr"),
        _ => true,
    })
}

fn payload(project: &Project<'_>, by: In<CallId>, at: u16, member: Option<Name>) -> Option<Payload> {
    let to = hands(project, by, at)?;
    let callback = project.callbacks(by).into_iter().find(|handed| handed.argument == to)?.function;
    let function = project.function(callback);
    if !function.has_body {
        return None;
    }
    let binding = *function.parameters.iter().find(|parameter| {
        project.binding(callback.with(**parameter)).ty.as_ref().is_some_and(|ty| ty.text.contains('*'))
    })?;
    let parameter = project.binding(callback.with(binding)).name;
    let value = project.binding_value(callback.with(binding));
    let value = match member {
        None => value,
        Some(member) => value.and_then(|object| member_of(project, callback, object, member)),
    };
    Some(Payload { callback, by, value, parameter: Some(parameter), member })
}

/// A member of a callback's parameter as the callback writes it: through the parameter, or through the variable of the right
/// type that it is put into first.
fn member_of(project: &Project<'_>, callback: In<FunctionId>, object: ValueId, member: Name) -> Option<ValueId> {
    let summary = project.summary(callback.file);
    let written = |object: ValueId| {
        let at = summary.values.iter().position(|value| *value == Value::Member(object, member))?;
        Some(ValueId(at as u32))
    };
    let bindings = summary.bindings.iter().enumerate();
    let mut names = bindings
        .filter(|(_, binding)| binding.function == callback.id && binding.value == Some(object))
        .filter_map(|(at, _)| project.binding_value(callback.with(BindingId(at as u32))));
    written(object).or_else(|| names.find_map(written))
}
