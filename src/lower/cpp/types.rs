//! Types and declarators: what a declaration says of a name. Knows which shapes of type free what they hold.

use super::fields::Fields;
use super::lowering::{Alias, Lowering, children, has_child};
use crate::model::{Holder, Language, Name, TypeFacts};
use tree_sitter::Node;

/// Class templates and classes that release what they point to.
const SMART: [&str; 22] = [
    "unique_ptr",
    "shared_ptr",
    "auto_ptr",
    "scoped_ptr",
    "scoped_array",
    "scoped_refptr",
    "intrusive_ptr",
    "linked_ptr",
    "RefPtr",
    "nsCOMPtr",
    "ComPtr",
    "CComPtr",
    "CComQIPtr",
    "CAutoPtr",
    "CHeapPtr",
    "QScopedPointer",
    "QSharedPointer",
    "QScopedArrayPointer",
    "AliasedUniquePtr",
    "DeleteFnPtr",
    "unique_handle",
    "unique_resource",
];

/// Class names of the standard library as people write them after `using namespace std`.
const LOWERCASE_CLASSES: [&str; 12] = [
    "string",
    "wstring",
    "ifstream",
    "ofstream",
    "fstream",
    "stringstream",
    "ostringstream",
    "istringstream",
    "thread",
    "mutex",
    "exception",
    "any",
];

/// What a declarator says beside its type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Declarator<'t> {
    /// The declared name: an identifier, qualified name, operator or destructor name.
    pub name: Option<Node<'t>>,
    /// Number of `*`.
    pub pointers: u32,
    /// `&` or `&&`.
    pub is_reference: bool,
    /// `[…]`.
    pub is_array: bool,
    /// It declares a function with this declarator.
    pub function: Option<Node<'t>>,
    /// `auto [a, b]`.
    pub structured: Option<Node<'t>>,
}

