//! JavaScript and TypeScript to a summary: the only user of swc.
//!
//! `depth` sizes the stack; `parse` gets a tree out of whatever is in the file, `recover` out of what stops the parser;
//! `state` holds what is being built and the scopes, `values` the values; `stmt`, `expr`, `cond`, `call`, `jsx`,
//! `pattern`, `function`, `class`, `module` and `types` walk the tree once, in evaluation order; `helpers` and
//! `asynchronous` know what compilers emit for newer syntax; `prototype` and `commonjs` read classes and exports off the
//! finished steps; `settle` resolves what only the whole file decides (aliases of `this`, variables with one value).

mod asynchronous;
mod call;
mod class;
mod commonjs;
mod cond;
mod depth;
mod expr;
mod function;
mod helpers;
mod hoist;
mod jsx;
mod module;
mod parse;
mod pattern;
mod prototype;
mod recover;
mod regions;
mod settle;
mod state;
mod stmt;
mod types;
mod values;

pub use depth::has_room;

use crate::model::{Language, Summary, SyntaxError};
use state::Lowering;

/// Lowers one JavaScript or TypeScript file; `path` tells `.tsx`, `.mts` and the like apart. Never panics and never
/// overflows the stack: deep files get a big one, absurdly deep files are refused.
pub fn lower(path: &str, text: &str, language: Language) -> Summary {
    let nesting = depth::measure(path, text, language);
    if let Some(offset) = nesting.refused_at {
        return failed(language, offset, "nested too deeply to be read".to_owned());
    }
    let run = || {
        std::panic::catch_unwind(|| lower_here(path, text, language))
            .unwrap_or_else(|_| failed(language, 0, "could not be read: the parser failed".to_owned()))
    };
    let Some(stack) = nesting.stack else { return run() };
    std::thread::scope(|scope| match std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, run) {
        Ok(thread) => thread.join().ok(),
        Err(_) => None,
    })
    .unwrap_or_else(|| failed(language, 0, "nested too deeply to be read".to_owned()))
}

fn lower_here(path: &str, text: &str, language: Language) -> Summary {
    let parsed = parse::parse(path, text, language);
    let mut lowering = Lowering::new(text, language);
    lowering.module(&parsed.items);
    drop(parsed.items);
    let mut summary = lowering.finish();
    summary.comments = parsed.comments;
    summary.errors = parsed.errors;
    summary.partial |= parsed.partial;
    summary
}

/// A summary of a file of which nothing could be read.
fn failed(language: Language, offset: u32, message: String) -> Summary {
    let mut summary = Lowering::new("", language).finish();
    summary.errors.push(SyntaxError { offset, message });
    summary.partial = true;
    summary
}
