//! How often functions run and instances are made: the first law's scale, derived from exports, callers, callbacks, loops
//! and guards. Every answer says why, in words that can be checked in the code.

use super::memo::Ask;
use super::{AccessKind, Origin, Passed, Project};
use crate::finding::{StepKind, TraceStep};
use crate::model::contract::Runs;
use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, Cond, FunctionId, FunctionKind, In, Literal, Loop, Rate, Type, Value, ValueId};
use crate::text::{FileId, Location};

/// How often something happens, and why that is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateAnswer {
    /// How often; none where nothing tells.
    pub rate: Option<Rate>,
    /// Why, the nearest reason first; ready to be put into a finding's trace.
    pub why: Vec<TraceStep>,
    /// All that speaks for it is that a file offers the function to others, none of which is the package's way in.
    pub is_offered: bool,
    /// All that speaks for it is that users of the package may ask for it as often as they like.
    pub by_users: bool,
}

/// Reasons beyond this number say nothing to a reader.
const REASONS: usize = 4;
/// Events that come at most once in the life of their emitter, whatever the emitter is.
const ONE_TIME_EVENTS: [&str; 13] = [
    "DOMContentLoaded",
    "close",
    "closed",
    "end",
    "finish",
    "exit",
    "listening",
    "ready",
    "open",
    "load",
    "beforeExit",
    "connect",
    "secureConnect",
];
/// As many instances as this, all made while the file of their class loads, are an enumeration.
const ENUMERATED: usize = 3;
/// Names that people give to the parameters of request handlers, the first two of a function.
const HANDLERS: [(&str, &str); 8] = [
    ("req", "res"),
    ("request", "response"),
    ("request", "reply"),
    ("req", "reply"),
    ("ctx", "next"),
    ("context", "next"),
    ("_req", "res"),
    ("req", "rep"),
];

impl RateAnswer {
    pub(super) fn new(rate: Rate, at: Location, message: String) -> Self {
        RateAnswer {
            rate: Some(rate),
            why: vec![TraceStep { kind: StepKind::Repeat, at, message }],
            is_offered: false,
            by_users: false,
        }
    }

    /// What users of the package may ask for.
    fn asked(rate: Rate, at: Location, message: String) -> Self {
        RateAnswer { by_users: true, ..RateAnswer::new(rate, at, message) }
    }

    fn known(rate: Rate) -> Self {
        RateAnswer { rate: Some(rate), ..RateAnswer::default() }
    }

    /// Keeps the more frequent of two answers.
    fn raise(&mut self, other: RateAnswer) {
        if other.rate > self.rate {
            *self = other;
        }
    }

    /// The same rate, for one more reason, given first.
    pub(super) fn after(mut self, at: Location, message: String) -> Self {
        if self.why.len() < REASONS {
            self.why.insert(0, TraceStep { kind: StepKind::Repeat, at, message });
        }
        self
    }

    /// The reasons as one clause, for a finding's `why`.
    pub fn because(&self) -> String {
        self.why.iter().map(|step| step.message.as_str()).collect::<Vec<_>>().join("; ")
    }
}

