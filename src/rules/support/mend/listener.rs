//! Fixes for listeners: the function kept under a name, so that the removal can name the same one, and the removal where
//! the owner ends. They change what happens, since the removal works then: never safe to apply unseen.

use super::super::listeners::Listener;
use super::{at_start, before, is_name, mentions};
use crate::model::{CallId, ClassId, FunctionId, FunctionKind, In, Language, Value, ValueId};
use crate::project::{Event, Likeness, Project, Removal};
use crate::text::{Edit, Span};

/// A fix: its title and its edits.
pub(in crate::rules) type Mended = Option<(String, Vec<Edit>)>;

/// The removal is given the function, by a name that both ends can say.
pub(in crate::rules) fn same_function(listener: &Listener<'_, '_>, removal: &Removal) -> Mended {
    let project = listener.project;
    let file = listener.add.call.file;
    let (handler, removed) = (listener.add.handler?, removal.handler?);
    let removing = removal.call.filter(|call| call.file == file && !removal.is_lifted)?;
    let taken = argument(project, removing, removed)?;
    // One call that takes back several events in turn is not about this one.
    let meets = project.meeting(listener.add, removal);
    if meets.on != Likeness::Same || !matches!(removal.event, Event::Named(_)) {
        return None;
    }
    if !project.is_fresh_function(handler) {
        let name = project.text(handler);
        let edits = vec![Edit { file, span: taken, text: name.clone() }];
        return is_seen_from(project, handler, removal.function).then(|| (format!("remove `{name}`"), edits));
    }
    let local = Local::of(listener)?;
    let (name, mut edits) = match local.variable(listener, removal) {
        Some((name, edits)) => (name, edits),
        None => {
            let class = receiver_class(project, listener.function())?;
            (receiver_class(project, removal.function) == Some(class)).then_some(())?;
            local.field()?
        }
    };
    edits.push(Edit { file, span: taken, text: name.clone() });
    Some((format!("keep the function in `{name}` and remove that one"), edits))
}

/// The function is kept in a field, and removed at the start of the method that ends the object.
pub(in crate::rules) fn removed_in(listener: &Listener<'_, '_>, ending: In<FunctionId>) -> Mended {
    let project = listener.project;
    let file = listener.add.call.file;
    let text = &*project.sources.get(file).text;
    let on = project.text(listener.on());
    if ending.file != file || !is_seen_from(project, listener.on(), ending) || on.contains('(') {
        return None;
    }
    let local = Local::of(listener)?;
    let handler = listener.add.handler?;
    let (name, mut edits) = if project.is_fresh_function(handler) {
        let class = receiver_class(project, listener.function())?;
        (receiver_class(project, ending) == Some(class)).then_some(())?;
        local.field()?
    } else {
        is_seen_from(project, handler, ending).then_some(())?;
        (project.text(handler), Vec::new())
    };
    let remover = if listener.add.dedupes { "removeEventListener" } else { "off" };
    let removal = format!("{on}.{remover}({}, {name}){}", local.event, local.end);
    edits.push(at_start(file, text, project.function(ending).body.start, &removal)?);
    Some((format!("remove it in {}", project.function_name(ending)), edits))
}

/// The registration as text.
struct Local<'p> {
    file: crate::text::FileId,
    text: &'p str,
    statement: Span,
    handler: Span,
    /// The event as it is written.
    event: String,
    /// `;`, where the file's statements end with it.
    end: &'static str,
    name: String,
    language: Option<Language>,
}

impl<'p> Local<'p> {
    fn of(listener: &Listener<'p, '_>) -> Option<Self> {
        let project = listener.project;
        let file = listener.add.call.file;
        let text = &*project.sources.get(file).text;
        let call = project.call(listener.add.call);
        let handler = argument(project, listener.add.call, listener.add.handler?)?;
        let event = listener.event()?;
        let written = call.arguments.iter().map(|argument| argument.span.of(text));
        let written = written.map(str::trim).find(|said| said.trim_matches(['\'', '"', '`']) == event)?;
        let statement = super::whole(text, call.statement);
        let end = if statement.of(text).ends_with(';') { ";" } else { "" };
        let name = listener_name(event);
        is_name(&name).then_some(Local {
            file,
            text,
            statement,
            handler,
            event: written.to_owned(),
            end,
            name,
            language: project.summary(file).language,
        })
    }

