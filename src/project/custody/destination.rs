//! Where a copy of the followed thing goes when code assigns it: another name for it, a part of it, a copy, or an owner that
//! outlives the function. Judges places by their declarations; never follows what happens to them later.

use super::effects::Effects;
use super::state::{Mention, State, is_inside, root};
use crate::model::{BindingId, BindingKind, Holder, In, Summary, TypeFacts, Value, ValueId};
use crate::project::Place;

/// Where a copy of a pointer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// A local variable, or a struct on the stack: one more holder.
    Alias,
    /// Into what it points to itself: `baton->request.data = baton`.
    Itself,
    /// A value that copies what it is given: `std::string s = p`, a number, a flag.
    Copy,
    /// Something that lives longer, or that owns.
    Owner,
}

impl Effects<'_, '_> {
    /// Where a copy goes that a place receives.
    pub(super) fn destination(&self, state: &State, place: ValueId, seen: Mention) -> Destination {
        let summary = self.summary;
        match summary.value(place) {
            Value::Binding(binding) => self.variable(*binding, seen),
            Value::Member(..) | Value::Index(..) => {
                let itself = state.holders.iter().any(|holder| is_inside(summary, place, *holder));
                if itself {
                    return Destination::Itself;
                }
                if seen == Mention::Derived && self.is_scalar_field(place) {
                    return Destination::Copy;
                }
                // Which element, only the run knows; whoever walks over the array answers for them.
                if has_computed_index(summary, place) {
                    return Destination::Owner;
                }
                let Some(root) = root(summary, place) else { return Destination::Owner };
                let binding = summary.binding(root);
                let is_local = binding.function == self.function && is_automatic(binding.kind);
                let ty = binding.ty.as_ref();
                let through_pointer = passes_pointer(summary, place);
                let is_struct = |ty: &TypeFacts| match ty.holder {
                    // `auto` may as well be a pointer, or an iterator into what lives on, and so may a template: `Ref<T>`.
                    Holder::Value => ty.name != "auto" && (ty.arguments.is_empty() || ty.is_array),
                    Holder::Raw => ty.is_array || !ty.text.contains('*') && !ty.text.contains("auto"),
                    Holder::Smart | Holder::Reference => false,
                };
                let on_stack = ty.is_some_and(is_struct) && !through_pointer;
                if is_local && on_stack && !self.is_container(root) { Destination::Alias } else { Destination::Owner }
            }
            _ => Destination::Owner,
        }
    }

    /// Whether objects of a class are handles of the catalog that have to be released by a call.
    fn is_bare_handle(&self, class: &str) -> bool {
        self.project.contracts.ty(class).is_some_and(|ty| ty.family == "tsfn" && !ty.raii && !ty.collectable)
    }

    /// Whether a field is a truth value or a number: what is computed from the thing, it keeps, but not the thing.
    fn is_scalar_field(&self, place: ValueId) -> bool {
        let Some((class, field)) = self.project.place(In::new(self.file, place)).and_then(Place::field) else {
            return false;
        };
        self.project.is_number_field(class, &field)
    }

    /// Whether a local variable is a container with elements of its own.
    fn is_container(&self, binding: BindingId) -> bool {
        self.summary.binding(binding).ty.as_ref().is_some_and(|ty| self.words().is_container(&ty.name))
    }

    fn variable(&self, id: BindingId, seen: Mention) -> Destination {
        let binding = self.summary.binding(id);
        if binding.function != self.function || !is_automatic(binding.kind) {
            return Destination::Owner;
        }
        let Some(ty) = &binding.ty else { return Destination::Alias };
        // Whoever gets the closure gets what it captures.
        if seen == Mention::Closure {
            return Destination::Alias;
        }
        match ty.holder {
            Holder::Raw => Destination::Alias,
            Holder::Smart | Holder::Reference => Destination::Owner,
            Holder::Value if ty.is_array || ty.name == "auto" => Destination::Alias,
            Holder::Value if self.words().is_scalar(&ty.name) => match seen {
                Mention::Derived => Destination::Copy,
                _ => Destination::Alias,
            },
            Holder::Value if seen == Mention::Container => Destination::Alias,
            Holder::Value if self.words().is_handle(&ty.name) || self.words().is_view(&ty.name) => Destination::Alias,
            // Copies of a handle that nothing ends by itself name the same thing.
            Holder::Value if self.is_bare_handle(&ty.name) => Destination::Alias,
            Holder::Value if self.words().copies(&ty.name) => Destination::Copy,
            Holder::Value => Destination::Owner,
        }
    }
}

fn is_automatic(kind: BindingKind) -> bool {
    matches!(kind, BindingKind::Var | BindingKind::Const | BindingKind::Let | BindingKind::Parameter(_))
}

/// Whether a place is an element under a key that is no literal.
pub(super) fn has_computed_index(summary: &Summary, place: ValueId) -> bool {
    match summary.value(place) {
        Value::Index(object, key) => {
            !matches!(summary.value(*key), Value::Literal(_)) || has_computed_index(summary, *object)
        }
        Value::Member(object, _) => has_computed_index(summary, *object),
        _ => false,
    }
}

/// Whether a place is reached through a pointer in a struct: `args.list->head`.
fn passes_pointer(summary: &Summary, place: ValueId) -> bool {
    match summary.value(place) {
        Value::Member(object, _) | Value::Index(object, _) => passes_pointer(summary, *object),
        Value::Deref(_) | Value::Result(_) => true,
        _ => false,
    }
}
