//! What the rules on local C and C++ allocations share: which acquisitions count, how sure a loss is, and its words.

use crate::finding::{Confidence, Finding, StepKind};
use crate::model::contract::Part;
use crate::model::{CallId, Cond, Flow, FunctionId, In, Literal, Rate, Step, Value, ValueId};
use crate::project::{Begin, Custody, Doubt, How, Loss, Owned, Project, Way};

/// The kinds of thing that the rules speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Kind {
    /// Memory, objects, a library's objects.
    Memory,
    /// Descriptors, directories, process handles, Core Foundation objects: what the system runs out of.
    Handle,
    /// Work for the thread pool that its completion has to delete.
    Work,
    /// Objects that delete themselves once they were queued.
    Worker,
    /// References to JavaScript values.
    Reference,
    /// Thread-safe functions.
    ThreadSafe,
}

/// The kind of an owned thing; none for what other rules follow (references, timers, work requests).
pub(in crate::rules) fn kind(owned: &Owned<'_>) -> Option<Kind> {
    let Some(ty) = owned.ty else { return Some(Kind::Memory) };
    match ty.family.as_str() {
        "os-handle" | "file" | "cf" | "objc" | "socket" => Some(Kind::Handle),
        // References, timers and scopes have rules of their own.
        "reference" | "tsfn" | "persistent" | "global-handle" | "async-work" | "async-worker" | "async-resource"
        | "async-context" | "uv-handle" | "uv-loop" | "uv-request" | "lock" | "thread" | "callback" | "hook"
        | "deferred" | "handle-scope" | "isolate" | "local-handle" | "value" | "collection" | "eternal"
        | "buffer-data" | "view" | "object-wrap" | "library" | "smart-pointer" | "weak-pointer" => None,
        _ => Some(Kind::Memory),
    }
}

/// The kind of an owned thing, those included that only rules of their own speak of.
fn special_kind(project: &Project<'_>, owned: &Owned<'_>) -> Option<Kind> {
    if is_worker(project, owned) {
        return Some(Kind::Worker);
    }
    kind(owned).or_else(|| match owned.ty?.family.as_str() {
        "async-work" => Some(Kind::Work),
        "reference" => Some(Kind::Reference),
        "tsfn" => Some(Kind::ThreadSafe),
        _ => None,
    })
}

/// Whether a new object is of a class that the thread pool runs and that is deleted after that.
fn is_worker(project: &Project<'_>, owned: &Owned<'_>) -> bool {
    let Some(call) = owned.from.filter(|call| project.call(*call).is_new) else { return false };
    let class = project.declared_class(call.file, &project.callee_text(call));
    let ty = class.and_then(|class| project.class_type(class));
    ty.is_some_and(|ty| project.contracts.is_family(ty, "async-worker"))
}

/// Every local acquisition of a kind in code that runs more than once, with what becomes of it.
pub(in crate::rules) fn each(project: &Project<'_>, wanted: Kind, mut visit: impl FnMut(&Owned<'_>, &Custody)) {
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        for (owned, custody) in project.owned_in(function).iter() {
            if special_kind(project, owned) == Some(wanted)
                && owned.call().is_some()
                && unfinalized(project, owned).is_none()
            {
                visit(owned, custody);
            }
        }
    }
}

/// Whether a function is C or C++ with a body, runs more than once, and is shipped to run.
pub(in crate::rules) fn is_shipped(project: &Project<'_>, function: In<FunctionId>) -> bool {
    project.is_native(function.file) && project.function(function).has_body && !runs_once(project, function)
}

/// The call that makes an external JavaScript object of a thing without naming a finalizer, though it could.
pub(in crate::rules) fn unfinalized(project: &Project<'_>, owned: &Owned<'_>) -> Option<In<crate::model::CallId>> {
    let place = assigned(project, owned).or(owned.holder)?;
    let summary = project.summary(owned.function.file);
    let mut found = None;
    project.function(owned.function).flow.walk(&mut |flow| {
        let crate::model::Flow::Step(crate::model::Step::Call(call)) = flow else { return };
        for (at, argument) in summary.call(*call).arguments.iter().enumerate() {
            let is_it = argument.value == place || Some(argument.value) == owned.holder;
            if is_it && super::payload::lacks_finalizer(project, owned.function.with(*call), at as u16) {
                found = found.or(Some(owned.function.with(*call)));
            }
        }
    });
    found
}

