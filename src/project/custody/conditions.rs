//! What a condition says of the thing, of a call's outcome, and of conditions decided before: which paths can exist at all.
//! Knows no call's meaning beyond how a value says that there is something.

use super::acquire::Owned;
use super::state::{Mention, State, join, mention};
use crate::model::contract::Valid;
use crate::model::{BindingId, Cond, Flow, Function, Literal, Name, Summary, Value, ValueId};
use crate::project::Project;
use rustc_hash::FxHashMap;

/// Conditions that one function tests more than once, and its flags: what is worth remembering on a path.
#[derive(Default)]
pub(in crate::project) struct Conditions {
    /// The number of each condition that counts, by where it lies in the summary.
    numbers: FxHashMap<usize, u32>,
    mentioned: Vec<Vec<BindingId>>,
    /// Where each is tested last.
    last: Vec<u32>,
    flags: Vec<BindingId>,
}

/// One condition of a function, wherever it is tested.
struct Seen {
    atoms: Vec<usize>,
    last: u32,
    bindings: Vec<BindingId>,
}

impl Conditions {
    pub(super) fn of(summary: &Summary, function: &Function) -> Conditions {
        let mut seen: FxHashMap<String, Seen> = FxHashMap::default();
        let mut flags = Vec::new();
        function.flow.walk(&mut |flow| {
            let (cond, at) = match flow {
                Flow::Branch { cond, span, .. } => (cond, span.start),
                // A loop's condition is tested after its body too.
                Flow::Loop { cond, .. } => (cond, u32::MAX),
                _ => return,
            };
            atoms(cond, &mut |atom| {
                let mut bindings = Vec::new();
                let key = key(summary, atom, &mut bindings);
                if let Cond::Truthy(value) | Cond::Equal(value, _) = atom
                    && let Value::Binding(binding) = summary.value(*value)
                    && !flags.contains(binding)
                {
                    flags.push(*binding);
                }
                let seen = seen.entry(key).or_insert(Seen { atoms: Vec::new(), last: at, bindings });
                seen.atoms.push(std::ptr::from_ref(atom) as usize);
                seen.last = seen.last.max(at);
            });
        });
        let mut conditions = Conditions { flags, ..Conditions::default() };
        let mut repeated: Vec<_> = seen.into_iter().filter(|(_, seen)| seen.atoms.len() > 1).collect();
        repeated.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, seen) in repeated {
            let number = conditions.mentioned.len() as u32;
            conditions.numbers.extend(seen.atoms.into_iter().map(|atom| (atom, number)));
            conditions.last.push(seen.last);
            conditions.mentioned.push(seen.bindings);
        }
        conditions
    }

    /// Conditions that are tested no more are worth no memory.
    pub(super) fn forget_dead(&self, state: &mut State, at: u32) {
        state.facts.retain(|fact| self.last[fact.0 as usize] >= at);
    }

    pub(super) fn is_flag(&self, binding: BindingId) -> bool {
        self.flags.contains(&binding)
    }

    /// A variable receives something else: what was known of it is known no more.
    pub(super) fn forget(&self, state: &mut State, binding: BindingId) {
        state.facts.retain(|fact| !self.mentioned[fact.0 as usize].contains(&binding));
    }
}

/// The conditions below all `!`, `&&` and `||`.
fn atoms<'c>(cond: &'c Cond, visit: &mut dyn FnMut(&'c Cond)) {
    match cond {
        Cond::Not(inner) => atoms(inner, visit),
        Cond::All(parts) | Cond::Any(parts) => parts.iter().for_each(|part| atoms(part, visit)),
        atom => visit(atom),
    }
}

/// What two tests of the same thing have in common: their text, calls included.
fn key(summary: &Summary, atom: &Cond, bindings: &mut Vec<BindingId>) -> String {
    let mut of = |value: ValueId| {
        let mut out = String::new();
        spell(summary, value, &mut out, bindings);
        out
    };
    match atom {
        Cond::Truthy(value) => format!("? {}", of(*value)),
        Cond::Equal(a, b) => {
            let (a, b) = (of(*a), of(*b));
            if a <= b { format!("{a} == {b}") } else { format!("{b} == {a}") }
        }
        Cond::Less(a, b) => format!("{} < {}", of(*a), of(*b)),
        Cond::AtMost(a, b) => format!("{} <= {}", of(*a), of(*b)),
        Cond::Config(name) => format!("# {name}"),
        Cond::Opaque(values) => values.iter().map(|value| of(*value)).collect::<Vec<_>>().join(" ~ "),
        Cond::Not(_) | Cond::All(_) | Cond::Any(_) => String::new(),
    }
}

