//! Writes to stdout. A reader that went away ends the command quietly.

use crate::failure::{Failure, Outcome};
use serde::Serialize;
use std::io::Write;

/// Writes `text` as it is.
pub fn text(text: &str) -> Outcome {
    bytes(text.as_bytes())
}

/// Writes one line.
pub fn line(line: impl std::fmt::Display) -> Outcome {
    text(&format!("{line}\n"))
}

/// Writes `value` as JSON for people and machines.
pub fn json(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::pinion(format!("cannot write JSON: {error}")))?;
    line(text)
}

/// Writes `bytes` at once.
pub fn bytes(bytes: &[u8]) -> Outcome {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(0),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::pinion(format!("cannot write to stdout: {error}"))),
    }
}
