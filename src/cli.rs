//! Arguments to a run, the run to outputs and an exit code. Prints; decides nothing about leaks.

mod args;
mod check;
mod notes;
mod options;
mod output;
mod progress;
mod setup;
mod watch;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use leaklint::nearest::did_you_mean;
use leaklint::{lower, model, rules};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Why the program ends with 2, in words.
pub(crate) struct Failure(String);

impl<T: Into<String>> From<T> for Failure {
    fn from(words: T) -> Self {
        Failure(words.into())
    }
}

type Done = Result<ExitCode, Failure>;

/// Runs the program.
pub fn main() -> ExitCode {
    // A panic is caught where one broken file must not end the run, and becomes an entry of the report there.
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|_| {}));
    }
    match run() {
        Ok(code) => code,
        Err(Failure(words)) => {
            let _ = writeln!(io::stderr(), "leaklint: {words}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Done {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    match cli.command {
        None => check::run(&cli.check, &matches),
        Some(Command::Check(args)) => {
            let matches = matches.subcommand_matches("check").unwrap_or(&matches);
            check::run(&args, matches)
        }
        Some(Command::Explain { rule }) => explain(&rule),
        Some(Command::Rules { json }) => list_rules(json),
        Some(Command::Facts { file }) => facts(&file),
        Some(Command::Init) => setup::init(),
        Some(Command::Config { schema: true, .. }) => setup::schema(),
        Some(Command::Config { file, config, .. }) => setup::show(file.as_deref(), config.as_deref()),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "leaklint", &mut script);
            print(&script)
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| error.to_string())?;
            print(&page)
        }
    }
}

fn explain(rule: &str) -> Done {
    match rules::info(rule) {
        Some(info) => print(info.page.as_bytes()),
        None => Err(unknown_rule(rule)),
    }
}

fn list_rules(json: bool) -> Done {
    let infos = rules::infos();
    let text = if json {
        let rows: Vec<serde_json::Value> = infos
            .iter()
            .map(|info| {
                serde_json::json!({
                    "name": info.name, "summary": info.summary, "family": info.family, "law": info.law,
                    "severity": info.severity, "languages": info.languages, "cwe": info.cwe, "since": info.since,
                })
            })
            .collect();
        format!("{:#}\n", serde_json::Value::from(rows))
    } else {
        let wide = infos.iter().map(|info| info.name.len()).max().unwrap_or(0);
        let family = infos.iter().map(|info| info.family.len()).max().unwrap_or(0);
        infos.iter().map(|info| format!("{:wide$}  {:family$}  {}\n", info.name, info.family, info.summary)).collect()
    };
    print(text.as_bytes())
}

fn facts(file: &Path) -> Done {
    let name = file.to_string_lossy();
    if lower::language_of(&name.to_lowercase()).is_none() {
        return Err(format!("{name}: leaklint reads no files of this kind").into());
    }
    let text = leaklint::walk::read_named(file).map_err(|reason| format!("{name}: {reason}"))?;
    print(model::dump::dump(&lower::lower(&name.to_lowercase(), &text)).as_bytes())
}

/// Prints to standard output. A reader that has gone is no error.
pub(crate) fn print(bytes: &[u8]) -> Done {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("can't write the output: {error}").into())
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Says something beside the report, on standard error.
pub(crate) fn note(words: &str) {
    let _ = writeln!(io::stderr(), "leaklint: {words}");
}

pub(crate) fn unknown_rule(name: &str) -> Failure {
    let infos = rules::infos();
    let known = infos.iter().flat_map(|info| [info.name, info.family.as_str()]);
    format!("unknown rule `{name}`{}", did_you_mean(name, known)).into()
}
