//! What is refused, and how.

use crate::winsock::{self, Socket};
use serde_json::{Value, json};
use std::io::Result;

fn code<T>(outcome: Result<T>) -> i32 {
    outcome
        .err()
        .and_then(|why| why.raw_os_error())
        .unwrap_or(0)
}

/// The Winsock error of each case, 0 for none.
pub fn all() -> Value {
    seen().unwrap_or_else(|why| json!(why.to_string()))
}

fn seen() -> Result<Value> {
    let (first, second) = (Socket::stream(false)?, Socket::stream(false)?);
    let port = winsock::free_port()?;
    let any = format!("0.0.0.0:{port}");
    let unbound = code(first.name());
    let bound = code(first.bind(&any));
    first.listen()?;
    let in_use = code(second.bind(&any));
    let twice = code(first.bind("127.0.0.1:0"));
    let undecided = Socket::stream(false)?;
    let open = code(undecided.bind("0.0.0.0:0"));
    let open_twice = code(undecided.bind("0.0.0.0:0"));
    let open_port = undecided.name()?.port() != 0;
    let foreign = code(Socket::stream(false)?.bind("192.0.2.1:0"));
    let closed = format!("127.0.0.1:{}", winsock::free_port()?);
    let refused = code(Socket::stream(false)?.connect(&closed));
    let closed = format!("[::1]:{}", winsock::free_port()?);
    let refused_six = code(Socket::stream(true)?.connect(&closed));
    let not_listening = code(Socket::stream(false)?.listen());
    let no_peer = code(Socket::stream(false)?.peer());
    Ok(json!({
        "unbound": unbound,
        "bound": bound,
        "in_use": in_use,
        "twice": twice,
        "open": [open, open_twice],
        "open_port": open_port,
        "foreign": foreign,
        "refused": [refused, refused_six],
        "not_listening": not_listening,
        "no_peer": no_peer,
    }))
}
