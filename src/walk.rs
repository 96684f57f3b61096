//! Which files a run reads and which of them it reports: project root, ignore files, vendored folders, reading.
//! Knows file names and bytes; never what the code in them means.
//!
//! Nothing in a tree can end the run: what can't be listed or read is a [`Skip`] with its reason.

mod content;
mod library;
mod trial;

use crate::config::marks_root;
use crate::lower::language_of;
use crate::text::io_words;
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The working directory, absolute; names are relative to it.
    pub cwd: PathBuf,
    /// The paths that the user named.
    pub paths: Vec<PathBuf>,
    /// Read the paths alone, not the project around them.
    pub no_project: bool,
    /// Read what ignore files exclude, too.
    pub no_ignore: bool,
    /// Named files obey ignore files and the vendored and minified rules like any other.
    pub force_exclude: bool,
    /// More patterns to ignore, as in `.gitignore`.
    pub ignore_patterns: Vec<String>,
    /// `leaklint.toml` does not mark a root.
    pub no_config: bool,
    /// Threads that list folders; 0: as many as there are cores.
    pub threads: usize,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Absolute path.
    pub path: PathBuf,
    /// Path for people: relative to the working directory, with `/`.
    pub name: String,
    /// Its findings are reported; otherwise it is read for what it tells about other files.
    pub reported: bool,
    /// The user named this very file, so it is read whatever it looks like.
    pub explicit: bool,
    /// It tries code out and is not shipped with it, and the user named neither it nor a folder of such files.
    pub trial: bool,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It lies in a folder of other people's code.
    Vendored(String),
    /// A minifier wrote it.
    Minified,
    /// A bundler wrote it, out of sources that lie elsewhere.
    Bundled,
    /// A generator wrote it: a parser of a grammar, a schema's messages, one file out of a whole library.
    Generated,
    /// Too large to be written by hand.
    Large(u64),
    /// Ignore files or patterns leave it out.
    Ignored,
    /// It is no text.
    Binary,
    /// The system would not let us; its words.
    Unreadable(String),
    /// It was listed, then it was gone.
    Vanished,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Vendored(folder) => write!(f, "vendored (`{folder}`)"),
            Reason::Minified => f.write_str("minified"),
            Reason::Bundled => f.write_str("bundled"),
            Reason::Generated => f.write_str("generated"),
            Reason::Large(bytes) => write!(f, "larger than 1 MB ({:.1} MB)", *bytes as f64 / 1e6),
            Reason::Ignored => f.write_str("ignored"),
            Reason::Binary => f.write_str("binary"),
            Reason::Unreadable(error) => write!(f, "unreadable ({error})"),
            Reason::Vanished => f.write_str("vanished while reading"),
        }
    }
}

/// A file that was not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// Path for people.
    pub name: String,
    /// Why.
    pub reason: Reason,
    /// The user named this very file.
    pub explicit: bool,
}

/// What a walk found, in a stable order.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// The roots of the projects that were read, sorted.
    pub roots: Vec<PathBuf>,
    /// Files to read, by name.
    pub files: Vec<Found>,
    /// Files that are not read.
    pub skips: Vec<Skip>,
    /// Named paths that do not exist.
    pub missing: Vec<PathBuf>,
    /// Ignore patterns that can't be read, with the reason.
    pub bad_patterns: Vec<String>,
}

/// Folders of other people's code. In a project with its own sources there, they can be named on the command line.
const VENDORED: &[&str] = &[
    "deps",
    "dep",
    "dependencies",
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "3rd_party",
    "3rd-party",
    "vendor",
    "vendors",
    "vendored",
    "external",
    "externals",
    "extern",
    "contrib",
    "submodules",
    "subprojects",
];

/// Names in [`VENDORED`] that JavaScript projects also use for code of their own.
const OFTEN_OWN_IN_JAVASCRIPT: &[&str] =
    &["dep", "dependencies", "vendors", "external", "externals", "extern", "contrib", "subprojects"];

