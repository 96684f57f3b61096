//! Configuration: `leaklint.toml`, `package.json#leaklint`, what they extend, and what that means for one file.
//! Command line, hook and editor all resolve it here. The nearest file wins and nothing merges silently: only `extends`
//! joins files, and the extending one wins.

mod raw;

use crate::catalog;
use crate::finding::{Confidence, RuleInfo, Severity};
use crate::model::Contracts;
use crate::model::contract::Rows;
use crate::nearest::did_you_mean;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use raw::Raw;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use raw::{Level, keys};

/// The name of the file that is looked for.
pub const FILE: &str = "leaklint.toml";

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file.display(), self.message),
            line => write!(f, "{}:{line}: {}", self.file.display(), self.message),
        }
    }
}

impl std::error::Error for Error {}

/// Where configuration comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// There is none.
    None,
    /// The nearest file above each file, up to the root of its project.
    #[default]
    Discover,
    /// This file, for all.
    Given(PathBuf),
}

/// One configuration, with all that it extends.
#[derive(Debug)]
pub struct Config {
    /// Its file.
    pub path: PathBuf,
    /// Patterns are relative to its folder.
    folder: PathBuf,
    /// From the most general to the file itself.
    layers: Vec<Layer>,
    include: Option<Gitignore>,
    exclude: Option<Gitignore>,
    /// Rows for the catalog.
    pub models: Vec<Rows>,
}

/// What one file says of rules.
#[derive(Debug)]
struct Layer {
    path: PathBuf,
    rules: BTreeMap<String, Severity>,
    level: Option<Level>,
    require_reason: Option<bool>,
    overrides: Vec<Override>,
}

#[derive(Debug)]
struct Override {
    files: Gitignore,
    rules: BTreeMap<String, Severity>,
    level: Option<Level>,
    require_reason: Option<bool>,
}

impl Config {
    /// Reads a configuration. `known` are the rules that there are.
    pub fn load(path: &Path, known: &[RuleInfo]) -> Result<Config, Error> {
        let mut raws = Vec::new();
        raw::chain(path, &mut Vec::new(), &mut raws)?;
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let mut config = Config {
            path: path.to_owned(),
            folder: folder.clone(),
            layers: Vec::new(),
            include: None,
            exclude: None,
            models: Vec::new(),
        };
        for (path, text, raw) in raws {
            check_rules(&path, &text, &raw, known)?;
            check_models(&path, &text, &raw)?;
            let matcher = |patterns: &[String]| matcher(&folder, patterns, &path, &text);
            if let Some(patterns) = &raw.files.include {
                config.include = Some(matcher(patterns)?);
            }
            if let Some(patterns) = &raw.files.exclude {
                config.exclude = Some(matcher(patterns)?);
            }
            let mut overrides = Vec::new();
            for part in raw.overrides {
                overrides.push(Override {
                    files: matcher(&part.files.0)?,
                    rules: part.rules.into_iter().map(|(name, setting)| (name, setting.severity)).collect(),
                    level: part.level,
                    require_reason: part.require_reason,
                });
            }
            config.models.extend(raw.models.into_iter().map(|row| row.0));
            config.layers.push(Layer {
                path,
                rules: raw.rules.into_iter().map(|(name, setting)| (name, setting.severity)).collect(),
                level: raw.level,
                require_reason: raw.require_reason,
                overrides,
            });
        }
        Ok(config)
    }

    /// Whether `[files]` leaves a file out.
    pub fn leaves_out(&self, path: &Path) -> bool {
        path.strip_prefix(&self.folder).is_ok()
            && (self.include.as_ref().is_some_and(|include| !hits(include, path))
                || self.exclude.as_ref().is_some_and(|exclude| hits(exclude, path)))
    }

