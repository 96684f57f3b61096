//! Paths that go on in callbacks: a completion callback is the rest of the path; of event listeners it is said which of
//! them release. A promise's callbacks are its two arms.

use super::state::{Reach, State};
use super::walk::{Judge, Walk};
use super::{End, ExitKind, Obligation, Row, Start, State as Fate};
use crate::model::contract::Runs;
use crate::model::{CallId, FunctionId, In, Type, ValueId};
use crate::project::{Doing, Handed, Place, Project};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// How deep callbacks in callbacks are followed.
const DEPTH: u32 = 6;

/// Rows of the callbacks that one obligation goes on in, by where it comes from and how deep. Many paths go on in one
/// callback, and many of its paths in the next.
type Known = RefCell<FxHashMap<(In<FunctionId>, Reach, u32), Rc<[Row]>>>;

impl Project<'_> {
    /// Runs an obligation, callbacks included.
    pub(super) fn follow(&self, obligation: &Obligation<'_>, judge: Option<&Judge<'_>>, depth: u32) -> Vec<Row> {
        let mut walk = Walk::new(self, obligation.function, obligation.start, obligation.ty, judge);
        walk.run();
        self.go_on(walk, depth, &Known::default())
    }

    /// Runs a function that is entered while a place holds the handle.
    pub(super) fn follow_place(&self, function: In<FunctionId>, place: Place, ty: Option<&Type>) -> Vec<Row> {
        let values = self.values_of(place);
        let summary = self.summary(function.file);
        let named_here = |value: &&In<ValueId>| {
            value.file == function.file
                && !self.is_alias(**value, place)
                && self.uses(**value).iter().any(|access| summary.is_inside(access.function, function.id))
        };
        let here: Vec<ValueId> = values.iter().filter(named_here).map(|value| value.id).collect();
        let start = here.first().copied().map_or(Start::Nowhere, Start::Holding);
        let mut walk = Walk::new(self, function, start, ty, None);
        walk.place = Some(place);
        let state = State::holding(&here);
        walk.run_from(state);
        self.go_on(walk, 0, &Known::default())
    }

    /// Replaces the rows of paths that go on in closures by the rows of these.
    fn go_on(&self, walk: Walk<'_, '_>, depth: u32, known: &Known) -> Vec<Row> {
        let Walk { rows, captured, function, start, ty, judge, .. } = walk;
        let mut found: Vec<Row> = Vec::new();
        for (at, row) in rows.into_iter().enumerate() {
            let reaches: Vec<&Reach> =
                captured.iter().filter(|(of, _)| *of == at).flat_map(|(_, reaches)| reaches).collect();
            if row.state != Fate::Captured || reaches.is_empty() || depth >= DEPTH {
                found.push(row);
                continue;
            }
            let inner = Inner { project: self, function, start, ty, judge, depth, known };
            inner.rows(&row, &reaches, &mut found);
        }
        found
    }
}

struct Inner<'w, 'a> {
    project: &'w Project<'a>,
    function: In<FunctionId>,
    start: Start,
    ty: Option<&'w Type>,
    judge: Option<&'w Judge<'w>>,
    depth: u32,
    known: &'w Known,
}

