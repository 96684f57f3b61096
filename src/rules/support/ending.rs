//! Methods that end an object's life, by the catalog's words, and what they reach.

use crate::model::{ClassId, FunctionId, In};
use crate::project::{Access, Project};
use rustc_hash::FxHashSet;

/// Methods of a class (and its project bases) that end its instances: `close`, `destroy`, `stop`, ...
pub(crate) fn endings(project: &Project<'_>, class: In<ClassId>) -> Vec<In<FunctionId>> {
    let words = &project.contracts.words.disposal;
    let mut found: Vec<In<FunctionId>> = Vec::new();
    for class in std::iter::once(class).chain(project.bases(class)) {
        for method in project.methods(class) {
            let name = project.function(method).name;
            let known = found.iter().any(|&f| project.function(f).name == name);
            let fits = words.iter().any(|word| is_word(&name, word));
            if !known && fits && project.function(method).has_body && !is_reaction(project, method) {
                found.push(method);
            }
        }
    }
    found
}

/// `onClose` that the project runs itself when something else closes: what it closes over has ended by then.
fn is_reaction(project: &Project<'_>, method: In<FunctionId>) -> bool {
    let name = project.function(method).name;
    let bare = name.trim_start_matches(['#', '_']);
    let tells = bare.strip_prefix("on").is_some_and(|rest| rest.starts_with(|first: char| first.is_uppercase()));
    tells && (!project.callers(method).is_empty() || !project.passed_to(method).is_empty())
}

fn is_word(name: &str, word: &str) -> bool {
    let bare = name.trim_start_matches(['#', '_']);
    bare == word || bare.strip_suffix("Async").or_else(|| bare.strip_suffix("Sync")).is_some_and(|stem| stem == word)
}

/// Everything that running a function may run: what it calls, what it hands on, and functions inside it.
pub(crate) fn reach(project: &Project<'_>, from: In<FunctionId>) -> FxHashSet<In<FunctionId>> {
    let mut seen = FxHashSet::default();
    let mut left = vec![from];
    while let Some(function) = left.pop() {
        if !seen.insert(function) || seen.len() > 400 {
            continue;
        }
        for call in project.calls_in(function) {
            left.extend(project.targets(call).functions);
            left.extend(project.callbacks(call).into_iter().map(|handed| handed.function));
        }
    }
    seen
}

/// Whether one of the accesses happens in what a function may run.
pub(crate) fn reaches(project: &Project<'_>, from: In<FunctionId>, accesses: &[Access]) -> bool {
    if accesses.is_empty() {
        return false;
    }
    let reach = reach(project, from);
    accesses.iter().any(|access| {
        let summary = project.summary(access.file);
        reach
            .iter()
            .any(|f| f.file == access.file && summary.is_inside(access.function, f.id) && f.id != FunctionId::MODULE)
    })
}
