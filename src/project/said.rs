//! What comments say about ownership, above a function or class: `@owns x` and `@borrows x` of its parameters, `@mustCall f`
//! of what it gives. Said words win over what the code looks like: they are there because it does not tell.

use super::effects::Doing;
use super::memo::Acquired;
use super::{Project, practice};
use crate::model::contract::By;
use crate::model::{CallId, ClassId, FunctionId, In, Name, Summary};
use crate::text::{FileId, Sources, Span};
use rustc_hash::FxHashMap;

/// Whose a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The function's, from the call on.
    Owns,
    /// The caller's, as before.
    Borrows,
}

/// What the comments of a project say.
#[derive(Debug, Default)]
pub struct Words {
    parameters: FxHashMap<(In<FunctionId>, u16), Said>,
    /// Of native functions, by name.
    by_name: FxHashMap<(Name, u16), Said>,
    functions: FxHashMap<In<FunctionId>, Name>,
    classes: FxHashMap<In<ClassId>, Name>,
    /// What must be called, with the native function that gives what it must be called on; none in JavaScript.
    pub calls: Vec<(Name, Option<Name>)>,
    /// Functions of which no comment speaks, with what everybody calls on what they give, and whether that comes by a promise.
    usual: FxHashMap<In<FunctionId>, (Name, bool)>,
    /// What everybody calls.
    pub habits: Vec<Name>,
}

/// The type of what a function must be called on.
pub fn owed(function: &str) -> String {
    format!("@mustCall.{function}")
}

/// The type of what everybody calls a function on.
pub fn usually_owed(function: &str) -> String {
    format!("@usual.{function}")
}

/// Whether a type's obligation is known from what the project does elsewhere only.
pub fn is_habit(ty: &crate::model::Type) -> bool {
    ty.name.starts_with("@usual.")
}

/// Reads the comments above functions and classes, and what the project does where nothing is said.
pub fn read(sources: &Sources, summaries: &[Summary], meanings: &crate::model::words::Words) -> Words {
    let mut words = Words::default();
    for ((file, source), summary) in sources.iter().zip(summaries) {
        if speaks(&source.text) {
            if summary.language.is_some_and(crate::model::Language::is_native) {
                words.read_native(&source.text, &summary.comments);
            } else {
                words.read_file(file, &source.text, summary);
            }
        }
    }
    for habit in practice::read(summaries, meanings) {
        words.learn(sources, summaries, &habit);
    }
    words
}

/// Whether a text has one of the words.
fn speaks(text: &str) -> bool {
    let words = ["owns", "borrows", "mustCall"];
    text.match_indices('@').any(|(at, _)| words.iter().any(|word| text[at + 1..].starts_with(word)))
}

impl Words {
    /// All functions of scripts by the name of the one that gives.
    fn learn(&mut self, sources: &Sources, summaries: &[Summary], habit: &practice::Practice) {
        for ((file, _), summary) in sources.iter().zip(summaries) {
            let script = summary.language.is_some_and(|language| !language.is_native());
            if !script || habit.file.is_some_and(|of| of != file.0 as usize) {
                continue;
            }
            for (at, function) in summary.functions.iter().enumerate() {
                if function.name == habit.gives && function.has_body {
                    self.usual
                        .entry(In::new(file, FunctionId(at as u32)))
                        .or_insert((habit.releases, habit.by_promise));
                }
            }
        }
        self.habits.push(habit.releases);
    }

    /// By text: a prototype is no function of its file, and the definition may lie in another one.
    fn read_native(&mut self, text: &str, comments: &[Span]) {
        for (at, comment) in comments.iter().enumerate() {
            let next = comments.get(at + 1).map_or(text.len(), |next| next.start as usize);
            let rest = text.get(comment.end as usize..).unwrap_or_default();
            let apart = text.get(comment.end as usize..next).is_some_and(|between| between.trim().is_empty());
            if apart && next < text.len() {
                continue;
            }
            let start = comment.end + (rest.len() - rest.trim_start().len()) as u32;
            let Some((function, parameters)) = head(rest) else { continue };
            for (word, name) in said(text, comments, start) {
                if word == "@mustCall" {
                    self.calls.push((Name::from(name), Some(Name::from(function))));
                } else if let Some(place) = parameters.iter().position(|parameter| *parameter == name) {
                    let said = if word == "@owns" { Said::Owns } else { Said::Borrows };
                    self.by_name.insert((Name::from(function), place as u16), said);
                }
            }
        }
    }

    fn read_file(&mut self, file: FileId, text: &str, summary: &Summary) {
        for (at, function) in summary.functions.iter().enumerate().skip(1) {
            let id = In::new(file, FunctionId(at as u32));
            for (word, name) in said(text, &summary.comments, function.span.start) {
                if word == "@mustCall" {
                    self.functions.insert(id, Name::from(name));
                    self.calls.push((Name::from(name), None));
                    continue;
                }
                let said = if word == "@owns" { Said::Owns } else { Said::Borrows };
                let place = function.parameters.iter().position(|parameter| summary.binding(*parameter).name == *name);
                if let Some(place) = place {
                    self.parameters.insert((id, place as u16), said);
                }
            }
        }
        for (at, class) in summary.classes.iter().enumerate() {
            let found = said(text, &summary.comments, class.span.start);
            if let Some((_, name)) = found.into_iter().find(|(word, _)| *word == "@mustCall") {
                self.classes.insert(In::new(file, ClassId(at as u32)), Name::from(name));
                self.calls.push((Name::from(name), None));
            }
        }
    }
}

