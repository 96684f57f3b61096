//! Answers remembered across threads, and the guard that keeps questions that ask each other from going round in circles.
//! Computes nothing itself. An answer that was cut short by an outer question of its own circle is not remembered, so what
//! is remembered never depends on who asked first.

use super::dense::{Answer, Dense};
use super::effects::{Doing, MacroExits};
use super::{Access, Caller, Origins, Passed, Place, RateAnswer, Targets};
use crate::model::contract::By;
use crate::model::{Api, CallId, ClassId, FunctionId, In, Name, Summary, Type, ValueId};
use crate::text::FileId;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::cell::RefCell;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, OnceLock};

const SHARDS: usize = 64;

/// How many questions may wait for each other.
const DEPTH: usize = 64;
/// How many questions one question may ask in all before the rest goes unanswered.
const BUDGET: u32 = 50_000;

/// What a memo is of: the same key means different questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Origins,
    Type,
    Api,
    Targets,
    References,
    Callers,
    Passed,
    Place,
    ExportPlace,
    Values,
    Accesses,
    Exports,
    Receiver,
    Bases,
    ClassType,
    Rate,
    Instances,
    Lifetime,
    ClassReferences,
    Effect,
    Gives,
    Returned,
    Holding,
    Throws,
    Other,
}

#[derive(Default)]
struct Asking {
    stack: Vec<(Ask, u64)>,
    cut: bool,
    spent: u32,
}

thread_local! {
    static ASKING: RefCell<Asking> = RefCell::default();
}

/// A question that is being asked, until it is dropped (also by a panic, which the driver survives).
pub(super) struct Question {
    outer_cut: bool,
}

/// Enters a question; none where it is being asked already or too much is.
pub(super) fn enter(ask: Ask, key: u64) -> Option<Question> {
    ASKING.with_borrow_mut(|asking| {
        if asking.stack.is_empty() {
            asking.spent = 0;
        }
        asking.spent += 1;
        if asking.stack.len() >= DEPTH || asking.spent > BUDGET || asking.stack.contains(&(ask, key)) {
            asking.cut = true;
            return None;
        }
        asking.stack.push((ask, key));
        Some(Question { outer_cut: std::mem::replace(&mut asking.cut, false) })
    })
}

impl Question {
    /// Leaves it; whether the answer is whole.
    pub(super) fn leave(self) -> bool {
        let whole = ASKING.with_borrow(|asking| !asking.cut || asking.stack.len() == 1);
        drop(self);
        whole
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        ASKING.with_borrow_mut(|asking| {
            asking.stack.pop();
            asking.cut = (asking.cut || self.outer_cut) && !asking.stack.is_empty();
        });
    }
}

/// Computes something that does not depend on what is being asked: as if nothing were.
pub(super) fn apart<V>(compute: impl FnOnce() -> V) -> V {
    struct Restore(Asking);
    impl Drop for Restore {
        fn drop(&mut self) {
            ASKING.with_borrow_mut(|asking| *asking = std::mem::take(&mut self.0));
        }
    }
    let _restore = Restore(ASKING.take());
    compute()
}

/// Answers a question unless it is being asked already: then the default.
pub(super) fn guarded<K: Hash, V: Default>(ask: Ask, key: &K, compute: impl FnOnce() -> V) -> V {
    let Some(question) = enter(ask, FxBuildHasher.hash_one(key)) else { return V::default() };
    let found = compute();
    question.leave();
    found
}

/// A map that many threads fill: two threads may compute the same answer, never a different one.
pub(super) struct Memo<K, V> {
    shards: Vec<Mutex<FxHashMap<K, V>>>,
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    fn shard(&self, hash: u64) -> &Mutex<FxHashMap<K, V>> {
        &self.shards[(hash >> 40) as usize % SHARDS]
    }

    /// The remembered answer, or the computed one; the default where the question is being asked already.
    pub(super) fn ask(&self, ask: Ask, key: K, compute: impl FnOnce() -> V) -> V
    where
        V: Default,
    {
        let hash = FxBuildHasher.hash_one(&key);
        if let Some(known) = self.shard(hash).lock().ok().and_then(|shard| shard.get(&key).cloned()) {
            return known;
        }
        self.compute(ask, hash, key, compute)
    }

    fn compute(&self, ask: Ask, hash: u64, key: K, compute: impl FnOnce() -> V) -> V
    where
        V: Default,
    {
        let Some(question) = enter(ask, hash) else { return V::default() };
        let found = compute();
        let whole = question.leave();
        if whole && let Ok(mut shard) = self.shard(hash).lock() {
            shard.insert(key, found.clone());
        }
        found
    }
}

