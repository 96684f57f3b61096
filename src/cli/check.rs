//! `leaklint check`: the run, what fixes and baseline do with its outcome, outputs and the exit code.

use super::args::CheckArgs;
use super::options::{cache, options};
use super::output::{self, Target};
use super::progress::Ticker;
use super::{Done, Failure, note, notes, print, unknown_rule, watch};
use clap::ArgMatches;
use leaklint::baseline::{Baseline, Entry};
use leaklint::cache::Cache;
use leaklint::check::{self, Options, Outcome};
use leaklint::finding::{Applicability, Severity};
use leaklint::fix::{self, Change, Fixed};
use leaklint::report::Suppressed;
use leaklint::text::io_words;
use leaklint::{disk, fingerprint, rules, walk};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs `check`.
pub fn run(args: &CheckArgs, matches: &ArgMatches) -> Done {
    let targets = output::targets(&args.format)?;
    if let Some(rule) = args.suppress_rule.iter().find(|rule| rules::info(rule).is_none()) {
        return Err(unknown_rule(rule));
    }
    let cache = cache(args)?;
    let once = || once(args, matches, &targets, cache.clone());
    if args.watch { watch::watch(args, matches, once) } else { once() }
}

fn once(args: &CheckArgs, matches: &ArgMatches, targets: &[Target], cache: Option<Arc<Cache>>) -> Done {
    let mut options = options(args, matches)?;
    options.cache = cache;
    let ticker = Ticker::start(args.no_progress);
    options.progress.clone_from(&ticker.progress);
    let mut outcome = check::check(&options);
    ticker.stop();
    complain(args, &options, &outcome)?;
    // Who did not ask for it need not hear that a home folder can't be written.
    let is_asked = args.cache || args.cache_dir.is_some();
    if let Some(Err(error)) = options.cache.as_deref().map(Cache::save)
        && is_asked
    {
        note(&format!("can't write the cache: {}", io_words(&error)));
    }
    if args.fix || args.unsafe_fixes || args.diff {
        let allowed = if args.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        let fixed = fix::fix(&options, outcome, allowed);
        if args.diff {
            return diff(&fixed.changes);
        }
        if options.stdin.is_some() {
            let text = fixed.changes.first().map(|change| &change.new).or(options.texts.values().next());
            print(text.map_or(&[], |text| text.as_bytes()))?;
            outcome = fixed.outcome;
            settle(args, &mut outcome);
            return Ok(code(args, &outcome));
        }
        apply(&fixed)?;
        outcome = fixed.outcome;
    }
    keep_baseline(args, &options, &mut outcome)?;
    settle(args, &mut outcome);
    let style = output::style(args.color);
    for target in targets {
        target.write(&outcome.report, &style)?;
    }
    notes::print(args, &outcome, targets.iter().any(Target::is_for_people));
    Ok(code(args, &outcome))
}

/// What keeps a run from meaning anything.
fn complain(args: &CheckArgs, options: &Options, outcome: &Outcome) -> Result<(), Failure> {
    if let Some(error) = &outcome.bad_config {
        return Err(super::setup::words(error, &options.request.cwd).into());
    }
    if let Some(words) = &outcome.bad_baseline {
        return Err(words.as_str().into());
    }
    if let Some(path) = outcome.missing.first()
        && !args.no_error_on_unmatched_pattern
    {
        return Err(format!("{}: no such file or folder", path.display()).into());
    }
    if let Some(reason) = outcome.bad_patterns.first() {
        return Err(format!("--ignore-pattern {reason}").into());
    }
    let writes = args.suppress_all || !args.suppress_rule.is_empty();
    match &args.suppressions_location {
        Some(path) if !writes && !path.exists() => Err(format!("{}: no such file", path.display()).into()),
        _ => Ok(()),
    }
}

