//! Proves every rule at run time: the bad example of its page grows with the number of times that it is exercised, the good
//! one does not. The section `## Proof` of a page says what is measured; `rules/README.md` has its form.
//!
//! The claims of `docs/folklore.md` are tried out the same way.
//!
//! `cargo test --test proofs` runs all of them, `cargo test --test proofs timer` those with the word in their names, and
//! `LEAKLINT_PROOF_FIGURES=1` shows what was measured, and `LEAKLINT_PROOF_TURNED=1` measures each proof turned around, too. Without Node nothing is proven, and a line says so.

mod proof;
mod support;

use leaklint::rules::RULES;
use proof::{Proof, judge, run};
use std::path::Path;
use support::Test;
use support::page::{Block, Page};

fn main() {
    let mut tests: Vec<Test> = RULES.iter().map(|rule| Test::new(rule.name, move || prove(rule.name))).collect();
    tests.push(Test::new("growth is told from noise", judge::tells_growth_from_noise));
    tests.extend(
        folklore()
            .into_iter()
            .map(|(name, block)| Test::new(format!("folklore: {name}"), move || try_out(&name, &block))),
    );
    support::harness(tests);
}

/// The claims of `docs/folklore.md`: a heading and a driver each.
fn folklore() -> Vec<(String, Block)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/folklore.md");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let blocks = Page { rule: "folklore".to_owned(), path, text }.blocks().unwrap_or_default();
    blocks.into_iter().filter(|block| block.says("driver")).map(|block| (block.title.clone(), block)).collect()
}

fn try_out(name: &str, block: &Block) -> Result<(), String> {
    let folder: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let claim = Proof::of_claim(&format!("folklore/{folder}"), block)?;
    let Ok(bed) = run::bed(&claim) else { return Ok(()) };
    let figures = bed.figures("claim", &claim.bad)?;
    show(name, &claim, &format!("{figures:?}"));
    // What is counted one by one would grow as the count does, if it were kept.
    let kept = claim.counts().map(|times| times as f64);
    match (block.says("grows"), block.says("flat")) {
        (true, false) if judge::grows(figures) => Ok(()),
        (false, true) if judge::is_flat(figures, kept) => Ok(()),
        (true, true) | (false, false) => Err("a claim says either `grows` or `flat`".to_owned()),
        _ => Err(format!("the claim does not hold: {figures:?}")),
    }
}

fn show(name: &str, proof: &Proof, figures: &str) {
    if std::env::var_os("LEAKLINT_PROOF_FIGURES").is_some() {
        println!("{name}: {} of {:?}: {figures}", proof.measure, proof.counts());
    }
}

fn prove(rule: &str) -> Result<(), String> {
    let page = Page::read(rule)?;
    let section = page.section("Proof").ok_or("the page has no section `## Proof`")?;
    if proof::exception(section).is_some() {
        return Ok(());
    }
    let proof = Proof::of(&page)?;
    let bed = match run::bed(&proof) {
        Ok(bed) => bed,
        Err(reason) => {
            println!("{rule} is not proven here: {reason}");
            return Ok(());
        }
    };
    let bad = bed.figures("bad", &proof.bad)?;
    let good = bed.figures("good", &proof.good)?;
    let fixed = proof.fixed().map(|fixed| bed.figures("fixed", &fixed)).transpose()?;
    show(rule, &proof, &format!("bad {bad:?}, good {good:?}, fixed {fixed:?}"));
    judge::judge(bad, good)?;
    turned_around(&bed, &proof)?;
    let promised = page.text.lines().find_map(|line| line.strip_prefix("fix: ")).unwrap_or_default();
    if fixed.is_some() && !["safe", "unsafe"].contains(&promised) {
        return Err(format!("a machine may mend the bad example, and the page says `fix: {promised}`"));
    }
    fixed.map_or(Ok(()), |fixed| judge::judge(bad, fixed).map_err(|reason| format!("with the fix applied, {reason}")))
}

/// Each example in the other's folder, measured afresh: the proof must fail, else it speaks of folders and not of code. Takes
/// as long as the proof itself, so it is done where it is asked for.
fn turned_around(bed: &run::Bed<'_>, proof: &Proof) -> Result<(), String> {
    if std::env::var_os("LEAKLINT_PROOF_TURNED").is_none() {
        return Ok(());
    }
    let bad = bed.figures("bad", &proof.good)?;
    let good = bed.figures("good", &proof.bad)?;
    show(&proof.rule, proof, &format!("turned around: bad {bad:?}, good {good:?}"));
    match judge::judge(bad, good) {
        Ok(()) => Err("the proof holds turned around, too: it proves nothing".to_owned()),
        Err(_) => Ok(()),
    }
}
