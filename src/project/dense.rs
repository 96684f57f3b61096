//! Answers to questions about numbered things of files, one slot a thing: what is asked millions of times costs two loads,
//! no hashing and no lock. Computes nothing itself; [`memo`](super::memo) says when an answer may be remembered.

use super::memo::{Ask, End, enter, passing};
use super::{Origins, RateAnswer, Targets};
use crate::model::In;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Not asked yet.
const UNKNOWN: u32 = 0;
/// The default answer, by far the most frequent one, takes no room.
const DEFAULT: u32 = 1;
/// The first number of an answer that is stored.
const FIRST: u32 = 2;

/// The slots of one file: numbers of answers.
type Slots = OnceLock<Box<[AtomicU32]>>;

/// What can be remembered here.
pub(super) trait Answer: Default {
    /// Whether it is the default answer.
    fn is_default(&self) -> bool;
}

impl<T> Answer for Option<T> {
    fn is_default(&self) -> bool {
        self.is_none()
    }
}

impl<T> Answer for Arc<[T]> {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Answer for bool {
    fn is_default(&self) -> bool {
        !self
    }
}

impl Answer for Origins {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Answer for Targets {
    fn is_default(&self) -> bool {
        self.functions.is_empty() && !self.weak
    }
}

impl Answer for RateAnswer {
    fn is_default(&self) -> bool {
        self.rate.is_none() && self.why.is_empty()
    }
}

/// A memo over the things of one kind of all files: two threads may compute the same answer, never a different one.
pub(super) struct Dense<I, V> {
    /// How many things each file has.
    sizes: Box<[u32]>,
    /// Made when a file is first asked about.
    files: Box<[Slots]>,
    answers: boxcar::Vec<V>,
    of: PhantomData<fn(I)>,
}

impl<I: Copy + Into<u32>, V: Answer> Dense<I, V> {
    /// No answers yet. `sizes`: how many things each file has.
    pub(super) fn new(sizes: impl Iterator<Item = usize>) -> Self {
        let sizes: Box<[u32]> = sizes.map(|size| size as u32).collect();
        let files = sizes.iter().map(|_| OnceLock::new()).collect();
        Dense { sizes, files, answers: boxcar::Vec::new(), of: PhantomData }
    }

    fn slot(&self, key: In<I>) -> &AtomicU32 {
        let file = key.file.0 as usize;
        let size = self.sizes[file];
        let slots = self.files[file].get_or_init(|| (0..size).map(|_| AtomicU32::new(UNKNOWN)).collect());
        let id: u32 = key.id.into();
        &slots[id as usize]
    }

    /// The remembered answer, or the computed one; the default where the question is being asked already.
    pub(super) fn ask(&self, ask: Ask, key: In<I>, compute: impl FnOnce() -> V) -> V
    where
        V: Clone,
    {
        self.read(ask, key, compute, V::clone)
    }

    /// Likewise, but only looks at the answer.
    pub(super) fn read<R>(&self, ask: Ask, key: In<I>, compute: impl FnOnce() -> V, read: impl FnOnce(&V) -> R) -> R {
        let slot = self.slot(key);
        match slot.load(Ordering::Acquire) {
            UNKNOWN => {}
            DEFAULT => return read(&V::default()),
            at => return read(&self.answers[(at - FIRST) as usize]),
        }
        let id: u32 = key.id.into();
        let name = u64::from(key.file.0) << 32 | u64::from(id);
        match passing(ask, name) {
            None => {}
            Some(DEFAULT) => return read(&V::default()),
            Some(at) => return read(&self.answers[(at - FIRST) as usize]),
        }
        let Some(question) = enter(ask, name) else { return read(&V::default()) };
        let found = compute();
        let end = question.leave();
        if matches!(end, End::GaveUp) {
            return read(&found);
        }
        let is_default = found.is_default();
        let at = if is_default { DEFAULT } else { self.answers.push(found) as u32 + FIRST };
        match end {
            End::Cut(cut) => cut.keep(at),
            _ => slot.store(at, Ordering::Release),
        }
        if is_default { read(&V::default()) } else { read(&self.answers[(at - FIRST) as usize]) }
    }
}

#[cfg(test)]
mod tests {
    use super::Dense;
    use crate::model::{In, ValueId};
    use crate::project::memo::Ask;
    use crate::text::FileId;
    use std::cell::Cell;
    use std::sync::Arc;

    const ALL: u32 = 20;

    /// Each question is itself and what all others answer.
    fn ask(answers: &Dense<ValueId, Arc<[u32]>>, computed: &Cell<u32>, key: u32) -> Arc<[u32]> {
        answers.ask(Ask::Origins, In::new(FileId(0), ValueId(key)), || {
            computed.set(computed.get() + 1);
            let others =
                (0..ALL).filter(|other| *other != key).flat_map(|other| ask(answers, computed, other).to_vec());
            let mut found: Vec<u32> = others.chain([key]).collect();
            found.sort_unstable();
            found.dedup();
            found.into()
        })
    }

    #[test]
    fn questions_that_all_ask_each_other_are_answered_once_for_each_outermost_one() {
        let (answers, computed) = (Dense::new([ALL as usize].into_iter()), Cell::new(0));
        for key in 0..ALL {
            assert_eq!(*ask(&answers, &computed, key), (0..ALL).collect::<Vec<_>>());
        }
        assert!(computed.get() <= ALL * ALL, "{}", computed.get());
    }
}
