//! `pinion.exe`, the command line: reads what is asked, has one verb do it, and
//! ends with its exit code. Everything of substance is in the floors below.
#![cfg_attr(not(windows), allow(dead_code))]

mod copy;
mod environment;
mod failure;
mod figures;
mod health;
mod image;
mod options;
mod profiles;
mod table;
mod values;

#[cfg(windows)]
mod difference;
#[cfg(windows)]
mod foreground;
#[cfg(windows)]
mod group;
#[cfg(windows)]
mod host_names;
#[cfg(windows)]
mod listing;
#[cfg(windows)]
mod output;
#[cfg(windows)]
mod plan;
mod policies;
#[cfg(windows)]
mod program;
#[cfg(windows)]
mod progress;
#[cfg(windows)]
mod sample;
#[cfg(windows)]
mod shares;
#[cfg(windows)]
mod verbs;
#[cfg(windows)]
mod vms;

#[cfg(windows)]
fn main() {
    let code = match verbs::dispatch() {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("pinion: {failure}");
            failure.code
        }
    };
    std::process::exit(code)
}

#[cfg(not(windows))]
fn main() {
    eprintln!("pinion: this program runs on Windows (or Wine) only");
    std::process::exit(pinion_store::exit_code::CANNOT_RUN)
}
