//! Suppression comments: what each covers, which findings it silences, and which comments silence nothing.
//!
//! ```text
//! // leaklint-disable-next-line RULE[, RULE] -- reason
//! code(); // leaklint-disable-line RULE -- reason
//! /* leaklint-disable RULE -- reason */ ... /* leaklint-enable RULE */
//! /* leaklint-disable-file RULE -- reason */
//! ```
//!
//! The same in JavaScript, TypeScript, C and C++. Reads comments and counts brackets; asks no project.

use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::nearest::did_you_mean;
use crate::report::{Problem, Suppressed};
use crate::text::{Edit, FileId, Location, Source, Sources, Span};

/// A comment that silences rules.
#[derive(Clone, Debug)]
struct Directive {
    file: FileId,
    comment: Span,
    rules: Vec<Named>,
    reason: String,
    covers: Span,
    /// The comment that ends its block.
    end: Option<Span>,
}

/// A rule named by a comment.
#[derive(Clone, Debug)]
struct Named {
    rule: String,
    span: Span,
    used: bool,
}

/// The suppression comments of all files.
#[derive(Clone, Debug, Default)]
pub struct Directives {
    all: Vec<Directive>,
    /// Comments that say something wrong.
    pub problems: Vec<Problem>,
}

/// What a comment asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    NextLine,
    Line,
    Block,
    File,
    Enable,
}

/// Longer words first: `leaklint-disable` starts them all.
const VERBS: &[(&str, Verb)] = &[
    ("leaklint-disable-next-line", Verb::NextLine),
    ("leaklint-disable-line", Verb::Line),
    ("leaklint-disable-file", Verb::File),
    ("leaklint-disable", Verb::Block),
    ("leaklint-enable", Verb::Enable),
];

/// Whether a text has anything to say to us at all.
pub fn concerns(text: &str) -> bool {
    text.contains("leaklint-")
}

impl Directives {
    /// Reads the comments of one file. `known` are the names of all rules.
    pub fn read(&mut self, file: FileId, source: &Source, comments: &[Span], known: &[&str], needs_reason: bool) {
        let first = self.all.len();
        for &comment in comments {
            let Some((verb, rest, at)) = directive(&source.text, comment) else { continue };
            let (names, reason) = rest.split_once("--").unwrap_or((rest, ""));
            let rules = self.names(source, names, at, known);
            let reason = reason.trim().to_owned();
            if verb == Verb::Enable {
                for open in self.all[first..].iter_mut().filter(|open| open.end.is_none()) {
                    let same = rules.is_empty() || open.rules.iter().any(|a| rules.iter().any(|b| a.rule == b.rule));
                    if same && open.covers.end as usize == source.text.len() && open.covers.start == open.comment.start
                    {
                        open.covers.end = comment.start;
                        open.end = Some(comment);
                    }
                }
                continue;
            }
            if rules.is_empty() && names.trim().is_empty() {
                self.problem(source, comment, "the comment names no rule; say which one it silences".to_owned());
            } else if needs_reason && reason.is_empty() {
                let words = "the comment gives no reason, which the configuration requires; add `-- why`";
                self.problem(source, comment, words.to_owned());
            } else if !rules.is_empty() {
                let covers = covered(verb, source, comment, comments);
                self.all.push(Directive { file, comment, rules, reason, covers, end: None });
            }
        }
    }

    fn names(&mut self, source: &Source, names: &str, at: usize, known: &[&str]) -> Vec<Named> {
        let mut rules = Vec::new();
        let mut start = at;
        for piece in names.split_inclusive([',', ' ', '\t', '\n', '\r']) {
            let rule = piece.trim_end_matches([',', ' ', '\t', '\n', '\r']);
            let span = Span::new(start as u32, (start + rule.len()) as u32);
            start += piece.len();
            if rule.is_empty() {
                continue;
            }
            if known.contains(&rule) {
                rules.push(Named { rule: rule.to_owned(), span, used: false });
            } else {
                let message = format!("unknown rule `{rule}`{}", did_you_mean(rule, known.iter().copied()));
                self.problem(source, span, message);
            }
        }
        rules
    }

