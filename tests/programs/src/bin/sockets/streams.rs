//! TCP through the standard library: what both sides are told.

use serde_json::{Value, json};
use std::io::{Read, Result, Write};
use std::net::{IpAddr, TcpListener, TcpStream};

/// Every pair of a listener's address and a client's, by name.
pub fn all() -> Value {
    let pairs = [
        ("0.0.0.0", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.5.6.7", "127.5.6.7"),
        ("::", "::1"),
        ("::1", "::1"),
        ("0.0.0.0", "localhost"),
    ];
    pairs
        .into_iter()
        .map(|(bind, reach)| {
            let seen = pair(bind, reach).unwrap_or_else(|why| json!(why.to_string()));
            (format!("{bind} {reach}"), seen)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn pair(bind: &str, reach: &str) -> Result<Value> {
    let bind: IpAddr = bind.parse().expect("an address");
    let listener = TcpListener::bind((bind, 0))?;
    let name = listener.local_addr()?;
    let mut client = TcpStream::connect((reach, name.port()))?;
    let (mut server, peer) = listener.accept()?;
    client.write_all(b"asked")?;
    let mut text = [0; 5];
    server.read_exact(&mut text)?;
    server.write_all(b"reply")?;
    client.read_exact(&mut text)?;
    let own = client.local_addr()?;
    Ok(json!({
        "listener": name.ip(),
        "client": own.ip(),
        "client_peer": client.peer_addr()?.ip(),
        "server": server.local_addr()?.ip(),
        "server_peer": server.peer_addr()?.ip(),
        "accepted": peer.ip(),
        "ports": peer.port() == own.port() && server.local_addr()?.port() == name.port(),
        "text": String::from_utf8_lossy(&text),
    }))
}
