//! From an import's specifier to a file of the project: relative paths, index files, packages of the same tree by their
//! name, TypeScript's `.js` for `.ts`, `dist` for `src`. Looks at names of files and at `package.json`, at nothing else.

use super::manifests::manifests;
use crate::model::Summary;
use crate::text::{FileId, Sources};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

const ENDINGS: [&str; 8] = [".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx", ".mts", ".cts"];
/// Folders that hold what a build makes of `src`.
const BUILT: [&str; 6] = ["dist", "lib", "build", "out", "cjs", "esm"];

/// The project's files as modules.
#[derive(Default)]
pub(super) struct Modules {
    files: FxHashMap<String, FileId>,
    paths: Vec<String>,
    packages: Vec<Package>,
    /// Packages by their folder.
    folders: FxHashMap<String, usize>,
    /// The package of each file.
    homes: Vec<Option<usize>>,
    by_name: FxHashMap<String, usize>,
    /// C and C++ files by their last path segment.
    by_base: FxHashMap<String, Vec<FileId>>,
}

/// A package of the project.
pub(super) struct Package {
    folder: String,
    manifest: Json,
}

impl Modules {
    /// Looks at the names of the files, and reads the manifests beside and above them.
    pub(super) fn new(sources: &Sources, summaries: &[Summary]) -> Self {
        let mut modules = Modules::default();
        for (folder, text) in manifests(sources.iter().map(|(_, source)| source.path.as_path())) {
            if let Ok(manifest) = serde_json::from_str::<Json>(text.trim_start_matches('\u{feff}')) {
                modules.packages.push(Package { folder, manifest });
            }
        }
        for (file, source) in sources.iter() {
            let path = normal(&source.path.to_string_lossy().replace('\\', "/"));
            if summaries.get(file.0 as usize).is_some_and(|s| s.language.is_some_and(crate::model::Language::is_native))
            {
                modules.by_base.entry(last(&path).to_owned()).or_default().push(file);
            }
            modules.files.insert(path.clone(), file);
            modules.paths.push(path);
        }
        modules.packages.sort_by_key(|package| std::cmp::Reverse(package.folder.len()));
        for (at, package) in modules.packages.iter().enumerate() {
            if let Some(name) = package.manifest["name"].as_str() {
                modules.by_name.insert(name.to_owned(), at);
            }
        }
        modules.folders =
            modules.packages.iter().enumerate().map(|(at, package)| (package.folder.clone(), at)).collect();
        modules.homes = modules.paths.iter().map(|path| modules.find_home(path)).collect();
        modules
    }

    /// The package that a file belongs to.
    pub(super) fn package_of(&self, file: FileId) -> Option<usize> {
        self.homes.get(file.0 as usize).copied().flatten()
    }

    /// The nearest folder above a file that has a manifest.
    fn find_home(&self, path: &str) -> Option<usize> {
        let mut folder = parent(path);
        loop {
            if let Some(&package) = self.folders.get(folder) {
                return Some(package);
            }
            if folder.is_empty() {
                return None;
            }
            folder = parent(folder);
        }
    }

