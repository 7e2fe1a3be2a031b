//! References to objects as bytes, which a program may hand to any other.

use std::ptr::{null, null_mut};
use std::time::Duration;

use pinion_test_programs::com::{Object, method, release, shown};
use pinion_test_programs::say;
use serde_json::{Value, json};
use windows_sys::Win32::System::Com::Marshal::{CoMarshalInterface, CoUnmarshalInterface};
use windows_sys::Win32::System::Com::StructuredStorage::CreateStreamOnHGlobal;
use windows_sys::Win32::System::Com::{MSHCTX_LOCAL, MSHLFLAGS_TABLESTRONG, STREAM_SEEK_SET};

use crate::object::{PERSIST_FILE, TAG, object};
use crate::who_by;

/// Places of a stream's methods.
const READ: usize = 3;
const WRITE: usize = 4;
const SEEK: usize = 5;

type Move = unsafe extern "system" fn(Object, *mut u8, u32, *mut u32) -> i32;
type Seek = unsafe extern "system" fn(Object, i64, u32, *mut u64) -> i32;

fn stream() -> Object {
    let mut stream = null_mut();
    // SAFETY: memory of the stream's own; a local.
    unsafe { CreateStreamOnHGlobal(null_mut(), 1, &raw mut stream) };
    stream
}

unsafe fn to_start(stream: Object) {
    // SAFETY: the caller's promise: a live stream.
    unsafe { method::<Seek>(stream, SEEK)(stream, 0, STREAM_SEEK_SET, null_mut()) };
}

/// Prints a reference and lives on.
pub fn marshal(tag: &str, seconds: u64) -> Value {
    let _ = TAG.set(tag.to_owned());
    let mut bytes = [0_u8; 1024];
    let mut count = 0;
    // SAFETY: a live stream, an object that lives as long as the process, locals.
    let result = unsafe {
        let stream = stream();
        let result = CoMarshalInterface(
            stream,
            &PERSIST_FILE,
            object(),
            MSHCTX_LOCAL as u32,
            null(),
            MSHLFLAGS_TABLESTRONG as u32,
        );
        to_start(stream);
        let read = method::<Move>(stream, READ);
        read(stream, bytes.as_mut_ptr(), 1024, &raw mut count);
        result
    };
    let hex: String = bytes
        .iter()
        .take(count as usize)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    say(&json!({ "result": shown(result), "reference": hex }));
    std::thread::sleep(Duration::from_secs(seconds));
    json!({ "end": true })
}

/// Asks the object of a reference.
pub fn unmarshal(hex: &str) -> Value {
    let mut bytes: Vec<u8> = (0..hex.len() / 2)
        .filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok())
        .collect();
    let (mut count, mut object) = (0, null_mut());
    // SAFETY: a live stream, bytes of the size told, locals; the object is ours.
    unsafe {
        let stream = stream();
        let write = method::<Move>(stream, WRITE);
        write(
            stream,
            bytes.as_mut_ptr(),
            bytes.len() as u32,
            &raw mut count,
        );
        to_start(stream);
        let result = CoUnmarshalInterface(stream, &PERSIST_FILE, &raw mut object);
        release(stream);
        who_by(result, object, &PERSIST_FILE)
    }
}
