//! How often functions run and instances are made: the first law's scale, derived from exports, callers, callbacks, loops
//! and guards. Every answer says why, in words that can be checked in the code.

use super::Project;
use crate::finding::TraceStep;
use crate::model::{CallId, ClassId, FunctionId, In, Rate};

/// How often something happens, and why that is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateAnswer {
    /// How often; none where nothing tells.
    pub rate: Option<Rate>,
    /// Why, outermost reason first; ready to be put into a finding's trace.
    pub why: Vec<TraceStep>,
}

impl RateAnswer {
    /// The reasons as one clause, for a finding's `why`.
    pub fn because(&self) -> String {
        self.why.iter().map(|step| step.message.as_str()).collect::<Vec<_>>().join("; ")
    }
}

impl Project<'_> {
    /// How often a function runs.
    pub fn rate(&self, _function: In<FunctionId>) -> RateAnswer {
        RateAnswer::default()
    }

    /// How often a call happens: its function's rate, raised by loops around it, lowered by once-guards
    /// (`if (done) return; done = true`, `if (!x) x = …`).
    pub fn call_rate(&self, _call: In<CallId>) -> RateAnswer {
        RateAnswer::default()
    }

    /// How often instances of a class are made.
    pub fn instances(&self, _class: In<ClassId>) -> RateAnswer {
        RateAnswer::default()
    }
}
