//! The border between JavaScript and the addon beside it: which native function has which name in JavaScript, what it hands over
//! that its caller has to give back, and what it takes back. Says so as catalog rows, so that JavaScript's rules read an export
//! of the project's own addon like any other API. Never judges a path, on either side.

use super::{How, Project};
use crate::model::contract::{By, Effect, Part, Rows, Spoken};
use crate::model::{Api, CallId, FunctionId, In, Literal, Name, Type, Value, ValueId};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The catalog type of what loading an addon gives, whose methods the exports become.
const ADDON: &str = "addon";
/// The family of what an addon hands over.
const FAMILY: &str = "addon-handle";
/// How deep the arguments of a call that exports are looked into.
const DEPTH: u32 = 4;

/// What one export does with handles.
#[derive(Default)]
struct Deal {
    gives: Option<String>,
    takes: Option<(u16, String)>,
}

impl Project<'_> {
    /// Rows for the exports of the project's own addon; none where no JavaScript loads it, or nothing goes over the border.
    pub fn border(&self) -> Option<Rows> {
        if !self.files().any(|(file, _)| self.is_native(file)) || !self.loads_addon() {
            return None;
        }
        let exports = self.native_exports();
        let mut types: FxHashMap<String, Type> = FxHashMap::default();
        let mut deals: BTreeMap<Name, Deal> = BTreeMap::new();
        for (name, function) in &exports {
            let deal = Deal { gives: self.hands_over(*function, &mut types), takes: self.takes_back(*function) };
            deals.insert(*name, deal);
        }
        let is_taken =
            |ty: &String| deals.values().any(|deal| deal.takes.as_ref().is_some_and(|(_, taken)| taken == ty));
        let given: Vec<String> = types.keys().filter(|ty| is_taken(ty)).cloned().collect();
        if given.is_empty() {
            return None;
        }
        let apis = deals.iter().map(|(name, deal)| {
            let gives = deal.gives.clone().filter(|ty| given.contains(ty));
            let takes = deal.takes.clone().filter(|(_, ty)| given.contains(ty));
            Api {
                names: vec![format!("{ADDON}#{name}")],
                gives,
                by: By::Return,
                releases: takes.as_ref().map(|(at, _)| Part::Argument(*at)),
                of: takes.into_iter().map(|(_, ty)| ty).collect(),
                // A number, or an opaque value: native code can look at it, and nothing more.
                rest: Effect::Borrow,
                ..Api::default()
            }
        });
        let apis = apis.collect();
        let types = types.into_values().filter(|ty| given.contains(&ty.name)).collect();
        Some(Rows { language: Some(Spoken::Js), types, apis, ..Rows::default() })
    }

    /// Whether any JavaScript of the project calls what loading an addon gives.
    fn loads_addon(&self) -> bool {
        let scripts = self.calls().filter(|call| !self.is_native(call.file));
        scripts
            .filter_map(|call| self.receiver(call))
            .any(|receiver| self.ty(receiver).is_some_and(|ty| ty.name == ADDON))
    }

    /// Native functions by the one name that JavaScript has for each; a name that two functions have is left out.
    fn native_exports(&self) -> BTreeMap<Name, In<FunctionId>> {
        let mut found: BTreeMap<Name, Vec<In<FunctionId>>> = BTreeMap::new();
        for call in self.calls().filter(|call| self.is_native(call.file)) {
            let (mut names, mut functions) = (Vec::new(), Vec::new());
            for argument in &self.call(call).arguments {
                self.gather(call.with(argument.value), call, DEPTH, &mut names, &mut functions);
            }
            functions.dedup();
            if let ([name, ..], [function]) = (names.as_slice(), functions.as_slice()) {
                found.entry(*name).or_default().push(*function);
            }
        }
        self.listed_exports(&mut found);
        let single = |mut all: Vec<In<FunctionId>>| {
            all.dedup();
            (all.len() == 1).then(|| all[0])
        };
        found.into_iter().filter_map(|(name, all)| Some((name, single(all)?))).collect()
    }

    /// Names and functions side by side in a list: `{ "close", NULL, Close, … }`.
    fn listed_exports(&self, found: &mut BTreeMap<Name, Vec<In<FunctionId>>>) {
        for (file, summary) in self.files().filter(|(file, _)| self.is_native(*file)) {
            for value in &summary.values {
                let Value::Array(_, parts) = value else { continue };
                let name = parts.iter().find_map(|part| match summary.value(*part) {
                    Value::Literal(Literal::String(name)) => Some(*name),
                    _ => None,
                });
                let functions = parts.iter().flat_map(|part| self.functions_in(In::new(file, *part)));
                if let (Some(name), [function]) = (name, functions.collect::<Vec<_>>().as_slice()) {
                    found.entry(name).or_default().push(*function);
                }
            }
        }
    }

    /// The strings and functions in an argument: `String::New(env, "open")`, `Function::New(env, Open)`, a variable that a
    /// call before has filled with a function.
    fn gather(
        &self,
        value: In<ValueId>,
        user: In<CallId>,
        depth: u32,
        names: &mut Vec<Name>,
        functions: &mut Vec<In<FunctionId>>,
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let found = self.functions_in(value);
        if !found.is_empty() {
            functions.extend(found);
            return;
        }
        match self.value(value) {
            Value::Literal(Literal::String(name)) => names.push(*name),
            Value::Address(inner) | Value::Moved(inner) => {
                self.gather(value.with(*inner), user, depth, names, functions);
            }
            Value::Result(call) => {
                for argument in &self.call(value.with(*call)).arguments {
                    self.gather(value.with(argument.value), user, depth, names, functions);
                }
                if let Some(receiver) = self.receiver(value.with(*call)) {
                    self.gather(receiver, user, depth, names, functions);
                }
            }
            Value::Binding(_) => {
                for assigned in self.assigned_values(value) {
                    self.gather(assigned, user, depth, names, functions);
                }
                let filled = self.filled_by(value, user);
                for argument in filled.into_iter().flat_map(|call| &self.call(call).arguments) {
                    functions.extend(self.functions_in(value.with(argument.value)));
                }
            }
            _ => {}
        }
    }

    /// The last call before its use that is given the address of a variable: one variable often serves all exports in turn.
    fn filled_by(&self, variable: In<ValueId>, user: In<CallId>) -> Option<In<CallId>> {
        let until = self.call(user).span.start;
        let fills = |call: &In<CallId>| {
            let arguments = &self.call(*call).arguments;
            self.call(*call).span.end <= until
                && arguments
                    .iter()
                    .any(|argument| *self.value(call.with(argument.value)) == Value::Address(variable.id))
        };
        self.calls_in(self.function_of(user)).filter(fills).max_by_key(|call| self.call(*call).span.start)
    }

    /// The type of what an export gives to JavaScript by its number or as an opaque value.
    fn hands_over(&self, function: In<FunctionId>, types: &mut FxHashMap<String, Type>) -> Option<String> {
        self.owned_in(function).iter().find_map(|(owned, custody)| {
            let ty = owned.ty?;
            custody.settled(|how| match how {
                How::Handed(call, Some(at)) => self.is_told(function.with(call), at),
                _ => false,
            })?;
            let name = self.dealt(ty, owned.holder.map(|holder| function.with(holder)));
            types.entry(name.clone()).or_insert_with(|| Type {
                name: name.clone(),
                noun: owned.noun.clone(),
                family: FAMILY.to_owned(),
                source: "the project's own addon".to_owned(),
                aliases: Vec::new(),
                extends: Vec::new(),
                values: Vec::new(),
                duck: Vec::new(),
                ..ty.clone()
            });
            Some(name)
        })
    }

    /// The name of the type that goes over the border: the native one, of which class where it is an object.
    fn dealt(&self, ty: &Type, object: Option<In<ValueId>>) -> String {
        let class = object.and_then(|object| self.class_of_value(object)).map(|class| self.class(class).name);
        format!("{ADDON} {} {}", ty.name, class.unwrap_or_default())
    }

    /// Whether a call makes a JavaScript value of a handle: a number, an opaque value.
    fn is_told(&self, call: In<CallId>, at: u16) -> bool {
        let effect = self.api(call).map(|api| api.arguments.get(at as usize).copied().unwrap_or(api.rest));
        match effect {
            Some(Effect::Copy | Effect::Store) => true,
            // Without a finalizer, it is the caller's.
            Some(Effect::HandTo(to) | Effect::HandToOnSuccess(to)) => {
                self.argument(call, to).is_none_or(|finalizer| self.is_empty_value(finalizer))
            }
            _ => false,
        }
    }

    /// Which argument of an export is a handle that it releases, and of what type.
    fn takes_back(&self, function: In<FunctionId>) -> Option<(u16, String)> {
        self.calls_in(function).find_map(|call| {
            let api = self.api(call)?;
            let Part::Argument(at) = api.releases? else { return None };
            let released = self.argument(call, at)?;
            let argument = self.from_javascript(released, call, DEPTH * 2)?;
            let of = api.of.iter().find_map(|of| self.contracts.ty(of))?;
            Some((argument, self.dealt(of, Some(released))))
        })
    }

    /// The number of the JavaScript argument that a value is read from: `info[1]`, or what a call wrote out of `argv[1]`.
    fn from_javascript(&self, value: In<ValueId>, user: In<CallId>, depth: u32) -> Option<u16> {
        let depth = depth.checked_sub(1)?;
        let from = |value| self.from_javascript(value, user, depth);
        match self.value(value) {
            Value::Index(_, key) => match self.value(value.with(*key)) {
                Value::Literal(Literal::Int(at)) => u16::try_from(*at).ok(),
                _ => None,
            },
            Value::Member(inner, _) | Value::Deref(inner) | Value::Address(inner) => from(value.with(*inner)),
            Value::Opaque(parts) => parts.iter().find_map(|part| from(value.with(*part))),
            Value::Result(call) => {
                let call = value.with(*call);
                let receiver = self.receiver(call).and_then(&from);
                receiver
                    .or_else(|| self.call(call).arguments.iter().find_map(|argument| from(call.with(argument.value))))
            }
            Value::Binding(_) => {
                let assigned = self.assigned_values(value).into_iter().find_map(&from);
                assigned.or_else(|| {
                    let call = self.filled_by(value, user)?;
                    self.call(call).arguments.iter().find_map(|argument| match self.value(call.with(argument.value)) {
                        Value::Index(..) => from(call.with(argument.value)),
                        _ => None,
                    })
                })
            }
            _ => None,
        }
    }
}
