//! Objective-C on top of C and C++: message sends become method calls, `@implementation` becomes methods of a class, blocks
//! become lambdas, literals lose their `@`. Whatever has another shape is left as it is.

use super::mend::matching_close;
use super::token::{Kind, Token};
use std::borrow::Cow;

/// Deepest nesting of message sends that is followed.
const DEEPEST: u32 = 60;

/// Rewrites a file that holds Objective-C; gives any other back as it is, but for blocks.
pub fn rewrite(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let is_objc = tokens.windows(2).any(|pair| pair[0].is("@") && matches!(pair[1].kind, Kind::Word | Kind::Text))
        || tokens.iter().any(|token| matches!(token.directive(), Some(("import", _))))
        || tokens.windows(5).any(is_message);
    let has_blocks = tokens.windows(2).any(|pair| pair[0].is("^") && (pair[1].is("{") || pair[1].is("(")));
    if !is_objc && !has_blocks {
        return tokens;
    }
    let mut rewriter = Rewriter { out: Vec::with_capacity(tokens.len()), class: None, is_objc, depth: 0 };
    rewriter.run(&tokens);
    rewriter.out
}

/// `[thing release];` where a statement begins: no C++ is spelled so.
fn is_message(tokens: &[Token<'_>]) -> bool {
    let begins = tokens[0].is(";") || tokens[0].is("{") || tokens[0].is("}");
    let is_plain = |token: &Token<'_>| token.kind == Kind::Word;
    begins && tokens[1].is("[") && is_plain(&tokens[2]) && is_plain(&tokens[3]) && tokens[4].is("]")
}

struct Rewriter<'a> {
    out: Vec<Token<'a>>,
    /// The class whose `@implementation` is open.
    class: Option<Token<'a>>,
    is_objc: bool,
    depth: u32,
}

