//! Edits that fixes are made of: statements put before, behind, into or around others, with the blanks and line ends of the
//! text they go into. Works on text and spans; whether the code is right is the rule's to know, and whether the edit keeps
//! its promise is tried before it is written.

pub(in crate::rules) mod finalizer;
pub(in crate::rules) mod finally;
pub(in crate::rules) mod handle;
pub(in crate::rules) mod listener;
pub(in crate::rules) mod member;
pub(in crate::rules) mod native;

use crate::text::{Edit, FileId, Span};

/// The blanks at the start of the line of an offset.
pub(in crate::rules) fn indent(text: &str, at: u32) -> &str {
    let start = line_start(text, at as usize);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// The line of an offset, with its end.
pub(in crate::rules) fn line_of(text: &str, at: u32) -> std::ops::Range<usize> {
    let start = line_start(text, at as usize);
    start..text[at as usize..].find('\n').map_or(text.len(), |end| at as usize + end + 1)
}

/// Whether only blanks stand between the start of the line and the offset.
fn starts_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].trim().is_empty()
}

/// A statement with its semicolon, where one follows.
pub(in crate::rules) fn whole(text: &str, statement: Span) -> Span {
    let rest = &text[statement.end as usize..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let ends = statement.of(text).trim_end().ends_with([';', '}']);
    let end = if !ends && rest[blanks..].starts_with(';') { statement.end + blanks as u32 + 1 } else { statement.end };
    Span::new(statement.start, end)
}

/// `;`, where a statement of the text ends with it.
pub(in crate::rules) fn semicolon(text: &str, statement: Span) -> &'static str {
    if whole(text, statement).of(text).ends_with(';') { ";" } else { "" }
}

/// What rules the statement at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// A block: others may stand beside it.
    Block,
    /// A condition or loop without braces.
    Head,
    /// It is no statement: something goes on here.
    Expression,
}

/// The text before an offset without comments, blanks and directives at its end.
pub(in crate::rules) fn code_before(text: &str, at: u32) -> &str {
    let mut before = text[..at as usize].trim_end();
    loop {
        let line = before.rsplit('\n').next().unwrap_or("");
        let comment = line.find("//").filter(|at| !line[..*at].ends_with(':'));
        if line.trim_start().starts_with(['#', '*']) {
            before = before[..before.len() - line.len()].trim_end();
        } else if let Some(at) = comment {
            before = before[..before.len() - line.len() + at].trim_end();
        } else if before.ends_with("*/") {
            before = before[..before.rfind("/*").unwrap_or(0)].trim_end();
        } else {
            return before;
        }
    }
}

fn context(text: &str, at: u32) -> Context {
    let before = code_before(text, at);
    let word = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    match before.chars().next_back() {
        None | Some('{' | '}' | ';' | ':') => Context::Block,
        Some(')') if rules_one(before) => Context::Head,
        Some(_) if matches!(word, "else" | "do") => Context::Head,
        Some(c) if starts_line(text, at as usize) && word != "return" => {
            let ends = c.is_alphanumeric() || matches!(c, ')' | ']' | '_' | '$' | '"' | '\'' | '`');
            if ends { Context::Block } else { Context::Expression }
        }
        Some(_) => Context::Expression,
    }
}

/// Whether a text ends with the head of a condition or loop: `if (...)`.
fn rules_one(before: &str) -> bool {
    let mut depth = 0_i32;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let head = before[..at].trim_end();
            let word = head.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
            return matches!(word, "if" | "for" | "while" | "with" | "constexpr" | "await");
        }
    }
    false
}

/// Puts a statement before another; both in braces where the other is the only one that a condition or loop rules.
pub(in crate::rules) fn before(file: FileId, text: &str, statement: Span, code: &str) -> Option<Vec<Edit>> {
    let statement = whole(text, statement);
    let at = Span::new(statement.start, statement.start);
    let own_line = starts_line(text, statement.start as usize);
    match context(text, statement.start) {
        Context::Expression => None,
        Context::Block => {
            let between = if own_line { format!("\n{}", indent(text, statement.start)) } else { " ".to_owned() };
            Some(vec![Edit { file, span: at, text: format!("{code}{between}") }])
        }
        Context::Head => {
            let end = Span::new(statement.end, statement.end);
            let head = text[..statement.start as usize].trim_end();
            if !own_line || head.len() != code_before(text, statement.start).len() {
                return Some(vec![
                    Edit { file, span: at, text: format!("{{ {code} ") },
                    Edit { file, span: end, text: " }".to_owned() },
                ]);
            }
            let (inner, outer) = (indent(text, statement.start), indent(text, head.len() as u32));
            let head = Span::new(head.len() as u32, head.len() as u32);
            Some(vec![
                Edit { file, span: head, text: " {".to_owned() },
                Edit { file, span: at, text: format!("{code}\n{inner}") },
                Edit { file, span: end, text: format!("\n{outer}}}") },
            ])
        }
    }
}

/// Puts a statement behind another, on a line of its own; none where that would need braces.
pub(in crate::rules) fn behind(file: FileId, text: &str, statement: Span, code: &str) -> Option<Edit> {
    let statement = whole(text, statement);
    if context(text, statement.start) != Context::Block {
        return None;
    }
    let rest = text[statement.end as usize..].split('\n').next().unwrap_or("");
    let remark = rest.trim();
    let ends_line =
        remark.is_empty() || remark.starts_with("//") || (remark.starts_with("/*") && remark.ends_with("*/"));
    let (at, between) = if ends_line {
        (statement.end + rest.trim_end().len() as u32, format!("\n{}", indent(text, statement.start)))
    } else {
        (statement.end, " ".to_owned())
    };
    Some(Edit { file, span: Span::new(at, at), text: format!("{between}{code}") })
}

