//! What a function shows to own by how it treats it: a local pointer that a call of unknown code gives, and that the function
//! itself deletes where it comes to its end. Whoever leaves earlier leaves it behind. Asks only the one function.

use super::acquire::Owned;
use super::state::Doubt;
use crate::model::contract::{Part, Valid};
use crate::model::{BindingId, BindingKind, CallId, Cond, Flow, FunctionId, In, Literal, Step, Value, ValueId};
use crate::project::Project;

/// The sides of branches and the bodies of loops around a step, from outside to inside.
type Way = Vec<u32>;

impl<'a> Project<'a> {
    /// What an unknown call gives to a function that deletes it on its main way.
    pub(super) fn by_treatment(&self, call: In<CallId>, blank: Owned<'a>) -> Option<Owned<'a>> {
        if self.call(call).is_discarded {
            return None;
        }
        let result = self.result(call)?.id;
        let mut treatment = Treatment {
            project: self,
            at: blank.function,
            way: Way::new(),
            sides: 0,
            asked: Vec::new(),
            stores: Vec::new(),
            releases: Vec::new(),
        };
        treatment.walk(&self.function(blank.function).flow);
        let (variable, _, acquired) = treatment.stores.iter().find(|(_, value, _)| *value == result)?;
        let is_only_one = treatment.stores.iter().filter(|(other, ..)| other == variable).count() == 1;
        let is_released = treatment.releases.iter().any(|(other, way)| other == variable && acquired.starts_with(way));
        if !is_only_one || !is_released || !self.is_own_pointer(blank.function, *variable) {
            return None;
        }
        let noun = format!("result of `{}`", self.callee_text(call));
        Some(Owned { valid: Valid::Truthy, noun, doubt: Doubt::Likely, ..blank })
    }

    /// Whether a variable is a plain pointer of the function's own.
    fn is_own_pointer(&self, function: In<FunctionId>, variable: BindingId) -> bool {
        let binding = self.binding(function.with(variable));
        binding.function == function.id
            && matches!(binding.kind, BindingKind::Var | BindingKind::Const)
            && binding.ty.as_ref().is_some_and(|ty| ty.text.contains('*') && !ty.is_array)
    }
}

/// One pass over a function: what its variables receive, and where it deletes what they point to.
struct Treatment<'p, 'a> {
    project: &'p Project<'a>,
    at: In<FunctionId>,
    way: Way,
    sides: u32,
    /// Sides on which a variable is known to hold something.
    asked: Vec<(u32, BindingId)>,
    stores: Vec<(BindingId, ValueId, Way)>,
    releases: Vec<(BindingId, Way)>,
}

impl Treatment<'_, '_> {
    fn walk(&mut self, flow: &Flow) {
        match flow {
            Flow::Step(Step::Assign(assign)) => {
                let is_nothing = matches!(self.value(assign.value), Value::Literal(Literal::Null | Literal::Int(0)));
                if let (Value::Binding(variable), false) = (self.value(assign.place), is_nothing) {
                    self.stores.push((*variable, assign.value, self.way.clone()));
                }
            }
            Flow::Step(Step::Call(call)) => self.call(*call),
            Flow::Sequence(parts) => parts.iter().for_each(|part| self.walk(part)),
            Flow::Branch { cond, then, otherwise, .. } => {
                // `if (p) delete p;`: wherever there is something to delete.
                let asked = self.asked(cond).map(|variable| (self.sides + 1, variable));
                self.asked.extend(asked);
                self.side(then);
                self.side(otherwise);
            }
            Flow::Switch { arms, .. } => arms.iter().for_each(|arm| self.side(arm)),
            Flow::Loop { body, .. } => self.side(body),
            Flow::Labelled(_, body) => self.walk(body),
            Flow::Try { body, handler, finally } => {
                self.walk(body);
                if let Some((_, handler)) = handler {
                    self.side(handler);
                }
                if let Some(finally) = finally {
                    self.walk(finally);
                }
            }
            _ => {}
        }
    }

    fn side(&mut self, flow: &Flow) {
        self.sides += 1;
        self.way.push(self.sides);
        self.walk(flow);
        self.way.pop();
    }

    fn call(&mut self, call: CallId) {
        let call = self.at.with(call);
        let Some(Part::Argument(at)) =
            self.project.api(call).filter(|api| api.gives.is_none()).and_then(|api| api.releases)
        else {
            return;
        };
        let Some(argument) = self.project.argument(call, at) else { return };
        if let Value::Binding(variable) = self.project.value(argument) {
            let is_asked = |side: &u32| self.asked.contains(&(*side, *variable));
            self.releases.push((*variable, self.way.iter().copied().filter(|side| !is_asked(side)).collect()));
        }
    }

    /// The variable whose existence a condition asks for.
    fn asked(&self, cond: &Cond) -> Option<BindingId> {
        let variable = |value: ValueId| match self.value(value) {
            Value::Binding(variable) => Some(*variable),
            _ => None,
        };
        match cond {
            Cond::Truthy(value) => variable(*value),
            Cond::Not(inner) => match &**inner {
                Cond::Equal(a, b) if matches!(self.value(*b), Value::Literal(Literal::Null | Literal::Int(0))) => {
                    variable(*a)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn value(&self, value: ValueId) -> &Value {
        self.project.value(self.at.with(value))
    }
}
