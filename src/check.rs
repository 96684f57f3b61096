//! The run: walk, lower, link, judge, and what is left after levels and suppression. The one place that wires all parts;
//! decides nothing about leaks and prints nothing.
//!
//! One broken file never hides another's findings: each file and each rule runs behind `catch_unwind`.

mod foreign;
mod judge;
mod memory;
mod settle;

use crate::baseline::{self, Baseline, Entry};
use crate::cache::Cache;
use crate::config::{self, Config, Configs};
use crate::finding::{Confidence, RuleInfo, Severity};
use crate::lower::{self, language_of};
use crate::model::contract::Rows;
use crate::report::{Problem, Report};
use crate::rules;
use crate::scope::Scope;
use crate::text::Position;
use crate::walk::{self, Found, Reason, Request, Skip};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

/// Stack of the threads that lower and judge: recursion over nested code is bounded, but deep.
const STACK: usize = 64 << 20;

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which files.
    pub request: Request,
    /// The file that standard input stands for: it alone is reported, and its text is among `texts`.
    pub stdin: Option<PathBuf>,
    /// Texts that stand for what is on disk: standard input, buffers that are not saved, fixes that are tried.
    pub texts: FxHashMap<PathBuf, Arc<str>>,
    /// Where configuration comes from.
    pub config: config::Source,
    /// Which rules, and how bad; wins over the configuration.
    pub rules: Selection,
    /// Findings that are less sure are withheld; wins over the configuration.
    pub level: Option<Confidence>,
    /// More rows for the catalog.
    pub models: Vec<Rows>,
    /// Findings are reported only if a step of them is on a line that changed.
    pub scope: Option<Arc<Scope>>,
    /// Where the baseline is; by default in the root of the project.
    pub suppressions: Option<PathBuf>,
    /// Told how far the run is.
    pub progress: Option<Arc<Progress>>,
    /// What earlier runs came to.
    pub cache: Option<Arc<Cache>>,
}

/// How far a run is; read by another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files lowered so far.
    pub done: AtomicUsize,
    /// Files of the run; 0 while they are being found.
    pub total: AtomicUsize,
    /// All files are lowered; rules are being asked.
    pub judging: AtomicBool,
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
    /// The severity of a rule's findings where the configuration says `configured`.
    pub fn severity(&self, rule: &RuleInfo, configured: Severity) -> Severity {
        let names = |selector: &String| selector == rule.name || *selector == rule.family || selector == "all";
        if (!self.only.is_empty() && !self.only.iter().any(names)) || self.skip.iter().any(names) {
            return Severity::Off;
        }
        let level = self.levels.iter().rev().find(|(selector, _)| names(selector));
        level.map_or(configured, |(_, severity)| *severity)
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
    /// Number of findings that the level withholds, by rule.
    pub withheld: BTreeMap<&'static str, usize>,
    /// The baseline that was consulted.
    pub baseline: Baseline,
    /// Entries of the baseline that stand for nothing any more.
    pub stale: Vec<Entry>,
    /// The baseline can't be read, in words; nothing was checked then.
    pub bad_baseline: Option<String>,
    /// Roots of the projects read.
    pub roots: Vec<PathBuf>,
    /// Named paths that do not exist.
    pub missing: Vec<PathBuf>,
    /// Ignore patterns that can't be read.
    pub bad_patterns: Vec<String>,
    /// A configuration that can't be used; nothing was checked then.
    pub bad_config: Option<config::Error>,
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
    config: Option<Arc<Config>>,
}

impl Input {
    /// The severity of a rule's findings in this file.
    fn severity(&self, rule: &RuleInfo, options: &Options) -> Severity {
        let configured = self.config.as_ref().and_then(|config| config.severity(rule, &self.found.path));
        options.rules.severity(rule, configured.map_or(rule.severity, |(severity, _)| severity))
    }

    /// Findings of this file that are less sure are withheld.
    fn level(&self, options: &Options) -> Confidence {
        let configured = || self.config.as_ref()?.level(&self.found.path).map(Confidence::from);
        options.level.or_else(configured).unwrap_or(Confidence::Medium)
    }
}

