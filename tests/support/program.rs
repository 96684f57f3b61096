//! Running the program in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A folder with these files.
pub fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// The program with arguments, and without what the environment of the tests might say.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaklint"));
    command.args(arguments).current_dir(folder);
    for name in ["LEAKLINT_FORMAT", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_STEP_SUMMARY", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    // What is tested is what it finds out, not what an earlier test found out.
    command.env("LEAKLINT_NO_CACHE", "1");
    command
}

/// Runs the program.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// What it printed.
pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it said beside.
pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Its exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// Its report.
pub fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", out(output), err(output)))
}

/// The files of a report's diagnostics.
pub fn files(report: &serde_json::Value) -> Vec<&str> {
    report["diagnostics"].as_array().unwrap().iter().map(|item| item["file"].as_str().unwrap()).collect()
}
