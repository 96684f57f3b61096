//! What to do where the grammar gives up: functions whose code does not parse are parsed each on its own, and those whose
//! head does not parse are found by their braces.

use super::fields::Fields;
use super::item::{Pending, Place, body_of};
use super::lowering::{Lowering, children};
use super::prepared::{Body, Prepared};
use crate::model::{FunctionKind, Name, ScopeId};
use rustc_hash::FxHashSet;
use std::ops::ControlFlow;
use tree_sitter::{Node, ParseOptions, ParseState, Parser, Point, Tree};

/// What the parser may do for one file. The measure is work, not time, so that the same text always ends the same way.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Budget {
    /// For a text of this length: several times what clean code takes.
    pub fn of(length: usize) -> Self {
        Budget { left: 2_000 + length / 4 }
    }
}

/// Longest head of a function that is parsed on its own.
const LONGEST_HEAD: usize = 2_000;

/// Parses a text; none where that takes more than the budget.
pub fn parse(parser: &mut Parser, text: &str, budget: &mut Budget) -> Option<Tree> {
    // Every report stands for a fixed amount of work.
    let mut watch = |_: &ParseState| {
        budget.left = budget.left.saturating_sub(1);
        if budget.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut watch);
    let bytes = text.as_bytes();
    let mut read = |at: usize, _: Point| &bytes[at.min(bytes.len())..];
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    if tree.is_none() {
        parser.reset();
    }
    tree
}

/// The bodies that hold an error or lie in one.
pub fn broken<'p>(prepared: &'p Prepared, tree: &Tree) -> Vec<&'p Body> {
    let mut errors = Vec::new();
    let mut next = vec![tree.root_node()];
    while let Some(node) = next.pop() {
        if !node.has_error() && !node.is_missing() {
            continue;
        }
        if node.is_error() || node.is_missing() {
            errors.push(node.byte_range());
            continue;
        }
        let mut cursor = node.walk();
        next.extend(node.children(&mut cursor));
    }
    errors.sort_by_key(|error| error.start);
    let mut found = Vec::new();
    for body in &prepared.bodies {
        let overlaps =
            errors.iter().any(|error| error.start < body.close && error.end.max(error.start + 1) > body.open);
        if overlaps {
            found.push(body);
        }
    }
    found
}

/// The bodies that no function of the tree has.
pub fn lost<'p>(prepared: &'p Prepared, found: &[Pending<'_>], has_error: bool) -> Vec<&'p Body> {
    if !has_error {
        return Vec::new();
    }
    let mut known = FxHashSet::default();
    for code in found {
        match code {
            Pending::Function(_, node) => {
                known.extend(body_of(*node).map(|body| first_brace(body)));
            }
            // A statement at file level: its code is walked with the file's own.
            Pending::Module(node) => {
                known.extend(prepared.bodies.iter().map(|body| body.open).filter(|at| node.byte_range().contains(at)));
            }
        }
    }
    prepared.bodies.iter().filter(|body| !known.contains(&body.open)).collect()
}

/// Where a body's first brace stands; a `try` that is the whole body begins before it.
fn first_brace(body: Node<'_>) -> usize {
    body.field("body").map_or(body.start_byte(), |block| block.start_byte())
}

impl Lowering<'_> {
    /// Walks code that did not parse with the rest.
    pub fn separate_body(&mut self, open: usize, close: usize) {
        self.out.partial = true;
        let Some(text) = self.prepared.text.get(open..close) else { return };
        let Some(tree) = parse(&mut self.parser, text, &mut self.budget) else { return };
        let root = tree.root_node_with_offset(open, Point::default());
        match children(root).as_slice() {
            [block] if block.kind() == "compound_statement" => self.statements(&children(*block)),
            several => self.statements(several),
        }
    }

    /// A function whose head the grammar could not read: its head is parsed alone, and failing that, its name is the word
    /// before the first parenthesis.
    pub fn lost_function(&mut self, body: &Body) {
        self.out.partial = true;
        self.separate.insert(body.open, body.close);
        let place = Place {
            path: Vec::new(),
            class: body.class.as_deref().and_then(|name| self.classes.get(&Name::from(name)).copied()),
        };
        let Some(head) = self.prepared.text.get(body.head..body.open) else { return };
        let blank = format!("{head}{{}}");
        if head.len() <= LONGEST_HEAD
            && let Some(tree) = parse(&mut self.parser, &blank, &mut self.budget)
        {
            let root = tree.root_node_with_offset(body.head, Point::default());
            if !root.has_error() {
                let mut pending = Vec::new();
                self.items(&children(root), &place, &mut pending);
                let is_function = pending.iter().any(|code| matches!(code, Pending::Function(..)));
                self.run(&pending);
                if is_function {
                    return;
                }
            }
        }
        let before = head.split('(').next().unwrap_or("").trim_end();
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '~';
        let name = before.rsplit(|c: char| !is_name(c)).next().unwrap_or("");
        let (qualifier, name) = match name.rsplit_once("::") {
            Some((qualifier, name)) => (Some(Name::from(qualifier)), name),
            None => (None, name),
        };
        let span = self.prepared.origin(body.head, body.close);
        let kind =
            if qualifier.is_some() || place.class.is_some() { FunctionKind::Method } else { FunctionKind::Plain };
        let function = self.new_function(Name::from(name), kind, span, ScopeId(0));
        let class = place.class.or_else(|| qualifier.and_then(|name| self.classes.get(&name).copied()));
        let body_span = self.prepared.origin(body.open, body.close);
        let entry = &mut self.out.functions[function.index()];
        entry.has_body = true;
        entry.class_name = qualifier;
        entry.class = class;
        entry.body = body_span;
        self.in_function(function, function, |this| this.separate_body(body.open, body.close));
    }
}
