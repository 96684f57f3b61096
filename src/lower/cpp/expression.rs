//! Expressions to values, with what happens on the way as steps of the flow.

use super::fields::Fields;
use super::lowering::{Lowering, children, fields, has_child};
use crate::model::{Argument, Flow, Holder, Literal, Name, ObjectId, ObjectLiteral, Property, Step, Value, ValueId};
use crate::text::Span;
use tree_sitter::Node;

/// Longest string literal that is kept.
const LONGEST_STRING: usize = 80;

impl Lowering<'_> {
    /// What an expression denotes. Calls and assignments in it become steps, in evaluation order.
    pub fn expression(&mut self, node: Node<'_>) -> ValueId {
        let nothing = self.opaque([]);
        self.deeper(nothing, |this| this.expression_of(node))
    }

    fn expression_of(&mut self, node: Node<'_>) -> ValueId {
        match node.kind() {
            "identifier" | "field_identifier" | "type_identifier" | "namespace_identifier" => {
                self.resolve(Name::from(self.text(node)))
            }
            "this" => self.this(),
            "null" => self.literal(Literal::Null),
            "true" => self.literal(Literal::Bool(true)),
            "false" => self.literal(Literal::Bool(false)),
            "number_literal" => self.number(self.text(node)),
            "char_literal" => self.literal(Literal::Number),
            "string_literal" | "raw_string_literal" | "concatenated_string" => self.string(node),
            "qualified_identifier" | "template_function" | "dependent_name" | "template_type" | "template_method" => {
                self.name(node)
            }
            "field_expression" => {
                let object = node.field("argument").map(|object| self.expression(object));
                let object = object.unwrap_or_else(|| self.opaque([]));
                if node.field("operator").is_some_and(|operator| self.text(operator) == "->") {
                    self.seen_as_pointer(object);
                }
                let name = node.field("field").and_then(|field| self.path_of(field).last().copied());
                self.member(object, name.unwrap_or_default())
            }
            "subscript_expression" => {
                let object = self.field(node, "argument");
                let index = match node.field("indices").map(children).as_deref() {
                    Some([index]) => self.expression(*index),
                    Some(several) => self.all(several),
                    None => self.opaque([]),
                };
                self.value(Value::Index(object, index))
            }
            "call_expression" => self.call_expression(node),
            "new_expression" => self.new_expression(node),
            "delete_expression" => self.delete_expression(node),
            "assignment_expression" => self.assignment(node),
            "update_expression" => {
                let place = self.field(node, "argument");
                let value = self.opaque([place]);
                self.assign(place, value, self.span(node), false);
                place
            }
            "pointer_expression" => self.pointer(node),
            "unary_expression" => self.unary(node),
            "binary_expression" => self.binary(node),
            "cast_expression" => self.field(node, "value"),
            "conditional_expression" => self.conditional(node),
            "comma_expression" => {
                if let Some(left) = node.field("left") {
                    self.discard(left);
                }
                self.field(node, "right")
            }
            "parenthesized_expression" | "expression_statement" | "condition_clause" => match children(node).as_slice()
            {
                [block] if block.kind() == "compound_statement" => self.statement_expression(*block),
                [inner] => self.expression(*inner),
                inner => self.all(inner),
            },
            "lambda_expression" => self.lambda(node),
            "compound_literal_expression" => self.compound_literal(node),
            "initializer_list" => self.initializer_list(node),
            "co_await_expression" => {
                let value = self.field(node, "argument");
                self.push(Flow::Step(Step::Await { value, span: self.span(node), is_yield: false }));
                self.value(Value::Awaited(value))
            }
            "throw_statement" => {
                self.statement(node);
                self.opaque([])
            }
            "primitive_type"
            | "sizeof_expression"
            | "alignof_expression"
            | "offsetof_expression"
            | "type_descriptor"
            | "preproc_defined"
            | "requires_expression"
            | "requires_clause" => self.opaque([]),
            "user_defined_literal" => self.literal(Literal::Number),
            "parameter_pack_expansion" => {
                let value = self.field(node, "pattern");
                self.value(Value::Spread(value))
            }
            _ => {
                if node.is_error() {
                    self.out.partial = true;
                }
                self.all(&children(node))
            }
        }
    }

    /// `({ …; x; })`: its value is that of the last expression. Its variables stay visible, for that value's sake.
    fn statement_expression(&mut self, block: Node<'_>) -> ValueId {
        let statements = children(block);
        let Some((last, before)) = statements.split_last() else { return self.opaque([]) };
        for statement in before {
            self.statement(*statement);
        }
        if last.kind() == "expression_statement" {
            return self.expression(*last);
        }
        self.statement(*last);
        self.opaque([])
    }

    /// The value in a field.
    pub fn field(&mut self, node: Node<'_>, name: &str) -> ValueId {
        match node.field(name) {
            Some(child) => self.expression(child),
            None => self.opaque([]),
        }
    }

    /// Something made of all of these.
    fn all(&mut self, nodes: &[Node<'_>]) -> ValueId {
        let parts: Vec<ValueId> = nodes.iter().map(|node| self.expression(*node)).collect();
        self.opaque(parts)
    }

    fn number(&mut self, text: &str) -> ValueId {
        let digits: String = text.chars().filter(|c| !matches!(c, '\'' | '_')).collect();
        let digits = digits.trim_end_matches(['u', 'U', 'l', 'L', 'z', 'Z']);
        let integer = match digits.get(..2) {
            Some("0x" | "0X") => i64::from_str_radix(&digits[2..], 16).ok(),
            Some("0b" | "0B") => i64::from_str_radix(&digits[2..], 2).ok(),
            _ if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8).ok(),
            _ => digits.parse().ok(),
        };
        self.literal(integer.map_or(Literal::Number, Literal::Int))
    }

    fn string(&mut self, node: Node<'_>) -> ValueId {
        let text = self.text(node);
        let is_plain = node.kind() == "string_literal";
        let inner = text.find('"').and_then(|start| text[start + 1..].strip_suffix('"'));
        match inner.filter(|inner| is_plain && inner.len() <= LONGEST_STRING) {
            Some(inner) => self.literal(Literal::String(Name::from(inner))),
            None => self.literal(Literal::LongString),
        }
    }

    /// A path: resolved where it is one name or names something of this file.
    pub fn name(&mut self, node: Node<'_>) -> ValueId {
        let path = self.path_of(node);
        self.resolve_path(&path)
    }

    /// What a path means here.
    pub fn resolve_path(&mut self, path: &[Name]) -> ValueId {
        match path {
            [] => self.opaque([]),
            [one] => self.resolve(*one),
            [.., qualifier, name] => {
                if let Some(binding) = self.declared(crate::model::ScopeId(0), super::types::join(path)) {
                    return self.value(Value::Binding(binding));
                }
                if let Some(&class) = self.classes.get(qualifier)
                    && self.members[class.index()].contains_key(name)
                {
                    return self.static_member(class, *name);
                }
                if let Some(super::lowering::Alias::Path(prefix)) = self.aliases.get(&path[0]) {
                    let path: Vec<Name> = prefix.iter().chain(&path[1..]).copied().collect();
                    return self.path(&path);
                }
                // Variables of a namespace are the file's, whatever it is called.
                let of_file = self.declared(crate::model::ScopeId(0), *name);
                match of_file.filter(|_| self.namespaces.contains(qualifier)) {
                    Some(binding) => self.value(Value::Binding(binding)),
                    None => self.path(path),
                }
            }
        }
    }

    fn pointer(&mut self, node: Node<'_>) -> ValueId {
        let inner = self.field(node, "argument");
        let is_address = node.field("operator").is_some_and(|operator| operator.kind() == "&");
        match (is_address, self.out.value(inner)) {
            (true, Value::Deref(place)) => *place,
            (false, Value::Address(place)) => *place,
            (true, Value::Binding(binding)) => {
                let binding = *binding;
                // Whoever gets the address may write through it.
                if !self.is_dropped(binding) {
                    self.note_write(binding, None);
                }
                self.value(Value::Address(inner))
            }
            (true, Value::Function(_)) => inner,
            (true, _) => self.value(Value::Address(inner)),
            (false, _) => self.value(Value::Deref(inner)),
        }
    }

    fn unary(&mut self, node: Node<'_>) -> ValueId {
        let inner = self.field(node, "argument");
        let operator = node.field("operator").map_or("", |operator| operator.kind());
        match (operator, self.out.value(inner)) {
            ("-", Value::Literal(Literal::Int(number))) => {
                let number = number.wrapping_neg();
                self.literal(Literal::Int(number))
            }
            ("+", _) => inner,
            ("-", _) => {
                let minus = self.literal(Literal::Int(-1));
                self.opaque([minus, inner])
            }
            _ => self.opaque([inner]),
        }
    }

    /// Chains of one operator can be thousands long: the left spine is followed in a loop.
    fn binary(&mut self, node: Node<'_>) -> ValueId {
        let mut spine = vec![node];
        while let Some(left) = spine[spine.len() - 1].field("left").filter(|left| left.kind() == "binary_expression") {
            spine.push(left);
        }
        let mut value = self.field(spine[spine.len() - 1], "left");
        let mut parts = Vec::new();
        for node in spine.into_iter().rev() {
            let operator = node.field("operator").map_or("", |operator| operator.kind());
            if matches!(operator, "&&" | "||" | "and" | "or") {
                let (flow, right) = self.apart(|this| this.field(node, "right"));
                if !flow.is_empty() {
                    let truthy = crate::model::Cond::Truthy(value);
                    let cond = if matches!(operator, "&&" | "and") {
                        truthy
                    } else {
                        crate::model::Cond::Not(Box::new(truthy))
                    };
                    self.push(Flow::Branch {
                        cond,
                        then: Box::new(flow),
                        otherwise: Box::new(Flow::empty()),
                        span: self.span(node),
                    });
                }
                parts.push(value);
                value = right;
            } else {
                let right = self.field(node, "right");
                parts.push(value);
                if operator == "-" {
                    parts.push(self.literal(Literal::Int(-1)));
                }
                value = right;
            }
        }
        parts.push(value);
        self.opaque(parts)
    }

    fn conditional(&mut self, node: Node<'_>) -> ValueId {
        let cond = match node.field("condition") {
            Some(condition) => self.condition(condition),
            None => crate::model::Cond::Opaque(Box::default()),
        };
        let (then, left) = self.apart(|this| node.field("consequence").map(|consequence| this.expression(consequence)));
        let (otherwise, right) = self.apart(|this| this.field(node, "alternative"));
        if !then.is_empty() || !otherwise.is_empty() {
            self.push(Flow::Branch {
                cond,
                then: Box::new(then),
                otherwise: Box::new(otherwise),
                span: self.span(node),
            });
        }
        let choices = left.into_iter().chain([right]).collect();
        self.value(Value::Choice(choices))
    }

    fn assignment(&mut self, node: Node<'_>) -> ValueId {
        let operator = node.field("operator").map_or("=", |operator| operator.kind());
        // The right side is evaluated first, as C++17 has it.
        let condition = match (operator, node.field("left").map(|left| left.kind()), node.field("right")) {
            ("=", Some("identifier"), Some(right)) => self.remembered(right),
            _ => None,
        };
        if let Some((value, cond)) = condition {
            let place = self.field(node, "left");
            self.assign(place, value, self.span(node), false);
            if matches!(self.out.value(place), Value::Binding(_)) {
                self.decide(place, cond, self.span(node));
            }
            return place;
        }
        let right = self.field(node, "right");
        let place = self.field(node, "left");
        let value = if operator == "=" { self.null_of(place, right) } else { self.opaque([place, right]) };
        self.assign(place, value, self.span(node), false);
        place
    }

    /// `0` is null where a pointer receives it or is compared with it.
    pub fn null_of(&mut self, place: ValueId, value: ValueId) -> ValueId {
        let is_zero = *self.out.value(value) == Value::Literal(Literal::Int(0));
        let is_pointer = match self.out.value(place) {
            Value::Binding(binding) => {
                let ty = self.out.binding(*binding).ty.as_ref();
                ty.is_some_and(|ty| ty.holder == crate::model::Holder::Raw && ty.text.ends_with('*'))
            }
            _ => false,
        };
        if is_zero && is_pointer { self.literal(Literal::Null) } else { value }
    }

    /// Lowers an expression whose value nobody uses.
    pub fn discard(&mut self, node: Node<'_>) -> ValueId {
        let value = self.expression(node);
        if let Value::Result(call) = *self.out.value(value) {
            self.out.calls[call.index()].is_discarded = true;
        }
        value
    }

    /// Arguments of a call.
    pub fn arguments(&mut self, list: Option<Node<'_>>) -> Box<[Argument]> {
        let Some(list) = list else { return Box::default() };
        children(list)
            .into_iter()
            .map(|argument| Argument { value: self.expression(argument), span: self.span(argument) })
            .collect()
    }

    fn call_expression(&mut self, node: Node<'_>) -> ValueId {
        let Some(function) = node.field("function") else { return self.all(&children(node)) };
        let list = node.field("arguments");
        if let Some(value) = self.transparent_call(function, list) {
            return value;
        }
        let (callee, name_span) = self.callee(function);
        let mut call = self.plain_call(callee, self.span(node), name_span);
        (call.template_arguments, call.template_type) = self.template_arguments_of(function);
        call.arguments = self.arguments(list);
        self.call(call)
    }

    /// Casts, moves and hints to the compiler, which are calls only to the eye.
    fn transparent_call(&mut self, function: Node<'_>, list: Option<Node<'_>>) -> Option<ValueId> {
        let arguments = list.map(children).unwrap_or_default();
        let first = *arguments.first()?;
        if function.kind() == "primitive_type" {
            return Some(self.expression(first));
        }
        if !matches!(function.kind(), "identifier" | "template_function" | "qualified_identifier") {
            return None;
        }
        let path = self.path_of(function);
        let names: Vec<&str> = path.iter().map(Name::as_str).collect();
        match names.as_slice() {
            [
                "static_cast" | "reinterpret_cast" | "const_cast" | "dynamic_cast" | "__builtin_expect" | "likely"
                | "unlikely" | "LIKELY" | "UNLIKELY",
            ]
            | ["std", "forward" | "addressof" | "launder"] => {
                let value = self.expression(first);
                let is_address = names.last() == Some(&"addressof");
                Some(if is_address { self.value(Value::Address(value)) } else { value })
            }
            ["std", "move"] if arguments.len() == 1 => {
                let value = self.expression(first);
                Some(self.value(Value::Moved(value)))
            }
            _ => None,
        }
    }

    /// What is called, and its bare name's range.
    /// `params->size`, where the declaration of `params` shows no star: the name of its type is that of a pointer.
    fn seen_as_pointer(&mut self, object: ValueId) {
        let Value::Binding(binding) = *self.out.value(object) else { return };
        let Some(ty) = &mut self.out.bindings[binding.index()].ty else { return };
        if ty.holder == Holder::Raw && !ty.is_array && !ty.text.contains(['*', '&']) && ty.name != "auto" {
            ty.text = Name::from(&format!("{}*", ty.text));
        }
    }

    fn callee(&mut self, function: Node<'_>) -> (ValueId, Span) {
        let name = match function.kind() {
            "field_expression" => function.field("field").unwrap_or(function),
            _ => function,
        };
        let mut last = name;
        while let Some(inner) = last.field("name") {
            last = inner;
        }
        let span = self.span(last);
        (self.expression(function), span)
    }

    /// Template arguments of a callee that are values (functions, addresses), and its first type.
    fn template_arguments_of(&mut self, function: Node<'_>) -> (Box<[Argument]>, Option<Name>) {
        let mut next = Some(function);
        let mut found = Vec::new();
        let mut first_type = None;
        while let Some(node) = next {
            if let Some(arguments) = node.field("arguments").filter(|list| list.kind() == "template_argument_list") {
                for argument in children(arguments) {
                    if let Some(value) = self.template_value(argument) {
                        found.push(Argument { value, span: self.span(argument) });
                    } else if first_type.is_none() && argument.kind() == "type_descriptor" {
                        let text = self.text(argument);
                        first_type = Some(Name::from(&text.split_whitespace().collect::<String>()));
                    }
                }
            }
            next = node.field("field").or_else(|| node.field("name"));
        }
        (found.into(), first_type)
    }

    /// A template argument as a value: the grammar takes a bare name for a type.
    fn template_value(&mut self, node: Node<'_>) -> Option<ValueId> {
        let node = if node.kind() == "type_descriptor" {
            if node.field("declarator").is_some() {
                return None;
            }
            node.field("type")?
        } else {
            node
        };
        match node.kind() {
            "type_identifier" | "qualified_identifier" => {
                let value = self.name(node);
                let is_function = matches!(self.out.value(value), Value::Function(_));
                is_function.then_some(value)
            }
            "primitive_type" | "template_type" | "sized_type_specifier" | "struct_specifier" | "number_literal" => None,
            _ => Some(self.expression(node)),
        }
    }

    fn new_expression(&mut self, node: Node<'_>) -> ValueId {
        let Some(ty) = node.field("type") else { return self.all(&children(node)) };
        let placement = node.field("placement");
        let is_placement = placement.is_some_and(|placement| !self.text(placement).contains("nothrow"));
        let declarator = node.field("declarator");
        let list = node.field("arguments");
        let path = self.type_path(ty);
        let callee = self.path(&path);
        let mut call = self.plain_call(callee, self.span(node), self.span(ty));
        call.is_new = true;
        call.is_array_new = declarator.is_some();
        call.is_placement = is_placement;
        call.arguments = if declarator.is_some() {
            let length = declarator.and_then(|declarator| declarator.field("length"));
            length
                .map(|length| Argument { value: self.expression(length), span: self.span(length) })
                .into_iter()
                .collect()
        } else if let Some(placement) = placement.filter(|_| is_placement) {
            let place = self.arguments(Some(placement));
            place.into_iter().chain(self.arguments(list)).collect()
        } else {
            self.arguments(list)
        };
        self.call(call)
    }

    /// The path of a type, aliases followed.
    pub fn type_path(&mut self, ty: Node<'_>) -> Vec<Name> {
        let facts = self.base_type(ty);
        facts.name.split("::").map(Name::from).collect()
    }

    fn delete_expression(&mut self, node: Node<'_>) -> ValueId {
        let is_array = has_child(node, "[");
        let callee =
            self.value(Value::Global(Name::from(if is_array { "operator delete[]" } else { "operator delete" })));
        let operand = children(node).into_iter().last();
        let argument = operand.map(|operand| Argument { value: self.expression(operand), span: self.span(operand) });
        let span = self.span(node);
        let mut call = self.plain_call(callee, span, Span::new(span.start, span.start + 6));
        call.arguments = argument.into_iter().collect();
        self.call(call)
    }

    fn compound_literal(&mut self, node: Node<'_>) -> ValueId {
        let (Some(ty), Some(list)) = (node.field("type"), node.field("value")) else {
            return self.all(&children(node));
        };
        let facts = self.base_type(ty);
        let is_braced_cast = self.text(node).starts_with('(');
        if is_braced_cast || facts.holder == crate::model::Holder::Raw {
            return self.initializer_list(list);
        }
        self.construct(&facts.name, Some(list), node)
    }

    /// `T(args)`, `T x(args)`: a constructor runs.
    pub fn construct(&mut self, ty: &Name, list: Option<Node<'_>>, node: Node<'_>) -> ValueId {
        let path: Vec<Name> = ty.split("::").map(Name::from).collect();
        let callee = self.path(&path);
        let arguments = self.arguments(list);
        let span = self.span(node);
        let mut call = self.plain_call(callee, span, span);
        call.arguments = arguments;
        self.call(call)
    }

    /// `{…}`: an object where it has designators, else an array.
    pub fn initializer_list(&mut self, node: Node<'_>) -> ValueId {
        let nothing = self.opaque([]);
        self.deeper(nothing, |this| {
            let items = children(node);
            if !items.iter().any(|item| item.kind() == "initializer_pair") {
                let elements = items.iter().map(|item| this.expression(*item)).collect();
                return this.array(elements);
            }
            let mut object = ObjectLiteral::default();
            for item in items {
                let designator = fields(item, "designator").into_iter().next();
                let name = designator
                    .filter(|designator| designator.kind() != "subscript_designator")
                    .map(|designator| Name::from(this.text(designator).trim_start_matches('.').trim()));
                let value =
                    if item.kind() == "initializer_pair" { this.field(item, "value") } else { this.expression(item) };
                object.properties.push(Property { name, value });
            }
            let id = ObjectId(this.out.objects.len() as u32);
            this.out.objects.push(object);
            this.value(Value::Object(id))
        })
    }
}
