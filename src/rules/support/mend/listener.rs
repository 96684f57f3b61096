//! Fixes for listeners: the function kept under a name, so that the removal can name the same one, and the removal where
//! the owner ends. They change what happens, since the removal works then: never safe to apply unseen.

use super::super::listeners::Listener;
use super::finally::{ends_with_its_work, finally_after};
use super::{at_start, before, is_name, mentions};
use crate::model::{CallId, ClassId, Flow, FunctionId, FunctionKind, In, Language, Step, Value, ValueId};
use crate::project::{Event, Likeness, Project, Registration, Removal};
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
    listener.is_of_event().then_some(())?;
    let text = &*project.sources.get(file).text;
    let on = seen_as(project, listener.on(), ending).filter(|on| !on.contains('('))?;
    let local = Local::of(listener)?;
    if let Event::Value(event) = listener.add.event
        && !is_seen_from(project, event, ending)
    {
        return None;
    }
    let handler = listener.add.handler?;
    let (name, mut edits) = if project.is_fresh_function(handler) {
        let class = receiver_class(project, listener.function())?;
        (receiver_class(project, ending) == Some(class)).then_some(())?;
        local.field()?
    } else {
        (seen_as(project, handler, ending)?, Vec::new())
    };
    let dot = if project.call(listener.add.call).is_optional { "?." } else { "." };
    let removal = format!("{on}{dot}{}({}, {name}){}", remover(listener), local.event, local.end);
    edits.push(at_start(file, text, project.function(ending).body.start, &removal)?);
    Some((format!("remove it in {}", project.function_name(ending)), edits))
}

fn remover(listener: &Listener<'_, '_>) -> &'static str {
    if listener.add.dedupes { "removeEventListener" } else { "off" }
}

/// The rest of an asynchronous function in `try`, and in `finally` the removal; where the function has no name, it is
/// registered with the signal of a controller that is aborted there.
pub(in crate::rules) fn removed_in_finally(listener: &Listener<'_, '_>) -> Mended {
    let project = listener.project;
    let function = listener.function();
    let call = project.call(listener.add.call);
    let local = Local::of(listener)?;
    let plain = listener.add.call == listener.add.api && matches!(listener.add.event, Event::Named(_));
    if !plain || !project.function(function).is_async || !ends_with_its_work(project, function) {
        return None;
    }
    let handler = listener.add.handler?;
    if !project.is_fresh_function(handler) {
        let on = project.text(listener.on());
        let dot = if call.is_optional { "?." } else { "." };
        let name = project.text(handler);
        let removal = format!("{on}{dot}{}({}, {name}){}", remover(listener), local.event, local.end);
        let edits = finally_after(project, function, call.statement, &removal)?;
        return (is_name(&name) && !on.contains('(')).then(|| ("remove it in `finally`".to_owned(), edits));
    }
    if !listener.add.dedupes || listener.add.signal.is_some() || mentions(local.text, ENDED) {
        return None;
    }
    let (file, end) = (local.file, local.end);
    let mut edits = finally_after(project, function, call.statement, &format!("{ENDED}.abort(){end}"))?;
    let controller = format!("const {ENDED} = new AbortController(){end}");
    edits.extend(before(file, local.text, local.statement, &controller).filter(|edits| edits.len() == 1)?);
    let option = format!("signal: {ENDED}.signal");
    let (at, text) = match call.arguments.get(2) {
        None => (local.handler.end, format!(", {{ {option} }}")),
        Some(options) if options.span.of(local.text).starts_with("{ ") => {
            (options.span.start + 1, format!(" {option},"))
        }
        Some(_) => return None,
    };
    edits.push(Edit { file, span: Span::new(at, at), text });
    Some(("register it with the signal of a controller that is aborted in `finally`".to_owned(), edits))
}

/// The controller of [`removed_in_finally`].
const ENDED: &str = "ended";

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
    /// What the function can be kept under.
    name: Option<String>,
    language: Option<Language>,
}

