//! Answers remembered across threads. Computes nothing itself; a recomputed answer is the same answer.

use super::Origins;
use crate::model::{In, ValueId};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Mutex;

const SHARDS: usize = 64;

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
    fn shard(&self, key: &K) -> &Mutex<FxHashMap<K, V>> {
        &self.shards[(FxBuildHasher.hash_one(key) >> 40) as usize % SHARDS]
    }

    /// The remembered answer.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.shard(key).lock().ok()?.get(key).cloned()
    }

    /// Remembers an answer.
    pub(super) fn put(&self, key: K, value: V) {
        if let Ok(mut shard) = self.shard(&key).lock() {
            shard.insert(key, value);
        }
    }
}

/// Everything that is remembered.
#[derive(Default)]
pub(super) struct Memos {
    pub(super) origins: Memo<In<ValueId>, Origins>,
}
