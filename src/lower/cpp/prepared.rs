//! The text that the grammar gets to see, and the way back from it to the file: macros are expanded, what the grammar
//! cannot take is rewritten, and every byte still knows where it came from.

use super::token::{Kind, Token};
use crate::model::Cond;
use crate::text::Span;

/// Rewritten text with the way back.
#[derive(Debug, Default)]
pub struct Prepared {
    /// What is parsed.
    pub text: String,
    /// Start of each token in `text`, in order, and where it came from.
    origins: Vec<(u32, Span)>,
    /// The conditions that `#ifdef CONFIG_n` stands for.
    pub conditions: Vec<Cond>,
}

/// What the rewritten `#ifdef`s test.
pub const CONFIG: &str = "CONFIG_";

impl Prepared {
    /// Writes tokens out.
    pub fn new(tokens: &[Token<'_>], conditions: Vec<Cond>) -> Self {
        let mut prepared = Prepared { conditions, ..Prepared::default() };
        for token in tokens {
            if token.kind == Kind::Directive {
                prepared.text.push('\n');
            } else if !token.glued {
                prepared.text.push(if token.first { '\n' } else { ' ' });
            }
            prepared.origins.push((prepared.text.len() as u32, token.span));
            prepared.text.push_str(&token.text);
            if token.kind == Kind::Directive {
                prepared.text.push('\n');
            }
        }
        prepared.text.push('\n');
        prepared
    }

    /// The range of the file that a range of the text came from.
    pub fn origin(&self, start: usize, end: usize) -> Span {
        let first = self.token_at(start);
        let last = self.token_at(end.saturating_sub(1).max(start));
        match (first, last) {
            (Some(first), Some(last)) => Span::new(first.start, last.end),
            _ => Span::default(),
        }
    }

    fn token_at(&self, at: usize) -> Option<Span> {
        let after = self.origins.partition_point(|(start, _)| *start as usize <= at);
        self.origins.get(after.saturating_sub(1)).map(|(_, span)| *span)
    }
}
