//! The work that benchmarks compare inside and outside a VM. `workload WORK
//! COUNT [ARGUMENT…]` does it COUNT times and prints `{"us": microseconds
//! each}`: `child`, `mutant`, those of [`files`], [`keys`], [`processes`],
//! [`services`] and [`windows`]. `fill` and
//! `keys-fill` make what the others work on; `hold` waits to be ended; `nothing`
//! ends at once.

mod files;
mod keys;
mod processes;
mod services;
mod windows;

use std::ffi::c_void;
use std::process::Command;
use std::ptr::null;
use std::time::Instant;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Threading::CreateMutexW;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let word = |index: usize| arguments.get(index).map_or("", String::as_str);
    let count = word(2).parse::<u32>().unwrap_or(1).max(1);
    let on = word(3);
    let many = || word(4).parse::<u32>().expect("how many there are");
    match word(1) {
        "nothing" => {}
        "hold" => loop {
            std::thread::park();
        },
        "child" => time(count, |_| child()),
        "mutant" => time(count, |_| mutant()),
        "process" => processes::open(count),
        "processes" => time(count, |_| processes::list()),
        "message" => windows::messages(count),
        "message-server" => windows::serve(),
        "service" => services::cycle(count, on),
        "control" => services::controls(count, on),
        "fill" => files::fill(count, on),
        "file" => time(count, |_| files::open(on)),
        "each" => files::each(count, on),
        "absent" => time(count, |_| files::absent(on)),
        "attributes" => time(count, |_| files::attributes(on)),
        "read" => files::read(count, on),
        "write" => files::write(count, on),
        "byte" => time_cold(1, |_| files::byte(on)),
        "list" => {
            let many = many();
            time(count, |_| files::list(on, many));
        }
        "keys-fill" => keys::fill(count, on),
        "keys-remove" => keys::remove(on),
        "key" => time(count, |_| keys::open(on)),
        "key-absent" => time(count, |_| keys::absent(on)),
        "key-query" => keys::query(count, on),
        "key-list" => keys::list(count, on, many()),
        _ => {
            eprintln!("usage: workload WORK COUNT [ARGUMENT…], hold, nothing");
            std::process::exit(2);
        }
    }
}

/// Does `work` once, then `count` times, which are timed. It is told the number
/// of the time, from 0 on.
fn time(count: u32, work: impl Fn(u32)) {
    work(0);
    time_cold(count, work);
}

/// As [`time`], without doing it before.
fn time_cold(count: u32, work: impl Fn(u32)) {
    let start = Instant::now();
    for number in 0..count {
        work(number);
    }
    let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    println!("{{\"us\": {each:.3}}}");
}

fn child() {
    let program = std::env::current_exe().expect("a program knows its path");
    let status = Command::new(program).arg("nothing").status();
    assert!(status.expect("a child starts").success());
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn mutant() {
    let name = wide("pinion-workload");
    // SAFETY: the name ends with a NUL; the handle is closed once.
    unsafe {
        let handle: *mut c_void = CreateMutexW(null(), 0, name.as_ptr());
        assert!(!handle.is_null());
        CloseHandle(handle);
    }
}
