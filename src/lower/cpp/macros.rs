//! `#define`s: what they say of leaving the function, and their expansion where the body does something.
//! Constants stay names; so does every macro that the project does not define.

use super::token::{Kind, Token, lex};
use crate::model::{Macro, Name};
use crate::text::Span;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

/// Longest body that is expanded, in tokens.
const LONGEST_BODY: usize = 600;
/// Most tokens that expansion may add to one file.
const BUDGET: usize = 400_000;

/// The macros that a file can use: its own come on top while it is lowered.
#[derive(Clone, Debug, Default)]
pub struct MacroTable {
    by_name: FxHashMap<Name, Arc<Definition>>,
}

/// A `#define`, ready for expansion.
#[derive(Debug)]
pub struct Definition {
    /// Its facts.
    pub fact: Macro,
    is_variadic: bool,
    body: Vec<Piece>,
    expands: bool,
}

#[derive(Debug)]
struct Piece {
    kind: Kind,
    text: Box<str>,
    glued: bool,
}

/// The `#define`s of a text, by a scan of its lines only.
pub fn collect_macros(text: &str) -> Vec<Arc<Definition>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(hash) = text[at..].find('#') {
        let start = at + hash;
        let before = text[..start].rsplit('\n').next().unwrap_or("");
        at = start + 1;
        let rest = text[at..].trim_start_matches([' ', '\t']);
        if !before.trim().is_empty() || !rest.starts_with("define") {
            continue;
        }
        let end = directive_end(text, at);
        let (tokens, _) = lex(&text[start..end]);
        if let Some(token) = tokens.first()
            && let Some(("define", rest)) = token.directive()
            && let Some(definition) = Definition::parse(rest, Span::new(start as u32, end as u32))
        {
            found.push(Arc::new(definition));
        }
        at = end;
    }
    found
}

/// Where the line that holds `at` ends, continued lines included.
fn directive_end(text: &str, at: usize) -> usize {
    let mut end = at;
    while let Some(line) = text[end..].find('\n') {
        let stop = end + line;
        if !text[..stop].trim_end_matches('\r').ends_with('\\') {
            return stop;
        }
        end = stop + 1;
    }
    text.len()
}

