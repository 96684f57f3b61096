//! Files, byte ranges, lines and edits: how every other part says *where*.
//! Knows no language and no leak; never touches the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One source file of the run: an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FileId(pub u32);

/// A byte range of one file, `start..end`, in UTF-8 bytes of the text as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`; an end before its start is read as empty.
    pub fn new(start: u32, end: u32) -> Self {
        Span { start, end: end.max(start) }
    }

    /// Whether `other` lies wholly inside this range.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text of the range; empty where the range does not lie on character borders of `text`.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// A range in a named file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// The range in it.
    pub span: Span,
}

/// A position as people and editors count: 1-based line, 1-based column in Unicode code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, in code points.
    pub column: u32,
}

/// Where the lines of a text start. `\n`, `\r\n` and a lone `\r` all end a line.
#[derive(Clone, Debug, Default)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Indexes a text.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                starts.push(at as u32 + 1);
            }
        }
        LineIndex { starts }
    }

    /// 1-based line of a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// Byte offset at which a 1-based line starts; the text's end for lines past the last.
    pub fn start_of(&self, line: u32) -> Option<u32> {
        self.starts.get((line as usize).checked_sub(1)?).copied()
    }

    /// Number of lines, at least 1.
    pub fn lines(&self) -> u32 {
        self.starts.len() as u32
    }

    /// 1-based line and column of a byte offset into the same text.
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.starts[(line - 1) as usize] as usize;
        let mut end = (offset as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Position { line, column: text.get(start..end).map_or(0, |before| before.chars().count()) as u32 + 1 }
    }
}

/// One file as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as the walk found it.
    pub path: PathBuf,
    /// Path for people and reports: relative to the working directory where it lies below it, with `/`.
    pub name: Arc<str>,
    /// The text; bytes that were no UTF-8 are replaced.
    pub text: Arc<str>,
    /// Its lines.
    pub lines: LineIndex,
    /// It tries other code out and is not shipped with it: how often it does a thing tells nothing.
    pub trial: bool,
}

impl Source {
    /// A file and its lines.
    pub fn new(path: &Path, name: &str, text: Arc<str>) -> Self {
        let lines = LineIndex::new(&text);
        Source { path: path.to_owned(), name: name.into(), text, lines, trial: false }
    }
}

/// All files of a run, by [`FileId`].
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl From<Vec<Source>> for Sources {
    fn from(files: Vec<Source>) -> Self {
        Sources { files }
    }
}

impl Sources {
    /// Adds a file.
    pub fn add(&mut self, path: &Path, name: &str, text: Arc<str>) -> FileId {
        self.files.push(Source::new(path, name, text));
        FileId(self.files.len() as u32 - 1)
    }

    /// The file of an id of this set.
    pub fn get(&self, file: FileId) -> &Source {
        &self.files[file.0 as usize]
    }

    /// Every file, in the order of adding.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        self.files.iter().enumerate().map(|(at, source)| (FileId(at as u32), source))
    }

    /// Text of a location.
    pub fn snippet(&self, at: Location) -> &str {
        at.span.of(&self.get(at.file).text)
    }

    /// 1-based line on which a location starts.
    pub fn line(&self, at: Location) -> u32 {
        self.get(at.file).lines.line(at.span.start)
    }
}

/// One replacement of a range by new text; an empty range inserts, an empty text deletes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Edit {
    /// The file to change.
    pub file: FileId,
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A text after its edits; none if they overlap or do not fit the text.
pub fn apply(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        out.push_str(text.get(at..start)?);
        text.get(start..end)?;
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// The system's words for an I/O error: lower case, without its number.
pub fn io_words(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}
