//! leaklint reads a Node.js project and says where memory and resources leak, why, and how to mend it.
//!
//! ```text
//! walk ──► lower ──► link ──► judge ──► report
//! files    one file   all      rules     human, json, github ...
//! ```
//!
//! Every file is *lowered* on its own, in parallel, into a [`model::Summary`], and its syntax tree is dropped; the
//! summaries are *linked* into one [`project::Project`]; rules are short queries over the project.
//!
//! Where things are: a new syntax goes into `lower/js` or `lower/cpp` (the only users of swc and tree-sitter); a new API
//! into a row of `rules/catalog/*.toml`; a new rule is a page `rules/<rule>.md`, a query `src/rules/<rule>.rs` and a line
//! in `rules.rs`. Dependencies point one way: `text ← finding ← model`, then `model ← catalog`, `model ← lower` and
//! `model ← project ← rules`; `report` sees only `text` and `finding`; this file wires. `tests/tidy.rs` keeps it so.

pub mod baseline;
pub mod cache;
pub mod catalog;
pub mod check;
pub mod config;
pub mod disk;
pub mod finding;
pub mod fingerprint;
pub mod fix;
pub mod lower;
pub mod model;
pub mod nearest;
pub mod project;
pub mod report;
pub mod rules;
pub mod scope;
pub mod suppress;
pub mod text;
pub mod walk;
