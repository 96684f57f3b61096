//! The formats for other programs, held against what those programs demand: schemas and documents of others in our own words.

mod support;

use roxmltree::{Document, Node};
use serde_json::Value;
use std::collections::BTreeSet;
use support::program::{json, out, project, run};

/// Findings of both languages and severities with fixes and stories over two files, a suppressed one, a file that can't be
/// parsed, and words that need escapes.
fn all() -> tempfile::TempDir {
    project(&[
        ("package.json", "{\"main\": \"server.js\"}"),
        ("watch.js", "exports.again = (f) => { setInterval(f, 10); };\n"),
        (
            "server.js",
            "const { again } = require('./watch');\nrequire('http').createServer((q, s) => again(() => s.write('x')));\n",
        ),
        (
            "a & <b>.js",
            "const e = '\u{1f600}\u{e4}'; exports.repeat = (work) => { setInterval(() => work(`<&\"'`), 1000); };\n",
        ),
        (
            "known.js",
            "exports.repeat = (work) => {\n  // leaklint-disable-next-line timer-never-cleared -- few\n  setInterval(() => work(), 1000);\n};\n",
        ),
        ("broken.js", "f(\n"),
        (
            "c.cc",
            "#include <napi.h>\n\nNapi::Value Sum(const Napi::CallbackInfo& info) {\n  int* numbers = new int[4];\n  if (info.Length() < 1)\n    return info.Env().Null();\n  int sum = numbers[0];\n  delete[] numbers;\n  return Napi::Number::New(info.Env(), sum);\n}\n",
        ),
    ])
}

fn report(format: &str) -> String {
    out(&run(all().path(), &["--format", format, "-D", "allocation-lost-on-exit"]))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("no text: {value}"))
}

fn one_of(value: &Value, allowed: &[&str]) {
    assert!(allowed.contains(&text(value)), "{value} is none of {allowed:?}");
}

