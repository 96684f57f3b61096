//! listener-outlives-handler: a listener on an emitter that outlives what the listener serves, and that nothing removes.

use super::abort_listener_left::is_on_callers_signal;
use super::listener_added_again::again;
use super::removal_never_matches;
use super::support::listeners::{self, Listener};
use super::support::mend::listener::removed_in;
use super::support::programs::{answers_endlessly, is_of_platform, is_of_upgrade, is_stdin, only_users};
use crate::finding::{Applicability, Confidence, Finding, StepKind, TraceStep};
use crate::model::contract::Runs;
use crate::model::{BindingId, CallId, ClassId, Exit, Flow, Function, FunctionId, FunctionKind, In, Rate, Value, ValueId};
use crate::project::{Access, AccessKind, Event, Likeness, Origin, Project, RateAnswer, Removal, Root};
use crate::model::words::Meaning;
use crate::text::{FileId, Span};

/// Finds listeners that stay on an emitter which lives longer than they should.
pub fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for listener in listeners::all(project) {
        if let Some(outlived) = process_long(&listener)
            .or_else(|| by_type(&listener))
            .or_else(|| injected(&listener))
            .or_else(|| unpaired(&listener))
            .or_else(|| latent(&listener))
            && is_left(&listener)
        {
            findings.push(report(&listener, outlived));
        }
    }
}

/// Nothing takes it back, and no other rule has more to say about it.
fn is_left(listener: &Listener<'_, '_>) -> bool {
    !listener.ends_by_itself()
        && !listener.is_checked()
        && !listener.is_made_before()
        && !listener.emitter_is_ended_in(&[listener.function()], true)
        && listener.removals().is_empty()
        && !is_on_callers_signal(listener)
        && removal_never_matches::missed(listener).is_none()
        && again(listener).is_none()
}

/// Why the emitter outlives what the listener serves.
struct Outlived {
    confidence: Confidence,
    hold: String,
    repeat: String,
    trace: Vec<TraceStep>,
    /// Where to take it back.
    end: Option<String>,
}

/// The emitter lives as long as the process, and the listener is added for each instance, call or event.
fn process_long(listener: &Listener<'_, '_>) -> Option<Outlived> {
    let project = listener.project;
    let life = project.lifetime(listener.on());
    if !life.is_process() || listener.is_on_receiver() {
        return None;
    }
    let mut rate = listener.rate();
    if rate.rate == Some(Rate::Once)
        && !listener.is_on_local()
        && !listener.waits_for_itself()
        && !listener.is_of_each_event()
        && !listener.is_on_receiver_or_below()
        && let Some(step) = listener.called_from_many()
    {
        rate = RateAnswer { rate: Some(Rate::PerCall), why: vec![step], ..RateAnswer::default() };
    }
    let times = rate.rate.filter(|rate| *rate > Rate::Once)?;
    let end = listener.disposal().map(|end| listener.project.function(end).name.to_string());
    let confidence = match times {
        _ if listener.is_in_ending() || listener.serves_callback() => Confidence::Low,
        // Who reads the input of the program reads it once.
        _ if is_stdin(project, listener.on()) && only_users(project, &rate, listener.function()) => Confidence::Low,
        // The package's own emitter, and nothing in the package repeats it: the program is put together once.
        _ if only_users(project, &rate, listener.function())
            && !is_of_platform(project, listener.on())
            && (times != Rate::PerInstance || !listener.is_made_by_users() || listener.is_part_of_a_start()) =>
        {
            Confidence::Low
        }
        _ if only_users(project, &rate, listener.function()) && !is_of_platform(project, listener.on()) => Confidence::Medium,
        // Whoever takes another listener back there knows that the emitter goes on.
        _ if takes_back_another(listener) => Confidence::Medium,
        Rate::PerCall | Rate::PerInstance if listener.is_started_once() => Confidence::Low,
        // A part of a program, which is started once: nobody outside can call it, and nobody inside is seen to repeat it.
        Rate::PerCall | Rate::PerInstance if rate.is_offered && end.is_none() => Confidence::Low,
        Rate::PerInstance if end.is_none() && listener.is_called_by_constructor() => Confidence::Low,
        Rate::PerInstance if end.is_none() => Confidence::Medium,
        _ if end.is_none() && (listener.is_part_of_a_start() || listener.exits_process()) => Confidence::Low,
        // A program does so once, whatever else could call it: all the more in a part that only the program makes, or of
        // which there is one, and where the end of the program is what it listens for.
        _ if listener.is_part_of_a_start() && (!listener.is_made_by_users() || listener.is_of_process()) => Confidence::Low,
        // Who may call it as often as they like are told by its name that once is enough.
        Rate::PerCall if end.is_none() && listener.is_part_of_a_start() => Confidence::Low,
        _ if listener.is_part_of_a_start() || listener.exits_process() => Confidence::Medium,
        // How often users of a package call what it exports is theirs to say: a program that forks does so once.
        Rate::PerCall if end.is_none() && listener.is_left_to_users() => Confidence::Low,
        // Who subscribes to a channel is often one of a kind, made by a program that does not show it.
        _ if !listener.is_of_event() => Confidence::Medium,
        Rate::PerEvent => Confidence::High,
        Rate::PerInstance if end.is_some() => Confidence::High,
        _ => Confidence::Medium,
    };
    Some(Outlived {
        confidence,
        hold: format!("{} lives as long as the process", listener.on_text()),
        repeat: repeat(listener, &rate, times),
        trace: life.why.into_iter().filter(|step| step.at.span != Span::default()).chain(rate.why).collect(),
        end,
    })
}

