//! Makes a checked configuration of the file's text, and tells all that is wrong with it.

use std::time::Duration;

use pinion_profile::{Health, Profile};
use toml::Spanned;

use super::values::{Number, Reader};
use super::{
    Changes, Check, Config, Denied, Evidence, Fault, Front, Growth, LONGEST, MOST_REPLICAS, Mode,
    Protocol, Replace, Vote, Warm, units, written,
};
use crate::allowed::Allowed;
use crate::normal::Rules;

impl Config {
    /// Reads a group's file whose `from` is no profile.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse_from(text, |_| Ok(None))
    }

    /// Reads a group's file; `profile` gives the profile that `from` names, if it names one.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the lines.
    pub fn parse_from(
        text: &str,
        profile: impl FnOnce(&str) -> Result<Option<Profile>, String>,
    ) -> Result<Self, Vec<Fault>> {
        if text.len() > LONGEST {
            let why = format!("a group's file has at most {LONGEST} bytes");
            return Err(vec![Fault::at(text, LONGEST, why)]);
        }
        let written: written::Group = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            vec![Fault::at(text, at, error.message())]
        })?;
        let mut reader = Reader {
            text,
            faults: Vec::new(),
        };
        let profile = match &written.from {
            Some(from) => profile(from.get_ref())
                .map_err(|why| vec![Fault::at(text, from.span().start, why)])?,
            None => None,
        };
        let config = reader.group(written, profile);
        if reader.faults.is_empty() {
            return Ok(config);
        }
        reader
            .faults
            .sort_by_key(|fault| (fault.line, fault.column));
        Err(reader.faults)
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Reader<'_> {
    fn group(&mut self, written: written::Group, profile: Option<Profile>) -> Config {
        let is_profile = profile.is_some();
        let profile = profile.unwrap_or_default();
        let replicas = self.number(&written.replicas, 1..u64::from(MOST_REPLICAS) + 1, 3);
        let replicas = u32::try_from(replicas).unwrap_or(1);
        let port = self.port(&written.port, &profile);
        let front = self.front(written.front.get_ref());
        let replace = self.replace(&written.replace, replicas, front.mode);
        let spares = self.spares(&written.spares, replace.surge);
        self.program(&written, is_profile, &profile);
        let networks = ["outbound", "loopback", "none"].map(|word| (word, word));
        let config = Config {
            network: self.choice(&written.network, &networks).into(),
            port,
            check: self.check(
                &written.check,
                front.protocol,
                profile.health.as_ref().filter(|health| health.port == port),
            ),
            warm: written.warm.as_ref().map(|warm| self.warm(warm)),
            replace,
            vote: self.vote(written.vote.as_ref(), front.mode),
            changes: written.changes.as_ref().map(|of| self.changes(of)),
            denied: written.denied.as_ref().map(|of| self.denied(of)),
            growth: self.growth(&written.growth),
            evidence: self.evidence(&written.evidence),
            name: written.name.map(Spanned::into_inner),
            from: written
                .from
                .map(Spanned::into_inner)
                .filter(|_| !is_profile),
            services: profile.services,
            rules: profile.policy,
            command: if written.command.is_empty() {
                profile.program
            } else {
                written.command
            },
            workdir: written.workdir.or(profile.workdir),
            env: written
                .env
                .into_iter()
                .map(|(name, value)| (name.into_inner(), value.into_inner()))
                .collect(),
            shares: written.share,
            policy: written.policy,
            replicas,
            spares,
            front,
        };
        self.agreement(&config, &written.replicas, &written.front);
        config
    }

    /// Without a surge nothing may be there above `replicas`.
    fn spares(&mut self, spares: &Number, surge: u32) -> u32 {
        let most = u64::from(MOST_REPLICAS) + 1;
        let number = self.number(spares, 0..most, u64::from(surge > 0));
        if let (Some(given), true) = (spares, surge == 0 && number > 0) {
            let why =
                "with surge = 0 nothing is there above replicas: set spares = 0, or give a surge";
            self.wrong(&given.span(), why);
        }
        u32::try_from(number).unwrap_or(0)
    }

    /// What is run, by what name, with what variables.
    fn program(&mut self, written: &written::Group, is_profile: bool, profile: &Profile) {
        if let Some(name) = &written.name {
            self.name(name);
        }
        for name in written.env.keys() {
            if name.get_ref().is_empty() || name.get_ref().contains(['=', '\0']) {
                self.wrong(
                    &name.span(),
                    "no name of a variable: it is empty or has = in it",
                );
            }
        }
        let has_none = profile.program.is_empty() && written.command.is_empty();
        match &written.from {
            None if has_none => {
                let why = "give what to run with command, or a VM, snapshot or profile with a program of its own with from";
                self.wrong(&(0..0), why);
            }
            Some(from) if has_none && is_profile => {
                self.wrong(
                    &from.span(),
                    "this profile names no program; give one with command",
                );
            }
            _ => {}
        }
    }

    /// Where each replica listens: where the profile looks, or publishes from, unless the file says.
    fn port(&mut self, port: &Number, profile: &Profile) -> u16 {
        let known = profile.health.as_ref().map(|health| health.port);
        let known = known.or(profile.ports.first().map(|port| port.vm));
        if port.is_none() && known.is_none() {
            let why = "give the port where each replica listens, at its own address, with port";
            self.wrong(&(0..0), why);
        }
        let port = self.number(port, 1..65_536, known.unwrap_or(1).into());
        u16::try_from(port).unwrap_or(1)
    }

    fn warm(&mut self, warm: &written::Warm) -> Warm {
        Warm {
            path: self.path(&warm.path),
            requests: u32::try_from(self.number(&warm.requests, 1..10_001, 10)).unwrap_or(1),
        }
    }

    fn growth(&mut self, growth: &written::Growth) -> Growth {
        let processes = self.maybe_number(&growth.processes, 1..100_001);
        Growth {
            memory: self.maybe_size(&growth.memory),
            processes: processes.and_then(|most| u32::try_from(most).ok()),
            files: self.maybe_number(&growth.files, 1..1 << 40),
        }
    }

    fn evidence(&mut self, evidence: &written::Evidence) -> Evidence {
        Evidence {
            size: self.size(&evidence.size, 16 << 20),
            keep: u32::try_from(self.number(&evidence.keep, 0..10_001, 20)).unwrap_or(0),
        }
    }

    fn name(&mut self, name: &Spanned<String>) {
        if let Err(why) = name_is_sound(name.get_ref()) {
            self.wrong(&name.span(), why);
        }
    }

    fn front(&mut self, front: &written::Front) -> Front {
        let listen = self.address(&front.listen);
        let status = front.status.as_ref().map(|status| self.address(status));
        if let (Some(word), true) = (&front.status, status == Some(listen)) {
            self.wrong(&word.span(), "the front listens there; give another port");
        }
        let mode = self.choice(
            &front.mode,
            &[("balance", Mode::Balance), ("vote", Mode::Vote)],
        );
        let protocol = self.choice(
            &front.protocol,
            &[("http", Protocol::Http), ("tcp", Protocol::Tcp)],
        );
        if mode == Mode::Vote && protocol == Protocol::Tcp {
            let span = front.protocol.as_ref().map_or(0..0, Spanned::span);
            let why =
                "a vote needs requests and answers: with mode = \"vote\" the protocol is http";
            self.wrong(&span, why);
        }
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Front {
            listen,
            status,
            mode,
            protocol,
            connections: count(self.number(&front.connections, 1..100_001, 1024)),
            per_replica: count(self.number(&front.per_replica, 1..100_001, 64)),
            queue: count(self.number(&front.queue, 0..100_001, 256)),
            queue_time: self.time(&front.queue_time, seconds(10)),
            head: count(self.limited(&front.head, 64 << 10, 8 << 10..(1 << 20) + 1)),
            headers: count(self.number(&front.headers, 1..1_001, 100)),
            body: self.size(&front.body, 8 << 20),
            head_time: self.time(&front.head_time, seconds(10)),
            idle_time: self.time(&front.idle_time, seconds(60)),
            answer_time: self.time(&front.answer_time, seconds(30)),
            whole: self.limited(&front.whole, 64 << 10, 0..(16 << 20) + 1),
        }
    }

    /// What is not said is as the profile has it, for this port.
    fn check(
        &mut self,
        check: &written::Check,
        protocol: Protocol,
        health: Option<&Health>,
    ) -> Check {
        let by_http = protocol == Protocol::Http && check.command.is_empty();
        let default = match health {
            Some(health) => health.path.clone().filter(|_| by_http),
            None => by_http.then(|| "/".to_owned()),
        };
        let http = check.http.as_ref().map(|path| self.path(path)).or(default);
        for (given, what) in [
            (check.status.as_ref().map(Spanned::span), "status"),
            (check.body.as_ref().map(Spanned::span), "body"),
        ] {
            if let (Some(span), None) = (given, &http) {
                self.wrong(
                    &span,
                    format!("{what} is about the answer of an HTTP check; give its path with http"),
                );
            }
        }
        let interval = self.time(&check.interval, seconds(1));
        let few = |value: u64| u32::try_from(value).unwrap_or(1);
        Check {
            http,
            status: u16::try_from(self.number(&check.status, 100..600, 200)).unwrap_or(200),
            body: check.body.as_ref().map(|body| body.get_ref().clone()),
            command: check.command.clone(),
            interval,
            start_interval: self.time(
                &check.start_interval,
                Duration::from_millis(50).min(interval),
            ),
            timeout: self.time(&check.timeout, seconds(1)),
            rise: few(self.number(&check.rise, 1..1_001, 1)),
            fall: few(self.number(&check.fall, 1..1_001, 3)),
            grace: self.time(
                &check.grace,
                health.map_or(seconds(30), |health| health.within),
            ),
        }
    }

    fn replace(&mut self, replace: &written::Replace, replicas: u32, mode: Mode) -> Replace {
        let every = self.maybe_time(&replace.every);
        let drain = self.time(&replace.drain, seconds(5));
        let exposure = self.maybe_time(&replace.exposure);
        let exposure_of = |every: Duration| every.saturating_mul(2).saturating_add(drain);
        if let (Some(every), Some(bound), Some(word)) = (every, exposure, &replace.exposure)
            && bound < every.saturating_add(drain)
        {
            let why = format!(
                "a replica leaves after {} and may drain for {}: the bound cannot be shorter than both together",
                units::shown(every),
                units::shown(drain)
            );
            self.wrong(&word.span(), why);
        }
        if let (Some(bound), None, Some(word)) = (exposure, every, &replace.exposure)
            && bound <= drain
        {
            self.wrong(
                &word.span(),
                "the bound is no longer than a replica may drain",
            );
        }
        let least = match mode {
            Mode::Vote => replicas / 2 + 1,
            Mode::Balance => replicas.saturating_sub(1).max(1),
        };
        let all = u64::from(replicas);
        let min_live = self.number(&replace.min_live, 0..all + 1, least.into());
        let surge = self.number(&replace.surge, 0..all + 1, all.div_ceil(4));
        if surge == 0 && min_live >= all {
            let given = replace.surge.as_ref().or(replace.min_live.as_ref());
            let span = given.map_or(0..0, Spanned::span);
            let why = "with surge = 0 a replica leaves before the next comes: min_live must be below replicas";
            self.wrong(&span, why);
        }
        let backoff = self.time(&replace.backoff, Duration::from_millis(200));
        let backoff_most = self.time(&replace.backoff_most, seconds(30).max(backoff));
        if let (Some(word), true) = (&replace.backoff_most, backoff_most < backoff) {
            self.wrong(&word.span(), "the longest pause is shorter than the first");
        }
        let few = |value: u64| u32::try_from(value).unwrap_or(1);
        Replace {
            every,
            requests: self.maybe_number(&replace.requests, 1..1 << 50),
            exposure: exposure.or(every.map(exposure_of)),
            min_live: few(min_live),
            surge: few(surge),
            drain,
            backoff,
            backoff_most,
        }
    }

    fn vote(&mut self, vote: Option<&Spanned<written::Vote>>, mode: Mode) -> Vote {
        let mut rules = Rules::default();
        let (mut answer, mut late) = (8 << 20, seconds(2));
        if let Some(spanned) = vote {
            let vote = spanned.get_ref();
            if mode == Mode::Balance {
                let why =
                    "nothing is compared in balance mode; set mode = \"vote\", or leave this out";
                self.wrong(&spanned.span(), why);
            }
            for name in &vote.ignore_headers {
                rules.ignore_header(name.get_ref());
            }
            for name in &vote.compare_headers {
                if vote
                    .ignore_headers
                    .iter()
                    .any(|other| other.get_ref().eq_ignore_ascii_case(name.get_ref()))
                {
                    self.wrong(&name.span(), "this header is in ignore_headers, too");
                }
                rules.compare_header(name.get_ref());
            }
            for pattern in &vote.ignore_body {
                if let Err(why) = rules.ignore_body(pattern.get_ref()) {
                    self.wrong(&pattern.span(), why);
                }
            }
            answer = self.size(&vote.answer, answer);
            late = self.time(&vote.late, late);
        }
        Vote {
            rules,
            answer,
            late,
        }
    }

    fn changes(&mut self, changes: &written::Changes) -> Changes {
        let mut allowed = Allowed::default();
        for pattern in &changes.files {
            if let Err(why) = allowed.file(pattern.get_ref()) {
                self.wrong(&pattern.span(), why);
            }
        }
        for pattern in &changes.keys {
            if let Err(why) = allowed.key(pattern.get_ref()) {
                self.wrong(&pattern.span(), why);
            }
        }
        Changes {
            allowed,
            interval: self.time(&changes.interval, seconds(2)),
        }
    }

    fn denied(&mut self, denied: &written::Denied) -> Denied {
        for pattern in &denied.ignore {
            if pattern.get_ref().chars().all(|c| matches!(c, '*' | '?')) {
                let why = "this leaves out every name; give a part of one, or leave [denied] out";
                self.wrong(&pattern.span(), why);
            }
        }
        let ignore = denied
            .ignore
            .iter()
            .map(|pattern| pattern.get_ref().clone());
        Denied {
            ignore: ignore.collect(),
            interval: self.time(&denied.interval, seconds(1)),
        }
    }

    /// What single values do not show.
    fn agreement(&mut self, config: &Config, replicas: &Number, front: &Spanned<written::Front>) {
        if config.front.mode == Mode::Vote && config.replicas < 3 {
            let span = replicas.as_ref().map_or(front.span(), Spanned::span);
            let why = "a vote needs at least 3 replicas: of two that differ none is the majority";
            self.wrong(&span, why);
        }
        if config.check.fall > 0 && config.check.start_interval > config.check.grace {
            self.wrong(&(0..0), "a replica's grace ends before its first check");
        }
    }
}

/// Whether a group may be called so: replicas are VMs named after it.
///
/// # Errors
/// What a name looks like.
pub(super) fn name_is_sound(name: &str) -> Result<(), String> {
    let sound = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
    };
    let starts = name
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    if starts && name.len() <= 40 && name.bytes().all(sound) {
        return Ok(());
    }
    Err(format!(
        "'{name}' is no name of a group: use a to z, digits, _ and -, at most 40, a letter or digit first"
    ))
}

impl Config {
    /// The group's name, which is `stem` where the file says none.
    ///
    /// # Errors
    /// The stem is no name.
    pub fn name_or(&self, stem: &str) -> Result<String, String> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        let stem = stem.to_ascii_lowercase();
        name_is_sound(&stem).map_err(|why| format!("{why}; give one in the file with name"))?;
        Ok(stem)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
