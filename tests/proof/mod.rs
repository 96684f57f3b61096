//! The section `## Proof` of a page: what is measured, how often, by which driver, on which two examples.

pub mod judge;
pub mod native;
pub mod run;

use crate::support::Kind;
use crate::support::page::{Block, Example, Page, projects};
use leaklint::finding::{Applicability, Confidence};

/// What a page says of its proof.
pub struct Proof {
    /// The rule.
    pub rule: String,
    /// A name that `exercise.js` knows.
    pub measure: String,
    /// How often at least the examples are exercised.
    pub times: usize,
    /// Whether figures are taken without a garbage collection.
    pub uncollected: bool,
    /// The first major version of Node that does not leak so any more.
    pub below: Option<u32>,
    /// The script that sets the stage and gives back what is exercised.
    pub script: String,
    /// What surrounds an example in C or C++ and includes it; none: the example is JavaScript.
    pub native: Option<String>,
    /// Whether that needs Node's own headers.
    pub needs_node: bool,
    /// The example that grows.
    pub bad: Example,
    /// The one that does not.
    pub good: Example,
}

/// Why a rule has no proof, if its section says so.
pub fn exception(section: &str) -> Option<&str> {
    let rest = section.trim_start().strip_prefix("Not proven: ")?;
    Some(rest.split_once("\n\n").map_or(rest, |(first, _)| first).trim_end())
}

impl Proof {
    /// Reads the section; says what is wrong with it.
    pub fn of(page: &Page) -> Result<Proof, String> {
        let blocks = page.blocks()?;
        let drivers: Vec<_> = blocks.iter().filter(|block| block.section == "Proof" && block.says("driver")).collect();
        let script = drivers.iter().find(|block| block.language == "js");
        let native = drivers.iter().find(|block| block.language == "cpp");
        // The first says what is measured. An addon that is one function needs no script.
        let first = drivers.first().ok_or("the proof has no driver")?;
        let times = first.option("times").unwrap_or("100");
        let bad = example(&blocks, "Bad")?;
        let good = example(&blocks, "Good")?;
        let own = |rule: &Option<String>| rule.as_ref().is_none_or(|rule| *rule == page.rule);
        if !bad.markers.iter().any(|marker| marker.kind == Kind::Leak && own(&marker.rule)) {
            return Err("the rule does not find the example that the proof calls bad".to_owned());
        }
        Ok(Proof {
            rule: page.rule.clone(),
            measure: first.option("measure").ok_or("the driver does not say `measure=…`")?.to_owned(),
            times: times.parse().map_err(|_| format!("`times={times}` is no number"))?,
            uncollected: first.says("uncollected"),
            below: first.option("below").and_then(|version| version.parse().ok()),
            script: script.map_or_else(|| "return await load();\n".to_owned(), |block| block.text.clone()),
            native: native.map(|block| block.text.clone()),
            needs_node: first.option("headers") == Some("node"),
            bad,
            good,
        })
    }

    /// A claim outside the rules' pages: a driver that needs no example.
    pub fn of_claim(name: &str, driver: &Block) -> Result<Proof, String> {
        let example = Example {
            files: vec![("example.js".to_owned(), String::new())],
            markers: Vec::new(),
            level: Confidence::Medium,
        };
        let times = driver.option("times").unwrap_or("100");
        Ok(Proof {
            rule: name.to_owned(),
            measure: driver.option("measure").ok_or("the driver does not say `measure=…`")?.to_owned(),
            times: times.parse().map_err(|_| format!("`times={times}` is no number"))?,
            uncollected: driver.says("uncollected"),
            below: driver.option("below").and_then(|version| version.parse().ok()),
            script: driver.text.clone(),
            native: None,
            needs_node: false,
            good: example.clone(),
            bad: example,
        })
    }

    /// How often the examples are exercised.
    pub fn counts(&self) -> [usize; 3] {
        judge::STEPS.map(|step| step * self.times)
    }

    /// The bad example with leaklint's own fixes applied; none: there is none that a machine may apply.
    pub fn fixed(&self) -> Option<Example> {
        let mut example = self.bad.clone();
        let mut changed = false;
        // A fix moves what stands behind it, so each is taken from a fresh report; a page has few.
        for _ in 0..8 {
            let report = example.run();
            let found = report.active().filter(|item| item.finding.rule == self.rule);
            let mut fixes = found.flat_map(|item| &item.finding.fixes);
            let Some(fix) = fixes.find(|fix| fix.applicability != Applicability::Display) else { break };
            example = example.with(fix, &report)?;
            changed = true;
        }
        changed.then_some(example)
    }
}

/// One half of the proof: the block of the section that says so, else the example of the page's own section that is picked
/// by the word `proof`; never by its place, which the next example shifts.
fn example(blocks: &[Block], half: &str) -> Result<Example, String> {
    let all = projects(blocks);
    let find = |section: &str, word: &str| {
        let is = |block: &Block| block.section == section && block.says(word);
        all.iter().find(|project| is(&blocks[project.start]))
    };
    let project = find("Proof", &half.to_lowercase()).or_else(|| find(half, "proof"));
    let project = project.ok_or_else(|| format!("no example under `{half}` says `proof`"))?;
    Ok(Example::new(&blocks[project.clone()]))
}
