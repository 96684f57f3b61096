//! `#if` groups: where every side parses as it stands, all sides stay; where an `#if` splits a statement, the statement is
//! written out once for each side; where neither can be, one side is taken.

use super::mend::{Mender, Open, as_cond, matching_open};
use super::prepared::CONFIG;
use super::token::{Kind, Token};
use crate::model::{Language, Name};
use crate::text::Span;
use std::ops::Range;

/// A preprocessor condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Its text without spaces and without an outer `!`.
    pub(super) text: Name,
    /// It had an outer `!`.
    pub(super) is_negated: bool,
    /// What it is in every build.
    constant: Option<bool>,
}

/// One side of a group: its condition (none for `#else`) and its tokens.
type Side = (Option<Condition>, Range<usize>);

/// `#if` to `#endif`.
#[derive(Clone, Debug)]
pub(super) struct Group {
    sides: Vec<Side>,
    /// Index past the `#endif`.
    pub(super) end: usize,
    /// Where the `#if` stands in the file.
    span: Span,
}

impl Condition {
    fn of(name: &str, rest: &str, language: Language) -> Self {
        let text: String = rest.split_whitespace().collect();
        let (text, mut is_negated) = match name {
            "ifdef" | "elifdef" => (format!("defined({text})"), false),
            "ifndef" | "elifndef" => (format!("defined({text})"), true),
            _ => (text, false),
        };
        let mut text = text.as_str();
        while let Some(inner) = text.strip_prefix('!') {
            let is_unit = inner.chars().all(|c| c.is_alphanumeric() || c == '_')
                || (inner.starts_with("defined")
                    && inner.matches("defined").count() == 1
                    && !inner.contains("&&")
                    && !inner.contains("||"));
            if !is_unit {
                break;
            }
            is_negated = !is_negated;
            text = inner;
        }
        let bare = text.strip_prefix("defined").map(|name| name.trim_start_matches('(').trim_end_matches(')'));
        let text = match bare {
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => format!("defined({name})"),
            _ => text.to_owned(),
        };
        let constant = match text.as_str() {
            "0" | "false" => Some(false),
            "1" | "true" => Some(true),
            "defined(__cplusplus)" | "__cplusplus" => Some(language == Language::Cpp),
            _ => None,
        };
        Condition { text: Name::from(&text), is_negated, constant: constant.map(|value| value != is_negated) }
    }
}