/// Whether a function runs once in a process, or is no part of what is shipped to run.
pub(in crate::rules) fn runs_once(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let name = project.function(function).name;
    function.id == FunctionId::MODULE
        || matches!(name.as_str(), "main" | "Init" | "InitAll" | "init_module" | "wmain" | "WinMain")
        || is_module_start(project, function)
        || is_aside(&project.sources.get(function.file).name)
        || project.rate(function).rate == Some(Rate::Once)
}

/// Whether a function fills the module's `exports`: that is done once in an environment.
fn is_module_start(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let parameters = &project.function(function).parameters;
    parameters.iter().any(|parameter| &*project.binding(function.with(*parameter)).name == "exports")
}

/// Tests, examples and benchmarks end with their process.
fn is_aside(path: &str) -> bool {
    path.split(['/', '\\']).rev().skip(1).any(|part| {
        matches!(
            part.to_ascii_lowercase().as_str(),
            "test"
                | "tests"
                | "example"
                | "examples"
                | "bench"
                | "benchmark"
                | "benchmarks"
                | "demo"
                | "demos"
                | "__tests__"
                | "gtest"
        )
    })
}

/// The loss that tells the story best, of those of a kind.
pub(in crate::rules) fn witness<'c>(
    project: &Project<'_>,
    function: In<FunctionId>,
    custody: &'c Custody,
    wanted: impl Fn(&Loss) -> bool,
) -> Option<&'c Loss> {
    let rank = |loss: &&Loss| {
        let way = match loss.way {
            Way::Throw | Way::Return | Way::Macro(_) => 0,
            Way::Overwrite(_) => 1,
            Way::Scope | Way::End => 2,
        };
        (loss.doubt, is_without_memory(project, function, loss), way, loss.span.start)
    };
    custody.losses.iter().filter(|loss| wanted(loss)).min_by_key(rank)
}

/// How sure a loss is.
pub(in crate::rules) fn confidence(
    project: &Project<'_>,
    owned: &Owned<'_>,
    loss: &Loss,
    custody: &Custody,
) -> Confidence {
    // What a process leaves behind when it has no memory left, nobody has to clean up.
    if custody.capped
        || is_without_memory(project, owned.function, loss)
        || is_behind_sweep(project, owned, loss, custody)
    {
        return Confidence::Low;
    }
    match owned.doubt.max(loss.doubt) {
        Doubt::Sure => Confidence::High,
        Doubt::Likely => Confidence::Medium,
        Doubt::Unsure => Confidence::Low,
    }
}

/// Whether the thing is a list that a loop before the way out releases one by one: what did not go through it was empty.
fn is_behind_sweep(project: &Project<'_>, owned: &Owned<'_>, loss: &Loss, custody: &Custody) -> bool {
    let summary = project.summary(owned.function.file);
    let released = |call: &CallId| {
        custody.settlements.iter().any(|settlement| settlement.how == How::Released(*call))
            && summary.call(*call).span.end <= loss.span.start
    };
    let mut is_swept = false;
    project.function(owned.function).flow.walk(&mut |flow| {
        let Flow::Loop { body, .. } = flow else { return };
        let (mut releases, mut goes_on) = (false, false);
        body.walk(&mut |flow| match flow {
            Flow::Step(Step::Call(call)) => releases |= released(call),
            // `next = next->next`
            Flow::Step(Step::Assign(assign)) => {
                goes_on |= matches!(summary.value(assign.value), Value::Member(from, _) if *from == assign.place);
            }
            _ => {}
        });
        is_swept |= releases && goes_on;
    });
    is_swept
}

/// Whether a way out is taken only when memory cannot be had: `if ((copy = malloc(n)) == NULL) return`.
fn is_without_memory(project: &Project<'_>, function: In<FunctionId>, loss: &Loss) -> bool {
    let mut guard = None;
    project.function(function).flow.walk(&mut |flow| {
        if let Flow::Branch { cond, then, otherwise, .. } = flow {
            let sides = [(&**then, true), (&**otherwise, false)];
            // Branches are met from outside to inside: the last that has the exit is the nearest.
            if let Some((_, holds)) = sides.into_iter().find(|(side, _)| leaves_at(side, loss.span)) {
                guard = Some((cond, holds));
            }
        }
    });
    guard.is_some_and(|(cond, holds)| says_no_memory(project, function, cond, holds))
}