fn spell(summary: &Summary, value: ValueId, out: &mut String, bindings: &mut Vec<BindingId>) {
    match summary.value(value) {
        Value::Binding(binding) => {
            bindings.push(*binding);
            out.push_str(&format!("v{}", binding.0));
        }
        Value::Global(name) => out.push_str(name),
        Value::This(_) => out.push_str("this"),
        Value::Literal(literal) => out.push_str(&format!("{literal:?}")),
        Value::Member(object, name) => {
            spell(summary, *object, out, bindings);
            out.push('.');
            out.push_str(name);
        }
        Value::Index(object, at) => {
            spell(summary, *object, out, bindings);
            out.push('[');
            spell(summary, *at, out, bindings);
            out.push(']');
        }
        Value::Result(call) => {
            let call = summary.call(*call);
            spell(summary, call.callee, out, bindings);
            out.push('(');
            for argument in &call.arguments {
                spell(summary, argument.value, out, bindings);
                out.push(',');
            }
            out.push(')');
        }
        Value::Address(inner) | Value::Deref(inner) | Value::Moved(inner) => {
            out.push('*');
            spell(summary, *inner, out, bindings);
        }
        Value::Opaque(parts) | Value::Choice(parts) | Value::Array(_, parts) => {
            // Which operator joins them is not in the value, so two different expressions must not be taken for one.
            out.push_str(&format!("#{}", value.0));
            for part in parts {
                spell(summary, *part, out, bindings);
            }
        }
        _ => out.push_str(&format!("#{}", value.0)),
    }
}

/// What decides conditions: the function's own, and the thing that is followed.
pub(super) struct Judge<'w, 'p, 'a> {
    pub(super) project: &'p Project<'a>,
    pub(super) summary: &'p Summary,
    pub(super) conditions: &'w Conditions,
    pub(super) owned: &'w Owned<'a>,
}

