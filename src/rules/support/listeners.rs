//! What the listener rules share: which removals meet a registration, whether it ends by itself, and what to call things.

use super::ending::ends_its_argument;
use crate::finding::{Confidence, Finding};
use crate::model::words::Meaning;
use crate::model::{CallId, Cond, FunctionId, In, Literal, Value, ValueId};
use crate::project::{
    Access, AccessKind, Event, Key, Likeness, Meeting, Origin, Owner, Project, Registration, Removal,
};
use crate::text::{Location, Span};
use rustc_hash::FxHashSet;

/// A registration with its project.
#[derive(Clone, Copy)]
pub(crate) struct Listener<'p, 'a> {
    pub(crate) project: &'p Project<'a>,
    pub(crate) add: &'p Registration,
}

/// Kinds of registrations that are called back again and again until they are taken back.
const CALLED_BACK: [&str; 4] = [LISTENER, "subscription", "tap", "hook"];

const LISTENER: &str = "listener";
/// How far the callers of a step are followed to the start of a program.
const START_DEPTH: u32 = 3;

/// Every listener that some code of the project hands over: of an event, of a channel, of a hook.
pub(crate) fn all<'p, 'a>(project: &'p Project<'a>) -> impl Iterator<Item = Listener<'p, 'a>> {
    let adds = project.registry().adds.iter();
    adds.filter(|add| CALLED_BACK.contains(&&*add.kind) && !add.is_wrapper && add.on.is_some())
        .filter(|add| add.kind == LISTENER || add.handler.is_some())
        .map(move |add| Listener { project, add })
        .filter(|listener| !listener.hands_over_data())
}

