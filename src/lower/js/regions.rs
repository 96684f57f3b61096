//! The `try` statements of a state machine, put back together from its arms: the labels of their parts stand in a marker
//! where the body begins. Jumps to what follows the statement run its `finally` first.

use crate::model::{Exit, Flow, Name};

/// What stands where a `try` begins.
const BEGIN: &str = "try ";

/// The label that says where the parts of a `try` are.
pub fn marker(handler: Option<Name>, finally: Option<Name>, next: Name) -> Name {
    let text = |label: Option<Name>| label.map_or("", |label| label.as_str());
    Name::from(&format!("{BEGIN}{}|{}|{next}", text(handler), text(finally)))
}

/// Arms with their statements put back.
pub fn rebuilt(parts: Vec<Flow>) -> Vec<Flow> {
    let mut done = Vec::with_capacity(parts.len());
    let mut left = parts;
    loop {
        let begin = left.iter().position(|part| matches!(part, Flow::Label(name) if name.starts_with(BEGIN)));
        let Some(begin) = begin else {
            done.append(&mut left);
            return done;
        };
        let mut rest = left.split_off(begin);
        done.append(&mut left);
        let Flow::Label(marker) = rest.remove(0) else { return done };
        left = match statement(&marker, &mut rest) {
            Some(whole) => {
                done.push(whole);
                rest
            }
            None => rest,
        };
    }
}

/// Takes the parts of one statement from the front of the arms that follow its marker.
fn statement(marker: &str, rest: &mut Vec<Flow>) -> Option<Flow> {
    let mut labels = marker.strip_prefix(BEGIN)?.split('|');
    let mut at = || labels.next().filter(|label| !label.is_empty()).map(|label| (label, position(rest, label)));
    let (handler, finally, (next, end)) = (at(), at(), at()?);
    let end = end?;
    let begins = |part: Option<(&str, Option<usize>)>| part.map_or(Some(end), |(_, at)| at);
    let (handled, ended) = (begins(handler)?, begins(finally)?);
    let handled = handled.min(ended);
    if ended > end {
        return None;
    }
    let mut whole: Vec<Flow> = rest.drain(..end).collect();
    let last = whole.split_off(ended);
    let caught = whole.split_off(handled);
    let part = |parts: Vec<Flow>, name: &str| {
        let out = Name::from(&format!("{next} from {name}"));
        let mut parts = parts;
        parts.iter_mut().for_each(|part| redirect(part, next, out));
        let mut parts = rebuilt(parts);
        parts.push(Flow::Label(out));
        Box::new(Flow::Sequence(parts))
    };
    Some(Flow::Try {
        body: part(whole, "body"),
        handler: handler.map(|_| (None, part(caught, "handler"))),
        finally: finally.map(|_| Box::new(Flow::Sequence(rebuilt(last)))),
    })
}

fn position(parts: &[Flow], label: &str) -> Option<usize> {
    parts.iter().position(|part| matches!(part, Flow::Label(name) if *name == *label))
}

/// Lets the jumps to one label go to another.
fn redirect(flow: &mut Flow, from: &str, to: Name) {
    match flow {
        Flow::Exit(Exit::Goto(label), _) if **label == *from => *label = to,
        Flow::Sequence(parts) => parts.iter_mut().for_each(|part| redirect(part, from, to)),
        Flow::Branch { then, otherwise, .. } => {
            redirect(then, from, to);
            redirect(otherwise, from, to);
        }
        Flow::Switch { arms, .. } => arms.iter_mut().for_each(|arm| redirect(arm, from, to)),
        Flow::Loop { body, .. } | Flow::Labelled(_, body) => redirect(body, from, to),
        _ => {}
    }
}
