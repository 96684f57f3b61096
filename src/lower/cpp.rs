//! C, C++ and Objective-C++ to a summary: the only user of tree-sitter.
//!
//! The file's tokens are taken through the preprocessor's work first (`macros`), mended for the grammar (`mend`) and
//! written out again (`prepared`), every byte with its origin; then the syntax tree of that text is walked twice: `item`
//! declares, `statement` and `expression` lower the code. Half of all real files do not parse cleanly even so: what does
//! is lowered, and the summary is marked partial.

mod body;
mod condition;
mod conditional;
mod declaration;
mod expression;
mod fields;
mod heads;
mod item;
mod lowering;
mod macros;
mod mend;
mod names;
mod objc;
mod prepared;
mod recovery;
mod statement;
mod token;
mod types;
mod words;

pub use macros::{Definition, MacroTable, collect_macros};

use crate::model::{Language, Name, Summary, SyntaxError};
use crate::text::Span;
use lowering::{Lowering, children};
use prepared::Prepared;
use tree_sitter::Parser;

/// Longest text that is parsed; amalgamated libraries and generated tables are longer.
const LONGEST: usize = 6 << 20;

/// Lowers one C or C++ file, with the macros of what it includes.
pub fn lower(text: &str, language: Language, table: &MacroTable) -> Summary {
    let refusal = if text.len() > LONGEST {
        Some("file too long to be read")
    } else if is_binary(text) {
        Some("not a text")
    } else {
        None
    };
    if let Some(message) = refusal {
        let errors = vec![SyntaxError { offset: 0, message: message.to_owned() }];
        return Summary { language: Some(language), errors, partial: true, ..Summary::default() };
    }
    let (tokens, comments) = token::lex(text);
    let includes = includes(&tokens);
    let (tokens, macros) = macros::expand(tokens, table);
    let prepared = Prepared::new(mend::mend(objc::rewrite(tokens), language));
    let mut summary = lower_prepared(&prepared, language, Span::new(0, text.len() as u32));
    summary.comments = comments;
    summary.includes = includes;
    summary.macros = macros;
    summary
}

/// Whether a text is plainly none: more than a twentieth of it are control or replacement characters.
fn is_binary(text: &str) -> bool {
    let odd = |c: char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}')) || c == '\u{fffd}';
    text.chars().filter(|c| odd(*c)).count() * 20 > text.len()
}

fn lower_prepared(prepared: &Prepared, language: Language, whole: Span) -> Summary {
    let mut parser = Parser::new();
    if parser.set_language(&tree_sitter_cpp::LANGUAGE.into()).is_err() {
        return Summary { language: Some(language), partial: true, ..Summary::default() };
    }
    let mut budget = recovery::Budget::of(prepared.text.len());
    let tree = recovery::parse(&mut parser, &prepared.text, &mut budget);
    let broken =
        tree.as_ref().map_or_else(|| prepared.bodies.iter().collect(), |tree| recovery::broken(prepared, tree));
    // Code that does not parse is kept away from the rest and parsed on its own.
    let tree = match (tree, broken.as_slice()) {
        (Some(tree), []) => Some(tree),
        (_, broken) => recovery::parse(&mut parser, &prepared.outline(broken), &mut budget),
    };
    let mut lowering = Lowering::new(prepared, language, parser, budget, whole);
    lowering.separate = broken.iter().map(|body| (body.open, body.close)).collect();
    let Some(tree) = tree else {
        lowering.out.partial = true;
        return lowering.out;
    };
    let root = tree.root_node();
    lowering.out.partial |= root.has_error() || !broken.is_empty();
    let mut pending = Vec::new();
    lowering.items(&children(root), &item::Place::default(), &mut pending);
    let lost = recovery::lost(prepared, &pending, root.has_error());
    let (module, functions): (Vec<_>, Vec<_>) =
        pending.into_iter().partition(|code| matches!(code, item::Pending::Module(_)));
    lowering.run(&module);
    lowering.finish_module();
    lowering.run(&functions);
    for body in lost {
        lowering.lost_function(body);
    }
    lowering.out
}

/// What a text includes, by a look at its lines only.
pub fn language_includes(text: &str) -> Vec<Name> {
    let directives = text.lines().map(str::trim_start).filter_map(|line| line.strip_prefix('#').map(str::trim_start));
    let includes = directives.filter_map(|line| line.strip_prefix("include").or_else(|| line.strip_prefix("import")));
    includes
        .filter_map(|rest| {
            let rest = rest.trim_start();
            let close = if rest.starts_with('<') { '>' } else { '"' };
            let inner = rest.strip_prefix(['<', '"'])?;
            inner.split(close).next().map(Name::from)
        })
        .collect()
}

/// What a file includes, as written.
fn includes(tokens: &[token::Token<'_>]) -> Vec<Name> {
    let mut found = Vec::new();
    for token in tokens {
        if let Some(("include" | "import" | "include_next", rest)) = token.directive() {
            let close = if rest.starts_with('<') { '>' } else { '"' };
            if let Some(path) = rest.strip_prefix(['<', '"']).and_then(|rest| rest.split(close).next()) {
                found.push(Name::from(path));
            }
        }
    }
    found
}
