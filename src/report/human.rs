//! The report for people, on a terminal or in a log: the only user of miette.
//!
//! One finding is one miette diagnostic over a virtual text that strings the files of its trace together, so that all
//! places of the story are shown in one piece, whichever file they are in.

use super::diff;
use super::{Diagnostic, Report, Style, plural};
use crate::finding::{Applicability, Severity};
use crate::text::{FileId, Location, Source};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};
use std::error::Error;
use std::fmt;
use std::io::{self, Write};

/// Lines that are longer are not shown: nobody reads them.
const LONG_LINE: u32 = 400;

/// Writes findings, errors and one line of summary.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in report.active() {
        out.write_all(one(report, diagnostic, style).as_bytes())?;
        out.write_all(b"\n")?;
    }
    for error in &report.errors {
        writeln!(out, "{}:{}:{}: {}", error.file, error.at.line, error.at.column, error.message)?;
    }
    if !report.errors.is_empty() {
        out.write_all(b"\n")?;
    }
    writeln!(out, "{}", summary(report))
}

/// One finding, as it also stands on the page of its rule.
pub fn one(report: &Report, diagnostic: &Diagnostic, style: &Style) -> String {
    let theme = if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_context_lines(1)
        .without_syntax_highlighting()
        .with_urls(false);
    let mut text = String::new();
    let shown = Shown::new(report, diagnostic);
    if handler.render_report(&mut text, &shown).is_err() {
        text = format!("{shown}\n");
    }
    if let Some(fix) = diagnostic.finding.fixes.first() {
        let how = match fix.applicability {
            Applicability::Safe => "fix",
            Applicability::Unsafe => "unsafe fix",
            Applicability::Display => "sketch",
        };
        text.push_str(&format!("  {how}: {}\n", fix.title));
        text.push_str(&diff::small(report, fix, style.color));
    }
    // Lines of nothing but spaces come from miette's snippets; diffs and pages are better without.
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn summary(report: &Report) -> String {
    let count = |severity| report.active().filter(|diagnostic| diagnostic.severity == severity).count();
    let counts = &report.counts;
    let mut parts = Vec::new();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors > 0 {
        parts.push(plural(errors, "error"));
    }
    if warnings > 0 || errors == 0 {
        parts.push(if warnings == 0 { "no leaks found".to_owned() } else { plural(warnings, "warning") });
    }
    let mut text = format!("{} in {}", parts.join(" and "), plural(counts.files, "file"));
    let extras = [
        (report.errors.len(), "with problems"),
        (counts.skipped, "skipped"),
        (counts.partial, "partly understood"),
        (counts.suppressed, "suppressed"),
    ];
    for (number, what) in extras.into_iter().filter(|(number, _)| *number > 0) {
        text.push_str(&format!(", {number} {what}"));
    }
    format!("{text} ({} ms)", counts.milliseconds)
}

/// A finding in the shape that miette asks for.
struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    files: Files<'a>,
    labels: Vec<LabeledSpan>,
    why: Option<Why>,
}

impl<'a> Shown<'a> {
    fn new(report: &'a Report, diagnostic: &'a Diagnostic) -> Self {
        let finding = &diagnostic.finding;
        let mut files = Files { parts: Vec::new() };
        let mut labels: Vec<(Location, Option<String>)> = Vec::new();
        for step in &finding.trace {
            let at = first_line(report, step.at);
            match labels.iter_mut().find(|(known, _)| *known == at) {
                Some((_, Some(label))) if *label != step.message => *label = format!("{label}; {}", step.message),
                Some(_) => {}
                None => labels.push((at, Some(step.message.clone()))),
            }
        }
        let primary = first_line(report, finding.at);
        if !labels.iter().any(|(at, _)| *at == primary) {
            labels.insert(0, (primary, None));
        }
        files.add(finding.at.file, report);
        let labels = labels
            .into_iter()
            .filter(|(at, _)| is_readable(report, *at))
            .map(|(at, label)| {
                let start = files.add(at.file, report) + at.span.start as usize;
                let span = SourceSpan::from((start, (at.span.end - at.span.start) as usize));
                if at == primary {
                    LabeledSpan::new_primary_with_span(label, span)
                } else {
                    LabeledSpan::new_with_span(label, span)
                }
            })
            .collect();
        let why = (!finding.why.is_empty()).then(|| Why(finding.why.clone()));
        Shown { diagnostic, files, labels, why }
    }
}

/// The part of a location on its first line: a label under twenty lines of callback says no more than one under its head.
fn first_line(report: &Report, at: Location) -> Location {
    let source = report.sources.get(at.file);
    let length = at.span.of(&source.text).lines().next().map_or(0, |line| line.trim_end().len()) as u32;
    let mut at = at;
    at.span.end = at.span.start + length;
    at
}

/// Whether a location is on a line that can be shown.
fn is_readable(report: &Report, at: Location) -> bool {
    let source = report.sources.get(at.file);
    let line = source.lines.line(at.span.start);
    let short = |line: u32| {
        let start = source.lines.start_of(line);
        let end = source.lines.start_of(line + 1).unwrap_or(source.text.len() as u32);
        start.is_none_or(|start| end - start <= LONG_LINE)
    };
    at.span.end <= source.text.len() as u32 && (line.saturating_sub(1)..=line + 1).all(short)
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finding = &self.diagnostic.finding;
        if self.labels.is_empty() {
            write!(f, "{}: {} ({})", finding.rule, finding.message, self.files.parts[0].source.name)
        } else {
            write!(f, "{}: {}", finding.rule, finding.message)
        }
    }
}

impl Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.why.as_ref().map(|why| why as &(dyn Error + 'static))
    }
}

impl miette::Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            _ => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let help = &self.diagnostic.finding.help;
        (!help.is_empty()).then(|| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.files)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Why it leaks: shown under the message as what stands behind it.
#[derive(Debug)]
struct Why(String);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Why {}

/// Files one behind the other, each from its own base offset.
struct Files<'a> {
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    file: FileId,
    base: usize,
    source: &'a Source,
}

impl<'a> Files<'a> {
    /// The base offset of a file, which is added if it is new.
    fn add(&mut self, file: FileId, report: &'a Report) -> usize {
        if let Some(part) = self.parts.iter().find(|part| part.file == file) {
            return part.base;
        }
        // One byte apart, so that the end of one file is not the start of the next.
        let base = self.parts.last().map_or(0, |part| part.base + part.source.text.len() + 1);
        self.parts.push(Part { file, base, source: report.sources.get(file) });
        base
    }
}

impl SourceCode for Files<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let part = self.parts.iter().rev().find(|part| part.base <= span.offset()).ok_or(MietteError::OutOfBounds)?;
        let text: &str = &part.source.text;
        // A span that runs into the next file is refused, which keeps miette from merging snippets of two files.
        let inside = SourceSpan::from((span.offset() - part.base, span.len()));
        let contents = text.read_span(&inside, before, after)?;
        let shown = SourceSpan::from((contents.span().offset() + part.base, contents.span().len()));
        Ok(Box::new(MietteSpanContents::new_named(
            part.source.name.to_string(),
            contents.data(),
            shown,
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}
