//! What can be enforced: which verdict, direction and peer a rule of a channel may
//! have, what it then does, and what to do instead where it may not.

use pinion_policy::rules::{Action, Channel, Effect};

/// What a rule says of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are the peer's own.
    Allow,
    /// They are not, or are refused.
    Deny,
}

/// Which way a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A program inside opens what a peer has made.
    Out,
    /// A program inside makes what a peer may open.
    In,
    /// Both.
    Both,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// The host.
    Host,
    /// The VM of this name.
    Vm(String),
    /// Whoever it is, the programs of the VM itself among them.
    Anyone,
}

impl Verdict {
    /// The word in a file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Direction {
    /// The word in a file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Both => "both",
        }
    }

    /// The calls that the direction is of, as bits of [`Action`].
    fn actions(self) -> u8 {
        match self {
            Self::Out => Action::Open.bit(),
            Self::In => Action::Make.bit(),
            Self::Both => Action::Open.bit() | Action::Make.bit(),
        }
    }
}

impl Peer {
    /// Whether it is the VM of this name.
    pub(crate) fn is(&self, vm: &str) -> bool {
        matches!(self, Self::Vm(name) if name == vm)
    }

    /// The word in a file.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Host => "host".into(),
            Self::Vm(name) => format!("vm:{name}"),
            Self::Anyone => "anyone".into(),
        }
    }
}

/// The part of a rule that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Channel,
    Direction,
    Peer,
    Verdict,
}

/// Which part of a rule cannot be so, why, and what to do instead.
pub(crate) type Wrong = (Part, String);

/// The channel of the word, if its names can have rules.
pub(crate) fn channel(word: &str) -> Result<Channel, Wrong> {
    Channel::named(word).ok_or_else(|| (Part::Channel, instead(word)))
}

/// Why the channel `word` has no rules, and what to do instead.
#[must_use]
pub(crate) fn instead(word: &str) -> String {
    let all: Vec<_> = Channel::ALL.iter().map(|one| one.word()).collect();
    let all = all.join(", ");
    let why = match word {
        "sockets" | "socket-tables" | "outward" => {
            "what a VM reaches by sockets is decided as a whole: use --network of 'pinion run', 'create' and 'update', and -p to publish a port"
        }
        "files" | "file-notices" => "folders are shared by 'pinion share' or -v of 'pinion run'",
        "registry" => "keys are the VM's own copies; 'pinion commit' merges them into the host",
        "rpc" => {
            "RPC goes by channels with names: pipes, and alpc for ncalrpc (\\RPC Control\\NAME; on Wine it is the pipe lrpc\\NAME)"
        }
        "processes" | "threads" | "memory" | "handles" | "tokens" | "process-lists" | "console" => {
            "processes of the host and of other VMs do not exist inside, and nothing of theirs has a name that a rule could let in"
        }
        "windows" | "hooks" | "input" | "input-state" | "dde" | "clipboard" | "drag-drop"
        | "accessibility" | "atoms" | "user-handles" | "stations" | "screen" => {
            "a VM has a window station of its own, whole or not at all, and windows are reached by numbers, which have no names"
        }
        "services" | "com" | "tasks" | "wmi" | "printers" => {
            "a VM's servers run inside it; let a server of the host be reached by its pipe or port"
        }
        "directories" | "known-dlls" | "dos-devices" | "namespaces" | "sessions" => {
            "a directory would open all the names in it; give rules for the objects themselves"
        }
        _ => "",
    };
    match why {
        "" => format!("'{word}' is no channel that rules can be about; these are: {all}"),
        why => format!("the channel '{word}' has no rules: {why}; rules are about: {all}"),
    }
}

/// The peer of the word.
pub(crate) fn peer(word: &str) -> Result<Peer, Wrong> {
    let wrong = |why: String| Err((Part::Peer, why));
    match (word, word.strip_prefix("vm:")) {
        ("host", _) => Ok(Peer::Host),
        ("anyone", _) => Ok(Peer::Anyone),
        (_, Some(name)) if is_vm_name(name) => Ok(Peer::Vm(name.to_ascii_lowercase())),
        (_, Some(name)) => wrong(format!(
            "'{name}' is no name of a VM: letters, digits, '_', '.' and '-', a letter or digit first"
        )),
        _ => wrong(format!(
            "'{word}' is no peer; give \"host\", \"vm:NAME\" or \"anyone\""
        )),
    }
}

/// Whether a VM can have the name, as far as its characters go.
fn is_vm_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
}

/// The direction of the word.
pub(crate) fn direction(word: &str) -> Result<Direction, Wrong> {
    match word {
        "out" => Ok(Direction::Out),
        "in" => Ok(Direction::In),
        "both" => Ok(Direction::Both),
        _ => Err((
            Part::Direction,
            format!("'{word}' is no direction; give \"out\", \"in\" or \"both\""),
        )),
    }
}

