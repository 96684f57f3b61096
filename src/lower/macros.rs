//! Which macros each C or C++ file of a project can use: those of the files that it includes, directly or through others.
//! Reads lines that begin with `#` and nothing else.

use super::cpp::{Definition, MacroTable, collect_macros, language_includes};
use super::language_of;
use crate::model::{Language, Name};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The macros of a project's C and C++ files.
#[derive(Debug, Default)]
pub struct ProjectMacros {
    files: FxHashMap<String, File>,
    /// Paths by their last part.
    by_base: FxHashMap<String, Vec<String>>,
}

#[derive(Debug)]
struct File {
    macros: Vec<Arc<Definition>>,
    includes: Vec<Name>,
}

impl ProjectMacros {
    /// Reads the `#define`s and `#include`s of files, given by path and text. Files of other languages are passed over.
    pub fn collect<'a>(files: impl IndexedParallelIterator<Item = (&'a str, &'a str)>) -> Self {
        let found: Vec<(String, File)> = files
            .filter(|(path, _)| language_of(path).is_some_and(Language::is_native))
            .map(|(path, text)| {
                let file = File { macros: collect_macros(text), includes: language_includes(text) };
                (path.to_owned(), file)
            })
            .collect();
        let mut by_base: FxHashMap<String, Vec<String>> = FxHashMap::default();
        for (path, _) in &found {
            by_base.entry(base(path).to_owned()).or_default().push(path.clone());
        }
        ProjectMacros { files: found.into_iter().collect(), by_base }
    }

    /// The macros that a file gets from what it includes.
    pub fn of(&self, path: &str) -> MacroTable {
        let mut table = MacroTable::default();
        self.included(path, |included| table.add(&self.files[included].macros));
        table
    }

    /// Says each file that a file includes, directly or through others: its macros are a function of these, in this order.
    pub fn included<'a>(&'a self, path: &'a str, mut say: impl FnMut(&'a str)) {
        let mut seen = FxHashSet::default();
        let mut next = vec![path];
        seen.insert(path);
        while let Some(at) = next.pop() {
            let Some(file) = self.files.get(at) else { continue };
            if at != path {
                say(at);
            }
            for include in &file.includes {
                if let Some(found) = self.resolve(at, include)
                    && seen.insert(found)
                {
                    next.push(found);
                }
            }
        }
    }

    /// The file of the project that an `#include` means: the nearest whose path ends with it.
    fn resolve(&self, from: &str, include: &str) -> Option<&str> {
        let wanted = include.to_lowercase();
        let wanted = wanted.trim_start_matches("./").trim_start_matches("../").trim_start_matches("../");
        let candidates = self.by_base.get(base(wanted))?;
        let ends = |path: &str| path.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let fitting = candidates.iter().filter(|path| ends(path) && **path != from);
        fitting.max_by_key(|path| shared(from, path)).map(String::as_str)
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Length of what two paths begin with alike.
fn shared(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}
