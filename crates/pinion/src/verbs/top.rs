//! `pinion top`: the processes of VMs, those that do most first, as it changes.

use super::stats::{CLEAR, SECOND, told};
use crate::failure::{Failure, Outcome};
use crate::sample::{self, rate};
use crate::table::table;
use crate::{output, values, vms};
use pinion_supervisor::control::ProcessInfo;
use serde_json::json;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Instant;

const AFTER: &str = "Examples:
  pinion top             the processes of all running VMs, until Ctrl-C
  pinion top -n 1 web    those of one VM, once

Processor time is told in percent of one processor, over the last second.";

/// Show the processes of running VMs, those that do most first
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// End after so many looks
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// Print JSON, a line for each process
    #[arg(long)]
    json: bool,

    /// Names or ids of VMs; all that run when none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// A process at a moment.
struct Seen {
    vm: String,
    process: ProcessInfo,
    at: Instant,
}

/// Shows them, again and again.
pub fn run(args: &Args) -> Outcome {
    let clears = std::io::stdout().is_terminal() && args.count != Some(1) && !args.json;
    let mut before = look(&args.names)?;
    let mut left = args.count;
    while left != Some(0) {
        std::thread::sleep(SECOND);
        let now = look(&args.names)?;
        show(&before, &now, args.json, clears)?;
        before = now;
        left = left.map(|left| left - 1);
    }
    Ok(0)
}

fn look(names: &[String]) -> Result<HashMap<(String, u32), Seen>, Failure> {
    let mut all = HashMap::new();
    for vm in sample::chosen(names)? {
        // One that ends at this very moment has none.
        let Some(mut client) = vms::connect(&vm)? else {
            continue;
        };
        for process in client.processes().unwrap_or_default() {
            let seen = Seen {
                vm: vm.name().to_string(),
                at: Instant::now(),
                process,
            };
            all.insert((seen.vm.clone(), seen.process.pid), seen);
        }
    }
    Ok(all)
}

type All = HashMap<(String, u32), Seen>;

fn show(before: &All, now: &All, as_json: bool, clears: bool) -> Outcome {
    let cpu = |key: &(String, u32), seen: &Seen| {
        before.get(key).map_or(0.0, |then| {
            rate(
                (then.process.cpu_ms, then.at),
                (seen.process.cpu_ms, seen.at),
            ) / 10.0
        })
    };
    let mut rows: Vec<_> = now
        .iter()
        .map(|(key, seen)| (cpu(key, seen), seen))
        .collect();
    rows.sort_by(|(a, x), (b, y)| {
        let by_name = || (&x.vm, x.process.pid).cmp(&(&y.vm, y.process.pid));
        b.total_cmp(a).then_with(by_name)
    });
    if as_json {
        let line = |(cpu, seen): &(f64, &Seen)| {
            let process = &seen.process;
            let value = json!({
                "vm": seen.vm, "pid": process.pid, "cpu_percent": cpu, "cpu_ms": process.cpu_ms,
                "memory": process.memory, "handles": told(process.handles.into()), "main": process.main,
                "service": process.service, "image": process.image,
            });
            format!("{value}\n")
        };
        return output::text(&rows.iter().map(line).collect::<String>());
    }
    let cells: Vec<_> = rows
        .iter()
        .map(|(cpu, seen)| {
            let process = &seen.process;
            [
                seen.vm.clone(),
                format!("{}{}", process.pid, if process.main { "*" } else { "" }),
                format!("{cpu:.1}%"),
                values::show_size(process.memory),
                told(process.handles.into()).map_or("-".into(), |count| count.to_string()),
                process.service.clone().unwrap_or_default(),
                process.image.clone(),
            ]
        })
        .collect();
    let head = [
        "VM", "PID", "CPU", "MEMORY", "HANDLES", "SERVICE", "PROGRAM",
    ];
    let clear = if clears { CLEAR } else { "" };
    output::text(&format!("{clear}{}", table(head, &cells)))
}
