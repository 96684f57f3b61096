//! The joined summaries and the questions that rules ask of them. Knows no parser and no rule.
//!
//! Everything is asked of a thing *of a file*: `In<ValueId>`, `In<CallId>`, `In<FunctionId>`, ... (`file.with(id)` stays in
//! the file). Answers are computed on demand, remembered, bounded in depth, and never wrong in the loud direction on
//! purpose: what is not known is `None` or `Unknown`, and unknown is silence.
//!
//! | To know | Ask |
//! |---|---|
//! | every call, function, class of the project | [`Project::calls`], [`Project::functions`], [`Project::classes`] |
//! | which catalog row a call is | `project.api(call)?.registers`; its resolved path, row or not: [`Project::path`] |
//! | the receiver, an argument, the part a row names | [`Project::receiver`], [`Project::argument`], [`Project::part`] |
//! | what a value comes from, through files | [`Project::origin`], [`Project::origins`] (`Origin::Parameter`, `Origin::New` ...) |
//! | its catalog type | `project.ty(value)`; `project.is_family(value, "emitter")` |
//! | whether two values are one object | `project.same(a, b)` |
//! | where it is kept | `project.place(value)`: a [`Place`], hashable, the same from every file |
//! | everything the project does with a place | `project.accesses(place)`: [`Access`] with [`AccessKind`] |
//! | which project functions a call runs | [`Project::targets`]; who calls a function: [`Project::callers`] |
//! | which functions it is handed, and when they run | [`Project::callbacks`]; to what a function is handed: [`Project::passed_to`] |
//! | how often a function runs, and why | `project.rate(function)`: [`RateAnswer`]; a call, loops and guards included: [`Project::call_rate`] |
//! | how often instances of a class are made | [`Project::instances`] |
//! | how long a value lives, and who owns it | `project.lifetime(value)`: [`Lifetime`] with [`Owner`]; of a place: [`Project::place_lifetime`] |
//! | whether a call gives the caller something to release | `project.gives(call)`: [`Gives`], wrappers of the project included |
//! | what a call does with its receiver or an argument | `project.effect(call, Role::Argument(0), ty)`: [`Doing`] |
//! | what happens to a handle on every way out | `project.obligations(call)`, then `project.paths(&obligation)`: one [`Row`] an exit |
//! | likewise, with the rule's own word on what calls do | [`Project::paths_by`] |
//! | what a function does with the handle in a field or variable | [`Project::place_effect`], [`Project::place_paths`] |
//! | whether users of the package can call it | [`Project::is_public`], [`Project::is_public_class`] |
//! | what a C or C++ function owns, and what becomes of it on every path | [`Project::owned_in`], [`Project::custody`] |
//! | which places hold collections, where these grow and shrink | [`Project::tables`]: [`Table`]s of [`Growth`] and [`Shrink`] |
//! | what the project's own addon gives JavaScript and takes back, as catalog rows | [`Project::border`] |
//! | what to call things in messages | [`Project::text`], [`Project::call_text`], [`Project::function_name`] |
//!
//! Data flows one way: `modules` (specifier to file), `native` (bare C++ member names) and `index` (one pass over each file)
//! ← `classes`, `slots`, `names` ← `resolve`, `results` ← `places`, `types`, `calls`, `references`, `callbacks` ← `public`,
//! `guards`, `rates`, `lifetimes` ← `effects`, `paths`. Questions may ask each other; `memo` keeps them from going round.

mod border;
mod callbacks;
mod calls;
mod classes;
mod conditions;
mod custody;
mod dense;
mod drive;
mod effects;
mod elements;
mod guards;
mod index;
mod keys;
mod lifetimes;
mod likeness;
mod manifests;
mod meetings;
mod memo;
mod modules;
mod names;
mod native;
mod paths;
mod places;
mod practice;
mod public;
mod rates;
mod reach;
mod references;
mod registrations;
mod resolve;
mod results;
mod said;
mod slots;
mod spreads;
mod tables;
mod types;
mod words;

pub use callbacks::{Handed, Passed};
pub use calls::{Caller, Targets};
pub use conditions::{Conditions, LoopAround};
pub use custody::{Begin, Custody, Doubt, Effect, Fate, How, Loss, Owned, Settlement, Taken, Way};
pub use drive::Drive;
pub use effects::{Doing, Gives, MacroExits, Role};
pub use keys::Openness;
pub use lifetimes::{Lifetime, Owner};
pub use manifests::manifests;
pub use paths::{End, ExitKind, Judge, Obligation, Row, Start, State};
pub use places::{Access, AccessKind, Key, Place, Root};
pub use rates::RateAnswer;
pub use registrations::{Event, Likeness, Meeting, Registration, Registry, Removal};
pub use resolve::{Origin, Origins};
pub use said::{Words as SaidWords, is_habit, owed, read as read_said, usually_owed};
pub use tables::{Gone, Growth, Shape, Shrink, Table};

use crate::model::{
    Binding, BindingId, Call, CallId, Class, ClassId, Contracts, Function, FunctionId, In, ObjectId, ObjectLiteral,
    Rate, Summary, Value, ValueId,
};
use crate::text::{FileId, Location, Sources, Span};
use index::FileIndex;
use rayon::prelude::*;

/// A whole project, linked.
pub struct Project<'a> {
    /// The files; `FileId` indexes them and `summaries` alike.
    pub sources: &'a Sources,
    /// What is known of code outside the project.
    pub contracts: &'a Contracts,
    /// One summary a file.
    pub summaries: Vec<Summary>,
    modules: modules::Modules,
    index: Vec<FileIndex>,
    classes: classes::Classes,
    slots: slots::Slots,
    names: names::Names,
    memos: memo::Memos<'a>,
    custody: custody::Memos<'a>,
    registry: registrations::LazyRegistry,
    tables: tables::LazyTables<'a>,
    said: std::sync::OnceLock<said::Words>,
}

