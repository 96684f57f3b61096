//! Answers remembered across threads, and the guard that keeps questions that ask each other from going round in circles.
//! Computes nothing itself. An answer that was cut short by an outer question of its own circle is not remembered, so what
//! is remembered never depends on who asked first; the outermost of a circle is (as in Tarjan's search for strongly connected
//! components), else all of the circle would be computed again for each who asks. What was cut short holds until the outermost
//! question that did so is answered, and is handed out again until then: of a field that is computed from itself in many places
//! each place asks all the others.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Innermost last.
    stack: Vec<Asked>,
    spent: u32,
    /// How many questions this thread has entered: a number for each.
    entered: u64,
    /// Answers that were cut short, for as long as what cut them is being asked.
    passing: FxHashMap<(Ask, u64), Passing>,
}

struct Asked {
    ask: Ask,
    key: u64,
    number: u64,
    /// The questions on the stack that cut this one short, a bit each by its index.
    cut_by: u64,
    /// There was too much to ask: how much depends on where it was asked.
    gave_up: bool,
}

/// An answer that holds while a question is being asked.
#[derive(Clone, Copy)]
struct Passing {
    /// See [`Cut::by`].
    by: (u32, u64),
    answer: u32,
}

thread_local! {
    static ASKING: RefCell<Asking> = RefCell::default();
}

/// A question that is being asked, until it is dropped (also by a panic, which the driver survives).
pub(super) struct Question;

/// How a question ends.
pub(super) enum End {
    /// The answer was cut short by no question but itself: it is the same wherever it is asked.
    Whole,
    /// It was cut short by these questions, which are still being asked.
    Cut(Cut),
    /// There was too much to ask.
    GaveUp,
}

/// An answer that was cut short, until [`Cut::keep`] says where it is kept.
pub(super) struct Cut {
    asked: (Ask, u64),
    /// The outermost question that did so, by its index on the stack and its number.
    by: (u32, u64),
}

/// Questions below this one on the stack, as bits.
fn below(index: usize) -> u64 {
    1_u64.checked_shl(index as u32).map_or(u64::MAX, |bit| bit - 1)
}

/// Enters a question; none where it is being asked already or too much is.
pub(super) fn enter(ask: Ask, key: u64) -> Option<Question> {
    ASKING.with_borrow_mut(|asking| {
        if asking.stack.is_empty() {
            asking.spent = 0;
        }
        asking.spent += 1;
        let asked = asking.stack.iter().position(|asked| asked.ask == ask && asked.key == key);
        let gave_up = asking.stack.len() >= DEPTH || asking.spent > BUDGET;
        if asked.is_some() || gave_up {
            if let Some(top) = asking.stack.last_mut() {
                top.cut_by |= asked.map_or(0, |index| 1 << index);
                top.gave_up |= gave_up;
            }
            return None;
        }
        asking.entered += 1;
        asking.stack.push(Asked { ask, key, number: asking.entered, cut_by: 0, gave_up: false });
        Some(Question)
    })
}

/// The answer of a question that was cut short, while the outermost question that did so is being asked. What others cut off
/// meanwhile has gone into that one's answer by another way.
pub(super) fn passing(ask: Ask, key: u64) -> Option<u32> {
    ASKING.with_borrow_mut(|asking| {
        if asking.passing.is_empty() {
            return None;
        }
        let Passing { by: (index, number), answer } = *asking.passing.get(&(ask, key))?;
        let outermost = asking.stack.get(index as usize)?;
        if outermost.number != number {
            asking.passing.remove(&(ask, key));
            return None;
        }
        asking.stack.last_mut()?.cut_by |= 1 << index;
        Some(answer)
    })
}

impl Cut {
    /// Remembers where the answer is kept.
    pub(super) fn keep(self, answer: u32) {
        let Cut { asked, by } = self;
        ASKING.with_borrow_mut(|asking| asking.passing.insert(asked, Passing { by, answer }));
    }
}

impl Question {
    /// Leaves it.
    pub(super) fn leave(self) -> End {
        let end = ASKING.with_borrow(|asking| {
            let Some((asked, outer)) = asking.stack.split_last() else { return End::Whole };
            let cut_by = asked.cut_by & below(outer.len());
            if outer.is_empty() {
                return End::Whole;
            }
            if asked.gave_up {
                return End::GaveUp;
            }
            match cut_by.trailing_zeros() {
                u64::BITS => End::Whole,
                index => End::Cut(Cut { asked: (asked.ask, asked.key), by: (index, outer[index as usize].number) }),
            }
        });
        drop(self);
        end
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        ASKING.with_borrow_mut(|asking| {
            let Some(asked) = asking.stack.pop() else { return };
            let own = asking.stack.len();
            match asking.stack.last_mut() {
                // What was cut by this question alone is settled with it.
                Some(outer) => {
                    outer.cut_by |= asked.cut_by & below(own);
                    outer.gave_up |= asked.gave_up;
                }
                None => asking.passing.clear(),
            }
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
        let whole = matches!(question.leave(), End::Whole);
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

#[cfg(test)]
mod tests {
    use super::{Ask, Memo};
    use std::cell::Cell;

    /// Four questions: 0 asks 1, 1 asks 2, 2 asks 1 again (a circle of 1 and 2) and 3, which asks nobody.
    fn ask(memo: &Memo<u32, u32>, computed: &Cell<u32>, key: u32) -> u32 {
        memo.ask(Ask::Other, key, || {
            computed.set(computed.get() + 1);
            let next: &[u32] = match key {
                0 => &[1],
                1 => &[2],
                2 => &[1, 3],
                _ => &[],
            };
            next.iter().fold(1, |sum, next| sum + ask(memo, computed, *next))
        })
    }

    #[test]
    fn the_first_question_of_a_circle_is_remembered_and_what_it_cut_is_not() {
        let (memo, computed) = (Memo::default(), Cell::new(0));
        assert_eq!(ask(&memo, &computed, 0), 4);
        assert_eq!(computed.replace(0), 4);
        // 1 was cut by nobody but itself, and 3 by nobody.
        assert_eq!((ask(&memo, &computed, 1), ask(&memo, &computed, 3), computed.get()), (3, 1, 0));
        // 2 was cut by 1: asked by itself it is another question.
        assert_eq!((ask(&memo, &computed, 2), computed.get()), (5, 1));
    }
}
