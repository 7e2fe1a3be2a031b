//! The rules of a VM's policy: which of them decides a name, and how.
//!
//! A rule is of one channel and has a pattern of names. The first rule that
//! decides a name counts; where none does, the name goes the default way, which is
//! the VM's own name or a line of the pass list.

pub mod pattern;
pub mod peer;
pub mod place;

use pinion_wire::rules::{Rule, Rules};

/// The channels that rules can be about, by the catalogue's words. All of them are
/// decided by a name when something is made or opened.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the catalogue says what each is")]
pub enum Channel {
    Objects,
    Sections,
    Jobs,
    Completions,
    Pipes,
    Mailslots,
    Ports,
    Alpc,
    Http,
}

impl Channel {
    /// All of them, in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Objects,
        Self::Sections,
        Self::Jobs,
        Self::Completions,
        Self::Pipes,
        Self::Mailslots,
        Self::Ports,
        Self::Alpc,
        Self::Http,
    ];

    /// The catalogue's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Sections => "sections",
            Self::Jobs => "jobs",
            Self::Completions => "completions",
            Self::Pipes => "pipes",
            Self::Mailslots => "mailslots",
            Self::Ports => "ports",
            Self::Alpc => "alpc",
            Self::Http => "http",
        }
    }

    /// The channel of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }

    /// Its bit in [`Rules::channels`].
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Whether its names are those of the object manager's directories for
    /// programs' own objects ([`place`]).
    #[must_use]
    pub const fn has_places(self) -> bool {
        matches!(
            self,
            Self::Objects | Self::Sections | Self::Jobs | Self::Completions
        )
    }
}

/// What a program does with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes the object, or the server's end.
    Make,
    /// Opens the object, or the client's end.
    Open,
}

impl Action {
    /// Its bit in [`Rule::actions`].
    #[must_use]
    pub const fn bit(self) -> u8 {
        match self {
            Self::Make => 1,
            Self::Open => 2,
        }
    }
}

/// What a rule does with the names that it has.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The name is the host's.
    Host,
    /// The name is the VM's own, whatever later rules and the pass list say.
    Own,
    /// The name is refused.
    Refuse,
    /// The name is another VM's, if the rules that are made of its policy admit it.
    Peer,
    /// Of another VM's policy: the name is admitted.
    Admit,
    /// Of another VM's policy: it is not.
    Reject,
    /// Nothing inside: it is for other VMs to read.
    Inert,
}

impl Effect {
    fn of(number: u8) -> Option<Self> {
        let all = [
            Self::Host,
            Self::Own,
            Self::Refuse,
            Self::Peer,
            Self::Admit,
            Self::Reject,
            Self::Inert,
        ];
        all.into_iter().find(|&one| one as u8 == number)
    }
}

/// Directories of names, as bits. Names of channels without directories are in
/// all of them.
pub mod places {
    /// The session's own, `Local\` of Win32.
    pub const LOCAL: u8 = 1;
    /// The one of all sessions, `Global\` of Win32.
    pub const GLOBAL: u8 = 2;
    /// Any.
    pub const ANY: u8 = 3;
}

/// What was decided of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No rule has it.
    Default,
    /// By the rule of this number it is the host's.
    Host(usize),
    /// By the rule of this number it is the VM's own.
    Own(usize),
    /// By the rule of this number it is refused.
    Refused(usize),
    /// By the rule of this number it is that of the VM with this id.
    Peer(usize, u64),
    /// By the rule of this number it is another VM's, which is not there, or whose
    /// policy does not admit it.
    Shut(usize),
}

/// Decides the name `name`, which is in the directories `places`.
#[must_use]
pub fn decide(
    rules: &Rules,
    channel: Channel,
    action: Action,
    places: u8,
    name: &[u16],
    fold: impl Fn(u16) -> u16,
) -> Verdict {
    if rules.channels & channel.bit() == 0 {
        return Verdict::Default;
    }
    for (number, (rule, pattern)) in rules.all().enumerate() {
        if !concerns(rule, channel, action, places) || !pattern::matches(pattern, name, &fold) {
            continue;
        }
        match Effect::of(rule.effect) {
            Some(Effect::Host) if is_kept(channel, name) => {}
            Some(Effect::Host) => return Verdict::Host(number),
            Some(Effect::Own) => return Verdict::Own(number),
            Some(Effect::Peer) => {
                let admitted = admits(rules, rule.peer, channel, places, name, &fold);
                return match rules.peer(rule).filter(|_| admitted) {
                    Some(id) => Verdict::Peer(number, id),
                    None => Verdict::Shut(number),
                };
            }
            Some(Effect::Admit | Effect::Reject | Effect::Inert) => {}
            // A damaged page opens nothing.
            Some(Effect::Refuse) | None => return Verdict::Refused(number),
        }
    }
    Verdict::Default
}

fn concerns(rule: &Rule, channel: Channel, action: Action, places: u8) -> bool {
    rule.channel == channel as u8 && rule.actions & action.bit() != 0 && rule.places & places != 0
}

/// Whether some rule makes names of the channel the host's.
#[must_use]
pub fn allows_host(rules: &Rules, channel: Channel) -> bool {
    rules
        .all()
        .any(|(rule, _)| rule.channel == channel as u8 && rule.effect == Effect::Host as u8)
}

/// Whether the peer's own rules let the VM have the name: the first that has it says.
fn admits(
    rules: &Rules,
    peer: u8,
    channel: Channel,
    places: u8,
    name: &[u16],
    fold: impl Fn(u16) -> u16,
) -> bool {
    rules
        .all()
        .filter(|(rule, _)| {
            rule.peer == peer && rule.channel == channel as u8 && rule.places & places != 0
        })
        .find_map(|(rule, own)| {
            let effect = Effect::of(rule.effect)?;
            let says = matches!(effect, Effect::Admit | Effect::Reject);
            (says && pattern::matches(own, name, &fold)).then_some(effect == Effect::Admit)
        })
        .unwrap_or(false)
}

/// What Pinion's own pipes and those of VMs begin with, on the host.
pub const KEPT: &str = "pinion-";

/// Whether no rule can make `name` the host's: such a name would lead into other
/// VMs, or to their supervisors.
fn is_kept(channel: Channel, name: &[u16]) -> bool {
    matches!(channel, Channel::Pipes | Channel::Mailslots)
        && pinion_names::units::starts(name, KEPT).is_some()
}

#[cfg(test)]
mod tests;
