//! Responses that a callback receives and leaves unread on some way out. One function at a time: whatever the callback does
//! with the response as a whole, other than to look at its properties, counts as reading it.

use crate::model::words::Meaning;
use crate::model::{BindingId, CallId, Cond, Exit, Flow, FunctionId, In, Literal, Step, Value, ValueId};
use crate::project::Project;
use crate::text::{Location, Span};

/// Statuses of responses that have no body. RFC 9110, 15.3.5, 15.3.6 and 15.4.5.
pub(crate) const BODILESS: [i64; 3] = [204, 205, 304];

/// Events of a response whose listeners let no data flow. Node.js: class stream.Readable, two reading modes.
const STILL: [&str; 4] = ["error", "close", "aborted", "timeout"];

/// Where the function that receives a response leaves without having touched its data; the end of the function where it
/// leaves by that. `response` is none where the function does not even take it.
pub(crate) fn left_unread(
    project: &Project<'_>,
    function: In<FunctionId>,
    response: Option<BindingId>,
) -> Option<Location> {
    let mut walk = Walk { project, function, response, left: None, blind: 0 };
    let is_open = walk.flow(&project.function(function).flow, true);
    let body = project.function(function).body;
    let end = || is_open.then(|| Span::new(body.end.saturating_sub(1), body.end));
    walk.left.or_else(end).map(|span| project.at(function.file, span))
}

struct Walk<'p, 'a> {
    project: &'p Project<'a>,
    function: In<FunctionId>,
    response: Option<BindingId>,
    left: Option<Span>,
    /// Conditions around that ask for something else than this response: whether the request is over already.
    blind: u32,
}

impl Walk<'_, '_> {
    /// Whether the end of a piece of code is reached with the response unread.
    fn flow(&mut self, flow: &Flow, unread: bool) -> bool {
        if !unread {
            return false;
        }
        match flow {
            Flow::Step(step) => !self.touches(step),
            Flow::Sequence(parts) => parts.iter().fold(true, |unread, part| self.flow(part, unread)),
            Flow::Branch { cond, then, otherwise, .. } => {
                let (then_empty, else_empty) = (self.has_no_body(cond, true), self.has_no_body(cond, false));
                let blind = u32::from(!self.asks_response(cond));
                self.blind += blind;
                let end = self.flow(then, !then_empty) | self.flow(otherwise, !else_empty);
                self.blind -= blind;
                end
            }
            Flow::Switch { arms, has_default, .. } => {
                let ends = arms.iter().fold(false, |ends, arm| ends | self.flow(arm, true));
                ends || !has_default
            }
            Flow::Loop { body, .. } => {
                self.flow(body, true);
                !self.mentions_in(flow)
            }
            Flow::Labelled(_, body) => self.flow(body, true),
            Flow::Try { body, handler, finally } => {
                let mut end = self.flow(body, true);
                if let Some((_, handler)) = handler {
                    end |= self.flow(handler, end);
                }
                finally.as_ref().map_or(end, |finally| self.flow(finally, end))
            }
            Flow::Exit(exit, span) => {
                if let Exit::Return(value) = exit
                    && self.blind == 0
                    && !value.is_some_and(|value| self.mentions(value, 0))
                {
                    self.left = self.left.or(Some(*span));
                }
                false
            }
            Flow::Label(_) => true,
        }
    }

    /// Whether the condition says, by how it comes out, that there is nothing to read.
    fn has_no_body(&self, cond: &Cond, holds: bool) -> bool {
        let bodiless = |value: &ValueId| matches!(self.project.value(self.function.with(*value)), Value::Literal(Literal::Int(status)) if BODILESS.contains(status));
        match cond {
            Cond::Equal(a, b) => holds && (bodiless(a) || bodiless(b)),
            Cond::Not(inner) => self.has_no_body(inner, !holds),
            Cond::All(parts) => holds && parts.iter().any(|part| self.has_no_body(part, true)),
            _ => false,
        }
    }

    fn asks_response(&self, cond: &Cond) -> bool {
        let mut asks = false;
        cond.values(&mut |value| asks |= self.is_of_response(value, 0));
        asks
    }

    /// `response.statusCode`, and what is worked out of it.
    fn is_of_response(&self, value: ValueId, depth: u32) -> bool {
        let of = |inner: &ValueId| depth < 8 && self.is_of_response(*inner, depth + 1);
        match self.project.value(self.function.with(value)) {
            Value::Binding(binding) => {
                let held = self.project.binding(self.function.with(*binding)).value;
                self.is_response(value) || held.is_some_and(|value| of(&value))
            }
            Value::Member(object, _) | Value::Index(object, _) => of(object),
            Value::Opaque(parts) | Value::Choice(parts) | Value::Array(_, parts) => parts.iter().any(of),
            Value::Result(call) => {
                let call = self.project.call(self.function.with(*call));
                of(&call.callee) || call.arguments.iter().any(|argument| of(&argument.value))
            }
            _ => false,
        }
    }

    fn mentions_in(&self, flow: &Flow) -> bool {
        let mut found = false;
        flow.walk(&mut |part| found |= matches!(part, Flow::Step(step) if self.touches(step)));
        found
    }

    fn touches(&self, step: &Step) -> bool {
        match step {
            Step::Call(call) => self.touches_by_call(self.function.with(*call)),
            Step::Assign(assign) => self.mentions(assign.value, 0),
            Step::Await { value, .. } => self.mentions(*value, 0),
            _ => false,
        }
    }

    /// A method of the response, a function that is given it or holds it, or the end of anything: of the request, too.
    fn touches_by_call(&self, call: In<CallId>) -> bool {
        let project = self.project;
        let data = project.call(call);
        if let Value::Member(object, name) = project.value(call.with(data.callee)) {
            if self.is_response(*object) {
                let api = project.api(call).and_then(|api| api.registers.as_ref());
                let event = api.and_then(|row| project.event_name(call, row));
                return !event.is_some_and(|event| STILL.contains(&event.as_str()));
            }
            if project.contracts.words.has(Meaning::Disposal, name) || self.mentions(*object, 0) {
                return true;
            }
        }
        data.arguments.iter().any(|argument| self.mentions(argument.value, 0))
    }

    fn is_response(&self, value: ValueId) -> bool {
        matches!(self.project.value(self.function.with(value)), Value::Binding(binding) if Some(*binding) == self.response)
    }

    /// Whether a value holds the response itself, and not only one of its properties.
    fn mentions(&self, value: ValueId, depth: u32) -> bool {
        if depth > 8 || self.is_response(value) {
            return self.is_response(value);
        }
        let of = |inner: &ValueId| self.mentions(*inner, depth + 1);
        let within = |inner: ValueId| self.function.with(inner);
        match self.project.value(within(value)) {
            Value::Array(_, parts) | Value::Choice(parts) | Value::Opaque(parts) => parts.iter().any(of),
            Value::Object(object) => {
                let properties = &self.project.object(self.function.with(*object)).properties;
                properties.iter().any(|property| of(&property.value))
            }
            Value::Spread(inner) | Value::Awaited(inner) => of(inner),
            Value::Function(inner) => {
                let captures = &self.project.function(self.function.with(*inner)).captures;
                self.response.is_some_and(|response| captures.contains(&response))
            }
            Value::Binding(binding) => {
                let binding = self.project.binding(self.function.with(*binding));
                binding.value.is_some_and(|value| of(&value))
            }
            _ => false,
        }
    }
}
