//! Parts of syntax nodes by their names in the grammar, which are looked up once and not by every node.

use rustc_hash::FxHashMap;
use std::sync::LazyLock;
use tree_sitter::{Language, Node};

static GRAMMAR: LazyLock<Language> = LazyLock::new(|| tree_sitter_cpp::LANGUAGE.into());

/// The number of each name.
static NUMBERS: LazyLock<FxHashMap<&'static str, u16>> = LazyLock::new(|| {
    let mut numbers = FxHashMap::default();
    for number in 1..=GRAMMAR.field_count() as u16 {
        numbers.extend(GRAMMAR.field_name_for_id(number).map(|name| (name, number)));
    }
    numbers
});

/// What has named parts.
pub trait Fields<'t> {
    /// The part of a name.
    fn field(&self, name: &str) -> Option<Node<'t>>;
}

impl<'t> Fields<'t> for Node<'t> {
    fn field(&self, name: &str) -> Option<Node<'t>> {
        self.child_by_field_id(*NUMBERS.get(name)?)
    }
}