impl<'p> Local<'p> {
    fn of(listener: &Listener<'p, '_>) -> Option<Self> {
        let project = listener.project;
        let file = listener.add.call.file;
        let text = &*project.sources.get(file).text;
        let call = project.call(listener.add.call);
        let handler = argument(project, listener.add.call, listener.add.handler?)?;
        let mut written = call.arguments.iter().map(|argument| argument.span.of(text).trim());
        let written = match listener.add.event {
            Event::Value(event) => argument(project, listener.add.call, event)?.of(text).trim(),
            _ => {
                let event = listener.event()?;
                written.find(|said| said.trim_matches(['\'', '"', '`']) == event)?
            }
        };
        let statement = super::whole(text, call.statement);
        let end = super::semicolon(text, statement);
        let name = own_name(project, listener.add);
        Some(Local {
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
        let name = self.name.clone()?;
        let summary = listener.project.summary(self.file);
        let at = self.statement.start;
        let scopes = summary.scopes.iter().map(|scope| scope.span);
        let block = scopes.filter(|span| span.start <= at && at < span.end).min_by_key(|span| span.end - span.start)?;
        let later = removal.at.span.start > self.statement.end || removal.function != listener.function();
        if removal.at.file != self.file || !block.contains(removal.at.span) || !later || mentions(self.text, &name) {
            return None;
        }
        let declaration = format!("const {name} = {}{}", self.handler.of(self.text), self.end);
        let mut edits = before(self.file, self.text, self.statement, &declaration).filter(|edits| edits.len() == 1)?;
        edits.push(Edit { file: self.file, span: self.handler, text: name.clone() });
        Some((name, edits))
    }

    /// `this.name = function;` before the statement. TypeScript wants a declaration for it, which is for people to write.
    fn field(&self) -> Option<(String, Vec<Edit>)> {
        let name = self.name.as_ref()?;
        let place = format!("this.{name}");
        if self.language != Some(Language::Js) || mentions(self.text, name) {
            return None;
        }
        let assignment = format!("{place} = {}{}", self.handler.of(self.text), self.end);
        let mut edits = before(self.file, self.text, self.statement, &assignment)?;
        edits.push(Edit { file: self.file, span: self.handler, text: place.clone() });
        Some((place, edits))
    }
}

/// A name for a registered function that no other one of its file gets: after the event, or after emitter and event.
fn own_name(project: &Project<'_>, add: &Registration) -> Option<String> {
    let file = add.call.file;
    let adds = || project.registry().adds.iter().filter(|other| other.call.file == file);
    let event = |add: &Registration| match add.event {
        Event::Named(event) => Some(event.to_string()),
        Event::Value(event) => {
            let text = argument(project, add.call, event)?.of(&project.sources.get(file).text);
            text.split(['\'', '"']).nth(1).map(str::to_owned)
        }
        Event::All => None,
    };
    let plain = |add: &Registration| Some(listener_name(&event(add)?));
    let on = |add: &Registration| project.text(add.on?).rsplit('.').next().map(str::to_owned);
    let full = |add: &Registration| Some(listener_name(&format!("{} {}", on(add)?, event(add)?)));
    let is_own = |name: &dyn Fn(&Registration) -> Option<String>| {
        let own = name(add).filter(|name| is_name(name))?;
        (adds().filter(|other| name(other).as_ref() == Some(&own)).count() == 1).then_some(own)
    };
    is_own(&plain).or_else(|| is_own(&full))
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
        Value::Literal(_) => true,
        Value::Opaque(parts) => {
            !parts.is_empty() && parts.iter().all(|part| is_seen_from(project, value.with(*part), from))
        }
        Value::This(of) => {
            let class = project.class_of(value.with(*of));
            class.is_some() && receiver_class(project, from) == class
        }
        _ => false,
    }
}

/// What code of a function calls a value: as it is written, or by the field of the same object that holds it, too.
fn seen_as(project: &Project<'_>, value: In<ValueId>, from: In<FunctionId>) -> Option<String> {
    if is_seen_from(project, value, from) {
        return Some(project.text(value));
    }
    match project.value(value) {
        Value::Member(object, name) => Some(format!("{}.{name}", seen_as(project, value.with(*object), from)?)),
        Value::Binding(binding) if value.file == from.file => {
            let function = value.with(project.binding(value.with(*binding)).function);
            let class = receiver_class(project, from)?;
            let mut field = None;
            project.function(function).flow.walk(&mut |flow| {
                if let Flow::Step(Step::Assign(assign)) = flow
                    && assign.value == value.id
                    && let Value::Member(object, name) = project.value(value.with(assign.place))
                    && matches!(project.value(value.with(*object)), Value::This(_))
                {
                    field = field.or(Some(*name));
                }
            });
            (receiver_class(project, function) == Some(class)).then_some(())?;
            field.map(|name| format!("this.{name}"))
        }
        _ => None,
    }
}
