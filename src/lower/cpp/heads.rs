//! The heads of items and statements: macros that define, declare or repeat, and the ones that only decorate.

use super::mend::{Mender, Open, matching_close};
use super::statement::looks_like_macro;
use super::token::{Kind, Token};
use super::words::without_attributes;
use std::borrow::Cow;

/// Longest head that is looked at.
const LONGEST: usize = 600;

/// Words that begin a type or modify one, and are no names.
const TYPE_WORDS: [&str; 22] = [
    "static",
    "inline",
    "extern",
    "const",
    "constexpr",
    "virtual",
    "explicit",
    "friend",
    "mutable",
    "volatile",
    "register",
    "unsigned",
    "signed",
    "long",
    "short",
    "struct",
    "class",
    "union",
    "enum",
    "typename",
    "thread_local",
    "consteval",
];

/// Keywords that begin a statement or item that needs no mending.
const OTHER_WORDS: [&str; 30] = [
    "using",
    "namespace",
    "template",
    "typedef",
    "public",
    "private",
    "protected",
    "return",
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "break",
    "continue",
    "goto",
    "try",
    "catch",
    "throw",
    "new",
    "delete",
    "static_assert",
    "operator",
    "co_return",
    "co_await",
    "co_yield",
    "asm",
];

/// The comma behind the pointer type that a macro is given first, a name being second: no expression ends in `*`.
fn declares(tokens: &[Token<'_>], at: usize, close: usize) -> Option<usize> {
    let comma =
        (at + 2..close).find(|at| !(tokens[*at].kind == Kind::Word || tokens[*at].is("::") || tokens[*at].is("*")))?;
    let is_pointer =
        comma > at + 3 && tokens[comma].is(",") && tokens[comma - 1].is("*") && tokens[at + 2].kind == Kind::Word;
    let is_name = tokens.get(comma + 1).is_some_and(|name| name.kind == Kind::Word);
    let is_whole = tokens.get(comma + 2).is_some_and(|end| end.is(",") || end.is(")"));
    (is_pointer && is_name && is_whole).then_some(comma)
}

impl<'a> Mender<'a> {
    /// Mends the head of an item of a file, namespace or class. Gives the index past what was written, or `at`.
    pub(super) fn item_head(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let Some(end) = head_end(tokens, at) else { return at };
        let head = &tokens[at..end];
        let first = &*head[0].text;
        if OTHER_WORDS.contains(&first) && first != "template" {
            return at;
        }
        if let Some(next) = self.macro_item(tokens, at) {
            return next;
        }
        let terminator = tokens.get(end).map_or("", |token| &*token.text);
        let plain = without_attributes(head);
        let cleaned = clean_head(&plain, terminator);
        if cleaned.len() == head.len() || cleaned.is_empty() {
            return at;
        }
        let mut index = 0;
        while index < cleaned.len() {
            index = self.inner_token(&cleaned, index);
        }
        end
    }

    /// Writes a token of a head, keeping count of brackets.
    fn raw(&mut self, token: &Token<'a>) {
        match (token.kind, &*token.text) {
            (Kind::Punct, "(") => self.open.push((Open::Paren(false), self.start)),
            (Kind::Punct, "[") => self.open.push((Open::Bracket, self.start)),
            (Kind::Punct, ")" | "]") if self.in_parens() => {
                self.open.pop();
            }
            _ => {}
        }
        self.out.push(token.clone());
    }

    /// `NAN_METHOD(Foo::Bar) {`, `NODE_MODULE(addon, Init)`, `Q_PROPERTY(…)`: a macro that stands for an item.
    fn macro_item(&mut self, tokens: &[Token<'a>], at: usize) -> Option<usize> {
        let mut name = at;
        while tokens.get(name).is_some_and(|token| TYPE_WORDS.contains(&&*token.text) || token.kind == Kind::Text) {
            name += 1;
        }
        let token = tokens.get(name).filter(|token| token.kind == Kind::Word)?;
        let in_class = match self.open.last() {
            Some((Open::Class(class), _)) => {
                if *class == *token.text {
                    return None;
                }
                true
            }
            _ => false,
        };
        let is_macro = looks_like_macro(&token.text);
        if !tokens.get(name + 1)?.is("(") {
            // `Q_OBJECT` alone on its line.
            let next = tokens.get(name + 1)?;
            let alone = is_macro
                && name == at
                && in_class
                && next.first
                && (next.kind == Kind::Word || next.is("}") || next.is("~"));
            return alone.then_some(name + 1);
        }
        let close = matching_close(tokens, name + 1)?;
        let arguments = &tokens[name + 2..close];
        let next = tokens.get(close + 1);
        let defined = defined_name(arguments);
        match next {
            Some(next) if next.is("{") => {
                let is_signature =
                    arguments.windows(2).any(|pair| pair[0].kind == Kind::Word && pair[1].kind == Kind::Word)
                        || arguments.iter().any(|token| token.is("*") || token.is("&"));
                if !is_macro && (is_signature || name > at || defined.is_empty()) {
                    return None;
                }
                let what = if defined.is_empty() { vec![token.clone()] } else { defined };
                self.write_definition(&tokens[at..name], what, token, tokens[close].span);
                Some(close + 1)
            }
            Some(next) if next.is(";") && is_macro && in_class && !defined.is_empty() => {
                self.write_definition(&tokens[at..name], defined, token, tokens[close].span);
                Some(close + 1)
            }
            // Without a semicolon, and something else follows: a macro that stands for a whole item.
            Some(next)
                if !is_macro
                    || (next.kind == Kind::Punct && !next.is("}") && !next.first)
                    || next.is("=")
                    || next.is(":") =>
            {
                None
            }
            _ if in_class || has_gap(arguments) => Some(close + 1),
            _ if name == at => {
                for index in at..=close {
                    let token = tokens[index].clone();
                    if token.kind != Kind::Directive {
                        self.raw(&token);
                    }
                }
                let is_ended = next.is_some_and(|next| next.is(";"));
                if !is_ended {
                    self.out.push(Token::made(Kind::Punct, ";", tokens[close].span));
                    self.start = self.out.len();
                }
                Some(close + 1)
            }
            _ => None,
        }
    }

    /// `modifiers void name()`.
    fn write_definition(
        &mut self,
        modifiers: &[Token<'a>],
        name: Vec<Token<'a>>,
        at: &Token<'a>,
        close: crate::text::Span,
    ) {
        self.out.extend(modifiers.iter().cloned());
        self.out.push(Token { text: Cow::Borrowed("void"), ..at.clone() });
        for (index, mut token) in name.into_iter().enumerate() {
            token.glued = index > 0;
            self.out.push(token);
        }
        self.out.push(Token::made(Kind::Punct, "(", close));
        self.out.push(Token::made(Kind::Punct, ")", close));
    }

    /// Mends the head of a statement. Gives the index past what was written, or `at`.
    pub(super) fn statement_head(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let token = &tokens[at];
        if OTHER_WORDS.contains(&&*token.text) {
            return at;
        }
        let is_macro = looks_like_macro(&token.text);
        let Some(next) = tokens.get(at + 1) else { return at };
        if next.is("(") {
            return self.statement_call(tokens, at, is_macro);
        }
        if !is_macro {
            return at;
        }
        if next.first && (next.kind == Kind::Word || next.is("}")) && !next.is_word("else") {
            // A macro alone on its line. A type alone on its line would be odd indeed.
            self.out.push(token.clone());
            self.out.push(Token::made(Kind::Punct, ";", token.span));
            self.start = self.out.len();
            return at + 1;
        }
        // `UNUSED int x = …`
        let third = tokens.get(at + 2);
        let is_declared =
            |token: &Token<'_>| token.kind == Kind::Word || token.is("*") || token.is("::") || token.is("<");
        if next.kind == Kind::Word
            && !matches!(&*next.text, "const" | "volatile")
            && !OTHER_WORDS.contains(&&*next.text)
            && third.is_some_and(|third| third.kind == Kind::Word && !third.first || third.is("::"))
            && third.is_some_and(is_declared)
        {
            return at + 1;
        }
        at
    }

    /// `MACRO(…)` without a semicolon, `FOREACH(…) {`.
    fn statement_call(&mut self, tokens: &[Token<'a>], at: usize, is_macro: bool) -> usize {
        let Some(close) = matching_close(tokens, at + 1) else { return at };
        if is_macro && let Some(comma) = declares(tokens, at, close) {
            self.declaring_call(tokens, at, comma, close);
            return close + 1;
        }
        let after = tokens.get(close + 1);
        let span = tokens[close].span;
        let name = tokens[at].text.to_ascii_lowercase();
        let is_loop = ["each", "loop", "iter", "for_"].iter().any(|word| name.contains(word));
        let is_block = after.is_some_and(|after| after.is("{"));
        let is_head = is_block || (is_loop && after.is_some_and(|after| after.kind == Kind::Word && after.first));
        if is_head {
            if !is_macro && !is_loop {
                return at;
            }
            self.repeat(tokens, at, close, is_loop);
            return close + 1;
        }
        let ends = match after {
            None => true,
            Some(after) => {
                after.is("}")
                    || after.kind == Kind::Directive
                    || (after.kind == Kind::Word && (is_macro || after.first))
            }
        };
        let inside = &tokens[at..=close];
        if !ends || inside.iter().any(|token| token.kind == Kind::Directive) || (!is_macro && !ends_line(after)) {
            return at;
        }
        if !is_macro {
            return at;
        }
        let mut list = inside.to_vec();
        list.push(Token::made(Kind::Punct, ";", span));
        // The name itself must not be taken for a head again.
        let first = list.remove(0);
        self.out.push(first);
        self.process(&list);
        close + 1
    }

    /// `CAST(T *, name, rest)` as `T * name = CAST(rest);`: a macro whose definition nobody sees, given a pointer type
    /// and a name, declares a variable.
    fn declaring_call(&mut self, tokens: &[Token<'a>], at: usize, comma: usize, close: usize) {
        let rest = if comma + 2 < close { comma + 3 } else { close };
        let mut list = tokens[at + 2..comma].to_vec();
        list.push(tokens[comma + 1].clone());
        list.push(Token::made(Kind::Punct, "=", tokens[at].span));
        list.extend([tokens[at].clone(), tokens[at + 1].clone()]);
        list.extend_from_slice(&tokens[rest..=close]);
        if !tokens.get(close + 1).is_some_and(|after| after.is(";")) {
            list.push(Token::made(Kind::Punct, ";", tokens[close].span));
        }
        self.process(&list);
    }

    /// `FOREACH(T x, list) {` as a range `for`, other macros before a block as the head of a `while` or `if`.
    fn repeat(&mut self, tokens: &[Token<'a>], at: usize, close: usize, is_loop: bool) {
        let (span, end) = (tokens[at].span, tokens[close].span);
        let inside = &tokens[at + 2..close];
        let comma = inside.iter().position(|token| token.is(",") || token.is_word("in"));
        let is_declaration = |first: &[Token<'a>]| {
            first.windows(2).any(|pair| {
                pair[1].kind == Kind::Word && (pair[0].kind == Kind::Word || matches!(&*pair[0].text, "*" | "&" | ">"))
            })
        };
        let keyword = match comma {
            Some(comma) if is_loop && is_declaration(&inside[..comma]) => "for",
            _ if is_loop => "while",
            _ => "if",
        };
        self.out.push(Token::made(Kind::Word, keyword, span));
        self.raw(&Token::made(Kind::Punct, "(", span));
        let mut list = if keyword == "for" { inside.to_vec() } else { tokens[at..=close].to_vec() };
        if let Some(comma) = comma.filter(|_| keyword == "for") {
            list[comma] = Token::made(Kind::Punct, ":", span);
        }
        list.retain(|token| token.kind != Kind::Directive);
        let mut index = 0;
        while index < list.len() {
            index = self.inner_token(&list, index);
        }
        self.raw(&Token::made(Kind::Punct, ")", end));
    }
}

/// An argument that is not there.
fn has_gap(arguments: &[Token<'_>]) -> bool {
    arguments.first().is_some_and(|first| first.is(","))
        || arguments.windows(2).any(|pair| pair[0].is(",") && pair[1].is(","))
}

fn ends_line(after: Option<&Token<'_>>) -> bool {
    after.is_none_or(|after| after.first)
}

/// Where the head of an item ends: at `;`, `{`, `}`, `=`, `:` or a directive outside brackets.
fn head_end(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at).take(LONGEST) {
        match token.kind {
            Kind::Directive => return (depth == 0).then_some(index),
            Kind::Punct => {
                if depth == 0 && matches!(&*token.text, ";" | "{" | "}" | "=" | ":") {
                    return Some(index);
                }
                depth += token.nesting();
                if depth < 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    (tokens.len() - at <= LONGEST).then_some(tokens.len())
}

/// The path that a macro's first argument is, if it is one.
fn defined_name<'a>(arguments: &[Token<'a>]) -> Vec<Token<'a>> {
    let end = arguments.iter().position(|token| token.is(",")).unwrap_or(arguments.len());
    let first = &arguments[..end];
    let is_path = !first.is_empty()
        && first
            .iter()
            .enumerate()
            .all(|(at, token)| if at % 2 == 0 { token.kind == Kind::Word } else { token.is("::") })
        && first.len() % 2 == 1;
    if is_path { first.to_vec() } else { Vec::new() }
}

/// A head without the macros that only decorate it.
fn clean_head<'a>(head: &[Token<'a>], terminator: &str) -> Vec<Token<'a>> {
    let mut drop = vec![false; head.len()];
    let is_upper = |token: &Token<'_>| token.kind == Kind::Word && looks_like_macro(&token.text);
    let key = head
        .iter()
        .take_while(|token| !token.is("("))
        .position(|token| matches!(&*token.text, "class" | "struct" | "union"));
    if let Some(key) = key.filter(|_| matches!(terminator, "{" | ":")) {
        // `class EXPORT Name {`: all words but the last are decoration.
        let words: Vec<usize> = (key + 1..head.len())
            .take_while(|index| {
                head[*index].kind == Kind::Word || head[*index].is("(") || head[*index].is(")") || head[*index].is("::")
            })
            .filter(|index| head[*index].kind == Kind::Word && head[*index].text != "final")
            .collect();
        for pair in words.windows(2) {
            if is_upper(&head[pair[0]]) && pair[1] == pair[0] + 1 {
                drop[pair[0]] = true;
            }
        }
    }
    // `EXPORT int name(`, `DWORD WINAPI name(`: of the words before the name one must stay for the type.
    let run_end = head.iter().position(|token| token.kind != Kind::Word && !token.is("::")).unwrap_or(head.len());
    let run: Vec<usize> = (0..run_end).filter(|index| head[*index].kind == Kind::Word).collect();
    if key.is_none() && run.len() >= 2 && head[0].text != "template" {
        let is_named = head.get(run_end).is_none_or(|token| token.is("(") || token.is("[") || token.is(","));
        let name = if is_named { run.last().copied() } else { None };
        let mut types = run.iter().filter(|index| Some(**index) != name && !is_modifier(&head[**index])).count();
        for &index in &run {
            let joined =
                head.get(index + 1).is_some_and(|token| token.is("::")) || index > 0 && head[index - 1].is("::");
            let before_type = head.get(index + 1).is_some_and(|next| PRIMITIVES.contains(&&*next.text))
                && !PRIMITIVES.contains(&&*head[index].text);
            let is_type_word = TYPE_WORDS.contains(&&*head[index].text);
            if Some(index) != name && types > 1 && (is_upper(&head[index]) || before_type) && !joined && !is_type_word {
                drop[index] = true;
                types -= 1;
            }
        }
    }
    drop_attributes(head, terminator, &mut drop);
    head.iter().zip(drop).filter(|(_, drop)| !drop).map(|(token, _)| token.clone()).collect()
}

/// Types that are keywords, or as good as.
const PRIMITIVES: [&str; 14] = [
    "void", "int", "bool", "char", "float", "double", "auto", "size_t", "unsigned", "long", "short", "uint32_t",
    "int32_t", "wchar_t",
];

/// Macros beside a declared name: `void *CALL name(`, `void name() NOEXCEPT`, `T name GUARDED_BY(x)`.
fn drop_attributes(head: &[Token<'_>], terminator: &str, drop: &mut [bool]) {
    let is_upper = |token: &Token<'_>| token.kind == Kind::Word && looks_like_macro(&token.text);
    let mut depth = 0;
    let mut called = false;
    let mut index = 0;
    while index < head.len() {
        let token = &head[index];
        if depth == 0 && is_upper(token) && index > 0 {
            let before = &head[index - 1];
            let is_call = head.get(index + 1).is_some_and(|next| next.is("("));
            let declared = before.kind == Kind::Word
                && !TYPE_WORDS.contains(&&*before.text)
                && index >= 2
                && (head[index - 2].kind == Kind::Word && !TYPE_WORDS.contains(&&*head[index - 2].text)
                    || matches!(&*head[index - 2].text, ">" | "*" | "&"));
            if called || (is_call && declared && matches!(terminator, ";" | "=")) {
                drop[index] = true;
                if is_call && let Some(close) = matching_close(head, index + 1) {
                    drop[index..=close].fill(true);
                    index = close;
                }
            } else if matches!(&*before.text, "*" | "&" | ">")
                && head.get(index + 1).is_some_and(|next| next.kind == Kind::Word)
            {
                drop[index] = true;
            }
        } else {
            depth += token.nesting();
            // Initialisers and trailing types follow other rules.
            called |= depth == 0 && token.is(")");
        }
        index += 1;
    }
}

fn is_modifier(token: &Token<'_>) -> bool {
    matches!(
        &*token.text,
        "static"
            | "inline"
            | "extern"
            | "const"
            | "constexpr"
            | "virtual"
            | "explicit"
            | "friend"
            | "volatile"
            | "typedef"
            | "mutable"
    )
}
