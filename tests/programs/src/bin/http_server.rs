//! Serves one URL by the HTTP Server API, asks for one as a browser does, asks
//! for records of http.sys's configuration, or talks to the web service's control pipe. `serve` answers each request with its
//! text and the URL as the API gives it; a path that ends with `/remove` takes
//! the URL away and ends it.
#![cfg(windows)]

use pinion_test_programs::http::{Bound, Failed, configure};
use pinion_test_programs::{arguments, say, score, usage};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn main() {
    let arguments = arguments();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", version, prefix, text] => serve(version, prefix, text),
        ["ask", host, path] => say(&ask(host, host, path)),
        ["ask", address, host, path] => say(&ask(address, host, path)),
        ["configure", prefix] => say(&json!(configure(prefix))),
        ["control", command] => say(&control(command)),
        _ => usage(
            "http_server serve 1|2 PREFIX TEXT | ask [ADDRESS] HOST PATH | configure PREFIX | control COMMAND",
        ),
    }
}

fn told(failed: Failed) -> serde_json::Value {
    json!({ "step": failed.step, "error": failed.error })
}

fn serve(version: &str, prefix: &str, text: &str) {
    let bound = match version {
        "1" => Bound::version_1(prefix),
        _ => Bound::version_2(prefix, None),
    };
    let bound = match bound {
        Ok(bound) => bound,
        Err(failed) => return say(&told(failed)),
    };
    say(&json!({ "listens": true }));
    let mut ends = false;
    while !ends {
        let answered = bound.queue.answer(|asked| {
            ends = asked.path.ends_with("/remove");
            format!("{text} {}\n", asked.url)
        });
        if let Err(failed) = answered {
            return say(&told(failed));
        }
    }
    let code = |done: Result<(), Failed>| done.err().map_or(0, |failed| failed.error);
    let removed = code(bound.remove(prefix));
    let again = code(bound.remove(prefix));
    let closed = code(bound.queue.close());
    say(&json!({ "removed": removed, "again": again, "closed": closed }));
}

/// One GET; the status and the body, or what failed.
fn ask(address: &str, host: &str, path: &str) -> serde_json::Value {
    let get = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
        let (mut all, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let length = stream.read(&mut part)?;
            all.extend_from_slice(&part[..length]);
            let text = String::from_utf8_lossy(&all);
            if length == 0 || is_whole(&text) {
                return Ok(text.into_owned());
            }
        }
    };
    match get() {
        Ok(text) => {
            let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
            json!({ "status": head.split(' ').nth(1), "body": body.trim() })
        }
        Err(error) => json!({ "error": error.to_string(), "code": error.raw_os_error() }),
    }
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// One command to the web service; its answer.
fn control(command: &str) -> serde_json::Value {
    let talk = || -> std::io::Result<String> {
        let mut pipe = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(score::PIPE)?;
        pipe.write_all(command.as_bytes())?;
        let mut room = [0; 4096];
        let length = pipe.read(&mut room)?;
        Ok(String::from_utf8_lossy(&room[..length]).into_owned())
    };
    match talk() {
        Ok(answer) => serde_json::from_str(&answer).unwrap_or_else(|_| json!({ "odd": answer })),
        Err(error) => json!({ "code": error.raw_os_error() }),
    }
}
