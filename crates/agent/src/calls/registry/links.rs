//! Link keys of the host, followed by name.
//!
//! The kernel follows them by itself on the host. For the layers the few that
//! Windows and Wine have by nature are followed here, so that
//! `CurrentControlSet\X` and `ControlSet001\X` meet the same key. Other links
//! are followed when a key is copied up. What a link points at is asked once in
//! a process's life.

use super::access::READ;
use super::raw;
use crate::state;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use pinion_names::key;
use pinion_names::units::{SEPARATOR, below, fold, join, starts};

/// The longest link and the longest target that are followed, in units.
pub(super) const LONGEST: usize = 320;

/// A path that is, or may be, a link.
struct Link {
    /// Its path, below the user's own key where `of_user` says so.
    path: &'static str,
    of_user: bool,
    target: Target,
}

/// The links that Windows has by nature; Wine has the first two (Wine 10) or
/// the second (Wine 8).
static LINKS: [Link; 3] = [
    Link::new(r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet", false),
    Link::new(r"\REGISTRY\MACHINE\SOFTWARE\WOW6432Node\Classes", false),
    Link::new(r"\Software\Classes", true),
];

impl Link {
    const fn new(path: &'static str, of_user: bool) -> Self {
        Self {
            path,
            of_user,
            target: Target::new(),
        }
    }

    /// The path that the link's own is below, and what follows that.
    fn parts(&self) -> (&'static [u16], &'static str) {
        if self.of_user {
            (state::page().user_key.as_units(), self.path)
        } else {
            (&[], self.path)
        }
    }

    /// Whether the link is at `path`, or `path` is below it.
    fn leads(&self, path: &[u16]) -> bool {
        let (base, tail) = self.parts();
        path.get(base.len()..)
            .and_then(|rest| starts(rest, tail))
            .is_some_and(|rest| matches!(rest.first(), None | Some(&SEPARATOR)))
            && below(path, base).is_some()
    }

    /// Whether the link is at the path `above` or below it.
    fn is_below(&self, above: &[u16]) -> bool {
        let (base, tail) = self.parts();
        if below(base, above).is_some() {
            return true;
        }
        // The rest of `above` is the beginning of the tail.
        let Some(rest) = below(above, base) else {
            return false;
        };
        let same = |(&unit, byte): (&u16, u8)| fold(unit) == fold(u16::from(byte));
        rest.len() <= tail.len()
            && rest.iter().zip(tail.bytes()).all(same)
            && matches!(tail.as_bytes().get(rest.len()), None | Some(b'\\'))
    }

    /// Runs `work` with the link's own path.
    fn with_path<R>(&self, work: impl FnOnce(&[u16]) -> R) -> Option<R> {
        let mut path = [0; LONGEST];
        let base = if self.of_user {
            join(&[state::page().user_key.as_units()], &mut path).ok()?
        } else {
            0
        };
        let tail = key::ascii(self.path, path.get_mut(base..)?).ok()?;
        path.get(..base + tail).map(work)
    }

    /// What the link points at, written to `out`: its own path where the host
    /// has no such link.
    fn target(&self, own: &[u16], out: &mut [u16; LONGEST]) -> usize {
        if let Some(length) = self.target.get(out) {
            return length;
        }
        let asked = raw::open(own, READ)
            .and_then(|host| raw::with_name(host.handle(), |real| join(&[real], out).ok()));
        let length = match asked {
            Ok(Some(length)) => length,
            _ => join(&[own], out).unwrap_or(0),
        };
        self.target.set(out.get(..length).unwrap_or(&[]));
        length
    }
}

/// A name that is written once.
struct Target {
    stage: AtomicU32,
    length: AtomicU32,
    words: [AtomicU64; LONGEST / 4],
}

const EMPTY: u32 = 0;
const WRITING: u32 = 1;
const SET: u32 = 2;

impl Target {
    const fn new() -> Self {
        Self {
            stage: AtomicU32::new(EMPTY),
            length: AtomicU32::new(0),
            words: [const { AtomicU64::new(0) }; LONGEST / 4],
        }
    }

    fn get(&self, out: &mut [u16; LONGEST]) -> Option<usize> {
        if self.stage.load(Ordering::Acquire) != SET {
            return None;
        }
        for (place, word) in out.chunks_exact_mut(4).zip(&self.words) {
            let word = word.load(Ordering::Relaxed);
            for (at, unit) in place.iter_mut().enumerate() {
                *unit = (word >> (16 * at)) as u16;
            }
        }
        Some(self.length.load(Ordering::Relaxed) as usize)
    }

    fn set(&self, name: &[u16]) {
        let order = Ordering::Relaxed;
        let taken = self.stage.compare_exchange(EMPTY, WRITING, order, order);
        if taken.is_err() {
            return;
        }
        for (word, units) in self.words.iter().zip(name.chunks(4)) {
            let packed = units
                .iter()
                .rev()
                .fold(0, |packed, &unit| packed << 16 | u64::from(unit));
            word.store(packed, Ordering::Relaxed);
        }
        self.length.store(name.len() as u32, Ordering::Relaxed);
        self.stage.store(SET, Ordering::Release);
    }
}

/// Replaces links at the front of the path of `length` units by what they point
/// at; with `itself` a path that is a link stays. Gives the new length; `None`
/// where the path stays as it is.
pub(super) fn follow(path: &mut [u16], length: usize, itself: bool) -> Option<usize> {
    let mut new = None;
    for link in &LINKS {
        let length = new.unwrap_or(length);
        if !path.get(..length).is_some_and(|path| link.leads(path)) {
            continue;
        }
        let followed = link.with_path(|own| {
            let rest = below(path.get(..length)?, own)?;
            if itself && rest.is_empty() {
                return None;
            }
            let mut target = [0; LONGEST];
            let target_length = link.target(own, &mut target);
            let target = target.get(..target_length)?;
            // The same but for its case: the name stays as it was asked.
            if below(target, own).is_some_and(<[u16]>::is_empty) {
                return None;
            }
            key::replace(path, length, own.len(), target).ok()
        });
        new = followed.flatten().or(new);
    }
    new
}

/// Whether a link is at the path `above` or below it.
pub(super) fn any_below(above: &[u16]) -> bool {
    LINKS.iter().any(|link| link.is_below(above))
}