/// A handler adds this listener where it takes another one back from the same emitter: at the end of what that served.
fn takes_back_another(listener: &Listener<'_, '_>) -> bool {
    let project = listener.project;
    let function = listener.function();
    let later = project.passed_to(function).iter().any(|passed| passed.handed.runs != Some(Runs::Sync));
    let another = |removal: &Removal| {
        let same = removal.on.is_some_and(|on| project.objects(on, listener.on()) == Likeness::Same);
        removal.function == function && removal.handler.is_some() && same
    };
    later && project.registry().removals_in(function.file).any(another)
}

fn repeat(listener: &Listener<'_, '_>, rate: &RateAnswer, times: Rate) -> String {
    let function = listener.project.function_name(listener.function());
    let because = rate.because();
    let times = match times {
        Rate::Once => "once",
        Rate::PerInstance => "for each instance",
        Rate::PerCall => "for each call",
        Rate::PerEvent => "for each event",
    };
    if because.is_empty() { format!("{function} runs {times}") } else { because }
}

/// Things of its type live longer than what hands them over: the keep-alive socket of a request, and its server.
fn by_type(listener: &Listener<'_, '_>) -> Option<Outlived> {
    let project = listener.project;
    let noun = listener.longer_lived(listener.on(), 0)?;
    let once = project.call_rate(listener.add.call).rate == Some(Rate::Once);
    // Before its construction ends, a response has no socket but the one that it gives itself.
    let own = project.is_constructor(listener.function()) && listener.is_on_receiver_or_below();
    // Who takes a socket over ends it, and with it the listeners.
    let class = project.enclosing_class(listener.function());
    let ended = class.is_some_and(|class| listener.emitter_is_ended_in(&project.methods(class), false));
    let endless = || answers_endlessly(project, listener.on(), listener.function()) || is_of_upgrade(project, listener.function());
    (!once && !own && !ended && !listener.is_on_local() && !endless()).then(|| Outlived {
        confidence: Confidence::High,
        hold: format!("{} is {} and outlives the request", listener.on_text(), noun),
        repeat: format!("{} runs for each request", project.function_name(listener.function())),
        trace: Vec::new(),
        end: None,
    })
}

