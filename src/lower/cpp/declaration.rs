//! Declarations of variables, parameters and lambdas.

use super::fields::Fields;
use super::lowering::{Lowering, bare, children, fields, has_child};
use super::types::{Declarator, join};
use crate::model::{
    BindingKind, FunctionId, FunctionKind, Holder, Language, Literal, Name, ScopeId, TypeFacts, Value, ValueId,
};
use tree_sitter::{Node, Point};

/// How a variable gets its first value.
#[derive(Clone, Copy, Debug)]
enum Initial<'t> {
    /// `T x = value`.
    Value(Node<'t>),
    /// `T x(arguments)`, `T x{arguments}`.
    Arguments(Node<'t>),
    /// `T x`.
    Nothing,
}

impl Lowering<'_> {
    /// Lowers a declaration of variables. Gives the last one's place, for conditions.
    pub fn declaration(&mut self, node: Node<'_>) -> Option<ValueId> {
        let ty = node.field("type");
        if let Some(ty) = ty.filter(|ty| ty.field("body").is_some()) {
            self.local_item(ty);
        }
        let words = self.specifiers(node);
        if words.contains(&"extern") {
            return None;
        }
        let is_static = words.iter().any(|word| matches!(*word, "static" | "thread_local"));
        let is_const = words.iter().any(|word| matches!(*word, "const" | "constexpr"));
        let value = node.field("value").or_else(|| node.field("default_value"));
        let mut last = None;
        for item in fields(node, "declarator") {
            let (declarator, initial) = if item.kind() == "init_declarator" {
                let value = item.field("value");
                let is_assigned = has_child(item, "=");
                (item.field("declarator").unwrap_or(item), initial(value, is_assigned))
            } else {
                (item, initial(value, has_child(node, "=")))
            };
            let found = Declarator::of(declarator);
            if let Some(structured) = found.structured {
                last = self.structured(structured, initial, item);
                continue;
            }
            let Some(name) = found.name else { continue };
            if let Some(function) = found.function {
                last = self.maybe_constructed(ty, function, name, item).or(last);
                continue;
            }
            let mut facts = ty.map(|ty| self.with_declarator(ty, &found, node));
            if let (Some(facts), Initial::Value(value)) = (&mut facts, initial)
                && facts.name == "auto"
            {
                self.deduce(facts, value);
            }
            let kind = match (is_static, is_const && found.pointers == 0) {
                (true, _) if self.frame.function != FunctionId::MODULE => BindingKind::Static,
                (_, true) => BindingKind::Const,
                _ => BindingKind::Var,
            };
            last = Some(self.variable(name, kind, facts, initial, item));
        }
        last
    }

    /// `static`, `const` and the like.
    pub fn specifiers(&self, node: Node<'_>) -> Vec<&str> {
        let kinds = ["storage_class_specifier", "type_qualifier"];
        children(node).into_iter().filter(|child| kinds.contains(&child.kind())).map(|child| self.text(child)).collect()
    }

    fn variable(
        &mut self,
        name: Node<'_>,
        kind: BindingKind,
        ty: Option<TypeFacts>,
        initial: Initial<'_>,
        item: Node<'_>,
    ) -> ValueId {
        // The initial value cannot mention the variable, but a lambda in it may: declared first.
        let ty = match initial {
            Initial::Arguments(_) => ty.map(constructed_so),
            _ => ty,
        };
        let path = self.path_of(name);
        let span = self.span(name);
        let binding = self.declare(self.frame.scope, join(&path), kind, span, ty.clone());
        let place = self.value(Value::Binding(binding));
        let is_plain = ty
            .as_ref()
            .is_none_or(|ty| ty.holder != Holder::Smart && (ty.holder != Holder::Value || ty.name == "auto"));
        let condition = match initial {
            Initial::Value(value) if is_plain => self.remembered(value),
            _ => None,
        };
        if let Some((value, cond)) = condition {
            self.assign(place, value, self.span(item), true);
            self.decide(place, cond, self.span(item));
        } else if let Some(value) = self.initial_value(ty.as_ref(), initial, item) {
            let value = self.null_of(place, value);
            self.assign(place, value, self.span(item), true);
        }
        place
    }

    /// The first value of something of a type; none where memory is left as it was.
    fn initial_value(&mut self, ty: Option<&TypeFacts>, initial: Initial<'_>, item: Node<'_>) -> Option<ValueId> {
        let constructed =
            ty.filter(|ty| matches!(ty.holder, Holder::Smart | Holder::Value) && ty.name != "auto" && !ty.is_array);
        match (initial, constructed) {
            (Initial::Value(list), _) if list.kind() == "initializer_list" => Some(self.initializer_list(list)),
            (Initial::Value(value), _) => Some(self.expression(value)),
            (Initial::Arguments(list), Some(ty)) => Some(self.construct(&ty.name, Some(list), item)),
            (Initial::Arguments(list), None) => match children(list).as_slice() {
                [] => Some(self.literal(Literal::Null)),
                [one] => Some(self.expression(*one)),
                _ => Some(self.initializer_list(list)),
            },
            (Initial::Nothing, Some(ty))
                if self.language == Language::Cpp && self.frame.function != FunctionId::MODULE =>
            {
                Some(self.construct(&ty.name, None, item))
            }
            (Initial::Nothing, _) => None,
        }
    }

    /// What `auto` stands for, where the initial value says so plainly.
    fn deduce(&mut self, facts: &mut TypeFacts, value: Node<'_>) {
        let (ty, is_pointer) = match value.kind() {
            "new_expression" => (value.field("type"), true),
            "cast_expression" => {
                let Some(descriptor) = value.field("type") else { return };
                let text = facts.text;
                *facts = TypeFacts { text, ..self.base_type(descriptor) };
                return;
            }
            "call_expression" => {
                self.deduce_call(facts, value);
                return;
            }
            "compound_literal_expression" => (value.field("type"), false),
            _ => return,
        };
        if let Some(ty) = ty {
            let found = self.base_type(ty);
            let holder = if is_pointer { Holder::Raw } else { found.holder };
            *facts = TypeFacts { text: facts.text, holder, ..found };
        }
    }

    fn deduce_call(&mut self, facts: &mut TypeFacts, call: Node<'_>) {
        let Some(function) = call.field("function") else { return };
        if !matches!(function.kind(), "template_function" | "qualified_identifier") {
            return;
        }
        let path = self.path_of(function);
        let Some(name) = path.last().copied() else { return };
        let mut inner = function;
        while inner.kind() == "qualified_identifier" {
            match inner.field("name") {
                Some(next) => inner = next,
                None => return,
            }
        }
        let Some(argument) = inner.field("arguments").and_then(|list| children(list).into_iter().next()) else {
            return;
        };
        match name.as_str() {
            "static_cast" | "reinterpret_cast" | "const_cast" | "dynamic_cast" => {
                *facts = TypeFacts { text: facts.text, ..self.base_type(argument) };
            }
            "make_unique" | "make_shared" => {
                facts.name = Name::from(if name == "make_unique" { "std::unique_ptr" } else { "std::shared_ptr" });
                facts.arguments = vec![self.argument_name(argument)];
                facts.is_array = self.text(argument).trim_end().ends_with("[]");
                facts.holder = Holder::Smart;
            }
            _ => {}
        }
    }

    /// `auto [a, b] = value`.
    fn structured(&mut self, node: Node<'_>, initial: Initial<'_>, item: Node<'_>) -> Option<ValueId> {
        let value = self.initial_value(None, initial, item)?;
        for name in children(node) {
            let text = Name::from(self.text(name));
            let span = self.span(name);
            let binding = self.declare(self.frame.scope, text, BindingKind::Var, span, None);
            let place = self.value(Value::Binding(binding));
            let part = self.member(value, text);
            self.assign(place, part, self.span(item), true);
        }
        Some(value)
    }

    /// `T x(a, b)` inside a function: the grammar takes it for the declaration of a function, which it hardly ever is.
    fn maybe_constructed(
        &mut self,
        ty: Option<Node<'_>>,
        function: Node<'_>,
        name: Node<'_>,
        item: Node<'_>,
    ) -> Option<ValueId> {
        if self.frame.function == FunctionId::MODULE && self.frame.scope == ScopeId(0) {
            return None;
        }
        let list = function.field("parameters")?;
        let parameters = children(list);
        let is_prototype = parameters.is_empty()
            || parameters.iter().any(|parameter| {
                let ty = parameter.field("type");
                let named = parameter.field("declarator").is_some_and(|declarator| {
                    let found = Declarator::of(declarator);
                    found.function.is_none() && found.name.is_some_and(|_| !self.is_known(ty))
                });
                named
                    || ty.is_some_and(|ty| {
                        matches!(ty.kind(), "primitive_type" | "sized_type_specifier" | "struct_specifier")
                    })
            });
        if is_prototype {
            return None;
        }
        let mut facts = self.with_declarator(ty?, &Declarator::default(), item);
        if facts.holder == Holder::Raw && parameters.len() > 1 {
            facts.holder = Holder::Value;
        }
        // Read again as what it is: a call.
        let text = self.prepared.text.get(function.start_byte()..list.end_byte())?;
        let tree = super::recovery::parse(&mut self.parser, &format!("{text};"), &mut self.budget)?;
        let root = tree.root_node_with_offset(function.start_byte(), Point::default());
        let call = first_of_kind(root, "call_expression")?;
        let initial = Initial::Arguments(call.field("arguments")?);
        Some(self.variable(name, BindingKind::Var, Some(facts), initial, item))
    }

    /// Whether what stands in a type's place is a variable that is known here.
    fn is_known(&mut self, ty: Option<Node<'_>>) -> bool {
        let Some(ty) = ty.filter(|ty| ty.kind() == "type_identifier") else { return false };
        let value = self.resolve(Name::from(self.text(ty)));
        matches!(self.out.value(value), Value::Binding(_))
    }

    /// The variable of a range `for`.
    pub fn loop_variable(&mut self, node: Node<'_>, element: ValueId) {
        let (Some(ty), Some(declarator)) = (node.field("type"), node.field("declarator")) else {
            return;
        };
        let found = Declarator::of(declarator);
        let facts = self.with_declarator(ty, &found, node);
        let names = match found.structured {
            Some(structured) => children(structured),
            None => found.name.into_iter().collect(),
        };
        for name in names {
            let span = self.span(name);
            let text = Name::from(self.text(name));
            let binding = self.declare(self.frame.scope, text, BindingKind::Var, span, Some(facts.clone()));
            let place = self.value(Value::Binding(binding));
            self.assign(place, element, span, true);
        }
    }

    /// Declares the parameters of a function in its scope.
    pub fn parameters(&mut self, function: FunctionId, declarator: Option<Node<'_>>) {
        let Some(list) = declarator.and_then(|declarator| declarator.field("parameters")) else { return };
        let scope = self.out.function(function).scope;
        let mut found = Vec::new();
        for parameter in children(list) {
            if !parameter.kind().ends_with("parameter_declaration") {
                continue;
            }
            let declarator = parameter.field("declarator").map(Declarator::of).unwrap_or_default();
            let ty = parameter.field("type").map(|ty| self.with_declarator(ty, &declarator, parameter));
            if declarator.name.is_none() && ty.as_ref().is_some_and(|ty| ty.name == "void" && ty.text == "void") {
                continue;
            }
            let name = declarator.name.map_or(Name::from(""), |name| bare(Name::from(self.text(name))));
            let span = self.span(declarator.name.unwrap_or(parameter));
            let kind = BindingKind::Parameter(found.len() as u16);
            found.push(self.declare(scope, name, kind, span, ty));
        }
        self.out.functions[function.index()].parameters = found;
    }

    /// A lambda, walked where it stands.
    pub fn lambda(&mut self, node: Node<'_>) -> ValueId {
        let span = self.span(node);
        let function = self.new_function(Name::from(""), FunctionKind::Arrow, span, self.frame.scope);
        let scope = self.out.function(function).scope;
        for capture in node.field("captures").map(children).unwrap_or_default() {
            // `[copy = value]` is a variable of the lambda, set where it is written.
            if capture.kind() == "lambda_capture_initializer"
                && let Some(name) = capture.field("left")
            {
                let value = self.field(capture, "right");
                let span = self.span(name);
                let text = Name::from(self.text(name));
                let binding = self.declare(scope, text, BindingKind::Var, span, None);
                let place = self.value(Value::Binding(binding));
                self.assign(place, value, self.span(capture), true);
            } else if matches!(capture.kind(), "identifier" | "this") {
                self.note_capture(function, capture);
            }
        }
        self.parameters(function, node.field("declarator"));
        let body = node.field("body");
        let body_span = body.map_or(span, |body| self.span(body));
        let entry = &mut self.out.functions[function.index()];
        entry.has_body = true;
        entry.body = body_span;
        let this = self.frame.this;
        self.in_function(function, this, |lowering| {
            if let Some(body) = body {
                lowering.statements(&children(body));
            }
        });
        self.value(Value::Function(function))
    }

    /// `[x]`, `[this]`: kept by the lambda whether it mentions them or not.
    fn note_capture(&mut self, function: FunctionId, capture: Node<'_>) {
        if capture.kind() == "this" {
            self.out.functions[function.index()].captures_this = true;
            return;
        }
        let value = self.resolve(Name::from(self.text(capture)));
        if let Value::Binding(binding) = *self.out.value(value)
            && !self.out.functions[function.index()].captures.contains(&binding)
        {
            self.out.functions[function.index()].captures.push(binding);
            self.out.bindings[binding.index()].captured_by.push(function);
        }
    }
}

