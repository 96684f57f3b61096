//! Whether running one function runs another: direct calls, and functions written inside that are called, handed on or
//! returned. Bounded in depth; knows no order and no condition.

use super::Project;
use crate::model::{CallId, FunctionId, In, Value};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// How many calls deep.
const DEPTH: u32 = 4;

impl Project<'_> {
    /// Whether running `from` leads to running `to`, which may also be written inside what it runs.
    pub fn leads_to(&self, from: In<FunctionId>, to: In<FunctionId>) -> bool {
        self.leads(from, to, DEPTH, &mut FxHashSet::default())
    }

    fn leads(
        &self,
        from: In<FunctionId>,
        to: In<FunctionId>,
        depth: u32,
        seen: &mut FxHashSet<In<FunctionId>>,
    ) -> bool {
        if from == to || (from.file == to.file && self.summary(to.file).is_inside(to.id, from.id)) {
            return true;
        }
        if depth == 0 || !seen.insert(from) {
            return false;
        }
        let summary = self.summary(from.file);
        let inside = (from.id.0..summary.functions.len() as u32)
            .map(FunctionId)
            .filter(|inner| summary.is_inside(*inner, from.id))
            .flat_map(|inner| self.index(from.file).calls[inner.index()].iter().copied());
        let calls: Vec<_> = inside.map(|call| from.with(call)).collect();
        calls.into_iter().any(|call| {
            // `removeListener(event, f)` runs nothing.
            let removes = self.api(call).is_some_and(|api| api.removes.is_some());
            let handed = if removes { Vec::new() } else { self.callbacks(call) };
            let handed = handed.into_iter().map(|handed| handed.function);
            let run = self.targets(call).functions;
            run.into_iter().chain(handed).any(|next| self.leads(next, to, depth - 1, seen))
        })
    }

    /// The functions, written inside a function, that it returns.
    pub fn returned_functions(&self, function: In<FunctionId>) -> SmallVec<[In<FunctionId>; 2]> {
        let returned = self.index(function.file).returns[function.id.index()].iter();
        let functions = returned.flat_map(|value| self.functions_in(function.with(*value)));
        functions.filter(|f| f.file == function.file && self.summary(f.file).is_inside(f.id, function.id)).collect()
    }

    /// The nearest function around, itself included, for which something holds.
    pub fn around(&self, from: In<FunctionId>, is: impl Fn(In<FunctionId>) -> bool) -> Option<In<FunctionId>> {
        let mut next = Some(from);
        while let Some(function) = next {
            if is(function) {
                return Some(function);
            }
            next = self.function(function).parent.map(|parent| function.with(parent));
        }
        None
    }
}

impl Project<'_> {
    /// The nearest function around that has a name, itself included.
    pub fn named_around(&self, from: In<FunctionId>) -> Option<In<FunctionId>> {
        self.around(from, |function| !self.function(function).name.is_empty())
    }
}

impl Project<'_> {
    /// The functions that a call of something unknown may run by its name alone: those that object literals of its own file
    /// hold under it, as the tables of a state machine do. For questions where "may" has to count.
    pub fn dispatched(&self, call: In<CallId>) -> Vec<In<FunctionId>> {
        let mut callee = call.with(self.call(call).callee);
        if let Value::Member(object, name) = self.value(callee)
            && matches!(name.as_str(), "call" | "apply")
        {
            callee = callee.with(*object);
        }
        let Value::Member(_, name) = self.value(callee) else { return Vec::new() };
        let held = self.index(call.file).held_in.iter();
        let named = held.filter(|(_, (_, property))| *property == Some(*name));
        named.map(|(function, _)| call.with(*function)).collect()
    }
}
