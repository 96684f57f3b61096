//! What the parser gives up on: the smallest piece around an error that lets it go on is blanked out and named; where
//! that does not help, the file is read statement by statement and the broken ones are left out.

use super::parse::{Attempt, Collected, Grammar, Parsed, attempt, statements_from};
use crate::model::SyntaxError;
use std::ops::Range;

/// Errors after which the rest of a file is left unread.
const PATIENCE: usize = 40;

/// Errors around which pieces are blanked out, and the size of a file that is worth it: each try parses it anew.
const BLANKED: usize = 4;
const WORTH_BLANKING: usize = 256 << 10;

/// Reads what can be read of a file that stopped the parser with an error.
pub fn recover(text: &str, grammar: Grammar, first: SyntaxError) -> Parsed {
    let mut errors = vec![first];
    let mut blanked = text.to_owned();
    while errors.len() <= BLANKED && text.len() < WORTH_BLANKING {
        let at = errors.last().map_or(0, |error| error.offset) as usize;
        let Some((better, read)) = blank(&blanked, at, grammar) else { break };
        blanked = better;
        if let Some(error) = read.fatal() {
            errors.push(error);
            continue;
        }
        let mut parsed = read.into_parsed();
        parsed.errors.splice(0..0, errors);
        parsed.partial = true;
        return parsed;
    }
    errors.pop();
    let mut parsed = by_statement(&blanked, grammar);
    parsed.errors.splice(0..0, errors);
    parsed
}

/// Blanks out the piece around an error with which the parser comes furthest; the smallest of those.
fn blank(text: &str, error: usize, grammar: Grammar) -> Option<(String, Attempt)> {
    let mut best: Option<(usize, String, Attempt)> = None;
    for piece in pieces(text, error) {
        let mut bytes = text.as_bytes().to_vec();
        for byte in bytes.get_mut(piece)? {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        let blanked = String::from_utf8(bytes).ok()?;
        let read = attempt(&blanked, grammar);
        let reached = read.fatal().map_or(usize::MAX, |next| next.offset as usize);
        if reached > best.as_ref().map_or(error, |(reached, ..)| *reached) {
            best = Some((reached, blanked, read));
        }
        if reached == usize::MAX {
            break;
        }
    }
    best.map(|(_, blanked, read)| (blanked, read))
}

/// What may be wrong around an error, smallest first: an ellipsis, its line, the one before, the blocks around it.
fn pieces(text: &str, error: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let error = error.min(bytes.len());
    let mut pieces = Vec::new();
    let before = bytes[..error].trim_ascii_end();
    if before.ends_with(b"...") {
        pieces.push(before.len() - 3..before.len());
    }
    let line_start = |at: usize| bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let start = line_start(error);
    let end = bytes[error..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| error + at);
    pieces.push(start..end);
    if start > 0 {
        pieces.push(line_start(start - 1)..start - 1);
        pieces.push(line_start(start - 1)..end);
    }
    let mut open = Vec::new();
    let mut around = Vec::new();
    each_bracket(bytes, 0, |at, is_open| {
        if is_open {
            open.push(at);
        } else if let Some(from) = open.pop()
            && from < error
            && at >= error
            && bytes[from] == b'{'
        {
            around.push(from + 1..at);
        }
        true
    });
    pieces.extend(around.into_iter().take(3));
    pieces
}

/// Calls `visit` with every bracket outside strings, templates and comments, and whether it opens, until it says stop.
fn each_bracket(bytes: &[u8], from: usize, mut visit: impl FnMut(usize, bool) -> bool) {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' if !visit(at, true) => return,
            b')' | b']' | b'}' if !visit(at, false) => return,
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at, quote),
            b'`' => at = end_of_template(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = end_of_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = end_of_block_comment(bytes, at),
            _ => {}
        }
        at += 1;
    }
}

/// Reads the statements of a file that can be read.
fn by_statement(text: &str, grammar: Grammar) -> Parsed {
    let comments = Collected::default();
    let mut parsed = Parsed { items: Vec::new(), comments: Vec::new(), errors: Vec::new(), partial: true };
    let mut from = 0;
    for _ in 0..PATIENCE {
        let (items, errors, failed) = statements_from(text, from, grammar, &comments);
        parsed.items.extend(items);
        parsed.errors.extend(errors);
        let Some((start, error)) = failed else { break };
        let next = resume_at(text, start.max(from), error.offset as usize);
        parsed.errors.push(error);
        if next <= from || next >= text.len() {
            break;
        }
        from = next;
    }
    parsed.comments = comments.into_spans();
    parsed
}

/// Where to go on after a broken statement: the first line past the error that starts at the statement's own level.
fn resume_at(text: &str, start: usize, error: usize) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0i32;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at, quote),
            b'`' => at = end_of_template(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = end_of_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = end_of_block_comment(bytes, at),
            b'\n' if at >= error && (depth <= 0 || starts_statement(&bytes[at + 1..])) => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// An unindented line that begins with a keyword or name begins a statement, whatever the brackets before it say.
fn starts_statement(line: &[u8]) -> bool {
    const WORDS: &[&[u8]] =
        &[b"function ", b"async function ", b"class ", b"const ", b"let ", b"var ", b"import ", b"export ", b"module."];
    WORDS.iter().any(|word| line.starts_with(word))
}

/// The last byte of a string that starts at `at`, or of its line where it is not closed.
pub fn end_of_string(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 1,
            b'\n' => return end - 1,
            byte if byte == quote => return end,
            _ => {}
        }
        end += 1;
    }
    bytes.len()
}

fn end_of_template(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'`' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    end
}

/// The last byte of the line that `at` is on, its line break excluded.
pub fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length - 1)
}

/// The last byte of the block comment that starts at `at`.
pub fn end_of_block_comment(bytes: &[u8], at: usize) -> usize {
    bytes[at + 2..].windows(2).position(|pair| pair == b"*/").map_or(bytes.len(), |length| at + 2 + length + 1)
}
