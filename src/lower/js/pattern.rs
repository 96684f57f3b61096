//! Patterns: what they declare, and how the parts of a value reach their places.

use super::state::{How, Lowering};
use crate::model::{BindingKind, Cond, Flow, Literal, Value, ValueId};
use crate::text::Span;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{AssignTarget, AssignTargetPat, Expr, ObjectPatProp, Pat, PropName, SimpleAssignTarget};

impl Lowering<'_> {
    /// Declares the variables of a pattern in the current scope.
    pub fn declare_pattern(&mut self, pattern: &Pat, kind: BindingKind) {
        match pattern {
            Pat::Ident(name) => {
                self.declare(&name.id.sym, kind, self.span(name.id.span));
            }
            Pat::Array(array) => {
                array.elems.iter().flatten().for_each(|element| self.declare_pattern(element, kind));
            }
            Pat::Object(object) => {
                for property in &object.props {
                    match property {
                        ObjectPatProp::KeyValue(pair) => self.declare_pattern(&pair.value, kind),
                        ObjectPatProp::Assign(name) => {
                            self.declare(&name.key.id.sym, kind, self.span(name.key.id.span));
                        }
                        ObjectPatProp::Rest(rest) => self.declare_pattern(&rest.arg, kind),
                    }
                }
            }
            Pat::Rest(rest) => self.declare_pattern(&rest.arg, kind),
            Pat::Assign(assign) => self.declare_pattern(&assign.left, kind),
            Pat::Expr(_) | Pat::Invalid(_) => {}
        }
    }

    /// Gives a value to a pattern: one assignment for each part.
    pub fn bind(&mut self, pattern: &Pat, value: ValueId, span: Span, how: How) {
        match pattern {
            Pat::Ident(name) => {
                let place = self.named_place(&name.id.sym, self.span(name.id.span));
                self.assign(place, value, span, how);
            }
            Pat::Array(array) => self.bind_array(array, value, span, how),
            Pat::Object(object) => self.bind_object(object, value, span, how),
            Pat::Rest(rest) => self.bind(&rest.arg, value, span, how),
            Pat::Assign(assign) => {
                let value = self.or_default(value, &assign.right);
                self.bind(&assign.left, value, span, how);
            }
            Pat::Expr(target) => {
                let place = self.place(target);
                self.assign(place, value, span, how);
            }
            Pat::Invalid(_) => {}
        }
    }

    fn bind_array(&mut self, array: &ast::ArrayPat, value: ValueId, span: Span, how: How) {
        for (at, element) in array.elems.iter().enumerate() {
            let Some(element) = element else { continue };
            // `[a, b] = [x, y]` gives each its own.
            let known = match &self.out.values[value.index()] {
                Value::Array(_, parts) => parts.get(at).copied(),
                _ => None,
            };
            let part = match (known, element) {
                (_, Pat::Rest(_)) => self.opaque([value]),
                (Some(part), _) if !matches!(self.out.values[part.index()], Value::Spread(_)) => part,
                _ => {
                    let key = self.literal(Literal::Int(i64::from(at as u32)));
                    self.index(value, key)
                }
            };
            self.bind(element, part, self.part_span(element.span(), span), how);
        }
    }

    fn bind_object(&mut self, object: &ast::ObjectPat, value: ValueId, span: Span, how: How) {
        for property in &object.props {
            let at = self.part_span(property.span(), span);
            match property {
                ObjectPatProp::KeyValue(pair) => {
                    let part = self.property_of(value, &pair.key);
                    self.bind(&pair.value, part, at, how);
                }
                ObjectPatProp::Assign(name) => {
                    let mut part = self.member(value, &name.key.id.sym);
                    if let Some(default) = &name.value {
                        part = self.or_default(part, default);
                    }
                    let place = self.named_place(&name.key.id.sym, self.span(name.key.id.span));
                    self.assign(place, part, at, how);
                }
                ObjectPatProp::Rest(rest) => {
                    let part = self.opaque([value]);
                    self.bind(&rest.arg, part, at, how);
                }
            }
        }
    }

    fn part_span(&self, part: swc_common::Span, whole: Span) -> Span {
        let part = self.span(part);
        if part.start == part.end { whole } else { part }
    }

    /// A part of a value, or the default that the pattern has for it.
    fn or_default(&mut self, value: ValueId, default: &Expr) -> ValueId {
        let mut other = None;
        let code = self.nested(|lowering| other = Some(lowering.expr(default)));
        if !code.is_empty() {
            let undefined = self.literal(Literal::Undefined);
            let cond = Cond::Equal(value, undefined);
            let span = self.span(default.span());
            self.push(Flow::Branch { cond, then: Box::new(code), otherwise: Box::new(Flow::empty()), span });
        }
        match other {
            Some(other) => self.choice([value, other]),
            None => value,
        }
    }

    /// `object.key` for a property name of a literal or pattern.
    fn property_of(&mut self, object: ValueId, key: &PropName) -> ValueId {
        match key {
            PropName::Ident(name) => self.member(object, &name.sym),
            PropName::Str(name) => {
                let name = name.value.to_string_lossy().into_owned();
                self.member(object, &name)
            }
            PropName::Computed(key) => {
                let key = self.expr(&key.expr);
                self.index(object, key)
            }
            PropName::Num(number) => {
                let key = self.number(number.value);
                self.index(object, key)
            }
            PropName::BigInt(_) => {
                let key = self.literal(Literal::Number);
                self.index(object, key)
            }
        }
    }

    /// The place that an assignment's left side denotes, where it is one place.
    pub fn simple_target(&mut self, target: &SimpleAssignTarget) -> ValueId {
        match target {
            SimpleAssignTarget::Ident(name) => self.named_place(&name.id.sym, self.span(name.id.span)),
            SimpleAssignTarget::Member(member) => self.member_expr(member),
            SimpleAssignTarget::SuperProp(property) => self.super_property(property),
            SimpleAssignTarget::Paren(inner) => self.place(&inner.expr),
            SimpleAssignTarget::OptChain(chain) => self.optional_chain(chain, false),
            SimpleAssignTarget::TsAs(inner) => self.place(&inner.expr),
            SimpleAssignTarget::TsSatisfies(inner) => self.place(&inner.expr),
            SimpleAssignTarget::TsNonNull(inner) => self.place(&inner.expr),
            SimpleAssignTarget::TsTypeAssertion(inner) => self.place(&inner.expr),
            SimpleAssignTarget::TsInstantiation(inner) => self.place(&inner.expr),
            SimpleAssignTarget::Invalid(_) => self.unknown(),
        }
    }

    /// The place that an expression denotes.
    pub fn place(&mut self, target: &Expr) -> ValueId {
        match super::expr::transparent(target) {
            Expr::Ident(name) => self.named_place(&name.sym, self.span(name.span)),
            other => self.expr(other),
        }
    }

    /// Gives a value to the left side of a plain assignment.
    pub fn bind_target(&mut self, target: &AssignTarget, value: ValueId, span: Span) {
        match target {
            AssignTarget::Pat(AssignTargetPat::Array(array)) => self.bind_array(array, value, span, How::Plain),
            AssignTarget::Pat(AssignTargetPat::Object(object)) => self.bind_object(object, value, span, How::Plain),
            AssignTarget::Pat(AssignTargetPat::Invalid(_)) => {}
            AssignTarget::Simple(target) => {
                let place = self.simple_target(target);
                self.assign(place, value, span, How::Plain);
            }
        }
    }
}
