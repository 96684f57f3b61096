//! `leaklint init` and `leaklint config`: writing a configuration, and saying which one applies.

use super::{Done, Failure, note, print};
use leaklint::config::{self, Configs, Error, FILE, Source};
use leaklint::finding::Severity;
use leaklint::{rules, walk};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What `init` writes.
const START: &str = include_str!("../../schemas/leaklint.start.toml");

/// What a configuration file may hold.
const SCHEMA: &str = include_str!("../../schemas/leaklint.schema.json");

/// Writes a configuration to start from into the working directory.
pub fn init() -> Done {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => format!("{FILE} is already there"),
        _ => format!("can't write {FILE}: {error}"),
    };
    let mut file = fs::File::create_new(FILE).map_err(failed)?;
    file.write_all(START.as_bytes()).map_err(failed)?;
    note(&format!("wrote {FILE}; `leaklint config` shows what applies"));
    print(b"")
}

/// Prints the JSON schema of configuration files.
pub fn schema() -> Done {
    print(SCHEMA.as_bytes())
}

/// Prints what applies to a file, and who says so.
pub fn show(file: Option<&Path>, given: Option<&Path>) -> Done {
    let cwd = std::env::current_dir().and_then(|cwd| cwd.canonicalize());
    let cwd = cwd.map_err(|error| format!("can't find the working directory: {error}"))?;
    let path = match file {
        Some(file) => cwd.join(file).canonicalize().map_err(|_| format!("{}: no such file", file.display()))?,
        // Patterns speak of files; nothing in the folder itself is meant.
        None => cwd.join("."),
    };
    let source = given.map_or(Source::Discover, |given| Source::Given(cwd.join(given).components().collect()));
    let root = walk::root_of(&path, true);
    let known = rules::infos();
    let failed = |error: Error| Failure::from(words(&error, &cwd));
    let mut configs = Configs::new(&source, known).map_err(failed)?;
    let inside = if path.is_dir() { path.join("-") } else { path.clone() };
    let config = configs.of(&inside, &root, known).map_err(failed)?;

    let mut text = format!("project root: {}\n", root.display());
    let name = |path: &Path| walk::name_of(&cwd, path);
    match &config {
        None => text.push_str("configuration: none, the defaults apply\n"),
        Some(config) => {
            let _ = writeln!(text, "configuration: {}", name(&config.path));
            let bases: Vec<String> = config.files().filter(|base| *base != config.path).map(name).collect();
            if !bases.is_empty() {
                let _ = writeln!(text, "extends: {}", bases.join(", "));
            }
            if config.leaves_out(&inside) {
                text.push_str("not read: `[files]` leaves this file out\n");
            }
        }
    }
    let level = config.as_ref().and_then(|config| config.level(&inside)).unwrap_or(config::Level::Default);
    let level = serde_json::to_value(level).unwrap_or_default();
    let _ = writeln!(text, "level: {}", level.as_str().unwrap_or_default());
    let reasons = config.as_ref().is_some_and(|config| config.require_reason(&inside));
    let _ = writeln!(text, "require-reason: {reasons}\n");
    let wide = known.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in known {
        let said = config.as_ref().and_then(|config| config.severity(rule, &inside));
        let (severity, why) = said.unwrap_or_else(|| (rule.severity, "default".to_owned()));
        let severity = match severity {
            Severity::Off => "off",
            Severity::Warning => "warn",
            Severity::Error => "error",
        };
        let why = why.replace(&format!("{}/", cwd.display()), "");
        let _ = writeln!(text, "{:wide$}  {severity:5}  {why}", rule.name);
    }
    print(text.as_bytes())
}

/// What is wrong with a configuration, its file named from the working directory.
pub fn words(error: &Error, cwd: &Path) -> String {
    let file = PathBuf::from(walk::name_of(cwd, &cwd.join(&error.file)));
    Error { file, ..error.clone() }.to_string()
}
