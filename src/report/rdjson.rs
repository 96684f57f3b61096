//! `--format rdjson`: the Reviewdog Diagnostic Format. Columns count UTF-8 bytes there.

use super::{Diagnostic, Report, merged};
use crate::finding::{Applicability, Severity};
use crate::text::{Location, Span};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the document.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics: Vec<Value> = report.active().map(|diagnostic| item(report, diagnostic)).collect();
    let document = json!({ "source": { "name": "leaklint" }, "severity": "WARNING", "diagnostics": diagnostics });
    writeln!(out, "{document:#}")
}

fn item(report: &Report, diagnostic: &Diagnostic) -> Value {
    let finding = &diagnostic.finding;
    let mut message = finding.message.clone();
    for text in [&finding.why, &finding.help] {
        if !text.is_empty() {
            message.push('\n');
            message.push_str(text);
        }
    }
    let related: Vec<Value> = finding
        .trace
        .iter()
        .map(|step| json!({ "message": step.message, "location": location(report, step.at) }))
        .collect();
    let suggestions: Vec<Value> = finding
        .fixes
        .iter()
        .filter(|fix| fix.applicability != Applicability::Display)
        .filter_map(|fix| merged(report, fix, finding.at.file))
        .map(|(span, text)| json!({ "range": range(report, Location { file: finding.at.file, span }), "text": text }))
        .collect();
    let mut code = json!({ "value": finding.rule });
    let url = super::url(finding.rule);
    if url.starts_with("http") {
        code["url"] = url.into();
    }
    json!({
        "message": message,
        "location": location(report, finding.at),
        "severity": if diagnostic.severity == Severity::Error { "ERROR" } else { "WARNING" },
        "code": code,
        "suggestions": suggestions,
        "related_locations": related,
    })
}

fn location(report: &Report, at: Location) -> Value {
    json!({ "path": report.file(at), "range": range(report, at) })
}

fn range(report: &Report, at: Location) -> Value {
    let lines = &report.sources.get(at.file).lines;
    let point = |offset: u32| {
        let line = lines.line(offset);
        json!({ "line": line, "column": offset - lines.start_of(line).unwrap_or(0) + 1 })
    };
    let Span { start, end } = at.span;
    json!({ "start": point(start), "end": point(end) })
}