impl Group {
    /// Reads the group whose `#if` is at `at`; one that is never closed ends with the tokens.
    pub(super) fn read(tokens: &[Token<'_>], at: usize, language: Language) -> Self {
        let mut sides: Vec<Side> = Vec::new();
        let mut depth = 0;
        let mut start = at + 1;
        let mut condition = tokens[at].directive().map(|(name, rest)| Condition::of(name, rest, language));
        let mut end = tokens.len();
        for (index, token) in tokens.iter().enumerate().skip(at + 1) {
            if token.kind != Kind::Directive {
                continue;
            }
            match token.directive() {
                Some(("if" | "ifdef" | "ifndef", _)) => depth += 1,
                Some(("endif", _)) if depth > 0 => depth -= 1,
                Some(("endif", _)) => {
                    sides.push((condition.take(), start..index));
                    end = index + 1;
                    return Group { sides, end, span: tokens[at].span };
                }
                Some((name @ ("elif" | "elifdef" | "elifndef"), rest)) if depth == 0 => {
                    sides.push((condition.take(), start..index));
                    condition = Some(Condition::of(name, rest, language));
                    start = index + 1;
                }
                Some(("else", _)) if depth == 0 => {
                    sides.push((condition.take(), start..index));
                    start = index + 1;
                }
                _ => {}
            }
        }
        sides.push((condition, start..end));
        Group { sides, end, span: tokens[at].span }
    }

    /// The sides that can be taken, given what is settled: never-taken ones left out, nothing after an always-taken one.
    fn possible(&self, decided: &[(Name, bool)]) -> Vec<Side> {
        let mut possible = Vec::new();
        for (condition, range) in &self.sides {
            match condition.as_ref().and_then(|condition| value_of(condition, decided)) {
                Some(false) => {}
                Some(true) => {
                    possible.push((None, range.clone()));
                    return possible;
                }
                None => {
                    possible.push((condition.clone(), range.clone()));
                    if condition.is_none() {
                        return possible;
                    }
                }
            }
        }
        possible.push((None, 0..0));
        possible
    }
}

fn value_of(condition: &Condition, decided: &[(Name, bool)]) -> Option<bool> {
    condition.constant.or_else(|| {
        let (_, value) = decided.iter().rev().find(|(text, _)| *text == condition.text)?;
        Some(*value != condition.is_negated)
    })
}

/// What taking the n-th side settles.
fn decisions(sides: &[Side], taken: usize) -> Vec<(Name, bool)> {
    let mut settled = Vec::new();
    for (at, (condition, _)) in sides.iter().enumerate().take(taken + 1) {
        if let Some(condition) = condition {
            settled.push((condition.text, (at == taken) != condition.is_negated));
        }
    }
    settled
}

impl<'a> Mender<'a> {
    /// Mends a group.
    pub(super) fn group(&mut self, tokens: &[Token<'a>], group: Group) {
        let sides = group.possible(&self.decided);
        if let [(None, range)] = sides.as_slice() {
            self.process(&tokens[range.clone()]);
            return;
        }
        if sides.iter().all(|(_, range)| is_empty(&tokens[range.clone()])) {
            return;
        }
        let in_list =
            matches!(self.open.last(), Some((Open::List | Open::Paren(_) | Open::ForHead | Open::Bracket, _)))
                && self.is_list(&sides, tokens);
        let is_whole = self.at_boundary() && sides.iter().all(|(_, range)| is_whole(&tokens[range.clone()]));
        if in_list || (is_whole && !self.is_code()) {
            self.all_sides(tokens, &sides);
        } else if is_whole && self.is_code() && !self.in_parens() {
            self.branches(tokens, &sides, group.span, &[], 0..0);
        } else if self.open.iter().any(|(open, _)| *open == Open::Code) && self.complete(tokens, &group, &sides) {
            // Written out once for each side.
        } else {
            self.one_side(tokens, &sides);
        }
    }

    /// Whether a statement or item has just ended.
    fn at_boundary(&self) -> bool {
        !self.in_parens()
            && self.out.last().is_none_or(|last| {
                last.kind == Kind::Directive
                    || matches!(&*last.text, ";" | "{" | "}")
                    || (last.is(":") && self.at_start())
                    || (last.is(")") && self.at_items())
            })
    }

    /// Elements of a list, with their commas.
    fn is_list(&self, sides: &[Side], tokens: &[Token<'a>]) -> bool {
        let after_comma = self.out.last().is_some_and(|last| last.is(",") || last.is("{") || last.is("("));
        sides.iter().all(|(_, range)| {
            let side = &tokens[range.clone()];
            let real: Vec<_> = side.iter().filter(|token| token.kind != Kind::Directive).collect();
            let (Some(first), Some(last)) = (real.first(), real.last()) else { return true };
            is_balanced(side)
                && !side.iter().any(|token| token.is(";"))
                && ((after_comma && last.is(",")) || first.is(","))
        })
    }

    /// Every side, one after the other.
    fn all_sides(&mut self, tokens: &[Token<'a>], sides: &[Side]) {
        for (taken, (_, range)) in sides.iter().enumerate() {
            let settled = self.decided.len();
            self.decided.extend(decisions(sides, taken));
            self.process(&tokens[range.clone()]);
            self.decided.truncate(settled);
        }
    }

    /// One side: the one taken before under the same condition, else the first that holds something.
    fn one_side(&mut self, tokens: &[Token<'a>], sides: &[Side]) {
        let leaning = sides.iter().position(|(condition, _)| match condition {
            Some(condition) => value_of(condition, &self.leaning) == Some(true),
            None => true,
        });
        let leaned =
            sides.iter().any(|(condition, _)| condition.as_ref().is_some_and(|c| value_of(c, &self.leaning).is_some()));
        let taken = match leaning.filter(|_| leaned) {
            Some(taken) => taken,
            None => sides.iter().position(|(_, range)| !is_empty(&tokens[range.clone()])).unwrap_or(0),
        };
        if !leaned {
            self.leaning.extend(decisions(sides, taken));
        }
        let range = sides[taken].1.clone();
        self.process(&tokens[range]);
    }

    /// `#ifdef CONFIG_n … #else … #endif`, with what stands before and behind each side written into it.
    fn branches(&mut self, tokens: &[Token<'a>], sides: &[Side], span: Span, prefix: &[Token<'a>], tail: Range<usize>) {
        let mut open = 0;
        let start = self.start;
        for (taken, (condition, range)) in sides.iter().enumerate() {
            if taken > 0 {
                self.out.push(Token::made(Kind::Directive, "#else", span));
            }
            if let Some(condition) = condition {
                let number = self.conditions.len();
                self.conditions.push(as_cond(condition));
                self.out.push(Token::made(Kind::Directive, format!("#ifdef {CONFIG}{number}"), span));
                open += 1;
            }
            let depth = self.open.len();
            let settled = self.decided.len();
            self.decided.extend(decisions(sides, taken));
            self.start = self.out.len();
            if prefix.is_empty() && tail.is_empty() {
                self.process(&tokens[range.clone()]);
            } else {
                let mut list = prefix.to_vec();
                list.extend_from_slice(&tokens[range.clone()]);
                list.extend_from_slice(&tokens[tail.clone()]);
                self.budget = self.budget.saturating_sub(list.len());
                self.process(&list);
            }
            self.decided.truncate(settled);
            while self.open.len() > depth {
                self.close_one(span);
            }
        }
        for _ in 0..open {
            self.out.push(Token::made(Kind::Directive, "#endif", span));
        }
        self.start = if self.is_code() { self.out.len() } else { start };
    }

    /// Writes the statement that the group splits out once for each side. Where a side closes the block around it
    /// (`} else if (x) {`), that is the statement to which the block belongs.
    fn complete(&mut self, tokens: &[Token<'a>], group: &Group, sides: &[Side]) -> bool {
        let blocks: Vec<usize> =
            (0..self.open.len()).rev().filter(|at| self.open[*at].0 == Open::Code).take(4).collect();
        for code in blocks {
            // A class between here and the statement's block: what is split is a declaration.
            if self.open[code + 1..].iter().any(|(open, _)| matches!(open, Open::Class(_) | Open::Items)) {
                return false;
            }
            let begins_else = sides.iter().any(|(_, range)| tokens[range.clone()].first().is_some_and(is_continuation))
                || tokens.get(group.end).is_some_and(is_continuation);
            let start = self.statement_start(code, begins_else);
            let prefix = self.out[start..].to_vec();
            if prefix.iter().any(|token| token.kind == Kind::Directive) {
                return false;
            }
            let Some(end) = statement_end(tokens, group, sides, &prefix, self.language) else { continue };
            if (prefix.len() + end - group.end) * sides.len() > self.budget {
                return false;
            }
            self.out.truncate(start);
            self.open.truncate(code + 1);
            self.start = start;
            self.branches(tokens, sides, group.span, &prefix, group.end..end);
            // What lies behind was written already.
            self.skip_to = Some(end);
            return true;
        }
        false
    }

    /// Where in the output the statement begins that is being written, `if` before `else` included.
    fn statement_start(&self, code: usize, begins_else: bool) -> usize {
        let inner = self.open.get(code + 1).map(|(_, start)| *start);
        let mut start = inner.unwrap_or(self.start).min(self.out.len());
        let mut continues = begins_else && start == self.out.len();
        loop {
            continues |= self.out.get(start).is_some_and(is_continuation);
            if !continues || start == 0 {
                return start;
            }
            continues = false;
            // Back over the block or statement before.
            let mut at = start - 1;
            if self.out[at].is("}") {
                at = matching_open(&self.out, at).unwrap_or(0);
            }
            while at > 0 {
                let before = &self.out[at - 1];
                if before.kind == Kind::Directive
                    || matches!(&*before.text, ";" | "{" | "}") && before.kind == Kind::Punct
                {
                    break;
                }
                at = if before.nesting() < 0 { matching_open(&self.out, at - 1).unwrap_or(0) } else { at - 1 };
            }
            if at >= start {
                return start;
            }
            start = at;
        }
    }
}

/// A word that goes on with the statement before it.
fn is_continuation(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && matches!(&*token.text, "else" | "catch" | "__except" | "__finally")
}

fn is_empty(tokens: &[Token<'_>]) -> bool {
    tokens.iter().all(|token| {
        token.kind == Kind::Directive && !matches!(token.directive(), Some(("if" | "ifdef" | "ifndef", _)))
    })
}

/// Brackets open and close within; of an inner group only the first side counts.
fn is_balanced(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].kind == Kind::Directive && matches!(tokens[at].directive(), Some(("if" | "ifdef" | "ifndef", _)))
        {
            let group = Group::read(tokens, at, Language::Cpp);
            if let Some((_, range)) = group.sides.first() {
                for token in &tokens[range.clone()] {
                    depth += token.nesting();
                }
            }
            at = group.end;
        } else {
            depth += tokens[at].nesting();
            at += 1;
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Whole statements or items: balanced, and neither beginning nor ending in the middle.
fn is_whole(tokens: &[Token<'_>]) -> bool {
    let real: Vec<&Token<'_>> = tokens.iter().filter(|token| token.kind != Kind::Directive).collect();
    let (Some(first), Some(last)) = (real.first(), real.last()) else { return true };
    let ends = last.kind == Kind::Punct && matches!(&*last.text, ";" | "}" | ":")
        || (last.is(")") && first.kind == Kind::Word && super::statement::looks_like_macro(&first.text));
    let begins = !is_continuation(first)
        && (first.kind == Kind::Word
            || matches!(&*first.text, "{" | "*" | "(" | "++" | "--" | "~" | ";" | "::" | "[" | "@" | "-" | "+"));
    ends && begins && is_balanced(tokens)
}

/// Index past the statement that a group splits: the first place where it is over whichever side is taken.
fn statement_end(
    tokens: &[Token<'_>],
    group: &Group,
    sides: &[Side],
    prefix: &[Token<'_>],
    language: Language,
) -> Option<usize> {
    struct Path {
        depth: i32,
        lowest: i32,
        over: bool,
        settled: Vec<(Name, bool)>,
    }
    impl Path {
        fn take(&mut self, token: &Token<'_>) {
            self.depth += token.nesting();
            self.lowest = self.lowest.min(self.depth);
            self.over = self.depth == 0 && token.kind == Kind::Punct && matches!(&*token.text, ";" | "}");
        }
        fn take_all(&mut self, tokens: &[Token<'_>], language: Language) {
            let mut at = 0;
            while at < tokens.len() {
                if tokens[at].kind == Kind::Directive {
                    at = self.take_group(tokens, at, language);
                } else {
                    self.take(&tokens[at]);
                    at += 1;
                }
            }
        }
        fn take_group(&mut self, tokens: &[Token<'_>], at: usize, language: Language) -> usize {
            if !matches!(tokens[at].directive(), Some(("if" | "ifdef" | "ifndef", _))) {
                return at + 1;
            }
            let group = Group::read(tokens, at, language);
            if let Some((_, range)) = group.possible(&self.settled).into_iter().next() {
                let inner = tokens[range].to_vec();
                self.take_all(&inner, language);
            }
            group.end
        }
    }
    let mut paths: Vec<Path> = Vec::new();
    for (taken, (_, range)) in sides.iter().enumerate() {
        let mut path = Path { depth: 0, lowest: 0, over: prefix.is_empty(), settled: decisions(sides, taken) };
        prefix.iter().for_each(|token| path.take(token));
        path.take_all(&tokens[range.clone()], language);
        paths.push(path);
    }
    let mut at = group.end;
    let limit = (at + 12_000).min(tokens.len());
    loop {
        if paths.iter().any(|path| path.lowest < 0) {
            return None;
        }
        let next = tokens.get(at);
        if paths.iter().all(|path| path.over && path.depth == 0) && !next.is_some_and(is_continuation) {
            return Some(at);
        }
        let next = next.filter(|_| at < limit)?;
        if next.is("}") && paths.iter().all(|path| path.depth == 0) {
            return Some(at);
        }
        if next.kind == Kind::Directive {
            let mut end = at + 1;
            for path in &mut paths {
                end = path.take_group(tokens, at, language);
            }
            at = end;
        } else {
            for path in &mut paths {
                path.take(next);
            }
            at += 1;
        }
    }
}
