//! What a run is a function of, as keys: whatever decides over a summary or over all answers goes into its key here.

use super::Input;
use crate::cache::{Answers, Cache, Key, Maker, program};
use crate::lower::ProjectMacros;
use crate::model::contract::Rows;
use crate::model::{Gyp, Summary};
use crate::project;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A cache, and the keys of this run.
pub(super) struct Memory<'a> {
    cache: &'a Cache,
    program: Key,
    /// The key of each text.
    texts: Vec<Key>,
    answers: Key,
}

impl<'a> Memory<'a> {
    /// The memory of a run over these files, their build files, rows and rules that are on. None where the program does
    /// not know itself.
    pub(super) fn of(
        cache: &'a Cache,
        inputs: &[Input],
        builds: &[Option<Arc<Gyp>>],
        models: &[Rows],
        rules: &[&str],
    ) -> Option<Self> {
        let program = program()?;
        let texts: Vec<Key> = inputs.par_iter().map(|input| Key::of(&input.text)).collect();
        let mut all = Maker::default();
        all.part(program);
        for ((input, text), build) in inputs.iter().zip(&texts).zip(builds) {
            all.text(&input.found.path.to_string_lossy());
            all.text(&input.found.name);
            all.part(*text);
            all.text(&build.as_ref().map_or_else(String::new, |build| format!("{build:?}")));
        }
        for (folder, manifest) in project::manifests(inputs.iter().map(|input| input.found.path.as_path())) {
            all.text(&folder);
            all.text(&manifest);
        }
        models.iter().for_each(|rows| all.text(&format!("{rows:?}")));
        rules.iter().for_each(|rule| all.text(rule));
        Some(Memory { cache, program, texts, answers: all.key() })
    }

    /// What the rules answered about exactly this.
    pub(super) fn answers(&self) -> Option<Answers> {
        let answers = self.cache.answers(self.answers)?;
        (answers.files.len() == self.texts.len()).then_some(answers)
    }

    /// Remembers what the rules answered.
    pub(super) fn keep(&self, answers: &Answers) {
        self.cache.keep_answers(self.answers, answers);
    }

    /// The summary of each file, remembered or made. A summary depends on the file's name and text and, in C and C++, on
    /// the files that it includes.
    pub(super) fn summaries<E: Send>(
        &self,
        names: &[String],
        macros: &ProjectMacros,
        lower: impl Fn(usize) -> Result<Summary, E> + Sync,
    ) -> Vec<Result<Summary, E>> {
        let by_name: FxHashMap<&str, Key> = names.iter().map(String::as_str).zip(self.texts.iter().copied()).collect();
        let key = |(name, text): (&String, &Key)| {
            let mut maker = Maker::default();
            maker.part(self.program);
            maker.text(name);
            maker.part(*text);
            macros.included(name, |included| {
                maker.text(included);
                maker.part(by_name.get(included).copied().unwrap_or(Key(0)));
            });
            maker.key()
        };
        let keys: Vec<Key> = names.par_iter().zip(&self.texts).map(key).collect();
        self.cache.summaries(&keys, lower)
    }
}
