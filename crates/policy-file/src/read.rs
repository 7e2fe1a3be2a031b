//! Reads a policy and tells all that is wrong with it.

use std::fmt;
use std::ops::Range;

use pinion_policy::rules::{Channel, Effect};
use pinion_wire::rules::{PEERS, POOL, RULES, Rule as Compiled, Rules};
use serde::Deserialize;
use toml::Spanned;

use crate::able::{self, Direction, Meaning, Part, Peer, Verdict, Wrong};
use crate::{LONGEST, conflict, name};

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.why)
    }
}

/// One rule that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// Its channel.
    pub channel: Channel,
    /// Its pattern as it was written.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// With whom.
    pub peer: Peer,
    /// What it says.
    pub verdict: Verdict,
    /// What the user wants to be told by it.
    pub message: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// The calls that it is about, as bits of `policy::rules::Action`.
    pub(crate) actions: u8,
    /// The directories, as bits of `policy::rules::places`.
    pub(crate) places: u8,
    /// The pattern of the names in them.
    pub(crate) pattern: Vec<u16>,
}

/// A policy that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The rules in their order: the first that has a name decides it.
    pub rules: Vec<Rule>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    rule: Vec<Spanned<WrittenRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    channel: Spanned<String>,
    name: Spanned<String>,
    direction: Option<Spanned<String>>,
    peer: Option<Spanned<String>>,
    verdict: Spanned<String>,
    message: Option<Spanned<String>>,
}

/// The longest message in characters, of which none may end a line of the log.
const LONGEST_MESSAGE: usize = 200;

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let fault = |at: usize, why: String| {
            let (line, column) = position(text, at);
            Fault { line, column, why }
        };
        if text.len() > LONGEST {
            let why = format!("a policy has at most {LONGEST} bytes");
            return Err(vec![fault(LONGEST, why)]);
        }
        let written: Written = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            vec![fault(at, one_line(error.message()))]
        })?;
        let (mut policy, mut faults) = (Self::default(), Vec::new());
        for rule in &written.rule {
            let line = position(text, rule.span().start).0;
            match checked(line, rule.get_ref()) {
                Ok(sound) => match conflict::never_counts(&policy.rules, &sound) {
                    Some(why) => faults.push(fault(rule.get_ref().name.span().start, why)),
                    None => policy.rules.push(sound),
                },
                Err((at, why)) => faults.push(fault(at.start, why)),
            }
        }
        if let Err(why) = policy.compiled()
            && faults.is_empty()
        {
            let at = written.rule.last().map_or(0, |rule| rule.span().start);
            faults.push(fault(at, why));
        }
        if faults.is_empty() {
            Ok(policy)
        } else {
            Err(faults)
        }
    }

    /// What members read, where no other VM is there.
    ///
    /// # Errors
    /// There are too many rules; [`Policy::parse`] tells so.
    pub fn compiled(&self) -> Result<Rules, String> {
        self.compiled_among("", |_| None)
    }

    /// What the members of the VM `own` read. `find` gives another VM's id and its
    /// policy, by which it admits `own` to its names.
    ///
    /// # Errors
    /// There are too many rules, those of the other VMs among them.
    pub fn compiled_among(
        &self,
        own: &str,
        find: impl Fn(&str) -> Option<(u64, Policy)>,
    ) -> Result<Rules, String> {
        let mut rules = Rules::EMPTY;
        let peers = self.peers();
        for rule in &self.rules {
            let peer = peers.iter().position(|peer| rule.peer.is(peer));
            let compiled = Compiled {
                effect: rule.effect as u8,
                actions: rule.actions,
                peer: u8::try_from(peer.unwrap_or(0)).unwrap_or(u8::MAX),
                ..rule.compiled()
            };
            let pattern = rule.pattern.iter().copied();
            rules.push(compiled, pattern).ok_or_else(too_many)?;
        }
        for (number, name) in peers.into_iter().enumerate() {
            let place = rules.peers.get_mut(number).ok_or_else(|| {
                format!("the rules lead to too many VMs: at most {PEERS}; remove some")
            })?;
            let Some((id, policy)) = find(name) else {
                continue;
            };
            *place = id;
            for rule in policy.rules.iter().filter(|rule| rule.admits(own)) {
                let effect = match rule.verdict {
                    Verdict::Allow => Effect::Admit,
                    Verdict::Deny => Effect::Reject,
                };
                let compiled = Compiled {
                    effect: effect as u8,
                    peer: u8::try_from(number).unwrap_or(u8::MAX),
                    ..rule.compiled()
                };
                let pattern = rule.pattern.iter().copied();
                rules.push(compiled, pattern).ok_or_else(|| {
                    format!(
                        "{}, those of the VM '{name}' for this one counted, too",
                        too_many()
                    )
                })?;
            }
        }
        Ok(rules)
    }

    /// The VMs that rules lead to, each once.
    fn peers(&self) -> Vec<&str> {
        let mut all = Vec::new();
        for rule in &self.rules {
            match &rule.peer {
                Peer::Vm(name) if rule.effect == Effect::Peer && !all.contains(&name.as_str()) => {
                    all.push(name.as_str());
                }
                _ => {}
            }
        }
        all
    }
}

