//! The joined summaries and the questions that rules ask of them. Knows no parser and no rule.

use crate::model::{Contracts, Summary};
use crate::text::Sources;

/// A whole project, linked.
pub struct Project<'a> {
    /// The files; `FileId` indexes them and `summaries` alike.
    pub sources: &'a Sources,
    /// What is known of code outside the project.
    pub contracts: &'a Contracts,
    /// One summary a file.
    pub summaries: Vec<Summary>,
}

impl<'a> Project<'a> {
    /// Links summaries, one a file of `sources`, in the same order.
    pub fn link(sources: &'a Sources, contracts: &'a Contracts, summaries: Vec<Summary>) -> Self {
        Project { sources, contracts, summaries }
    }
}
