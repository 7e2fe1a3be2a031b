//! Speaks to a VM's pipes as Pinion's own programs do, and as they never would.
//! `talk break-off PIPE PROGRAM`: a command line that has just created the
//! member PROGRAM, and is gone; prints its pid. `talk lines PIPE` and, past the
//! interception, `talk messages NAME`: hostile traffic on the command line's and
//! on the members' pipe, with
//! `--hold SECONDS` kept up so long.

mod direct;
mod hostile;
mod member;

use std::time::Duration;

use pinion_test_programs::{arguments, take_option, usage};

fn main() {
    let mut arguments = arguments();
    let seconds = take_option(&mut arguments, "--hold");
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["break-off", pipe, program] => member::break_off(pipe, program),
        ["lines", pipe] => {
            let open = || {
                let mut options = std::fs::OpenOptions::new();
                options.read(true).write(true);
                (0..200).find_map(|_| {
                    options.open(pipe).ok().or_else(|| {
                        std::thread::sleep(Duration::from_millis(5));
                        None
                    })
                })
            };
            hostile::lines(open, seconds);
        }
        ["messages", name] => {
            let opener = direct::Opener::new();
            hostile::messages(|| opener.open(name), seconds);
        }
        _ => usage("talk break-off PIPE PROGRAM | talk lines PIPE | talk messages NAME"),
    }
}