    fn problem(&mut self, source: &Source, at: Span, message: String) {
        let at = source.lines.position(&source.text, at.start);
        self.problems.push(Problem { file: source.name.to_string(), at, message });
    }

    /// What silences a finding, if anything does: a comment over its acquisition, or over the exit that loses it.
    pub fn suppress(&mut self, finding: &Finding) -> Option<Suppressed> {
        let exits = finding.trace.iter().filter(|step| step.kind == StepKind::Exit).map(|step| step.at);
        let places: Vec<Location> = std::iter::once(finding.at).chain(exits).collect();
        let mut reason = None;
        for directive in &mut self.all {
            let here = |at: &Location| {
                let start = Span::new(at.span.start, at.span.start);
                at.file == directive.file && directive.covers.contains(start)
            };
            if places.iter().any(here)
                && let Some(named) = directive.rules.iter_mut().find(|named| named.rule == finding.rule)
            {
                named.used = true;
                reason.get_or_insert_with(|| directive.reason.clone());
            }
        }
        reason.map(|reason| Suppressed { by: "comment", reason })
    }

    /// One finding for each comment of which some name silenced nothing. `ran` tells whether a rule was on for a file.
    pub fn unused(&self, sources: &Sources, rule: &'static str, ran: impl Fn(FileId, &str) -> bool) -> Vec<Finding> {
        let mut found = Vec::new();
        for directive in &self.all {
            let unused: Vec<&Named> =
                directive.rules.iter().filter(|named| !named.used && ran(directive.file, &named.rule)).collect();
            if unused.is_empty() {
                continue;
            }
            let names: Vec<String> = unused.iter().map(|named| format!("`{}`", named.rule)).collect();
            let at = Location { file: directive.file, span: directive.comment };
            let message = format!("nothing here to suppress for {}", names.join(", "));
            let text = &sources.get(directive.file).text;
            let (title, edits) = if unused.len() == directive.rules.len() {
                let comments = std::iter::once(directive.comment).chain(directive.end);
                let edits = comments.map(|comment| removal(directive.file, text, comment)).collect();
                ("remove the comment", edits)
            } else {
                let edits = unused.iter().map(|named| name_removal(directive.file, text, named.span)).collect();
                ("remove the name", edits)
            };
            let finding = Finding::new(rule, Confidence::High, at, message)
                .with_why("the rule finds nothing in the code that the comment covers")
                .with_help(format!("{title}; it would hide the next leak there"))
                .with_fix(title, Applicability::Safe, edits);
            found.push(finding);
        }
        found
    }
}

/// The verb of a comment, what follows it, and at which byte of the text that starts.
fn directive(text: &str, comment: Span) -> Option<(Verb, &str, usize)> {
    let whole = comment.of(text);
    let inner = whole.trim_start_matches(['/', '*', '!', ' ', '\t', '\n', '\r']);
    let start = comment.start as usize + (whole.len() - inner.len());
    let inner = inner.trim_end();
    let inner = inner.strip_suffix("*/").unwrap_or(inner);
    let (word, verb) = VERBS.iter().find(|(word, _)| {
        let after = inner.strip_prefix(word);
        after.is_some_and(|after| after.is_empty() || after.starts_with(char::is_whitespace))
    })?;
    Some((*verb, &inner[word.len()..], start + word.len()))
}

/// The text that a comment silences.
fn covered(verb: Verb, source: &Source, comment: Span, comments: &[Span]) -> Span {
    let text = &source.text;
    let end = text.len() as u32;
    match verb {
        Verb::File => Span::new(0, end),
        Verb::Block | Verb::Enable => Span::new(comment.start, end),
        Verb::Line => {
            let line = source.lines.line(comment.start);
            let start = source.lines.start_of(line).unwrap_or(0);
            Span::new(start, source.lines.start_of(line + 1).map_or(end, |next| next - 1))
        }
        Verb::NextLine => {
            let line = source.lines.line(comment.end.saturating_sub(1).max(comment.start));
            let start = source.lines.start_of(line + 1).unwrap_or(end);
            statement(text, start, comments)
        }
    }
}

