//! What is being built: interned values, variables and their scopes, the function whose code is being written.
//! Resolves names; walks no syntax.

use super::asynchronous::Machine;
use crate::model::{
    Argument, Assign, Binding, BindingId, BindingKind, Call, CallId, Flow, Function, FunctionId, FunctionKind,
    Language, Literal, Name, Scope, ScopeId, Step, Summary, Value, ValueId,
};
use crate::text::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Values nest no deeper than this: whoever walks them may recurse.
const DEEPEST_VALUE: u8 = 100;

/// Control flow nests no deeper than this, for the same reason.
const DEEPEST_FLOW: u16 = 200;

/// One file being lowered.
pub struct Lowering<'a> {
    /// Its text.
    pub text: &'a str,
    /// What it becomes.
    pub out: Summary,
    /// Where we are.
    pub at: Frame,
    /// First value given to each variable.
    pub given: Vec<Option<ValueId>>,
    /// Variables that were given different values.
    pub ambiguous: Vec<bool>,
    /// What `this` means in functions that do not have, or do not use, one of their own.
    pub receivers: Vec<Option<ValueId>>,
    /// The name that a function or class literal takes from what it is assigned to.
    pub hint: Option<Name>,
    /// Compiled private methods: the object and name that one is called by, and the variable that holds it.
    pub private_methods: Vec<(ValueId, Name, BindingId)>,
    /// Values by themselves.
    pub interned: FxHashMap<Value, ValueId>,
    /// Names by their text: the process-wide table is shared by all threads and dearer to ask.
    names: FxHashMap<&'static str, Name>,
    depths: Vec<u8>,
    visible: FxHashMap<Name, Vec<BindingId>>,
    captured: FxHashSet<(FunctionId, BindingId)>,
    arrays: u32,
}

/// The function being written.
pub struct Frame {
    /// Which.
    pub function: FunctionId,
    /// The innermost scope.
    pub scope: ScopeId,
    /// Its steps so far, in the sequence being filled.
    pub code: Vec<Flow>,
    /// The statement around.
    pub statement: Span,
    /// Loops around.
    pub loop_depth: u8,
    /// Pieces of flow around.
    depth: u16,
    /// What `this` means in static initialisers: the class.
    pub receiver: Option<ValueId>,
    /// `yield` stands for `await` here.
    pub yields_await: bool,
    /// The compiled state machine that this code is.
    pub machine: Option<Machine>,
}

impl<'a> Lowering<'a> {
    /// Starts a file.
    pub fn new(text: &'a str, language: Language) -> Self {
        let span = Span::new(0, text.len() as u32);
        let mut out = Summary { language: Some(language), ..Summary::default() };
        out.scopes.push(Scope {
            parent: None,
            function: FunctionId::MODULE,
            span,
            bindings: Vec::new(),
            is_loop: false,
        });
        let at = Frame {
            function: FunctionId::MODULE,
            scope: ScopeId(0),
            code: Vec::new(),
            statement: span,
            loop_depth: 0,
            depth: 0,
            receiver: None,
            yields_await: false,
            machine: None,
        };
        let mut lowering = Lowering {
            text,
            out,
            at,
            given: Vec::new(),
            ambiguous: Vec::new(),
            receivers: Vec::new(),
            hint: None,
            private_methods: Vec::new(),
            interned: FxHashMap::default(),
            names: FxHashMap::default(),
            depths: Vec::new(),
            visible: FxHashMap::default(),
            captured: FxHashSet::default(),
            arrays: 0,
        };
        lowering.add_function(Function { has_body: true, ..blank_function(FunctionKind::Module, span) });
        lowering
    }

