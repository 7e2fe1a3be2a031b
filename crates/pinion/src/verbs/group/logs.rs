//! `pinion group logs`: what the replicas' programs wrote.

use super::Shown;
use crate::failure::{Failure, Outcome};
use crate::group::control::Client;
use crate::group::place::Place;
use crate::{difference, output};
use pinion_store::exit_code;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

const AFTER: &str = "Examples:
  pinion group logs web
  pinion group logs -f web
  pinion group logs --replica 7 web

Of replicas that are there. A removed one's log is in its evidence.";

/// Show the output of a group's replicas
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Only this replica's
    #[arg(long, value_name = "NUMBER")]
    replica: Option<u32>,

    #[command(flatten)]
    shown: Shown,
}

const PAUSE: Duration = Duration::from_millis(200);

/// Prints lines with the replica's number before them.
pub fn run(args: &Args) -> Outcome {
    let place = Place::find(&args.shown.name)?;
    let mut client = Client::connect(&place)?;
    let mut logs: BTreeMap<u32, (BufReader<File>, String)> = BTreeMap::new();
    loop {
        let Ok(status) = client.status() else {
            return Ok(0);
        };
        let wanted = |replica: u32| args.replica.is_none_or(|only| only == replica);
        if let Some(only) = args.replica
            && !status
                .replicas
                .iter()
                .any(|replica| replica.replica == only)
        {
            let text = format!("the group '{}' has no replica {only} now", place.name);
            return Err(Failure::new(exit_code::NO_SUCH_VM, text));
        }
        for replica in status
            .replicas
            .iter()
            .filter(|replica| wanted(replica.replica))
        {
            if !logs.contains_key(&replica.replica)
                && let Ok(vm) = place.store.load(&replica.vm)
                && let Ok(file) = File::open(vm.output_log())
            {
                logs.insert(replica.replica, (BufReader::new(file), String::new()));
            }
        }
        for (replica, (file, begun)) in &mut logs {
            show(*replica, file, begun, args)?;
        }
        logs.retain(|replica, _| {
            status
                .replicas
                .iter()
                .any(|other| other.replica == *replica)
        });
        if !args.shown.follow {
            return Ok(0);
        }
        std::thread::sleep(PAUSE);
    }
}

fn show(replica: u32, file: &mut impl BufRead, begun: &mut String, args: &Args) -> Outcome {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if !matches!(file.read_until(b'\n', &mut bytes), Ok(1..)) {
            return Ok(0);
        }
        begun.push_str(&String::from_utf8_lossy(&bytes));
        if !begun.ends_with('\n') && args.shown.follow {
            return Ok(0);
        }
        let line = std::mem::take(begun);
        let line = line.trim_end_matches(['\r', '\n']);
        if args.shown.json {
            output::line(serde_json::json!({"replica": replica, "line": line}))?;
        } else {
            output::line(format!("{replica}: {}", difference::plain(line)))?;
        }
    }
}
