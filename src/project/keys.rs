//! How many values a key may have in the life of the program: as many as the source spells out, or as many as there are
//! requests, users, files. What cannot be told is unknown.

use super::{Origin, Project, Root};
use crate::model::contract::Runs;
use crate::model::{BindingId, BindingKind, In, Literal, Rate, Value, ValueId};

/// How many values a key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Openness {
    /// As many as the source spells out.
    Fixed,
    /// Nothing tells.
    Unknown,
    /// Any number: data from outside, objects.
    Open,
    /// A new one each time: counters, random names.
    Generated,
}

impl Project<'_> {
    /// How many values a key may have.
    pub fn openness(&self, key: In<ValueId>) -> Openness {
        self.openness_in(key, 0)
    }

    fn openness_in(&self, key: In<ValueId>, depth: u32) -> Openness {
        if depth > 8 {
            return Openness::Unknown;
        }
        let most = |parts: &[ValueId]| parts.iter().map(|part| self.openness_in(key.with(*part), depth + 1)).max();
        match self.value(key) {
            Value::Literal(_) | Value::Class(_) | Value::Import(_) | Value::Global(_) => Openness::Fixed,
            Value::Choice(parts) => most(parts).unwrap_or(Openness::Unknown),
            Value::Opaque(parts) if self.is_count(key, parts) => Openness::Generated,
            Value::Opaque(parts) | Value::Array(_, parts) => most(parts).unwrap_or(Openness::Unknown),
            Value::Binding(binding) => self.variable_openness(key.with(*binding), depth),
            Value::Member(object, _) => self.member_openness(key, key.with(*object), depth),
            Value::Index(object, _) | Value::Awaited(object) => match self.openness_in(key.with(*object), depth + 1) {
                Openness::Fixed => Openness::Fixed,
                other => other,
            },
            Value::Result(_) => self.result_openness(key, depth),
            Value::This(_) | Value::Object(_) | Value::Function(_) => Openness::Open,
            Value::Spread(inner) => self.openness_in(key.with(*inner), depth + 1),
            Value::Address(_) | Value::Deref(_) | Value::Moved(_) => Openness::Unknown,
        }
    }

    /// `next++`, `next += 1`.
    fn is_count(&self, key: In<ValueId>, parts: &[ValueId]) -> bool {
        let counts = |part: &ValueId| match self.value(key.with(*part)) {
            Value::Literal(Literal::String(operator)) => matches!(operator.as_str(), "++" | "--" | "+="),
            _ => false,
        };
        parts.iter().any(counts)
    }

    fn variable_openness(&self, variable: In<BindingId>, depth: u32) -> Openness {
        let binding = self.binding(variable);
        if let BindingKind::Parameter(index) = binding.kind {
            return self.parameter_openness(variable, index, depth);
        }
        if let Some(value) = binding.value {
            return self.openness_in(variable.with(value), depth + 1);
        }
        let values: Vec<In<ValueId>> = self.index(variable.file).bindings[variable.id.index()]
            .map(|id| self.index(variable.file).assigned(id).map(|(_, value)| variable.with(value)).collect())
            .unwrap_or_default();
        let most = values.into_iter().map(|value| self.openness_in(value, depth + 1)).max();
        match most {
            Some(most) => most,
            // Each failure brings an error of its own.
            None if binding.kind == BindingKind::Catch => Openness::Open,
            // The variable of a loop.
            None => Openness::Unknown,
        }
    }

    /// By what the callers pass, where all of them are known.
    fn parameter_openness(&self, parameter: In<BindingId>, index: u16, depth: u32) -> Openness {
        let function = parameter.with(self.binding(parameter).function);
        if self.is_public(function) {
            return Openness::Open;
        }
        let mut most = None;
        for argument in self.arguments_of(parameter) {
            most = most.max(Some(self.openness_in(argument, depth + 1)));
        }
        for passed in self.passed_to(function).iter() {
            let found = match passed.handed.runs {
                // An element of the list, its index, the list: as open as the list is.
                Some(Runs::Sync) if index <= 1 => match self.receiver(passed.call) {
                    Some(list) => self.openness_in(list, depth + 1),
                    None => Openness::Unknown,
                },
                None if self.rate(function).rate < Some(Rate::PerEvent) => Openness::Unknown,
                Some(Runs::Sync) => Openness::Unknown,
                _ => Openness::Open,
            };
            most = most.max(Some(found));
        }
        let weak = self.callers(function).iter().any(|caller| caller.weak);
        match most {
            Some(most) if !weak => most,
            None if self.callers(function).is_empty() => Openness::Open,
            _ => Openness::Unknown,
        }
    }

    fn member_openness(&self, key: In<ValueId>, object: In<ValueId>, depth: u32) -> Openness {
        match self.origin(key) {
            Origin::Literal(_) | Origin::Class(_) | Origin::Module(_) | Origin::External(_) => return Openness::Fixed,
            Origin::Function(_) | Origin::Object(_) | Origin::New(..) => return Openness::Open,
            _ => {}
        }
        if let Some(place) = self.place(key)
            && let Root::Field(..) = place.root
        {
            let accesses = self.accesses(place);
            let values = accesses.iter().filter_map(|access| match access.kind {
                super::AccessKind::Assigned { value, .. } if self.value(access.of(value)) != self.value(key) => {
                    Some(access.of(value))
                }
                _ => None,
            });
            let most = values.map(|value| self.openness_in(value, depth + 2)).max();
            return most.unwrap_or(Openness::Unknown);
        }
        self.openness_in(object, depth + 1)
    }

    /// What a call makes of its receiver and arguments is as open as these.
    fn result_openness(&self, key: In<ValueId>, depth: u32) -> Openness {
        let Value::Result(call) = self.value(key) else { return Openness::Unknown };
        let call = key.with(*call);
        let data = self.call(call);
        if data.is_new {
            return Openness::Open;
        }
        let receiver = self.receiver(call).filter(|receiver| {
            !matches!(self.value(*receiver), Value::Global(_) | Value::Import(_) | Value::This(_))
                && !matches!(self.origin(*receiver), Origin::External(_) | Origin::Module(_))
        });
        let parts = data.arguments.iter().map(|argument| call.with(argument.value)).chain(receiver);
        let most = parts.map(|part| self.openness_in(part, depth + 1)).max();
        match most {
            Some(Openness::Fixed) | None => self.made_openness(call, depth),
            Some(most) => most,
        }
    }

    /// A call without open arguments: a project function that returns literals, or something that may give anything.
    fn made_openness(&self, call: In<crate::model::CallId>, depth: u32) -> Openness {
        let targets = self.targets(call);
        let mut most = None;
        for target in &targets.functions {
            for value in &self.index(target.file).returns[target.id.index()] {
                most = most.max(Some(self.openness_in(target.with(*value), depth + 1)));
            }
        }
        most.unwrap_or(match self.path(call) {
            Some(path) if path.starts_with("Object.") || path.starts_with("path.") => Openness::Fixed,
            Some(path) if path.ends_with("randomUUID") || path.ends_with("randomBytes") => Openness::Generated,
            _ => Openness::Unknown,
        })
    }

    /// Whether a value is a literal `null` or `undefined`.
    pub fn is_nothing(&self, value: In<ValueId>) -> bool {
        matches!(self.value(value), Value::Literal(Literal::Null | Literal::Undefined))
    }
}
