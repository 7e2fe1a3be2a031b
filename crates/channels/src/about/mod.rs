//! The records of the channels, in the order of [`Channel`]; a file for each
//! part of the list.

mod messages;
mod names;
mod shared;
mod tasks;

use crate::channel::{About, Channel, State};

/// How many channels there are.
const COUNT: usize = Channel::ALL.len();

/// Every channel's record, at its place.
pub(crate) static ABOUT: [About; COUNT] = in_order();

const NONE: About = About {
    channel: Channel::Local,
    title: "",
    treatment: crate::call::Treatment::NoIpc,
    state: State::Open,
    windows: "",
    wine: "",
    proofs: &[],
    gaps: "",
};

/// Puts the records into their places. One that is missing, or is there twice,
/// does not compile.
const fn in_order() -> [About; COUNT] {
    let mut all = [NONE; COUNT];
    let parts = [names::ABOUT, messages::ABOUT, tasks::ABOUT, shared::ABOUT];
    let mut part = 0;
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            let about = parts[part][at];
            let place = about.channel as usize;
            assert!(all[place].title.is_empty(), "a channel has two records");
            all[place] = about;
            at += 1;
        }
        part += 1;
    }
    let mut at = 0;
    while at < COUNT {
        assert!(!all[at].title.is_empty(), "a channel has no record");
        at += 1;
    }
    all
}
