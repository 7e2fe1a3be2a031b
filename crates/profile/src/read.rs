//! Reads a profile and tells all that is wrong with it.

use std::ops::Range;
use std::time::Duration;

use pinion_policy_file::{Fault, Policy};
use serde::Deserialize;
use toml::Spanned;

use crate::LONGEST;

/// A profile that was checked; the default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// What it is, for people.
    pub description: String,
    /// On which systems it ran, for people.
    pub ran_on: String,
    /// The main program and its arguments; empty when the command line names one.
    pub program: Vec<String>,
    /// The folder that it starts in.
    pub workdir: Option<String>,
    /// Services that are started before it, in this order.
    pub services: Vec<String>,
    /// Ports that are published.
    pub ports: Vec<Port>,
    /// The rules of its policy, as a policy's text; empty when there are none.
    pub policy: String,
    /// When it is well.
    pub health: Option<Health>,
}

/// A port of the VM and where it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// The host's.
    pub host: u16,
    /// The VM's.
    pub vm: u16,
}

/// What is asked of a server to know that it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// A port of the VM that accepts connections.
    pub port: u16,
    /// What is asked for there by HTTP; none: that it accepts is enough.
    pub path: Option<String>,
    /// The time that it has.
    pub within: Duration,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    description: Spanned<String>,
    ran_on: Option<String>,
    #[serde(default)]
    program: Vec<Spanned<String>>,
    workdir: Option<Spanned<String>>,
    #[serde(default)]
    services: Vec<Spanned<String>>,
    #[serde(default)]
    ports: Vec<Spanned<String>>,
    #[serde(default)]
    rule: Vec<Spanned<toml::Table>>,
    health: Option<WrittenHealth>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHealth {
    port: Spanned<i64>,
    path: Option<Spanned<String>>,
    within: Option<Spanned<i64>>,
}

/// The longest text of a field in characters.
const LONGEST_TEXT: usize = 1024;
/// The longest name of a service (the service API's documentation).
const LONGEST_SERVICE: usize = 256;
/// The longest time for a server to be well, in seconds.
const LONGEST_WAIT: i64 = 3600;

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults {
            text,
            all: Vec::new(),
        };
        if text.len() > LONGEST {
            faults.add(
                LONGEST..LONGEST,
                format!("a profile has at most {LONGEST} bytes"),
            );
            return Err(faults.all);
        }
        let written: Written = match toml::from_str(text) {
            Ok(written) => written,
            Err(error) => {
                let words: Vec<&str> = error.message().split_whitespace().collect();
                faults.add(error.span().unwrap_or(0..0), words.join(" "));
                return Err(faults.all);
            }
        };
        let profile = Self {
            description: faults.line(&written.description),
            ran_on: written.ran_on.unwrap_or_default(),
            program: written
                .program
                .iter()
                .map(|text| faults.line(text))
                .collect(),
            workdir: written.workdir.as_ref().map(|text| faults.line(text)),
            services: faults.services(&written.services),
            ports: faults.ports(&written.ports),
            policy: faults.rules(&written.rule),
            health: written
                .health
                .as_ref()
                .and_then(|health| faults.health(health)),
        };
        faults.all.sort_by_key(|fault| (fault.line, fault.column));
        if faults.all.is_empty() {
            Ok(profile)
        } else {
            Err(faults.all)
        }
    }
}

/// What was found wrong so far.
struct Faults<'t> {
    text: &'t str,
    all: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, at: Range<usize>, why: impl Into<String>) {
        let start = (0..=at.start.min(self.text.len()))
            .rev()
            .find(|&at| self.text.is_char_boundary(at));
        let before = self.text.get(..start.unwrap_or(0)).unwrap_or("");
        let line = before.rsplit('\n').next().unwrap_or("");
        self.all.push(Fault {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            why: why.into(),
        });
    }

    /// Text of one line that says something.
    fn line(&mut self, written: &Spanned<String>) -> String {
        let text = written.get_ref();
        if text.is_empty() {
            self.add(written.span(), "say something here, or leave it out");
        } else if text.chars().any(char::is_control) || text.chars().count() > LONGEST_TEXT {
            let why = format!("give one line of at most {LONGEST_TEXT} characters");
            self.add(written.span(), why);
        }
        text.clone()
    }

    fn services(&mut self, written: &[Spanned<String>]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for service in written {
            let name = service.get_ref();
            let sound = (1..=LONGEST_SERVICE).contains(&name.encode_utf16().count())
                && !name.contains(['/', '\\'])
                && !name.chars().any(char::is_control);
            if !sound {
                let why = format!(
                    "no service has this name: 1 to {LONGEST_SERVICE} characters, without '/' and '\\'"
                );
                self.add(service.span(), why);
            } else if all.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                self.add(service.span(), format!("'{name}' is there already"));
            }
            all.push(name.clone());
        }
        all
    }

    fn ports(&mut self, written: &[Spanned<String>]) -> Vec<Port> {
        let number = |text: &str| text.parse().ok().filter(|&port: &u16| port != 0);
        let mut all: Vec<Port> = Vec::new();
        for given in written {
            let parts = given.get_ref().split_once(':');
            let port = parts.and_then(|(host, vm)| {
                Some(Port {
                    host: number(host)?,
                    vm: number(vm)?,
                })
            });
            match port {
                None => self.add(given.span(), "give HOST:VM, two ports from 1 to 65535"),
                Some(port) if all.iter().any(|other| other.host == port.host) => {
                    let why = format!("the host's port {} is there already", port.host);
                    self.add(given.span(), why);
                }
                Some(port) => all.push(port),
            }
        }
        all
    }

    /// The rules as the text of a policy; what is wrong with one is told at its beginning.
    fn rules(&mut self, written: &[Spanned<toml::Table>]) -> String {
        let mut policy = String::new();
        for rule in written {
            let body = toml::to_string(rule.get_ref()).unwrap_or_default();
            let with = format!("{policy}[[rule]]\n{body}\n");
            match Policy::parse(&with) {
                Ok(_) => policy = with,
                Err(faults) => {
                    let why = faults.last().map_or("", |fault| fault.why.as_str());
                    self.add(rule.span(), why);
                }
            }
        }
        policy
    }

    fn health(&mut self, written: &WrittenHealth) -> Option<Health> {
        let port = u16::try_from(*written.port.get_ref()).unwrap_or(0);
        if port == 0 {
            self.add(written.port.span(), "give a port from 1 to 65535");
        }
        if let Some(path) = &written.path {
            let text = path.get_ref();
            let sound = |byte: u8| byte.is_ascii_graphic();
            if !text.starts_with('/') || !text.bytes().all(sound) || text.len() > LONGEST_TEXT {
                self.add(
                    path.span(),
                    "give a path as in a URL, from its first '/' on",
                );
            }
        }
        let within = written.within.as_ref().map_or(30, |within| {
            let seconds = *within.get_ref();
            if !(1..=LONGEST_WAIT).contains(&seconds) {
                let why = format!("give seconds, from 1 to {LONGEST_WAIT}");
                self.add(within.span(), why);
            }
            seconds
        });
        Some(Health {
            port,
            path: written.path.as_ref().map(|path| path.get_ref().clone()),
            within: Duration::from_secs(u64::try_from(within).ok()?),
        })
    }
}
