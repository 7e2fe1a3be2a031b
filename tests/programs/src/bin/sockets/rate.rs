//! Requests a second of an echo over one stream, connections a second, and the
//! quickest of single calls, which a busy machine disturbs least.

use serde_json::{Value, json};
use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// Measures each for `seconds`.
pub fn measure(seconds: &str) -> Value {
    let time = Duration::from_secs_f64(seconds.parse().unwrap_or(1.0));
    rates(time).unwrap_or_else(|why| json!(why.to_string()))
}

fn rates(time: Duration) -> Result<Value> {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = echo(stream);
        }
    });
    let connections = per_second(time, || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        ask(&mut stream)
    })?;
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let requests = per_second(time, || ask(&mut stream))?;
    let idle = UdpSocket::bind("127.0.0.1:0")?;
    idle.set_nonblocking(true)?;
    let receive = quickest(time, || {
        let _ = idle.recv(&mut [0; 16]);
        Ok(())
    })?;
    let to = idle.local_addr()?;
    let sender = UdpSocket::bind("127.0.0.1:0")?;
    let send = quickest(time, || sender.send_to(&[0; 16], to).map(|_| ()))?;
    let name = quickest(time, || idle.local_addr().map(|_| ()))?;
    Ok(json!({
        "connections": connections,
        "requests": requests,
        "quickest_us": {"receive": receive, "send_to": send, "name": name},
    }))
}

fn quickest(time: Duration, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < time {
        let one = Instant::now();
        work()?;
        best = best.min(one.elapsed());
    }
    Ok(best.as_secs_f64() * 1e6)
}

fn echo(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 64];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length])?;
    }
}

fn ask(stream: &mut TcpStream) -> Result<()> {
    let mut buffer = [0; 64];
    stream.write_all(&buffer)?;
    stream.read_exact(&mut buffer)
}

fn per_second(time: Duration, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < time {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
