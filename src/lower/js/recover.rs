//! What the parser gives up on is read statement by statement: the broken one is named and skipped, the rest is kept.

use super::parse::{Collected, Grammar, Parsed, statements_from};

/// Broken statements after which the rest of a file is left unread.
const PATIENCE: usize = 40;

/// Reads the statements of a file that can be read.
pub fn recover(text: &str, grammar: Grammar) -> Parsed {
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
