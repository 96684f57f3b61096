//! What only the whole file decides: variables with one value, aliases of `this`, parameters of functions that are
//! called on the spot. Rewrites the values accordingly and drops those that nothing mentions any more.

use super::state::Lowering;
use crate::model::{
    Assign, Binding, BindingId, BindingKind, CallId, Cond, Exit, Flow, FunctionId, FunctionKind, Literal, Method, Name,
    Step, Summary, Value, ValueId,
};
use rustc_hash::FxHashMap;

/// A finished file and what its assignments say, for the passes that read patterns off it.
pub struct Settling {
    /// The file.
    pub out: Summary,
    /// Every assignment, with the function that makes it.
    pub assigns: Vec<(FunctionId, Assign)>,
    /// What properties of variables and globals are given, where it is always the same.
    assigned: FxHashMap<ValueId, Option<ValueId>>,
    /// Values that turned out to be others.
    replaced: FxHashMap<ValueId, ValueId>,
    interned: FxHashMap<Value, ValueId>,
}

impl Lowering<'_> {
    /// Ends the file.
    pub fn finish(mut self) -> Summary {
        for at in 0..self.out.bindings.len() {
            self.out.bindings[at].captured_by.sort_unstable();
            if self.out.bindings[at].assignments == 1 {
                self.out.bindings[at].value =
                    self.given[at].and_then(|given| self.without(given, BindingId(at as u32)));
            }
        }
        let aliases = self.receiver_aliases();
        let private_methods = std::mem::take(&mut self.private_methods);
        let mut settling = Settling::new(self.out, self.interned);
        settling.settle_parameters();
        settling.settle_implicit();
        settling.prototypes();
        settling.immediate_results();
        settling.commonjs();
        settling.settle_aliases(&aliases);
        settling.private_methods(&private_methods);
        settling.weak_fields();
        settling.rewrite()
    }

    /// A variable's value, where that is not told by the variable itself: `x = x || y` is `y`.
    fn without(&mut self, given: ValueId, binding: BindingId) -> Option<ValueId> {
        if !self.mentions(given, binding) {
            return Some(given);
        }
        let Value::Choice(parts) = self.out.values[given.index()].clone() else { return None };
        let others: Vec<ValueId> = parts.iter().copied().filter(|part| !self.mentions(*part, binding)).collect();
        (!others.is_empty()).then(|| self.choice(others))
    }

    fn mentions(&self, id: ValueId, binding: BindingId) -> bool {
        match &self.out.values[id.index()] {
            Value::Binding(other) => *other == binding,
            Value::Member(object, _) => self.mentions(*object, binding),
            Value::Index(object, key) => self.mentions(*object, binding) || self.mentions(*key, binding),
            Value::Awaited(inner) | Value::Spread(inner) => self.mentions(*inner, binding),
            Value::Array(_, parts) | Value::Choice(parts) | Value::Opaque(parts) => {
                parts.iter().any(|part| self.mentions(*part, binding))
            }
            _ => false,
        }
    }

    /// Variables that are only another name of some function's `this`.
    fn receiver_aliases(&self) -> Vec<(BindingId, FunctionId)> {
        let mut aliases = Vec::new();
        for (at, binding) in self.out.bindings.iter().enumerate() {
            if binding.assignments == 0 || self.ambiguous[at] || matches!(binding.kind, BindingKind::Parameter(_)) {
                continue;
            }
            let Some(given) = self.given[at] else { continue };
            if let Some(function) = self.receiver_of(given, binding) {
                aliases.push((BindingId(at as u32), function));
            }
        }
        aliases
    }

    fn receiver_of(&self, given: ValueId, binding: &Binding) -> Option<FunctionId> {
        match &self.out.values[given.index()] {
            Value::This(function) => Some(*function),
            // `_this = _super.call(this) || this`, `_this = _callSuper(this, Class)` of compiled constructors.
            Value::Choice(values) if binding.name.starts_with("_this") => {
                values.iter().find_map(|value| match self.out.values[value.index()] {
                    Value::This(function) => Some(function),
                    _ => None,
                })
            }
            Value::Result(call) if binding.name.starts_with("_this") => {
                let call = &self.out.calls[call.index()];
                call.arguments.iter().find_map(|argument| match self.out.values[argument.value.index()] {
                    Value::This(function) => Some(function),
                    _ => None,
                })
            }
            _ => None,
        }
    }
}