impl Project<'_> {
    /// How often a function runs.
    pub fn rate(&self, function: In<FunctionId>) -> RateAnswer {
        self.memos.rates.ask(Ask::Rate, function, || self.find_rate(function))
    }

    fn find_rate(&self, function: In<FunctionId>) -> RateAnswer {
        let data = self.function(function);
        let class = self.class_of(function);
        match (data.kind, class) {
            (FunctionKind::Module | FunctionKind::StaticBlock, _) => return RateAnswer::known(Rate::Once),
            (FunctionKind::Constructor, Some(class)) | (FunctionKind::Destructor, Some(class)) => {
                return self.instances(class);
            }
            _ => {}
        }
        if let Some(class) = self.index(function.file).constructed.get(&function.id) {
            return self.instances(function.with(*class));
        }
        let mut found = self.rate_from_outside(function);
        if found.rate >= Some(Rate::PerCall) && !self.is_native(function.file) {
            return found;
        }
        let mut weak = RateAnswer::default();
        for caller in self.callers(function).iter().filter(|caller| !self.only_tries(caller.call, function.file)) {
            if self.summary(caller.call.file).is_inside(self.call(caller.call).function, function.id)
                && caller.call.file == function.file
            {
                continue;
            }
            let outer = self.function_name(self.function_of(caller.call));
            let answer = self.call_rate(caller.call);
            let answer = match outer.as_str() {
                "the module" => answer,
                _ => answer.after(self.locate(caller.call), format!("{outer} calls {}", self.function_name(function))),
            };
            if caller.weak { weak.raise(answer) } else { found.raise(answer) }
        }
        for passed in self.passed_to(function).iter().filter(|passed| !self.only_tries(passed.call, function.file)) {
            found.raise(self.passed_rate(passed));
        }
        if let Some(overridden) = self.overridden(function).filter(|_| found.rate.is_none()) {
            let name = self.function_name(overridden);
            let message = format!("{} stands in for {name}", self.function_name(function));
            found.raise(self.rate(overridden).after(self.locate_function(overridden), message));
        }
        if found.rate.is_none() {
            found = weak;
        }
        if found.rate.is_none() {
            // Nobody knows how often its callers run, but there are some, and it is offered to others, too.
            found = self.offered_rate(function);
        }
        if found.rate.is_none() && !self.is_native(function.file) {
            found = self.defined_rate(function);
        }
        found
    }

    /// Whether a call stands in a test of code that is none: nobody ships it.
    pub fn only_tries(&self, call: In<CallId>, tried: FileId) -> bool {
        self.sources.get(call.file).trial && !self.sources.get(tried).trial
    }

    /// The value of a property that a descriptor defines: `Object.defineProperties(api, { send: { value: send } })`. Whoever
    /// has the object may call it.
    fn defined_rate(&self, function: In<FunctionId>) -> RateAnswer {
        let inside = |value: In<ValueId>| {
            self.uses(value).iter().filter_map(|access| match access.kind {
                AccessKind::Inside { outer } => Some(access.of(outer)),
                _ => None,
            })
        };
        let defines = |value: In<ValueId>| {
            self.uses(value).iter().any(|access| match access.kind {
                AccessKind::Argument { call, .. } => self.path(access.of(call)).is_some_and(|path| {
                    matches!(path.as_str(), "Object.defineProperty" | "Object.defineProperties" | "Object.create")
                }),
                _ => false,
            })
        };
        let descriptors: Vec<In<ValueId>> = self.references(function).iter().flat_map(|value| inside(*value)).collect();
        let defined = descriptors.iter().any(|descriptor| defines(*descriptor) || inside(*descriptor).any(defines));
        if !defined {
            return RateAnswer::default();
        }
        let name = self.function_name(function);
        let message =
            format!("{name} is defined as a method of an object: whoever has that may call it again and again");
        RateAnswer { is_offered: true, ..RateAnswer::asked(Rate::PerCall, self.locate_function(function), message) }
    }

    /// The method of a project class that a method of a subclass takes the place of.
    fn overridden(&self, method: In<FunctionId>) -> Option<In<FunctionId>> {
        let class = self.class_of(method).filter(|_| !self.is_native(method.file))?;
        let name = self.function(method).name;
        self.bases(class).into_iter().find_map(|base| self.method(base, &name)).filter(|found| *found != method)
    }

    /// The rate of a function that is exported, whoever calls it here.
    fn offered_rate(&self, function: In<FunctionId>) -> RateAnswer {
        let data = self.function(function);
        let exported = !data.name.starts_with(['_', '#'])
            && match self.class_of(function) {
                Some(class) => self.is_exported_class(class),
                None => self.is_exported(function),
            };
        if !exported || self.is_native(function.file) {
            return RateAnswer::default();
        }
        let name = self.function_name(function);
        let message = format!("{name} is exported and may be called any number of times");
        let offered = RateAnswer::asked(Rate::PerCall, self.locate_function(function), message);
        RateAnswer { is_offered: true, ..offered }
    }

    /// Whether a C or C++ function has the signature of those that JavaScript calls, as often as it likes.
    pub fn is_called_from_javascript(&self, function: In<FunctionId>) -> bool {
        let of_call = |ty: Option<&Type>| ty.is_some_and(|ty| self.contracts.is_family(ty, "call-info"));
        let parameters = &self.function(function).parameters;
        parameters.iter().any(|parameter| {
            let facts = self.binding(function.with(*parameter)).ty.as_ref();
            of_call(facts.and_then(|facts| self.named_type(function.file, &facts.name)))
        }) || parameters.is_empty()
            && {
                // `NAN_METHOD(Load) { info.This(); }`: the macro names the parameter.
                let named = |value: In<ValueId>| matches!(self.value(value), Value::Global(name) if of_call(self.contracts.value(name)));
                self.calls_in(function).any(|call| self.receiver(call).is_some_and(named))
            }
    }

    /// By those who call it without the project's doing: users of the package, JavaScript, a framework.
    fn rate_from_outside(&self, function: In<FunctionId>) -> RateAnswer {
        let data = self.function(function);
        let at = self.locate_function(function);
        let name = self.function_name(function);
        if self.is_native(function.file) && self.is_called_from_javascript(function) {
            return RateAnswer::new(Rate::PerCall, at, format!("{name} runs for each call from JavaScript"));
        }
        if let Some(class) = self.class_of(function)
            && let Some(ty) = self.class_type(class)
            && let Some(runs) = self.contracts.bases(ty).find_map(|ty| ty.overrides.get(data.name.as_str()))
        {
            return match runs {
                Runs::Event => {
                    RateAnswer::new(Rate::PerEvent, at, format!("{name} is called again and again by its {}", ty.noun))
                }
                _ => self.instances(class).after(at, format!("{name} runs for each {}", ty.noun)),
            };
        }
        if self.is_public(function) {
            return RateAnswer::asked(
                Rate::PerCall,
                at,
                match self.class_of(function) {
                    Some(_) => format!("{name} is a public method: callers may call it as often as they like"),
                    None => format!("{name} is exported: callers may call it as often as they like"),
                },
            );
        }
        if self.callers(function).is_empty() && self.passed_to(function).is_empty() {
            let offered = self.offered_rate(function);
            if offered.rate.is_some() {
                return offered;
            }
        }
        self.returned_rate(function)
    }

    /// A closure that its function gives back to its callers.
    fn returned_rate(&self, function: In<FunctionId>) -> RateAnswer {
        let Some(parent) = self.function(function).parent else { return RateAnswer::default() };
        let parent = function.with(parent);
        let index = self.index(function.file);
        let returned = index.returns[parent.id.index()].iter().any(|value| {
            self.origins(function.with(*value)).iter().any(|origin| match origin {
                super::Origin::Function(f) => *f == function,
                super::Origin::Object(object) => {
                    index.held_in.get(&function.id).is_some_and(|(held, _)| *held == object.id)
                }
                _ => false,
            })
        });
        if returned && (self.is_public(parent) || self.is_exported(parent)) {
            let name = self.function_name(parent);
            return RateAnswer::asked(
                Rate::PerCall,
                self.locate_function(function),
                format!("{name} gives it to its callers, who may call it as often as they like"),
            );
        }
        RateAnswer::default()
    }

    /// By what it is handed to.
    fn passed_rate(&self, passed: &Passed) -> RateAnswer {
        let at = self.locate(passed.call);
        let head = self.head_text(passed.call);
        match passed.handed.runs {
            Some(Runs::Sync) => {
                // A function of the project that calls back before it returns does so once, as far as is known.
                let each = self.api(passed.call).is_some()
                    && !self.call(passed.call).is_new
                    && self.receiver(passed.call).is_some_and(|list| !self.is_constant_list(list));
                let answer = self.call_rate(passed.call);
                if each && answer.rate >= Some(Rate::PerInstance) {
                    let message = format!("passed to `{head}`, which runs it for each element");
                    return RateAnswer { by_users: answer.by_users, ..RateAnswer::new(Rate::PerEvent, at, message) };
                }
                answer
            }
            Some(Runs::Once | Runs::Maybe) => self.call_rate(passed.call),
            Some(Runs::Event) => match passed.handed.event {
                Some(event) if self.is_one_time(passed.call, &event) => self.call_rate(passed.call),
                Some(event) => {
                    RateAnswer::new(Rate::PerEvent, at, format!("passed to `{head}`, which runs it for each `{event}`"))
                }
                // `attach('load', f)` of a wrapper names the event as well.
                None if self.names_one_time(passed.call) => self.call_rate(passed.call),
                None => {
                    RateAnswer::new(Rate::PerEvent, at, format!("passed to `{head}`, which runs it again and again"))
                }
            },
            None => self.handler_rate(passed, at, &head),
        }
    }

    /// Whether an event comes at most once in the life of the emitter that a call listens to.
    pub fn is_one_time(&self, call: In<CallId>, event: &str) -> bool {
        ONE_TIME_EVENTS.contains(&event)
            || self
                .receiver(call)
                .and_then(|receiver| self.ty(receiver))
                .is_some_and(|ty| self.contracts.bases(ty).any(|ty| ty.ends.iter().any(|end| end == event)))
    }

    fn names_one_time(&self, call: In<CallId>) -> bool {
        let event = self.argument(call, 0).map(|event| self.origin(event));
        matches!(event, Some(super::Origin::Literal(Literal::String(name))) if ONE_TIME_EVENTS.contains(&name.as_str()))
    }

    /// `app.get('/x', (req, res) => …)` of a framework that no row knows.
    fn handler_rate(&self, passed: &Passed, at: Location, head: &str) -> RateAnswer {
        let function = passed.handed.function;
        if self.is_native(function.file) {
            return RateAnswer::default();
        }
        let parameters = &self.function(function).parameters;
        let name = |index: usize| parameters.get(index).map(|binding| self.binding(function.with(*binding)).name);
        if let (Some(first), Some(second)) = (name(0), name(1))
            && HANDLERS.iter().any(|(a, b)| first == *a && second == *b)
        {
            let message = format!("passed to `{head}` as a handler of requests (`{first}`, `{second}`)");
            return RateAnswer::new(Rate::PerEvent, at, message);
        }
        // Whoever takes a function calls it back at least as often as it is handed over; at module level that says nothing.
        match self.call_rate(passed.call) {
            answer if answer.rate > Some(Rate::Once) => answer,
            _ => RateAnswer::default(),
        }
    }

    /// How often a call happens: its function's rate, raised by loops around it, lowered by once-guards
    /// (`if (done) return; done = true`, `if (!x) x = …`).
    pub fn call_rate(&self, call: In<CallId>) -> RateAnswer {
        let function = self.function_of(call);
        let mut answer = self.rate(function);
        if let Some(head) = self.open_loop(call, answer.rate).filter(|_| !self.leaves_after(call)) {
            let at = self.at(call.file, head);
            let turns = RateAnswer::new(Rate::PerEvent, at, "in a loop, for each of its turns".to_owned());
            answer = RateAnswer { by_users: answer.by_users, ..turns };
        }
        if answer.rate > Some(Rate::Once) {
            for guard in self.guards(call) {
                let mut born = self.place_lifetime(guard.place);
                if born.born == Some(Rate::Once) && self.is_emptied_elsewhere(guard.place, function) {
                    // Whoever empties it lets the call happen once more.
                    born.born = Some(Rate::PerInstance);
                }
                if let Some(rate) = born.born
                    && Some(rate) < answer.rate
                {
                    let at = self.at(call.file, guard.span);
                    let message = format!("guarded by `{}`", self.place_text(guard.place));
                    answer = RateAnswer { rate: Some(rate), why: born.why, ..answer }.after(at, message);
                }
            }
        }
        answer
    }

    /// The head of a loop around a call that makes it more frequent than its function: one that is not over a constant list. In
    /// code that runs once only a loop without end counts.
    fn open_loop(&self, call: In<CallId>, outer: Option<Rate>) -> Option<crate::text::Span> {
        let index = self.index(call.file);
        let heads = index.loops.get(&call.id)?;
        heads.iter().map(|head| &index.heads[*head as usize]).find_map(|head| {
            let open = match (head.kind, &head.cond) {
                (Loop::ForEach, cond) => {
                    let mut constant = false;
                    cond.values(&mut |value| constant |= self.is_constant_list(call.with(value)));
                    !constant && outer > Some(Rate::Once)
                }
                (_, Cond::Truthy(value)) => {
                    matches!(self.value(call.with(*value)), Value::Literal(_)) || outer > Some(Rate::Once)
                }
                (_, Cond::Less(_, bound) | Cond::AtMost(_, bound)) => {
                    let literal = matches!(self.value(call.with(*bound)), Value::Literal(Literal::Int(_)));
                    // Code that runs once and counts up to call a function of the project shows how often that is meant to
                    // be called; what it does itself is bounded by the number that stands there.
                    let counted = !self.targets(call).functions.is_empty();
                    if outer > Some(Rate::Once) { !literal } else { counted }
                }
                (_, Cond::Opaque(values)) if values.is_empty() => true,
                _ => outer > Some(Rate::Once),
            };
            open.then_some(head.span)
        })
    }

    /// An array literal without spreads.
    fn is_constant_list(&self, value: In<crate::model::ValueId>) -> bool {
        match self.origin(value) {
            super::Origin::Array(array) => match self.value(array) {
                Value::Array(_, parts) => {
                    !parts.iter().any(|part| matches!(self.value(array.with(*part)), Value::Spread(_)))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// How often instances of a class are made.
    pub fn instances(&self, class: In<ClassId>) -> RateAnswer {
        let class = self.canonical_class(class);
        self.memos.instances.ask(Ask::Instances, class, || self.find_instances(class))
    }

    fn find_instances(&self, class: In<ClassId>) -> RateAnswer {
        let at = self.at(class.file, self.class(class).span);
        let name = self.class(class).name;
        let mut found = RateAnswer::default();
        let mut unknown = false;
        for site in self.constructions(class).into_iter().filter(|site| !self.only_tries(*site, class.file)) {
            let outer = self.function_name(self.function_of(site));
            let answer = self.call_rate(site);
            unknown |= answer.rate.is_none();
            let message = format!("{outer} makes an instance of `{name}`");
            found.raise(if outer == "the module" { answer } else { answer.after(self.locate(site), message) });
        }
        if unknown && found.rate == Some(Rate::Once) {
            found = RateAnswer::default();
        }
        if self.is_native(class.file) {
            if self.class_type(class).is_some_and(|ty| self.contracts.is_family(ty, "object-wrap")) {
                found.raise(RateAnswer::new(
                    Rate::PerInstance,
                    at,
                    format!("JavaScript may make any number of `{name}`"),
                ));
            }
        } else if found.rate == Some(Rate::Once) && self.is_enumerated(class) {
            // `exports.NUMBER = new Type(1)`, `exports.TEXT = new Type(2)`: those are all that there are.
        } else if self.is_container_made(class) {
            let message = format!("the container that `{name}` is declared to makes one of it");
            found.raise(RateAnswer::new(Rate::Once, at, message));
        } else if let Some(guard) = self.made_once(class) {
            found.raise(RateAnswer::new(Rate::Once, guard, format!("`{name}` is made once, behind a guard")));
        } else if self.is_public_class(class) && self.has_public_constructor(class) {
            found.raise(RateAnswer::asked(
                Rate::PerInstance,
                at,
                format!("`{name}` is exported: users may make as many instances as they like"),
            ));
        }
        for sub in self.subclasses(class) {
            found.raise(self.instances(sub));
        }
        if found.rate.is_none() && !self.is_native(class.file) && self.is_exported_class(class) {
            let message = format!("`{name}` is exported and may have any number of instances");
            return RateAnswer { is_offered: true, ..RateAnswer::asked(Rate::PerInstance, at, message) };
        }
        found
    }

    /// The file of the class makes all of its instances as it loads.
    fn is_enumerated(&self, class: In<ClassId>) -> bool {
        let sites = self.constructions(class);
        sites.len() >= ENUMERATED && sites.iter().all(|site| site.file == class.file)
    }

    /// `@Service() class Reporter`: a container makes the one instance and hands it to all who ask.
    fn is_container_made(&self, class: In<ClassId>) -> bool {
        let names = &self.class(class).decorators;
        names.iter().any(|name| {
            let last = name.rsplit('.').next().unwrap_or(name);
            self.contracts.words.has(Meaning::Singleton, last)
        })
    }

    /// The class's own code makes the one instance, and keeps it: `Pool.shared = Pool.shared ?? new this()`.
    fn made_once(&self, class: In<ClassId>) -> Option<Location> {
        let sites = self.constructions(class);
        let own = |site: &In<CallId>| self.class_of(self.function_of(*site)) == Some(class);
        let guard = |site: &In<CallId>| {
            let mut guards = self.guards(*site).into_iter();
            guards.find(|guard| self.place_lifetime(guard.place).born == Some(Rate::Once))
        };
        let first = sites.iter().find(|site| own(site))?;
        let found = guard(first)?;
        sites.iter().all(|site| guard(site).is_some()).then(|| self.at(first.file, found.span))
    }

    /// The class itself is exported, not just one instance of it.
    fn has_public_constructor(&self, class: In<ClassId>) -> bool {
        let instance_only = self
            .exports_of(class.file)
            .iter()
            .any(|(_, origins)| origins.iter().any(|origin| matches!(origin, super::Origin::New(_, c) if *c == class)));
        !instance_only
            || self.exports_of(class.file).iter().any(|(_, origins)| origins.contains(&super::Origin::Class(class)))
    }

    /// The calls that make instances of a class itself.
    pub fn constructions(&self, class: In<ClassId>) -> Vec<In<CallId>> {
        let mut found: Vec<In<CallId>> = Vec::new();
        for value in self.class_references(class).iter() {
            for access in self.index(value.file).accesses(value.id) {
                if let super::AccessKind::Called { call } = access.kind
                    && (self.call(value.with(call)).is_new || self.is_native(class.file))
                {
                    found.push(value.with(call));
                }
            }
        }
        found.extend(self.makes_of_itself(class));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// `new this()` in a static method.
    fn makes_of_itself(&self, class: In<ClassId>) -> impl Iterator<Item = In<CallId>> {
        let summary = self.summary(class.file);
        let calls = summary.calls.iter().enumerate().filter(move |(_, call)| {
            call.is_new
                && matches!(summary.value(call.callee), Value::This(_))
                && self.origin(class.with(call.callee)) == Origin::Class(class)
        });
        calls.map(move |(at, _)| class.with(CallId(at as u32)))
    }
}
