//! Entries of a Map, WeakMap or cache that are written as properties of it.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{In, Type, ValueId};
use crate::project::{AccessKind, Key, Openness, Project};

/// Reports the first such write to each value of a file.
pub fn check(project: &Project<'_>, found: &mut Vec<Finding>) {
    for (file, summary) in project.files().filter(|(file, _)| !project.is_native(*file)) {
        for at in 0..summary.values.len() {
            let value = In::new(file, ValueId(at as u32));
            let write = project.uses(value).iter().find_map(|access| match access.kind {
                AccessKind::KeyAssigned { key: Key::Value(key), .. } => Some((access, access.of(key))),
                _ => None,
            });
            let Some((access, key)) = write else { continue };
            let Some((ty, method)) = project.ty(value).and_then(|ty| Some((ty, keeps(project, ty)?))) else { continue };
            if project.openness(key) == Openness::Fixed {
                continue;
            }
            let (name, key) = (project.text(value), project.text(key));
            let entry = if method == "set" { format!("{key}, …") } else { "…".to_owned() };
            let finding = Finding::new(
                "collection-used-as-object",
                Confidence::High,
                access.at(),
                format!("`{name}[{key}] = …` makes a property of the {}, not an entry", ty.noun),
            )
            .with_why(format!(
                "`delete`, `clear`, `size` and the bounds of the {} never see the property; it stays as long as `{name}` itself",
                ty.noun
            ))
            .with_help(format!("call `{name}.{method}({entry})`, and read it with `{name}.{}({key})`", reader(method)))
            .with_context(project.function_name(access.function()))
            .with_step(StepKind::Grow, access.at(), format!("a property of `{name}` under a key known only at run time"));
            found.push(finding);
        }
    }
}

/// The method that makes an entry of a collection which is no list.
fn keeps(project: &Project<'_>, ty: &Type) -> Option<&'static str> {
    let families = ["collection", "weak-collection", "cache", "bounded-cache"];
    let collection = families.iter().any(|family| project.contracts.is_family(ty, family));
    let grows = |method: &&&str| project.contracts.method(ty, method).is_some_and(|api| api.grows.is_some());
    if collection { ["set", "add"].iter().find(grows).copied() } else { None }
}

fn reader(method: &str) -> &'static str {
    if method == "set" { "get" } else { "has" }
}
