//! The command line as clap sees it. Its words are the help text and the manual page.

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds memory and resource leaks in Node.js projects: JavaScript, TypeScript and the C/C++ sources of native addons.
#[derive(Debug, Parser)]
#[command(name = "leaklint", version, about, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 nothing found; 1 findings; 2 wrong usage, an unreadable configuration or an internal error."
)]
pub struct Cli {
    /// What to do; `check` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Arguments of `check`.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// Sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check files and folders (the default)
    Check(Box<CheckArgs>),
    /// Print the page of a rule
    #[command(alias = "rule")]
    Explain {
        /// Name of the rule
        rule: String,
    },
    /// List the rules
    Rules {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the facts that leaklint reads out of a file
    Facts {
        /// A source file
        file: PathBuf,
    },
    /// Write a `leaklint.toml` to start from
    Init,
    /// Print what configuration applies to a file, and why
    Config {
        /// A source file; none: what applies to the working directory
        file: Option<PathBuf>,
        /// Use this configuration file
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print the JSON schema of configuration files
        #[arg(long)]
        schema: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What `check` takes.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders to report on; the project around them is read as well
    #[arg(value_name = "PATHS", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Use this configuration file
    #[arg(short, long, value_name = "FILE", conflicts_with = "no_config", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Use no configuration file
    #[arg(long, help_heading = "Configuration")]
    pub no_config: bool,

    /// Read rows for the catalog from a file, or from each file of a folder; repeatable
    #[arg(long, value_name = "FILE|DIR", help_heading = "Configuration")]
    pub models: Vec<PathBuf>,

    /// Turn a rule or family off; `-A`, `-W` and `-D` apply from left to right
    #[arg(short = 'A', long = "allow", value_name = "RULE|FAMILY", help_heading = "Rules")]
    pub allow: Vec<String>,
    /// Report a rule or family as warnings
    #[arg(short = 'W', long = "warn", value_name = "RULE|FAMILY", help_heading = "Rules")]
    pub warn: Vec<String>,
    /// Report a rule or family as errors
    #[arg(short = 'D', long = "deny", value_name = "RULE|FAMILY", help_heading = "Rules")]
    pub deny: Vec<String>,
    /// Run only these rules or families
    #[arg(long, value_name = "RULE|FAMILY", value_delimiter = ',', help_heading = "Rules")]
    pub only: Vec<String>,
    /// Run all but these rules or families
    #[arg(long, value_name = "RULE|FAMILY", value_delimiter = ',', help_heading = "Rules")]
    pub skip: Vec<String>,
    /// How sure a finding must be: the default shows high and medium confidence
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = "Rules")]
    pub level: Option<Level>,

    /// Report errors only; warnings are neither shown nor counted
    #[arg(long, help_heading = "Outcome")]
    pub quiet: bool,
    /// Do not fail before there are more warnings than this
    #[arg(long, value_name = "N", help_heading = "Outcome")]
    pub max_warnings: Option<usize>,
    /// Treat warnings as errors
    #[arg(long, help_heading = "Outcome")]
    pub deny_warnings: bool,
    /// Exit with 0 whatever is found
    #[arg(long, help_heading = "Outcome")]
    pub exit_zero: bool,

    /// Report only what has a step on a line that the next commit changes
    #[arg(long, conflicts_with_all = ["changed", "since"], help_heading = "Scope")]
    pub staged: bool,
    /// Report only what has a step on a line that differs from the last commit
    #[arg(long, conflicts_with = "since", help_heading = "Scope")]
    pub changed: bool,
    /// Report only what has a step on a line that changed since this revision
    #[arg(long, value_name = "REF", help_heading = "Scope")]
    pub since: Option<String>,

    /// Put all findings into the baseline
    #[arg(long, help_heading = "Baseline")]
    pub suppress_all: bool,
    /// Put the findings of a rule into the baseline; repeatable
    #[arg(long, value_name = "RULE", help_heading = "Baseline")]
    pub suppress_rule: Vec<String>,
    /// Take entries out of the baseline that stand for nothing any more
    #[arg(long, help_heading = "Baseline")]
    pub prune_suppressions: bool,
    /// Where the baseline is [default: leaklint-suppressions.json in the root of the project]
    #[arg(long, value_name = "FILE", help_heading = "Baseline")]
    pub suppressions_location: Option<PathBuf>,

    /// Format of the report, optionally with a file to write to; repeatable [env: LEAKLINT_FORMAT]
    #[arg(short, long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    pub format: Vec<String>,
    /// Count findings by rule
    #[arg(long, help_heading = "Output")]
    pub statistics: bool,
    /// Show where the time went
    #[arg(long, help_heading = "Output")]
    pub timings: bool,
    /// Show what was not read, half understood or withheld, and why
    #[arg(long, help_heading = "Output")]
    pub explain_skips: bool,
    /// Colour
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: Color,

    /// Apply fixes that keep behaviour
    #[arg(long, help_heading = "Fixes")]
    pub fix: bool,
    /// Apply fixes that may change behaviour, too
    #[arg(long, help_heading = "Fixes")]
    pub unsafe_fixes: bool,
    /// Print what fixing would change as a unified diff, and write nothing
    #[arg(long, help_heading = "Fixes")]
    pub diff: bool,

    /// Show no progress
    #[arg(long, help_heading = "Output")]
    pub no_progress: bool,

    /// Check standard input (path `-`) as if it were this file
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub stdin_filename: Option<PathBuf>,
    /// Read the named paths alone, not the project around them
    #[arg(long, help_heading = "Files")]
    pub no_project: bool,
    /// Read what ignore files exclude
    #[arg(long, help_heading = "Files")]
    pub no_ignore: bool,
    /// Ignore files that match a pattern of `.gitignore` form; repeatable
    #[arg(long, value_name = "PATTERN", help_heading = "Files")]
    pub ignore_pattern: Vec<String>,
    /// Leave out named files, too, that ignore files exclude
    #[arg(long, help_heading = "Files")]
    pub force_exclude: bool,
    /// A named path that does not exist is no error
    #[arg(long, help_heading = "Files")]
    pub no_error_on_unmatched_pattern: bool,

    /// Remember what was found out about files, and find it out anew only where something changed [default]
    #[arg(long, overrides_with = "no_cache", help_heading = "Speed")]
    pub cache: bool,
    /// Remember nothing, and use nothing that is remembered
    #[arg(long, overrides_with = "cache", env = "LEAKLINT_NO_CACHE", hide_env_values = true, value_parser = FalseyValueParser::new(), help_heading = "Speed")]
    pub no_cache: bool,
    /// Remember it in this folder [default: leaklint in the user's folder for caches]
    #[arg(long, value_name = "DIR", env = "LEAKLINT_CACHE_DIR", help_heading = "Speed")]
    pub cache_dir: Option<PathBuf>,
    /// Check again whenever a file changes
    #[arg(short, long, help_heading = "Speed")]
    pub watch: bool,
    /// Number of threads; 0 takes one a core
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, help_heading = "Speed")]
    pub threads: usize,
}

/// Which confidence is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// High and medium
    Default,
    /// Low as well
    All,
    /// High only
    Strict,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set; everywhere if `FORCE_COLOR` is
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
