//! Fixes for fields of C++ classes that own something: the release at the end of the destructor, or a destructor with it.
//! Never safe to apply unseen: a copy of the object would release the same again.

use super::super::members::Stored;
use super::{at_end, behind, is_name, mentions};
use crate::finding::{Applicability, Finding};
use crate::model::contract::Part;
use crate::model::{FunctionKind, Holder, Language};
use crate::project::Project;
use crate::text::Edit;

/// Adds the release in the destructor to a finding about a field, where it is known.
pub(in crate::rules) fn mend(project: &Project<'_>, stored: &Stored<'_>, finding: Finding) -> Finding {
    let fix = release(project, stored)
        .and_then(|code| in_destructor(project, stored, &code).or_else(|| new_destructor(project, stored, &code)));
    match fix {
        Some(edit) => {
            let title = format!("release `{}` in the destructor", stored.field);
            finding.with_fix(title, Applicability::Unsafe, vec![edit])
        }
        None => finding,
    }
}

/// What releases the field, as code.
fn release(project: &Project<'_>, stored: &Stored<'_>) -> Option<String> {
    let (ty, field) = (stored.ty?, stored.field.as_str());
    let (_, declared) = project.field_type(stored.class, field)?;
    if declared.is_array || !is_name(field) {
        return None;
    }
    if project.contracts.is_family(ty, "persistent") {
        return (declared.holder == Holder::Value).then(|| format!("{field}.Reset();"));
    }
    // What the loop ends later outlives the destructor: only a redesign helps.
    if declared.holder != Holder::Raw || !declared.text.contains('*') || project.contracts.is_family(ty, "uv-handle") {
        return None;
    }
    match ty.name.as_str() {
        "cpp.object" => return Some(format!("delete {field};")),
        "cpp.array" => return Some(format!("delete[] {field};")),
        _ => {}
    }
    let row = project
        .contracts
        .apis
        .iter()
        .find(|api| api.releases == Some(Part::Argument(0)) && api.gives.is_none() && api.of.contains(&ty.name))?;
    let name = row.names.first()?.split('/').next()?;
    let code = if name == "free" { format!("free({field});") } else { format!("if ({field}) {name}({field});") };
    is_name(name).then_some(code)
}

fn in_destructor(project: &Project<'_>, stored: &Stored<'_>, code: &str) -> Option<Edit> {
    let destructor = project.methods(stored.class).into_iter().find(|method| {
        let function = project.function(*method);
        function.kind == FunctionKind::Destructor && function.has_body
    })?;
    let text = &*project.sources.get(destructor.file).text;
    let body = project.function(destructor).body;
    // A body that leaves early would pass the release by.
    (!mentions(body.of(text), "return"))
        .then(|| at_end(destructor.file, text, body.end.checked_sub(1)?, code))
        .flatten()
}

/// `~Name() { … }` behind the field, where it stands in the public part of a class without one.
fn new_destructor(project: &Project<'_>, stored: &Stored<'_>, code: &str) -> Option<Edit> {
    let (class, _) = project.field_type(stored.class, &stored.field)?;
    let summary = project.summary(class.file);
    let declared = project.class(class);
    let text = &*project.sources.get(class.file).text;
    if declared.declares_destructor || declared.is_plain || summary.language != Some(Language::Cpp) {
        return None;
    }
    let field = declared.fields.iter().find(|field| field.name == stored.field)?.span;
    let between = text.get(declared.span.start as usize..field.start as usize)?;
    let access =
        ["public:", "private:", "protected:"].iter().filter_map(|word| Some((between.rfind(word)?, *word))).max();
    let is_public = match access {
        Some((_, word)) => word == "public:",
        None => between.trim_start().starts_with("struct"),
    };
    let name = declared.name.rsplit([':', '.']).next().filter(|name| is_name(name))?;
    if !is_public || text.contains(&format!("~{name}")) {
        return None;
    }
    behind(class.file, text, field, &format!("~{name}() {{ {code} }}"))
}
