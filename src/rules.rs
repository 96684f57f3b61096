//! The rules: one sorted list, one short query each. A rule asks the project; it sees no parser and names no API.

use crate::finding::{Finding, RuleInfo};
use crate::project::Project;

/// A rule: its page and its query.
pub struct Rule {
    /// Flat kebab-case name of the leak.
    pub name: &'static str,
    /// The page `rules/<name>.md`, embedded.
    pub page: &'static str,
    /// The query.
    pub check: fn(&Project<'_>, &mut Vec<Finding>),
}

/// Every rule, sorted by name.
pub const RULES: &[Rule] = &[];

impl Rule {
    /// What the front matter of the page says.
    pub fn info(&self) -> RuleInfo {
        todo!()
    }
}