impl Judge<'_, '_, '_> {
    /// The states in which a condition holds (or not), starting from one state. None: this path cannot exist.
    pub(super) fn refine(&self, state: &State, cond: &Cond, holds: bool) -> Vec<State> {
        match cond {
            Cond::Not(inner) => self.refine(state, inner, !holds),
            Cond::All(parts) => self.chain(state, parts, holds),
            Cond::Any(parts) => self.chain_any(state, parts, holds),
            atom => self.atom(state, atom, holds).into_iter().collect(),
        }
    }

    fn chain(&self, state: &State, parts: &[Cond], all: bool) -> Vec<State> {
        let mut so_far = vec![state.clone()];
        let mut failed = Vec::new();
        for part in parts {
            if !all {
                join(&mut failed, so_far.iter().flat_map(|state| self.refine(state, part, false)));
            }
            so_far = so_far.iter().flat_map(|state| self.refine(state, part, true)).collect();
        }
        if all { so_far } else { failed }
    }

    fn chain_any(&self, state: &State, parts: &[Cond], any: bool) -> Vec<State> {
        let mut so_far = vec![state.clone()];
        let mut met = Vec::new();
        for part in parts {
            if any {
                join(&mut met, so_far.iter().flat_map(|state| self.refine(state, part, true)));
            }
            so_far = so_far.iter().flat_map(|state| self.refine(state, part, false)).collect();
        }
        if any { met } else { so_far }
    }

    fn atom(&self, state: &State, atom: &Cond, holds: bool) -> Option<State> {
        if let Some(known) = self.decided(state, atom)
            && known != holds
        {
            return None;
        }
        let number = self.conditions.numbers.get(&(std::ptr::from_ref(atom) as usize)).copied();
        if let Some(number) = number {
            match state.fact(number) {
                Some(known) if known != holds => return None,
                _ => {}
            }
        }
        let mut state = state.clone();
        if let Some(number) = number {
            state.know(number, holds);
        }
        self.learn(&mut state, atom, holds);
        if let Some(status) = &mut state.status {
            atom.values(&mut |value| status.tested |= self.asks(&status.values, value).is_some());
        }
        Some(state)
    }

    /// A flag that is tested has that value from then on.
    fn learn(&self, state: &mut State, atom: &Cond, holds: bool) {
        if let Cond::Truthy(value) = atom
            && let Value::Binding(binding) = self.summary.value(*value)
            && !holds
            && self.conditions.is_flag(*binding)
            && state.constant(*binding).is_none()
            && !state.holds(*value)
        {
            state.set_constant(*binding, Some(Literal::Null));
        }
    }

    /// Whether an atom's outcome follows from what the state knows.
    fn decided(&self, state: &State, atom: &Cond) -> Option<bool> {
        match atom {
            Cond::Truthy(value) => self.truthy(state, *value),
            Cond::Equal(a, b) => self.equal(state, *a, *b).or_else(|| self.equal(state, *b, *a)),
            Cond::Less(a, b) => self.less(state, *a, *b, true),
            Cond::AtMost(a, b) => self.less(state, *a, *b, false),
            _ => None,
        }
    }

    /// Whether a value is an outcome, or asks one: `status`, `status.ok()` (true), `status.IsNotFound()` (false).
    fn asks(&self, outcomes: &[ValueId], value: ValueId) -> Option<bool> {
        if outcomes.contains(&value) {
            return Some(true);
        }
        match self.summary.value(value) {
            Value::Result(call) => match self.summary.value(self.summary.call(*call).callee) {
                Value::Member(receiver, name) if outcomes.contains(receiver) => Some(matches!(
                    name.to_ascii_lowercase().as_str(),
                    "ok" | "isok" | "success" | "succeeded" | "is_ok"
                )),
                Value::Global(name) if is_success_test(name) => {
                    let arguments = &self.summary.call(*call).arguments;
                    arguments.iter().any(|argument| outcomes.contains(&argument.value)).then_some(true)
                }
                _ => None,
            },
            Value::Opaque(parts) => parts.iter().find_map(|part| self.asks(outcomes, *part)),
            _ => None,
        }
    }

    fn truthy(&self, state: &State, value: ValueId) -> Option<bool> {
        if let Some(literal) = self.literal(state, value) {
            return truth(literal);
        }
        if state.owned && self.is_thing(state, value) {
            return matches!(self.owned.valid, Valid::Truthy | Valid::Unknown | Valid::NotInvalid).then_some(true);
        }
        // A struct that a call has filled: `if (token.value)`.
        if let Value::Member(holder, _) = self.summary.value(value)
            && state.owned
            && matches!(self.owned.begin, super::acquire::Begin::Out(_))
            && state.holds(*holder)
        {
            return Some(true);
        }
        if let Some(status) = &state.status
            && matches!(self.summary.value(value), Value::Result(_))
            && !status.values.contains(&value)
            && let Some(says_success) = self.asks(&status.values, value)
        {
            return if says_success { Some(status.succeeded) } else { status.succeeded.then_some(false) };
        }
        let status = self.status(state, value)?;
        match status.valid {
            Valid::Zero => Some(!status.succeeded),
            Valid::Truthy | Valid::Unknown => Some(status.succeeded),
            _ => None,
        }
    }

    fn equal(&self, state: &State, a: ValueId, b: ValueId) -> Option<bool> {
        if let (Some(a), Some(b)) = (self.literal(state, a), self.literal(state, b)) {
            return same_literal(a, b);
        }
        if state.owned && self.is_thing(state, a) {
            return self.is_invalid(state, b).then_some(false);
        }
        let status = self.status(state, a)?;
        let says_success = self.names_success(state, b, status.valid)?;
        // An outcome that is compared with one failure is not decided by being another one.
        if says_success { Some(status.succeeded) } else { status.succeeded.then_some(false) }
    }

    fn less(&self, state: &State, a: ValueId, b: ValueId, strict: bool) -> Option<bool> {
        let number = |value| match self.literal(state, value) {
            Some(Literal::Int(n)) => Some(n),
            Some(Literal::Null | Literal::Bool(false)) => Some(0),
            _ => match self.summary.value(value) {
                Value::Global(name) if is_success_name(name) => Some(0),
                _ => None,
            },
        };
        if let (Some(a), Some(b)) = (number(a), number(b)) {
            return Some(if strict { a < b } else { a <= b });
        }
        let positive = |value| {
            (state.owned && self.is_thing(state, value))
                .then_some(true)
                .or_else(|| self.status(state, value).and_then(|status| outcome_sign(status.valid, status.succeeded)))
        };
        if let (Some(sign), Some(limit)) = (positive(a), number(b)) {
            let below = if strict { limit <= 0 } else { limit < 0 };
            return below.then_some(!sign);
        }
        if let (Some(limit), Some(sign)) = (number(a), positive(b)) {
            let above = if strict { limit < 0 } else { limit <= 0 };
            return above.then_some(sign);
        }
        None
    }

    fn is_thing(&self, state: &State, value: ValueId) -> bool {
        state.holds(value)
            || (!state.old && matches!(self.summary.value(value), Value::Result(call) if self.owned.result_of(*call)))
            || (matches!(self.summary.value(value), Value::Choice(_))
                && mention(self.project, self.summary, state, value) == Mention::Whole)
    }

    fn status<'s>(&self, state: &'s State, value: ValueId) -> Option<&'s super::state::Status> {
        state.status.as_ref().filter(|status| status.values.contains(&value))
    }

    fn literal(&self, state: &State, value: ValueId) -> Option<Literal> {
        match self.summary.value(value) {
            Value::Literal(literal) => Some(*literal),
            Value::Binding(binding) => state.constant(*binding),
            Value::Global(name) => boolean(*name),
            _ => None,
        }
    }

    /// Whether a value can never be the thing: null, `-1`, `INVALID_HANDLE_VALUE`, some other variable's address.
    fn is_invalid(&self, state: &State, value: ValueId) -> bool {
        if let Some(literal) = self.literal(state, value) {
            return match literal {
                Literal::Null | Literal::Undefined | Literal::Bool(false) | Literal::Int(0) => {
                    matches!(self.owned.valid, Valid::Truthy | Valid::Unknown | Valid::NotInvalid)
                }
                Literal::Int(n) => n < 0,
                _ => false,
            };
        }
        match self.summary.value(value) {
            Value::Global(name) => is_invalid_name(name),
            Value::Binding(_) => {
                !self.is_thing(state, value) && self.summary.value(value) != &Value::Literal(Literal::Number)
            }
            // `(iconv_t)-1` may read as a difference.
            Value::Opaque(parts) => parts.iter().any(|part| {
                *self.summary.value(*part) == Value::Literal(Literal::Int(1)) || self.is_invalid(state, *part)
            }),
            _ => false,
        }
    }

    fn names_success(&self, state: &State, value: ValueId, valid: Valid) -> Option<bool> {
        if let Some(literal) = self.literal(state, value) {
            return match (valid, literal) {
                (Valid::Zero, _) => truth(literal).map(|truth| !truth),
                (Valid::Truthy, _) => truth(literal),
                (Valid::NonNegative, Literal::Int(n)) if n < 0 => Some(false),
                (Valid::Unknown, Literal::Int(n)) if n < 0 => Some(false),
                (Valid::Unknown, Literal::Null | Literal::Bool(false)) => Some(false),
                _ => None,
            };
        }
        match self.summary.value(value) {
            Value::Global(name) | Value::Member(_, name) => Some(is_success_name(name)),
            _ => None,
        }
    }
}

