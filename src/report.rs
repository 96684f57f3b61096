//! What a run hands to people and machines, and the formats in which it does. Sees only text and findings: no parser, no
//! project, no configuration. One format a file; only `human` names miette.

mod agent;
mod concise;
mod diff;
mod eslint;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod jsonl;
mod rdjson;
mod sarif;
mod xml;

pub use diff::unified;

use crate::finding::{Confidence, Finding, Fix, RuleInfo, Severity, StepKind};
use crate::text::{Edit, FileId, Location, Position, Sources, Span, apply};
use std::io::{self, Write};

/// A finding as it is reported.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// What the rule said.
    pub finding: Finding,
    /// What the rule's page says.
    pub info: &'static RuleInfo,
    /// How bad it is taken here, configuration included.
    pub severity: Severity,
    /// The same for the same leak, whatever happens to the lines above it.
    pub fingerprint: String,
    /// What silences it; such a finding is counted and written by formats that can say so, and fails nothing.
    pub suppressed: Option<Suppressed>,
}

/// What silences a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// `comment` or `baseline`.
    pub by: &'static str,
    /// The reason that was given with it.
    pub reason: String,
}

/// Something that went wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Where in it.
    pub at: Position,
    /// Lower case, no full stop.
    pub message: String,
}

/// How many of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files read of those that were asked for.
    pub files: usize,
    /// Files among them that were not read.
    pub skipped: usize,
    /// Files of which some code was not understood.
    pub partial: usize,
    /// Findings that something silences.
    pub suppressed: usize,
    /// Time from start to report.
    pub milliseconds: u64,
}

/// A whole run.
#[derive(Debug, Default)]
pub struct Report {
    /// The files.
    pub sources: Sources,
    /// Findings in their order: file, line, column, rule.
    pub diagnostics: Vec<Diagnostic>,
    /// What could not be read or parsed.
    pub errors: Vec<Problem>,
    /// Counts.
    pub counts: Counts,
    /// What leads from the root of the repository to the working directory: empty, or a path that ends with `/`.
    pub prefix: String,
    /// Whether each file, by [`FileId`], is one of those asked for.
    pub asked: Vec<bool>,
}

/// A way to write a report down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people.
    Human,
    /// A line a finding.
    Concise,
    /// For machines, version 1.
    Json,
    /// The same, an object a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// Code quality of GitLab.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
    /// Reviewdog's diagnostics.
    Rdjson,
    /// eslint's array.
    Eslint,
    /// A page for browsers.
    Html,
    /// For programs that mend code by reading it.
    Agent,
}

impl Format {
    /// Every format with its name.
    pub const ALL: &[(&str, Format)] = &[
        ("human", Format::Human),
        ("concise", Format::Concise),
        ("json", Format::Json),
        ("jsonl", Format::Jsonl),
        ("sarif", Format::Sarif),
        ("github", Format::Github),
        ("gitlab", Format::Gitlab),
        ("junit", Format::Junit),
        ("checkstyle", Format::Checkstyle),
        ("rdjson", Format::Rdjson),
        ("eslint", Format::Eslint),
        ("html", Format::Html),
        ("agent", Format::Agent),
    ];

    /// The format of a name.
    pub fn named(name: &str) -> Option<Format> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// How reports look.
#[derive(Clone, Debug)]
pub struct Style {
    /// Escape sequences for colour.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style { color: false, width: 100 }
    }
}

impl Report {
    /// Findings that nothing silences.
    pub fn active(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.suppressed.is_none())
    }

    /// Whether a file is one of those asked for, so that fixes may change it.
    pub fn may_change(&self, file: FileId) -> bool {
        self.asked.get(file.0 as usize).copied().unwrap_or(false)
    }

    /// Where a location starts, and where it ends.
    pub fn range(&self, at: Location) -> (Position, Position) {
        let source = self.sources.get(at.file);
        let position = |offset| source.lines.position(&source.text, offset);
        (position(at.span.start), position(at.span.end))
    }

    /// Name of the file of a location.
    pub fn file(&self, at: Location) -> &str {
        &self.sources.get(at.file).name
    }

    /// One finding as people see it.
    pub fn render(&self, diagnostic: &Diagnostic, style: &Style) -> String {
        human::one(self, diagnostic, style)
    }

    /// The report as a page of Markdown, for the summary of a job.
    pub fn markdown(&self) -> String {
        github::summary(self)
    }

    /// Writes the report in a format.
    pub fn write(&self, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Human => human::write(self, style, out),
            Format::Concise => concise::write(self, out),
            Format::Json => json::write(self, out),
            Format::Jsonl => jsonl::write(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Github => github::write(self, out),
            Format::Gitlab => gitlab::write(self, out),
            Format::Junit => xml::junit(self, out),
            Format::Checkstyle => xml::checkstyle(self, out),
            Format::Rdjson => rdjson::write(self, out),
            Format::Eslint => eslint::write(self, out),
            Format::Html => html::write(self, out),
            Format::Agent => agent::write(self, out),
        }
    }
}

/// Address of a rule's page: absolute where the crate says where its repository is.
pub fn url(rule: &str) -> String {
    match env!("CARGO_PKG_REPOSITORY") {
        "" => format!("rules/{rule}.md"),
        repository => format!("{repository}/blob/v{}/rules/{rule}.md", env!("CARGO_PKG_VERSION")),
    }
}

fn name_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning | Severity::Off => "warning",
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn step_name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Acquire => "acquire",
        StepKind::Grow => "grow",
        StepKind::Hold => "hold",
        StepKind::Repeat => "repeat",
        StepKind::Exit => "exit",
        StepKind::Release => "release",
    }
}

/// A fix as one replacement in one file, for formats that know no other; none if it touches other files.
fn merged(report: &Report, fix: &Fix, file: FileId) -> Option<(Span, String)> {
    let edits: Vec<&Edit> = fix.edits.iter().collect();
    if edits.iter().any(|edit| edit.file != file) {
        return None;
    }
    let start = edits.iter().map(|edit| edit.span.start).min()?;
    let end = edits.iter().map(|edit| edit.span.end).max()?;
    let text = &report.sources.get(file).text;
    let changed = apply(text, &edits)?;
    let kept = text.len() - end as usize;
    Some((Span::new(start, end), changed.get(start as usize..changed.len() - kept)?.to_owned()))
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
