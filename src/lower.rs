//! Source to [`Summary`]: one file at a time, a pure function of its bytes (C and C++: and of the macros of the files that
//! it includes, which [`ProjectMacros`] collects beforehand). Knows no other file, no catalog and no rule.

mod cpp;
mod js;
mod macros;
mod manifest;

pub use cpp::MacroTable;
pub use js::has_room;
pub use macros::ProjectMacros;
pub use manifest::gyp;

use crate::model::{Language, Summary};

/// The language of a file by its ending (lower case); none for files that leaklint does not read.
/// `.h` is C++: what is C in it parses as well.
pub fn language_of(path: &str) -> Option<Language> {
    match path.rsplit_once('.')?.1 {
        "js" | "mjs" | "cjs" | "jsx" => Some(Language::Js),
        "ts" | "mts" | "cts" | "tsx" => Some(Language::Ts),
        "c" => Some(Language::C),
        "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "mm" => Some(Language::Cpp),
        _ => None,
    }
}

/// Lowers one file of a project, with the macros that its includes define.
pub fn lower_in(project: &ProjectMacros, path: &str, text: &str) -> Summary {
    match language_of(path) {
        Some(language) if language.is_native() => cpp::lower(text, language, &project.of(path)),
        _ => lower(path, text),
    }
}

/// Lowers one file on its own. Never fails: what cannot be parsed is in [`Summary::errors`], and what was lost is marked partial.
pub fn lower(path: &str, text: &str) -> Summary {
    match language_of(path) {
        Some(language @ (Language::Js | Language::Ts)) => js::lower(path, text, language),
        Some(language) => cpp::lower(text, language, &MacroTable::default()),
        None => Summary::default(),
    }
}