impl Settling {
    fn new(out: Summary, interned: FxHashMap<Value, ValueId>) -> Self {
        let mut settling = Settling {
            out,
            assigns: Vec::new(),
            assigned: FxHashMap::default(),
            replaced: FxHashMap::default(),
            interned,
        };
        let mut assigns = Vec::new();
        for (at, function) in settling.out.functions.iter().enumerate() {
            function.flow.walk(&mut |flow| {
                if let Flow::Step(Step::Assign(assign)) = flow {
                    assigns.push((FunctionId(at as u32), *assign));
                }
            });
        }
        for (_, assign) in &assigns {
            let is_empty = matches!(settling.out.values[assign.value.index()], Value::Literal(Literal::Undefined));
            if matches!(settling.out.values[assign.place.index()], Value::Member(..)) && !is_empty {
                let value = assign.value;
                settling
                    .assigned
                    .entry(assign.place)
                    .and_modify(|known| *known = known.filter(|known| *known == value))
                    .or_insert(Some(value));
            }
        }
        settling.assigns = assigns;
        settling
    }

    /// The id of a value.
    pub fn value(&mut self, value: Value) -> ValueId {
        if let Some(&id) = self.interned.get(&value) {
            return id;
        }
        let id = ValueId(self.out.values.len() as u32);
        self.interned.insert(value.clone(), id);
        self.out.values.push(value);
        id
    }

    /// What a value is, through variables and properties that only ever hold one thing.
    pub fn resolve(&self, mut id: ValueId) -> ValueId {
        for _ in 0..12 {
            let next = match &self.out.values[id.index()] {
                Value::Binding(binding) => self.out.bindings[binding.index()].value,
                Value::Member(object, _) if !matches!(self.out.values[object.index()], Value::This(_)) => {
                    self.assigned.get(&id).copied().flatten()
                }
                _ => None,
            };
            match self.replaced.get(&id).copied().or(next) {
                Some(next) if next != id => id = next,
                _ => break,
            }
        }
        id
    }

    /// A value, resolved.
    pub fn resolved(&self, id: ValueId) -> &Value {
        &self.out.values[self.resolve(id).index()]
    }

    /// Says that a value is another.
    pub fn replace(&mut self, old: ValueId, new: Value) {
        let new = self.value(new);
        if old != new {
            self.replaced.insert(old, new);
        }
    }

    /// Parameters of a function literal that is called where it stands are its arguments. So are those of a literal that
    /// such a call is given and calls: the factory of a universal module, as far as CommonJS is concerned.
    fn settle_parameters(&mut self) {
        for is_factory in [false, true] {
            for at in 0..self.out.calls.len() {
                let Some(function) = self.called_literal(at, is_factory) else { continue };
                let arguments = &self.out.calls[at].arguments;
                let parameters = &self.out.functions[function.index()].parameters;
                let pairs: Vec<(BindingId, ValueId)> =
                    parameters.iter().zip(arguments).map(|(binding, argument)| (*binding, argument.value)).collect();
                for (binding, value) in pairs {
                    if matches!(self.out.values[value.index()], Value::Spread(_)) {
                        break;
                    }
                    let is_module = matches!(self.resolved(value), Value::Import(_)) || self.is_exports(value);
                    let binding = &mut self.out.bindings[binding.index()];
                    if binding.assignments == 1 && binding.value.is_none() && (!is_factory || is_module) {
                        binding.value = Some(value);
                    }
                }
            }
        }
    }

