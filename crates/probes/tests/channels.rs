//! Every channel of the catalogue has a probe, or the reason why it has none.

use pinion_channels::{Channel, State};
use pinion_probes::{Kind, all};

/// Channels that no probe is about yet, and why.
const WITHOUT: &[(Channel, &str)] = &[
    (
        Channel::Tracing,
        "a session of traces needs an administrator, and Wine drops event logs",
    ),
    (Channel::Fonts, "needs a font file of the probes' own"),
    (Channel::Graphics, "needs a graphics driver"),
    (
        Channel::Machine,
        "what a member could do to the machine is not to be done to a user's",
    ),
    (Channel::Local, "it is no channel"),
];

#[test]
fn every_channel_has_its_probes_or_the_reason_why_not() {
    for channel in Channel::ALL {
        let probed = all().any(|probe| probe.channel == *channel);
        let excused = WITHOUT.iter().any(|(without, _)| without == channel);
        assert!(probed != excused, "{channel}");
    }
}

#[test]
fn what_is_called_confined_is_tried_between_vms_and_to_the_host() {
    for channel in Channel::ALL {
        if channel.about().state != State::Confined || *channel == Channel::Local {
            continue;
        }
        let mut ways = all()
            .filter(|probe| probe.channel == *channel)
            .flat_map(|probe| probe.ways);
        assert!(
            ways.any(|way| matches!(way.kind, Kind::Name | Kind::Number | Kind::Layered)),
            "{channel}"
        );
    }
}
