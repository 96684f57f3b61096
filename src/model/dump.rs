//! A summary as text, for `leaklint facts` and for whoever debugs a rule: functions with their flow, values as code.
//! Only looks; the form is for people and may change.

use super::{
    Binding, BindingId, BindingKind, CallId, Class, Cond, Exit, Flow, FunctionId, Holder, Literal, Name, Step, Summary,
    TypeFacts, Value, ValueId,
};
use std::fmt::Write;

/// Renders a summary.
pub fn dump(summary: &Summary) -> String {
    let mut dump = Dump::new(summary);
    dump.file();
    dump.text
}

/// Renders one value of a summary as code.
pub fn value(summary: &Summary, id: ValueId) -> String {
    Dump::new(summary).value(id, 0)
}

struct Dump<'a> {
    summary: &'a Summary,
    /// Names that several variables have.
    ambiguous: rustc_hash::FxHashSet<Name>,
    text: String,
}

/// Deeper parts of a value are left out.
const DEEPEST: usize = 8;

impl<'a> Dump<'a> {
    fn new(summary: &'a Summary) -> Self {
        let mut seen = rustc_hash::FxHashSet::default();
        let ambiguous =
            summary.bindings.iter().map(|binding| binding.name).filter(|name| !seen.insert(*name)).collect();
        Dump { summary, ambiguous, text: String::new() }
    }

    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = indent * 2);
    }

    fn file(&mut self) {
        let summary = self.summary;
        for error in &summary.errors {
            self.line(0, &format!("error at {}: {}", error.offset, error.message));
        }
        if summary.partial {
            self.line(0, "partial");
        }
        for include in &summary.includes {
            self.line(0, &format!("include {include}"));
        }
        for item in &summary.macros {
            let parameters = item.parameters.as_ref().map_or(String::new(), |names| format!("({})", names.len()));
            let exits = match (item.always_exits, item.may_exit) {
                (true, _) => " exits",
                (false, true) => " may exit",
                _ => "",
            };
            self.line(0, &format!("macro {}{parameters}{exits} = {}", item.name, item.body));
        }
        for export in &summary.exports {
            let value = self.value(export.value, 0);
            self.line(0, &format!("export {} = {value}", export.name));
        }
        for class in &summary.classes {
            self.class(class);
        }
        for (at, binding) in summary.bindings.iter().enumerate() {
            self.binding(BindingId(at as u32), binding);
        }
        for at in 0..summary.functions.len() {
            self.function(FunctionId(at as u32));
        }
    }

    fn class(&mut self, class: &Class) {
        let mut head = format!("class {}", class.name);
        for (at, base) in class.bases.iter().enumerate() {
            let base = self.value(*base, 0);
            head.push_str(if at == 0 { " extends " } else { ", " });
            head.push_str(&base);
        }
        if !class.base_arguments.is_empty() {
            let _ = write!(head, "<{}>", joined(&class.base_arguments));
        }
        if class.is_plain {
            head.push_str(" plain");
        }
        if class.declares_destructor {
            head.push_str(" declares-destructor");
        }
        if class.has_virtual_destructor {
            head.push_str(" virtual-destructor");
        }
        if !class.decorators.is_empty() {
            let _ = write!(head, " @{}", joined(&class.decorators));
        }
        self.line(0, &head);
        for constructor in &class.constructors {
            self.line(1, &format!("constructor fn#{}", constructor.0));
        }
        if let Some(destructor) = class.destructor {
            self.line(1, &format!("destructor fn#{}", destructor.0));
        }
        for method in &class.methods {
            let is_static = if method.is_static { "static " } else { "" };
            self.line(1, &format!("{is_static}method {} fn#{}", method.name, method.function.0));
        }
        for field in &class.fields {
            let is_static = if field.is_static { "static " } else { "" };
            let ty = field.ty.as_ref().map_or(String::new(), |ty| format!(": {}", type_text(ty)));
            let value = field.value.map_or(String::new(), |value| format!(" = {}", self.value(value, 0)));
            self.line(1, &format!("{is_static}field {}{ty}{value}", field.name));
        }
    }

    fn binding(&mut self, id: BindingId, binding: &Binding) {
        let kind = match binding.kind {
            BindingKind::Parameter(at) => format!("parameter {at}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let name = self.name(id);
        let mut line = format!("{kind} {name} of fn#{}", binding.function.0);
        if let Some(ty) = &binding.ty {
            let _ = write!(line, ": {}", type_text(ty));
        }
        let _ = write!(line, ", {} assignments", binding.assignments);
        if let Some(value) = binding.value {
            let _ = write!(line, ", is {}", self.value(value, 0));
        }
        if !binding.captured_by.is_empty() {
            let by: Vec<String> = binding.captured_by.iter().map(|function| format!("fn#{}", function.0)).collect();
            let _ = write!(line, ", captured by {}", by.join(" "));
        }
        self.line(0, &line);
    }

    fn function(&mut self, id: FunctionId) {
        let summary = self.summary;
        let function = summary.function(id);
        let mut head = format!("fn#{} {}", id.0, format!("{:?}", function.kind).to_lowercase());
        if !function.name.is_empty() {
            let _ = write!(head, " {}", function.name);
        }
        let parameters: Vec<String> = function.parameters.iter().map(|binding| self.name(*binding)).collect();
        let _ = write!(head, "({})", parameters.join(", "));
        if let Some(class) = function.class {
            let _ = write!(head, " of {}", summary.class(class).name);
        }
        if let Some(class) = function.class_name {
            let _ = write!(head, " of {class}");
        }
        if let Some(parent) = function.parent {
            let _ = write!(head, " in fn#{}", parent.0);
        }
        for (flag, name) in [
            (function.is_static, "static"),
            (function.is_async, "async"),
            (function.is_generator, "generator"),
            (function.captures_this, "captures-this"),
            (function.has_eval, "eval"),
            (function.is_noexcept, "noexcept"),
            (!function.has_body, "no-body"),
        ] {
            if flag {
                let _ = write!(head, " {name}");
            }
        }
        if let Some(ty) = &function.returns {
            let _ = write!(head, " -> {}", type_text(ty));
        }
        if !function.captures.is_empty() {
            let captures: Vec<String> = function.captures.iter().map(|binding| self.name(*binding)).collect();
            let _ = write!(head, " captures {}", captures.join(" "));
        }
        if !function.decorators.is_empty() {
            let _ = write!(head, " @{}", joined(&function.decorators));
        }
        self.line(0, &head);
        self.flow(1, &function.flow);
    }

    fn flow(&mut self, indent: usize, flow: &Flow) {
        match flow {
            Flow::Step(step) => self.step(indent, step),
            Flow::Sequence(parts) => parts.iter().for_each(|part| self.flow(indent, part)),
            Flow::Branch { cond, then, otherwise, .. } => {
                let cond = self.cond(cond);
                self.line(indent, &format!("if {cond}"));
                self.flow(indent + 1, then);
                if !otherwise.is_empty() {
                    self.line(indent, "else");
                    self.flow(indent + 1, otherwise);
                }
            }
            Flow::Switch { subject, arms, has_default } => {
                let subject = self.value(*subject, 0);
                self.line(indent, &format!("switch {subject}{}", if *has_default { " with default" } else { "" }));
                for arm in arms {
                    self.line(indent, "arm");
                    self.flow(indent + 1, arm);
                }
            }
            Flow::Loop { kind, cond, body, .. } => {
                let cond = self.cond(cond);
                self.line(indent, &format!("loop {} {cond}", format!("{kind:?}").to_lowercase()));
                self.flow(indent + 1, body);
            }
            Flow::Try { body, handler, finally } => {
                self.line(indent, "try");
                self.flow(indent + 1, body);
                if let Some((variable, handler)) = handler {
                    let variable = variable.map_or(String::new(), |variable| format!(" {}", self.name(variable)));
                    self.line(indent, &format!("catch{variable}"));
                    self.flow(indent + 1, handler);
                }
                if let Some(finally) = finally {
                    self.line(indent, "finally");
                    self.flow(indent + 1, finally);
                }
            }
            Flow::Labelled(name, body) => {
                self.line(indent, &format!("{name}:"));
                self.flow(indent + 1, body);
            }
            Flow::Label(name) => self.line(indent, &format!("label {name}")),
            Flow::Exit(exit, _) => {
                let text = match exit {
                    Exit::Return(None) => "return".to_owned(),
                    Exit::Return(Some(value)) => format!("return {}", self.value(*value, 0)),
                    Exit::Throw(None) => "throw".to_owned(),
                    Exit::Throw(Some(value)) => format!("throw {}", self.value(*value, 0)),
                    Exit::Break(label) => format!("break{}", labelled(*label)),
                    Exit::Continue(label) => format!("continue{}", labelled(*label)),
                    Exit::Goto(label) => format!("goto {label}"),
                    Exit::Macro(name) => format!("macro {name}"),
                    Exit::Never => "never".to_owned(),
                };
                self.line(indent, &text);
            }
        }
    }

    fn step(&mut self, indent: usize, step: &Step) {
        let text = match step {
            Step::Call(call) => {
                let text = self.call(*call, 0);
                let call = self.summary.call(*call);
                let mut flags = String::new();
                for (flag, name) in [
                    (call.is_discarded, "discarded"),
                    (call.is_awaited, "awaited"),
                    (call.is_optional, "optional"),
                    (call.is_array_new, "array"),
                    (call.is_placement, "placement"),
                    (call.loop_depth > 0, "in-loop"),
                ] {
                    if flag {
                        flags.push(' ');
                        flags.push_str(name);
                    }
                }
                if flags.is_empty() { text } else { format!("{text} [{}]", &flags[1..]) }
            }
            Step::Assign(assign) => {
                let how = match (assign.only_if_empty, assign.is_declaration) {
                    (true, true) => "default ",
                    (true, false) => "if-empty ",
                    (false, true) => "declare ",
                    (false, false) => "",
                };
                format!("{how}{} = {}", self.value(assign.place, 0), self.value(assign.value, 0))
            }
            Step::Delete { place, .. } => format!("delete {}", self.value(*place, 0)),
            Step::Await { value, is_yield, .. } => {
                format!("{} {}", if *is_yield { "yield" } else { "await" }, self.value(*value, 0))
            }
            Step::Drop(binding) => format!("drop {}", self.name(*binding)),
            Step::ScopeEnd { bindings, .. } => {
                let names: Vec<String> = bindings.iter().map(|binding| self.name(*binding)).collect();
                format!("end of {}", names.join(" "))
            }
        };
        self.line(indent, &text);
    }

    /// A variable: its name, with its number where another has the same name.
    fn name(&self, id: BindingId) -> String {
        let binding = self.summary.binding(id);
        let is_only = !binding.name.is_empty() && !self.ambiguous.contains(&binding.name);
        if is_only { binding.name.to_string() } else { format!("{}${}", binding.name, id.0) }
    }

    fn call(&self, id: CallId, depth: usize) -> String {
        let call = self.summary.call(id);
        let arguments: Vec<String> =
            call.arguments.iter().map(|argument| self.value(argument.value, depth + 1)).collect();
        let new = if call.is_new { "new " } else { "" };
        let template: Vec<String> =
            call.template_arguments.iter().map(|argument| self.value(argument.value, depth + 1)).collect();
        let template = if template.is_empty() { String::new() } else { format!("<{}>", template.join(", ")) };
        format!("{new}{}{template}({})", self.value(call.callee, depth + 1), arguments.join(", "))
    }

    fn values(&self, values: &[ValueId], depth: usize, between: &str) -> String {
        let parts: Vec<String> = values.iter().map(|value| self.value(*value, depth + 1)).collect();
        parts.join(between)
    }

    fn value(&self, id: ValueId, depth: usize) -> String {
        if depth > DEEPEST {
            return "…".to_owned();
        }
        match self.summary.value(id) {
            Value::Binding(binding) => self.name(*binding),
            Value::This(function) => format!("this#{}", function.0),
            Value::Global(name) => name.to_string(),
            Value::Import(name) => format!("import({name})"),
            Value::Member(object, name) => format!("{}.{name}", self.value(*object, depth + 1)),
            Value::Index(object, key) => {
                format!("{}[{}]", self.value(*object, depth + 1), self.value(*key, depth + 1))
            }
            Value::Result(call) => self.call(*call, depth),
            Value::Awaited(inner) => format!("(await {})", self.value(*inner, depth + 1)),
            Value::Function(function) => format!("fn#{}", function.0),
            Value::Class(class) => format!("class {}", self.summary.class(*class).name),
            Value::Literal(literal) => match literal {
                Literal::Null => "null".to_owned(),
                Literal::Undefined => "undefined".to_owned(),
                Literal::Bool(value) => value.to_string(),
                Literal::Int(value) => value.to_string(),
                Literal::Number => "0.0".to_owned(),
                Literal::String(text) => format!("{:?}", text.as_str()),
                Literal::LongString => "\"…\"".to_owned(),
                Literal::Regex => "/…/".to_owned(),
            },
            Value::Object(object) => {
                let parts: Vec<String> = self
                    .summary
                    .object(*object)
                    .properties
                    .iter()
                    .map(|property| match property.name {
                        Some(name) => format!("{name}: {}", self.value(property.value, depth + 1)),
                        None => self.value(property.value, depth + 1),
                    })
                    .collect();
                format!("{{{}}}", parts.join(", "))
            }
            Value::Array(_, values) => format!("[{}]", self.values(values, depth, ", ")),
            Value::Choice(values) => format!("({})", self.values(values, depth, " | ")),
            Value::Address(inner) => format!("&{}", self.value(*inner, depth + 1)),
            Value::Deref(inner) => format!("*{}", self.value(*inner, depth + 1)),
            Value::Moved(inner) => format!("move({})", self.value(*inner, depth + 1)),
            Value::Spread(inner) => format!("...{}", self.value(*inner, depth + 1)),
            Value::Opaque(values) => format!("?({})", self.values(values, depth, ", ")),
        }
    }

    fn cond(&self, cond: &Cond) -> String {
        let value = |id: &ValueId| self.value(*id, 0);
        let all = |parts: &[Cond], between: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.cond(part)).collect();
            format!("({})", parts.join(between))
        };
        match cond {
            Cond::Truthy(id) => value(id),
            Cond::Equal(a, b) => format!("{} == {}", value(a), value(b)),
            Cond::Less(a, b) => format!("{} < {}", value(a), value(b)),
            Cond::AtMost(a, b) => format!("{} <= {}", value(a), value(b)),
            Cond::Not(inner) => format!("not {}", self.cond(inner)),
            Cond::All(parts) => all(parts, " and "),
            Cond::Any(parts) => all(parts, " or "),
            Cond::Config(name) => format!("#{name}"),
            Cond::Opaque(values) => format!("?({})", self.values(values, 0, ", ")),
        }
    }
}

fn labelled(label: Option<Name>) -> String {
    label.map_or(String::new(), |label| format!(" {label}"))
}

fn joined(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(ustr::Ustr::as_str).collect();
    names.join(", ")
}

fn type_text(ty: &TypeFacts) -> String {
    let arguments = if ty.arguments.is_empty() { String::new() } else { format!("<{}>", joined(&ty.arguments)) };
    let array = if ty.is_array { "[]" } else { "" };
    let holder = match ty.holder {
        Holder::Value => "",
        Holder::Raw => " raw",
        Holder::Smart => " smart",
        Holder::Reference => " reference",
    };
    format!("{}{arguments}{array}{holder}", ty.name)
}
