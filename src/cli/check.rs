//! `leaklint check`: from its arguments to the options of a run, and from its outcome to outputs and the exit code.

use super::args::{CheckArgs, Level};
use super::output::{self, Target};
use super::{Done, Failure, note, print, unknown_rule};
use clap::ArgMatches;
use leaklint::check::{self, Options, Outcome, Selection};
use leaklint::config::{self, Source};
use leaklint::finding::{Applicability, Confidence, Severity};
use leaklint::fix::{self, Change, Fixed};
use leaklint::rules;
use leaklint::walk::Request;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs `check`.
pub fn run(args: &CheckArgs, matches: &ArgMatches) -> Done {
    let targets = output::targets(&args.format)?;
    let options = options(args, matches)?;
    let mut outcome = check::check(&options);
    if let Some(error) = &outcome.bad_config {
        return Err(super::setup::words(error, &options.request.cwd).into());
    }
    if let Some(path) = outcome.missing.first()
        && !args.no_error_on_unmatched_pattern
    {
        return Err(format!("{}: no such file or folder", path.display()).into());
    }
    if let Some(reason) = outcome.bad_patterns.first() {
        return Err(format!("--ignore-pattern {reason}").into());
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
    settle(args, &mut outcome);
    write(args, &targets, &outcome)?;
    Ok(code(args, &outcome))
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

pub(super) fn options(args: &CheckArgs, matches: &ArgMatches) -> Result<Options, Failure> {
    let cwd = std::env::current_dir().and_then(|cwd| cwd.canonicalize());
    let cwd = cwd.map_err(|error| format!("can't find the working directory: {error}"))?;
    let (paths, stdin) = stdin(args, &cwd)?;
    let request = Request {
        cwd,
        paths,
        no_project: args.no_project,
        no_ignore: args.no_ignore,
        force_exclude: args.force_exclude,
        ignore_patterns: args.ignore_pattern.clone(),
        no_config: args.no_config,
        threads: args.threads,
    };
    let config = match (&args.config, args.no_config) {
        (_, true) => Source::None,
        (Some(path), false) => Source::Given(request.cwd.join(path).components().collect()),
        (None, false) => Source::Discover,
    };
    let mut models = Vec::new();
    for path in &args.models {
        models.extend(config::rows(path).map_err(|error| super::setup::words(&error, &request.cwd))?);
    }
    let level = args.level.map(|level| match level {
        Level::Default => Confidence::Medium,
        Level::All => Confidence::Low,
        Level::Strict => Confidence::High,
    });
    let texts = stdin.clone().into_iter().collect();
    let stdin = stdin.map(|(path, _)| path);
    Ok(Options { request, stdin, texts, config, rules: selection(args, matches)?, level, models })
}

/// The paths to walk, and the text of the file that standard input stands for. Its folder is walked in its place, for
/// what the project tells about it.
fn stdin(args: &CheckArgs, cwd: &Path) -> Result<(Vec<PathBuf>, Option<(PathBuf, Arc<str>)>), Failure> {
    if !args.paths.iter().any(|path| path.as_os_str() == "-") {
        return match &args.stdin_filename {
            Some(_) => Err("--stdin-filename needs the path `-`".into()),
            None => Ok((args.paths.clone(), None)),
        };
    }
    if args.paths.len() > 1 {
        return Err("standard input (`-`) is checked alone".into());
    }
    let name = args.stdin_filename.as_ref().ok_or("the path `-` needs --stdin-filename")?;
    if !check::reads(&name.to_string_lossy()) {
        return Err(format!("{}: leaklint reads no files of this kind", name.display()).into());
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("can't read standard input: {error}"))?;
    let text = leaklint::walk::decode(bytes).map_err(|reason| format!("standard input is {reason}"))?;
    let path: PathBuf = cwd.join(name).components().collect();
    let path = match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(file)) => folder.join(file),
        _ => path,
    };
    let mut folder = path.parent().unwrap_or(cwd);
    while !folder.is_dir() {
        folder = folder.parent().unwrap_or(cwd);
    }
    let paths = if args.no_project { Vec::new() } else { vec![folder.to_owned()] };
    Ok((paths, Some((path, text.into()))))
}

/// Rules from `-A`, `-W`, `-D`, `--only` and `--skip`.
fn selection(args: &CheckArgs, matches: &ArgMatches) -> Result<Selection, Failure> {
    let flags = [
        ("allow", &args.allow, Severity::Off),
        ("warn", &args.warn, Severity::Warning),
        ("deny", &args.deny, Severity::Error),
    ];
    let mut levels = Vec::new();
    for (id, values, severity) in flags {
        let places = matches.indices_of(id).into_iter().flatten();
        levels.extend(places.zip(values).map(|(place, name)| (place, name.clone(), severity)));
    }
    levels.sort();
    let levels: Vec<(String, Severity)> = levels.into_iter().map(|(_, name, severity)| (name, severity)).collect();
    let names = levels.iter().map(|(name, _)| name).chain(&args.only).chain(&args.skip);
    for name in names {
        if name != "all" && !rules::infos().iter().any(|info| info.name == name || info.family == *name) {
            return Err(unknown_rule(name));
        }
    }
    Ok(Selection { levels, only: args.only.clone(), skip: args.skip.clone() })
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

fn write(args: &CheckArgs, targets: &[Target], outcome: &Outcome) -> Result<(), Failure> {
    let style = output::style(args.color);
    for target in targets {
        target.write(&outcome.report, &style)?;
    }
    Ok(())
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
