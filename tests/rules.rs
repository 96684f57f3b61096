//! Runs every example of every rule page, and holds pages, list and README together.
//!
//! `cargo test --test rules` checks, `LEAKLINT_BLESS=1 cargo test --test rules` also rewrites the rendered reports under the
//! examples and the table of the README. A word at the end (`cargo test --test rules timer`) picks pages by name.

mod support;

use leaklint::check::{Options, check_texts};
use leaklint::finding::{Applicability, Confidence, Fix};
use leaklint::report::{Report, Style};
use leaklint::rules::{self, RULES};
use leaklint::text::{Edit, apply};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use support::{Kind, Marker, Test, bless};

fn main() {
    let mut tests: Vec<Test> =
        RULES.iter().map(|rule| Test::new(rule.name, move || Page::read(rule.name)?.check(bless()))).collect();
    tests.push(Test::new("every page has a query, and every query a page", every_page_has_a_query));
    tests.push(Test::new("the table of the README is the list of rules", readme_lists_the_rules));
    support::harness(tests);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

/// One fenced block.
struct Block {
    /// `js`, `cpp`, `text` ...
    language: String,
    /// The rest of the info string.
    options: Vec<String>,
    /// What stands in it.
    text: String,
    /// Bytes of the page from the opening fence to the end of the closing one.
    range: std::ops::Range<usize>,
    /// The `##` section around it.
    section: String,
    /// The `###` heading above it.
    title: String,
}

impl Block {
    fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find_map(|option| option.strip_prefix(key)?.strip_prefix('='))
    }

    fn file(&self) -> String {
        let ending = match self.language.as_str() {
            "cpp" => "cc",
            other => other,
        };
        self.option("file").map_or_else(|| format!("example.{ending}"), str::to_owned)
    }

    fn is_code(&self) -> bool {
        ["js", "mjs", "cjs", "jsx", "ts", "tsx", "c", "cpp", "h", "json"].contains(&self.language.as_str())
    }
}