    /// `const name = function;` before the statement, where the removal is inside the same block.
    fn variable(&self, listener: &Listener<'_, '_>, removal: &Removal) -> Option<(String, Vec<Edit>)> {
        let summary = listener.project.summary(self.file);
        let at = self.statement.start;
        let scopes = summary.scopes.iter().map(|scope| scope.span);
        let block = scopes.filter(|span| span.start <= at && at < span.end).min_by_key(|span| span.end - span.start)?;
        let later = removal.at.span.start > self.statement.end || removal.function != listener.function();
        if removal.at.file != self.file || !block.contains(removal.at.span) || !later || mentions(self.text, &self.name)
        {
            return None;
        }
        let declaration = format!("const {} = {}{}", self.name, self.handler.of(self.text), self.end);
        let mut edits = before(self.file, self.text, self.statement, &declaration).filter(|edits| edits.len() == 1)?;
        edits.push(Edit { file: self.file, span: self.handler, text: self.name.clone() });
        Some((self.name.clone(), edits))
    }

    /// `this.name = function;` before the statement. TypeScript wants a declaration for it, which is for people to write.
    fn field(&self) -> Option<(String, Vec<Edit>)> {
        let place = format!("this.{}", self.name);
        if self.language != Some(Language::Js) || mentions(self.text, &self.name) {
            return None;
        }
        let assignment = format!("{place} = {}{}", self.handler.of(self.text), self.end);
        let mut edits = before(self.file, self.text, self.statement, &assignment)?;
        edits.push(Edit { file: self.file, span: self.handler, text: place.clone() });
        Some((place, edits))
    }
}

/// `SIGINT` to `sigintListener`, `socket:close` to `socketCloseListener`.
fn listener_name(event: &str) -> String {
    let mut name = String::new();
    for word in event.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let shouted = word.chars().all(|c| !c.is_lowercase());
        let word = if shouted { word.to_lowercase() } else { word.to_owned() };
        let mut letters = word.chars();
        let first = letters.next().into_iter();
        if name.is_empty() {
            name.extend(first.flat_map(char::to_lowercase));
        } else {
            name.extend(first.flat_map(char::to_uppercase));
        }
        name.extend(letters);
    }
    name.push_str("Listener");
    name
}

/// The text of the argument that is a value.
fn argument(project: &Project<'_>, call: In<CallId>, value: In<ValueId>) -> Option<Span> {
    let arguments = &project.call(call).arguments;
    arguments
        .iter()
        .find(|argument| call.file == value.file && argument.value == value.id)
        .map(|argument| argument.span)
}

/// The class of the object that `this` is in a function.
fn receiver_class(project: &Project<'_>, mut function: In<FunctionId>) -> Option<In<ClassId>> {
    while project.function(function).kind == FunctionKind::Arrow {
        function = function.with(project.function(function).parent?);
    }
    project.class_of(function)
}

/// Whether code of a function can say the same words and mean the same thing.
fn is_seen_from(project: &Project<'_>, value: In<ValueId>, from: In<FunctionId>) -> bool {
    if value.file != from.file {
        return false;
    }
    let summary = project.summary(value.file);
    match project.value(value) {
        Value::Global(_) => true,
        Value::Binding(binding) => summary.is_inside(from.id, summary.binding(*binding).function),
        Value::Member(object, _) => is_seen_from(project, value.with(*object), from),
        Value::This(of) => {
            let class = project.class_of(value.with(*of));
            class.is_some() && receiver_class(project, from) == class
        }
        _ => false,
    }
}
