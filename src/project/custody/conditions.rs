//! What a condition says of the thing, of a call's outcome, and of conditions decided before: which paths can exist at all.
//! Knows no call's meaning beyond how a value says that there is something.

use super::acquire::Owned;
use super::bounds::Bound;
use super::named::{equals_named, named};
use super::state::{Doubt, Mention, State, join, mention, root};
use super::statuses::{asks_outcome, is_success_name, is_success_test, tested_status};
use crate::model::contract::Valid;
use crate::model::{BindingId, Cond, Flow, Function, Literal, Name, Step, Summary, Value, ValueId};
use crate::project::Project;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Conditions that one function tests more than once, and its flags: what is worth remembering on a path.
#[derive(Default)]
pub(in crate::project) struct Conditions {
    /// The number of each condition that counts, by where it lies in the summary, and whether it says the reverse.
    numbers: FxHashMap<usize, (u32, bool)>,
    mentioned: Vec<Vec<BindingId>>,
    /// Where each is tested last.
    last: Vec<u32>,
    flags: Vec<BindingId>,
    /// The named constants that each variable receives.
    names: FxHashMap<BindingId, SmallVec<[Name; 2]>>,
    /// Variables that are asked for success, with the number of that condition.
    statuses: FxHashMap<BindingId, u32>,
    /// Conditions of the build that compare one name with numbers: `VERSION > 3`.
    bounds: FxHashMap<u32, Bound>,
}

/// Most named constants of one variable that are told apart.
const MOST_NAMES: usize = 4;

/// How the common text of tests for success begins.
const STATUS: &str = "ok ";

/// How the common text of conditions of the build begins.
const CONFIG: &str = "# ";

/// One condition of a function, wherever it is tested.
struct Seen {
    atoms: Vec<(usize, bool)>,
    last: u32,
    bindings: Vec<BindingId>,
}

