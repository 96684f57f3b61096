//! One pass over one file: which steps touch which value, what is assigned to what, what each function returns.
//! Decides nothing and looks at no other file; everything here is found again from the summary alone.

use super::places::{Access, AccessKind, Key};
use crate::model::{
    Assign, BindingId, CallId, ClassId, Cond, Exit, Flow, FunctionId, FunctionKind, Name, ObjectId, Step, Summary,
    Value, ValueId,
};
use crate::text::{FileId, Span};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// What is known of one file beyond its summary.
#[derive(Default)]
pub(super) struct FileIndex {
    accesses: Vec<Access>,
    starts: Vec<u32>,
    /// Values that each function returns.
    pub(super) returns: Vec<SmallVec<[ValueId; 2]>>,
    /// `Value::Binding` of each variable, where any code mentions it.
    pub(super) bindings: Vec<Option<ValueId>>,
    /// `Value::Result` of each call, where any code mentions it.
    pub(super) results: Vec<Option<ValueId>>,
    /// The object literal and property that hold a function.
    pub(super) held_in: FxHashMap<FunctionId, (ObjectId, Option<Name>)>,
    /// `Value::Function` of each function, where any code mentions it.
    pub(super) functions: Vec<Option<ValueId>>,
    /// `Value::Object` of each object literal.
    pub(super) objects: Vec<Option<ValueId>>,
    /// Classes built on a constructor function.
    pub(super) constructed: FxHashMap<FunctionId, ClassId>,
    /// Functions outside of classes that are only ever run on somebody's receiver, `cleanUp.call(this)`: with whose.
    pub(super) lent: FxHashMap<FunctionId, FunctionId>,
    /// `Value::Member`s, grouped by the hash of the name.
    members: Vec<(u32, ValueId)>,
    /// Variables that stand for another value: the value, then the variable.
    aliases: Vec<(ValueId, BindingId)>,
    /// For each call in a loop: the heads of the loops of its function around it, outermost first.
    pub(super) loops: FxHashMap<CallId, SmallVec<[u32; 2]>>,
    /// The loops that `loops` speaks of.
    pub(super) heads: Vec<LoopHead>,
    /// Calls whose place in the code runs only under some condition of their function.
    pub(super) guarded: Vec<bool>,
    /// Calls of each function, in evaluation order.
    pub(super) calls: Vec<Vec<CallId>>,
}

/// A loop.
#[derive(Clone, Debug)]
pub(super) struct LoopHead {
    pub(super) span: Span,
    pub(super) cond: Cond,
    pub(super) kind: crate::model::Loop,
}

impl FileIndex {
    /// Indexes a summary.
    pub(super) fn new(file: FileId, summary: &Summary) -> Self {
        let mut index = FileIndex {
            returns: vec![SmallVec::new(); summary.functions.len()],
            bindings: vec![None; summary.bindings.len()],
            results: vec![None; summary.calls.len()],
            functions: vec![None; summary.functions.len()],
            objects: vec![None; summary.objects.len()],
            guarded: vec![false; summary.calls.len()],
            calls: vec![Vec::new(); summary.functions.len()],
            accesses: Vec::with_capacity(summary.values.len() * 3 / 2),
            ..FileIndex::default()
        };
        for (at, value) in summary.values.iter().enumerate() {
            let id = ValueId(at as u32);
            match value {
                Value::Binding(binding) => set(&mut index.bindings, binding.index(), id),
                Value::Result(call) => set(&mut index.results, call.index(), id),
                Value::Function(function) => set(&mut index.functions, function.index(), id),
                Value::Member(_, name) => index.members.push((hash(*name), id)),
                Value::Object(object) => set(&mut index.objects, object.index(), id),
                _ => {}
            }
        }
        index.members.sort_unstable();
        for (at, binding) in summary.bindings.iter().enumerate() {
            index.aliases.extend(binding.value.map(|value| (value, BindingId(at as u32))));
        }
        index.aliases.sort_unstable();
        for (at, class) in summary.classes.iter().enumerate() {
            for function in &class.constructors {
                if summary.function(*function).kind != FunctionKind::Constructor {
                    index.constructed.insert(*function, ClassId(at as u32));
                }
            }
        }
        for (at, object) in summary.objects.iter().enumerate() {
            for property in &object.properties {
                if let Value::Function(function) = summary.value(property.value) {
                    index.held_in.insert(*function, (ObjectId(at as u32), property.name));
                }
            }
        }
        let mut pass =
            Pass { file, summary, index: &mut index, function: FunctionId::MODULE, loops: SmallVec::new(), depth: 0 };
        for (at, function) in summary.functions.iter().enumerate() {
            pass.function = FunctionId(at as u32);
            pass.flow(&function.flow);
        }
        index.accesses.sort_by_key(|access| access.value);
        index.accesses.shrink_to_fit();
        index.starts = starts(&index.accesses, summary.values.len());
        let functions = (0..summary.functions.len() as u32).map(FunctionId);
        let lenders: FxHashMap<_, _> = functions.filter_map(|f| Some((f, index.lenders(summary, f)?))).collect();
        index.lent = lenders.keys().filter_map(|f| Some((*f, owner(summary, &lenders, *f)?))).collect();
        index
    }

