//! Shows what a program is given: `echo_stdio [show VAR…|cat|err TEXT] [--exit CODE]`.
//! `show` prints arguments, current folder and the named variables; `cat`
//! copies stdin to stdout; `err` writes TEXT to stderr.

use pinion_test_programs::{arguments, say, take_option, usage};
use std::io::{copy, stdin, stdout};

fn main() {
    let mut arguments = arguments();
    let code = take_option(&mut arguments, "--exit").map(|text| text.parse::<u32>());
    match arguments.first().map(String::as_str) {
        None => {}
        Some("show") => show(&arguments[1..]),
        Some("cat") => {
            if let Err(error) = copy(&mut stdin().lock(), &mut stdout().lock()) {
                eprintln!("cannot copy: {error}");
                std::process::exit(3);
            }
        }
        Some("err") => eprintln!("{}", arguments[1..].join(" ")),
        Some(_) => usage("echo_stdio [show VAR…|cat|err TEXT] [--exit CODE]"),
    }
    match code {
        None => {}
        #[allow(clippy::cast_possible_wrap)]
        Some(Ok(code)) => std::process::exit(code as i32),
        Some(Err(_)) => usage("--exit takes a number below 2^32"),
    }
}

fn show(variables: &[String]) {
    let values: serde_json::Map<_, _> = variables
        .iter()
        .map(|name| (name.clone(), std::env::var(name).ok().into()))
        .collect();
    let cwd = std::env::current_dir().map(|path| path.display().to_string());
    say(&serde_json::json!({
        "arguments": variables,
        "cwd": cwd.ok(),
        "env": values,
        "pid": std::process::id(),
    }));
}
