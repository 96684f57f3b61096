//! Configuration: discovery, inheritance, overrides, models, wrong files, and the schema against the code.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use support::program::{code, err, files, json, out, project, run};

const LEAK: &str = "exports.repeat = (work) => { setInterval(() => work(), 1000); };\n";

#[test]
fn the_nearest_file_wins() {
    let root = project(&[
        ("leaklint.toml", "[rules]\ntimer = \"error\"\n"),
        ("a.js", LEAK),
        ("web/leaklint.toml", "root = false\n"),
        ("web/a.js", LEAK),
        ("quiet/package.json", "{\"leaklint\": {\"rules\": {\"timer-never-cleared\": \"off\"}}}"),
        ("quiet/a.js", LEAK),
    ]);
    let root = root.path();
    let report = json(&run(root, &["--format", "json"]));
    let severities: Vec<(&str, &str)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["file"].as_str().unwrap(), item["severity"].as_str().unwrap()))
        .collect();
    assert_eq!(severities, [("a.js", "error"), ("web/a.js", "warning")]);
    let report = json(&run(root, &["--format", "json", "--no-config"]));
    assert_eq!(files(&report), ["a.js", "quiet/a.js", "web/a.js"]);
    let report = json(&run(root, &["--format", "json", "--config", "quiet/package.json"]));
    assert_eq!(files(&report), [""; 0]);
    assert_eq!(code(&run(root, &["--config", "no/such.toml"])), 2);
}

#[test]
fn the_extending_file_wins() {
    let root = project(&[
        ("leaklint.toml", "extends = [\"./base.toml\", \"leaklint-config-acme\"]\n[rules]\ntimer = \"warn\"\n"),
        ("base.toml", "level = \"all\"\n[rules]\ntimer = \"error\"\nall = \"error\"\n"),
        ("node_modules/leaklint-config-acme/package.json", "{\"leaklint\": {\"require-reason\": true}}"),
        ("a.js", &format!("{LEAK}// leaklint-disable-next-line timer\nf();\n")),
    ]);
    let root = root.path();
    let shown = out(&run(root, &["config", "a.js"]));
    assert!(shown.contains("extends: base.toml, node_modules/leaklint-config-acme/package.json"), "{shown}");
    assert!(shown.contains("level: all") && shown.contains("require-reason: true"), "{shown}");
    let line =
        |rule: &str| shown.lines().find(|line| line.starts_with(rule)).unwrap().split_whitespace().nth(1).unwrap();
    assert_eq!((line("timer-never-cleared"), line("unused-suppression")), ("warn", "error"));
    fs::write(root.join("base.toml"), "extends = \"./leaklint.toml\"\n").unwrap();
    assert_eq!(err(&run(root, &[])), "leaklint: leaklint.toml: extends itself\n");
}

#[test]
fn overrides_are_for_some_files() {
    let root = project(&[
        (
            "leaklint.toml",
            "[[overrides]]\nfiles = [\"tools/**\"]\nrules = { all = \"off\" }\n[files]\nexclude = [\"old\"]\n",
        ),
        ("a.js", LEAK),
        ("tools/a.js", LEAK),
        ("old/a.js", LEAK),
    ]);
    let root = root.path();
    assert_eq!(files(&json(&run(root, &["--format", "json"]))), ["a.js"]);
    assert_eq!(files(&json(&run(root, &["--format", "json", "-W", "timer"]))), ["a.js", "tools/a.js"]);
    assert_eq!(files(&json(&run(root, &["--format", "json", "old/a.js"]))), ["old/a.js"]);
    assert_eq!(files(&json(&run(root, &["--format", "json", "old/a.js", "--force-exclude"]))), [""; 0]);
    fs::write(root.join("leaklint.toml"), "[files]\ninclude = [\"tools/*.js\"]\n").unwrap();
    assert_eq!(files(&json(&run(root, &["--format", "json"]))), ["tools/a.js"]);
}

#[test]
fn reasons_can_be_required() {
    let root = project(&[
        ("leaklint.toml", "require-reason = true\n"),
        ("a.js", &LEAK.replace('\n', " // leaklint-disable-line timer-never-cleared\n")),
        ("b.js", &LEAK.replace('\n', " // leaklint-disable-line timer-never-cleared -- ends with the process\n")),
    ]);
    let root = root.path();
    assert_eq!(code(&run(root, &["b.js"])), 0);
    let output = run(root, &["a.js", "--format", "concise"]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("gives no reason"), "{}", out(&output));
}

#[test]
fn wrong_files_are_named_with_their_line_and_the_nearest_word() {
    let said = |name: &str, text: &str| {
        let root = project(&[("a.js", LEAK), (name, text)]);
        let output = run(root.path(), &[]);
        assert_eq!(code(&output), 2);
        err(&output)
    };
    assert_eq!(
        said("leaklint.toml", "level = \"all\"\n\n[ruels]\n"),
        "leaklint: leaklint.toml:3: unknown key `ruels`; did you mean `rules`?\n"
    );
    assert_eq!(
        said("leaklint.toml", "[rules]\n# words\n\"timer-never-clear\" = \"off\"\n"),
        "leaklint: leaklint.toml:3: unknown rule `timer-never-clear`; did you mean `timer-never-cleared`?\n"
    );
    assert_eq!(
        said("leaklint.toml", "[rules]\ntimer = \"eror\"\n"),
        "leaklint: leaklint.toml:2: unknown value `eror`; did you mean `error`?\n"
    );
    assert_eq!(
        said("package.json", "{\n  \"leaklint\": {\n    \"levl\": \"all\"\n  }\n}\n"),
        "leaklint: package.json:3: unknown key `levl`; did you mean `level`?\n"
    );
    assert_eq!(
        said("leaklint.toml", "extends = \"./nowhere.toml\"\n"),
        "leaklint: leaklint.toml:1: can't find `./nowhere.toml`, which it extends\n"
    );
    let model = "[[models]]\nnames = [\"@acme/x.open\"]\ngives = \"@acme/x.Handel\"\n\n[[models]]\nname = \"@acme/x.Handle\"\nnoun = \"handle\"\nfamily = \"resource\"\n";
    assert_eq!(
        said("leaklint.toml", model),
        "leaklint: leaklint.toml:3: no type is called `@acme/x.Handel`; did you mean `@acme/x.Handle`?\n"
    );
    assert!(
        said("leaklint.toml", "[[models]]\nnames = [\"f\"]\nrelaeses = \"receiver\"\n")
            .contains("did you mean `releases`?")
    );
}

