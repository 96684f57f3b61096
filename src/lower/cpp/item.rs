//! What stands at file, namespace and class level: functions, classes, variables. A first walk declares everything, so
//! that a second one can resolve names in the code whatever the order.

use super::fields::Fields;
use super::lowering::{Alias, Lowering, Member, bare, children, fields, has_child};
use super::types::{Declarator, join};
use crate::model::{
    BindingKind, Class, ClassId, Field, FunctionId, FunctionKind, Holder, Language, Literal, Method, Name, ScopeId,
    TypeFacts, ValueId,
};
use tree_sitter::Node;

/// Where an item stands.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Namespaces and classes around it.
    pub path: Vec<Name>,
    /// The class around it.
    pub class: Option<ClassId>,
}

/// Code that waits until everything is declared.
#[derive(Clone, Copy, Debug)]
pub enum Pending<'t> {
    /// A function's code.
    Function(FunctionId, Node<'t>),
    /// A statement or declaration of the file's own code.
    Module(Node<'t>),
}

impl Lowering<'_> {
    /// Declares items, and gives the code that is to be walked afterwards.
    pub fn items<'t>(&mut self, nodes: &[Node<'t>], place: &Place, pending: &mut Vec<Pending<'t>>) {
        for node in nodes {
            self.deeper((), |this| this.item(*node, place, pending));
        }
    }

    fn item<'t>(&mut self, node: Node<'t>, place: &Place, pending: &mut Vec<Pending<'t>>) {
        match node.kind() {
            "function_definition" => self.function(node, place, pending),
            "class_specifier" | "struct_specifier" | "union_specifier" => {
                self.class(node, None, place, pending);
            }
            "declaration" | "field_declaration" if place.class.is_none() => self.file_declaration(node, place, pending),
            "namespace_definition" => {
                let mut place = place.clone();
                if let Some(name) = node.field("name") {
                    let path = self.path_of(name);
                    self.namespaces.extend(&path);
                    place.path.extend(path);
                }
                let body = node.field("body").map(children).unwrap_or_default();
                self.items(&body, &place, pending);
            }
            "linkage_specification" => {
                if let Some(body) = node.field("body") {
                    let inner = if body.kind() == "declaration_list" { children(body) } else { vec![body] };
                    self.items(&inner, place, pending);
                }
            }
            "declaration_list" | "field_declaration_list" | "friend_declaration" => {
                self.items(&children(node), place, pending);
            }
            "template_declaration" => {
                let inner: Vec<_> =
                    children(node).into_iter().filter(|child| child.kind() != "template_parameter_list").collect();
                self.items(&inner, place, pending);
            }
            "type_definition" => self.typedef(node, place, pending),
            "alias_declaration" => self.alias(node),
            "using_declaration" => self.using(node),
            "namespace_alias_definition" => {
                let name = node.field("name").map(|name| Name::from(self.text(name)));
                let target = children(node).into_iter().last().map(|target| self.path_of(target));
                if let (Some(name), Some(target)) = (name, target) {
                    self.aliases.insert(name, Alias::Path(target));
                }
            }
            "ERROR" => {
                self.out.partial = true;
                self.items(&children(node), place, pending);
            }
            kind if kind.starts_with("preproc_") => {
                let inner: Vec<_> = children(node).into_iter().filter(|child| child.kind() != "identifier").collect();
                self.items(&inner, place, pending);
            }
            "expression_statement"
            | "if_statement"
            | "for_statement"
            | "while_statement"
            | "return_statement"
            | "switch_statement"
            | "do_statement"
            | "try_statement"
            | "compound_statement"
            | "labeled_statement"
            | "throw_statement"
            | "for_range_loop"
            | "case_statement" => pending.push(Pending::Module(node)),
            _ => {}
        }
    }

    /// An item inside a function: a local class, a `using`, or a function that error recovery put there.
    pub fn local_item(&mut self, node: Node<'_>) {
        let mut pending = Vec::new();
        if node.kind() == "function_definition" {
            self.out.partial = true;
        }
        self.items(&[node], &Place::default(), &mut pending);
        self.run(&pending);
    }

    /// Walks code that was put off.
    pub fn run(&mut self, pending: &[Pending<'_>]) {
        for code in pending {
            match *code {
                Pending::Function(function, node) => self.body(function, node),
                Pending::Module(node) => self.statement(node),
            }
        }
    }

    fn file_declaration<'t>(&mut self, node: Node<'t>, place: &Place, pending: &mut Vec<Pending<'t>>) {
        if let Some(ty) = node.field("type").filter(|ty| ty.field("body").is_some()) {
            self.class(ty, None, place, pending);
        }
        let is_variable = fields(node, "declarator").into_iter().any(|item| {
            let item = if item.kind() == "init_declarator" { item.field("declarator").unwrap_or(item) } else { item };
            let found = Declarator::of(item);
            found.function.is_none() && found.name.is_some()
        });
        if is_variable && !self.specifiers(node).contains(&"extern") {
            self.declare_file_variables(node);
            pending.push(Pending::Module(node));
        }
    }

    /// Makes file-level variables known before any code is walked.
    fn declare_file_variables(&mut self, node: Node<'_>) {
        let ty = node.field("type");
        for item in fields(node, "declarator") {
            let item = if item.kind() == "init_declarator" { item.field("declarator").unwrap_or(item) } else { item };
            let found = Declarator::of(item);
            let (Some(name), None) = (found.name, found.function) else { continue };
            let facts = ty.map(|ty| self.with_declarator(ty, &found, node));
            let is_const = self.specifiers(node).contains(&"const") && found.pointers == 0;
            let kind = if is_const { BindingKind::Const } else { BindingKind::Var };
            let path = self.path_of(name);
            let span = self.span(name);
            self.declare(ScopeId(0), join(&path), kind, span, facts);
        }
    }

    fn using(&mut self, node: Node<'_>) {
        let Some(target) = children(node).into_iter().last() else { return };
        let path = self.path_of(target);
        if has_child(node, "namespace") {
            let name = join(&path);
            if !self.out.usings.contains(&name) {
                self.out.usings.push(name);
            }
        } else if let Some(last) = path.last().filter(|_| path.len() > 1) {
            self.aliases.insert(*last, Alias::Path(path.clone()));
        }
    }

    fn alias(&mut self, node: Node<'_>) {
        let (Some(name), Some(ty)) = (node.field("name"), node.field("type")) else {
            return;
        };
        let facts = self.base_type(ty);
        self.aliases.insert(Name::from(self.text(name)), Alias::Type(facts));
    }

    /// `typedef struct {…} name_t;`, `typedef T* name;`.
    fn typedef<'t>(&mut self, node: Node<'t>, place: &Place, pending: &mut Vec<Pending<'t>>) {
        let Some(ty) = node.field("type") else { return };
        let names = fields(node, "declarator");
        let mut class = None;
        if ty.field("body").is_some() && ty.kind() != "enum_specifier" {
            let name = names
                .iter()
                .map(|name| Declarator::of(*name))
                .find(|found| found.pointers == 0)
                .and_then(|found| found.name);
            class = self.class(ty, name, place, pending);
        }
        for declarator in names {
            let found = Declarator::of(declarator);
            let Some(name) = found.name.filter(|_| found.function.is_none()) else { continue };
            let name = Name::from(self.text(name));
            if let Some(class) = class {
                self.classes.entry(name).or_insert(class);
                if found.pointers == 0 {
                    continue;
                }
            }
            let mut facts = self.with_declarator(ty, &found, node);
            if let Some(class) = class.filter(|_| facts.name.is_empty()) {
                facts.name = self.out.class(class).name;
            }
            if facts.name != name {
                self.aliases.insert(name, Alias::Type(facts));
            }
        }
    }

    /// A class, struct or union with a body.
    fn class<'t>(
        &mut self,
        node: Node<'t>,
        typedef: Option<Node<'t>>,
        place: &Place,
        pending: &mut Vec<Pending<'t>>,
    ) -> Option<ClassId> {
        let body = node.field("body").filter(|body| body.kind() == "field_declaration_list")?;
        let own = node.field("name").or(typedef);
        let mut path = place.path.clone();
        path.extend(own.map(|name| self.path_of(name)).unwrap_or_default());
        let name = if own.is_some() { join(&path) } else { Name::from("") };
        let id = ClassId(self.out.classes.len() as u32);
        let (bases, base_arguments) = self.bases(node);
        let start = self.span(node).start;
        let span = crate::text::Span::new(start, self.span(own.unwrap_or(node)).end.max(start));
        let is_c = self.language == Language::C;
        self.out.classes.push(Class {
            name,
            span,
            bases,
            base_arguments,
            constructors: Vec::new(),
            destructor: None,
            declares_destructor: false,
            has_virtual_destructor: false,
            methods: Vec::new(),
            fields: Vec::new(),
            is_plain: is_c || node.kind() == "union_specifier",
            decorators: Vec::new(),
        });
        self.members.push(rustc_hash::FxHashMap::default());
        for known in [name, own.map_or(name, |own| bare(Name::from(self.text(own))))]
            .into_iter()
            .chain(typedef.map(|t| Name::from(self.text(t))))
        {
            if !known.is_empty() {
                self.classes.entry(known).or_insert(id);
            }
        }
        let inner = Place { path, class: Some(id) };
        self.members_of(&children(body), &inner, id, pending);
        Some(id)
    }

    fn bases(&mut self, node: Node<'_>) -> (Vec<ValueId>, Vec<Name>) {
        let (mut bases, mut arguments) = (Vec::new(), Vec::new());
        let Some(clause) = children(node).into_iter().find(|child| child.kind() == "base_class_clause") else {
            return (bases, arguments);
        };
        for base in children(clause) {
            if matches!(base.kind(), "qualified_identifier" | "template_type" | "type_identifier") {
                let facts = self.base_type(base);
                let path: Vec<Name> = facts.name.split("::").map(Name::from).collect();
                bases.push(self.path(&path));
                arguments.extend(facts.arguments);
            }
        }
        (bases, arguments)
    }

    fn members_of<'t>(&mut self, nodes: &[Node<'t>], place: &Place, class: ClassId, pending: &mut Vec<Pending<'t>>) {
        for node in nodes {
            match node.kind() {
                "field_declaration" | "declaration" => {
                    self.deeper((), |this| this.field_declaration(*node, place, class, pending));
                }
                "ERROR" => {
                    self.out.partial = true;
                    self.deeper((), |this| this.members_of(&children(*node), place, class, pending));
                }
                kind if kind.starts_with("preproc_") || kind == "template_declaration" => {
                    let inner: Vec<_> = children(*node)
                        .into_iter()
                        .filter(|child| !matches!(child.kind(), "identifier" | "template_parameter_list"))
                        .collect();
                    self.deeper((), |this| this.members_of(&inner, place, class, pending));
                }
                _ => self.deeper((), |this| this.item(*node, place, pending)),
            }
        }
    }

    fn field_declaration<'t>(&mut self, node: Node<'t>, place: &Place, class: ClassId, pending: &mut Vec<Pending<'t>>) {
        let ty = node.field("type");
        let nested = ty.filter(|ty| ty.field("body").is_some() && ty.kind() != "enum_specifier");
        let nested_class = nested.and_then(|ty| self.class(ty, None, place, pending));
        let declarators = fields(node, "declarator");
        if let (Some(inner), true) = (nested_class, declarators.is_empty())
            && nested.is_some_and(|ty| ty.field("name").is_none())
        {
            // Fields of an anonymous struct or union are fields of the class around it.
            let fields = self.out.class(inner).fields.clone();
            for field in &fields {
                self.members[class.index()].insert(field.name, Member::Own);
            }
            self.out.classes[class.index()].fields.extend(fields);
        }
        let is_static = self.specifiers(node).contains(&"static");
        let default = node.field("default_value").or_else(|| node.field("value"));
        for declarator in declarators {
            let (declarator, value) = if declarator.kind() == "init_declarator" {
                (declarator.field("declarator").unwrap_or(declarator), declarator.field("value"))
            } else {
                (declarator, default)
            };
            let found = Declarator::of(declarator);
            let Some(name) = found.name else { continue };
            if found.function.is_some() {
                self.function_of(node, declarator, None, place, pending);
                continue;
            }
            let facts = match (nested_class, ty) {
                (Some(inner), _) if found.pointers == 0 => {
                    let name = self.out.class(inner).name;
                    Some(TypeFacts {
                        name,
                        arguments: Vec::new(),
                        holder: Holder::Value,
                        is_array: found.is_array,
                        text: name,
                    })
                }
                (_, Some(ty)) => Some(self.with_declarator(ty, &found, node)),
                _ => None,
            };
            let name_text = bare(Name::from(self.text(name)));
            let kind = if is_static { Member::Static } else { Member::Own };
            self.members[class.index()].insert(name_text, kind);
            let value = value.and_then(|value| self.constant(value));
            let span = self.span(declarator);
            self.out.classes[class.index()].fields.push(Field { name: name_text, is_static, ty: facts, value, span });
        }
    }

    /// A field's initial value where it is a literal; anything else is lowered with the constructors.
    fn constant(&mut self, node: Node<'_>) -> Option<ValueId> {
        match node.kind() {
            "null" | "true" | "false" | "number_literal" | "char_literal" | "string_literal" | "unary_expression" => {
                Some(self.expression(node))
            }
            "initializer_list" => match children(node).as_slice() {
                [] => Some(self.literal(Literal::Null)),
                [one] => self.constant(*one),
                _ => None,
            },
            _ => None,
        }
    }

    fn function<'t>(&mut self, node: Node<'t>, place: &Place, pending: &mut Vec<Pending<'t>>) {
        let Some(declarator) = node.field("declarator") else {
            self.out.partial = true;
            return;
        };
        // `class EXPORT Foo {…}` and the like, taken for a function by the grammar.
        if Declarator::of(declarator).function.is_none() && declarator.kind() != "operator_cast" {
            self.out.partial = true;
        }
        self.function_of(node, declarator, Some(node), place, pending);
    }

    /// Declares a function or method, with a body or without.
    fn function_of<'t>(
        &mut self,
        node: Node<'t>,
        declarator: Node<'t>,
        definition: Option<Node<'t>>,
        place: &Place,
        pending: &mut Vec<Pending<'t>>,
    ) {
        let found = Declarator::of(declarator);
        let Some(name_node) = found.name else { return };
        let mut path = self.path_of(name_node);
        let Some(name) = path.pop() else { return };
        let has_body = definition.is_some_and(|node| body_of(node).is_some());
        let (class, class_name) = match place.class {
            Some(class) => (Some(class), None),
            None if path.is_empty() => (None, None),
            None => {
                let written = join(&path);
                let class = self.classes.get(&written).or_else(|| self.classes.get(&bare(written))).copied();
                (class, Some(written))
            }
        };
        let owner = class.map(|class| bare(self.out.class(class).name)).or(class_name.map(bare));
        let kind = match owner {
            _ if name.starts_with('~') => FunctionKind::Destructor,
            Some(owner) if owner == name => FunctionKind::Constructor,
            Some(_) => FunctionKind::Method,
            None => FunctionKind::Plain,
        };
        let span = self.span(node);
        let id = match class
            .filter(|_| has_body)
            .and_then(|class| self.declared_method(class, name, kind, found.function))
        {
            Some(id) => {
                self.out.functions[id.index()].span = span;
                let scope = self.out.function(id).scope;
                self.out.scopes[scope.index()].span = span;
                self.forget_scope(scope);
                id
            }
            None => self.new_function(name, kind, span, ScopeId(0)),
        };
        self.parameters(id, found.function);
        // `auto f() -> T`
        let trailing = found.function.and_then(|function| {
            children(function).into_iter().find(|child| child.kind() == "trailing_return_type")?.named_child(0)
        });
        let returns = match trailing {
            Some(ty) => Some(self.base_type(ty)),
            None => node.field("type").map(|ty| self.with_declarator(ty, &found, node)),
        };
        let is_static = self.specifiers(node).contains(&"static");
        let head = found.function.map_or("", |function| self.text(function));
        let is_noexcept =
            found.function.is_some_and(|function| has_child(function, "noexcept")) && !head.contains("noexcept(false)");
        let is_virtual = has_child(node, "virtual")
            || has_child(node, "virtual_function_specifier")
            || found.function.is_some_and(|function| has_child(function, "virtual_specifier"))
            || self.prepared_head(node, name_node).contains("virtual");
        let name_span = self.span(name_node);
        let body = definition.and_then(body_of).map(|body| self.span(body));
        let entry = &mut self.out.functions[id.index()];
        entry.class = class;
        entry.class_name = class_name.or(entry.class_name);
        entry.is_static |= is_static;
        entry.is_noexcept = is_noexcept;
        entry.returns = returns;
        entry.name_span = name_span;
        entry.has_body = has_body;
        entry.body = body.unwrap_or(name_span);
        let is_static = entry.is_static;
        match class {
            Some(class) => self.add_method(class, id, name, kind, is_static, is_virtual, place.class.is_some()),
            None if class_name.is_none() && has_body => self.functions.entry(name).or_default().push(id),
            None => {}
        }
        if let Some(definition) = definition.filter(|_| has_body) {
            pending.push(Pending::Function(id, definition));
        }
    }

    /// The text before a function's name.
    fn prepared_head(&self, node: Node<'_>, name: Node<'_>) -> &str {
        self.prepared.text.get(node.start_byte()..name.start_byte()).unwrap_or("")
    }

    /// The declaration without body that a definition completes: the one with as many parameters, else any.
    fn declared_method(
        &self,
        class: ClassId,
        name: Name,
        kind: FunctionKind,
        declarator: Option<Node<'_>>,
    ) -> Option<FunctionId> {
        let class = self.out.class(class);
        let count = declarator.and_then(|d| d.field("parameters")).map_or(0, |list| list.named_child_count());
        let candidates: Vec<FunctionId> = match kind {
            FunctionKind::Constructor => class.constructors.clone(),
            FunctionKind::Destructor => class.destructor.into_iter().collect(),
            _ => class.methods.iter().filter(|method| method.name == name).map(|method| method.function).collect(),
        };
        let open: Vec<FunctionId> = candidates.into_iter().filter(|id| !self.out.function(*id).has_body).collect();
        open.iter().find(|id| self.out.function(**id).parameters.len() == count).or(open.first()).copied()
    }

    #[allow(clippy::too_many_arguments, reason = "one declaration has that many facts")]
    fn add_method(
        &mut self,
        class: ClassId,
        id: FunctionId,
        name: Name,
        kind: FunctionKind,
        is_static: bool,
        is_virtual: bool,
        inside: bool,
    ) {
        let entry = &mut self.out.classes[class.index()];
        match kind {
            FunctionKind::Constructor => {
                if !entry.constructors.contains(&id) {
                    entry.constructors.push(id);
                }
            }
            FunctionKind::Destructor => {
                entry.destructor = Some(id);
                entry.declares_destructor = true;
                entry.has_virtual_destructor |= is_virtual;
            }
            _ => {
                if !entry.methods.iter().any(|method| method.function == id) {
                    entry.methods.push(Method { name, function: id, is_static });
                }
                // A static method stays one where it is defined outside.
                if inside || !self.members[class.index()].contains_key(&name) {
                    let member = if is_static { Member::Static } else { Member::Own };
                    self.members[class.index()].insert(name, member);
                }
            }
        }
    }
}

/// A function definition's block, or the `try` that is its whole body.
pub fn body_of(node: Node<'_>) -> Option<Node<'_>> {
    node.field("body").or_else(|| children(node).into_iter().find(|child| child.kind() == "try_statement"))
}
