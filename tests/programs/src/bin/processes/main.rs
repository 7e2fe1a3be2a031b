//! Looks at other processes and does to them what can be done. `processes
//! all` does all of it to children of its own; `hold SECONDS` is there to be
//! reached; `reach PID TID` and `guess` try what is not its own; `list` tells
//! every list of processes, `threads PID` the threads of one; `tables` how the lists answer to odd buffers; `handles`
//! tells and `ask-handles SECONDS` asks for the system's tables of handles;
//! `take FILE` uses handles that another program has given to it, `give PID TID
//! TO` gives them, `by-handle` does the same to a child of its own;
//! `listed PID` and `stay PID SECONDS FILE` attach to a console and tell who is
//! there, `interrupt PID GROUP` attaches and sends Ctrl-C to a group;
//! `attach PID` attaches to a console, `console` starts a program that has one;
//! `to FILE WORDS…` writes what it says to a file, for a service.

mod all;
mod attach;
mod handles;
mod lists;
mod nt;
mod reach;
mod tables;
mod taken;

use pinion_test_programs::{arguments, say, usage};
use serde_json::{Value, json};
use std::time::Duration;

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["to", file, ref words @ ..] => {
            let written = std::fs::write(file, told(words).to_string());
            written.expect("the file can be written");
        }
        ["stay", pid, seconds, file] => {
            std::fs::write(file, attach::listed(number(pid)).to_string()).expect("written");
            std::thread::sleep(Duration::from_secs_f64(seconds.parse().unwrap_or(1.0)));
        }
        ["hold", seconds] => {
            say(&json!({"pid": std::process::id(), "tid": nt::own_thread()}));
            std::thread::sleep(Duration::from_secs_f64(seconds.parse().unwrap_or(1.0)));
        }
        ref words => say(&told(words)),
    }
}

/// What the words ask for.
fn told(words: &[&str]) -> Value {
    match *words {
        ["all"] => all::all(),
        ["reach", pid, tid] => reach::reach(number(pid), number(tid)),
        ["guess"] => reach::guess(),
        ["list"] => lists::all(),
        ["threads", pid] => lists::threads_of(number(pid)),
        ["tables"] => tables::answers(),
        ["handles"] => handles::all(),
        ["ask-handles", seconds] => handles::ask(seconds),
        ["take", file] => taken::take(file),
        ["give", process, thread, to] => taken::give(number(process), number(thread), number(to)),
        ["by-handle"] => taken::of_child(),
        ["attach", pid] => attach::attach(number(pid)),
        ["listed", pid] => attach::listed(number(pid)),
        ["interrupt", pid, group] => attach::interrupt(number(pid), number(group)),
        ["console", seconds] => attach::console(seconds),
        _ => usage(
            "processes all | hold SECONDS | reach PID TID | guess | list | threads PID | tables | handles | ask-handles SECONDS | take FILE | give PID TID TO | by-handle | attach PID | listed PID | stay PID SECONDS FILE | interrupt PID GROUP | console SECONDS | to FILE WORDS…",
        ),
    }
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}