/// The caller's emitter, kept by instances of a class which has an end that forgets the listener.
fn injected(listener: &Listener<'_, '_>) -> Option<Outlived> {
    let project = listener.project;
    let method = listener.method()?;
    let class = project.class_of(method)?;
    let given = listener.given_by(method)?;
    let end = listener.disposal().map(|end| listener.project.function(end).name.to_string());
    let own = project.methods(class);
    let ended = listener.emitter_is_ended_in(&own, !given.or_made);
    if ended && !given.or_made || listener.emitter_is_ended_in(&own, true) {
        return None;
    }
    if project.instances(class).rate == Some(Rate::Once) {
        return None;
    }
    let shared = listener.shared_by_makers(class, given.parameter);
    let known = given.or_made && listener.is_ended_if_owned(&own)
        || given.depth > 1
        || listener.forgotten_sibling(&own, given.value)
        || shared.is_some();
    // What comes at the end of the emitter comes late anyway; that there are many instances for one says nothing else here.
    let last = listener.event().is_some_and(|event| event == "error" || listeners::ends_object(project, event));
    let confidence = match (known, &end, &shared) {
        (true, Some(_), None) => Confidence::Medium,
        (true, _, Some(_)) if !last => Confidence::Medium,
        _ => Confidence::Low,
    };
    Some(Outlived {
        confidence,
        hold: format!("{} belongs to the caller and outlives the instance", listener.on_text()),
        repeat: format!("each `{}` adds one", project.class(class).name),
        trace: shared.into_iter().collect(),
        end,
    })
}

/// How an emitter came from the one who makes an instance.
struct Given {
    /// The constructor's parameter.
    parameter: In<BindingId>,
    /// The emitter, as the constructor or its helper's caller writes it.
    value: In<ValueId>,
    /// It is this many properties below the parameter.
    depth: u32,
    /// It may also have been made here, where none was given: then the instance ends it only in that case.
    or_made: bool,
}

/// `subscribe(client)` adds, `unsubscribe(client)` does not remove.
fn unpaired(listener: &Listener<'_, '_>) -> Option<Outlived> {
    let project = listener.project;
    let function = project.named_around(listener.function())?;
    let Origin::Parameter(emitter) = project.origin(listener.on()) else { return None };
    if emitter.file != function.file || project.binding(emitter).function != function.id {
        return None;
    }
    let name = project.function(function).name.to_ascii_lowercase();
    let summary = project.summary(function.file);
    let mut others = summary.functions.iter().filter(|other| other.parent == project.function(function).parent);
    let inverse = others.find(|other| {
        if ends_first_parameter(project, function.file, other) {
            return false;
        }
        let other_name = other.name.to_ascii_lowercase();
        let shares =
            other.parameters.first().is_some_and(|p| summary.binding(*p).name == project.binding(emitter).name);
        shares && INVERSE.iter().any(|(does, undoes)| name.contains(does) && name.replace(does, undoes) == other_name)
    })?;
    Some(Outlived {
        confidence: Confidence::Medium,
        hold: format!("{} belongs to the caller", listener.on_text()),
        repeat: format!(
            "each call of `{}` adds one, and `{}` removes none",
            project.function(function).name,
            inverse.name
        ),
        trace: Vec::new(),
        end: Some(inverse.name.to_string()),
    })
}

/// `remove(client)` closes the client, or takes back all that listens to it.
fn ends_first_parameter(project: &Project<'_>, file: FileId, function: &Function) -> bool {
    let Some(first) = function.parameters.first() else { return false };
    let summary = project.summary(file);
    summary.calls.iter().enumerate().any(|(at, call)| match summary.value(call.callee) {
        Value::Member(object, name) => {
            let all = || {
                let removes = project.api(In::new(file, CallId(at as u32))).and_then(|api| api.removes.as_ref());
                removes.is_some_and(|removes| removes.all)
            };
            matches!(summary.value(*object), Value::Binding(b) if b == first)
                && (listeners::ends_object(project, name) || all())
        }
        _ => false,
    })
}

