//! C, C++ and Objective-C++ to a summary: the only user of tree-sitter.

use crate::model::{Language, Summary};

/// Lowers one C or C++ file.
pub fn lower(_text: &str, language: Language) -> Summary {
    Summary { language: Some(language), ..Summary::default() }
}
