//! `select` and `WSAPoll` on sockets that do not block.

use crate::winsock::{Socket, poll_readable, select_readable};
use serde_json::{Value, json};
use std::io::{Read, Result, Write};
use std::net::TcpStream;

/// What was seen with each.
pub fn all() -> Value {
    let or_error = |seen: Result<Value>| seen.unwrap_or_else(|why| json!(why.to_string()));
    json!({
        "select": or_error(with(select_readable)),
        "poll": or_error(with(poll_readable)),
    })
}

fn with(readable: fn(&Socket, i32) -> Result<bool>) -> Result<Value> {
    let listener = Socket::stream(false)?;
    listener.set_nonblocking()?;
    listener.bind("0.0.0.0:0")?;
    listener.listen()?;
    let idle = readable(&listener, 0)?;
    let nobody = listener.accept().err().and_then(|why| why.raw_os_error());
    let mut client = TcpStream::connect(("127.0.0.1", listener.name()?.port()))?;
    let knocked = readable(&listener, 5000)?;
    let (mut server, peer) = listener.accept()?;
    let silent = readable(&server, 0)?;
    client.write_all(b"x")?;
    let spoken = readable(&server, 5000)?;
    let mut text = [0; 1];
    let read = server.read(&mut text)?;
    Ok(json!({
        "idle": idle,
        "nobody": nobody,
        "knocked": knocked,
        "silent": silent,
        "spoken": spoken,
        "read": read,
        "peer": peer.ip(),
    }))
}
