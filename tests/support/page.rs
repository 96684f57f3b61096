//! The pages of the rules, as tests read them: their blocks, and the small projects that these are.

use super::{Kind, Marker, strip};
use leaklint::check::{Options, check_texts};
use leaklint::finding::{Applicability, Confidence, Fix};
use leaklint::report::Report;
use leaklint::text::{Edit, apply};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where the pages are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

/// One fenced block.
pub struct Block {
    /// `js`, `cpp`, `text` ...
    pub language: String,
    /// The rest of the info string.
    pub options: Vec<String>,
    /// What stands in it.
    pub text: String,
    /// Bytes of the page from the opening fence to the end of the closing one.
    pub range: std::ops::Range<usize>,
    /// The `##` section around it.
    pub section: String,
    /// The `###` heading above it.
    pub title: String,
}

impl Block {
    /// The value of `key=value` in the info string.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find_map(|option| option.strip_prefix(key)?.strip_prefix('='))
    }

    /// The name of the file that it is linted as.
    pub fn file(&self) -> String {
        let ending = match self.language.as_str() {
            "cpp" => "cc",
            other => other,
        };
        self.option("file").map_or_else(|| format!("example.{ending}"), str::to_owned)
    }

    /// Whether a word stands in the info string.
    pub fn says(&self, word: &str) -> bool {
        self.options.iter().any(|option| option == word)
    }

    /// Whether it is an example: code to be linted, which the driver of a proof is not.
    pub fn is_example(&self) -> bool {
        self.is_code() && !self.says("driver")
    }

    /// The half of the page that it belongs to: `Bad` and `Good` by their sections, or by a word in the section `Proof`.
    pub fn half(&self) -> &str {
        match self.section.as_str() {
            "Proof" if self.says("bad") => "Bad",
            "Proof" if self.says("good") => "Good",
            section => section,
        }
    }

    /// Whether it is written in a language that leaklint reads.
    pub fn is_code(&self) -> bool {
        ["js", "mjs", "cjs", "jsx", "ts", "tsx", "c", "cpp", "h", "json"].contains(&self.language.as_str())
    }
}

/// A rule's page.
pub struct Page {
    /// The rule's name.
    pub rule: String,
    /// The file.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
}

impl Page {
    /// Reads the page of a rule.
    pub fn read(rule: &str) -> Result<Self, String> {
        let path = folder().join(format!("{rule}.md"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Page { rule: rule.to_owned(), path, text })
    }

    /// Its fenced blocks.
    pub fn blocks(&self) -> Result<Vec<Block>, String> {
        let mut blocks = Vec::new();
        let (mut section, mut title) = (String::new(), String::new());
        let mut open: Option<Block> = None;
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some(_)) => {
                    let mut block = open.take().unwrap();
                    block.range.end = at;
                    blocks.push(block);
                }
                (Some(block), None) => block.text.push_str(line),
                (None, Some(info)) => {
                    let mut words = info.split_whitespace();
                    open = Some(Block {
                        language: words.next().unwrap_or_default().to_owned(),
                        options: words.map(str::to_owned).collect(),
                        text: String::new(),
                        range: start..at,
                        section: section.clone(),
                        title: title.clone(),
                    });
                }
                (None, None) => {
                    if let Some(heading) = line.strip_prefix("## ") {
                        section = heading.trim().to_owned();
                        title.clear();
                    } else if let Some(heading) = line.strip_prefix("### ") {
                        title = heading.trim().to_owned();
                    }
                }
            }
        }
        if open.is_some() { Err(format!("{}: a fence is not closed", self.path.display())) } else { Ok(blocks) }
    }

    /// The line of a block's fence.
    pub fn line(&self, block: &Block) -> usize {
        1 + self.text[..block.range.start].matches('\n').count()
    }

    /// The lines of a section without its heading; none: there is no such section.
    pub fn section(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.text.split_once(&format!("\n## {name}\n"))?;
        Some(rest.split_once("\n## ").map_or(rest, |(section, _)| section))
    }
}

