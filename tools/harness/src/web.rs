//! An HTTP client: one page, and a bounded load. Loopback addresses only.

use anyhow::{Result, bail};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .into()
}

fn url(address: SocketAddrV4, path: &str) -> String {
    format!("http://{address}{path}")
}

/// The page at `path`.
///
/// # Errors
/// When there is no answer with status 200.
pub fn get(address: SocketAddrV4, path: &str) -> Result<String> {
    Ok(agent()
        .get(url(address, path))
        .call()?
        .body_mut()
        .read_to_string()?)
}

/// Waits until the page at `path` comes, at most `limit`, and gives the time
/// that it took.
///
/// # Errors
/// When it does not come in time.
pub fn wait(address: SocketAddrV4, path: &str, limit: Duration) -> Result<Duration> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if listens(address) && get(address, path).is_ok() {
            return Ok(start.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("no answer from {address} within {limit:?}")
}

/// Whether something accepts connections there.
#[must_use]
pub fn listens(address: SocketAddrV4) -> bool {
    TcpStream::connect_timeout(&address.into(), Duration::from_millis(300)).is_ok()
}

/// Requests per second over `connections` kept-alive connections during
/// `time`.
///
/// # Errors
/// When a request fails, or the address is not a loopback one.
pub fn load(address: SocketAddrV4, path: &str, connections: u32, time: Duration) -> Result<f64> {
    if !Ipv4Addr::is_loopback(address.ip()) {
        bail!("{address} is no loopback address");
    }
    let (count, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let (agent, url) = (agent(), url(address, path));
                while start.elapsed() < time {
                    let done = agent
                        .get(&url)
                        .call()
                        .and_then(|mut answer| answer.body_mut().read_to_vec());
                    let counter = if done.is_ok() { &count } else { &failed };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    match failed.load(Ordering::Relaxed) {
        0 => Ok(count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()),
        failed => bail!("{failed} requests to {address} failed"),
    }
}
