//! What a rule says: a finding, its trace, its fixes, and the facts about the rule itself.
//! Knows positions only; never a language, a catalog row or an output format.

use crate::text::{Edit, Location};

/// How bad, as the exit code and the reports see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not run.
    Off,
    /// Reported; fails the run by default.
    Warning,
    /// Reported as an error.
    Error,
}

/// How sure. `--level strict` shows `High`, the default adds `Medium`, `--level all` adds `Low`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Latent: something that decides is not known from the sources read.
    Low,
    /// A maintainer would most likely accept it.
    Medium,
    /// Every step of the trace is proven by the sources.
    High,
}

/// The law of leaks that a rule applies; `model` states both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// Something grows more often than it is reborn and nothing shrinks it as often.
    Retention,
    /// The last holder of an owned handle dies on some path without release.
    Loss,
}

/// The part that one step of a trace plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Where the handle is obtained.
    Acquire,
    /// Where the place grows.
    Grow,
    /// What holds it, and how long that lives.
    Hold,
    /// Why it happens again and again.
    Repeat,
    /// The way out on which it is lost.
    Exit,
    /// A release that does not help here, and why.
    Release,
}

/// One step of the story that a finding tells, in the order in which it is to be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraceStep {
    /// Its part in the story.
    pub kind: StepKind,
    /// Where, possibly in another file.
    pub at: Location,
    /// Lower case, no full stop.
    pub message: String,
}

/// How far a fix can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Keeps behaviour, parses, and silences the finding.
    Safe,
    /// May change behaviour.
    Unsafe,
    /// A sketch for the reader, never applied.
    Display,
}

/// One way to mend a finding: all edits together.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fix {
    /// What it does, imperative, lower case.
    pub title: String,
    /// Whether a machine may apply it.
    pub applicability: Applicability,
    /// Non-overlapping edits.
    pub edits: Vec<Edit>,
}

/// One leak, as a rule found it. Built with [`Finding::new`] and the `with_` methods.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// The rule's name; whoever reads a finding back says it again.
    #[serde(skip)]
    pub rule: &'static str,
    /// How sure.
    pub confidence: Confidence,
    /// The acquire or grow site.
    pub at: Location,
    /// What leaks, in one clause: lower case, no full stop.
    pub message: String,
    /// Why it repeats and why nothing takes it back, in words that can be checked in the code.
    pub why: String,
    /// What to do about this code.
    pub help: String,
    /// The story: acquire, hold, repeat, exit.
    pub trace: Vec<TraceStep>,
    /// Ways to mend it, best first.
    pub fixes: Vec<Fix>,
    /// Name of the enclosing function, for the fingerprint; empty at module level.
    pub context: String,
}

impl Finding {
    /// A finding without trace or fixes.
    pub fn new(rule: &'static str, confidence: Confidence, at: Location, message: impl Into<String>) -> Self {
        Finding {
            rule,
            confidence,
            at,
            message: message.into(),
            why: String::new(),
            help: String::new(),
            trace: Vec::new(),
            fixes: Vec::new(),
            context: String::new(),
        }
    }

    /// Says why it repeats.
    #[must_use]
    pub fn with_why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Names the enclosing function.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = context.into();
        self
    }

    /// Adds a step to the story.
    #[must_use]
    pub fn with_step(mut self, kind: StepKind, at: Location, message: impl Into<String>) -> Self {
        self.trace.push(TraceStep { kind, at, message: message.into() });
        self
    }

    /// Adds a way to mend it.
    #[must_use]
    pub fn with_fix(mut self, title: impl Into<String>, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.fixes.push(Fix { title: title.into(), applicability, edits });
        self
    }
}

/// What the front matter of a rule's page says, for reports that never see the rule itself.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// Flat kebab-case name of the leak.
    pub name: &'static str,
    /// One line.
    pub summary: String,
    /// Group that `-A/-W/-D FAMILY` takes: listener, collection, timer, closure, promise, resource, native, ...
    pub family: String,
    /// The law it applies; none for what is reported but is no leak.
    pub law: Option<Law>,
    /// Default severity.
    pub severity: Severity,
    /// Languages it looks at: `js`, `ts`, `c`, `cpp`.
    pub languages: Vec<String>,
    /// Weakness number of the Common Weakness Enumeration.
    pub cwe: u32,
    /// Version that brought it.
    pub since: String,
    /// The whole page, as `leaklint explain` prints it.
    pub page: &'static str,
}
