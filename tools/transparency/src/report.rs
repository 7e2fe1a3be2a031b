//! The rows, for people and for machines.

use crate::verdict::{Row, Verdict};
use anyhow::{Context, Result};
use std::path::Path;

/// Prints one row as it comes.
pub fn show(row: &Row) {
    let figures = |figures: &Option<crate::outcome::Figures>| match figures {
        Some(told) => format!("{}/{}", told.failures, told.executed),
        None => "no end".to_owned(),
    };
    println!(
        "{:<28} {:>16} {:>16}  {:<9} {}",
        row.test,
        figures(&row.outside),
        figures(&row.inside),
        word(row.result),
        shortened(&row.reason)
    );
}

/// The line above the rows.
pub fn head(wine: &str) {
    println!("Wine {wine}: failures/tests outside and inside, and the lines that fail inside only");
    println!("{:<28} {:>16} {:>16}  result", "test", "outside", "inside");
}

/// The last lines: what is stale, and the sum.
pub fn foot(rows: &[Row]) {
    for row in rows {
        for place in &row.stale {
            println!(
                "known.toml: {} {place} fails no longer on Wine {}: take it out",
                row.test, row.wine
            );
        }
    }
    let count = |verdict| rows.iter().filter(|row| row.result == verdict).count();
    println!(
        "{} tests: {} ok, {} regressed, {} skipped",
        rows.len(),
        count(Verdict::Ok),
        count(Verdict::Regressed),
        count(Verdict::Skipped)
    );
}

/// Writes all rows to `path` as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write(rows: &[Row], path: &Path) -> Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(rows)? + "\n")
        .with_context(|| format!("cannot write {}", path.display()))
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Regressed => "regressed",
        Verdict::Skipped => "skipped",
    }
}

fn shortened(text: &str) -> String {
    const ROOM: usize = 200;
    if text.chars().count() <= ROOM {
        return text.to_owned();
    }
    text.chars().take(ROOM).chain(" …".chars()).collect()
}
