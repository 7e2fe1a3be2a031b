//! `pinion_probe.exe`: plays the server or the client of a probe, as it is told
//! line by line on its standard input. Started by `pinion verify`, never by
//! hand. Knows what is asked of a probe only by its name; what an answer means
//! is `crates/probes`' affair.
//!
//! One file for each idea below `play/`. A player takes every function by its
//! name when it needs it: what a system does not have is an answer too.

#[cfg(windows)]
mod play;
#[cfg(windows)]
mod service;
#[cfg(windows)]
mod stage;
#[cfg(windows)]
mod win;

#[cfg(windows)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let code = match words[..] {
        ["keep"] => {
            std::thread::sleep(std::time::Duration::from_secs(3600));
            0
        }
        ["play"] => stage::play(std::io::stdin().lock(), std::io::stdout()),
        ["play", "child"] => stage::play_as_child(),
        ["play", "service"] => service::relay(),
        ["setting", probe] => play::settings::tell(probe),
        ["mark", path] => play::commands::leave_mark(path),
        ["service", name, pipe] => service::run(name, pipe),
        _ => {
            eprintln!("pinion_probe: this program is started by 'pinion verify'");
            2
        }
    };
    std::process::exit(code)
}

#[cfg(not(windows))]
fn main() {
    eprintln!("pinion_probe: this program runs on Windows (or Wine) only");
    std::process::exit(126)
}
