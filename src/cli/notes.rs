//! What is said beside the report, on standard error: what was not read, counts, times.

use super::args::CheckArgs;
use leaklint::check::Outcome;
use leaklint::walk::Reason;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// Up to this many files are named without being asked for.
const NAMED: usize = 3;

/// Prints the notes that the flags ask for, and those that nobody should miss.
pub fn print(args: &CheckArgs, outcome: &Outcome, for_people: bool) {
    let mut text = String::new();
    if !outcome.stale.is_empty() {
        let count = outcome.stale.len();
        let (entries, stand) = if count == 1 { ("suppression", "stands") } else { ("suppressions", "stand") };
        let _ = writeln!(
            text,
            "leaklint: {count} {entries} {stand} for nothing any more; --prune-suppressions takes them away"
        );
    }
    if args.explain_skips {
        explain_skips(outcome, &mut text);
    } else if for_people {
        remark_skips(outcome, &mut text);
    }
    if args.statistics {
        statistics(outcome, &mut text);
    }
    if args.timings {
        timings(outcome, &mut text);
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A line on files that a reader would expect to be read: vendored code is not among them.
fn remark_skips(outcome: &Outcome, text: &mut String) {
    let skips: Vec<_> = outcome.skips.iter().filter(|skip| !matches!(skip.reason, Reason::Vendored(_))).collect();
    if skips.is_empty() {
        return;
    }
    if skips.len() <= NAMED {
        let names: Vec<String> = skips.iter().map(|skip| format!("{} ({})", skip.name, skip.reason)).collect();
        let _ = writeln!(text, "not read: {}", names.join(", "));
    } else {
        let _ = writeln!(text, "not read: {} files; --explain-skips names them", skips.len());
    }
}

fn explain_skips(outcome: &Outcome, text: &mut String) {
    let mut vendored: BTreeMap<&str, usize> = BTreeMap::new();
    for skip in &outcome.skips {
        match &skip.reason {
            Reason::Vendored(folder) => *vendored.entry(folder).or_default() += 1,
            reason => {
                let _ = writeln!(text, "not read: {}: {reason}", skip.name);
            }
        }
    }
    for (folder, count) in vendored {
        let files = if count == 1 { "file" } else { "files" };
        let _ = writeln!(text, "not read: {count} {files} in `{folder}` folders: vendored; name them to check them");
    }
    for name in &outcome.partial {
        let _ = writeln!(text, "partly understood: {name}");
    }
    for (rule, count) in &outcome.withheld {
        let _ =
            writeln!(text, "withheld: {count} of {rule}: below the confidence that is shown; `--level all` shows them");
    }
    if text.is_empty() {
        text.push_str("everything was read, understood and shown\n");
    }
}

fn statistics(outcome: &Outcome, text: &mut String) {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for diagnostic in &outcome.report.diagnostics {
        let count = counts.entry(diagnostic.finding.rule).or_default();
        count[usize::from(diagnostic.suppressed.is_some())] += 1;
    }
    for (rule, count) in &outcome.withheld {
        counts.entry(rule).or_default()[2] += count;
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(rule, count)| (std::cmp::Reverse(count[0]), *rule));
    let wide = rows.iter().map(|(rule, _)| rule.len()).max().unwrap_or(0).max("rule".len());
    let _ = writeln!(text, "{:wide$}  found  suppressed  withheld", "rule");
    for (rule, [found, suppressed, withheld]) in rows {
        let _ = writeln!(text, "{rule:wide$}  {found:5}  {suppressed:10}  {withheld:8}");
    }
}

fn timings(outcome: &Outcome, text: &mut String) {
    let ms = |time: &Duration| time.as_secs_f64() * 1000.0;
    for (phase, time) in &outcome.phases {
        let _ = writeln!(text, "{:9.1} ms  {phase}", ms(time));
    }
    let mut rules = outcome.rules.clone();
    rules.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    for (rule, time) in &rules {
        let _ = writeln!(text, "{:9.1} ms  rule {rule}", ms(time));
    }
}
