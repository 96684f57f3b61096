//! `releaser-cannot-work`: code that is meant to release something and never can: under an inverted test, after its container
//! is gone, or under a flag that is not set yet.

use super::support::custody::is_shipped;
use crate::finding::{Confidence, Finding, StepKind};
use crate::model::{CallId, Cond, Flow, FunctionId, In, Literal, Step, Summary, Value, ValueId};
use crate::project::Project;
use crate::text::Span;

const NAME: &str = "releaser-cannot-work";

pub(super) fn check(project: &Project<'_>, findings: &mut Vec<Finding>) {
    for function in project.functions().filter(|function| is_shipped(project, *function)) {
        let code = Code { project, summary: project.summary(function.file), function };
        let flow = &project.function(function).flow;
        flow.walk(&mut |flow| match flow {
            Flow::Branch { cond, then, otherwise, span } => code.inverted(cond, then, otherwise, *span, findings),
            Flow::Sequence(parts) => code.order(parts, findings),
            _ => {}
        });
        findings.extend(code.flag());
    }
}

struct Code<'p, 'a> {
    project: &'p Project<'a>,
    summary: &'p Summary,
    function: In<FunctionId>,
}

impl Code<'_, '_> {
    /// The call and what it releases, for a step that releases something by its catalog row.
    fn release(&self, flow: &Flow) -> Option<(CallId, ValueId)> {
        let Flow::Step(Step::Call(call)) = flow else { return None };
        let id = self.function.with(*call);
        let api = self.project.api(id)?;
        if api.gives.is_some() {
            return None;
        }
        let value = self.project.part(id, api.releases?)?;
        matches!(api.releases, Some(crate::model::contract::Part::Argument(_))).then_some((*call, value.id))
    }

    /// `if (!p) delete p`.
    fn inverted(&self, cond: &Cond, then: &Flow, otherwise: &Flow, span: Span, findings: &mut Vec<Finding>) {
        let Some((value, null_when)) = self.null_test(cond) else { return };
        let side = if null_when { then } else { otherwise };
        let mut found = None;
        let mut replaced = false;
        side.walk(&mut |flow| {
            replaced |= matches!(flow, Flow::Step(Step::Assign(assign)) if assign.place == value);
            if let Some((call, released)) = self.release(flow)
                && released == value
                && !replaced
            {
                found = found.or(Some(call));
            }
        });
        let Some(call) = found.filter(|call| self.is_only_use(*call, value)) else { return };
        let (name, location) =
            (self.project.text(self.function.with(value)), self.project.locate(self.function.with(call)));
        findings.push(
            self.finding(Confidence::High, span, format!("`{name}` is released only where it is null"))
                .with_why(format!(
                    "the condition lets the release run exactly when there is nothing in `{name}` to release"
                ))
                .with_help("invert the condition, or drop it: releasing null is harmless")
                .with_step(StepKind::Release, location, "never releases anything"),
        );
    }

    /// Whether nothing else of the function uses a value: another release, a hand-over, a store or a return.
    fn is_only_use(&self, release: CallId, value: ValueId) -> bool {
        let mut uses = 0;
        self.project.function(self.function).flow.walk(&mut |flow| match flow {
            Flow::Step(Step::Call(call)) if *call != release => {
                uses += self.summary.call(*call).arguments.iter().filter(|argument| argument.value == value).count();
            }
            Flow::Step(Step::Assign(assign)) => uses += usize::from(assign.value == value || assign.place == value),
            Flow::Exit(crate::model::Exit::Return(Some(returned)), _) => uses += usize::from(*returned == value),
            _ => {}
        });
        uses == 0
    }

    /// The value that a condition tests for null, and which outcome means null.
    fn null_test(&self, cond: &Cond) -> Option<(ValueId, bool)> {
        match cond {
            Cond::Not(inner) => self.null_test(inner).map(|(value, null_when)| (value, !null_when)),
            Cond::Truthy(value) => match self.summary.value(*value) {
                Value::Result(call) => match self.summary.value(self.summary.call(*call).callee) {
                    Value::Member(receiver, name) if matches!(name.as_str(), "isNull" | "IsNull" | "is_null") => {
                        Some((*receiver, true))
                    }
                    _ => None,
                },
                Value::Binding(_) | Value::Member(..) | Value::Index(..) | Value::Global(_) => Some((*value, false)),
                _ => None,
            },
            Cond::Equal(value, other) => {
                matches!(self.summary.value(*other), Value::Literal(Literal::Null)).then_some((*value, true))
            }
            _ => None,
        }
    }

