//! `pinion group up`: starts the group's process, and waits until its replicas serve.

use crate::failure::{Failure, Outcome};
use crate::group::control::{Client, Status};
use crate::group::keep::{self, Ready};
use crate::group::place::Place;
use crate::group::plan;
use crate::{output, progress, values, vms};
use pinion_store::exit_code;
use pinion_supervisor::spawn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const AFTER: &str = "Examples:
  pinion group up web.toml
  pinion group up --wait 5 web.toml      do not wait longer than 5 s

Exit code 0: all replicas serve. 124: not in the time allowed; the group is up all the same, and goes on
trying. 121: it is up already, or its address is taken. 2: the file is not sound.";

/// Start a group in the background
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// How long to wait for the replicas
    #[arg(short, long, value_name = "SECONDS", default_value = "60", value_parser = values::seconds)]
    wait: Duration,

    /// The group's file
    file: String,
}

/// How long the process may take until its front listens.
const READY: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
/// So many failed starts in a row, and there is no use in waiting.
const HOPELESS: u32 = 4;

/// Starts it and prints its name.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    let text = plan::read(&args.file)?;
    let checked = plan::checked(&store, &args.file, text)?;
    let place = Place::new(store, checked.name.clone());
    if place.runs() {
        return Err(keep::running(&place.name));
    }
    let plan = plan::plan(&place.store, checked)?;
    std::fs::create_dir_all(place.folder()).map_err(|error| {
        Failure::pinion(format!("cannot make {}: {error}", place.folder().display()))
    })?;
    place.set_plan(&plan)?;
    start(&place)?;
    wait(&place, args.wait)?;
    output::line(&place.name)
}

fn start(place: &Place) -> Result<(), Failure> {
    let _progress = progress::doing(&format!("starting the group {}", place.name));
    let exe = std::env::current_exe()
        .map_err(|error| Failure::pinion(format!("cannot find pinion.exe's own path: {error}")))?;
    let line = format!("{} {}", keep::VERB, place.name);
    let told = spawn::in_background(&exe, &line, place.store.root(), READY)?;
    let ready: Option<Ready> = told.and_then(|line| serde_json::from_slice(&line).ok());
    match ready {
        Some(Ready { failed: None }) => Ok(()),
        Some(Ready {
            failed: Some((code, why)),
        }) => Err(Failure::new(code, why)),
        None => Err(Failure::pinion(format!(
            "the process of the group '{}' ended before it was ready; try again",
            place.name
        ))),
    }
}

/// Waits until all replicas serve.
fn wait(place: &Place, time: Duration) -> Result<(), Failure> {
    let seen = Arc::new(Mutex::new(String::new()));
    let shown = Arc::clone(&seen);
    let _progress =
        progress::telling(move || shown.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let mut client = Client::connect(place)?;
    let end = Instant::now() + time;
    loop {
        let status = client.status()?;
        if status.serving >= status.wanted as usize {
            return Ok(());
        }
        let text = format!(
            "{}: {} of {} replicas serve",
            place.name, status.serving, status.wanted
        );
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&text);
        if status.failures >= HOPELESS {
            return Err(not_up(place, &status, exit_code::PINION));
        }
        if Instant::now() >= end {
            return Err(not_up(place, &status, exit_code::TIMEOUT));
        }
        std::thread::sleep(PAUSE);
    }
}

fn not_up(place: &Place, status: &Status, code: i32) -> Failure {
    let text = format!(
        "{} of {} replicas of the group '{}' serve; it is up and goes on trying: see 'pinion group events {}', or end it with 'pinion group down {}'",
        status.serving, status.wanted, place.name, place.name, place.name
    );
    Failure::new(code, text)
}
