//! How deep a file nests, measured before it is parsed: recursion over its tree must fit the stack.
//! Counts bytes, knows no grammar; errs on the deep side, where the price is only a thread of its own.

/// Bracket levels from which on a file is refused.
pub const REFUSED: u32 = 10_000;

/// Links of one chain (`a.b.c`, `a + b + c`, `!!!a`) from which on a file is refused.
const REFUSED_CHAIN: u32 = 400_000;

/// What is deeper than this gets a stack of its own.
const ORDINARY: u32 = 40;

/// Links of one chain that the ordinary stack stands.
const ORDINARY_CHAIN: u32 = 600;

/// Stack for one bracket level or chain link: unoptimised builds need several times as much.
const PER_LEVEL: usize = if cfg!(debug_assertions) { 96 << 10 } else { 24 << 10 };
const PER_LINK: usize = if cfg!(debug_assertions) { 16 << 10 } else { 4 << 10 };

/// What a file's nesting asks for.
pub struct Nesting {
    /// The stack that it needs, where that is more than usual.
    pub stack: Option<usize>,
    /// Where it becomes too deep to be read at all.
    pub refused_at: Option<u32>,
}

/// Measures a file.
pub fn measure(text: &str) -> Nesting {
    let mut deepest = 0u32;
    let mut longest = 0u32;
    let mut refused_at = None;
    // Tokens since the last separator, for each open bracket.
    let mut open: Vec<u32> = Vec::with_capacity(64);
    let mut links = 0u32;
    let mut in_word = false;
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        let is_word = byte.is_ascii_alphanumeric() || byte >= 0x80 || byte == b'_' || byte == b'$';
        match byte {
            b'(' | b'[' | b'{' => {
                open.push(links + 1);
                links = 0;
                deepest = deepest.max(open.len() as u32);
                if open.len() as u32 > REFUSED && refused_at.is_none() {
                    refused_at = Some(at as u32);
                }
            }
            b')' | b']' | b'}' => links = open.pop().unwrap_or(links),
            b';' | b',' => links = 0,
            _ if byte.is_ascii_whitespace() => {}
            _ if is_word && in_word => {}
            _ => {
                links += 1;
                longest = longest.max(links);
            }
        }
        in_word = is_word;
    }
    if longest > REFUSED_CHAIN && refused_at.is_none() && text.len() < 64 << 20 {
        // Long prose in a comment looks like a chain too, so length alone refuses nothing.
        longest = REFUSED_CHAIN;
    }
    let stack = (deepest > ORDINARY || longest > ORDINARY_CHAIN)
        .then(|| (32 << 20) + deepest as usize * PER_LEVEL + longest as usize * PER_LINK);
    Nesting { stack, refused_at: refused_at.filter(|_| is_really_deep(text)) }
}

/// Whether the brackets that are code, not text, nest too deeply.
fn is_really_deep(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut depth = 0u32;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > REFUSED {
                    return true;
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            quote @ (b'"' | b'\'') => at = super::recover::end_of_string(bytes, at, quote),
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = super::recover::end_of_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = super::recover::end_of_block_comment(bytes, at),
            _ => {}
        }
        at += 1;
    }
    false
}
