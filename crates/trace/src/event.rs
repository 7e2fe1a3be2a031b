//! An event, and the other entries of a file of events.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use pinion_wire::trace::{self as wire, Record};
use serde::{Deserialize, Serialize};

pub use pinion_wire::trace::Verdict;

/// The other end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Peer {
    /// A process, by its id.
    Process(u32),
    /// A thread, by its id.
    Thread(u32),
    /// What a socket is bound to or reaches.
    Address(SocketAddr),
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process(id) => write!(f, "process {id}"),
            Self::Thread(id) => write!(f, "thread {id}"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// A name, as far as the record had room for it. What is no Unicode in it is U+FFFD.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name<'a> {
    /// The text.
    #[serde(borrow)]
    pub text: Cow<'a, str>,
    /// How many UTF-16 units of the name are missing at its end.
    pub missing: u32,
}

impl<'a> Name<'a> {
    /// The name in a record; its text is put into `room`.
    fn of(name: &wire::Name, room: &'a mut Vec<u8>) -> Self {
        let units = name.units();
        let missing = name.length() - u32::try_from(units.len()).unwrap_or(0);
        // Most names are ASCII, which is many times faster so.
        room.clear();
        room.extend(units.iter().map(|unit| *unit as u8));
        let is_ascii = units.iter().fold(0, |all, unit| all | unit) < 0x80;
        let text = match std::str::from_utf8(room) {
            Ok(text) if is_ascii => Cow::Borrowed(text),
            _ => Cow::Owned(String::from_utf16_lossy(units)),
        };
        Self { text, missing }
    }
}

impl Name<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The name with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Name<'static> {
        Name {
            text: Cow::Owned(self.text.into_owned()),
            missing: self.missing,
        }
    }
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        match self.missing {
            0 => Ok(()),
            missing => write!(f, "… ({missing} more)"),
        }
    }
}

/// One decision at the boundary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event<'a> {
    /// Its number in the VM, from 1 on, in the order in which the supervisor got them.
    pub number: u64,
    /// When the call began: microseconds since 1970-01-01 UTC.
    pub time: u64,
    /// How long it took, in nanoseconds.
    pub duration: u64,
    /// The process's id.
    pub process: u32,
    /// The thread's id.
    pub thread: u32,
    /// The call, by its number ([`crate::calls`]).
    pub call: u32,
    /// What was decided, by its number.
    pub(crate) verdict: u8,
    /// The rule of the policy that decided, from 0 on.
    pub rule: Option<u32>,
    /// The NTSTATUS that the program got.
    pub status: i32,
    /// The access that was asked for.
    pub access: u32,
    /// The other end, where it is known.
    pub peer: Option<Peer>,
    /// The name as the program gave it; without a backslash in front it is relative to a handle.
    #[serde(borrow)]
    pub asked: Name<'a>,
    /// The name as the kernel got it; empty where it got none.
    pub given: Name<'a>,
}

impl Event<'static> {
    /// The event that a member recorded. Nothing in the record is trusted.
    #[must_use]
    pub fn of(record: &Record, process: u32, number: u64, time: u64, duration: u64) -> Self {
        let mut texts = Texts::default();
        Event::with(record, process, number, (time, duration), &mut texts).into_owned()
    }
}

/// Room for the names of an event.
#[derive(Debug, Default)]
pub struct Texts(Vec<u8>, Vec<u8>);

impl<'a> Event<'a> {
    /// The event that a member recorded, at this time and of this duration, its names in `texts`.
    #[must_use]
    pub fn with(
        record: &Record,
        process: u32,
        number: u64,
        (time, duration): (u64, u64),
        texts: &'a mut Texts,
    ) -> Self {
        Self {
            number,
            time,
            duration,
            process,
            thread: record.thread,
            call: record.call,
            verdict: record.verdict as u8,
            rule: (record.rule != wire::NO_RULE).then_some(record.rule),
            status: record.status,
            access: record.access,
            peer: peer(record.peer),
            asked: Name::of(&record.asked, &mut texts.0),
            given: Name::of(&record.given, &mut texts.1),
        }
    }
}

impl Event<'_> {
    /// What was decided.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.verdict)
    }

    /// The event with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        Event {
            asked: self.asked.into_owned(),
            given: self.given.into_owned(),
            ..self
        }
    }

    /// The name that tells most: as asked, or else as given.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.asked.is_empty() {
            &self.given.text
        } else {
            &self.asked.text
        }
    }
}

fn peer(peer: wire::Peer) -> Option<Peer> {
    match peer {
        wire::Peer::None => None,
        wire::Peer::Process(id) => Some(Peer::Process(id)),
        wire::Peer::Thread(id) => Some(Peer::Thread(id)),
        wire::Peer::Address(ip, port) => {
            let six = Ipv6Addr::from(ip);
            let four = six.to_ipv4_mapped();
            let ip = four.map_or(six.into(), |four: Ipv4Addr| four.into());
            Some(Peer::Address(SocketAddr::new(ip, port)))
        }
    }
}

/// One entry of a file of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry<'a> {
    /// A supervisor began to record.
    Begin {
        /// The VM's name.
        #[serde(borrow)]
        vm: Cow<'a, str>,
        /// Its id, 16 hexadecimal digits.
        id: Cow<'a, str>,
        /// When: microseconds since 1970-01-01 UTC.
        time: u64,
    },
    /// A process of which events follow.
    Process {
        /// Its id.
        process: u32,
        /// Its program's path; empty where it is not known.
        #[serde(borrow)]
        image: Cow<'a, str>,
    },
    /// An event.
    #[serde(borrow)]
    Event(Event<'a>),
    /// Events that were not recorded, since the last entry of this kind.
    Lost {
        /// The process, or 0 for those of processes that had no ring.
        process: u32,
        /// How many.
        count: u64,
    },
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An event of a call with these names.
    pub(crate) fn event(call: &str, asked: &str, given: &str) -> Event<'static> {
        let name = |text: &str| Name {
            text: Cow::Owned(text.into()),
            missing: 0,
        };
        Event {
            call: wire::call(call),
            process: 8,
            thread: 9,
            asked: name(asked),
            given: name(given),
            ..Event::of(&Record::EMPTY, 8, 1, 1_000_000, 2000)
        }
    }

    impl Event<'_> {
        pub(crate) fn decided(mut self, verdict: Verdict) -> Self {
            self.verdict = verdict as u8;
            self
        }
    }

    #[test]
    fn a_name_that_is_cut_off_says_so() {
        let mut record = Record::EMPTY;
        record.asked.fill(1000, |room| {
            room.fill(u16::from(b'x'));
            true
        });
        let event = Event::of(&record, 8, 1, 0, 0);
        let kept = event.asked.text.len();
        assert_eq!(event.asked.missing as usize, 1000 - kept);
        let more = format!("… ({} more)", 1000 - kept);
        assert!(event.asked.to_string().ends_with(&more));
    }

    #[test]
    fn addresses_of_the_older_kind_are_told_as_such() {
        let mut ip = [0; 16];
        ip[10..].copy_from_slice(&[0xff, 0xff, 127, 77, 0, 1]);
        let peer = peer(wire::Peer::Address(ip, 80));
        assert_eq!(peer.unwrap().to_string(), "127.77.0.1:80");
    }
}
