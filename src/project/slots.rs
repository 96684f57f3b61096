//! Which places are slots of which owner: `this.x` of a class, `Foo.x`, `fn.x`, `object.x`, gathered by syntax over the whole
//! project so that resolution can follow a field to what is assigned to it. Resolves nothing.

use super::classes::Classes;
use super::index::FileIndex;
use crate::model::{ClassId, FunctionId, FunctionKind, In, Name, ObjectId, Summary, Value, ValueId};
use crate::text::FileId;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// What has slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// Instances of a class.
    Instance(In<ClassId>),
    /// A class itself.
    Static(In<ClassId>),
    /// A function object.
    Function(In<FunctionId>),
    /// What one object literal makes.
    Object(In<ObjectId>),
}

/// One assigned slot: whose, its name, the value that names it.
type Slot = ((Holder, Name), In<ValueId>);

type Found = SmallVec<[In<ValueId>; 1]>;

/// Assigned slots by owner and name.
#[derive(Default)]
pub(super) struct Slots {
    slots: FxHashMap<(Holder, Name), Found>,
    names: FxHashMap<Holder, SmallVec<[Name; 4]>>,
}

impl Slots {
    pub(super) fn new(summaries: &[Summary], index: &[FileIndex], classes: &Classes) -> Self {
        let found: Vec<Vec<Slot>> = summaries
            .par_iter()
            .zip(index)
            .enumerate()
            .map(|(at, (summary, index))| of_file(FileId(at as u32), summary, index, classes))
            .collect();
        let mut slots = Slots::default();
        for (key, value) in found.into_iter().flatten() {
            let found = slots.slots.entry(key).or_default();
            if found.is_empty() {
                slots.names.entry(key.0).or_default().push(key.1);
            }
            found.push(value);
        }
        slots
    }

    /// The values that name a slot and are assigned to, in all files.
    pub(super) fn get(&self, holder: Holder, name: Name) -> &[In<ValueId>] {
        self.slots.get(&(holder, name)).map_or(&[], |found| found)
    }

    /// Whether a class assigns an instance field of that name.
    pub(super) fn has(&self, class: In<ClassId>, name: Name) -> bool {
        self.slots.contains_key(&(Holder::Instance(class), name))
    }

    /// The names of the assigned slots of one owner.
    pub(super) fn names(&self, holder: Holder) -> &[Name] {
        self.names.get(&holder).map_or(&[], |names| names)
    }

    /// The values of the assigned slots of one owner.
    pub(super) fn of(&self, holder: Holder) -> impl Iterator<Item = In<ValueId>> + '_ {
        self.names(holder).iter().flat_map(move |name| self.get(holder, *name)).copied()
    }
}

fn of_file(file: FileId, summary: &Summary, index: &FileIndex, classes: &Classes) -> Vec<Slot> {
    let mut found = Vec::new();
    for (at, value) in summary.values.iter().enumerate() {
        if let Value::Member(object, name) = value {
            let id = ValueId(at as u32);
            if index.assigned(id).next().is_some()
                && let Some(holder) = holder(file, summary, classes, index, *object, 0)
            {
                found.push(((holder, *name), In::new(file, id)));
            }
        }
    }
    found
}

fn holder(
    file: FileId,
    summary: &Summary,
    classes: &Classes,
    index: &FileIndex,
    object: ValueId,
    depth: u32,
) -> Option<Holder> {
    match summary.value(object) {
        Value::This(function) => {
            let function = index.lent.get(function).unwrap_or(function);
            let data = summary.function(*function);
            let id = In::new(file, *function);
            let class = data.class.map(|class| id.with(class)).or_else(|| classes.class_of_outside(id));
            match class {
                Some(class) if data.is_static || data.kind == FunctionKind::StaticBlock => Some(Holder::Static(class)),
                Some(class) => Some(Holder::Instance(class)),
                None => index.held_in.get(function).map(|(object, _)| Holder::Object(id.with(*object))),
            }
        }
        Value::Class(class) => Some(Holder::Static(In::new(file, *class))),
        Value::Function(function) => Some(match index.constructed.get(function) {
            Some(class) => Holder::Static(In::new(file, *class)),
            None => Holder::Function(In::new(file, *function)),
        }),
        Value::Object(object) => Some(Holder::Object(In::new(file, *object))),
        Value::Binding(binding) if depth < 4 => {
            holder(file, summary, classes, index, summary.binding(*binding).value?, depth + 1)
        }
        Value::Choice(parts) if depth < 4 => {
            parts.iter().find_map(|part| holder(file, summary, classes, index, *part, depth + 1))
        }
        _ => None,
    }
}
