//! The command line, line by line of what is promised of it: flags and conventions that no other test of the program is about.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use support::program::{code, command, err, files, json, out, project, run};

const LEAK: &str = "exports.repeat = (work) => { setInterval(() => work(), 1000); };\n";

fn found(root: &Path, arguments: &[&str]) -> Vec<String> {
    let report = json(&run(root, &[&["--format", "json"], arguments].concat()));
    files(&report).into_iter().map(str::to_owned).collect()
}

fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = project(files);
    let done = Command::new("git").args(["init", "-q"]).current_dir(root.path()).status().unwrap();
    assert!(done.success());
    root
}

#[test]
fn check_of_the_working_directory_is_the_default() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    let plain = out(&run(root.path(), &["--format", "concise"]));
    assert_eq!(plain, out(&run(root.path(), &["check", "--format", "concise", "."])));
    assert!(plain.starts_with("a.js:1:30: warning[timer-never-cleared] "), "{plain}");
}

#[test]
fn explain_has_another_name() {
    let root = project(&[]);
    let page = out(&run(root.path(), &["explain", "timer-never-cleared"]));
    assert!(!page.is_empty());
    assert_eq!(page, out(&run(root.path(), &["rule", "timer-never-cleared"])));
}

#[test]
fn levels_show_what_is_less_sure() {
    let text = format!(
        "{LEAK}exports.serve = (source) => {{ const all = []; source.on('data', (item) => all.push(item)); }};\n"
    );
    let root = project(&[("package.json", "{}"), ("a.js", &text)]);
    let confidences = |level: &[&str]| {
        let report = json(&run(root.path(), &[&["--format", "json"], level].concat()));
        let items = report["diagnostics"].as_array().unwrap().iter();
        items.map(|item| item["confidence"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (strict, usual, all) =
        (confidences(&["--level", "strict"]), confidences(&[]), confidences(&["--level", "all"]));
    assert!(strict.iter().all(|level| level == "high"), "{strict:?}");
    assert!(usual.iter().all(|level| level == "high" || level == "medium"), "{usual:?}");
    assert!(strict.len() <= usual.len() && usual.len() <= all.len(), "{strict:?} {usual:?} {all:?}");
    assert_eq!(usual, confidences(&["--level", "default"]));
    assert_eq!(code(&run(root.path(), &["--level", "most"])), 2);
}

#[test]
fn standard_input_is_read_with_the_project_around_it_and_fixed() {
    let root = project(&[
        ("package.json", "{\"main\": \"lib/server.js\"}"),
        (
            "lib/server.js",
            "const { again } = require('./watch');\nrequire('http').createServer((q, s) => again(() => s.write('x')));\n",
        ),
        ("lib/watch.js", ""),
    ]);
    let feed = |arguments: &[&str], text: &str| {
        let mut child = command(root.path(), arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let text = "exports.again = (f) => { setInterval(f, 10); };\n";
    let report = json(&feed(&["-", "--stdin-filename", "lib/watch.js", "--format", "json"], text));
    assert!(report["diagnostics"][0]["trace"].to_string().contains("lib/server.js"), "{report:#}");
    let unused = "// leaklint-disable-next-line timer-never-cleared\nf();\n";
    let output = feed(&["-", "--stdin-filename", "lib/new.js", "--fix"], unused);
    assert_eq!((out(&output).as_str(), code(&output)), ("f();\n", 0));
    assert!(!root.path().join("lib/new.js").exists());
    assert_eq!(code(&feed(&["-", "--stdin-filename", "notes.txt"], "")), 2);
    assert_eq!(code(&feed(&["-", "lib", "--stdin-filename", "lib/watch.js"], "")), 2);
}

#[test]
fn ignore_files_patterns_and_folders_of_others_are_left_out() {
    let root = repository(&[
        ("package.json", "{}"),
        (".gitignore", "build/\n"),
        ("a.js", LEAK),
        ("build/b.js", LEAK),
        ("node_modules/dep/index.js", LEAK),
        ("vendor/c.js", LEAK),
        ("deps/lib.cc", "int x;\n"),
        ("d.min.js", LEAK),
    ]);
    let root = root.path();
    assert!(!found(root, &[]).iter().any(|file| file.starts_with("build") || file.starts_with("node_modules")));
    assert!(found(root, &["--no-ignore"]).contains(&"build/b.js".to_owned()));
    assert!(!found(root, &["--no-ignore"]).iter().any(|file| file.contains("node_modules")), "never");
    assert_eq!(found(root, &["--ignore-pattern", "a.*", "--ignore-pattern", "vendor"]), [""; 0]);
    assert_eq!(found(root, &["build/b.js"]), ["build/b.js"], "named files are read");
    assert_eq!(found(root, &["build/b.js", "--force-exclude"]), [""; 0]);
    let notes = err(&run(root, &["--explain-skips"]));
    assert!(notes.contains("d.min.js: minified") && notes.contains("`deps` folders: vendored"), "{notes}");
    let output = run(root, &["--ignore-pattern", "[", "."]);
    assert_eq!(code(&output), 2, "{}", err(&output));
}

#[test]
fn the_root_of_the_project_is_found() {
    let root = repository(&[
        ("web/package.json", "{}"),
        ("web/packages/a/package.json", "{}"),
        ("web/packages/a/x.js", LEAK),
        ("tool/leaklint.toml", ""),
        ("tool/x/y.js", LEAK),
        ("other/z.js", LEAK),
    ]);
    let top = root.path().canonicalize().unwrap();
    let root_of = |file: &str| {
        let shown = out(&run(&top, &["config", file]));
        shown.lines().next().unwrap().trim_start_matches("project root: ").to_owned()
    };
    assert_eq!(Path::new(&root_of("web/packages/a/x.js")), top.join("web"), "the outermost manifest in the repository");
    assert_eq!(Path::new(&root_of("tool/x/y.js")), top.join("tool"), "the nearest configuration");
    assert_eq!(Path::new(&root_of("other/z.js")), top, "the repository");
    let alone = project(&[("in/package.json", "{}"), ("in/deep/x.js", LEAK), ("y.js", LEAK)]);
    let shown = |file: &str| out(&run(alone.path(), &["config", file]));
    assert!(shown("in/deep/x.js").lines().next().unwrap().ends_with("/in"), "the nearest manifest, outside of one");
}

#[test]
fn the_arguments_can_be_read_alone() {
    let root = project(&[
        ("package.json", "{\"main\": \"lib/server.js\"}"),
        ("lib/watch.js", "exports.again = (f) => { setInterval(f, 10); };\n"),
        (
            "lib/server.js",
            "const { again } = require('./watch');\nrequire('http').createServer((q, s) => again(() => s.write('x')));\n",
        ),
    ]);
    let trace = |arguments: &[&str]| {
        let report = json(&run(root.path(), &[&["--format", "json", "lib/watch.js"], arguments].concat()));
        report["diagnostics"][0]["trace"].to_string()
    };
    assert!(trace(&[]).contains("lib/server.js"));
    assert!(!trace(&["--no-project"]).contains("lib/server.js"));
}

#[test]
fn nothing_left_to_read_is_said() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    let output = run(root.path(), &["a.js", "--force-exclude", "--ignore-pattern", "a.js"]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    assert!(out(&output).starts_with("no leaks found in 0 files"), "{}", out(&output));
    assert_eq!(err(&output), "not read: a.js (ignored)\n");
}

#[test]
fn what_can_not_be_parsed_is_on_the_summary_line() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK), ("b.js", "f(\n")]);
    let output = run(root.path(), &[]);
    assert_eq!(code(&output), 1);
    let last = out(&output).lines().last().unwrap().to_owned();
    assert!(last.contains("1 with problems"), "{last}");
    assert!(out(&output).contains("timer-never-cleared"), "it hides nothing elsewhere");
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_can_not_be_written_is_an_error() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    for format in ["human", "json", "sarif", "html"] {
        let output =
            command(root.path(), &["--format", format]).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(code(&output), 2, "{format}");
        assert!(err(&output).contains("can't write"), "{}", err(&output));
    }
    assert_eq!(code(&run(root.path(), &["--format", "json=/dev/full"])), 2);
    assert_eq!(code(&command(root.path(), &["rules"]).stdout(full()).output().unwrap()), 2);
}

#[cfg(unix)]
#[test]
fn every_output_bears_a_closed_pipe() {
    let root = project(&[("package.json", "{}"), ("a.js", &LEAK.repeat(300).replace("start", "begin"))]);
    let closed = |arguments: &[&str]| {
        let mut child = command(root.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(err(&output), "", "{arguments:?}");
        code(&output)
    };
    for format in ["sarif", "github", "gitlab", "junit", "checkstyle", "rdjson", "eslint", "html", "agent", "jsonl"] {
        assert_eq!(closed(&["--format", format]), 1, "{format}");
    }
    for arguments in
        [&["explain", "timer-never-cleared"][..], &["rules"], &["man"], &["completions", "bash"], &["config"]]
    {
        assert_eq!(closed(arguments), 0, "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_it_as_shells_expect() {
    use std::os::unix::process::ExitStatusExt;
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    // Tests that a script runs in the background have the signal ignored, and so would their children.
    let mut child = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_leaklint"), "--watch"])
        .current_dir(root.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(notes.any(|line| line.unwrap().contains("watching")));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    for _ in 0..100 {
        if let Some(status) = child.try_wait().unwrap() {
            // A shell calls the end by this signal 130.
            assert_eq!(status.signal(), Some(2));
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("it goes on");
}

#[test]
fn watching_checks_again_after_a_change() {
    let root = project(&[("package.json", "{}"), ("a.js", "f();\n")]);
    let mut child = command(root.path(), &["--watch", "--format", "concise"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut reports = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(notes.any(|line| line.unwrap().contains("watching; Ctrl-C ends it")));
    fs::write(root.path().join("a.js"), LEAK).unwrap();
    let line = reports.next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("a.js:1:30: warning[timer-never-cleared]"), "{line}");
}

#[test]
fn threads_change_nothing() {
    let texts: Vec<(String, String)> = (0..20).map(|at| (format!("lib/{at}.js"), LEAK.to_owned())).collect();
    let mut all: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    all.push(("package.json", "{}"));
    let root = project(&all);
    let once = out(&run(root.path(), &["--format", "concise"]));
    assert_eq!(once.lines().count(), 20);
    for threads in ["1", "2", "7"] {
        assert_eq!(out(&run(root.path(), &["--format", "concise", "-j", threads])), once);
        assert_eq!(out(&run(root.path(), &["--format", "concise", "--threads", threads])), once);
    }
}

#[test]
fn progress_and_notes_stay_away_from_the_report() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    for arguments in [&[][..], &["--no-progress"], &["--statistics", "--timings"]] {
        let output = run(root.path(), arguments);
        assert!(!out(&output).contains("ms  lower") && !err(&output).contains("looking for"), "{}", err(&output));
    }
    assert_eq!(err(&run(root.path(), &[])), "", "no progress without a terminal");
    let plain = command(root.path(), &["--color", "auto"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!out(&plain).contains('\x1b'));
}

/// On a terminal, which `script` gives. The run has to wait for its baseline, a pipe that nobody writes to until the line has
/// been seen; without the line it is written to in the end, so that the test fails and does not hang.
#[cfg(target_os = "linux")]
#[test]
fn progress_shows_on_a_terminal() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    let pipe = root.path().join("baseline");
    let has =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !has("script") || !has("mkfifo") {
        eprintln!("left out: needs `script` and `mkfifo`");
        return;
    }
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let line = format!("{} --suppressions-location baseline .", env!("CARGO_BIN_EXE_leaklint"));
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(root.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (seen, waiting) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        let _ = waiting.recv_timeout(std::time::Duration::from_secs(60));
        fs::write(pipe, "").unwrap();
    });
    let mut shown = Vec::new();
    let mut output = child.stdout.take().unwrap();
    let mut byte = [0];
    while !String::from_utf8_lossy(&shown).contains("leaklint: looking for files")
        && output.read(&mut byte).unwrap_or(0) > 0
    {
        shown.push(byte[0]);
    }
    let progress = String::from_utf8_lossy(&shown).into_owned();
    let _ = seen.send(());
    writer.join().unwrap();
    let mut rest = Vec::new();
    let _ = output.read_to_end(&mut rest);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(progress.contains("leaklint: looking for files"), "{progress}");
    let rest = String::from_utf8_lossy(&rest);
    assert!(
        rest.contains("\r\x1b[2K") && rest.contains("timer-never-cleared"),
        "the line goes, the report comes: {rest}"
    );
}

#[test]
fn the_json_report_is_what_is_documented() {
    let text = "class Session {\n  constructor(socket) {\n    this.socket = socket;\n    socket.on('data', () => {\n      this.name = '\u{1f600}'; this.idle = setTimeout(() => this.socket.destroy(), 30000);\n    });\n    socket.on('close', () => clearTimeout(this.idle));\n  }\n}\n\nmodule.exports = Session;\n";
    let root = project(&[("package.json", "{}"), ("b/a.js", text), ("a.js", LEAK), ("c.js", "f(\n")]);
    let report = json(&run(root.path(), &["--format", "json"]));
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&report), ["version", "tool", "diagnostics", "errors", "summary"]);
    assert_eq!(report["version"], 1);
    assert_eq!(files(&report), ["a.js", "b/a.js"], "in order");
    let item = &report["diagnostics"][1];
    let documented = [
        "rule",
        "family",
        "law",
        "severity",
        "confidence",
        "cwe",
        "message",
        "why",
        "help",
        "url",
        "file",
        "range",
        "trace",
        "fixes",
        "fingerprint",
        "suppressed",
    ];
    assert_eq!(keys(item), documented);
    assert_eq!(item["rule"], "timer-overwritten");
    let start = &item["range"]["start"];
    let offset = text.find("setTimeout").unwrap();
    assert_eq!((&start["line"], &start["column"], &start["offset"]), (&5.into(), &36.into(), &offset.into()));
    assert_eq!(keys(&item["trace"][0]), ["kind", "file", "range", "message"]);
    let fix = &item["fixes"][0];
    assert_eq!(keys(fix), ["title", "applicability", "edits"]);
    assert_eq!(fix["applicability"], "safe");
    assert_eq!(keys(&fix["edits"][0]), ["file", "range", "text"]);
    let error = &report["errors"][0];
    assert_eq!(keys(error), ["file", "line", "column", "message"]);
    assert_eq!(error["file"], "c.js");
    let counts = ["files", "skipped", "partial", "errors", "findings", "suppressed", "milliseconds"];
    assert_eq!(keys(&report["summary"]), counts);
    assert_eq!(report["summary"]["findings"], 2);
}

#[test]
fn comments_of_every_form_suppress_in_every_language() {
    let leak = "setInterval(() => work(), 1000);";
    let js = format!(
        "exports.a = (work) => {{ {leak} }}; // leaklint-disable-line timer-never-cleared -- a\n/* leaklint-disable timer-never-cleared -- b */\nexports.b = (work) => {{ {leak} }};\n/* leaklint-enable timer-never-cleared */\nexports.c = (work) => {{\n  // leaklint-disable-next-line timer-never-cleared, listener-outlives-handler -- c\n  setInterval(\n    () => work(),\n    1000);\n}};\nexports.d = (work) => {{ {leak} }};\n"
    );
    let native = |comment: &str| {
        format!(
            "#include <napi.h>\n#include <stdlib.h>\n{comment}Napi::Value Sum(const Napi::CallbackInfo& info) {{\n  char* text = (char*)malloc(8);\n  text[0] = 1;\n  return info.Env().Null();\n}}\n"
        )
    };
    let line = native("").replace("malloc(8);", "malloc(8); // leaklint-disable-line allocation-never-freed -- few");
    let whole = native("/* leaklint-disable-file allocation-never-freed -- generated */\n");
    let root = project(&[
        ("package.json", "{}"),
        ("a.js", &js),
        ("b.cc", &native("")),
        ("c.cc", &line),
        ("d.cc", &whole),
        ("e.c", "/* leaklint-disable-next-line no-such-rule */\nint x;\n"),
    ]);
    let output = run(root.path(), &["--format", "json"]);
    let report = json(&output);
    let items = report["diagnostics"].as_array().unwrap().iter();
    let active: Vec<String> = items
        .filter(|item| item["suppressed"].is_null())
        .map(|item| {
            format!(
                "{}:{} {}",
                item["file"].as_str().unwrap(),
                item["range"]["start"]["line"],
                item["rule"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(active, ["a.js:6 unused-suppression", "a.js:11 timer-never-cleared", "b.cc:4 allocation-never-freed"]);
    assert_eq!(report["summary"]["suppressed"], 5, "{report:#}");
    assert!(report["errors"][0]["message"].as_str().unwrap().contains("unknown rule `no-such-rule`"), "{report:#}");
}

#[test]
fn the_baseline_is_a_sorted_entry_a_line() {
    let root = project(&[("package.json", "{}"), ("b.js", LEAK), ("a.js", LEAK)]);
    run(root.path(), &["--suppress-all"]);
    let text = fs::read_to_string(root.path().join("leaklint-suppressions.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["version"], 1);
    let entries = value["entries"].as_array().unwrap();
    let keys: Vec<&String> = entries[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["rule", "file", "fingerprint", "context", "message"]);
    assert_eq!(entries.iter().map(|entry| entry["file"].as_str().unwrap()).collect::<Vec<_>>(), ["a.js", "b.js"]);
    assert_eq!(text.lines().filter(|line| line.contains("\"fingerprint\"")).count(), 2);
}
