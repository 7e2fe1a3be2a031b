//! The work that benchmarks compare inside and outside a VM: `workload child
//! N`, `mutant N`, `file N`, `key N` print `{"us": microseconds each}`; `hold`
//! waits to be ended; `nothing` ends at once.

use std::ffi::c_void;
use std::process::Command;
use std::ptr::null;
use std::time::Instant;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, KEY_READ, RegCloseKey, RegOpenKeyExW,
};
use windows_sys::Win32::System::Threading::CreateMutexW;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let word = |index: usize| arguments.get(index).map_or("", String::as_str);
    let count = word(2).parse::<u32>().unwrap_or(1).max(1);
    match word(1) {
        "nothing" => {}
        "hold" => loop {
            std::thread::park();
        },
        "child" => time(count, child),
        "mutant" => time(count, mutant),
        "file" => time(count, file),
        "key" => time(count, key),
        _ => {
            eprintln!("usage: workload child|mutant|file|key COUNT, hold, nothing");
            std::process::exit(2);
        }
    }
}

fn time(count: u32, work: fn()) {
    work();
    let start = Instant::now();
    for _ in 0..count {
        work();
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

fn file() {
    let file = std::fs::File::open("C:\\windows\\system32\\kernel32.dll");
    drop(file.expect("every Windows has it"));
}

fn key() {
    let path = wide("SOFTWARE\\Microsoft\\Windows\\CurrentVersion");
    let mut key = std::ptr::null_mut();
    // SAFETY: the path ends with a NUL; the key is closed once.
    unsafe {
        let error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.as_ptr(), 0, KEY_READ, &raw mut key);
        assert_eq!(error, 0);
        RegCloseKey(key);
    }
}
