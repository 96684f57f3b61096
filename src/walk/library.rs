//! Whether a folder of C or C++ code inside a project is a library that somebody else wrote, whatever it is called: by what
//! lies beside its sources. Reads no source.

use ignore::DirEntry;
use std::path::Path;

/// Files that say whose a folder's code is.
const LICENCES: &[&str] = &[
    "COPYING",
    "COPYING.LIB",
    "COPYING.txt",
    "COPYRIGHT",
    "LICENCE",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    "LICENSE.TXT",
    "LICENSE-MIT",
    "License.txt",
    "license.txt",
    "COPYING.LESSER",
    "AUTHORS",
];

/// Files that only a project of its own has: how it is built, documented, and what changed in it.
const OWN_PROJECT: &[&str] = &[
    "configure.ac",
    "configure.in",
    "configure",
    "CMakeLists.txt",
    "meson.build",
    "Makefile.am",
    "Makefile.in",
    "Makefile",
    "BUILD.gn",
    "BUILD.bazel",
    "SConstruct",
    "Android.mk",
    "binding.gyp",
    "Doxyfile",
    "ChangeLog",
    "CHANGES",
    "NEWS",
    "INSTALL",
    "BUGS",
    "THANKS",
    "DEPS",
    "README",
    "README.md",
    "README.txt",
    "README.rst",
];

/// The folder between the walk's start and a C or C++ file that is a library of its own: it brings its licence and its own way to
/// be built, and is no package of ours; or it is named like a release, `zlib-1.3.1`.
pub(super) fn around(entry: &DirEntry) -> Option<String> {
    let folders = entry.path().ancestors().skip(1).take(entry.depth().saturating_sub(1));
    let has = |folder: &Path, names: &[&str]| names.iter().any(|name| folder.join(name).is_file());
    let library = folders.into_iter().find(|folder| {
        let is_release = folder.file_name().is_some_and(|name| is_release_name(&name.to_string_lossy()));
        (is_release || has(folder, LICENCES) && has(folder, OWN_PROJECT)) && !has(folder, &["package.json"])
    })?;
    Some(library.file_name()?.to_string_lossy().into_owned())
}

/// Whether a folder is named after a library and the version of it: `lua-5.4`, `sqlite-autoconf-3310100`.
fn is_release_name(name: &str) -> bool {
    let Some((library, version)) = name.rsplit_once(['-', '_']) else { return false };
    let version = version.strip_prefix('v').unwrap_or(version);
    let is_number =
        version.starts_with(|c: char| c.is_ascii_digit()) && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    library.starts_with(|c: char| c.is_ascii_alphabetic()) && is_number && (version.contains('.') || version.len() > 4)
}
