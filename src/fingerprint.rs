//! Names for findings that survive edits: what a baseline, a code-quality report and SARIF recognise a finding by.
//! Made of words of the code, never of line numbers.

use crate::finding::Finding;
use crate::text::{Source, Sources};
use rustc_hash::FxHashMap;
use std::path::PathBuf;

/// One fingerprint a finding, in the same order: the hash of rule, file, enclosing function, acquisition text, and which
/// one of several equal ones it is. Files are named from their project's root, so the working directory is no matter.
pub fn all(found: &[Finding], sources: &Sources, roots: &[PathBuf]) -> Vec<String> {
    let mut seen: FxHashMap<u64, u32> = FxHashMap::default();
    found
        .iter()
        .map(|finding| {
            let source = sources.get(finding.at.file);
            let acquisition = normalised(sources.snippet(finding.at));
            let name = inside(source, roots);
            let hash = hash(&[finding.rule, &name, &finding.context, &acquisition]);
            let occurrence = seen.entry(hash).and_modify(|count| *count += 1).or_insert(0);
            format!("{:016x}", fnv(hash, &occurrence.to_le_bytes()))
        })
        .collect()
}

/// The name of a file from the root of its project.
pub fn inside(source: &Source, roots: &[PathBuf]) -> String {
    let roots = roots.iter().filter_map(|root| source.path.strip_prefix(root).ok());
    let inside = roots.min_by_key(|inside| inside.components().count());
    inside.map_or_else(|| source.name.to_string(), |inside| inside.to_string_lossy().replace('\\', "/"))
}

/// The first line of an acquisition without white space: what follows is often a callback, whose body may change freely.
fn normalised(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_whitespace()).take(200).collect()
}

fn hash(parts: &[&str]) -> u64 {
    parts.iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| fnv(fnv(hash, part.as_bytes()), &[0]))
}

/// FNV-1a: the same on every machine and in every version, which hashers of the standard library do not promise.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
