//! Runs the program as users, hooks and continuous integration do: arguments, exit codes, outputs, bad input.
//!
//! Whole outputs are kept in `tests/cli/*.txt`; `LEAKLINT_BLESS=1 cargo test --test cli` rewrites them.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use support::program::{code, command, err, json, out, project, run};

/// A leak that is found without any doubt.
const LEAK: &str = "const net = require('net');\n\nnet.createServer((socket) => {\n  setInterval(() => socket.write('ping'), 1000);\n}).listen(7000);\n";

fn leaky() -> tempfile::TempDir {
    project(&[("package.json", "{}"), ("lib/a.js", LEAK), ("lib/b.js", "module.exports = 1;\n")])
}

/// Compares an output with the one that is kept, times aside.
fn snapshot(name: &str, text: &str) {
    let mut settled = String::new();
    for line in text.split_inclusive('\n') {
        let line = match (line.rfind('('), line.find(" ms)")) {
            (Some(open), Some(close)) if open < close => format!("{}(T{}", &line[..open], &line[close..]),
            _ => line.to_owned(),
        };
        let line = zero_after(&line, "\"milliseconds\": ");
        let line = zero_after(&line, "\"milliseconds\":");
        let line = zero_after(&line, "<testsuites name=\"leaklint\" tests=\"1\" failures=\"1\" errors=\"0\" time=\"");
        settled.push_str(&line);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(format!("{name}.txt"));
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept != settled {
        if support::bless() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, settled).unwrap();
        } else {
            panic!("not what is kept in {}:\n{settled}", path.display());
        }
    }
}

