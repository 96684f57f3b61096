//! Objects that others were copied into: `{ retries: 3, ...options }`, `Object.assign({}, options)`. Says where a property
//! comes from that the literal does not name; what else happens to the object later it leaves to `slots`.

use super::{AccessKind, Origin, Project};
use crate::model::{In, Name, ObjectId, Value, ValueId};
use smallvec::SmallVec;

impl Project<'_> {
    /// What was copied into an object literal that does not name a property itself: the objects that may have it, the last
    /// one first, since that wins.
    pub fn copied_from(&self, object: In<ObjectId>, property: Name) -> SmallVec<[In<ValueId>; 2]> {
        let literal = self.object(object);
        if literal.get(&property).is_some() {
            return SmallVec::new();
        }
        let spread = |value: ValueId| match self.value(object.with(value)) {
            Value::Spread(inner) => Some(object.with(*inner)),
            _ => None,
        };
        let mut found: SmallVec<[In<ValueId>; 2]> =
            literal.properties.iter().filter_map(|property| spread(property.value)).collect();
        let index = self.index(object.file);
        let value = index.objects.get(object.id.index()).copied().flatten();
        for access in value.iter().flat_map(|value| index.accesses(*value)) {
            if let AccessKind::Argument { call, index: 0 } = access.kind
                && self.api(object.with(call)).is_some_and(|api| api.merges)
            {
                let arguments = &self.call(object.with(call)).arguments;
                found.extend(arguments[1..].iter().map(|argument| object.with(argument.value)));
            }
        }
        found.reverse();
        found
    }

    /// Likewise for whatever object literals a value may be.
    pub fn copied_into(&self, holder: In<ValueId>, property: Name) -> SmallVec<[In<ValueId>; 2]> {
        let origins = self.origins(holder);
        let objects = origins.iter().filter_map(|origin| match origin {
            Origin::Object(object) => Some(*object),
            _ => None,
        });
        objects.flat_map(|object| self.copied_from(object, property)).collect()
    }
}