    /// A text as a name.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(&name) = self.names.get(text) {
            return name;
        }
        let name = Name::from(text);
        self.names.insert(name.as_str(), name);
        name
    }

    // Positions.

    /// A range of swc's in ours.
    pub fn span(&self, span: swc_common::Span) -> Span {
        let end = self.text.len() as u32;
        let at = |position: swc_common::BytePos| position.0.saturating_sub(1).min(end);
        Span::new(at(span.lo), at(span.hi))
    }

    // Values.

    /// The id of a value.
    pub fn value(&mut self, value: Value) -> ValueId {
        if let Some(&id) = self.interned.get(&value) {
            return id;
        }
        let id = ValueId(self.out.values.len() as u32);
        let depth = self.depth_of(&value);
        self.depths.push(depth);
        self.interned.insert(value.clone(), id);
        self.out.values.push(value);
        id
    }

    fn depth_of(&self, value: &Value) -> u8 {
        let depth = |id: &ValueId| self.depths[id.index()];
        let inner = match value {
            Value::Member(object, _) => depth(object),
            Value::Index(object, key) => depth(object).max(depth(key)),
            Value::Result(call) => depth(&self.out.calls[call.index()].callee),
            Value::Awaited(inner) | Value::Spread(inner) => depth(inner),
            Value::Array(_, values) | Value::Choice(values) | Value::Opaque(values) => {
                values.iter().map(depth).max().unwrap_or(0)
            }
            _ => return 0,
        };
        inner.saturating_add(1)
    }

    /// The same value, or one that says nothing where it nests too deeply to be built upon.
    fn shallow(&mut self, id: ValueId) -> ValueId {
        if self.depths[id.index()] < DEEPEST_VALUE { id } else { self.unknown() }
    }

    /// A value of which nothing is known.
    pub fn unknown(&mut self) -> ValueId {
        self.value(Value::Opaque(Box::default()))
    }

    /// `object.name`.
    pub fn member(&mut self, object: ValueId, name: &str) -> ValueId {
        let object = self.shallow(object);
        let name = self.name(name);
        self.value(Value::Member(object, name))
    }

    /// `object[key]`.
    pub fn index(&mut self, object: ValueId, key: ValueId) -> ValueId {
        if let Value::Literal(Literal::String(name)) = self.out.values[key.index()] {
            return self.member(object, name.as_str());
        }
        if let Value::Member(symbol, name) = self.out.values[key.index()]
            && matches!(self.out.values[symbol.index()], Value::Global(global) if global == "Symbol")
        {
            return self.member(object, &format!("@@{name}"));
        }
        if let Some(name) = self.symbol_name(key) {
            return self.member(object, &format!("[{name}]"));
        }
        let object = self.shallow(object);
        let key = self.shallow(key);
        self.value(Value::Index(object, key))
    }

    /// The name of a key that is a file's constant symbol, its own or imported: `this[kClients]` is a fixed property.
    fn symbol_name(&self, key: ValueId) -> Option<Name> {
        match &self.out.values[key.index()] {
            Value::Binding(binding) => {
                let data = &self.out.bindings[binding.index()];
                let given = self.given[binding.index()]?;
                let fixed = data.function == FunctionId::MODULE && data.assignments == 1;
                (fixed && self.is_symbol(given)).then_some(data.name)
            }
            Value::Member(object, name) => self.is_import(*object).then_some(*name),
            _ => None,
        }
    }

    /// `Symbol('x')`, or a name that another file gives.
    fn is_symbol(&self, value: ValueId) -> bool {
        match &self.out.values[value.index()] {
            Value::Result(call) => match &self.out.values[self.out.calls[call.index()].callee.index()] {
                Value::Global(name) => *name == "Symbol",
                Value::Member(object, name) => {
                    *name == "for"
                        && matches!(&self.out.values[object.index()], Value::Global(name) if *name == "Symbol")
                }
                _ => false,
            },
            Value::Member(object, _) => self.is_import(*object),
            _ => false,
        }
    }

    fn is_import(&self, value: ValueId) -> bool {
        match &self.out.values[value.index()] {
            Value::Import(_) => true,
            Value::Binding(binding) => self.given[binding.index()]
                .is_some_and(|given| matches!(self.out.values[given.index()], Value::Import(_))),
            _ => false,
        }
    }

    /// Something made of other values.
    pub fn opaque(&mut self, values: impl IntoIterator<Item = ValueId>) -> ValueId {
        let mut kept: Vec<ValueId> = values.into_iter().collect();
        for id in &mut kept {
            *id = self.shallow(*id);
        }
        self.value(Value::Opaque(kept.into()))
    }

    /// One of several values.
    pub fn choice(&mut self, values: impl IntoIterator<Item = ValueId>) -> ValueId {
        let mut kept: Vec<ValueId> = Vec::new();
        for id in values {
            let id = self.shallow(id);
            let parts = match &self.out.values[id.index()] {
                Value::Choice(parts) => parts.to_vec(),
                _ => vec![id],
            };
            for part in parts {
                if !kept.contains(&part) && kept.len() < 32 {
                    kept.push(part);
                }
            }
        }
        match kept[..] {
            [one] => one,
            _ => self.value(Value::Choice(kept.into())),
        }
    }

    /// A fresh array.
    pub fn array(&mut self, elements: Vec<ValueId>) -> ValueId {
        self.arrays += 1;
        let elements: Vec<ValueId> = elements.into_iter().map(|id| self.shallow(id)).collect();
        self.value(Value::Array(self.arrays, elements.into()))
    }

    /// What a promise resolves to.
    pub fn awaited(&mut self, value: ValueId) -> ValueId {
        // A module's namespace is no promise: `await import('x')` is the module.
        if matches!(self.out.values[value.index()], Value::Import(_)) {
            return value;
        }
        let value = self.shallow(value);
        self.value(Value::Awaited(value))
    }

    /// `...value`.
    pub fn spread(&mut self, value: ValueId) -> ValueId {
        let value = self.shallow(value);
        self.value(Value::Spread(value))
    }

    /// A literal.
    pub fn literal(&mut self, literal: Literal) -> ValueId {
        self.value(Value::Literal(literal))
    }

    /// A literal string.
    pub fn string(&mut self, text: &str) -> ValueId {
        let literal = if text.len() <= 80 { Literal::String(self.name(text)) } else { Literal::LongString };
        self.literal(literal)
    }

    /// A name that the file does not declare.
    pub fn global(&mut self, name: &str) -> ValueId {
        let name = self.name(name);
        self.value(Value::Global(name))
    }

    // Scopes and variables.

    /// Opens a scope inside the current one.
    pub fn open_scope(&mut self, span: Span, is_loop: bool) -> ScopeId {
        let id = ScopeId(self.out.scopes.len() as u32);
        let parent = Some(self.at.scope);
        self.out.scopes.push(Scope { parent, function: self.at.function, span, bindings: Vec::new(), is_loop });
        self.at.scope = id;
        id
    }

    /// Closes the current scope.
    pub fn close_scope(&mut self) {
        let scope = &self.out.scopes[self.at.scope.index()];
        for binding in &scope.bindings {
            if let Some(stack) = self.visible.get_mut(&self.out.bindings[binding.index()].name) {
                stack.retain(|kept| kept != binding);
            }
        }
        self.at.scope = scope.parent.unwrap_or(ScopeId(0));
    }

    /// Declares a variable in the current scope; the same one again where it already exists there.
    pub fn declare(&mut self, name: &str, kind: BindingKind, span: Span) -> BindingId {
        let name = self.name(name);
        if let Some(&known) = self.visible.get(&name).and_then(|stack| stack.last())
            && self.out.bindings[known.index()].scope == self.at.scope
        {
            return known;
        }
        let id = self.declare_nameless(name, kind, span);
        self.visible.entry(name).or_default().push(id);
        id
    }

    /// A variable that no name finds: a destructured parameter as a whole.
    pub fn declare_nameless(&mut self, name: Name, kind: BindingKind, span: Span) -> BindingId {
        let id = BindingId(self.out.bindings.len() as u32);
        let scope = self.at.scope;
        let function = self.out.scopes[scope.index()].function;
        self.out.bindings.push(Binding {
            name,
            kind,
            scope,
            function,
            span,
            value: None,
            assignments: 0,
            captured_by: Vec::new(),
            ty: None,
        });
        self.given.push(None);
        self.ambiguous.push(false);
        self.out.scopes[scope.index()].bindings.push(id);
        id
    }

    /// Whether the current scope itself declares a name.
    pub fn declares(&self, name: &str) -> bool {
        self.find(name).is_some_and(|known| self.out.bindings[known.index()].scope == self.at.scope)
    }

    /// The variable that a name means here, without counting as a mention.
    pub fn find(&self, name: &str) -> Option<BindingId> {
        let name = self.names.get(name)?;
        self.visible.get(name).and_then(|stack| stack.last()).copied()
    }

    /// The value of a name mentioned here.
    pub fn named(&mut self, name: &str) -> ValueId {
        if let Some(binding) = self.find(name) {
            self.mention(binding);
            return self.value(Value::Binding(binding));
        }
        match name {
            "undefined" => self.literal(Literal::Undefined),
            "NaN" | "Infinity" => self.literal(Literal::Number),
            _ => self.global(name),
        }
    }

    /// The place that an assigned name means; undeclared names become sloppy globals.
    pub fn named_place(&mut self, name: &str, span: Span) -> ValueId {
        const OUTSIDE: &[&str] = &["exports", "module", "require", "undefined", "process", "global", "globalThis"];
        if self.find(name).is_some() || OUTSIDE.contains(&name) {
            return self.named(name);
        }
        let here = std::mem::replace(&mut self.at.scope, ScopeId(0));
        let name = self.name(name);
        let binding = self.declare_nameless(name, BindingKind::Implicit, span);
        self.at.scope = here;
        // It lies under every declared variable of its name, and none is visible now.
        self.visible.entry(name).or_default().insert(0, binding);
        self.named(name.as_str())
    }

    /// Records that the current function mentions a variable.
    fn mention(&mut self, binding: BindingId) {
        let home = self.out.bindings[binding.index()].function;
        let mut function = self.at.function;
        while function != home && self.captured.insert((function, binding)) {
            self.out.functions[function.index()].captures.push(binding);
            self.out.bindings[binding.index()].captured_by.push(function);
            match self.out.functions[function.index()].parent {
                Some(parent) => function = parent,
                None => break,
            }
        }
    }

    /// Counts an assignment to a variable.
    pub fn give(&mut self, binding: BindingId, value: ValueId) {
        if self.out.values[value.index()] == Value::Binding(binding) {
            return; // `Class = decorate(…, Class)`
        }
        self.out.bindings[binding.index()].assignments += 1;
        match self.given[binding.index()] {
            None => self.given[binding.index()] = Some(value),
            Some(known) if known != value => self.ambiguous[binding.index()] = true,
            Some(_) => {}
        }
    }

    /// What `this` means here; marks the functions that reach out for it.
    pub fn receiver(&mut self) -> ValueId {
        if let Some(value) = self.at.receiver {
            return value;
        }
        let mut function = self.at.function;
        loop {
            let own = self.receivers[function.index()];
            let is_borrowed = own.is_some() || self.out.functions[function.index()].kind == FunctionKind::Arrow;
            if is_borrowed {
                self.out.functions[function.index()].captures_this = true;
            }
            match (own, self.out.functions[function.index()].parent) {
                (Some(value), _) => return value,
                (None, Some(parent)) if is_borrowed => function = parent,
                _ => return self.value(Value::This(function)),
            }
        }
    }

    // Functions.

    /// Adds a function.
    pub fn add_function(&mut self, function: Function) -> FunctionId {
        let id = FunctionId(self.out.functions.len() as u32);
        self.out.functions.push(function);
        self.receivers.push(None);
        id
    }

    /// Starts writing a function that was added; returns what to give back to [`Lowering::leave`].
    pub fn enter(&mut self, function: FunctionId, span: Span) -> Frame {
        let frame = Frame {
            function,
            scope: self.at.scope,
            code: Vec::new(),
            statement: span,
            loop_depth: 0,
            depth: 0,
            receiver: None,
            yields_await: false,
            machine: None,
        };
        let outer = std::mem::replace(&mut self.at, frame);
        let scope = self.open_scope(span, false);
        self.out.functions[function.index()].scope = scope;
        outer
    }

    /// Ends the function being written.
    pub fn leave(&mut self, outer: Frame) {
        self.close_scope();
        let inner = std::mem::replace(&mut self.at, outer);
        self.out.functions[inner.function.index()].flow = sequence(inner.code);
    }

    // Steps.

    /// Adds a piece of flow.
    pub fn push(&mut self, flow: Flow) {
        self.at.code.push(flow);
    }

    /// Adds a step.
    pub fn step(&mut self, step: Step) {
        self.push(Flow::Step(step));
    }

    /// What `run` adds, as a piece of its own.
    pub fn nested(&mut self, run: impl FnOnce(&mut Self)) -> Flow {
        let outer = std::mem::take(&mut self.at.code);
        self.at.depth += 1;
        run(self);
        let inner = std::mem::replace(&mut self.at.code, outer);
        self.at.depth -= 1;
        if self.at.depth > DEEPEST_FLOW && inner.iter().any(|flow| !matches!(flow, Flow::Step(_))) {
            self.out.partial = true;
            return Flow::Sequence(inner.into_iter().filter(|flow| matches!(flow, Flow::Step(_))).collect());
        }
        sequence(inner)
    }

    /// Adds an assignment.
    pub fn assign(&mut self, place: ValueId, value: ValueId, span: Span, how: How) {
        if let Value::Binding(binding) = self.out.values[place.index()] {
            self.give(binding, value);
        }
        self.step(Step::Assign(Assign {
            place,
            value,
            span,
            statement: self.at.statement,
            only_if_empty: how == How::IfEmpty,
            is_declaration: how == How::Declaration,
        }));
    }

    /// Adds a call and returns its result.
    pub fn call(&mut self, call: NewCall) -> ValueId {
        let id = CallId(self.out.calls.len() as u32);
        self.out.calls.push(Call {
            callee: call.callee,
            arguments: call.arguments.into(),
            template_arguments: Box::default(),
            function: self.at.function,
            span: call.span,
            statement: self.at.statement,
            name_span: call.name_span,
            is_new: call.is_new,
            is_array_new: false,
            is_placement: false,
            is_optional: call.is_optional,
            is_discarded: call.is_discarded,
            is_awaited: false,
            loop_depth: self.at.loop_depth,
        });
        self.step(Step::Call(id));
        self.value(Value::Result(id))
    }

    /// The slice of the text that a range of swc's covers, as a name, shortened.
    pub fn text_name(&self, span: swc_common::Span) -> Name {
        let text = self.span(span).of(self.text);
        let end = text.char_indices().map(|(at, _)| at).nth(120).unwrap_or(text.len());
        Name::from(&text[..end])
    }
}

