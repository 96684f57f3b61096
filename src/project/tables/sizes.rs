//! What conditions say of the size of a collection.

use crate::model::{Cond, Flow, In, Literal, Step, Value, ValueId};
use crate::project::{Access, Place, Project};

/// Whether a condition holds (or does not) only where a collection is empty.
pub(super) fn says_empty(project: &Project<'_>, access: &Access, cond: &Cond, place: Place, holds: bool) -> bool {
    let size = |value: ValueId| mentions_size(project, access.of(value), place, 3);
    let int = |value: ValueId, wanted: i64| matches!(project.value(access.of(value)), Value::Literal(Literal::Int(int)) if *int == wanted);
    match cond {
        Cond::Truthy(value) => !holds && size(*value),
        Cond::Equal(a, b) => holds && (size(*a) && int(*b, 0) || size(*b) && int(*a, 0)),
        Cond::Less(a, b) => holds && size(*a) && int(*b, 1) || !holds && int(*a, 0) && size(*b),
        Cond::AtMost(a, b) => holds && size(*a) && int(*b, 0) || !holds && int(*a, 1) && size(*b),
        Cond::Not(inner) => says_empty(project, access, inner, place, !holds),
        Cond::All(parts) => holds && parts.iter().any(|part| says_empty(project, access, part, place, true)),
        Cond::Any(parts) => !holds && parts.iter().any(|part| says_empty(project, access, part, place, false)),
        Cond::Opaque(_) | Cond::Config(_) => false,
    }
}

/// Whether a step of that range is in a piece of flow.
pub(super) fn contains(project: &Project<'_>, access: &Access, flow: &Flow) -> bool {
    let mut found = false;
    flow.walk(&mut |part| {
        found |= match part {
            Flow::Step(Step::Assign(assign)) => assign.span == access.span,
            Flow::Step(Step::Call(call)) => project.call(access.of(*call)).span == access.span,
            _ => false,
        };
    });
    found
}

/// Whether a condition compares the size of a collection with something other than nothing at all.
pub(super) fn bounds(project: &Project<'_>, access: &Access, cond: &Cond, place: Place) -> bool {
    let sized = |value: ValueId| mentions_size(project, access.of(value), place, 0);
    let zero = |value: ValueId| matches!(project.value(access.of(value)), Value::Literal(Literal::Int(0)));
    let one = |value: ValueId| matches!(project.value(access.of(value)), Value::Literal(Literal::Int(1)));
    match cond {
        Cond::Equal(a, b) => sized(*a) && !zero(*b) || sized(*b) && !zero(*a),
        Cond::Less(a, b) => sized(*a) && !one(*b) || sized(*b) && !zero(*a),
        Cond::AtMost(a, b) => sized(*a) && !zero(*b) || sized(*b) && !one(*a),
        Cond::Not(inner) => bounds(project, access, inner, place),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().any(|part| bounds(project, access, part, place)),
        Cond::Opaque(values) => values.iter().any(|value| sized(*value)),
        Cond::Truthy(_) | Cond::Config(_) => false,
    }
}

fn mentions_size(project: &Project<'_>, value: In<ValueId>, place: Place, depth: u32) -> bool {
    match project.value(value) {
        Value::Member(object, name) => {
            matches!(name.as_str(), "length" | "size") && project.place(value.with(*object)) == Some(place)
        }
        Value::Opaque(parts) | Value::Choice(parts) if depth < 3 => {
            parts.iter().any(|part| mentions_size(project, value.with(*part), place, depth + 1))
        }
        Value::Result(call) if depth < 3 => {
            let call = value.with(*call);
            let arguments = &project.call(call).arguments;
            arguments.iter().any(|argument| mentions_size(project, call.with(argument.value), place, depth + 1))
        }
        _ => false,
    }
}
