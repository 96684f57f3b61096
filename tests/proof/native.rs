//! Builds what is native in a proof: the example inside its driver, and the counter of blocks. It knows no rule.

use super::run::{answer, root, stands, write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PACKAGES: &str = include_str!("package.json");

/// What one machine has for building addons.
pub struct Native {
    /// Node's own headers, which V8, NAN and libuv need; the packages do without.
    node: Option<PathBuf>,
}

/// The tools; an error says which is missing.
pub fn tools() -> Result<&'static Native, String> {
    static TOOLS: OnceLock<Result<Native, String>> = OnceLock::new();
    let find = || {
        if !cfg!(target_os = "linux") {
            return Err("addons are proven on Linux only".to_owned());
        }
        answer(Command::new("g++").arg("--version")).map_err(|_| "there is no `g++`".to_owned())?;
        install()?;
        let node = answer(Command::new("node").args(["-p", "process.execPath"])).unwrap_or_default();
        let beside = Path::new(node.trim())
            .canonicalize()
            .ok()
            .and_then(|node| Some(node.parent()?.parent()?.join("include/node")));
        Ok(Native { node: beside.filter(|folder| folder.join("node.h").is_file()) })
    };
    TOOLS.get_or_init(find).as_ref().map_err(Clone::clone)
}

/// Installs the headers once, into the folder above all proofs.
fn install() -> Result<(), String> {
    let root = root();
    if stands(&root.join("node_modules/.installed"), PACKAGES) {
        return Ok(());
    }
    write(&root.join("package.json"), PACKAGES)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]).current_dir(&root);
    answer(&mut npm).map_err(|error| format!("npm cannot install the headers: {}", error.replace('\n', " ")))?;
    write(&root.join("node_modules/.installed"), PACKAGES)
}

impl Native {
    /// Builds a driver around the example beside it, unless that was done before.
    pub fn build(&self, folder: &Path, driver: &str, example: &str) -> Result<PathBuf, String> {
        write(&folder.join("example"), example)?;
        let source = folder.join("driver.cc");
        write(&source, driver)?;
        self.compile(&source, &folder.join("example.node"), &format!("{driver}{example}"))
    }

    /// The counter of blocks.
    pub fn blocks(&self) -> Result<PathBuf, String> {
        static BLOCKS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let text = include_str!("blocks.cc");
        let build = || {
            let source = root().join("blocks.cc");
            write(&source, text)?;
            self.compile(&source, &root().join("blocks.node"), text)
        };
        BLOCKS.get_or_init(build).clone()
    }

    fn compile(&self, source: &Path, addon: &Path, text: &str) -> Result<PathBuf, String> {
        let text = format!("{:?}\n{}\n{text}", self.node, include_str!("proof.h"));
        let stamp = addon.with_extension("built");
        if addon.is_file() && stands(&stamp, &text) {
            return Ok(addon.to_owned());
        }
        let packages = root().join("node_modules");
        let mut compiler = Command::new("g++");
        compiler.args(["-std=c++20", "-O0", "-w", "-fpermissive", "-fPIC", "-shared", "-DNAPI_CPP_EXCEPTIONS"]);
        // Headers of Node go last, so that pages about Node-API are held to what the package declares.
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof");
        let known = ["node-api-headers/include", "node-addon-api", "nan"].map(|name| packages.join(name));
        for folder in [own].iter().chain(&known).chain(&self.node) {
            compiler.arg("-I").arg(folder);
        }
        compiler.arg("-o").arg(addon).arg(source);
        answer(&mut compiler)?;
        write(&stamp, &text)?;
        Ok(addon.to_owned())
    }

    /// Whether Node's own headers are there.
    pub fn has_node(&self) -> bool {
        self.node.is_some()
    }
}
