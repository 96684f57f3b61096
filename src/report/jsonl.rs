//! `--format jsonl`: a JSON object a line, so that a reader need not wait for the end. `type` says which: `diagnostic`,
//! `error`, and last `summary`. The rest is as in `json`.

use super::{Report, json};
use serde_json::{Value, json as object};
use std::io::{self, Write};

/// Writes the lines.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in &report.diagnostics {
        line("diagnostic", serde_json::to_value(json::item(report, diagnostic))?, out)?;
    }
    for error in &report.errors {
        line("error", serde_json::to_value(json::error(error))?, out)?;
    }
    line("summary", serde_json::to_value(json::summary(report))?, out)
}

fn line(kind: &str, value: Value, out: &mut dyn Write) -> io::Result<()> {
    let mut object = object!({ "type": kind });
    if let (Value::Object(into), Value::Object(from)) = (&mut object, value) {
        into.extend(from);
    }
    writeln!(out, "{object}")
}