/// A type of handle, how it is handed over, and the call that acquires it.
pub(super) type Acquired<'a> = (&'a Type, By, In<CallId>);

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    /// The remembered answer, or the computed one, which is remembered in any case: for questions that cannot come back to
    /// themselves, because each asks less deeply than the one before.
    pub(super) fn keep(&self, key: K, compute: impl FnOnce() -> V) -> V {
        let hash = FxBuildHasher.hash_one(&key);
        if let Some(known) = self.shard(hash).lock().ok().and_then(|shard| shard.get(&key).cloned()) {
            return known;
        }
        let found = compute();
        if let Ok(mut shard) = self.shard(hash).lock() {
            shard.insert(key, found.clone());
        }
        found
    }
}

/// Everything that is remembered.
pub(super) struct Memos<'a> {
    pub(super) origins: Dense<ValueId, Origins>,
    pub(super) imports: Memo<(FileId, Name), Option<FileId>>,
    pub(super) exports: Memo<FileId, Arc<[(Name, Origins)]>>,
    pub(super) bases: Dense<ClassId, Arc<[In<ClassId>]>>,
    pub(super) subclasses: OnceLock<FxHashMap<In<ClassId>, Vec<In<ClassId>>>>,
    pub(super) types: Dense<ValueId, Option<&'a Type>>,
    pub(super) class_types: Dense<ClassId, Option<&'a Type>>,
    pub(super) apis: Dense<CallId, Option<&'a Api>>,
    pub(super) targets: Dense<CallId, Targets>,
    pub(super) references: Dense<FunctionId, Arc<[In<ValueId>]>>,
    pub(super) callers: Dense<FunctionId, Arc<[Caller]>>,
    pub(super) passed: Dense<FunctionId, Arc<[Passed]>>,
    pub(super) rates: Dense<FunctionId, RateAnswer>,
    pub(super) instances: Dense<ClassId, RateAnswer>,
    pub(super) class_references: Dense<ClassId, Arc<[In<ValueId>]>>,
    pub(super) public: OnceLock<super::public::Public>,
    pub(super) gives: Dense<CallId, Option<Acquired<'a>>>,
    pub(super) returned: Dense<FunctionId, Option<Acquired<'a>>>,
    pub(super) effects: Memo<(In<FunctionId>, u16, Name), Doing>,
    pub(super) holdings: Memo<(In<FunctionId>, Place, Name), Doing>,
    pub(super) throws: Dense<FunctionId, bool>,
    pub(super) macros: OnceLock<FxHashMap<Name, MacroExits>>,
    pub(super) places: Dense<ValueId, Option<Place>>,
    pub(super) values: Memo<Place, Arc<[In<ValueId>]>>,
    pub(super) accesses: Memo<Place, Arc<[Access]>>,
}

impl Memos<'_> {
    /// Nothing is remembered of these files yet.
    pub(super) fn new(summaries: &[Summary]) -> Self {
        fn values<V: Answer>(files: &[Summary]) -> Dense<ValueId, V> {
            Dense::new(files.iter().map(|file| file.values.len()))
        }
        fn calls<V: Answer>(files: &[Summary]) -> Dense<CallId, V> {
            Dense::new(files.iter().map(|file| file.calls.len()))
        }
        fn functions<V: Answer>(files: &[Summary]) -> Dense<FunctionId, V> {
            Dense::new(files.iter().map(|file| file.functions.len()))
        }
        fn classes<V: Answer>(files: &[Summary]) -> Dense<ClassId, V> {
            Dense::new(files.iter().map(|file| file.classes.len()))
        }
        Memos {
            origins: values(summaries),
            imports: Memo::default(),
            exports: Memo::default(),
            bases: classes(summaries),
            subclasses: OnceLock::new(),
            types: values(summaries),
            class_types: classes(summaries),
            apis: calls(summaries),
            targets: calls(summaries),
            references: functions(summaries),
            callers: functions(summaries),
            passed: functions(summaries),
            rates: functions(summaries),
            instances: classes(summaries),
            class_references: classes(summaries),
            public: OnceLock::new(),
            gives: calls(summaries),
            returned: functions(summaries),
            effects: Memo::default(),
            holdings: Memo::default(),
            throws: functions(summaries),
            macros: OnceLock::new(),
            places: values(summaries),
            values: Memo::default(),
            accesses: Memo::default(),
        }
    }
}