fn leaves_at(flow: &Flow, span: crate::text::Span) -> bool {
    let mut found = false;
    flow.walk(&mut |flow| found |= matches!(flow, Flow::Exit(_, at) if *at == span));
    found
}

/// Whether a condition, where it holds (or not), says that an allocation gave nothing.
fn says_no_memory(project: &Project<'_>, function: In<FunctionId>, cond: &Cond, holds: bool) -> bool {
    let file = function.file;
    let allocated = |value: &ValueId| match project.value(In::new(file, *value)) {
        Value::Result(call) => project.is_heap(function.with(*call)),
        _ => assigned_heap(project, function, *value),
    };
    match cond {
        Cond::Not(inner) => says_no_memory(project, function, inner, !holds),
        Cond::Truthy(value) => !holds && allocated(value),
        Cond::Equal(a, b) => {
            let is_null = |value: &ValueId| {
                matches!(project.value(In::new(file, *value)), Value::Literal(Literal::Null | Literal::Int(0)))
            };
            holds && (is_null(b) && allocated(a) || is_null(a) && allocated(b))
        }
        Cond::Any(parts) => holds && parts.iter().all(|part| says_no_memory(project, function, part, true)),
        Cond::All(parts) => holds && parts.iter().any(|part| says_no_memory(project, function, part, true)),
        _ => false,
    }
}

/// Whether all that a place receives in a function is fresh memory, or nothing.
fn assigned_heap(project: &Project<'_>, function: In<FunctionId>, place: ValueId) -> bool {
    let summary = project.summary(function.file);
    let (mut heap, mut other) = (false, false);
    project.function(function).flow.walk(&mut |flow| {
        let Flow::Step(Step::Assign(assign)) = flow else { return };
        if assign.place != place {
            return;
        }
        match summary.value(assign.value) {
            Value::Result(call) if project.is_heap(function.with(*call)) => heap = true,
            Value::Literal(Literal::Null | Literal::Int(0)) => {}
            _ => other = true,
        }
    });
    heap && !other
}

/// What the code calls the thing: its variable.
pub(in crate::rules) fn name(project: &Project<'_>, owned: &Owned<'_>) -> Option<String> {
    let file = owned.function.file;
    let value = match (owned.begin, owned.holder) {
        (Begin::Out(_) | Begin::Entry(_), Some(holder)) => holder,
        _ => assigned(project, owned)?,
    };
    let text = project.text(In::new(file, value));
    (!text.is_empty() && text.len() < 60).then_some(text)
}

/// The place that first receives the acquiring call's result.
pub(in crate::rules) fn assigned(project: &Project<'_>, owned: &Owned<'_>) -> Option<crate::model::ValueId> {
    let holder = owned.holder?;
    let mut found = None;
    project.function(owned.function).flow.walk(&mut |flow| {
        if let crate::model::Flow::Step(crate::model::Step::Assign(assign)) = flow
            && assign.value == holder
            && found.is_none()
        {
            found = Some(assign.place);
        }
    });
    found
}

/// Whether what releases such a thing wants more than the thing itself, such as the heap that it is of.
pub(in crate::rules) fn is_released_with_more(project: &Project<'_>, owned: &Owned<'_>) -> bool {
    let Some(ty) = owned.ty.filter(|ty| !ty.name.starts_with("cpp.")) else { return false };
    let mut rows = project.contracts.apis.iter().filter(|api| api.releases.is_some() && api.gives.is_none());
    rows.find(|api| api.of.contains(&ty.name)).is_some_and(|api| api.releases != Some(Part::Argument(0)))
}

