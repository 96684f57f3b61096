//! Words and brackets inside statements that the grammar does not take: attributes, keywords of the other language, parts
//! of strings, types among arguments.

use super::mend::{Mender, Open, matching_close};
use super::statement::looks_like_macro;
use super::token::{Kind, Token};
use crate::model::Language;
use std::borrow::Cow;

/// Words that say nothing to us, alone or with arguments in parentheses.
const IGNORED: [&str; 71] = [
    "__extension__",
    "__restrict",
    "__restrict__",
    "restrict",
    "__inline",
    "__inline__",
    "__forceinline",
    "__stdcall",
    "__cdecl",
    "__fastcall",
    "__thiscall",
    "__vectorcall",
    "_Noreturn",
    "__volatile__",
    "__unused",
    "__const",
    "WINAPI",
    "CALLBACK",
    "APIENTRY",
    "STDMETHODCALLTYPE",
    "PASCAL",
    "FAR",
    "CDECL",
    "EXTERN_C",
    "JNICALL",
    "JNIEXPORT",
    "NAPI_CDECL",
    "NAPI_EXTERN",
    "NODE_EXTERN",
    "V8_INLINE",
    "V8_EXPORT",
    "NAN_INLINE",
    "NAN_DEPRECATED",
    "V8_WARN_UNUSED_RESULT",
    "_In_",
    "_Out_",
    "_Inout_",
    "_In_opt_",
    "_Out_opt_",
    "_Inout_opt_",
    "IN",
    "OUT",
    "OPTIONAL",
    "_Nullable",
    "_Nonnull",
    "__nullable",
    "__nonnull",
    "__autoreleasing",
    "__strong",
    "__weak",
    "__bridge",
    "__bridge_retained",
    "__bridge_transfer",
    "__unsafe_unretained",
    "__block",
    "__kindof",
    "Q_DECL_OVERRIDE",
    "Q_DECL_FINAL",
    "Q_DECL_NOEXCEPT",
    "Q_INVOKABLE",
    "Q_OBJECT",
    "Q_GADGET",
    "__nothrow",
    "__thread",
    "_Thread_local",
    "__in",
    "__out",
    "__inout",
    "__in_opt",
    "__out_opt",
    "__reserved",
];

/// Words that are dropped together with the parentheses behind them.
const IGNORED_CALLS: [&str; 14] = [
    "__attribute__",
    "__attribute",
    "__declspec",
    "__pragma",
    "_Pragma",
    "_In_reads_",
    "_Out_writes_",
    "_Success_",
    "alignas",
    "_Alignas",
    "NAN_DEPRECATED_MSG",
    "__asm",
    "__asm__",
    "asm",
];

/// Keywords of C++ that are names in C.
const CPP_ONLY: [&str; 28] = [
    "new",
    "delete",
    "class",
    "this",
    "template",
    "private",
    "public",
    "protected",
    "namespace",
    "try",
    "catch",
    "throw",
    "operator",
    "typename",
    "using",
    "virtual",
    "friend",
    "explicit",
    "mutable",
    "and",
    "or",
    "not",
    "xor",
    "final",
    "override",
    "typeid",
    "export",
    "concept",
];

impl<'a> Mender<'a> {
    pub(super) fn word(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let token = &tokens[at];
        let text = &*token.text;
        let next = tokens.get(at + 1);
        let has_arguments = next.is_some_and(|next| next.is("("));
        if IGNORED.contains(&text) && !has_arguments && self.is_ignored_here(text, next) {
            return at + 1;
        }
        if IGNORED_CALLS.contains(&text) || text.starts_with("__asm") {
            return skip_call(tokens, at);
        }
        if self.language == Language::C && CPP_ONLY.contains(&text) {
            self.out.push(Token { text: Cow::Owned(format!("{text}_")), ..token.clone() });
            return at + 1;
        }
        if self.is_beside_string(tokens, at) {
            return if has_arguments { skip_call(tokens, at) } else { at + 1 };
        }
        if text == "operator" && self.last().is_some_and(|last| last.is("->") || last.is(".")) {
            return self.operator_call(tokens, at);
        }
        if text == "new" || text == "delete" {
            return self.allocation(tokens, at);
        }
        // Objective-C's `for (id x in list)`.
        if text == "in"
            && matches!(self.open.last(), Some((Open::ForHead, _)))
            && self.last().is_some_and(|last| last.kind == Kind::Word)
        {
            self.out.push(Token { glued: false, ..Token::made(Kind::Punct, ":", token.span) });
            return at + 1;
        }
        // `typedef RETCODE (SQL_API *pfn)(…)`
        if self.last().is_some_and(|last| last.is("("))
            && next.is_some_and(|next| next.is("*"))
            && looks_like_macro(text)
            && tokens.get(at + 2).is_some_and(|name| name.kind == Kind::Word)
            && tokens.get(at + 3).is_some_and(|close| close.is(")"))
            && tokens.get(at + 4).is_some_and(|open| open.is("("))
        {
            return at + 1;
        }
        let in_call = self.open.last().is_some_and(|(open, _)| *open == Open::Paren(true)) && self.is_code();
        let after_comma = self.last().is_some_and(|last| last.is("(") || last.is(","));
        if in_call
            && after_comma
            && next.is_some_and(|next| next.kind == Kind::Word)
            && matches!(text, "struct" | "const" | "unsigned" | "signed" | "union" | "enum" | "class" | "typename")
        {
            return at + 1;
        }
        self.out.push(token.clone());
        at + 1
    }

