//! `--watch`: runs again whenever a file that counts has changed. Looks at times instead of asking the system for events:
//! that works on every file system, shared folders and containers included.

use super::args::CheckArgs;
use super::options::options;
use super::{Done, Failure};
use clap::ArgMatches;
use leaklint::{config, walk};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// Runs `once` now and after every change, until it is interrupted.
pub fn watch(args: &CheckArgs, matches: &ArgMatches, once: impl Fn() -> Done) -> Done {
    let mut seen = None;
    loop {
        let now = state(args, matches)?;
        if seen.as_ref() != Some(&now) {
            if io::stdout().is_terminal() {
                let _ = write!(io::stdout(), "\x1b[2J\x1b[H");
            }
            match once() {
                Ok(_) => {}
                Err(Failure(words)) => super::note(&words),
            }
            super::note("watching; Ctrl-C ends it");
            // A reader that has gone will read no more.
            if io::stdout().flush().is_err() {
                return Ok(ExitCode::SUCCESS);
            }
            seen = Some(now);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

type State = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Times and sizes of all files that a run reads.
fn state(args: &CheckArgs, matches: &ArgMatches) -> Result<State, Failure> {
    let request = options(args, matches)?.request;
    let walked = walk::walk(&request);
    let mut paths: Vec<PathBuf> = walked.files.into_iter().map(|file| file.path).collect();
    for root in walked.roots {
        paths.extend([config::FILE, "package.json", leaklint::baseline::FILE].map(|name| root.join(name)));
    }
    paths.extend(args.config.clone());
    let stamp = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    };
    Ok(paths.into_iter().map(|path| (path.clone(), stamp(&path))).collect())
}
