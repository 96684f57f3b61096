//! C, C++ and Objective-C text to tokens: as far as the preprocessor's work and the mending of text for the grammar need it.
//! Never fails: what is no token of any kind is punctuation.

use crate::text::Span;
use std::borrow::Cow;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// A number.
    Number,
    /// A string, prefix and raw strings included.
    Text,
    /// A character literal.
    Char,
    /// An operator or bracket.
    Punct,
    /// A whole preprocessor line, comments and line continuations taken out.
    Directive,
}

/// A token and where it was written.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: Cow<'a, str>,
    /// Where it comes from; for the fruit of a macro, the macro's call.
    pub span: Span,
    /// Nothing stands between it and the token before it.
    pub glued: bool,
    /// It is the first of its line.
    pub first: bool,
    /// It is the first of its line, without indentation.
    pub outdented: bool,
}

impl<'a> Token<'a> {
    /// A token that stands in no file, put in at a place.
    pub fn made(kind: Kind, text: impl Into<Cow<'a, str>>, span: Span) -> Self {
        Token { kind, text: text.into(), span, glued: false, first: false, outdented: false }
    }

    /// Whether it is this punctuation.
    pub fn is(&self, punct: &str) -> bool {
        self.kind == Kind::Punct && self.text == punct
    }

    /// Whether it is this identifier or keyword.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// `(`, `[`, `{` count 1, their closing ones -1.
    pub fn nesting(&self) -> i32 {
        if self.kind != Kind::Punct {
            return 0;
        }
        match &*self.text {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        }
    }

    /// The name and the rest of a directive: `("define", "X 1")`.
    pub fn directive(&self) -> Option<(&str, &str)> {
        if self.kind != Kind::Directive {
            return None;
        }
        let text = self.text.trim_start().strip_prefix('#')?.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        Some((&text[..end], text[end..].trim()))
    }
}

/// The tokens of a text, and its comments.
pub fn lex(text: &str) -> (Vec<Token<'_>>, Vec<Span>) {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0, tokens: Vec::new(), comments: Vec::new() };
    lexer.run();
    (lexer.tokens, lexer.comments)
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tokens: Vec<Token<'a>>,
    comments: Vec<Span>,
}

/// Operators of three and two characters; longest first.
const OPERATORS: [&str; 24] = [
    "<<=", "...", "->*", "->", "::", "++", "--", "<<", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "##", ".*",
];

