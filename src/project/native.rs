//! C++ names that only the whole project can read: a bare name in a method whose class is declared in another file, or
//! extends a class of the catalog, is a member of that class. Rewrites the summaries so that everything later sees `this->name`, and decides nothing else.

use super::classes::Classes;
use crate::model::contract::Spoken;
use crate::model::{
    ClassId, Cond, Contracts, Exit, Flow, FunctionId, FunctionKind, In, Name, Step, Summary, Value, ValueId,
};
use crate::text::FileId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Names of fields and methods of each class that has methods defined in another file than its own, and of each that inherits
/// methods which only the catalog knows.
pub(super) fn members(
    summaries: &[Summary],
    classes: &Classes,
    contracts: &Contracts,
) -> FxHashMap<In<ClassId>, Arc<FxHashSet<Name>>> {
    let mut found: FxHashMap<In<ClassId>, Arc<FxHashSet<Name>>> = FxHashMap::default();
    for class in classes.defined_elsewhere() {
        if !found.contains_key(&class) {
            let mut all = inherited(summaries, classes, contracts, class, 0);
            all.extend(names(summaries, classes, class, 0));
            found.insert(class, Arc::new(all));
        }
    }
    for (at, summary) in summaries.iter().enumerate().filter(|(_, summary)| is_native(summary)) {
        for class in (0..summary.classes.len()).map(|class| In::new(FileId(at as u32), ClassId(class as u32))) {
            if !found.contains_key(&class) {
                let all = inherited(summaries, classes, contracts, class, 0);
                if !all.is_empty() {
                    found.insert(class, Arc::new(all));
                }
            }
        }
    }
    found
}

fn is_native(summary: &Summary) -> bool {
    summary.language.is_some_and(crate::model::Language::is_native)
}

/// The class of the project that a base names, or else its path.
fn base(summary: &Summary, classes: &Classes, file: FileId, base: ValueId) -> Option<Result<In<ClassId>, String>> {
    let path = path(summary, base)?;
    let last = path.rsplit("::").next().unwrap_or_default();
    Some(classes.native(file, last).ok_or(path))
}

fn path(summary: &Summary, value: ValueId) -> Option<String> {
    match summary.value(value) {
        Value::Global(name) => Some(name.to_string()),
        Value::Member(object, name) => Some(format!("{}::{name}", path(summary, *object)?)),
        Value::Class(id) => Some(summary.class(*id).name.to_string()),
        _ => None,
    }
}

fn names(summaries: &[Summary], classes: &Classes, class: In<ClassId>, depth: u32) -> FxHashSet<Name> {
    let summary = &summaries[class.file.0 as usize];
    let own = summary.class(class.id);
    let mut found: FxHashSet<Name> = own.fields.iter().map(|field| field.name).collect();
    found.extend(own.methods.iter().map(|method| method.name));
    if depth < 6 {
        for value in &own.bases {
            if let Some(Ok(base)) = base(summary, classes, class.file, *value) {
                found.extend(names(summaries, classes, base, depth + 1));
            }
        }
    }
    found
}

/// Methods of the catalog's types that a class extends, over classes of the project.
fn inherited(
    summaries: &[Summary],
    classes: &Classes,
    contracts: &Contracts,
    class: In<ClassId>,
    depth: u32,
) -> FxHashSet<Name> {
    let summary = &summaries[class.file.0 as usize];
    let mut found = FxHashSet::default();
    for value in &summary.class(class.id).bases {
        match base(summary, classes, class.file, *value) {
            Some(Ok(base)) if depth < 6 => found.extend(inherited(summaries, classes, contracts, base, depth + 1)),
            Some(Err(path)) => {
                if let Some(ty) = contracts.speaking(Spoken::C).ty(&path) {
                    found.extend(contracts.method_names(ty).map(Name::from));
                }
            }
            _ => {}
        }
    }
    found
}

/// Rewrites one file.
pub(super) fn rewrite(
    file: FileId,
    summary: &mut Summary,
    classes: &Classes,
    members: &FxHashMap<In<ClassId>, Arc<FxHashSet<Name>>>,
) {
    if !is_native(summary) {
        return;
    }
    let mut receivers = Vec::with_capacity(summary.functions.len());
    for at in 0..summary.functions.len() {
        receivers.push(receiver(file, summary, classes, FunctionId(at as u32)));
    }
    let wanted: Vec<Option<(FunctionId, Arc<FxHashSet<Name>>)>> = receivers
        .into_iter()
        .map(|found| found.and_then(|(method, class)| Some((method, members.get(&class)?.clone()))))
        .collect();
    if wanted.iter().all(Option::is_none) {
        return;
    }
    let mut rewriter = Rewriter { known: FxHashMap::default(), interned: FxHashMap::default(), summary };
    for (at, wanted) in wanted.iter().enumerate() {
        if let Some((method, names)) = wanted {
            let mut flow = std::mem::replace(&mut rewriter.summary.functions[at].flow, Flow::empty());
            rewriter.flow(&mut flow, *method, names);
            rewriter.summary.functions[at].flow = flow;
        }
    }
    for at in 0..rewriter.summary.bindings.len() {
        let binding = &rewriter.summary.bindings[at];
        if let (Some(Some((method, names))), Some(value)) = (wanted.get(binding.function.index()), binding.value) {
            rewriter.summary.bindings[at].value = Some(rewriter.value(value, *method, names));
        }
    }
}

