//! `--format github`: workflow commands that GitHub Actions shows as annotations, and the table of the job's summary page.
//! GitHub shows ten errors and ten warnings a step and drops the rest, so the surest findings go first.

use super::{Diagnostic, Report, name_of, plural};
use crate::finding::Severity;
use std::io::{self, Write};

/// What GitHub shows of one kind in one step.
const LIMIT: usize = 10;

/// Rows that keep the summary page below its limit of 1 MB.
const ROWS: usize = 1_000;

/// Writes one command a finding, up to the limits, and one notice for all that is above them.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut left_over = 0;
    let mut errors_left = LIMIT;
    for error in report.errors.iter().take(LIMIT) {
        let file = property(&format!("{}{}", report.prefix, error.file));
        let at = error.at;
        let message = data(&error.message);
        writeln!(out, "::error file={file},line={},col={},title=not parsed::{message}", at.line, at.column)?;
        errors_left -= 1;
    }
    left_over += report.errors.len().saturating_sub(LIMIT);
    for (severity, limit) in [(Severity::Error, errors_left), (Severity::Warning, LIMIT)] {
        let mut diagnostics: Vec<&Diagnostic> = report.active().filter(|item| item.severity == severity).collect();
        diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.finding.confidence));
        left_over += diagnostics.len().saturating_sub(limit);
        for diagnostic in diagnostics.into_iter().take(limit) {
            annotation(report, diagnostic, out)?;
        }
    }
    if left_over > 0 {
        let rest = plural(left_over, "more finding");
        writeln!(out, "::notice title=leaklint::{rest} in the summary of this job and in its log")?;
    }
    Ok(())
}

fn annotation(report: &Report, diagnostic: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
    let finding = &diagnostic.finding;
    let (start, end) = report.range(finding.at);
    let file = property(&format!("{}{}", report.prefix, report.file(finding.at)));
    // Columns are for one line; with several GitHub refuses them.
    let columns =
        if start.line == end.line { format!(",col={},endColumn={}", start.column, end.column) } else { String::new() };
    let mut message = finding.message.clone();
    for (word, text) in [("why", &finding.why), ("help", &finding.help)] {
        if !text.is_empty() {
            message.push_str(&format!("\n{word}: {text}"));
        }
    }
    writeln!(
        out,
        "::{} file={file},line={},endLine={}{columns},title={}::{}",
        name_of(diagnostic.severity),
        start.line,
        end.line,
        property(finding.rule),
        data(&message)
    )
}

/// The whole report as Markdown, for `$GITHUB_STEP_SUMMARY`.
pub fn summary(report: &Report) -> String {
    let found = report.active().count();
    let mut text = format!("### leaklint: {} in {}\n\n", plural(found, "finding"), plural(report.counts.files, "file"));
    if found > 0 {
        text.push_str("| Where | Rule | Confidence | What |\n|---|---|---|---|\n");
    }
    for diagnostic in report.active().take(ROWS) {
        let finding = &diagnostic.finding;
        let (start, _) = report.range(finding.at);
        text.push_str(&format!(
            "| `{}{}:{}` | `{}` | {} | {} |\n",
            report.prefix,
            cell(report.file(finding.at)),
            start.line,
            finding.rule,
            super::confidence(finding.confidence),
            cell(&finding.message)
        ));
    }
    if found > ROWS {
        text.push_str(&format!("\n{} more.\n", found - ROWS));
    }
    for error in report.errors.iter().take(ROWS) {
        text.push_str(&format!("\n- `{}{}:{}`: {}\n", report.prefix, error.file, error.at.line, cell(&error.message)));
    }
    text.push('\n');
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}

/// Text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