    /// How bad a rule's findings are in a file, and who says so; none if the configuration says nothing.
    pub fn severity(&self, rule: &RuleInfo, path: &Path) -> Option<(Severity, String)> {
        let mut said = None;
        for layer in &self.layers {
            if let Some((key, severity)) = pick(&layer.rules, rule) {
                said = Some((severity, format!("`{key}` in {}", layer.path.display())));
            }
            for (at, part) in layer.overrides.iter().enumerate().filter(|(_, part)| hits(&part.files, path)) {
                if let Some((key, severity)) = pick(&part.rules, rule) {
                    said = Some((severity, format!("`{key}` in override {} of {}", at + 1, layer.path.display())));
                }
            }
        }
        said
    }

    /// Which confidence is shown of a file.
    pub fn level(&self, path: &Path) -> Option<Level> {
        self.last(path, |layer| layer.level, |part| part.level)
    }

    /// Whether suppression comments of a file must give a reason.
    pub fn require_reason(&self, path: &Path) -> bool {
        self.last(path, |layer| layer.require_reason, |part| part.require_reason).unwrap_or(false)
    }

    /// The files that make it up, from the most general to the file itself.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.layers.iter().map(|layer| layer.path.as_path())
    }

    fn last<T>(&self, path: &Path, own: fn(&Layer) -> Option<T>, part: fn(&Override) -> Option<T>) -> Option<T> {
        let mut said = None;
        for layer in &self.layers {
            said = own(layer).or(said);
            for over in layer.overrides.iter().filter(|over| hits(&over.files, path)) {
                said = part(over).or(said);
            }
        }
        said
    }
}

/// The nearest word for a rule: its name, then its family, then `all`.
fn pick<'a>(rules: &'a BTreeMap<String, Severity>, rule: &RuleInfo) -> Option<(&'a str, Severity)> {
    let keys = [rule.name, rule.family.as_str(), "all"];
    keys.iter().find_map(|key| rules.get_key_value(*key)).map(|(key, severity)| (key.as_str(), *severity))
}

fn hits(matcher: &Gitignore, path: &Path) -> bool {
    path.strip_prefix(matcher.path()).is_ok() && matcher.matched_path_or_any_parents(path, false).is_ignore()
}

fn matcher(folder: &Path, patterns: &[String], path: &Path, text: &str) -> Result<Gitignore, Error> {
    let mut builder = GitignoreBuilder::new(folder);
    for pattern in patterns {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        builder.add_line(None, pattern).map_err(|error| Error {
            file: path.to_owned(),
            line: raw::line_of(text, pattern),
            message: format!("`{pattern}` is no pattern: {error}"),
        })?;
    }
    builder.build().map_err(|error| Error { file: path.to_owned(), line: 0, message: error.to_string() })
}

fn check_rules(path: &Path, text: &str, raw: &Raw, known: &[RuleInfo]) -> Result<(), Error> {
    let names = raw.rules.keys().chain(raw.overrides.iter().flat_map(|part| part.rules.keys()));
    for name in names {
        if name != "all" && !known.iter().any(|rule| rule.name == name || rule.family == *name) {
            let words = known.iter().flat_map(|rule| [rule.name, rule.family.as_str()]);
            let message = format!("unknown rule `{name}`{}", did_you_mean(name, words));
            return Err(Error { file: path.to_owned(), line: raw::line_of(text, name), message });
        }
    }
    Ok(())
}

/// Rows of a file must fit the built-in ones and each other.
fn check_models(path: &Path, text: &str, raw: &Raw) -> Result<(), Error> {
    if raw.models.is_empty() {
        return Ok(());
    }
    let contracts = extended(raw.models.iter().map(|row| &row.0));
    let wrong =
        raw.models.iter().flat_map(|row| catalog::check(&contracts, &row.0, &path.to_string_lossy(), text)).next();
    wrong.map_or(Ok(()), |wrong| Err(Error { file: path.to_owned(), line: wrong.line, message: wrong.message }))
}

/// The built-in rows and more.
pub fn extended<'a>(rows: impl Iterator<Item = &'a Rows>) -> Contracts {
    let mut contracts = catalog::builtin();
    rows.for_each(|rows| contracts.add(rows.clone()));
    contracts
}