/// A call to be added.
pub struct NewCall {
    pub callee: ValueId,
    pub arguments: Vec<Argument>,
    pub span: Span,
    pub name_span: Span,
    pub is_new: bool,
    pub is_optional: bool,
    pub is_discarded: bool,
}

impl NewCall {
    /// A plain call.
    pub fn new(callee: ValueId, arguments: Vec<Argument>, span: Span, name_span: Span) -> Self {
        NewCall { callee, arguments, span, name_span, is_new: false, is_optional: false, is_discarded: false }
    }
}

/// How an assignment came to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The initial value of a declaration.
    Declaration,
    /// Any other.
    Plain,
    /// `||=`, `??=`, a default.
    IfEmpty,
}

/// Several pieces as one.
pub fn sequence(mut parts: Vec<Flow>) -> Flow {
    if parts.len() == 1
        && let Some(one) = parts.pop()
    {
        return one;
    }
    parts.shrink_to_fit();
    Flow::Sequence(parts)
}

/// A function of which only the kind and the text are known.
pub fn blank_function(kind: FunctionKind, span: Span) -> Function {
    Function {
        name: Name::default(),
        kind,
        parent: None,
        class: None,
        class_name: None,
        is_static: false,
        is_async: false,
        is_generator: false,
        parameters: Vec::new(),
        scope: ScopeId(0),
        flow: Flow::empty(),
        has_body: false,
        span,
        body: span,
        name_span: Span::new(span.start, span.start),
        captures: Vec::new(),
        captures_this: false,
        has_eval: false,
        returns: None,
        is_noexcept: false,
        decorators: Vec::new(),
    }
}
