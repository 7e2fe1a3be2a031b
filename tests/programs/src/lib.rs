//! What the test programs share: wide strings, NT declarations, and one JSON
//! line as their only output.
#![cfg(windows)]

pub mod com;
pub mod http;
pub mod nt;
pub mod score;
pub mod services;

use std::io::Write;
use std::os::windows::ffi::OsStrExt;
use std::time::Duration;

/// `text` in UTF-16, ended by a zero.
#[must_use]
pub fn wide(text: &str) -> Vec<u16> {
    std::ffi::OsStr::new(text)
        .encode_wide()
        .chain([0])
        .collect()
}

/// Prints one line of JSON at once, so that a test that waits for it sees it
/// while the program holds on.
pub fn say(value: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}

/// The arguments after the program's name.
#[must_use]
pub fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}

/// Takes `option` and the value that follows it out of `arguments`.
pub fn take_option(arguments: &mut Vec<String>, option: &str) -> Option<String> {
    let at = arguments.iter().position(|argument| argument == option)?;
    arguments.remove(at);
    (at < arguments.len()).then(|| arguments.remove(at))
}

/// Sleeps for the seconds that the option `--hold` gives, if it is there.
pub fn hold(seconds: Option<String>) {
    if let Some(seconds) = seconds.and_then(|text| text.parse().ok()) {
        std::thread::sleep(Duration::from_secs_f64(seconds));
    }
}

/// The calling thread's last Win32 error.
#[must_use]
pub fn last_error() -> u32 {
    // SAFETY: reads a field of the calling thread.
    unsafe { windows_sys::Win32::Foundation::GetLastError() }
}

/// Prints how the program is used and ends with exit code 2.
pub fn usage(text: &str) -> ! {
    eprintln!("usage: {text}");
    std::process::exit(2)
}
