//! The run: walk, lower, link, judge, and what is left after levels and suppression. The one place that wires all parts;
//! decides nothing about leaks and prints nothing.
//!
//! One broken file never hides another's findings: each file and each rule runs behind `catch_unwind`.

use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::lower::{self, ProjectMacros, language_of};
use crate::model::{Contracts, Gyp, Language, Summary};
use crate::project::Project;
use crate::report::{Diagnostic, Problem, Report, Suppressed};
use crate::rules::{self, RULES, UNUSED_SUPPRESSION};
use crate::suppress::Directives;
use crate::text::{Location, Position, Sources};
use crate::walk::{self, Found, Reason, Request, Skip};
use crate::{catalog, fingerprint};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Stack of the threads that lower and judge: recursion over nested code is bounded, but deep.
const STACK: usize = 64 << 20;

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which files.
    pub request: Request,
    /// The file that standard input stands for: it alone is reported, and its text is among `texts`.
    pub stdin: Option<PathBuf>,
    /// Texts that stand for what is on disk: standard input, buffers that are not saved, fixes that are tried.
    pub texts: FxHashMap<PathBuf, Arc<str>>,
    /// Which rules, and how bad.
    pub rules: Selection,
    /// Findings that are less sure are withheld.
    pub level: Confidence,
    /// A suppression comment must say why.
    pub require_reason: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            request: Request::default(),
            stdin: None,
            texts: FxHashMap::default(),
            rules: Selection::default(),
            level: Confidence::Medium,
            require_reason: false,
        }
    }
}

/// Which rules run, and how bad their findings are.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Rules or families and their severity; later ones win.
    pub levels: Vec<(String, Severity)>,
    /// Only these rules or families; empty: all.
    pub only: Vec<String>,
    /// Not these rules or families.
    pub skip: Vec<String>,
}

impl Selection {
    /// The severity of a rule's findings.
    pub fn severity(&self, rule: &crate::finding::RuleInfo) -> Severity {
        let names = |selector: &String| selector == rule.name || *selector == rule.family || selector == "all";
        if (!self.only.is_empty() && !self.only.iter().any(names)) || self.skip.iter().any(names) {
            return Severity::Off;
        }
        let level = self.levels.iter().rev().find(|(selector, _)| names(selector));
        level.map_or(rule.severity, |(_, severity)| *severity)
    }
}

