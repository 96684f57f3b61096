//! What is remembered from one run to the next: the summary of each file, and the answers of the rules about a whole project.
//!
//! Nothing is ever looked up by a time or a name alone. A summary is known by everything that it is a function of, answers by
//! everything that all of them are a function of, and both by the program itself: whatever changes, nothing that is stale is
//! found again, and what is found needs no second look. What can't be read is forgotten; what can't be written is no error
//! of the run.

mod key;
mod pack;

pub use key::{Key, Maker, program};

use crate::finding::Finding;
use crate::model::{Flow, Summary, SyntaxError};
use crate::text::Span;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Answers about the same project that are kept: of the last edits, branches and selections of rules.
const ANSWERS: usize = 8;

/// What no run asked for is kept while all that is unused is no bigger than this many times what is used.
const SLACK: usize = 1;

/// How many times as many summaries as there are files may be in memory.
const MANY: usize = 8;

/// Code that nests deeper is lowered anew: reading it back would need a stack as deep.
const DEEPEST: usize = 500;

/// What linking and judging came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Answers {
    /// What was read of each file, in the order of the run.
    pub files: Vec<Reading>,
    /// Findings by rule.
    pub found: Vec<(String, Vec<Finding>)>,
}

/// What is reported of a file whatever the rules say.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reading {
    /// What could not be parsed.
    pub errors: Vec<SyntaxError>,
    /// Some of its code was not understood.
    pub partial: bool,
    /// Its comments, where they speak to leaklint.
    pub comments: Vec<Span>,
}

/// The memory of a project: in this process alone, or also in a folder.
#[derive(Debug, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where on the disk, once it is known which project it is.
    files: Option<[PathBuf; 2]>,
    summaries: FxHashMap<Key, pack::Bytes>,
    /// Whether the summaries of the folder were read.
    has_read: bool,
    /// What the last run needed.
    used: FxHashSet<Key>,
    /// Newest last.
    answers: Vec<(Key, pack::Bytes)>,
    new_summaries: bool,
    new_answers: bool,
}

impl Cache {
    /// A memory that ends with this process.
    pub fn in_memory() -> Cache {
        Cache::default()
    }

    /// A memory in a folder, which need not exist.
    pub fn at(folder: PathBuf) -> Cache {
        Cache { folder: Some(folder), state: Mutex::default() }
    }

    /// Says which project it is; what is remembered of it is read when it is asked for.
    pub fn open(&self, roots: &[PathBuf]) {
        let Some(folder) = &self.folder else { return };
        let mut state = self.state();
        if state.files.is_some() {
            return;
        }
        let mut maker = Maker::default();
        roots.iter().for_each(|root| maker.text(&root.to_string_lossy()));
        let name = maker.key().to_string();
        let files = [folder.join(format!("{name}.answers")), folder.join(format!("{name}.summaries"))];
        state.answers = pack::read(&files[0]).unwrap_or_default();
        state.files = Some(files);
    }

    /// What the rules answered about exactly this.
    pub fn answers(&self, key: Key) -> Option<Answers> {
        let bytes = self.state().answers.iter().find(|(known, _)| *known == key)?.1.clone();
        postcard::from_bytes(bytes.get()).ok()
    }

    /// Remembers what the rules answered.
    pub fn keep_answers(&self, key: Key, answers: &Answers) {
        let Ok(bytes) = postcard::to_stdvec(answers) else { return };
        let mut state = self.state();
        state.answers.retain(|(known, _)| *known != key);
        state.answers.push((key, pack::Bytes::from(bytes)));
        let extra = state.answers.len().saturating_sub(ANSWERS);
        state.answers.drain(..extra);
        state.new_answers = true;
    }

