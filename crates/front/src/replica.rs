//! One replica as the front sees it: where it is, what it has to do, connections to it that rest.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::client::conn::http1::SendRequest;
use tokio::sync::{RwLock, watch};

use crate::body::Body;

/// The most connections that rest.
const MOST_IDLE: usize = 64;

/// A replica.
#[derive(Debug)]
pub(crate) struct Replica {
    pub id: u32,
    pub address: SocketAddr,
    pub drains: AtomicBool,
    pub in_flight: AtomicUsize,
    pub requests: AtomicU64,
    /// The number of the last request that it was chosen for.
    pub last: AtomicU64,
    gone: watch::Sender<bool>,
    idle: Mutex<Vec<SendRequest<Body>>>,
    /// In vote mode: requests that change something go alone and in order; others between them together.
    pub order: Arc<RwLock<()>>,
}

impl Replica {
    pub(crate) fn new(id: u32, address: SocketAddr) -> Self {
        Self {
            id,
            address,
            drains: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            last: AtomicU64::new(0),
            gone: watch::Sender::new(false),
            idle: Mutex::default(),
            order: Arc::default(),
        }
    }

    pub(crate) fn drains(&self) -> bool {
        self.drains.load(Ordering::Relaxed)
    }

    /// It is no more.
    pub(crate) fn go(&self) {
        self.gone.send_replace(true);
        self.idle().clear();
    }

    /// Ends when it is no more.
    pub(crate) async fn until_gone(&self) {
        let mut gone = self.gone.subscribe();
        // The sender lives as long as this.
        let _ = gone.wait_for(|gone| *gone).await;
    }

    /// A connection that rests, if there is one.
    pub(crate) fn resting(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle();
        while let Some(sender) = idle.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    /// A connection whose answer was read to its end.
    pub(crate) fn rest(&self, sender: SendRequest<Body>) {
        let mut idle = self.idle();
        if !sender.is_closed() && !*self.gone.borrow() && idle.len() < MOST_IDLE {
            idle.push(sender);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SendRequest<Body>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