impl<'t> Declarator<'t> {
    /// Follows a declarator to its name.
    pub fn of(mut node: Node<'t>) -> Self {
        let mut found = Declarator::default();
        for _ in 0..64 {
            let next = match node.kind() {
                "pointer_declarator" | "abstract_pointer_declarator" | "pointer_type_declarator" => {
                    found.pointers += 1;
                    node.field("declarator")
                }
                "reference_declarator" | "abstract_reference_declarator" => {
                    found.is_reference = true;
                    children(node).into_iter().last()
                }
                "array_declarator" | "abstract_array_declarator" => {
                    found.is_array = true;
                    node.field("declarator")
                }
                "function_declarator" | "abstract_function_declarator" => {
                    let inner = node.field("declarator");
                    let is_pointer = inner.is_some_and(|inner| {
                        inner.kind().ends_with("parenthesized_declarator")
                            && children(inner).iter().any(|child| child.kind().contains("pointer_declarator"))
                    });
                    if !is_pointer && found.function.is_none() {
                        found.function = Some(node);
                    }
                    inner
                }
                "structured_binding_declarator" => {
                    found.structured = Some(node);
                    None
                }
                "parenthesized_declarator"
                | "abstract_parenthesized_declarator"
                | "attributed_declarator"
                | "variadic_declarator"
                | "template_function"
                | "template_method"
                | "init_declarator" => node
                    .field("declarator")
                    .or_else(|| node.field("name"))
                    .or_else(|| children(node).into_iter().find(|child| child.kind() != "ms_call_modifier")),
                "identifier"
                | "field_identifier"
                | "type_identifier"
                | "qualified_identifier"
                | "operator_name"
                | "destructor_name"
                | "operator_cast"
                | "primitive_type" => {
                    found.name = Some(node);
                    None
                }
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        found
    }
}

impl Lowering<'_> {
    /// The names of a path, template arguments dropped: `Napi::Buffer<char>::New` has three.
    pub fn path_of(&self, node: Node<'_>) -> Vec<Name> {
        let mut path = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next {
            next = None;
            match node.kind() {
                "qualified_identifier" | "nested_namespace_specifier" => {
                    if node.kind() == "nested_namespace_specifier" {
                        path.extend(children(node).iter().flat_map(|child| self.path_of(*child)));
                        break;
                    }
                    if let Some(scope) = node.field("scope") {
                        path.extend(self.path_of(scope));
                    }
                    next = node.field("name");
                }
                "template_type" | "template_function" | "template_method" => next = node.field("name"),
                "dependent_name" | "dependent_type" => next = children(node).into_iter().next(),
                "struct_specifier" | "class_specifier" | "union_specifier" | "enum_specifier" => {
                    next = node.field("name");
                }
                "operator_name" | "operator_cast" | "destructor_name" => {
                    path.push(Name::from(&self.text(node).split_whitespace().collect::<String>()));
                }
                _ => path.push(Name::from(self.text(node))),
            }
        }
        path
    }

    /// The template arguments of the outermost type of a path that has some.
    fn template_arguments(node: Node<'_>) -> Vec<Node<'_>> {
        let mut next = Some(node);
        while let Some(node) = next {
            next = match node.kind() {
                "template_type" | "template_function" | "template_method" => {
                    return node.field("arguments").map(children).unwrap_or_default();
                }
                "qualified_identifier" => node.field("name"),
                "dependent_type" | "dependent_name" => children(node).into_iter().next(),
                _ => None,
            };
        }
        Vec::new()
    }

    /// What a type without its declarator says.
    pub fn base_type(&mut self, node: Node<'_>) -> TypeFacts {
        // A type defined on the spot goes by its name, not by its body.
        let named = match node.field("body") {
            Some(_) => node.field("name").map_or("", |name| self.text(name)),
            None => self.text(node),
        };
        let text = Name::from(named);
        let mut facts = TypeFacts { name: text, arguments: Vec::new(), holder: Holder::Raw, is_array: false, text };
        match node.kind() {
            "primitive_type" => {}
            "sized_type_specifier" => {
                facts.name = Name::from(&self.text(node).split_whitespace().collect::<Vec<_>>().join(" "));
            }
            "placeholder_type_specifier" | "auto" | "decltype" => {
                facts.name = Name::from("auto");
                facts.holder = Holder::Value;
            }
            "type_descriptor" => {
                if let Some(inner) = node.field("type") {
                    let declarator = node.field("declarator").map(Declarator::of).unwrap_or_default();
                    return self.with_declarator(inner, &declarator, node);
                }
            }
            _ => self.named_type(node, &mut facts),
        }
        facts
    }

    fn named_type(&mut self, node: Node<'_>, facts: &mut TypeFacts) {
        let mut path = self.path_of(node);
        if let [first, rest @ ..] = path.as_slice() {
            match self.aliases.get(first) {
                Some(Alias::Type(alias)) if rest.is_empty() => {
                    let text = facts.text;
                    *facts = TypeFacts { text, ..alias.clone() };
                    return;
                }
                Some(Alias::Path(prefix)) => path = prefix.iter().chain(rest).copied().collect(),
                _ => {}
            }
        }
        facts.name = if path.is_empty() { facts.text } else { join(&path) };
        let arguments = Self::template_arguments(node);
        facts.arguments = arguments.iter().map(|argument| self.argument_name(*argument)).collect();
        let last = path.last().copied().unwrap_or(facts.name);
        facts.is_array = arguments.first().is_some_and(|argument| self.text(*argument).trim_end().ends_with("[]"));
        facts.holder = if SMART.contains(&&*last) {
            Holder::Smart
        } else if self.is_class_like(node, &path, !arguments.is_empty()) {
            Holder::Value
        } else {
            Holder::Raw
        };
    }

    /// A template argument as a name: pointers and qualifiers dropped.
    pub fn argument_name(&mut self, node: Node<'_>) -> Name {
        let node = if node.kind() == "type_descriptor" { node.field("type").unwrap_or(node) } else { node };
        match node.kind() {
            "type_identifier" | "qualified_identifier" | "template_type" | "struct_specifier" | "identifier" => {
                join(&self.path_of(node))
            }
            _ => Name::from(self.text(node)),
        }
    }

    /// Whether a type's objects have destructors worth speaking of: its spelling says, where nothing else does.
    fn is_class_like(&self, node: Node<'_>, path: &[Name], is_template: bool) -> bool {
        if self.language == Language::C {
            return false;
        }
        let Some(last) = path.last() else { return false };
        if let Some(class) = self.classes.get(last) {
            return !self.out.class(*class).is_plain;
        }
        if is_template || LOWERCASE_CLASSES.contains(&&**last) {
            return true;
        }
        if matches!(node.kind(), "struct_specifier" | "union_specifier" | "enum_specifier") {
            return false;
        }
        let has_lower = last.contains(|c: char| c.is_ascii_lowercase());
        let is_camel = has_lower && last.starts_with(|c: char| c.is_ascii_uppercase());
        // `uv_work_t`, `CFStringRef`, `MDB_env`, `OM_uint32`: types of C libraries, whatever their capitals.
        let c_prefix = last
            .split_once('_')
            .is_some_and(|(prefix, _)| !prefix.is_empty() && !prefix.contains(|c: char| c.is_ascii_lowercase()));
        let is_plain = last.ends_with("_t") || (path.len() == 1 && (last.ends_with("Ref") || c_prefix));
        (is_camel && !is_plain)
            || (path.len() > 1 && has_lower && !is_plain && !matches!(&**last, "size_type" | "iterator" | "type"))
    }

    /// The type of a declared name.
    pub fn with_declarator(&mut self, ty: Node<'_>, declarator: &Declarator<'_>, whole: Node<'_>) -> TypeFacts {
        let mut facts = self.base_type(ty);
        // What an alias points to stays raw however it is spelled here.
        if declarator.pointers > 0 {
            facts.holder = Holder::Raw;
        }
        if declarator.is_reference {
            facts.holder = Holder::Reference;
        }
        if declarator.is_array {
            facts.is_array = true;
        }
        let stars = "*".repeat(declarator.pointers as usize);
        let reference = if declarator.is_reference { "&" } else { "" };
        let constant = if has_child(whole, "type_qualifier") && self.text(whole).trim_start().starts_with("const") {
            "const "
        } else {
            ""
        };
        let array = if declarator.is_array { "[]" } else { "" };
        facts.text = Name::from(&format!("{constant}{}{stars}{reference}{array}", facts.text));
        facts
    }
}

/// A path as one name.
pub fn join(path: &[Name]) -> Name {
    match path {
        [one] => *one,
        _ => Name::from(&path.iter().map(Name::as_str).collect::<Vec<_>>().join("::")),
    }
}
