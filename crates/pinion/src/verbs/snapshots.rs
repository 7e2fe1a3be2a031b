//! `pinion snapshots`: all snapshots.

use crate::failure::Outcome;
use crate::listing::{Form, list};
use crate::{values, vms};
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
    #[command(flatten)]
    form: Form,
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
    let head = ["NAME", "MADE", "OF", "LAYERS", "COMMAND"];
    let name = |entry: &SnapshotEntry| entry.name().clone();
    let entries = vms::store()?.snapshots()?;
    list(&args.form, entries, name, row, head, cells)
}

fn cells(row: &Row) -> [String; 5] {
    [
        row.name.to_string(),
        row.created_ms.map_or_else(|| "damaged".into(), age),
        row.vm.as_ref().map(VmName::to_string).unwrap_or_default(),
        row.layers.len().to_string(),
        row.command.join(" "),
    ]
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
