//! leaklint
use tree_sitter as _;
fn main() {}
