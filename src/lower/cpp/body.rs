//! The code of a function, a constructor's initialisers included.

use super::item::body_of;
use super::lowering::{Lowering, bare, children};
use super::types::join;
use crate::model::{ClassId, FunctionId, FunctionKind, Holder, Literal, Name, TypeFacts, Value, ValueId};
use tree_sitter::Node;

impl Lowering<'_> {
    /// Walks a function's code.
    pub fn body(&mut self, function: FunctionId, definition: Node<'_>) {
        let entry = self.out.function(function);
        let (class, is_constructor) = (entry.class, entry.kind == FunctionKind::Constructor);
        self.in_function(function, function, |this| {
            if is_constructor {
                this.initialisers(class, definition);
            }
            match body_of(definition) {
                Some(body) if this.separate.contains_key(&body.start_byte()) => {
                    let close = this.separate[&body.start_byte()];
                    this.separate_body(body.start_byte(), close);
                }
                Some(body) if body.kind() == "compound_statement" => this.statements(&children(body)),
                Some(body) => {
                    for list in children(body).iter().filter(|child| child.kind() == "field_initializer_list") {
                        this.initialiser_list(class, *list);
                    }
                    this.statement(body);
                }
                None => {}
            }
        });
    }

    fn initialisers(&mut self, class: Option<ClassId>, definition: Node<'_>) {
        self.frame.statement = self.span(definition);
        let list = children(definition).into_iter().find(|child| child.kind() == "field_initializer_list");
        let mut named = Vec::new();
        if let Some(list) = list {
            named = children(list)
                .iter()
                .filter_map(|item| children(*item).first().map(|name| Name::from(self.text(*name))))
                .collect();
        }
        if let Some(class) = class {
            for field in self.out.class(class).fields.clone() {
                if let (Some(value), false, false) = (field.value, field.is_static, named.contains(&field.name)) {
                    let this = self.this();
                    let place = self.member(this, field.name);
                    self.assign(place, value, field.span, true);
                }
            }
        }
        if let Some(list) = list {
            self.initialiser_list(class, list);
        }
    }

    /// `: Base(x), member_(y)`.
    fn initialiser_list(&mut self, class: Option<ClassId>, list: Node<'_>) {
        for item in children(list) {
            let parts = children(item);
            let [name, rest @ ..] = parts.as_slice() else { continue };
            let arguments =
                rest.iter().find(|part| matches!(part.kind(), "argument_list" | "initializer_list")).copied();
            self.frame.statement = self.span(item);
            let path = self.path_of(*name);
            let Some(field) = path.last().copied() else { continue };
            let known =
                class.and_then(|class| self.out.class(class).fields.iter().find(|known| known.name == field).cloned());
            if known.is_none() && self.is_base(*name, &path, class) {
                let name = join(&path);
                let value = self.construct(&name, arguments, item);
                if let Value::Result(call) = *self.out.value(value) {
                    self.out.calls[call.index()].is_discarded = true;
                }
                continue;
            }
            let value = self.member_value(known.and_then(|known| known.ty), arguments, item);
            let this = self.this();
            let place = self.member(this, field);
            self.assign(place, value, self.span(item), true);
        }
    }

    fn member_value(&mut self, ty: Option<TypeFacts>, arguments: Option<Node<'_>>, item: Node<'_>) -> ValueId {
        let parts = arguments.map(children).unwrap_or_default();
        match (ty, parts.as_slice()) {
            (Some(ty), _) if matches!(ty.holder, Holder::Smart | Holder::Value) && !ty.is_array => {
                self.construct(&ty.name, arguments, item)
            }
            (_, [one]) => self.expression(*one),
            (Some(_), []) => self.literal(Literal::Null),
            _ => {
                let values: Vec<ValueId> = parts.iter().map(|part| self.expression(*part)).collect();
                self.opaque(values)
            }
        }
    }

    /// Whether an initialiser names a base (or the class itself) and not a member.
    fn is_base(&mut self, node: Node<'_>, path: &[Name], class: Option<ClassId>) -> bool {
        let Some(last) = path.last() else { return false };
        if path.len() > 1 || matches!(node.kind(), "template_method" | "template_type" | "template_function") {
            return true;
        }
        let own = class.map(|class| bare(self.out.class(class).name)).or(self.frame.class_name.map(bare));
        if own == Some(*last) {
            return true;
        }
        match class {
            Some(class) => {
                let bases = self.out.class(class).bases.clone();
                bases.iter().any(|base| matches!(self.out.value(*base), Value::Global(name) | Value::Member(_, name) if name == last))
            }
            None => last.starts_with(|c: char| c.is_ascii_uppercase()),
        }
    }
}
