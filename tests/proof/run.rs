//! Lays the files of a proof out under `target/`, builds what is native, and runs Node on it.

use super::Proof;
use super::judge::Figures;
use super::native::{self, Native};
use crate::support::page::Example;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Where a proof runs.
pub struct Bed<'a> {
    proof: &'a Proof,
    folder: PathBuf,
    native: Option<&'static Native>,
}

/// The bed of a proof; an error says what this machine lacks for it.
pub fn bed(proof: &Proof) -> Result<Bed<'_>, String> {
    static NODE: OnceLock<Result<u32, String>> = OnceLock::new();
    let node = || {
        let said = answer(Command::new("node").arg("--version")).map_err(|_| "there is no `node`".to_owned())?;
        let major = said.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
        major.ok_or_else(|| format!("`node --version` says {said}"))
    };
    let version = NODE.get_or_init(node).clone()?;
    if proof.below.is_some_and(|below| version >= below) {
        return Err(format!("Node {version} does not have this leak any more"));
    }
    let native = proof.native.as_ref().map(|_| native::tools()).transpose()?;
    if native.is_some_and(|native| proof.needs_node && !native.has_node()) {
        return Err("Node's own headers are not beside it".to_owned());
    }
    Ok(Bed { proof, folder: root().join(&proof.rule), native })
}

/// Where all proofs run.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("proof")
}

fn harness(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof").join(file)
}

impl Bed<'_> {
    /// What is measured of an example at each of the counts.
    pub fn figures(&self, side: &str, example: &Example) -> Result<Figures, String> {
        let folder = self.folder.join(side);
        let path = match (&self.proof.native, self.native) {
            (Some(driver), Some(native)) => native.build(&folder, driver, &example.files[0].1)?,
            _ => lay_out(&folder, example)?,
        };
        let blocks = self.native.filter(|_| self.proof.measure == "blocks").map(Native::blocks).transpose()?;
        let driver = folder.join("driver.js");
        write(&driver, &self.proof.script)?;
        let mut figures = [0.0; 3];
        for (figure, times) in figures.iter_mut().zip(self.proof.counts()) {
            let job = serde_json::json!({
                "example": path, "driver": driver, "measure": self.proof.measure, "times": times,
                "uncollected": self.proof.uncollected, "blocks": blocks,
            });
            let mut node = Command::new("node");
            node.arg("--expose-gc").arg(harness("exercise.js")).arg(job.to_string()).current_dir(&folder);
            if let Some(blocks) = &blocks {
                node.env("LD_PRELOAD", blocks);
            }
            let said = answer(&mut node).map_err(|error| format!("the {side} example, {times} times: {error}"))?;
            let last = said.trim_end().lines().last().unwrap_or_default();
            *figure = last.parse().map_err(|_| format!("no figure but `{last}`"))?;
        }
        Ok(figures)
    }
}

/// Writes the files of an example; its first is the one that is loaded.
fn lay_out(folder: &Path, example: &Example) -> Result<PathBuf, String> {
    let mut first = None;
    for (name, text) in &example.files {
        // A block that says `export` and not its file's name is meant as a module.
        let module = text.lines().any(|line| line.starts_with("export ") || line.starts_with("import "));
        let name = if module { name.replace(".js", ".mjs") } else { name.clone() };
        let path = folder.join(name);
        write(&path, text)?;
        first = first.or(Some(path));
    }
    first.ok_or_else(|| "an example without a file".to_owned())
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    let done = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    done.map_err(|error| format!("{}: {error}", path.display()))
}

/// Whether a file has this text.
pub fn stands(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|there| there == text)
}

/// What a program says, if it ends well; else what it complains of.
pub fn answer(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{}\n{complaint}", output.status))
}