const MODELS: &str = r#"
[[models]]
name = "@acme/pool.Lease"
noun = "lease"
family = "connection"

[[models]]
names = ["@acme/pool.take"]
gives = "@acme/pool.Lease"

[[models]]
names = ["@acme/pool.Lease#end"]
releases = "receiver"
"#;

#[test]
fn models_work_as_built_in_rows_do() {
    let code = "const { take } = require('@acme/pool');\nexports.size = (key) => {\n  const lease = take(key);\n  return lease.size();\n};\n";
    let mended = code.replace("return lease.size();", "const size = lease.size();\n  lease.end();\n  return size;");
    let root = project(&[("package.json", "{}"), ("a.js", code), ("b.js", &mended)]);
    let root = root.path();
    assert_eq!(files(&json(&run(root, &["--format", "json"]))), [""; 0]);
    fs::write(root.join("leaklint.toml"), MODELS).unwrap();
    let report = json(&run(root, &["--format", "json"]));
    assert_eq!(files(&report), ["a.js"], "{report:#}");
    assert!(report["diagnostics"][0]["message"].as_str().unwrap().contains("lease"), "{report:#}");
    fs::remove_file(root.join("leaklint.toml")).unwrap();
    let rows = MODELS.replace("[[models]]\nname = ", "[[type]]\nname = ").replace("[[models]]", "[[api]]");
    fs::write(root.join("rows.toml"), rows).unwrap();
    assert_eq!(files(&json(&run(root, &["--format", "json", "--models", "rows.toml"]))), ["a.js"]);
    assert_eq!(code_of_wrong_models(root), 2);
}

fn code_of_wrong_models(root: &Path) -> i32 {
    fs::write(root.join("wrong.toml"), "[[api]]\nnmes = []\n").unwrap();
    let output = run(root, &["--models", "wrong.toml"]);
    assert!(err(&output).contains("wrong.toml:2: unknown key `nmes`; did you mean `names`?"), "{}", err(&output));
    code(&output)
}

#[test]
fn init_writes_a_file_that_is_read() {
    let root = project(&[("package.json", "{}"), ("a.js", LEAK)]);
    let root = root.path();
    assert_eq!(code(&run(root, &["init"])), 0);
    assert_eq!(code(&run(root, &[])), 1);
    let again = run(root, &["init"]);
    assert_eq!((code(&again), err(&again).as_str()), (2, "leaklint: leaklint.toml is already there\n"));
    // What it shows in comments is right as well.
    let text = fs::read_to_string(root.join("leaklint.toml")).unwrap();
    let commented = |line: &str| line.starts_with("# ") && (line.contains(" = ") || line.contains("[["));
    let all: String =
        text.lines().map(|line| format!("{}\n", if commented(line) { &line[2..] } else { line })).collect();
    fs::write(root.join("leaklint.toml"), all).unwrap();
    let output = run(root, &["config"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
}

#[test]
fn the_schema_has_the_keys_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/leaklint.schema.json");
    let mut schema: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (part, keys) in leaklint::config::keys() {
        let object = if part == "config" { &schema } else { &schema["$defs"][part] };
        let mut shipped: BTreeSet<&str> =
            object["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        if !["config", "files", "override"].contains(&part) {
            shipped.remove("language");
        }
        let keys: BTreeSet<&str> = keys.iter().map(String::as_str).filter(|key| *key != "language").collect();
        assert_eq!(shipped, keys, "keys of {part} in {}", path.display());
    }
    let mut words = BTreeSet::from(["all"]);
    words.extend(leaklint::rules::infos().iter().flat_map(|rule| [rule.name, rule.family.as_str()]));
    let setting = serde_json::json!({ "$ref": "#/$defs/setting" });
    let wanted: serde_json::Value =
        words.iter().map(|word| ((*word).to_owned(), setting.clone())).collect::<serde_json::Map<_, _>>().into();
    if schema["$defs"]["rules"]["properties"] != wanted {
        assert!(support::bless(), "the rules in {} are not those of the code", path.display());
        schema["$defs"]["rules"]["properties"] = wanted;
        fs::write(path, format!("{schema:#}\n")).unwrap();
    }
}

#[test]
fn examples_of_the_documentation_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut examples = 0;
    for page in ["docs/adopting.md", "docs/configuration.md", "docs/models.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let blocks = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        for block in blocks {
            let block: String = block
                .lines()
                .filter(|line| !line.starts_with("extends"))
                .map(|line| format!("{}\n", line.trim_start()))
                .collect();
            let alone = project(&[("leaklint.toml", &block), ("a.js", "f();\n")]);
            let output = run(alone.path(), &[]);
            assert_eq!(code(&output), 0, "{page}: {}", err(&output));
            examples += 1;
        }
    }
    assert!(examples >= 4);
}
