//! ES classes: constructors with the fields that they initialise, methods, accessors, static members.

use super::function::{Body, Parts};
use super::state::{How, Lowering, NewCall, blank_function};
use crate::model::{
    Argument, BindingKind, Class, ClassId, Field, Function, FunctionKind, Method, Name, Value, ValueId,
};
use crate::text::Span;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{ClassMember, Expr, Key, MethodKind, ParamOrTsParamProp, Pat, TsParamPropParam};

impl Lowering<'_> {
    /// `class Name { … }` as a statement.
    pub fn class_declaration(&mut self, declaration: &ast::ClassDecl) {
        let binding = self.find(&declaration.ident.sym);
        let class = self.class(Some(&declaration.ident), &declaration.class, true);
        let value = self.value(Value::Class(class));
        if let Some(binding) = binding {
            self.give(binding, value);
        }
    }

    /// A class; a declared one's name is declared already.
    pub fn class(&mut self, name: Option<&ast::Ident>, class: &ast::Class, is_declared: bool) -> ClassId {
        let hint = self.hint.take().unwrap_or_default();
        let span = self.span(class.span);
        let own_name = name.filter(|_| !is_declared);
        let mut lowered = blank_class(name.map_or(hint, |name| self.name(&name.sym)), self.class_head(class));
        lowered.decorators = self.decorator_names(&class.decorators);
        self.decorate(&class.decorators);
        if let Some(base) = &class.super_class {
            lowered.bases.push(self.expr(base));
        }
        if let Some(arguments) = &class.super_type_params {
            lowered.base_arguments = arguments.params.iter().filter_map(|ty| self.type_name(ty)).collect();
        }
        let id = ClassId(self.out.classes.len() as u32);
        self.out.classes.push(lowered);
        let value = self.value(Value::Class(id));
        if let Some(name) = own_name {
            self.open_scope(span, false);
            let own = self.declare(&name.sym, BindingKind::Class, self.span(name.span));
            self.give(own, value);
        }
        self.constructor(id, class);
        let outer = self.at.statement;
        for member in &class.body {
            self.at.statement = self.span(member.span());
            self.class_member(id, member);
        }
        self.at.statement = outer;
        if own_name.is_some() {
            self.close_scope();
        }
        id
    }

    /// The text of a class before its members.
    fn class_head(&self, class: &ast::Class) -> Span {
        let span = self.span(class.span);
        let text = span.of(self.text);
        let after = class.super_class.as_ref().map_or(span.start, |base| self.span(base.span()).end);
        let from = (after - span.start) as usize;
        let brace = text.get(from..).and_then(|rest| rest.find('{')).map_or(text.len(), |at| from + at);
        Span::new(span.start, span.start + text[..brace].trim_end().len() as u32)
    }

    /// The constructor, with the fields' initial values at its start; a class with fields but no constructor gets one.
    fn constructor(&mut self, id: ClassId, class: &ast::Class) {
        let written = class.body.iter().find_map(|member| match member {
            ClassMember::Constructor(constructor) if constructor.body.is_some() => Some(constructor),
            _ => None,
        });
        let has_fields = class.body.iter().any(|member| instance_field(member).is_some());
        if written.is_none() && !has_fields {
            return;
        }
        let span = written.map_or(self.out.classes[id.index()].span, |constructor| self.span(constructor.span));
        let body = written.and_then(|constructor| constructor.body.as_ref());
        let function = Function {
            name: Name::from("constructor"),
            class: Some(id),
            body: body.map_or(span, |body| self.span(body.span)),
            name_span: written.map_or(span, |constructor| self.span(constructor.key.span())),
            ..blank_function(FunctionKind::Constructor, span)
        };
        let parameters: Vec<&ParamOrTsParamProp> =
            written.map_or_else(Vec::new, |constructor| constructor.params.iter().collect());
        let assigned: Vec<Pat> = parameters.iter().map(|parameter| parameter_pattern(parameter)).collect();
        let parts = Parts {
            function,
            parameters: assigned.iter().collect(),
            body: body.map_or(Body::Block(&[]), |body| Body::Block(&body.stmts)),
            own_name: None,
            receiver: None,
            yields_await: false,
        };
        let (constructor, outer) = self.begin(&parts);
        if written.is_none() && class.super_class.is_some() {
            let callee = self.global("super");
            let passed = self.global("arguments");
            let passed = self.spread(passed);
            let arguments = vec![Argument { value: passed, span }];
            self.call(NewCall { is_discarded: true, ..NewCall::new(callee, arguments, span, span) });
        }
        for member in &class.body {
            self.at.statement = self.span(member.span());
            self.instance_field(id, member);
        }
        self.at.statement = span;
        self.parameters(&parts.parameters);
        for parameter in parameters {
            if let ParamOrTsParamProp::TsParamProp(property) = parameter {
                self.parameter_property(id, property);
            }
        }
        self.body(constructor, &parts);
        self.leave(outer);
        self.out.classes[id.index()].constructors.push(constructor);
    }

    /// `constructor(private readonly x: X)`: a field and its assignment.
    fn parameter_property(&mut self, class: ClassId, property: &ast::TsParamProp) {
        let name = match &property.param {
            TsParamPropParam::Ident(name) => name,
            TsParamPropParam::Assign(assign) => match &*assign.left {
                Pat::Ident(name) => name,
                _ => return,
            },
        };
        let span = self.span(property.span);
        let receiver = self.receiver();
        let place = self.member(receiver, &name.id.sym);
        let value = self.named(&name.id.sym);
        self.at.statement = span;
        self.assign(place, value, span, How::Declaration);
        let ty = name.type_ann.as_ref().and_then(|annotation| self.type_facts(annotation));
        let field = Field { name: self.name(&name.id.sym), is_static: false, ty, value: Some(value), span };
        self.out.classes[class.index()].fields.push(field);
    }

    fn instance_field(&mut self, class: ClassId, member: &ClassMember) {
        let Some(field) = instance_field(member) else { return };
        self.field(class, &field, None);
    }

    /// A field and its initial value, which belongs to the code that is being written.
    fn field(&mut self, class: ClassId, field: &FieldParts<'_>, receiver: Option<ValueId>) {
        let Some(name) = self.key_name(&field.key) else {
            if let Some(value) = field.value {
                self.expr(value);
            }
            return;
        };
        let span = self.span(field.span);
        let value = field.value.map(|value| {
            let object = receiver.unwrap_or_else(|| self.receiver());
            let place = self.member(object, &name);
            self.hint = Some(name);
            let value = self.expr(value);
            self.assign(place, value, span, How::Declaration);
            value
        });
        let ty = field.ty.and_then(|annotation| self.type_facts(annotation));
        let is_static = receiver.is_some();
        self.out.classes[class.index()].fields.push(Field { name, is_static, ty, value, span });
    }

    fn key_name(&mut self, key: &FieldKey<'_>) -> Option<Name> {
        match key {
            FieldKey::Public(key) => self.property_name(key),
            FieldKey::Private(name) => Some(Name::from(&format!("#{}", name.name))),
        }
    }

    /// A member other than the constructor and instance fields.
    fn class_member(&mut self, class: ClassId, member: &ClassMember) {
        match member {
            ClassMember::Method(method) => {
                self.decorate(&method.function.decorators);
                let name = self.property_name(&method.key).unwrap_or_default();
                let name_span = self.span(method.key.span());
                self.method(class, name, name_span, method.kind, &method.function, method.is_static);
            }
            ClassMember::PrivateMethod(method) => {
                let name = Name::from(&format!("#{}", method.key.name));
                let name_span = self.span(method.key.span);
                self.method(class, name, name_span, method.kind, &method.function, method.is_static);
            }
            ClassMember::StaticBlock(block) => {
                let span = self.span(block.span);
                let function = Function {
                    class: Some(class),
                    is_static: true,
                    body: self.span(block.body.span),
                    ..blank_function(FunctionKind::StaticBlock, span)
                };
                let receiver = Some(self.value(Value::Class(class)));
                let body = Body::Block(&block.body.stmts);
                let parts =
                    Parts { function, parameters: Vec::new(), body, own_name: None, receiver, yields_await: false };
                let function = self.function(&parts);
                let method = Method { name: Name::default(), function, is_static: true };
                self.out.classes[class.index()].methods.push(method);
            }
            _ => {
                if let Some(field) = static_field(member) {
                    let receiver = self.value(Value::Class(class));
                    let outer = self.at.receiver.replace(receiver);
                    self.field(class, &field, Some(receiver));
                    self.at.receiver = outer;
                }
            }
        }
    }

    fn method(
        &mut self,
        class: ClassId,
        name: Name,
        name_span: Span,
        kind: MethodKind,
        function: &ast::Function,
        is_static: bool,
    ) {
        if function.body.is_none() {
            return;
        }
        let kind = if kind == MethodKind::Method { FunctionKind::Method } else { FunctionKind::Accessor };
        let function = self.method_function(name, name_span, kind, function, Some(class), is_static);
        self.out.classes[class.index()].methods.push(Method { name, function, is_static });
    }

    /// Names of decorators, without arguments.
    pub fn decorator_names(&self, decorators: &[ast::Decorator]) -> Vec<Name> {
        decorators
            .iter()
            .map(|decorator| {
                let name = match &*decorator.expr {
                    Expr::Call(call) => call.callee.span(),
                    other => other.span(),
                };
                self.text_name(name)
            })
            .collect()
    }

    /// What a compiler made of decorators: `X = __decorate([Service()], X)`.
    pub fn note_decorators(&mut self, list: ValueId, class: ValueId) {
        let class = match self.out.values[class.index()] {
            Value::Binding(binding) => self.given[binding.index()].map(|value| &self.out.values[value.index()]),
            ref value => Some(value),
        };
        let Some(&Value::Class(class)) = class else { return };
        let Value::Array(_, parts) = &self.out.values[list.index()] else { return };
        let named = |part: &ValueId| {
            let callee = match self.out.values[part.index()] {
                Value::Result(call) => self.out.calls[call.index()].callee,
                _ => *part,
            };
            match self.out.values[callee.index()] {
                Value::Member(_, name) | Value::Global(name) => Some(name),
                Value::Binding(binding) => Some(self.out.bindings[binding.index()].name),
                _ => None,
            }
        };
        let names: Vec<Name> = parts.iter().filter_map(named).collect();
        self.out.classes[class.index()].decorators.extend(names);
    }

    /// Evaluates decorators.
    fn decorate(&mut self, decorators: &[ast::Decorator]) {
        for decorator in decorators {
            self.expr(&decorator.expr);
        }
    }
}