impl<'a> Project<'a> {
    /// Links summaries, one a file of `sources`, in the same order.
    pub fn link(sources: &'a Sources, contracts: &'a Contracts, mut summaries: Vec<Summary>) -> Self {
        let modules = modules::Modules::new(sources, &summaries);
        let classes = classes::Classes::new(&summaries, &modules);
        let members = native::members(&summaries, &classes, contracts);
        summaries
            .par_iter_mut()
            .enumerate()
            .for_each(|(at, summary)| native::rewrite(FileId(at as u32), summary, &classes, &members));
        let index: Vec<FileIndex> =
            summaries.par_iter().enumerate().map(|(at, s)| FileIndex::new(FileId(at as u32), s)).collect();
        let slots = slots::Slots::new(&summaries, &index, &classes);
        let names = names::Names::new(&summaries, &index, &modules);
        let memos = memo::Memos::new(&summaries);
        Project {
            sources,
            contracts,
            summaries,
            modules,
            index,
            classes,
            slots,
            names,
            memos,
            custody: custody::Memos::default(),
            registry: registrations::LazyRegistry::default(),
            tables: tables::LazyTables::default(),
            said: std::sync::OnceLock::new(),
        }
    }

    /// Answers, side by side, what nearly every rule asks first and what rules share: asked by rules that run side by
    /// side it would be answered by each of them.
    pub fn prepare(&self) {
        self.summaries.par_iter().enumerate().for_each(|(at, summary)| {
            let file = FileId(at as u32);
            if self.is_native(file) {
                for function in (0..summary.functions.len() as u32).map(|at| In::new(file, FunctionId(at))) {
                    if self.function(function).has_body && self.rate(function).rate != Some(Rate::Once) {
                        let _ = self.owned_in(function);
                    }
                }
            } else {
                for call in 0..summary.calls.len() as u32 {
                    let _ = self.gives(In::new(file, CallId(call)));
                }
            }
        });
        rayon::join(|| self.registry(), || self.tables());
    }

    /// Forgets it all, side by side: there is a lot to forget.
    pub fn dispose(self) {
        let Project { summaries, index, memos, .. } = self;
        rayon::join(|| drop(memos), || summaries.into_par_iter().zip(index).for_each(drop));
    }

    /// The summaries, to be linked anew.
    pub fn into_summaries(self) -> Vec<Summary> {
        self.summaries
    }

    /// Every file with its summary.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &Summary)> {
        self.summaries.iter().enumerate().map(|(at, summary)| (FileId(at as u32), summary))
    }

    /// Every call of the project.
    pub fn calls(&self) -> impl Iterator<Item = In<CallId>> {
        self.files().flat_map(|(file, s)| (0..s.calls.len()).map(move |at| In::new(file, CallId(at as u32))))
    }

    /// Every function of the project, top-level code included.
    pub fn functions(&self) -> impl Iterator<Item = In<FunctionId>> {
        self.files().flat_map(|(file, s)| (0..s.functions.len()).map(move |at| In::new(file, FunctionId(at as u32))))
    }

    /// Every class of the project; a C++ class seen in several files is several, joined by [`Project::canonical_class`].
    pub fn classes(&self) -> impl Iterator<Item = In<ClassId>> {
        self.files().flat_map(|(file, s)| (0..s.classes.len()).map(move |at| In::new(file, ClassId(at as u32))))
    }

    /// The summary of a file.
    pub fn summary(&self, file: FileId) -> &Summary {
        &self.summaries[file.0 as usize]
    }

    /// A value.
    pub fn value(&self, value: In<ValueId>) -> &Value {
        self.summary(value.file).value(value.id)
    }

    /// A call.
    pub fn call(&self, call: In<CallId>) -> &Call {
        self.summary(call.file).call(call.id)
    }

    /// A function.
    pub fn function(&self, function: In<FunctionId>) -> &Function {
        self.summary(function.file).function(function.id)
    }

    /// A class.
    pub fn class(&self, class: In<ClassId>) -> &Class {
        self.summary(class.file).class(class.id)
    }

    /// A variable.
    pub fn binding(&self, binding: In<BindingId>) -> &Binding {
        self.summary(binding.file).binding(binding.id)
    }

    /// An object literal.
    pub fn object(&self, object: In<ObjectId>) -> &ObjectLiteral {
        self.summary(object.file).object(object.id)
    }

    /// The function whose code a call is.
    pub fn function_of(&self, call: In<CallId>) -> In<FunctionId> {
        call.with(self.call(call).function)
    }

    /// The calls of a function's own code, in evaluation order.
    pub fn calls_in(&self, function: In<FunctionId>) -> impl Iterator<Item = In<CallId>> + '_ {
        self.index(function.file).calls[function.id.index()].iter().map(move |&call| function.with(call))
    }

    /// What a file does with exactly this value, aliases left out.
    pub fn uses(&self, value: In<ValueId>) -> &[Access] {
        self.index(value.file).accesses(value.id)
    }

    /// Where a range of a file is.
    pub fn at(&self, file: FileId, span: Span) -> Location {
        Location { file, span }
    }

    fn index(&self, file: FileId) -> &FileIndex {
        &self.index[file.0 as usize]
    }

    /// Whether a file is C or C++.
    pub fn is_native(&self, file: FileId) -> bool {
        self.summary(file).language.is_some_and(crate::model::Language::is_native)
    }
}