fn outcome_sign(valid: Valid, succeeded: bool) -> Option<bool> {
    match valid {
        Valid::Zero | Valid::NonNegative => Some(succeeded),
        _ => None,
    }
}

fn boolean(name: Name) -> Option<Literal> {
    match name.as_str() {
        "TRUE" | "YES" => Some(Literal::Bool(true)),
        "FALSE" | "NO" => Some(Literal::Bool(false)),
        "nil" | "Nil" => Some(Literal::Null),
        _ => None,
    }
}

fn truth(literal: Literal) -> Option<bool> {
    match literal {
        Literal::Null | Literal::Undefined => Some(false),
        Literal::Bool(value) => Some(value),
        Literal::Int(n) => Some(n != 0),
        Literal::String(_) | Literal::LongString | Literal::Regex => Some(true),
        Literal::Number => None,
    }
}

fn same_literal(a: Literal, b: Literal) -> Option<bool> {
    match (truth(a), truth(b)) {
        (Some(a), Some(b)) if a != b => Some(false),
        (Some(false), Some(false)) => Some(true),
        _ => match (a, b) {
            (Literal::Int(a), Literal::Int(b)) => Some(a == b),
            (Literal::Bool(a), Literal::Bool(b)) => Some(a == b),
            _ => None,
        },
    }
}

/// How C names the value that is no handle.
fn is_invalid_name(name: &str) -> bool {
    name.contains("INVALID") || name.ends_with("_FAILED") || matches!(name, "NULL" | "nil" | "SIG_ERR" | "MAP_FAILED")
}

/// Macros that ask whether a status is a success: `SQL_SUCCEEDED(rc)`, `SUCCEEDED(hr)`.
fn is_success_test(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper == name && (upper.ends_with("SUCCEEDED") || upper.ends_with("SUCCESS") || upper.ends_with("_OK"))
}

/// How C names success among status codes.
fn is_success_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["ok", "success", "none", "success_with_info", "noerror", "no_error"].iter().any(|word| {
        lower == *word || lower.strip_suffix(word).is_some_and(|head| head.ends_with('_') || !head.is_ascii())
    }) || lower.ends_with("success")
        || (name.starts_with('k') && (name.ends_with("NoErr") || name.ends_with("NoError")))
}
