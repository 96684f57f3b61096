//! Which C and C++ code of an addon is a library that somebody else wrote, though no folder's name and no licence says so: whole
//! folders that never mention Node, many times the size of the code that does. Knows how Node's interfaces are spelled, not what
//! code means.

use rustc_hash::FxHashMap;

/// How C and C++ code speaks to Node, whatever header brings it in.
const NODE: &[&str] =
    &["Nan::", "NAN_METHOD", "v8::", "Napi::", "napi_", "node_api", "node::", "<nan.h>", "<node.h>", "uv_"];

/// How many times the addon's own code a library is, and how many files its folder has at least.
const TIMES: usize = 8;
const FILES: usize = 12;

/// What is known of the files below one folder.
#[derive(Default)]
struct Folder {
    files: usize,
    bytes: usize,
    speaks: bool,
}

/// The folders of such libraries, with a `/` at the end, of files given by name and text.
pub(super) fn libraries<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<&'a str> {
    let mut folders: FxHashMap<&str, Folder> = FxHashMap::default();
    let mut own = 0;
    for (name, text) in files {
        let speaks = speaks_to_node(text);
        own += if speaks { text.len() } else { 0 };
        for (end, _) in name.match_indices('/') {
            let folder = folders.entry(&name[..=end]).or_default();
            folder.files += 1;
            folder.bytes += text.len();
            folder.speaks |= speaks;
        }
    }
    let silent = |name: &str| folders.get(name).is_some_and(|folder| !folder.speaks);
    let is_outermost = |name: &str| name[..name.len() - 1].rfind('/').is_none_or(|end| !silent(&name[..=end]));
    let mut found: Vec<&str> = folders.keys().copied().filter(|name| silent(name) && is_outermost(name)).collect();
    let bytes: usize = found.iter().map(|name| folders[name].bytes).sum();
    found.retain(|name| folders[name].files >= FILES);
    found.sort_unstable();
    if own > 0 && bytes >= TIMES * own { found } else { Vec::new() }
}

fn speaks_to_node(text: &str) -> bool {
    NODE.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::libraries;

    #[test]
    fn a_library_is_told_by_its_silence_and_size() {
        let addon = "Napi::Value Open();\n// which opens it\n";
        let library = "int parse(const char* text);\n".repeat(4);
        let names: Vec<String> = (0..12).map(|at| format!("engine/lib/part{at}.c")).collect();
        let own = || [("src/addon.cc", addon), ("src/util.c", "int twice(int x);\n")].into_iter();
        let with = |take: usize| own().chain(names[..take].iter().map(|name| (name.as_str(), library.as_str())));
        assert_eq!(libraries(with(12)), ["engine/"]);
        assert!(libraries(with(11)).is_empty());
        assert!(libraries(own()).is_empty());
        // Without an addon around it, a library is the project itself.
        assert!(libraries(names.iter().map(|name| (name.as_str(), library.as_str()))).is_empty());
    }
}
