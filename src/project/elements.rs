//! Elements of collections under all their names: `timers[k]`, the elements of `Object.values(timers)`, and `timer` of
//! `timers.forEach((timer) => …)` are one place. Which API makes such lists and hands elements on is data of the catalog.

use super::{AccessKind, Place, Project};
use crate::model::contract::Part;
use crate::model::{BindingId, CallId, In, Value, ValueId};

/// How many lists of lists are followed.
const DEPTH: u32 = 3;

impl Project<'_> {
    /// The place of a collection's elements, also where the collection is a list made of them.
    pub(super) fn element_place(&self, collection: In<ValueId>) -> Option<Place> {
        match self.list_of(collection) {
            Some((of, false)) => self.element_place(of),
            // A pair stands for the collection: its parts are the elements.
            Some((of, true)) => self.place(of),
            None => self.place(collection)?.below("[]"),
        }
    }

    /// The collection whose elements a call has put into a list, and whether their keys are with them.
    fn list_of(&self, list: In<ValueId>) -> Option<(In<ValueId>, bool)> {
        let Value::Result(call) = self.value(list) else { return None };
        if self.is_native(list.file) {
            return None;
        }
        let call = list.with(*call);
        let api = self.api(call)?;
        match (api.elements, api.entries) {
            (Some(part), _) => Some((self.part(call, part)?, false)),
            (None, Some(part)) => Some((self.part(call, part)?, true)),
            (None, None) => None,
        }
    }

    /// The place of the elements that a callback gets one by one: `timer` of `timers.forEach((timer) => …)`.
    pub(super) fn parameter_place(&self, parameter: In<BindingId>) -> Option<Place> {
        let function = parameter.with(self.binding(parameter).function);
        let facts = self.function(function);
        if facts.parent.is_none() || facts.parameters.first() != Some(&parameter.id) {
            return None;
        }
        let [(call, index)] = self.handed_directly(function)[..] else { return None };
        let Some(api) = self.api(call) else {
            // Whatever has a `forEach` hands on what it holds.
            let walks = index == 0 && self.method_name(call).is_some_and(|name| name == "forEach");
            return self.element_place(self.receiver(call).filter(|_| walks)?);
        };
        let mut rows = api.callbacks.iter().filter(|row| row.argument == index as i16);
        self.element_place(self.part(call, rows.next()?.element?)?)
    }

    /// All values that denote elements of a collection, or what it points to.
    pub(super) fn elements_of(&self, collection: In<ValueId>) -> Vec<In<ValueId>> {
        let mut found = Vec::new();
        self.collect_elements(collection, 0, &mut found);
        found
    }

    fn collect_elements(&self, collection: In<ValueId>, depth: u32, found: &mut Vec<In<ValueId>>) {
        found.extend(self.parts_of(collection));
        if depth == DEPTH || self.is_native(collection.file) {
            return;
        }
        for access in self.index(collection.file).accesses(collection.id) {
            let (call, part) = match access.kind {
                AccessKind::Argument { call, index } => (collection.with(call), Part::Argument(index)),
                AccessKind::Method { call, .. } => (collection.with(call), Part::Receiver),
                _ => continue,
            };
            self.collect_handed(call, part, depth, found);
        }
    }

    /// What a call makes of, or hands on from, a collection that it is given.
    fn collect_handed(&self, call: In<CallId>, part: Part, depth: u32, found: &mut Vec<In<ValueId>>) {
        let Some(api) = self.api(call) else { return };
        for row in api.callbacks.iter().filter(|row| row.element == Some(part)) {
            let function = self.argument(call, row.argument.unsigned_abs()).map(|value| self.value(value));
            if let Some(Value::Function(function)) = function
                && let Some(first) = self.function(call.with(*function)).parameters.first()
            {
                found.extend(self.index(call.file).bindings[first.index()].map(|id| call.with(id)));
            }
        }
        let is_entries = api.entries == Some(part);
        if !is_entries && api.elements != Some(part) {
            return;
        }
        let mut lists = Vec::new();
        if let Some(result) = self.result(call) {
            self.with_aliases(result, &mut lists);
        }
        for list in lists {
            if is_entries {
                let mut pairs = Vec::new();
                self.collect_elements(list, depth + 1, &mut pairs);
                pairs.into_iter().for_each(|pair| found.extend(self.parts_of(pair)));
            } else {
                self.collect_elements(list, depth + 1, found);
            }
        }
    }

    /// `x[k]`, `*x` of a value.
    fn parts_of(&self, value: In<ValueId>) -> Vec<In<ValueId>> {
        let values = self.summary(value.file).values.iter().enumerate();
        values
            .filter(|(_, part)| match part {
                Value::Index(of, _) | Value::Deref(of) => *of == value.id,
                _ => false,
            })
            .map(|(at, _)| value.with(ValueId(at as u32)))
            .collect()
    }
}
