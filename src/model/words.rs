//! What names say: the words that a name is made of, and lists of words that stand for one meaning (`rules/catalog/words.toml`).
//! Never decides what follows from a word; whoever asks has to weigh that it is only a name.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Methods that end an object's life: `close`, `destroy`, `stop`, `Symbol.dispose` as `@@dispose`.
    Disposal,
    /// Those of them that mostly end one of the things that an object does, where it has another end: `cancel`, `abort`.
    EndsOne,
    /// Those of them that take something out of the object where they are told what: `unsubscribe(topic)`.
    TakesOut,
    /// Methods that start it anew, possibly several times: `connect`, `start`, `reconnect`, `open`.
    Start,
    /// Flags that say an object is ending: `closing`, `destroyed`.
    Ending,
    /// Nouns for things of which a program has as many as its source, its configuration or its installation spells out:
    /// `plugin`, `locale`, `type`. A table keyed by one is no open table.
    Few,
    /// Such nouns that say it wherever they stand in a name: `pluginPaths`, `emittedWarnings`.
    Things,
    /// Nouns for data of which there is any amount: `id`, `url`, `session`. A table keyed by one is open.
    Data,
    /// Nouns for what is inside of such data.
    Contents,
    /// Of the nouns for data, those that any string may be called: they say nothing where no word before them does.
    Vague,
    /// Nouns for what an installation consists of: there are as many ids of a `node` as it has nodes.
    Parts,
    /// Nouns for data that make a key of data out of whatever word follows: `userType` is as many as there are users.
    Crowds,
    /// Verbs of functions with which a program says what it consists of: `register`, `define`.
    Declaring,
    /// Last words of events that come again and again: `data`, `message`, `change`.
    Often,
    /// Events that tell that a thing begins or goes on: `connect`, `response`.
    Hoped,
    /// Parameters by which an operation tells its outcome: `callback`, `done`, `resolve`.
    Answering,
    /// Words in the names of functions that a program calls once, when it starts, and of those that call these: `boot`, `main`.
    Booting,
    /// Words in the names of functions that make something ready as a whole, mostly once: `setup`, `configure`.
    SettingUp,
    /// Content types of answers that go on as long as their connection: `text/event-stream`.
    Endless,
    /// Decorators of classes of which a container makes one for all: `Service`, `Injectable`.
    Singleton,
    /// Words that speak of who a thing belongs to: `shared`, `owned`, `external`.
    Belonging,
    /// Words for the most that there may be: `limit`, `capacity`.
    Limits,
    /// Words in the names of C variables by which a call reports failure: `error`, `status`.
    Reporting,
    /// Methods that ask whether an object holds anything: `empty`, `IsEmpty`.
    Emptiness,
    /// Words in the names of C functions that end something's life: `free`, `close`.
    Releasing,
    /// Those that say it even inside a word: `xmlfreedoc`.
    ReleasingInside,
    /// Words in the names of C functions that keep what they are given: `push`, `register`.
    Taking,
    /// Words in the names of C functions that only look at, or fill, what they are given: `get`, `print`.
    Reading,
    /// Functions and methods of addons that keep a JavaScript object alive: `Ref`, `SaveToPersistent`.
    Keeping,
    /// Methods of C++ objects by which one gives itself away, to a queue or a count: `Queue`, `Ref`.
    HandsItselfOver,
    /// Ends of the names of C++ classes whose objects point into somebody else's memory: `slice`, `view`.
    Views,
    /// Ends of the names of C++ classes that copy what they are made of: `string`.
    Copies,
    /// Parts of the names of C++ classes with elements of their own: `vector`.
    Containers,
    /// Parts of the names of C++ functions and classes that make an owner of their argument: `make_unique`, `guard`.
    Owners,
    /// Ends of the names of types whose objects are opaque handles though they are spelled like a class: `Ref`, `Id`.
    Handles,
    /// Parts of such names that say the opposite: `Scoped`, `Unique`.
    OwningHandles,
    /// Words in the names of C variables whose memory all goes at once: `pool`, `arena`.
    Pools,
    /// Types that are numbers, beside `intN_t` and `uintN_t`.
    Scalars,
}

/// The lists, as `[words]` of a file of rows has them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Words(FxHashMap<Meaning, FxHashSet<String>>);

impl Words {
    /// Whether a whole word or name has a meaning.
    pub fn has(&self, meaning: Meaning, word: &str) -> bool {
        self.0.get(&meaning).is_some_and(|words| words.contains(word))
    }

    /// Whether one of the words of a name has a meaning.
    pub fn any(&self, meaning: Meaning, name: &str) -> bool {
        split(name).iter().any(|word| self.has(meaning, word))
    }

    /// Whether the first word of a name has a meaning.
    pub fn first(&self, meaning: Meaning, name: &str) -> bool {
        split(name).first().is_some_and(|word| self.has(meaning, word))
    }

    /// Whether the last word of a name has a meaning.
    pub fn last(&self, meaning: Meaning, name: &str) -> bool {
        split(name).last().is_some_and(|word| self.has(meaning, word))
    }

    /// Whether the first or the last word of a name has a meaning: `connectAll`, `socketConnect`.
    pub fn either_end(&self, meaning: Meaning, name: &str) -> bool {
        self.first(meaning, name) || self.last(meaning, name)
    }

    /// The words of one meaning, in no order.
    pub fn of(&self, meaning: Meaning) -> impl Iterator<Item = &str> {
        self.0.get(&meaning).into_iter().flatten().map(String::as_str)
    }

    /// Adds another file's lists.
    pub fn extend(&mut self, more: Words) {
        for (meaning, words) in more.0 {
            self.0.entry(meaning).or_default().extend(words);
        }
    }
}

/// The words of a name in lower case: `xmlFreeDoc` has `xml`, `free` and `doc`; `SQLGetData` has `sql`, `get` and `data`;
/// `md5_hash` has `md5` and `hash`.
pub fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() {
            let hump = c.is_uppercase()
                && before.is_some_and(|before| {
                    !before.is_uppercase() || chars.peek().is_some_and(|after| after.is_lowercase())
                });
            if before.is_none() || hump {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
            before = Some(c);
        } else {
            before = None;
        }
    }
    words
}

/// A noun without the `s` of its plural.
pub fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if word.len() > 3 && !stem.ends_with(['s', 'u']) => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::{singular, split};

    #[test]
    fn names_fall_into_words() {
        assert_eq!(split("xmlFreeDoc"), ["xml", "free", "doc"]);
        assert_eq!(split("SQLGetData"), ["sql", "get", "data"]);
        assert_eq!(split("__init_master"), ["init", "master"]);
        assert_eq!(split("md5Hash"), ["md5", "hash"]);
        assert_eq!(split("std::make_unique"), ["std", "make", "unique"]);
        assert_eq!(split("?"), Vec::<String>::new());
    }

    #[test]
    fn plurals_lose_their_s() {
        assert_eq!(
            ["plugins", "class", "status", "ids", "gas"].map(singular),
            ["plugin", "class", "status", "ids", "gas"]
        );
    }
}
