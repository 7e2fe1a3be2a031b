//! `pinion stats`: what VMs use, as it changes.

use crate::failure::Outcome;
use crate::figures::Figures;
use crate::sample::{self, rate};
use crate::table::table;
use crate::{output, values};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const AFTER: &str = "Examples:
  pinion stats                     all running VMs, until Ctrl-C
  pinion stats --no-stream web     one second of one VM
  pinion stats --json              an object on each line, once a second

Processor time is told in percent of one processor, over the last second. Events are counted while the VM
records ('pinion trace').";

/// Show what running VMs use: processor, memory, processes, handles, events
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Show one second and end
    #[arg(long)]
    no_stream: bool,

    /// Print JSON, a line for each VM
    #[arg(long)]
    json: bool,

    /// Names or ids of VMs; all that run when none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// How long lies between two looks.
pub const SECOND: Duration = Duration::from_secs(1);

/// What puts a terminal's cursor home and clears what is there.
pub const CLEAR: &str = "\u{1b}[H\u{1b}[J";

/// Shows them, again and again.
pub fn run(args: &Args) -> Outcome {
    let mut before: HashMap<String, (Figures, Instant)> = HashMap::new();
    let clears = std::io::stdout().is_terminal() && !args.no_stream && !args.json;
    loop {
        let is_first = before.is_empty();
        let vms = sample::chosen(&args.names)?;
        let now: Vec<_> = vms.iter().map(sample::figures).collect();
        if !is_first {
            let rows: Vec<_> = now.iter().filter(|(vm, _)| vm.up).collect();
            let rows = rows
                .into_iter()
                .map(|now| Row::new(before.get(&now.0.id), now));
            show(&rows.collect::<Vec<_>>(), args.json, clears)?;
            if args.no_stream {
                return Ok(0);
            }
        }
        before = now.into_iter().map(|one| (one.0.id.clone(), one)).collect();
        if before.is_empty() && args.no_stream {
            return show(&[], args.json, clears);
        }
        std::thread::sleep(SECOND);
    }
}

/// A count of handles, where the system tells one.
pub fn told(handles: u64) -> Option<u64> {
    (handles > 0).then_some(handles)
}

struct Row {
    vm: Figures,
    cpu: f64,
    events: f64,
    refused: f64,
}

impl Row {
    fn new(before: Option<&(Figures, Instant)>, (now, at): &(Figures, Instant)) -> Self {
        let grown = |count: fn(&Figures) -> u64| {
            before.map_or(0.0, |(before, then)| {
                rate((count(before), *then), (count(now), *at))
            })
        };
        Self {
            cpu: grown(|vm| vm.cpu_ms) / 10.0,
            events: grown(|vm| vm.events),
            refused: grown(|vm| vm.refused),
            vm: now.clone(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.vm.vm, "id": self.vm.id, "cpu_percent": self.cpu, "cpu_ms": self.vm.cpu_ms,
            "memory": self.vm.memory, "processes": self.vm.processes, "handles": told(self.vm.handles),
            "recording": self.vm.recording, "events": self.vm.events, "events_per_second": self.events,
            "events_lost": self.vm.lost, "refused": self.vm.refused, "refused_per_second": self.refused,
        })
    }

    fn cells(&self) -> [String; 8] {
        let events = if self.vm.recording {
            format!("{:.0}", self.events)
        } else {
            "-".into()
        };
        [
            self.vm.vm.clone(),
            format!("{:.1}%", self.cpu),
            values::show_size(self.vm.memory),
            self.vm.processes.to_string(),
            told(self.vm.handles).map_or("-".into(), |count| count.to_string()),
            events,
            self.vm.refused.to_string(),
            self.vm.lost.to_string(),
        ]
    }
}

fn show(rows: &[Row], as_json: bool, clears: bool) -> Outcome {
    if as_json {
        let lines: String = rows.iter().map(|row| format!("{}\n", row.json())).collect();
        return output::text(&lines);
    }
    let cells: Vec<_> = rows.iter().map(Row::cells).collect();
    let head = [
        "NAME",
        "CPU",
        "MEMORY",
        "PROCESSES",
        "HANDLES",
        "EVENTS/S",
        "REFUSED",
        "LOST",
    ];
    let clear = if clears { CLEAR } else { "" };
    output::text(&format!("{clear}{}", table(head, &cells)))
}
