//! Proves every rule at run time: the bad example of its page grows with the number of times that it is exercised, the good
//! one does not. The section `## Proof` of a page says what is measured; `rules/README.md` has its form.
//!
//! `cargo test --test proofs` runs all of them, `cargo test --test proofs timer` those with the word in their names, and
//! `LEAKLINT_PROOF_FIGURES=1` shows what was measured. Without Node nothing is proven, and a line says so.

mod proof;
mod support;

use leaklint::rules::RULES;
use proof::{Proof, judge, run};
use support::{Test, page::Page};

fn main() {
    let mut tests: Vec<Test> = RULES.iter().map(|rule| Test::new(rule.name, move || prove(rule.name))).collect();
    tests.push(Test::new("growth is told from noise", judge::tells_growth_from_noise));
    support::harness(tests);
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
    if std::env::var_os("LEAKLINT_PROOF_FIGURES").is_some() {
        println!("{rule}: {} of {:?}: bad {bad:?}, good {good:?}, fixed {fixed:?}", proof.measure, proof.counts());
    }
    judge::judge(bad, good)?;
    if judge::judge(good, bad).is_ok() {
        return Err("the proof holds turned around, too: it proves nothing".to_owned());
    }
    let promised = page.text.lines().find_map(|line| line.strip_prefix("fix: ")).unwrap_or_default();
    if fixed.is_some() && !["safe", "unsafe"].contains(&promised) {
        return Err(format!("a machine may mend the bad example, and the page says `fix: {promised}`"));
    }
    fixed.map_or(Ok(()), |fixed| judge::judge(bad, fixed).map_err(|reason| format!("with the fix applied, {reason}")))
}