/// The statement that starts on the first line of code at or after an offset: up to the end of the line on which all its
/// brackets are closed and the next line does not go on with it.
fn statement(text: &str, from: u32, comments: &[Span]) -> Span {
    let bytes = text.as_bytes();
    let mut at = from as usize;
    let mut start = None;
    let mut depth = 0_i32;
    let mut quote = None;
    while at < bytes.len() {
        if quote.is_none()
            && let Ok(found) = comments.binary_search_by_key(&(at as u32), |comment| comment.start)
        {
            at = (comments[found].end as usize).max(at + 1);
            continue;
        }
        let byte = bytes[at];
        if start.is_none() && !byte.is_ascii_whitespace() {
            start = Some(at as u32);
        }
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) if open == byte => quote = None,
            // A quote that its line does not close was none: an apostrophe in a regular expression, or a digit separator.
            (Some(b'"' | b'\''), b'\n') => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            _ => {}
        }
        // The end of the block around it ends it, too.
        let closed = depth < 0 || (depth == 0 && byte == b'\n' && !goes_on(&text[at..]));
        if let (Some(start), true, true) = (start, closed, quote.is_none()) {
            return Span::new(start, at as u32);
        }
        at += 1;
    }
    Span::new(start.unwrap_or(text.len() as u32), text.len() as u32)
}

/// Whether the code that follows continues the expression before it.
fn goes_on(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.starts_with(['.', '?', ':', '+', '&', '|', '=', ',', ')']) || rest.starts_with("->")
}

/// Takes a comment away: with its line where it stands alone, with the blanks before it where it ends one.
fn removal(file: FileId, text: &str, comment: Span) -> Edit {
    let (mut start, mut end) = (comment.start as usize, comment.end as usize);
    let before = text[..start].trim_end_matches([' ', '\t']);
    let after = text[end..].trim_start_matches([' ', '\t']);
    let ends_line = after.is_empty() || after.starts_with(['\n', '\r']);
    if ends_line {
        let alone = before.is_empty() || before.ends_with(['\n', '\r']);
        start = before.len();
        end = text.len() - after.len();
        if alone {
            end += if after.starts_with("\r\n") { 2 } else { usize::from(!after.is_empty()) };
        }
    }
    Edit { file, span: Span::new(start as u32, end as u32), text: String::new() }
}

