//! Where names are mentioned: the files of each member name, the bare names of C++ files, the importers of each file. So
//! that a question about one place or function looks at the few files that can have to do with it.

use super::index::FileIndex;
use super::modules::Modules;
use crate::model::{In, Name, Summary, Value, ValueId};
use crate::text::FileId;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// Names and where they are mentioned.
#[derive(Default)]
pub(super) struct Names {
    /// Files that mention a `Member` of a name.
    pub(super) members: FxHashMap<Name, Vec<FileId>>,
    /// `Global` values by name.
    pub(super) globals: FxHashMap<Name, Vec<In<ValueId>>>,
    /// `Import` values, and `default`s of them, by the file that they mean.
    pub(super) importers: FxHashMap<FileId, Vec<In<ValueId>>>,
}

impl Names {
    pub(super) fn new(summaries: &[Summary], index: &[FileIndex], modules: &Modules) -> Self {
        let mut names = Names::default();
        let imports: Vec<Vec<(FileId, In<ValueId>)>> = summaries
            .par_iter()
            .enumerate()
            .map(|(at, summary)| imports(FileId(at as u32), summary, modules))
            .collect();
        for (target, value) in imports.into_iter().flatten() {
            names.importers.entry(target).or_default().push(value);
        }
        for (at, summary) in summaries.iter().enumerate() {
            let file = FileId(at as u32);
            for name in index[at].member_names(summary) {
                let files = names.members.entry(name).or_default();
                if files.last() != Some(&file) {
                    files.push(file);
                }
            }
            for (at, value) in summary.values.iter().enumerate() {
                if let Value::Global(name) = value {
                    names.globals.entry(*name).or_default().push(In::new(file, ValueId(at as u32)));
                }
            }
        }
        names
    }
}

fn imports(file: FileId, summary: &Summary, modules: &Modules) -> Vec<(FileId, In<ValueId>)> {
    let mut known: FxHashMap<Name, Option<FileId>> = FxHashMap::default();
    let mut found = Vec::new();
    for (at, value) in summary.values.iter().enumerate() {
        let specifier = match value {
            Value::Import(specifier) => specifier,
            Value::Member(object, name) if *name == "default" => match summary.value(*object) {
                Value::Import(specifier) => specifier,
                _ => continue,
            },
            _ => continue,
        };
        let target = known.entry(*specifier).or_insert_with(|| modules.resolve(file, specifier));
        found.extend(target.map(|target| (target, In::new(file, ValueId(at as u32)))));
    }
    found
}
