//! Expressions: the value that each denotes, and the steps that evaluating it takes, in order.

use super::cond::operands;
use super::state::{How, Lowering};
use crate::model::{Cond, Flow, FunctionKind, Literal, Name, ObjectId, ObjectLiteral, Property, Step, Value, ValueId};
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{
    AssignOp, AssignTarget, BinaryOp, Expr, Lit, MemberProp, OptChainBase, Prop, PropName, PropOrSpread, SuperProp,
    UnaryOp,
};

/// An expression without what changes neither its value nor its effects: parentheses and type annotations.
pub fn transparent(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Paren(inner) => &inner.expr,
            Expr::TsAs(inner) => &inner.expr,
            Expr::TsNonNull(inner) => &inner.expr,
            Expr::TsSatisfies(inner) => &inner.expr,
            Expr::TsTypeAssertion(inner) => &inner.expr,
            Expr::TsConstAssertion(inner) => &inner.expr,
            Expr::TsInstantiation(inner) => &inner.expr,
            // `(0, module.f)(…)`: compilers write it to call without a receiver.
            Expr::Seq(sequence) => match &sequence.exprs[..] {
                [first, last] if matches!(**first, Expr::Lit(_)) => last,
                _ => return expr,
            },
            _ => return expr,
        };
    }
}

