//! From texts to findings: lower, link, judge, each behind a net.

use super::memory::Memory;
use super::{Clock, Input, Options, Outcome, guarded, problem, settle};
use crate::cache::{Answers, Reading};
use crate::finding::{Finding, Severity};
use crate::lower::{self, ProjectMacros};
use crate::model::contract::Rows;
use crate::model::{Contracts, Gyp, Language, Summary};
use crate::project::{self, Project};
use crate::report::Problem;
use crate::rules::{self, RULES, Rule};
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
    let source = |input: &Input| Source {
        trial: input.found.trial,
        ..Source::new(&input.found.path, &input.found.name, Arc::clone(&input.text))
    };
    let sources = Sources::from(inputs.par_iter().map(source).collect::<Vec<_>>());
    let answers = answers(&inputs, &sources, &models, options, outcome, clock);

    for ((input, (_, source)), reading) in inputs.iter().zip(sources.iter()).zip(&answers.files) {
        if input.found.reported {
            let name = &input.found.name;
            outcome.report.errors.extend(reading.errors.iter().map(|error| Problem {
                file: name.clone(),
                at: source.lines.position(&source.text, error.offset),
                message: error.message.clone(),
            }));
            outcome.report.counts.files += 1;
            if reading.partial {
                outcome.partial.push(name.clone());
            }
        }
    }
    outcome.report.counts.partial = outcome.partial.len();

    let mut directives = Directives::default();
    let known: Vec<&str> = rules::infos().iter().map(|info| info.name).collect();
    for ((file, source), (reading, input)) in sources.iter().zip(answers.files.iter().zip(&inputs)) {
        if input.found.reported && !reading.comments.is_empty() {
            let config = input.config.as_ref();
            let needs_reason = config.is_some_and(|config| config.require_reason(&input.found.path));
            directives.read(file, source, &reading.comments, &known, needs_reason);
        }
    }

    let found = answers.found.into_iter().flat_map(|(_, found)| found).collect();
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

/// What the rules answer about the texts: remembered, or found out and remembered.
fn answers(
    inputs: &[Input],
    sources: &Sources,
    models: &[Rows],
    options: &Options,
    outcome: &mut Outcome,
    clock: &mut Clock,
) -> Answers {
    if let Some(progress) = &options.progress {
        progress.total.store(inputs.len(), Ordering::Relaxed);
    }
    let mut builds = Builds::default();
    let native = |input: &Input| lower::language_of(&input.found.name.to_lowercase()).is_some_and(Language::is_native);
    let builds: Vec<Option<Arc<Gyp>>> =
        inputs.iter().map(|input| if native(input) { builds.of(&input.found.path) } else { None }).collect();
    // What only the configuration of some files turns off still runs: each finding is asked again for its file.
    let on = |rule: &&Rule| options.rules.severity(rule.info(), Severity::Warning) != Severity::Off;
    let rules: Vec<&Rule> = RULES.iter().filter(on).collect();
    let names: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
    let memory = options.cache.as_deref().and_then(|cache| Memory::of(cache, inputs, &builds, models, &names));
    if let Some(mut answers) = memory.as_ref().and_then(Memory::answers) {
        // A rule's name is the list's, so that it can be compared and looked up as everywhere.
        for (rule, found) in &mut answers.found {
            let name = rules::info(rule).map_or("", |info| info.name);
            found.iter_mut().for_each(|finding| finding.rule = name);
        }
        clock.lap("recall", outcome);
        return answers;
    }

    let (lowered, contracts) = rayon::join(|| lower_all(inputs, memory.as_ref(), options), || contracts(models));
    clock.lap("lower", outcome);
    if let Some(progress) = &options.progress {
        progress.judging.store(true, Ordering::Relaxed);
    }
    let (files, summaries) = readings(inputs, builds, lowered, outcome);
    let mut answers = Answers { files, found: Vec::new() };
    let said = project::read_said(sources, &summaries, &contracts.words);
    let calls = said
        .calls
        .iter()
        .map(|(release, gives)| (release.as_str(), gives.as_ref().map(|gives| gives.as_str()), project::owed(release)));
    let habits = said.habits.iter().map(|release| (release.as_str(), None, project::usually_owed(release)));
    let contracts = match catalog::said(calls.chain(habits)) {
        Some(rows) => Cow::Owned(config::extended(models.iter().chain([&rows]))),
        None => contracts,
    };
    let mut extended = None;
    let link = |summaries| {
        let project = Project::link(sources, &contracts, summaries);
        let project = match project.border() {
            None => project,
            // The addon's exports are rows like others then, and all that asked before has to ask anew.
            Some(rows) => {
                let summaries = project.into_summaries();
                let all = extended.insert(Contracts::clone(&contracts));
                all.add(rows);
                Project::link(sources, all, summaries)
            }
        };
        project.with_said(said)
    };
    for finding in judge_summaries(summaries, link, &rules, outcome, clock) {
        match answers.found.iter_mut().find(|(rule, _)| rule == finding.rule) {
            Some((_, found)) => found.push(finding),
            None => answers.found.push((finding.rule.to_owned(), vec![finding])),
        }
    }
    if let Some(memory) = memory.filter(|_| !outcome.crashed) {
        memory.keep(&answers);
        clock.lap("remember", outcome);
    }
    answers
}

