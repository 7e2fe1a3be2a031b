//! WNF state names: which of them a member may read. The pure decision; the
//! agent acts on it.
//!
//! A state name is a number that the whole system knows. Members may read what
//! the system itself publishes, and publish nothing: what a member could write,
//! every other program could read.

/// What state names are written with (ReactOS, wnf.h; public analyses of WNF).
const KEY: u64 = 0x41C6_4E6D_A3BC_0074;

/// How long a state name lives (phnt, `WNF_STATE_NAME_LIFETIME`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Made with the system: its own notices.
    WellKnown,
    /// Kept in the registry for good.
    Permanent,
    /// Kept until the machine starts again.
    Persistent,
    /// Kept while the process lives that made it.
    Temporary,
}

/// The lifetime that the number `name` says: bits 4 and 5 below the key.
#[must_use]
pub const fn lifetime(name: u64) -> Lifetime {
    match (name ^ KEY) >> 4 & 3 {
        0 => Lifetime::WellKnown,
        1 => Lifetime::Permanent,
        2 => Lifetime::Persistent,
        _ => Lifetime::Temporary,
    }
}

/// Whether a member may read and watch the state: only the system's own.
#[must_use]
pub fn may_be_read(name: u64) -> bool {
    lifetime(name) == Lifetime::WellKnown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_own_are_read() {
        // WNF_SHEL_APPLICATION_STARTED and WNF_SHEL_APPLICATION_TERMINATED, as
        // listed in public analyses.
        assert!(may_be_read(0x0D83_063E_A3BE_0075));
        assert!(may_be_read(0x0D83_063E_A3BE_0875));
    }

    #[test]
    fn what_programs_make_is_not() {
        for (bits, expected) in [
            (1, Lifetime::Permanent),
            (2, Lifetime::Persistent),
            (3, Lifetime::Temporary),
        ] {
            let name = KEY ^ (bits << 4 | 1 | 99 << 11);
            assert_eq!(lifetime(name), expected);
            assert!(!may_be_read(name));
        }
    }
}
