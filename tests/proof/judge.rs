//! Tells growth from noise. It compares figures with each other only: no bound here is a number of bytes or of anything.

/// What was measured after the example was exercised once, twice and four times a count.
pub type Figures = [f64; 3];

/// The counts, as multiples of the first.
pub const STEPS: [usize; 3] = [1, 2, 4];

/// How far twice the growth of the first step and the growth of the second may differ and still be one line.
const BEND: f64 = 0.35;

/// What part of the bad example's growth the good one may show: collectors and compilers keep odds and ends.
const NOISE: f64 = 0.1;

/// Whether the bad example grows with the count and the good one does not; else what is wrong.
pub fn judge(bad: Figures, good: Figures) -> Result<(), String> {
    if !grows(bad) {
        return Err(format!("the bad example does not grow with the count: {bad:?}"));
    }
    if !is_flat(good, bad) {
        return Err(format!("the good example does not stay flat: {good:?}, where the bad one grows: {bad:?}"));
    }
    Ok(())
}

/// Whether figures grow in a line with the count.
pub fn grows(figures: Figures) -> bool {
    let (first, second) = (figures[1] - figures[0], figures[2] - figures[1]);
    first > 0.0 && (second - 2.0 * first).abs() <= BEND * second.abs()
}

/// Whether figures stay, compared with others that grow.
pub fn is_flat(figures: Figures, growing: Figures) -> bool {
    (figures[2] - figures[0]).abs() <= NOISE * (growing[2] - growing[0])
}

/// The judgement's own test.
pub fn tells_growth_from_noise() -> Result<(), String> {
    let grows = [110.0, 210.0, 410.0];
    let flat = [12.0, 9.0, 14.0];
    let cases: [(Figures, Figures, bool); 6] = [
        (grows, flat, true),
        (grows, [0.0; 3], true),
        (flat, grows, false),
        (grows, grows, false),
        (flat, flat, false),
        ([100.0, 200.0, 210.0], flat, false),
    ];
    match cases.iter().find(|(bad, good, holds)| judge(*bad, *good).is_ok() != *holds) {
        Some(case) => Err(format!("judged wrongly: {case:?}")),
        None => Ok(()),
    }
}
