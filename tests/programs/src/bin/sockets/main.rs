//! Tells what a program sees of the network: streams, datagrams, waiting,
//! overlapped calls, errors, tables of connections; serves and fetches for tests of two sides.

mod datagrams;
mod errors;
mod hostile;
mod many;
mod overlapped;
mod rate;
mod sides;
mod streams;
mod tables;
mod versions;
mod waiting;
mod winsock;

use pinion_test_programs::{arguments, say, usage};
use serde_json::json;

fn main() {
    let arguments = arguments();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["check"] => say(&json!({
            "streams": streams::all(),
            "datagrams": datagrams::all(),
            "versions": versions::all(),
            "waiting": waiting::all(),
            "overlapped": overlapped::all(),
            "errors": errors::all(),
        })),
        ["hostile"] => say(&hostile::all()),
        ["many", port] => say(&many::all(port.parse().unwrap_or(0))),
        ["tables"] => say(&tables::all()),
        ["late"] => say(&json!({
            "accepted": overlapped::accepted_names(),
            "received": overlapped::received_name(),
        })),
        ["serve", address, text] => sides::serve(address, text),
        ["serve-datagrams", address, text] => sides::serve_datagrams(address, text),
        ["fetch", address] => say(&sides::fetch(address)),
        ["fetch-datagram", address] => say(&sides::fetch_datagram(address)),
        ["rate", seconds] => say(&rate::measure(seconds)),
        _ => usage(
            "sockets check | hostile | many PORT | tables | late | serve ADDRESS TEXT | serve-datagrams ADDRESS TEXT | fetch ADDRESS | fetch-datagram ADDRESS | rate SECONDS",
        ),
    }
}
