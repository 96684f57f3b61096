//! A file of entries: a mark, a checksum, keys with lengths, and the bytes. Read as a whole; whatever does not fit is no pack.

use super::Key;
use crate::disk;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use xxhash_rust::xxh3::xxh3_64;

const MARK: &[u8; 16] = b"leaklint cache1\n";
/// Bytes before the entries: the mark, the checksum and the number of entries.
const HEAD: usize = 32;
/// Bytes of an entry's key and length.
const ROW: usize = 24;

/// All packs of a folder together are no bigger than this.
const MOST: u64 = 1 << 30;

/// Part of a file that was read, or bytes of their own.
#[derive(Clone, Debug)]
pub struct Bytes {
    all: Arc<[u8]>,
    range: Range<usize>,
}

impl Bytes {
    /// The bytes.
    pub fn get(&self) -> &[u8] {
        self.all.get(self.range.clone()).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes { range: 0..bytes.len(), all: bytes.into() }
    }
}

/// The entries of a pack; none if it can't be read, or is not what was written.
pub fn read(path: &Path) -> Option<Vec<(Key, Bytes)>> {
    let all: Arc<[u8]> = fs::read(path).ok()?.into();
    let number = |at: usize| Some(u64::from_le_bytes(all.get(at..at + 8)?.try_into().ok()?));
    if !all.starts_with(MARK) || number(16)? != xxh3_64(all.get(24..)?) {
        return None;
    }
    let count = usize::try_from(number(24)?).ok()?;
    let mut at = HEAD.checked_add(count.checked_mul(ROW)?)?;
    let mut entries = Vec::new();
    for row in 0..count {
        let start = HEAD + row * ROW;
        let key = Key(u128::from_le_bytes(all.get(start..start + 16)?.try_into().ok()?));
        let end = at.checked_add(usize::try_from(number(start + 16)?).ok()?)?;
        all.get(at..end)?;
        entries.push((key, Bytes { all: Arc::clone(&all), range: at..end }));
        at = end;
    }
    Some(entries)
}

/// Writes a pack: all of it or nothing.
pub fn write<'a>(path: &Path, entries: impl Iterator<Item = (&'a Key, &'a Bytes)>) -> io::Result<()> {
    let entries: Vec<_> = entries.collect();
    let mut all = MARK.to_vec();
    all.extend_from_slice(&[0; 8]);
    all.extend_from_slice(&(entries.len() as u64).to_le_bytes());
    for (key, bytes) in &entries {
        all.extend_from_slice(&key.0.to_le_bytes());
        all.extend_from_slice(&(bytes.get().len() as u64).to_le_bytes());
    }
    entries.iter().for_each(|(_, bytes)| all.extend_from_slice(bytes.get()));
    let sum = xxh3_64(&all[24..]);
    all[16..24].copy_from_slice(&sum.to_le_bytes());
    disk::replace_soon(path, &all)
}

/// Takes the packs away that were not written for longest, until the others fit.
pub fn bound(folder: &Path) -> io::Result<()> {
    let mut packs: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "answers" || ending == "summaries")
            && let Ok(meta) = entry.metadata()
        {
            packs.push((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len(), path));
        }
    }
    packs.sort();
    let mut all: u64 = packs.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in packs {
        if all <= MOST {
            break;
        }
        all -= size;
        let _ = fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pack_is_not_read() {
        let folder = std::env::temp_dir().join(format!("leaklint-pack-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("x.answers");
        let entries = [(Key(7), Bytes::from(b"seven".to_vec())), (Key(9), Bytes::from(Vec::new()))];
        write(&path, entries.iter().map(|(key, bytes)| (key, bytes))).unwrap();
        let read_back = read(&path).unwrap();
        assert_eq!(
            read_back.iter().map(|(key, bytes)| (key.0, bytes.get())).collect::<Vec<_>>(),
            [(7, &b"seven"[..]), (9, &b""[..])]
        );
        let good = fs::read(&path).unwrap();
        for cut in 0..good.len() {
            fs::write(&path, &good[..cut]).unwrap();
            assert!(read(&path).is_none(), "cut at {cut}");
            let mut bent = good.clone();
            bent[cut] ^= 1;
            fs::write(&path, &bent).unwrap();
            assert!(read(&path).is_none(), "bent at {cut}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
