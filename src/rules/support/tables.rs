//! Which removals keep up with what makes a collection grow, and how long the collection lives: the first law for tables.

pub mod answered;
pub mod inside;
pub mod keys;
pub mod left;
pub mod waits;

use crate::model::words::Meaning;
use crate::model::{CallId, ClassId, Cond, Flow, FunctionId, In, Literal, Rate, Step, Value, ValueId};
use crate::project::{Access, AccessKind, Drive, Gone, Growth, Lifetime, Origin, Owner, Project, Root, Shrink, Table};
use crate::text::{FileId, Span};
use keys::{is_few_key, is_own_property};

/// How long a table lives, as far as rules weigh it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// As long as the process.
    Process,
    /// As long as an instance of a class.
    Instance(In<ClassId>),
    /// As long as the closures of one run of a function.
    Closure(In<FunctionId>),
}

/// Why a removal does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Useless {
    /// It empties the table when its owner's life ends.
    AtTheEnd,
    /// Only users of the package can ask for it, and nothing tells them to.
    OptIn,
    /// It makes room for the same key only.
    SameKey,
    /// It runs only where the operation failed.
    OnFailure,
    /// It runs once, at the start.
    AtStart,
    /// It takes out what is answered; what waits when the connection ends stays.
    OnAnswer,
    /// It takes out what is cancelled; a timer that fires by itself stays.
    OnCancel,
}

/// How long a table lives; none for what dies with a call, or where nothing tells.
pub fn life(project: &Project<'_>, table: &Table) -> Option<(Life, Lifetime)> {
    let lifetime = project.place_lifetime(table.place);
    let local = match table.place.root {
        Root::Variable(variable) => Some(variable.with(project.binding(variable).function)),
        _ => None,
    };
    let local = local.filter(|function| function.id != FunctionId::MODULE);
    let life = match (lifetime.owner, table.place.root) {
        // An object that is part of an instance from its construction on.
        (Owner::Call(function), Root::Object(..)) if project.is_constructor(function) => {
            Life::Instance(project.enclosing_class(function)?)
        }
        _ if local.is_none() && lifetime.is_process() && !matches!(table.place.root, Root::Field(..)) => Life::Process,
        (Owner::Instance(class), _) => Life::Instance(class),
        (_, Root::Variable(variable)) => Life::Closure(variable.with(project.binding(variable).function)),
        (_, Root::Property(function, _)) => Life::Closure(function),
        (Owner::Call(function), _) => Life::Closure(function),
        _ => return None,
    };
    Some((life, lifetime))
}

/// Why a removal does not keep up with a growth; none where it does, or may.
pub fn useless(project: &Project<'_>, life: Life, growth: &Growth, driven: &Drive, shrink: &Shrink) -> Option<Useless> {
    if shrink.at.file == growth.at.file && is_inside(project, shrink.function, growth.function) {
        return within(project, growth, shrink);
    }
    let led = project.drive(shrink.function);
    if led.through.contains(&growth.function) || led.by_events() || !led.later.is_empty() {
        return None;
    }
    // Emptied to be filled anew.
    if shrink.what == Gone::All && driven.through.contains(&shrink.function) {
        return None;
    }
    let ends = led.through.iter().any(|function| project.is_disposal(*function));
    if led.public.is_empty() {
        return (shrink.function.id == FunctionId::MODULE).then_some(Useless::AtStart);
    }
    match (shrink.what, life) {
        (Gone::All, _) if ends => Some(Useless::AtTheEnd),
        // What can be emptied is a cache; what registers itself is not meant to be forgotten all at once.
        (Gone::All, Life::Process) => registers_itself(project, growth).then_some(Useless::OptIn),
        (Gone::Entry(_) | Gone::Some, _)
            if (growth.key.is_none_or(|key| growth.value == Some(key)) || is_own_property(project, growth))
                && registers_itself(project, growth) =>
        {
            // `done()`: who reports with an object of this kind reports its end as well.
            let ended = led
                .through
                .iter()
                .any(|function| project.contracts.words.has(Meaning::Answering, &project.function(*function).name));
            (!ended).then_some(Useless::OptIn)
        }
        (Gone::Some, Life::Process) if shrink.from_loop => Some(Useless::OptIn),
        _ => None,
    }
}

