//! The state of lowering one C or C++ file: tables of the summary being built, scopes, and the function whose code is
//! being walked. Holds the small operations that everything else is made of; knows no syntax but names.

use super::prepared::Prepared;
use super::recovery::Budget;
use crate::model::{
    Assign, BindingId, BindingKind, Call, CallId, ClassId, Exit, Flow, Function, FunctionId, FunctionKind, Holder,
    Language, Literal, Name, ScopeId, Step, Summary, TypeFacts, Value, ValueId,
};
use crate::text::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use tree_sitter::{Node, Parser};

/// Deepest nesting of statements and expressions that is followed.
const DEEPEST: u32 = 200;

/// A function's code as it is being walked.
#[derive(Debug)]
pub struct Frame {
    /// The function.
    pub function: FunctionId,
    /// The function whose receiver `this` is: a lambda has its outer function's.
    pub this: FunctionId,
    /// The class whose members are visible without `this`.
    pub class: Option<ClassId>,
    /// The same as written, where the class is in another file.
    pub class_name: Option<Name>,
    /// The innermost scope.
    pub scope: ScopeId,
    /// Flow being built, innermost last.
    pub sequences: Vec<Vec<Flow>>,
    /// Loops around.
    pub loop_depth: u8,
    /// The statement around.
    pub statement: Span,
    /// The scopes around what `break` leaves, innermost last.
    pub breaks: Vec<ScopeId>,
    /// The scopes around what `continue` starts again, innermost last.
    pub continues: Vec<ScopeId>,
}

/// What a name of a class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// Of each object.
    Own,
    /// Of the class.
    Static,
}

/// What a file-level name stands for in types and paths.
#[derive(Clone, Debug)]
pub enum Alias {
    /// `using v8::Local;`, `namespace fs = std::filesystem`.
    Path(Vec<Name>),
    /// `typedef`, `using X = …`.
    Type(TypeFacts),
}

/// One file on its way to a summary.
pub struct Lowering<'p> {
    /// The text that is parsed.
    pub prepared: &'p Prepared,
    /// What has been found.
    pub out: Summary,
    /// C or C++.
    pub language: Language,
    /// The function being walked.
    pub frame: Frame,
    /// Free functions with a body, by name.
    pub functions: FxHashMap<Name, Vec<FunctionId>>,
    /// Classes by qualified and by bare name.
    pub classes: FxHashMap<Name, ClassId>,
    /// Names of each class.
    pub members: Vec<FxHashMap<Name, Member>>,
    /// `using` and `typedef`.
    pub aliases: FxHashMap<Name, Alias>,
    /// Namespaces that this file opens.
    pub namespaces: FxHashSet<Name>,
    /// Code that is parsed on its own: start and end in the text.
    pub separate: FxHashMap<usize, usize>,
    /// For second looks at stretches that the grammar read wrongly.
    pub parser: Parser,
    /// What the parser may still do.
    pub budget: Budget,
    pub(super) names: Vec<FxHashMap<Name, BindingId>>,
    interned: FxHashMap<Value, ValueId>,
    depth: u32,
    arrays: u32,
}

impl<'p> Lowering<'p> {
    /// An empty summary with its top-level function and scope.
    pub fn new(prepared: &'p Prepared, language: Language, parser: Parser, budget: Budget, whole: Span) -> Self {
        let mut lowering = Lowering {
            prepared,
            out: Summary { language: Some(language), ..Summary::default() },
            language,
            frame: Frame::of(FunctionId::MODULE, ScopeId(0)),
            functions: FxHashMap::default(),
            classes: FxHashMap::default(),
            members: Vec::new(),
            aliases: FxHashMap::default(),
            namespaces: FxHashSet::default(),
            separate: FxHashMap::default(),
            parser,
            budget,
            names: Vec::new(),
            interned: FxHashMap::default(),
            depth: 0,
            arrays: 0,
        };
        let scope = lowering.new_scope(None, FunctionId::MODULE, whole, false);
        let module = Function { has_body: true, ..blank_function(Name::from(""), FunctionKind::Module, scope, whole) };
        lowering.out.functions.push(module);
        lowering
    }