/// The caller's emitter in a plain function: how often that is called with one emitter is not known.
fn latent(listener: &Listener<'_, '_>) -> Option<Outlived> {
    let project = listener.project;
    let Origin::Parameter(emitter) = project.origin(listener.on()) else { return None };
    let function = emitter.with(project.binding(emitter).function);
    let handed = project.passed_to(function).iter().any(|passed| passed.handed.runs.is_some());
    (!handed && project.class_of(function).is_none()).then(|| Outlived {
        confidence: Confidence::Low,
        hold: format!("{} belongs to the caller, and how long it lives is not known", listener.on_text()),
        repeat: format!("each call of {} adds one", project.function_name(function)),
        trace: Vec::new(),
        end: None,
    })
}

/// What a name becomes when the thing is taken back.
const INVERSE: [(&str, &str); 8] = [
    ("subscribe", "unsubscribe"),
    ("watch", "unwatch"),
    ("attach", "detach"),
    ("listen", "unlisten"),
    ("bind", "unbind"),
    ("register", "unregister"),
    ("add", "remove"),
    ("observe", "unobserve"),
];

fn report(listener: &Listener<'_, '_>, outlived: Outlived) -> Finding {
    let message = format!("{} on {} is never removed", listener.event_text(), listener.on_text());
    let once = if listener.add.once { "; `once` removes it only when the event comes" } else { "" };
    let place = outlived.end.map_or_else(|| "where its work ends".to_owned(), |end| format!("in `{end}`"));
    let mut finding = listener
        .finding("listener-outlives-handler", outlived.confidence, message)
        .with_why(format!("{}; {}; nothing takes it back{once}", outlived.repeat, outlived.hold))
        .with_help(listener.removal_help(&place))
        .with_step(StepKind::Grow, listener.at(), format!("the {} is added here", listener.add.kind));
    finding.trace.extend(outlived.trace);
    match listener.disposal().and_then(|ending| removed_in(listener, ending)) {
        Some((title, edits)) => finding.with_fix(title, Applicability::Unsafe, edits),
        None => finding,
    }
}

impl Listener<'_, '_> {
    /// It waits for signals or failures of the process, in code that something else than a constructor runs.
    fn is_of_process(&self) -> bool {
        let Some(event) = self.event() else { return false };
        let told = event.starts_with("SIG") || event.starts_with("uncaught") || event.starts_with("unhandled");
        told && !self.project.is_constructor(self.function())
    }

    /// The function that adds it is no method, and nobody inside the project is seen to run it, but for code that loads once.
    fn is_left_to_users(&self) -> bool {
        let project = self.project;
        let function = self.function();
        let by_users = project.class_of(function).is_none() && project.enclosing_class(function).is_none();
        let at_start = |call: In<CallId>| project.call_rate(call).rate == Some(Rate::Once);
        by_users
            && !self.is_made_for_many()
            && project.callers(function).iter().all(|caller| at_start(caller.call))
            && project.passed_to(function).is_empty()
    }

    /// The function does something for its caller, or makes something that is the caller's: that is asked for many times.
    fn is_made_for_many(&self) -> bool {
        let project = self.project;
        let function = project.function(self.function());
        let itself = Origin::Function(self.function());
        let mut makes = function.is_async;
        function.flow.walk(&mut |flow| {
            if let Flow::Exit(Exit::Return(Some(value)), _) = flow {
                let origin = project.origin(self.function().with(*value));
                makes |= origin != itself && matches!(origin, Origin::Object(_) | Origin::Function(_) | Origin::New(..));
            }
        });
        makes
    }

    /// Users of the package make the objects whose code this is, as many as they like.
    fn is_made_by_users(&self) -> bool {
        let class = self.method().and_then(|method| self.project.class_of(method));
        class.is_some_and(|class| {
            self.project.is_public_class(class) && self.project.instances(class).rate > Some(Rate::Once)
        })
    }

