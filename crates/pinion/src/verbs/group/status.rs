//! `pinion group status`: how a group is, once or as it changes.

use super::Shown;
use crate::failure::Outcome;
use crate::group::control::{Client, ReplicaTold, Status};
use crate::group::place::Place;
use crate::{difference, output, table, values};
use std::time::Duration;

const AFTER: &str = "Examples:
  pinion group status web
  pinion group status -f web         again and again, until Ctrl-C or the group's end
  pinion group status --json web";

/// Show how a group and its replicas are
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    shown: Shown,
}

const PAUSE: Duration = Duration::from_secs(1);

/// Prints it.
pub fn run(args: &Args) -> Outcome {
    let place = Place::find(&args.shown.name)?;
    let mut client = Client::connect(&place)?;
    let mut status = client.status()?;
    loop {
        match (args.shown.json, args.shown.follow) {
            (true, false) => return output::json(&status),
            (true, true) => {
                let line = serde_json::to_string(&status).unwrap_or_default();
                output::line(line)?;
            }
            (false, false) => return output::text(&text(&status)),
            // The screen is cleared and written anew.
            (false, true) => drop(output::text(&format!(
                "\u{1b}[H\u{1b}[2J{}",
                text(&status)
            ))?),
        }
        std::thread::sleep(PAUSE);
        match client.status() {
            Ok(next) => status = next,
            Err(_) => return Ok(0),
        }
    }
}

fn text(status: &Status) -> String {
    let figures = &status.figures;
    let mut text = format!(
        "{}: {}, {} at {}, {} of {} serve, {} of {} spares, {} faults\n",
        status.name,
        status.state,
        status.mode,
        status.front,
        status.serving,
        status.wanted,
        status.ready,
        status.spares,
        status.faults
    );
    text += &format!(
        "requests {}  refused {}  failed {}  retried {}  odd {}  undecided {}  connections {}  waiting {}\n\n",
        figures.requests,
        figures.refused,
        figures.failed,
        figures.retried,
        figures.odd,
        figures.undecided,
        figures.connections,
        figures.waiting
    );
    let rows: Vec<_> = status.replicas.iter().map(row).collect();
    text + &table::table(
        [
            "REPLICA", "STATE", "ADDRESS", "AGE", "REQUESTS", "NOW", "CHECKS",
        ],
        &rows,
    )
}

fn row(replica: &ReplicaTold) -> [String; 7] {
    let checks = match replica.bad_checks {
        0 => "ok".into(),
        bad => format!("{bad} bad: {}", difference::plain(&replica.last_bad)),
    };
    [
        replica.vm.to_string(),
        replica.state.clone(),
        replica
            .address
            .map(|address| address.to_string())
            .unwrap_or_default(),
        values::show_age(Duration::from_millis(replica.age_ms)),
        replica.requests.to_string(),
        replica.in_flight.to_string(),
        checks,
    ]
}
