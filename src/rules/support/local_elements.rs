//! Owned things that a function puts into an array or container of its own, and never takes out again: the container ends, and
//! its elements stay. Any other use of an element, and whatever might walk over them all, is silence.

use super::custody::is_shipped;
use crate::model::contract::{Effect, Part};
use crate::model::{BindingId, BindingKind, CallId, Flow, FunctionId, Holder, In, Step, Summary, Type, Value, ValueId};
use crate::project::{How, Owned, Project};
use crate::text::Span;

/// An element that its container takes with it.
pub(in crate::rules) struct Buried<'a> {
    /// The thing.
    pub(in crate::rules) owned: Owned<'a>,
    /// Where it is put into the container.
    pub(in crate::rules) put: Span,
    /// The container's name.
    pub(in crate::rules) container: String,
}

/// Every such element of the project, one a container.
pub(in crate::rules) fn buried<'a>(project: &Project<'a>) -> Vec<Buried<'a>> {
    let mut found = Vec::new();
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        let mut seen = Vec::new();
        for (owned, custody) in project.owned_in(function).iter() {
            let [settlement] = custody.settlements.as_slice() else { continue };
            let Some(container) = container(project, function, settlement.how) else { continue };
            let contents = Contents { project, function, container };
            if seen.contains(&container) || !contents.are_forgotten() {
                continue;
            }
            seen.push(container);
            let name = project.binding(function.with(container)).name.to_string();
            found.push(Buried { owned: owned.clone(), put: settlement.span, container: name });
        }
    }
    found
}

/// The local array or container that receives a thing.
fn container(project: &Project<'_>, function: In<FunctionId>, how: How) -> Option<BindingId> {
    let summary = project.summary(function.file);
    let value = match how {
        How::Stored(place) => match summary.value(place) {
            Value::Index(object, _) => *object,
            _ => return None,
        },
        How::Handed(call, Some(_)) => {
            project.api(function.with(call))?.grows.as_ref()?;
            project.receiver(function.with(call))?.id
        }
        _ => return None,
    };
    let Value::Binding(id) = *summary.value(value) else { return None };
    let binding = summary.binding(id);
    let is_local = binding.function == function.id && matches!(binding.kind, BindingKind::Var | BindingKind::Const);
    (is_local && holds_pointers(project, function, id)).then_some(id)
}

/// Whether a variable is a container of plain pointers, or an array of them that the function itself makes and releases.
fn holds_pointers(project: &Project<'_>, function: In<FunctionId>, id: BindingId) -> bool {
    let Some(ty) = &project.binding(function.with(id)).ty else { return false };
    let text = ty.text.trim();
    match ty.holder {
        Holder::Value => ty.contains_pointers(),
        Holder::Raw if ty.is_array => text.contains('*'),
        // What is put into it is a pointer, whatever its own type is called.
        Holder::Raw => text.contains('*') && is_released(project, function, id),
        _ => false,
    }
}

/// Whether a function releases what one of its variables points to.
fn is_released(project: &Project<'_>, function: In<FunctionId>, id: BindingId) -> bool {
    let summary = project.summary(function.file);
    project.calls_in(function).any(|call| {
        let is_it = |argument: ValueId| *summary.value(argument) == Value::Binding(id);
        project.api(call).is_some_and(|api| match api.releases {
            Some(Part::Argument(at)) => {
                // What frees a list frees its elements, too; what frees a block does not.
                let is_block = |ty: &String| project.contracts.ty(ty).is_some_and(is_memory);
                api.of.iter().all(is_block) && project.argument(call, at).is_some_and(|argument| is_it(argument.id))
            }
            _ => false,
        })
    })
}

fn is_memory(ty: &Type) -> bool {
    matches!(ty.family.as_str(), "heap" | "array-heap")
}

/// The elements of a container of a function.
struct Contents<'p, 'a> {
    project: &'p Project<'a>,
    function: In<FunctionId>,
    container: BindingId,
}

