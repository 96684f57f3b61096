//! What a project always does with what one of its functions gives: where several functions call `getLease()` and give the
//! result back by `returnLease(it)`, in a `finally` at least once, whoever else calls `getLease()` owes that call as well.
//! Looks at summaries alone, and only at names of several words: a `get` or `open` may be anybody's. Judges no call.

use crate::model::words::{Meaning, Words, split};
use crate::model::{Call, Cond, Exit, Flow, Function, FunctionId, Name, Step, Summary, Value, ValueId};
use rustc_hash::{FxHashMap, FxHashSet};

/// What must be called on (or with) what a function gives, because everybody does so.
#[derive(Debug)]
pub struct Practice {
    /// The function that gives.
    pub gives: Name,
    /// The function or method that takes back.
    pub releases: Name,
    /// The only file where this is so, where it is a habit of one object's own code.
    pub file: Option<usize>,
    /// It comes by a promise.
    pub by_promise: bool,
}

/// How many functions have to give a thing back before that is a habit; one more where none of them does so in a `finally`.
const HABIT: usize = 2;

/// Who does so, for one pair of names.
#[derive(Default)]
struct Evidence {
    functions: FxHashSet<(usize, FunctionId)>,
    is_final: bool,
    by_promise: bool,
}

/// The habits of a project, the strongest first.
pub fn read(summaries: &[Summary], words: &Words) -> Vec<Practice> {
    let mut pairs: FxHashMap<(Name, Name, Option<usize>), Evidence> = FxHashMap::default();
    let scripts = || summaries.iter().enumerate().filter(|(_, s)| s.language.is_some_and(|l| !l.is_native()));
    for (file, summary) in scripts() {
        for (at, function) in summary.functions.iter().enumerate() {
            let id = FunctionId(at as u32);
            let mut see = |call: &Call, given: ValueId, is_final: bool| {
                let Some(seen) = given_back(summary, call, given, words) else { return };
                for scope in std::iter::once(None).chain(seen.own.then_some(Some(file))) {
                    let evidence = pairs.entry((seen.gives, seen.releases, scope)).or_default();
                    evidence.functions.insert((file, id));
                    evidence.is_final |= is_final;
                    evidence.by_promise |= seen.by_promise;
                }
            };
            calls(summary, &function.flow, &mut Vec::new(), false, &mut see);
        }
    }
    pairs.retain(|_, evidence| evidence.functions.len() >= if evidence.is_final { HABIT } else { HABIT + 1 });
    let mut found: Vec<(Practice, usize)> = pairs
        .into_iter()
        .map(|((gives, releases, file), evidence)| {
            (Practice { gives, releases, file, by_promise: evidence.by_promise }, evidence.functions.len())
        })
        .collect();
    found.retain(|(practice, times)| {
        let in_scope = scripts().filter(|(file, _)| practice.file.is_none_or(|of| of == *file));
        in_scope.map(|(_, summary)| careless(summary, practice)).sum::<usize>() <= *times
    });
    found.sort_by_key(|(practice, times)| {
        (std::cmp::Reverse(*times), practice.gives.as_str(), practice.releases.as_str(), practice.file)
    });
    found.into_iter().map(|(practice, _)| practice).collect()
}

/// Calls `see` on each call of a function's own code that gives something back wherever it was got, and whether it stands in a
/// `finally`. `held`: the variables that hold something got on the same way.
fn calls(
    summary: &Summary,
    flow: &Flow,
    held: &mut Vec<ValueId>,
    is_final: bool,
    see: &mut dyn FnMut(&Call, ValueId, bool),
) {
    match flow {
        Flow::Step(Step::Assign(assign)) if made_by(summary, assign.value, 0).is_some() => held.push(assign.place),
        Flow::Step(Step::Call(call)) => {
            let call = summary.call(*call);
            let receiver = match summary.value(call.callee) {
                Value::Member(object, _) => Some(*object),
                _ => None,
            };
            let first = call.arguments.first().map(|argument| argument.value);
            if let Some(given) = receiver.into_iter().chain(first).find(|value| held.contains(value)) {
                see(call, given, is_final);
            }
        }
        Flow::Sequence(parts) => {
            for part in parts {
                calls(summary, part, held, is_final, see);
                // What follows a way out happens on some ways only.
                if matches!(part, Flow::Branch { .. } | Flow::Switch { .. } | Flow::Loop { .. }) && leaves(part) {
                    held.clear();
                }
            }
        }
        // `if (lease) lease.end()` asks only whether there is one.
        Flow::Branch { cond: Cond::Truthy(value), then, .. } if held.contains(value) => {
            calls(summary, then, held, is_final, see);
        }
        Flow::Branch { then, otherwise, .. } => {
            calls(summary, then, &mut Vec::new(), is_final, see);
            calls(summary, otherwise, &mut Vec::new(), is_final, see);
        }
        Flow::Loop { body, .. } => calls(summary, body, &mut Vec::new(), is_final, see),
        Flow::Switch { arms, .. } => arms.iter().for_each(|arm| calls(summary, arm, &mut Vec::new(), is_final, see)),
        Flow::Labelled(_, body) => calls(summary, body, held, is_final, see),
        Flow::Try { body, finally, .. } => {
            let before = held.clone();
            calls(summary, body, held, is_final, see);
            if let Some(finally) = finally {
                let got = before.into_iter().chain(got_in(summary, body));
                calls(summary, finally, &mut got.collect(), true, see);
            }
        }
        _ => {}
    }
}

