//! Named objects as programs make them. See `USAGE`.

mod ends;
mod forms;
mod links;
mod list;
mod meet;
mod real;
mod win32;

use pinion_test_programs::{arguments, hold, nt, say, take_option, usage};
use serde_json::json;

const USAGE: &str = "names create [KIND:]NAME… [--hold SECONDS] | open KIND NAME | forms | links | disconnected | list | real NAME | serve PIPE WORD | call PIPE WORD |
read MAILSLOT | write MAILSLOT WORD | section NAME WORD [--hold SECONDS] | port NAME
KIND: mutant event semaphore timer section pipe mailslot job, or with 'nt-' before it (no pipe, no mailslot) for a full NT path";

fn main() {
    let mut arguments = arguments();
    let seconds = take_option(&mut arguments, "--hold");
    match (arguments.first().map(String::as_str), arguments.len()) {
        (Some("create"), 2..) => create(&arguments[1..], seconds),
        (Some("open"), 3) => {
            let opened = win32::open(&arguments[1], &arguments[2]);
            let called = opened
                .handle
                .as_ref()
                .and_then(|handle| nt::name_of(handle).ok());
            say(&json!({
                "kind": arguments[1], "name": arguments[2], "error": opened.error, "called": called,
            }));
            hold(seconds);
        }
        (Some("forms"), 1) => say(&forms::all()),
        (Some("links"), 1) => say(&links::all()),
        (Some("disconnected"), 1) => say(&ends::disconnected()),
        (Some("list"), 1) => list::all(),
        (Some("serve"), 3) => meet::serve(&arguments[1], &arguments[2]),
        (Some("call"), 3) => meet::call(&arguments[1], &arguments[2]),
        (Some("read"), 2) => meet::read(&arguments[1]),
        (Some("write"), 3) => meet::write(&arguments[1], &arguments[2]),
        (Some("section"), 3) => meet::section(&arguments[1], &arguments[2], seconds),
        (Some("port"), 2) => say(&meet::port(&arguments[1])),
        (Some("real"), 2) => say(&real::attempts(&arguments[1])),
        _ => usage(USAGE),
    }
}

fn create(names: &[String], seconds: Option<String>) {
    let made: Vec<_> = names
        .iter()
        .map(|name| {
            let (kind, name) = match name.split_once(':') {
                Some((kind, rest)) if win32::is_kind(kind) => (kind, rest),
                _ => ("mutant", name.as_str()),
            };
            (kind, name, win32::create(kind, name))
        })
        .collect();
    let told: Vec<_> = made
        .iter()
        .map(|(kind, name, made)| {
            json!({
                "kind": kind, "name": name, "error": made.error,
                "existed": made.error == win32::ALREADY_EXISTS,
            })
        })
        .collect();
    say(&json!({"pid": std::process::id(), "created": told}));
    hold(seconds);
}