    /// How often the call happens: a loop that has another event in each turn adds one for each event, and a handler that
    /// takes itself back runs once.
    fn rate(&self) -> RateAnswer {
        let project = self.project;
        let function = self.function();
        let rate = if self.is_of_each_event() { project.rate(function) } else { project.call_rate(self.add.call) };
        let passed = project.passed_to(function);
        let registry = project.registry();
        let mut adds = passed
            .iter()
            .flat_map(|passed| registry.adds_in(passed.call.file).filter(move |add| add.call == passed.call))
            .peekable();
        let is_handler = adds.peek().is_some();
        if rate.rate == Some(Rate::PerEvent) && is_handler && adds.all(|add| self.removes_itself(function, add)) {
            return RateAnswer { rate: Some(Rate::Once), ..RateAnswer::default() };
        }
        rate
    }

    /// A loop over the events that there are.
    fn is_of_each_event(&self) -> bool {
        matches!(self.add.event, Event::Value(_)) && self.project.loop_around(self.add.call).is_some()
    }

    /// All that users can call to get here starts a program or server, by its name.
    fn is_started_once(&self) -> bool {
        let project = self.project;
        let driven = project.drive(self.function());
        let words = &project.contracts.words;
        let starts = |function: &In<FunctionId>| words.any(Meaning::Booting, &project.function(*function).name);
        !driven.by_events() && !driven.public.is_empty() && driven.public.iter().all(starts)
    }

    /// `if (full) stream.once('drain', write)` in `write`: the listener calls the function that adds it, and is the only one.
    fn waits_for_itself(&self) -> bool {
        let own = self.function();
        self.add.once && self.add.handler.is_some_and(|handler| self.project.functions_in(handler).contains(&own))
    }

    /// Several places of the project call the function around, none of them behind a guard.
    fn called_from_many(&self) -> Option<TraceStep> {
        let project = self.project;
        let named = project.named_around(self.function())?;
        let callers = project.callers(named);
        let calls = callers.iter().filter(|caller| !caller.weak && !project.is_once_guarded(caller.call));
        // What several files do as they are loaded, each does for itself, be it in a process of its own.
        let mut calls = calls.filter(|caller| {
            let loads = |call| project.call(call).function == FunctionId::MODULE;
            !loads(caller.call) || callers.iter().any(|c| c.call.file == caller.call.file && c.call != caller.call)
        });
        let (_, second) = (calls.next()?, calls.next()?);
        (!project.is_once_guarded(self.add.call)).then(|| TraceStep {
            kind: StepKind::Repeat,
            at: project.locate(second.call),
            message: format!("{} is called from several places", project.function_name(named)),
        })
    }
    /// What a value is that outlives the thing through which it was reached, by its type or that of what it belongs to.
    fn longer_lived(&self, value: In<ValueId>, depth: u32) -> Option<String> {
        let project = self.project;
        if depth > 4 {
            return None;
        }
        if let Some(ty) = project.ty(value).filter(|ty| ty.lifetime == Some(Rate::PerInstance) && ty.collectable) {
            return Some(format!("a {}", ty.noun));
        }
        match (project.value(value), project.origin(value)) {
            (Value::Member(object, name), _) => {
                self.longer_lived(value.with(*object), depth + 1).map(|of| format!("the {name} of {of}"))
            }
            (_, Origin::Part(part)) if part != value => self.longer_lived(part, depth + 1),
            (_, Origin::Parameter(binding)) => {
                let arguments = project.arguments_of(binding);
                arguments.into_iter().find_map(|argument| self.longer_lived(argument, depth + 1))
            }
            _ => None,
        }
    }

