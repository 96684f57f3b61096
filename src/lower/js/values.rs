//! Values: built bottom-up and interned, so that equal text over equal variables has one id. Walks no syntax.

use super::state::Lowering;
use crate::model::{FunctionId, Literal, Name, Value, ValueId};

/// Values nest no deeper than this: whoever walks them may recurse.
const DEEPEST_VALUE: u8 = 100;

impl Lowering<'_> {
    /// The id of a value.
    pub fn value(&mut self, value: Value) -> ValueId {
        if let Some(&id) = self.interned.get(&value) {
            return id;
        }
        let id = ValueId(self.out.values.len() as u32);
        let depth = self.depth_of(&value);
        self.depths.push(depth);
        self.interned.insert(value.clone(), id);
        self.out.values.push(value);
        id
    }

    fn depth_of(&self, value: &Value) -> u8 {
        let depth = |id: &ValueId| self.depths[id.index()];
        let inner = match value {
            Value::Member(object, _) => depth(object),
            Value::Index(object, key) => depth(object).max(depth(key)),
            Value::Result(call) => depth(&self.out.calls[call.index()].callee),
            Value::Awaited(inner) | Value::Spread(inner) => depth(inner),
            Value::Array(_, values) | Value::Choice(values) | Value::Opaque(values) => {
                values.iter().map(depth).max().unwrap_or(0)
            }
            _ => return 0,
        };
        inner.saturating_add(1)
    }

    /// The same value, or one that says nothing where it nests too deeply to be built upon.
    fn shallow(&mut self, id: ValueId) -> ValueId {
        if self.depths[id.index()] < DEEPEST_VALUE { id } else { self.unknown() }
    }

    /// A value of which nothing is known.
    pub fn unknown(&mut self) -> ValueId {
        self.value(Value::Opaque(Box::default()))
    }

    /// `object.name`.
    pub fn member(&mut self, object: ValueId, name: &str) -> ValueId {
        let object = self.shallow(object);
        let name = self.name(name);
        self.value(Value::Member(object, name))
    }

    /// `object[key]`.
    pub fn index(&mut self, object: ValueId, key: ValueId) -> ValueId {
        if let Value::Literal(Literal::String(name)) = self.out.values[key.index()] {
            return self.member(object, name.as_str());
        }
        if let Value::Member(symbol, name) = self.out.values[key.index()]
            && matches!(self.out.values[symbol.index()], Value::Global(global) if global == "Symbol")
        {
            return self.member(object, &format!("@@{name}"));
        }
        if let Some(name) = self.symbol_name(key) {
            return self.member(object, &format!("[{name}]"));
        }
        let object = self.shallow(object);
        let key = self.shallow(key);
        self.value(Value::Index(object, key))
    }

    /// The name of a key that is a file's constant symbol, its own or imported: `this[kClients]` is a fixed property.
    fn symbol_name(&self, key: ValueId) -> Option<Name> {
        match &self.out.values[key.index()] {
            Value::Binding(binding) => {
                let data = &self.out.bindings[binding.index()];
                let given = self.given[binding.index()]?;
                let fixed = data.function == FunctionId::MODULE && data.assignments == 1;
                (fixed && self.is_symbol(given)).then_some(data.name)
            }
            Value::Member(object, name) => self.is_import(*object).then_some(*name),
            _ => None,
        }
    }

    /// `Symbol('x')`, or a name that another file gives.
    fn is_symbol(&self, value: ValueId) -> bool {
        match &self.out.values[value.index()] {
            Value::Result(call) => match &self.out.values[self.out.calls[call.index()].callee.index()] {
                Value::Global(name) => *name == "Symbol",
                Value::Member(object, name) => {
                    *name == "for"
                        && matches!(&self.out.values[object.index()], Value::Global(name) if *name == "Symbol")
                }
                _ => false,
            },
            Value::Member(object, _) => self.is_import(*object),
            _ => false,
        }
    }

    fn is_import(&self, value: ValueId) -> bool {
        match &self.out.values[value.index()] {
            Value::Import(_) => true,
            Value::Binding(binding) => self.given[binding.index()]
                .is_some_and(|given| matches!(self.out.values[given.index()], Value::Import(_))),
            _ => false,
        }
    }

    /// Something made of other values.
    pub fn opaque(&mut self, values: impl IntoIterator<Item = ValueId>) -> ValueId {
        let mut kept: Vec<ValueId> = values.into_iter().collect();
        for id in &mut kept {
            *id = self.shallow(*id);
        }
        self.value(Value::Opaque(kept.into()))
    }

    /// One of several values.
    pub fn choice(&mut self, values: impl IntoIterator<Item = ValueId>) -> ValueId {
        let mut kept: Vec<ValueId> = Vec::new();
        for id in values {
            let id = self.shallow(id);
            let parts = match &self.out.values[id.index()] {
                Value::Choice(parts) => parts.to_vec(),
                _ => vec![id],
            };
            for part in parts {
                if !kept.contains(&part) && kept.len() < 32 {
                    kept.push(part);
                }
            }
        }
        match kept[..] {
            [one] => one,
            _ => self.value(Value::Choice(kept.into())),
        }
    }

    /// A fresh array.
    pub fn array(&mut self, elements: Vec<ValueId>) -> ValueId {
        self.arrays += 1;
        let elements: Vec<ValueId> = elements.into_iter().map(|id| self.shallow(id)).collect();
        self.value(Value::Array(self.arrays, elements.into()))
    }

    /// What a promise resolves to.
    pub fn awaited(&mut self, value: ValueId) -> ValueId {
        // A module's namespace is no promise: `await import('x')` is the module.
        if matches!(self.out.values[value.index()], Value::Import(_)) {
            return value;
        }
        let value = self.shallow(value);
        self.value(Value::Awaited(value))
    }

    /// `...value`.
    pub fn spread(&mut self, value: ValueId) -> ValueId {
        let value = self.shallow(value);
        self.value(Value::Spread(value))
    }

    /// A literal.
    pub fn literal(&mut self, literal: Literal) -> ValueId {
        self.value(Value::Literal(literal))
    }

    /// A literal string.
    pub fn string(&mut self, text: &str) -> ValueId {
        let literal = if text.len() <= 80 { Literal::String(self.name(text)) } else { Literal::LongString };
        self.literal(literal)
    }

    /// A name that the file does not declare.
    pub fn global(&mut self, name: &str) -> ValueId {
        let name = self.name(name);
        self.value(Value::Global(name))
    }
}
