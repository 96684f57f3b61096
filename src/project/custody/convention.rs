//! What a call gives where no row knows it and no code is at hand: by the habits of C libraries in naming what makes things
//! and what ends them. A name alone proves nothing: the result has to be a pointer that somebody keeps, and that nobody else
//! owns. Which words make the habit is data (`rules/catalog/conventions.toml`).

use super::acquire::Owned;
use super::state::Doubt;
use crate::model::contract::Spoken;
use crate::model::words::Meaning;
use crate::model::{CallId, Cond, In, Literal, Summary, Value, ValueId};
use crate::project::Project;

impl<'a> Project<'a> {
    pub(super) fn by_convention(&self, call: In<CallId>) -> Option<Owned<'a>> {
        let Value::Global(name) = *self.value(call.with(self.call(call).callee)) else { return None };
        let is_pointer = self.receives_pointer(call)?;
        for convention in self.contracts.conventions.iter().filter(|convention| convention.language == Spoken::C) {
            let Some(releasers) = convention.releasers(&name) else { continue };
            let known = |releaser: &String| self.is_called(releaser) || self.has_relative(releaser);
            if !convention.certain && !(is_pointer && releasers.iter().any(known)) {
                continue;
            }
            // What is made goes where `&x` says, and the result is a status; or it goes with what it is made in or of.
            if !convention.certain && (self.writes_pointer(call) || self.has_keeper(call, convention.stem(&name))) {
                continue;
            }
            let ty = convention.gives.as_ref().and_then(|gives| self.contracts.ty(gives));
            let doubt = if convention.certain { Doubt::Sure } else { Doubt::Likely };
            let noun = ty.map_or_else(|| format!("result of `{name}`"), |ty| ty.noun.clone());
            return Some(Owned { ty, releasers, doubt, noun, ..self.blank(call) });
        }
        None
    }

    /// Whether a call is given the address of a pointer that is declared empty.
    fn writes_pointer(&self, call: In<CallId>) -> bool {
        let summary = self.summary(call.file);
        self.call(call).arguments.iter().any(|argument| {
            let Value::Address(inner) = summary.value(argument.value) else { return false };
            match summary.value(*inner) {
                Value::Binding(binding) => {
                    summary.binding(*binding).ty.as_ref().is_some_and(|ty| ty.text.contains('*') && !ty.is_array)
                }
                Value::Member(..) => true,
                _ => false,
            }
        })
    }

    /// Whether a call is given what goes on to own the result: a pool that frees all it gave at once, or, for a function of a
    /// class in C's way, an object of that class, of which the result is a part: `x_frame_new_data(frame, …)`.
    fn has_keeper(&self, call: In<CallId>, stem: Option<&str>) -> bool {
        let text = &self.sources.get(call.file).text;
        let arguments = &self.call(call).arguments;
        let is_pool = |span: crate::text::Span| self.contracts.words.any(Meaning::Pools, span.of(text));
        let bare = |name: &str| -> String {
            let name = name.strip_suffix("_t").unwrap_or(name);
            name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let owner = arguments.first().and_then(|first| self.pointee(call.with(first.value)));
        arguments.iter().any(|argument| is_pool(argument.span))
            || owner.is_some_and(|owner| stem.is_some_and(|stem| bare(&owner) == bare(stem)))
    }

    /// The type that a variable or a field is declared to point to.
    fn pointee(&self, value: In<ValueId>) -> Option<String> {
        match self.value(value) {
            Value::Binding(binding) => Some(self.binding(value.with(*binding)).ty.as_ref()?.name.to_string()),
            Value::Member(..) => {
                let (class, field) = self.place(value)?.field()?;
                Some(self.field_type(class, &field)?.1.name.to_string())
            }
            _ => None,
        }
    }

    /// Whether what receives a call's result is declared as a pointer; none where nothing receives it.
    fn receives_pointer(&self, call: In<CallId>) -> Option<bool> {
        if self.call(call).is_discarded {
            return None;
        }
        let result = self.result(call)?.id;
        let summary = self.summary(call.file);
        let (mut declared, mut is_status, mut is_tested) = (None, false, false);
        self.function(self.function_of(call)).flow.walk(&mut |flow| {
            // `x_create(…) != X_OK`: a status.
            if let crate::model::Flow::Branch { cond, .. } = flow {
                is_status |= is_compared(summary, cond, result);
                is_tested |= is_asked(cond, result);
            }
            if let crate::model::Flow::Step(crate::model::Step::Assign(assign)) = flow
                && (assign.value == result
                    || matches!(summary.value(assign.value), Value::Choice(parts) if parts.contains(&result)))
                && let Value::Binding(binding) = summary.value(assign.place)
                && let Some(ty) = &summary.binding(*binding).ty
            {
                let last = ty.name.rsplit("::").next().unwrap_or(&ty.name);
                let is_handle = ["Ref", "Ptr", "Handle", "HANDLE", "_h"].iter().any(|end| last.ends_with(end));
                declared = Some(ty.text.contains('*') || ty.name == "auto" || is_handle);
            }
        });
        // `if (!x_init(x))` with nothing to keep the result: a status, too.
        Some(!is_status && declared.unwrap_or(!is_tested))
    }
}

/// Whether a condition compares a value with something else than null.
fn is_compared(summary: &Summary, cond: &Cond, value: ValueId) -> bool {
    match cond {
        Cond::Equal(a, b) => {
            let other = if *a == value { *b } else { *a };
            (*a == value || *b == value)
                && !matches!(summary.value(other), Value::Literal(Literal::Null | Literal::Int(0)))
                && !matches!(summary.value(other), Value::Global(name) if matches!(name.as_str(), "NULL" | "nil"))
        }
        Cond::Less(a, b) | Cond::AtMost(a, b) => *a == value || *b == value,
        Cond::Not(inner) => is_compared(summary, inner, value),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().any(|part| is_compared(summary, part, value)),
        _ => false,
    }
}

/// Whether a condition asks of a value itself whether there is something.
fn is_asked(cond: &Cond, value: ValueId) -> bool {
    match cond {
        Cond::Truthy(asked) => *asked == value,
        Cond::Not(inner) => is_asked(inner, value),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().any(|part| is_asked(part, value)),
        _ => false,
    }
}
