//! All replicas, who of them is free, and who waits for one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use crate::replica::Replica;
use crate::{Inner, Report};

/// The replicas.
pub(crate) struct Table {
    all: Mutex<BTreeMap<u32, Arc<Replica>>>,
    turn: AtomicU64,
    /// Somebody has become free.
    free: Notify,
    /// Counts changes of who serves.
    version: watch::Sender<u64>,
    waiting: AtomicUsize,
    most_waiting: AtomicUsize,
}

/// Why no replica takes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// None serves.
    Nobody,
    /// Too many wait already.
    Full,
    /// It has waited too long.
    Waited,
}

impl Refusal {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Nobody => "no replica serves at the moment",
            Self::Full => "too many requests wait",
            Self::Waited => "no replica became free in time",
        }
    }
}

/// A request's place at a replica, given back when dropped.
pub(crate) struct Place {
    pub replica: Arc<Replica>,
    front: Arc<Inner>,
}

/// One who waits, counted.
pub(crate) struct Waiter<'a>(&'a Table);

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            all: Mutex::default(),
            turn: AtomicU64::new(1),
            free: Notify::new(),
            version: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
            most_waiting: AtomicUsize::new(0),
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Replica>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
        self.free.notify_waiters();
    }

    pub(crate) fn add(&self, id: u32, address: SocketAddr) {
        self.all().insert(id, Arc::new(Replica::new(id, address)));
        self.changed();
    }

    /// Whether it has nothing to do any more.
    pub(crate) fn drain(&self, id: u32) -> bool {
        let found = self.all().get(&id).cloned();
        let idle = found.is_none_or(|replica| {
            replica.drains.store(true, Ordering::SeqCst);
            replica.in_flight.load(Ordering::SeqCst) == 0
        });
        self.changed();
        idle
    }

    pub(crate) fn remove(&self, id: u32) {
        let found = self.all().remove(&id);
        if let Some(replica) = found {
            replica.go();
        }
        self.changed();
    }

    pub(crate) fn requests(&self) -> Vec<(u32, u64, usize)> {
        let all = self.all();
        let of = all.values().map(|replica| {
            let requests = replica.requests.load(Ordering::Relaxed);
            (
                replica.id,
                requests,
                replica.in_flight.load(Ordering::Relaxed),
            )
        });
        of.collect()
    }

    /// How many serve.
    pub(crate) fn serving(&self) -> usize {
        self.all()
            .values()
            .filter(|replica| !replica.drains())
            .count()
    }

    /// Hears of changes of who serves.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Now, and the most ever.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed) as u64;
        (of(&self.waiting), of(&self.most_waiting))
    }

    /// One more who waits, unless there are `most`.
    pub(crate) fn wait(&self, most: usize) -> Option<Waiter<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let waiter = Waiter(self);
        if before >= most {
            return None;
        }
        self.most_waiting.fetch_max(before + 1, Ordering::Relaxed);
        Some(waiter)
    }

    /// Does `each` with every replica that serves and that `wanted` wants, all at one moment.
    pub(crate) fn each_serving(
        front: &Arc<Inner>,
        wanted: impl Fn(u32) -> bool,
        mut each: impl FnMut(Place),
    ) {
        let all = front.table.all();
        let serving = all.values().filter(|replica| !replica.drains());
        for replica in serving.filter(|replica| wanted(replica.id)) {
            each(Place::new(front, replica));
        }
    }

    /// The free replica with the fewest requests, one that is not among `tried` if there is; among equals
    /// that which was chosen longest ago. None: all are busy.
    fn least(front: &Arc<Inner>, tried: &[u32]) -> Result<Option<Place>, Refusal> {
        let all = front.table.all();
        let mut any = false;
        let free = all.values().filter(|replica| {
            any |= !replica.drains();
            !replica.drains()
                && replica.in_flight.load(Ordering::Relaxed) < front.settings.front.per_replica
        });
        let least = free.min_by_key(|replica| {
            (
                tried.contains(&replica.id),
                replica.in_flight.load(Ordering::Relaxed),
                replica.last.load(Ordering::Relaxed),
            )
        });
        match least {
            Some(replica) => Ok(Some(Place::new(front, replica))),
            None if any => Ok(None),
            None => Err(Refusal::Nobody),
        }
    }

    /// A place at a replica, waiting for one if all are busy.
    pub(crate) async fn place(front: &Arc<Inner>, tried: &[u32]) -> Result<Place, Refusal> {
        if let Some(place) = Self::least(front, tried)? {
            return Ok(place);
        }
        let settings = &front.settings;
        let _waiter = front
            .table
            .wait(settings.front.queue)
            .ok_or(Refusal::Full)?;
        let deadline = Instant::now() + settings.front.queue_time;
        loop {
            // Listens before it looks, so that nothing is missed between.
            let free = front.table.free.notified();
            if let Some(place) = Self::least(front, tried)? {
                return Ok(place);
            }
            timeout_at(deadline, free)
                .await
                .map_err(|_| Refusal::Waited)?;
        }
    }
}

impl Place {
    fn new(front: &Arc<Inner>, replica: &Arc<Replica>) -> Self {
        replica.in_flight.fetch_add(1, Ordering::SeqCst);
        replica.requests.fetch_add(1, Ordering::Relaxed);
        let turn = front.table.turn.fetch_add(1, Ordering::Relaxed);
        replica.last.store(turn, Ordering::Relaxed);
        Self {
            replica: Arc::clone(replica),
            front: Arc::clone(front),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.replica.in_flight.fetch_sub(1, Ordering::SeqCst) - 1;
        self.front.table.free.notify_one();
        if left == 0 && self.replica.drains() {
            let replica = self.replica.id;
            (self.front.report)(Report::Drained { replica });
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
