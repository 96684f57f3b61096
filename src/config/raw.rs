//! The shape of a configuration file as it is written, in TOML or JSON, and the files it extends. Gives nothing a meaning.

use super::{Error, FILE};
use crate::finding::Severity;
use crate::model::contract::{Api, Convention, Module, Rows, Spoken, Type};
use crate::nearest::explain;
use serde::de::{self, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Raw {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// Files, or npm packages, whose configuration this one starts from.
    pub extends: Words,
    /// `false`: the project goes on above this folder.
    pub root: Option<bool>,
    /// Which confidence is shown.
    pub level: Option<Level>,
    /// Suppression comments must say why.
    pub require_reason: Option<bool>,
    /// Severity by rule or family.
    pub rules: BTreeMap<String, Setting>,
    /// What is read.
    pub files: Files,
    /// Other settings for some files.
    pub overrides: Vec<RawOverride>,
    /// Rows for the catalog.
    pub models: Vec<Row>,
}

/// `[files]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Files {
    /// Only these.
    pub include: Option<Vec<String>>,
    /// Not these.
    pub exclude: Option<Vec<String>>,
}

/// `[[overrides]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RawOverride {
    /// For these files.
    pub files: Words,
    /// Severity by rule or family.
    #[serde(default)]
    pub rules: BTreeMap<String, Setting>,
    /// Which confidence is shown.
    #[serde(default)]
    pub level: Option<Level>,
    /// Suppression comments must say why.
    #[serde(default)]
    pub require_reason: Option<bool>,
}

/// Which confidence is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// High and medium.
    Default,
    /// Low as well.
    All,
    /// High only.
    Strict,
}

/// What is said of a rule: a severity, or a table with one.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// How bad.
    pub severity: Severity,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Off,
    #[serde(alias = "warning")]
    Warn,
    Error,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    severity: Word,
}

impl From<Word> for Setting {
    fn from(word: Word) -> Self {
        let severity = match word {
            Word::Off => Severity::Off,
            Word::Warn => Severity::Warning,
            Word::Error => Severity::Error,
        };
        Setting { severity }
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`off`, `warn`, `error`, or a table with `severity`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Setting, E> {
                Word::deserialize(de::value::StrDeserializer::<E>::new(word)).map(Setting::from)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Setting, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(|table| table.severity.into())
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// One word or several.
#[derive(Debug, Default)]
pub struct Words(pub Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Words, E> {
                Ok(Words(vec![word.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// One row: an API if it has `names`, a type if it has `noun`, a convention if it has `acquire`, else a module.
#[derive(Debug)]
pub struct Row(pub Rows);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(deserializer)?;
        let table = value.as_object_mut().ok_or_else(|| de::Error::custom("a row is a table"))?;
        let mut rows = Rows::default();
        if let Some(language) = table.remove("language") {
            rows.language = Some(part::<Spoken, D::Error>(language)?);
        }
        if table.contains_key("names") {
            rows.apis.push(part::<Api, D::Error>(value)?);
        } else if table.contains_key("acquire") {
            rows.conventions.push(part::<Convention, D::Error>(value)?);
        } else if table.contains_key("noun") || table.contains_key("family") {
            rows.types.push(part::<Type, D::Error>(value)?);
        } else {
            rows.modules.push(part::<Module, D::Error>(value)?);
        }
        Ok(Row(rows))
    }
}

fn part<T: de::DeserializeOwned, E: de::Error>(value: serde_json::Value) -> Result<T, E> {
    serde_json::from_value(value).map_err(|error| E::custom(explain(&error.to_string())))
}

/// Reads a file and, before it, all that it extends, the most general first.
pub fn chain(path: &Path, open: &mut Vec<PathBuf>, out: &mut Vec<(PathBuf, String, Raw)>) -> Result<(), Error> {
    let here = |line, message: String| Error { file: path.to_owned(), line, message };
    if open.iter().any(|known| known == path) {
        return Err(here(0, "extends itself".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| here(0, crate::text::io_words(&error)))?;
    let raw = parse(path, &text)?;
    open.push(path.to_owned());
    for base in &raw.extends.0 {
        let found = resolve(path, base);
        let found =
            found.ok_or_else(|| here(line_of(&text, base), format!("can't find `{base}`, which it extends")))?;
        chain(&found, open, out)?;
    }
    open.pop();
    out.push((path.to_owned(), text, raw));
    Ok(())
}

fn parse(path: &Path, text: &str) -> Result<Raw, Error> {
    let name = path.file_name().unwrap_or_default();
    if name == "package.json" || path.extension().is_some_and(|ending| ending == "json") {
        return parse_json(path, text, name == "package.json");
    }
    toml::from_str(text).map_err(|error| Error {
        file: path.to_owned(),
        line: error.span().map_or(1, |span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1),
        message: explain(error.message()),
    })
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    leaklint: Option<Raw>,
}

fn parse_json(path: &Path, text: &str, is_package: bool) -> Result<Raw, Error> {
    let parsed = if is_package {
        serde_json::from_str::<Package>(text).map(|package| package.leaklint.unwrap_or_default())
    } else {
        serde_json::from_str::<Raw>(text)
    };
    parsed.map_err(|error| {
        let message = error.to_string();
        // The line is said in front, as for TOML.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Error { file: path.to_owned(), line: error.line(), message: explain(message) }
    })
}

/// The file that a word of `extends` means: a path from the extending file, or an npm package.
fn resolve(from: &Path, word: &str) -> Option<PathBuf> {
    let folder = from.parent()?;
    let candidates = |path: PathBuf| {
        let choices = [path.clone(), path.join(FILE), path.join("package.json")];
        choices.into_iter().find(|path| path.is_file())
    };
    if word.starts_with('.') || Path::new(word).is_absolute() {
        return candidates(folder.join(word).components().collect());
    }
    folder
        .ancestors()
        .find_map(|above| candidates(above.join("node_modules").join(word)))
        .or_else(|| candidates(folder.join(word)))
}

/// Whether a `package.json` has the section.
pub fn has_section(text: &str) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    // A broken package.json that mentions leaklint is read, and then reported with its line.
    value.map_or(true, |value| value.get("leaklint").is_some_and(serde_json::Value::is_object))
}

/// Whether the text of a `leaklint.toml` leaves its folder the root of a project.
pub fn is_root(text: &str) -> bool {
    text.parse::<toml::Table>().map_or(true, |table| table.get("root").and_then(toml::Value::as_bool) != Some(false))
}

/// The first line on which a word stands as a key or string; 1 if none.
pub fn line_of(text: &str, word: &str) -> usize {
    let quoted = format!("\"{word}\"");
    let is_here = |line: &str| {
        let start = line.trim_start();
        line.contains(&quoted)
            || start.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with(['=', ':', '.']))
    };
    text.lines().position(is_here).map_or(1, |line| line + 1)
}

/// The keys that each part of a configuration may have, as the code has them: for the schema's test.
pub fn keys() -> Vec<(&'static str, Vec<String>)> {
    fn of<T: de::DeserializeOwned>() -> Vec<String> {
        let probe = serde_json::json!({ "?": 0 });
        let Err(error) = serde_json::from_value::<T>(probe) else { return Vec::new() };
        let message = error.to_string();
        let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        quoted.retain(|word| word != "?");
        quoted.sort();
        quoted
    }
    vec![
        ("config", of::<Raw>()),
        ("files", of::<Files>()),
        ("override", of::<RawOverride>()),
        ("api", of::<Api>()),
        ("type", of::<Type>()),
        ("convention", of::<Convention>()),
        ("module", of::<Module>()),
    ]
}
