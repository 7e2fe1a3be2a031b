//! Counts and times of events, by channel, name and verdict.

use std::collections::HashMap;

use pinion_channels::Channel;
use pinion_wire::trace::Verdict;

use crate::calls;
use crate::event::Event;

/// The most names that are told apart: beyond that they are counted together, so that a
/// VM cannot fill the memory of who looks at it.
pub const MOST: usize = 100_000;

/// What is alike in a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The channel; none for a call that is not known.
    pub channel: Option<Channel>,
    /// The name as asked, or as given where none was asked for; a peer where there is no name.
    pub name: String,
    /// The verdict's word.
    pub verdict: &'static str,
}

/// What is counted in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Events.
    pub count: u64,
    /// Those that ended with an error.
    pub failed: u64,
    /// Nanoseconds that they took together.
    pub total: u64,
    /// Nanoseconds of the longest.
    pub longest: u64,
}

/// A summary.
#[derive(Debug, Default)]
pub struct Summary {
    rows: HashMap<Key, Row>,
}

impl Summary {
    /// Counts an event.
    pub fn add(&mut self, event: &Event<'_>) {
        let name = match event.peer {
            Some(peer) if event.name().is_empty() => peer.to_string(),
            _ => event.name().to_string(),
        };
        let key = Key {
            channel: calls::channel(event),
            name,
            verdict: event.verdict().word(),
        };
        let key = if self.rows.len() < MOST || self.rows.contains_key(&key) {
            key
        } else {
            let name = "(all others)".into();
            Key { name, ..key }
        };
        let row = self.rows.entry(key).or_default();
        row.count += 1;
        row.failed += u64::from(event.status < 0);
        row.total = row.total.saturating_add(event.duration);
        row.longest = row.longest.max(event.duration);
    }

    /// The rows, those with most events first.
    #[must_use]
    pub fn rows(&self) -> Vec<(&Key, &Row)> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|(a, x), (b, y)| y.count.cmp(&x.count).then_with(|| a.cmp(b)));
        rows
    }

    /// How many events had this verdict.
    #[must_use]
    pub fn with(&self, verdict: Verdict) -> u64 {
        let with = |key: &&Key| key.verdict == verdict.word();
        let keys = self.rows.keys().filter(with);
        keys.map(|key| self.rows[key].count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    #[test]
    fn like_events_are_one_row() {
        let mut summary = Summary::default();
        for duration in [5, 7] {
            let a = event("NtCreateMutant", "a", "");
            summary.add(&Event {
                duration,
                status: -1,
                ..a
            });
        }
        summary.add(&event("NtOpenMutant", "a", "").decided(Verdict::Refused));
        let rows = summary.rows();
        let row = Row {
            count: 2,
            failed: 2,
            total: 12,
            longest: 7,
        };
        assert_eq!((rows.len(), *rows[0].1), (2, row));
        assert_eq!(summary.with(Verdict::Refused), 1);
    }
}
