//! Text to syntax tree: tries the grammars that fit the file's name until one reads it, and keeps the best attempt.
//! What only a compiler would refuse (redeclared names, `with` in strict mode) is no error here: published code does it.

use super::recover;
use crate::model::{Language, SyntaxError as Reported};
use crate::text::Span;
use std::cell::RefCell;
use swc_common::comments::{Comment, Comments};
use swc_common::{BytePos, Spanned};
use swc_ecma_ast::{EsVersion, ModuleItem};
use swc_ecma_parser::error::{Error, SyntaxError};
use swc_ecma_parser::{EsSyntax, Lexer, Parser, StringInput, Syntax, TsSyntax};

/// What could be read of a file.
pub struct Parsed {
    /// Its statements.
    pub items: Vec<ModuleItem>,
    /// Its comments, in order.
    pub comments: Vec<Span>,
    /// What could not be read.
    pub errors: Vec<Reported>,
    /// Some statements are missing.
    pub partial: bool,
}

/// The grammar of one attempt.
#[derive(Clone, Copy)]
pub struct Grammar {
    syntax: Syntax,
    goal: Goal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// `await` is a keyword, `import` and `export` are allowed.
    Module,
    /// Sloppy code, HTML comments, `await` is a name.
    Script,
    /// Sloppy code in a function: top-level `return`.
    CommonJs,
}

/// Parses a file.
pub fn parse(path: &str, text: &str, language: Language) -> Parsed {
    let mut best: Option<(Grammar, Attempt)> = None;
    for grammar in grammars(path, language) {
        let attempt = attempt(text, grammar);
        if attempt.cost() == 0 {
            return attempt.into_parsed();
        }
        if best.as_ref().is_none_or(|(_, kept)| attempt.cost() < kept.cost()) {
            best = Some((grammar, attempt));
        }
    }
    let Some((grammar, attempt)) = best else {
        return Parsed { items: Vec::new(), comments: Vec::new(), errors: Vec::new(), partial: true };
    };
    match attempt.fatal() {
        Some(error) => recover::recover(text, grammar, error),
        None => attempt.into_parsed(),
    }
}

fn grammars(path: &str, language: Language) -> Vec<Grammar> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let typescript =
        |tsx| Syntax::Typescript(TsSyntax { tsx, decorators: true, no_early_errors: true, ..TsSyntax::default() });
    let module = |syntax| Grammar { syntax, goal: Goal::Module };
    if language == Language::Ts {
        return match ending {
            "tsx" => vec![module(typescript(true)), module(typescript(false))],
            _ => vec![module(typescript(false)), module(typescript(true))],
        };
    }
    let syntax = Syntax::Es(EsSyntax {
        jsx: true,
        fn_bind: false,
        decorators: true,
        decorators_before_export: true,
        export_default_from: true,
        import_attributes: true,
        allow_super_outside_method: true,
        allow_return_outside_function: true,
        auto_accessors: true,
        explicit_resource_management: true,
    });
    vec![
        module(syntax),
        Grammar { syntax, goal: Goal::Script },
        Grammar { syntax, goal: Goal::CommonJs },
        module(typescript(true)),
        module(typescript(false)),
    ]
}

/// What one grammar made of the file.
pub struct Attempt {
    items: Vec<ModuleItem>,
    errors: Vec<Error>,
    fatal: Option<Error>,
    comments: Vec<Span>,
}

impl Attempt {
    fn cost(&self) -> usize {
        self.errors.len() + if self.fatal.is_some() { 1_000_000 } else { 0 }
    }

    /// What stopped the parser.
    pub fn fatal(&self) -> Option<Reported> {
        self.fatal.as_ref().map(report)
    }

    /// What was read, with the errors that the parser got over by itself.
    pub fn into_parsed(self) -> Parsed {
        let partial = !self.errors.is_empty();
        let errors = self.errors.iter().map(report).collect();
        Parsed { items: self.items, comments: self.comments, errors, partial }
    }
}

