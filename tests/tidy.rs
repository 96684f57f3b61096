//! Keeps the layering true: who may use whom, one door for each big dependency, and a first line that says what a file is.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Each part of the crate with the parts that it may use. Everything points to what stands above it.
const LAYERS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("nearest", &[]),
    ("finding", &["text"]),
    ("model", &["text", "finding"]),
    ("catalog", &["model", "nearest"]),
    ("lower", &["text", "model"]),
    ("project", &["text", "finding", "model"]),
    ("rules", &["text", "finding", "model", "project"]),
    ("report", &["text", "finding"]),
    ("config", &["text", "finding", "model", "catalog", "nearest"]),
    ("walk", &["text", "lower", "config"]),
    ("fingerprint", &["text", "finding"]),
    ("suppress", &["text", "finding", "nearest", "report"]),
    ("baseline", &["text", "finding", "report"]),
    ("scope", &[]),
    ("disk", &[]),
    ("cache", &["text", "finding", "model", "disk"]),
    (
        "check",
        &[
            "text",
            "finding",
            "model",
            "catalog",
            "lower",
            "project",
            "rules",
            "report",
            "walk",
            "fingerprint",
            "suppress",
            "config",
            "baseline",
            "scope",
            "cache",
        ],
    ),
    ("fix", &["text", "finding", "report", "check", "disk"]),
];

/// Big dependencies and the only files that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("swc_", &["src/lower/js.rs", "src/lower/js/"]),
    ("tree_sitter", &["src/lower/cpp.rs", "src/lower/cpp/"]),
    ("miette", &["src/report/human.rs"]),
    ("clap", &["src/main.rs", "src/cli.rs", "src/cli/"]),
    ("ignore::", &["src/walk.rs", "src/walk/", "src/config.rs"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below a folder, by its path from the root of the crate, with its text.
fn files(folder: &str) -> Vec<(String, String)> {
    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(&root().join(folder), &mut paths);
    paths.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// Code without comments and tests, which may use everything.
fn code(name: &str, text: &str) -> String {
    if name.ends_with("/tests.rs") || name.contains("/tests/") {
        return String::new();
    }
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The part of the crate that a file belongs to; none for the crate's root and the program.
fn part(name: &str) -> Option<&str> {
    let inside = name.strip_prefix("src/")?;
    let part = inside.split('/').next()?;
    let part = part.strip_suffix(".rs").unwrap_or(part);
    (!["lib", "main", "cli"].contains(&part)).then_some(part)
}

/// Names that follow `crate::`, braces included.
fn uses(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 1;
                let mut start = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ if depth == 1 && start && !c.is_whitespace() => {
                            found.insert(word(&list[at..]));
                        }
                        _ => {}
                    }
                    start = c == ',' || (start && c.is_whitespace());
                    if depth == 0 {
                        break;
                    }
                }
            }
            None => {
                found.insert(word(rest));
            }
        }
    }
    found
}

#[test]
fn dependencies_point_one_way() {
    let mut wrong = String::new();
    for (name, text) in files("src") {
        let Some(part) = part(&name) else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(known, _)| *known == part) else {
            let _ = writeln!(wrong, "{name}: the part `{part}` has no place in the layers of tests/tidy.rs");
            continue;
        };
        for used in uses(&code(&name, &text)) {
            if used != part && !allowed.contains(&used.as_str()) {
                let _ = writeln!(wrong, "{name} uses `{used}`, which `{part}` must not know");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn big_dependencies_have_one_door() {
    let mut wrong = String::new();
    for (name, text) in files("src") {
        let code = code(&name, &text);
        for (dependency, doors) in DOORS {
            if code.contains(dependency) && !doors.iter().any(|door| name.starts_with(door)) {
                let _ = writeln!(wrong, "{name} names `{dependency}`; only {} may", doors.join(", "));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn files_say_first_what_they_are() {
    let all = files("src").into_iter().chain(files("tests"));
    let mute: Vec<String> = all.filter(|(_, text)| !text.starts_with("//!")).map(|(name, _)| name).collect();
    assert!(mute.is_empty(), "no leading `//!` in {}", mute.join(", "));
}

#[test]
fn nothing_is_left_unwritten() {
    let unwritten = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    let found: Vec<String> = files("src")
        .into_iter()
        .filter(|(_, text)| unwritten.iter().any(|word| text.contains(word)))
        .map(|(name, _)| name)
        .collect();
    assert!(found.is_empty(), "unwritten code in {}", found.join(", "));
}
