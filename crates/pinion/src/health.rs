//! Whether a server is well: it accepts connections, and answers by HTTP where it
//! is asked to.

use pinion_profile::Health;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long one question takes at most, and how long until the next.
const ONE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
/// The longest first line of an answer in bytes.
const LINE: u64 = 1024;

/// Waits until the server at `address` is well, at most its time.
///
/// # Errors
/// What it did last, in words.
pub fn wait(address: Ipv4Addr, health: &Health) -> Result<(), String> {
    let deadline = Instant::now() + health.within;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Err(why) = ask(address, health, left.clamp(PAUSE, ONE)) else {
            return Ok(());
        };
        if left.is_zero() {
            return Err(why);
        }
        sleep(PAUSE.min(left));
    }
}

/// Asks once.
fn ask(address: Ipv4Addr, health: &Health, time: Duration) -> Result<(), String> {
    let at = SocketAddrV4::new(address, health.port);
    let nobody = |why: std::io::Error| format!("port {} gives no connection: {why}", health.port);
    let mut stream = TcpStream::connect_timeout(&at.into(), time).map_err(nobody)?;
    let Some(path) = &health.path else {
        return Ok(());
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    let answer = || -> std::io::Result<String> {
        stream.set_read_timeout(Some(time))?;
        stream.set_write_timeout(Some(time))?;
        stream.write_all(request.as_bytes())?;
        let mut line = Vec::new();
        BufReader::new(stream.take(LINE)).read_until(b'\n', &mut line)?;
        Ok(String::from_utf8_lossy(&line).trim().to_string())
    };
    let line = answer().map_err(|why| format!("no answer for {path}: {why}"))?;
    match status(&line) {
        Some(status) if status < 500 => Ok(()),
        _ => Err(format!("the answer for {path} was {line:?}")),
    }
}

/// The status of an answer's first line.
fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/")?;
    rest.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn health(port: u16, path: Option<&str>) -> Health {
        Health {
            port,
            path: path.map(String::from),
            within: Duration::from_millis(300),
        }
    }

    /// A server that gives each connection this answer; its port.
    fn server(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                let mut reader = BufReader::new(&stream);
                let _ = reader.read_line(&mut line);
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        port
    }

    #[test]
    fn what_answers_is_well_and_what_fails_is_not() {
        let ask = |answer, path| wait(Ipv4Addr::LOCALHOST, &health(server(answer), path));
        assert_eq!(ask("HTTP/1.1 200 OK\r\n\r\n", Some("/")), Ok(()));
        assert_eq!(ask("HTTP/1.1 404 Not Found\r\n\r\n", Some("/")), Ok(()));
        assert_eq!(ask("", None), Ok(()), "a connection is enough");
        let refused = ask("HTTP/1.1 503 Busy\r\n\r\n", Some("/a"));
        assert!(refused.expect_err("not well").contains("503"));
        assert!(ask("hello\n", Some("/")).is_err());
    }

    #[test]
    fn what_is_not_there_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let told = wait(Ipv4Addr::LOCALHOST, &health(port, None)).expect_err("nobody");
        assert!(told.contains(&port.to_string()), "{told}");
    }
}