impl MacroTable {
    /// Adds macros; of several with one name the first that does something stays.
    pub fn add(&mut self, macros: &[Arc<Definition>]) {
        for definition in macros {
            self.define(definition.clone());
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether a macro may leave the function, and whether it always does, itself or through others that it uses.
    fn exits(&self, name: &str, depth: u32) -> (bool, bool) {
        let Some(definition) = Name::from_existing(name).and_then(|name| self.by_name.get(&name)) else {
            return (false, false);
        };
        if depth > 4 {
            return (definition.fact.may_exit, definition.fact.always_exits);
        }
        exits(&definition.body, |inner| if inner == name { (false, false) } else { self.exits(inner, depth + 1) })
    }

    fn define(&mut self, new: Arc<Definition>) {
        let name = new.fact.name;
        let keep = self.by_name.get(&name).is_some_and(|old| !old.body.is_empty() && (old.expands || !new.expands));
        if !keep {
            self.by_name.insert(name, new);
        }
    }
}

impl Definition {
    /// Reads what stands after `#define`.
    pub fn parse(rest: &str, span: Span) -> Option<Self> {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() {
            return None;
        }
        let (parameters, body) = match rest[end..].strip_prefix('(') {
            Some(inner) => {
                let close = inner.find(')')?;
                (Some(&inner[..close]), &inner[close + 1..])
            }
            None => (None, &rest[end..]),
        };
        let is_variadic = parameters.is_some_and(|list| list.contains("..."));
        let parameters = parameters.map(|list| {
            let names = list.split(',').map(|name| name.trim().trim_end_matches("...").trim());
            names.filter(|name| !name.is_empty()).map(Name::from).collect::<Vec<_>>()
        });
        let body = body.trim();
        let (tokens, _) = lex(body.strip_prefix('#').map_or(body, |_| body));
        let body_tokens = body_pieces(&tokens);
        let (may_exit, always_exits) = exits(&body_tokens, |_| (false, false));
        let expands = expands(name, parameters.is_some(), &body_tokens);
        let fact = Macro { name: Name::from(name), parameters, may_exit, always_exits, body: body.into(), span };
        Some(Definition { fact, is_variadic, body: body_tokens, expands })
    }
}

/// A body that begins with `#` is stringification, not a directive.
fn body_pieces(tokens: &[Token<'_>]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for token in tokens {
        if token.kind == Kind::Directive {
            pieces.push(Piece { kind: Kind::Punct, text: "#".into(), glued: false });
            let rest = token.text.trim_start().strip_prefix('#').unwrap_or("");
            let (inner, _) = lex(rest);
            pieces.extend(body_pieces(&inner));
        } else {
            pieces.push(Piece { kind: token.kind, text: (&*token.text).into(), glued: token.glued });
        }
    }
    pieces
}

/// Whether code with this body leaves the function on some path, and on every path.
fn exits(body: &[Piece], known: impl Fn(&str) -> (bool, bool)) -> (bool, bool) {
    #[derive(Clone, Copy, Default)]
    struct Block {
        conditional: bool,
        lambda: bool,
    }
    let (mut may, mut always) = (false, false);
    let mut blocks = vec![Block::default()];
    let mut conditional = false;
    let mut parens = 0;
    for (at, piece) in body.iter().enumerate() {
        let block = *blocks.last().unwrap_or(&Block::default());
        match (piece.kind, &*piece.text) {
            (Kind::Punct, "(") => parens += 1,
            (Kind::Punct, ")") => parens -= 1,
            (Kind::Punct, "{") => {
                let lambda = block.lambda || is_lambda_body(&body[..at]);
                blocks.push(Block { conditional: block.conditional || conditional, lambda });
                conditional = false;
            }
            (Kind::Punct, "}") if blocks.len() > 1 => {
                blocks.pop();
            }
            (Kind::Punct, ";") if parens <= 0 => conditional = false,
            (Kind::Punct, "?" | "&&" | "||") => conditional = true,
            (Kind::Word, "if" | "else" | "while" | "for" | "switch" | "catch") => conditional = true,
            (Kind::Word, word) => {
                let exit = match word {
                    "return" | "goto" | "co_return" if !block.lambda => (true, true),
                    "throw" => (true, true),
                    _ if block.lambda => (false, false),
                    _ => known(word),
                };
                may |= exit.0;
                always |= exit.1 && !conditional && !block.conditional;
            }
            _ => {}
        }
    }
    (may, always)
}

/// Whether `{` after these pieces opens a lambda: `[…] {` or `[…](…) {`.
fn is_lambda_body(before: &[Piece]) -> bool {
    let mut depth = 0;
    for piece in before.iter().rev() {
        match &*piece.text {
            ")" => depth += 1,
            "(" => depth -= 1,
            "]" if depth == 0 => return true,
            _ if depth == 0 && piece.kind == Kind::Punct => return false,
            "if" | "while" | "for" | "switch" | "else" | "do" if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

/// Whether expanding it shows anything that its name does not: code, declarations, calls, or nothing at all.
fn expands(name: &str, is_function: bool, body: &[Piece]) -> bool {
    if matches!(name, "NULL" | "TRUE" | "FALSE" | "true" | "false" | "bool" | "assert" | "nullptr")
        || body.len() > LONGEST_BODY
    {
        return false;
    }
    let is_path = body.iter().all(|piece| piece.kind == Kind::Word || &*piece.text == "::");
    if body.is_empty() || is_path {
        return body.is_empty() || is_function || body.first().is_some_and(|piece| &*piece.text != name);
    }
    body.iter().enumerate().any(|(at, piece)| match (piece.kind, &*piece.text) {
        (
            Kind::Word,
            "return" | "throw" | "goto" | "break" | "continue" | "new" | "delete" | "const" | "static" | "struct",
        ) => true,
        (Kind::Word, "sizeof" | "defined") => false,
        (Kind::Word, _) => body.get(at + 1).is_some_and(|next| &*next.text == "("),
        (Kind::Punct, "{" | "}" | ";" | "##" | "=") => true,
        _ => false,
    })
}

/// Expands the macros of a token list, following its own `#define`s and `#undef`s. Gives the tokens and the definitions.
pub fn expand<'a>(tokens: Vec<Token<'a>>, table: &MacroTable) -> (Vec<Token<'a>>, Vec<Macro>) {
    let mut expander = Expander {
        table,
        own: FxHashMap::default(),
        active: Vec::new(),
        left: BUDGET,
        out: Vec::new(),
        found: Vec::new(),
    };
    expander.out.reserve(tokens.len());
    expander.run(tokens);
    (expander.out, expander.found)
}

enum Item<'a> {
    Token(Token<'a>),
    /// The expansion of a macro ends here.
    End(Name),
}

struct Expander<'a, 't> {
    table: &'t MacroTable,
    /// The file's own; none where it undefined one.
    own: FxHashMap<Name, Option<Arc<Definition>>>,
    active: Vec<Name>,
    left: usize,
    out: Vec<Token<'a>>,
    found: Vec<Macro>,
}

impl<'a> Expander<'a, '_> {
    fn run(&mut self, tokens: Vec<Token<'a>>) {
        let mut input: Vec<Item<'a>> = tokens.into_iter().rev().map(Item::Token).collect();
        while let Some(item) = input.pop() {
            let token = match item {
                Item::End(name) => {
                    if let Some(at) = self.active.iter().rposition(|active| *active == name) {
                        self.active.remove(at);
                    }
                    continue;
                }
                Item::Token(token) => token,
            };
            match token.kind {
                Kind::Directive => {
                    self.directive(&token);
                    self.out.push(token);
                }
                Kind::Word => match self.definition(&token.text) {
                    Some(definition) => self.call(token, &definition, &mut input),
                    None => self.out.push(token),
                },
                _ => self.out.push(token),
            }
        }
    }

    fn directive(&mut self, token: &Token<'a>) {
        match token.directive() {
            Some(("define", rest)) => {
                let Some(mut new) = Definition::parse(rest, token.span) else { return };
                let known = |name: &str| match self.own.get(&Name::from(name)) {
                    Some(Some(own)) => (own.fact.may_exit, own.fact.always_exits),
                    Some(None) => (false, false),
                    None => self.table.exits(name, 0),
                };
                (new.fact.may_exit, new.fact.always_exits) = exits(&new.body, known);
                self.found.push(new.fact.clone());
                let name = new.fact.name;
                let keep = match self.own.get(&name) {
                    Some(Some(old)) => !old.body.is_empty() && (old.expands || !new.expands),
                    _ => false,
                };
                if !keep {
                    self.own.insert(name, Some(Arc::new(new)));
                }
            }
            Some(("undef", name)) => {
                self.own.insert(Name::from(name), None);
            }
            _ => {}
        }
    }

    fn definition(&self, name: &str) -> Option<Arc<Definition>> {
        // Most words are no macros: a name that was never interned is none for sure.
        let name = Name::from_existing(name)?;
        let definition = match self.own.get(&name) {
            Some(own) => own.as_ref()?,
            None => self.table.by_name.get(&name)?,
        };
        (definition.expands && self.left > 0 && !self.active.contains(&name)).then(|| definition.clone())
    }

    /// Replaces a macro's call by its body, which is read again.
    fn call(&mut self, token: Token<'a>, definition: &Definition, input: &mut Vec<Item<'a>>) {
        let mut span = token.span;
        let mut arguments = Vec::new();
        if let Some(parameters) = &definition.fact.parameters {
            let Some((found, consumed, end)) = arguments_of(input) else {
                self.out.push(token);
                return;
            };
            let fits = found.len() == parameters.len()
                || (parameters.is_empty() && found.len() == 1 && found[0].is_empty())
                || (definition.is_variadic && found.len() >= parameters.len());
            if !fits {
                self.out.push(token);
                return;
            }
            arguments = found;
            span = Span::new(span.start, end.max(span.end));
            input.truncate(input.len() - consumed);
        }
        let body = substitute(definition, &arguments, span);
        self.left = self.left.saturating_sub(body.len() + 1);
        self.active.push(definition.fact.name);
        input.push(Item::End(definition.fact.name));
        input.extend(body.into_iter().rev().map(Item::Token));
    }
}

/// The arguments of a call that starts at the top of the stack, how many items they take, and where the call ends.
fn arguments_of<'a>(input: &[Item<'a>]) -> Option<(Vec<Vec<Token<'a>>>, usize, u32)> {
    let mut arguments = vec![Vec::new()];
    let mut depth = 0;
    for (count, item) in input.iter().rev().enumerate() {
        let Item::Token(token) = item else { continue };
        if depth == 0 && !token.is("(") {
            return None;
        }
        match token.kind {
            Kind::Directive => return None,
            Kind::Punct => match &*token.text {
                "(" | "[" | "{" => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                ")" | "]" | "}" => {
                    depth -= 1;
                    if depth == 0 {
                        return Some((arguments, count + 1, token.span.end));
                    }
                }
                // The preprocessor itself knows only round brackets, but authors write what works.
                "," if depth == 1 => {
                    arguments.push(Vec::new());
                    continue;
                }
                _ => {}
            },
            _ => {}
        }
        if count > 20_000 {
            return None;
        }
        arguments.last_mut()?.push(token.clone());
    }
    None
}

/// The body with its parameters replaced, `#` and `##` done.
fn substitute<'a>(definition: &Definition, arguments: &[Vec<Token<'a>>], span: Span) -> Vec<Token<'a>> {
    let parameters = definition.fact.parameters.as_deref().unwrap_or(&[]);
    let argument = |name: &str| -> Option<Cow<'_, [Token<'a>]>> {
        let named = parameters.iter().position(|parameter| *parameter == *name);
        if definition.is_variadic
            && (name == "__VA_ARGS__"
                || (named.is_some() && named == parameters.len().checked_sub(1) && arguments.len() > parameters.len()))
        {
            let from = named.unwrap_or(parameters.len()).min(arguments.len());
            let mut all = Vec::new();
            for (at, argument) in arguments[from..].iter().enumerate() {
                if at > 0 {
                    all.push(Token::made(Kind::Punct, ",", span));
                }
                all.extend(argument.iter().cloned());
            }
            return Some(Cow::Owned(all));
        }
        named.and_then(|at| arguments.get(at)).map(|argument| Cow::Borrowed(argument.as_slice()))
    };
    let mut out: Vec<Token<'a>> = Vec::new();
    let mut paste = false;
    let mut at = 0;
    while let Some(piece) = definition.body.get(at) {
        at += 1;
        if piece.kind == Kind::Punct && &*piece.text == "##" {
            paste = true;
            continue;
        }
        if piece.kind == Kind::Punct
            && &*piece.text == "#"
            && let Some(value) = definition.body.get(at).and_then(|next| argument(&next.text))
        {
            at += 1;
            let text: String = value.iter().map(|token| &*token.text).collect::<Vec<_>>().join(" ");
            out.push(Token::made(Kind::Text, format!("{text:?}"), span));
            continue;
        }
        let value = (piece.kind == Kind::Word).then(|| argument(&piece.text)).flatten();
        let mut tokens = match value {
            Some(value) => {
                let mut tokens = value.into_owned();
                if let Some(first) = tokens.first_mut() {
                    first.glued = piece.glued;
                }
                tokens
            }
            None => vec![Token { glued: piece.glued, ..Token::made(piece.kind, piece.text.to_string(), span) }],
        };
        if std::mem::take(&mut paste)
            && let (Some(last), Some(first)) = (out.last_mut(), tokens.first())
        {
            // `, ## __VA_ARGS__` is the extension that eats a comma, not a pasted name.
            if last.is(",") {
                if tokens.is_empty() {
                    out.pop();
                }
            } else {
                last.text = Cow::Owned(format!("{}{}", last.text, first.text));
                last.span = span;
                tokens.remove(0);
            }
        } else if tokens.is_empty()
            && definition.body.get(at.wrapping_sub(2)).is_some_and(|before| &*before.text == "##")
            && out.last().is_some_and(|last| last.is(","))
        {
            out.pop();
        }
        out.extend(tokens);
    }
    if let Some(first) = out.first_mut() {
        first.glued = false;
    }
    out
}