#[test]
fn sarif_has_what_the_standard_demands() {
    let log: Value = serde_json::from_str(&report("sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");
    text(&log["$schema"]);
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = list(&run["tool"]["driver"]["rules"]);
    text(&run["tool"]["driver"]["name"]);
    for rule in rules {
        text(&rule["id"]);
        text(&rule["help"]["text"]);
        text(&rule["shortDescription"]["text"]);
        one_of(&rule["defaultConfiguration"]["level"], &["none", "note", "warning", "error"]);
        assert!(list(&rule["properties"]["tags"]).len() >= 2);
    }
    let ids: BTreeSet<&str> = rules.iter().map(|rule| text(&rule["id"])).collect();
    assert_eq!(ids.len(), rules.len(), "each rule once");
    let bases = run["originalUriBaseIds"].as_object().unwrap();
    let physical = |place: &Value| {
        let artifact = &place["physicalLocation"]["artifactLocation"];
        assert!(bases.contains_key(text(&artifact["uriBaseId"])));
        let uri = text(&artifact["uri"]);
        assert!(!uri.contains([' ', '<', '\\']) && !uri.starts_with('/') && !uri.contains("://"), "{uri}");
        let region = &place["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64() >= Some(1) && region["startColumn"].as_u64() >= Some(1), "{region}");
        assert!(region["endLine"].is_null() || region["endLine"].as_u64() >= region["startLine"].as_u64());
    };
    let (mut fixes, mut flows, mut silenced) = (0, 0, 0);
    for result in list(&run["results"]) {
        text(&result["message"]["text"]);
        one_of(&result["level"], &["none", "note", "warning", "error"]);
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        list(&result["locations"]).iter().for_each(physical);
        assert!(result["partialFingerprints"].as_object().unwrap().values().all(|print| print.is_string()));
        for flow in result["codeFlows"].as_array().into_iter().flatten() {
            let steps = list(&flow["threadFlows"][0]["locations"]);
            assert!(!steps.is_empty());
            steps.iter().for_each(|step| physical(&step["location"]));
            flows += 1;
        }
        for place in result["relatedLocations"].as_array().into_iter().flatten() {
            physical(place);
            assert!(place["id"].is_u64());
        }
        for fix in result["fixes"].as_array().into_iter().flatten() {
            let changes = list(&fix["artifactChanges"]);
            assert!(!changes.is_empty());
            for change in changes {
                text(&change["artifactLocation"]["uri"]);
                for replacement in list(&change["replacements"]) {
                    assert!(replacement["deletedRegion"]["startLine"].as_u64() >= Some(1));
                    assert!(replacement["insertedContent"]["text"].is_string());
                }
            }
            fixes += 1;
        }
        for by in result["suppressions"].as_array().into_iter().flatten() {
            one_of(&by["kind"], &["inSource", "external"]);
            silenced += 1;
        }
    }
    assert!(fixes > 0 && flows > 0 && silenced == 1, "{fixes} fixes, {flows} flows, {silenced} suppressed");
    let notes = list(&run["invocations"][0]["toolExecutionNotifications"]);
    assert_eq!(notes.len(), 1, "the file that can't be parsed");
    list(&notes[0]["locations"]).iter().for_each(physical);
}

fn attribute<'a>(node: &Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_else(|| panic!("<{}> has no {name}", node.tag_name().name()))
}

fn children<'a, 'i>(node: &Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    node.children().filter(Node::is_element).collect()
}

fn number(node: &Node<'_, '_>, name: &str) -> usize {
    attribute(node, name).parse().unwrap()
}

#[test]
fn junit_counts_what_it_holds() {
    let xml = report("junit");
    let document = Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for suite in children(&root) {
        assert_eq!(suite.tag_name().name(), "testsuite");
        attribute(&suite, "name");
        attribute(&suite, "time").parse::<f64>().unwrap();
        let cases = children(&suite);
        let count =
            |tag: &str| cases.iter().filter(|case| children(case).iter().any(|inner| inner.has_tag_name(tag))).count();
        assert_eq!(number(&suite, "tests"), cases.len());
        assert_eq!(number(&suite, "failures"), count("failure"));
        assert_eq!(number(&suite, "errors"), count("error"));
        for case in &cases {
            assert_eq!(case.tag_name().name(), "testcase");
            attribute(case, "name");
            attribute(case, "classname");
            attribute(case, "time");
            for inner in children(case) {
                attribute(&inner, "message");
                attribute(&inner, "type");
            }
        }
        tests += cases.len();
        failures += count("failure");
        errors += count("error");
    }
    assert_eq!((number(&root, "tests"), number(&root, "failures"), number(&root, "errors")), (tests, failures, errors));
    assert!(failures >= 3 && errors == 1, "{xml}");
    let silent = out(&run(project(&[("a.js", "")]).path(), &["--format", "junit"]));
    assert_eq!(
        number(&Document::parse(&silent).unwrap().root_element(), "tests"),
        1,
        "a suite without tests fails some"
    );
}

#[test]
fn checkstyle_has_files_with_errors() {
    let xml = report("checkstyle");
    let document = Document::parse(&xml).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "checkstyle");
    attribute(&root, "version");
    let mut names = BTreeSet::new();
    for file in children(&root) {
        assert_eq!(file.tag_name().name(), "file");
        assert!(names.insert(attribute(&file, "name").to_owned()), "each file once");
        for error in children(&file) {
            assert_eq!(error.tag_name().name(), "error");
            assert!(number(&error, "line") >= 1 && number(&error, "column") >= 1);
            assert!(["ignore", "info", "warning", "error"].contains(&attribute(&error, "severity")));
            attribute(&error, "message");
            attribute(&error, "source");
        }
    }
    assert!(names.contains("a & <b>.js") && names.contains("broken.js"), "{names:?}");
}

