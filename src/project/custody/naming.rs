//! What the names of C and C++ code say where no row and no definition is at hand: which functions release, keep or only
//! read, which classes copy, point or own. The words themselves are data (`rules/catalog/words.toml`); how much a name
//! weighs against code is decided by whoever asks.

use crate::model::words::{Meaning, Words, split};

impl Words {
    /// Whether a function's name says that it releases.
    pub(crate) fn releases(&self, name: &str) -> bool {
        let whole = |word: &String| {
            self.has(Meaning::Releasing, word)
                || word.strip_prefix('x').is_some_and(|stem| self.has(Meaning::Releasing, stem))
        };
        let lower = name.to_ascii_lowercase();
        split(name).iter().any(whole) || self.of(Meaning::ReleasingInside).any(|word| lower.contains(word))
    }

    /// Whether a function's name says that it only looks at, or fills, what it is given.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.any(Meaning::Reading, name)
    }

    /// Whether a function's name says that it keeps what it is given.
    pub(crate) fn takes(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        self.any(Meaning::Taking, name)
            || self.of(Meaning::Taking).any(|word| word.len() > 3 && lower.starts_with(word))
    }

    /// Whether a method's name says that the object gives itself away.
    pub(super) fn hands_itself_over(&self, name: &str) -> bool {
        self.has(Meaning::HandsItselfOver, &name.to_ascii_lowercase())
    }

    /// Whether objects of a class are a pointer and a length into somebody else's memory.
    pub(super) fn is_view(&self, class: &str) -> bool {
        let lower = last(class).to_ascii_lowercase();
        self.of(Meaning::Views).any(|word| lower.ends_with(word))
    }

    /// Whether a class copies what its constructor is given: strings, numbers, JavaScript values.
    pub(super) fn copies(&self, class: &str) -> bool {
        let lower = last(class).to_ascii_lowercase();
        class.starts_with("Napi::")
            || class.starts_with("v8::")
            || self.is_scalar(class)
            || self.of(Meaning::Copies).any(|word| lower.ends_with(word))
            || (class.starts_with("std::") && !lower.ends_with("_ptr"))
    }

    /// Whether objects of a type are opaque handles, though it is spelled like a class.
    pub(super) fn is_handle(&self, ty: &str) -> bool {
        let last = last(ty);
        self.of(Meaning::Handles).any(|end| last.ends_with(end))
            && !self.of(Meaning::OwningHandles).any(|word| last.contains(word))
    }

    /// Whether objects of a class have elements of their own.
    pub(super) fn is_container(&self, class: &str) -> bool {
        let lower = class.to_ascii_lowercase();
        self.of(Meaning::Containers).any(|word| lower.contains(word))
    }

    /// Whether a function or class makes an owner of what it is given.
    pub(super) fn makes_owner(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        self.of(Meaning::Owners).any(|word| lower.contains(word))
    }

    /// Whether a type is a number.
    pub(in crate::project) fn is_scalar(&self, ty: &str) -> bool {
        let name = ty.trim_start_matches("std::");
        self.has(Meaning::Scalars, name)
            || ((name.starts_with("int") || name.starts_with("uint")) && name.ends_with("_t"))
    }
}

/// Whether a function makes an object of the arguments of its constructor: `std::make_unique`.
pub(super) fn is_maker(name: &str) -> bool {
    matches!(last(name), "make_unique" | "make_shared")
}

/// Whether a name says that the function only gives another type to what it is given: `x_toval`, `x_as_base`, and where a
/// type of a pointer is called like a function, `PARAMS_PTR(p)`.
pub(super) fn is_cast(name: &str) -> bool {
    let words = split(name);
    let is_type = words.len() > 1 && words.last().is_some_and(|word| word == "ptr");
    is_type
        || words
            .iter()
            .skip(1)
            .any(|word| word == "as" || word == "cast" || (word.starts_with("to") && word != "token"))
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}
