//! The system's tables of handles.

use crate::{nt, tables};
use core::ptr::null;
use pinion_test_programs::wide;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use windows_sys::Win32::Foundation::{
    CloseHandle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_PROTECT_FROM_CLOSE, SetHandleInformation,
};
use windows_sys::Win32::System::Threading::CreateEventW;

/// One line of a table: owner, handle, access, attributes.
type Entry = (u64, u64, u64, u64);

/// The owners in both tables, what they tell of an event of this program's, and
/// how they answer to odd buffers.
pub fn all() -> Value {
    let name = wide("pinion-handles");
    let flags = HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE;
    // SAFETY: the name ends in a zero; the handle is ours, and closed once.
    let (event, told) = unsafe {
        let event = CreateEventW(null(), 1, 0, name.as_ptr());
        SetHandleInformation(event, flags, flags);
        let told = [old(), extended()];
        SetHandleInformation(event, flags, 0);
        CloseHandle(event);
        (event.addr() as u64, told)
    };
    let own = u64::from(std::process::id());
    let of_event = |table: &[Entry]| -> Vec<(u64, u64)> {
        let own = table
            .iter()
            .filter(|entry| (entry.0, entry.1) == (own, event));
        own.map(|entry| (entry.2, entry.3)).collect()
    };
    let owners = |table: &[Entry]| -> BTreeSet<u64> { table.iter().map(|entry| entry.0).collect() };
    json!({
        "pid": own,
        "owners": [owners(&told[0]), owners(&told[1])],
        "event": [of_event(&told[0]), of_event(&told[1])],
        "after": [of_event(&old()), of_event(&extended())],
        "odd": tables::of_classes(&[16, 64]),
    })
}

/// Asks for both tables again and again; how often it was answered.
pub fn ask(seconds: &str) -> Value {
    let limit = Duration::from_secs_f64(seconds.parse().unwrap_or(1.0));
    let (start, mut answered) = (Instant::now(), 0);
    while start.elapsed() < limit {
        answered += u32::from(nt::system(16).is_ok() && nt::system(64).is_ok());
    }
    json!({"answered": answered})
}

/// `SystemHandleInformation`.
fn old() -> Vec<Entry> {
    let words = nt::system(16).unwrap_or_else(|_| vec![0]);
    let count = (words[0] & 0xffff_ffff) as usize;
    let entries = words[1..].chunks_exact(3).take(count);
    let entry = |words: &[u64]| {
        let head = words[0];
        (
            head & 0xffff,
            head >> 48,
            words[2] & 0xffff_ffff,
            head >> 40 & 0xff,
        )
    };
    entries.map(entry).collect()
}

/// `SystemExtendedHandleInformation`.
fn extended() -> Vec<Entry> {
    let words = nt::system(64).unwrap_or_else(|_| vec![0, 0]);
    let entries = words[2..].chunks_exact(5).take(words[0] as usize);
    let entry = |words: &[u64]| {
        (
            words[1],
            words[2],
            words[3] & 0xffff_ffff,
            words[4] & 0xffff_ffff,
        )
    };
    entries.map(entry).collect()
}