#[test]
fn gitlab_gets_a_code_quality_report() {
    let issues: Value = serde_json::from_str(&report("gitlab")).unwrap();
    let mut prints = BTreeSet::new();
    for issue in list(&issues) {
        text(&issue["description"]);
        text(&issue["check_name"]);
        assert!(prints.insert(text(&issue["fingerprint"]).to_owned()), "fingerprints are unique");
        one_of(&issue["severity"], &["info", "minor", "major", "critical", "blocker"]);
        assert!(!text(&issue["location"]["path"]).starts_with(['/', '.']));
        assert!(issue["location"]["lines"]["begin"].as_u64() >= Some(1));
    }
    assert!(prints.len() >= 3);
}

#[test]
fn rdjson_is_for_reviewdog() {
    let document: Value = serde_json::from_str(&report("rdjson")).unwrap();
    text(&document["source"]["name"]);
    let mut suggestions = 0;
    for item in list(&document["diagnostics"]) {
        text(&item["message"]);
        text(&item["location"]["path"]);
        text(&item["code"]["value"]);
        one_of(&item["severity"], &["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]);
        assert!(item["location"]["range"]["start"]["line"].as_u64() >= Some(1));
        for related in list(&item["related_locations"]) {
            text(&related["location"]["path"]);
        }
        for suggestion in list(&item["suggestions"]) {
            assert!(suggestion["text"].is_string() && suggestion["range"]["end"]["column"].as_u64() >= Some(1));
            suggestions += 1;
        }
    }
    assert!(suggestions > 0);
}

#[test]
fn eslint_counts_in_utf16() {
    let results: Value = serde_json::from_str(&report("eslint")).unwrap();
    let of = |name: &str| {
        list(&results)
            .iter()
            .find(|result| text(&result["filePath"]).ends_with(name))
            .unwrap_or_else(|| panic!("{name}"))
    };
    for result in list(&results) {
        let messages = list(&result["messages"]);
        let count = |severity: u64| messages.iter().filter(|message| message["severity"] == severity).count() as u64;
        assert_eq!(result["errorCount"].as_u64().unwrap(), count(2));
        assert_eq!(result["warningCount"].as_u64().unwrap(), count(1));
        assert!(list(&result["suppressedMessages"]).iter().all(|message| message["suppressions"].is_array()));
    }
    let line = "const e = '\u{1f600}\u{e4}'; exports.repeat = (work) => { setInterval(";
    let column = line[..line.find("setInterval").unwrap()].encode_utf16().count() + 1;
    assert_eq!(of("a & <b>.js")["messages"][0]["column"], column);
    assert_eq!(of("broken.js")["messages"][0]["fatal"], true);
    assert_eq!(list(&of("known.js")["suppressedMessages"]).len(), 1);
    assert_eq!(of("c.cc")["messages"][0]["severity"], 2);
    assert_eq!(list(&of("server.js")["messages"]).len(), 0, "files without findings have a result, too");
}

#[test]
fn a_json_object_a_line() {
    let root = all();
    let lines = out(&run(root.path(), &["--format", "jsonl"]));
    let whole = json(&run(root.path(), &["--format", "json"]));
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rules = objects.iter().filter(|object| object["type"] == "diagnostic").count();
    assert_eq!(rules, list(&whole["diagnostics"]).len(), "{lines}");
}

#[test]
fn the_page_for_browsers_is_one_file() {
    let page = report("html");
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
    for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.contains(outside), "{outside} asks for something outside of the page");
    }
    assert!(page.contains("prefers-color-scheme") && page.contains("a &amp; &lt;b&gt;.js") && !page.contains("<b>.js"));
}

#[test]
fn programs_that_mend_code_get_the_edit_and_the_story() {
    let text = report("agent");
    assert!(text.contains("## c.cc:4:") && text.contains("```diff\n--- a/c.cc\n+++ b/c.cc\n"), "{text}");
    assert!(text.contains("+    delete[] numbers;") && text.contains("## broken.js:"), "{text}");
}
