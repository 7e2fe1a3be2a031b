//! The harness of the end-to-end tests: runs Windows programs on Wine through
//! the real command line, each test with a store of its own. It knows Pinion
//! only by its command line and its JSON.
//!
//! `./x test` sets the variables that name the Wine and the built programs.

mod host;
pub mod pe;
mod program;
mod tiny_disk;
mod world;

pub use host::Host;
pub use program::{Output, Program, Running};
pub use tiny_disk::TinyDisk;
pub use world::World;

use std::time::{Duration, Instant};

/// Asks again and again until the answer is there; panics after `seconds`.
///
/// # Panics
/// When the time is over: `what` did not happen.
pub fn eventually<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            start.elapsed() < Duration::from_secs(seconds),
            "after {seconds} s still not: {what}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}
