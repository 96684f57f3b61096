//! The `package.json` files beside and above the files of a run: the one thing that linking reads from the disk itself.

use rustc_hash::FxHashSet;
use std::path::Path;

/// More folders than any project has.
const MOST: usize = 100_000;

/// Each manifest with its folder: every folder that one of the paths lies in, up to the root.
pub fn manifests<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<(String, String)> {
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for path in paths {
        let path = super::modules::normal(&path.to_string_lossy().replace('\\', "/"));
        let mut folder = super::modules::parent(&path).to_owned();
        while seen.insert(folder.clone()) {
            let name = if folder.is_empty() { "package.json".to_owned() } else { format!("{folder}/package.json") };
            if let Ok(text) = std::fs::read_to_string(name) {
                found.push((folder.clone(), text));
            }
            if folder.is_empty() || folder == "/" || seen.len() > MOST {
                break;
            }
            folder = super::modules::parent(&folder).to_owned();
        }
    }
    found
}
