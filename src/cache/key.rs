//! Names for things by all that they are made of.

use std::fmt;
use std::sync::OnceLock;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// What something is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u128);

impl Key {
    /// The key of a text by itself.
    pub fn of(text: &str) -> Key {
        Key(xxh3_128(text.as_bytes()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Makes a key out of parts: each with its length, so that no two lists of parts look alike.
#[derive(Clone, Default)]
pub struct Maker(Xxh3);

impl Maker {
    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// Adds a key.
    pub fn part(&mut self, key: Key) {
        self.0.update(&key.0.to_le_bytes());
    }

    /// The key of all that was added.
    pub fn key(&self) -> Key {
        Key(self.0.digest128())
    }
}

/// The key of the program that runs: another one lowers and judges otherwise. None where it can't read itself.
pub fn program() -> Option<Key> {
    static PROGRAM: OnceLock<Option<Key>> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        let bytes = std::fs::read(std::env::current_exe().ok()?).ok()?;
        Some(Key(xxh3_128(&bytes)))
    })
}
