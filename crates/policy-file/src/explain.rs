//! What becomes of a name, and why: the answers of `pinion policy explain`.
//!
//! Decides by the same compiled rules and the same functions as the agent.

use pinion_names::{object, pipe, url};
use pinion_policy::rules::{
    self, Action, Channel, Effect, Verdict as Decided, peer, place, places,
};
use pinion_policy::{object as objects, port};
use pinion_wire::rules::Rules;

use crate::able::{self, Direction, Peer, Verdict};
use crate::{Policy, name, write};

/// The VM that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Vm<'a> {
    /// The session that it runs in.
    pub session: u32,
    /// NT path of its object directory.
    pub object_directory: &'a str,
    /// What goes before its pipes' names.
    pub pipe_prefix: &'a str,
    /// The host's name.
    pub computer_name: &'a str,
    /// Its address, in network order.
    pub address: [u8; 4],
    /// Whether http.sys runs inside, as on Wine: a URL that no rule allows is then
    /// the VM's own, and is refused elsewhere.
    pub has_http: bool,
}

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The policy's rule of this number, from 0.
    Rule(usize),
    /// The rule of this number leads to another VM, which is not there or does not
    /// allow it.
    Shut(usize),
    /// A line of the pass list.
    PassList(&'static str),
    /// No rule: the default.
    Default,
}

/// Where the name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// To the VM's own.
    Vm,
    /// To the host's.
    Host,
    /// To that of the VM with this id.
    Peer(u64),
    /// Nowhere: it is refused.
    Nowhere,
}

impl Home {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Host => "host",
            Self::Peer(_) => "peer",
            Self::Nowhere => "nowhere",
        }
    }
}

/// What becomes of a name when a program makes or opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the program does.
    pub action: Action,
    /// Who decides.
    pub by: By,
    /// Where the name leads.
    pub home: Home,
    /// The kernel's name for it; none where it is refused.
    pub real: Option<String>,
    /// What would have to be said to make it the host's; none where nothing helps,
    /// or it is the host's already.
    pub to_allow: Option<Remedy>,
}

/// A rule that would allow, and what it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The rule, as lines of a policy.
    pub rule: String,
    /// Where it must stand.
    pub place: String,
    /// What it opens.
    pub opens: String,
}

/// What becomes of the name `name` of the channel `channel`, when it is made and
/// when it is opened. `rules` are what the policy compiles to, for this VM among the
/// others; `fold` upcases a unit as NT compares names.
///
/// # Errors
/// Why no rule can be about it, and what decides it then.
pub fn explain(
    policy: &Policy,
    rules: &Rules,
    vm: Vm<'_>,
    channel: &str,
    name: &str,
    fold: impl Fn(u16) -> u16 + Copy,
) -> Result<[Answer; 2], String> {
    let channel = able::channel(channel).map_err(|(_, why)| why)?;
    let name = Asked::new(vm, channel, name)?;
    let answer = |action| name.answer(policy, rules, vm, channel, action, fold);
    Ok([Action::Make, Action::Open].map(answer))
}

/// A name as the agent sees it.
struct Asked {
    /// The bits of its directories; zero where no rule can be about it.
    places: u8,
    /// What patterns are matched against.
    name: Vec<u16>,
    /// The VM's name for it.
    own: Vec<u16>,
    /// The host's.
    host: Vec<u16>,
    /// Its name in a rule.
    written: String,
    /// Why it passes when it is opened, if it does.
    passes: Option<&'static str>,
}

