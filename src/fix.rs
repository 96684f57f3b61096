//! Applying fixes: which go together, whether each keeps its promise, and how files are replaced.
//!
//! A fix counts as applied only after the project was checked again with it: no new syntax error, its finding gone, and no
//! other finding of any rule more than before. What breaks the promise is left out, whoever made it.

use crate::check::{Options, Outcome, check};
use crate::disk;
use crate::finding::{Applicability, Fix};
use crate::report::Report;
use crate::text::{Edit, FileId, Span, apply};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Fixing one thing may uncover the fix of another; this often it is tried again.
const PASSES: usize = 10;

/// A file that fixes changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in reports.
    pub name: String,
    /// Its text before.
    pub old: Arc<str>,
    /// Its text after.
    pub new: Arc<str>,
}

/// What fixing came to.
#[derive(Debug)]
pub struct Fixed {
    /// The run after the last fix.
    pub outcome: Outcome,
    /// Changed files, by name.
    pub changes: Vec<Change>,
    /// Number of findings that were fixed.
    pub applied: usize,
}

/// Applies, in memory, every fix that is allowed and keeps its promise.
pub fn fix(options: &Options, outcome: Outcome, allowed: Applicability) -> Fixed {
    let mut options = options.clone();
    // Fixes move lines, so changed lines say nothing afterwards: what they selected is remembered by fingerprint.
    let selected: Option<FxHashSet<String>> = options.scope.take().map(|_| prints(&outcome));
    let outcome = if selected.is_some() { check(&options) } else { outcome };
    let mut changes: FxHashMap<PathBuf, Change> = FxHashMap::default();
    let mut refused = FxHashSet::default();
    let mut fixed = Fixed { outcome, changes: Vec::new(), applied: 0 };
    for _ in 0..PASSES {
        let plan = plan(&fixed.outcome.report, allowed, &refused, selected.as_ref());
        if plan.is_empty() {
            break;
        }
        let mut accepted: Vec<&Step<'_>> = Vec::new();
        let mut best = None;
        attempt(&options, &fixed.outcome.report, &plan, &mut accepted, &mut best);
        let kept: FxHashSet<&str> = accepted.iter().map(|step| step.fingerprint).collect();
        let failed = plan.iter().filter(|step| !kept.contains(step.fingerprint));
        refused.extend(failed.map(|step| step.fingerprint.to_owned()));
        let Some((texts, next)) = best else { continue };
        fixed.applied += accepted.len();
        for (file, new) in texts {
            let source = fixed.outcome.report.sources.get(file);
            options.texts.insert(source.path.clone(), Arc::clone(&new));
            let change = changes.entry(source.path.clone()).or_insert_with(|| Change {
                path: source.path.clone(),
                name: source.name.to_string(),
                old: Arc::clone(&source.text),
                new: Arc::clone(&new),
            });
            change.new = new;
        }
        fixed.outcome = next;
    }
    if let Some(selected) = &selected {
        fixed.outcome.report.diagnostics.retain(|item| selected.contains(&item.fingerprint));
    }
    fixed.changes = changes.into_values().filter(|change| change.old != change.new).collect();
    fixed.changes.sort_by(|a, b| a.name.cmp(&b.name));
    fixed
}

fn prints(outcome: &Outcome) -> FxHashSet<String> {
    outcome.report.active().map(|diagnostic| diagnostic.fingerprint.clone()).collect()
}

/// A finding that is to be fixed.
struct Step<'a> {
    fingerprint: &'a str,
    rule: &'a str,
    fix: &'a Fix,
}