/// Adds to the baseline, or takes away from it, what the flags say.
fn keep_baseline(args: &CheckArgs, options: &Options, outcome: &mut Outcome) -> Result<(), Failure> {
    let mut entries = outcome.baseline.entries.clone();
    if args.prune_suppressions {
        entries.retain(|entry| !outcome.stale.contains(entry));
        note(&format!("pruned {} of {} suppressions", outcome.stale.len(), outcome.baseline.entries.len()));
        outcome.stale.clear();
    }
    let wanted = |rule: &str| args.suppress_all || args.suppress_rule.iter().any(|known| known == rule);
    let before = entries.len();
    let report = &mut outcome.report;
    for diagnostic in
        report.diagnostics.iter_mut().filter(|item| item.suppressed.is_none() && wanted(item.finding.rule))
    {
        let finding = &diagnostic.finding;
        entries.push(Entry {
            file: fingerprint::inside(report.sources.get(finding.at.file), &outcome.roots),
            rule: finding.rule.to_owned(),
            fingerprint: diagnostic.fingerprint.clone(),
            context: finding.context.clone(),
            message: finding.message.clone(),
        });
        diagnostic.suppressed = Some(Suppressed { by: "baseline", reason: String::new() });
        report.counts.suppressed += 1;
    }
    let added = entries.len() - before;
    if args.suppress_all || !args.suppress_rule.is_empty() {
        let name = walk::name_of(&options.request.cwd, &outcome.baseline.path);
        note(&match added {
            0 => format!("no finding to put into {name}"),
            _ => format!("put {added} finding{} into {name}", s(added)),
        });
    }
    entries.sort();
    entries.dedup();
    if entries == outcome.baseline.entries {
        return Ok(());
    }
    let baseline = Baseline { path: outcome.baseline.path.clone(), entries };
    write_baseline(&baseline.path, &baseline)
}

fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), Failure> {
    disk::replace(path, baseline.text().as_bytes())
        .map_err(|error| format!("can't write {}: {error}", path.display()).into())
}

/// Prints what fixes would change; 1 if there is anything.
fn diff(changes: &[Change]) -> Done {
    let text: String =
        changes.iter().map(|change| leaklint::report::unified(&change.name, &change.old, &change.new)).collect();
    print(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(!changes.is_empty())))
}

/// Writes changed files.
fn apply(fixed: &Fixed) -> Result<(), Failure> {
    for change in &fixed.changes {
        fix::write(change).map_err(|error| format!("can't fix {}: {error}", change.name))?;
    }
    if fixed.applied > 0 {
        let (findings, files) = (fixed.applied, fixed.changes.len());
        note(&format!("fixed {findings} finding{} in {files} file{}", s(findings), s(files)));
    }
    Ok(())
}

fn s(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Applies what the flags say of severities.
fn settle(args: &CheckArgs, outcome: &mut Outcome) {
    let diagnostics = &mut outcome.report.diagnostics;
    if args.deny_warnings {
        diagnostics.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Error);
    }
    if args.quiet {
        diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    }
}

fn code(args: &CheckArgs, outcome: &Outcome) -> ExitCode {
    let count = |severity| outcome.report.active().filter(|diagnostic| diagnostic.severity == severity).count();
    let failed = outcome.bad_comments > 0
        || count(Severity::Error) > 0
        || count(Severity::Warning) > args.max_warnings.unwrap_or(0);
    if outcome.crashed {
        ExitCode::from(2)
    } else if failed && !args.exit_zero {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckArgs, ExitCode, Outcome, code};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: CheckArgs,
    }

    /// An internal error is no verdict: not even `--exit-zero` makes a success of it.
    #[test]
    fn an_internal_error_exits_with_two() {
        for line in [&["leaklint"][..], &["leaklint", "--exit-zero"]] {
            let args = Line::parse_from(line).args;
            let outcome = Outcome { crashed: true, ..Outcome::default() };
            assert_eq!(code(&args, &outcome), ExitCode::from(2));
            assert_eq!(code(&args, &Outcome::default()), ExitCode::SUCCESS);
        }
    }
}
