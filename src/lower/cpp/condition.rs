//! Conditions: null tests, comparisons with constants, negations, and what both sides of `&&` and `||` do.

use super::fields::Fields;
use super::lowering::{Lowering, children};
use crate::model::{Assign, Cond, Flow, FunctionId, Literal, Step, Value, ValueId};
use crate::text::Span;
use tree_sitter::Node;

impl Lowering<'_> {
    /// When an expression is true. Its calls become steps before whatever the condition decides.
    pub fn condition(&mut self, node: Node<'_>) -> Cond {
        self.deeper(Cond::Opaque(Box::default()), |this| this.condition_of(node))
    }

    fn condition_of(&mut self, node: Node<'_>) -> Cond {
        match node.kind() {
            "parenthesized_expression" => match children(node).as_slice() {
                [inner] if inner.kind() != "compound_statement" => self.condition(*inner),
                _ => self.truthy(node),
            },
            "condition_clause" => {
                if let Some(initializer) = node.field("initializer") {
                    for statement in children(initializer) {
                        self.statement(statement);
                    }
                }
                match node.field("value") {
                    Some(value) => self.condition(value),
                    None => self.truthy(node),
                }
            }
            "declaration" => match self.declaration(node) {
                Some(value) => Cond::Truthy(value),
                None => Cond::Opaque(Box::default()),
            },
            "comma_expression" => {
                if let Some(left) = node.field("left") {
                    self.discard(left);
                }
                match node.field("right") {
                    Some(right) => self.condition(right),
                    None => Cond::Opaque(Box::default()),
                }
            }
            "unary_expression" => match (node.field("operator").map(|o| o.kind()), node.field("argument")) {
                (Some("!" | "not"), Some(inner)) => negated(self.condition(inner)),
                _ => self.truthy(node),
            },
            "binary_expression" => self.binary_condition(node),
            "call_expression" => match self.hint(node) {
                Some(inner) => self.condition(inner),
                None => self.truthy(node),
            },
            _ => self.truthy(node),
        }
    }

    /// `bool ok = status == OK`: the value of an expression that is a condition, and the condition.
    pub fn remembered(&mut self, node: Node<'_>) -> Option<(ValueId, Cond)> {
        let mut inner = node;
        while let ("parenthesized_expression", [only]) = (inner.kind(), children(inner).as_slice()) {
            inner = *only;
        }
        let operator = inner.field("operator").map_or("", |operator| operator.kind());
        let is_condition = match inner.kind() {
            "unary_expression" => matches!(operator, "!" | "not"),
            "binary_expression" => {
                matches!(operator, "==" | "!=" | "<" | ">" | "<=" | ">=" | "not_eq" | "&&" | "||" | "and" | "or")
            }
            _ => false,
        };
        if !is_condition || self.frame.function == FunctionId::MODULE {
            return None;
        }
        let cond = self.condition(inner);
        let mut parts = Vec::new();
        cond.values(&mut |value| parts.push(value));
        Some((self.opaque(parts), cond))
    }

    /// A variable has received a condition: it is true where that holds, and false elsewhere.
    pub fn decide(&mut self, place: ValueId, cond: Cond, span: Span) {
        let outcome = |this: &mut Self, holds: bool| {
            let value = this.literal(Literal::Bool(holds));
            let statement = this.frame.statement;
            let assign = Assign { place, value, span, statement, only_if_empty: false, is_declaration: false };
            Box::new(Flow::Step(Step::Assign(assign)))
        };
        let (then, otherwise) = (outcome(self, true), outcome(self, false));
        self.push(Flow::Branch { cond, then, otherwise, span });
    }

    fn truthy(&mut self, node: Node<'_>) -> Cond {
        Cond::Truthy(self.expression(node))
    }

    /// What a hint to the compiler is about: `likely(x)`.
    fn hint<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        let function = node.field("function")?;
        let name = self.text(function).trim_start_matches('_').to_ascii_lowercase();
        let is_hint = matches!(name.as_str(), "likely" | "unlikely" | "builtin_expect" | "v8_likely" | "v8_unlikely");
        if !is_hint {
            return None;
        }
        children(node.field("arguments")?).into_iter().next()
    }

    fn binary_condition(&mut self, node: Node<'_>) -> Cond {
        let operator = node.field("operator").map_or("", |operator| operator.kind());
        if matches!(operator, "&&" | "||" | "and" | "or") {
            return self.logical(node, matches!(operator, "&&" | "and"));
        }
        if !matches!(operator, "==" | "!=" | "<" | ">" | "<=" | ">=" | "not_eq") {
            return self.truthy(node);
        }
        let left = self.field(node, "left");
        let right = self.field(node, "right");
        let right = self.null_of(left, right);
        match operator {
            "==" => self.equal(left, right),
            "!=" | "not_eq" => negated(self.equal(left, right)),
            "<" => Cond::Less(left, right),
            ">" => Cond::Less(right, left),
            "<=" => Cond::AtMost(left, right),
            _ => Cond::AtMost(right, left),
        }
    }

    fn equal(&self, left: crate::model::ValueId, right: crate::model::ValueId) -> Cond {
        match (self.out.value(left), self.out.value(right)) {
            (_, Value::Literal(Literal::Bool(true))) => Cond::Truthy(left),
            (_, Value::Literal(Literal::Bool(false))) => negated(Cond::Truthy(left)),
            (Value::Literal(Literal::Bool(true)), _) => Cond::Truthy(right),
            (Value::Literal(Literal::Bool(false)), _) => negated(Cond::Truthy(right)),
            // Constants on the right, whichever way round it is written.
            (Value::Literal(_), _) => Cond::Equal(right, left),
            _ => Cond::Equal(left, right),
        }
    }

    /// `a && b && c`: what a later part does happens only where the earlier ones let it.
    fn logical(&mut self, node: Node<'_>, all: bool) -> Cond {
        let mut spine = vec![];
        let mut left = node;
        while let Some(operator) = (left.kind() == "binary_expression").then(|| left.field("operator")).flatten() {
            let same =
                if all { matches!(operator.kind(), "&&" | "and") } else { matches!(operator.kind(), "||" | "or") };
            let (true, Some(next)) = (same, left.field("left")) else { break };
            spine.push(left);
            left = next;
        }
        let mut parts = vec![self.condition(left)];
        for node in spine.into_iter().rev() {
            let Some(right) = node.field("right") else { continue };
            let (flow, cond) = self.apart(|this| this.condition(right));
            if !flow.is_empty() {
                let so_far = group(parts.clone(), all);
                let cond = if all { so_far } else { negated(so_far) };
                let span = self.span(node);
                self.push(Flow::Branch { cond, then: Box::new(flow), otherwise: Box::new(Flow::empty()), span });
            }
            parts.push(cond);
        }
        group(parts, all)
    }
}

fn group(mut parts: Vec<Cond>, all: bool) -> Cond {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    if all { Cond::All(parts) } else { Cond::Any(parts) }
}

/// The opposite of a condition.
pub fn negated(cond: Cond) -> Cond {
    match cond {
        Cond::Not(inner) => *inner,
        cond => Cond::Not(Box::new(cond)),
    }
}
