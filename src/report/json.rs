//! `--format json`, version 1, as documented for editors and scripts. Also the shapes that other JSON formats share.

use super::{Diagnostic, Problem, Report, url};
use crate::finding::{Applicability, Confidence, Law, Severity, StepKind};
use crate::text::{Edit, Location};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    diagnostics: Vec<Item<'a>>,
    errors: Vec<Error<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
pub(super) struct Item<'a> {
    rule: &'a str,
    family: &'a str,
    law: Option<Law>,
    severity: Severity,
    confidence: Confidence,
    cwe: u32,
    message: &'a str,
    why: &'a str,
    help: &'a str,
    url: String,
    file: &'a str,
    range: Range,
    trace: Vec<Step<'a>>,
    fixes: Vec<Fix<'a>>,
    fingerprint: &'a str,
    suppressed: Option<Suppressed<'a>>,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Range {
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Step<'a> {
    kind: StepKind,
    file: &'a str,
    range: Range,
    message: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    applicability: Applicability,
    edits: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    file: &'a str,
    range: Range,
    text: &'a str,
}

#[derive(Serialize)]
struct Suppressed<'a> {
    by: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct Error<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

#[derive(Serialize)]
pub(super) struct Summary {
    files: usize,
    skipped: usize,
    partial: usize,
    errors: usize,
    findings: usize,
    suppressed: usize,
    milliseconds: u64,
}

/// Writes the whole report as one document.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: 1,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        diagnostics: report.diagnostics.iter().map(|diagnostic| item(report, diagnostic)).collect(),
        errors: report.errors.iter().map(error).collect(),
        summary: summary(report),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

pub(super) fn item<'a>(report: &'a Report, diagnostic: &'a Diagnostic) -> Item<'a> {
    let finding = &diagnostic.finding;
    Item {
        rule: finding.rule,
        family: &diagnostic.info.family,
        law: diagnostic.info.law,
        severity: diagnostic.severity,
        confidence: finding.confidence,
        cwe: diagnostic.info.cwe,
        message: &finding.message,
        why: &finding.why,
        help: &finding.help,
        url: url(finding.rule),
        file: report.file(finding.at),
        range: range(report, finding.at),
        trace: finding
            .trace
            .iter()
            .map(|step| Step {
                kind: step.kind,
                file: report.file(step.at),
                range: range(report, step.at),
                message: &step.message,
            })
            .collect(),
        fixes: finding
            .fixes
            .iter()
            .map(|fix| Fix {
                title: &fix.title,
                applicability: fix.applicability,
                edits: fix.edits.iter().map(|edit| change(report, edit)).collect(),
            })
            .collect(),
        fingerprint: &diagnostic.fingerprint,
        suppressed: diagnostic.suppressed.as_ref().map(|by| Suppressed { by: by.by, reason: &by.reason }),
    }
}

fn change<'a>(report: &'a Report, edit: &'a Edit) -> Change<'a> {
    let at = Location { file: edit.file, span: edit.span };
    Change { file: report.file(at), range: range(report, at), text: &edit.text }
}

pub(super) fn summary(report: &Report) -> Summary {
    Summary {
        files: report.counts.files,
        skipped: report.counts.skipped,
        partial: report.counts.partial,
        errors: report.errors.len(),
        findings: report.active().count(),
        suppressed: report.counts.suppressed,
        milliseconds: report.counts.milliseconds,
    }
}

pub(super) fn error(problem: &Problem) -> Error<'_> {
    Error { file: &problem.file, line: problem.at.line, column: problem.at.column, message: &problem.message }
}

fn range(report: &Report, at: Location) -> Range {
    let (start, end) = report.range(at);
    Range {
        start: Point { line: start.line, column: start.column, offset: at.span.start },
        end: Point { line: end.line, column: end.column, offset: at.span.end },
    }
}
