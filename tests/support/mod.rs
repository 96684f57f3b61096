//! Expectations written beside the code: the markers of rule pages and fixtures, and how they are compared with findings.
#![allow(dead_code)] // each test binary uses its own part

pub mod page;
pub mod program;

use leaklint::report::Report;
use std::fmt::Write;

/// Whether expectations are to be rewritten by what is found.
pub fn bless() -> bool {
    std::env::var_os("LEAKLINT_BLESS").is_some()
}

/// What a marker says of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `// leak`: a finding starts here.
    Leak,
    /// `// missed`: one should, and none does today.
    Missed,
    /// `// noisy`: one does today, and none should.
    Noisy,
}

/// A marker at the end of a line.
#[derive(Clone, Debug)]
pub struct Marker {
    /// The file's name.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// What it says.
    pub kind: Kind,
    /// The rule; none: the rule of the page, or any rule in a fixture.
    pub rule: Option<String>,
    /// A part of the message.
    pub part: String,
}

const WORDS: [(&str, Kind); 3] = [("leak", Kind::Leak), ("missed", Kind::Missed), ("noisy", Kind::Noisy)];

/// Takes the markers out of a text: what is left is what gets linted.
pub fn strip(file: &str, text: &str) -> (String, Vec<Marker>) {
    let mut markers = Vec::new();
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let body = line.trim_end_matches(['\n', '\r']);
        let (code, found) = strip_line(body);
        for (kind, rule, part) in found {
            markers.push(Marker { file: file.to_owned(), line: at as u32 + 1, kind, rule, part });
        }
        out.push_str(code);
        out.push_str(&line[body.len()..]);
    }
    (out, markers)
}

type Said = (Kind, Option<String>, String);

fn strip_line(mut line: &str) -> (&str, Vec<Said>) {
    let mut found = Vec::new();
    loop {
        let comments = line.rfind("// ").into_iter().chain(line.rfind("/* "));
        let Some((at, said)) = comments.filter_map(|at| Some((at, marker(&line[at..])?))).max_by_key(|(at, _)| *at)
        else {
            return (line, found);
        };
        found.insert(0, said);
        line = line[..at].trim_end();
    }
}

fn marker(comment: &str) -> Option<Said> {
    let text = match comment.strip_prefix("/* ") {
        Some(text) => text.strip_suffix("*/")?.trim_end(),
        None => comment.strip_prefix("// ")?,
    };
    let (word, kind) = *WORDS.iter().find(|(word, _)| text.starts_with(word))?;
    let mut rest = &text[word.len()..];
    let mut rule = None;
    if let Some(inner) = rest.strip_prefix('[') {
        let (name, after) = inner.split_once(']')?;
        rule = Some(name.to_owned());
        rest = after;
    }
    match rest.strip_prefix(": ") {
        Some(part) => Some((kind, rule, part.to_owned())),
        None if rest.trim().is_empty() => Some((kind, rule, String::new())),
        None => None,
    }
}

/// What differs between the markers and a report, in words; empty if nothing does. `own` is the rule that a marker
/// without a name means.
pub fn differences(markers: &[Marker], report: &Report, own: Option<&str>) -> String {
    let mut out = String::new();
    let mut expected = vec![false; report.diagnostics.len()];
    for marker in markers {
        let rule = marker.rule.as_deref().or(own);
        let mut hits = Vec::new();
        for (at, diagnostic) in report.diagnostics.iter().enumerate() {
            let finding = &diagnostic.finding;
            let here = report.file(finding.at) == marker.file && report.range(finding.at).0.line == marker.line;
            if here && rule.is_none_or(|rule| rule == finding.rule) {
                hits.push((at, &finding.message));
            }
        }
        let place = format!("{}:{}", marker.file, marker.line);
        let rule = rule.unwrap_or("any rule");
        let matching: Vec<_> = hits.iter().filter(|(_, message)| message.contains(&marker.part)).collect();
        match marker.kind {
            Kind::Missed if !hits.is_empty() => {
                let _ = writeln!(out, "{place}: `missed` is found now by {rule}: make it `leak`");
            }
            Kind::Missed => {}
            Kind::Leak if hits.is_empty() => {
                let _ = writeln!(out, "{place}: nothing found by {rule}");
            }
            Kind::Noisy if hits.is_empty() => {
                let _ = writeln!(out, "{place}: `noisy` is silent now: take the marker away");
            }
            Kind::Leak | Kind::Noisy if matching.is_empty() => {
                let _ = writeln!(out, "{place}: `{}` is not in the message: {}", marker.part, hits[0].1);
            }
            Kind::Leak | Kind::Noisy => {}
        }
        for (at, _) in hits {
            expected[at] = true;
        }
    }
    for (diagnostic, _) in report.diagnostics.iter().zip(&expected).filter(|(_, expected)| !**expected) {
        let finding = &diagnostic.finding;
        let line = report.range(finding.at).0.line;
        let _ = writeln!(out, "{}:{line}: unexpected {}: {}", report.file(finding.at), finding.rule, finding.message);
    }
    out
}

