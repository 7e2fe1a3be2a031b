//! What the object manager names.

use crate::kind::Kind::{self, Inside, Name, Number, Real};
use crate::probe::{Probe, Way, seen, way};
use pinion_channels::Channel;

const fn name(name: &'static str) -> Way {
    way(name, Name)
}

/// The forms of a name that every kind of object has. `bare` is relative to the
/// directory that kernel32 uses, as its own calls are.
const FORMS: &[Way] = &[
    name("bare"),
    name("upper-case"),
    name("local"),
    name("global"),
    name("session"),
    name("nt-path"),
    name("global-path"),
    name("relative"),
    name("create"),
    name("create-path"),
    way("real-name", Real),
    way("real-relative", Real),
    way("through-link", Real),
];

/// Those that can be made and not opened.
const MADE: &[Way] = &[name("create"), name("create-global"), name("create-path")];

/// The forms, and what kernel32 has of the kind.
const WIN32: &[Way] = &[
    name("win32"),
    name("win32-ex"),
    name("bare"),
    name("upper-case"),
    name("local"),
    name("global"),
    name("session"),
    name("nt-path"),
    name("global-path"),
    name("relative"),
    name("create"),
    name("create-path"),
    way("real-name", Real),
    way("real-relative", Real),
    way("through-link", Real),
];

const fn kind(name: &'static str, channel: Channel, ways: &'static [Way]) -> Probe {
    seen(name, channel, ways)
}

pub(super) const PROBES: &[Probe] = &[
    kind("mutant", Channel::Objects, WIN32),
    kind("event", Channel::Objects, WIN32),
    kind("semaphore", Channel::Objects, WIN32),
    kind("timer", Channel::Objects, WIN32),
    kind("keyed-event", Channel::Objects, FORMS),
    kind("section", Channel::Sections, WIN32),
    kind("file-section", Channel::Sections, FORMS),
    kind("job", Channel::Jobs, WIN32),
    kind("completion", Channel::Completions, FORMS),
    kind("directory", Channel::Directories, FORMS),
    kind("link", Channel::Directories, FORMS),
    seen(
        "listed-object",
        Channel::Directories,
        &[name("named-directory"), way("whole-tree", Number)],
    ),
    seen(
        "told-name",
        Channel::Directories,
        &[way("own", Inside), way("link-target", Inside)],
    ),
    kind("debug-object", Channel::DebugObjects, MADE),
    kind("event-pair", Channel::Objects, FORMS),
    kind("partition", Channel::Partitions, FORMS),
    kind("transaction", Channel::Transactions, FORMS),
    kind("registry-transaction", Channel::Transactions, FORMS),
    kind("transaction-manager", Channel::Transactions, FORMS),
    seen(
        "private-namespace",
        Channel::Namespaces,
        &[name("win32"), name("native")],
    ),
    seen(
        "wnf-state",
        Channel::Wnf,
        &[way("state-name", Kind::Number)],
    ),
    seen(
        "dos-device",
        Channel::DosDevices,
        &[
            name("query"),
            name("open"),
            name("listed"),
            name("global-root"),
        ],
    ),
    seen(
        "known-dll",
        Channel::KnownDlls,
        &[way("write", Kind::Host), way("create", Kind::Host)],
    ),
    seen("session-directory", Channel::Sessions, &[name("create")]),
];
