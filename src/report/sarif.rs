//! `--format sarif`: SARIF 2.1.0, for code scanning. Paths are from the root of the repository, columns in code points.

use super::{Diagnostic, Report, confidence, name_of};
use crate::finding::{Applicability, Fix, RuleInfo, Severity};
use crate::text::{FileId, Location};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the log.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<&RuleInfo> = report.diagnostics.iter().map(|diagnostic| diagnostic.info).collect();
    rules.sort_by_key(|rule| rule.name);
    rules.dedup_by_key(|rule| rule.name);
    let index = |name: &str| rules.iter().position(|rule| rule.name == name).unwrap_or(0);
    let results: Vec<Value> = report
        .diagnostics
        .iter()
        .map(|diagnostic| result(report, diagnostic, index(diagnostic.finding.rule)))
        .collect();
    let notes: Vec<Value> = report
        .errors
        .iter()
        .map(|error| {
            json!({
                "level": "error",
                "message": { "text": error.message },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": artifact(report, &error.file),
                    "region": { "startLine": error.at.line, "startColumn": error.at.column },
                }}],
            })
        })
        .collect();
    let mut driver = json!({
        "name": env!("CARGO_PKG_NAME"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules.iter().map(|rule| rule_of(rule)).collect::<Vec<_>>(),
    });
    if !env!("CARGO_PKG_REPOSITORY").is_empty() {
        driver["informationUri"] = env!("CARGO_PKG_REPOSITORY").into();
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "The root of the repository" } } },
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notes }],
            "results": results,
        }],
    });
    writeln!(out, "{log:#}")
}

fn rule_of(rule: &RuleInfo) -> Value {
    let mut tags = vec![rule.family.clone(), format!("external/cwe/cwe-{}", rule.cwe)];
    if let Some(law) = rule.law {
        tags.push(serde_json::to_value(law).ok().and_then(|law| law.as_str().map(str::to_owned)).unwrap_or_default());
    }
    let text = rule.page.split_once("\n---\n").map_or(rule.page, |(_, text)| text).trim();
    let mut object = json!({
        "id": rule.name,
        "name": rule.name,
        "shortDescription": { "text": sentence(&rule.summary) },
        "fullDescription": { "text": sentence(&rule.summary) },
        "help": { "text": text, "markdown": text },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": tags, "problem.severity": name_of(rule.severity) },
    });
    let url = super::url(rule.name);
    if url.starts_with("http") {
        object["helpUri"] = url.into();
    }
    object
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(report: &Report, diagnostic: &Diagnostic, rule: usize) -> Value {
    let finding = &diagnostic.finding;
    let mut message = finding.message.clone();
    for (word, text) in [("why", &finding.why), ("help", &finding.help)] {
        if !text.is_empty() {
            message.push_str(&format!("\n{word}: {text}"));
        }
    }
    let steps: Vec<Value> = finding
        .trace
        .iter()
        .map(|step| {
            json!({
                "location": location(report, step.at, &step.message),
                "kinds": [super::step_name(step.kind)],
            })
        })
        .collect();
    let related: Vec<Value> = finding
        .trace
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let mut place = location(report, step.at, &step.message);
            place["id"] = (at + 1).into();
            place
        })
        .collect();
    let mut object = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": level(diagnostic.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": physical(report, finding.at) }],
        "partialFingerprints": { "leaklint/v1": diagnostic.fingerprint },
        "properties": { "confidence": confidence(finding.confidence) },
    });
    if !finding.context.is_empty() {
        object["locations"][0]["logicalLocations"] = json!([{ "name": finding.context, "kind": "function" }]);
    }
    if !steps.is_empty() {
        object["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
        object["relatedLocations"] = related.into();
    }
    let fixes: Vec<Value> = finding
        .fixes
        .iter()
        .filter(|fix| fix.applicability != Applicability::Display && !fix.edits.is_empty())
        .map(|fix| fix_of(report, fix))
        .collect();
    if !fixes.is_empty() {
        object["fixes"] = fixes.into();
    }
    if let Some(by) = &diagnostic.suppressed {
        let kind = if by.by == "comment" { "inSource" } else { "external" };
        object["suppressions"] = json!([{ "kind": kind, "justification": by.reason }]);
    }
    object
}

fn fix_of(report: &Report, fix: &Fix) -> Value {
    let mut files: Vec<FileId> = fix.edits.iter().map(|edit| edit.file).collect();
    files.sort_unstable();
    files.dedup();
    let changes: Vec<Value> = files
        .into_iter()
        .map(|file| {
            let edits = fix.edits.iter().filter(|edit| edit.file == file);
            let replacements: Vec<Value> = edits
                .map(|edit| {
                    let at = Location { file, span: edit.span };
                    json!({ "deletedRegion": region(report, at), "insertedContent": { "text": edit.text } })
                })
                .collect();
            let name = &report.sources.get(file).name;
            json!({ "artifactLocation": artifact(report, name), "replacements": replacements })
        })
        .collect();
    json!({ "description": { "text": fix.title }, "artifactChanges": changes })
}

fn location(report: &Report, at: Location, message: &str) -> Value {
    json!({ "physicalLocation": physical(report, at), "message": { "text": message } })
}

fn physical(report: &Report, at: Location) -> Value {
    json!({ "artifactLocation": artifact(report, report.file(at)), "region": region(report, at) })
}

fn region(report: &Report, at: Location) -> Value {
    let (start, end) = report.range(at);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": at.span.start,
        "byteLength": at.span.end - at.span.start,
    })
}

fn artifact(report: &Report, name: &str) -> Value {
    json!({ "uri": super::uri(&format!("{}{name}", report.prefix)), "uriBaseId": "%SRCROOT%" })
}
