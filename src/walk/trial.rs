//! Files that try the code out and are not shipped with it: tests, benchmarks, examples. What leaks there ends with its
//! short run. Knows the customs of folders and file names, nothing of what stands in the files.

use std::path::{Component, Path};

/// Folders of such files.
const FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "__mocks__",
    "spec",
    "specs",
    "e2e",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "example",
    "examples",
    "demo",
    "demos",
];

/// What stands before the extension of such a file.
const MARKS: &[&str] = &[".test", ".spec", ".tap", ".bench", "-test", "_test"];

/// Whether a file, by its path below what the user named, tries code out.
pub(super) fn is_trial(inside: &Path) -> bool {
    let folder = |part: Component<'_>| part.as_os_str().to_str().is_some_and(|name| FOLDERS.contains(&name));
    let stem = inside.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    inside.parent().is_some_and(|parent| parent.components().any(folder))
        || MARKS.iter().any(|mark| stem.ends_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_known_by_their_place() {
        for path in
            ["test/pool.js", "packages/a/__tests__/b.ts", "src/pool.test.ts", "benchmarks/run.js", "examples/demo/a.js"]
        {
            assert!(is_trial(Path::new(path)), "{path}");
        }
        for path in ["src/pool.js", "test.js", "lib/testing/pool.js", "src/latest.js", "contest/a.js"] {
            assert!(!is_trial(Path::new(path)), "{path}");
        }
    }
}
