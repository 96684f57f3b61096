//! Mends a token list for the grammar: both sides of every `#if` stay, in a form that parses; macros that stand where the
//! grammar expects something else (definitions, statements without semicolon, attributes) are rewritten.
//!
//! Knows the structure of C++ only as far as brackets and the heads before them tell.

use super::conditional::{Condition, Group};
use super::token::{Kind, Token};
use crate::model::{Cond, Language, Name};
use crate::text::Span;
use std::borrow::Cow;

/// What an open bracket holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// A namespace or `extern "C"`.
    Items,
    /// A class body and the class's name.
    Class(String),
    /// An enumeration or a braced initial value.
    List,
    /// Statements.
    Code,
    /// `(`; whether a call's.
    Paren(bool),
    /// `(` of a `for`, which holds semicolons.
    ForHead,
    /// `[`.
    Bracket,
}

impl Open {
    /// A parenthesis or square bracket.
    pub(super) fn is_paren(&self) -> bool {
        matches!(self, Open::Paren(_) | Open::ForHead | Open::Bracket)
    }
}

/// A function's code, by the indices of its tokens.
#[derive(Clone, Debug)]
pub struct Body {
    /// Where its head begins.
    pub head: usize,
    /// Its opening brace.
    pub open: usize,
    /// Its closing brace.
    pub close: usize,
    /// The class around it.
    pub class: Option<String>,
}

/// A file after mending.
#[derive(Debug)]
pub struct Mended<'a> {
    /// Its tokens; brackets are balanced.
    pub tokens: Vec<Token<'a>>,
    /// What the `#ifdef CONFIG_n` among them test.
    pub conditions: Vec<Cond>,
    /// Code that is in no other code.
    pub bodies: Vec<Body>,
}

/// A file being mended.
pub(super) struct Mender<'a> {
    pub(super) out: Vec<Token<'a>>,
    pub(super) open: Vec<(Open, usize)>,
    /// Where in `out` the current item or statement begins.
    pub(super) start: usize,
    pub(super) conditions: Vec<Cond>,
    bodies: Vec<Body>,
    /// Conditions whose side is settled by an enclosing `#if`.
    pub(super) decided: Vec<(Name, bool)>,
    /// Sides taken where only one could be.
    pub(super) leaning: Vec<(Name, bool)>,
    pub(super) language: Language,
    /// Tokens that may still be written twice.
    pub(super) budget: usize,
    /// Index past what a completed statement has written already.
    pub(super) skip_to: Option<usize>,
    depth: u32,
}

/// Most brackets open at a time.
const DEEPEST: usize = 1_000;

/// Words after which an opening parenthesis is no call's.
const KEYWORDS: [&str; 34] = [
    "if",
    "while",
    "for",
    "switch",
    "return",
    "sizeof",
    "catch",
    "alignof",
    "typeid",
    "decltype",
    "new",
    "delete",
    "case",
    "throw",
    "else",
    "do",
    "goto",
    "co_return",
    "co_await",
    "co_yield",
    "operator",
    "noexcept",
    "static_assert",
    "default",
    "typedef",
    "using",
    "struct",
    "class",
    "union",
    "enum",
    "template",
    "namespace",
    "const",
    "typeof",
];

