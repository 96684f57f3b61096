//! What releases a handle of JavaScript code, as code, and where it goes: into `finally`, or into the method that ends the
//! owner. The words are the catalog's.

use super::finally::{ends_with_its_work, finally_after};
use super::semicolon;
use crate::model::contract::Part;
use crate::model::{BindingKind, CallId, In, Type};
use crate::project::{Place, Project, Root};
use crate::text::Edit;

/// The call that releases what another one gave, where the code calls it `name`.
pub(in crate::rules) fn release(project: &Project<'_>, call: In<CallId>, ty: &Type, name: &str) -> Option<String> {
    let contracts = &project.contracts;
    let is_release = |method: &&str| {
        let api = contracts.method(ty, method);
        !method.starts_with("@@")
            && api.is_some_and(|api| api.releases == Some(Part::Receiver) && api.callbacks.is_empty())
    };
    if let Some(method) = contracts.method_names(ty).find(is_release) {
        // What was waited for is also released in time; to give back to a pool takes none.
        let waits = project.call(call).is_awaited && method != "release";
        return Some(format!("{}{name}.{method}()", if waits { "await " } else { "" }));
    }
    let callee = project.callee_text(call);
    let (module, function) = callee.rsplit_once('.')?;
    let rows = contracts.apis.iter().filter(|api| api.releases == Some(Part::Argument(0)) && api.of.contains(&ty.name));
    let names = rows.flat_map(|api| &api.names).filter_map(|name| name.rsplit('.').next());
    let fits = |name: &&str| name.ends_with("Sync") == function.ends_with("Sync") && name.ends_with("Sync");
    names.into_iter().find(fits).map(|function| format!("{module}.{function}({name})"))
}

/// What follows the acquisition in `try`, and the release in `finally`.
pub(in crate::rules) fn released_in_finally(
    project: &Project<'_>,
    call: In<CallId>,
    ty: &Type,
    place: Place,
) -> Option<Vec<Edit>> {
    let Root::Variable(binding) = place.root else { return None };
    let variable = project.binding(binding);
    let function = project.function_of(call);
    let text = &project.sources.get(call.file).text;
    let own = variable.function == function.id && variable.captured_by.is_empty() && variable.assignments == 1;
    let is_declared = own && place.path.is_empty() && variable.kind != BindingKind::Using && binding.file == call.file;
    let statement = project.call(call).statement;
    if !is_declared || !statement.contains(variable.span) || !ends_with_its_work(project, function) {
        return None;
    }
    let release = release(project, call, ty, &variable.name)?;
    finally_after(project, function, statement, &format!("{release}{}", semicolon(text, statement)))
}
