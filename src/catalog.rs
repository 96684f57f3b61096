//! The built-in rows of `rules/catalog/*.toml`, and rows that users add. Turns TOML into [`Contracts`]; judges nothing.

use crate::model::Contracts;

/// The built-in rows.
pub fn builtin() -> Contracts {
    Contracts::default()
}