/// A removal in the function that also puts in, or in a callback of it.
fn within(project: &Project<'_>, growth: &Growth, shrink: &Shrink) -> Option<Useless> {
    let same_key = match (shrink.what, growth.key.or(growth.value)) {
        (Gone::Entry(gone), Some(key)) => gone == key,
        _ => false,
    };
    if shrink.function == growth.function && same_key && shrink.at.span.start < growth.at.span.start {
        return (!excludes(project, growth, shrink)).then_some(Useless::SameKey);
    }
    let handed = project.passed_to(shrink.function);
    let failed = shrink.function != growth.function
        && !handed.is_empty()
        && project.callers(shrink.function).is_empty()
        && handed.iter().all(|passed| {
            let caught = project.method_name(passed.call).is_some_and(|name| name == "catch");
            caught || passed.handed.event.is_some_and(|event| event == "error")
        });
    (same_key && failed).then_some(Useless::OnFailure)
}

/// Whether a step of that range is in a piece of flow.
fn holds(project: &Project<'_>, file: FileId, flow: &Flow, span: Span) -> bool {
    let mut found = false;
    flow.walk(&mut |part| {
        found |= match part {
            Flow::Step(Step::Call(call)) => project.call(In::new(file, *call)).span == span,
            Flow::Step(Step::Assign(assign)) => assign.span == span,
            Flow::Step(Step::Delete { span: own, .. }) => *own == span,
            _ => false,
        };
    });
    found
}

/// Whether a removal and a growth stand on the two sides of one condition.
pub fn excludes(project: &Project<'_>, growth: &Growth, shrink: &Shrink) -> bool {
    let holds = |flow: &Flow, span: Span| holds(project, growth.function.file, flow, span);
    if growth.function.file != growth.at.file {
        return false;
    }
    let mut found = false;
    project.function(growth.function).flow.walk(&mut |part| {
        if let Flow::Branch { then, otherwise, .. } = part {
            let (a, b) = (growth.at.span, shrink.at.span);
            found |= holds(then, a) && holds(otherwise, b) || holds(then, b) && holds(otherwise, a);
        }
    });
    found
}

/// Whether a function is another, or written inside it.
pub fn is_inside(project: &Project<'_>, inner: In<FunctionId>, outer: In<FunctionId>) -> bool {
    inner.file == outer.file && project.summary(inner.file).is_inside(inner.id, outer.id)
}

/// `instances.push(this)` in a constructor, or what a factory makes and gives back.
pub fn registers_itself(project: &Project<'_>, growth: &Growth) -> bool {
    let Some(value) = growth.value.or(growth.key) else { return false };
    match project.origin(value) {
        Origin::This(_) | Origin::Receiver(_) => true,
        Origin::Function(made) => {
            made != growth.function && is_inside(project, made, growth.function) && is_returned(project, growth, value)
        }
        Origin::New(call, _) | Origin::Result(call) => {
            project.function_of(call) == growth.function && is_returned(project, growth, value)
        }
        _ => false,
    }
}

fn is_returned(project: &Project<'_>, growth: &Growth, value: In<ValueId>) -> bool {
    project.uses(value).iter().any(|access| access.kind == AccessKind::Returned && access.function() == growth.function)
}

/// Whether the code that puts in is itself what an event runs, not something far behind it; and the event, by its name, is
/// one that comes again and again.
pub fn is_in_event(project: &Project<'_>, growth: &Growth, driven: &Drive) -> bool {
    let often = |handler: &In<FunctionId>| {
        let passed = project.passed_to(*handler);
        let mut events = passed.iter().filter_map(|passed| passed.handed.event).peekable();
        events.peek().is_none() || events.any(|event| comes_often(project, &event))
    };
    driven.events.iter().any(|handler| is_inside(project, growth.function, *handler) && often(handler))
}

/// Paths of requests, and events of emitters whose last word says that there are many.
fn comes_often(project: &Project<'_>, event: &str) -> bool {
    event.contains('/') || project.contracts.words.last(Meaning::Often, event)
}