/// Takes a name out of a list, with one of the commas around it.
fn name_removal(file: FileId, text: &str, name: Span) -> Edit {
    let (start, end) = (name.start as usize, name.end as usize);
    let after = &text[end..];
    let skipped = after.len() - after.trim_start_matches([',', ' ']).len();
    let span = if after.trim_start().starts_with(',') {
        Span::new(name.start, (end + skipped) as u32)
    } else {
        let before = text[..start].trim_end_matches([',', ' ']);
        Span::new(before.len() as u32, name.end)
    };
    Edit { file, span, text: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::LineIndex;
    use std::path::PathBuf;

    const KNOWN: &[&str] = &["timer-never-cleared", "handle-never-released"];

    fn source(text: &str) -> Source {
        Source {
            path: PathBuf::new(),
            name: "a.js".into(),
            text: text.into(),
            lines: LineIndex::new(text),
            trial: false,
        }
    }

    fn comments(text: &str) -> Vec<Span> {
        let mut found = Vec::new();
        for (start, _) in text.match_indices("//").chain(text.match_indices("/*")) {
            let rest = &text[start..];
            let length = if rest.starts_with("//") { rest.find('\n') } else { rest.find("*/").map(|at| at + 2) };
            found.push(Span::new(start as u32, (start + length.unwrap_or(rest.len())) as u32));
        }
        found.sort();
        found
    }

    fn read(text: &str) -> Directives {
        let mut directives = Directives::default();
        directives.read(FileId(0), &source(text), &comments(text), KNOWN, false);
        directives
    }

    fn silences(directives: &mut Directives, text: &str, code: &str) -> bool {
        let at = text.find(code).unwrap() as u32;
        let at = Location { file: FileId(0), span: Span::new(at, at + code.len() as u32) };
        directives.suppress(&Finding::new("timer-never-cleared", Confidence::High, at, "x")).is_some()
    }

    #[test]
    fn the_next_statement_is_covered() {
        let text = "a();\n// leaklint-disable-next-line timer-never-cleared -- why\n\n// words\nb(\n  c(')'),\n)\n  .d();\ne();\n";
        let mut directives = read(text);
        assert!(["b(", "c(", ".d("].iter().all(|code| silences(&mut directives, text, code)));
        assert!(!silences(&mut directives, text, "a(") && !silences(&mut directives, text, "e("));
        assert!(directives.problems.is_empty());
    }

    #[test]
    fn lines_blocks_and_files_are_covered() {
        let text = "a();\nb(); // leaklint-disable-line timer-never-cleared\nc();\n";
        let mut directives = read(text);
        assert!(silences(&mut directives, text, "b(") && !silences(&mut directives, text, "c("));
        let text =
            "a();\n/* leaklint-disable timer-never-cleared */\nb();\n/* leaklint-enable timer-never-cleared */\nc();\n";
        let mut directives = read(text);
        assert!(!silences(&mut directives, text, "a(") && silences(&mut directives, text, "b("));
        assert!(!silences(&mut directives, text, "c("));
        let text = "a();\n/* leaklint-disable-file timer-never-cleared -- generated */\n";
        assert!(silences(&mut read(text), text, "a("));
    }

    #[test]
    fn wrong_comments_are_named() {
        let words = |text: &str| read(text).problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>();
        assert_eq!(
            words("// leaklint-disable-line timer-never-clear\n"),
            ["unknown rule `timer-never-clear`; did you mean `timer-never-cleared`?"]
        );
        assert_eq!(words("// leaklint-disable-line\n"), ["the comment names no rule; say which one it silences"]);
        assert!(words("// leaklint is a tool; leaklint-disable-line is a comment\n").is_empty());
    }

    #[test]
    fn unused_names_are_removed() {
        let fixed = |text: &str, used: &[&str]| {
            let mut sources = Sources::default();
            sources.add(&PathBuf::from("a.js"), "a.js", text.into());
            let mut directives = read(text);
            used.iter().for_each(|code| assert!(silences(&mut directives, text, code)));
            let found = directives.unused(&sources, "unused-suppression", |_, _| true);
            let edits: Vec<Edit> = found.into_iter().flat_map(|finding| finding.fixes[0].edits.clone()).collect();
            let mut text = text.to_owned();
            edits.iter().rev().for_each(|edit| {
                text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
            });
            text
        };
        assert_eq!(
            fixed("a();\r\n  // leaklint-disable-next-line timer-never-cleared\r\nb();\r\n", &[]),
            "a();\r\nb();\r\n"
        );
        assert_eq!(fixed("a(); // leaklint-disable-line timer-never-cleared -- x\nb();\n", &[]), "a();\nb();\n");
        let two = "a(); // leaklint-disable-line handle-never-released, timer-never-cleared -- x\n";
        assert_eq!(fixed(two, &["a("]), "a(); // leaklint-disable-line timer-never-cleared -- x\n");
        let two = "a(); // leaklint-disable-line timer-never-cleared, handle-never-released -- x\n";
        assert_eq!(fixed(two, &["a("]), "a(); // leaklint-disable-line timer-never-cleared -- x\n");
        let block =
            "/* leaklint-disable timer-never-cleared */\na();\n/* leaklint-enable timer-never-cleared */\nb();\n";
        assert_eq!(fixed(block, &[]), "a();\nb();\n");
    }
}