/// Lists the files of the project around the named paths.
pub fn walk(request: &Request) -> Walked {
    let mut walked = Walked::default();
    let mut named = Vec::new();
    for path in &request.paths {
        match clean(&request.cwd.join(path)).canonicalize() {
            Ok(path) => named.push(path),
            Err(_) => walked.missing.push(path.clone()),
        }
    }
    let mut roots = BTreeSet::new();
    // What a walk starts at it never leaves out.
    let forced = request.force_exclude && !request.no_ignore;
    let mut starts: BTreeSet<PathBuf> = if forced { BTreeSet::new() } else { named.iter().cloned().collect() };
    for path in &named {
        let root = root_of(path, !request.no_config);
        if forced || !request.no_project {
            starts.insert(root.clone());
        }
        roots.insert(root);
    }
    walked.roots = roots.into_iter().collect();
    if starts.is_empty() {
        return walked;
    }
    let overrides = match overrides(request) {
        Ok(overrides) => overrides,
        Err(error) => {
            walked.bad_patterns.push(error);
            Override::empty()
        }
    };
    let mut listed = list(request, &starts, overrides);
    if forced {
        listed.retain(|path, _| !request.no_project || named.iter().any(|start| path.starts_with(start)));
        for path in named.iter().filter(|path| path.is_file()) {
            listed.entry(path.clone()).or_insert(Some(Reason::Ignored));
        }
    }
    for (path, reason) in listed {
        let explicit = named.contains(&path);
        let name = name_of(&request.cwd, &path);
        match reason {
            Some(reason) if !explicit || request.force_exclude || matches!(reason, Reason::Unreadable(_)) => {
                walked.skips.push(Skip { name, reason, explicit });
            }
            _ => {
                let reported = named.iter().any(|start| path.starts_with(start));
                let inside = named.iter().filter_map(|start| path.strip_prefix(start).ok());
                let trial = inside.min_by_key(|inside| inside.components().count()).is_some_and(trial::is_trial);
                let explicit = explicit && !request.force_exclude;
                walked.files.push(Found { path, name, reported, explicit, trial });
            }
        }
    }
    walked.files.sort_by(|a, b| a.name.cmp(&b.name));
    walked.skips.sort();
    walked
}

/// Reads a file that a walk found: decoded, without byte-order mark.
pub fn read(found: &Found) -> Result<Arc<str>, Reason> {
    content::read(&found.path, found.explicit)
}

/// Reads a file that the user named, wherever it is.
pub fn read_named(path: &Path) -> Result<Arc<str>, Reason> {
    content::read(path, true)
}

/// Text of bytes that came from elsewhere.
pub fn decode(bytes: Vec<u8>) -> Result<String, Reason> {
    content::decode(bytes)
}

/// Every source file below the starts; those with a reason are not to be read.
fn list(request: &Request, starts: &BTreeSet<PathBuf>, overrides: Override) -> BTreeMap<PathBuf, Option<Reason>> {
    let mut paths = starts.iter();
    let Some(first) = paths.next() else { return BTreeMap::new() };
    let mut builder = WalkBuilder::new(first);
    for path in paths {
        builder.add(path);
    }
    let respect = !request.no_ignore;
    builder
        .ignore(respect)
        .git_ignore(respect)
        .git_global(respect)
        .git_exclude(respect)
        .parents(respect)
        .threads(request.threads)
        .overrides(overrides)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != "node_modules");
    let found = Mutex::new(BTreeMap::new());
    builder.build_parallel().run(|| {
        let mut batch = Batch { files: Vec::new(), into: &found };
        let cwd = &request.cwd;
        Box::new(move |entry| {
            match entry {
                Ok(entry) => batch.files.extend(judge(&entry)),
                Err(error) => batch.files.extend(unlisted(&error, cwd)),
            }
            WalkState::Continue
        })
    });
    found.into_inner().unwrap_or_default()
}

/// Files of one thread, merged when the thread is done: one lock a thread instead of one a file.
struct Batch<'a> {
    files: Vec<(PathBuf, Option<Reason>)>,
    into: &'a Mutex<BTreeMap<PathBuf, Option<Reason>>>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let Ok(mut into) = self.into.lock() else { return };
        for (path, reason) in self.files.drain(..) {
            // Found from two starts: the nearer start, which the user named, knows of fewer vendored folders above it.
            let known = into.entry(path).or_insert_with(|| reason.clone());
            if reason.is_none() {
                *known = None;
            }
        }
    }
}

/// A source file of a folder, and why it is not read, if so. Links are not followed: what they point to is read where it
/// is, and a loop of them is no loop for us.
fn judge(entry: &DirEntry) -> Option<(PathBuf, Option<Reason>)> {
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        return None;
    }
    let name = entry.file_name().to_string_lossy();
    let language = language_of(&name.to_lowercase())?;
    if is_declaration(&name) {
        return None;
    }
    let folders = entry.path().components().rev().skip(1).take(entry.depth().saturating_sub(1));
    let vendored = folders.filter_map(|folder| match folder {
        Component::Normal(folder) => folder.to_str(),
        _ => None,
    });
    let vendored = vendored
        .filter(|folder| VENDORED.contains(folder))
        .find(|folder| language.is_native() || !OFTEN_OWN_IN_JAVASCRIPT.contains(folder));
    let library = || language.is_native().then(|| library::around(entry)).flatten();
    let reason = match vendored.map(str::to_owned).or_else(library) {
        Some(folder) => Some(Reason::Vendored(folder)),
        None if content::is_minified_name(&name) => Some(Reason::Minified),
        None => None,
    };
    Some((entry.path().to_owned(), reason))
}

