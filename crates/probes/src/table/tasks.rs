//! Processes and what they have.

use crate::kind::Kind::{Host, Number, Real};
use crate::probe::{Probe, Way, felt, seen, way};
use pinion_channels::Channel;

const fn number(name: &'static str) -> Way {
    way(name, Number)
}

/// By a handle that the host put into a member.
const fn host(name: &'static str) -> Way {
    way(name, Host)
}

pub(super) const PROBES: &[Probe] = &[
    seen(
        "process",
        Channel::Processes,
        &[
            number("open"),
            number("open-to-query"),
            number("open-to-synchronise"),
            number("open-native"),
            number("open-by-thread"),
            number("next-process"),
            number("image-name"),
            number("times"),
            number("as-parent"),
            number("session-of"),
        ],
    ),
    seen(
        "victim",
        Channel::Processes,
        &[
            number("terminate"),
            number("native-terminate"),
            number("suspend"),
            number("priority"),
            number("affinity"),
            number("debug"),
            number("job"),
        ],
    ),
    felt(
        "thread",
        Channel::Threads,
        &[
            number("queue-apc"),
            number("native-apc"),
            number("apc-ex"),
            number("apc-ex-2"),
            number("remote-thread"),
            number("remote-thread-ex"),
            number("native-thread"),
            number("user-thread"),
        ],
    ),
    seen(
        "thread-handle",
        Channel::Threads,
        &[
            number("open"),
            number("open-native"),
            number("open-by-thread-alone"),
            number("next-thread"),
            number("suspend"),
            number("context"),
            number("priority"),
        ],
    ),
    felt("thread-alert", Channel::Threads, &[number("by-id")]),
    seen(
        "memory-read",
        Channel::Memory,
        &[
            number("read"),
            number("native-read"),
            number("read-ex"),
            number("query"),
        ],
    ),
    felt(
        "memory-write",
        Channel::Memory,
        &[number("write"), number("native-write")],
    ),
    seen(
        "memory-make",
        Channel::Memory,
        &[
            number("allocate"),
            number("allocate-ex"),
            number("map-section"),
            number("protect"),
        ],
    ),
    felt(
        "handle",
        Channel::Handles,
        &[
            number("take"),
            number("native-take"),
            number("take-and-close"),
        ],
    ),
    seen("handle-given", Channel::Handles, &[number("give")]),
    seen(
        "token",
        Channel::Tokens,
        &[
            number("of-process"),
            number("of-process-ex"),
            number("of-thread"),
        ],
    ),
    seen(
        "process-list",
        Channel::ProcessLists,
        &[
            number("toolhelp"),
            number("toolhelp-threads"),
            number("toolhelp-modules"),
            number("psapi"),
            number("wtsapi"),
            number("system-processes"),
            number("system-extended"),
            number("system-full"),
            number("system-session"),
            number("system-handles"),
            number("system-handles-ex"),
            number("image-by-id"),
        ],
    ),
    seen(
        "console",
        Channel::Console,
        &[number("attach"), number("list")],
    ),
    seen(
        "supervisor",
        Channel::Processes,
        &[
            way("open", Real),
            way("read-memory", Real),
            way("take-a-handle", Real),
        ],
    ),
    seen(
        "supervisor-pipe",
        Channel::Pipes,
        &[way("request", Real), way("control", Real)],
    ),
    seen(
        "given-process",
        Channel::Processes,
        &[
            host("suspend"),
            host("resume"),
            host("affinity"),
            host("terminate"),
        ],
    ),
    seen("given-job", Channel::Jobs, &[host("assign")]),
    seen(
        "given-debug",
        Channel::DebugObjects,
        &[host("debug"), host("remove")],
    ),
    seen("given-handle", Channel::Handles, &[host("take")]),
    seen(
        "given-token",
        Channel::Tokens,
        &[
            host("of-process"),
            host("of-process-ex"),
            host("of-thread"),
            host("of-thread-ex"),
        ],
    ),
    seen(
        "given-memory",
        Channel::Memory,
        &[
            host("read"),
            host("write"),
            host("allocate"),
            host("allocate-ex"),
            host("free"),
            host("protect"),
        ],
    ),
    seen(
        "given-section",
        Channel::Sections,
        &[host("map"), host("map-ex"), host("unmap"), host("unmap-ex")],
    ),
    seen(
        "given-thread",
        Channel::Threads,
        &[
            host("suspend"),
            host("resume"),
            host("alert"),
            host("alert-resume"),
            host("context"),
            host("set-context"),
            host("priority"),
            host("queue-apc"),
            host("terminate"),
            host("next"),
            host("create"),
        ],
    ),
];
