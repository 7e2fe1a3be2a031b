//! A window that tells what it hears, and a program that tries to reach one in
//! every way: by its class and title, in lists, and by its number.
#![cfg(windows)]

mod atoms;
mod dde;
mod reach;
mod screen;
mod serve;
mod session;
mod station;
mod titles;

use pinion_test_programs::{arguments, say, usage};

fn main() {
    let mut arguments = arguments();
    let verb = if arguments.is_empty() {
        String::new()
    } else {
        arguments.remove(0)
    };
    match verb.as_str() {
        "serve" => serve::serve(&arguments),
        "reach" => say(&reach::reach(&reach::Target::parse(&arguments))),
        "atoms" => say(&atoms::atoms(&arguments)),
        "dde" => dde::dde(&arguments),
        "hotkey" => dde::hot_key(),
        "end" => serve::end(&arguments),
        "station" => say(&station::station(&arguments)),
        "title" => say(&titles::title(&arguments)),
        "titled" => titles::hold(&arguments),
        "screen" => say(&screen::screen()),
        "session" => say(&session::session()),
        "pointer" => say(&session::pointer(&arguments)),
        "clipboard" => say(&station::clipboard(&arguments)),
        _ => usage(
            "windows serve CLASS TITLE | reach CLASS TITLE WINDOW THREAD PROCESS | end WINDOW | station [NAME] | clipboard get|set TEXT | atoms VERB VALUE | dde serve|connect NAME | hotkey | screen | session | pointer [X Y] | title WINDOW | titled FIRST SECOND",
        ),
    }
}