    /// The text of a node.
    pub fn text(&self, node: Node<'_>) -> &'p str {
        self.prepared.text.get(node.byte_range()).unwrap_or("")
    }

    /// Where a node comes from.
    pub fn span(&self, node: Node<'_>) -> Span {
        self.prepared.origin(node.start_byte(), node.end_byte())
    }

    /// Runs a deeper level; where it gets too deep, the code is left out.
    pub fn deeper<T>(&mut self, otherwise: T, run: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEEPEST {
            self.out.partial = true;
            return otherwise;
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// Interns a value.
    pub fn value(&mut self, value: Value) -> ValueId {
        if let Some(&id) = self.interned.get(&value) {
            return id;
        }
        let id = ValueId(self.out.values.len() as u32);
        self.out.values.push(value.clone());
        self.interned.insert(value, id);
        id
    }

    /// A literal.
    pub fn literal(&mut self, literal: Literal) -> ValueId {
        self.value(Value::Literal(literal))
    }

    /// Anything else that mentions these.
    pub fn opaque(&mut self, parts: impl Into<Box<[ValueId]>>) -> ValueId {
        self.value(Value::Opaque(parts.into()))
    }

    /// A fresh array.
    pub fn array(&mut self, elements: Vec<ValueId>) -> ValueId {
        self.arrays += 1;
        self.value(Value::Array(self.arrays, elements.into()))
    }

    /// `object.name`, pointers followed.
    pub fn member(&mut self, object: ValueId, name: Name) -> ValueId {
        let object = match self.out.value(object) {
            Value::Deref(inner) | Value::Address(inner) => *inner,
            _ => object,
        };
        self.value(Value::Member(object, name))
    }

    /// A path of a type or of something in a namespace.
    pub fn path(&mut self, path: &[Name]) -> ValueId {
        let mut names = path.iter();
        let first = *names.next().unwrap_or(&Name::from(""));
        let mut value = self.value(Value::Global(first));
        for name in names {
            value = self.value(Value::Member(value, *name));
        }
        value
    }

    /// The receiver, noting that lambdas on the way keep it.
    pub fn this(&mut self) -> ValueId {
        let this = self.frame.this;
        let mut function = self.frame.function;
        while function != this {
            self.out.functions[function.index()].captures_this = true;
            match self.out.functions[function.index()].parent {
                Some(parent) => function = parent,
                None => break,
            }
        }
        self.value(Value::This(this))
    }

    /// Adds to the flow.
    pub fn push(&mut self, flow: Flow) {
        if let Some(sequence) = self.frame.sequences.last_mut() {
            sequence.push(flow);
        }
    }

    /// Adds a way out.
    pub fn exit(&mut self, exit: Exit, span: Span) {
        self.push(Flow::Exit(exit, span));
    }

    /// The flow of what `run` walks, kept apart.
    pub fn apart<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> (Flow, T) {
        self.frame.sequences.push(Vec::new());
        let result = run(self);
        let mut parts = self.frame.sequences.pop().unwrap_or_default();
        let flow = if parts.len() == 1 { parts.remove(0) } else { Flow::Sequence(parts) };
        (flow, result)
    }

    /// A call, which happens now.
    pub fn call(&mut self, call: Call) -> ValueId {
        let id = CallId(self.out.calls.len() as u32);
        self.out.calls.push(call);
        self.push(Flow::Step(Step::Call(id)));
        self.value(Value::Result(id))
    }

    /// A call of something with arguments, nothing special about it.
    pub fn plain_call(&mut self, callee: ValueId, span: Span, name_span: Span) -> Call {
        Call {
            callee,
            arguments: Box::default(),
            template_arguments: Box::default(),
            template_type: None,
            function: self.frame.function,
            span,
            statement: self.frame.statement,
            name_span,
            is_new: false,
            is_array_new: false,
            is_placement: false,
            is_optional: false,
            is_discarded: false,
            is_awaited: false,
            loop_depth: self.frame.loop_depth,
        }
    }

    /// A place receives a value.
    pub fn assign(&mut self, place: ValueId, value: ValueId, span: Span, is_declaration: bool) {
        if let Value::Binding(binding) = *self.out.value(place) {
            self.note_write(binding, Some(value));
        }
        let statement = self.frame.statement;
        let assign = Assign { place, value, span, statement, only_if_empty: false, is_declaration };
        self.push(Flow::Step(Step::Assign(assign)));
    }

    /// Counts a write to a variable; a value that cannot be seen is none.
    pub fn note_write(&mut self, binding: BindingId, value: Option<ValueId>) {
        let binding = &mut self.out.bindings[binding.index()];
        binding.assignments += 1;
        binding.value = if binding.assignments == 1 { value } else { None };
    }

    /// Whether leaving its scope runs something: objects and smart pointers, not what is raw or borrowed.
    pub fn is_dropped(&self, binding: BindingId) -> bool {
        let binding = self.out.binding(binding);
        binding.kind != BindingKind::Static
            && binding.ty.as_ref().is_some_and(|ty| match ty.holder {
                Holder::Smart => true,
                Holder::Value => self.language == Language::Cpp && ty.name != "auto",
                Holder::Raw | Holder::Reference => false,
            })
    }

    /// The destructors that run on the way out of the current scope and those around it, up to but without `until`.
    pub fn drops(&mut self, until: Option<ScopeId>, returned: Option<ValueId>) {
        let returned = returned.and_then(|value| match self.out.value(value) {
            Value::Binding(binding) => Some(*binding),
            _ => None,
        });
        let function = self.frame.function;
        let mut at = Some(self.frame.scope);
        while let Some(scope) = at.filter(|scope| Some(*scope) != until && *scope != ScopeId(0)) {
            if self.out.scopes[scope.index()].function != function {
                break;
            }
            self.drop_scope(scope, returned);
            at = self.out.scopes[scope.index()].parent;
        }
    }

    /// The variables that `break` and `continue` put out of reach, innermost scope first.
    pub fn unreachable(&mut self, until: Option<ScopeId>, span: Span) {
        let mut at = Some(self.frame.scope);
        let mut bindings = Vec::new();
        while let Some(scope) = at.filter(|scope| Some(*scope) != until && *scope != ScopeId(0)) {
            if self.out.scopes[scope.index()].function != self.frame.function {
                break;
            }
            bindings.extend(self.ended(scope));
            at = self.out.scopes[scope.index()].parent;
        }
        if !bindings.is_empty() {
            self.push(Flow::Step(Step::ScopeEnd { bindings: bindings.into(), span }));
        }
    }

    /// What can no longer be reached once a scope is left, except what was dropped.
    fn ended(&self, scope: ScopeId) -> Vec<BindingId> {
        let all = self.out.scopes[scope.index()].bindings.iter().copied();
        all.filter(|&id| {
            let binding = self.out.binding(id);
            let is_reference = binding.ty.as_ref().is_some_and(|ty| ty.holder == Holder::Reference);
            !self.is_dropped(id) && !is_reference && binding.kind != BindingKind::Static
        })
        .collect()
    }

    fn drop_scope(&mut self, scope: ScopeId, except: Option<BindingId>) {
        for binding in self.out.scopes[scope.index()].bindings.clone().into_iter().rev() {
            if Some(binding) != except && self.is_dropped(binding) {
                self.push(Flow::Step(Step::Drop(binding)));
            }
        }
    }

    /// Runs `run` in a new scope inside the current one and ends it: destructors, then what becomes unreachable.
    pub fn scoped<T>(&mut self, span: Span, is_loop: bool, run: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.frame.scope;
        let scope = self.new_scope(Some(outer), self.frame.function, span, is_loop);
        self.frame.scope = scope;
        let result = run(self);
        self.end_scope(scope, span);
        self.frame.scope = outer;
        result
    }

    /// Ends a scope whose code has been walked.
    pub fn end_scope(&mut self, scope: ScopeId, span: Span) {
        if self.is_left() {
            return;
        }
        self.drop_scope(scope, None);
        let bindings = self.ended(scope);
        if !bindings.is_empty() {
            let brace = Span::new(span.end.saturating_sub(1), span.end);
            self.push(Flow::Step(Step::ScopeEnd { bindings: bindings.into(), span: brace }));
        }
    }

    /// Whether the straight line has just been left.
    fn is_left(&self) -> bool {
        let last = self.frame.sequences.last().and_then(|sequence| sequence.last());
        matches!(last, Some(Flow::Exit(exit, _)) if !matches!(exit, Exit::Macro(_)))
    }

    /// A new function with its own scope.
    pub fn new_function(&mut self, name: Name, kind: FunctionKind, span: Span, parent_scope: ScopeId) -> FunctionId {
        let id = FunctionId(self.out.functions.len() as u32);
        let scope = self.new_scope(Some(parent_scope), id, span, false);
        let parent = self.out.scopes[parent_scope.index()].function;
        self.out.functions.push(Function { parent: Some(parent), ..blank_function(name, kind, scope, span) });
        id
    }

    /// Stores what the file's own code does.
    pub fn finish_module(&mut self) {
        let flow = std::mem::replace(&mut self.frame.sequences, vec![Vec::new()]).into_iter().next();
        self.out.functions[0].flow = Flow::Sequence(flow.unwrap_or_default());
    }

    /// Walks a function's code with a frame of its own and stores the flow.
    pub fn in_function(&mut self, function: FunctionId, this: FunctionId, run: impl FnOnce(&mut Self)) {
        let scope = self.out.function(function).scope;
        let mut frame = Frame::of(function, scope);
        frame.this = this;
        frame.class = self.out.function(this).class;
        frame.class_name = self.out.function(this).class_name;
        let outer = std::mem::replace(&mut self.frame, frame);
        run(self);
        let body = self.out.function(function).body;
        self.end_scope(scope, body);
        let inner = std::mem::replace(&mut self.frame, outer);
        let flow = Flow::Sequence(inner.sequences.into_iter().next().unwrap_or_default());
        self.out.functions[function.index()].flow = flow;
    }
}

impl Frame {
    fn of(function: FunctionId, scope: ScopeId) -> Self {
        Frame {
            function,
            this: function,
            class: None,
            class_name: None,
            scope,
            sequences: vec![Vec::new()],
            loop_depth: 0,
            statement: Span::default(),
            breaks: Vec::new(),
            continues: Vec::new(),
        }
    }
}

fn blank_function(name: Name, kind: FunctionKind, scope: ScopeId, span: Span) -> Function {
    Function {
        name,
        kind,
        parent: None,
        class: None,
        class_name: None,
        is_static: false,
        is_async: false,
        is_generator: false,
        parameters: Vec::new(),
        scope,
        flow: Flow::empty(),
        has_body: false,
        span,
        body: span,
        name_span: span,
        captures: Vec::new(),
        captures_this: false,
        has_eval: false,
        returns: None,
        is_noexcept: false,
        decorators: Vec::new(),
    }
}

/// The last part of a qualified name.
pub fn bare(name: Name) -> Name {
    name.rsplit("::").next().map_or(name, Name::from)
}

/// The named children of a node.
pub fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

/// The children in a field.
pub fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).collect()
}

/// Whether a node has a child of this kind, named or not.
pub fn has_child(node: Node<'_>, kind: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| child.kind() == kind)
}