    /// The constructor's parameter that an emitter is, or is reached through; also by way of a field.
    fn given_by(&self, method: In<FunctionId>) -> Option<Given> {
        let project = self.project;
        let (mut value, mut depth) = (self.on(), 0);
        let (mut first, mut part) = (None, None);
        for _ in 0..8 {
            if let Origin::Parameter(binding) = project.origin(value)
                && !project.is_constructor(binding.with(project.binding(binding).function))
            {
                // A local helper: what it is called with.
                value = project.arguments_of(binding).into_iter().next_back()?;
            }
            first = first.or(Some(value));
            let origins = project.origins(value);
            let parameter = origins.iter().find_map(|origin| match origin {
                Origin::Parameter(binding) => {
                    let function = binding.with(project.binding(*binding).function);
                    let constructs =
                        project.class_of(function) == project.class_of(method) && project.is_constructor(function);
                    constructs.then_some(*binding)
                }
                _ => None,
            });
            if let Some(parameter) = parameter {
                let or_made = depth == 0
                    && origins.iter().any(|o| matches!(o, Origin::New(..) | Origin::Result(_) | Origin::Resolved(_)));
                return Some(Given { parameter, value: first.unwrap_or(value), depth, or_made });
            }
            // `{ retries: 3, ...options }`: the part is that of the options.
            if let Some(from) = part.take().and_then(|part| project.copied_into(value, part).first().copied()) {
                value = from;
                continue;
            }
            let inner = match project.value(value) {
                Value::Member(object, name) => {
                    part = Some(*name);
                    value.with(*object)
                }
                _ => origins.iter().find_map(|origin| match origin {
                    Origin::Part(part) if *part != value => Some(*part),
                    _ => None,
                })?,
            };
            depth += u32::from(matches!(project.value(value), Value::Member(..)));
            value = inner;
        }
        None
    }

    /// Those who make instances hand over what they keep themselves: one emitter for many.
    fn shared_by_makers(&self, class: In<ClassId>, parameter: In<BindingId>) -> Option<TraceStep> {
        let project = self.project;
        let index = project.parameter_index(parameter)?;
        project.constructions(class).into_iter().find_map(|site| {
            let maker = project.function_of(site);
            let argument = project.argument(site, index)?;
            let kept = project.origins(argument).iter().any(|origin| match origin {
                Origin::This(_) => true,
                Origin::Part(part) => self.is_receivers(*part),
                _ => self.is_receivers(argument),
            });
            let repeats = project.function(maker).kind != FunctionKind::Module
                && !project.is_constructor(maker)
                && project.call_rate(site).rate != Some(Rate::Once)
                && !project.is_once_guarded(site);
            // One that is kept in a field or at module level replaces the one before it: there are not many.
            let stored = |access: &Access| match access.kind {
                AccessKind::Stored { place } => {
                    project.place(access.of(place)).is_none_or(|place| !matches!(place.root, Root::Variable(_)))
                        || project.lifetime(access.of(place)).is_process()
                }
                _ => false,
            };
            let one = project.result(site).is_some_and(|result| project.uses(result).iter().any(stored));
            (kept && repeats && !one && !self.is_made_in(maker, argument)).then(|| TraceStep {
                kind: StepKind::Repeat,
                at: project.locate(site),
                message: format!("{} makes instances and hands its own over", project.function_name(maker)),
            })
        })
    }

    /// The maker has just made what it hands over: `this.socket = connect(); new Peer(this.socket)`.
    fn is_made_in(&self, maker: In<FunctionId>, value: In<ValueId>) -> bool {
        let project = self.project;
        let Some(place) = project.place(value) else { return false };
        project.accesses(place).iter().any(|access| {
            matches!(access.kind, AccessKind::Assigned { value, .. } if matches!(project.value(access.of(value)), Value::Result(_)))
                && access.file == maker.file
                && access.function == maker.id
        })
    }

    /// `this.client`, `self.connection.socket`.
    fn is_receivers(&self, mut value: In<ValueId>) -> bool {
        while let Value::Member(object, _) = self.project.value(value) {
            value = value.with(*object);
        }
        let origins = self.project.origins(value);
        origins.iter().any(|origin| matches!(origin, Origin::This(_)))
    }

    /// Another listener on the same emitter is removed by the class: this one was forgotten.
    fn forgotten_sibling(&self, own: &[In<FunctionId>], emitter: In<ValueId>) -> bool {
        let project = self.project;
        let end = self.disposal();
        project.registry().removals.iter().any(|removal| {
            let at_end = end.is_some_and(|end| project.leads_to(end, removal.function));
            let within = at_end && own.iter().any(|f| {
                f.file == removal.function.file && project.summary(f.file).is_inside(removal.function.id, f.id)
            });
            within && removal.on.is_some_and(|on| project.objects(on, emitter) == Likeness::Same)
        })
    }
}