impl Lowering<'_> {
    /// Lowers an expression whose value nobody uses.
    pub fn effect(&mut self, expr: &Expr) {
        let expr = transparent(expr);
        self.machine_region(expr);
        if self.is_bookkeeping(expr) {
            return;
        }
        match expr {
            Expr::Call(call) => {
                self.call_expr(call, true);
            }
            Expr::New(new) => {
                self.new_expr(new, true);
            }
            Expr::OptChain(chain) => {
                self.optional_chain(chain, true);
            }
            Expr::Await(wait) => {
                self.await_expr(wait, true);
            }
            Expr::Yield(wait) if self.at.yields_await => {
                self.yield_expr(wait, true);
            }
            Expr::Unary(unary) if matches!(unary.op, UnaryOp::Void | UnaryOp::Bang) => self.effect(&unary.arg),
            Expr::Seq(sequence) => sequence.exprs.iter().for_each(|part| self.effect(part)),
            Expr::Cond(choice) => {
                let cond = self.cond(&choice.test);
                let then = self.nested(|lowering| lowering.effect(&choice.cons));
                let otherwise = self.nested(|lowering| lowering.effect(&choice.alt));
                if !(then.is_empty() && otherwise.is_empty()) {
                    let span = self.span(choice.test.span());
                    self.push(Flow::Branch { cond, then: Box::new(then), otherwise: Box::new(otherwise), span });
                }
            }
            Expr::Bin(bin) if matches!(bin.op, BinaryOp::LogicalAnd | BinaryOp::LogicalOr) => {
                let cond = self.cond(&bin.left);
                let code = Box::new(self.nested(|lowering| lowering.effect(&bin.right)));
                let nothing = Box::new(Flow::empty());
                let and = bin.op == BinaryOp::LogicalAnd;
                let (then, otherwise) = if and { (code, nothing) } else { (nothing, code) };
                let span = self.span(bin.left.span());
                self.push(Flow::Branch { cond, then, otherwise, span });
            }
            other => {
                self.expr(other);
            }
        }
    }

    /// Lowers an expression to its value.
    pub fn expr(&mut self, expr: &Expr) -> ValueId {
        let hint = self.hint.take();
        let expr = transparent(expr);
        match expr {
            Expr::Ident(name) => self.named(&name.sym),
            Expr::Lit(literal) => self.lit(literal),
            Expr::Member(member) => self.member_expr(member),
            Expr::Call(call) => {
                self.hint = hint.filter(|_| super::asynchronous::makes_function(call));
                self.call_expr(call, false)
            }
            Expr::New(new) => self.new_expr(new, false),
            Expr::This(_) => self.receiver(),
            Expr::Fn(function) => {
                self.hint = hint;
                self.function_expr(function, None)
            }
            Expr::Arrow(arrow) => {
                self.hint = hint;
                self.arrow_expr(arrow)
            }
            Expr::Class(class) => {
                self.hint = hint;
                let class = self.class(class.ident.as_ref(), &class.class, false);
                self.value(Value::Class(class))
            }
            Expr::Object(object) => self.object_expr(object),
            Expr::Array(array) => self.array_expr(array),
            Expr::Assign(assign) => self.assign_expr(assign, hint),
            Expr::Bin(bin) => self.binary(expr, bin),
            Expr::Unary(unary) => self.unary(unary),
            Expr::Update(update) => self.update(update),
            Expr::Cond(choice) => self.conditional(choice, hint),
            Expr::Seq(sequence) => match sequence.exprs.split_last() {
                Some((last, before)) => {
                    for part in before {
                        self.effect(part);
                    }
                    self.expr(last)
                }
                None => self.unknown(),
            },
            Expr::Tpl(template) => self.template(template),
            Expr::TaggedTpl(tagged) => self.tagged_template(tagged),
            Expr::Await(wait) => self.await_expr(wait, false),
            Expr::Yield(wait) => self.yield_expr(wait, false),
            Expr::OptChain(chain) => self.optional_chain(chain, false),
            Expr::SuperProp(property) => self.super_property(property),
            Expr::MetaProp(meta) => match meta.kind {
                ast::MetaPropKind::ImportMeta => self.global("import.meta"),
                ast::MetaPropKind::NewTarget => self.global("new.target"),
            },
            Expr::PrivateName(name) => self.string(&format!("#{}", name.name)),
            Expr::JSXElement(element) => self.jsx_element(element),
            Expr::JSXFragment(fragment) => self.jsx_children(&fragment.children, Vec::new()),
            Expr::JSXMember(_) | Expr::JSXNamespacedName(_) | Expr::JSXEmpty(_) | Expr::Invalid(_) => self.unknown(),
            // Taken away by `transparent`.
            Expr::Paren(_)
            | Expr::TsAs(_)
            | Expr::TsNonNull(_)
            | Expr::TsSatisfies(_)
            | Expr::TsTypeAssertion(_)
            | Expr::TsConstAssertion(_)
            | Expr::TsInstantiation(_) => self.unknown(),
        }
    }

    fn lit(&mut self, literal: &Lit) -> ValueId {
        match literal {
            Lit::Str(string) => match string.value.as_str() {
                Some(text) => self.string(text),
                None => self.literal(Literal::LongString),
            },
            Lit::Bool(bool) => self.literal(Literal::Bool(bool.value)),
            Lit::Null(_) => self.literal(Literal::Null),
            Lit::Num(number) => self.number(number.value),
            Lit::BigInt(_) => self.literal(Literal::Number),
            Lit::Regex(_) => self.literal(Literal::Regex),
            Lit::JSXText(_) => self.unknown(),
        }
    }

    /// A literal number.
    pub fn number(&mut self, number: f64) -> ValueId {
        let is_whole = number.fract() == 0.0 && number.abs() < 9.0e15;
        self.literal(if is_whole { Literal::Int(number as i64) } else { Literal::Number })
    }

    /// `object.name`, `object[key]`.
    pub fn member_expr(&mut self, member: &ast::MemberExpr) -> ValueId {
        let object = self.expr(&member.obj);
        self.member_of(object, &member.prop)
    }

    /// A property of a value.
    pub fn member_of(&mut self, object: ValueId, property: &MemberProp) -> ValueId {
        match property {
            MemberProp::Ident(name) => self.member(object, &name.sym),
            MemberProp::PrivateName(name) => self.member(object, &format!("#{}", name.name)),
            MemberProp::Computed(key) => {
                let key = self.expr(&key.expr);
                self.index(object, key)
            }
        }
    }

    /// `super.name`.
    pub fn super_property(&mut self, property: &ast::SuperPropExpr) -> ValueId {
        let object = self.global("super");
        match &property.prop {
            SuperProp::Ident(name) => self.member(object, &name.sym),
            SuperProp::Computed(key) => {
                let key = self.expr(&key.expr);
                self.index(object, key)
            }
        }
    }

    /// `a?.b`, `a?.()`.
    pub fn optional_chain(&mut self, chain: &ast::OptChainExpr, is_discarded: bool) -> ValueId {
        match &*chain.base {
            OptChainBase::Member(member) => self.member_expr(member),
            OptChainBase::Call(call) => self.optional_call(call, is_discarded),
        }
    }

    fn object_expr(&mut self, object: &ast::ObjectLit) -> ValueId {
        let id = ObjectId(self.out.objects.len() as u32);
        self.out.objects.push(ObjectLiteral::default());
        let mut properties = Vec::with_capacity(object.props.len());
        for property in &object.props {
            let property = match property {
                PropOrSpread::Spread(spread) => {
                    let value = self.expr(&spread.expr);
                    Property { name: None, value: self.spread(value) }
                }
                PropOrSpread::Prop(property) => self.property(property),
            };
            properties.push(property);
        }
        self.out.objects[id.index()].properties = properties;
        self.value(Value::Object(id))
    }

    fn property(&mut self, property: &Prop) -> Property {
        match property {
            Prop::Shorthand(name) => Property { name: Some(self.name(&name.sym)), value: self.named(&name.sym) },
            Prop::KeyValue(pair) => {
                let name = self.property_name(&pair.key);
                self.hint = name;
                Property { name, value: self.expr(&pair.value) }
            }
            Prop::Assign(pair) => Property { name: Some(self.name(&pair.key.sym)), value: self.expr(&pair.value) },
            Prop::Getter(getter) => self.property_function(&getter.key, FunctionKind::Accessor, &getter.function),
            Prop::Setter(setter) => self.property_function(&setter.key, FunctionKind::Accessor, &setter.function),
            Prop::Method(method) => self.property_function(&method.key, FunctionKind::Method, &method.function),
        }
    }

    fn property_function(&mut self, key: &PropName, kind: FunctionKind, function: &ast::Function) -> Property {
        let name = self.property_name(key);
        let key_span = self.span(key.span());
        let function = self.method_function(name.unwrap_or_default(), key_span, kind, function, None, false);
        Property { name, value: self.value(Value::Function(function)) }
    }

    /// The name of a property where it is literal; a computed one is evaluated.
    pub fn property_name(&mut self, key: &PropName) -> Option<Name> {
        match key {
            PropName::Ident(name) => Some(self.name(&name.sym)),
            PropName::Str(name) => Some(Name::from(&name.value.to_string_lossy())),
            PropName::Num(number) => Some(Name::from(&number.value.to_string())),
            PropName::BigInt(_) => None,
            PropName::Computed(key) => {
                let key = self.expr(&key.expr);
                let nothing = self.unknown();
                let property = self.index(nothing, key);
                match &self.out.values[property.index()] {
                    Value::Member(_, name) => Some(*name),
                    _ => None,
                }
            }
        }
    }

    fn array_expr(&mut self, array: &ast::ArrayLit) -> ValueId {
        let mut elements = Vec::with_capacity(array.elems.len().min(64));
        for element in &array.elems {
            let value = match element {
                Some(element) => self.argument_value(element),
                None => self.literal(Literal::Undefined),
            };
            // Long tables of literals are data.
            if elements.len() < 64 || !matches!(self.out.values[value.index()], Value::Literal(_)) {
                elements.push(value);
            }
        }
        self.array(elements)
    }

    /// An argument's or element's value.
    pub fn argument_value(&mut self, argument: &ast::ExprOrSpread) -> ValueId {
        let value = self.expr(&argument.expr);
        if argument.spread.is_some() { self.spread(value) } else { value }
    }

    fn assign_expr(&mut self, assign: &ast::AssignExpr, hint: Option<Name>) -> ValueId {
        let span = self.span(assign.span);
        let AssignTarget::Simple(target) = &assign.left else {
            let value = self.expr(&assign.right);
            self.bind_target(&assign.left, value, span);
            return value;
        };
        let place = self.simple_target(target);
        let own = match &self.out.values[place.index()] {
            Value::Member(_, name) => Some(*name),
            Value::Binding(binding) => Some(self.out.bindings[binding.index()].name),
            _ => None,
        };
        let name = own.filter(|name| *name != "exports" && *name != "default" && *name != "prototype").or(hint);
        match assign.op {
            AssignOp::Assign => {
                self.hint = name;
                let value = self.expr(&assign.right);
                self.assign(place, value, span, How::Plain);
                value
            }
            AssignOp::AndAssign | AssignOp::OrAssign | AssignOp::NullishAssign => {
                let how = if assign.op == AssignOp::AndAssign { How::Plain } else { How::IfEmpty };
                let mut value = place;
                let code = Box::new(self.nested(|lowering| {
                    lowering.hint = name;
                    value = lowering.expr(&assign.right);
                    lowering.assign(place, value, span, how);
                }));
                let nothing = Box::new(Flow::empty());
                let (cond, then, otherwise) = match assign.op {
                    AssignOp::NullishAssign => {
                        let null = self.literal(Literal::Null);
                        (Cond::Equal(place, null), code, nothing)
                    }
                    AssignOp::AndAssign => (Cond::Truthy(place), code, nothing),
                    _ => (Cond::Truthy(place), nothing, code),
                };
                self.push(Flow::Branch { cond, then, otherwise, span });
                self.choice([place, value])
            }
            op => {
                let right = self.expr(&assign.right);
                let op = self.string(op.as_str());
                let value = self.opaque([place, op, right]);
                self.assign(place, value, span, How::Plain);
                place
            }
        }
    }

    fn update(&mut self, update: &ast::UpdateExpr) -> ValueId {
        let place = self.place(&update.arg);
        let op = self.string(update.op.as_str());
        let value = self.opaque([place, op]);
        let span = self.span(update.span);
        self.assign(place, value, span, How::Plain);
        value
    }

    fn binary(&mut self, expr: &Expr, bin: &ast::BinExpr) -> ValueId {
        if matches!(bin.op, BinaryOp::LogicalAnd | BinaryOp::LogicalOr | BinaryOp::NullishCoalescing) {
            return self.logical(expr, bin.op);
        }
        let operands = operands(expr, bin.op);
        let op = self.string(bin.op.as_str());
        let mut values = vec![op];
        for operand in operands {
            let value = self.expr(operand);
            let is_data = matches!(self.out.values[value.index()], Value::Literal(_));
            if values.len() < if is_data { 32 } else { 256 } {
                values.push(value);
            }
        }
        self.opaque(values)
    }

    /// `a && b`, `a || b`, `a ?? b`: what stands right runs only sometimes.
    fn logical(&mut self, expr: &Expr, op: BinaryOp) -> ValueId {
        let mut values: Vec<ValueId> = Vec::new();
        let mut before: Option<Cond> = None;
        for operand in operands(expr, op) {
            let Some(cond) = before.take() else {
                before = Some(self.operand(operand, op, &mut values));
                continue;
            };
            let code = self.nested(|lowering| before = Some(lowering.operand(operand, op, &mut values)));
            if !code.is_empty() {
                let (code, nothing) = (Box::new(code), Box::new(Flow::empty()));
                let and = op == BinaryOp::LogicalAnd;
                let (then, otherwise) = if and { (code, nothing) } else { (nothing, code) };
                let span = self.span(operand.span());
                self.push(Flow::Branch { cond, then, otherwise, span });
            }
        }
        self.choice(values)
    }

    /// One operand: its value, unless it is a mere test, and the condition that it poses.
    fn operand(&mut self, operand: &Expr, op: BinaryOp, values: &mut Vec<ValueId>) -> Cond {
        let is_test = match transparent(operand) {
            Expr::Bin(bin) => is_comparison(bin.op),
            Expr::Unary(unary) => unary.op == UnaryOp::Bang,
            _ => false,
        };
        if is_test && op != BinaryOp::NullishCoalescing {
            let cond = self.cond(operand);
            let mut mentioned = Vec::new();
            cond.values(&mut |value| mentioned.push(value));
            values.push(self.opaque(mentioned));
            return cond;
        }
        let value = self.expr(operand);
        values.push(value);
        if op == BinaryOp::NullishCoalescing {
            let null = self.literal(Literal::Null);
            return Cond::Not(Box::new(Cond::Equal(value, null)));
        }
        Cond::Truthy(value)
    }

    fn unary(&mut self, unary: &ast::UnaryExpr) -> ValueId {
        match unary.op {
            UnaryOp::Void => {
                self.effect(&unary.arg);
                self.literal(Literal::Undefined)
            }
            UnaryOp::Delete => {
                let place = self.expr(&unary.arg);
                if matches!(self.out.values[place.index()], Value::Member(..) | Value::Index(..)) {
                    let span = self.span(unary.span);
                    self.step(Step::Delete { place, span });
                }
                self.literal(Literal::Bool(true))
            }
            UnaryOp::Minus => {
                let value = self.expr(&unary.arg);
                if let Value::Literal(Literal::Int(number)) = self.out.values[value.index()] {
                    return self.literal(Literal::Int(-number));
                }
                let op = self.string("-");
                self.opaque([op, value])
            }
            op => {
                let value = self.expr(&unary.arg);
                if let (UnaryOp::Bang, Value::Literal(Literal::Int(number))) = (op, &self.out.values[value.index()]) {
                    let is_zero = *number == 0;
                    return self.literal(Literal::Bool(is_zero));
                }
                let op = self.string(op.as_str());
                self.opaque([op, value])
            }
        }
    }

    fn conditional(&mut self, choice: &ast::CondExpr, hint: Option<Name>) -> ValueId {
        let cond = self.cond(&choice.test);
        let mut values = Vec::new();
        let then = self.nested(|lowering| {
            lowering.hint = hint;
            values.push(lowering.expr(&choice.cons));
        });
        let otherwise = self.nested(|lowering| {
            lowering.hint = hint;
            values.push(lowering.expr(&choice.alt));
        });
        if !(then.is_empty() && otherwise.is_empty()) {
            let span = self.span(choice.test.span());
            self.push(Flow::Branch { cond, then: Box::new(then), otherwise: Box::new(otherwise), span });
        }
        self.choice(values)
    }

    fn template(&mut self, template: &ast::Tpl) -> ValueId {
        if let ([], [only]) = (&template.exprs[..], &template.quasis[..]) {
            return match only.cooked.as_ref().and_then(|text| text.as_str()) {
                Some(text) => self.string(text),
                None => self.literal(Literal::LongString),
            };
        }
        let mut parts = Vec::with_capacity(template.exprs.len() * 2);
        for (at, quasi) in template.quasis.iter().enumerate() {
            if !quasi.raw.is_empty() {
                parts.push(self.string(&quasi.raw));
            }
            if let Some(expr) = template.exprs.get(at) {
                parts.push(self.expr(expr));
            }
        }
        self.opaque(parts)
    }

    /// `await value`.
    pub fn await_expr(&mut self, wait: &ast::AwaitExpr, is_discarded: bool) -> ValueId {
        let span = self.span(wait.span);
        let value = self.expr(&wait.arg);
        self.wait(value, span, is_discarded)
    }

    /// Waits for a value.
    pub fn wait(&mut self, value: ValueId, span: crate::text::Span, is_discarded: bool) -> ValueId {
        if let Value::Result(call) = self.out.values[value.index()] {
            let call = &mut self.out.calls[call.index()];
            call.is_awaited = true;
            call.is_discarded = is_discarded;
        }
        self.step(Step::Await { value, span, is_yield: false });
        self.awaited(value)
    }

    fn yield_expr(&mut self, wait: &ast::YieldExpr, is_discarded: bool) -> ValueId {
        let span = self.span(wait.span);
        let value = match &wait.arg {
            Some(argument) => self.expr(argument),
            None => self.literal(Literal::Undefined),
        };
        if self.at.yields_await {
            return self.wait(value, span, is_discarded);
        }
        self.step(Step::Await { value, span, is_yield: true });
        self.awaited(value)
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, EqEq | NotEq | EqEqEq | NotEqEq | Lt | LtEq | Gt | GtEq | In | InstanceOf)
}
