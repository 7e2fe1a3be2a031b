//! What the catalogue says of a system call, and how a table is written.

use crate::channel::Channel;

/// Calls that are alike in all that is said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The channel that they belong to.
    pub channel: Channel,
    /// How they find what they act on.
    pub reach: Reach,
    /// How the VM is to treat them.
    pub treatment: Treatment,
    /// How far that is done.
    pub status: Status,
    /// What the hook does, or why it needs none, or why it would need one.
    pub why: &'static str,
    /// Their names, as exported.
    pub names: &'static [&'static str],
}

/// One system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Its name, as exported.
    pub name: &'static str,
    /// The DLL that exports it.
    pub module: Module,
    /// All that is said of it.
    pub group: &'static Group,
}

/// The DLLs whose exports are system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// ntdll.dll: the kernel's own.
    Ntdll,
    /// win32u.dll: win32k's (on Windows 7 and 8 in user32 and gdi32).
    Win32u,
}

impl Module {
    /// The file's name.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Ntdll => "ntdll.dll",
            Self::Win32u => "win32u.dll",
        }
    }
}

/// How a call finds what it acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By a name, or a number that the whole system knows: a process id, a
    /// window, an atom, a GUID. Object attributes count, whether programs put a
    /// name into them or not.
    Name,
    /// By a handle, or not at all, and it is felt outside the process.
    Other,
    /// It is felt in the calling process alone.
    None,
}

/// How a VM treats a call or a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The name means the VM's own.
    OwnName,
    /// It passes only between members of one VM.
    SameVm,
    /// The server at the other end runs again inside.
    ServerInside,
    /// It takes a handle, so it was decided when that was opened.
    ByHandle,
    /// It is refused.
    Denied,
    /// It reaches the host on purpose.
    Pass,
    /// It is no channel.
    NoIpc,
}

/// How far the treatment is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The agent intercepts it.
    Hooked,
    /// The agent intercepts it, and part of it is not confined yet.
    Partly,
    /// It needs no hook of its own.
    Settled,
    /// It is not confined yet.
    Open,
}

impl Status {
    /// Whether the agent intercepts the call.
    #[must_use]
    pub const fn is_hooked(self) -> bool {
        matches!(self, Self::Hooked | Self::Partly)
    }

    /// Whether all that is meant is done.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Hooked | Self::Settled)
    }
}

/// Gives an enum the words that tables, JSON and filters use.
macro_rules! words {
    ($type:ident { $($variant:ident $word:literal,)* }) => {
        impl $type {
            /// All of them, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it in tables, JSON and filters.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}
pub(crate) use words;

words! { Reach {
    Name "name",
    Other "other",
    None "none",
} }

words! { Treatment {
    OwnName "own-name",
    SameVm "same-vm",
    ServerInside "server-inside",
    ByHandle "by-handle",
    Denied "denied",
    Pass "pass",
    NoIpc "no-ipc",
} }

words! { Status {
    Hooked "hooked",
    Partly "partly",
    Settled "settled",
    Open "open",
} }

/// A table: rows of `channel reach treatment status "why" { names… }`.
macro_rules! groups {
    ($($channel:ident $reach:ident $treatment:ident $status:ident $why:literal { $($name:ident)+ })+) => {
        &[$($crate::call::Group {
            channel: $crate::channel::Channel::$channel,
            reach: $crate::call::Reach::$reach,
            treatment: $crate::call::Treatment::$treatment,
            status: $crate::call::Status::$status,
            why: $why,
            names: &[$(stringify!($name)),+],
        }),+]
    };
}
pub(crate) use groups;
