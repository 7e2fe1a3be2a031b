//! Rows of figures, for people and for machines.

use anyhow::Result;
use comfy_table::Table;
use serde::Serialize;
use std::path::Path;

/// One figure inside against outside. `ratio` is inside divided by outside.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub name: String,
    pub wine: String,
    pub inside: f64,
    pub outside: f64,
    pub unit: &'static str,
    pub ratio: f64,
    pub runs: usize,
}

/// All rows of a run.
pub struct Report {
    wine: String,
    rows: Vec<Row>,
}

impl Report {
    /// No rows yet, on `wine`.
    pub fn new(wine: String) -> Self {
        Self {
            wine,
            rows: Vec::new(),
        }
    }

    /// Adds the medians of `inside` and `outside`.
    pub fn add(&mut self, name: &str, unit: &'static str, inside: &[f64], outside: &[f64]) {
        let (runs, inside, outside) = (inside.len(), median(inside), median(outside));
        let row = Row {
            name: name.into(),
            wine: self.wine.clone(),
            inside,
            outside,
            unit,
            ratio: inside / outside,
            runs,
        };
        eprintln!(
            "  {name}: {:.3} against {:.3} {unit}",
            row.inside, row.outside
        );
        self.rows.push(row);
    }

    /// Prints the table.
    pub fn print(&self) {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["benchmark", "inside", "outside", "unit", "ratio", "runs"]);
        for row in &self.rows {
            table.add_row([
                row.name.clone(),
                format!("{:.3}", row.inside),
                format!("{:.3}", row.outside),
                row.unit.into(),
                format!("{:.3}", row.ratio),
                row.runs.to_string(),
            ]);
        }
        println!("{}\n{table}", self.wine);
    }

    /// Writes the rows as JSON.
    pub fn write(&self, file: Option<&Path>) -> Result<()> {
        if let Some(file) = file {
            std::fs::write(file, serde_json::to_string_pretty(&self.rows)? + "\n")?;
        }
        Ok(())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}