fn is_declaration(name: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| name.ends_with(ending))
}

/// A folder that could not be listed. Ignore files with a broken line come here as well and are no matter.
fn unlisted(error: &ignore::Error, cwd: &Path) -> Option<(PathBuf, Option<Reason>)> {
    let io = error.io_error()?;
    let mut path = None;
    let mut inner = error;
    loop {
        match inner {
            ignore::Error::WithPath { path: at, err } => {
                path = Some(at.clone());
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => inner = err,
            _ => break,
        }
    }
    let path = path.unwrap_or_else(|| cwd.to_owned());
    Some((path, Some(Reason::Unreadable(io_words(io)))))
}

fn overrides(request: &Request) -> Result<Override, String> {
    let mut builder = OverrideBuilder::new(&request.cwd);
    for pattern in &request.ignore_patterns {
        // An override without `!` is a white list, the reverse of what an ignore pattern says.
        let turned = pattern.strip_prefix('!').map_or_else(|| format!("!{pattern}"), str::to_owned);
        builder.add(&turned).map_err(|error| format!("`{pattern}`: {error}"))?;
    }
    builder.build().map_err(|error| error.to_string())
}

/// The project around a path: the nearest `leaklint.toml` without `root = false`; else, inside a repository, the outermost `package.json` in it,
/// or its root; outside one, the nearest `package.json`; else the path's own folder. An installed package is a project of
/// its own, so nothing above a `node_modules` counts.
pub fn root_of(path: &Path, with_config: bool) -> PathBuf {
    let own = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let mut above: Vec<&Path> = Vec::new();
    for folder in own.ancestors() {
        if folder.file_name().is_some_and(|name| name == "node_modules") {
            break;
        }
        above.push(folder);
    }
    if with_config && let Some(folder) = above.iter().find(|folder| marks_root(folder)) {
        return folder.to_path_buf();
    }
    let has_package = |folder: &&&Path| folder.join("package.json").is_file();
    if let Some(depth) = above.iter().position(|folder| folder.join(".git").exists()) {
        let inside = &above[..=depth];
        return inside.iter().rev().find(has_package).unwrap_or(&above[depth]).to_path_buf();
    }
    above.iter().find(has_package).map_or_else(|| own.to_owned(), |folder| folder.to_path_buf())
}

/// A path for people: relative to the working directory, with `/`.
pub fn name_of(cwd: &Path, path: &Path) -> String {
    let common = cwd.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    // Nothing in common but the root: a chain of `..` would tell less than the path itself.
    if common <= 1 && !path.starts_with(cwd) {
        return slashes(path);
    }
    let up = cwd.components().skip(common).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(common)).collect();
    slashes(&relative)
}

/// What leads from the root of the repository to a folder, for reports that name files from there.
pub fn prefix(cwd: &Path) -> String {
    let root = cwd.ancestors().find(|folder| folder.join(".git").exists());
    match root.and_then(|root| cwd.strip_prefix(root).ok()).map(slashes) {
        Some(inside) if !inside.is_empty() => format!("{inside}/"),
        _ => String::new(),
    }
}

fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// The path without `.` and empty parts.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn request(root: &Path, paths: &[&str]) -> Request {
        let cwd = root.canonicalize().unwrap();
        Request { cwd, paths: paths.iter().map(PathBuf::from).collect(), ..Request::default() }
    }

    fn names(walked: &Walked) -> Vec<(&str, bool)> {
        walked.files.iter().map(|file| (file.name.as_str(), file.reported)).collect()
    }

    #[test]
    fn the_project_is_read_and_the_arguments_are_reported() {
        let root = tree(&[
            ("package.json", "{}"),
            ("lib/a.js", ""),
            ("lib/b.d.ts", ""),
            ("src/b.cc", ""),
            ("node_modules/x/index.js", ""),
            ("deps/uv/uv.c", ""),
            ("README.md", ""),
        ]);
        let walked = walk(&request(root.path(), &["lib"]));
        assert_eq!(names(&walked), [("lib/a.js", true), ("src/b.cc", false)]);
        assert_eq!(walked.skips.len(), 1);
        assert_eq!(walked.skips[0].reason, Reason::Vendored("deps".into()));
        let walked = walk(&Request { no_project: true, ..request(root.path(), &["lib"]) });
        assert_eq!(names(&walked), [("lib/a.js", true)]);
    }

    #[test]
    fn a_named_vendored_folder_is_read() {
        let root = tree(&[("package.json", "{}"), ("deps/uv/uv.c", ""), ("deps/uv/third_party/x.c", "")]);
        let walked = walk(&request(root.path(), &["deps"]));
        assert_eq!(names(&walked), [("deps/uv/uv.c", true)]);
        let walked = walk(&request(root.path(), &["deps/uv/third_party/x.c"]));
        assert_eq!(names(&walked), [("deps/uv/third_party/x.c", true)]);
    }

    #[test]
    fn libraries_that_are_not_ours_are_known_by_what_they_bring() {
        let root = tree(&[
            ("package.json", "{}"),
            ("src/own.cc", ""),
            ("src/store/LICENSE", ""),
            ("src/store/Doxyfile", ""),
            ("src/store/lib/store.c", ""),
            ("src/lua-5.4.6/lapi.c", ""),
            ("src/utf-8/own.cc", ""),
            ("native/LICENSE", ""),
            ("native/own.cc", ""),
            ("dependencies/x/x.c", ""),
            ("dependencies/own.js", ""),
        ]);
        let walked = walk(&request(root.path(), &["."]));
        let names: Vec<_> = names(&walked).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["dependencies/own.js", "native/own.cc", "src/own.cc", "src/utf-8/own.cc"]);
        let skipped: Vec<_> = walked.skips.iter().map(|skip| skip.reason.to_string()).collect();
        assert_eq!(skipped, ["vendored (`dependencies`)", "vendored (`lua-5.4.6`)", "vendored (`store`)"]);
    }

    #[test]
    fn ignore_files_count_inside_a_repository() {
        let root = tree(&[(".git/HEAD", ""), (".gitignore", "build/\n"), ("build/x.js", ""), ("a.js", "")]);
        assert_eq!(names(&walk(&request(root.path(), &["."]))), [("a.js", true)]);
        let all = Request { no_ignore: true, ..request(root.path(), &["."]) };
        assert_eq!(names(&walk(&all)), [("a.js", true), ("build/x.js", true)]);
        assert_eq!(names(&walk(&request(root.path(), &["build"]))), [("a.js", false), ("build/x.js", true)]);
        let pattern = Request { ignore_patterns: vec!["a.*".into()], ..request(root.path(), &["."]) };
        assert_eq!(names(&walk(&pattern)), []);
    }

    #[test]
    fn roots_are_found() {
        let root = tree(&[
            ("repo/.git/HEAD", ""),
            ("repo/web/package.json", "{}"),
            ("repo/web/packages/a/package.json", "{}"),
            ("repo/web/packages/a/index.js", ""),
            ("repo/tool/leaklint.toml", ""),
            ("repo/tool/x/package.json", ""),
            ("repo/web/node_modules/dep/package.json", "{}"),
            ("outside/package.json", "{}"),
            ("outside/in/package.json", "{}"),
            ("alone/a.js", ""),
        ]);
        let root = root.path();
        assert_eq!(root_of(&root.join("repo/web/packages/a/index.js"), true), root.join("repo/web"));
        assert_eq!(root_of(&root.join("repo/other"), true), root.join("repo"));
        assert_eq!(root_of(&root.join("repo/tool/x"), true), root.join("repo/tool"));
        assert_eq!(root_of(&root.join("repo/web/node_modules/dep"), true), root.join("repo/web/node_modules/dep"));
        assert_eq!(root_of(&root.join("outside/in"), true), root.join("outside/in"));
        assert_eq!(root_of(&root.join("alone/a.js"), true), root.join("alone"));
    }

    #[test]
    fn names_are_relative_to_the_working_directory() {
        assert_eq!(name_of(Path::new("/a/b"), Path::new("/a/b/c/d.js")), "c/d.js");
        assert_eq!(name_of(Path::new("/a/b"), Path::new("/a/c/d.js")), "../c/d.js");
        assert_eq!(name_of(Path::new("/a/b"), Path::new("/tmp/d.js")), "/tmp/d.js");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_closed_folders_do_no_harm() {
        let root = tree(&[("package.json", "{}"), ("a/x.js", "")]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere.js", root.path().join("a/broken.js")).unwrap();
        assert_eq!(names(&walk(&request(root.path(), &["."]))), [("a/x.js", true)]);
        let missing = walk(&request(root.path(), &["no/such", "a"]));
        assert_eq!(missing.missing, [PathBuf::from("no/such")]);
    }
}
