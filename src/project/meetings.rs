//! Which removals can concern a registration, and how each meets it: every rule on listeners asks, it is found out once.
//! Two things can be one only if they share a value, a place or an origin, so what is far is looked up by these.

use super::memo::apart;
use super::registrations::{Registration, Registry, Removal};
use super::{Likeness, Meeting, Origin, Place, Project};
use crate::model::{In, ValueId};
use crate::text::FileId;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// Something that two expressions of one thing share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shared {
    Value(In<ValueId>),
    Place(Place),
    Origin(Origin),
}

/// What is known of a registration's removals: their numbers, with how they meet it.
type Found = OnceLock<Box<[(u32, Meeting)]>>;

/// Registrations and removals by what they can be found by.
#[derive(Debug, Default)]
pub(super) struct Index {
    adds_in: FxHashMap<FileId, Vec<u32>>,
    removals_in: FxHashMap<FileId, Vec<u32>>,
    on: FxHashMap<Shared, Vec<u32>>,
    handler: FxHashMap<Shared, Vec<u32>>,
    /// Removals from the process as a whole.
    on_nothing: Vec<u32>,
    found: Box<[Found]>,
}

impl Registry {
    /// The registrations that calls of a file make.
    pub fn adds_in(&self, file: FileId) -> impl Iterator<Item = &Registration> {
        numbers(&self.index.adds_in, &file).iter().map(|&at| &self.adds[at as usize])
    }

    /// The removals in the code of a file.
    pub fn removals_in(&self, file: FileId) -> impl Iterator<Item = &Removal> {
        numbers(&self.index.removals_in, &file).iter().map(|&at| &self.removals[at as usize])
    }
}

impl Project<'_> {
    /// Makes what is registered and removed easy to find.
    pub(super) fn index_registry(&self, registry: &mut Registry) {
        let mut index = Index { found: registry.adds.iter().map(|_| OnceLock::new()).collect(), ..Index::default() };
        for (at, add) in registry.adds.iter_mut().enumerate() {
            add.number = at as u32;
            index.adds_in.entry(add.call.file).or_default().push(at as u32);
        }
        for (at, removal) in registry.removals.iter().enumerate() {
            let at = at as u32;
            index.removals_in.entry(removal.function.file).or_default().push(at);
            match removal.on {
                Some(on) => self.shared(on, |shared| index.on.entry(shared).or_default().push(at)),
                None => index.on_nothing.push(at),
            }
            if let Some(handler) = removal.handler {
                self.shared(handler, |shared| index.handler.entry(shared).or_default().push(at));
            }
        }
        registry.index = index;
    }

    /// All that an expression may share with another one of the same thing.
    fn shared(&self, value: In<ValueId>, mut visit: impl FnMut(Shared)) {
        visit(Shared::Value(value));
        if let Some(place) = self.place(value) {
            visit(Shared::Place(place));
        }
        for origin in self.origins(value) {
            if !matches!(origin, Origin::Unknown | Origin::Part(_) | Origin::Opaque(_) | Origin::Literal(_)) {
                visit(Shared::Origin(origin));
            }
        }
    }

    /// All removals of the same event that are near enough to concern a registration, with how they meet it: those of
    /// its file, and elsewhere those that surely name its emitter or its function.
    pub fn meetings(&self, add: &Registration) -> impl Iterator<Item = (&Removal, Meeting)> + use<'_> {
        let registry = self.registry();
        let found = registry.index.found.get(add.number as usize);
        let found = found.map_or(&[][..], |found| found.get_or_init(|| apart(|| self.find_meetings(registry, add))));
        found.iter().map(|(at, meeting)| (&registry.removals[*at as usize], *meeting))
    }

    fn find_meetings(&self, registry: &Registry, add: &Registration) -> Box<[(u32, Meeting)]> {
        let index = &registry.index;
        let mut candidates = numbers(&index.removals_in, &add.call.file).to_vec();
        match add.on {
            Some(on) => self.shared(on, |shared| candidates.extend(numbers(&index.on, &shared))),
            None => candidates.extend(&index.on_nothing),
        }
        if let Some(handler) = add.handler {
            self.shared(handler, |shared| candidates.extend(numbers(&index.handler, &shared)));
        }
        candidates.sort_unstable();
        candidates.dedup();
        let meets = |&at: &u32| {
            let removal = &registry.removals[at as usize];
            if removal.kind != add.kind || self.events(add.event, removal.event) == Likeness::Different {
                return None;
            }
            let meeting = self.meeting(add, removal);
            let far = removal.function.file != add.call.file;
            let told = meeting.on == Likeness::Same || (removal.handler.is_some() && meeting.handler == Likeness::Same);
            (!far || told).then_some((at, meeting))
        };
        candidates.iter().filter_map(meets).collect()
    }
}

fn numbers<'n, K: std::hash::Hash + Eq>(map: &'n FxHashMap<K, Vec<u32>>, key: &K) -> &'n [u32] {
    map.get(key).map_or(&[], |found| found)
}
