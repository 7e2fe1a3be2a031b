//! What changes files.

use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NORMAL, SetFileAttributesW,
};

/// The answer to an operation that is one of these.
pub fn change(words: &[&str]) -> Option<Value> {
    let done = match *words {
        ["write", path, text] => fs::write(path, text),
        ["append", path, text] => fs::OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes())),
        ["delete", path] => fs::remove_file(path),
        ["rename", from, to] => fs::rename(from, to),
        ["make", path] => fs::create_dir(path),
        ["remove", path] => fs::remove_dir(path),
        ["list", path] => fs::read_dir(path).map(|list| {
            list.for_each(drop);
        }),
        ["find", path] => fs::metadata(path).map(drop),
        ["hide", path] => return Some(hide(path)),
        _ => return None,
    };
    Some(match done {
        Ok(()) => json!("done"),
        Err(error) => json!(error.raw_os_error()),
    })
}

/// Changes the attributes to hidden, which Wine keeps nowhere, and back.
fn hide(path: &str) -> Value {
    let path = wide(path);
    // SAFETY: the name ends with a zero.
    let done = unsafe {
        SetFileAttributesW(path.as_ptr(), FILE_ATTRIBUTE_HIDDEN) != 0
            && SetFileAttributesW(path.as_ptr(), FILE_ATTRIBUTE_NORMAL) != 0
    };
    if done {
        json!("done")
    } else {
        json!(last_error())
    }
}
