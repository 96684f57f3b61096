//! Writing files so that nobody ever sees half of one.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file, and waits until the new one is on the disk; its mode is kept.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    swap(path, bytes, fs::File::sync_all)
}

/// Replaces a file that can be made again: nothing waits for the disk.
pub fn replace_soon(path: &Path, bytes: &[u8]) -> io::Result<()> {
    swap(path, bytes, |_| Ok(()))
}

fn swap(path: &Path, bytes: &[u8], settle: impl FnOnce(&fs::File) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let beside = path.with_file_name(format!(".{name}.leaklint-{}", std::process::id()));
    let mut file = fs::File::create_new(&beside)?;
    let done = file.write_all(bytes).and_then(|()| settle(&file)).and_then(|()| {
        if let Ok(meta) = fs::metadata(path) {
            fs::set_permissions(&beside, meta.permissions())?;
        }
        fs::rename(&beside, path)
    });
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}
