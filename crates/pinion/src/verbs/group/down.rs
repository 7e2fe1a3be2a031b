//! `pinion group down`: ends groups, with all replicas.

use crate::failure::{Failure, Outcome};
use crate::group::control::{Client, Request};
use crate::group::place::Place;
use crate::verbs::for_each;
use crate::{output, progress};
use pinion_store::exit_code;
use std::time::{Duration, Instant};

const AFTER: &str = "Examples:
  pinion group down web
  pinion group down --remove web      with its events and its evidence

Replicas are ended and removed. Events and evidence stay, unless --remove is given. What a group left whose
process was killed is removed, too.";

/// End groups with all replicas
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Remove also events and evidence
    #[arg(long)]
    remove: bool,

    /// Names of groups
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// How long the group's process may take to go after its last word.
const GOING: Duration = Duration::from_secs(30);

/// Ends each and prints its name.
pub fn run(args: &Args) -> Outcome {
    for_each(&args.names, |name| {
        let place = Place::find(name)?;
        let _progress = progress::doing(&format!("ending the group {}", place.name));
        let asked = match Client::connect(&place) {
            Ok(mut client) => client.call(&Request::Down).map(drop),
            Err(_) => Ok(()),
        };
        let end = Instant::now() + GOING;
        while place.runs() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        // One that went before its last word was heard has done what was asked.
        if place.runs() {
            asked?;
            let text = format!("the group '{}' did not end in time; try again", place.name);
            return Err(Failure::new(exit_code::TIMEOUT, text));
        }
        // Nothing is left of one that went by itself.
        if let Some(claim) = place.claim()? {
            place.sweep()?;
            drop(claim);
            if args.remove {
                let _ = std::fs::remove_dir_all(place.folder());
            }
        }
        output::line(&place.name)
    })
}