    /// `free(list[i]); free(list[i]->data)`: what holds the second is gone.
    fn order(&self, parts: &[Flow], findings: &mut Vec<Finding>) {
        for pair in parts.windows(2) {
            let (Some((first, container)), Some((second, content))) = (self.release(&pair[0]), self.release(&pair[1]))
            else {
                continue;
            };
            if !self.is_inside(content, container) {
                continue;
            }
            let (container, content) =
                (self.project.text(self.function.with(container)), self.project.text(self.function.with(content)));
            let at = self.summary.call(first).span;
            findings.push(
                self.finding(
                    Confidence::High,
                    at,
                    format!("`{content}` is released after `{container}`, which holds it, is gone"),
                )
                .with_why(format!(
                    "`{content}` is read from freed memory, so what is freed second is anything but what was acquired"
                ))
                .with_help(format!(
                    "release `{content}` first, in a loop over all that `{container}` holds, and `{container}` last"
                ))
                .with_step(
                    StepKind::Release,
                    self.project.locate(self.function.with(second)),
                    "comes too late",
                ),
            );
        }
    }

    fn is_inside(&self, inner: ValueId, outer: ValueId) -> bool {
        match self.summary.value(inner) {
            Value::Member(object, _) | Value::Index(object, _) | Value::Deref(object) => {
                *object == outer || self.is_inside(*object, outer)
            }
            _ => false,
        }
    }

    /// A releasing method under a flag, called on a way out on which the flag is not set yet.
    fn flag(&self) -> Option<Finding> {
        let project = self.project;
        let mut acquired: Option<(CallId, ValueId)> = None;
        let mut called: Option<(CallId, In<FunctionId>)> = None;
        let mut found = None;
        project.function(self.function).flow.walk(&mut |flow| match flow {
            Flow::Step(Step::Assign(assign)) => {
                if let Value::Result(call) = self.summary.value(assign.value)
                    && matches!(self.summary.value(assign.place), Value::Member(object, _) if matches!(self.summary.value(*object), Value::This(_)))
                    && project.is_heap(self.function.with(*call))
                {
                    acquired = acquired.or(Some((*call, assign.place)));
                    called = None;
                } else if let (Some((releasing, releaser)), Some((acquiring, place))) = (called, acquired)
                    && *self.summary.value(assign.value) == Value::Literal(Literal::Bool(true))
                    && self.guards(releaser, assign.place, place)
                {
                    found = found.or(Some((acquiring, place, releasing, releaser, assign.place, assign.span)));
                }
            }
            Flow::Step(Step::Call(call)) if acquired.is_some() => {
                let targets = project.targets(self.function.with(*call));
                if let ([target], false) = (targets.functions.as_slice(), targets.weak)
                    && project.class_of(*target).is_some()
                    && project.class_of(*target) == project.class_of(self.function)
                {
                    called = called.or(Some((*call, *target)));
                }
            }
            _ => {}
        });
        let (acquiring, place, releasing, releaser, flag, set) = found?;
        let (place, flag) = (project.text(self.function.with(place)), project.text(self.function.with(flag)));
        let releaser = project.function_name(releaser);
        Some(
            self.finding(
                Confidence::Medium,
                self.summary.call(acquiring).span,
                format!("`{place}` is not released on a failure: {releaser} does nothing yet"),
            )
            .with_why(format!(
                "{releaser} releases only where `{flag}` is set, and `{flag}` is set after the way out that calls it"
            ))
            .with_help(format!(
                "set `{flag}` as soon as `{place}` is allocated, or let {releaser} test `{place}` itself"
            ))
            .with_step(StepKind::Release, project.locate(self.function.with(releasing)), "does nothing here")
            .with_step(StepKind::Hold, project.at(self.function.file, set), "the flag is set only here"),
        )
    }

    /// Whether all that a method releases, a field among it, stands under a flag.
    fn guards(&self, releaser: In<FunctionId>, flag: ValueId, place: ValueId) -> bool {
        let member = |value: In<ValueId>| match self.project.value(value) {
            Value::Member(_, name) => Some(*name),
            _ => None,
        };
        let (Some(flag), Some(place)) = (member(self.function.with(flag)), member(self.function.with(place))) else {
            return false;
        };
        let other = Code { project: self.project, summary: self.project.summary(releaser.file), function: releaser };
        let (mut under, mut all) = (0, 0);
        let count = |flow: &Flow, total: &mut u32| {
            flow.walk(&mut |flow| {
                if let Some((_, released)) = other.release(flow) {
                    let mentions = member(releaser.with(released)) == Some(place)
                        || matches!(other.summary.value(released), Value::Member(..));
                    *total += u32::from(mentions);
                }
            });
        };
        let flow = &self.project.function(releaser).flow;
        count(flow, &mut all);
        flow.walk(&mut |flow| {
            if let Flow::Branch { cond, then, .. } = flow {
                let tested = match cond {
                    Cond::Truthy(value) => Some(*value),
                    Cond::Equal(value, other_value)
                        if *other.summary.value(*other_value) == Value::Literal(Literal::Bool(true)) =>
                    {
                        Some(*value)
                    }
                    _ => None,
                };
                if tested.and_then(|value| member(releaser.with(value))) == Some(flag) {
                    count(then, &mut under);
                }
            }
        });
        all > 0 && under >= all
    }

    fn finding(&self, confidence: Confidence, span: Span, message: String) -> Finding {
        Finding::new(NAME, confidence, self.project.at(self.function.file, span), message)
            .with_context(self.project.function_name(self.function))
    }
}