impl<'a> Lexer<'a> {
    fn run(&mut self) {
        let mut first = true;
        let mut glued = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            let start = self.at;
            let kind = match byte {
                b'\n' => {
                    self.at += 1;
                    (first, glued) = (true, false);
                    continue;
                }
                b'\\' if matches!(self.peek(1), Some(b'\n' | b'\r')) => {
                    self.at += if self.peek(1) == Some(b'\r') && self.peek(2) == Some(b'\n') { 3 } else { 2 };
                    glued = false;
                    continue;
                }
                byte if byte.is_ascii_whitespace() || byte == 0 => {
                    self.at += 1;
                    glued = false;
                    continue;
                }
                b'/' if matches!(self.peek(1), Some(b'/' | b'*')) => {
                    self.comment();
                    self.comments.push(Span::new(start as u32, self.at as u32));
                    glued = false;
                    continue;
                }
                b'#' if first => {
                    let text = self.directive();
                    self.push(Kind::Directive, text, start, false, true);
                    (first, glued) = (true, false);
                    continue;
                }
                b'"' => self.quoted(b'"', Kind::Text),
                b'\'' => self.quoted(b'\'', Kind::Char),
                b'0'..=b'9' => self.number(),
                b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number(),
                byte if is_word(byte) => self.word(),
                _ => self.operator(),
            };
            let text = Cow::Borrowed(&self.text[start..self.at]);
            self.push(kind, text, start, glued, first);
            (first, glued) = (false, true);
        }
    }

    fn push(&mut self, kind: Kind, text: Cow<'a, str>, start: usize, glued: bool, first: bool) {
        let outdented = first && (start == 0 || self.bytes[start - 1] == b'\n');
        self.tokens.push(Token { kind, text, span: Span::new(start as u32, self.at as u32), glued, first, outdented });
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Skips a comment of either kind; a `//` comment goes on after a backslash at its line's end.
    fn comment(&mut self) {
        if self.peek(1) == Some(b'*') {
            let end = self.text[self.at + 2..].find("*/").map_or(self.bytes.len(), |end| self.at + 2 + end + 2);
            self.at = end;
            return;
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'\n' {
                let before = self.text[..self.at].trim_end_matches('\r');
                if !before.ends_with('\\') {
                    break;
                }
            }
            self.at += 1;
        }
    }

    /// The directive's text, without comments and line continuations.
    fn directive(&mut self) -> Cow<'a, str> {
        let start = self.at;
        let mut clean: Option<String> = None;
        let mut from = start;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => break,
                b'\\' if matches!(self.peek(1), Some(b'\n' | b'\r')) => {
                    let text = clean.get_or_insert_default();
                    text.push_str(&self.text[from..self.at]);
                    text.push(' ');
                    self.at += if self.peek(1) == Some(b'\r') && self.peek(2) == Some(b'\n') { 3 } else { 2 };
                    from = self.at;
                }
                b'/' if matches!(self.peek(1), Some(b'/' | b'*')) => {
                    let text = clean.get_or_insert_default();
                    text.push_str(&self.text[from..self.at]);
                    text.push(' ');
                    let comment = self.at;
                    self.comment();
                    self.comments.push(Span::new(comment as u32, self.at as u32));
                    from = self.at;
                }
                b'"' => {
                    self.quoted(b'"', Kind::Text);
                }
                _ => self.at += 1,
            }
        }
        match clean {
            None => Cow::Borrowed(&self.text[start..self.at]),
            Some(mut text) => {
                text.push_str(&self.text[from..self.at]);
                Cow::Owned(text)
            }
        }
    }

    /// A literal in quotes; one that does not end on its line ends with it.
    fn quoted(&mut self, quote: u8, kind: Kind) -> Kind {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => break,
                b'\\' if self.peek(1).is_some() => {
                    self.at += 2;
                    // Never stop inside a character of several bytes.
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                }
                byte if byte == quote => {
                    self.at += 1;
                    break;
                }
                _ => self.at += 1,
            }
        }
        kind
    }

    fn number(&mut self) -> Kind {
        while let Some(&byte) = self.bytes.get(self.at) {
            let sign = matches!(byte, b'+' | b'-') && {
                let digits = self.text[..self.at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '.').next();
                let digits = digits.unwrap_or("");
                let hex = digits.starts_with("0x") || digits.starts_with("0X");
                if hex { digits.ends_with(['p', 'P']) } else { digits.ends_with(['e', 'E']) }
            };
            let separator = byte == b'\'' && self.peek(1).is_some_and(|next| next.is_ascii_alphanumeric());
            if byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || sign || separator {
                self.at += 1;
            } else {
                break;
            }
        }
        Kind::Number
    }

    /// An identifier, or a literal with a prefix.
    fn word(&mut self) -> Kind {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(|&byte| is_word(byte) || byte.is_ascii_digit()) {
            self.at += 1;
        }
        match (&self.text[start..self.at], self.peek(0)) {
            ("R" | "LR" | "uR" | "UR" | "u8R", Some(b'"')) => self.raw_string(),
            ("L" | "u" | "U" | "u8", Some(b'"')) => self.quoted(b'"', Kind::Text),
            ("L" | "u" | "U" | "u8", Some(b'\'')) => self.quoted(b'\'', Kind::Char),
            _ => Kind::Word,
        }
    }

    fn raw_string(&mut self) -> Kind {
        let body = self.at + 1;
        let Some(open) = self.text[body..].find('(').filter(|&open| open <= 16) else {
            return self.quoted(b'"', Kind::Text);
        };
        let end = format!("){}\"", &self.text[body..body + open]);
        self.at = self.text[body + open..].find(&end).map_or(self.bytes.len(), |at| body + open + at + end.len());
        Kind::Text
    }

    fn operator(&mut self) -> Kind {
        let rest = &self.bytes[self.at..];
        let length = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(operator.as_bytes()))
            .map_or_else(|| self.text[self.at..].chars().next().map_or(1, char::len_utf8), |operator| operator.len());
        self.at += length;
        Kind::Punct
    }
}

/// A byte that identifiers begin with; letters beyond ASCII count.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}
