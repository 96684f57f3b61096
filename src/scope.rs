//! Which lines a change touched, as git tells it: `--staged`, `--changed`, `--since`. Asks the `git` program, which knows
//! every kind of repository; never changes one.

use rustc_hash::{FxHashMap, FxHashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The index with the last commit.
    Staged,
    /// The working tree with the last commit, new files included.
    Changed,
    /// The working tree with where it left this revision, new files included.
    Revision(String),
}

/// Changed lines by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Absolute paths with ranges of changed lines, both ends included; none of them: the whole file is new.
    files: FxHashMap<PathBuf, Vec<(u32, u32)>>,
    /// Files whose staged text is not the one on disk, with that text.
    pub texts: FxHashMap<PathBuf, Arc<str>>,
}

impl Scope {
    /// Asks git. The error is said in words.
    pub fn ask(cwd: &Path, since: &Since) -> Result<Scope, String> {
        let top = git(cwd, ["rev-parse", "--show-toplevel"]).map_err(|_| "this is no git repository".to_owned())?;
        let top = PathBuf::from(top.trim_end_matches(['\n', '\r']));
        let top = top.canonicalize().unwrap_or(top);
        let base = base(&top, since)?;
        let mut arguments = vec!["-c", "core.quotepath=off", "-c", "diff.noprefix=false", "-c", "diff.relative=false"];
        arguments.extend(["diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames"]);
        arguments.extend(["--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules"]);
        if *since == Since::Staged {
            arguments.push("--cached");
        }
        arguments.extend([base.as_str(), "--"]);
        let mut scope = Scope { files: parse(&git(&top, arguments)?, &top), texts: FxHashMap::default() };
        if *since == Since::Staged {
            scope.take_staged_texts(&top)?;
        } else {
            for name in list(&top, &["ls-files", "--others", "--exclude-standard", "-z"])? {
                scope.files.insert(top.join(name), Vec::new());
            }
        }
        Ok(scope)
    }

    /// Where a file has changes that are not staged, what is staged counts.
    fn take_staged_texts(&mut self, top: &Path) -> Result<(), String> {
        let unstaged: FxHashSet<String> =
            list(top, &["diff", "--name-only", "--no-renames", "-z"])?.into_iter().collect();
        for name in unstaged {
            let path = top.join(&name);
            if self.files.contains_key(&path) {
                let text = git(top, ["show", &format!(":{name}")])?;
                self.texts.insert(path, text.into());
            }
        }
        Ok(())
    }

    /// Whether a line of a file was changed.
    pub fn touches(&self, path: &Path, line: u32) -> bool {
        let ranges = self.files.get(path);
        ranges.is_some_and(|ranges| ranges.is_empty() || ranges.iter().any(|(from, to)| (*from..=*to).contains(&line)))
    }

    /// Whether a file was changed at all.
    pub fn has(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }
}

/// What to compare with: the last commit, the common ancestor, or nothing where there is no commit yet.
fn base(top: &Path, since: &Since) -> Result<String, String> {
    match since {
        Since::Staged | Since::Changed => match git(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]) {
            Ok(head) => Ok(head.trim().to_owned()),
            Err(_) => Ok(git(top, ["hash-object", "-t", "tree", "/dev/null"])?.trim().to_owned()),
        },
        Since::Revision(revision) => {
            let commit = git(top, ["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]);
            let commit = commit.map_err(|_| format!("git knows no revision `{revision}`"))?;
            let commit = commit.trim();
            // Without a common ancestor, as in a shallow clone, the revision itself is the best answer.
            Ok(git(top, ["merge-base", commit, "HEAD"]).map_or(commit.to_owned(), |base| base.trim().to_owned()))
        }
    }
}

fn list(top: &Path, arguments: &[&str]) -> Result<Vec<String>, String> {
    let text = git(top, arguments)?;
    Ok(text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn git<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Result<String, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|error| format!("can't run git: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("git: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Reads a diff without context.
fn parse(diff: &str, top: &Path) -> FxHashMap<PathBuf, Vec<(u32, u32)>> {
    let mut files: FxHashMap<PathBuf, Vec<(u32, u32)>> = FxHashMap::default();
    let mut current: Option<PathBuf> = None;
    let mut body = 0_u32;
    for line in diff.lines() {
        // Lines of a hunk's body may look like headers.
        if body > 0 && line.starts_with(['+', '-']) {
            body -= 1;
            continue;
        }
        if let Some(name) = line.strip_prefix("+++ ") {
            current = unquoted(name).strip_prefix("b/").map(|name| top.join(name));
        } else if let Some(hunk) = line.strip_prefix("@@ -")
            && let Some((old, new)) = hunk.split_once(" @@").and_then(|(ranges, _)| ranges.split_once(" +"))
        {
            let range = |text: &str| {
                let (start, count) = text.split_once(',').unwrap_or((text, "1"));
                Some((start.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
            };
            let (Some((_, removed)), Some((start, count))) = (range(old), range(new)) else { continue };
            body = removed + count;
            // Where lines are only taken out, both neighbours changed.
            let lines = if count == 0 { (start, start + 1) } else { (start, start + count - 1) };
            if let Some(path) = &current {
                files.entry(path.clone()).or_default().push(lines);
            }
        }
    }
    files
}

/// A name as git quotes it where it has unusual characters.
fn unquoted(name: &str) -> String {
    let name = name.trim_end_matches('\t');
    let Some(inner) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) else { return name.to_owned() };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(first @ b'0'..=b'3') => {
                let digits = [first, rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                bytes.push(
                    digits.iter().fold(0_u8, |sum, digit| sum.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'))),
                );
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diffs_are_read() {
        let diff = "diff --git a/a.js b/a.js\n--- a/a.js\n+++ b/a.js\n@@ -1,0 +2,3 @@ f()\n+x\n+++ b/no.js\n+z\n@@ -9,2 +12,0 @@\n-p\n-q\n\
                    diff --git a/old b/old\ndeleted file mode 100644\n--- a/old\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\
                    diff --git a/b c.js b/b c.js\n--- a/b c.js\t\n+++ b/b c.js\t\n@@ -5 +5 @@\n-x\n+y\n";
        let files = parse(diff, Path::new("/r"));
        assert_eq!(files[Path::new("/r/a.js")], [(2, 4), (12, 13)]);
        assert_eq!(files[Path::new("/r/b c.js")], [(5, 5)]);
        assert_eq!(files.len(), 2);
        assert_eq!(unquoted("\"b/\\303\\244\\t.js\""), "b/\u{e4}\t.js");
    }
}
