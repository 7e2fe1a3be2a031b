//! Lists of what the store has by name: names only, JSON, or a table.

use crate::failure::Outcome;
use crate::output;
use crate::table::table;
use serde::Serialize;
use std::fmt::Display;

/// How a list is asked for.
#[derive(clap::Args, Debug)]
pub struct Form {
    /// Print names only
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints `entries` as asked: each by `name`, or as what `row` makes of it, which is the JSON and of
/// which `cells` makes a line below `head`.
pub fn list<E, N: Display, R: Serialize, const C: usize>(
    form: &Form,
    entries: Vec<E>,
    name: impl Fn(&E) -> N,
    row: impl Fn(E) -> R,
    head: [&str; C],
    cells: impl Fn(&R) -> [String; C],
) -> Outcome {
    if form.quiet {
        let names: String = entries.iter().map(|e| format!("{}\n", name(e))).collect();
        return output::text(&names);
    }
    let rows: Vec<R> = entries.into_iter().map(row).collect();
    if form.json {
        return output::json(&rows);
    }
    let cells: Vec<_> = rows.iter().map(cells).collect();
    output::text(&table(head, &cells))
}
