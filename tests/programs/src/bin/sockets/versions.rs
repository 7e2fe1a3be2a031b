//! IPv4 and IPv6 on one port, and `IPV6_V6ONLY`.

use crate::winsock::{self, Socket};
use serde_json::{Value, json};
use std::io::{Read, Result, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

/// What was seen, by case.
pub fn all() -> Value {
    let or_error = |seen: Result<Value>| seen.unwrap_or_else(|why| json!(why.to_string()));
    json!({
        "four_first": or_error(both(true)),
        "six_first": or_error(both(false)),
        "dual": or_error(dual()),
        "only_by_default": or_error(only()),
    })
}

const FOUR: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const SIX: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// Two listeners on any address and one port, a client to each version.
fn both(four_first: bool) -> Result<Value> {
    let (first, second) = if four_first { (FOUR, SIX) } else { (SIX, FOUR) };
    let first = TcpListener::bind((first, winsock::free_port()?))?;
    let port = first.local_addr()?.port();
    let second = TcpListener::bind((second, port))?;
    for listener in [first, second] {
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = stream.and_then(|mut stream| stream.write_all(b"here"));
            }
        });
    }
    Ok(json!([said("127.0.0.1", port)?, said("::1", port)?]))
}

fn said(reach: &str, port: u16) -> Result<String> {
    let mut text = [0; 4];
    TcpStream::connect((reach, port))?.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into())
}

/// One listener for both versions.
fn dual() -> Result<Value> {
    let listener = Socket::stream(true)?;
    listener.set_six_only(false)?;
    let before = listener.six_only()?;
    listener.bind("[::]:0")?;
    listener.listen()?;
    let name = listener.name()?;
    let mut ends = Vec::new();
    for reach in ["127.0.0.1", "::1"] {
        let client = TcpStream::connect((reach, name.port()))?;
        let (server, _) = listener.accept()?;
        ends.push((client, server));
    }
    Ok(json!([before, listener.six_only()?, name.ip(), ends.len()]))
}

/// Without a word it is IPv6 only, and stays so.
fn only() -> Result<Value> {
    let listener = Socket::stream(true)?;
    let before = listener.six_only()?;
    listener.bind("[::1]:0")?;
    Ok(json!([before, listener.six_only()?, listener.name()?.ip()]))
}