/// What a run found out.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is reported.
    pub report: Report,
    /// Files that were not read.
    pub skips: Vec<Skip>,
    /// Files of which some code was not understood, by name.
    pub partial: Vec<String>,
    /// Findings that the level withholds.
    pub withheld: usize,
    /// Roots of the projects read.
    pub roots: Vec<PathBuf>,
    /// Named paths that do not exist.
    pub missing: Vec<PathBuf>,
    /// Ignore patterns that can't be read.
    pub bad_patterns: Vec<String>,
    /// Suppression comments that say something wrong.
    pub bad_comments: usize,
    /// Something of leaklint itself broke.
    pub crashed: bool,
    /// Time of each phase.
    pub phases: Vec<(&'static str, Duration)>,
    /// Time of each rule that ran.
    pub rules: Vec<(&'static str, Duration)>,
}

/// A source file of a run.
#[derive(Clone, Debug)]
struct Input {
    found: Found,
    text: Arc<str>,
}

/// Checks what the options name.
pub fn check(options: &Options) -> Outcome {
    let threads = options.request.threads;
    match rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build() {
        Ok(pool) => pool.install(|| run(options)),
        Err(_) => run(options),
    }
}

/// Checks texts that are given, as files of one project; for tests, and for buffers that are not saved.
pub fn check_texts(files: &[(&str, &str)], options: &Options) -> Outcome {
    let inputs = files.iter().map(|(name, text)| {
        let path = options.request.cwd.join(name);
        let found = Found { path, name: (*name).to_owned(), reported: true, explicit: true };
        Input { found, text: (*text).into() }
    });
    let mut outcome = Outcome::default();
    let mut clock = Clock::start();
    judge(inputs.collect(), options, &mut outcome, &mut clock);
    outcome
}

fn run(options: &Options) -> Outcome {
    let mut clock = Clock::start();
    let mut walked = walk::walk(&options.request);
    if let Some(path) = &options.stdin {
        add_stdin(&mut walked.files, &options.request, path);
    }
    let mut outcome = Outcome {
        roots: walked.roots,
        missing: walked.missing,
        bad_patterns: walked.bad_patterns,
        skips: walked.skips,
        ..Outcome::default()
    };
    clock.lap("walk", &mut outcome);
    let texts: Vec<Result<Arc<str>, Reason>> = walked
        .files
        .par_iter()
        .map(|found| match options.texts.get(&found.path) {
            Some(text) => Ok(Arc::clone(text)),
            None => walk::read(found),
        })
        .collect();
    let mut inputs = Vec::with_capacity(texts.len());
    for (found, text) in walked.files.into_iter().zip(texts) {
        match text {
            Ok(text) => inputs.push(Input { found, text }),
            Err(reason) => {
                if found.reported && (found.explicit || matches!(reason, Reason::Binary | Reason::Unreadable(_))) {
                    outcome.report.errors.push(problem(&found.name, format!("not read: {reason}")));
                }
                if found.reported {
                    outcome.skips.push(Skip { name: found.name, reason, explicit: found.explicit });
                }
            }
        }
    }
    outcome.report.prefix = walk::prefix(&options.request.cwd);
    outcome.skips.sort();
    outcome.report.counts.skipped = outcome.skips.len();
    clock.lap("read", &mut outcome);
    judge(inputs, options, &mut outcome, &mut clock);
    outcome
}

/// Puts the file that standard input stands for among the files, in its place.
fn add_stdin(files: &mut Vec<Found>, request: &Request, path: &PathBuf) {
    files.iter_mut().for_each(|file| file.reported = file.path == *path);
    if !files.iter().any(|file| file.path == *path) {
        let name = walk::name_of(&request.cwd, path);
        let at = files.partition_point(|file| file.name < name);
        files.insert(at, Found { path: path.clone(), name, reported: true, explicit: true });
    }
}

/// Lowers, links and judges; fills in everything of the outcome that texts decide.
fn judge(inputs: Vec<Input>, options: &Options, outcome: &mut Outcome, clock: &mut Clock) {
    let names: Vec<String> = inputs.iter().map(|input| input.found.name.to_lowercase()).collect();
    let lower_all = || {
        let texts = names.par_iter().map(String::as_str).zip(inputs.par_iter().map(|input| &*input.text));
        let macros = guarded(|| ProjectMacros::collect(texts.clone())).unwrap_or_default();
        let lower = |(name, text)| guarded(|| lower::lower_in(&macros, name, text));
        texts.map(lower).collect::<Vec<Result<Summary, String>>>()
    };
    let (lowered, contracts) = rayon::join(lower_all, contracts);
    clock.lap("lower", outcome);

    let mut builds = Builds::default();
    let mut sources = Sources::default();
    let mut summaries = Vec::with_capacity(lowered.len());
    for (input, lowered) in inputs.iter().zip(lowered) {
        let name = &input.found.name;
        let file = sources.add(&input.found.path, name, Arc::clone(&input.text));
        let mut summary = lowered.unwrap_or_else(|panic| {
            outcome.crashed = true;
            let message = format!("internal error while reading this file, please report ({panic})");
            outcome.report.errors.push(problem(name, message));
            placeholder(name)
        });
        if summary.language.is_some_and(Language::is_native) {
            summary.build = builds.of(&input.found.path);
        }
        if input.found.reported {
            let source = sources.get(file);
            outcome.report.errors.extend(summary.errors.iter().map(|error| Problem {
                file: name.clone(),
                at: source.lines.position(&source.text, error.offset),
                message: error.message.clone(),
            }));
            outcome.report.counts.files += 1;
            if summary.partial {
                outcome.partial.push(name.clone());
            }
        }
        summaries.push(summary);
    }
    outcome.report.counts.partial = outcome.partial.len();

    let mut directives = Directives::default();
    let known: Vec<&str> = rules::infos().iter().map(|info| info.name).collect();
    for ((file, source), (summary, input)) in sources.iter().zip(summaries.iter().zip(&inputs)) {
        if input.found.reported {
            directives.read(file, source, &summary.comments, &known, options.require_reason);
        }
    }

    let found = {
        let linked = guarded(|| Project::link(&sources, contracts, summaries));
        clock.lap("link", outcome);
        linked.map(|project| {
            let found = ask(&project, options, outcome);
            clock.lap("judge", outcome);
            found
        })
    };
    let found = found.unwrap_or_else(|panic| {
        outcome.crashed = true;
        let message = format!("internal error while linking the project, please report ({panic})");
        outcome.report.errors.push(problem(".", message));
        Vec::new()
    });

    let asked: Vec<bool> = inputs.iter().map(|input| input.found.reported).collect();
    let found: Vec<Finding> = found.into_iter().filter(|finding| asked[finding.at.file.0 as usize]).collect();
    outcome.report.diagnostics = diagnostics(found, &sources, options, &mut directives, outcome);
    outcome.report.counts.suppressed =
        outcome.report.diagnostics.iter().filter(|diagnostic| diagnostic.suppressed.is_some()).count();
    outcome.bad_comments = directives.problems.len();
    outcome.report.errors.append(&mut directives.problems);
    outcome.report.sources = sources;
    outcome.report.asked = asked;
    outcome.report.errors.sort();
    outcome.report.errors.dedup();
    outcome.report.counts.milliseconds = clock.started.elapsed().as_millis() as u64;
}

/// The `binding.gyp` files of the run, each read once.
#[derive(Default)]
struct Builds {
    by_folder: FxHashMap<PathBuf, Option<Arc<Gyp>>>,
}

impl Builds {
    /// What the nearest `binding.gyp` beside or above a file says.
    fn of(&mut self, path: &Path) -> Option<Arc<Gyp>> {
        let folder = path.parent()?;
        if let Some(known) = self.by_folder.get(folder) {
            return known.clone();
        }
        let own = std::fs::read(folder.join("binding.gyp")).ok();
        let own = own.map(|bytes| Arc::new(lower::gyp(&String::from_utf8_lossy(&bytes))));
        // The package ends the search: what is above builds something else.
        let found = own.or_else(|| if folder.join("package.json").is_file() { None } else { self.of(folder) });
        self.by_folder.insert(folder.to_owned(), found.clone());
        found
    }
}

/// The built-in rows, read once.
fn contracts() -> &'static Contracts {
    static CONTRACTS: OnceLock<Contracts> = OnceLock::new();
    CONTRACTS.get_or_init(catalog::builtin)
}

