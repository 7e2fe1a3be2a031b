//! `pinion group events`: what happened in a group.

use super::Shown;
use crate::failure::{Failure, Outcome};
use crate::group::events::{Told, older};
use crate::group::place::Place;
use crate::{difference, output};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

const AFTER: &str = "Examples:
  pinion group events web
  pinion group events -f web          as it comes, until the group goes down
  pinion group events --json web      a line of JSON each

A replica that is discarded for a fault is told with the folder of its evidence.";

/// Show what happened in a group
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    shown: Shown,
}

const PAUSE: Duration = Duration::from_millis(100);

/// Prints them.
pub fn run(args: &Args) -> Outcome {
    let place = Place::find(&args.shown.name)?;
    let path = place.events();
    if let Ok(file) = File::open(older(&path)) {
        show(
            &mut BufReader::new(file),
            args.shown.json,
            &mut String::new(),
        )?;
    }
    let file = File::open(&path).map_err(|error| {
        Failure::pinion(format!(
            "cannot read the events {}: {error}",
            path.display()
        ))
    })?;
    let (mut file, mut begun) = (BufReader::new(file), String::new());
    loop {
        // Asked before reading: what is written before the end is read after it.
        let runs = args.shown.follow && place.runs();
        show(&mut file, args.shown.json, &mut begun)?;
        if !runs {
            return Ok(0);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Prints whole lines; of one that is being written the beginning is kept in `begun`.
fn show(file: &mut impl BufRead, json: bool, begun: &mut String) -> Outcome {
    loop {
        let read = file.read_line(begun);
        if !matches!(read, Ok(1..)) || !begun.ends_with('\n') {
            return Ok(0);
        }
        let line = std::mem::take(begun);
        if json {
            output::text(&line)?;
        } else if let Ok(told) = serde_json::from_str::<Told>(&line) {
            output::line(text(&told))?;
        }
    }
}

fn text(told: &Told) -> String {
    let seconds = told.at_ms / 1000;
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    let mut text = format!(
        "{hours:02}:{minutes:02}:{:02}.{:03}  {}",
        seconds % 60,
        told.at_ms % 1000,
        told.event
    );
    if let Some(replica) = told.replica {
        text += &format!(" {replica}");
    }
    for (before, more) in [
        ("  ", &told.why),
        (": ", &told.detail),
        ("; evidence: ", &told.evidence),
    ] {
        if !more.is_empty() {
            text += before;
            text += &difference::plain(more);
        }
    }
    text
}