/// The method whose `this` a function's code sees, and its class.
fn receiver(
    file: FileId,
    summary: &Summary,
    classes: &Classes,
    mut at: FunctionId,
) -> Option<(FunctionId, In<ClassId>)> {
    for _ in 0..32 {
        let function = summary.function(at);
        if function.kind != FunctionKind::Arrow {
            let own = function.class.map(|class| In::new(file, class));
            return own.or_else(|| classes.class_of_outside(In::new(file, at))).map(|class| (at, class));
        }
        at = function.parent?;
    }
    None
}

struct Rewriter<'a> {
    known: FxHashMap<(ValueId, FunctionId), ValueId>,
    interned: FxHashMap<Value, ValueId>,
    summary: &'a mut Summary,
}

impl Rewriter<'_> {
    fn flow(&mut self, flow: &mut Flow, method: FunctionId, names: &FxHashSet<Name>) {
        match flow {
            Flow::Step(step) => self.step(step, method, names),
            Flow::Sequence(parts) => parts.iter_mut().for_each(|part| self.flow(part, method, names)),
            Flow::Branch { cond, then, otherwise, .. } => {
                self.cond(cond, method, names);
                self.flow(then, method, names);
                self.flow(otherwise, method, names);
            }
            Flow::Switch { subject, arms, .. } => {
                *subject = self.value(*subject, method, names);
                for arm in arms {
                    self.flow(arm, method, names);
                }
            }
            Flow::Loop { cond, body, .. } => {
                self.cond(cond, method, names);
                self.flow(body, method, names);
            }
            Flow::Try { body, handler, finally } => {
                self.flow(body, method, names);
                if let Some((_, handler)) = handler {
                    self.flow(handler, method, names);
                }
                if let Some(finally) = finally {
                    self.flow(finally, method, names);
                }
            }
            Flow::Labelled(_, body) => self.flow(body, method, names),
            Flow::Exit(Exit::Return(Some(value)) | Exit::Throw(Some(value)), _) => {
                *value = self.value(*value, method, names);
            }
            Flow::Label(_) | Flow::Exit(..) => {}
        }
    }

    fn step(&mut self, step: &mut Step, method: FunctionId, names: &FxHashSet<Name>) {
        match step {
            Step::Call(call) => {
                let callee = self.value(self.summary.call(*call).callee, method, names);
                let mut arguments = self.summary.call(*call).arguments.clone();
                for argument in &mut arguments {
                    argument.value = self.value(argument.value, method, names);
                }
                let call = &mut self.summary.calls[call.index()];
                call.callee = callee;
                call.arguments = arguments;
            }
            Step::Assign(assign) => {
                assign.place = self.value(assign.place, method, names);
                assign.value = self.value(assign.value, method, names);
            }
            Step::Delete { place, .. } => *place = self.value(*place, method, names),
            Step::Await { value, .. } => *value = self.value(*value, method, names),
            Step::Drop(_) | Step::ScopeEnd { .. } => {}
        }
    }

    fn cond(&mut self, cond: &mut Cond, method: FunctionId, names: &FxHashSet<Name>) {
        match cond {
            Cond::Truthy(value) => *value = self.value(*value, method, names),
            Cond::Equal(a, b) | Cond::Less(a, b) | Cond::AtMost(a, b) => {
                *a = self.value(*a, method, names);
                *b = self.value(*b, method, names);
            }
            Cond::Not(inner) => self.cond(inner, method, names),
            Cond::All(parts) | Cond::Any(parts) => parts.iter_mut().for_each(|part| self.cond(part, method, names)),
            Cond::Opaque(values) => values.iter_mut().for_each(|value| *value = self.value(*value, method, names)),
            Cond::Config(_) => {}
        }
    }

    /// The value with bare member names replaced; the same id where it has none.
    fn value(&mut self, id: ValueId, method: FunctionId, names: &FxHashSet<Name>) -> ValueId {
        if let Some(&known) = self.known.get(&(id, method)) {
            return known;
        }
        let value = self.summary.value(id).clone();
        let all = |rewriter: &mut Self, parts: &[ValueId]| -> Box<[ValueId]> {
            parts.iter().map(|part| rewriter.value(*part, method, names)).collect()
        };
        let new = match &value {
            Value::Global(name) if names.contains(name) => {
                let this = self.intern(Value::This(method));
                Value::Member(this, *name)
            }
            Value::Member(object, name) => Value::Member(self.value(*object, method, names), *name),
            Value::Index(object, key) => {
                Value::Index(self.value(*object, method, names), self.value(*key, method, names))
            }
            Value::Awaited(inner) => Value::Awaited(self.value(*inner, method, names)),
            Value::Address(inner) => Value::Address(self.value(*inner, method, names)),
            Value::Deref(inner) => Value::Deref(self.value(*inner, method, names)),
            Value::Moved(inner) => Value::Moved(self.value(*inner, method, names)),
            Value::Spread(inner) => Value::Spread(self.value(*inner, method, names)),
            Value::Choice(parts) => Value::Choice(all(self, parts)),
            Value::Opaque(parts) => Value::Opaque(all(self, parts)),
            Value::Array(site, parts) => Value::Array(*site, all(self, parts)),
            _ => value.clone(),
        };
        let found = if new == value { id } else { self.intern(new) };
        self.known.insert((id, method), found);
        found
    }

    fn intern(&mut self, value: Value) -> ValueId {
        if self.interned.is_empty() {
            let values = self.summary.values.iter().enumerate();
            self.interned = values.map(|(at, value)| (value.clone(), ValueId(at as u32))).collect();
        }
        let next = ValueId(self.summary.values.len() as u32);
        match self.interned.entry(value) {
            std::collections::hash_map::Entry::Occupied(known) => *known.get(),
            std::collections::hash_map::Entry::Vacant(free) => {
                self.summary.values.push(free.key().clone());
                *free.insert(next)
            }
        }
    }
}