/// The name of the C or C++ function whose head a text begins with, and those of its parameters.
fn head(text: &str) -> Option<(&str, Vec<&str>)> {
    let text = &text[..text.find([';', '{']).unwrap_or(text.len())];
    let (before, rest) = text.split_once('(')?;
    let last_word = |text: &'_ str| -> std::ops::Range<usize> {
        let end = text.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_')).len();
        text[..end].rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1)..end
    };
    let parameters = rest.rsplit_once(')').map_or(rest, |(inside, _)| inside);
    let names = parameters.split(',').map(|parameter| &parameter[last_word(parameter)]).collect();
    Some((&before[last_word(before)], names)).filter(|(name, _)| !name.is_empty())
}

/// The words with their names in the comments that end right above, or before, what starts at an offset.
fn said<'t>(text: &'t str, comments: &[Span], start: u32) -> Vec<(&'t str, &'t str)> {
    let mut found = Vec::new();
    let mut until = start;
    let mut heads = true;
    for comment in comments.iter().rev().filter(|comment| comment.end <= start) {
        let between = text.get(comment.end as usize..until as usize).unwrap_or(";");
        // `export const f = ` may stand between a comment and the function; between comments, only a line end.
        let apart = between.contains([';', '{', '}']) || between.matches('\n').count() > 1;
        if apart || (!heads && !between.trim().is_empty()) {
            break;
        }
        (until, heads) = (comment.start, false);
        let words: Vec<&str> = comment.of(text).split_whitespace().collect();
        for pair in words.windows(2) {
            let name = pair[1].trim_matches(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
            if matches!(pair[0], "@owns" | "@borrows" | "@mustCall") && !name.is_empty() {
                found.push((pair[0], name));
            }
        }
    }
    found
}

impl<'a> Project<'a> {
    /// The project, told what its comments say.
    #[must_use]
    pub fn with_said(self, words: Words) -> Self {
        let _ = self.said.set(words);
        self
    }

    fn words(&self) -> &Words {
        self.said.get_or_init(|| read(self.sources, &self.summaries, &self.contracts.words))
    }

    /// What is said of an argument of a call.
    pub(super) fn said_of_argument(&self, call: In<CallId>, at: u16) -> Option<Said> {
        let words = self.words();
        if self.is_native(call.file) {
            let said = || words.by_name.get(&(self.method_name(call)?, at));
            return if words.by_name.is_empty() { None } else { said().copied() };
        }
        if words.parameters.is_empty() {
            return None;
        }
        let targets = self.targets(call);
        targets.functions.iter().find_map(|function| words.parameters.get(&(*function, at))).copied()
    }

    /// What is said of a parameter of a function.
    pub(super) fn said_of_parameter(&self, function: In<FunctionId>, at: u16) -> Option<Doing> {
        let said = self.words().parameters.get(&(function, at))?;
        Some(if *said == Said::Owns { Doing::Takes } else { Doing::Borrows })
    }

    /// What a call gives because a comment says so.
    pub(super) fn said_to_give(&self, call: In<CallId>) -> Option<Acquired<'a>> {
        let words = self.words();
        if words.calls.is_empty() && words.usual.is_empty() || self.is_native(call.file) {
            return None;
        }
        let targets = self.targets(call);
        let function = targets.functions.first().filter(|_| !targets.weak && targets.functions.len() == 1);
        let by = |function: Option<&In<FunctionId>>| {
            let is_async = function.is_some_and(|function| self.function(*function).is_async);
            if is_async { By::Promise } else { By::Return }
        };
        if let Some((habit, by_promise)) = function.and_then(|function| words.usual.get(function)) {
            // Whoever takes the result as it is, has the thing itself.
            let by = if *by_promise && self.is_waited_for(call) { By::Promise } else { by(function) };
            return Some((self.contracts.ty(&usually_owed(habit))?, by, call));
        }
        let by_function = function.and_then(|function| words.functions.get(function));
        let by_class = || {
            let made = self.result(call).filter(|_| self.call(call).is_new)?;
            words.classes.get(&self.class_of_value(made)?)
        };
        let owes = by_function.or_else(by_class)?;
        Some((self.contracts.ty(&owed(owes))?, by(function), call))
    }

    /// Whether the code waits for what a call gives, or reacts to it.
    fn is_waited_for(&self, call: In<CallId>) -> bool {
        let Some(result) = self.result(call) else { return self.call(call).is_awaited };
        let reacts = |access: &super::Access| match access.kind {
            super::AccessKind::Awaited => true,
            super::AccessKind::Method { key: super::Key::Name(name), .. } => {
                matches!(name.as_str(), "then" | "catch" | "finally")
            }
            _ => false,
        };
        self.call(call).is_awaited || self.uses(result).iter().any(reacts)
    }

    /// Whether a call is the one that must be made on, or with, a thing of this type: a comment or the project's habit says so.
    pub(super) fn pays(&self, call: In<CallId>, ty: Option<&crate::model::Type>) -> bool {
        let owed = ty.and_then(|ty| ty.name.strip_prefix("@mustCall.").or_else(|| ty.name.strip_prefix("@usual.")));
        owed.is_some_and(|owed| self.method_name(call).is_some_and(|name| name == *owed))
    }
}
