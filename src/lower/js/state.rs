//! What is being built: interned values, variables and their scopes, the function whose code is being written.
//! Resolves names; walks no syntax.

use super::asynchronous::Machine;
use crate::model::{
    Argument, Assign, Binding, BindingId, BindingKind, Call, CallId, Flow, Function, FunctionId, FunctionKind,
    Language, Literal, Name, Scope, ScopeId, Step, Summary, Value, ValueId,
};
use crate::text::Span;
use rustc_hash::{FxHashMap, FxHashSet};

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
    /// How deep each value nests.
    pub depths: Vec<u8>,
    visible: FxHashMap<Name, Vec<BindingId>>,
    captured: FxHashSet<(FunctionId, BindingId)>,
    /// Array literals so far.
    pub arrays: u32,
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
            interned: FxHashMap::with_capacity_and_hasher(text.len() / 24, rustc_hash::FxBuildHasher),
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

    /// A `const` declared once more in its scope is no valid code, but two pieces of code one after the other: what follows
    /// means a variable of its own.
    pub fn declare_again(&mut self, name: &str, span: Span) {
        let Some(known) = self.find(name).map(|known| &self.out.bindings[known.index()]) else { return };
        if known.kind != BindingKind::Const
            || known.scope != self.at.scope
            || known.span == span
            || known.assignments == 0
        {
            return;
        }
        let name = known.name;
        let id = self.declare_nameless(name, BindingKind::Const, span);
        self.visible.entry(name).or_default().push(id);
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
            template_type: None,
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
