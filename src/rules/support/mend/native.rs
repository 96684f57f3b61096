//! Fixes for what C and C++ code owns: a smart pointer beside the raw one, or its release before each way out that lacks it.
//! None of them is safe for a machine to apply unseen: who else knows the pointer is not in the code that is read.

use super::super::custody::{assigned, is_released_with_more, name, releaser};
use super::{at_end, before, behind, is_name, mentions, whole};
use crate::finding::{Applicability, Finding};
use crate::model::{Assign, Binding, BindingKind, Flow, Holder, In, Language, Step, Summary, Value};
use crate::project::{Custody, Loss, Owned, Project, Way};
use crate::text::{Edit, FileId, Span};

/// What the builders below work with.
struct Scene<'p, 'a, 'o> {
    project: &'p Project<'a>,
    owned: &'p Owned<'o>,
    custody: &'p Custody,
    file: FileId,
    text: &'p str,
    name: String,
}

/// Adds a fix to a finding about something owned by a local variable, where one is known.
pub(in crate::rules) fn mend(project: &Project<'_>, owned: &Owned<'_>, custody: &Custody, finding: Finding) -> Finding {
    let file = owned.function.file;
    let text = &*project.sources.get(file).text;
    let Some(name) = name(project, owned).filter(|name| is_name(name)) else { return finding };
    if is_released_with_more(project, owned) {
        return finding;
    }
    let scene = Scene { project, owned, custody, file, text, name };
    let fix = scene.guard().or_else(|| scene.releases());
    match fix {
        Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
        None => finding,
    }
}

/// Adds the release of a variable before each way out that lacks it, said by the rule that knows what releases it.
pub(in crate::rules) fn released(
    project: &Project<'_>,
    owned: &Owned<'_>,
    custody: &Custody,
    name: &str,
    release: &str,
    finding: Finding,
) -> Finding {
    let file = owned.function.file;
    let text = &*project.sources.get(file).text;
    let scene = Scene { project, owned, custody, file, text, name: name.to_owned() };
    match scene.release_everywhere(&format!("{release};")) {
        Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
        None => finding,
    }
}

type Mended = Option<(String, Vec<Edit>)>;

/// A release at more ways out than this wants another shape, not more lines.
const MOST: usize = 10;

