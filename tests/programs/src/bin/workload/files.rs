//! Work on files. A folder that `fill` made has the files `f0`, `f1`, ….

use super::time_cold;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::windows::fs::FileExt;

/// How much is read or written at a time, in bytes.
const BLOCK: usize = 4096;

/// Writes the first `count` files of the folder, made if it is not there; those
/// that are there get new content.
pub fn fill(count: u32, folder: &str) {
    fs::create_dir_all(folder).expect("a folder");
    for number in 0..count {
        fs::write(path(folder, number), [b'x'; BLOCK]).expect("written");
    }
}

fn path(folder: &str, number: u32) -> String {
    format!("{folder}\\f{number}")
}

/// Opens and closes one file.
pub fn open(path: &str) {
    drop(File::open(path).expect("a file"));
}

/// Opens and closes each of the folder's first files, once.
pub fn each(count: u32, folder: &str) {
    time_cold(count, |number| open(&path(folder, number)));
}

/// Fails to open a file that is not there.
pub fn absent(path: &str) {
    let error = File::open(path).expect_err("no file");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Asks for a file's attributes by its name.
pub fn attributes(path: &str) {
    fs::metadata(path).expect("a file");
}

/// Reads the beginning of an open file.
pub fn read(count: u32, path: &str) {
    let file = File::open(path).expect("a file");
    super::time(count, |_| {
        let mut block = [0; BLOCK];
        assert_eq!(file.seek_read(&mut block, 0).expect("read"), BLOCK);
    });
}

/// Writes the beginning of an open file.
pub fn write(count: u32, path: &str) {
    let file = OpenOptions::new().write(true).open(path).expect("a file");
    super::time(count, |_| {
        assert_eq!(file.seek_write(&[b'y'; BLOCK], 0).expect("written"), BLOCK);
    });
}

/// Lists the folder, which has `many` entries.
pub fn list(folder: &str, many: u32) {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.count(), many as usize);
}

/// Writes one byte in the midst of a file, in place.
pub fn byte(path: &str) {
    let file = OpenOptions::new().write(true).open(path).expect("a file");
    let middle = file.metadata().expect("its length").len() / 2;
    assert_eq!(file.seek_write(b"!", middle).expect("written"), 1);
}