/// Whether some way through leaves what is around.
fn leaves(flow: &Flow) -> bool {
    let mut leaves = false;
    flow.walk(&mut |inner| leaves |= matches!(inner, Flow::Exit(..)));
    leaves
}

/// The variables that get something from a call, at any place of a piece of code.
fn got_in(summary: &Summary, flow: &Flow) -> Vec<ValueId> {
    let mut got = Vec::new();
    flow.walk(&mut |inner| {
        if let Flow::Step(Step::Assign(assign)) = inner
            && made_by(summary, assign.value, 0).is_some()
        {
            got.push(assign.place);
        }
    });
    got
}

/// A call that gives back what its function got from another call.
struct Seen {
    gives: Name,
    releases: Name,
    /// The object's own method gave it.
    own: bool,
    by_promise: bool,
}

fn given_back(summary: &Summary, call: &Call, given: ValueId, words: &Words) -> Option<Seen> {
    let releases = name_of(summary, call)?;
    let on_it = matches!(summary.value(call.callee), Value::Member(object, _) if *object == given);
    let Value::Binding(binding) = summary.value(given) else { return None };
    let value = summary.binding(*binding).value?;
    let gives = made_by(summary, value, 0)?;
    let of = |call: &Call| match summary.value(call.callee) {
        Value::Member(object, _) => Some(*object),
        _ => None,
    };
    let name = name_of(summary, gives)?;
    // Who gave it takes it back, by a name that differs in its verb only.
    let taken_back = || {
        let (gives_what, takes_what) = (split(&name), split(&releases));
        words.first(Meaning::Releasing, &releases) && gives_what[1..] == takes_what[1..] && of(call) == of(gives)
    };
    if !(if on_it { words.has(Meaning::Disposal, &releases) } else { taken_back() }) {
        return None;
    }
    let own = match summary.value(gives.callee) {
        Value::Member(object, _) => matches!(summary.value(*object), Value::This(_)),
        _ => false,
    };
    let by_promise = matches!(summary.value(value), Value::Awaited(_));
    Some(Seen { gives: name, releases, own, by_promise })
}

/// The call whose result a value is, if its name tells it from others.
fn made_by(summary: &Summary, value: ValueId, depth: u32) -> Option<&Call> {
    match summary.value(value) {
        _ if depth > 4 => None,
        Value::Awaited(inner) => made_by(summary, *inner, depth + 1),
        // `this.lease || await getLease()`.
        Value::Choice(parts) => parts.iter().find_map(|part| made_by(summary, *part, depth + 1)),
        Value::Result(call) => {
            let call = summary.call(*call);
            let name = name_of(summary, call).filter(|_| !call.is_new)?;
            (split(&name).len() > 1).then_some(call)
        }
        _ => None,
    }
}

fn name_of(summary: &Summary, call: &Call) -> Option<Name> {
    match summary.value(call.callee) {
        Value::Member(_, name) => Some(*name),
        Value::Binding(binding) => Some(summary.binding(*binding).name),
        _ => None,
    }
}

/// How many functions of a file use what a function of that name gives, and neither hand it on nor ever give it back.
fn careless(summary: &Summary, practice: &Practice) -> usize {
    let calls = summary.calls.iter().filter(|call| name_of(summary, call) == Some(practice.gives));
    let functions: FxHashSet<FunctionId> = calls.map(|call| call.function).collect();
    let cares = |function: &FunctionId| {
        summary.calls.iter().any(|call| {
            name_of(summary, call) == Some(practice.releases) && summary.is_inside(call.function, *function)
        })
    };
    functions.into_iter().filter(|f| !cares(f) && !hands_on(summary, summary.function(*f), practice.gives)).count()
}

/// A wrapper: it has the same name, or gives back what it got.
fn hands_on(summary: &Summary, function: &Function, gives: Name) -> bool {
    let mut returns = false;
    function.flow.walk(&mut |flow| {
        if let Flow::Exit(Exit::Return(Some(value)), _) = flow {
            returns |= made_by(summary, *value, 0).is_some_and(|call| name_of(summary, call) == Some(gives));
        }
    });
    returns || function.name == gives
}