/// Checks what the options name.
pub fn check(options: &Options) -> Outcome {
    let threads = options.request.threads;
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK);
    match builder.start_handler(|_| lower::has_room(STACK)).build() {
        Ok(pool) => pool.install(|| run(options)),
        Err(_) => run(options),
    }
}

/// Checks texts that are given, as files of one project; for tests, and for buffers that are not saved.
pub fn check_texts(files: &[(&str, &str)], options: &Options) -> Outcome {
    let inputs = files.iter().map(|(name, text)| {
        let path = options.request.cwd.join(name);
        let found = Found { path, name: (*name).to_owned(), reported: true, explicit: true, trial: false };
        Input { found, text: (*text).into(), config: None }
    });
    let mut outcome = Outcome::default();
    let mut clock = Clock::start();
    judge::judge(inputs.collect(), options.models.clone(), options, &mut outcome, &mut clock);
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
    if let Some(cache) = &options.cache {
        cache.open(&outcome.roots);
    }
    clock.lap("walk", &mut outcome);
    match baseline(options, &outcome.roots) {
        Ok(baseline) => outcome.baseline = baseline,
        Err(words) => {
            outcome.bad_baseline = Some(words);
            return outcome;
        }
    }
    let (files, models) = match configure(walked.files, &outcome.roots, options) {
        Ok(configured) => configured,
        Err(error) => {
            outcome.bad_config = Some(error);
            return outcome;
        }
    };
    let texts: Vec<Result<Arc<str>, Reason>> = files
        .par_iter()
        .map(|(found, _)| match options.texts.get(&found.path) {
            Some(text) => Ok(Arc::clone(text)),
            None => walk::read(found),
        })
        .collect();
    let mut inputs = Vec::with_capacity(texts.len());
    for ((found, config), text) in files.into_iter().zip(texts) {
        match text {
            Ok(text) => inputs.push(Input { found, text, config }),
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
    judge::judge(inputs, models, options, &mut outcome, &mut clock);
    outcome
}

/// The baseline of the project.
fn baseline(options: &Options, roots: &[PathBuf]) -> Result<Baseline, String> {
    let own = || roots.first().map(|root| root.join(baseline::FILE));
    let Some(path) = options.suppressions.clone().or_else(own) else { return Ok(Baseline::default()) };
    Baseline::load(&path).map_err(|words| format!("{}: {words}", walk::name_of(&options.request.cwd, &path)))
}

type Configured = (Vec<(Found, Option<Arc<Config>>)>, Vec<Rows>);

/// Gives each file its configuration, leaves out what `[files]` leaves out, and gathers the rows of all of them.
fn configure(files: Vec<Found>, roots: &[PathBuf], options: &Options) -> Result<Configured, config::Error> {
    let known = rules::infos();
    let mut configs = Configs::new(&options.config, known)?;
    let mut kept = Vec::with_capacity(files.len());
    for found in files {
        let config = configs.of(&found.path, root_of(&found.path, roots), known)?;
        if found.explicit || !config.as_ref().is_some_and(|config| config.leaves_out(&found.path)) {
            kept.push((found, config));
        }
    }
    let mut models: Vec<Rows> = configs.all().iter().flat_map(|config| config.models.clone()).collect();
    models.extend(options.models.iter().cloned());
    Ok((kept, models))
}

/// The root of the project that a file belongs to: the nearest one above it.
fn root_of<'a>(path: &'a Path, roots: &'a [PathBuf]) -> &'a Path {
    let above = roots.iter().filter(|root| path.starts_with(root));
    above.max_by_key(|root| root.components().count()).map_or(Path::new("/"), PathBuf::as_path)
}

/// Puts the file that standard input stands for among the files, in its place.
fn add_stdin(files: &mut Vec<Found>, request: &Request, path: &PathBuf) {
    files.iter_mut().for_each(|file| file.reported = file.path == *path);
    if !files.iter().any(|file| file.path == *path) {
        let name = walk::name_of(&request.cwd, path);
        let at = files.partition_point(|file| file.name < name);
        files.insert(at, Found { path: path.clone(), name, reported: true, explicit: true, trial: false });
    }
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
