//! The text that the grammar gets to see, and the way back from it to the file: macros are expanded, what the grammar
//! cannot take is rewritten, and every byte still knows where it came from.

use super::mend::Mended;
use super::token::Kind;
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
    /// The code of functions, each outside all others.
    pub bodies: Vec<Body>,
}

/// A function's code, by offsets in the text.
#[derive(Clone, Debug)]
pub struct Body {
    /// Where its head begins.
    pub head: usize,
    /// Its opening brace.
    pub open: usize,
    /// Past its closing brace.
    pub close: usize,
    /// The class around it.
    pub class: Option<String>,
}

/// What the rewritten `#ifdef`s test.
pub const CONFIG: &str = "CONFIG_";

impl Prepared {
    /// Writes tokens out.
    pub fn new(mended: Mended<'_>) -> Self {
        let mut prepared = Prepared { conditions: mended.conditions, ..Prepared::default() };
        for token in &mended.tokens {
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
        let start =
            |token: usize| prepared.origins.get(token).map_or(prepared.text.len(), |(start, _)| *start as usize);
        let bodies = mended.bodies.into_iter().filter(|body| body.close != usize::MAX).map(|body| Body {
            head: start(body.head),
            open: start(body.open),
            close: start(body.close) + 1,
            class: body.class,
        });
        prepared.bodies = bodies.collect();
        prepared
    }

    /// The text with the insides of some bodies blanked.
    pub fn outline(&self, without: &[&Body]) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for body in without {
            text.push_str(self.text.get(at..body.open + 1).unwrap_or(""));
            at = body.close - 1;
            text.extend(std::iter::repeat_n(' ', at.saturating_sub(body.open + 1)));
        }
        text.push_str(self.text.get(at..).unwrap_or(""));
        text
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