impl Contents<'_, '_> {
    /// Whether no code of the function does anything with them that could be their end.
    fn are_forgotten(&self) -> bool {
        let summary = self.project.summary(self.function.file);
        let is_captured = summary.functions.iter().any(|other| other.captures.contains(&self.container));
        if is_captured {
            return false;
        }
        let calls: Vec<_> = self.project.calls_in(self.function).collect();
        let mut forgotten = calls.iter().all(|call| self.leaves_them(*call));
        self.project.function(self.function).flow.walk(&mut |flow| match flow {
            Flow::Step(Step::Assign(assign)) => {
                let is_own = *summary.value(assign.place) == Value::Binding(self.container);
                forgotten &= is_own || !self.is_about(summary, assign.value);
            }
            Flow::Exit(crate::model::Exit::Return(Some(value)), _) => forgotten &= !self.is_about(summary, *value),
            _ => {}
        });
        forgotten && !self.is_iterated(summary)
    }

    /// Whether a value is the container, one of its elements, or where they lie.
    fn is_about(&self, summary: &Summary, value: ValueId) -> bool {
        match summary.value(value) {
            Value::Binding(id) => *id == self.container,
            Value::Index(object, _) | Value::Member(object, _) => self.is_about(summary, *object),
            Value::Address(inner) | Value::Deref(inner) | Value::Moved(inner) | Value::Spread(inner) => {
                self.is_about(summary, *inner)
            }
            Value::Choice(parts) | Value::Opaque(parts) | Value::Array(_, parts) => {
                parts.iter().any(|part| self.is_about(summary, *part))
            }
            Value::Result(call) => self.gives_elements(self.function.with(*call)),
            _ => false,
        }
    }

    /// Whether a call on the container gives its elements, or a way to them.
    fn gives_elements(&self, call: In<CallId>) -> bool {
        let is_on_it = self
            .project
            .receiver(call)
            .is_some_and(|receiver| *self.project.value(receiver) == Value::Binding(self.container));
        is_on_it && !self.project.method_name(call).is_some_and(|name| self.counts(&name))
    }

    fn counts(&self, name: &str) -> bool {
        matches!(name, "size" | "empty" | "length" | "count" | "capacity")
    }

    /// Whether a call leaves container and elements as they are.
    fn leaves_them(&self, call: In<CallId>) -> bool {
        let summary = self.project.summary(self.function.file);
        let api = self.project.api(call);
        let is_known = |at: usize| {
            api.is_some_and(|api| {
                let effect = api.arguments.get(at).copied().unwrap_or(api.rest);
                // The array itself is released, not what is in it.
                let whole = *summary.value(summary.call(call.id).arguments[at].value) == Value::Binding(self.container);
                matches!(effect, Effect::Borrow | Effect::Copy) && api.releases.is_none()
                    || whole && api.releases == Some(Part::Argument(at as u16))
            })
        };
        let name = self.project.method_name(call).unwrap_or_default();
        let words = &self.project.contracts.words;
        let only_reads = || {
            api.is_none()
                && self.project.targets(call).functions.is_empty()
                && !words.releases(&name)
                // Nobody keeps an array that is gone when the function ends.
                && (!words.takes(&name) || is_released(self.project, self.function, self.container))
        };
        let mut arguments = summary.call(call.id).arguments.iter().enumerate();
        let arguments_stay = arguments.all(|(at, argument)| {
            !self.is_about(summary, argument.value) || is_known(at) || self.is_all(argument.value) && only_reads()
        });
        let is_on_element = self.project.receiver(call).is_some_and(|receiver| {
            !matches!(self.project.value(receiver), Value::Binding(_)) && self.is_about(summary, receiver.id)
        });
        arguments_stay && !is_on_element
    }

    /// Whether a value stands for all elements at once: the array, or where a container keeps them.
    fn is_all(&self, value: ValueId) -> bool {
        match self.project.value(self.function.with(value)) {
            Value::Binding(id) => *id == self.container && !self.is_object(),
            Value::Result(call) => {
                self.project.method_name(self.function.with(*call)).is_some_and(|name| name == "data")
            }
            _ => false,
        }
    }

    fn is_object(&self) -> bool {
        let ty = &self.project.binding(self.function.with(self.container)).ty;
        ty.as_ref().is_some_and(|ty| ty.holder == Holder::Value)
    }

    /// Whether a loop goes over the container.
    fn is_iterated(&self, summary: &Summary) -> bool {
        summary.bindings.iter().any(|binding| {
            binding.function == self.function.id
                && binding.value.is_some_and(|value| {
                    matches!(summary.value(value), Value::Opaque(parts) if parts.iter().any(|part| self.is_about(summary, *part)))
                })
        })
    }
}
