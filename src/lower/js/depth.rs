//! How deep a file nests, measured before it is parsed: recursion over its tree must fit the stack.
//! Counts bytes, knows no grammar; errs on the deep side, where the price is only a thread of its own.

use super::recover::{end_of_block_comment, end_of_line, end_of_string};
use crate::model::Language;
use std::cell::Cell;

/// Bracket levels from which on a file is refused.
const REFUSED: u32 = 10_000;

/// Links of one chain (`a.b.c`, `a + b + c`, `!!!a`) from which on a file is refused.
const REFUSED_CHAIN: u32 = 300_000;

/// Open `<` from which on a TypeScript file is refused: the parser tries each as a type argument list, over and over.
const REFUSED_ANGLES: u32 = 400;

/// `<A><B>c` in one TypeScript statement from which on a file is refused, for the same reason.
const REFUSED_CASTS: u32 = 3_000;

/// What is deeper than this gets a stack of its own.
const ORDINARY: u32 = 40;

/// Links of one chain that the ordinary stack stands.
const ORDINARY_CHAIN: u32 = 200;

/// Stack for one bracket level or chain link: unoptimised builds need several times as much.
const PER_LEVEL: usize = if cfg!(debug_assertions) { 96 << 10 } else { 24 << 10 };
const PER_LINK: usize = if cfg!(debug_assertions) { 24 << 10 } else { 6 << 10 };

thread_local! {
    static ROOM: Cell<usize> = const { Cell::new(0) };
}

/// Says how much stack the current thread was given, so that deep files need no thread of their own on it: making one for
/// each costs more than lowering it.
pub fn has_room(stack: usize) {
    ROOM.set(stack);
}

/// What a file's nesting asks for.
pub struct Nesting {
    /// The stack that it needs, where that is more than there is.
    pub stack: Option<usize>,
    /// Where it becomes too deep to be read at all.
    pub refused_at: Option<u32>,
}

/// Measures a file.
pub fn measure(path: &str, text: &str, language: Language) -> Nesting {
    let has_types = language == Language::Ts;
    // Where there is JSX, there are no casts by `<A>`.
    let has_casts = has_types && !path.ends_with('x');
    let mut counts = scan(text, has_types, has_casts, false);
    if counts.refused_at.is_some() {
        // Brackets in strings and comments count for nothing.
        counts = scan(text, has_types, has_casts, true);
    }
    let stack = (counts.deepest > ORDINARY || counts.longest > ORDINARY_CHAIN).then(|| {
        (16 << 20)
            + counts.deepest.min(REFUSED) as usize * PER_LEVEL
            + counts.longest.min(REFUSED_CHAIN) as usize * PER_LINK
    });
    Nesting { stack: stack.filter(|stack| *stack > ROOM.get()), refused_at: counts.refused_at }
}

#[derive(Default)]
struct Counts {
    deepest: u32,
    longest: u32,
    refused_at: Option<u32>,
}

fn scan(text: &str, has_types: bool, has_casts: bool, only_code: bool) -> Counts {
    let bytes = text.as_bytes();
    let mut counts = Counts::default();
    // Tokens since the last separator, for each open bracket.
    let mut open: Vec<(u32, u32)> = Vec::with_capacity(64);
    let mut links = 0u32;
    let mut angles = 0u32;
    let mut casts = 0u32;
    // Likewise, but a line that can only be a new statement separates too: code without semicolons is not refused.
    let mut chained = 0u32;
    let mut in_word = false;
    let mut word = 0..0;
    let mut is_new_line = false;
    let mut last = b';';
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let kind = KINDS[byte as usize];
        if kind == Kind::Word {
            if !in_word {
                if is_new_line && ends_operand(last) && !PREFIXES.contains(&&bytes[word.clone()]) {
                    chained = 0;
                }
                word.start = at;
                links += 1;
                chained += 1;
                in_word = true;
                is_new_line = false;
                if chained > REFUSED_CHAIN {
                    counts.refused_at = counts.refused_at.or(Some(at as u32));
                }
            }
            at += 1;
            word.end = at;
            last = byte;
            continue;
        }
        in_word = false;
        match kind {
            Kind::Open => {
                open.push((links + 1, chained + 1));
                counts.longest = counts.longest.max(links);
                (links, chained) = (0, 0);
                counts.deepest = counts.deepest.max(open.len() as u32);
            }
            Kind::Close => {
                counts.longest = counts.longest.max(links);
                (links, chained) = open.pop().unwrap_or((links, chained));
            }
            Kind::Separator => {
                counts.longest = counts.longest.max(links);
                (links, chained) = (0, 0);
                if byte == b';' {
                    (angles, casts) = (0, 0);
                }
            }
            Kind::Space => {
                is_new_line |= byte == b'\n';
                at += 1;
                continue;
            }
            Kind::Quote if only_code => at = end_of_string(bytes, at, byte),
            Kind::Slash if only_code && bytes.get(at + 1) == Some(&b'/') => at = end_of_line(bytes, at),
            Kind::Slash if only_code && bytes.get(at + 1) == Some(&b'*') => at = end_of_block_comment(bytes, at),
            _ => {
                links += 1;
                chained += 1;
                match byte {
                    b'<' if has_types => {
                        angles += 1;
                        casts += u32::from(has_casts && last == b'>');
                    }
                    b'>' if has_types => angles = angles.saturating_sub(1),
                    _ => {}
                }
            }
        }
        let is_too_much =
            open.len() as u32 > REFUSED || chained > REFUSED_CHAIN || angles > REFUSED_ANGLES || casts > REFUSED_CASTS;
        if is_too_much && counts.refused_at.is_none() {
            counts.refused_at = Some(at as u32);
        }
        is_new_line = false;
        last = byte;
        at += 1;
    }
    counts.longest = counts.longest.max(links);
    counts
}

/// What a byte is to the measuring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Space,
    Open,
    Close,
    Separator,
    Quote,
    Slash,
    Other,
}

/// The kind of every byte.
static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80.. => Kind::Word,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Kind::Space,
            b'(' | b'[' | b'{' => Kind::Open,
            b')' | b']' | b'}' => Kind::Close,
            b',' | b';' => Kind::Separator,
            b'"' | b'\'' => Kind::Quote,
            b'/' => Kind::Slash,
            _ => Kind::Other,
        };
        byte += 1;
    }
    kinds
};

/// Whether an expression can end with this byte.
fn ends_operand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(byte, b'_' | b'$' | b')' | b']' | b'}' | b'"' | b'\'' | b'`')
}

/// Words that go on in the next line.
const PREFIXES: &[&[u8]] = &[
    b"async",
    b"await",
    b"case",
    b"delete",
    b"do",
    b"else",
    b"in",
    b"instanceof",
    b"new",
    b"of",
    b"throw",
    b"typeof",
    b"void",
    b"yield",
];
