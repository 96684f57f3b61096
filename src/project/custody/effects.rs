//! What one call does with the followed thing: by catalog row, by a look into the project function that it runs, by the
//! conventions of C names, and, where all that is silent, by weight: what unknown callees of this kind do as a rule.

use super::acquire::Owned;
use super::fates::Fate;
use super::naming::{is_cast, is_maker};
use super::state::{Doubt, Mention, State, mention, part_of_holder};
use crate::model::contract::{Api, Effect as Row, Part, Valid};
use crate::model::words::Words;
use crate::model::{BindingId, CallId, FunctionId, Holder, In, Language, Literal, Name, Summary, Value, ValueId};
use crate::project::Project;
use crate::project::said::Said;
use crate::text::FileId;

/// What a call does with the thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing to speak of.
    None,
    /// Nothing, as far as one can tell.
    Doubtful(Doubt),
    /// It releases it.
    Released,
    /// It releases it in a way that is not for such a thing.
    Misreleased,
    /// It, or something that lives longer, owns it from now on.
    Taken(Taken),
    /// A closure that it is handed captures it.
    Captured,
    /// Its result is the same thing.
    Returned,
}

/// A taking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The argument; none for the receiver.
    pub argument: Option<u16>,
    /// Only where the call reports success, and how it does.
    pub only_on_success: Option<Valid>,
    /// Its code or a row says so; else it is a guess by its name.
    pub sure: bool,
}

impl Effect {
    fn weight(&self) -> u8 {
        match self {
            Effect::None => 0,
            Effect::Doubtful(Doubt::Sure | Doubt::Likely) => 1,
            Effect::Doubtful(Doubt::Unsure) => 2,
            Effect::Returned => 3,
            Effect::Captured => 4,
            Effect::Taken(_) => 5,
            Effect::Misreleased => 6,
            Effect::Released => 7,
        }
    }

    fn taken(argument: Option<u16>) -> Effect {
        Effect::Taken(Taken { argument, only_on_success: None, sure: true })
    }

    fn guessed(argument: Option<u16>) -> Effect {
        Effect::Taken(Taken { argument, only_on_success: None, sure: false })
    }
}

/// Where calls are looked at: one function.
pub(super) struct Effects<'p, 'a> {
    pub(super) project: &'p Project<'a>,
    pub(super) summary: &'p Summary,
    pub(super) file: FileId,
    pub(super) function: FunctionId,
    /// How many calls deeper it may be looked.
    pub(super) depth: u8,
    /// A call that does not take it over, whatever its name says.
    pub(super) lent_to: Option<CallId>,
}