fn initial(value: Option<Node<'_>>, is_assigned: bool) -> Initial<'_> {
    match value {
        None => Initial::Nothing,
        Some(value) if value.kind() == "argument_list" || (value.kind() == "initializer_list" && !is_assigned) => {
            Initial::Arguments(value)
        }
        Some(value) => Initial::Value(value),
    }
}

/// The first node of a kind, in source order, not far down.
pub fn first_of_kind<'t>(root: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut next = vec![root];
    for _ in 0..64 {
        let node = next.pop()?;
        if node.kind() == kind {
            return Some(node);
        }
        next.extend(children(node).into_iter().rev());
    }
    None
}

/// `LIB_AutoThing thing(p)`: who writes that calls a constructor, though the prefix looks like that of a C library.
fn constructed_so(facts: TypeFacts) -> TypeFacts {
    let last = facts.name.rsplit(['_', ':']).next().unwrap_or_default();
    let is_camel =
        last.starts_with(|c: char| c.is_ascii_uppercase()) && last.contains(|c: char| c.is_ascii_lowercase());
    let is_class = facts.holder == Holder::Raw && is_camel && !last.ends_with("Ref") && !facts.text.contains('*');
    if is_class { TypeFacts { holder: Holder::Value, ..facts } } else { facts }
}
