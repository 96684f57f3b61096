//! `strong-reference-cycle`: two wrapped classes whose instances hold each other by strong references.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::Part;
use crate::model::{ClassId, Field, In};
use crate::project::{AccessKind, Place, Project, Root};

const NAME: &str = "strong-reference-cycle";

/// A strong reference field of a wrapped class.
struct Strong<'p> {
    class: In<ClassId>,
    field: &'p Field,
}

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    let fields: Vec<Strong<'_>> = project
        .classes()
        .filter(|class| project.is_native(class.file) && is_wrap(project, *class))
        .flat_map(|class| project.class(class).fields.iter().map(move |field| Strong { class, field }))
        .filter(|strong| is_strong(project, strong))
        .collect();
    for one in &fields {
        let other = fields.iter().find(|other| {
            other.class != one.class && speaks_of(project, one, other.class) && speaks_of(project, other, one.class)
        });
        // One finding a pair, at the one that stands first.
        let Some(other) = other.filter(|other| (one.class.file, one.field.span) < (other.class.file, other.field.span)) else { continue };
        let (a, b) = (project.class(one.class).name, project.class(other.class).name);
        let at = project.at(one.class.file, one.field.span);
        let back = project.at(other.class.file, other.field.span);
        findings.push(
            Finding::new(NAME, Confidence::Medium, at, format!("`{a}` and `{b}` hold each other by strong references and never die"))
                .with_why(format!("`{}` keeps the `{b}`, whose `{}` keeps the `{a}`; a strong reference is a root for the collector", one.field.name, other.field.name))
                .with_help(format!("hold the parent weakly: `{} = Napi::Weak(…)`", other.field.name))
                .with_context(a.to_string())
                .with_step(StepKind::Hold, at, format!("`{}` of `{a}` holds a `{b}`", one.field.name))
                .with_step(StepKind::Hold, back, format!("`{}` of `{b}` holds the `{a}`", other.field.name)),
        );
    }
}

fn is_wrap(project: &Project<'_>, class: In<ClassId>) -> bool {
    project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "object-wrap"))
}

/// A reference by value that no code makes weak or lets go.
fn is_strong(project: &Project<'_>, strong: &Strong<'_>) -> bool {
    let Some(facts) = &strong.field.ty else { return false };
    let reference = project
        .declared_type(strong.class.file, facts)
        .is_some_and(|ty| project.contracts.is_family(ty, "reference") || project.contracts.is_family(ty, "persistent"));
    if !reference || strong.field.is_static {
        return false;
    }
    let place = Place::new(Root::Field(project.canonical_class(strong.class), strong.field.name));
    !project.accesses(place).iter().any(|access| match access.kind {
        AccessKind::Method { call, .. } => {
            let call = access.of(call);
            let releases = project.api(call).is_some_and(|api| api.releases == Some(Part::Receiver));
            releases || project.method_name(call).is_some_and(|name| matches!(&*name, "Reset" | "Unref" | "SetWeak"))
        }
        AccessKind::Assigned { value, .. } => project.text(access.of(value)).contains("Weak("),
        _ => false,
    })
}

/// Whether the name of a reference field speaks of a class: `parent_` of a `Parent`.
fn speaks_of(project: &Project<'_>, strong: &Strong<'_>, class: In<ClassId>) -> bool {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let class = project.class(class).name;
    let class = plain(class.rsplit("::").next().unwrap_or(&class));
    let field = plain(&strong.field.name);
    let field = field.strip_prefix('m').filter(|_| strong.field.name.starts_with("m_")).unwrap_or(&field);
    field == class || field.strip_suffix("ref").is_some_and(|stem| stem == class)
}