    /// The functions whose receivers a plain function gets: by `call`, `apply` or `bind`, and it is never run without.
    fn lenders(&self, summary: &Summary, function: FunctionId) -> Option<SmallVec<[FunctionId; 2]>> {
        let data = summary.function(function);
        if data.kind != FunctionKind::Plain || data.class.is_some() || self.constructed.contains_key(&function) {
            return None;
        }
        let literal = self.functions[function.index()]?;
        let named = self.aliases(literal).filter_map(|binding| self.bindings[binding.index()]);
        let mut lenders = SmallVec::new();
        for access in named.chain([literal]).flat_map(|value| self.accesses(value)) {
            match access.kind {
                AccessKind::Method { call, key: Key::Name(name) }
                    if matches!(name.as_str(), "call" | "apply" | "bind") =>
                {
                    let receiver = summary.call(call).arguments.first()?.value;
                    let Value::This(lender) = summary.value(receiver) else { return None };
                    lenders.push(*lender);
                }
                AccessKind::Called { .. } | AccessKind::Argument { .. } | AccessKind::Inside { .. } => return None,
                _ => {}
            }
        }
        (!lenders.is_empty()).then_some(lenders)
    }

    /// What the file does with a value.
    pub(super) fn accesses(&self, value: ValueId) -> &[Access] {
        let at = value.index();
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => &self.accesses[from as usize..to as usize],
            _ => &[],
        }
    }

    /// The `Member` values of a name.
    pub(super) fn members<'s>(&'s self, summary: &'s Summary, name: Name) -> impl Iterator<Item = ValueId> + 's {
        let hash = hash(name);
        let from = self.members.partition_point(|(of, _)| *of < hash);
        self.members[from..]
            .iter()
            .take_while(move |(of, _)| *of == hash)
            .map(|(_, id)| *id)
            .filter(move |id| matches!(summary.value(*id), Value::Member(_, n) if *n == name))
    }

    /// The distinct names of `Member` values, each at least once.
    pub(super) fn member_names<'s>(&'s self, summary: &'s Summary) -> impl Iterator<Item = Name> + 's {
        let mut last = None;
        self.members.iter().filter_map(move |(_, id)| match summary.value(*id) {
            Value::Member(_, name) if last != Some(*name) => {
                last = Some(*name);
                Some(*name)
            }
            _ => None,
        })
    }

    /// The variables whose one value is this one.
    pub(super) fn aliases(&self, value: ValueId) -> impl Iterator<Item = BindingId> + '_ {
        let from = self.aliases.partition_point(|(of, _)| *of < value);
        self.aliases[from..].iter().take_while(move |(of, _)| *of == value).map(|(_, binding)| *binding)
    }

    /// Assignments to a place value.
    pub(super) fn assigned(&self, place: ValueId) -> impl Iterator<Item = (&Access, ValueId)> {
        self.accesses(place).iter().filter_map(|access| match access.kind {
            AccessKind::Assigned { value, .. } => Some((access, value)),
            _ => None,
        })
    }
}

fn hash(name: Name) -> u32 {
    (name.precomputed_hash() >> 32) as u32
}