    /// The summaries of files: those that are remembered read back, the others made by `lower` and remembered.
    pub fn summaries<E: Send>(
        &self,
        keys: &[Key],
        lower: impl Fn(usize) -> Result<Summary, E> + Sync,
    ) -> Vec<Result<Summary, E>> {
        let known: Vec<Option<pack::Bytes>> = {
            let mut state = self.state();
            state.read_summaries();
            keys.iter().map(|key| state.summaries.get(key).cloned()).collect()
        };
        let (made, new): (Vec<_>, Vec<_>) = known
            .into_par_iter()
            .enumerate()
            .map(|(at, known)| match known.and_then(|bytes| postcard::from_bytes(bytes.get()).ok()) {
                Some(summary) => (Ok(summary), None),
                None => {
                    let made = lower(at);
                    let shallow = made.as_ref().ok().filter(|summary| is_shallow(summary));
                    let bytes = shallow.and_then(|summary| postcard::to_stdvec(summary).ok());
                    (made, bytes.map(|bytes| (keys[at], pack::Bytes::from(bytes))))
                }
            })
            .unzip();
        let mut state = self.state();
        let before = state.summaries.len();
        state.summaries.extend(new.into_iter().flatten());
        state.new_summaries |= state.summaries.len() != before;
        state.used = keys.iter().copied().collect();
        // A process that watches, or tries fix after fix, sees many texts.
        if state.summaries.len() > MANY * keys.len() {
            state.forget_unused();
        }
        made
    }

    /// Writes down what is new. Nothing is written for a memory of this process alone.
    pub fn save(&self) -> io::Result<()> {
        let mut state = self.state();
        let (Some(folder), Some([answers, summaries])) = (&self.folder, state.files.clone()) else { return Ok(()) };
        if !state.new_answers && !state.new_summaries {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        if state.new_summaries {
            state.forget_unused();
            pack::write(&summaries, state.summaries.iter())?;
        }
        if state.new_answers {
            pack::write(&answers, state.answers.iter().map(|(key, bytes)| (key, bytes)))?;
        }
        (state.new_answers, state.new_summaries) = (false, false);
        pack::bound(folder)
    }

    /// A thread that broke leaves nothing half done here: what it changes it changes at once.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read_summaries(&mut self) {
        let Some([_, summaries]) = &self.files else { return };
        if !self.has_read {
            self.has_read = true;
            self.summaries.extend(pack::read(summaries).unwrap_or_default());
        }
    }

    fn forget_unused(&mut self) {
        let size = |entries: &mut dyn Iterator<Item = &pack::Bytes>| entries.map(|bytes| bytes.get().len()).sum();
        let used: usize = size(&mut self.used.iter().filter_map(|key| self.summaries.get(key)));
        let mut left = used * SLACK;
        let State { summaries, used, .. } = self;
        summaries.retain(|key, bytes| {
            let room = used.contains(key) || bytes.get().len() <= left;
            if room && !used.contains(key) {
                left -= bytes.get().len();
            }
            room
        });
    }
}

/// Whether a summary can be read back on an ordinary stack.
fn is_shallow(summary: &Summary) -> bool {
    fn fits(flow: &Flow, room: usize) -> bool {
        let Some(room) = room.checked_sub(1) else { return false };
        match flow {
            Flow::Sequence(parts) => parts.iter().all(|part| fits(part, room)),
            Flow::Branch { then, otherwise, .. } => fits(then, room) && fits(otherwise, room),
            Flow::Switch { arms, .. } => arms.iter().all(|arm| fits(arm, room)),
            Flow::Loop { body, .. } | Flow::Labelled(_, body) => fits(body, room),
            Flow::Try { body, handler, finally } => {
                fits(body, room)
                    && handler.as_ref().is_none_or(|(_, handler)| fits(handler, room))
                    && finally.as_ref().is_none_or(|finally| fits(finally, room))
            }
            Flow::Step(_) | Flow::Label(_) | Flow::Exit(..) => true,
        }
    }
    summary.functions.iter().all(|function| fits(&function.flow, DEEPEST))
}

/// Where caches are kept if nobody says: the user's folder for what can be made again.
pub fn usual_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let system = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Caches"))
    } else {
        set("HOME").map(|home| home.join(".cache"))
    };
    // The specification lets relative paths count for nothing.
    let said = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    said.or(system).map(|folder: PathBuf| folder.join(Path::new("leaklint")))
}
