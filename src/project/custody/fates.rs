//! What project functions do with a parameter (or receiver), over all their paths: the ownership summary that callers use.
//! Bounded in depth; a recursion answers that it does not know.

use super::acquire::{Begin, Owned};
use super::conditions::Conditions;
use super::effects::Effects;
use super::state::{Doubt, root};
use super::walk::Walk;
use super::{Custody, How};
use crate::model::{
    BindingId, BindingKind, CallId, Exit, Flow, FunctionId, Holder, In, Name, Step, Summary, Value, ValueId,
};
use crate::project::Project;
use crate::text::FileId;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How many calls deep a thing is followed.
const DEEPEST: u8 = 3;

/// What a function does with something that it is given. Ordered by what a caller has to reckon with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It only looks at it.
    Borrows(Doubt),
    /// Not known.
    #[default]
    Unknown,
    /// It gives it back.
    Returns,
    /// It keeps or releases it on some ways out, and drops it on others.
    MayTake,
    /// It keeps it, or gives it to somebody who does.
    Takes,
    /// It releases it on every way out.
    Releases,
}

impl<'a> Project<'a> {
    /// What becomes of an owned thing in its function.
    pub fn custody(&self, owned: &Owned<'a>) -> Custody {
        self.custody_at(owned, DEEPEST)
    }

    /// The same, looking so many calls deep.
    pub(super) fn custody_at(&self, owned: &Owned<'a>, depth: u8) -> Custody {
        let file = owned.function.file;
        let summary = self.summary(file);
        let function = summary.function(owned.function.id);
        let effects = Effects { project: self, summary, file, function: owned.function.id, depth, lent_to: None };
        let conditions = self.custody.conditions.keep(owned.function, || Arc::new(Conditions::of(summary, function)));
        let custody = Walk::run(self, &effects, &conditions, owned);
        let Some(taker) = guessed_taker(owned, &custody) else { return custody };
        // Who hands it on for certain afterwards still had it.
        let effects = Effects { lent_to: Some(taker), ..effects };
        let again = Walk::run(self, &effects, &conditions, owned);
        let is_handed_on = |settlement: &super::Settlement| {
            settlement.sure && matches!(settlement.how, How::Handed(..) | How::Stored(_) | How::Returned)
        };
        if again.settlements.iter().any(is_handed_on) { again } else { custody }
    }

    /// What a function does with its n-th parameter (none: its receiver), where that is a thing like this one.
    pub(super) fn fate(&self, function: In<FunctionId>, parameter: Option<u16>, owned: &Owned<'a>, depth: u8) -> Fate {
        let key = (function, parameter, depth);
        self.custody.fates.keep(key, || self.look(function, parameter, owned, depth))
    }

    fn look(&self, id: In<FunctionId>, parameter: Option<u16>, owned: &Owned<'a>, depth: u8) -> Fate {
        let function = self.function(id);
        if !function.has_body {
            return Fate::Unknown;
        }
        let value = match parameter {
            None => self.this_value(id),
            Some(at) => {
                let Some(binding) = function.parameters.get(at as usize) else { return Fate::Unknown };
                let ty = self.binding(id.with(*binding)).ty.as_ref();
                if ty.is_some_and(|ty| ty.holder == Holder::Smart) {
                    return Fate::Takes;
                }
                // `f(const std::string& name)` given a pointer: the string is a copy, and dies with the call.
                if ty.is_some_and(|ty| matches!(ty.holder, Holder::Value | Holder::Reference) && is_string(&ty.name))
                    && owned.is_plain_memory
                {
                    return Fate::Borrows(Doubt::Sure);
                }
                self.binding_value(id.with(*binding))
            }
        };
        match value {
            Some(value) if self.may_move(id, value) => self.fate_of(id, value, owned, depth),
            _ => Fate::Borrows(Doubt::Sure),
        }
    }

    /// Whether a function does more with what a place holds than look inside: most do not, and need no walk.
    fn may_move(&self, function: In<FunctionId>, value: ValueId) -> bool {
        let summary = self.summary(function.file);
        let mut moves = false;
        self.function(function).flow.walk(&mut |flow| match flow {
            Flow::Step(Step::Call(call)) => {
                let call = summary.call(*call);
                moves |= matches!(summary.value(call.callee), Value::Member(receiver, _) if *receiver == value)
                    || call.arguments.iter().any(|argument| speaks_of(summary, argument.value, value));
            }
            Flow::Step(Step::Assign(assign)) => moves |= speaks_of(summary, assign.value, value),
            Flow::Exit(Exit::Return(Some(returned)), _) => moves |= speaks_of(summary, *returned, value),
            _ => {}
        });
        moves
    }

    /// What a function does with something that a place of its own holds when it is entered.
    pub(super) fn fate_of(&self, function: In<FunctionId>, value: ValueId, owned: &Owned<'a>, depth: u8) -> Fate {
        let Some(depth) = depth.checked_sub(1) else { return Fate::Unknown };
        fate(&self.custody_at(&Owned::entry(function, value, owned), depth))
    }

