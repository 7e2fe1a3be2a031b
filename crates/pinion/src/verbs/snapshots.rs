//! `pinion snapshots`: all snapshots.

use crate::failure::Outcome;
use crate::table::table;
use crate::{output, values, vms};
use pinion_store::{LayerId, SnapshotEntry, SnapshotId, VmName};
use serde::Serialize;
use std::time::{Duration, UNIX_EPOCH};

const AFTER: &str = "Examples:
  pinion snapshots
  pinion snapshots -q          names only
  pinion snapshots --json";

/// List the snapshots
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print names only
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    name: VmName,
    id: Option<SnapshotId>,
    created_ms: Option<u64>,
    vm: Option<VmName>,
    layers: Vec<LayerId>,
    command: Vec<String>,
    damage: Option<String>,
}

/// Lists them by name, damaged ones too.
pub fn run(args: &Args) -> Outcome {
    let entries = vms::store()?.snapshots()?;
    if args.quiet {
        let names: String = entries.iter().map(|e| format!("{}\n", e.name())).collect();
        return output::text(&names);
    }
    let rows: Vec<Row> = entries.into_iter().map(row).collect();
    if args.json {
        return output::json(&rows);
    }
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            let made = row.created_ms.map_or_else(|| "damaged".into(), age);
            let vm = row.vm.as_ref().map(VmName::to_string).unwrap_or_default();
            let layers = row.layers.len().to_string();
            [
                row.name.to_string(),
                made,
                vm,
                layers,
                row.command.join(" "),
            ]
        })
        .collect();
    output::text(&table(["NAME", "MADE", "OF", "LAYERS", "COMMAND"], &cells))
}

fn age(created_ms: u64) -> String {
    let made = UNIX_EPOCH + Duration::from_millis(created_ms);
    values::show_age(made.elapsed().unwrap_or_default())
}

fn row(entry: SnapshotEntry) -> Row {
    match entry {
        SnapshotEntry::Snapshot(snapshot) => {
            let record = snapshot.record().clone();
            Row {
                name: record.name,
                id: Some(record.id),
                created_ms: Some(record.created_ms),
                vm: record.vm,
                layers: record.layers,
                command: record.command,
                damage: None,
            }
        }
        SnapshotEntry::Damaged { name, error } => Row {
            name,
            id: None,
            created_ms: None,
            vm: None,
            layers: Vec::new(),
            command: Vec::new(),
            damage: Some(error.to_string()),
        },
    }
}
