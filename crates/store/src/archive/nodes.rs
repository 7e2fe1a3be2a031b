//! What an archive says of files besides their bytes: a line of JSON for each, in the order of the files.

use crate::metadata;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest line, in bytes.
pub(super) const LONGEST: u64 = 1 << 20;

/// One file or directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    /// Its path in the layer, `C/a/b`.
    pub(crate) path: String,
    /// Whether it is a directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) directory: bool,
    /// `FILE_ATTRIBUTE_*`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) attributes: u32,
    /// When it was made: 100 ns since 1601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<u64>,
    /// When it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<u64>,
    /// When it was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accessed: Option<u64>,
    /// When anything of it was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changed: Option<u64>,
    /// Its list of rights in SDDL, where it is not only what its place hands down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) security: Option<String>,
    /// Its owner in SDDL, `O:…`, where that is not who exports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    /// Its short name, where that is not the name itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) short: Option<String>,
}

impl Node {
    /// A file of which nothing is told: a whiteout, or one more name of a file that is told of elsewhere.
    pub(super) fn named(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            directory: false,
            attributes: 0,
            created: None,
            modified: None,
            accessed: None,
            changed: None,
            security: None,
            owner: None,
            short: None,
        }
    }
}

impl Node {
    /// Why what it says is refused; nothing when it is not.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let rights = self.security.as_deref();
        if rights.is_some_and(|text| !crate::security::is_plain(text)) {
            return Some("its rights are no list of rights");
        }
        if self
            .owner
            .as_deref()
            .is_some_and(|text| !metadata::is_owner(text))
        {
            return Some("its owner is none");
        }
        self.short.as_deref().and_then(metadata::short_fault)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Seconds from 1601 to 1970.
const TO_UNIX: u64 = 11_644_473_600;
#[cfg(any(not(windows), test))]
const TICKS: u64 = 10_000_000;

/// 100 ns since 1601; none for a time before.
pub(super) fn ticks(time: SystemTime) -> Option<u64> {
    let start = UNIX_EPOCH.checked_sub(Duration::from_secs(TO_UNIX))?;
    let since = time.duration_since(start).ok()?;
    u64::try_from(since.as_nanos() / 100).ok()
}

/// The time so many 100 ns after 1601; none when the system has no such.
#[cfg(any(not(windows), test))]
pub(super) fn time(ticks: u64) -> Option<SystemTime> {
    let since = Duration::new(ticks / TICKS, (ticks % TICKS * 100) as u32);
    UNIX_EPOCH
        .checked_sub(Duration::from_secs(TO_UNIX))?
        .checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_epoch_is_where_nt_has_it() {
        assert_eq!(ticks(UNIX_EPOCH), Some(116_444_736_000_000_000));
        assert_eq!(time(116_444_736_000_000_000), Some(UNIX_EPOCH));
    }

    proptest! {
        #[test]
        fn times_survive(ticks_in in 0..0x7fff_ffff_ffff_ffff_u64) {
            if let Some(time) = time(ticks_in) {
                prop_assert_eq!(ticks(time), Some(ticks_in));
            }
        }
    }
}
