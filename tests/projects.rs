//! Lints every project of `fixtures/` as a user would, from its folder, and compares with its `expect.txt`: a line a
//! finding, `file:line rule`. `LEAKLINT_BLESS=1` rewrites the lists; a project with an empty one must stay silent.

mod support;

use leaklint::check::{Options, check};
use leaklint::walk::Request;
use std::fs;
use std::path::{Path, PathBuf};
use support::Test;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut projects: Vec<PathBuf> = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
    projects.retain(|path| path.is_dir());
    projects.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let tests = projects.into_iter().map(|path| Test::new(name(&path), move || lint(&path))).collect();
    support::harness(tests);
}

fn lint(project: &Path) -> Result<(), String> {
    let cwd = project.canonicalize().map_err(|error| error.to_string())?;
    // Alone: a fixture is a project of its own, wherever the checkout is.
    let request = Request { cwd, paths: vec![PathBuf::from(".")], no_project: true, ..Request::default() };
    let report = check(&Options { request, ..Options::default() }).report;
    let line = |diagnostic: &leaklint::report::Diagnostic| {
        let at = diagnostic.finding.at;
        format!("{}:{} {}\n", report.file(at), report.range(at).0.line, diagnostic.finding.rule)
    };
    let found: String = report.diagnostics.iter().map(line).collect();
    let list = project.join("expect.txt");
    let expected = fs::read_to_string(&list).unwrap_or_default();
    let mut wrong = support::style(&report);
    wrong.extend(report.errors.iter().map(|error| format!("{}: {}\n", error.file, error.message)));
    if found != expected {
        if support::bless() {
            fs::write(&list, &found).map_err(|error| error.to_string())?;
        } else {
            let missing = expected.lines().filter(|line| !found.lines().any(|found| found == *line));
            wrong.extend(missing.map(|line| format!("not found: {line}\n")));
            let new = found.lines().filter(|line| !expected.lines().any(|expected| expected == *line));
            wrong.extend(new.map(|line| format!("unexpected: {line}\n")));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
