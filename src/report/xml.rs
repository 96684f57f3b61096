//! `--format junit` and `--format checkstyle`: the two XML reports that build servers read.

use super::{Diagnostic, Report, name_of};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A test suite a file, a failed test case a finding; one case that passed where nothing is found.
pub fn junit(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let by_file = by_file(report);
    let failures: usize = by_file.values().map(Vec::len).sum();
    let errors = report.errors.len();
    let tests = (failures + errors).max(1);
    let seconds = report.counts.milliseconds as f64 / 1000.0;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"leaklint\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\">"
    )?;
    for (file, diagnostics) in &by_file {
        let count = diagnostics.len();
        let name = escaped(file);
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{count}\" errors=\"0\" time=\"0\">")?;
        for diagnostic in diagnostics {
            let finding = &diagnostic.finding;
            let at = report.range(finding.at).0;
            let text = format!("{file}:{}:{}\n{}\n{}", at.line, at.column, finding.why, finding.help);
            writeln!(
                out,
                "    <testcase name=\"{}:{}\" classname=\"{name}\" time=\"0\">\n      <failure message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>",
                finding.rule,
                at.line,
                escaped(&finding.message),
                name_of(diagnostic.severity),
                escaped(text.trim_end())
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    if errors > 0 {
        writeln!(
            out,
            "  <testsuite name=\"reading\" tests=\"{errors}\" failures=\"0\" errors=\"{errors}\" time=\"0\">"
        )?;
        for error in &report.errors {
            writeln!(
                out,
                "    <testcase name=\"reading:{}\" classname=\"{}\" time=\"0\">\n      <error message=\"{}\" type=\"error\"></error>\n    </testcase>",
                error.at.line,
                escaped(&error.file),
                escaped(&error.message)
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    if failures + errors == 0 {
        writeln!(out, "  <testsuite name=\"leaklint\" tests=\"1\" failures=\"0\" errors=\"0\" time=\"0\">")?;
        writeln!(out, "    <testcase name=\"no leaks found\" classname=\"leaklint\" time=\"0\"></testcase>")?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// An element a file, an error a finding.
pub fn checkstyle(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">")?;
    let mut errors: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for error in &report.errors {
        errors.entry(&error.file).or_default().push(format!(
            "    <error line=\"{}\" column=\"{}\" severity=\"error\" message=\"{}\" source=\"leaklint\"/>",
            error.at.line,
            error.at.column,
            escaped(&error.message)
        ));
    }
    for (file, diagnostics) in by_file(report) {
        for diagnostic in diagnostics {
            let finding = &diagnostic.finding;
            let at = report.range(finding.at).0;
            errors.entry(file).or_default().push(format!(
                "    <error line=\"{}\" column=\"{}\" severity=\"{}\" message=\"{}\" source=\"leaklint.{}\"/>",
                at.line,
                at.column,
                name_of(diagnostic.severity),
                escaped(&finding.message),
                finding.rule
            ));
        }
    }
    for (file, lines) in errors {
        writeln!(out, "  <file name=\"{}\">\n{}\n  </file>", escaped(file), lines.join("\n"))?;
    }
    writeln!(out, "</checkstyle>")
}

fn by_file(report: &Report) -> BTreeMap<&str, Vec<&Diagnostic>> {
    let mut by_file: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in report.active() {
        by_file.entry(report.file(diagnostic.finding.at)).or_default().push(diagnostic);
    }
    by_file
}

/// Text as it may stand in XML, attributes included; control characters, which XML can't hold, are replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
