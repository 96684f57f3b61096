//! Variables that hold a named constant on a path: `status = E_PACK; goto done;`. Which number a name stands for is not known
//! here, so a name says only that it is itself and no other.

use super::state::State;
use crate::model::{Literal, Summary, Value, ValueId};

/// What marks the literal that stands for a named constant.
pub(super) const NAMED: &str = "#";

/// The name of the constant that a literal stands for.
pub(super) fn named(literal: &Literal) -> Option<&'static str> {
    match literal {
        Literal::String(name) => name.as_str().strip_prefix(NAMED),
        _ => None,
    }
}

/// Whether a name is spelled like a constant of C: `HDR_FAILED`.
pub(super) fn is_constant(name: &str) -> bool {
    name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Whether a variable that is known to hold a named constant equals another one, or the same.
pub(super) fn equals_named(summary: &Summary, state: &State, a: ValueId, b: ValueId) -> Option<bool> {
    let (Value::Binding(binding), Value::Global(name)) = (summary.value(a), summary.value(b)) else {
        return None;
    };
    let known = state.constant(*binding)?;
    is_constant(name).then_some(named(&known)? == name.as_str())
}
