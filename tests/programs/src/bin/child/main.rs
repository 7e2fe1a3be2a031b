//! Starts children in every way that Windows has, and each tells by its exit
//! code whether it sees the event that its parent made: `child all`. The other
//! words are for the children: `child report EVENT`, `child trivial`, `child
//! sleep SECONDS`, `child eat MIB SECONDS` for memory, `child tree DEPTH` for a tree of processes; `child alive PID…`
//! and `child kill PID` look at others.

mod others;
mod ways;

use pinion_test_programs::{arguments, last_error, say, usage, wide};
use serde_json::json;
use std::time::Duration;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Threading::{CreateEventW, EVENT_MODIFY_STATE, OpenEventW};

/// A child's exit code when it sees the event.
pub const SEES: u32 = 10;
/// A child's exit code when it does not.
pub const BLIND: u32 = 11;

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["trivial"] => {}
        ["report", event] => report(event),
        ["sleep", seconds] => sleep(seconds),
        ["eat", size, seconds] => eat(size, seconds),
        ["tree", depth] => tree(depth),
        ["all"] => all(),
        ["alive", ref pids @ ..] => others::alive(pids),
        ["kill", pid] => others::kill(pid),
        _ => usage(
            "child all | trivial | report EVENT | sleep SECONDS | eat MIB SECONDS | tree DEPTH | alive PID… | kill PID",
        ),
    }
}

fn report(event: &str) {
    let name = wide(event);
    // SAFETY: the name ends in a zero; a handle is closed once.
    let sees = unsafe {
        let handle = OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr());
        !handle.is_null() && CloseHandle(handle) != 0
    };
    std::process::exit(if sees { SEES } else { BLIND }.cast_signed())
}

fn sleep(seconds: &str) {
    say(&json!({"pid": std::process::id()}));
    std::thread::sleep(Duration::from_secs_f64(seconds.parse().unwrap_or(1.0)));
}

/// Fills so much memory, a quarter of it every other second, and sleeps.
fn eat(size: &str, seconds: &str) {
    say(&json!({"pid": std::process::id()}));
    let quarter = size.parse().unwrap_or(1_usize) << 18;
    let mut all = Vec::new();
    for _ in 0..4 {
        std::thread::sleep(Duration::from_secs(2));
        all.push(vec![1_u8; quarter]);
    }
    std::thread::sleep(Duration::from_secs_f64(seconds.parse().unwrap_or(1.0)));
    std::hint::black_box(&all);
}

/// Starts a child that does the same one level less deep, and waits for it.
fn tree(depth: &str) {
    let depth: u32 = depth.parse().unwrap_or(0);
    say(&json!({"pid": std::process::id(), "depth": depth}));
    if depth > 0
        && let Ok(exe) = std::env::current_exe()
    {
        let child = std::process::Command::new(exe)
            .args(["tree", &(depth - 1).to_string()])
            .status();
        if let Err(error) = child {
            eprintln!("cannot start a child: {error}");
            std::process::exit(3);
        }
    }
}

fn all() {
    let event = format!("pinion-child-{}", std::process::id());
    let name = wide(&event);
    // SAFETY: the name ends in a zero; the event lives until this process ends.
    let made = unsafe { CreateEventW(core::ptr::null(), 1, 0, name.as_ptr()) };
    if made.is_null() {
        eprintln!("cannot create the event: error {}", last_error());
        std::process::exit(3);
    }
    let answers: Vec<_> = ways::ALL
        .iter()
        .map(|(way, start)| match start(&event) {
            Ok(code) => json!({
                "way": way, "started": true, "error": 0, "sees": code == SEES, "exit_code": code,
            }),
            Err(error) => json!({"way": way, "started": false, "error": error, "sees": false}),
        })
        .collect();
    say(&json!({"pid": std::process::id(), "event": event, "ways": answers}));
}
