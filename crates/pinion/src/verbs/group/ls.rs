//! `pinion group ls`: all groups that were up at least once.

use crate::failure::Outcome;
use crate::group::control::Client;
use crate::group::place::Place;
use crate::listing::{self, Form};
use crate::vms;
use serde::Serialize;

const AFTER: &str = "Example:
  pinion group ls";

/// List groups
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    form: Form,
}

#[derive(Serialize)]
struct Row {
    name: String,
    state: String,
    serving: usize,
    wanted: u32,
    front: Option<std::net::SocketAddr>,
}

/// Prints them.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    let places = store.groups()?.into_iter();
    let places: Vec<Place> = places.map(|name| Place::new(store.clone(), name)).collect();
    let row = |place: Place| {
        let status = place
            .runs()
            .then(|| Client::connect(&place).ok()?.status().ok())
            .flatten();
        Row {
            name: place.name.to_string(),
            state: status
                .as_ref()
                .map_or("down".into(), |status| status.state.clone()),
            serving: status.as_ref().map_or(0, |status| status.serving),
            wanted: status.as_ref().map_or(0, |status| status.wanted),
            front: status.map(|status| status.front),
        }
    };
    listing::list(
        &args.form,
        places,
        |place| place.name.clone(),
        row,
        ["NAME", "STATE", "SERVING", "FRONT"],
        |row| {
            [
                row.name.clone(),
                row.state.clone(),
                format!("{}/{}", row.serving, row.wanted),
                row.front.map(|front| front.to_string()).unwrap_or_default(),
            ]
        },
    )
}