/// The method whose receiver comes to a function from all that lend it theirs: one of one class, however many of them.
fn owner(
    summary: &Summary,
    lenders: &FxHashMap<FunctionId, SmallVec<[FunctionId; 2]>>,
    function: FunctionId,
) -> Option<FunctionId> {
    let mut found: Option<FunctionId> = None;
    let mut seen: SmallVec<[FunctionId; 4]> = SmallVec::new();
    let mut left: SmallVec<[FunctionId; 4]> = SmallVec::from_slice(&[function]);
    while let Some(function) = left.pop() {
        if seen.contains(&function) || seen.len() > 32 {
            continue;
        }
        seen.push(function);
        if let Some(more) = lenders.get(&function) {
            left.extend(more.iter().copied());
            continue;
        }
        let class = |f: FunctionId| summary.function(f).class;
        class(function)?;
        if found.is_some_and(|known| class(known) != class(function)) {
            return None;
        }
        found.get_or_insert(function);
    }
    found
}

fn set(table: &mut [Option<ValueId>], at: usize, id: ValueId) {
    if let Some(slot) = table.get_mut(at) {
        slot.get_or_insert(id);
    }
}

fn starts(accesses: &[Access], values: usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(values + 1);
    let mut at = 0;
    for value in 0..=values as u32 {
        while accesses.get(at).is_some_and(|access| access.value.0 < value) {
            at += 1;
        }
        starts.push(at as u32);
    }
    starts
}

struct Pass<'a> {
    file: FileId,
    summary: &'a Summary,
    index: &'a mut FileIndex,
    function: FunctionId,
    loops: SmallVec<[u32; 2]>,
    depth: u32,
}

impl<'a> Pass<'a> {
    fn flow(&mut self, flow: &'a Flow) {
        match flow {
            Flow::Step(step) => self.step(step),
            Flow::Sequence(parts) => parts.iter().for_each(|part| self.flow(part)),
            Flow::Branch { cond, then, otherwise, span } => {
                self.cond(cond, *span);
                self.depth += 1;
                self.flow(then);
                self.flow(otherwise);
                self.depth -= 1;
            }
            Flow::Switch { subject, arms, .. } => {
                self.touch(*subject, Span::default(), AccessKind::Tested);
                self.depth += 1;
                for arm in arms {
                    self.flow(arm);
                }
                self.depth -= 1;
            }
            Flow::Loop { kind, cond, body, span } => {
                let head = self.index.heads.len() as u32;
                self.index.heads.push(LoopHead { span: *span, cond: cond.clone(), kind: *kind });
                if *kind == crate::model::Loop::ForEach {
                    cond.values(&mut |value| self.touch(value, *span, AccessKind::Iterated));
                } else {
                    self.cond(cond, *span);
                }
                self.loops.push(head);
                self.depth += 1;
                self.flow(body);
                self.depth -= 1;
                self.loops.pop();
            }
            Flow::Try { body, handler, finally } => {
                self.flow(body);
                if let Some((_, handler)) = handler {
                    self.depth += 1;
                    self.flow(handler);
                    self.depth -= 1;
                }
                if let Some(finally) = finally {
                    self.flow(finally);
                }
            }
            Flow::Labelled(_, body) => self.flow(body),
            Flow::Label(_) => {}
            Flow::Exit(exit, span) => match exit {
                Exit::Return(Some(value)) => {
                    let returns = &mut self.index.returns[self.function.index()];
                    if !returns.contains(value) {
                        returns.push(*value);
                    }
                    self.touch(*value, *span, AccessKind::Returned);
                }
                Exit::Throw(Some(value)) => self.touch(*value, *span, AccessKind::Thrown),
                _ => {}
            },
        }
    }

    fn step(&mut self, step: &'a Step) {
        match step {
            Step::Call(call) => self.call(*call),
            Step::Assign(assign) => self.assign(assign),
            Step::Delete { place, span } => {
                self.push(*place, *span, AccessKind::Deleted);
                if let Some((object, key)) = self.slot(*place) {
                    self.push(object, *span, AccessKind::KeyDeleted { key });
                }
            }
            Step::Await { value, span, .. } => self.touch(*value, *span, AccessKind::Awaited),
            Step::Drop(_) | Step::ScopeEnd { .. } => {}
        }
    }

    fn call(&mut self, id: CallId) {
        let call = self.summary.call(id);
        self.index.calls[self.function.index()].push(id);
        self.index.guarded[id.index()] = self.depth > self.loops.len() as u32;
        if !self.loops.is_empty() {
            self.index.loops.insert(id, self.loops.clone());
        }
        self.push(call.callee, call.span, AccessKind::Called { call: id });
        if let Some((object, key)) = self.slot(call.callee) {
            self.push(object, call.span, AccessKind::Method { call: id, key });
        }
        for (at, argument) in call.arguments.iter().enumerate() {
            self.touch(argument.value, argument.span, AccessKind::Argument { call: id, index: at as u16 });
        }
    }

