//! Timers that take an entry out of a table after a while, and whose handle is thrown away: where other code takes the
//! entry out before, an answer that came or a `delete`, the timer stays, and may take out what has the key next.

use super::deadline::{is_pause, is_unreferenced};
use super::ending::reach;
use super::keeper::{Keeper, keeper};
use crate::model::{CallId, FunctionId, In, Type};
use crate::project::{Gone, Project, Shrink, Table};
use crate::text::Location;
use rustc_hash::FxHashSet;

/// An entry that goes before its timer.
pub(crate) struct Early {
    /// The table, by name.
    pub(crate) table: String,
    /// Where other code takes the entry out.
    pub(crate) at: Location,
}

/// The code that takes out, too, what a dropped timer takes out when it fires.
pub(crate) fn outlived(project: &Project<'_>, call: In<CallId>, ty: &Type) -> Option<Early> {
    if project.contracts.is_family(ty, "interval")
        || is_pause(project, call)
        || keeper(project, call, ty) != Keeper::Dropped
        || is_unreferenced(project, call, None)
    {
        return None;
    }
    let callbacks = project.functions_in(project.argument(call, 0)?);
    let fired: FxHashSet<In<FunctionId>> = callbacks.iter().flat_map(|callback| reach(project, *callback)).collect();
    let home = project.function_of(call);
    project.tables().iter().find_map(|table| {
        let entry = |shrink: &&Shrink| matches!(shrink.what, Gone::Entry(_)) && !shrink.is_guess && !shrink.from_loop;
        let entries = || table.shrinks.iter().filter(entry);
        let own = |shrink: &Shrink| callbacks.contains(&shrink.function) || is_handed_on(project, &callbacks, shrink);
        if !entries().any(own) || !grows_around(project, table, home) {
            return None;
        }
        let other = entries().find(|shrink| !fired.contains(&shrink.function) && shrink.function != home)?;
        Some(Early { table: project.place_text(table.place), at: other.at })
    })
}

/// Whether the entry is taken out by a function that the callback calls.
fn is_handed_on(project: &Project<'_>, callbacks: &[In<FunctionId>], shrink: &Shrink) -> bool {
    callbacks.iter().any(|callback| {
        project.calls_in(*callback).any(|call| {
            let targets = project.targets(call);
            !targets.weak && targets.functions.contains(&shrink.function)
        })
    })
}

/// Whether the entry is put in by the operation that arms the timer.
fn grows_around(project: &Project<'_>, table: &Table, home: In<FunctionId>) -> bool {
    table.growths.iter().any(|growth| {
        let inside = |a: In<FunctionId>, b: In<FunctionId>| {
            a.file == b.file && b.id != FunctionId::MODULE && project.summary(a.file).is_inside(a.id, b.id)
        };
        inside(growth.function, home) || inside(home, growth.function)
    })
}