impl Conditions {
    pub(super) fn of(summary: &Summary, function: &Function) -> Conditions {
        let mut seen: FxHashMap<String, Seen> = FxHashMap::default();
        let mut flags = Vec::new();
        let mut names: FxHashMap<BindingId, SmallVec<[Name; 2]>> = FxHashMap::default();
        function.flow.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow
                && let (Value::Binding(binding), Value::Global(name)) =
                    (summary.value(assign.place), summary.value(assign.value))
                && !names.get(binding).is_some_and(|names| names.contains(name))
            {
                names.entry(*binding).or_default().push(*name);
            }
            let (cond, at) = match flow {
                Flow::Branch { cond, span, .. } => (cond, span.start),
                // A loop's condition is tested after its body too.
                Flow::Loop { cond, .. } => (cond, u32::MAX),
                _ => return,
            };
            atoms(cond, &mut |atom| {
                let mut bindings = Vec::new();
                let (key, reversed) = key(summary, atom, &mut bindings);
                if let Cond::Truthy(value) | Cond::Equal(value, _) = atom
                    && let Value::Binding(binding) = summary.value(*value)
                    && !flags.contains(binding)
                {
                    flags.push(*binding);
                }
                let seen = seen.entry(key).or_insert(Seen { atoms: Vec::new(), last: at, bindings });
                seen.atoms.push((std::ptr::from_ref(atom) as usize, reversed));
                seen.last = seen.last.max(at);
            });
        });
        let mut conditions = Conditions { flags, names, ..Conditions::default() };
        // Whether a status says success is asked by macros too, which are no conditions here.
        let is_status = |key: &str| key.starts_with(STATUS);
        // Of two bounds on one version, one may exclude the other.
        let bound = |key: &str| key.strip_prefix(CONFIG).and_then(Bound::read);
        let bounds: Vec<Bound> = seen.keys().filter_map(|key| bound(key)).collect();
        let is_bounded =
            |key: &str| bound(key).is_some_and(|own| bounds.iter().filter(|other| other.name == own.name).count() > 1);
        let counts = |key: &str, seen: &Seen| seen.atoms.len() > 1 || is_status(key) || is_bounded(key);
        let mut repeated: Vec<_> = seen.into_iter().filter(|(key, seen)| counts(key, seen)).collect();
        repeated.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, mut seen) in repeated {
            let number = conditions.mentioned.len() as u32;
            if is_status(&key) {
                conditions.statuses.extend(seen.bindings.first().map(|binding| (*binding, number)));
                seen.last = u32::MAX;
            }
            if is_bounded(&key) {
                conditions.bounds.extend(bound(&key).map(|bound| (number, bound)));
                seen.last = u32::MAX;
            }
            conditions.numbers.extend(seen.atoms.into_iter().map(|(atom, reversed)| (atom, (number, reversed))));
            conditions.last.push(seen.last);
            conditions.mentioned.push(seen.bindings);
        }
        conditions
    }

    /// Conditions that are tested no more are worth no memory.
    pub(super) fn forget_dead(&self, state: &mut State, at: u32) {
        state.facts.retain(|fact| self.last[fact.0 as usize] >= at);
    }

    /// Whether a variable is known to hold a success (or a failure).
    pub(super) fn status_of(&self, state: &State, binding: BindingId) -> Option<bool> {
        state.fact(*self.statuses.get(&binding)?)
    }

    /// Whether a bound on a version can hold (or not) beside those that are decided.
    fn is_within_bounds(&self, state: &State, condition: u32, holds: bool) -> bool {
        let Some(own) = self.bounds.get(&condition) else { return true };
        let known = state.facts.iter().filter_map(|fact| Some((self.bounds.get(&fact.0)?, fact.1)));
        let of_same = known.filter(|(bound, _)| bound.name == own.name).map(|(bound, holds)| bound.range(holds));
        let (low, high) = of_same.fold(own.range(holds), |(low, high), (from, to)| (low.max(from), high.min(to)));
        low <= high
    }

    pub(super) fn is_flag(&self, binding: BindingId) -> bool {
        self.flags.contains(&binding)
    }

    /// Whether a variable receives few named constants: of a `status` a path knows which, of a table's column it had better not.
    pub(super) fn is_named_flag(&self, binding: BindingId) -> bool {
        self.names.get(&binding).is_some_and(|names| names.len() <= MOST_NAMES)
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

/// What two tests of the same thing have in common: their text, calls included; and whether this one says the reverse of it.
fn key(summary: &Summary, atom: &Cond, bindings: &mut Vec<BindingId>) -> (String, bool) {
    let mut of = |value: ValueId| {
        let mut out = String::new();
        spell(summary, value, &mut out, bindings);
        out
    };
    if let Some(status) = tested_status(summary, atom) {
        return (format!("{STATUS}{}", of(status)), false);
    }
    if let Cond::AtMost(a, b) = atom {
        return (format!("{} < {}", of(*b), of(*a)), true);
    }
    let text = match atom {
        Cond::Truthy(value) => format!("? {}", of(*value)),
        // `p == NULL` is `!p`.
        Cond::Equal(a, b) if *summary.value(*b) == Value::Literal(Literal::Null) => {
            return (format!("? {}", of(*a)), true);
        }
        Cond::Equal(a, b) => {
            let (a, b) = (of(*a), of(*b));
            if a <= b { format!("{a} == {b}") } else { format!("{b} == {a}") }
        }
        Cond::Less(a, b) => format!("{} < {}", of(*a), of(*b)),
        Cond::Config(name) => format!("{CONFIG}{name}"),
        Cond::Opaque(values) => values.iter().map(|value| of(*value)).collect::<Vec<_>>().join(" ~ "),
        Cond::AtMost(..) | Cond::Not(_) | Cond::All(_) | Cond::Any(_) => String::new(),
    };
    (text, false)
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
        if let Some((number, reversed)) = number {
            match state.fact(number) {
                Some(known) if known != (holds != reversed) => return None,
                _ if !self.conditions.is_within_bounds(state, number, holds != reversed) => return None,
                _ => {}
            }
        }
        let mut state = state.clone();
        if let Some((number, reversed)) = number {
            state.know(number, holds != reversed);
        }
        if state.owned && self.reports_failure(&state, atom, holds) {
            state.owned = false;
            state.holders.clear();
            return Some(state);
        }
        self.learn(&mut state, atom, holds);
        if state.owned && self.asks_derived(&state, atom) {
            state.doubt = Doubt::Unsure;
        }
        if let Some(status) = &mut state.status {
            atom.values(&mut |value| status.tested |= self.asks(&status.values, value).is_some());
        }
        Some(state)
    }

    /// Whether an atom asks a field that was computed from the outcome: which way is that of success cannot be told.
    fn asks_derived(&self, state: &State, atom: &Cond) -> bool {
        let mut asks = false;
        let derived = state.status.as_ref().map(|status| &status.derived);
        atom.values(&mut |value| asks |= derived.is_some_and(|derived| derived.contains(&value)));
        asks
    }

    /// Whether an atom says that the acquisition has failed, by what it has written into an argument: `if (error)`,
    /// `if (!status.ok())`.
    fn reports_failure(&self, state: &State, atom: &Cond, holds: bool) -> bool {
        if state.reports.is_empty() {
            return false;
        }
        let is_report = |value: ValueId| root(self.summary, value).is_some_and(|root| state.reports.contains(&root));
        let asks = |value: ValueId| match self.summary.value(value) {
            Value::Result(call) => {
                let call = self.summary.call(*call);
                let asked = call.arguments.iter().any(|argument| is_report(argument.value))
                    || matches!(self.summary.value(call.callee), Value::Member(receiver, _) if is_report(*receiver));
                let name = match self.summary.value(call.callee) {
                    Value::Global(name) | Value::Member(_, name) => name.to_ascii_lowercase(),
                    _ => String::new(),
                };
                asked.then_some(["ok", "success", "succeeded"].iter().any(|word| name.ends_with(word)))
            }
            _ => is_report(value).then_some(false),
        };
        match atom {
            Cond::Truthy(value) => asks(*value).is_some_and(|says_success| holds != says_success),
            Cond::Equal(a, b) => [(a, b), (b, a)].into_iter().any(|(outcome, value)| {
                asks(*outcome).is_some()
                    && match self.summary.value(*value) {
                        Value::Global(name) | Value::Member(_, name) if is_success_name(name) => !holds,
                        Value::Literal(literal) => truth(*literal) == Some(holds),
                        _ => holds,
                    }
            }),
            Cond::Less(a, b) | Cond::AtMost(a, b) => asks(*a).or(asks(*b)).is_some() && holds,
            _ => false,
        }
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
            // Of a descriptor, too: who writes `if (fd <= 0)` means that there is none, and it is hardly ever 0.
            Cond::AtMost(a, b) if state.owned && self.is_thing(state, *a) && self.is_zero(state, *b) => Some(false),
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
                Value::Global(name) if asks_outcome(name) => {
                    let arguments = &self.summary.call(*call).arguments;
                    arguments.iter().any(|argument| outcomes.contains(&argument.value)).then_some(is_success_test(name))
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
            // Of a descriptor, too: who writes `if (fd)` means that it is open, and it is hardly ever 0.
            return Some(true);
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
        if let Some(equal) = equals_named(self.summary, state, a, b) {
            return Some(equal);
        }
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
        let range = |value| match self.status(state, value) {
            _ if state.owned && self.is_thing(state, value) => Some((0, i64::MAX)),
            Some(status) => outcome_range(status.valid, status.succeeded),
            None => None,
        };
        // `a < b`: surely where the largest a is below the smallest b, surely not where it cannot be.
        let compare = |(a_low, a_high): (i64, i64), (b_low, b_high): (i64, i64)| {
            let slack = i64::from(strict);
            if a_high <= b_low.saturating_sub(slack) {
                Some(true)
            } else if a_low > b_high.saturating_sub(slack) {
                Some(false)
            } else {
                None
            }
        };
        let point = |value| number(value).map(|n| (n, n));
        match (range(a), range(b)) {
            (Some(a), None) => compare(a, point(b)?),
            (None, Some(b)) => compare(point(a)?, b),
            _ => None,
        }
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

    fn is_zero(&self, state: &State, value: ValueId) -> bool {
        self.literal(state, value) == Some(Literal::Int(0))
    }

    fn literal(&self, state: &State, value: ValueId) -> Option<Literal> {
        match self.summary.value(value) {
            Value::Literal(literal) => Some(*literal),
            Value::Binding(binding) => state.constant(*binding).filter(|literal| named(literal).is_none()),
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
            // Another variable or field: had it received the thing, that would be its owner.
            Value::Binding(_) | Value::Member(..) => !self.is_thing(state, value),
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

/// Between which numbers an outcome lies.
fn outcome_range(valid: Valid, succeeded: bool) -> Option<(i64, i64)> {
    match (valid, succeeded) {
        (Valid::Zero | Valid::NonNegative, true) => Some((0, i64::MAX)),
        (Valid::Zero | Valid::NonNegative, false) => Some((i64::MIN, -1)),
        (Valid::Positive, true) => Some((1, i64::MAX)),
        (Valid::Positive, false) => Some((i64::MIN, 0)),
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
