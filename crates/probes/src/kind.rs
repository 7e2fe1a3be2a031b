//! Between whom a way is tried, and what has to come of it.

/// Who serves, and who tries to reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pair {
    /// Both on the host: what a plain system does.
    Host,
    /// Both in one VM.
    Inside,
    /// In two VMs.
    Across,
    /// A VM reaches for what is the host's.
    ToHost,
    /// The host reaches for what is a VM's.
    FromHost,
}

impl Pair {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 5] = [
        Self::Host,
        Self::Inside,
        Self::Across,
        Self::ToHost,
        Self::FromHost,
    ];

    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Host => "on the host",
            Self::Inside => "inside",
            Self::Across => "from VM to VM",
            Self::ToHost => "from VM to host",
            Self::FromHost => "from host to VM",
        }
    }
}

/// What a way consists of: this decides where it is tried.
///
/// A program of the host is not intercepted. With a VM's real names, or with
/// the number of a process, a window or a port, it reaches what is in a VM, as
/// the user who owns both may; that is not judged. That it does not get there
/// by an ordinary name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By a name that both sides know.
    Name,
    /// By the name that what the server has really has; shown to be right by
    /// the host, which reaches it so.
    Real,
    /// By a number that the whole system knows, or a list of all.
    Number,
    /// As [`Kind::Name`], where a VM sees the host's by design and changes only
    /// its own: files, keys.
    Layered,
    /// What only the host has: a device, a server, a supervisor.
    Host,
    /// What no VM may do, or what does nothing on a station that the user does not
    /// see.
    Refused,
    /// What has to be right in a VM even where the system itself is wrong.
    Inside,
}

impl Kind {
    /// The pair that shows that the way works at all.
    #[must_use]
    pub fn control(self) -> Pair {
        match self {
            Self::Real => Pair::FromHost,
            Self::Inside => Pair::Inside,
            Self::Name | Self::Number | Self::Layered | Self::Host | Self::Refused => Pair::Host,
        }
    }

    /// Whether the way must work between this pair, once the control did.
    #[must_use]
    pub fn must_work(self, pair: Pair) -> bool {
        pair == Pair::Inside && !matches!(self, Self::Real | Self::Host | Self::Refused)
    }

    /// Whether the way must not lead to anything between this pair.
    #[must_use]
    pub fn must_not_work(self, pair: Pair) -> bool {
        match self {
            Self::Name => matches!(pair, Pair::Across | Pair::ToHost | Pair::FromHost),
            Self::Number | Self::Refused => matches!(pair, Pair::Across | Pair::ToHost),
            Self::Layered => matches!(pair, Pair::Across | Pair::FromHost),
            Self::Real => pair == Pair::Across,
            Self::Host => pair == Pair::ToHost,
            Self::Inside => false,
        }
    }

    /// Whether the pair is tried at all.
    #[must_use]
    pub fn tries(self, pair: Pair) -> bool {
        pair == self.control() || self.must_work(pair) || self.must_not_work(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 7] = [
        Kind::Name,
        Kind::Real,
        Kind::Number,
        Kind::Layered,
        Kind::Host,
        Kind::Refused,
        Kind::Inside,
    ];

    #[test]
    fn what_must_work_is_not_also_forbidden() {
        for kind in KINDS {
            for pair in Pair::ALL {
                assert!(!(kind.must_work(pair) && kind.must_not_work(pair)));
            }
            assert!(!kind.must_not_work(kind.control()) && kind.tries(kind.control()));
        }
    }

    #[test]
    fn every_kind_judges_something_but_its_control() {
        for kind in KINDS {
            let judged = |pair: &Pair| kind.must_work(*pair) || kind.must_not_work(*pair);
            assert!(Pair::ALL.iter().any(judged), "{kind:?}");
        }
    }
}
