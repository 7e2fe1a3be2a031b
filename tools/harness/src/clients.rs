//! Clients that ask for one page again and again, and look at every answer.

use anyhow::Result;
use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What clients saw.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Answers with the right page.
    pub right: u64,
    /// Answers of status 200 with another page.
    pub wrong: u64,
    /// Requests without an answer of status 200.
    pub failed: u64,
    /// The longest that an answer took.
    pub slowest: Duration,
    /// What the first failures were.
    pub told: Vec<String>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    right: AtomicU64,
    wrong: AtomicU64,
    failed: AtomicU64,
    slowest_ms: AtomicU64,
    told: Mutex<Vec<String>>,
}

/// Clients at work.
pub struct Clients {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

impl Clients {
    /// `count` clients, each on a connection that it keeps, with a pause between two requests.
    #[must_use]
    pub fn start(
        address: SocketAddrV4,
        path: &str,
        page: &str,
        count: u32,
        pause: Duration,
    ) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let url = format!("http://{address}{path}");
        let threads = (0..count).map(|_| {
            let (shared, url, page) = (Arc::clone(&shared), url.clone(), page.to_owned());
            std::thread::spawn(move || ask(&shared, &url, &page, pause))
        });
        Self {
            threads: threads.collect(),
            shared,
        }
    }

    /// Ends them; what they saw.
    #[must_use]
    pub fn stop(self) -> Seen {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let shared = &self.shared;
        Seen {
            right: of(&shared.right),
            wrong: of(&shared.wrong),
            failed: of(&shared.failed),
            slowest: Duration::from_millis(of(&shared.slowest_ms)),
            told: shared
                .told
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}

fn ask(shared: &Shared, url: &str, page: &str, pause: Duration) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .build()
        .into();
    let once = || -> Result<(u16, String)> {
        let mut answer = agent.get(url).call()?;
        Ok((
            answer.status().as_u16(),
            answer.body_mut().read_to_string()?,
        ))
    };
    while !shared.stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = once();
        let took = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        shared.slowest_ms.fetch_max(took, Ordering::Relaxed);
        let (count, told) = match answer {
            Ok((200, body)) if body == page => (&shared.right, None),
            Ok((200, body)) => (&shared.wrong, Some(body)),
            Ok((status, body)) => (&shared.failed, Some(format!("{status} {body}"))),
            Err(error) => (&shared.failed, Some(format!("{error:#}"))),
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(told) = told {
            let mut all = shared.told.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() < 10 {
                all.push(format!("after {took} ms: {}", told.trim()));
            }
        }
        std::thread::sleep(pause);
    }
}
