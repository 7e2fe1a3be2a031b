//! A program to be killed: `victim story FOLDER SEED` changes the files
//! `f0` to `f7` of a folder until it is ended, and says before and after each
//! change what it does. `victim tell FOLDER` prints what the folder has;
//! `victim race FOLDER THREADS ROUNDS` makes one folder from many threads at
//! once, and counts those that did not see it afterwards.

use pinion_test_programs::{arguments, say, usage};
use serde_json::{Map, Value, json};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::windows::fs::FileExt;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().unwrap_or_else(|_| usage("a number"));
    match *words {
        ["story", folder, seed] => story(folder, number(seed)),
        ["tell", folder] => say(&tell(folder).expect("a folder")),
        ["race", folder, threads, rounds] => {
            let unseen = race(folder, number(threads) as usize, number(rounds));
            say(&json!({ "unseen": unseen }));
        }
        _ => usage("victim story FOLDER SEED | tell FOLDER | race FOLDER THREADS ROUNDS"),
    }
}

/// Any numbers, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Each change is one that a kill leaves done or not, as NT does it: `mark F C`
/// writes the first byte in place, `delete F`, `rename F G` over what is there,
/// `make F` an empty file where none is.
fn story(folder: &str, seed: u64) -> ! {
    let mut numbers = Numbers(seed);
    loop {
        let (f, g) = (numbers.below(8), numbers.below(8));
        let mark = b'A' + numbers.below(26) as u8;
        let path = |number: u64| format!("{folder}\\f{number}");
        let (what, done) = match numbers.below(6) {
            0..=2 => tried(&format!("mark f{f} {}", mark as char), || {
                let file = OpenOptions::new().write(true).open(path(f))?;
                file.seek_write(&[mark], 0).map(drop)
            }),
            3 => tried(&format!("delete f{f}"), || fs::remove_file(path(f))),
            4 => tried(&format!("rename f{f} f{g}"), || {
                fs::rename(path(f), path(g))
            }),
            _ => tried(&format!("make f{f}"), || {
                OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(path(f))
                    .map(drop)
            }),
        };
        line(&format!(
            "{} {what}",
            if done { "@done" } else { "@refused" }
        ));
    }
}

fn tried(what: &str, work: impl FnOnce() -> io::Result<()>) -> (String, bool) {
    line(&format!("@try {what}"));
    (what.into(), work().is_ok())
}

fn line(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Each file's length, first byte, and the byte that all others are (or "torn").
fn tell(folder: &str) -> io::Result<Value> {
    let mut files = Map::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = fs::read(entry.path())?;
        let byte = |at: usize| bytes.get(at).map(|&byte| (byte as char).to_string());
        let rest = byte(1).map(|second| {
            let whole = bytes.iter().skip(1).all(|other| *other == bytes[1]);
            if whole { second } else { "torn".into() }
        });
        files.insert(name, json!([bytes.len(), byte(0), rest]));
    }
    Ok(Value::Object(files))
}

/// Makes `folder\<round>` from all threads at once; how often a thread did not
/// see it once it was told that it is there.
fn race(folder: &str, threads: usize, rounds: u64) -> usize {
    let (unseen, barrier) = (AtomicUsize::new(0), Barrier::new(threads));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for round in 0..rounds {
                    let path = format!("{folder}\\{round}");
                    barrier.wait();
                    // Asked before, so that it is known not to be there.
                    let _ = fs::metadata(&path);
                    let there = match fs::create_dir(&path) {
                        Ok(()) => true,
                        Err(error) => error.kind() == ErrorKind::AlreadyExists,
                    };
                    if there && !fs::metadata(&path).is_ok_and(|folder| folder.is_dir()) {
                        unseen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    unseen.into_inner()
}
