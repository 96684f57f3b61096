//! `--format gitlab`: a code quality report. Paths are from the root of the repository, fingerprints know no lines.

use super::Report;
use crate::finding::Severity;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the list.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let items: Vec<Value> = report
        .active()
        .map(|diagnostic| {
            let finding = &diagnostic.finding;
            let (start, end) = report.range(finding.at);
            json!({
                "type": "issue",
                "check_name": finding.rule,
                "description": format!("{}; {}", finding.message, finding.help).trim_end_matches("; "),
                "categories": ["Bug Risk"],
                "severity": if diagnostic.severity == Severity::Error { "critical" } else { "major" },
                "fingerprint": diagnostic.fingerprint,
                "location": {
                    "path": format!("{}{}", report.prefix, report.file(finding.at)),
                    "lines": { "begin": start.line, "end": end.line },
                },
            })
        })
        .collect();
    writeln!(out, "{:#}", Value::from(items))
}