impl<'p> Listener<'p, '_> {
    /// The method, constructor or named function that the registration is part of.
    pub(crate) fn method(&self) -> Option<In<FunctionId>> {
        self.project.around(self.function(), |function| self.project.class_of(function).is_some())
    }

    /// The method that ends an instance of the class whose code this is.
    pub(crate) fn disposal(&self) -> Option<In<FunctionId>> {
        let project = self.project;
        let class = project.class_of(self.method()?)?;
        let of = std::iter::once(class).chain(project.bases(class));
        let mut methods = of.flat_map(|class| project.class(class).methods.iter().map(move |method| (class, method)));
        // `destroy(shardId)` ends one of many.
        let ending = methods.find(|(class, method)| {
            ends_object(project, &method.name) && !ends_its_argument(project, class.with(method.function))
        });
        ending.map(|(class, method)| class.with(method.function))
    }

    /// The function whose code adds it.
    pub(crate) fn function(&self) -> In<FunctionId> {
        self.project.function_of(self.add.call)
    }

    /// What it is added to.
    pub(crate) fn on(&self) -> In<ValueId> {
        self.add.on.unwrap_or_else(|| self.add.call.with(self.project.call(self.add.call).callee))
    }

    /// The event's name, where it is a literal.
    pub(crate) fn event(&self) -> Option<&'static str> {
        match self.add.event {
            Event::Named(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// Removals that take it back, or may do so.
    pub(crate) fn removals(&self) -> Vec<(&'p Removal, Meeting)> {
        self.meetings().filter(|(removal, meeting)| meeting.may_match() && !self.is_thrown_away(removal)).collect()
    }

    /// All removals of the same event that are near enough to concern it, with how they meet it.
    pub(crate) fn meetings(&self) -> impl Iterator<Item = (&'p Removal, Meeting)> + use<'p> {
        self.project.meetings(self.add)
    }

    /// `log.once('topic', 'what to say')`: what is handed over is no function, so nothing listens.
    fn hands_over_data(&self) -> bool {
        let project = self.project;
        let Some(handler) = self.add.handler else { return false };
        let text = |value: In<ValueId>| matches!(project.value(value), Value::Literal(Literal::String(_)));
        let spoken = match project.value(handler) {
            Value::Opaque(parts) => parts.iter().any(|part| text(handler.with(*part))),
            _ => text(handler),
        };
        let origins = project.origins(handler);
        let object = |origin: &Origin| matches!(origin, Origin::Object(_) | Origin::Array(_));
        // An `EventTarget` takes objects with a `handleEvent`.
        spoken || !self.add.dedupes && !origins.is_empty() && origins.iter().all(object)
    }

    /// `for await (const event of on(emitter, 'event'))`: who leaves the loop ends the iterator.
    fn is_looped_over(&self) -> bool {
        let project = self.project;
        project.result(self.add.call).is_some_and(|result| {
            let names = project.under_all_names(result);
            names.iter().any(|name| project.uses(*name).iter().any(|access| access.kind == AccessKind::Iterated))
        })
    }

    /// `function handler() { this.off(); … }`: the listener is called as a method of what can take it back.
    fn takes_itself_back(&self) -> bool {
        let project = self.project;
        let Some(handler) = self.add.handler else { return false };
        project.functions_in(handler).into_iter().any(|function| {
            project.calls_in(function).any(|call| {
                let own = project.receiver(call).is_some_and(|on| *project.value(on) == Value::This(function.id));
                own && project.call(call).arguments.is_empty()
                    && project.method_name(call).is_some_and(|name| takes_back(&name))
            })
        })
    }

    /// It ends without a removal that this project spells out: by the `signal` option, by a disposer that is kept, or
    /// because the function is handed to something that removes.
    pub(crate) fn ends_by_itself(&self) -> bool {
        self.add.signal.is_some()
            || self.keeps_disposer()
            || self.ends_result()
            || self.is_handed_to_remover()
            || self.takes_itself_back()
            || self.is_looped_over()
    }

    /// `const heard = bus.on(…)`, and later `heard.unsubscribe()`: what the call gives back is ended.
    fn ends_result(&self) -> bool {
        let project = self.project;
        let Some(result) = project.result(self.add.call) else { return false };
        let words = &project.contracts.words;
        let ends = |access: &Access| match access.kind {
            AccessKind::Method { key: Key::Name(name), .. } => words.has(Meaning::TakesOut, &name),
            _ => false,
        };
        project.uses(result).iter().any(|access| match access.kind {
            AccessKind::Stored { place } => {
                project.place(access.of(place)).is_some_and(|place| project.accesses(place).iter().any(ends))
            }
            _ => false,
        })
    }

    /// The call gives back a way out, and its result is used.
    fn keeps_disposer(&self) -> bool {
        let call = self.project.call(self.add.call);
        let fluent = self.project.api(self.add.call).is_some_and(|api| api.returns.is_some());
        let lifted = self.add.call != self.add.api;
        !call.is_discarded
            && !fluent
            && (lifted || self.gives_disposer())
            && self.project.result(self.add.call).is_some()
    }

    /// The project's own function gives back what removes the listener, and the caller throws it away.
    pub(crate) fn drops_disposer(&self) -> bool {
        if self.add.call == self.add.api {
            return false;
        }
        let surely = self.removals().iter().any(|(_, meeting)| meeting.matches());
        !surely && self.project.registry().removals.iter().any(|removal| self.is_thrown_away(removal))
    }

    /// The removal stands in a closure that the registering wrapper returns, and the result of this call is used by nobody.
    fn is_thrown_away(&self, removal: &Removal) -> bool {
        let project = self.project;
        let dropped = self.add.call != self.add.api && project.call(self.add.call).is_discarded;
        dropped
            && project.targets(self.add.call).functions.iter().any(|wrapper| {
                let inner = removal.function != *wrapper && removal.function.file == wrapper.file;
                inner
                    && project
                        .returned_functions(*wrapper)
                        .iter()
                        .any(|returned| project.summary(wrapper.file).is_inside(removal.function.id, returned.id))
            })
    }

    fn gives_disposer(&self) -> bool {
        self.project.api(self.add.call).is_some_and(|api| api.gives.is_some() || api.returns_type.is_some())
    }

    /// The named function is an argument of a call whose name says that it takes something back.
    fn is_handed_to_remover(&self) -> bool {
        let Some(handler) = self.add.handler.filter(|handler| !self.project.is_fresh_function(*handler)) else {
            return false;
        };
        let Some(place) = self.project.place(handler) else { return false };
        self.project.accesses(place).iter().any(|access| match access.kind {
            AccessKind::Argument { call, .. } => {
                let call = access.of(call);
                let known = self.project.registry().removals.iter().any(|removal| removal.call == Some(call));
                !known && self.project.method_name(call).is_some_and(|name| takes_back(&name))
            }
            _ => false,
        })
    }

    /// Whether one of the functions, or code inside it, ends the emitter itself: `socket.destroy()` of what the listener is
    /// on. `surely`: under no condition.
    pub(crate) fn emitter_is_ended_in(&self, functions: &[In<FunctionId>], surely: bool) -> bool {
        let project = self.project;
        if project.lifetime(self.on()).is_process() {
            return false;
        }
        let within = |call: &In<CallId>| {
            let of = project.call(*call).function;
            functions.iter().any(|f| f.file == call.file && project.summary(f.file).is_inside(of, f.id))
        };
        let files: FxHashSet<_> = functions.iter().map(|function| function.file).collect();
        let calls = files
            .into_iter()
            .flat_map(|file| (0..project.summary(file).calls.len() as u32).map(move |at| In::new(file, CallId(at))));
        calls.filter(within).any(|call| {
            let ends = project.method_name(call).is_some_and(|name| ends_object(project, &name));
            let same = || project.receiver(call).is_some_and(|on| project.objects(on, self.on()) == Likeness::Same);
            ends && same() && !(surely && self.is_really_conditional(call))
        })
    }

    /// The call happens under a condition other than that nobody has ended the object before: `if (this.closed) return`.
    fn is_really_conditional(&self, call: In<CallId>) -> bool {
        let project = self.project;
        let flag = |value: ValueId| match project.value(call.with(value)) {
            Value::Member(object, name) => {
                matches!(project.value(call.with(*object)), Value::This(_))
                    && project.contracts.words.has(Meaning::Ending, name)
            }
            _ => false,
        };
        let own = project.conditions(self.add.call);
        project.conditions(call).iter().filter(|condition| !own.contains(condition)).any(|(cond, _)| {
            let mut flags = true;
            cond.values(&mut |value| flags &= flag(value));
            !flags
        })
    }

    /// Some code of the class ends the emitter, but only if it is its own: `if (this.ownsClient) this.client.quit()`.
    pub(crate) fn is_ended_if_owned(&self, functions: &[In<FunctionId>]) -> bool {
        let project = self.project;
        let within = |call: &In<CallId>| {
            let of = project.call(*call).function;
            functions.iter().any(|f| f.file == call.file && project.summary(f.file).is_inside(of, f.id))
        };
        let file = self.add.call.file;
        let calls = (0..project.summary(file).calls.len() as u32).map(|at| In::new(file, CallId(at)));
        calls.filter(within).any(|call| {
            let ends = project.method_name(call).is_some_and(|name| ends_object(project, &name));
            ends && project.receiver(call).is_some_and(|on| project.objects(on, self.on()) == Likeness::Same)
                && project.conditions(call).iter().any(|(cond, _)| self.asks_for_owner(call, cond))
        })
    }

    /// The condition compares the emitter with something, or asks for a flag whose name speaks of owning or sharing.
    fn asks_for_owner(&self, call: In<CallId>, cond: &Cond) -> bool {
        let project = self.project;
        let same = |value: ValueId| project.objects(call.with(value), self.on()) == Likeness::Same;
        let null = |value: ValueId| project.is_empty_value(call.with(value));
        match cond {
            Cond::Equal(a, b) if !null(*a) && !null(*b) && (same(*a) || same(*b)) => true,
            Cond::Not(inner) => self.asks_for_owner(call, inner),
            Cond::All(parts) | Cond::Any(parts) => parts.iter().any(|part| self.asks_for_owner(call, part)),
            _ => {
                let mut speaks = false;
                cond.values(&mut |value| {
                    let text = project.text(call.with(value));
                    speaks |= project.contracts.words.any(Meaning::Belonging, &text);
                });
                speaks
            }
        }
    }

    /// The emitter was made in this run of the function or of one around it.
    pub(crate) fn is_on_local(&self) -> bool {
        matches!(self.project.lifetime(self.on()).owner, Owner::Call(_))
    }

    /// Asked first whether it is there (`listenerCount(…)`, `listeners(…).includes(…)`), whether the event is still to come
    /// (`socket.connecting`), or whether this was done before.
    pub(crate) fn is_checked(&self) -> bool {
        let project = self.project;
        let mut call = self.add.call;
        for _ in 0..4 {
            let conditions = project.conditions(call);
            if conditions.iter().any(|(cond, _)| self.asks_for_listeners(cond)) || project.is_once_guarded(call) {
                return true;
            }
            // A listener added by a listener: what the outer one was asked counts for both.
            let outer = project.function_of(call);
            let Some(passed) =
                project.passed_to(outer).iter().find(|passed| passed.call.file == call.file).map(|p| p.call)
            else {
                break;
            };
            call = passed;
        }
        false
    }

    fn asks_for_listeners(&self, cond: &Cond) -> bool {
        let mut asks = false;
        cond.values(&mut |value| asks |= self.asks_whether_known(self.add.call.with(value)));
        cond.values(&mut |value| asks |= self.mentions_listeners(self.add.call.with(value), 0));
        cond.values(&mut |value| asks |= self.add.once && self.asks_whether_it_came(self.add.call.with(value)));
        asks
    }

    /// `if (server.listening) …; else server.once('listening', …)`: what comes once is waited for where it has not come yet.
    fn asks_whether_it_came(&self, value: In<ValueId>) -> bool {
        let (Value::Member(object, name), Some(event)) = (self.project.value(value), self.event()) else {
            return false;
        };
        let (name, event) = (name.to_ascii_lowercase(), event.to_ascii_lowercase());
        let speaks = name.contains(&event) || event.len() > 3 && event.contains(name.trim_start_matches(['_', '#']));
        speaks && self.project.objects(value.with(*object), self.on()) == Likeness::Same
    }

    /// `seen.has(socket)`: asked whether this very emitter was there before.
    fn asks_whether_known(&self, value: In<ValueId>) -> bool {
        let project = self.project;
        let Value::Result(call) = project.value(value) else { return false };
        let call = value.with(*call);
        let asks = project
            .method_name(call)
            .is_some_and(|name| matches!(name.as_str(), "has" | "includes" | "get" | "indexOf"));
        asks && project.argument(call, 0).is_some_and(|argument| project.objects(argument, self.on()) == Likeness::Same)
    }

    fn mentions_listeners(&self, value: In<ValueId>, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        let of = |inner: ValueId| self.mentions_listeners(value.with(inner), depth + 1);
        match self.project.value(value) {
            Value::Member(object, name) => {
                matches!(
                    name.as_str(),
                    "listenerCount" | "listeners" | "rawListeners" | "_events" | "eventNames" | "connecting"
                ) || of(*object)
            }
            Value::Index(object, _) => of(*object),
            Value::Result(call) => of(self.project.call(value.with(*call)).callee),
            Value::Opaque(parts) | Value::Choice(parts) => parts.iter().any(|part| of(*part)),
            Value::Binding(binding) => self.project.binding(value.with(*binding)).value.is_some_and(of),
            _ => false,
        }
    }

    /// The nearest function around that has a name.
    fn named_function(&self) -> Option<In<FunctionId>> {
        self.project.named_around(self.function())
    }

    /// The code around starts something as a whole, by its name or by the names of all who call it: hardly more than once
    /// in a process.
    pub(crate) fn is_part_of_a_start(&self) -> bool {
        let project = self.project;
        let Some(named) = self.named_function() else { return false };
        let words = &project.contracts.words;
        let boots = |function: In<FunctionId>| words.any(Meaning::Booting, &project.function(function).name);
        if boots(named) || words.any(Meaning::SettingUp, &project.function(named).name) {
            return true;
        }
        self.is_called_by_start(named, 0)
    }

    /// All who call a function start a program, or are called by such code alone.
    fn is_called_by_start(&self, function: In<FunctionId>, depth: u32) -> bool {
        let project = self.project;
        let callers = project.callers(function);
        let mut shipped = callers.iter().filter(|caller| !project.only_tries(caller.call, function.file)).peekable();
        let starts = |call: In<CallId>| {
            project.named_around(project.function_of(call)).is_some_and(|caller| {
                let boots = project.contracts.words.any(Meaning::Booting, &project.function(caller).name);
                boots || depth < START_DEPTH && caller != function && self.is_called_by_start(caller, depth + 1)
            })
        };
        shipped.peek().is_some() && shipped.all(|caller| starts(caller.call))
    }

    /// The function around starts a program or server: what it is given lives as long as that.
    pub(crate) fn is_in_boot(&self) -> bool {
        let named = self.named_function().map(|function| self.project.function(function).name);
        named.is_some_and(|name| self.project.contracts.words.any(Meaning::Booting, &name))
    }

    /// The method around ends its instance: what it adds now serves the end.
    pub(crate) fn is_in_ending(&self) -> bool {
        let project = self.project;
        self.named_function().is_some_and(|function| {
            let name = project.function(function).name;
            let speaks =
                || crate::model::words::split(&name).iter().any(|word| word.len() > 3 && ends_object(project, word));
            ends_object(project, &name) || speaks()
        })
    }

    /// `onExit(callback)`: the function exists to register what it is given.
    pub(crate) fn serves_callback(&self) -> bool {
        let name = self.named_function().map(|function| self.project.function(function).name);
        name.is_some_and(|name| {
            name.strip_prefix("on").is_some_and(|rest| rest.starts_with(|c: char| c.is_uppercase()))
        })
    }

    /// A constructor calls the function, which is no method itself.
    pub(crate) fn is_called_by_constructor(&self) -> bool {
        let project = self.project;
        let Some(named) = self.named_function() else { return false };
        project.class_of(named).is_none()
            && project.callers(named).iter().any(|caller| project.is_constructor(project.function_of(caller.call)))
    }

    /// The listener ends the process: it was added by the program, not by a part of it.
    pub(crate) fn exits_process(&self) -> bool {
        let project = self.project;
        let Some(handler) = self.add.handler else { return false };
        project.functions_in(handler).iter().any(|function| {
            project.calls_within(*function).any(|call| {
                let never = |call| project.api(call).is_some_and(|api| api.never_returns);
                never(call)
                    || project.targets(call).functions.iter().any(|next| {
                        let inner = project.summary(next.file);
                        let within = |of: FunctionId| inner.is_inside(of, next.id) && next.id != FunctionId::MODULE;
                        let calls = (0..inner.calls.len() as u32).map(|at| next.with(CallId(at)));
                        calls.filter(|call| within(project.call(*call).function)).any(never)
                    })
            })
        })
    }

    /// The emitter is the receiver, or reached through it.
    pub(crate) fn is_on_receiver_or_below(&self) -> bool {
        let mut value = self.on();
        while let Value::Member(object, _) = self.project.value(value) {
            value = value.with(*object);
        }
        matches!(self.project.value(value), Value::This(_))
    }

    /// The emitter is the receiver of a function that is no method of a class, or reached through it.
    pub(crate) fn is_on_receiver(&self) -> bool {
        let mut value = self.on();
        while let Value::Member(object, _) = self.project.value(value) {
            value = value.with(*object);
        }
        matches!(self.project.value(value), Value::This(_))
            && !matches!(self.project.origin(value), Origin::This(_) | Origin::Class(_))
    }

    /// Where the registration is: the call, or its last link in a chain of calls.
    pub(crate) fn at(&self) -> Location {
        let call = self.project.call(self.add.call);
        let chained =
            self.project.receiver(self.add.call).is_some_and(|on| matches!(self.project.value(on), Value::Result(_)));
        let span = if chained { Span::new(call.name_span.start, call.span.end) } else { call.span };
        self.project.at(self.add.call.file, span)
    }

    /// `process.on('exit')`, as messages call it.
    pub(crate) fn text(&self) -> String {
        match self.event() {
            Some(event) => format!("`{}('{event}', …)`", self.project.callee_text(self.add.call)),
            None => format!("`{}(…)`", self.project.callee_text(self.add.call)),
        }
    }

    /// What it is on, as messages call it.
    pub(crate) fn on_text(&self) -> String {
        format!("`{}`", self.project.text(self.on()))
    }

    /// Names the event, where there is one to name.
    pub(crate) fn event_text(&self) -> String {
        let noun = self.add.kind;
        match self.event() {
            Some(event) if event.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) => {
                format!("an '{event}' {noun}")
            }
            Some(event) => format!("a '{event}' {noun}"),
            None => format!("a {noun}"),
        }
    }

    /// How to name the function in a removal: its own name, or one to be given.
    pub(crate) fn handler_text(&self) -> String {
        match self.add.handler {
            Some(handler) if !self.project.is_fresh_function(handler) => self.project.text(handler),
            _ => "handler".to_owned(),
        }
    }

    /// It is one of an emitter's events, taken back by `off` or `removeEventListener`.
    pub(crate) fn is_of_event(&self) -> bool {
        self.add.kind == LISTENER
    }

    /// How to take it back, and where: `place` begins with a preposition.
    pub(crate) fn removal_help(&self, place: &str) -> String {
        let api = self.project.api(self.add.call);
        if self.add.kind == "tap" {
            return "a tap can't be taken back: tap once, where the hook is made".to_owned();
        }
        if api.is_some_and(|api| api.gives.is_some()) {
            return format!("keep what {} returns, and unsubscribe by it {place}", self.text());
        }
        let fresh = self.add.handler.is_some_and(|handler| self.project.is_fresh_function(handler));
        let keep = if fresh { "keep the function, and " } else { "" };
        format!("{keep}call `{}` {place}", self.removal_text())
    }

    /// The removal to write.
    pub(crate) fn removal_text(&self) -> String {
        if !self.is_of_event() {
            let event = self.event().map_or_else(String::new, |event| format!("'{event}', "));
            return format!("{}.unsubscribe({event}{})", self.project.text(self.on()), self.handler_text());
        }
        let remover = if self.add.dedupes { "removeEventListener" } else { "off" };
        let event = self.event().map_or_else(|| "event".to_owned(), |event| format!("'{event}'"));
        format!("{}.{remover}({event}, {})", self.project.text(self.on()), self.handler_text())
    }

    /// A finding at the registration.
    pub(crate) fn finding(&self, rule: &'static str, confidence: Confidence, message: String) -> Finding {
        let context = self.project.function(self.function()).name.as_str();
        Finding::new(rule, confidence, self.at(), message).with_context(context)
    }
}

/// `removeListener`, `unsubscribe`, `off`, `cleanup`: names that say that something is taken back.
pub(crate) fn takes_back(name: &str) -> bool {
    let name = name.trim_start_matches(['_', '#']).to_ascii_lowercase();
    ["remove", "off", "un", "clean", "detach", "dispose", "teardown"].iter().any(|word| name.starts_with(word))
}

/// Names of methods after which an object is gone.
pub(crate) fn ends_object(project: &Project<'_>, name: &str) -> bool {
    let bare = name.trim_start_matches(['_', '#']);
    project.contracts.words.has(Meaning::Disposal, bare)
}
