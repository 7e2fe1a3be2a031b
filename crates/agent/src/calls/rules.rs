//! The policy of the VM at work: a name that a rule makes the host's, keeps the
//! VM's own, or refuses. Asked only where the VM has rules for the channel.

use super::files::upcase;
use super::objects::{Intent, NO_ROOM, with_name};
use super::query_object;
use crate::{decode, scratch, state, supervisor, trace};
use pinion_names::units::{SEPARATOR, join};
use pinion_names::{object, pipe};
use pinion_nt::status::STATUS_ACCESS_DENIED;
use pinion_nt::{NTSTATUS, OBJ_PERMANENT, OBJECT_ATTRIBUTES};
use pinion_policy::rules::{self, Action, Channel, Verdict, peer, place, places};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict as Told;

/// A system call that is given a name.
pub(crate) type Call<'c> = &'c dyn Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS;

/// What the rules say of a name.
pub(crate) enum Decided {
    /// Nothing.
    Default,
    /// It is the VM's own.
    Own,
    /// It is the host's.
    Host,
    /// It is that of the VM with this id.
    Peer(u64),
    /// It is refused with this status, and the supervisor knows.
    Refused(NTSTATUS),
}

/// Whether the VM has rules for the channel.
pub(crate) fn concern(channel: Channel) -> bool {
    state::page().rules.channels & channel.bit() != 0
}

impl From<Intent> for Action {
    fn from(intent: Intent) -> Self {
        match intent {
            Intent::Create => Self::Make,
            Intent::Open => Self::Open,
        }
    }
}

/// What the rules say of `name`, which is in the directories `places`.
pub(crate) fn decide(channel: Channel, action: Action, places: u8, name: &[u16]) -> Decided {
    let rules = &state::page().rules;
    match rules::decide(rules, channel, action, places, name, upcase) {
        Verdict::Default => Decided::Default,
        Verdict::Own(number) => {
            trace::rule(number, Told::Private);
            Decided::Own
        }
        Verdict::Peer(number, id) => {
            trace::rule(number, Told::Shared);
            Decided::Peer(id)
        }
        Verdict::Host(number) => {
            trace::rule(number, Told::Shared);
            Decided::Host
        }
        Verdict::Refused(number) | Verdict::Shut(number) => {
            Tally::count(&state::tally().refused);
            trace::rule(number, Told::Refused);
            supervisor::denied(number, name, STATUS_ACCESS_DENIED);
            Decided::Refused(STATUS_ACCESS_DENIED)
        }
    }
}

/// Runs `work` with the absolute name inside the VM that `decoded` means; `None`
/// where it means none: its root is no directory of the VM's.
pub(crate) fn with_absolute<R>(
    decoded: &decode::Attributes<'_>,
    work: impl FnOnce(&[u16]) -> Option<R>,
) -> Option<R> {
    if decoded.name.is_empty() {
        return None;
    }
    if decoded.is_absolute() {
        return work(pipe::unroot(decoded.name));
    }
    query_object::with_real_name(decoded.root(), |real| {
        let directory = object::undo(state::page().object_directory.as_units(), real)?;
        let room = directory.len() + 1 + decoded.name.len();
        scratch::with(room, |out| {
            let length = join(&[directory, &[SEPARATOR], decoded.name], out).ok()?;
            work(out.get(..length)?)
        })?
    })?
}

/// Whether a rule has the last part of `name` in some directory; `None` otherwise.
/// Most names are done with here: to find the directory takes two calls.
fn may_concern(channel: Channel, action: Action, name: &[u16]) -> Option<()> {
    let leaf = name.rsplit(|&unit| unit == SEPARATOR).next()?;
    let rules = &state::page().rules;
    let verdict = rules::decide(rules, channel, action, places::ANY, leaf, upcase);
    (verdict != Verdict::Default).then_some(())
}