impl<'a> Effects<'_, 'a> {
    /// What a call does with the thing in all its parts together.
    pub(super) fn of_call(&self, owned: &Owned<'a>, state: &State, id: CallId) -> Effect {
        let call = self.summary.call(id);
        let mut effects = Vec::new();
        for (at, argument) in call.arguments.iter().enumerate() {
            let seen = mention(self.project, self.summary, state, argument.value);
            effects.push(self.of_argument(owned, state, id, at as u16, seen, argument.value));
        }
        if let Some(receiver) = self.project.receiver(In::new(self.file, id)) {
            let seen = mention(self.project, self.summary, state, receiver.id);
            // `(new Job(x))->begin()`: nobody else has it, so it keeps itself, or what it is told keeps it.
            let is_left_alone = matches!(self.summary.value(receiver.id), Value::Result(call) if owned.result_of(*call))
                && owned.call().is_some_and(|call| self.summary.call(call).is_new);
            effects.push(match self.of_receiver(owned, id, seen) {
                Effect::None | Effect::Doubtful(_) if is_left_alone => Effect::guessed(None),
                effect => effect,
            });
        }
        effects.push(self.of_callee(owned, state, id));
        effects.into_iter().max_by_key(Effect::weight).unwrap_or(Effect::None)
    }

    /// A local closure that is called: what its body does.
    fn of_callee(&self, owned: &Owned<'a>, state: &State, id: CallId) -> Effect {
        let summary = self.summary;
        let closure = match summary.value(summary.call(id).callee) {
            Value::Function(function) => Some(*function),
            Value::Binding(binding) => match summary.binding(*binding).value.map(|value| summary.value(value)) {
                Some(Value::Function(function)) => Some(*function),
                _ => None,
            },
            _ => None,
        };
        let Some(closure) = closure.filter(|function| !summary.function(*function).captures.is_empty()) else {
            return Effect::None;
        };
        let fates = state
            .holders
            .iter()
            .map(|holder| self.project.fate_of(In::new(self.file, closure), *holder, owned, self.depth));
        match fates.max() {
            Some(Fate::Releases) => Effect::Released,
            Some(Fate::Takes | Fate::MayTake) => Effect::taken(None),
            _ => Effect::None,
        }
    }

    fn of_argument(
        &self,
        owned: &Owned<'a>,
        state: &State,
        id: CallId,
        at: u16,
        seen: Mention,
        value: ValueId,
    ) -> Effect {
        match seen {
            Mention::None | Mention::Contents => self.of_own_request(owned, state, id, at, value),
            Mention::Closure => self.of_closure(owned, state, id, value),
            Mention::Whole | Mention::Derived => self.of_whole(owned, id, at, seen),
            Mention::Part => self.of_part(owned, id, at),
            Mention::Address => self.of_address(owned, id, at),
            Mention::Container => self.of_container(owned, id, at),
        }
    }

    /// `baton->request`, a pointer, where the baton's constructor made the request point back at it: who gets the request
    /// gets the baton.
    fn of_own_request(&self, owned: &Owned<'a>, state: &State, id: CallId, at: u16, value: ValueId) -> Effect {
        if !matches!(self.summary.value(value), Value::Member(..)) || !part_of_holder(self.summary, state, value) {
            return Effect::None;
        }
        let Some(row) = self.row(id) else { return Effect::None };
        match row.arguments.get(at as usize).copied().unwrap_or(row.rest) {
            Row::Take | Row::TakeOnSuccess => {}
            Row::HandTo(to) | Row::HandToOnSuccess(to) if self.is_given(id, to) => {}
            _ => return Effect::None,
        }
        let points_back = owned.call().and_then(|call| self.project.points_back(In::new(self.file, call)));
        if points_back.is_some() { Effect::taken(Some(at)) } else { Effect::None }
    }

    /// A closure that captures the thing is an argument.
    fn of_closure(&self, owned: &Owned<'a>, state: &State, id: CallId, value: ValueId) -> Effect {
        let handed = self.project.callbacks(In::new(self.file, id));
        let Value::Function(function) = *self.summary.value(value) else { return Effect::Captured };
        let runs = handed.iter().find(|handed| handed.function.id == function).and_then(|handed| handed.runs);
        let closure = In::new(self.file, function);
        let fates = state.holders.iter().map(|holder| self.project.fate_of(closure, *holder, owned, self.depth));
        let fate = fates.max();
        if runs != Some(crate::model::contract::Runs::Sync) {
            // The only thing to do with a thread-safe function at the end is to release it.
            let is_left =
                owned.ty.is_some_and(|ty| ty.family == "tsfn") && matches!(fate, Some(Fate::Borrows(Doubt::Sure)));
            return if is_left { Effect::None } else { Effect::Captured };
        }
        match fate {
            Some(Fate::Releases) => Effect::Released,
            Some(Fate::Takes | Fate::MayTake | Fate::Unknown) => Effect::Captured,
            _ => Effect::None,
        }
    }

    pub(super) fn words(&self) -> &'a Words {
        &self.project.contracts.words
    }

    /// Whether a call is known to copy the bytes of the thing itself.
    pub(super) fn copies_bytes(&self, owned: &Owned<'a>, state: &State, id: CallId) -> bool {
        let Some(api) = self.row(id).filter(|_| owned.is_plain_memory) else { return false };
        self.summary.call(id).arguments.iter().enumerate().any(|(at, argument)| {
            api.arguments.get(at).copied().unwrap_or(api.rest) == Row::Copy
                && mention(self.project, self.summary, state, argument.value) == Mention::Whole
        })
    }

    fn row(&self, id: CallId) -> Option<&'a Api> {
        self.project.api(In::new(self.file, id))
    }

    fn of_whole(&self, owned: &Owned<'a>, id: CallId, at: u16, seen: Mention) -> Effect {
        let call = self.summary.call(id);
        match self.project.said_of_argument(In::new(self.file, id), at) {
            Some(Said::Owns) => return Effect::taken(Some(at)),
            Some(Said::Borrows) => return Effect::None,
            None => {}
        }
        if !call.is_new && self.words().is_view(&self.name(id)) {
            return Effect::Returned;
        }
        if let Some(api) = self.row(id) {
            return self.by_row(owned, api, id, Part::Argument(at), seen);
        }
        let targets = self.project.targets(In::new(self.file, id));
        if !targets.weak && !targets.functions.is_empty() {
            let fates =
                targets.functions.iter().map(|function| self.project.fate(*function, Some(at), owned, self.depth));
            let fate = fates.max().unwrap_or(Fate::Unknown);
            // `list.push_back(p)` of a container that the project brings along: it copies the pointer somewhere.
            let is_generic = || targets.functions.iter().all(|function| self.takes_anything(*function, at));
            if matches!(fate, Fate::Borrows(_)) && self.words().takes(&self.name(id)) && is_generic() {
                return Effect::guessed(Some(at));
            }
            if let Some(effect) = by_fate(fate, Some(at)) {
                return effect;
            }
        }
        self.by_name(owned, id, at)
    }

    /// Whether a method's parameter is a reference to whatever its class holds: `push_back(const T& value)`.
    fn takes_anything(&self, method: In<FunctionId>, at: u16) -> bool {
        let Some(parameter) = self.project.function(method).parameters.get(at as usize) else { return false };
        let ty = self.project.binding(method.with(*parameter)).ty.as_ref();
        self.project.class_of(method).is_some() && ty.is_some_and(|ty| ty.holder == Holder::Reference)
    }

    fn by_row(&self, owned: &Owned<'a>, api: &Api, id: CallId, part: Part, seen: Mention) -> Effect {
        if api.releases == Some(part) {
            return if self.is_right_releaser(owned, api) { Effect::Released } else { Effect::Misreleased };
        }
        let argument = match part {
            Part::Argument(at) => Some(at),
            _ => None,
        };
        let taken = |only_on_success| Effect::Taken(Taken { argument, only_on_success, sure: true });
        let row = argument.map_or(Row::Borrow, |at| api.arguments.get(at as usize).copied().unwrap_or(api.rest));
        // What it gives says it, too: `fdopendir` gives no directory where it fails.
        let given = || api.gives.as_ref().and_then(|gives| self.project.contracts.ty(gives));
        let success = match api.succeeds {
            Valid::Unknown => given().map_or(Valid::Zero, |ty| ty.valid),
            told => told,
        };
        let effect = match row {
            Row::Take => taken(None),
            Row::TakeOnSuccess => taken(Some(success)),
            Row::HandTo(to) if self.is_given(id, to) => taken(None),
            Row::HandToOnSuccess(to) if self.is_given(id, to) => taken(Some(success)),
            // A container of pointers: whoever empties it answers for them.
            Row::Store => taken(None),
            // An external buffer only points; an external value is how code passes pointers to itself.
            Row::HandTo(_) | Row::HandToOnSuccess(_) if !api.exposes => taken(None),
            // A descriptor's number in a JavaScript number: whoever gets it can close it.
            Row::Copy if is_number(owned) => taken(None),
            // Bytes can be copied, an object of a class is kept: `String::New(new Resource(…))`.
            Row::Copy if !owned.is_plain_memory => Effect::Doubtful(Doubt::Unsure),
            Row::HandTo(_) | Row::HandToOnSuccess(_) | Row::Borrow | Row::Copy => Effect::None,
            // What `make_unique<T>` is given is for the constructor of `T`.
            Row::Unknown if argument.is_some() && self.made(id).is_some_and(|made| !self.words().copies(&made)) => {
                Effect::guessed(argument)
            }
            Row::Unknown if argument.is_some() => Effect::Doubtful(Doubt::Likely),
            Row::Unknown => Effect::None,
        };
        if api.returns == Some(part) && seen == Mention::Whole && effect.weight() < 3 {
            Effect::Returned
        } else {
            effect
        }
    }

    /// Whether an argument is there and no null.
    fn is_given(&self, id: CallId, at: u16) -> bool {
        let call = self.summary.call(id);
        if !call.template_arguments.is_empty() {
            return true;
        }
        call.arguments.get(at as usize).is_some_and(|argument| {
            !matches!(self.summary.value(argument.value), Value::Literal(Literal::Null | Literal::Int(0)))
                && !matches!(self.summary.value(argument.value), Value::Global(name) if *name == "NULL" || *name == "nullptr")
        })
    }

    fn is_right_releaser(&self, owned: &Owned<'a>, api: &Api) -> bool {
        let Some(ty) = owned.ty else { return true };
        api.of.is_empty()
            || self
                .project
                .contracts
                .bases(ty)
                .any(|base| api.of.contains(&base.name) || base.aliases.iter().any(|alias| api.of.contains(alias)))
            || api.of.iter().any(|of| self.project.contracts.ty(of).is_some_and(|of| std::ptr::eq(of, ty)))
    }

    fn of_receiver(&self, owned: &Owned<'a>, id: CallId, seen: Mention) -> Effect {
        if seen == Mention::Container {
            return self.of_holding_receiver(id);
        }
        if seen != Mention::Whole {
            return Effect::None;
        }
        // `slice.data()`: the pointer that the view was made of.
        if matches!(self.name(id).as_str(), "data" | "get" | "ptr") && self.is_view_receiver(id) {
            return Effect::Returned;
        }
        if let Some(api) = self.row(id) {
            return self.by_row(owned, api, id, Part::Receiver, seen);
        }
        let hands_itself_over = self.words().hands_itself_over(&self.name(id));
        let targets = self.project.targets(In::new(self.file, id));
        if !targets.functions.is_empty() {
            let fates = targets.functions.iter().map(|function| self.project.fate(*function, None, owned, self.depth));
            match by_fate(fates.max().unwrap_or(Fate::Unknown), None) {
                Some(Effect::Doubtful(_)) | None if hands_itself_over => return Effect::guessed(None),
                Some(effect) => return effect,
                None => {}
            }
        }
        if self.words().releases(&self.name(id)) {
            return Effect::Released;
        }
        if hands_itself_over { Effect::guessed(None) } else { Effect::None }
    }

    /// `job.run()`: an object on the stack that holds it does something with what it has.
    fn of_holding_receiver(&self, id: CallId) -> Effect {
        let hands_over = self.words().hands_itself_over(&self.name(id));
        if hands_over || self.words().takes(&self.name(id)) { Effect::guessed(None) } else { Effect::None }
    }

    fn is_view_receiver(&self, id: CallId) -> bool {
        let Some(receiver) = self.project.receiver(In::new(self.file, id)) else { return false };
        match self.summary.value(receiver.id) {
            Value::Binding(binding) => {
                self.summary.binding(*binding).ty.as_ref().is_some_and(|ty| self.words().is_view(&ty.name))
            }
            _ => false,
        }
    }

    /// Whether a call is handed a function of the project: what else it is handed comes back to that one.
    fn has_callback(&self, id: CallId) -> bool {
        let arguments = &self.summary.call(id).arguments;
        arguments.iter().any(|argument| matches!(self.summary.value(argument.value), Value::Function(_)))
    }

    /// `&baton->request`: a request inside a baton goes with its baton.
    fn of_part(&self, owned: &Owned<'a>, id: CallId, at: u16) -> Effect {
        let Some(api) = self.row(id) else {
            let targets = self.project.targets(In::new(self.file, id));
            let fates =
                targets.functions.iter().map(|function| self.project.fate(*function, Some(at), owned, self.depth));
            let name = self.name(id);
            let is_kept = matches!(fates.max(), Some(Fate::Takes | Fate::MayTake))
                || self.words().takes(&name)
                || self.has_callback(id);
            return if is_kept { Effect::guessed(Some(at)) } else { Effect::Doubtful(Doubt::Likely) };
        };
        match api.arguments.get(at as usize).copied().unwrap_or(api.rest) {
            Row::Take => Effect::taken(Some(at)),
            Row::TakeOnSuccess => Effect::taken(Some(at)),
            Row::HandTo(to) | Row::HandToOnSuccess(to) if self.is_given(id, to) => Effect::taken(Some(at)),
            // An event loop knows a handle by its address from its start to its close.
            Row::Store => Effect::taken(Some(at)),
            _ => Effect::None,
        }
    }

    /// `&p`: it may be released, taken or replaced through the pointer.
    fn of_address(&self, owned: &Owned<'a>, id: CallId, at: u16) -> Effect {
        if let Some(api) = self.row(id) {
            if api.releases == Some(Part::Argument(at)) {
                return Effect::Released;
            }
            return match api.arguments.get(at as usize).copied().unwrap_or(api.rest) {
                Row::Borrow | Row::Copy => Effect::None,
                Row::Take | Row::TakeOnSuccess | Row::HandTo(_) | Row::HandToOnSuccess(_) => Effect::taken(Some(at)),
                Row::Store | Row::Unknown => Effect::Doubtful(Doubt::Likely),
            };
        }
        let name = self.name(id);
        if self.words().releases(&name) || owned.is_released_by(&self.name(id)) {
            return Effect::Released;
        }
        Effect::guessed(Some(at))
    }

    /// `args`, `&args`: a struct on the stack that holds it.
    fn of_container(&self, owned: &Owned<'a>, id: CallId, at: u16) -> Effect {
        if let Some(api) = self.row(id) {
            if api.releases == Some(Part::Argument(at)) {
                return Effect::Released;
            }
            return match api.arguments.get(at as usize).copied().unwrap_or(api.rest) {
                // What is kept of a struct is kept of all that it holds.
                Row::Take | Row::TakeOnSuccess | Row::HandTo(_) | Row::HandToOnSuccess(_) | Row::Store => {
                    Effect::taken(Some(at))
                }
                Row::Unknown => Effect::Doubtful(Doubt::Likely),
                Row::Borrow | Row::Copy => Effect::None,
            };
        }
        let name = self.name(id);
        if self.words().releases(&name) || owned.is_released_by(&self.name(id)) {
            return Effect::Released;
        }
        let targets = self.project.targets(In::new(self.file, id));
        if targets.functions.is_empty() && !self.words().takes(&name) {
            return Effect::Doubtful(Doubt::Likely);
        }
        Effect::guessed(Some(at))
    }

    /// What is called, as the code names it: the bare name.
    pub(super) fn name(&self, id: CallId) -> String {
        self.project.method_name(In::new(self.file, id)).map(|name| name.to_string()).unwrap_or_default()
    }

    fn by_name(&self, owned: &Owned<'a>, id: CallId, at: u16) -> Effect {
        let call = self.summary.call(id);
        let name = self.name(id);
        if owned.is_released_by(&name) || self.words().releases(&name) {
            return Effect::Released;
        }
        if call.is_new || self.is_constructor(id) {
            let made = self.made(id).unwrap_or(name);
            return if self.words().copies(&made) { Effect::None } else { Effect::guessed(Some(at)) };
        }
        // `as_value(p)`, `base_to_value(p)`: the same thing under another type.
        if call.arguments.len() == 1 && !call.is_discarded && is_cast(&name) {
            return Effect::Returned;
        }
        if self.project.lends(&name, at) {
            return Effect::Doubtful(Doubt::Sure);
        }
        if self.lent_to == Some(id) {
            return Effect::Doubtful(Doubt::Likely);
        }
        let is_free_function = matches!(self.summary.value(call.callee), Value::Global(_));
        // `use(x_copy(x))`: in a library that nothing is known of, what nobody keeps is made to be consumed.
        let is_passed_on = matches!(self.summary.value(call.arguments[at as usize].value), Value::Result(made) if owned.result_of(*made));
        if is_passed_on && owned.ty.is_none() && !owned.releasers.is_empty() {
            return Effect::guessed(Some(at));
        }
        // Counted references: whoever keeps one counts it for itself.
        if is_free_function && owned.ty.is_some_and(|ty| ty.family == "cf") {
            return Effect::Doubtful(Doubt::Sure);
        }
        if self.words().takes(&name) {
            return Effect::guessed(Some(at));
        }
        // With another object before it, that object may be what keeps it.
        let is_first = at == 0 || call.arguments.len() == 1;
        if is_free_function && owned.is_plain_memory && (is_first || self.words().reads(&name)) {
            return Effect::Doubtful(Doubt::Likely);
        }
        Effect::Doubtful(Doubt::Unsure)
    }

    /// What `make_unique<T>` and `make_shared<T>` make of their arguments.
    fn made(&self, id: CallId) -> Option<String> {
        if !is_maker(&self.name(id)) {
            return None;
        }
        self.summary.call(id).template_type.map(|made| made.to_string())
    }

    /// `T(p)`, `T x(p)`: a class, by its spelling.
    fn is_constructor(&self, id: CallId) -> bool {
        let summary = self.summary;
        match summary.value(summary.call(id).callee) {
            Value::Class(_) => true,
            Value::Global(name) => {
                is_maker(name) || self.project.native_class(self.file, name).is_some() || self.declares(id, *name)
            }
            Value::Member(_, name) => self.words().makes_owner(name),
            _ => false,
        }
    }

    /// `T x(p)` with a class that the project does not define: what owns a pointer is declared so.
    fn declares(&self, id: CallId, name: Name) -> bool {
        let Some(result) = self.project.result_value(self.file, id) else { return false };
        self.summary.bindings.iter().any(|binding| {
            binding.value == Some(result)
                && binding.ty.as_ref().is_some_and(|ty| ty.holder == Holder::Value && ty.name == name && !ty.is_array)
        })
    }

    /// Whether the destructor of a local variable's class may release what its fields hold.
    pub(super) fn destructor_may_release(&self, binding: BindingId) -> bool {
        if self.summary.language == Some(Language::C) {
            return false;
        }
        let Some(ty) = &self.summary.binding(binding).ty else { return false };
        if ty.holder == Holder::Smart {
            return true;
        }
        match self.project.native_class(self.file, &ty.name) {
            Some(class) => self.project.class(class).declares_destructor || !self.project.class(class).bases.is_empty(),
            None => ty.name.contains("::") && !ty.is_array,
        }
    }
}

fn by_fate(fate: Fate, argument: Option<u16>) -> Option<Effect> {
    match fate {
        Fate::Releases => Some(Effect::Released),
        Fate::Takes | Fate::MayTake => Some(Effect::taken(argument)),
        Fate::Returns => Some(Effect::Returned),
        Fate::Borrows(doubt) => Some(Effect::Doubtful(doubt)),
        Fate::Unknown => None,
    }
}

/// Whether a thing is known by a number or an opaque handle, which whoever has it can release.
fn is_number(owned: &Owned<'_>) -> bool {
    owned.ty.is_some_and(|ty| matches!(ty.family.as_str(), "file" | "os-handle" | "socket" | "watcher"))
}
