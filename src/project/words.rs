//! What to call things when speaking to people: as the code writes them.

use super::{Place, Project, Root};
use crate::model::{CallId, FunctionId, FunctionKind, In, Literal, Name, Value, ValueId};
use crate::text::{FileId, Location};

/// The longest text that a message quotes.
const LONG: usize = 60;

impl Project<'_> {
    /// A value as the code would write it: `this.timer`, `req.socket`, `fs.open(…)`.
    pub fn text(&self, value: In<ValueId>) -> String {
        self.text_in(value, 0)
    }

    fn text_in(&self, value: In<ValueId>, depth: u32) -> String {
        if depth > 8 {
            return "…".to_owned();
        }
        let of = |id: &ValueId| self.text_in(value.with(*id), depth + 1);
        match self.value(value) {
            Value::Binding(binding) => self.binding(value.with(*binding)).name.to_string(),
            Value::This(_) => "this".to_owned(),
            Value::Global(name) => name.to_string(),
            Value::Import(name) => self.import_text(value.file, *name),
            Value::Member(object, name) => match self.value(value.with(*object)) {
                Value::Import(_) => name.to_string(),
                Value::This(_) if self.is_native(value.file) => name.to_string(),
                Value::Global(_) if self.is_native(value.file) => format!("{}::{name}", of(object)),
                _ if self.is_native(value.file) && self.is_pointer(value.with(*object)) => {
                    format!("{}->{name}", of(object))
                }
                _ if name.starts_with("@@") => format!("{}[Symbol.{}]", of(object), &name[2..]),
                _ if name.starts_with('[') => format!("{}{name}", of(object)),
                _ => format!("{}.{name}", of(object)),
            },
            Value::Index(object, key) => format!("{}[{}]", of(object), of(key)),
            Value::Result(call) => {
                let call = value.with(*call);
                let new = if self.call(call).is_new { "new " } else { "" };
                format!("{new}{}(…)", self.text_in(call.with(self.call(call).callee), depth + 1))
            }
            Value::Awaited(inner) => format!("await {}", of(inner)),
            Value::Function(function) => {
                let name = self.function(value.with(*function)).name;
                if name.is_empty() { "function".to_owned() } else { name.to_string() }
            }
            Value::Class(class) => self.class(value.with(*class)).name.to_string(),
            Value::Literal(literal) => literal_text(literal),
            Value::Object(_) => "{…}".to_owned(),
            Value::Array(..) => "[…]".to_owned(),
            Value::Address(inner) => format!("&{}", of(inner)),
            Value::Deref(inner) => format!("*{}", of(inner)),
            Value::Spread(inner) => format!("...{}", of(inner)),
            Value::Moved(inner) => of(inner),
            Value::Choice(parts) => parts.first().map_or_else(|| "…".to_owned(), of),
            Value::Opaque(_) => "…".to_owned(),
        }
    }

    fn is_pointer(&self, object: In<ValueId>) -> bool {
        self.resolver()
            .declaration(object)
            .is_some_and(|(_, facts)| matches!(facts.holder, crate::model::Holder::Raw | crate::model::Holder::Smart))
    }

    /// The variable that holds an import, else the module's name.
    fn import_text(&self, file: FileId, specifier: Name) -> String {
        let summary = self.summary(file);
        let holds = |value: ValueId| matches!(summary.value(value), Value::Import(name) if *name == specifier);
        let variable = summary.bindings.iter().find(|binding| binding.value.is_some_and(holds));
        variable.map_or(specifier, |binding| binding.name).to_string()
    }

    /// A call as it is written, cut to one short line.
    pub fn call_text(&self, call: In<CallId>) -> String {
        let text = self.sources.snippet(self.locate(call));
        short(text)
    }

    /// What a call calls, without arguments: `server.on`, `setInterval`.
    pub fn callee_text(&self, call: In<CallId>) -> String {
        self.text(call.with(self.call(call).callee))
    }

    /// What people call a function: `Foo.bar`, `` the callback of `server.on('connection')` ``, `the module`. Names come in
    /// backticks.
    pub fn function_name(&self, function: In<FunctionId>) -> String {
        let data = self.function(function);
        let class = self.class_of(function).map(|class| self.class(class).name).filter(|name| !name.is_empty());
        match (data.kind, class) {
            (FunctionKind::Module, _) => return "the module".to_owned(),
            (FunctionKind::Constructor, Some(class)) => return format!("the constructor of `{class}`"),
            (FunctionKind::Destructor, Some(class)) => return format!("the destructor of `{class}`"),
            (FunctionKind::StaticBlock, Some(class)) => return format!("the static block of `{class}`"),
            (_, Some(class)) if !data.name.is_empty() => {
                let mark = if self.is_native(function.file) { "::" } else { "." };
                return format!("`{class}{mark}{}`", data.name);
            }
            _ => {}
        }
        if let Some((call, _)) = self.handed_directly(function).first()
            && (data.name.is_empty() || data.kind == FunctionKind::Arrow)
        {
            return format!("the callback of `{}`", self.head_text(*call));
        }
        if data.name.is_empty() { "a function".to_owned() } else { format!("`{}`", data.name) }
    }

    /// `server.on('connection')`: a call with its leading string only.
    pub fn head_text(&self, call: In<CallId>) -> String {
        let callee = self.callee_text(call);
        let first = self.argument(call, 0).and_then(|value| match self.value(value) {
            Value::Literal(Literal::String(name)) => Some(*name),
            _ => None,
        });
        let new = if self.call(call).is_new { "new " } else { "" };
        match first {
            Some(name) => format!("{new}{callee}('{name}')"),
            None => format!("{new}{callee}()"),
        }
    }

    /// What people call a place: `this.timer`, `Foo.instances`, `cache`.
    pub fn place_text(&self, place: Place) -> String {
        let native = |file: FileId| self.is_native(file);
        let root = match place.root {
            Root::Variable(variable) => self.binding(variable).name.to_string(),
            Root::Field(class, name) if native(class.file) => format!("{}::{name}", self.class(class).name),
            Root::Field(_, name) if name.starts_with('[') => format!("this{name}"),
            Root::Field(_, name) => format!("this.{name}"),
            Root::Static(class, name) if native(class.file) => format!("{}::{name}", self.class(class).name),
            Root::Static(class, name) => format!("{}.{name}", self.class(class).name),
            Root::Property(function, name) => {
                let of = self.function(function).name;
                if of.is_empty() { format!("this.{name}") } else { format!("{of}.{name}") }
            }
            Root::Object(object, name) => match self.object_name(object) {
                Some(of) => format!("{of}.{name}"),
                None => name.to_string(),
            },
            Root::Export(_, name) => format!("exports.{name}"),
            Root::External(path) => path.to_string(),
        };
        format!("{root}{}", place.path)
    }

    /// The variable that holds an object literal.
    fn object_name(&self, object: In<crate::model::ObjectId>) -> Option<Name> {
        let summary = self.summary(object.file);
        let holds = |value: ValueId| matches!(summary.value(value), Value::Object(id) if *id == object.id);
        summary.bindings.iter().find(|binding| binding.value.is_some_and(holds)).map(|binding| binding.name)
    }

    /// Where a call is.
    pub fn locate(&self, call: In<CallId>) -> Location {
        self.at(call.file, self.call(call).span)
    }

    /// Where a function's name or head is.
    pub fn locate_function(&self, function: In<FunctionId>) -> Location {
        self.at(function.file, self.function(function).name_span)
    }

    /// The source text of a place in the code, cut to one short line.
    pub fn snippet(&self, at: Location) -> String {
        short(self.sources.snippet(at))
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Undefined => "undefined".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Number => "…".to_owned(),
        Literal::String(name) => format!("'{name}'"),
        Literal::LongString => "'…'".to_owned(),
        Literal::Regex => "/…/".to_owned(),
    }
}

/// One line of at most [`LONG`] characters.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONG {
        return line;
    }
    let head: String = line.chars().take(LONG - 1).collect();
    format!("{}…", head.trim_end())
}