    fn assign(&mut self, assign: &Assign) {
        let Assign { place, value, span, only_if_empty, is_declaration, .. } = *assign;
        self.push(place, span, AccessKind::Assigned { value, only_if_empty, is_declaration });
        if let Some((object, key)) = self.slot(place) {
            self.push(object, span, AccessKind::KeyAssigned { key, value });
        }
        self.touch(value, span, AccessKind::Stored { place });
    }

    fn cond(&mut self, cond: &Cond, span: Span) {
        cond.values(&mut |value| {
            self.touch(value, span, AccessKind::Tested);
            self.size_test(value, span, 0);
        });
    }

    /// `if (list.length > 10)`, `while (cache.size() >= max)`, also inside arithmetic.
    fn size_test(&mut self, value: ValueId, span: Span, depth: u32) {
        let of = match self.summary.value(value) {
            Value::Member(object, name) => is_size(*name).then_some(*object),
            Value::Result(call) => match self.summary.value(self.summary.call(*call).callee) {
                Value::Member(object, name) => is_size(*name).then_some(*object),
                _ => None,
            },
            Value::Opaque(parts) | Value::Choice(parts) if depth < 3 => {
                for part in parts {
                    self.size_test(*part, span, depth + 1);
                }
                None
            }
            _ => None,
        };
        if let Some(object) = of {
            self.push(object, span, AccessKind::SizeTested);
        }
    }

    /// The object and key of a `Member` or `Index`.
    fn slot(&self, place: ValueId) -> Option<(ValueId, Key)> {
        match self.summary.value(place) {
            Value::Member(object, name) => Some((*object, Key::Name(*name))),
            Value::Index(object, key) => Some((*object, Key::Value(*key))),
            _ => None,
        }
    }

    /// Notes a use of a value and of what it is made of.
    fn touch(&mut self, value: ValueId, span: Span, kind: AccessKind) {
        self.touch_in(value, span, kind, 0);
    }

    fn touch_in(&mut self, value: ValueId, span: Span, kind: AccessKind, depth: u32) {
        if depth > 6 {
            return;
        }
        let summary = self.summary;
        match summary.value(value) {
            Value::Literal(_) => {}
            Value::Choice(parts) => {
                for part in parts {
                    self.touch_in(*part, span, kind, depth + 1);
                }
            }
            Value::Array(_, parts) => {
                self.push(value, span, kind);
                for part in parts {
                    self.touch_in(*part, span, AccessKind::Inside { outer: value }, depth + 1);
                }
            }
            Value::Object(object) => {
                self.push(value, span, kind);
                for property in &summary.object(*object).properties {
                    self.touch_in(property.value, span, AccessKind::Inside { outer: value }, depth + 1);
                }
            }
            Value::Spread(inner) => self.touch_in(*inner, span, AccessKind::Iterated, depth + 1),
            Value::Moved(inner) | Value::Address(inner) | Value::Deref(inner) => {
                self.push(value, span, kind);
                self.touch_in(*inner, span, kind, depth + 1);
            }
            Value::Awaited(inner) => {
                self.push(value, span, kind);
                self.touch_in(*inner, span, AccessKind::Awaited, depth + 1);
            }
            Value::Opaque(parts) => {
                for part in parts {
                    self.touch_in(*part, span, AccessKind::Read, depth + 1);
                }
            }
            Value::Member(object, name) => {
                self.push(value, span, kind);
                self.push(*object, span, AccessKind::KeyRead { key: Key::Name(*name) });
            }
            Value::Index(object, key) => {
                self.push(value, span, kind);
                self.push(*object, span, AccessKind::KeyRead { key: Key::Value(*key) });
                self.touch_in(*key, span, AccessKind::Read, depth + 1);
            }
            _ => self.push(value, span, kind),
        }
    }

    fn push(&mut self, value: ValueId, span: Span, kind: AccessKind) {
        self.index.accesses.push(Access { file: self.file, value, function: self.function, span, kind });
    }
}

fn is_size(name: Name) -> bool {
    matches!(name.as_str(), "length" | "size" | "empty" | "count" | "itemCount")
}
