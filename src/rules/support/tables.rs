//! Which removals keep up with what makes a collection grow, and how long the collection lives: the first law for tables.

use crate::model::contract::Runs;
use crate::model::{Api, CallId, ClassId, FunctionId, In, Rate, Value, ValueId};
use crate::project::{
    Access, AccessKind, Drive, Gone, Growth, Handed, Key, Lifetime, Openness, Origin, Owner, Project, Root, Shrink, Table,
};

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
        _ if local.is_none() && lifetime.is_process() => Life::Process,
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
        return if led.at_start { Some(Useless::AtStart) } else { Some(Useless::OptIn) };
    }
    match (shrink.what, life) {
        (Gone::All, _) if ends => Some(Useless::AtTheEnd),
        (Gone::All, Life::Process) => Some(Useless::OptIn),
        (Gone::Entry(_) | Gone::Some, _)
            if (growth.key.is_none_or(|key| growth.value == Some(key)) || is_own_property(project, growth))
                && registers_itself(project, growth) =>
        {
            Some(Useless::OptIn)
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
        return Some(Useless::SameKey);
    }
    let failed = shrink.function != growth.function
        && project
            .passed_to(shrink.function)
            .iter()
            .all(|passed| project.method_name(passed.call).is_some_and(|name| name == "catch"));
    (same_key && failed).then_some(Useless::OnFailure)
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

/// Whether what is put in is just what the caller handed over, be it wrapped: a registration, as many entries as there
/// are calls in the source.
pub fn is_handed_over(project: &Project<'_>, growth: &Growth) -> bool {
    let key_is_value = growth.value == growth.key || growth.value.is_none();
    let value = if key_is_value { growth.key } else { growth.value };
    project.passed_to(growth.function).is_empty()
        && value.is_some_and(|value| is_callers_own(project, growth, value, 0))
}

fn is_callers_own(project: &Project<'_>, growth: &Growth, value: In<ValueId>, depth: u32) -> bool {
    if depth > 3 {
        return false;
    }
    let own = |part: &ValueId| is_callers_own(project, growth, value.with(*part), depth + 1);
    let plain = |part: &ValueId| matches!(project.value(value.with(*part)), Value::Literal(_)) || own(part);
    match project.origin(value) {
        Origin::Parameter(parameter) => return project.binding(parameter).function == growth.function.id,
        Origin::Bound(call, _) => {
            return project.receiver(call).is_some_and(|on| is_callers_own(project, growth, on, depth + 1));
        }
        _ => {}
    }
    match project.value(value) {
        Value::Choice(parts) => parts.iter().any(own),
        Value::Opaque(parts) | Value::Array(_, parts) => parts.iter().any(own) && parts.iter().all(plain),
        Value::Object(object) => {
            let object = project.object(value.with(*object));
            object.properties.iter().any(|property| own(&property.value))
        }
        Value::Member(object, _) | Value::Spread(object) => own(object),
        Value::Binding(binding) => match project.binding(value.with(*binding)).value {
            Some(given) => own(&given),
            None => project.binding(value.with(*binding)).name == "arguments",
        },
        Value::Global(name) => *name == "arguments",
        Value::Result(call) => {
            let call = value.with(*call);
            let arguments = project.call(call).arguments.iter();
            project.path(call).is_some_and(|path| path.starts_with("Array"))
                && arguments.map(|a| a.value).any(|a| own(&a))
        }
        _ => false,
    }
}

/// Whether the function that puts in looks the same key up before: a cache, filled by what is asked for.
pub fn is_looked_up(project: &Project<'_>, table: &Table, growth: &Growth) -> bool {
    let Some(key) = growth.key else { return false };
    project.accesses(table.place).iter().any(|access| {
        let near = access.file == growth.at.file && is_inside(project, growth.function, access.function());
        near && access.span.start < growth.at.span.start
            && match access.kind {
                AccessKind::KeyRead { key: Key::Value(read) } => read == key.id,
                AccessKind::Method { call, key: Key::Name(name) } => {
                    let looks = name == "get" || name == "has" && growth.value.is_none_or(|value| value == key);
                    looks && project.argument(access.of(call), 0) == Some(key)
                }
                _ => false,
            }
    })
}

/// Whether the names say that there are as many entries as the source, the configuration or the installation spells out.
pub fn is_spelled_out(project: &Project<'_>, growth: &Growth, driven: &Drive) -> bool {
    let name = project.function(growth.function).name;
    let declares = words_of(&name).first().is_some_and(|verb| project.contracts.words.declaring.contains(verb));
    let composed = growth.value.filter(|value| matches!(project.value(*value), Value::Opaque(_)));
    let named = growth.key.or(composed);
    let few = || named.is_some_and(|value| is_few(project, value, 0));
    declares && !is_in_event(project, growth, driven) || !is_own_property(project, growth) && few()
}

/// Whether the code that puts in is itself what an event runs, not something far behind it.
pub fn is_in_event(project: &Project<'_>, growth: &Growth, driven: &Drive) -> bool {
    driven.events.iter().any(|handler| is_inside(project, growth.function, *handler))
}

/// How many keys a growth may come with. An object that registers itself under a property of its own does so under as many
/// as there are instances.
pub fn openness(project: &Project<'_>, growth: &Growth) -> Openness {
    let Some(key) = growth.key else { return Openness::Open };
    if is_own_property(project, growth) { Openness::Generated } else { project.openness(key) }
}

/// `table[this.id] = this`.
pub fn is_own_property(project: &Project<'_>, growth: &Growth) -> bool {
    let this = |value: In<ValueId>| matches!(project.value(value), Value::This(_));
    match (growth.key.map(|key| (key, project.value(key))), growth.value) {
        (Some((key, Value::Member(object, _))), Some(value)) => this(value) && key.with(*object) == value,
        _ => false,
    }
}

/// Whether a key's name says that there are few of them.
pub fn is_few_key(project: &Project<'_>, key: In<ValueId>) -> bool {
    is_few(project, key, 0)
}

/// A key by its name: the last word of `pluginName`, `event.type`, and the thing of `plugin.id`.
fn is_few(project: &Project<'_>, key: In<ValueId>, depth: u32) -> bool {
    if depth == 0 && project.openness(key) == Openness::Generated {
        return false;
    }
    let few = |name: &str| {
        let words = words_of(name);
        let of_data = |word: &String| {
            matches!(
                word.as_str(),
                "user" | "host" | "file" | "domain" | "room" | "session" | "client" | "device" | "queue" | "path"
            )
        };
        let few = |word: Option<&String>| word.is_some_and(|word| project.contracts.words.few.contains(word));
        let before = words.len().checked_sub(2).map(|at| &words[at]);
        match words.last().map(String::as_str) {
            Some("id" | "identifier" | "key") => few(before),
            _ => few(words.last()) && !before.is_some_and(of_data),
        }
    };
    match project.value(key) {
        Value::Binding(binding) => {
            let binding = key.with(*binding);
            few(&project.binding(binding).name)
                || depth < 3
                    && project
                        .binding(binding)
                        .value
                        .is_some_and(|value| is_few(project, binding.with(value), depth + 1))
        }
        Value::Member(object, name) => {
            let of = matches!(name.as_str(), "id" | "key") && is_few(project, key.with(*object), depth + 1);
            few(name) || of
        }
        Value::Opaque(parts) if depth < 3 => parts.iter().any(|part| is_few(project, key.with(*part), depth + 1)),
        _ => false,
    }
}

/// `libraryPlugins` as `library`, `plugin`: lower case, plurals as singulars.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            lower = false;
            continue;
        }
        if words.is_empty() || !lower && !c.is_lowercase() || lower && c.is_uppercase() {
            words.push(String::new());
        }
        lower = c.is_lowercase() || c.is_numeric();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    for word in &mut words {
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") {
            word.pop();
        }
    }
    words
}

