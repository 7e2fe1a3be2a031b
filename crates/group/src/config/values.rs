//! Reads single values of the file, and keeps what is wrong with them.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::{Fault, units};

/// The text, and what was found wrong with it so far.
pub(super) struct Reader<'a> {
    pub text: &'a str,
    pub faults: Vec<Fault>,
}

pub(super) type Word = Option<Spanned<String>>;
pub(super) type Number = Option<Spanned<i64>>;

impl Reader<'_> {
    pub(super) fn wrong(&mut self, span: &Range<usize>, why: impl Into<String>) {
        self.faults.push(Fault::at(self.text, span.start, why));
    }

    pub(super) fn time(&mut self, word: &Word, default: Duration) -> Duration {
        self.maybe_time(word).unwrap_or(default)
    }

    pub(super) fn maybe_time(&mut self, word: &Word) -> Option<Duration> {
        let word = word.as_ref()?;
        match units::duration(word.get_ref()) {
            Ok(time) if time.is_zero() => {
                self.wrong(&word.span(), "no time at all; leave it out, or give more");
                None
            }
            Ok(time) => Some(time),
            Err(why) => {
                self.wrong(&word.span(), why);
                None
            }
        }
    }

    pub(super) fn size(&mut self, word: &Word, default: u64) -> u64 {
        self.maybe_size(word).unwrap_or(default)
    }

    pub(super) fn maybe_size(&mut self, word: &Word) -> Option<u64> {
        let word = word.as_ref()?;
        match units::size(word.get_ref()) {
            Ok(size) => Some(size),
            Err(why) => {
                self.wrong(&word.span(), why);
                None
            }
        }
    }

    pub(super) fn number(&mut self, number: &Number, range: Range<u64>, default: u64) -> u64 {
        self.maybe_number(number, range).unwrap_or(default)
    }

    pub(super) fn maybe_number(&mut self, number: &Number, range: Range<u64>) -> Option<u64> {
        let number = number.as_ref()?;
        let value = u64::try_from(*number.get_ref()).ok();
        let value = value.filter(|value| range.contains(value));
        if value.is_none() {
            let why = format!("give a number from {} to {}", range.start, range.end - 1);
            self.wrong(&number.span(), why);
        }
        value
    }

    /// One of the words; the first where none is given.
    pub(super) fn choice<T: Copy>(&mut self, word: &Word, of: &[(&str, T)]) -> T {
        let found = word.as_ref().map(|word| {
            let found = of.iter().find(|(name, _)| name == word.get_ref());
            if found.is_none() {
                let names: Vec<_> = of.iter().map(|(name, _)| *name).collect();
                let why = format!("'{}' is none of {}", word.get_ref(), names.join(", "));
                self.wrong(&word.span(), why);
            }
            found
        });
        found.flatten().unwrap_or(&of[0]).1
    }

    pub(super) fn path(&mut self, word: &Spanned<String>) -> String {
        let path = word.get_ref();
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            let why = "give a path such as /health: it begins with / and has neither spaces nor other than ASCII letters";
            self.wrong(&word.span(), why);
        }
        path.clone()
    }

    pub(super) fn address(&mut self, word: &Spanned<String>) -> SocketAddr {
        match word.get_ref().parse() {
            Ok(address) => address,
            Err(_) => {
                let why = "give an address and a port, such as 127.0.0.1:8080 or 0.0.0.0:80";
                self.wrong(&word.span(), why);
                SocketAddr::from(([127, 0, 0, 1], 0))
            }
        }
    }

    pub(super) fn limited(&mut self, word: &Word, default: u64, range: Range<u64>) -> u64 {
        let size = self.size(word, default);
        if !range.contains(&size) {
            let span = word.as_ref().map_or(0..0, Spanned::span);
            let why = format!(
                "give a size from {} to {} bytes",
                range.start,
                range.end - 1
            );
            self.wrong(&span, why);
        }
        size
    }
}
