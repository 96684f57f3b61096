//! JavaScript and TypeScript to a summary: the only user of swc.

use crate::model::{Language, Summary};

/// Lowers one JavaScript or TypeScript file; `path` tells `.tsx`, `.mts` and the like apart.
pub fn lower(_path: &str, _text: &str, language: Language) -> Summary {
    Summary { language: Some(language), ..Summary::default() }
}