impl Scene<'_, '_, '_> {
    fn summary(&self) -> &Summary {
        self.project.summary(self.file)
    }

    fn binding(&self) -> Option<&Binding> {
        let place = assigned(self.project, self.owned).or(self.owned.holder)?;
        match self.project.value(In::new(self.file, place)) {
            Value::Binding(binding) => Some(self.summary().binding(*binding)),
            _ => None,
        }
    }

    /// The first assignment of a kind to the variable in this function.
    fn assignment(&self, wanted: impl Fn(&Assign) -> bool) -> Option<Assign> {
        let mut found = None;
        self.project.function(self.owned.function).flow.walk(&mut |flow| {
            if let Flow::Step(Step::Assign(assign)) = flow
                && found.is_none()
                && matches!(self.summary().value(assign.place), Value::Binding(binding)
                    if self.summary().binding(*binding).name.as_str() == self.name)
                && wanted(assign)
            {
                found = Some(*assign);
            }
        });
        found
    }

    /// `std::unique_ptr<T> nameOwner(name);` behind the declaration: every way out releases it.
    fn guard(&self) -> Mended {
        if self.summary().language != Some(Language::Cpp) || !self.custody.is_never_settled() {
            return None;
        }
        let binding = self.binding()?;
        let ty = binding.ty.as_ref().filter(|ty| ty.holder == Holder::Raw)?;
        let declared = self.assignment(|assign| assign.is_declaration && Some(assign.value) == self.owned.holder)?;
        if binding.assignments != 1 || !declared.statement.contains(binding.span) {
            return None;
        }
        let pointee = ty.text.trim().strip_suffix('*')?.trim();
        if pointee.ends_with('*') || pointee.contains("auto") || matches!(pointee, "void" | "const void") {
            return None;
        }
        let owner = format!("{}Owner", self.name);
        let release = releaser(self.project, self.owned, &self.name);
        let code = if release.starts_with("delete[]") {
            format!("std::unique_ptr<{pointee}[]> {owner}({});", self.name)
        } else if release.starts_with("delete ") {
            format!("std::unique_ptr<{pointee}> {owner}({});", self.name)
        } else if release.starts_with("free(") {
            format!("std::unique_ptr<{pointee}, decltype(&free)> {owner}({}, free);", self.name)
        } else {
            return None;
        };
        if mentions(self.text, &owner) || !whole(self.text, declared.statement).of(self.text).ends_with([';', ')']) {
            return None;
        }
        let mut edits = vec![behind(self.file, self.text, declared.statement, &code)?];
        edits.extend(include(self.file, self.text, "memory"));
        Some((format!("let a `std::unique_ptr` own `{}`", self.name), edits))
    }

    /// The release before each way out that lacks it.
    fn releases(&self) -> Mended {
        let binding = self.binding()?;
        let is_parameter = matches!(binding.kind, BindingKind::Parameter(_));
        let is_set = is_parameter
            || binding.assignments > 0
                && (self.assignment(|assign| assign.is_declaration).is_some()
                    || self.owned.call().is_some_and(|call| self.is_out_of(call))
                    || self.is_set_on_each());
        if !is_set {
            return None;
        }
        self.release_everywhere(&self.guarded(releaser(self.project, self.owned, &self.name)))
    }

    fn release_everywhere(&self, release: &str) -> Mended {
        if self.custody.losses.is_empty() || self.custody.losses.len() > MOST {
            return None;
        }
        let mut edits: Vec<Edit> = Vec::new();
        for loss in &self.custody.losses {
            for edit in self.release_at(loss, release)? {
                if !edits.contains(&edit) {
                    edits.push(edit);
                }
            }
        }
        let here =
            if self.custody.losses.len() == 1 { "before leaving there" } else { "on every way out that lacks it" };
        Some((format!("release `{}` {here}", self.name), edits))
    }

    /// Whether every way out on which it is lost is inside the block of the acquisition: the variable has its value there.
    fn is_set_on_each(&self) -> bool {
        let Some(call) = self.owned.call() else { return false };
        let scopes = &self.summary().scopes;
        let at = self.summary().call(call).span.start;
        let around = scopes.iter().map(|scope| scope.span).filter(|span| span.start <= at && at < span.end);
        let block = around.min_by_key(|span| span.end - span.start);
        block.is_some_and(|block| {
            self.custody.losses.iter().all(|loss| loss.span.end > at && loss.span.end <= block.end)
        })
    }

    /// Whether the thing comes by an out-parameter: then the variable has a value wherever the thing exists.
    fn is_out_of(&self, call: crate::model::CallId) -> bool {
        self.owned.begin == crate::project::Begin::Out(call)
    }

    /// With a test where the release does not bear null and the code has not tested before.
    fn guarded(&self, release: String) -> String {
        let bears_null = release.starts_with("delete") || release.starts_with("free(");
        let is_pointer =
            self.binding().and_then(|binding| binding.ty.as_ref()).is_some_and(|ty| ty.holder == Holder::Raw);
        let body = self.project.function(self.owned.function).body.of(self.text);
        let name = &self.name;
        let tested = [format!("(!{name})"), format!("{name} == "), format!("{name} != "), format!("({name})")];
        let conditions = body.split("if ").chain(body.split("if(")).skip(1);
        let is_tested = conditions
            .map(|rest| rest.split(['{', ';']).next().unwrap_or(""))
            .any(|condition| tested.iter().any(|test| condition.contains(test.as_str())));
        if bears_null || is_tested || !is_pointer { format!("{release};") } else { format!("if ({name}) {release};") }
    }

    fn release_at(&self, loss: &Loss, release: &str) -> Option<Vec<Edit>> {
        let span = whole(self.text, loss.span);
        if self.is_joined(span) {
            return None;
        }
        match loss.way {
            Way::Return | Way::Throw => {
                let said = span.of(self.text);
                let is_exit = said.starts_with("return") || said.starts_with("throw");
                if !is_exit || mentions(said, &self.name) {
                    return None;
                }
                before(self.file, self.text, span, release)
            }
            Way::Macro(name) => {
                let always = self.project.macro_exits(self.file, name) == Some(true);
                if !always || mentions(span.of(self.text), &self.name) {
                    return None;
                }
                before(self.file, self.text, span, release)
            }
            Way::Scope | Way::End => {
                let brace = span.end.checked_sub(1)?;
                at_end(self.file, self.text, brace, release).map(|edit| vec![edit])
            }
            Way::Overwrite(_) => {
                let mut statement = None;
                self.project.function(self.owned.function).flow.walk(&mut |flow| {
                    if let Flow::Step(Step::Assign(assign)) = flow
                        && assign.span == loss.span
                    {
                        statement = Some(assign.statement);
                    }
                });
                let statement = statement?;
                let said = statement.of(self.text);
                let value = said.split_once('=').map_or("", |(_, value)| value);
                if mentions(value, &self.name) {
                    return None;
                }
                before(self.file, self.text, statement, release)
            }
        }
    }

    /// Whether ways on which the thing is released or handed over lead to the same way out: then a release there would be
    /// the second. They don't where the block of the first ends by leaving.
    fn is_joined(&self, exit: Span) -> bool {
        let start = self.owned.call().map_or(0, |call| self.summary().call(call).span.start);
        let earlier = self.custody.settlements.iter().map(|settlement| settlement.span);
        earlier
            .filter(|span| span.start > start && span.start < exit.start)
            .any(|span| !leaves_before(self.text, span, exit.start))
    }
}

/// Whether a block around `span` closes before `until`, and its last statement leaves.
fn leaves_before(text: &str, span: Span, until: u32) -> bool {
    let mut depth = 0_i32;
    let Some(between) = text.get(span.end as usize..until as usize) else { return false };
    for (at, c) in between.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                let inside = between[..at].trim_end().trim_end_matches(';');
                let last = inside.rsplit([';', '{', '}']).next().unwrap_or("").trim_start();
                let leaves = ["return", "throw", "goto", "break", "continue"].iter().any(|word| last.starts_with(word));
                if leaves {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// An `#include` that the file lacks, behind its last one outside conditions.
fn include(file: FileId, text: &str, header: &str) -> Option<Edit> {
    let line = format!("#include <{header}>");
    if text.contains(&line) {
        return None;
    }
    let mut depth = 0;
    let mut at = 0;
    let mut place = None;
    for row in text.split_inclusive('\n') {
        let word = row.trim_start();
        if word.starts_with("#if") {
            depth += 1;
        } else if word.starts_with("#endif") {
            depth -= 1;
        } else if word.starts_with("#include") && (depth == 0 || place.is_none()) {
            place = Some(at + row.trim_end().len());
        }
        at += row.len();
    }
    let (at, added) = place.map_or((0, format!("{line}\n")), |at| (at, format!("\n{line}")));
    Some(Edit { file, span: Span::new(at as u32, at as u32), text: added })
}
