//! Owns how the verdicts are told: a table for people, JSON for machines.

use crate::judge::{Counts, Judge, Leak};
use crate::pass::PassList;
use serde::Serialize;
use std::fmt::Write;

/// What an audit found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of Wine.
    pub wine: String,
    /// Scenarios judged.
    pub scenarios: Vec<String>,
    /// Requests read from all logs.
    pub requests: u64,
    /// What crossed a boundary; empty if all is well.
    pub leaks: Vec<CountedLeak>,
    /// What the pass list let through.
    pub passed: Vec<Passed>,
    /// Lines of the pass list that matched nothing.
    pub unused: Vec<String>,
    /// What else was counted.
    pub counts: Counts,
}

/// A leak and how often it happened.
#[derive(Debug, Serialize)]
pub struct CountedLeak {
    /// The leak.
    #[serde(flatten)]
    pub leak: Leak,
    /// How often.
    pub count: u64,
}

/// A line of the pass list that matched.
#[derive(Debug, Serialize)]
pub struct Passed {
    /// Its kind and name pattern.
    pub name: String,
    /// Why it is no leak.
    pub reason: String,
    /// How often it matched.
    pub count: u64,
}

impl Report {
    /// The report of a judge who has finished.
    pub fn new(wine: &str, judge: &Judge<'_>, pass: &PassList) -> Self {
        let rules = || pass.rules().iter().zip(&judge.passed);
        let title = |kind: &str, name: &str| format!("{kind} {name}");
        Report {
            wine: wine.to_string(),
            scenarios: judge.scenarios.clone(),
            requests: judge.tally.requests,
            leaks: judge
                .leaks
                .iter()
                .map(|(leak, count)| CountedLeak {
                    leak: leak.clone(),
                    count: *count,
                })
                .collect(),
            passed: rules()
                .filter(|(_, count)| **count > 0)
                .map(|(rule, count)| Passed {
                    name: title(&rule.kind, &rule.name),
                    reason: rule.reason.clone(),
                    count: *count,
                })
                .collect(),
            unused: rules()
                .filter(|(_, count)| **count == 0)
                .map(|(rule, _)| format!("{} ({})", title(&rule.kind, &rule.name), rule.access))
                .collect(),
            counts: judge.counts,
        }
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "Wine {}: {} requests in {} scenarios ({}), {} confined processes",
            self.wine,
            self.requests,
            self.scenarios.len(),
            self.scenarios.join(", "),
            self.counts.members
        );
        let Counts {
            own,
            host_reads,
            failed,
            ..
        } = self.counts;
        let _ = writeln!(
            text,
            "own places {own}, host files and keys read {host_reads}, refused by the kernel {failed}"
        );
        if !self.passed.is_empty() {
            let _ = writeln!(text, "\npassed:");
            let rows = self.passed.iter().map(|line| {
                vec![
                    line.count.to_string(),
                    line.name.clone(),
                    line.reason.clone(),
                ]
            });
            columns(&mut text, rows.collect());
        }
        if !self.unused.is_empty() {
            let _ = writeln!(text, "\nlines of the pass list that matched nothing:");
            columns(
                &mut text,
                self.unused.iter().map(|line| vec![line.clone()]).collect(),
            );
        }
        if self.leaks.is_empty() {
            let _ = writeln!(text, "\nno leaks");
            return text;
        }
        let _ = writeln!(text, "\n{} leaks:", self.leaks.len());
        let rows = self.leaks.iter().map(|CountedLeak { leak, count }| {
            [
                &leak.scenario,
                &leak.vm,
                &leak.process,
                &leak.kind,
                &leak.access,
                &leak.name,
                &leak.why,
            ]
            .into_iter()
            .cloned()
            .chain([format!("x{count}")])
            .collect()
        });
        columns(&mut text, rows.collect());
        text
    }
}

/// Writes rows with their columns aligned. Control characters from inside a machine do not reach the terminal.
fn columns(text: &mut String, rows: Vec<Vec<String>>) {
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.iter().map(String::as_str).map(printable).collect())
        .collect();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..).map_while(width).collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "  {cell:width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn printable(cell: &str) -> String {
    cell.chars()
        .map(|c| {
            if c.is_control() {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}
