//! `--format eslint`: the array that eslint's `json` formatter prints, for whatever reads that. Offsets and columns count
//! UTF-16 units, as eslint's do; absolute paths; a result for each file, findings or not.

use super::{Diagnostic, Report, merged};
use crate::finding::{Applicability, Fix, Severity};
use crate::text::{FileId, Source};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the array.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let asked = report.sources.iter().filter(|(file, _)| report.may_change(*file));
    let mut results: Vec<Value> = asked.map(|(file, source)| result(report, file, source)).collect();
    // Files that could not be read at all have no source; eslint has results for them, too.
    let known: Vec<&str> = report.sources.iter().map(|(_, source)| &*source.name).collect();
    for error in report.errors.iter().filter(|error| !known.contains(&error.file.as_str())) {
        results.push(json!({
            "filePath": error.file,
            "messages": [fatal(error)],
            "suppressedMessages": [],
            "errorCount": 1,
            "fatalErrorCount": 1,
            "warningCount": 0,
            "fixableErrorCount": 0,
            "fixableWarningCount": 0,
            "usedDeprecatedRules": [],
        }));
    }
    writeln!(out, "{}", Value::from(results))
}

fn result(report: &Report, file: FileId, source: &Source) -> Value {
    let here = || report.diagnostics.iter().filter(|diagnostic| diagnostic.finding.at.file == file);
    let mut messages: Vec<Value> =
        report.errors.iter().filter(|error| *error.file == *source.name).map(fatal).collect();
    let fatal = messages.len();
    let mut suppressed = Vec::new();
    for diagnostic in here() {
        let mut value = message(report, source, diagnostic);
        match &diagnostic.suppressed {
            None => messages.push(value),
            Some(by) => {
                value["suppressions"] = json!([{ "kind": "directive", "justification": by.reason }]);
                suppressed.push(value);
            }
        }
    }
    let active = || here().filter(|diagnostic| diagnostic.suppressed.is_none());
    let count = |severity| active().filter(|item| item.severity == severity).count();
    let fixable = |severity| {
        let safe = |item: &&Diagnostic| item.severity == severity && safe_fix(report, item).is_some();
        active().filter(safe).count()
    };
    json!({
        "filePath": source.path.to_string_lossy(),
        "messages": messages,
        "suppressedMessages": suppressed,
        "errorCount": fatal + count(Severity::Error),
        "fatalErrorCount": fatal,
        "warningCount": count(Severity::Warning),
        "fixableErrorCount": fixable(Severity::Error),
        "fixableWarningCount": fixable(Severity::Warning),
        "usedDeprecatedRules": [],
    })
}

fn fatal(error: &super::Problem) -> Value {
    json!({
        "ruleId": null,
        "fatal": true,
        "severity": 2,
        "message": format!("Parsing error: {}", error.message),
        "line": error.at.line,
        "column": error.at.column,
        "nodeType": null,
    })
}

fn message(report: &Report, source: &Source, diagnostic: &Diagnostic) -> Value {
    let finding = &diagnostic.finding;
    let (line, column) = point(source, finding.at.span.start);
    let (end_line, end_column) = point(source, finding.at.span.end);
    let mut value = json!({
        "ruleId": format!("leaklint/{}", finding.rule),
        "severity": if diagnostic.severity == Severity::Error { 2 } else { 1 },
        "message": if finding.help.is_empty() { finding.message.clone() } else { format!("{}; {}", finding.message, finding.help) },
        "line": line,
        "column": column,
        "nodeType": null,
        "endLine": end_line,
        "endColumn": end_column,
    });
    if let Some(fix) = safe_fix(report, diagnostic) {
        value["fix"] = edit(report, source, fix, finding.at.file);
    }
    let suggestions: Vec<Value> = finding
        .fixes
        .iter()
        .filter(|fix| fix.applicability == Applicability::Unsafe && merged(report, fix, finding.at.file).is_some())
        .map(|fix| json!({ "desc": fix.title, "fix": edit(report, source, fix, finding.at.file) }))
        .collect();
    if !suggestions.is_empty() {
        value["suggestions"] = suggestions.into();
    }
    value
}

fn safe_fix<'a>(report: &Report, diagnostic: &'a Diagnostic) -> Option<&'a Fix> {
    let file = diagnostic.finding.at.file;
    let mut fixes = diagnostic.finding.fixes.iter();
    fixes.find(|fix| fix.applicability == Applicability::Safe && merged(report, fix, file).is_some())
}

fn edit(report: &Report, source: &Source, fix: &Fix, file: FileId) -> Value {
    merged(report, fix, file).map_or(Value::Null, |(span, text)| {
        let range = [units(&source.text[..span.start as usize]), units(&source.text[..span.end as usize])];
        json!({ "range": range, "text": text })
    })
}

/// 1-based line and column, the column in UTF-16 units.
fn point(source: &Source, offset: u32) -> (u32, usize) {
    let line = source.lines.line(offset);
    let start = source.lines.start_of(line).unwrap_or(0) as usize;
    (line, source.text.get(start..offset as usize).map_or(0, units) + 1)
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}