impl<'a> Rewriter<'a> {
    fn run(&mut self, tokens: &[Token<'a>]) {
        if self.depth > DEEPEST {
            self.out.extend_from_slice(tokens);
            return;
        }
        self.depth += 1;
        let mut at = 0;
        while at < tokens.len() {
            at = self.step(tokens, at).max(at + 1);
        }
        self.depth -= 1;
    }

    fn step(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let token = &tokens[at];
        if token.is("^")
            && let Some(next) = self.block(tokens, at)
        {
            return next;
        }
        if self.is_objc {
            if token.is("@") {
                return self.at_sign(tokens, at);
            }
            if token.is("[")
                && self.begins_expression()
                && let Some(next) = self.message(tokens, at)
            {
                return next;
            }
            if (token.is("-") || token.is("+"))
                && token.first
                && self.class.is_some()
                && let Some(next) = self.method(tokens, at)
            {
                return next;
            }
            if token.kind == Kind::Word {
                self.word(tokens, at);
                return at + 1;
            }
        }
        self.out.push(token.clone());
        at + 1
    }

    fn word(&mut self, tokens: &[Token<'a>], at: usize) {
        let token = &tokens[at];
        let text: &'static str = match &*token.text {
            "nil" | "Nil" => "nullptr",
            "YES" => "true",
            "NO" => "false",
            // `self = [super init]` assigns to it.
            "self" if self.class.is_some() && !tokens.get(at + 1).is_some_and(|next| next.is("=")) => "this",
            // `for (T *x in list)`
            "in" if self.is_loop_variable() => {
                self.made(Kind::Punct, ":", token);
                return;
            }
            _ => {
                self.out.push(token.clone());
                return;
            }
        };
        self.out.push(Token { text: Cow::Borrowed(text), ..token.clone() });
    }

    fn is_loop_variable(&self) -> bool {
        let open = self.out.iter().rev().take(12).position(|token| token.is("("));
        open.is_some_and(|back| {
            let open = self.out.len() - 1 - back;
            back >= 1 && open > 0 && self.out[open - 1].is_word("for")
        })
    }

    fn made(&mut self, kind: Kind, text: &'static str, like: &Token<'a>) {
        self.out.push(Token::made(kind, text, like.span));
    }

    /// Whether an operand may stand here: not right behind another one.
    fn begins_expression(&self) -> bool {
        self.out.last().is_none_or(|last| match last.kind {
            Kind::Word => matches!(&*last.text, "return" | "else" | "do" | "case" | "throw"),
            Kind::Punct => !matches!(&*last.text, ")" | "]"),
            Kind::Directive => true,
            _ => false,
        }) || self.out.last().is_some_and(|last| last.is(")") && self.is_cast())
    }

    /// Whether the `)` just written closes a cast or the head of a statement.
    fn is_cast(&self) -> bool {
        let Some(open) = super::mend::matching_open(&self.out, self.out.len() - 1) else { return false };
        let before = open.checked_sub(1).and_then(|before| self.out.get(before));
        before.is_none_or(|before| match before.kind {
            Kind::Word => matches!(&*before.text, "return" | "if" | "while" | "for" | "switch"),
            Kind::Punct => !matches!(&*before.text, ")" | "]" | ">"),
            _ => true,
        })
    }

    /// What begins with `@`.
    fn at_sign(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let Some(next) = tokens.get(at + 1) else { return at + 1 };
        match &*next.text {
            "interface" | "protocol" => self.interface(tokens, at),
            "implementation" => self.implementation(tokens, at),
            "end" => {
                self.class = None;
                at + 2
            }
            "class" | "property" | "synthesize" | "dynamic" | "import" => end_of_statement(tokens, at),
            "optional" | "required" | "public" | "private" | "protected" | "package" | "autoreleasepool"
            | "finally" => at + 2,
            "synchronized" => match tokens.get(at + 2) {
                Some(open) if open.is("(") => matching_close(tokens, at + 2).map_or(at + 2, |close| close + 1),
                _ => at + 2,
            },
            "selector" | "encode" => {
                self.made(Kind::Text, "\"\"", next);
                matching_close(tokens, at + 2).map_or(at + 2, |close| close + 1)
            }
            "[" | "{" => {
                let Some(close) = matching_close(tokens, at + 1) else { return at + 1 };
                self.made(Kind::Punct, "{", next);
                let inside: Vec<Token<'a>> = tokens[at + 2..close]
                    .iter()
                    .map(|token| {
                        if token.is(":") { Token { text: Cow::Borrowed(","), ..token.clone() } } else { token.clone() }
                    })
                    .collect();
                self.run(if next.is("{") { &inside } else { &tokens[at + 2..close] });
                self.made(Kind::Punct, "}", &tokens[close]);
                close + 1
            }
            _ => at + 1,
        }
    }

    /// `@interface Name : Base { fields } … @end` becomes a class with its fields and properties.
    fn interface(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let end = tokens[at..]
            .windows(2)
            .position(|pair| pair[0].is("@") && pair[1].is_word("end"))
            .map_or(tokens.len(), |found| at + found + 2);
        let is_declaration = tokens.get(at + 3).is_some_and(|token| token.is(";") || token.is(","));
        if is_declaration {
            return end_of_statement(tokens, at);
        }
        let inside = &tokens[at + 2..end.saturating_sub(2).max(at + 2)];
        let (Some(name), true) = (inside.first(), tokens[at + 1].text == "interface") else { return end };
        if name.kind != Kind::Word || inside.get(1).is_some_and(|token| token.is("(")) {
            return end;
        }
        self.made(Kind::Word, "class", &tokens[at + 1]);
        self.out.push(name.clone());
        if let [_, colon, base, ..] = inside
            && colon.is(":")
            && base.kind == Kind::Word
        {
            self.made(Kind::Punct, ":", colon);
            self.made(Kind::Word, "public", colon);
            self.out.push(base.clone());
        }
        self.made(Kind::Punct, "{", name);
        if let Some(open) = inside.iter().position(|token| token.is("{"))
            && let Some(close) = matching_close(inside, open)
        {
            self.run(&inside[open + 1..close]);
        }
        self.properties(inside);
        self.made(Kind::Punct, "}", name);
        self.made(Kind::Punct, ";", name);
        end
    }

    /// `@property (…) T *name;` is the field `_name`.
    fn properties(&mut self, inside: &[Token<'a>]) {
        for (index, pair) in inside.windows(2).enumerate() {
            if !(pair[0].is("@") && pair[1].is_word("property")) {
                continue;
            }
            let end = end_of_statement(inside, index);
            let mut start = index + 2;
            if inside.get(start).is_some_and(|token| token.is("(")) {
                start = matching_close(inside, start).map_or(start, |close| close + 1);
            }
            let [ty @ .., name, semicolon] = &inside[start.min(end)..end] else { continue };
            if name.kind == Kind::Word && semicolon.is(";") && !ty.is_empty() {
                self.out.extend(ty.iter().filter(|token| token.text != "IBOutlet").cloned());
                self.out.push(Token { text: Cow::Owned(format!("_{}", name.text)), ..name.clone() });
                self.out.push(semicolon.clone());
            }
        }
    }

    fn implementation(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let Some(name) = tokens.get(at + 2).filter(|name| name.kind == Kind::Word) else { return at + 2 };
        self.class = Some(name.clone());
        let mut next = at + 3;
        if tokens.get(next).is_some_and(|token| token.is(":")) {
            next += 2;
        }
        for open in ["(", "{"] {
            if tokens.get(next).is_some_and(|token| token.is(open)) {
                next = matching_close(tokens, next).map_or(next, |close| close + 1);
            }
        }
        next
    }

    /// `- (T)first:(A)a second:(B)b {` becomes `T Class::first(A a, B b) {`.
    fn method(&mut self, tokens: &[Token<'a>], at: usize) -> Option<usize> {
        let class = self.class.clone()?;
        let mut next = at + 1;
        let mut returns = &tokens[next..next];
        if tokens.get(next)?.is("(") {
            let close = matching_close(tokens, next)?;
            returns = &tokens[next + 1..close];
            next = close + 1;
        }
        let selector = tokens.get(next).filter(|token| token.kind == Kind::Word)?;
        let mut parameters: Vec<(&[Token<'a>], &Token<'a>)> = Vec::new();
        next += 1;
        loop {
            let token = tokens.get(next)?;
            if token.is("{") || token.is(";") {
                break;
            }
            if token.is(":") {
                let mut ty = &tokens[next..next];
                next += 1;
                if tokens.get(next)?.is("(") {
                    let close = matching_close(tokens, next)?;
                    ty = &tokens[next + 1..close];
                    next = close + 1;
                }
                parameters.push((ty, tokens.get(next).filter(|name| name.kind == Kind::Word)?));
            } else if token.kind != Kind::Word && !token.is(",") && !token.is("...") {
                return None;
            }
            next += 1;
        }
        if tokens.get(next)?.is(";") {
            return Some(next + 1);
        }
        if returns.is_empty() {
            self.made(Kind::Word, "id", selector);
        }
        self.out.extend(returns.iter().cloned());
        self.out.push(Token { first: false, glued: false, ..class });
        self.made(Kind::Punct, "::", selector);
        self.out.push(selector.clone());
        self.made(Kind::Punct, "(", selector);
        for (index, (ty, name)) in parameters.into_iter().enumerate() {
            if index > 0 {
                self.made(Kind::Punct, ",", name);
            }
            if ty.is_empty() {
                self.made(Kind::Word, "id", name);
            }
            self.out.extend(ty.iter().cloned());
            self.out.push(Token { glued: false, ..name.clone() });
        }
        self.made(Kind::Punct, ")", selector);
        Some(next)
    }

    /// `[receiver first:a second:b]` becomes `receiver.first(a, b)`.
    fn message(&mut self, tokens: &[Token<'a>], at: usize) -> Option<usize> {
        let close = matching_close(tokens, at)?;
        let inside = &tokens[at + 1..close];
        let receiver = operand(inside)?;
        let selector = inside.get(receiver).filter(|token| token.kind == Kind::Word)?;
        let after = inside.get(receiver + 1);
        if after.is_some_and(|after| !after.is(":")) {
            return None;
        }
        let is_cast = inside[0].is("(");
        if is_cast {
            self.made(Kind::Punct, "(", &tokens[at]);
        }
        let begins = self.out.len();
        self.run(&inside[..receiver]);
        if let Some(first) = self.out.get_mut(begins) {
            first.glued = false;
        }
        if is_cast {
            self.made(Kind::Punct, ")", selector);
        }
        self.made(Kind::Punct, ".", selector);
        self.out.push(Token { glued: false, ..selector.clone() });
        self.made(Kind::Punct, "(", selector);
        let mut start = receiver + 2;
        let mut is_first = true;
        while start <= inside.len() && after.is_some() {
            let end = next_part(inside, start);
            if !is_first {
                self.made(Kind::Punct, ",", selector);
            }
            is_first = false;
            self.run(&inside[start..end]);
            // Past the next part's name and its colon.
            start = end + 2;
            if end >= inside.len() {
                break;
            }
        }
        self.made(Kind::Punct, ")", &tokens[close]);
        Some(close + 1)
    }

    /// `^(T x) {` becomes `[&](T x) {`.
    fn block(&mut self, tokens: &[Token<'a>], at: usize) -> Option<usize> {
        let begins = self.out.last().is_none_or(|last| {
            matches!(&*last.text, "(" | "," | "=" | "return" | ":" | "{" | ";") && last.kind != Kind::Text
        });
        if !begins {
            return None;
        }
        let mut next = at + 1;
        while tokens.get(next).is_some_and(|token| token.kind == Kind::Word || token.is("*")) {
            next += 1;
        }
        let parameters = next;
        if tokens.get(next)?.is("(") {
            next = matching_close(tokens, next)? + 1;
        }
        if !tokens.get(next)?.is("{") {
            return None;
        }
        for text in ["[", "&", "]"] {
            self.made(Kind::Punct, text, &tokens[at]);
        }
        if next == parameters {
            self.made(Kind::Punct, "(", &tokens[at]);
            self.made(Kind::Punct, ")", &tokens[at]);
        }
        self.out.extend(tokens[parameters..next].iter().cloned());
        Some(next)
    }
}

fn end_of_statement(tokens: &[Token<'_>], at: usize) -> usize {
    tokens[at..].iter().position(|token| token.is(";")).map_or(tokens.len(), |found| at + found + 1)
}

/// How many tokens the operand takes with which these begin: `x`, `x.y(z)[0]`, `[…]`, `(T)x`, `@"…"`.
fn operand(tokens: &[Token<'_>]) -> Option<usize> {
    let first = tokens.first()?;
    let mut end = match first.kind {
        Kind::Word | Kind::Text => 1,
        Kind::Punct if first.is("[") => matching_close(tokens, 0)? + 1,
        Kind::Punct if first.is("(") => {
            let close = matching_close(tokens, 0)? + 1;
            // A cast goes on with what it casts, unless that is the selector.
            let next = tokens.get(close);
            let casts = next.is_some_and(|next| next.is("[") || next.is("@") || next.is("("))
                || (next.is_some_and(|next| next.kind == Kind::Word)
                    && tokens
                        .get(close + 1)
                        .is_some_and(|after| after.kind == Kind::Word || after.is("(") || after.is(".")));
            if casts { close + operand(&tokens[close..])? } else { close }
        }
        Kind::Punct if first.is("@") => 1 + operand(&tokens[1..])?,
        _ => return None,
    };
    loop {
        match tokens.get(end) {
            Some(token) if token.is(".") || token.is("->") || token.is("::") => end += 2,
            Some(token) if (token.is("(") || token.is("[")) && end > 0 => end = matching_close(tokens, end)? + 1,
            _ => return (end < tokens.len()).then_some(end),
        }
    }
}

/// Where the next part of a selector (`name:`) stands, outside brackets and `? :`.
fn next_part(tokens: &[Token<'_>], start: usize) -> usize {
    let mut depth = 0;
    let mut questions = 0;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        depth += token.nesting();
        if depth == 0 && token.is("?") {
            questions += 1;
        }
        if depth == 0 && token.is(":") {
            if questions > 0 {
                questions -= 1;
            } else if index > start && tokens[index - 1].kind == Kind::Word {
                return index - 1;
            }
        }
    }
    tokens.len()
}