/// The verdict of the word.
pub(crate) fn verdict(word: &str) -> Result<Verdict, Wrong> {
    match word {
        "allow" => Ok(Verdict::Allow),
        "deny" => Ok(Verdict::Deny),
        _ => Err((
            Part::Verdict,
            format!("'{word}' is no verdict; give \"allow\" or \"deny\""),
        )),
    }
}

/// What a rule does, whole.
pub(crate) struct Meaning {
    /// Its direction, where it does not say it, too.
    pub(crate) direction: Direction,
    /// Its peer, where it does not say it, too.
    pub(crate) peer: Peer,
    pub(crate) effect: Effect,
    /// The calls that it is about, as bits of [`Action`].
    pub(crate) actions: u8,
}

/// What a rule of these parts does.
pub(crate) fn meaning(
    channel: Channel,
    verdict: Verdict,
    direction: Option<Direction>,
    peer: Option<Peer>,
) -> Result<Meaning, Wrong> {
    let (peer, effect) = match (verdict, peer) {
        (_, Some(Peer::Vm(name))) => return between(channel, verdict, direction, name),
        (Verdict::Allow, Some(Peer::Host)) => (Peer::Host, Effect::Host),
        (Verdict::Allow, Some(Peer::Anyone)) => {
            let why = "a name that is allowed becomes one peer's own, and cannot be everybody's; give peer = \"host\" or \"vm:NAME\"";
            return Err((Part::Peer, why.into()));
        }
        (Verdict::Allow, None) => {
            let why = "a rule that allows must say with whom; add peer = \"host\" or \"vm:NAME\"";
            return Err((Part::Verdict, why.into()));
        }
        (Verdict::Deny, Some(Peer::Host)) => (Peer::Host, Effect::Own),
        (Verdict::Deny, None | Some(Peer::Anyone)) => (Peer::Anyone, Effect::Refuse),
    };
    let direction = way(channel, verdict, direction)?;
    Ok(Meaning {
        direction,
        peer,
        effect,
        actions: direction.actions(),
    })
}

/// What a rule about another VM does.
fn between(
    channel: Channel,
    verdict: Verdict,
    direction: Option<Direction>,
    name: String,
) -> Result<Meaning, Wrong> {
    if channel == Channel::Http {
        let why = "a URL is served to the host, or not; another VM's is reached at an address, so that --network decides";
        return Err((Part::Peer, why.into()));
    }
    if matches!(channel, Channel::Ports | Channel::Alpc) {
        let why =
            "rules between two VMs are not supported for this channel; let the server use a pipe";
        return Err((Part::Peer, why.into()));
    }
    let (effect, direction) = match (verdict, direction) {
        (Verdict::Allow, Some(Direction::Out)) => (Effect::Peer, Direction::Out),
        (Verdict::Allow, Some(Direction::In)) | (Verdict::Deny, None | Some(Direction::In)) => {
            (Effect::Inert, Direction::In)
        }
        (Verdict::Allow, given) => {
            let why = format!(
                "a name of two VMs is in one of them: give \"out\" when it is that of '{name}', \"in\" when it is this VM's"
            );
            let part = given.map_or(Part::Peer, |_| Part::Direction);
            return Err((part, why));
        }
        (Verdict::Deny, Some(_)) => {
            let why = "names of another VM are out of reach without a rule, so only \"in\" can be denied to it; to refuse a name inside, leave out the peer";
            return Err((Part::Direction, why.into()));
        }
    };
    let actions = match (effect, channel.has_places()) {
        (Effect::Inert, _) => 0,
        // An object is opened by who would make it, too.
        (_, true) => Direction::Both.actions(),
        (_, false) => direction.actions(),
    };
    Ok(Meaning {
        direction,
        peer: Peer::Vm(name),
        effect,
        actions,
    })
}

fn way(channel: Channel, verdict: Verdict, given: Option<Direction>) -> Result<Direction, Wrong> {
    let wrong = |why: &str| Err((Part::Direction, why.into()));
    match (channel, given) {
        _ if channel.has_places() => match given {
            None | Some(Direction::Both) => Ok(Direction::Both),
            Some(_) => wrong(
                "an object has no server's end: who comes first makes it and the others open it, so one direction alone cannot be enforced; give \"both\", or leave it out",
            ),
        },
        (Channel::Ports | Channel::Alpc, _) if verdict == Verdict::Allow => match given {
            None | Some(Direction::Out) => Ok(Direction::Out),
            Some(_) => wrong(
                "a port that is made inside cannot be the host's; give \"out\", or let the server use a pipe",
            ),
        },
        (Channel::Http, None | Some(Direction::In)) => Ok(Direction::In),
        (Channel::Http, Some(_)) => wrong(
            "a URL is one that a program inside serves; what it asks for elsewhere is decided by --network; give \"in\", or leave it out",
        ),
        (_, Some(Direction::In)) if verdict == Verdict::Allow => wrong(
            "a server inside that the host reaches has the host's name, by which programs inside reach it, too, so \"in\" alone cannot be enforced; give \"both\"",
        ),
        (_, given) => Ok(given.unwrap_or(Direction::Both)),
    }
}
