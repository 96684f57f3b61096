//! `--format html`: one self-contained page: findings by rule or by file, each with its story drawn as a chain of what runs,
//! makes, holds and loses; search and filters; light and dark. Works without scripts, which only filter.

use super::xml::escaped;
use super::{Diagnostic, Report, confidence, diff, name_of, plural, step_name};
use crate::finding::{Applicability, StepKind, TraceStep};
use crate::text::Location;
use std::io::{self, Write};

/// Everything but the findings.
const PAGE: &str = include_str!("html/page.html");

/// Writes the page.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut findings = String::new();
    for diagnostic in report.active() {
        findings.push_str(&card(report, diagnostic));
    }
    let counts = &report.counts;
    let found = report.active().count();
    let mut facts = vec![plural(found, "finding"), plural(counts.files, "file")];
    let extras = [
        (report.errors.len(), "with problems"),
        (counts.skipped, "skipped"),
        (counts.partial, "partly understood"),
        (counts.suppressed, "suppressed"),
    ];
    facts.extend(extras.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let errors: String = report
        .errors
        .iter()
        .map(|error| {
            format!("<li><code>{}:{}</code> {}</li>\n", escaped(&error.file), error.at.line, escaped(&error.message))
        })
        .collect();
    let errors = if errors.is_empty() {
        String::new()
    } else {
        format!("<section class=\"problems\"><h2>Not parsed</h2><ul>\n{errors}</ul></section>")
    };
    let empty = if found == 0 { "<p class=\"none\">No leaks found.</p>" } else { "" };
    let page = PAGE
        .replace("{{facts}}", &facts.join(" · "))
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{errors}}", &errors)
        .replace("{{findings}}", &format!("{findings}{empty}"));
    out.write_all(page.as_bytes())
}

fn card(report: &Report, diagnostic: &Diagnostic) -> String {
    let finding = &diagnostic.finding;
    let file = escaped(report.file(finding.at));
    let line = report.range(finding.at).0.line;
    let severity = name_of(diagnostic.severity);
    let sure = confidence(finding.confidence);
    let mut text = format!(
        "<details class=\"finding {severity}\" data-rule=\"{}\" data-family=\"{}\" data-file=\"{file}\" \
         data-severity=\"{severity}\" data-confidence=\"{sure}\">\n<summary><span class=\"where\">{file}:{line}</span> \
         <span class=\"rule\">{}</span> <span class=\"sure\">{sure}</span><span class=\"message\">{}</span></summary>\n",
        finding.rule,
        escaped(&diagnostic.info.family),
        finding.rule,
        prose(&finding.message)
    );
    if !finding.why.is_empty() {
        text.push_str(&format!("<p class=\"why\">{}</p>\n", prose(&finding.why)));
    }
    text.push_str(&chain(report, diagnostic));
    if !finding.help.is_empty() {
        text.push_str(&format!("<p class=\"help\"><b>Do</b> {}</p>\n", prose(&finding.help)));
    }
    if let Some(fix) = finding.fixes.first() {
        let how = match fix.applicability {
            Applicability::Safe => "Fix",
            Applicability::Unsafe => "Fix that may change behaviour",
            Applicability::Display => "Sketch",
        };
        text.push_str(&format!("<p class=\"fix\"><b>{how}</b> {}</p>\n<pre class=\"diff\">", prose(&fix.title)));
        for line in diff::small(report, fix, false).lines() {
            let class =
                match line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().chars().next() {
                    Some('+') => "plus",
                    Some('-') => "minus",
                    _ => "plain",
                };
            text.push_str(&format!("<span class=\"{class}\">{}</span>\n", escaped(line)));
        }
        text.push_str("</pre>\n");
    }
    text.push_str("</details>\n");
    text
}

/// The story as boxes with arrows: what runs again and again, what it makes, what holds that, where it is lost.
fn chain(report: &Report, diagnostic: &Diagnostic) -> String {
    let finding = &diagnostic.finding;
    let mut steps: Vec<&TraceStep> = finding.trace.iter().collect();
    let rank = |kind: StepKind| match kind {
        StepKind::Repeat => 0,
        StepKind::Acquire | StepKind::Grow => 1,
        StepKind::Hold => 2,
        StepKind::Release => 3,
        StepKind::Exit => 4,
    };
    // A trace tells who runs it from the leak outwards; the drawing goes the way things happen.
    let outwards = steps.iter().filter(|step| step.kind == StepKind::Repeat).count();
    steps.sort_by_key(|step| rank(step.kind));
    steps[..outwards].reverse();
    let alone;
    if steps.is_empty() {
        alone = TraceStep { kind: StepKind::Acquire, at: finding.at, message: finding.message.clone() };
        steps.push(&alone);
    }
    let mut text = "<ol class=\"chain\">\n".to_owned();
    for step in steps {
        let role = match step.kind {
            StepKind::Repeat => "again and again",
            StepKind::Acquire => "obtains",
            StepKind::Grow => "grows",
            StepKind::Hold => "held by",
            StepKind::Release => "no release",
            StepKind::Exit => "lost at",
        };
        let line = report.range(step.at).0.line;
        text.push_str(&format!(
            "<li class=\"{}\"><span class=\"role\">{role}</span><span class=\"at\">{}:{line}</span><code>{}</code><span>{}</span></li>\n",
            step_name(step.kind),
            escaped(report.file(step.at)),
            escaped(&code_line(report, step.at)),
            prose(&step.message)
        ));
    }
    text.push_str("</ol>\n");
    text
}

/// Prose, what stands in backticks as code.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&format!("<code>{}</code>", escaped(part)));
        } else {
            out.push_str(&escaped(part));
        }
    }
    out
}

fn code_line(report: &Report, at: Location) -> String {
    let text = report.sources.snippet(at).lines().next().unwrap_or_default().trim();
    let mut line: String = text.chars().take(80).collect();
    if line.len() < text.len() {
        line.push('…');
    }
    line
}
