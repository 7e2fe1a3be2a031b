//! Speaks to a VM's pipes as Pinion's own programs do, and as they never would.
//! `talk break-off PIPE PROGRAM`: a command line that has just created the
//! member PROGRAM, and is gone; prints its pid.

mod member;

use pinion_test_programs::{arguments, usage};

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["break-off", pipe, program] => member::break_off(pipe, program),
        _ => usage("talk break-off PIPE PROGRAM"),
    }
}
