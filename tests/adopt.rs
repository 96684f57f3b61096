//! Adopting leaklint on an old code base: the baseline, and findings on changed lines only.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use support::program::{code, err, files, json, out, project, run};

const TIMER: &str = "exports.repeat = (work) => { setInterval(() => work(), 1000); };\n";
const OTHER: &str = "exports.again = (ask) => { setInterval(() => ask(), 50); };\n";
const BASELINE: &str = "leaklint-suppressions.json";

fn old() -> tempfile::TempDir {
    project(&[("package.json", "{}"), ("lib/a.js", TIMER), ("lib/b.js", &format!("{TIMER}{OTHER}"))])
}

fn active(root: &Path, arguments: &[&str]) -> Vec<String> {
    let report = json(&run(root, &[&["--format", "json"], arguments].concat()));
    let items = report["diagnostics"].as_array().unwrap().iter().filter(|item| item["suppressed"].is_null());
    items.map(|item| format!("{}:{}", item["file"].as_str().unwrap(), item["range"]["start"]["line"])).collect()
}

#[test]
fn old_findings_are_silent_and_new_ones_are_not() {
    let root = old();
    let root = root.path();
    let output = run(root, &["--suppress-all"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(err(&output).contains("put 3 findings into leaklint-suppressions.json"), "{}", err(&output));
    let text = fs::read_to_string(root.join(BASELINE)).unwrap();
    assert_eq!(text.lines().count(), 5, "an entry a line: {text}");
    assert_eq!(code(&run(root, &[])), 0);
    assert_eq!(code(&run(root, &["lib/b.js"])), 0);
    fs::write(root.join("lib/new.js"), OTHER).unwrap();
    assert_eq!(active(root, &[]), ["lib/new.js:1"]);
    let report = json(&run(root, &["--format", "json"]));
    assert_eq!(report["summary"]["suppressed"], 3);
    assert_eq!(report["diagnostics"][0]["suppressed"]["by"], "baseline");
}

#[test]
fn the_baseline_survives_edits_elsewhere() {
    let root = old();
    let root = root.path();
    run(root, &["--suppress-all"]);
    fs::write(root.join("lib/b.js"), format!("// words\n\nconst x = 1;\n{OTHER}\nfunction f() {{}}\n{TIMER}")).unwrap();
    assert_eq!(active(root, &[]), [""; 0], "lines inserted, functions reordered");
    fs::rename(root.join("lib/a.js"), root.join("lib/moved.js")).unwrap();
    assert_eq!(active(root, &[]), [""; 0], "a file renamed");
    fs::write(root.join("lib/a.js"), "").unwrap();
    assert_eq!(active(root, &[]), ["lib/moved.js:1"], "a copy is no rename");
}

#[test]
fn stale_entries_are_reported_and_pruned() {
    let root = old();
    let root = root.path();
    run(root, &["--suppress-all"]);
    fs::write(root.join("lib/b.js"), TIMER).unwrap();
    let output = run(root, &[]);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("1 suppression stands for nothing any more"), "{}", err(&output));
    assert!(!err(&run(root, &["lib/a.js"])).contains("stands for nothing"), "other files were not judged");
    assert!(!err(&run(root, &["--only", "listener"])).contains("stands for nothing"), "other rules did not run");
    assert!(err(&run(root, &["--prune-suppressions"])).contains("pruned 1 of 3"));
    assert_eq!(fs::read_to_string(root.join(BASELINE)).unwrap().lines().count(), 4);
    assert_eq!(err(&run(root, &[])), "");
}

#[test]
fn one_rule_can_be_suppressed_and_the_file_can_lie_elsewhere() {
    let root = old();
    let root = root.path();
    assert_eq!(code(&run(root, &["--suppress-rule", "handle-never-released"])), 1);
    assert_eq!(code(&run(root, &["--suppress-rule", "no-such-rule"])), 2);
    let there = ["--suppressions-location", "known.json"];
    assert_eq!(code(&run(root, &there)), 2, "it is not there yet");
    assert_eq!(code(&run(root, &[&there[..], &["--suppress-rule", "timer-never-cleared"]].concat())), 0);
    assert_eq!(code(&run(root, &there)), 0);
    assert_eq!(code(&run(root, &[])), 1);
    fs::write(root.join("known.json"), "{\"version\": 1,\n \"entries\": 3}").unwrap();
    let output = run(root, &there);
    assert_eq!(code(&output), 2);
    assert!(err(&output).starts_with("leaklint: known.json: "), "{}", err(&output));
}

fn git(root: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(root).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn repository() -> tempfile::TempDir {
    let root = old();
    git(root.path(), &["init", "-q"]);
    git(root.path(), &["add", "."]);
    git(root.path(), &["commit", "-qm", "start"]);
    root
}

#[test]
fn only_changed_lines_are_reported() {
    let root = repository();
    let root = root.path();
    for scope in [&["--changed"][..], &["--staged"], &["--since", "HEAD"]] {
        assert_eq!(active(root, scope), [""; 0], "{scope:?}");
    }
    fs::write(root.join("lib/b.js"), format!("{TIMER}\n{OTHER}{}", OTHER.replace("again", "more"))).unwrap();
    assert_eq!(active(root, &["--changed"]), ["lib/b.js:4"]);
    assert_eq!(active(root, &["--staged"]), [""; 0]);
    git(root, &["add", "."]);
    assert_eq!(active(root, &["--staged"]), ["lib/b.js:4"]);
    assert_eq!(active(&root.join("lib"), &["--staged"]), ["b.js:4"], "from a sub-directory");
    git(root, &["commit", "-qm", "more"]);
    assert_eq!(active(root, &["--changed"]), [""; 0]);
    assert_eq!(active(root, &["--since", "HEAD~1"]), ["lib/b.js:4"]);
    git(root, &["checkout", "-q", "--detach"]);
    assert_eq!(active(root, &["--since", "main~1"]), ["lib/b.js:4"], "detached");
    fs::write(root.join("new file.js"), TIMER).unwrap();
    assert_eq!(active(root, &["--changed"]), ["new file.js:1"], "not yet known to git");
}

#[test]
fn a_renamed_file_is_no_change() {
    let root = repository();
    let root = root.path();
    git(root, &["mv", "lib/b.js", "lib/c.js"]);
    assert_eq!(active(root, &["--staged"]), [""; 0]);
    assert_eq!(active(root, &["--changed"]), [""; 0]);
}

#[test]
fn before_the_first_commit_all_is_new() {
    let root = old();
    let root = root.path();
    git(root, &["init", "-q"]);
    git(root, &["add", "lib/a.js"]);
    assert_eq!(active(root, &["--staged"]), ["lib/a.js:1"]);
    assert_eq!(active(root, &["--changed"]).len(), 3);
}

#[test]
fn what_is_staged_counts_not_what_is_on_disk() {
    let root = repository();
    let root = root.path();
    fs::write(root.join("lib/n.js"), OTHER).unwrap();
    git(root, &["add", "."]);
    fs::write(root.join("lib/n.js"), "\n\n// mended, but not staged\n").unwrap();
    assert_eq!(active(root, &["--staged"]), ["lib/n.js:1"]);
    assert_eq!(active(root, &["--changed"]), [""; 0]);
}

#[test]
fn a_release_that_is_taken_away_is_a_change_of_the_finding() {
    let with = "class A {\n  start() {\n    this.timer = setInterval(() => this.tick(), 10);\n  }\n  tick() {}\n  stop() {\n    clearInterval(this.timer);\n  }\n}\nmodule.exports = A;\n";
    let root = project(&[("package.json", "{}"), ("a.js", with)]);
    let root = root.path();
    git(root, &["init", "-q"]);
    git(root, &["add", "."]);
    git(root, &["commit", "-qm", "start"]);
    assert_eq!(active(root, &[]), [""; 0]);
    fs::write(
        root.join("a.js"),
        with.replace("setInterval(() => this.tick(), 10)", "setInterval(() => this.tick(), 20)"),
    )
    .unwrap();
    assert_eq!(active(root, &["--changed"]), [""; 0]);
    fs::write(root.join("a.js"), with.replace("    clearInterval(this.timer);\n", "").replace(", 10", ", 20")).unwrap();
    assert_eq!(active(root, &["--changed"]), ["a.js:3"]);
}

#[test]
fn scopes_need_a_repository_and_a_revision() {
    let root = old();
    // A folder above may be a repository; this one says that it is none.
    let output = support::program::command(root.path(), &["--staged"])
        .env("GIT_CEILING_DIRECTORIES", "/")
        .env("GIT_DIR", "/nowhere")
        .output()
        .unwrap();
    assert_eq!((code(&output), err(&output).as_str()), (2, "leaklint: this is no git repository\n"));
    let root = repository();
    let output = run(root.path(), &["--since", "nowhere"]);
    assert_eq!((code(&output), err(&output).as_str()), (2, "leaklint: git knows no revision `nowhere`\n"));
}

#[test]
fn notes_go_beside_the_report() {
    let root = project(&[
        ("package.json", "{}"),
        ("a.js", TIMER),
        ("b.min.js", "x"),
        ("deps/x.c", "int x;\n"),
        ("c.js", "f(\n"),
    ]);
    let root = root.path();
    let output = run(root, &["--explain-skips", "--statistics", "--timings", "--format", "concise"]);
    assert!(out(&output).starts_with("a.js:1:30: warning[timer-never-cleared]"), "{}", out(&output));
    let notes = err(&output);
    for words in [
        "not read: b.min.js: minified",
        "1 file in `deps` folders: vendored",
        "timer-never-cleared",
        " ms  lower",
        " ms  rule ",
    ] {
        assert!(notes.contains(words), "`{words}` is not in {notes}");
    }
    assert_eq!(err(&run(root, &[])), "not read: b.min.js (minified)\n");
    let report = json(&run(root, &["--format", "json"]));
    assert_eq!(files(&report), ["a.js"]);
    assert_eq!(report["summary"]["skipped"], 2);
}