/// One allowed fix a finding, none overlapping another, all in reported files.
fn plan<'a>(
    report: &'a Report,
    allowed: Applicability,
    refused: &FxHashSet<String>,
    selected: Option<&FxHashSet<String>>,
) -> Vec<Step<'a>> {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut steps = Vec::new();
    let wanted = |print: &String| !refused.contains(print) && selected.is_none_or(|selected| selected.contains(print));
    for diagnostic in report.active().filter(|diagnostic| wanted(&diagnostic.fingerprint)) {
        // The very same edit, such as an `#include` that two fixes need, is made once.
        let meets = |a: &Edit, b: &Edit| a != b && a.file == b.file && touches(a.span, b.span);
        let free = |edit: &Edit| !taken.iter().any(|other| meets(other, edit));
        let fixes = diagnostic.finding.fixes.iter();
        let mut fits = fixes.filter(|fix| fix.applicability <= allowed && !fix.edits.is_empty());
        let Some(fix) = fits.find(|fix| fix.edits.iter().all(|edit| report.may_change(edit.file) && free(edit))) else {
            continue;
        };
        taken.extend(&fix.edits);
        steps.push(Step { fingerprint: &diagnostic.fingerprint, rule: diagnostic.finding.rule, fix });
    }
    steps
}

/// Two edits at one place can't both be meant: which text comes first would be chance.
fn touches(a: Span, b: Span) -> bool {
    a.start <= b.end && b.start <= a.end
}

type Texts = Vec<(FileId, Arc<str>)>;

/// Adds to `accepted` what of the steps keeps its promise beside what is accepted already; halves what fails.
fn attempt<'a>(
    options: &Options,
    report: &Report,
    steps: &'a [Step<'a>],
    accepted: &mut Vec<&'a Step<'a>>,
    best: &mut Option<(Texts, Outcome)>,
) {
    let together: Vec<&Step<'_>> = accepted.iter().copied().chain(steps).collect();
    if let Some(tried) = run(options, report, &together) {
        accepted.extend(steps);
        *best = Some(tried);
    } else if steps.len() > 1 {
        let (left, right) = steps.split_at(steps.len() / 2);
        attempt(options, report, left, accepted, best);
        attempt(options, report, right, accepted, best);
    }
}

/// The run with these steps applied, if all of them keep their promise.
fn run(options: &Options, report: &Report, steps: &[&Step<'_>]) -> Option<(Texts, Outcome)> {
    let mut edits: FxHashMap<FileId, Vec<&Edit>> = FxHashMap::default();
    for edit in steps.iter().flat_map(|step| &step.fix.edits) {
        let edits = edits.entry(edit.file).or_default();
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    let mut options = options.clone();
    let mut texts = Vec::new();
    for (file, edits) in edits {
        let source = report.sources.get(file);
        let new: Arc<str> = apply(&source.text, &edits)?.into();
        options.texts.insert(source.path.clone(), Arc::clone(&new));
        texts.push((file, new));
    }
    let next = check(&options);
    let fewer = |rule: &str| {
        let count = |report: &Report| report.active().filter(|item| item.finding.rule == rule).count();
        let mended = steps.iter().filter(|step| step.rule == rule).count();
        count(&next.report) + mended <= count(report)
    };
    let mut rules: Vec<&str> = report.diagnostics.iter().map(|item| item.finding.rule).collect();
    rules.extend(next.report.diagnostics.iter().map(|item| item.finding.rule));
    let kept = !next.crashed && next.report.errors.len() <= report.errors.len() && rules.into_iter().all(fewer);
    kept.then_some((texts, next))
}

/// Replaces a file by its new text: all of it or nothing, mode and byte-order mark kept. Refuses if the file is no longer
/// what was checked, or is not UTF-8.
pub fn write(change: &Change) -> io::Result<()> {
    let bytes = fs::read(&change.path)?;
    let (mark, body) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(body) => (&bytes[..3], body),
        None => (&bytes[..0], &bytes[..]),
    };
    if body != change.old.as_bytes() {
        return Err(io::Error::other("it changed meanwhile, or is not UTF-8"));
    }
    let mut text = mark.to_vec();
    text.extend_from_slice(change.new.as_bytes());
    disk::replace(&change.path, &text)
}
