//! Several processes in one tree, each with handles of its own, in turn: so what
//! each call answers is determined. The operation of an index is that of the
//! process with the index's remainder.
//!
//! The first process leads by a line to a member's standard input, `do INDEX`,
//! and reads its output: `told WORDS`, and before it `quiet PATH` or
//! `readers PATH`, where all others must close what they have there.

use super::files::Files;
use super::keys::Keys;
use super::{expand, number, operation};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Another process, as the first sees it.
struct Member {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Member {
    fn start(seed: u64, folder: &str, key: &str) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["member", &seed.to_string(), folder, key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            input,
            output,
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("a member listens");
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a member speaks");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }
}

/// Leads `processes` members through the operations `indices`.
pub fn lead(seed: u64, processes: u64, indices: &str, folder: &str, key: &str) {
    let mut members: Vec<_> = (0..processes)
        .map(|_| Member::start(seed, folder, key))
        .collect();
    let mut out = std::io::stdout().lock();
    for index in expand(indices) {
        let whose = usize::try_from(index % processes).expect("it is small");
        let told = turn(&mut members, whose, index);
        let _ = writeln!(out, "{index} {told}");
    }
    for member in members {
        let Member {
            mut child, input, ..
        } = member;
        drop(input);
        let status = child.wait().expect("a child ends");
        assert!(status.success(), "a member failed: {status}");
    }
}

/// One operation of the member `whose`.
fn turn(members: &mut [Member], whose: usize, index: u64) -> String {
    members[whose].say(&format!("do {index}"));
    loop {
        let line = members[whose].hear();
        if let Some(told) = line.strip_prefix("told ") {
            return told.to_owned();
        }
        assert!(!line.is_empty(), "member {whose} ended at {index}");
        for other in (0..members.len()).filter(|&other| other != whose) {
            members[other].say(&line);
            assert_eq!(members[other].hear(), "ok", "member {other} at {index}");
        }
        members[whose].say("ok");
    }
}

/// Does what the first process says until it says no more.
pub fn follow(seed: u64, folder: &str, key: &str) {
    let (mut files, mut keys) = (Files::new(folder, ask), Keys::new(key));
    loop {
        let line = heard();
        let Some((what, of)) = line.split_once(' ') else {
            return;
        };
        match what {
            "do" => {
                let told = operation(seed, number(of), &mut files, &mut keys);
                println!("told {told}");
            }
            "quiet" => {
                files.close_all(of);
                println!("ok");
            }
            _ => {
                files.close_own_readers(of);
                println!("ok");
            }
        }
    }
}

/// Has all others close what they have there.
fn ask(what: &str, path: &str) {
    println!("{what} {path}");
    assert_eq!(heard(), "ok");
}

fn heard() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    line.trim_end_matches(['\r', '\n']).to_owned()
}