fn too_many() -> String {
    format!(
        "the rules are too many or too long: at most {RULES}, whose patterns have at most {POOL} characters together"
    )
}

impl Rule {
    /// What its channel, directories and pattern are, for a member.
    fn compiled(&self) -> Compiled {
        Compiled {
            channel: self.channel as u8,
            places: self.places,
            ..Compiled::EMPTY
        }
    }

    /// Whether it says something of the VM's own names to the VM `peer`.
    fn admits(&self, peer: &str) -> bool {
        self.effect == Effect::Inert && self.peer.is(peer)
    }
}

/// The rule of the line `line`, or where it is wrong and why.
fn checked(line: usize, written: &WrittenRule) -> Result<Rule, (Range<usize>, String)> {
    let place = |(part, why): Wrong| {
        let or = |field: &Option<Spanned<String>>| field.as_ref().map(Spanned::span);
        let at = match part {
            Part::Channel => Some(written.channel.span()),
            Part::Direction => or(&written.direction),
            Part::Peer => or(&written.peer),
            Part::Verdict => Some(written.verdict.span()),
        };
        (at.unwrap_or_else(|| written.channel.span()), why)
    };
    let word =
        |field: &Option<Spanned<String>>| field.as_ref().map(|field| field.get_ref().clone());
    let channel = able::channel(written.channel.get_ref()).map_err(place)?;
    let verdict = able::verdict(written.verdict.get_ref()).map_err(place)?;
    let direction = word(&written.direction).map(|word| able::direction(&word));
    let direction = direction.transpose().map_err(place)?;
    let peer = word(&written.peer).map(|word| able::peer(&word));
    let peer = peer.transpose().map_err(place)?;
    let Meaning {
        direction,
        peer,
        effect,
        actions,
    } = able::meaning(channel, verdict, direction, peer).map_err(place)?;
    let (places, pattern) = name::pattern(channel, effect, written.name.get_ref())
        .map_err(|why| (written.name.span(), why))?;
    if let Some(message) = &written.message {
        message_is_sound(message.get_ref()).map_err(|why| (message.span(), why))?;
    }
    Ok(Rule {
        line,
        channel,
        name: written.name.get_ref().clone(),
        direction,
        peer,
        verdict,
        message: word(&written.message),
        effect,
        actions,
        places,
        pattern,
    })
}

fn message_is_sound(message: &str) -> Result<(), String> {
    if message.chars().any(char::is_control) {
        return Err("a message is one line without control characters".into());
    }
    if message.chars().count() > LONGEST_MESSAGE {
        return Err(format!(
            "a message has at most {LONGEST_MESSAGE} characters"
        ));
    }
    Ok(())
}

/// Line and column of the byte at `at`, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at));
    let before = text.get(..at.unwrap_or(0)).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