/// Carries out what a rule says of an object; `None` where none has it.
#[cold]
#[inline(never)]
pub(crate) fn object(
    channel: Channel,
    attributes: *const OBJECT_ATTRIBUTES,
    intent: Intent,
    call: Call<'_>,
) -> Option<NTSTATUS> {
    let session = state::page().session;
    decode::with_attributes(attributes, |decoded| {
        // What is in front refuses it.
        if intent == Intent::Create && decoded.given.Attributes & OBJ_PERMANENT != 0 {
            return None;
        }
        may_concern(channel, intent.into(), decoded.name)?;
        with_absolute(decoded, |name| {
            let found = place::find(session, name)?;
            match decide(channel, intent.into(), found.places, found.leaf) {
                Decided::Default | Decided::Own => None,
                Decided::Refused(status) => Some(status),
                Decided::Host => with_room(decoded, name, call, |out| {
                    place::on_host(session, found, out)
                }),
                Decided::Peer(id) => with_room(decoded, name, call, |out| {
                    peer::object(session, id, found, out)
                }),
            }
        })
    })?
}

/// Carries out what a rule says of a port; `None` where none has it.
#[cold]
#[inline(never)]
pub(crate) fn port(
    channel: Channel,
    attributes: *const OBJECT_ATTRIBUTES,
    action: Action,
    call: Call<'_>,
) -> Option<NTSTATUS> {
    decode::with_attributes(attributes, |decoded| {
        with_absolute(decoded, |name| {
            match decide(channel, action, places::ANY, name) {
                Decided::Default => None,
                // The VM's own, whatever the pass list says.
                Decided::Own => Some(own(decoded, name, call)),
                Decided::Refused(status) => Some(status),
                Decided::Host => Some(at_name(decoded, name, call)),
                // No rule about ports leads to another VM.
                Decided::Peer(_) => Some(STATUS_ACCESS_DENIED),
            }
        })
    })?
}

fn own(decoded: &decode::Attributes<'_>, name: &[u16], call: Call<'_>) -> NTSTATUS {
    let directory = state::page().object_directory.as_units();
    scratch::with(directory.len() + name.len(), |out| {
        match object::map(directory, name, out) {
            Ok(length) => at_name(decoded, out.get(..length).unwrap_or(&[]), call),
            Err(pinion_names::TooLong) => NO_ROOM,
        }
    })
    .unwrap_or(NO_ROOM)
}

/// The call with the name that `fill` writes, which is `name` with one or two
/// directories before it.
fn with_room(
    decoded: &decode::Attributes<'_>,
    name: &[u16],
    call: Call<'_>,
    fill: impl FnOnce(&mut [u16]) -> Result<usize, pinion_names::TooLong>,
) -> Option<NTSTATUS> {
    scratch::with(name.len() + 128, |out| match fill(out) {
        Ok(length) => at_name(decoded, out.get(..length).unwrap_or(&[]), call),
        Err(pinion_names::TooLong) => NO_ROOM,
    })
}

/// The name inside of another VM that the rules lead to, when the object manager
/// calls it `real`.
pub(crate) fn undo_object(real: &[u16]) -> Option<&[u16]> {
    let page = state::page();
    let mut peers = page.rules.peers.iter().filter(|&&id| id != 0);
    peers.find_map(|&id| peer::undo(page.session, id, real))
}

/// The same of a pipe or mailslot, whose name on its device is `real`.
pub(crate) fn undo_pipe(real: &[u16]) -> Option<&[u16]> {
    let mut peers = state::page().rules.peers.iter().filter(|&&id| id != 0);
    peers.find_map(|&id| pipe::undo(&peer::pipe_prefix(id), real))
}

/// The call with the kernel's own absolute name `name`.
fn at_name(decoded: &decode::Attributes<'_>, name: &[u16], call: Call<'_>) -> NTSTATUS {
    let given = OBJECT_ATTRIBUTES {
        RootDirectory: core::ptr::null_mut(),
        ..decoded.given
    };
    with_name(&given, name, &call)
}
