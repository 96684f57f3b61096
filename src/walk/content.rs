//! From bytes to a source text, or the reason why a file is none worth reading: binary, minified, bundled, too large.
//! Knows nothing of folders.

use super::Reason;
use crate::lower::language_of;
use crate::text::io_words;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// Nobody writes a larger file by hand; generators, amalgamations and bundles are.
const LARGE: u64 = 1_000_000;

/// Offsets are `u32`, and syntax trees take many times the text: past this even a named file is refused.
const TOO_LARGE: u64 = 256_000_000;

/// Reads one file. A named one is read whatever it looks like, as long as it is text.
pub fn read(path: &Path, named: bool) -> Result<Arc<str>, Reason> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Reason::Vanished,
        _ => Reason::Unreadable(io_words(&error)),
    };
    let mut file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(Reason::Unreadable("not a file".into()));
    }
    if meta.len() > TOO_LARGE || (meta.len() > LARGE && !named) {
        return Err(Reason::Large(meta.len()));
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    file.read_to_end(&mut bytes).map_err(failed)?;
    let text = decode(bytes)?;
    if !named && is_script(path) {
        if is_minified(&text) {
            return Err(Reason::Minified);
        }
        if is_bundled(&text) {
            return Err(Reason::Bundled);
        }
    }
    Ok(text.into())
}

fn is_script(path: &Path) -> bool {
    path.to_str().and_then(language_of).is_some_and(|language| !language.is_native())
}

/// Text of bytes: UTF-8 with wrong sequences replaced, or UTF-16 with a byte-order mark.
pub fn decode(bytes: Vec<u8>) -> Result<String, Reason> {
    if let Some(wide) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return Ok(utf16(wide, u16::from_le_bytes));
    }
    if let Some(wide) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return Ok(utf16(wide, u16::from_be_bytes));
    }
    let head = &bytes[..bytes.len().min(65_536)];
    // One NUL in a string literal makes no binary; executables, images and archives have hundreds.
    let nuls = head.iter().filter(|&&byte| byte == 0).count();
    if nuls > 1 && nuls * 100 > head.len() {
        return Err(Reason::Binary);
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let wrong = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
            // Latin-1 comments have a few; compressed data is full of them.
            if wrong * 10 > text.len() {
                return Err(Reason::Binary);
            }
            text
        }
    };
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// Whether a name says that a minifier wrote the file.
pub fn is_minified_name(name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    matches!(ending, "js" | "mjs" | "cjs")
        && (stem.ends_with(".min") || stem.ends_with("-min") || stem.ends_with("_min"))
}

/// Whether most of a text stands in very long lines that are code: full of braces, brackets and semicolons, which data in
/// long literals is not.
fn is_minified(text: &str) -> bool {
    const LONG: usize = 500;
    let long: usize = text.lines().map(str::len).filter(|&length| length > LONG).sum();
    if long < 2_000 || long * 2 < text.len() {
        return false;
    }
    let lines = text.lines().filter(|line| line.len() > LONG);
    let marks: usize = lines.map(|line| line.bytes().filter(|byte| b"(){};".contains(byte)).count()).sum();
    marks * 25 > long
}

/// Whether a bundler wrote a text: its modules are somewhere else as sources, or were never meant to be read.
fn is_bundled(text: &str) -> bool {
    const LONG: usize = 20_000;
    let end = (0..=2_048.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let head = &text[..end];
    head.contains("webpackBootstrap")
        || head.contains("webpackUniversalModuleDefinition") && text.contains("__webpack_require__")
        || head.contains("function e(t,n,r){function s(o,u)") && text.lines().any(|line| line.len() > LONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded() {
        assert_eq!(decode(b"\xef\xbb\xbfa".to_vec()).unwrap(), "a");
        assert_eq!(decode(b"\xff\xfea\0b\0".to_vec()).unwrap(), "ab");
        assert_eq!(decode(b"// caf\xe9 in Latin-1 is text\n".to_vec()).unwrap(), "// caf\u{fffd} in Latin-1 is text\n");
        assert!(decode(b"var zero = '\0'; // one NUL makes no binary\n".to_vec()).is_ok());
        assert_eq!(decode(vec![]).unwrap(), "");
        assert_eq!(decode(b"\x7fELF\0\0\0\x01".to_vec()), Err(Reason::Binary));
        assert_eq!(decode((0..4096u32).map(|at| (at * 7 % 251 + 1) as u8).collect()), Err(Reason::Binary));
    }

    #[test]
    fn minified_code_is_told_from_data() {
        let code = "function a(b){return b?c(d,e):{f:g};}".repeat(200);
        assert!(is_minified(&code));
        assert!(is_minified(&format!("/* a licence */\n{code}\n")));
        assert!(!is_minified(&format!("module.exports = '{}';\n", "QUJD".repeat(5000))));
        assert!(!is_minified(&"function a(b) {\n  return b;\n}\n".repeat(500)));
        assert!(is_minified_name("jquery.min.js") && is_minified_name("x-min.js") && !is_minified_name("admin.js"));
    }
}
