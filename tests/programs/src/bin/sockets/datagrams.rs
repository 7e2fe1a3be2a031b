//! UDP through the standard library: what both sides are told.

use serde_json::{Value, json};
use std::io::Result;
use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

/// Every pair of a server's address and the address it is sent to, from a
/// client bound to any, connected and not.
pub fn all() -> Value {
    let pairs = [
        ("0.0.0.0", "127.0.0.1", "0.0.0.0"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("::", "::1", "::"),
        ("::1", "::1", "::1"),
    ];
    let mut seen = serde_json::Map::new();
    for (bind, reach, client) in pairs {
        for connected in [false, true] {
            let told = pair(bind, reach, client, connected);
            seen.insert(
                format!("{bind} {reach} {connected}"),
                told.unwrap_or_else(|why| json!(why.to_string())),
            );
        }
    }
    seen.into()
}

fn bound(ip: &str) -> Result<UdpSocket> {
    let ip: IpAddr = ip.parse().expect("an address");
    let socket = UdpSocket::bind((ip, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(socket)
}

fn pair(bind: &str, reach: &str, client: &str, connected: bool) -> Result<Value> {
    let server = bound(bind)?;
    let port = server.local_addr()?.port();
    let client = bound(client)?;
    if connected {
        client.connect((reach, port))?;
        client.send(b"asked")?;
    } else {
        client.send_to(b"asked", (reach, port))?;
    }
    let mut text = [0; 16];
    let (_, from) = server.recv_from(&mut text)?;
    server.send_to(b"reply", from)?;
    let (length, back) = client.recv_from(&mut text)?;
    Ok(json!({
        "server": server.local_addr()?.ip(),
        "client": client.local_addr()?.ip(),
        "from": from.ip(),
        "back": back.ip(),
        "ports": from.port() == client.local_addr()?.port() && back.port() == port,
        "text": String::from_utf8_lossy(&text[..length]),
    }))
}
