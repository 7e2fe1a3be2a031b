//! Owns how the verdicts are told: a table for people, JSON for machines.

use crate::judge::{Counts, Judge, Leak};
use crate::pass::PassList;
use crate::record::Comparison;
use crate::record::reasons::Reasons;
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
    /// What Pinion's own record and the logs tell of one another; none where the logs alone were judged.
    pub record: Option<Comparison>,
    /// What stands on one side only, with a reason.
    pub reasons: Vec<Passed>,
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
            record: None,
            reasons: Vec::new(),
        }
    }

    /// The report with what the comparison of the record found.
    #[must_use]
    pub fn with_record(mut self, record: Comparison, reasons: &Reasons) -> Self {
        let lines = || reasons.all().iter().zip(&record.needed);
        self.reasons = lines()
            .filter(|(_, count)| **count > 0)
            .map(|(line, count)| Passed {
                name: line.title(),
                reason: line.reason.clone(),
                count: *count,
            })
            .collect();
        let unused = lines().filter(|(_, count)| **count == 0);
        self.unused
            .extend(unused.map(|(line, _)| format!("only in {}", line.title())));
        self.record = Some(record);
        self
    }

    /// Whether nothing leaked and, where that counts, the record is complete.
    pub fn is_good(&self, with_record: bool) -> bool {
        let is_complete = |record: &Comparison| record.gaps.is_empty() && record.lost == 0;
        let record = self.record.as_ref().filter(|_| with_record);
        self.leaks.is_empty() && record.is_none_or(is_complete)
    }

    /// The table for people; of the record its figures or, `with_record`, all.
    pub fn table(&self, with_record: bool) -> String {
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
        if let Some(record) = &self.record {
            self.record_table(record, with_record, &mut text);
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

impl Report {
    fn record_table(&self, record: &Comparison, whole: bool, text: &mut String) {
        let Comparison {
            lines,
            lines_matched,
            lines_within,
            events,
            events_matched,
            lost,
            ..
        } = record;
        let _ = writeln!(
            text,
            "\nrecord: of {lines} named lines of the log {lines_matched} have their event, {lines_within} are the agent's own within \
             one; of {events} events {events_matched} have their line; {lost} were lost"
        );
        if !whole {
            let gaps = record.gaps.len();
            let _ = writeln!(
                text,
                "{gaps} on one side only without a reason: --record shows them"
            );
            return;
        }
        let row = |line: &Passed| {
            vec![
                line.count.to_string(),
                line.name.clone(),
                line.reason.clone(),
            ]
        };
        columns(text, self.reasons.iter().map(row).collect());
        if record.gaps.is_empty() {
            let _ = writeln!(text, "nothing else is on one side only");
            return;
        }
        let _ = writeln!(text, "\n{} on one side only:", record.gaps.len());
        let rows = record.gaps.iter().map(|(gap, count)| {
            [&gap.vm, &gap.process, &gap.call, &gap.kind, &gap.name]
                .into_iter()
                .cloned()
                .chain([format!("x{count}")])
                .collect::<Vec<_>>()
        });
        let sides = record.gaps.keys().map(|gap| gap.only_in.to_string());
        let rows = sides
            .zip(rows)
            .map(|(side, row)| [vec![side], row].concat());
        columns(text, rows.collect());
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
