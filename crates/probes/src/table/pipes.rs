//! Named pipes and mailslots.

use crate::kind::Kind::{Inside, Name, Real};
use crate::probe::{Probe, Way, felt, seen, way};
use pinion_channels::Channel;

const fn name(name: &'static str) -> Way {
    way(name, Name)
}

pub(super) const PROBES: &[Probe] = &[
    seen(
        "pipe",
        Channel::Pipes,
        &[
            name("open"),
            name("upper-case"),
            name("long-form"),
            name("localhost"),
            name("loopback-address"),
            name("machine-name"),
            name("call"),
            name("wait"),
            name("nt-path"),
            name("device"),
            name("unc"),
            name("global-root"),
            name("relative"),
            name("dots"),
            name("listed"),
            name("create"),
            way("real-name", Real),
            way("real-device", Real),
            way("real-relative", Real),
            way("real-dots", Real),
            way("real-listed", Real),
        ],
    ),
    seen(
        "first-instance",
        Channel::Pipes,
        &[way("second-server", Inside), way("native", Inside)],
    ),
    seen(
        "client-process",
        Channel::Pipes,
        &[way("client-process", Inside)],
    ),
    felt(
        "mailslot",
        Channel::Mailslots,
        &[
            name("open"),
            name("upper-case"),
            name("long-form"),
            name("localhost"),
            name("broadcast"),
            name("machine-name"),
            name("nt-path"),
            name("device"),
            name("unc"),
            name("global-root"),
            name("relative"),
            way("real-name", Real),
            way("real-device", Real),
            way("real-relative", Real),
        ],
    ),
];
