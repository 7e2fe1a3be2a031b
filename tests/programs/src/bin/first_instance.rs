//! Servers of one named pipe that want to be the first: prints as one JSON object
//! the error that each step gave, 0 for a pipe that was made. `first_instance
//! NAME [--hold SECONDS]` keeps a first instance open after that.

use pinion_test_programs::{arguments, hold, last_error, say, take_option, wide};
use serde_json::{Value, json};
use std::ptr::{null, null_mut};
use std::sync::Barrier;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{
    CloseHandle, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, OPEN_EXISTING, ReadFile, WriteFile,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Pipes::{CreateNamedPipeW, GetNamedPipeInfo};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtCreateNamedPipeFile(
        handle: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        io: *mut IO_STATUS_BLOCK,
        share: u32,
        disposition: u32,
        options: u32,
        kind: u32,
        read_mode: u32,
        completion: u32,
        instances: u32,
        inbound: u32,
        outbound: u32,
        timeout: *const i64,
    ) -> NTSTATUS;
}

const IN: u32 = 1;
const OUT: u32 = 2;
const BOTH: u32 = 3;
const FIRST: u32 = FILE_FLAG_FIRST_PIPE_INSTANCE;

/// A pipe's end; closed with the value.
struct End(HANDLE);

impl Drop for End {
    fn drop(&mut self) {
        // SAFETY: a handle of this value's own.
        unsafe { CloseHandle(self.0) };
    }
}

fn make(name: &str, mode: u32) -> Result<End, u32> {
    let name = wide(name);
    // SAFETY: the name ends in a zero; no attributes.
    let handle = unsafe { CreateNamedPipeW(name.as_ptr(), mode, 4, 4, 64, 64, 1000, null()) };
    if handle == INVALID_HANDLE_VALUE {
        Err(last_error())
    } else {
        Ok(End(handle))
    }
}

fn error(made: &Result<End, u32>) -> u32 {
    made.as_ref().err().copied().unwrap_or(0)
}

/// The same by the system call, with the disposition `FILE_CREATE`.
fn native(name: &str) -> Value {
    let units: Vec<u16> = name.replace(r"\\.\", r"\??\").encode_utf16().collect();
    let bytes = units.len() as u16 * 2;
    let string = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        ObjectName: &raw const string,
        Attributes: 0x40,
        ..Default::default()
    };
    let (mut handle, mut io) = (null_mut(), IO_STATUS_BLOCK::default());
    let timeout = -10_000_i64;
    // SAFETY: all pointers are to locals.
    let status = unsafe {
        NtCreateNamedPipeFile(
            &raw mut handle,
            0xC010_0000,
            &raw const attributes,
            &raw mut io,
            3,
            2,
            0x20,
            0,
            0,
            0,
            4,
            64,
            64,
            &raw const timeout,
        )
    };
    if status >= 0 {
        drop(End(handle));
    }
    json!(status.cast_unsigned())
}

/// What a client reads that the server wrote, over a first instance.
fn talk(name: &str) -> Value {
    let Ok(server) = make(name, BOTH | FIRST) else {
        return json!(last_error());
    };
    let path = wide(name);
    let (mut heard, mut count, mut most) = ([0_u8; 4], 0, 0);
    // SAFETY: the path ends in a zero; the buffers are locals of the sizes told.
    unsafe {
        let client = CreateFileW(
            path.as_ptr(),
            0xC000_0000,
            0,
            null(),
            OPEN_EXISTING,
            0,
            null_mut(),
        );
        let client = End(client);
        WriteFile(server.0, b"word".as_ptr(), 4, &raw mut count, null_mut());
        ReadFile(client.0, heard.as_mut_ptr(), 4, &raw mut count, null_mut());
        let (kind, none) = (null_mut(), null_mut());
        GetNamedPipeInfo(server.0, kind, none, none, &raw mut most);
    }
    json!([String::from_utf8_lossy(&heard), most])
}

/// How often, of many rounds, two threads both had the first instance, and how
/// often neither.
fn at_once(name: &str) -> Value {
    const ROUNDS: usize = 200;
    let (start, end) = (Barrier::new(2), Barrier::new(2));
    let run = || {
        let mut made = Vec::new();
        for _ in 0..ROUNDS {
            start.wait();
            let pipe = make(name, BOTH | FIRST);
            end.wait();
            made.push(pipe.is_ok());
            drop(pipe);
        }
        made
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(run);
        (run(), other.join().expect("a thread"))
    });
    let count = |wanted: bool| {
        let pairs = one.iter().zip(&other);
        pairs
            .filter(|(a, b)| **a == wanted && **b == wanted)
            .count()
    };
    json!({ "both": count(true), "rounds": ROUNDS, "neither": count(false) })
}

fn main() {
    let mut arguments = arguments();
    let seconds = take_option(&mut arguments, "--hold");
    let name = format!(r"\\.\pipe\{}", arguments[0]);
    let first = make(&name, BOTH | FIRST);
    let second = make(&name, BOTH | FIRST);
    let plain = make(&name, BOTH);
    let created = native(&name);
    let told = json!({
        "first": error(&first),
        "second": error(&second),
        "plain": error(&plain),
        "native": created,
    });
    drop((first, second, plain));
    let again = make(&name, BOTH | FIRST);
    let mut told = told;
    told["again"] = json!(error(&again));
    drop(again);
    told["native alone"] = native(&name);
    let plain = make(&name, BOTH);
    told["behind a plain one"] = json!(error(&make(&name, BOTH | FIRST)));
    drop(plain);
    for (way, mode) in [("in", IN), ("out", OUT)] {
        let pipe = make(&name, mode | FIRST);
        told[way] = json!([error(&pipe), error(&make(&name, mode | FIRST))]);
    }
    told["no direction"] = json!(error(&make(&name, FIRST)));
    told["long"] = json!(error(&make(
        &format!("{name}{}", "x".repeat(300)),
        BOTH | FIRST
    )));
    told["talk"] = talk(&name);
    told["at once"] = at_once(&name);
    let held = seconds.is_some().then(|| make(&name, BOTH | FIRST));
    told["held"] = json!(held.as_ref().map(error));
    say(&told);
    hold(seconds);
}