    /// The function literal that a call calls: directly, or through the parameter that holds it.
    fn called_literal(&self, at: usize, through_parameter: bool) -> Option<FunctionId> {
        match self.out.values[self.out.calls[at].callee.index()] {
            Value::Function(function) if !through_parameter => Some(function),
            Value::Binding(binding) if through_parameter => {
                let binding = &self.out.bindings[binding.index()];
                if !matches!(binding.kind, BindingKind::Parameter(_)) {
                    return None;
                }
                match self.out.values[binding.value?.index()] {
                    Value::Function(function) => Some(function),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A sloppy global may be read before the assignment that declares it.
    fn settle_implicit(&mut self) {
        for at in 0..self.out.bindings.len() {
            let binding = &self.out.bindings[at];
            if binding.kind == BindingKind::Implicit
                && let Some(&global) = self.interned.get(&Value::Global(binding.name))
            {
                self.replace(global, Value::Binding(BindingId(at as u32)));
            }
        }
    }

    /// `var x = (function () { … return X; })()`: the function or class that it gives back.
    fn immediate_results(&mut self) {
        for at in 0..self.out.calls.len() {
            let Some(function) = self.called_literal(at, false).or_else(|| self.called_literal(at, true)) else {
                continue;
            };
            let function = &self.out.functions[function.index()];
            if function.is_async || function.is_generator {
                continue;
            }
            let mut returned: Option<ValueId> = None;
            let mut several = false;
            function.flow.walk(&mut |flow| {
                if let Flow::Exit(Exit::Return(Some(value)), _) = flow {
                    several |= returned.is_some();
                    returned = Some(*value);
                }
            });
            let Some(value) = returned.filter(|_| !several) else { continue };
            let value = self.resolved(value).clone();
            if matches!(value, Value::Function(_) | Value::Class(_)) {
                let result = self.value(Value::Result(CallId(at as u32)));
                self.replace(result, value);
            }
        }
    }

    /// `fields.set(this, value)` and `fields.get(this)` of a WeakMap are what a private field compiles to.
    fn weak_fields(&mut self) {
        let mut sets: FxHashMap<CallId, (ValueId, ValueId)> = FxHashMap::default();
        for at in 0..self.out.calls.len() {
            let Some((object, name)) = self.weak_access(at) else { continue };
            let call = &self.out.calls[at];
            let place = Value::Member(object, name.0);
            match (name.1, &call.arguments[..]) {
                ("get", [_]) => {
                    let result = self.value(Value::Result(CallId(at as u32)));
                    self.replace(result, place);
                }
                ("set", [_, value]) => {
                    let value = value.value;
                    let place = self.value(place);
                    sets.insert(CallId(at as u32), (place, value));
                }
                _ => {}
            }
        }
        if sets.is_empty() {
            return;
        }
        let calls = &self.out.calls;
        for function in &mut self.out.functions {
            change_steps(&mut function.flow, &mut |step| {
                if let Step::Call(id) = step
                    && let Some(&(place, value)) = sets.get(id)
                {
                    let call = &calls[id.index()];
                    *step = Step::Assign(Assign {
                        place,
                        value,
                        span: call.span,
                        statement: call.statement,
                        only_if_empty: false,
                        is_declaration: false,
                    });
                }
                true
            });
        }
    }

    /// The receiver, field name and method of `weakMap.method(this, …)`.
    fn weak_access(&self, at: usize) -> Option<(ValueId, (Name, &'static str))> {
        let call = &self.out.calls[at];
        let Value::Member(map, method) = &self.out.values[call.callee.index()] else { return None };
        let method = match method.as_str() {
            "get" => "get",
            "set" => "set",
            _ => return None,
        };
        let object = call.arguments.first()?.value;
        let is_this = |id: ValueId| matches!(self.out.values[id.index()], Value::This(_));
        if !is_this(object) && !is_this(self.resolve(object)) {
            return None;
        }
        let Value::Binding(binding) = self.out.values[map.index()] else { return None };
        let Value::Result(made) = self.resolved(*map) else { return None };
        let made = &self.out.calls[made.index()];
        let is_weak = matches!(&self.out.values[made.callee.index()], Value::Global(name) if *name == "WeakMap");
        if !made.is_new || !is_weak {
            return None;
        }
        let name = self.out.bindings[binding.index()].name;
        let bare = name.trim_start_matches('_');
        let field = bare
            .match_indices('_')
            .find(|(at, _)| *at > 0 && self.out.classes.iter().any(|class| class.name == bare[..*at]));
        let field = field.map_or(bare, |(at, _)| &bare[at + 1..]);
        Some((object, (Name::from(&format!("#{field}")), method)))
    }

    /// Compiled private methods are methods of the class of the object that they are called on.
    fn private_methods(&mut self, methods: &[(ValueId, Name, BindingId)]) {
        for &(object, name, binding) in methods {
            let Value::This(user) = *self.resolved(object) else { continue };
            let mut user = Some(user);
            let class = loop {
                let Some(function) = user else { break None };
                let function = &self.out.functions[function.index()];
                if function.class.is_some() {
                    break function.class;
                }
                user = function.parent;
            };
            let value = self.value(Value::Binding(binding));
            let (Some(class), &Value::Function(function)) = (class, self.resolved(value)) else { continue };
            let method = &mut self.out.functions[function.index()];
            if method.class.is_none() {
                method.class = Some(class);
                method.kind = FunctionKind::Method;
                self.out.classes[class.index()].methods.push(Method { name, function, is_static: false });
            }
        }
    }

    fn settle_aliases(&mut self, aliases: &[(BindingId, FunctionId)]) {
        for &(binding, function) in aliases {
            let place = self.value(Value::Binding(binding));
            self.replace(place, Value::This(function));
            for user in self.out.bindings[binding.index()].captured_by.clone() {
                self.out.functions[user.index()].captures_this = true;
            }
        }
        let places: Vec<ValueId> = aliases.iter().map(|&(binding, _)| self.value(Value::Binding(binding))).collect();
        for function in &mut self.out.functions {
            change_steps(
                &mut function.flow,
                &mut |step| !matches!(step, Step::Assign(assign) if places.contains(&assign.place)),
            );
        }
    }

    /// Puts the replacements into effect.
    fn rewrite(mut self) -> Summary {
        if self.replaced.is_empty() {
            return compact(self.out);
        }
        let old = std::mem::take(&mut self.out.values);
        let mut out = std::mem::take(&mut self.out);
        let mut map = Rewrite {
            known: vec![None; old.len()],
            interned: FxHashMap::with_capacity_and_hasher(old.len(), rustc_hash::FxBuildHasher),
            values: Vec::with_capacity(old.len()),
            old,
            replaced: self.replaced,
        };
        for function in &mut out.functions {
            map.flow(&mut function.flow);
        }
        for call in &mut out.calls {
            call.callee = map.id(call.callee);
            for argument in &mut call.arguments {
                argument.value = map.id(argument.value);
            }
        }
        for object in &mut out.objects {
            for property in &mut object.properties {
                property.value = map.id(property.value);
            }
        }
        for binding in &mut out.bindings {
            binding.value = binding.value.map(|value| map.id(value));
        }
        for class in &mut out.classes {
            for base in &mut class.bases {
                *base = map.id(*base);
            }
            for field in &mut class.fields {
                field.value = field.value.map(|value| map.id(value));
            }
        }
        for export in &mut out.exports {
            export.value = map.id(export.value);
        }
        out.values = map.values;
        compact(out)
    }
}

/// Gives back the room that growing tables left.
fn compact(mut out: Summary) -> Summary {
    out.values.shrink_to_fit();
    out.calls.shrink_to_fit();
    out.functions.shrink_to_fit();
    out.bindings.shrink_to_fit();
    out.scopes.shrink_to_fit();
    out
}

/// Old values to new ones.
struct Rewrite {
    old: Vec<Value>,
    known: Vec<Option<ValueId>>,
    replaced: FxHashMap<ValueId, ValueId>,
    interned: FxHashMap<Value, ValueId>,
    values: Vec<Value>,
}

impl Rewrite {
    fn id(&mut self, old: ValueId) -> ValueId {
        if let Some(known) = self.known[old.index()] {
            return known;
        }
        let mut source = old;
        for _ in 0..8 {
            match self.replaced.get(&source) {
                Some(&next) => source = next,
                None => break,
            }
        }
        let value = match self.old[source.index()].clone() {
            Value::Member(object, name) => Value::Member(self.id(object), name),
            Value::Index(object, key) => Value::Index(self.id(object), self.id(key)),
            Value::Awaited(inner) => Value::Awaited(self.id(inner)),
            Value::Spread(inner) => Value::Spread(self.id(inner)),
            Value::Array(site, values) => Value::Array(site, values.iter().map(|id| self.id(*id)).collect()),
            Value::Choice(values) => Value::Choice(values.iter().map(|id| self.id(*id)).collect()),
            Value::Opaque(values) => Value::Opaque(values.iter().map(|id| self.id(*id)).collect()),
            leaf => leaf,
        };
        let next = ValueId(self.values.len() as u32);
        let id = *self.interned.entry(value).or_insert_with_key(|value| {
            self.values.push(value.clone());
            next
        });
        self.known[old.index()] = Some(id);
        id
    }

    fn flow(&mut self, flow: &mut Flow) {
        match flow {
            Flow::Step(step) => self.step(step),
            Flow::Sequence(parts) => {
                parts.shrink_to_fit();
                for part in parts.iter_mut() {
                    self.flow(part);
                }
            }
            Flow::Branch { cond, then, otherwise, .. } => {
                self.cond(cond);
                self.flow(then);
                self.flow(otherwise);
            }
            Flow::Switch { subject, arms, .. } => {
                *subject = self.id(*subject);
                for arm in arms.iter_mut() {
                    self.flow(arm);
                }
            }
            Flow::Loop { cond, body, .. } => {
                self.cond(cond);
                self.flow(body);
            }
            Flow::Try { body, handler, finally } => {
                self.flow(body);
                if let Some((_, handler)) = handler {
                    self.flow(handler);
                }
                if let Some(finally) = finally {
                    self.flow(finally);
                }
            }
            Flow::Labelled(_, body) => self.flow(body),
            Flow::Exit(Exit::Return(Some(value)) | Exit::Throw(Some(value)), _) => *value = self.id(*value),
            Flow::Label(_) | Flow::Exit(..) => {}
        }
    }

    fn step(&mut self, step: &mut Step) {
        match step {
            Step::Assign(assign) => {
                assign.place = self.id(assign.place);
                assign.value = self.id(assign.value);
            }
            Step::Delete { place, .. } => *place = self.id(*place),
            Step::Await { value, .. } => *value = self.id(*value),
            Step::Call(_) | Step::Drop(_) | Step::ScopeEnd { .. } => {}
        }
    }

    fn cond(&mut self, cond: &mut Cond) {
        match cond {
            Cond::Truthy(value) => *value = self.id(*value),
            Cond::Equal(a, b) | Cond::Less(a, b) | Cond::AtMost(a, b) => {
                *a = self.id(*a);
                *b = self.id(*b);
            }
            Cond::Not(inner) => self.cond(inner),
            Cond::All(parts) | Cond::Any(parts) => parts.iter_mut().for_each(|part| self.cond(part)),
            Cond::Opaque(values) => values.iter_mut().for_each(|value| *value = self.id(*value)),
            Cond::Config(_) => {}
        }
    }
}

/// Changes every step; those for which `keep` says no are taken out.
fn change_steps(flow: &mut Flow, keep: &mut dyn FnMut(&mut Step) -> bool) {
    match flow {
        Flow::Step(step) => {
            if !keep(step) {
                *flow = Flow::empty();
            }
        }
        Flow::Sequence(parts) => {
            for part in parts.iter_mut() {
                change_steps(part, keep);
            }
            parts.retain(|part| !matches!(part, Flow::Sequence(inner) if inner.is_empty()));
        }
        Flow::Branch { then, otherwise, .. } => {
            change_steps(then, keep);
            change_steps(otherwise, keep);
        }
        Flow::Switch { arms, .. } => arms.iter_mut().for_each(|arm| change_steps(arm, keep)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => change_steps(body, keep),
        Flow::Try { body, handler, finally } => {
            change_steps(body, keep);
            if let Some((_, handler)) = handler {
                change_steps(handler, keep);
            }
            if let Some(finally) = finally {
                change_steps(finally, keep);
            }
        }
        Flow::Label(_) | Flow::Exit(..) => {}
    }
}