/// What is reported of each file whatever the rules say, and its summary with what it is built by; a placeholder for a file
/// that could not be lowered.
fn readings(
    inputs: &[Input],
    builds: Vec<Option<Arc<Gyp>>>,
    lowered: Vec<Result<Summary, String>>,
    outcome: &mut Outcome,
) -> (Vec<Reading>, Vec<Summary>) {
    let each = inputs.iter().zip(builds).zip(lowered).map(|((input, build), lowered)| {
        let name = &input.found.name;
        let mut summary = lowered.unwrap_or_else(|panic| {
            outcome.crashed = true;
            let message = format!("internal error while reading this file, please report ({panic})");
            outcome.report.errors.push(problem(name, message));
            placeholder(name)
        });
        summary.build = build;
        let comments = if concerns(&input.text) { summary.comments.clone() } else { Vec::new() };
        (Reading { errors: summary.errors.clone(), partial: summary.partial, comments }, summary)
    });
    each.unzip()
}

/// The summary of each file, or the words of the panic that reading it ended in.
fn lower_all(inputs: &[Input], memory: Option<&Memory<'_>>, options: &Options) -> Vec<Result<Summary, String>> {
    let names: Vec<String> = inputs.iter().map(|input| input.found.name.to_lowercase()).collect();
    let texts = names.par_iter().map(String::as_str).zip(inputs.par_iter().map(|input| &*input.text));
    let macros = guarded(|| ProjectMacros::collect(texts)).unwrap_or_default();
    let lower = |at: usize| {
        let lowered = guarded(|| lower::lower_in(&macros, &names[at], &inputs[at].text));
        if let Some(progress) = &options.progress {
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
        lowered
    };
    match memory {
        Some(memory) => memory.summaries(&names, &macros, lower),
        None => (0..inputs.len()).into_par_iter().map(lower).collect(),
    }
}

/// Links and asks, each behind a net.
fn judge_summaries<'a>(
    summaries: Vec<Summary>,
    link: impl FnOnce(Vec<Summary>) -> Project<'a>,
    rules: &[&Rule],
    outcome: &mut Outcome,
    clock: &mut Clock,
) -> Vec<Finding> {
    let broken = |panic: String, outcome: &mut Outcome| {
        outcome.crashed = true;
        let message = format!("internal error while linking the project, please report ({panic})");
        outcome.report.errors.push(problem(".", message));
    };
    let linked = guarded(|| link(summaries));
    clock.lap("link", outcome);
    let project = match linked {
        Ok(project) => project,
        Err(panic) => {
            broken(panic, outcome);
            return Vec::new();
        }
    };
    if let Err(panic) = guarded(|| project.prepare()) {
        broken(panic, outcome);
    }
    clock.lap("prepare", outcome);
    let found = ask(&project, rules, outcome);
    project.dispose();
    clock.lap("judge", outcome);
    found
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

/// Runs rules in parallel. Findings are in no order yet.
fn ask(project: &Project<'_>, rules: &[&Rule], outcome: &mut Outcome) -> Vec<Finding> {
    let answers: Vec<_> = rules
        .par_iter()
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