/// Parses a text by one grammar.
pub fn attempt(text: &str, grammar: Grammar) -> Attempt {
    let comments = Collected::default();
    let mut parser = parser(text, byte_order_mark(text), grammar, &comments);
    let read = match grammar.goal {
        Goal::Module => parser.parse_module().map(|module| module.body),
        Goal::Script => parser.parse_script().map(|script| script.body.into_iter().map(ModuleItem::Stmt).collect()),
        Goal::CommonJs => parser.parse_commonjs().map(|script| script.body.into_iter().map(ModuleItem::Stmt).collect()),
    };
    let mut errors = parser.take_errors();
    drop(parser);
    errors.retain(|error| !is_early(error.kind()));
    let (items, fatal) = match read {
        Ok(items) => (items, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Attempt { items, errors, fatal, comments: comments.into_spans() }
}

/// Length of the mark at the start of some files.
fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Parses statement by statement from a byte offset on, until the end or the first error. Returns what was read, and the
/// error with the start of the statement that it is in.
pub fn statements_from(
    text: &str,
    from: usize,
    grammar: Grammar,
    comments: &Collected,
) -> (Vec<ModuleItem>, Vec<Reported>, Option<(usize, Reported)>) {
    let mut parser = parser(text, from.max(byte_order_mark(text)), grammar, comments);
    parser.allow_module_syntax();
    let mut items = Vec::new();
    let mut failed = None;
    if from == 0 {
        let _ = parser.parse_shebang();
    }
    loop {
        let start = parser.input().cur_pos();
        if start.0 as usize > text.len() {
            break;
        }
        match parser.parse_module_item() {
            Ok(item) => {
                let stuck = parser.input().cur_pos() == start;
                items.push(item);
                if stuck {
                    break;
                }
            }
            Err(error) => {
                failed = Some((offset(start) as usize, report(&error)));
                break;
            }
        }
    }
    let errors = parser.take_errors();
    let errors = errors.iter().filter(|error| !is_early(error.kind())).map(report).collect();
    (items, errors, failed)
}

fn parser<'a>(text: &'a str, from: usize, grammar: Grammar, comments: &'a Collected) -> Parser<Lexer<'a>> {
    // swc counts from 1: position 0 stands for "nowhere".
    let source = text.get(from..).unwrap_or("");
    let input = StringInput::new(source, BytePos(from as u32 + 1), BytePos(text.len() as u32 + 1));
    Parser::new_from(Lexer::new(grammar.syntax, EsVersion::latest(), input, Some(comments)))
}

/// Byte offset of a position of swc's.
fn offset(position: BytePos) -> u32 {
    position.0.saturating_sub(1)
}

fn report(error: &Error) -> Reported {
    let message = error.kind().msg();
    let message = message.trim_end_matches('.');
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    Reported { offset: offset(error.span().lo), message: first.into_iter().chain(letters).collect() }
}

/// Errors about what code may not do rather than about how it reads: Node may refuse the file, we can still lower it.
fn is_early(error: &SyntaxError) -> bool {
    use SyntaxError::*;
    let name = format!("{error:?}");
    // TypeScript's numbered errors are its checker's, apart from the few that say "token expected".
    if name.starts_with("TS1") || name.starts_with("TS2") || name.starts_with("TS4") || name.starts_with("TS8") {
        return !matches!(error, TS1003 | TS1005 | TS1109 | TS1110 | TS1141 | TS1185);
    }
    match error {
        WithLabel { inner, .. } => is_early(inner.kind()),
        Eof
        | UnterminatedBlockComment
        | UnterminatedStrLit
        | ExpectedUnicodeEscape
        | UnterminatedRegExp
        | UnterminatedTpl
        | IdentAfterNum
        | UnexpectedChar { .. }
        | ExpectedDigit { .. }
        | Hash
        | LineBreakInThrow
        | Unexpected { .. }
        | UnexpectedTokenWithSuggestions { .. }
        | Expected(..)
        | ExpectedSemiForExprStmt { .. }
        | ExpectedIdent
        | ExpectedSemi
        | InvalidPat
        | InvalidExpr
        | EmptyParenExpr
        | UnterminatedJSXContents
        | JSXExpectedClosingTagForLtGt
        | JSXExpectedClosingTag { .. }
        | InvalidAssignTarget
        | NotSimpleAssign
        | DotsWithoutIdentifier
        | AwaitInFunction
        | TopLevelAwaitInScript
        | ImportExportInScript
        | ImportMetaInScript
        | InvalidIdentInAsync => false,
        _ => true,
    }
}

/// Where the comments are.
#[derive(Default)]
pub struct Collected(RefCell<Vec<Span>>);

impl Collected {
    /// All of them in order, each once.
    pub fn into_spans(self) -> Vec<Span> {
        let mut spans = self.0.into_inner();
        spans.sort_unstable();
        spans.dedup();
        spans
    }

    fn add(&self, comment: &Comment) {
        self.0.borrow_mut().push(Span::new(offset(comment.span.lo), offset(comment.span.hi)));
    }
}

impl Comments for Collected {
    fn add_leading(&self, _: BytePos, comment: Comment) {
        self.add(&comment);
    }
    fn add_leading_comments(&self, _: BytePos, comments: Vec<Comment>) {
        for comment in &comments {
            self.add(comment);
        }
    }
    fn has_leading(&self, _: BytePos) -> bool {
        false
    }
    fn move_leading(&self, _: BytePos, _: BytePos) {}
    fn take_leading(&self, _: BytePos) -> Option<Vec<Comment>> {
        None
    }
    fn get_leading(&self, _: BytePos) -> Option<Vec<Comment>> {
        None
    }
    fn add_trailing(&self, _: BytePos, comment: Comment) {
        self.add(&comment);
    }
    fn add_trailing_comments(&self, _: BytePos, comments: Vec<Comment>) {
        for comment in &comments {
            self.add(comment);
        }
    }
    fn has_trailing(&self, _: BytePos) -> bool {
        false
    }
    fn move_trailing(&self, _: BytePos, _: BytePos) {}
    fn take_trailing(&self, _: BytePos) -> Option<Vec<Comment>> {
        None
    }
    fn get_trailing(&self, _: BytePos) -> Option<Vec<Comment>> {
        None
    }
    fn add_pure_comment(&self, _: BytePos) {}
}