struct Page {
    rule: String,
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(rule: &str) -> Result<Self, String> {
        let path = folder().join(format!("{rule}.md"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Page { rule: rule.to_owned(), path, text })
    }

    fn blocks(&self) -> Result<Vec<Block>, String> {
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

    /// Checks every example, and the reports under them; with `bless` rewrites these.
    fn check(&self, bless: bool) -> Result<(), String> {
        let blocks = self.blocks()?;
        let mut wrong = self.sections();
        let mut rewrites: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        let mut at = 0;
        let (mut bad, mut good) = (0, 0);
        while at < blocks.len() {
            let first = &blocks[at];
            at += 1;
            if !first.is_code() || first.section == "Proof" {
                continue;
            }
            // Consecutive files under one heading are one project.
            let mut project = vec![first];
            while first.option("file").is_some()
                && let Some(next) = blocks.get(at)
                && next.is_code()
                && next.option("file").is_some()
                && (&next.section, &next.title) == (&first.section, &first.title)
            {
                project.push(next);
                at += 1;
            }
            let example = Example::new(&project);
            let line = 1 + self.text[..first.range.start].matches('\n').count();
            let report = example.run();
            let mut said = support::differences(&example.markers, &report, Some(&self.rule));
            said.push_str(&support::style(&report));
            said.push_str(&example.complaints(first));
            said.push_str(&example.broken_fixes(&report));
            for error in &report.errors {
                let _ = writeln!(said, "{}:{}: {}", error.file, error.at.line, error.message);
            }
            match first.section.as_str() {
                "Bad" => bad += 1,
                "Good" => good += 1,
                _ => {}
            }
            let rendered = render(&report);
            let after = blocks.get(at).filter(|block| block.language == "text");
            let last = project.last().map_or(0..0, |block| block.range.clone());
            let between = after.map(|block| self.text[last.end..block.range.start].trim().is_empty());
            let shown = after.filter(|_| between == Some(true));
            match (shown, first.section == "Good" || rendered.is_empty()) {
                (Some(block), true) => rewrites.push((last.end..block.range.end, String::new())),
                (None, true) => {}
                (Some(block), false) if block.text == rendered => {}
                (Some(block), false) => rewrites.push((block.range.clone(), format!("```text\n{rendered}```\n"))),
                (None, false) => rewrites.push((last.end..last.end, format!("\n```text\n{rendered}```\n"))),
            }
            if !said.is_empty() {
                let place = format!("{}:{line} ({})", self.path.display(), first.section);
                let _ = writeln!(wrong, "{place}:\n{}", indented(&said));
            }
        }
        if bad == 0 || good == 0 {
            wrong.push_str("a page needs a bad and a good example\n");
        }
        self.rewrite(&rewrites, bless, &mut wrong)?;
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn rewrite(
        &self,
        rewrites: &[(std::ops::Range<usize>, String)],
        bless: bool,
        wrong: &mut String,
    ) -> Result<(), String> {
        if rewrites.is_empty() {
            return Ok(());
        }
        let mut text = self.text.clone();
        for (range, new) in rewrites.iter().rev() {
            text.replace_range(range.clone(), new);
        }
        if bless {
            return std::fs::write(&self.path, text).map_err(|error| error.to_string());
        }
        for (range, new) in rewrites {
            let line = 1 + self.text[..range.start].matches('\n').count();
            let old = indented(&self.text[range.clone()]);
            let _ = writeln!(wrong, "{}:{line}: the report is not what stands here", self.path.display());
            let _ = writeln!(wrong, "{old}  now:\n{}  (LEAKLINT_BLESS=1 rewrites it)", indented(new));
        }
        Ok(())
    }

    fn sections(&self) -> String {
        let mut wrong = String::new();
        for section in ["## What it finds", "## Why it leaks", "## What to do", "## Bad", "## Good", "## Known limits"]
        {
            if !self.text.contains(&format!("\n{section}\n")) {
                let _ = writeln!(wrong, "the section `{section}` is missing");
            }
        }
        wrong
    }
}

/// A small project out of a page.
struct Example {
    files: Vec<(String, String)>,
    markers: Vec<Marker>,
    level: Confidence,
}

impl Example {
    fn new(project: &[&Block]) -> Self {
        let mut example = Example { files: Vec::new(), markers: Vec::new(), level: Confidence::Medium };
        for block in project {
            let (text, markers) = support::strip(&block.file(), &block.text);
            example.files.push((block.file(), text));
            example.markers.extend(markers);
            if block.option("level") == Some("all") {
                example.level = Confidence::Low;
            }
        }
        example
    }

    fn run(&self) -> Report {
        let files: Vec<(&str, &str)> = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        check_texts(&files, &Options { level: Some(self.level), ..Options::default() }).report
    }

    /// Fixes that do not parse, do not silence their finding, or raise another.
    fn broken_fixes(&self, report: &Report) -> String {
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
    fn with(&self, fix: &Fix, report: &Report) -> Option<Example> {
        let mut files = self.files.clone();
        for (name, text) in &mut files {
            let edits: Vec<&Edit> =
                fix.edits.iter().filter(|edit| *report.sources.get(edit.file).name == **name).collect();
            *text = apply(text, &edits)?;
        }
        Some(Example { files, markers: Vec::new(), level: self.level })
    }

    /// What is wrong with the markers themselves.
    fn complaints(&self, first: &Block) -> String {
        let has = |kind| self.markers.iter().any(|marker| marker.kind == kind);
        match first.section.as_str() {
            "Bad" if !has(Kind::Leak) && !has(Kind::Missed) => "a bad example without `// leak`\n".to_owned(),
            "Good" if has(Kind::Leak) || has(Kind::Missed) => "a good example with a leak\n".to_owned(),
            _ => String::new(),
        }
    }
}

fn render(report: &Report) -> String {
    let rendered: Vec<String> = report.active().map(|found| report.render(found, &Style::default())).collect();
    rendered.join("\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn every_page_has_a_query() -> Result<(), String> {
    let entries = std::fs::read_dir(folder()).map_err(|error| error.to_string())?;
    let mut wrong = String::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rule) = name.strip_suffix(".md").filter(|name| *name != "README") else { continue };
        if rules::info(rule).is_none() {
            let module = rule.replace('-', "_");
            let _ =
                writeln!(wrong, "rules/{name} has no query: write src/rules/{module}.rs and its line in src/rules.rs");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn readme_lists_the_rules() -> Result<(), String> {
    const START: &str = "<!-- rules -->\n";
    const END: &str = "<!-- end of rules -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let parts = text.split_once(START).and_then(|(head, rest)| Some((head, rest.split_once(END)?)));
    let (head, (table, tail)) = parts.ok_or("README.md has no `<!-- rules -->` table")?;
    let mut wanted = "| Rule | Family | Finds |\n|---|---|---|\n".to_owned();
    for rule in RULES {
        let info = rule.info();
        let _ = writeln!(wanted, "| [{}](rules/{}.md) | {} | {} |", info.name, info.name, info.family, info.summary);
    }
    if table == wanted {
        Ok(())
    } else if bless() {
        std::fs::write(&path, format!("{head}{START}{wanted}{END}{tail}")).map_err(|error| error.to_string())
    } else {
        Err("the table of README.md is not the list of rules (LEAKLINT_BLESS=1 rewrites it)".to_owned())
    }
}