/// What releases such a thing, as code.
pub(in crate::rules) fn releaser(project: &Project<'_>, owned: &Owned<'_>, name: &str) -> String {
    if let Some(ty) = owned.ty {
        match ty.name.as_str() {
            "cpp.object" => return format!("delete {name}"),
            "cpp.array" => return format!("delete[] {name}"),
            _ => {}
        }
        let row = project
            .contracts
            .apis
            .iter()
            .find(|api| api.releases.is_some() && api.gives.is_none() && api.of.contains(&ty.name));
        if let Some(api) = row.and_then(|api| api.names.first()) {
            return format!("{}({name})", api.split('/').next().unwrap_or(api));
        }
    }
    let seen = owned.releasers.iter().find(|releaser| project.is_called(releaser)).or(owned.releasers.first());
    match seen {
        Some(releaser) => format!("{releaser}({name})"),
        None => format!("free({name})"),
    }
}

/// The way out, in words.
pub(in crate::rules) fn way(project: &Project<'_>, file: crate::text::FileId, loss: &Loss) -> String {
    match loss.way {
        Way::Return => "returns here".to_owned(),
        Way::Throw => "throws here".to_owned(),
        Way::Macro(name) => format!("`{name}` leaves the function here"),
        Way::Scope => "its variable goes out of scope here".to_owned(),
        Way::End => "the function ends here".to_owned(),
        Way::Overwrite(place) => format!("`{}` receives something else here", project.text(In::new(file, place))),
    }
}

/// A finding about an acquisition with its story: acquired, decided, lost, and what does not help.
pub(in crate::rules) fn report(
    project: &Project<'_>,
    rule: &'static str,
    owned: &Owned<'_>,
    custody: &Custody,
    loss: &Loss,
    message: String,
) -> Option<Finding> {
    let file = owned.function.file;
    let call = In::new(file, owned.call()?);
    let mut finding = Finding::new(rule, confidence(project, owned, loss, custody), project.locate(call), message)
        .with_context(project.function_name(owned.function))
        .with_step(StepKind::Acquire, project.locate(call), format!("{} is acquired here", owned.noun));
    if let Some(from) = owned.from.filter(|from| *from != call) {
        finding =
            finding.with_step(StepKind::Acquire, project.locate(from), "this is what the called function returns");
    }
    if let Some((span, holds)) = loss.decisions.iter().rev().find(|(span, _)| span.end > span.start) {
        let outcome = if *holds { "where this holds" } else { "where this does not hold" };
        finding = finding.with_step(StepKind::Exit, project.at(file, *span), outcome);
    }
    finding = finding.with_step(StepKind::Exit, project.at(file, loss.span), way(project, file, loss));
    let released = custody.settled(|how| matches!(how, How::Released(_)));
    if let Some(settled) = released.or_else(|| custody.settlements.first().copied()) {
        let words = match settled.how {
            How::Released(_) => "released on another way only",
            How::Misreleased(_) => "released here with the wrong function",
            How::Returned => "returned on another way",
            _ => "handed over on another way only",
        };
        finding = finding.with_step(StepKind::Release, project.at(file, settled.span), words);
    } else if let Some(taker) = custody.perhaps_taken().map(|taker| In::new(file, taker)) {
        let words = format!("handed to `{}` on another way only", project.callee_text(taker));
        finding = finding.with_step(StepKind::Release, project.locate(taker), words);
    }
    if let Some(comment) = commented_release(project, owned) {
        finding = finding.with_step(StepKind::Release, comment, "a release that is commented out");
    }
    if let Some(because) = loss.because {
        let callee = project.callee_text(In::new(file, because));
        finding = finding.with_step(
            StepKind::Hold,
            project.locate(In::new(file, because)),
            format!("passed to `{callee}`, which by its kind only reads it"),
        );
    }
    Some(finding)
}

/// A comment in the function that would release the thing if it were code.
fn commented_release(project: &Project<'_>, owned: &Owned<'_>) -> Option<crate::text::Location> {
    let name = name(project, owned)?;
    let file = owned.function.file;
    let body = project.function(owned.function).body;
    project.summary(file).comments.iter().find_map(|comment| {
        let text = comment.of(&project.sources.get(file).text);
        let releases = ["delete ", "delete[] ", "free(", "Release(", "close(", "Close", "destroy("]
            .iter()
            .any(|word| text.split(word).skip(1).any(|rest| rest.trim_start().starts_with(name.as_str())));
        (body.contains(*comment) && releases).then(|| project.at(file, *comment))
    })
}
