//! What the boundary made of a name or a peer, in a word.

/// What the boundary made of a name or a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Verdict {
    /// Not decided, or not known.
    #[default]
    Unknown,
    /// The VM's own object, under a name of its own.
    Private,
    /// A file or key of the VM's layers.
    Layer,
    /// A file or key that was copied into the VM's layer first.
    CopiedUp,
    /// The host's own: on the pass list, or shows through the layers, or in a share.
    Host,
    /// The host's or another VM's, by a rule of the policy.
    Shared,
    /// Relative to a handle, and decided when that was opened.
    Relative,
    /// Answered in the VM, without the kernel.
    Answered,
    /// Refused.
    Refused,
    /// A process or thread of the VM.
    Member,
    /// A process or thread that does not exist for the VM.
    Absent,
}

impl Verdict {
    /// All of them, by their numbers.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::Private,
        Self::Layer,
        Self::CopiedUp,
        Self::Host,
        Self::Shared,
        Self::Relative,
        Self::Answered,
        Self::Refused,
        Self::Member,
        Self::Absent,
    ];

    /// The verdict of this number; [`Verdict::Unknown`] where there is none.
    #[must_use]
    pub fn of(number: u8) -> Self {
        Self::ALL
            .get(number as usize)
            .copied()
            .unwrap_or(Self::Unknown)
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Private => "private",
            Self::Layer => "layer",
            Self::CopiedUp => "copied-up",
            Self::Host => "host",
            Self::Shared => "shared",
            Self::Relative => "relative",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Member => "member",
            Self::Absent => "absent",
        }
    }
}
