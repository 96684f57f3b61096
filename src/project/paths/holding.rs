//! Which values are the handle, hold it, hand it on, or reach it through a closure.

use super::State as Fate;
use super::state::{State, root};
use super::walk::Walk;
use crate::model::{FunctionId, Name, Value, ValueId};
use crate::text::Span;
use smallvec::SmallVec;

/// How many local functions one closure is followed into.
const HELPERS: usize = 12;

impl Walk<'_, '_> {
    /// Whether a value is the handle itself.
    pub(super) fn is_alias(&self, state: &State, value: ValueId) -> bool {
        state.aliases.contains(&value)
            || match self.summary.value(value) {
                Value::Moved(inner) | Value::Address(inner) | Value::Deref(inner) | Value::Awaited(inner) => {
                    self.is_alias(state, *inner)
                }
                Value::Choice(parts) => parts.iter().any(|part| self.is_alias(state, *part)),
                _ => false,
            }
    }

    /// Whether a value is the handle or something that holds it.
    pub(super) fn carries(&self, state: &State, value: ValueId) -> bool {
        self.carries_in(state, value, 0)
    }

    fn carries_in(&self, state: &State, value: ValueId, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        if state.aliases.contains(&value) || state.boxes.contains(&value) {
            return true;
        }
        let inside = |part: &ValueId| self.carries_in(state, *part, depth + 1);
        match self.summary.value(value) {
            Value::Moved(inner)
            | Value::Address(inner)
            | Value::Deref(inner)
            | Value::Spread(inner)
            | Value::Awaited(inner) => inside(inner),
            Value::Choice(parts) | Value::Array(_, parts) => parts.iter().any(inside),
            Value::Object(object) => {
                self.summary.object(*object).properties.iter().any(|property| inside(&property.value))
            }
            // `&baton->request` of a baton that holds it.
            Value::Member(object, _) if state.boxes.contains(object) => true,
            Value::Member(object, name) => self.stands_for_it(*name) && self.is_alias(state, *object),
            // `--data=${directory}`: what is made of a path names it too.
            Value::Opaque(parts) => self.is_text() && parts.iter().any(inside),
            _ => false,
        }
    }

    /// `response.body`: a member through which the handle is used up or handed on.
    pub(super) fn stands_for_it(&self, member: Name) -> bool {
        self.ty.is_some_and(|ty| {
            let mut bases = self.project.contracts.bases(ty);
            bases.any(|ty| ty.through.iter().any(|through| member == **through))
        })
    }

    /// A loop over the elements of the handle, or of the part that stands for it, uses it up.
    pub(super) fn iterate(&self, state: &mut State, value: ValueId, span: Span) {
        let over = match self.summary.value(value) {
            Value::Member(object, name) => self.stands_for_it(*name) && self.is_alias(state, *object),
            _ => self.is_alias(state, value),
        };
        if over {
            state.settle(Fate::Released, span);
        }
    }

    /// Whether the handle is known by a text.
    pub(super) fn is_text(&self) -> bool {
        self.ty.is_some_and(|ty| ty.text)
    }

    /// The handle (or a closure that reaches it) leaves by a value.
    pub(super) fn given_away(&mut self, state: &mut State, value: ValueId, span: Span, fate: Fate) {
        if !state.is_held() {
            return;
        }
        let by_closure = self.closures_in(value).into_iter().any(|function| self.closure_reaches(state, function));
        if self.carries(state, value) || by_closure {
            state.settle(fate, span);
        }
    }

    /// Function literals in a value.
    pub(super) fn closures_in(&self, value: ValueId) -> Vec<FunctionId> {
        let mut found = Vec::new();
        self.closures(value, 0, &mut found);
        found
    }

    fn closures(&self, value: ValueId, depth: u32, found: &mut Vec<FunctionId>) {
        if depth > 4 {
            return;
        }
        match self.summary.value(value) {
            Value::Function(function) => found.push(*function),
            Value::Binding(binding) => {
                if let Some(value) = self.summary.binding(*binding).value {
                    match self.summary.value(value) {
                        Value::Function(function) => found.push(*function),
                        Value::Object(_) | Value::Result(_) => self.closures(value, depth + 1, found),
                        _ => {}
                    }
                }
            }
            Value::Object(object) => {
                for property in &self.summary.object(*object).properties {
                    self.closures(property.value, depth + 1, found);
                }
            }
            Value::Array(_, parts) | Value::Choice(parts) => {
                parts.iter().for_each(|part| self.closures(*part, depth + 1, found));
            }
            // `f.bind(…)`, `handlerFor(event)`.
            Value::Result(_) => {
                let functions = self.project.functions_in(self.function.with(value));
                found.extend(functions.iter().filter(|f| f.file == self.function.file).map(|f| f.id));
            }
            _ => {}
        }
    }

    /// Whether a closure mentions a variable that holds the handle.
    pub(super) fn closure_reaches(&self, state: &State, function: FunctionId) -> bool {
        !self.reached(state, function).is_empty()
    }

    /// The values of the handle that a closure mentions, itself or through local functions that it calls.
    pub(super) fn reached(&self, state: &State, function: FunctionId) -> SmallVec<[ValueId; 2]> {
        let mut functions: SmallVec<[FunctionId; 4]> = SmallVec::new();
        functions.push(function);
        let mut at = 0;
        while let Some(&function) = functions.get(at).filter(|_| at < HELPERS) {
            at += 1;
            for captured in &self.summary.function(function).captures {
                if let Some(value) = self.summary.binding(*captured).value
                    && let Value::Function(helper) = self.summary.value(value)
                    && !functions.contains(helper)
                {
                    functions.push(*helper);
                }
            }
        }
        let names = state.aliases.iter().chain(&state.boxes).copied();
        names.filter(|name| functions.iter().any(|function| self.mentions(*function, *name))).collect()
    }

    fn mentions(&self, function: FunctionId, value: ValueId) -> bool {
        let data = self.summary.function(function);
        if let Some(binding) = root(self.summary, value) {
            return data.captures.contains(&binding);
        }
        let of_this = |object: ValueId| matches!(self.summary.value(object), Value::This(_));
        data.captures_this && matches!(self.summary.value(value), Value::Member(object, _) if of_this(*object))
    }
}