/// Whether a function runs when its owner starts, and not because of events.
pub fn is_start(project: &Project<'_>, driven: &Drive) -> bool {
    let starts = |function: &In<FunctionId>| {
        project.contracts.words.either_end(Meaning::Start, &project.function(*function).name)
    };
    !driven.by_events() && !driven.public.is_empty() && driven.public.iter().all(starts)
}

/// Whether instances of a class are meant to live long: they have events or a life that somebody ends, or belong to
/// something that has.
pub fn lives_long(project: &Project<'_>, class: In<ClassId>) -> bool {
    lives_long_in(project, class, 0)
}

fn lives_long_in(project: &Project<'_>, class: In<ClassId>, depth: u32) -> bool {
    // A stream is one transfer.
    let stream = project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "stream"));
    if stream {
        return false;
    }
    let ends = |class: In<ClassId>| {
        project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "emitter"))
            || project.methods(class).iter().any(|method| project.is_disposal(*method))
    };
    let rate = project.instances(class).rate;
    if rate >= Some(Rate::PerEvent) && !project.is_public_class(class) {
        return false;
    }
    if rate == Some(Rate::Once) {
        return true;
    }
    let classes = || std::iter::once(class).chain(project.bases(class));
    classes().any(ends)
        || depth < 3
            && project.constructions(class).iter().any(|call| {
                let Some(result) = project.result(*call) else { return false };
                let stored = |access: &Access| match access.kind {
                    AccessKind::Stored { place } => project.place(access.of(place)),
                    _ => None,
                };
                project.uses(result).iter().filter_map(stored).any(|place| match place.root {
                    Root::Field(owner, _) => owner != class && lives_long_in(project, owner, depth + 1),
                    _ => false,
                })
            })
}

/// Whether the project itself makes instances of a class again and again: each stands for one thing of many, and what it
/// keeps is what is known of that.
pub fn is_one_of_many(project: &Project<'_>, class: In<ClassId>) -> bool {
    is_one_of_many_in(project, class, 0)
}

fn is_one_of_many_in(project: &Project<'_>, class: In<ClassId>, depth: u32) -> bool {
    let starts = |function: In<FunctionId>| {
        let name = project.function(function).name;
        project.is_constructor(function) || project.contracts.words.first(Meaning::Start, &name)
    };
    // What a function makes for its caller is the caller's.
    let given = |call: In<CallId>| {
        project
            .result(call)
            .is_some_and(|made| project.uses(made).iter().any(|access| access.kind == AccessKind::Returned))
    };
    // A part of what there are many of.
    let part = |call: In<CallId>| {
        let maker = project.function_of(call);
        let whole = project.class_of(maker).filter(|whole| *whole != class && project.is_constructor(maker));
        depth < 3 && whole.is_some_and(|whole| is_one_of_many_in(project, whole, depth + 1))
    };
    // What events make the package ask for, it has many of, whoever else may ask.
    let asked = |call: In<CallId>| depth < 3 && given(call) && project.drive(project.function_of(call)).by_events();
    project.constructions(class).into_iter().any(|call| {
        project.call_rate(call).rate >= Some(Rate::PerCall) && !starts(project.function_of(call)) && !given(call)
            || part(call)
            || asked(call)
    })
}

/// Whether instances of a class have a life of their own at all: they start or end.
pub fn has_life(project: &Project<'_>, class: In<ClassId>) -> bool {
    let starts = |method: &In<FunctionId>| project.contracts.words.has(Meaning::Start, &project.function(*method).name);
    lives_long(project, class) || project.methods(class).iter().any(starts)
}