/// A class of which only the name is known.
pub fn blank_class(name: Name, span: Span) -> Class {
    Class {
        name,
        span,
        bases: Vec::new(),
        base_arguments: Vec::new(),
        constructors: Vec::new(),
        destructor: None,
        declares_destructor: false,
        has_virtual_destructor: false,
        methods: Vec::new(),
        fields: Vec::new(),
        is_plain: false,
        decorators: Vec::new(),
    }
}

enum FieldKey<'e> {
    Public(&'e ast::PropName),
    Private(&'e ast::PrivateName),
}

struct FieldParts<'e> {
    key: FieldKey<'e>,
    value: Option<&'e Expr>,
    ty: Option<&'e ast::TsTypeAnn>,
    span: swc_common::Span,
}

fn instance_field(member: &ClassMember) -> Option<FieldParts<'_>> {
    field_parts(member).and_then(|(field, is_static)| (!is_static).then_some(field))
}

fn static_field(member: &ClassMember) -> Option<FieldParts<'_>> {
    field_parts(member).and_then(|(field, is_static)| is_static.then_some(field))
}

fn field_parts(member: &ClassMember) -> Option<(FieldParts<'_>, bool)> {
    match member {
        ClassMember::ClassProp(field) => {
            let key = FieldKey::Public(&field.key);
            let parts =
                FieldParts { key, value: field.value.as_deref(), ty: field.type_ann.as_deref(), span: field.span };
            Some((parts, field.is_static))
        }
        ClassMember::PrivateProp(field) => {
            let key = FieldKey::Private(&field.key);
            let parts =
                FieldParts { key, value: field.value.as_deref(), ty: field.type_ann.as_deref(), span: field.span };
            Some((parts, field.is_static))
        }
        ClassMember::AutoAccessor(field) => {
            let key = match &field.key {
                Key::Private(name) => FieldKey::Private(name),
                Key::Public(name) => FieldKey::Public(name),
            };
            let parts =
                FieldParts { key, value: field.value.as_deref(), ty: field.type_ann.as_deref(), span: field.span };
            Some((parts, field.is_static))
        }
        _ => None,
    }
}

fn parameter_pattern(parameter: &ParamOrTsParamProp) -> Pat {
    match parameter {
        ParamOrTsParamProp::Param(param) => param.pat.clone(),
        ParamOrTsParamProp::TsParamProp(property) => match &property.param {
            TsParamPropParam::Ident(name) => Pat::Ident(name.clone()),
            TsParamPropParam::Assign(assign) => Pat::Assign(assign.clone()),
        },
    }
}