/// Mends tokens.
pub fn mend(tokens: Vec<Token<'_>>, language: Language) -> Mended<'_> {
    let budget = 20_000 + tokens.len() * 3;
    let mut mender = Mender {
        out: Vec::with_capacity(tokens.len()),
        open: Vec::new(),
        start: 0,
        conditions: Vec::new(),
        bodies: Vec::new(),
        decided: Vec::new(),
        leaning: Vec::new(),
        language,
        budget,
        skip_to: None,
        depth: 0,
    };
    mender.process(&tokens);
    mender.close();
    Mended { tokens: mender.out, conditions: mender.conditions, bodies: mender.bodies }
}

impl<'a> Mender<'a> {
    /// Mends a stretch of tokens into the output.
    pub(super) fn process(&mut self, tokens: &[Token<'a>]) {
        if self.depth > 40 {
            self.out.extend(tokens.iter().filter(|token| token.kind != Kind::Directive).cloned());
            return;
        }
        self.depth += 1;
        let mut at = 0;
        while at < tokens.len() {
            at = match tokens[at].kind {
                Kind::Directive => self.directive(tokens, at),
                _ => self.token(tokens, at),
            };
        }
        self.depth -= 1;
    }

    fn directive(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        match tokens[at].directive() {
            Some(("if" | "ifdef" | "ifndef", _)) => {
                let group = Group::read(tokens, at, self.language);
                let end = group.end;
                self.group(tokens, group);
                self.skip_to.take().unwrap_or(end)
            }
            _ => at + 1,
        }
    }

    /// The innermost bracket that is a brace, none at file level.
    pub(super) fn brace(&self) -> Option<&Open> {
        self.open.iter().rev().map(|(open, _)| open).find(|open| !open.is_paren())
    }

    /// Whether a parenthesis or square bracket is open inside the innermost brace.
    pub(super) fn in_parens(&self) -> bool {
        self.open.last().is_some_and(|(open, _)| open.is_paren())
    }

    /// What has been written of the current item or statement; of a very long one, the end.
    pub(super) fn statement(&self) -> &[Token<'a>] {
        const LONGEST: usize = 2_000;
        &self.out[self.start.max(self.out.len().saturating_sub(LONGEST)).min(self.out.len())..]
    }

    pub(super) fn is_code(&self) -> bool {
        self.brace() == Some(&Open::Code)
    }

    pub(super) fn at_items(&self) -> bool {
        matches!(self.open.last().map(|(open, _)| open), None | Some(Open::Items | Open::Class(_)))
    }

    pub(super) fn last(&self) -> Option<&Token<'a>> {
        self.out.last()
    }

    /// Whether an item or statement may begin here.
    pub(super) fn at_start(&self) -> bool {
        !self.in_parens()
            && match self.last() {
                None => true,
                Some(token) => match token.kind {
                    Kind::Directive => true,
                    Kind::Punct => {
                        matches!(&*token.text, ";" | "{" | "}")
                            || (token.text == ":" && self.is_label())
                            || (token.text == ")" && self.is_control_head())
                    }
                    Kind::Word => matches!(&*token.text, "else" | "do" | "try" | "__try"),
                    _ => false,
                },
            }
    }

    /// Whether the `:` just written ends a label or access specifier; it may also belong to `? :`, bases or initialisers.
    fn is_label(&self) -> bool {
        let statement = self.statement();
        if self.is_code() {
            return !statement.iter().any(|token| token.is("?"));
        }
        const ACCESS: [&str; 6] = ["public", "private", "protected", "signals", "slots", "Q_SIGNALS"];
        self.out.len() >= 2 && ACCESS.contains(&&*self.out[self.out.len() - 2].text)
    }

    /// Whether the `)` just written closes the head of an `if`, `while` or `for`.
    fn is_control_head(&self) -> bool {
        let Some(open) = matching_open(&self.out, self.out.len() - 1) else { return false };
        let before = &self.out[..open];
        let word = match before.last() {
            Some(token) if token.is_word("constexpr") => before.get(before.len().wrapping_sub(2)),
            other => other,
        };
        let is_head = word
            .is_some_and(|word| matches!(&*word.text, "if" | "while" | "for" | "switch") && word.kind == Kind::Word);
        // `do {} while (x)` wants its semicolon.
        is_head
            && !(word.is_some_and(|word| word.is_word("while"))
                && before.len() >= 2
                && before[before.len() - 2].is("}")
                && self.is_do_while(before.len() - 2))
    }

    fn is_do_while(&self, brace: usize) -> bool {
        matching_open(&self.out, brace)
            .and_then(|open| open.checked_sub(1))
            .is_some_and(|at| self.out[at].is_word("do"))
    }

    fn token(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let token = &tokens[at];
        if token.outdented && token.kind == Kind::Word {
            self.close_forgotten(token.span);
        }
        if self.at_start() && token.kind == Kind::Word {
            let next = if self.at_items() {
                self.item_head(tokens, at)
            } else if self.is_code() {
                self.statement_head(tokens, at)
            } else {
                at
            };
            if next > at {
                return next;
            }
        }
        self.inner_token(tokens, at)
    }

    /// A word at the very beginning of a line, right after a block, begins an item: a parenthesis still open there was
    /// forgotten.
    fn close_forgotten(&mut self, span: Span) {
        let is_after_block = self.last().is_some_and(|last| last.is("}"));
        if !is_after_block || !self.in_parens() || self.open.iter().any(|(open, _)| *open == Open::Code) {
            return;
        }
        while self.in_parens() {
            self.close_one(span);
        }
        self.out.push(Token::made(Kind::Punct, ";", span));
        self.start = self.out.len();
    }

    /// A token that begins nothing.
    pub(super) fn inner_token(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let token = &tokens[at];
        if token.is("(")
            && let Some(last) = self.comma_in_head(tokens, at)
        {
            self.punct(tokens, at);
            return last;
        }
        match token.kind {
            Kind::Word => self.word(tokens, at),
            Kind::Punct => {
                self.punct(tokens, at);
                at + 1
            }
            _ => {
                self.out.push(token.clone());
                at + 1
            }
        }
    }

    fn punct(&mut self, tokens: &[Token<'a>], at: usize) {
        let token = &tokens[at];
        match &*token.text {
            "{" => {
                let kind = self.classify(tokens, at);
                self.push_open(kind, token);
            }
            "}" => self.close_brace(token),
            "(" => {
                let is_call = self
                    .last()
                    .is_some_and(|last| (last.kind == Kind::Word && !KEYWORDS.contains(&&*last.text)) || last.is(">"));
                if self.is_pointer_initial(tokens, at) {
                    self.out.push(Token::made(Kind::Punct, "=", token.span));
                }
                let is_for = self.last().is_some_and(|last| last.is_word("for")) || self.has_initial(tokens, at);
                self.push_open(if is_for { Open::ForHead } else { Open::Paren(is_call) }, token);
            }
            "[" => self.push_open(Open::Bracket, token),
            ")" | "]" => {
                let wanted = if token.text == ")" {
                    matches!(self.open.last(), Some((Open::Paren(_) | Open::ForHead, _)))
                } else {
                    matches!(self.open.last(), Some((Open::Bracket, _)))
                };
                if wanted {
                    self.open.pop();
                    self.out.push(token.clone());
                }
            }
            ";" => {
                // A bracket that a statement leaves open would swallow all that follows.
                while self.is_code() && self.in_parens() && !self.in_for_head() {
                    self.close_one(token.span);
                }
                self.out.push(token.clone());
                if !self.in_parens() {
                    self.start = self.out.len();
                }
            }
            "*" if self.is_type_argument(tokens, at) => {}
            "@" => {}
            "->*" => self.out.push(Token { text: Cow::Borrowed("->"), ..token.clone() }),
            ".*" => self.out.push(Token { text: Cow::Borrowed("."), ..token.clone() }),
            _ => self.out.push(token.clone()),
        }
    }

    fn push_open(&mut self, open: Open, token: &Token<'a>) {
        // Nothing that people write nests like this.
        if self.open.len() > DEEPEST {
            return;
        }
        if open == Open::Code && !self.open.iter().any(|(open, _)| *open == Open::Code) {
            let mut classes = self.open.iter().filter_map(|(open, _)| match open {
                Open::Class(name) => Some(name.clone()),
                _ => None,
            });
            let class = classes.next_back();
            self.bodies.push(Body {
                head: self.start.min(self.out.len()),
                open: self.out.len(),
                close: usize::MAX,
                class,
            });
        }
        self.open.push((open, self.start));
        self.out.push(token.clone());
        if token.text == "{" {
            self.start = self.out.len();
        }
    }

    fn in_for_head(&self) -> bool {
        self.open.iter().rev().take_while(|(open, _)| open.is_paren()).any(|(open, _)| *open == Open::ForHead)
    }

    /// Closes the innermost bracket.
    pub(super) fn close_one(&mut self, span: Span) -> Option<Open> {
        let (open, start) = self.open.pop()?;
        let closing = match open {
            Open::Paren(_) | Open::ForHead => ")",
            Open::Bracket => "]",
            _ => "}",
        };
        if open == Open::Code
            && !self.open.iter().any(|(open, _)| *open == Open::Code)
            && let Some(body) = self.bodies.last_mut()
        {
            body.close = self.out.len();
        }
        self.out.push(Token::made(Kind::Punct, closing, span));
        if !open.is_paren() {
            let is_over = matches!(open, Open::Code | Open::Items) && !self.in_parens();
            self.start = if is_over { self.out.len() } else { start };
        }
        Some(open)
    }

    fn close_brace(&mut self, token: &Token<'a>) {
        // A brace that closes nothing would make the grammar give up on what follows.
        if self.brace().is_none() {
            return;
        }
        while self.close_one(token.span).is_some_and(|open| open.is_paren()) {}
        // As it was written: glued or on its own line.
        if let Some(last) = self.out.last_mut() {
            *last = token.clone();
        }
    }

    /// Closes what the file leaves open.
    fn close(&mut self) {
        let span = self.out.last().map_or(Span::default(), |last| Span::new(last.span.end, last.span.end));
        while self.close_one(span).is_some() {}
    }

    /// What a `{` opens.
    fn classify(&self, tokens: &[Token<'a>], at: usize) -> Open {
        let head = self.statement();
        let last = self.last();
        let is = |text: &str| last.is_some_and(|last| &*last.text == text);
        let is_block = || if has_statement(tokens, at) { Open::Code } else { Open::List };
        if self.in_parens() {
            return if is(")") || is("]") || is("mutable") || is("noexcept") { Open::Code } else { is_block() };
        }
        if matches!(self.open.last(), Some((Open::List, _))) {
            return if is(")") || is("]") { is_block() } else { Open::List };
        }
        let depth_zero = |wanted: &str| top_level(head).any(|token| &*token.text == wanted);
        if top_level(head).any(|token| token.is_word("enum")) && !depth_zero("(") {
            return Open::List;
        }
        let key = top_level(head)
            .position(|token| matches!(&*token.text, "class" | "struct" | "union") && token.kind == Kind::Word);
        if let Some(key) = key
            && !depth_zero("=")
            && !top_level(head).skip(key).any(|token| token.is("("))
        {
            let names: Vec<_> = top_level(head)
                .skip(key + 1)
                .take_while(|token| !token.is(":"))
                .filter(|token| token.kind == Kind::Word && token.text != "final")
                .collect();
            return Open::Class(names.last().map_or(String::new(), |name| name.text.to_string()));
        }
        if self.is_code() {
            if is("=") || is(",") || is("return") || is(">") {
                return is_block();
            }
            return match last.map(|last| last.kind) {
                Some(Kind::Word)
                    if !matches!(
                        &*last.map_or(Cow::Borrowed(""), |l| l.text.clone()),
                        "else" | "do" | "try" | "mutable" | "noexcept" | "__try" | "__finally" | "const"
                    ) =>
                {
                    is_block()
                }
                _ if is("]") => is_block(),
                _ => Open::Code,
            };
        }
        if head.iter().any(|token| token.is_word("namespace")) || last.is_some_and(|last| last.kind == Kind::Text) {
            return Open::Items;
        }
        if head.is_empty() || head.iter().all(|token| token.kind == Kind::Directive) {
            return Open::Items;
        }
        if depth_zero("=") {
            return if is(")") || is("]") { Open::Code } else { Open::List };
        }
        if !depth_zero("(") {
            return Open::List;
        }
        // `Foo() : member{1} {`: a brace right behind a member's name holds its initial value.
        let is_name = last.is_some_and(|last| {
            last.kind == Kind::Word
                && !matches!(&*last.text, "const" | "noexcept" | "override" | "final" | "try" | "volatile" | "mutable")
        });
        let has_initialisers = top_level(head).any(|token| token.is(":"));
        let is_trailing_type = top_level(head).any(|token| token.is("->"));
        if is_name && has_initialisers && !is_trailing_type { Open::List } else { Open::Code }
    }
}

/// Tokens outside all brackets. Closing brackets count as outside.
fn top_level<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = &'t Token<'a>> {
    let mut depth = 0;
    tokens.iter().filter(move |token| {
        let nesting = token.nesting();
        let outside = depth == 0;
        depth = (depth + nesting).max(0);
        outside
    })
}

/// Whether the block that opens at `at` holds a semicolon of its own.
fn has_statement(tokens: &[Token<'_>], at: usize) -> bool {
    let mut depth = 0;
    for token in tokens[at..].iter().take(4_000) {
        depth += token.nesting();
        if depth == 0 {
            return false;
        }
        if depth == 1 && token.is(";") {
            return true;
        }
    }
    false
}

/// Index of the bracket that the one at `close` closes.
pub(super) fn matching_open(tokens: &[Token<'_>], close: usize) -> Option<usize> {
    let mut depth = 0;
    for at in (0..=close).rev() {
        depth -= tokens[at].nesting();
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Index of the bracket that closes the one at `open`.
pub(super) fn matching_close(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open).take(20_000) {
        depth += token.nesting();
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The condition of an `#if`, as flow has it.
pub(super) fn as_cond(condition: &Condition) -> Cond {
    let config = Cond::Config(condition.text);
    if condition.is_negated { Cond::Not(Box::new(config)) } else { config }
}
