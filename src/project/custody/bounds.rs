//! Conditions of the build that compare a version with a number, so that of two of them one may exclude the other.
//! Reads text alone; which of them counts on a path is for `conditions`.

/// A condition of the build that bounds a version: between which numbers it is where that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// The name.
    pub(super) name: String,
    low: i64,
    high: i64,
}

impl Bound {
    /// `(VERSION<=0x0038)`: a name, a comparison and a number.
    pub(super) fn read(text: &str) -> Option<Bound> {
        let text = text.trim_start_matches('(').trim_end_matches(')');
        let at = text.find(['<', '>', '='])?;
        let end = at + text[at..].find(|c| !['<', '>', '='].contains(&c))?;
        let number = match text[end..].strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok()?,
            None => text[end..].parse().ok()?,
        };
        let (low, high) = match &text[at..end] {
            "<" => (i64::MIN, number - 1),
            "<=" => (i64::MIN, number),
            ">" => (number + 1, i64::MAX),
            ">=" => (number, i64::MAX),
            "==" => (number, number),
            _ => return None,
        };
        let is_name = text[..at].chars().all(|c| c.is_alphanumeric() || c == '_');
        is_name.then(|| Bound { name: text[..at].to_owned(), low, high })
    }

    /// Between which numbers it is where the condition holds, or where it does not.
    pub(super) fn range(&self, holds: bool) -> (i64, i64) {
        match (holds, self.low, self.high) {
            (true, low, high) => (low, high),
            (false, i64::MIN, high) => (high + 1, i64::MAX),
            (false, low, i64::MAX) => (i64::MIN, low - 1),
            (false, ..) => (i64::MIN, i64::MAX),
        }
    }
}