    /// `"%" PRIu64 "\n"`, `"version " STRINGIFY(X)`: macros that are part of a string.
    fn is_beside_string(&self, tokens: &[Token<'a>], at: usize) -> bool {
        let is_string = |token: Option<&Token<'a>>| token.is_some_and(|token| token.kind == Kind::Text);
        let mut next = at + 1;
        if tokens.get(next).is_some_and(|next| next.is("(")) {
            next = matching_close(tokens, next).map_or(next, |close| close + 1);
        }
        let (before, after) = (is_string(self.last()), is_string(tokens.get(next)));
        if before && self.out.len() >= 2 && self.out[self.out.len() - 2].is_word("extern") {
            return false;
        }
        let text = &*tokens[at].text;
        let is_macro = looks_like_macro(text) || text.starts_with("PRI") || text.starts_with("SCN");
        let is_near = after && tokens.get(next).is_some_and(|next| !next.first || self.in_parens());
        (before && after) || (is_macro && (before || is_near))
    }

    /// `p->operator*()`: an ordinary name to the grammar.
    fn operator_call(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        let mut end = at + 1;
        while end < tokens.len() && end < at + 4 && !(tokens[end].is("(") && end > at + 1) {
            end += 1;
        }
        self.out.push(Token { text: Cow::Borrowed("operator_"), ..tokens[at].clone() });
        end
    }

    /// `new T *[n]` loses its star and `delete[] (T *)p` its cast: the grammar knows neither.
    fn allocation(&mut self, tokens: &[Token<'a>], at: usize) -> usize {
        self.out.push(tokens[at].clone());
        let mut next = at + 1;
        if tokens[at].text == "delete" {
            while tokens.get(next).is_some_and(|token| token.is("[") || token.is("]")) {
                self.out.push(tokens[next].clone());
                next += 1;
            }
            if tokens.get(next).is_some_and(|token| token.is("("))
                && let Some(close) = matching_close(tokens, next)
                && tokens[close - 1].is("*")
                && tokens.get(close + 1).is_some_and(|after| after.kind == Kind::Word || after.is("(") || after.is("*"))
            {
                // What followed the cast must not stick to the keyword.
                let operand = tokens[close + 1].clone();
                if operand.kind == Kind::Word {
                    self.out.push(Token { glued: false, ..operand });
                    return close + 2;
                }
                next = close + 1;
            }
            return next;
        }
        if tokens.get(next).is_some_and(|token| token.is("("))
            && let Some(close) = matching_close(tokens, next)
        {
            let group = tokens[next..=close].to_vec();
            self.process(&group);
            next = close + 1;
        }
        // The type: words, `::` and template arguments.
        let mut angles = 0;
        let mut ahead = next;
        while let Some(token) = tokens.get(ahead).filter(|_| ahead < next + 60) {
            match &*token.text {
                "<" => angles += 1,
                ">" => angles -= 1,
                ">>" => angles -= 2,
                "::" => {}
                "*" | "," | "&" if angles > 0 => {}
                _ if token.kind == Kind::Word => {}
                _ => break,
            }
            ahead += 1;
        }
        let stars = tokens[ahead..].iter().take_while(|token| token.is("*")).count();
        let is_array = tokens.get(ahead + stars).is_some_and(|token| token.is("["));
        if stars == 0 || !is_array || ahead == next {
            return next;
        }
        self.out
            .extend(tokens[next..ahead].iter().filter(|token| !matches!(&*token.text, "const" | "struct")).cloned());
        ahead + stars
    }

    /// `IN` and `OUT` are also names: they are dropped only before a type.
    fn is_ignored_here(&self, text: &str, next: Option<&Token<'a>>) -> bool {
        if !matches!(text, "IN" | "OUT" | "OPTIONAL" | "FAR" | "PASCAL" | "restrict") {
            return true;
        }
        self.last().is_some_and(|last| last.is("(") || last.is(",") || last.is("*"))
            && next.is_some_and(|next| next.kind == Kind::Word)
            || next.is_some_and(|next| next.is("*") || (text == "OPTIONAL" && (next.is(")") || next.is(","))))
    }

    /// `if (T x = f(); x)`: a head with one semicolon of its own.
    pub(super) fn has_initial(&self, tokens: &[Token<'a>], at: usize) -> bool {
        if !self.last().is_some_and(|last| matches!(&*last.text, "if" | "switch" | "constexpr")) {
            return false;
        }
        let mut depth = 0;
        let mut semicolons = 0;
        for token in tokens[at..].iter().take(400) {
            depth += token.nesting();
            if depth == 0 {
                return semicolons == 1;
            }
            if depth == 1 && token.is(";") {
                semicolons += 1;
            }
            if depth == 2 && token.is("{") && semicolons > 0 {
                return false;
            }
        }
        false
    }

    /// `const char *name(getenv("X"));`: the grammar sees a function there, and then an error.
    pub(super) fn is_pointer_initial(&self, tokens: &[Token<'a>], at: usize) -> bool {
        let statement = self.statement();
        let [ty @ .., star, name] = statement else { return false };
        if !self.is_code() || self.in_parens() || !star.is("*") || name.kind != Kind::Word || ty.is_empty() {
            return false;
        }
        let is_type =
            ty.iter().all(|token| token.kind == Kind::Word || matches!(&*token.text, "::" | "<" | ">" | "*" | ","))
                && !matches!(&*ty[0].text, "return" | "delete" | "throw" | "case" | "goto" | "else" | "do" | "*");
        let Some(close) = matching_close(tokens, at).filter(|_| is_type) else { return false };
        let inside = &tokens[at + 1..close];
        let is_value = inside.iter().any(|token| {
            matches!(token.kind, Kind::Text | Kind::Number)
                || matches!(&*token.text, "->" | "." | "new" | "nullptr" | "NULL" | "(")
        });
        let is_signature =
            inside.iter().any(|token| matches!(&*token.text, "const" | "char" | "int" | "void" | "unsigned" | "..."))
                && !inside.iter().any(|token| token.kind == Kind::Text || token.is_word("new") || token.is("<"));
        is_value && !is_signature && tokens.get(close + 1).is_some_and(|next| next.is(";") || next.is(","))
    }

    /// `while (T *x = (errno = 0, next()))`: the grammar takes no comma there. Gives the index past the last one.
    pub(super) fn comma_in_head(&self, tokens: &[Token<'a>], at: usize) -> Option<usize> {
        let in_head = matches!(self.open.last(), Some((Open::Paren(false), _))) && self.is_code();
        if !in_head || !self.last()?.is("=") {
            return None;
        }
        let head = self.out.iter().rposition(|token| token.is("("))?;
        let is_declaration = self.out[head + 1..].iter().filter(|token| token.kind == Kind::Word).count() > 1;
        if !is_declaration || !matches!(&*self.out.get(head.checked_sub(1)?)?.text, "while" | "if") {
            return None;
        }
        let close = matching_close(tokens, at)?;
        let mut depth = 0;
        let mut last = None;
        for (index, token) in tokens.iter().enumerate().take(close).skip(at + 1) {
            depth += token.nesting();
            if depth == 0 && token.is(",") {
                last = Some(index + 1);
            }
        }
        last
    }

    /// `va_arg(list, char *)`: a type among a call's arguments, which the grammar does not take.
    pub(super) fn is_type_argument(&self, tokens: &[Token<'a>], at: usize) -> bool {
        let in_call = self.open.last().is_some_and(|(open, _)| *open == Open::Paren(true)) && self.is_code();
        let ends = tokens[at + 1..].iter().find(|token| !token.is("*"));
        in_call
            && ends.is_some_and(|next| next.is(")") || next.is(","))
            && self.last().is_some_and(|last| last.kind == Kind::Word || last.is(">"))
    }
}

/// A list without what says nothing to us.
pub(super) fn without_attributes<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let text = &*tokens[at].text;
        if tokens[at].kind == Kind::Word && IGNORED_CALLS.contains(&text) {
            at = skip_call(tokens, at);
            continue;
        }
        let is_word = tokens[at].kind == Kind::Word && IGNORED.contains(&text);
        if !is_word || matches!(text, "IN" | "OUT" | "OPTIONAL" | "FAR" | "PASCAL" | "restrict") {
            kept.push(tokens[at].clone());
        }
        at += 1;
    }
    kept
}

/// Index past a word and the parentheses or braces behind it.
fn skip_call(tokens: &[Token<'_>], at: usize) -> usize {
    let mut next = at + 1;
    while tokens.get(next).is_some_and(|token| matches!(&*token.text, "volatile" | "__volatile__" | "goto" | "inline"))
    {
        next += 1;
    }
    match tokens.get(next) {
        Some(token) if token.is("(") || token.is("{") => matching_close(tokens, next).map_or(next, |close| close + 1),
        _ => next,
    }
}