impl Inner<'_, '_> {
    fn rows(&self, row: &Row, reaches: &[&Reach], found: &mut Vec<Row>) {
        let mut completions: Vec<(bool, Vec<Row>)> = Vec::new();
        let mut ends: Vec<End> = Vec::new();
        for reach in reaches {
            let call = self.function.with(reach.call);
            let handed = self.handed(reach, call);
            let rows = self.inside(reach).to_vec();
            let releases = summed(&rows);
            match handed.as_ref().and_then(|handed| handed.runs) {
                Some(Runs::Once) => completions.push((self.is_rejection(call, reach), rows)),
                runs => ends.push(End {
                    call,
                    function: self.function.with(reach.function),
                    event: handed.and_then(|handed| handed.event),
                    repeats: runs == Some(Runs::Event),
                    releases,
                }),
            }
        }
        let settled = |rows: &[Row]| matches!(summed(rows), Doing::Releases | Doing::Takes | Doing::Returns);
        if completions.iter().any(|(rejected, rows)| !rejected && settled(rows))
            || ends.iter().any(|end| end.event.is_none() && matches!(end.releases, Doing::Releases | Doing::Takes))
        {
            found.push(Row { state: Fate::Released, ends, ..row.clone() });
            return;
        }
        // One callback is the rest of the path, or the only one of several that does anything with the handle.
        let mut resolved: Vec<&(bool, Vec<Row>)> = completions.iter().filter(|(rejected, _)| !rejected).collect();
        if resolved.len() > 1 {
            resolved.retain(|(_, rows)| summed(rows) != Doing::Borrows);
        }
        match resolved[..] {
            [(_, rows)] if ends.is_empty() => found.extend(rows.iter().cloned()),
            _ => {
                let kind = if ends.is_empty() { row.exit } else { ExitKind::Listeners };
                let any = completions.iter().any(|(_, rows)| summed(rows) != Doing::Borrows);
                let state = if ends.is_empty() && !any { Fate::Held } else { Fate::Captured };
                found.push(Row { exit: kind, state, ends, ..row.clone() });
            }
        }
    }

    fn handed(&self, reach: &Reach, call: In<CallId>) -> Option<Handed> {
        let function = self.function.with(reach.function);
        self.project.callbacks(call).into_iter().find(|handed| handed.function == function).map(|mut handed| {
            // Promise reactions that no row speaks of, because the promise comes from outside.
            let reaction = matches!(self.project.method_name(call), Some(name) if matches!(name.as_str(), "then" | "catch" | "finally"));
            if handed.runs.is_none() && reaction {
                handed.runs = Some(Runs::Once);
            }
            handed
        })
    }

    /// A callback that runs only when the promise is rejected.
    fn is_rejection(&self, call: In<CallId>, reach: &Reach) -> bool {
        let handed = self.handed(reach, call);
        let name = self.project.method_name(call);
        name.is_some_and(|name| name == "catch" || name == "then" && handed.is_some_and(|handed| handed.argument == 1))
    }

    /// The rows of one callback: once for all paths that go on in it.
    fn inside(&self, reach: &Reach) -> Rc<[Row]> {
        let key = (self.function, reach.clone(), self.depth);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let rows: Rc<[Row]> = self.find_inside(reach).into();
        self.known.borrow_mut().insert(key, rows.clone());
        rows
    }

    fn find_inside(&self, reach: &Reach) -> Vec<Row> {
        let function = self.function.with(reach.function);
        let project = self.project;
        let mut walk = Walk::new(project, function, self.start, self.ty, self.judge);
        let mut state = State::holding(&reach.aliases);
        if self.start == Start::Call(reach.call) {
            walk.learn_error(None, &mut state);
        }
        walk.run_from(state);
        let mut rows = project.go_on(walk, self.depth + 1, self.known);
        for row in &mut rows {
            row.through.insert(0, function);
        }
        rows
    }
}

/// What all rows together say.
pub(in crate::project) fn summed(rows: &[Row]) -> Doing {
    let count = |state: Fate| rows.iter().filter(|row| row.state == state).count();
    let ended = |row: &&Row| {
        !matches!(row.state, Fate::NotAcquired) && !matches!(row.exit, ExitKind::Rejection | ExitKind::ImplicitThrow(_))
    };
    let all = rows.iter().filter(ended).count();
    let (released, taken, returned) = (count(Fate::Released), count(Fate::Escaped), count(Fate::Returned));
    if all == 0 {
        Doing::Borrows
    } else if released >= all {
        Doing::Releases
    } else if released > 0 {
        Doing::MayRelease
    } else if returned > 0 && taken == 0 {
        Doing::Returns
    } else if taken + returned >= all {
        Doing::Takes
    } else if taken > 0 || count(Fate::Captured) > 0 {
        Doing::MayTake
    } else {
        Doing::Borrows
    }
}
