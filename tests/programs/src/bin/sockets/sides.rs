//! One side of a conversation, for tests that hold the other.

use pinion_test_programs::say;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// Answers every connection with `text`, until it is ended.
pub fn serve(address: &str, text: &str) {
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(why) => return say(&json!({"error": why.raw_os_error()})),
    };
    say(&json!({"local": listener.local_addr().ok()}));
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let peer = stream.peer_addr().map(|peer| peer.ip().to_string());
        let local = stream.local_addr().map(|local| local.ip().to_string());
        let _ = write!(
            stream,
            "{text} {} {}",
            peer.unwrap_or_default(),
            local.unwrap_or_default()
        );
    }
}

/// Answers every datagram with `text`, until it is ended.
pub fn serve_datagrams(address: &str, text: &str) {
    let socket = match UdpSocket::bind(address) {
        Ok(socket) => socket,
        Err(why) => return say(&json!({"error": why.raw_os_error()})),
    };
    say(&json!({"local": socket.local_addr().ok()}));
    let mut buffer = [0; 64];
    while let Ok((_, from)) = socket.recv_from(&mut buffer) {
        let _ = socket.send_to(text.as_bytes(), from);
    }
}

/// What a server says.
pub fn fetch(address: &str) -> Value {
    let Some(to) = address
        .to_socket_addrs()
        .ok()
        .and_then(|mut all| all.next())
    else {
        return json!({"error": "no address"});
    };
    let mut text = String::new();
    let outcome = TcpStream::connect_timeout(&to, Duration::from_secs(5)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.read_to_string(&mut text)
    });
    match outcome {
        Ok(_) => json!({"text": text}),
        Err(why) => json!({"error": why.raw_os_error()}),
    }
}

/// What a server of datagrams says, within a second.
pub fn fetch_datagram(address: &str) -> Value {
    let mut buffer = [0; 64];
    let outcome = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.send_to(b"asked", address)?;
        socket.recv_from(&mut buffer)
    });
    match outcome {
        Ok((length, from)) => json!({
            "text": String::from_utf8_lossy(&buffer[..length]),
            "from": from.ip(),
        }),
        Err(why) => json!({"error": why.raw_os_error()}),
    }
}