/// What every finding must look like, whichever rule made it; empty if all is well.
pub fn style(report: &Report) -> String {
    let mut out = String::new();
    for diagnostic in &report.diagnostics {
        let finding = &diagnostic.finding;
        let steps = finding.trace.iter().map(|step| ("step", step.message.as_str()));
        let texts = [("message", finding.message.as_str()), ("why", &finding.why), ("help", &finding.help)];
        for (what, text) in texts.into_iter().chain(steps) {
            if let Some(reason) = unstylish(text, what == "message") {
                let _ = writeln!(out, "{} of {}: {reason}: {text}", what, finding.rule);
            }
        }
    }
    out
}

fn unstylish(text: &str, required: bool) -> Option<&'static str> {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), letters.next());
    if text.is_empty() {
        return required.then_some("is empty");
    }
    if text.ends_with('.') && !text.ends_with("...") {
        return Some("ends with a full stop");
    }
    // `FinalizationRegistry` and `Core Foundation` are names; so is anything with a second capital, or in backticks.
    let word: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    let next = text.split(' ').nth(1).and_then(|word| word.chars().next());
    let is_name =
        word.chars().skip(1).any(char::is_uppercase) || word.len() == 1 || next.is_some_and(char::is_uppercase);
    if first.is_some_and(char::is_uppercase) && second.is_some_and(char::is_lowercase) && !is_name {
        return Some("starts with a capital");
    }
    if text.contains('\n') { Some("has several lines") } else { None }
}

/// One test of a binary without the standard harness.
pub struct Test {
    /// Its name, for filters.
    pub name: String,
    /// Says what is wrong.
    pub run: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl Test {
    /// A test.
    pub fn new(name: impl Into<String>, run: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Test { name: name.into(), run: Box::new(run) }
    }
}

/// Runs the tests that the arguments name, in parallel, and ends the program as the standard harness does.
pub fn harness(tests: Vec<Test>) -> ! {
    let mut filters = Vec::new();
    let mut skipped = Vec::new();
    let mut exact = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => {
                tests.iter().for_each(|test| println!("{}: test", test.name));
                std::process::exit(0);
            }
            "--exact" => exact = true,
            "--skip" => skipped.extend(arguments.next()),
            "--test-threads" | "--format" | "--color" | "--logfile" | "-Z" => {
                arguments.next();
            }
            "--ignored" => filters.push("\0".to_owned()),
            flag if flag.starts_with('-') => {}
            filter => filters.push(filter.to_owned()),
        }
    }
    let matches = |name: &str, filter: &String| if exact { name == filter } else { name.contains(filter.as_str()) };
    let mut tests = tests;
    tests.retain(|test| filters.is_empty() || filters.iter().any(|filter| matches(&test.name, filter)));
    tests.retain(|test| !skipped.iter().any(|skip| test.name.contains(skip)));
    println!("\nrunning {} tests", tests.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let (all, next) = (&tests, &next);
    let results = std::thread::scope(|scope| {
        let worker = move || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(test) = all.get(at) else { return done };
                let run = std::panic::AssertUnwindSafe(|| (test.run)());
                let result = std::panic::catch_unwind(run).unwrap_or_else(|_| Err("panicked".to_owned()));
                done.push((at, result));
            }
        };
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let spawn = |_| std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, worker).unwrap();
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        let mut results: Vec<_> = handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect();
        results.sort_by_key(|(at, _)| *at);
        results
    });
    let mut failed = 0;
    for (at, result) in results {
        match result {
            Ok(()) => println!("test {} ... ok", tests[at].name),
            Err(reason) => {
                failed += 1;
                println!("test {} ... FAILED\n{}\n", tests[at].name, reason.trim_end());
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {} passed; {failed} failed\n", tests.len() - failed);
    std::process::exit(if failed == 0 { 0 } else { 101 });
}