/// Whether a function runs when its owner starts, and not because of events.
pub fn is_start(project: &Project<'_>, driven: &Drive) -> bool {
    let starts = |function: &In<FunctionId>| {
        let words = words_of(&project.function(*function).name);
        let start = |word: Option<&String>| word.is_some_and(|word| project.contracts.words.start.contains(word));
        start(words.first()) || start(words.last())
    };
    !driven.by_events() && !driven.public.is_empty() && driven.public.iter().all(starts)
}

/// Whether instances of a class are meant to live long: they have events or a life that somebody ends, or belong to
/// something that has.
pub fn lives_long(project: &Project<'_>, class: In<ClassId>) -> bool {
    lives_long_in(project, class, 0)
}

fn lives_long_in(project: &Project<'_>, class: In<ClassId>, depth: u32) -> bool {
    let ends = |class: In<ClassId>| {
        project.class_type(class).is_some_and(|ty| project.contracts.is_family(ty, "emitter"))
            || project.methods(class).iter().any(|method| project.is_disposal(*method))
    };
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

/// The function that hears of the end of a connection and leaves the callbacks that wait for its answers where they are:
/// answers under generated ids come no more, and the object is used again for the next connection.
pub fn unanswered(project: &Project<'_>, table: &Table, life: Life, growth: &Growth) -> Option<In<FunctionId>> {
    let Life::Instance(class) = life else { return None };
    let awaits = growth.value.is_some_and(|value| !project.functions_in(value).is_empty() || is_called(project, table));
    let keyed = |shrink: &Shrink| matches!(shrink.what, Gone::Entry(_));
    if openness(project, growth) != Openness::Generated
        || !awaits
        || table.shrinks.is_empty()
        || !table.shrinks.iter().all(keyed)
        || !table.escapes.is_empty()
    {
        return None;
    }
    let methods = || {
        std::iter::once(class).chain(project.bases(class)).flat_map(|class| project.methods(class))
    };
    let again = |method: In<FunctionId>| {
        let name = project.function(method).name;
        matches!(name.trim_start_matches('_'), "connect" | "reconnect" | "open" | "reopen")
    };
    let hears = |method: &In<FunctionId>| {
        let words = words_of(&project.function(*method).name);
        let ends = words.last().is_some_and(|last| matches!(last.as_str(), "close" | "disconnect" | "end" | "disconnected"));
        let on = matches!(words.first().map(String::as_str), Some("on" | "handle")) || words.first().is_some_and(|w| w.starts_with("on"));
        ends && on || matches!(words.last().map(String::as_str), Some("onclose" | "ondisconnect" | "onend"))
    };
    let end = methods().find(hears)?;
    let run = runs(project, end);
    let reached = table.shrinks.iter().any(|shrink| run.contains(&shrink.function));
    (methods().any(again) && !reached).then_some(end)
}

/// What running a function runs before it is done: what it calls and hands on to be called at once; not what it registers.
fn runs(project: &Project<'_>, from: In<FunctionId>) -> Vec<In<FunctionId>> {
    let mut seen: Vec<In<FunctionId>> = Vec::new();
    let mut left = vec![from];
    while let Some(function) = left.pop() {
        if seen.contains(&function) || seen.len() > 100 {
            continue;
        }
        seen.push(function);
        for call in project.calls_in(function) {
            left.extend(project.targets(call).functions);
            let at_once = |handed: &Handed| !matches!(handed.runs, Some(Runs::Event | Runs::Maybe));
            left.extend(project.callbacks(call).into_iter().filter(at_once).map(|handed| handed.function));
        }
    }
    seen
}

/// Whether entries of a table are called: `table[id](…)`, or taken into a variable and called.
fn is_called(project: &Project<'_>, table: &Table) -> bool {
    let called = |value: In<ValueId>| project.uses(value).iter().any(|access| {
        matches!(access.kind, AccessKind::Called { .. })
            || matches!(access.kind, AccessKind::Method { key: Key::Name(name), .. } if name == "apply" || name == "call")
    });
    project.accesses(table.place).iter().any(|access| match access.kind {
        AccessKind::Method { key: Key::Value(_), .. } => true,
        _ => false,
    }) || table.place.below("[]").is_some_and(|entries| {
        project.accesses(entries).iter().any(|access| called(access.of(access.value)))
    })
}

/// Whether instances of a class have a life of their own at all: they start or end.
pub fn has_life(project: &Project<'_>, class: In<ClassId>) -> bool {
    let starts = |method: &In<FunctionId>| {
        let name = project.function(*method).name;
        project.contracts.words.start.iter().any(|word| name == *word.as_str())
    };
    lives_long(project, class) || project.methods(class).iter().any(starts)
}

/// The call that arms a one-shot timer which a growth keeps, unless the timer's own callback takes it out again, or
/// may.
pub fn kept_timer(project: &Project<'_>, table: &Table, growth: &Growth) -> Option<In<CallId>> {
    let value = growth.value.or(growth.key)?;
    let call = match project.value(value) {
        Value::Result(call) => value.with(*call),
        Value::Binding(binding) => {
            let binding = value.with(*binding);
            let assigned = project.uses(value).iter().find_map(|access| match access.kind {
                AccessKind::Assigned { value: given, .. } => match project.value(access.of(given)) {
                    Value::Result(call) => Some(access.of(*call)),
                    _ => None,
                },
                _ => None,
            });
            match project.binding(binding).value.map(|value| project.value(binding.with(value))) {
                Some(Value::Result(call)) => binding.with(*call),
                _ => assigned?,
            }
        }
        _ => return None,
    };
    let keyed = growth.key.filter(|key| growth.value != Some(*key));
    if !arms_timer(project, call) || keyed.is_some_and(|key| project.openness(key) != Openness::Generated) {
        return None;
    }
    let callback = project.argument(call, 0);
    let removes = |function: In<FunctionId>| {
        table.shrinks.iter().any(|shrink| {
            is_inside(project, shrink.function, function) || project.drive(shrink.function).through.contains(&function)
        })
    };
    match callback.map(|callback| (project.origin(callback), project.functions_in(callback))) {
        Some((_, functions)) if !functions.is_empty() => (!functions.iter().any(|f| removes(*f))).then_some(call),
        // `new Promise((resolve) => setTimeout(resolve, ms))`: whoever awaits it may take the timer out.
        Some((Origin::Parameter(parameter), _)) => {
            let function = parameter.with(project.binding(parameter).function);
            let settles = project.passed_to(function).iter().any(|passed| project.call(passed.call).is_new);
            (!settles || table.shrinks.is_empty()).then_some(call)
        }
        _ => Some(call),
    }
}

/// `setTimeout(…)`, also under the name of a parameter that callers pass it for.
fn arms_timer(project: &Project<'_>, call: In<CallId>) -> bool {
    let gives =
        |api: &Api| api.gives.as_ref().and_then(|ty| project.contracts.ty(ty)).is_some_and(|ty| ty.family == "timer");
    if let Some(api) = project.api(call) {
        return gives(api);
    }
    let Origin::Parameter(parameter) = project.origin(call.with(project.call(call).callee)) else { return false };
    project.arguments_of(parameter).into_iter().any(|argument| match project.origin(argument) {
        Origin::External(path) => project.contracts.api(&path).is_some_and(gives),
        _ => false,
    })
}

/// Whether the rate of a growth exceeds the birth of its place.
pub fn outgrows(rate: Option<Rate>, life: Life) -> bool {
    match life {
        Life::Process => rate > Some(Rate::Once),
        Life::Instance(_) | Life::Closure(_) => rate > Some(Rate::PerInstance),
    }
}

/// Whether an element is a fresh object or closure: data about an event, not something registered.
pub fn is_record(project: &Project<'_>, growth: &Growth) -> bool {
    growth.value.is_some_and(|value| matches!(project.value(value), Value::Object(_) | Value::Array(..)))
}
