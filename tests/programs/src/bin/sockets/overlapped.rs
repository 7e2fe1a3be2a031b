//! `AcceptEx`, `ConnectEx` and an overlapped receive.

use crate::winsock::{Pending, Socket};
use serde_json::{Value, json};
use std::io::Result;
use std::net::{IpAddr, UdpSocket};

fn or_error(seen: Result<Value>) -> Value {
    seen.unwrap_or_else(|why| json!(why.to_string()))
}

/// What both sides are told, for IPv4 and IPv6.
pub fn all() -> Value {
    json!([or_error(both(false)), or_error(both(true))])
}

struct Ends {
    client: Socket,
    server: Socket,
    accepted: (IpAddr, IpAddr),
    bytes: usize,
    text: String,
}

fn connected(six: bool) -> Result<Ends> {
    let (any, reach) = if six {
        ("[::]:0", "[::1]")
    } else {
        ("0.0.0.0:0", "127.0.0.1")
    };
    let listener = Socket::stream(six)?;
    listener.bind(any)?;
    listener.listen()?;
    let server = Socket::stream(six)?;
    let mut accept = Pending::new()?;
    listener.accept_ex(&server, &mut accept)?;
    let client = Socket::stream(six)?;
    client.bind(any)?;
    let mut connect = Pending::new()?;
    let to = format!("{reach}:{}", listener.name()?.port());
    client.connect_ex(&to, b"hello", &mut connect)?;
    let bytes = connect.wait(&client)?;
    let received = accept.wait(&listener)?;
    client.update_connect()?;
    server.update_accept(&listener)?;
    Ok(Ends {
        client,
        server,
        accepted: accept.accepted_names(),
        bytes,
        text: String::from_utf8_lossy(&accept.buffer()[..received]).into(),
    })
}

fn both(six: bool) -> Result<Value> {
    let ends = connected(six)?;
    Ok(json!({
        "client": ends.client.name()?.ip(),
        "client_peer": ends.client.peer()?.ip(),
        "server": ends.server.name()?.ip(),
        "server_peer": ends.server.peer()?.ip(),
        "sent": ends.bytes,
        "text": ends.text,
    }))
}

/// The addresses that `AcceptEx` left in its buffer.
pub fn accepted_names() -> Value {
    or_error(connected(false).map(|ends| json!([ends.accepted.0, ends.accepted.1])))
}

/// The address that an overlapped receive left, and whether it answers.
pub fn received_name() -> Value {
    or_error(received())
}

fn received() -> Result<Value> {
    let server = Socket::datagrams()?;
    server.bind("0.0.0.0:0")?;
    let mut pending = Pending::new()?;
    let to = ("127.0.0.1", server.name()?.port());
    server.receive_from(&mut pending)?;
    let client = UdpSocket::bind(("0.0.0.0", 0))?;
    client.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    client.send_to(b"asked", to)?;
    pending.wait(&server)?;
    let from = pending.from();
    server.send_to(b"reply", from)?;
    let mut text = [0; 8];
    let (length, back) = client.recv_from(&mut text)?;
    Ok(json!([from.ip(), length, back.ip()]))
}
