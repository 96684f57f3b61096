//! Where reports go and how they look: `--format`, `LEAKLINT_FORMAT`, colour and width.

use super::Failure;
use super::args::Color;
use leaklint::nearest::did_you_mean;
use leaklint::report::{Format, Report, Style};
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

/// One output of a run.
pub struct Target {
    format: Format,
    /// Where to; none: standard output.
    path: Option<PathBuf>,
}

/// The outputs that `--format` or, without it, `LEAKLINT_FORMAT` ask for.
pub fn targets(formats: &[String]) -> Result<Vec<Target>, Failure> {
    let from_env = || std::env::var("LEAKLINT_FORMAT").unwrap_or_default();
    let words: Vec<String> = if formats.is_empty() {
        from_env().split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    } else {
        formats.to_vec()
    };
    let targets: Result<Vec<Target>, Failure> = words.iter().map(|word| target(word)).collect();
    let targets = targets?;
    if targets.iter().filter(|target| target.path.is_none()).count() > 1 {
        return Err(
            "only one format can go to standard output; give the others a file: `--format json=report.json`".into()
        );
    }
    Ok(if targets.is_empty() { vec![Target { format: Format::Human, path: None }] } else { targets })
}

fn target(word: &str) -> Result<Target, Failure> {
    let (name, path) = word.split_once('=').map_or((word, None), |(name, path)| (name, Some(path)));
    let names = Format::ALL.iter().map(|(name, _)| *name);
    let format = Format::named(name).ok_or_else(|| {
        let all: Vec<&str> = names.clone().collect();
        format!("unknown format `{name}`{} (known: {})", did_you_mean(name, names), all.join(", "))
    })?;
    Ok(Target { format, path: path.map(PathBuf::from) })
}

impl Target {
    /// Whether this is the report that people read where they started the run.
    pub fn is_for_people(&self) -> bool {
        self.path.is_none() && self.format == Format::Human
    }

    /// Writes a report here.
    pub fn write(&self, report: &Report, style: &Style) -> Result<(), Failure> {
        if self.format == Format::Github
            && let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
        {
            let file = File::options().append(true).create(true).open(&path);
            file.and_then(|mut file| file.write_all(report.markdown().as_bytes()))
                .map_err(|error| format!("can't write {}: {error}", path.display()))?;
        }
        let Some(path) = &self.path else {
            let mut out = BufWriter::new(io::stdout().lock());
            return match report.write(self.format, style, &mut out).and_then(|()| out.flush()) {
                // The reader has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                Err(error) => Err(format!("can't write the report: {error}").into()),
                Ok(()) => Ok(()),
            };
        };
        let plain = Style { color: false, ..style.clone() };
        let written = File::create(path).map(BufWriter::new).and_then(|mut out| {
            report.write(self.format, &plain, &mut out)?;
            out.flush()
        });
        written.map_err(|error| format!("can't write {}: {error}", path.display()).into())
    }
}

/// Colour and width of what is written to the terminal.
pub fn style(color: Color) -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("FORCE_COLOR") => true,
        Color::Auto => io::stdout().is_terminal() && !set("NO_COLOR"),
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    Style { color, width: columns.unwrap_or(100).clamp(60, 160) }
}
