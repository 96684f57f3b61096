//! `--format concise`: a line a finding, for eyes and grep.

use super::{Report, name_of};
use std::io::{self, Write};

/// `path:line:col: warning[rule] message`.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in report.active() {
        let finding = &diagnostic.finding;
        let (start, _) = report.range(finding.at);
        let severity = name_of(diagnostic.severity);
        let file = report.file(finding.at);
        writeln!(out, "{file}:{}:{}: {severity}[{}] {}", start.line, start.column, finding.rule, finding.message)?;
    }
    for error in &report.errors {
        writeln!(out, "{}:{}:{}: error: {}", error.file, error.at.line, error.at.column, error.message)?;
    }
    Ok(())
}