fn w(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

/// Room for any NT name.
fn written(
    fill: impl FnOnce(&mut [u16]) -> Result<usize, pinion_names::TooLong>,
) -> Result<Vec<u16>, String> {
    let mut out = vec![0; pinion_names::LONGEST + 256];
    let length = fill(&mut out).map_err(|_| "the name is too long for the system")?;
    out.truncate(length);
    Ok(out)
}

/// The file system of a channel of pipes or mailslots.
fn kind(channel: Channel) -> pipe::Kind {
    match channel {
        Channel::Mailslots => pipe::Kind::Mailslot,
        _ => pipe::Kind::Pipe,
    }
}

impl Asked {
    fn new(vm: Vm<'_>, channel: Channel, name: &str) -> Result<Self, String> {
        if name.is_empty() || name.contains('\0') {
            return Err("give a name, as a program does".into());
        }
        match channel {
            Channel::Pipes | Channel::Mailslots => Self::of_device(vm, channel, name),
            Channel::Ports | Channel::Alpc => Self::port(vm, name),
            Channel::Http => Self::url(vm, name),
            _ => Self::object(vm, name),
        }
    }

    fn object(vm: Vm<'_>, name: &str) -> Result<Self, String> {
        let own = match vm.session {
            0 => r"\BaseNamedObjects".to_owned(),
            session => format!(r"\Sessions\{session}\BaseNamedObjects"),
        };
        let absolute = match name.strip_prefix('\\') {
            Some(_) => w(name),
            None => w(&format!(r"{own}\{name}")),
        };
        let absolute = pipe::unroot(&absolute);
        let directory = w(vm.object_directory);
        let mut asked = Self {
            places: 0,
            name: Vec::new(),
            own: written(|out| object::map(&directory, absolute, out))?,
            host: absolute.to_vec(),
            written: String::new(),
            passes: objects::passes(absolute).map(|line| line.reason),
        };
        if let Some(found) = place::find(vm.session, absolute) {
            let leaf = text(found.leaf);
            asked.places = found.places;
            asked.name = found.leaf.to_vec();
            asked.host = written(|out| place::on_host(vm.session, found, out))?;
            asked.own = written(|out| object::map(&directory, &asked.host, out))?;
            asked.written = match found.places {
                places::GLOBAL => format!(r"Global\{leaf}"),
                _ => leaf,
            };
        }
        Ok(asked)
    }

    fn of_device(vm: Vm<'_>, channel: Channel, name: &str) -> Result<Self, String> {
        let kind = kind(channel);
        // As Win32 makes NT's names of paths.
        let native = match (
            name.strip_prefix(r"\\.\"),
            name.strip_prefix(r"\\?\"),
            name.strip_prefix(r"\\"),
        ) {
            (Some(rest), ..) | (_, Some(rest), _) => Some(format!(r"\??\{rest}")),
            (.., Some(rest)) => Some(format!(r"\??\UNC\{rest}")),
            _ => name.starts_with('\\').then(|| name.to_owned()),
        };
        let units = w(&native.unwrap_or_else(|| format!(r"{}\{name}", kind.device())));
        let found = pipe::classify(&units, &w(vm.computer_name)).filter(|name| name.kind == kind);
        let rest = found.and_then(|name| name.rest.split_first().map(|(_, rest)| rest));
        let rest = rest.filter(|rest| !rest.is_empty()).ok_or_else(|| {
            format!("'{name}' is no name of this channel; give what follows the device, such as MyServer")
        })?;
        let with_separator = [&w(r"\")[..], rest].concat();
        let mapped = pipe::Name {
            kind,
            rest: &with_separator,
        };
        Ok(Self {
            places: places::ANY,
            name: rest.to_vec(),
            own: written(|out| pipe::map(&w(vm.pipe_prefix), mapped, out))?,
            host: written(|out| pipe::map(&[], mapped, out))?,
            written: text(rest),
            passes: None,
        })
    }

    fn port(vm: Vm<'_>, name: &str) -> Result<Self, String> {
        let absolute = w(name);
        let absolute = pipe::unroot(&absolute);
        if absolute.first() != Some(&u16::from(b'\\')) {
            return Err(format!(
                r"names of ports are full NT paths; give '\RPC Control\{name}'"
            ));
        }
        Ok(Self {
            places: places::ANY,
            name: absolute.to_vec(),
            own: written(|out| object::map(&w(vm.object_directory), absolute, out))?,
            host: absolute.to_vec(),
            written: text(absolute),
            passes: port::passes(absolute).map(|line| line.reason),
        })
    }

    fn url(vm: Vm<'_>, name: &str) -> Result<Self, String> {
        let asked = w(name);
        let prefix = url::Prefix::parse(&asked)
            .map_err(|_| format!("'{name}' is no URL that a program registers; give one with scheme, host, port and path, such as http://+:8080/"))?;
        let mut host = vec![0; asked.len() + url::ADDED];
        let length = prefix.bind(vm.address.into(), &mut host).map_err(|_| {
            format!("the host of '{name}' is an address that the VM does not have (ERROR_INVALID_NETNAME)")
        })?;
        host.truncate(length);
        Ok(Self {
            places: places::ANY,
            name: asked.clone(),
            own: asked,
            host,
            written: name.to_owned(),
            passes: None,
        })
    }

    /// The name in another VM.
    fn in_vm(&self, session: u32, id: u64, channel: Channel) -> Option<String> {
        let units = written(|out| match channel {
            Channel::Pipes | Channel::Mailslots => {
                let rest = [&w(r"\")[..], &self.name].concat();
                let name = pipe::Name {
                    kind: kind(channel),
                    rest: &rest,
                };
                pipe::map(&peer::pipe_prefix(id), name, out)
            }
            _ => {
                let place = place::Place {
                    places: self.places,
                    leaf: &self.name,
                };
                peer::object(session, id, place, out)
            }
        });
        units.ok().map(|units| text(&units))
    }

    fn answer(
        &self,
        policy: &Policy,
        rules: &Rules,
        vm: Vm<'_>,
        channel: Channel,
        action: Action,
        fold: impl Fn(u16) -> u16,
    ) -> Answer {
        // A URL is registered, and opened by nobody.
        let asked = match channel {
            Channel::Http => Action::Make,
            _ => action,
        };
        let verdict = match self.places {
            0 => Decided::Default,
            at => rules::decide(rules, channel, asked, at, &self.name, fold),
        };
        let passes = self.passes.filter(|_| action == Action::Open);
        let (by, home) = match (verdict, passes) {
            (Decided::Host(number), _) => (By::Rule(number), Home::Host),
            (Decided::Own(number), _) => (By::Rule(number), Home::Vm),
            (Decided::Refused(number), _) => (By::Rule(number), Home::Nowhere),
            (Decided::Shut(number), _) => (By::Shut(number), Home::Nowhere),
            (Decided::Peer(number, id), _) => (By::Rule(number), Home::Peer(id)),
            (Decided::Default, Some(reason)) => (By::PassList(reason), Home::Host),
            (Decided::Default, None) => (By::Default, Home::Vm),
        };
        let home = match home {
            Home::Vm if channel == Channel::Http && !vm.has_http => Home::Nowhere,
            home => home,
        };
        let real = match home {
            Home::Vm => Some(text(&self.own)),
            Home::Host => Some(text(&self.host)),
            Home::Peer(id) => self.in_vm(vm.session, id, channel),
            Home::Nowhere => None,
        };
        let to_allow = matches!(home, Home::Vm | Home::Nowhere)
            .then(|| self.remedy(policy, channel, action, by))
            .flatten();
        Answer {
            action,
            by,
            home,
            real,
            to_allow,
        }
    }

    fn remedy(&self, policy: &Policy, channel: Channel, action: Action, by: By) -> Option<Remedy> {
        let ports = matches!(channel, Channel::Ports | Channel::Alpc);
        if name::pattern(channel, Effect::Host, &self.written).is_err() {
            return None;
        }
        if self.places == 0 || ports && action == Action::Make {
            return None;
        }
        let direction = match action {
            _ if channel == Channel::Http => Direction::In,
            Action::Open if ports || !channel.has_places() => Direction::Out,
            _ => Direction::Both,
        };
        let rule = write::rule(
            channel.word(),
            &self.written,
            Some(direction),
            Some(&Peer::Host),
            Verdict::Allow,
        );
        let place = match by {
            By::Rule(number) | By::Shut(number) => {
                let line = policy.rules.get(number).map_or(0, |rule| rule.line);
                format!("before the rule in line {line}, or in its place")
            }
            _ => "anywhere in the policy".into(),
        };
        let host = text(&self.host);
        let opens = match (channel, direction) {
            _ if channel.has_places() => format!(
                "programs inside and on the host, and those of other VMs that allow it, share {host}: each can make it, open it and change what is in it"
            ),
            (Channel::Mailslots, Direction::Out) => {
                format!("programs inside can write to whatever program of the host has made {host}")
            }
            (Channel::Http, _) => format!(
                "http.sys serves {host} for programs inside; on Windows it is the machine's own, whose devices programs inside then open"
            ),
            (_, Direction::Out) => format!(
                "programs inside can talk to whatever program of the host serves {host}, which sees them as the user that runs the VM"
            ),
            _ => format!("programs inside and on the host serve and reach one another at {host}"),
        };
        Some(Remedy { rule, place, opens })
    }
}