/// Reads rows of the form of `rules/catalog/*.toml` from a file, or from each file of a folder.
pub fn rows(path: &Path) -> Result<Vec<Rows>, Error> {
    let failed = |file: &Path, error: std::io::Error| {
        let message = crate::text::io_words(&error);
        Error { file: file.to_owned(), line: 0, message }
    };
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        files =
            std::fs::read_dir(path).map_err(|error| failed(path, error))?.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
        files.sort();
    }
    let mut read = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| failed(&file, error))?;
        let name = file.to_string_lossy().into_owned();
        let wrong = |error: catalog::RowError| Error { file: file.clone(), line: error.line, message: error.message };
        let rows = catalog::parse(&name, &text).map_err(wrong)?;
        read.push((name, text, rows));
    }
    let contracts = extended(read.iter().map(|(_, _, rows)| rows));
    for (name, text, rows) in &read {
        if let Some(error) = catalog::check(&contracts, rows, name, text).into_iter().next() {
            return Err(Error { file: PathBuf::from(name), line: error.line, message: error.message });
        }
    }
    Ok(read.into_iter().map(|(_, _, rows)| rows).collect())
}

/// Finds the configuration of files, each once.
#[derive(Debug, Default)]
pub struct Configs {
    source: Source,
    given: Option<Arc<Config>>,
    folders: FxHashMap<PathBuf, Option<Arc<Config>>>,
}

impl Configs {
    /// Prepares; reads the file that is given, if one is.
    pub fn new(source: &Source, known: &[RuleInfo]) -> Result<Self, Error> {
        let given = match source {
            Source::Given(path) => Some(Arc::new(Config::load(path, known)?)),
            _ => None,
        };
        Ok(Configs { source: source.clone(), given, folders: FxHashMap::default() })
    }

    /// The configuration of a file of the project at `root`.
    pub fn of(&mut self, file: &Path, root: &Path, known: &[RuleInfo]) -> Result<Option<Arc<Config>>, Error> {
        match self.source {
            Source::None => Ok(None),
            Source::Given(_) => Ok(self.given.clone()),
            Source::Discover => self.above(file.parent().unwrap_or(root), root, known),
        }
    }

    fn above(&mut self, folder: &Path, root: &Path, known: &[RuleInfo]) -> Result<Option<Arc<Config>>, Error> {
        if let Some(config) = self.folders.get(folder) {
            return Ok(config.clone());
        }
        let config = match in_folder(folder) {
            Some(path) => Some(Arc::new(Config::load(&path, known)?)),
            None if folder == root => None,
            None => match folder.parent() {
                Some(parent) if parent.starts_with(root) => self.above(parent, root, known)?,
                _ => None,
            },
        };
        self.folders.insert(folder.to_owned(), config.clone());
        Ok(config)
    }

    /// Every configuration that was found, by path.
    pub fn all(&self) -> Vec<Arc<Config>> {
        let mut all: Vec<Arc<Config>> = self.folders.values().flatten().chain(&self.given).cloned().collect();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all.dedup_by(|a, b| a.path == b.path);
        all
    }
}

/// The configuration file of a folder.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    let own = folder.join(FILE);
    if own.is_file() {
        return Some(own);
    }
    let package = folder.join("package.json");
    let text = std::fs::read_to_string(&package).ok()?;
    (text.contains("\"leaklint\"") && raw::has_section(&text)).then_some(package)
}

/// Whether a folder's `leaklint.toml` makes it the root of a project: unless it says `root = false`.
pub fn marks_root(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join(FILE)).is_ok_and(|text| raw::is_root(&text))
}

impl From<Level> for Confidence {
    fn from(level: Level) -> Self {
        match level {
            Level::Default => Confidence::Medium,
            Level::All => Confidence::Low,
            Level::Strict => Confidence::High,
        }
    }
}
