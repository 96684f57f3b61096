//! Where names are mentioned: the files of each member name, the bare names of C++ files, the importers of each file. So
//! that a question about one place or function looks at the few files that can have to do with it.

use super::index::FileIndex;
use super::modules::Modules;
use crate::model::{In, Name, Summary, Value, ValueId};
use crate::text::FileId;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// Names and where they are mentioned.
#[derive(Default)]
pub(super) struct Names {
    /// Files that mention a `Member` of a name, island by island.
    members: FxHashMap<Name, Vec<FileId>>,
    /// `Global` values by name.
    pub(super) globals: FxHashMap<Name, Vec<In<ValueId>>>,
    /// `Import` values, and `default`s of them, by the file that they mean.
    pub(super) importers: FxHashMap<FileId, Vec<In<ValueId>>>,
    /// The island of each file: files that no chain of imports connects cannot name each other's things. A package is one
    /// island: its C and C++ files meet in the linker, its scripts in the global scope.
    islands: Vec<u32>,
}

impl Names {
    pub(super) fn new(summaries: &[Summary], index: &[FileIndex], modules: &Modules) -> Self {
        let mut names = Names::default();
        let imports: Vec<Vec<(FileId, In<ValueId>)>> = summaries
            .par_iter()
            .enumerate()
            .map(|(at, summary)| imports(FileId(at as u32), summary, modules))
            .collect();
        names.islands = (0..summaries.len() as u32).collect();
        let mut first_of_package: FxHashMap<usize, FileId> = FxHashMap::default();
        for at in 0..summaries.len() as u32 {
            if let Some(package) = modules.package_of(FileId(at)) {
                let first = *first_of_package.entry(package).or_insert(FileId(at));
                names.bridge(first, FileId(at));
            }
        }
        let mut stray: Option<FileId> = None;
        for (at, summary) in summaries.iter().enumerate() {
            let file = FileId(at as u32);
            let native = summary.language.is_some_and(crate::model::Language::is_native);
            if native && modules.package_of(file).is_none() {
                let first = *stray.get_or_insert(file);
                names.bridge(first, file);
            }
            if !native {
                for include in &summary.includes {
                    if let Some(target) = modules.resolve(file, include) {
                        names.bridge(target, file);
                    }
                }
            }
        }
        for (target, value) in imports.into_iter().flatten() {
            names.bridge(target, value.file);
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
        for at in 0..summaries.len() as u32 {
            names.islands[at as usize] = names.island(FileId(at));
        }
        let Names { members, islands, .. } = &mut names;
        members.values_mut().for_each(|files| files.sort_by_key(|file| islands[file.0 as usize]));
        names
    }

    /// The files that mention a `Member` of a name, in order; `near`: of those that can name things of a file.
    pub(super) fn mentioning(&self, name: Name, near: Option<FileId>) -> Cow<'_, [FileId]> {
        let files = self.members.get(&name).map_or(&[][..], |files| &files[..]);
        let Some(near) = near else {
            let mut all = files.to_vec();
            all.sort_unstable();
            return Cow::Owned(all);
        };
        let island = |file: &FileId| self.islands[file.0 as usize];
        let wanted = island(&near);
        let from = files.partition_point(|file| island(file) < wanted);
        let count = files[from..].partition_point(|file| island(file) == wanted);
        Cow::Borrowed(&files[from..from + count])
    }

    fn island(&self, file: FileId) -> u32 {
        let mut at = file.0;
        while self.islands[at as usize] != at {
            at = self.islands[at as usize];
        }
        at
    }

    fn bridge(&mut self, a: FileId, b: FileId) {
        let (a, b) = (self.island(a), self.island(b));
        self.islands[a.max(b) as usize] = a.min(b);
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
