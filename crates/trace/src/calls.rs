//! The calls by their numbers, and the channel that an event belongs to.

use std::collections::HashMap;
use std::sync::LazyLock;

use pinion_channels::{Channel, calls};
use pinion_names::pipe::{self, Kind};
use pinion_wire::trace::call;

use crate::event::{Event, Peer};

/// Functions that are recorded and are no system calls: the service API's, which a VM's own
/// controller answers, and the HTTP Server API's, where a policy is about it.
const FUNCTIONS: [(&str, Channel); 15] = [
    ("OpenServiceW", Channel::Services),
    ("CreateServiceW", Channel::Services),
    ("StartServiceW", Channel::Services),
    ("ControlService", Channel::Services),
    ("DeleteService", Channel::Services),
    ("HttpAddUrl", Channel::Http),
    ("HttpRemoveUrl", Channel::Http),
    ("HttpAddUrlToUrlGroup", Channel::Http),
    ("HttpRemoveUrlFromUrlGroup", Channel::Http),
    ("HttpFindUrlGroupId", Channel::Http),
    ("HttpCreateRequestQueue", Channel::Http),
    ("HttpSetServiceConfiguration", Channel::Http),
    ("HttpUpdateServiceConfiguration", Channel::Http),
    ("HttpDeleteServiceConfiguration", Channel::Http),
    ("HttpQueryServiceConfiguration", Channel::Http),
];

static CALLS: LazyLock<HashMap<u32, (&'static str, Channel)>> = LazyLock::new(|| {
    calls()
        .map(|known| (known.name, known.group.channel))
        .chain(FUNCTIONS)
        .map(|known| (call(known.0), known))
        .collect()
});

/// The call's name; `None` where no call of the catalogue has the number.
#[must_use]
pub fn name(number: u32) -> Option<&'static str> {
    CALLS.get(&number).map(|(name, _)| *name)
}

/// The channel that an event belongs to: the call's own, or, of a call that opens files
/// of any kind, the one that the names tell.
#[must_use]
pub fn channel(event: &Event<'_>) -> Option<Channel> {
    let (_, channel) = *CALLS.get(&event.call)?;
    if let Some(Peer::Address(_)) = event.peer {
        return Some(Channel::Sockets);
    }
    Some(match channel {
        Channel::Files | Channel::Pipes | Channel::Devices | Channel::Mailslots => {
            of_names(event).unwrap_or(channel)
        }
        channel => channel,
    })
}

fn of_names(event: &Event<'_>) -> Option<Channel> {
    let names = [&event.given.text, &event.asked.text];
    names.into_iter().find_map(|name| of_name(name))
}

fn of_name(name: &str) -> Option<Channel> {
    // Only these have a pipe's or mailslot's name, or a device's.
    let begins = |with: &str| {
        let begin = name.as_bytes().get(..with.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
    };
    if begins(r"\device\afd") {
        return Some(Channel::Sockets);
    }
    if !(begins(r"\device\") || begins(r"\??\") || begins(r"\dosdevices\")) {
        return None;
    }
    let drive = name.as_bytes().get(5) == Some(&b':') || begins(r"\??\unix\");
    if drive {
        return None;
    }
    let units: Vec<u16> = name.encode_utf16().collect();
    match pipe::classify(&units, &[]) {
        Some(found) if found.kind == Kind::Pipe => Some(Channel::Pipes),
        Some(_) => Some(Channel::Mailslots),
        None => Some(Channel::Devices),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    #[test]
    fn no_two_calls_have_one_number() {
        assert_eq!(CALLS.len(), calls().count() + FUNCTIONS.len());
    }

    #[test]
    fn channels_of_events() {
        for (call, asked, given, expected) in [
            ("NtCreateMutant", "app", "app", Channel::Objects),
            ("NtCreateFile", r"\??\C:\x", r"\??\unix\h\x", Channel::Files),
            (
                "NtOpenFile",
                r"\??\pipe\x",
                r"\??\pipe\pinion-1\x",
                Channel::Pipes,
            ),
            (
                "NtCreateFile",
                r"\Device\MailSlot\x",
                "",
                Channel::Mailslots,
            ),
            (
                "NtCreateNamedPipeFile",
                "x",
                r"\Device\NamedPipe\p\x",
                Channel::Pipes,
            ),
            (
                "NtCreateFile",
                r"\Device\Afd\",
                r"\Device\Afd\",
                Channel::Sockets,
            ),
            ("NtCreateFile", r"\??\NUL", r"\??\NUL", Channel::Devices),
            ("NtOpenKey", r"\Registry\Machine\x", "", Channel::Registry),
        ] {
            assert_eq!(
                channel(&event(call, asked, given)),
                Some(expected),
                "{call} {asked}"
            );
        }
        assert_eq!(
            channel(&Event {
                call: 1,
                ..event("NtClose", "", "")
            }),
            None
        );
    }
}
