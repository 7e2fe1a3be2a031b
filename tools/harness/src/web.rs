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

/// What a load found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latencies {
    /// Requests per second.
    pub per_second: f64,
    /// Half of all answers took at most so many ms.
    pub p50_ms: f64,
    /// 99 of 100 did.
    pub p99_ms: f64,
}

/// The latencies over `connections` kept-alive connections during `time`.
///
/// # Errors
/// When a request fails.
pub fn latencies(
    address: SocketAddrV4,
    path: &str,
    connections: u32,
    time: Duration,
) -> Result<Latencies> {
    let start = Instant::now();
    let one = || -> Result<Vec<Duration>> {
        let (agent, url) = (agent(), url(address, path));
        let mut all = Vec::new();
        while start.elapsed() < time {
            let begun = Instant::now();
            agent.get(&url).call()?.body_mut().read_to_vec()?;
            all.push(begun.elapsed());
        }
        Ok(all)
    };
    let all: Result<Vec<_>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(found) => found,
            Err(_) => bail!("a client panicked"),
        });
        joined.collect()
    });
    let took = start.elapsed().as_secs_f64();
    let mut all = all?.concat();
    all.sort();
    let at = |share: usize| {
        let place = (all.len() * share / 100).min(all.len().saturating_sub(1));
        all.get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    Ok(Latencies {
        per_second: all.len() as f64 / took,
        p50_ms: at(50),
        p99_ms: at(99),
    })
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
