//! `pinion logs`: what programs in the background wrote, and what the
//! supervisor has to say.

use crate::failure::{Failure, Outcome};
use crate::{output, vms};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

const AFTER: &str = "Examples:
  pinion logs web
  pinion logs -f web               as it comes, until the VM ends
  pinion logs --supervisor web     what was refused or failed, and why

A program in the foreground writes to its console, not here.";

/// Show the output of a VM's background programs
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Go on as it comes, until the VM ends
    #[arg(short, long)]
    follow: bool,

    /// Show the supervisor's own log
    #[arg(long)]
    supervisor: bool,

    /// Name or id of the VM
    name: String,
}

const PAUSE: Duration = Duration::from_millis(100);

/// Copies the log to stdout.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.name)?;
    let path = if args.supervisor {
        vm.supervisor_log()
    } else {
        vm.output_log()
    };
    let mut file: Option<File> = None;
    loop {
        // Asked before reading: what is written before the end is read after it.
        let running = args.follow && vm.is_running().unwrap_or(false);
        if file.is_none() {
            file = open(&path)?;
        }
        if let Some(file) = &mut file {
            copy(file, &path)?;
        }
        if !running {
            return Ok(0);
        }
        std::thread::sleep(PAUSE);
    }
}

/// A VM that wrote nothing has no log.
fn open(path: &Path) -> Result<Option<File>, Failure> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn copy(file: &mut File, path: &Path) -> Result<(), Failure> {
    let mut buffer = vec![0; 0x1_0000];
    loop {
        match file
            .read(&mut buffer)
            .map_err(|error| unreadable(path, &error))?
        {
            0 => return Ok(()),
            count => output::bytes(&buffer[..count])?,
        };
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::pinion(format!("cannot read the log {}: {error}", path.display()))
}
