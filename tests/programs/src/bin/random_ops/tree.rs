//! The trees: planted with what chance says, and told as a whole.

use super::chance::Chance;
use super::keys;
use super::nt::{content, time};
use core::ptr::null_mut;
use pinion_test_programs::wide;
use std::fs;
use std::io::Write;
use std::os::windows::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use windows_sys::Win32::System::Registry::{
    HKEY, KEY_READ, RegCloseKey, RegOpenKeyExW, RegSetValueExW,
};

const FOLDERS: &[&str] = &[
    "",
    "d1",
    "d1\\d2",
    "d2",
    "Sub folder",
    "Sub folder\\d1",
    "d3",
];
const FILES: &[&str] = &[
    "a",
    "b",
    "C.txt",
    "A long name of a file.text",
    "é.dat",
    ".dot",
];
const KEYS: &[&str] = &[
    "",
    "k1",
    "k1\\k2",
    "k2",
    "K three",
    "K three\\k1",
    "k2\\k2\\é",
];
const VALUES: &[&str] = &["", "v1", "v2", "a longer name of a value"];

/// Makes the folder and the key, with files and values that are of the seed.
pub fn plant(seed: u64, folder: &str, key: &str) {
    let mut chance = Chance::new(seed, u64::MAX);
    for (at, below) in FOLDERS.iter().enumerate() {
        if at > 0 && chance.percent(15) {
            continue;
        }
        let folder = Path::new(folder).join(below);
        fs::create_dir_all(&folder).expect("a folder");
        for name in FILES {
            if chance.percent(55) {
                plant_file(&mut chance, &folder.join(name));
            }
        }
    }
    for (at, below) in KEYS.iter().enumerate() {
        if at > 0 && chance.percent(15) {
            continue;
        }
        let key = keys::open_or_make(format!("{key}\\{below}").trim_end_matches('\\'));
        for name in VALUES {
            if chance.percent(50) {
                plant_value(&mut chance, key, name);
            }
        }
        // SAFETY: the key was opened above and is closed once.
        unsafe { RegCloseKey(key) };
    }
}

fn plant_file(chance: &mut Chance, path: &Path) {
    let length = *chance.one(&[0, 3, 100, 5000, 70_000]);
    fs::write(path, chance.bytes(length)).expect("a file");
    let file = fs::File::options().write(true).open(path).expect("a file");
    let days = Duration::from_secs(86_400 * (12_000 + u64::from(chance.below(1000))));
    file.set_modified(SystemTime::UNIX_EPOCH + days)
        .expect("a time");
    if chance.percent(10) {
        let mut permissions = file.metadata().expect("it is there").permissions();
        permissions.set_readonly(true);
        drop(file);
        fs::set_permissions(path, permissions).expect("an attribute");
    }
}

fn plant_value(chance: &mut Chance, key: HKEY, name: &str) {
    let length = *chance.one(&[2, 4, 20, 500]);
    let kind = *chance.one(&[1, 3, 4]);
    let data = keys::of_kind(kind, chance.bytes(length));
    // SAFETY: the name ends in a zero, the data is as long as told.
    let error = unsafe {
        RegSetValueExW(
            key,
            wide(name).as_ptr(),
            0,
            kind,
            data.as_ptr(),
            data.len() as u32,
        )
    };
    assert_eq!(error, 0, "the value {name}");
}

/// Tells every file and key there is.
pub fn tell(folder: &str, key: &str, out: &mut impl Write) {
    let _ = writeln!(out, "all files");
    tell_folder(Path::new(folder), "@", out);
    let _ = writeln!(out, "all keys");
    tell_key(&keys::open_or_make(""), key, "@", out);
}

fn tell_folder(folder: &Path, shown: &str, out: &mut impl Write) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let _ = writeln!(out, "{shown} {:?}", error.raw_os_error());
            return;
        }
    };
    for entry in entries {
        let Ok(entry) = entry else {
            let _ = writeln!(out, "{shown} an entry without an end");
            return;
        };
        let shown = format!("{shown}\\{}", entry.file_name().to_string_lossy());
        let Ok(metadata) = entry.metadata() else {
            let _ = writeln!(out, "{shown} listed and not there");
            continue;
        };
        let attributes = metadata.file_attributes();
        if metadata.is_dir() {
            let _ = writeln!(out, "{shown} {attributes:x}");
            tell_folder(&entry.path(), &shown, out);
            continue;
        }
        let bytes = match fs::read(entry.path()) {
            Ok(bytes) => content(&bytes),
            Err(error) => format!("{:?}", error.raw_os_error()),
        };
        let (length, changed) = (metadata.len(), time(metadata.last_write_time()));
        let _ = writeln!(out, "{shown} {attributes:x} {length} {changed} {bytes}");
    }
}

fn tell_key(above: &HKEY, path: &str, shown: &str, out: &mut impl Write) {
    let mut key = null_mut();
    // SAFETY: the path ends in a zero; the key is closed once, below.
    let error = unsafe { RegOpenKeyExW(*above, wide(path).as_ptr(), 0, KEY_READ, &raw mut key) };
    if error != 0 {
        let _ = writeln!(out, "{shown} error {error}");
        return;
    }
    let _ = writeln!(out, "{shown} {}", keys::values(key));
    let mut names = keys::subkeys(key);
    names.pop();
    for name in names {
        tell_key(&key, &name, &format!("{shown}\\{name}"), out);
    }
    // SAFETY: the key was opened above and is closed once.
    unsafe { RegCloseKey(key) };
}
