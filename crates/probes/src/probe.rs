//! What is said of a probe.

use crate::kind::Kind;
use crate::table;
use pinion_channels::Channel;

/// One way of getting at what a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Its name, as the player knows it.
    pub name: &'static str,
    /// Between whom it is tried.
    pub kind: Kind,
}

/// A server with something that is its own, and the ways to get at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Its name, as the player knows it.
    pub name: &'static str,
    /// The channel that it is about.
    pub channel: Channel,
    /// Whether the server is asked for what a client has done to it. Else what
    /// the client saw is all there is.
    pub effect: bool,
    /// The ways; the first is the plain one.
    pub ways: &'static [Way],
}

/// Who tries the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A program that was started in the VM.
    Program,
    /// A child of one.
    Child,
    /// A service that the VM's own controller started.
    Service,
    /// A program in a VM that was stopped and started again.
    Restart,
}

impl By {
    /// Those that try the plain ways only.
    pub const OTHERS: [Self; 3] = [Self::Child, Self::Service, Self::Restart];

    /// What it adds to the name of a way.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Program => "",
            Self::Child => ", by a child",
            Self::Service => ", by a service",
            Self::Restart => ", after a restart",
        }
    }
}

/// The probe of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Probe> {
    table::all().find(|probe| probe.name == name)
}

pub(crate) const fn way(name: &'static str, kind: Kind) -> Way {
    Way { name, kind }
}

pub(crate) const fn seen(name: &'static str, channel: Channel, ways: &'static [Way]) -> Probe {
    Probe {
        name,
        channel,
        effect: false,
        ways,
    }
}

pub(crate) const fn felt(name: &'static str, channel: Channel, ways: &'static [Way]) -> Probe {
    Probe {
        name,
        channel,
        effect: true,
        ways,
    }
}
