//! Conditions: what they say about handles, and the code that evaluating them runs.

use super::expr::transparent;
use super::state::Lowering;
use crate::model::{Cond, Flow};
use swc_common::Spanned;
use swc_ecma_ast::{BinaryOp, Expr, UnaryOp};

/// Parts of `a && b && …` that are kept apart; more say nothing that helps.
const MOST_PARTS: usize = 24;

impl Lowering<'_> {
    /// Lowers a condition: its calls go into the current code.
    pub fn cond(&mut self, test: &Expr) -> Cond {
        match transparent(test) {
            Expr::Unary(not) if not.op == UnaryOp::Bang => match self.cond(&not.arg) {
                Cond::Not(inner) => *inner,
                other => Cond::Not(Box::new(other)),
            },
            Expr::Bin(bin) => match bin.op {
                BinaryOp::LogicalAnd | BinaryOp::LogicalOr => self.logical_cond(test, bin.op),
                BinaryOp::EqEq | BinaryOp::EqEqEq => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::Equal(left, right)
                }
                BinaryOp::NotEq | BinaryOp::NotEqEq => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::Not(Box::new(Cond::Equal(left, right)))
                }
                BinaryOp::Lt => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::Less(left, right)
                }
                BinaryOp::Gt => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::Less(right, left)
                }
                BinaryOp::LtEq => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::AtMost(left, right)
                }
                BinaryOp::GtEq => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::AtMost(right, left)
                }
                BinaryOp::InstanceOf | BinaryOp::In => {
                    let (left, right) = (self.expr(&bin.left), self.expr(&bin.right));
                    Cond::Opaque(Box::new([left, right]))
                }
                _ => Cond::Truthy(self.expr(test)),
            },
            Expr::Seq(sequence) => match sequence.exprs.split_last() {
                Some((last, before)) => {
                    for effect in before {
                        self.effect(effect);
                    }
                    self.cond(last)
                }
                None => Cond::Opaque(Box::default()),
            },
            other => Cond::Truthy(self.expr(other)),
        }
    }

    fn logical_cond(&mut self, test: &Expr, op: BinaryOp) -> Cond {
        let mut parts: Vec<Cond> = Vec::new();
        for operand in operands(test, op) {
            if parts.is_empty() {
                parts.push(self.cond(operand));
                continue;
            }
            let mut part = None;
            let code = self.nested(|lowering| part = Some(lowering.cond(operand)));
            if !code.is_empty() {
                let span = self.span(operand.span());
                let so_far = joined(parts.clone(), op);
                let (code, nothing) = (Box::new(code), Box::new(Flow::empty()));
                let (then, otherwise) = if op == BinaryOp::LogicalAnd { (code, nothing) } else { (nothing, code) };
                self.push(Flow::Branch { cond: so_far, then, otherwise, span });
            }
            if parts.len() < MOST_PARTS {
                parts.extend(part);
            }
        }
        joined(parts, op)
    }
}

fn joined(mut parts: Vec<Cond>, op: BinaryOp) -> Cond {
    if parts.len() == 1
        && let Some(one) = parts.pop()
    {
        return one;
    }
    if op == BinaryOp::LogicalAnd { Cond::All(parts) } else { Cond::Any(parts) }
}

/// The operands of a chain of one operator, left to right.
pub fn operands(chain: &Expr, op: BinaryOp) -> Vec<&Expr> {
    let mut found = Vec::new();
    let mut left = transparent(chain);
    while let Expr::Bin(bin) = left
        && bin.op == op
    {
        found.push(&*bin.right);
        left = transparent(&bin.left);
    }
    found.push(left);
    found.reverse();
    found
}
