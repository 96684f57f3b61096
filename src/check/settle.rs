//! From findings to what is reported: confidence where code is only tried out, severity, level, suppression, order and
//! fingerprints.

use super::{Input, Options, Outcome, foreign};
use crate::baseline::Entry;
use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::fingerprint;
use crate::lower::language_of;
use crate::model::Language;
use crate::report::{Diagnostic, Suppressed};
use crate::rules::{self, UNUSED_SUPPRESSION};
use crate::suppress::Directives;
use crate::text::{FileId, Location, Sources};
use rustc_hash::FxHashMap;

/// Sorts findings, keeps one of several about the same, gives each its severity, fingerprint and what silences it, and adds
/// the comments that silence nothing.
pub(super) fn diagnostics(
    mut found: Vec<Finding>,
    inputs: &[Input],
    sources: &Sources,
    options: &Options,
    directives: &mut Directives,
    outcome: &mut Outcome,
) -> Vec<Diagnostic> {
    let input = |file: FileId| &inputs[file.0 as usize];
    let severity =
        |file: FileId, rule: &str| rules::info(rule).map_or(Severity::Off, |info| input(file).severity(info, options));
    found.retain(|finding| {
        input(finding.at.file).found.reported && severity(finding.at.file, finding.rule) != Severity::Off
    });
    let native = |input: &&Input| language_of(&input.found.name).is_some_and(Language::is_native);
    let libraries = foreign::libraries(inputs.iter().filter(native).map(|input| (&*input.found.name, &*input.text)));
    let lies_in_one = |name: &str| libraries.iter().any(|folder| name.starts_with(folder));
    // Who names a library's folder asks for it.
    let is_asked =
        inputs.iter().filter(native).filter(|input| input.found.reported).all(|input| lies_in_one(&input.found.name));
    let is_aside = |finding: &Finding| {
        let found = &input(finding.at.file).found;
        found.trial || !found.explicit && !is_asked && lies_in_one(&found.name)
    };
    for finding in found.iter_mut().filter(|finding| is_aside(finding)) {
        finding.confidence = Confidence::Low;
    }
    sort(&mut found);
    let mut suppressed: FxHashMap<(Location, &str), Suppressed> = FxHashMap::default();
    for finding in &found {
        // Before the level is looked at: a comment is of use even where its finding is too unsure to be shown.
        if let Some(by) = directives.suppress(finding) {
            suppressed.insert((finding.at, finding.rule), by);
        }
    }
    if !outcome.crashed {
        let ran = |file, rule: &str| severity(file, rule) != Severity::Off;
        let mut unused = directives.unused(sources, UNUSED_SUPPRESSION, ran);
        unused.retain(|finding| ran(finding.at.file, UNUSED_SUPPRESSION));
        found.extend(unused);
        sort(&mut found);
    }
    // Before the level is looked at, so that a fingerprint is the same on every level.
    let fingerprints = fingerprint::all(&found, sources, &outcome.roots);
    let diagnostics = found.into_iter().zip(fingerprints).filter_map(|(mut finding, fingerprint)| {
        let info = rules::info(finding.rule)?;
        finding.fixes.iter_mut().for_each(|fix| match_line_ends(fix, sources));
        let severity = input(finding.at.file).severity(info, options);
        let suppressed = suppressed.remove(&(finding.at, finding.rule));
        Some(Diagnostic { finding, info, severity, fingerprint, suppressed })
    });
    let mut diagnostics: Vec<Diagnostic> = diagnostics.collect();
    consult_baseline(&mut diagnostics, inputs, sources, outcome, |file, rule| severity(file, rule) != Severity::Off);
    diagnostics.retain(|diagnostic| {
        let finding = &diagnostic.finding;
        let shown = finding.confidence >= input(finding.at.file).level(options);
        if !shown && diagnostic.suppressed.is_none() {
            *outcome.withheld.entry(finding.rule).or_default() += 1;
        }
        shown
    });
    if let Some(scope) = &options.scope {
        let touched = |at: Location| scope.touches(&sources.get(at.file).path, sources.line(at));
        diagnostics.retain(|diagnostic| {
            let finding = &diagnostic.finding;
            touched(finding.at) || finding.trace.iter().any(|step| touched(step.at))
        });
    }
    diagnostics
}

/// Silences what the baseline knows, and gathers the entries that stand for nothing any more: of files that were judged
/// here by that rule, or that are gone.
fn consult_baseline(
    diagnostics: &mut [Diagnostic],
    inputs: &[Input],
    sources: &Sources,
    outcome: &mut Outcome,
    ran: impl Fn(FileId, &str) -> bool,
) {
    let roots = &outcome.roots;
    let names: FxHashMap<String, FileId> =
        sources.iter().map(|(file, source)| (fingerprint::inside(source, roots), file)).collect();
    let read = names.keys().cloned().collect();
    let file = |item: &Diagnostic| fingerprint::inside(sources.get(item.finding.at.file), roots);
    let used = outcome.baseline.apply(diagnostics, file, &read);
    let is_stale = |entry: &Entry| match names.get(&entry.file) {
        Some(&file) => inputs[file.0 as usize].found.reported && ran(file, &entry.rule),
        None => !roots.iter().any(|root| root.join(&entry.file).exists()),
    };
    let unused = outcome.baseline.entries.iter().zip(used).filter(|(_, used)| !used);
    if !outcome.crashed {
        outcome.stale = unused.map(|(entry, _)| entry.clone()).filter(is_stale).collect();
    }
}

/// Rules write `\n`; the file may not, or not everywhere: the line before an edit tells, or the first one.
fn match_line_ends(fix: &mut Fix, sources: &Sources) {
    for edit in fix.edits.iter_mut().filter(|edit| edit.text.contains('\n')) {
        let text = &sources.get(edit.file).text;
        let before = text.get(..edit.span.start as usize).and_then(|before| before.rfind('\n'));
        if before.or_else(|| text.find('\n')).is_some_and(|at| text[..at].ends_with('\r')) {
            // What was copied from the file may have the right ends already.
            edit.text = edit.text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
    }
}

/// Puts findings into their order and keeps the surest of several about the same; of equally sure ones the one with the
/// smaller words, so that any order of asking gives the same report.
fn sort(found: &mut Vec<Finding>) {
    let key = |finding: &Finding| (finding.at.file, finding.at.span.start, finding.rule, finding.at.span.end);
    found.sort_by(|a, b| {
        key(a).cmp(&key(b)).then(b.confidence.cmp(&a.confidence)).then_with(|| a.message.cmp(&b.message))
    });
    found.dedup_by(|b, a| a.at == b.at && a.rule == b.rule);
}
