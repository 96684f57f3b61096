//! The baseline, `leaklint-suppressions.json`: findings that were there when leaklint came, silenced by fingerprint, never
//! by count or line. Keeps them; decides nothing about leaks.

use crate::report::{Diagnostic, Suppressed};
use crate::text::io_words;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The name of the file, in the root of the project.
pub const FILE: &str = "leaklint-suppressions.json";

/// One silenced finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, from the root of the project.
    pub file: String,
    /// The rule.
    pub rule: String,
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// The enclosing function.
    pub context: String,
    /// What the finding says, for the reader of the file, and to find it again when the file has moved.
    pub message: String,
}

/// A baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Where it is kept.
    pub path: PathBuf,
    /// Its entries, sorted.
    pub entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    entries: Vec<Entry>,
}

impl Baseline {
    /// Reads a baseline; one that does not exist is empty. The error is said in words.
    pub fn load(path: &Path) -> Result<Baseline, String> {
        let text = match std::fs::read_to_string(path) {
            // `/dev/null` stands for none.
            Ok(text) if text.trim().is_empty() => {
                return Ok(Baseline { path: path.to_owned(), entries: Vec::new() });
            }
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Baseline { path: path.to_owned(), entries: Vec::new() });
            }
            Err(error) => return Err(io_words(&error)),
        };
        let document: Document = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if document.version != 1 {
            return Err(format!("version {} is not known; this leaklint reads version 1", document.version));
        }
        let mut entries = document.entries;
        entries.sort();
        entries.dedup();
        Ok(Baseline { path: path.to_owned(), entries })
    }

    /// The text of the file: sorted, an entry a line, so that git merges it.
    pub fn text(&self) -> String {
        let mut text = "{\"version\": 1, \"entries\": [".to_owned();
        for (at, entry) in self.entries.iter().enumerate() {
            let _ = write!(text, "{}\n  {}", if at > 0 { "," } else { "" }, Self::line(entry));
        }
        text.push_str(if self.entries.is_empty() { "]}\n" } else { "\n]}\n" });
        text
    }

    fn line(entry: &Entry) -> String {
        let fields = [
            ("rule", &entry.rule),
            ("file", &entry.file),
            ("fingerprint", &entry.fingerprint),
            ("context", &entry.context),
            ("message", &entry.message),
        ];
        let field = |(key, value): &(&str, &String)| format!("\"{key}\": {}", serde_json::Value::from(value.as_str()));
        let fields: Vec<String> = fields.iter().map(field).collect();
        format!("{{{}}}", fields.join(", "))
    }

    /// Silences the findings that the baseline knows, and says which entries did so. `file` names the file of a finding
    /// from the root, `read` holds all files of the run by that name: an entry of a file that is no longer there may stand
    /// for the same finding in the file that it became.
    pub fn apply(
        &self,
        diagnostics: &mut [Diagnostic],
        file: impl Fn(&Diagnostic) -> String,
        read: &FxHashSet<String>,
    ) -> Vec<bool> {
        let mut used = vec![false; self.entries.len()];
        let by_print: FxHashMap<(&str, &str), usize> = self
            .entries
            .iter()
            .enumerate()
            .map(|(at, entry)| ((entry.fingerprint.as_str(), entry.rule.as_str()), at))
            .collect();
        let silence = || Some(Suppressed { by: "baseline", reason: String::new() });
        for diagnostic in diagnostics.iter_mut() {
            let key = (diagnostic.fingerprint.as_str(), diagnostic.finding.rule);
            if let Some(&at) = by_print.get(&key) {
                used[at] = true;
                if diagnostic.suppressed.is_none() {
                    diagnostic.suppressed = silence();
                }
            }
        }
        let known: FxHashSet<&str> = self.entries.iter().map(|entry| entry.file.as_str()).collect();
        for (at, entry) in self.entries.iter().enumerate() {
            if used[at] || read.contains(&entry.file) {
                continue;
            }
            let same = |item: &&mut Diagnostic| {
                let finding = &item.finding;
                item.suppressed.is_none()
                    && (finding.rule, &finding.context, &finding.message)
                        == (entry.rule.as_str(), &entry.context, &entry.message)
                    && !known.contains(file(item).as_str())
            };
            if let Some(diagnostic) = diagnostics.iter_mut().find(same) {
                diagnostic.suppressed = silence();
                used[at] = true;
            }
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_entries_are_one() {
        let entry = |file: &str| Entry {
            file: file.into(),
            rule: "timer-never-cleared".into(),
            fingerprint: "0123".into(),
            context: "f \"g\"".into(),
            message: "a\u{e9}".into(),
        };
        let baseline = Baseline { path: PathBuf::new(), entries: vec![entry("a.js"), entry("b.js")] };
        let text = baseline.text();
        assert_eq!(text.lines().count(), 4);
        let document: Document = serde_json::from_str(&text).unwrap();
        assert_eq!(document.entries, baseline.entries);
        assert_eq!(Baseline::default().text(), "{\"version\": 1, \"entries\": []}\n");
    }
}