    /// The value that names a variable, where code mentions it.
    pub fn binding_value(&self, binding: In<crate::model::BindingId>) -> Option<ValueId> {
        self.index(binding.file).bindings[binding.id.index()]
    }

    /// The value that a call's result is, where code uses it.
    pub(super) fn result_value(&self, file: FileId, call: CallId) -> Option<ValueId> {
        self.result(In::new(file, call)).map(|value| value.id)
    }

    /// `this` of a function, where its code mentions it.
    fn this_value(&self, function: In<FunctionId>) -> Option<ValueId> {
        let values = &self.summary(function.file).values;
        let at = values.iter().position(|value| *value == Value::This(function.id))?;
        Some(ValueId(at as u32))
    }

    /// The class that a name means in C or C++ code of a file.
    pub(super) fn native_class(&self, file: FileId, name: &str) -> Option<In<crate::model::ClassId>> {
        self.classes.native(file, name)
    }

    /// Whether a macro leaves the function that uses it: some(true) for always, some(false) for sometimes.
    pub fn macro_exits(&self, file: FileId, name: Name) -> Option<bool> {
        let own = self.summary(file).macros.iter().find(|known| known.name == name);
        let known = own.or_else(|| self.summaries.iter().flat_map(|s| &s.macros).find(|known| known.name == name));
        if let Some(known) = known {
            return known.may_exit.then_some(known.always_exits);
        }
        self.contracts.api(&name).filter(|api| api.exits).map(|api| api.never_returns)
    }

    /// Whether a call runs a function of the project that ends the process on every way: what fails an assertion.
    pub(super) fn ends_process(&self, call: In<CallId>, depth: u8) -> bool {
        let targets = self.targets(call);
        let [target] = targets.functions[..] else { return false };
        if targets.weak || depth > DEEPEST || !self.function(target).has_body {
            return false;
        }
        self.custody.endings.keep(target, || {
            let flow = &self.function(target).flow;
            let steps: &[Flow] = if let Flow::Sequence(steps) = flow { steps } else { std::slice::from_ref(flow) };
            for step in steps {
                match step {
                    Flow::Exit(Exit::Never, _) => return true,
                    Flow::Step(Step::Call(call)) if self.ends_process(target.with(*call), depth + 1) => return true,
                    Flow::Step(_) => {}
                    // What branches may leave.
                    _ => return false,
                }
            }
            false
        })
    }

    /// Whether code of the project passes things to this function in this position and releases them itself later:
    /// then the function does not keep them.
    pub(super) fn lends(&self, name: &str, argument: u16) -> bool {
        let lends = self.custody.lends.get_or_init(|| self.lendings());
        lends.contains_key(&(Name::from(name), argument))
    }

    fn lendings(&self) -> FxHashMap<(Name, u16), u32> {
        let mut found = FxHashMap::default();
        for id in self.functions().filter(|id| self.is_native(id.file)) {
            let mut lending = Lending { project: self, at: id, branches: Vec::new(), passed: Vec::new(), next: 0 };
            lending.walk(&self.function(id).flow, &mut found);
        }
        found
    }

    /// Whether the project calls a function of this name: a releaser that is called somewhere exists.
    pub fn is_called(&self, name: &str) -> bool {
        self.called().contains(&Name::from(name))
    }

    /// Whether the project calls releasers of the same library that end the same way: where there are an
    /// `opus_encoder_destroy` and an `opus_repacketizer_destroy`, there is an `opus_decoder_destroy`. One says little: a
    /// library with a collector frees its handles, too.
    pub(super) fn has_relative(&self, releaser: &str) -> bool {
        let (Some((library, _)), Some((_, end))) = (releaser.split_once('_'), releaser.rsplit_once('_')) else {
            return false;
        };
        let is_relative = |name: &Name| {
            let rest = name.strip_prefix(library).and_then(|rest| rest.strip_prefix('_'));
            rest.and_then(|rest| rest.strip_suffix(end)).is_some_and(|stem| stem.len() > 1 && stem.ends_with('_'))
        };
        library.len() > 2 && self.called().iter().filter(|name| is_relative(name)).nth(1).is_some()
    }

    /// Names of all functions that native code of the project calls.
    fn called(&self) -> &rustc_hash::FxHashSet<Name> {
        self.custody.releasers.get_or_init(|| {
            self.calls().filter(|call| self.is_native(call.file)).filter_map(|call| self.method_name(call)).collect()
        })
    }

    /// All values that a function returns, where each stands.
    pub(super) fn returned(&self, function: In<FunctionId>) -> Vec<(ValueId, crate::text::Span)> {
        let mut found = Vec::new();
        self.function(function).flow.walk(&mut |flow| {
            if let Flow::Exit(Exit::Return(Some(value)), span) = flow {
                found.push((*value, *span));
            }
        });
        found
    }
}

