//! From the arguments of `check` to the options of a run.

use super::args::{CheckArgs, Level};
use super::{Failure, unknown_rule};
use clap::ArgMatches;
use leaklint::cache::{Cache, usual_folder};
use leaklint::check::{self, Options, Selection};
use leaklint::config::{self, Source};
use leaklint::finding::{Confidence, Severity};
use leaklint::rules;
use leaklint::scope::{Scope, Since};
use leaklint::walk::Request;
use rustc_hash::FxHashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What earlier runs came to: in a folder, or, where none is wanted or known, in this process if it runs more than once.
pub fn cache(args: &CheckArgs) -> Result<Option<Arc<Cache>>, Failure> {
    if !args.no_cache {
        match args.cache_dir.clone().or_else(usual_folder) {
            Some(folder) => return Ok(Some(Arc::new(Cache::at(folder)))),
            None if args.cache => return Err("there is no folder for caches here; --cache-dir names one".into()),
            None => {}
        }
    }
    let again = args.fix || args.unsafe_fixes || args.diff || args.watch;
    Ok(again.then(|| Arc::new(Cache::in_memory())))
}

/// The options of a run.
pub fn options(args: &CheckArgs, matches: &ArgMatches) -> Result<Options, Failure> {
    let cwd = std::env::current_dir().and_then(|cwd| cwd.canonicalize());
    let cwd = cwd.map_err(|error| format!("can't find the working directory: {error}"))?;
    let (paths, stdin) = stdin(args, &cwd)?;
    let since = match &args.since {
        Some(revision) => Some(Since::Revision(revision.clone())),
        None if args.staged => Some(Since::Staged),
        None => args.changed.then_some(Since::Changed),
    };
    let mut scope = since.map(|since| Scope::ask(&cwd, &since)).transpose()?;
    let mut texts: FxHashMap<PathBuf, Arc<str>> = stdin.clone().into_iter().collect();
    if let Some(scope) = &mut scope {
        texts.extend(std::mem::take(&mut scope.texts));
    }
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
    let stdin = stdin.map(|(path, _)| path);
    Ok(Options {
        suppressions: args.suppressions_location.as_ref().map(|path| request.cwd.join(path).components().collect()),
        request,
        stdin,
        texts,
        config,
        rules: selection(args, matches)?,
        level,
        models,
        scope: scope.map(Arc::new),
        progress: None,
        cache: None,
    })
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
