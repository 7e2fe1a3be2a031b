//! A bound on how many connections are served at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is served; clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct Cap {
    open: Arc<AtomicUsize>,
    most: usize,
}

/// One place below the bound, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Cap {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            open: Arc::default(),
            most,
        }
    }

    /// A place, or none when all are taken.
    pub(crate) fn enter(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.open));
        (self.open.fetch_add(1, Ordering::SeqCst) < self.most).then_some(place)
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let cap = Cap::new(2);
        let (first, _second) = (cap.enter().unwrap(), cap.enter().unwrap());
        assert!(cap.enter().is_none());
        assert_eq!(cap.taken(), 2);
        drop(first);
        assert!(cap.enter().is_some());
        assert_eq!(cap.taken(), 1);
    }
}