    /// The files that users of a package can import by its manifest; none where the manifest names none that exists.
    pub(super) fn entries(&self, package: usize) -> Vec<FileId> {
        let Package { folder, manifest } = &self.packages[package];
        let mut names = Vec::new();
        for key in ["main", "module", "types"] {
            names.extend(manifest[key].as_str());
        }
        strings(&manifest["exports"], &mut names);
        if names.is_empty() {
            names.push("index");
        }
        let mut found: Vec<FileId> = names.iter().filter_map(|name| self.built(&join(folder, name))).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The file that a specifier means in a file.
    pub(super) fn resolve(&self, from: FileId, specifier: &str) -> Option<FileId> {
        let path = self.paths.get(from.0 as usize)?;
        let folder = parent(path);
        let specifier = specifier.split(['?', '!']).next_back().unwrap_or(specifier);
        if specifier.starts_with('.') {
            return self.built(&join(folder, specifier));
        }
        if specifier.starts_with('/') {
            return self.module(specifier);
        }
        let home = self.package_of(from).map(|at| &self.packages[at]);
        if specifier.starts_with('#') {
            let home = home?;
            let mut names = Vec::new();
            strings(&home.manifest["imports"][specifier], &mut names);
            return names.iter().find_map(|name| self.built(&join(&home.folder, name)));
        }
        if let Some(found) = self.package(specifier) {
            return Some(found);
        }
        let home = home?;
        let rest = specifier.strip_prefix("@/").or_else(|| specifier.strip_prefix("~/"));
        match rest {
            Some(rest) => self
                .module(&join(&home.folder, &format!("src/{rest}")))
                .or_else(|| self.module(&join(&home.folder, rest))),
            None if specifier.contains('/') => self.module(&join(&home.folder, specifier)),
            None => None,
        }
    }

    /// The file that `#include "x.h"` means.
    pub(super) fn include(&self, from: FileId, name: &str) -> Option<FileId> {
        let folder = parent(self.paths.get(from.0 as usize)?);
        if let Some(&file) = self.files.get(&join(folder, name)) {
            return Some(file);
        }
        let candidates = self.by_base.get(last(name))?;
        let tail = format!("/{}", normal(name).trim_start_matches("../"));
        candidates.iter().copied().find(|file| self.paths[file.0 as usize].ends_with(&tail)).or(match candidates[..] {
            [only] => Some(only),
            _ => None,
        })
    }

    fn package(&self, specifier: &str) -> Option<FileId> {
        let cut = match specifier.strip_prefix('@') {
            Some(rest) => rest.find('/').and_then(|at| rest[at + 1..].find('/').map(|next| at + next + 2)),
            None => specifier.find('/'),
        };
        let (name, rest) = cut.map_or((specifier, ""), |cut| (&specifier[..cut], &specifier[cut + 1..]));
        let at = *self.by_name.get(name)?;
        let Package { folder, manifest } = &self.packages[at];
        if rest.is_empty() {
            return self.entries(at).first().copied();
        }
        let mut names = Vec::new();
        strings(&manifest["exports"][format!("./{rest}")], &mut names);
        names.iter().find_map(|name| self.built(&join(folder, name))).or_else(|| self.built(&join(folder, rest)))
    }

    /// A module by its path, or the source that it is built from.
    fn built(&self, path: &str) -> Option<FileId> {
        if let Some(found) = self.module(path) {
            return Some(found);
        }
        let segments: Vec<&str> = path.split('/').collect();
        (0..segments.len()).rev().filter(|&at| BUILT.contains(&segments[at])).find_map(|at| {
            let mut with = segments.clone();
            with[at] = "src";
            let source = self.module(&with.join("/"));
            // `dist/esm/x.js`, `dist/src/x.js` of `src/x.ts`.
            source.or_else(|| {
                with.get(at + 1)
                    .is_some_and(|next| BUILT.contains(next) || *next == "src")
                    .then(|| with.remove(at + 1))?;
                self.module(&with.join("/"))
            })
        })
    }

    fn module(&self, path: &str) -> Option<FileId> {
        let get = |path: &str| self.files.get(path).copied();
        if let Some(file) = get(path) {
            return Some(file);
        }
        for (written, real) in [(".js", ".ts"), (".js", ".tsx"), (".jsx", ".tsx"), (".mjs", ".mts"), (".cjs", ".cts")] {
            if let Some(file) = path.strip_suffix(written).and_then(|stem| get(&format!("{stem}{real}"))) {
                return Some(file);
            }
        }
        let path = path.trim_end_matches('/');
        ENDINGS
            .iter()
            .find_map(|ending| get(&format!("{path}{ending}")))
            .or_else(|| ENDINGS.iter().find_map(|ending| get(&format!("{path}/index{ending}"))))
            .or_else(|| {
                let at = *self.folders.get(path)?;
                let main = self.packages[at].manifest["main"].as_str()?;
                let main = join(path, main);
                (main != path).then(|| self.module(&main))?
            })
    }
}

/// Every string in a manifest's value, in order: the targets of conditional exports.
fn strings<'a>(json: &'a Json, found: &mut Vec<&'a str>) {
    match json {
        Json::String(text) => found.push(text),
        Json::Object(map) => map.values().for_each(|value| strings(value, found)),
        Json::Array(parts) => parts.iter().for_each(|value| strings(value, found)),
        _ => {}
    }
}

pub(super) fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { normal(path) } else { normal(&format!("{folder}/{path}")) }
}

/// Without `.` and `..` where they can be resolved.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|part| !part.is_empty() && *part != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn modules(paths: &[&str]) -> Modules {
        let mut sources = Sources::default();
        for path in paths {
            sources.add(Path::new(path), path, "".into());
        }
        Modules::new(&sources, &[])
    }

    #[test]
    fn relative_specifiers_find_files() {
        let modules = modules(&["q/a.js", "q/lib/index.ts", "q/lib/b.ts", "q/src/c.ts", "q/d.mjs"]);
        let found = |specifier| modules.resolve(FileId(0), specifier).map(|file| file.0);
        assert_eq!(found("./lib"), Some(1));
        assert_eq!(found("./lib/b.js"), Some(2));
        assert_eq!(found("./dist/c"), Some(3));
        assert_eq!(found("./d.mjs"), Some(4));
        assert_eq!(found("fs"), None);
        assert_eq!(modules.resolve(FileId(2), "../a").map(|file| file.0), Some(0));
    }
}