/// The examples among the blocks: consecutive files under one heading are one project.
pub fn projects(blocks: &[Block]) -> Vec<std::ops::Range<usize>> {
    let mut projects = Vec::new();
    let mut at = 0;
    while at < blocks.len() {
        let first = &blocks[at];
        let start = at;
        at += 1;
        if !first.is_example() {
            continue;
        }
        let belongs = |next: &Block| {
            let both = first.option("file").is_some() && next.option("file").is_some();
            both && next.is_example() && (next.half(), &next.title) == (first.half(), &first.title)
        };
        while blocks.get(at).is_some_and(belongs) {
            at += 1;
        }
        projects.push(start..at);
    }
    projects
}

/// A small project out of a page.
#[derive(Clone)]
pub struct Example {
    /// Names and texts, without markers.
    pub files: Vec<(String, String)>,
    /// What is expected.
    pub markers: Vec<Marker>,
    /// What is shown.
    pub level: Confidence,
}

impl Example {
    /// The project of these blocks.
    pub fn new(project: &[Block]) -> Self {
        let mut example = Example { files: Vec::new(), markers: Vec::new(), level: Confidence::Medium };
        for block in project {
            let (text, markers) = strip(&block.file(), &block.text);
            example.files.push((block.file(), text));
            example.markers.extend(markers);
            if block.option("level") == Some("all") {
                example.level = Confidence::Low;
            }
        }
        example
    }

    /// Lints it with all rules.
    pub fn run(&self) -> Report {
        let files: Vec<(&str, &str)> = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        check_texts(&files, &Options { level: Some(self.level), ..Options::default() }).report
    }

    /// Fixes that do not parse, do not silence their finding, or raise another.
    pub fn broken_fixes(&self, report: &Report) -> String {
        let mut wrong = String::new();
        for diagnostic in report.active() {
            let finding = &diagnostic.finding;
            let machine = finding.fixes.iter().filter(|fix| fix.applicability != Applicability::Display);
            for fix in machine {
                let fixed = self.with(fix, report);
                let place = format!("{}:{}", report.file(finding.at), report.range(finding.at).0.line);
                let Some(fixed) = fixed else {
                    let _ = writeln!(wrong, "{place}: the edits of the fix `{}` overlap or miss the text", fix.title);
                    continue;
                };
                let after = fixed.run();
                let count = |report: &Report, rule| report.active().filter(|item| item.finding.rule == rule).count();
                if let Some(error) = after.errors.first() {
                    let _ = writeln!(wrong, "{place}: the fix `{}` breaks the syntax: {}", fix.title, error.message);
                } else if count(&after, finding.rule) >= count(report, finding.rule) {
                    let _ = writeln!(wrong, "{place}: the fix `{}` does not silence the finding", fix.title);
                }
                for other in after.active().map(|item| item.finding.rule).filter(|rule| *rule != finding.rule) {
                    if count(&after, other) > count(report, other) {
                        let _ = writeln!(wrong, "{place}: the fix `{}` raises {other}", fix.title);
                    }
                }
            }
        }
        wrong
    }

    /// The example with a fix applied.
    pub fn with(&self, fix: &Fix, report: &Report) -> Option<Example> {
        let mut files = self.files.clone();
        for (name, text) in &mut files {
            let edits: Vec<&Edit> =
                fix.edits.iter().filter(|edit| *report.sources.get(edit.file).name == **name).collect();
            *text = apply(text, &edits)?;
        }
        Some(Example { files, markers: Vec::new(), level: self.level })
    }

    /// What is wrong with the markers themselves.
    pub fn complaints(&self, first: &Block) -> String {
        let has = |kind| self.markers.iter().any(|marker| marker.kind == kind);
        match first.half() {
            "Bad" if !has(Kind::Leak) && !has(Kind::Missed) => "a bad example without `// leak`\n".to_owned(),
            "Good" if has(Kind::Leak) || has(Kind::Missed) => "a good example with a leak\n".to_owned(),
            _ => String::new(),
        }
    }
}