/// Puts a statement at the end of a block, of which the closing brace is at the offset.
pub(in crate::rules) fn at_end(file: FileId, text: &str, brace: u32, code: &str) -> Option<Edit> {
    if text.as_bytes().get(brace as usize) != Some(&b'}') {
        return None;
    }
    if !starts_line(text, brace as usize) {
        let blank = if text[..brace as usize].ends_with([' ', '\t', '{']) { "" } else { " " };
        let lead = if text[..brace as usize].ends_with('{') { " " } else { blank };
        return Some(Edit { file, span: Span::new(brace, brace), text: format!("{lead}{code} ") });
    }
    let line = line_start(text, brace as usize);
    let outer = indent(text, brace);
    let last = text[..line].trim_end();
    let inner = indent(text, last.len() as u32);
    let inner = if last.ends_with('{') || inner.len() <= outer.len() {
        format!("{outer}{}", if outer.contains('\t') { "\t" } else { "  " })
    } else {
        inner.to_owned()
    };
    let at = Span::new(line as u32, line as u32);
    Some(Edit { file, span: at, text: format!("{inner}{code}\n") })
}

/// Puts a statement at the start of a block, of which the opening brace is at the offset.
pub(in crate::rules) fn at_start(file: FileId, text: &str, brace: u32, code: &str) -> Option<Edit> {
    if text.as_bytes().get(brace as usize) != Some(&b'{') {
        return None;
    }
    let rest = &text[brace as usize + 1..];
    let line = rest.split('\n').next().unwrap_or("");
    let at = Span::new(brace + 1, brace + 1);
    if !line.trim().is_empty() || !rest.contains('\n') {
        return Some(Edit { file, span: at, text: format!(" {code}") });
    }
    let next = rest[line.len()..].trim_start();
    let inner = if next.starts_with('}') {
        let outer = indent(text, brace);
        format!("{outer}{}", if outer.contains('\t') { "\t" } else { "  " })
    } else {
        indent(text, (text.len() - next.len()) as u32).to_owned()
    };
    Some(Edit { file, span: at, text: format!("\n{inner}{code}") })
}

/// Whether a text has a word, as a word.
pub(in crate::rules) fn mentions(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_part)
            && !text[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

/// Whether a text is one name.
pub(in crate::rules) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::apply;

    const FILE: FileId = FileId(0);

    fn span(text: &str, part: &str) -> Span {
        let at = text.find(part).unwrap();
        Span::new(at as u32, (at + part.len()) as u32)
    }

    fn changed(text: &str, edits: &[Edit]) -> String {
        apply(text, &edits.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn statements_go_before_others_with_braces_where_needed() {
        let put = |text: &str| changed(text, &before(FILE, text, span(text, "return 1"), "f();").unwrap());
        assert_eq!(put("{\n\ta();\n\treturn 1;\n}"), "{\n\ta();\n\tf();\n\treturn 1;\n}");
        assert_eq!(put("if (a) return 1;\nb();"), "if (a) { f(); return 1; }\nb();");
        assert_eq!(put("  if (a)\n    return 1;\n"), "  if (a) {\n    f();\n    return 1;\n  }\n");
        assert_eq!(put("if (a) // why\n  return 1;\n"), "if (a) // why\n  { f(); return 1; }\n");
        assert_eq!(put("a(); // why\nreturn 1;\n"), "a(); // why\nf();\nreturn 1;\n");
        assert_eq!(put("else return 1;"), "else { f(); return 1; }");
        assert_eq!(put("a();\n#ifdef X\nreturn 1;\n#endif"), "a();\n#ifdef X\nf();\nreturn 1;\n#endif");
        assert_eq!(put("a()\nreturn 1"), "a()\nf();\nreturn 1");
        assert_eq!(before(FILE, "x = () => y", Span::new(10, 11), "f();"), None);
        assert_eq!(put("case 2:\n  return 1;"), "case 2:\n  f();\n  return 1;");
    }

    #[test]
    fn statements_go_behind_others_and_their_remarks() {
        let put = |text: &str| behind(FILE, text, span(text, "b()"), "f();").map(|edit| changed(text, &[edit]));
        assert_eq!(put("{\n  b(); // why\n  c();\n}").unwrap(), "{\n  b(); // why\n  f();\n  c();\n}");
        assert_eq!(put("a(); b(); c();").unwrap(), "a(); b(); f(); c();");
        assert_eq!(put("if (a) b();"), None);
    }

    #[test]
    fn statements_go_into_blocks() {
        let end = |text: &str| {
            let brace = text.rfind('}').unwrap() as u32;
            at_end(FILE, text, brace, "f();").map(|edit| changed(text, &[edit])).unwrap()
        };
        assert_eq!(end("x() {\n    a();\n}"), "x() {\n    a();\n    f();\n}");
        assert_eq!(end("  x() {\n  }"), "  x() {\n    f();\n  }");
        assert_eq!(end("x() { a(); }"), "x() { a(); f(); }");
        assert_eq!(end("x() {}"), "x() { f(); }");
        let start = |text: &str| {
            let brace = text.find('{').unwrap() as u32;
            at_start(FILE, text, brace, "f();").map(|edit| changed(text, &[edit])).unwrap()
        };
        assert_eq!(start("x() {\n\n    a();\n}"), "x() {\n    f();\n\n    a();\n}");
        assert_eq!(start("x() { a(); }"), "x() { f(); a(); }");
        assert_eq!(start("x() {\n}"), "x() {\n  f();\n}");
    }

    #[test]
    fn names_are_words() {
        assert!(mentions("f(buffer)", "buffer") && !mentions("f(buffer2)", "buffer"));
        assert!(is_name("a_1") && !is_name("a.b") && !is_name("1a"));
    }
}
