//! Edits as differences: the few changed lines under a finding, and unified diffs for `--diff`.

use super::Report;
use crate::finding::Fix;
use crate::text::{Edit, FileId, apply};
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// A change of a whole file, as `git apply` reads it.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

/// The changed lines of a fix, with their numbers.
pub fn small(report: &Report, fix: &Fix, color: bool) -> String {
    let mut out = String::new();
    let mut files: Vec<FileId> = fix.edits.iter().map(|edit| edit.file).collect();
    files.sort_unstable();
    files.dedup();
    for &file in &files {
        let source = report.sources.get(file);
        let edits: Vec<&Edit> = fix.edits.iter().filter(|edit| edit.file == file).collect();
        let Some(changed) = apply(&source.text, &edits) else { continue };
        if files.len() > 1 {
            let _ = writeln!(out, "       {}", source.name);
        }
        let diff = TextDiff::from_lines(&*source.text, changed.as_str());
        for change in diff.iter_all_changes() {
            let (mark, line, paint) = match change.tag() {
                ChangeTag::Equal => continue,
                ChangeTag::Delete => ('-', change.old_index(), "\x1b[31m"),
                ChangeTag::Insert => ('+', change.new_index(), "\x1b[32m"),
            };
            let (paint, plain) = if color { (paint, "\x1b[0m") } else { ("", "") };
            let number = line.map_or(0, |line| line + 1);
            let text = change.value().trim_end_matches(['\r', '\n']);
            let _ = writeln!(out, "  {number:>5} {paint}{mark} {text}{plain}");
        }
    }
    out
}
