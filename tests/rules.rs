//! Runs every example of every rule page, and holds pages, list and README together.
//!
//! `cargo test --test rules` checks, `LEAKLINT_BLESS=1 cargo test --test rules` also rewrites the rendered reports under the
//! examples and the table of the README. A word at the end (`cargo test --test rules timer`) picks pages by name.

mod support;

use leaklint::finding::Applicability;
use leaklint::report::{Report, Style};
use leaklint::rules::{self, RULES};
use std::fmt::Write;
use std::path::Path;
use support::page::{Example, Page, folder, projects};
use support::{Test, bless};

fn main() {
    let mut tests: Vec<Test> =
        RULES.iter().map(|rule| Test::new(rule.name, move || Page::read(rule.name)?.check(bless()))).collect();
    tests.push(Test::new("every page has a query, and every query a page", every_page_has_a_query));
    tests.push(Test::new("the table of the README is the list of rules", readme_lists_the_rules));
    support::harness(tests);
}

impl Page {
    /// Checks every example, and the reports under them; with `bless` rewrites these.
    fn check(&self, bless: bool) -> Result<(), String> {
        let blocks = self.blocks()?;
        let mut wrong = self.sections();
        let mut rewrites: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        let (mut bad, mut good) = (0, 0);
        let mut mended: Option<Applicability> = None;
        for project in projects(&blocks) {
            let (first, at) = (&blocks[project.start], project.end);
            let example = Example::new(&blocks[project]);
            let line = self.line(first);
            let report = example.run();
            let mut said = support::differences(&example.markers, &report, Some(&self.rule));
            said.push_str(&support::style(&report));
            said.push_str(&example.complaints(first));
            said.push_str(&example.broken_fixes(&report));
            for error in &report.errors {
                let _ = writeln!(said, "{}:{}: {}", error.file, error.at.line, error.message);
            }
            let own = report.active().filter(|item| item.finding.rule == self.rule);
            mended = own.flat_map(|item| &item.finding.fixes).map(|fix| fix.applicability).chain(mended).min();
            match first.section.as_str() {
                "Bad" => bad += 1,
                "Good" => good += 1,
                _ => {}
            }
            let rendered = render(&report);
            let after = blocks.get(at).filter(|block| block.language == "text");
            let last = blocks[at - 1].range.clone();
            let between = after.map(|block| self.text[last.end..block.range.start].trim().is_empty());
            let shown = after.filter(|_| between == Some(true));
            match (shown, ["Good", "Proof"].contains(&&*first.section) || rendered.is_empty()) {
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
        wrong.push_str(&self.promise(mended));
        self.rewrite(&rewrites, bless, &mut wrong)?;
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// What is wrong with the page's `fix: …`, where the best fix of its examples is this one.
    fn promise(&self, mended: Option<Applicability>) -> String {
        let said = self.text.lines().find_map(|line| line.strip_prefix("fix: ")).unwrap_or_default();
        let given = match mended {
            Some(Applicability::Safe) => "safe",
            Some(Applicability::Unsafe) => "unsafe",
            Some(Applicability::Display) | None => "display",
        };
        if said == given || (said == "none" && given == "display") {
            return String::new();
        }
        format!("the page says `fix: {said}`; the best fix that its examples get is `{given}`\n")
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
        let parts = ["What it finds", "Why it leaks", "What to do", "Bad", "Good", "Known limits", "Proof"];
        for section in parts.map(|part| format!("## {part}")) {
            if !self.text.contains(&format!("\n{section}\n")) {
                let _ = writeln!(wrong, "the section `{section}` is missing");
            }
        }
        wrong
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
