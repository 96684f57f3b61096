//! Entries of a Map, WeakMap or cache that are written as properties of it.

use crate::finding::{Applicability, Confidence, Finding, StepKind};
use crate::model::contract::Runs;
use crate::model::{Flow, FunctionId, In, Step, Type, ValueId};
use crate::project::{Access, AccessKind, Key, Openness, Owner, Project};
use crate::text::{Edit, Span};

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
            // What one run makes goes with what the run gives back, properties and all.
            let confidence = match project.lifetime(value).owner {
                Owner::Call(maker) if runs_later(project, access.function(), maker) => Confidence::Medium,
                Owner::Call(_) => Confidence::Low,
                _ => Confidence::High,
            };
            let finding = Finding::new(
                "collection-used-as-object",
                confidence,
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
            let is_weak = project.contracts.is_family(ty, "weak-collection");
            found.push(match entries(project, value).filter(|_| method == "set" && !is_weak) {
                Some(edits) => finding.with_fix(format!("use the methods of the {}", ty.noun), Applicability::Unsafe, edits),
                None => finding,
            });
        }
    }
}

/// Whether a function inside another runs again and again when that is done: as a handler of events, or given back.
fn runs_later(project: &Project<'_>, inner: In<FunctionId>, maker: In<FunctionId>) -> bool {
    let later = |function: In<FunctionId>| {
        let passed = project.passed_to(function);
        let outer = project.function(function).parent.map(|outer| function.with(outer));
        let given_back = || outer.is_some_and(|outer| project.returned_functions(outer).contains(&function));
        passed.iter().any(|passed| passed.handed.runs == Some(Runs::Event)) || passed.is_empty() && given_back()
    };
    inner != maker
        && project.around(inner, |function| function == maker).is_some()
        && project.around(inner, |function| function == maker || later(function)).is_some_and(|found| found != maker)
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

/// Every property access of a collection in its file, made a call of its methods; none where one is of another form.
fn entries(project: &Project<'_>, value: In<ValueId>) -> Option<Vec<Edit>> {
    let (file, name) = (value.file, project.text(value));
    let text = &*project.sources.get(file).text;
    let mut edits: Vec<Edit> = Vec::new();
    for access in project.uses(value) {
        let AccessKind::KeyAssigned { key: Key::Value(_), .. } = access.kind else { continue };
        let statement = statement_of(project, access)?;
        let (key, rest) = slot(statement.of(text), &name)?;
        let value = rest.trim_start().strip_prefix('=').filter(|rest| !rest.starts_with('='))?;
        let (value, end) = value.trim().strip_suffix(';').map_or((value.trim(), ""), |value| (value, ";"));
        let entry = format!("{name}.set({}, {}){end}", reads(key, &name)?, reads(value, &name)?);
        edits.push(Edit { file, span: statement, text: entry });
    }
    for access in project.uses(value) {
        let (method, prefix) = match access.kind {
            AccessKind::KeyRead { key: Key::Value(_) } => ("get", ""),
            AccessKind::KeyDeleted { key: Key::Value(_) } => ("delete", "delete "),
            AccessKind::Method { key: Key::Value(_), .. } => return None,
            _ => continue,
        };
        if edits.iter().any(|edit| edit.span.contains(access.span)) {
            continue;
        }
        let (key, rest) = slot(access.span.of(text).strip_prefix(prefix)?, &name)?;
        let call = format!("{name}.{method}({})", reads(key, &name)?);
        rest.is_empty().then(|| edits.push(Edit { file, span: access.span, text: call }))?;
    }
    edits.sort();
    edits.dedup();
    Some(edits)
}

/// The statement that an assignment is.
fn statement_of(project: &Project<'_>, access: &Access) -> Option<Span> {
    let mut statement = None;
    project.function(access.function()).flow.walk(&mut |flow| {
        if let Flow::Step(Step::Assign(assign)) = flow
            && assign.span == access.span
            && !assign.only_if_empty
        {
            statement = Some(assign.statement);
        }
    });
    statement
}

/// `name[key] rest`: the key and the rest.
fn slot<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let inside = text.strip_prefix(name)?.strip_prefix('[')?;
    let mut depth = 1_u32;
    for (at, c) in inside.char_indices() {
        match c {
            // A bracket in a text is not told from others here.
            '\'' | '"' | '`' => return None,
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inside[..at], &inside[at + 1..]));
        }
    }
    None
}

/// A text with its reads of slots made calls of `get`; none where it does more than read.
fn reads(text: &str, name: &str) -> Option<String> {
    let Some(at) = text.find(&format!("{name}[")) else { return Some(text.to_owned()) };
    let (key, rest) = slot(&text[at..], name)?;
    let next = rest.trim_start();
    let writes = next.starts_with('=') && !next.starts_with("==") || next.starts_with("++") || next.starts_with("--");
    let is_name = text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.'));
    if writes || is_name {
        return None;
    }
    Some(format!("{}{name}.get({}){}", &text[..at], reads(key, name)?, reads(rest, name)?))
}