/// One pass over a function: what it passes to whom, and releases itself afterwards whatever the callee said.
struct Lending<'p, 'a> {
    project: &'p Project<'a>,
    at: In<FunctionId>,
    /// The sides of branches around.
    branches: Vec<u32>,
    /// Callee, position and variable, with the branches around.
    passed: Vec<(Name, u16, BindingId, Vec<u32>)>,
    next: u32,
}

impl Lending<'_, '_> {
    fn walk(&mut self, flow: &Flow, found: &mut FxHashMap<(Name, u16), u32>) {
        match flow {
            Flow::Step(Step::Call(call)) => self.call(*call, found),
            Flow::Sequence(parts) => parts.iter().for_each(|part| self.walk(part, found)),
            Flow::Branch { then, otherwise, .. } => {
                self.side(then, found);
                self.side(otherwise, found);
            }
            Flow::Switch { arms, .. } => arms.iter().for_each(|arm| self.side(arm, found)),
            Flow::Loop { body, .. } | Flow::Labelled(_, body) => self.walk(body, found),
            Flow::Try { body, handler, .. } => {
                self.walk(body, found);
                if let Some((_, handler)) = handler {
                    self.side(handler, found);
                }
            }
            _ => {}
        }
    }

    fn side(&mut self, flow: &Flow, found: &mut FxHashMap<(Name, u16), u32>) {
        self.next += 1;
        self.branches.push(self.next);
        self.walk(flow, found);
        self.branches.pop();
    }

    fn call(&mut self, call: CallId, found: &mut FxHashMap<(Name, u16), u32>) {
        let summary = self.project.summary(self.at.file);
        let Some(name) = self.project.method_name(self.at.with(call)) else { return };
        for (at, argument) in summary.call(call).arguments.iter().enumerate() {
            let Value::Binding(binding) = summary.value(argument.value) else { continue };
            if matches!(summary.binding(*binding).kind, BindingKind::Parameter(_)) {
                continue;
            }
            if !self.project.contracts.words.releases(&name) {
                self.passed.push((name, at as u16, *binding, self.branches.clone()));
                continue;
            }
            for (name, at, passed, branches) in &self.passed {
                if passed == binding && branches.starts_with(&self.branches) {
                    *found.entry((*name, *at)).or_insert(0) += 1;
                }
            }
        }
    }
}

/// Classes that copy the characters they are made of.
fn is_string(name: &str) -> bool {
    matches!(name.trim_start_matches("std::"), "string" | "wstring" | "u16string" | "u32string" | "QString")
}

/// Whether a value is another one, may be it, or holds it; not only what that one points to.
fn speaks_of(summary: &Summary, value: ValueId, of: ValueId) -> bool {
    if value == of {
        return true;
    }
    match summary.value(value) {
        Value::Choice(parts) | Value::Opaque(parts) | Value::Array(_, parts) => {
            parts.iter().any(|part| speaks_of(summary, *part, of))
        }
        Value::Moved(inner) | Value::Spread(inner) => speaks_of(summary, *inner, of),
        Value::Address(inner) => *inner == of || root(summary, *inner) == root(summary, of),
        Value::Object(object) => {
            summary.object(*object).properties.iter().any(|property| speaks_of(summary, property.value, of))
        }
        Value::Function(function) => {
            let function = summary.function(*function);
            function.captures_this || root(summary, of).is_some_and(|binding| function.captures.contains(&binding))
        }
        _ => false,
    }
}

/// The call that memory is left to for no other reason than its name, where nothing else happens to it.
fn guessed_taker(owned: &Owned<'_>, custody: &Custody) -> Option<CallId> {
    let [settlement] = custody.settlements.as_slice() else { return None };
    match settlement.how {
        How::Handed(call, Some(_)) if !settlement.sure && owned.is_plain_memory && owned.call().is_some() => Some(call),
        _ => None,
    }
}

fn fate(custody: &Custody) -> Fate {
    let returned = custody.settled(|how| how == How::Returned).is_some();
    let released = custody.settled(|how| matches!(how, How::Released(_) | How::Misreleased(_))).is_some();
    let taken =
        custody.settled(|how| matches!(how, How::Handed(..) | How::Stored(_) | How::Captured | How::Thrown)).is_some();
    let doubt = custody.losses.iter().map(|loss| loss.doubt).max();
    match (released || taken, doubt) {
        (true, Some(_)) => Fate::MayTake,
        (true, None) if released && !taken => Fate::Releases,
        (true, None) => Fate::Takes,
        (false, _) if returned => Fate::Returns,
        (false, Some(Doubt::Unsure)) => Fate::Unknown,
        (false, Some(doubt)) => Fate::Borrows(doubt),
        (false, None) => Fate::Borrows(Doubt::Sure),
    }
}

impl Begin {
    /// The call that acquires.
    pub fn call(self) -> Option<CallId> {
        match self {
            Begin::Result(call) | Begin::Out(call) => Some(call),
            Begin::Entry(_) => None,
        }
    }
}