/// Whether a table is still the same one when a growth runs again: it is not made anew each time, and its function's run
/// is not its whole life.
pub fn outlives(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> bool {
    let reborn = table.made.iter().any(|made| {
        let before = made.function() == growth.function && made.span.start < growth.at.span.start;
        before && is_unconditional(project, table, made)
    });
    if reborn || growth.function.id == FunctionId::MODULE {
        return false;
    }
    match life {
        Life::Process => true,
        Life::Instance(class) => !project.constructors(class).contains(&growth.function),
        Life::Closure(function) => {
            is_inside(project, growth.function, function)
                && growth.function != function
                && !project.drive_apart(growth.function, Some(function)).public.is_empty()
        }
    }
}

/// An assignment that happens whenever its function runs, and not only where there was nothing before.
fn is_unconditional(project: &Project<'_>, table: &Table, made: &Access) -> bool {
    let AccessKind::Assigned { value, only_if_empty, .. } = made.kind else { return false };
    let keeps = match project.value(made.of(value)) {
        Value::Choice(parts) => parts.iter().any(|part| project.place(made.of(*part)) == Some(table.place)),
        _ => false,
    };
    let mut guarded = false;
    project.function(made.function()).flow.walk(&mut |part| {
        if let Flow::Branch { then, otherwise, .. } = part {
            guarded |= holds(project, made.file, then, made.span) || holds(project, made.file, otherwise, made.span);
        }
    });
    !only_if_empty && !keeps && !guarded
}

/// `if (table[key]) table[key] = …`: only what is there already is set anew.
fn is_there(project: &Project<'_>, table: &Table, growth: &Growth, asked: In<ValueId>) -> bool {
    let of = |list: In<ValueId>, key: In<ValueId>| growth.key == Some(key) && project.place(list) == Some(table.place);
    match project.value(asked) {
        Value::Index(list, key) => of(asked.with(*list), asked.with(*key)),
        Value::Result(call) => {
            let call = asked.with(*call);
            let looks = project.method_name(call).is_some_and(|name| matches!(name.as_str(), "has" | "get"));
            let (list, key) = (project.receiver(call), project.argument(call, 0));
            looks && list.zip(key).is_some_and(|(list, key)| of(list, key))
        }
        _ => false,
    }
}

/// Whether a growth stands behind a switch that is off unless somebody turns it on, or behind a limit.
pub fn is_held_back(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let file = growth.function.file;
    if file != growth.at.file {
        return false;
    }
    let off = |value: ValueId| {
        let Some(place) = project.place(In::new(file, value)) else { return false };
        let process = project.place_lifetime(place).is_process();
        let accesses = project.accesses(place);
        let mut given = accesses.iter().filter_map(|access| match access.kind {
            AccessKind::Assigned { value, .. } => Some(access.of(value)),
            _ => None,
        });
        process && given.any(|value| matches!(project.value(value), Value::Literal(Literal::Bool(false))))
    };
    let mut found = false;
    project.function(growth.function).flow.walk(&mut |part| {
        if let Flow::Loop { cond: Cond::Less(counter, bound) | Cond::AtMost(counter, bound), body, .. } = part
            && holds(project, file, body, growth.at.span)
        {
            // As many keys as the loop counts to, the same ones each time.
            let number = matches!(project.origin(In::new(file, *bound)), Origin::Literal(Literal::Int(_)));
            let counter = project.text(In::new(file, *counter));
            found |= number && growth.key.is_some_and(|key| project.text(key).contains(&*counter));
        }
        if let Flow::Branch { cond, then, .. } = part
            && holds(project, file, then, growth.at.span)
        {
            found |= match cond {
                Cond::Truthy(value) => off(*value) || is_there(project, table, growth, In::new(file, *value)),
                Cond::Less(compared, bound) | Cond::AtMost(compared, bound) => {
                    let (text, value) = (project.text(In::new(file, *bound)), project.value(In::new(file, *bound)));
                    let number = matches!(value, Value::Literal(Literal::Int(_)));
                    // `status < 300` bounds nothing.
                    number && !is_few_key(project, In::new(file, *compared))
                        || project.contracts.words.any(Meaning::Limits, &text)
                }
                Cond::All(parts) => parts.iter().any(|part| match part {
                    Cond::Less(compared, bound) | Cond::AtMost(compared, bound) => {
                        matches!(project.value(In::new(file, *bound)), Value::Literal(Literal::Int(_)))
                            && !is_few_key(project, In::new(file, *compared))
                    }
                    _ => false,
                }),
                _ => false,
            };
        }
    });
    found
}

/// Whether the rate of a growth exceeds the birth of its place.
pub fn outgrows(rate: Option<Rate>, life: Life) -> bool {
    match life {
        Life::Process => rate > Some(Rate::Once),
        Life::Instance(_) | Life::Closure(_) => rate > Some(Rate::PerInstance),
    }
}
