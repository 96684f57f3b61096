//! Project functions that acquire for their caller through a parameter: `get_string(value, &text)`. Knows which parameter
//! receives what, and which result says that it did; where either is unclear there is nothing to say.

use super::How;
use super::acquire::{Given, Owned};
use super::statuses::is_success_name;
use crate::model::contract::Valid;
use crate::model::{Assign, BindingId, CallId, Flow, FunctionId, In, Literal, Step, Summary, Value, ValueId};
use crate::project::Project;
use crate::text::Span;

/// A parameter through which a function gives something away.
#[derive(Clone, Debug)]
pub(super) struct Output {
    parameter: u16,
    given: Given,
    succeeds: Valid,
}

impl<'a> Project<'a> {
    /// What a call of a project function writes through its arguments for its caller to release.
    pub(super) fn written_by(&self, call: In<CallId>, target: In<FunctionId>, depth: u8) -> Vec<Owned<'a>> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let outputs = self.custody.outputs.keep((target, depth), || self.outputs(target, depth).into());
        let owned = |output: &Output| {
            let given = self.from_wrapper(call, &output.given);
            self.out(call, output.parameter, None, Owned { succeeds: output.succeeds, ..given })
        };
        outputs.iter().filter_map(owned).collect()
    }

    fn outputs(&self, function: In<FunctionId>, depth: u8) -> Vec<Output> {
        let written = self.function(function);
        let stores = self.stores_through_parameters(function);
        if !written.has_body || stores.is_empty() {
            return Vec::new();
        }
        let summary = self.summary(function.file);
        let mut found = Vec::new();
        for owned in self.acquisitions_at(function, depth) {
            let custody = self.custody_at(&owned, 1);
            let [settlement] = custody.settlements.as_slice() else { continue };
            let How::Stored(place) = settlement.how else { continue };
            let Some(binding) = parameter_behind(summary, place) else { continue };
            let Some(parameter) = written.parameters.iter().position(|parameter| *parameter == binding) else {
                continue;
            };
            // Anything else that it may receive, nobody has to release.
            let is_nothing =
                |value: ValueId| matches!(summary.value(value), Value::Literal(Literal::Null | Literal::Int(0)));
            let own = stores.iter().filter(|store| store.place == place && !is_nothing(store.value)).count();
            let Some(succeeds) = self.success_after(function, settlement.span).filter(|_| own == 1) else { continue };
            let Some(given) = Given::of(&owned) else { continue };
            found.push(Output { parameter: parameter as u16, given, succeeds });
        }
        found
    }

    /// `*parameter = …` of a function.
    fn stores_through_parameters(&self, function: In<FunctionId>) -> Vec<Assign> {
        let summary = self.summary(function.file);
        let mut found = Vec::new();
        self.function(function).flow.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow
                && parameter_behind(summary, assign.place).is_some()
            {
                found.push(*assign);
            }
        });
        found
    }

    /// How a function's result says that it came past a place: by a value that it returns in the end and nowhere before.
    fn success_after(&self, function: In<FunctionId>, place: Span) -> Option<Valid> {
        let returned = self.returned(function);
        let summary = self.summary(function.file);
        let Some((last, span)) = returned.iter().max_by_key(|(_, span)| span.start) else {
            return Some(Valid::Unknown);
        };
        let told = outcome(summary, *last)?;
        let is_before = |span: &Span| span.start < place.start;
        let says_so_before =
            returned.iter().any(|(value, span)| is_before(span) && outcome(summary, *value) == Some(told));
        if is_before(span) || says_so_before {
            return None;
        }
        Some(if told { Valid::Truthy } else { Valid::Zero })
    }
}

/// The parameter that `*parameter` stands for.
fn parameter_behind(summary: &Summary, place: ValueId) -> Option<BindingId> {
    let Value::Deref(inner) = summary.value(place) else { return None };
    let Value::Binding(binding) = *summary.value(*inner) else { return None };
    matches!(summary.binding(binding).kind, crate::model::BindingKind::Parameter(_)).then_some(binding)
}

/// Whether a returned value is one that counts as true; none where the code does not say.
fn outcome(summary: &Summary, value: ValueId) -> Option<bool> {
    match summary.value(value) {
        Value::Literal(Literal::Int(n)) => Some(*n != 0),
        Value::Literal(Literal::Bool(held)) => Some(*held),
        Value::Global(name) => match name.as_str() {
            "TRUE" | "YES" => Some(true),
            "FALSE" | "NO" => Some(false),
            // What is no success is a code of failure.
            _ => Some(!is_success_name(name)),
        },
        _ => None,
    }
}
