//! From texts to findings: lower, link, judge, each behind a net.

use super::{Clock, Input, Options, Outcome, guarded, problem, settle};
use crate::finding::{Finding, Severity};
use crate::lower::{self, ProjectMacros};
use crate::model::contract::Rows;
use crate::model::{Contracts, Gyp, Language, Summary};
use crate::project::Project;
use crate::report::Problem;
use crate::rules::{self, RULES};
use crate::suppress::{Directives, concerns};
use crate::text::{Source, Sources};
use crate::{catalog, config};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Lowers, links and judges; fills in everything of the outcome that texts decide.
pub(super) fn judge(
    inputs: Vec<Input>,
    models: Vec<Rows>,
    options: &Options,
    outcome: &mut Outcome,
    clock: &mut Clock,
) {
    let names: Vec<String> = inputs.iter().map(|input| input.found.name.to_lowercase()).collect();
    let lower_all = || {
        let texts = names.par_iter().map(String::as_str).zip(inputs.par_iter().map(|input| &*input.text));
        let macros = guarded(|| ProjectMacros::collect(texts.clone())).unwrap_or_default();
        let lower = |(name, text)| {
            let lowered = guarded(|| lower::lower_in(&macros, name, text));
            if let Some(progress) = &options.progress {
                progress.done.fetch_add(1, Ordering::Relaxed);
            }
            lowered
        };
        texts.map(lower).collect::<Vec<Result<Summary, String>>>()
    };
    if let Some(progress) = &options.progress {
        progress.total.store(inputs.len(), Ordering::Relaxed);
    }
    let (lowered, contracts) = rayon::join(lower_all, || contracts(&models));
    clock.lap("lower", outcome);
    if let Some(progress) = &options.progress {
        progress.judging.store(true, Ordering::Relaxed);
    }

    let mut builds = Builds::default();
    let source = |input: &Input| Source::new(&input.found.path, &input.found.name, Arc::clone(&input.text));
    let sources = Sources::from(inputs.par_iter().map(source).collect::<Vec<_>>());
    let mut summaries = Vec::with_capacity(lowered.len());
    for ((input, (_, source)), lowered) in inputs.iter().zip(sources.iter()).zip(lowered) {
        let name = &input.found.name;
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
    let spoken: Vec<bool> = inputs.par_iter().map(|input| input.found.reported && concerns(&input.text)).collect();
    for (((file, source), (summary, input)), spoken) in sources.iter().zip(summaries.iter().zip(&inputs)).zip(spoken) {
        if spoken {
            let config = input.config.as_ref();
            let needs_reason = config.is_some_and(|config| config.require_reason(&input.found.path));
            directives.read(file, source, &summary.comments, &known, needs_reason);
        }
    }

    let found = {
        let linked = guarded(|| Project::link(&sources, &contracts, summaries));
        clock.lap("link", outcome);
        linked.map(|project| {
            if let Err(panic) = guarded(|| project.prepare()) {
                outcome.crashed = true;
                let message = format!("internal error while linking the project, please report ({panic})");
                outcome.report.errors.push(problem(".", message));
            }
            clock.lap("prepare", outcome);
            let found = ask(&project, options, outcome);
            project.dispose();
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

    outcome.report.diagnostics = settle::diagnostics(found, &inputs, &sources, options, &mut directives, outcome);
    outcome.report.counts.suppressed =
        outcome.report.diagnostics.iter().filter(|diagnostic| diagnostic.suppressed.is_some()).count();
    outcome.bad_comments = directives.problems.len();
    outcome.report.errors.append(&mut directives.problems);
    outcome.report.sources = sources;
    outcome.report.asked = inputs.iter().map(|input| input.found.reported).collect();
    if let Some(scope) = &options.scope {
        let touched: FxHashSet<&str> =
            inputs.iter().filter(|input| scope.has(&input.found.path)).map(|input| input.found.name.as_str()).collect();
        outcome.report.errors.retain(|error| error.file == "." || touched.contains(error.file.as_str()));
    }
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

/// The built-in rows, read once, and more.
fn contracts(models: &[Rows]) -> Cow<'static, Contracts> {
    static CONTRACTS: OnceLock<Contracts> = OnceLock::new();
    if models.is_empty() {
        Cow::Borrowed(CONTRACTS.get_or_init(catalog::builtin))
    } else {
        Cow::Owned(config::extended(models.iter()))
    }
}

/// The summary of a file that could not be lowered: its language, and that code is missing.
fn placeholder(name: &str) -> Summary {
    Summary { partial: true, ..lower::lower(name, "") }
}

/// Runs every rule that is on, in parallel. Findings are in no order yet.
fn ask(project: &Project<'_>, options: &Options, outcome: &mut Outcome) -> Vec<Finding> {
    // What only the configuration of some files turns off still runs: each finding is asked again for its file.
    let on = RULES.par_iter().filter(|rule| options.rules.severity(rule.info(), Severity::Warning) != Severity::Off);
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
