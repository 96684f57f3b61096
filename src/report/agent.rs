//! `--format agent`: for programs that mend code by reading it. Every finding is complete in itself, without decoration:
//! where, what, why, what to do, the story with its lines of code, and the edit as a diff where it is known.

use super::{Diagnostic, Report, confidence, diff, name_of, plural, step_name};
use crate::finding::Applicability;
use crate::text::{Edit, Location, apply};
use std::io::{self, Write};

/// Writes the findings.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in report.active() {
        finding(report, diagnostic, out)?;
    }
    for error in &report.errors {
        writeln!(out, "## {}:{}:{} not parsed\n\n{}\n", error.file, error.at.line, error.at.column, error.message)?;
    }
    let found = report.active().count();
    writeln!(out, "{} in {}.", plural(found, "finding"), plural(report.counts.files, "file"))?;
    if found > 0 {
        writeln!(
            out,
            "`leaklint explain RULE` says more about a rule. Mend the code, then run leaklint again on the same paths. \
             If a finding is wrong, put `// leaklint-disable-next-line RULE -- reason` before the statement."
        )?;
    }
    Ok(())
}

fn finding(report: &Report, diagnostic: &Diagnostic, out: &mut dyn Write) -> io::Result<()> {
    let finding = &diagnostic.finding;
    let at = report.range(finding.at).0;
    let how = format!("{}, {} confidence", name_of(diagnostic.severity), confidence(finding.confidence));
    writeln!(out, "## {}:{}:{} {} ({how})\n", report.file(finding.at), at.line, at.column, finding.rule)?;
    writeln!(out, "{}", finding.message)?;
    for (word, text) in [("why", &finding.why), ("do", &finding.help)] {
        if !text.is_empty() {
            writeln!(out, "{word}: {text}")?;
        }
    }
    for step in &finding.trace {
        let line = report.range(step.at).0.line;
        writeln!(out, "- {} {}:{line}: {}", step_name(step.kind), report.file(step.at), step.message)?;
        writeln!(out, "  `{}`", code_line(report, step.at))?;
    }
    if let Some(fix) = finding.fixes.first() {
        let how = match fix.applicability {
            Applicability::Safe => "keeps behaviour",
            Applicability::Unsafe => "may change behaviour",
            Applicability::Display => "a sketch",
        };
        writeln!(out, "fix ({how}): {}\n```diff", fix.title)?;
        let mut files: Vec<_> = fix.edits.iter().map(|edit| edit.file).collect();
        files.sort_unstable();
        files.dedup();
        for file in files {
            let source = report.sources.get(file);
            let edits: Vec<&Edit> = fix.edits.iter().filter(|edit| edit.file == file).collect();
            if let Some(changed) = apply(&source.text, &edits) {
                out.write_all(diff::unified(&source.name, &source.text, &changed).as_bytes())?;
            }
        }
        writeln!(out, "```")?;
    }
    writeln!(out)
}

fn code_line(report: &Report, at: Location) -> String {
    let source = report.sources.get(at.file);
    let line = source.lines.line(at.span.start);
    let start = source.lines.start_of(line).unwrap_or(0) as usize;
    let text = source.text[start..].lines().next().unwrap_or_default().trim();
    text.chars().take(200).collect()
}