/// The line with the number after some text made zero.
fn zero_after(line: &str, text: &str) -> String {
    match line.split_once(text) {
        Some((head, tail)) => {
            format!("{head}{text}0{}", tail.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
        }
        None => line.to_owned(),
    }
}

#[test]
fn exit_codes() {
    let root = leaky();
    let root = root.path();
    assert_eq!(code(&run(root, &["lib/b.js"])), 0);
    assert_eq!(code(&run(root, &[])), 1);
    assert_eq!(code(&run(root, &["check", "lib"])), 1);
    assert_eq!(code(&run(root, &["--exit-zero"])), 0);
    assert_eq!(code(&run(root, &["--max-warnings", "1"])), 0);
    assert_eq!(code(&run(root, &["--max-warnings", "0"])), 1);
    assert_eq!(code(&run(root, &["--max-warnings", "1", "--deny-warnings"])), 1);
    assert_eq!(code(&run(root, &["--quiet"])), 0);
    assert_eq!(code(&run(root, &["--quiet", "-D", "timer"])), 1);
    assert_eq!(code(&run(root, &["no/such/file.js"])), 2);
    assert_eq!(code(&run(root, &["no/such/file.js", "--no-error-on-unmatched-pattern"])), 0);
    assert_eq!(code(&run(root, &["--no-such-flag"])), 2);
    assert_eq!(code(&run(root, &["--format", "json=no/such/folder/x"])), 2);
}

#[test]
fn wrong_usage_is_said_clearly() {
    let root = leaky();
    let root = root.path();
    let said = |arguments: &[&str]| err(&run(root, arguments));
    assert_eq!(said(&["no/such/file.js"]), "leaklint: no/such/file.js: no such file or folder\n");
    assert_eq!(
        said(&["-A", "timer-never-clear"]),
        "leaklint: unknown rule `timer-never-clear`; did you mean `timer-never-cleared`?\n"
    );
    assert_eq!(
        said(&["explain", "timer-never-clear"]),
        "leaklint: unknown rule `timer-never-clear`; did you mean `timer-never-cleared`?\n"
    );
    assert!(said(&["--format", "jsn"]).starts_with("leaklint: unknown format `jsn`; did you mean `json`?"));
    assert!(said(&["--no-such-flag"]).contains("unexpected argument"));
    assert!(said(&["-"]).contains("--stdin-filename"));
    assert!(said(&["facts", "package.json"]).contains("reads no files of this kind"));
}

#[test]
fn rules_and_families_are_switched_from_left_to_right() {
    let root = leaky();
    let root = root.path();
    let severity = |arguments: &[&str]| {
        let report = json(&run(root, &[&["--format", "json"], arguments].concat()));
        report["diagnostics"][0]["severity"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(severity(&[]), "warning");
    assert_eq!(severity(&["-A", "timer"]), "none");
    assert_eq!(severity(&["-A", "timer", "-D", "timer-never-cleared"]), "error");
    assert_eq!(severity(&["-D", "timer-never-cleared", "-A", "timer"]), "none");
    assert_eq!(severity(&["-A", "all", "-W", "timer-never-cleared"]), "warning");
    assert_eq!(severity(&["--only", "timer"]), "warning");
    assert_eq!(severity(&["--only", "timer", "--skip", "timer-never-cleared"]), "none");
    assert_eq!(severity(&["--deny-warnings"]), "error");
}

#[test]
fn outputs_look_as_they_did() {
    let root = leaky();
    let root = root.path();
    snapshot("human", &out(&run(root, &[])));
    snapshot("human-60-columns", &out(&command(root, &[]).env("COLUMNS", "60").output().unwrap()));
    snapshot("json", &out(&run(root, &["--format", "json"])));
    snapshot("concise", &out(&run(root, &["--format", "concise"])));
    snapshot("github", &out(&run(root, &["--format", "github"])));
    // The folder of the test is in these.
    let settled = |text: String| text.replace(&root.canonicalize().unwrap().to_string_lossy().into_owned(), "/project");
    let mut log = json(&run(root, &["--format", "sarif"]));
    // The pages of rules change with the rules.
    log["runs"][0]["tool"]["driver"]["rules"][0]["help"] = "the page".into();
    snapshot("sarif", &format!("{log:#}\n"));
    for format in ["jsonl", "gitlab", "junit", "checkstyle", "rdjson", "eslint", "html", "agent"] {
        snapshot(format, &settled(out(&run(root, &["--format", format]))));
    }
    snapshot("silent", &out(&run(root, &["lib/b.js"])));
    snapshot("help", &out(&run(root, &["--help"])));
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let root = leaky();
    let root = root.path();
    let colored = |command: &mut Command| out(&command.output().unwrap()).contains('\x1b');
    assert!(!colored(&mut command(root, &[])));
    assert!(colored(&mut command(root, &["--color", "always"])));
    assert!(colored(command(root, &[]).env("FORCE_COLOR", "1")));
    assert!(!colored(command(root, &["--color", "never"]).env("FORCE_COLOR", "1")));
}

#[test]
fn several_outputs_in_one_run() {
    let root = leaky();
    let root = root.path();
    let output = run(root, &["--format", "concise", "--format", "json=report.json", "--format", "github=notes.txt"]);
    assert!(out(&output).starts_with("lib/a.js:4:3: warning[timer-never-cleared] "));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(root.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["summary"]["findings"], 1);
    assert!(fs::read_to_string(root.join("notes.txt")).unwrap().starts_with("::warning file=lib/a.js,line=4"));
    assert_eq!(code(&run(root, &["--format", "json", "--format", "concise"])), 2);
    let from_env = command(root, &[]).env("LEAKLINT_FORMAT", "concise").output().unwrap();
    assert!(out(&from_env).starts_with("lib/a.js:4:3:"));
}

#[test]
fn github_gets_a_summary_of_the_job() {
    let root = leaky();
    let page = root.path().join("summary.md");
    command(root.path(), &["--format", "github"]).env("GITHUB_STEP_SUMMARY", &page).output().unwrap();
    let text = fs::read_to_string(page).unwrap();
    assert!(text.starts_with("### leaklint: 1 finding in 2 files"), "{text}");
    assert!(text.contains("| `lib/a.js:4` | `timer-never-cleared` |"), "{text}");
}

#[test]
fn github_gets_no_more_annotations_than_it_shows() {
    let leaks: String =
        (0..25).map(|at| format!("exports.f{at} = (work) => {{ setInterval(() => work({at}), 10); }};\n")).collect();
    let root = project(&[("package.json", "{}"), ("a.js", &leaks)]);
    let text = out(&run(root.path(), &["--format", "github", "--level", "all"]));
    assert_eq!(text.lines().filter(|line| line.starts_with("::warning")).count(), 10, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("::notice")).count(), 1, "{text}");
}

#[test]
fn the_project_is_read_and_the_arguments_are_reported() {
    let root = project(&[
        ("package.json", "{\"main\": \"lib/server.js\"}"),
        ("lib/watch.js", "exports.again = (f) => { setInterval(f, 10); };\n"),
        (
            "lib/server.js",
            "const { again } = require('./watch');\nrequire('http').createServer((q, s) => again(() => s.write('x')));\n",
        ),
    ]);
    let root = root.path();
    let files = |arguments: &[&str]| {
        let report = json(&run(root, &[&["--format", "json"], arguments].concat()));
        let files = report["diagnostics"].as_array().unwrap().iter();
        files.map(|item| item["file"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(files(&["lib/watch.js"]), ["lib/watch.js"]);
    assert_eq!(files(&["lib/server.js"]), [""; 0]);
    let trace = json(&run(root, &["--format", "json", "lib/watch.js"]))["diagnostics"][0]["trace"].to_string();
    assert!(trace.contains("lib/server.js"), "the caller in another file is part of the story: {trace}");
    let inside = command(&root.join("lib"), &["--format", "json", "watch.js"]).output().unwrap();
    assert_eq!(json(&inside)["diagnostics"][0]["file"], "watch.js");
}

#[test]
fn standard_input_stands_for_a_file() {
    let root = leaky();
    let feed = |arguments: &[&str], text: &str| {
        let mut command = command(root.path(), arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let arguments = ["-", "--stdin-filename", "lib/b.js", "--format", "json"];
    let report = json(&feed(&arguments, LEAK));
    assert_eq!(report["diagnostics"].as_array().unwrap().len(), 1);
    assert_eq!(report["diagnostics"][0]["file"], "lib/b.js");
    assert_eq!(code(&feed(&arguments, "module.exports = 2;\n")), 0);
    let new = ["-", "--stdin-filename", "src/new.ts", "--format", "json"];
    assert_eq!(json(&feed(&new, LEAK))["diagnostics"][0]["file"], "src/new.ts");
}

#[test]
fn comments_suppress_with_their_rule() {
    let silenced = LEAK
        .replace("  setInterval", "  // leaklint-disable-next-line timer-never-cleared -- few clients\n  setInterval");
    let unused = "// leaklint-disable-next-line timer-never-cleared\nmodule.exports = 1;\n";
    let unknown = "f(); // leaklint-disable-line timer-never-clear\n";
    let root = project(&[("package.json", "{}"), ("a.js", &silenced), ("b.js", unused), ("c.js", unknown)]);
    let root = root.path();
    let output = run(root, &["--format", "json", "a.js"]);
    assert_eq!(code(&output), 0);
    let report = json(&output);
    assert_eq!(report["diagnostics"][0]["suppressed"]["reason"], "few clients");
    assert_eq!(report["summary"]["suppressed"], 1);
    let output = run(root, &["b.js"]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("unused-suppression"), "{}", out(&output));
    let output = run(root, &["c.js", "--format", "concise"]);
    assert_eq!(code(&output), 1);
    assert_eq!(
        out(&output),
        "c.js:1:31: error: unknown rule `timer-never-clear`; did you mean `timer-never-cleared`?\n"
    );
    assert_eq!(code(&run(root, &["--fix", "b.js"])), 0);
    assert_eq!(fs::read_to_string(root.join("b.js")).unwrap(), "module.exports = 1;\n");
}

#[test]
fn fixes_keep_line_ends_modes_and_other_files() {
    let unused = "a();\r\n\t// leaklint-disable-next-line timer-never-cleared\r\n\tb();\r\n";
    let root = project(&[("package.json", "{}"), ("a.js", unused), ("b.js", unused)]);
    let root = root.path();
    let diff = out(&run(root, &["--diff", "a.js"]));
    assert!(diff.starts_with("--- a/a.js\n+++ b/a.js\n@@"), "{diff}");
    assert_eq!(fs::read_to_string(root.join("a.js")).unwrap(), unused, "--diff writes nothing");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(root.join("a.js"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    run(root, &["--fix", "a.js"]);
    assert_eq!(fs::read_to_string(root.join("a.js")).unwrap(), "a();\r\n\tb();\r\n");
    assert_eq!(fs::read_to_string(root.join("b.js")).unwrap(), unused, "only named files change");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(root.join("a.js")).unwrap().permissions().mode() & 0o777, 0o755);
    }
    assert!(fs::read_dir(root).unwrap().flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with('.')));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let many: String =
        (0..2000).map(|at| format!("exports.f{at} = (work) => {{ setInterval(() => work({at}), 10); }};\n")).collect();
    let root = project(&[("package.json", "{}"), ("a.js", &many)]);
    for format in ["json", "human", "concise"] {
        let mut command = command(root.path(), &["--level", "all", "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(err(&output), "", "{format}");
        assert_eq!(code(&output), 1, "{format}");
    }
}

#[test]
fn bad_input_hides_nothing() {
    let deep = format!("{}1{};\n", "(\n".repeat(20_000), ")\n".repeat(20_000));
    let deep_cpp = format!("int x = {}1{};\n", "(".repeat(20_000), ")".repeat(20_000));
    let root = project(&[
        ("package.json", "{}"),
        ("good.js", LEAK),
        ("syntax.js", "const x = ;\n\nfunction f( {\n"),
        ("deep.js", &deep),
        ("deep.cc", &deep_cpp),
        ("empty.js", ""),
        ("mark.js", &format!("\u{feff}{LEAK}")),
    ]);
    let root = root.path();
    fs::write(root.join("latin.js"), [b"// caf\xe9\n", LEAK.as_bytes()].concat()).unwrap();
    fs::write(root.join("nul.js"), [b"const zero = '\0';\n", LEAK.as_bytes()].concat()).unwrap();
    fs::write(
        root.join("binary.js"),
        (0..60_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>(),
    )
    .unwrap();
    fs::write(root.join("large.js"), LEAK.repeat(50_000_000 / LEAK.len())).unwrap();
    let output = run(root, &["--format", "json", "."]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    let report = json(&output);
    let files = |list: &str| {
        let mut files: Vec<&str> =
            report[list].as_array().unwrap().iter().filter_map(|item| item["file"].as_str()).collect();
        files.dedup();
        files
    };
    assert_eq!(files("diagnostics"), ["good.js", "latin.js", "mark.js", "nul.js"]);
    let errors = files("errors");
    assert!(errors.contains(&"syntax.js") && errors.contains(&"binary.js"), "{errors:?}");
    assert!(errors.contains(&"deep.js"), "{errors:?}");
    assert_eq!(
        report["errors"].as_array().unwrap().iter().find(|error| error["file"] == "syntax.js").unwrap()["line"],
        1
    );
    assert_eq!(report["summary"]["skipped"], 2);
    let mark = report["diagnostics"].as_array().unwrap().iter().find(|item| item["file"] == "mark.js").unwrap();
    assert_eq!(mark["range"]["start"]["line"], 4);
    assert_eq!(mark["range"]["start"]["column"], 3);
}

#[test]
fn nothing_to_read_is_no_error() {
    let root = project(&[("package.json", "{}"), ("README.md", "")]);
    let output = run(root.path(), &[]);
    assert_eq!(code(&output), 0);
    assert!(out(&output).starts_with("no leaks found in 0 files"), "{}", out(&output));
}

#[test]
fn reference_commands_print() {
    let root = leaky();
    let root = root.path();
    let page = out(&run(root, &["explain", "timer-never-cleared"]));
    assert!(page.starts_with("---\nsummary: ") && page.contains("\n# timer-never-cleared\n"));
    assert!(out(&run(root, &["rules"])).contains("timer-never-cleared"));
    let rules: serde_json::Value = json(&run(root, &["rules", "--json"]));
    assert!(rules.as_array().unwrap().iter().any(|rule| rule["name"] == "timer-never-cleared"));
    assert!(out(&run(root, &["facts", "lib/a.js"])).contains("setInterval"));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(out(&run(root, &["completions", shell])).contains("leaklint"));
    }
    assert!(out(&run(root, &["man"])).contains(".TH leaklint"));
    assert!(out(&run(root, &["--version"])).starts_with("leaklint 0."));
}

#[test]
fn the_readme_shows_a_real_finding() {
    const START: &str = "<!-- example -->\n```text\n";
    const END: &str = "```\n<!-- end of example -->";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments = ["--no-config", "--only", "listener-outlives-handler", "fixtures/http-service"];
    let output = out(&run(root, &arguments));
    let shown = output.rsplit_once("\n\n").map_or(output.as_str(), |(finding, _)| finding);
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (head, rest) = readme.split_once(START).expect("README.md has an example");
    let (kept, tail) = rest.split_once(END).expect("README.md has the end of an example");
    if kept.trim_end() != shown.trim_end() {
        assert!(support::bless(), "the example of README.md is not what leaklint prints:\n{shown}");
        fs::write(root.join("README.md"), format!("{head}{START}{}\n{END}{tail}", shown.trim_end())).unwrap();
    }
}