/// The summary of a file that could not be lowered: its language, and that code is missing.
fn placeholder(name: &str) -> Summary {
    Summary { partial: true, ..lower::lower(name, "") }
}

/// Runs every rule that is on, in parallel. Findings are in no order yet.
fn ask(project: &Project<'_>, options: &Options, outcome: &mut Outcome) -> Vec<Finding> {
    let on = RULES.par_iter().filter(|rule| options.rules.severity(rule.info()) != Severity::Off);
    let answers: Vec<_> = on
        .map(|rule| {
            let started = Instant::now();
            let answer = guarded(|| {
                let mut found = Vec::new();
                (rule.check)(project, &mut found);
                found
            });
            (rule.name, started.elapsed(), answer)
        })
        .collect();
    let mut all = Vec::new();
    for (rule, took, answer) in answers {
        outcome.rules.push((rule, took));
        match answer {
            Ok(found) => all.extend(found),
            Err(panic) => {
                outcome.crashed = true;
                let message = format!("internal error in the rule `{rule}`, please report ({panic})");
                outcome.report.errors.push(problem(".", message));
            }
        }
    }
    all
}

/// Sorts findings, keeps one of several about the same, gives each its severity, fingerprint and what silences it, and adds
/// the comments that silence nothing.
fn diagnostics(
    mut found: Vec<Finding>,
    sources: &Sources,
    options: &Options,
    directives: &mut Directives,
    outcome: &mut Outcome,
) -> Vec<Diagnostic> {
    sort(&mut found);
    let mut suppressed: FxHashMap<(Location, &str), Suppressed> = FxHashMap::default();
    for finding in &found {
        // Before the level is looked at: a comment is of use even where its finding is too unsure to be shown.
        if let Some(by) = directives.suppress(finding) {
            suppressed.insert((finding.at, finding.rule), by);
        }
    }
    let before = found.len();
    found.retain(|finding| finding.confidence >= options.level);
    outcome.withheld = before - found.len();
    let severity = |rule: &str| rules::info(rule).map_or(Severity::Off, |info| options.rules.severity(info));
    if severity(UNUSED_SUPPRESSION) != Severity::Off && !outcome.crashed {
        let ran = |_, rule: &str| severity(rule) != Severity::Off;
        found.extend(directives.unused(sources, UNUSED_SUPPRESSION, ran));
        sort(&mut found);
    }
    let fingerprints = fingerprint::all(&found, sources, &outcome.roots);
    found
        .into_iter()
        .zip(fingerprints)
        .filter_map(|(mut finding, fingerprint)| {
            let info = rules::info(finding.rule)?;
            finding.fixes.iter_mut().for_each(|fix| match_line_ends(fix, sources));
            let severity = options.rules.severity(info);
            let suppressed = suppressed.remove(&(finding.at, finding.rule));
            Some(Diagnostic { finding, info, severity, fingerprint, suppressed })
        })
        .collect()
}

/// Rules write `\n`; the file may not.
fn match_line_ends(fix: &mut Fix, sources: &Sources) {
    for edit in fix.edits.iter_mut().filter(|edit| edit.text.contains('\n') && !edit.text.contains('\r')) {
        let text = &sources.get(edit.file).text;
        if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) {
            edit.text = edit.text.replace('\n', "\r\n");
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

/// The result of `work`, or the words of its panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

fn problem(file: &str, message: String) -> Problem {
    Problem { file: file.to_owned(), at: Position { line: 1, column: 1 }, message }
}

/// Whether leaklint reads files of this name.
pub fn reads(name: &str) -> bool {
    language_of(&name.to_lowercase()).is_some()
}

/// Measures phases.
struct Clock {
    started: Instant,
    last: Instant,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Clock { started: now, last: now }
    }

    fn lap(&mut self, phase: &'static str, outcome: &mut Outcome) {
        let now = Instant::now();
        outcome.phases.push((phase, now - self.last));
        self.last = now;
    }
}
