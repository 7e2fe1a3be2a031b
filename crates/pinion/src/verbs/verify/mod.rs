//! `pinion verify`: whether VMs are confined on this system, shown by programs
//! that try to get at one another.

mod cast;
mod machines;
mod rounds;

use crate::failure::{Failure, Outcome};
use crate::table::table;
use crate::{output, progress};
use machines::Machines;
use pinion_channels::Channel;
use pinion_probes::{Probe, Report, Result as Found, all};
use pinion_store::exit_code;
use pinion_supervisor::examine;
use std::sync::{Arc, Mutex};

const AFTER: &str = "Examples:
  pinion verify                           all channels; takes a minute or two
  pinion verify --channel pipes --channel sockets
  pinion verify --desktop --channel windows
  pinion verify --json > verify.json

Makes two VMs and lets programs in them and on the host try to get at one another, for each channel in every
way that is known. Results: ok; fail (something leads out of a VM, or does not work in one); absent (this
system does not have it, or it could not be shown to work even without a VM). The VMs are removed at the
end. Ends with 125 when a way failed. A channel that 'pinion channels' calls open fails: it is open.";

/// Show on this system how far VMs are confined
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Only the ways of this channel (see 'pinion channels'); may be given again
    #[arg(long = "channel", value_name = "CHANNEL", value_parser = channel)]
    channels: Vec<Channel>,

    /// Only this probe; may be given again
    #[arg(long = "probe", value_name = "PROBE", hide = true)]
    probes: Vec<String>,

    /// Not by a child, by a service and after a restart
    #[arg(long)]
    quick: bool,

    /// With VMs that have their windows on your desktop
    #[arg(long)]
    desktop: bool,

    /// Only what is not ok
    #[arg(long)]
    failures: bool,
}

fn channel(text: &str) -> Result<Channel, String> {
    let found = Channel::ALL
        .iter()
        .find(|channel| channel.to_string() == text);
    found
        .copied()
        .ok_or_else(|| "no such channel; 'pinion channels' lists them".into())
}

/// Tries all that is asked for, and tells.
pub fn run(args: &Args) -> Outcome {
    let chosen: Vec<&Probe> = all().filter(|probe| is_chosen(args, probe)).collect();
    if chosen.is_empty() {
        return Err(Failure::pinion(
            "there is no probe of what was asked for; see 'pinion channels'",
        ));
    }
    let at = Arc::new(Mutex::new(String::from("starting two VMs")));
    let shown = Arc::clone(&at);
    let telling = progress::telling(move || {
        shown
            .lock()
            .map_or_else(|_| String::new(), |text| text.clone())
    });
    let mut tell = |text: String| {
        if let Ok(mut at) = at.lock() {
            *at = text;
        }
    };
    let mut machines = Machines::start(args.desktop)?;
    let rows = rounds::all(&mut machines, &chosen, args.quick, &mut tell);
    drop(machines);
    drop(telling);
    let report = Report {
        wine: examine::wine_version().map(Into::into),
        rows: rows?,
    };
    if args.json {
        output::json(&report)?;
    } else {
        output::text(&text(&report, args.failures))?;
    }
    Ok(if report.count(Found::Fail) > 0 {
        exit_code::PINION
    } else {
        0
    })
}

fn is_chosen(args: &Args, probe: &Probe) -> bool {
    let channel = args.channels.is_empty() || args.channels.contains(&probe.channel);
    channel && (args.probes.is_empty() || args.probes.iter().any(|name| name == probe.name))
}

fn text(report: &Report, failures: bool) -> String {
    let shown = report
        .rows
        .iter()
        .filter(|row| !failures || row.result == Found::Fail);
    let rows: Vec<_> = shown
        .map(|row| {
            let why = match (row.detail.as_str(), row.todo.as_str()) {
                (detail, "") => detail.to_owned(),
                (detail, todo) => format!("{detail}. {todo}"),
            };
            [
                row.channel.clone(),
                row.way.clone(),
                row.inside.word().into(),
                row.across.word().into(),
                row.host.word().into(),
                row.result.word().into(),
                why,
            ]
        })
        .collect();
    let head = [
        "CHANNEL",
        "WAY",
        "WORKS INSIDE",
        "CLOSED ACROSS",
        "CLOSED TO HOST",
        "RESULT",
        "WHY",
    ];
    table(head, &rows) + &report.summary()
}
