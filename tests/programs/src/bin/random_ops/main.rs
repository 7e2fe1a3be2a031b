//! The same random operations on files and keys, wherever it runs: what each
//! call answers goes to standard output, line by line, so that two runs can be
//! compared. Nothing that differs between two equal trees is told: no numbers
//! of files, no recent times, and the folder and the key are written as `@`.
//!
//!     random_ops plant SEED PROCESSES (FOLDER KEY)…
//!     random_ops run SEED PROCESSES COUNT FOLDER KEY
//!     random_ops one SEED INDICES FOLDER KEY
//!     random_ops only SEED INDICES FOLDER KEY
//!     random_ops together SEED PROCESSES INDICES FOLDER KEY
//!     random_ops tell FOLDER KEY
//!
//! `plant` makes the trees, in subfolders and subkeys `0` to PROCESSES - 1, and
//! tells the first. `run` runs that many processes at once, each in its own,
//! COUNT operations each, and then tells all that is there. `one` carries out
//! the operations INDICES (`0-99,120`) in FOLDER and KEY themselves, `only` does
//! and tells all; so does `together`, by so many processes in turn in the same
//! FOLDER and KEY. KEY is below `HKEY_CURRENT_USER`. An operation depends on the
//! seed and its index alone, so that some can be left out.

mod chance;
mod files;
mod keys;
mod listing;
mod nt;
mod paths;
mod together;
mod tree;

use chance::Chance;
use files::Files;
use keys::Keys;
use pinion_test_programs::{arguments, usage};
use std::io::Write;
use std::process::{Command, Stdio};

/// Of a hundred operations, how many are on files.
const ON_FILES: u32 = 65;

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["plant", seed, processes, folder, key, ..] => {
            for place in words[3..].chunks_exact(2) {
                plant(number(seed), number(processes), place[0], place[1]);
            }
            tell(folder, key);
        }
        ["run", seed, processes, count, folder, key] => {
            several(number(seed), number(processes), number(count), folder, key);
            tell(folder, key);
        }
        ["one", seed, indices, folder, key] => one(number(seed), indices, folder, key),
        ["only", seed, indices, folder, key] => {
            one(number(seed), indices, folder, key);
            tell(folder, key);
        }
        ["together", seed, processes, indices, folder, key] => {
            together::lead(number(seed), number(processes), indices, folder, key);
            tell(folder, key);
        }
        ["member", seed, folder, key] => together::follow(number(seed), folder, key),
        ["tell", folder, key] => tell(folder, key),
        _ => usage(
            "random_ops plant SEED PROCESSES (FOLDER KEY)… | run SEED PROCESSES COUNT FOLDER KEY | \
             one SEED INDICES FOLDER KEY | only SEED INDICES FOLDER KEY | \
             together SEED PROCESSES INDICES FOLDER KEY | tell FOLDER KEY",
        ),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| usage("a number is none"))
}

fn plant(seed: u64, processes: u64, folder: &str, key: &str) {
    for index in 0..processes {
        let (folder, key) = (format!("{folder}\\{index}"), format!("{key}\\{index}"));
        tree::plant(seed.wrapping_add(index), &folder, &key);
    }
}

fn tell(folder: &str, key: &str) {
    tree::tell(folder, key, &mut std::io::stdout().lock());
}

/// Runs the processes at once and prints what they said, one after the other.
fn several(seed: u64, processes: u64, count: u64, folder: &str, key: &str) {
    let program = std::env::current_exe().expect("this program has a path");
    let children: Vec<_> = (0..processes)
        .map(|index| {
            Command::new(&program)
                .arg("one")
                .arg(seed.wrapping_add(index).to_string())
                .arg(format!("0-{}", count.saturating_sub(1)))
                .arg(format!("{folder}\\{index}"))
                .arg(format!("{key}\\{index}"))
                .stdout(Stdio::piped())
                .spawn()
                .expect("a child starts")
        })
        .collect();
    let readers = children
        .into_iter()
        .map(|child| std::thread::spawn(move || child.wait_with_output()));
    let readers: Vec<_> = readers.collect();
    let mut out = std::io::stdout().lock();
    for (index, reader) in readers.into_iter().enumerate() {
        let output = reader.join().expect("a reader ends").expect("a child ends");
        let _ = writeln!(out, "process {index}, exit {:?}", output.status.code());
        let _ = out.write_all(&output.stdout);
    }
}

/// One process's operations.
fn one(seed: u64, indices: &str, folder: &str, key: &str) {
    let mut files = Files::new(folder, |_, _| ());
    let mut keys = Keys::new(key);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for index in expand(indices) {
        let line = operation(seed, index, &mut files, &mut keys);
        let _ = writeln!(out, "{index} {line}");
    }
}

/// The operation of an index, and what was answered.
fn operation(seed: u64, index: u64, files: &mut Files, keys: &mut Keys) -> String {
    let mut chance = Chance::new(seed, index);
    if chance.below(100) < ON_FILES {
        files.act(&mut chance)
    } else {
        keys.act(&mut chance)
    }
}

/// `0-2,5` as 0, 1, 2, 5.
fn expand(indices: &str) -> impl Iterator<Item = u64> {
    indices.split(',').flat_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        number(first)..=number(last)
    })
}
