//! What replicas are made from and run: the group's file, and what the host tells to it. Makes nothing.

use crate::failure::{Failure, USAGE};
use crate::{policies, profiles, program, shares, values};
use pinion_group::{Config, Fault};
use pinion_profile::Profile;
use pinion_store::{Limits, Network, NewVm, Share, Source, Store, View, VmName, exit_code};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// All that does not change while the group runs. The command line makes it, the group's process reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The group's name.
    pub name: VmName,
    /// The group's file.
    pub text: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables set for it.
    pub env: Vec<(String, String)>,
    /// Its folder.
    pub cwd: String,
    /// A program inside that checks a replica; empty: none.
    pub check: Vec<String>,
    /// Folders shared with the host.
    pub shares: Vec<Share>,
    /// Rules for names.
    pub policy: Option<String>,
    /// The text of the profile that the file names with `from`.
    pub profile: Option<String>,
}

/// The text of a group's file.
pub fn read(file: &str) -> Result<String, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        let text = format!("cannot read the group's file {file}: {why}; give a TOML file in UTF-8");
        Failure::pinion(text)
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| failed(&error))?;
    let most = pinion_group::config::LONGEST as u64 + 1;
    let read = opened.take(most).read_to_end(&mut bytes);
    read.map_err(|error| failed(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(&error.utf8_error()))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The text of the profile that `from` names: none where there is a VM or a snapshot of that name, and where
/// it is neither the name of a profile nor a file's.
fn profile(store: &Store, from: &str) -> Result<Option<String>, String> {
    let file = from.contains(['\\', '/']) || from.to_ascii_lowercase().ends_with(".toml");
    if store.source(from).is_ok() || !(file || pinion_profile::find(from).is_some()) {
        return Ok(None);
    }
    profiles::text(from)
        .map(Some)
        .map_err(|failure| failure.to_string())
}

/// The profile of this text.
fn parsed(name: &str, text: &str) -> Result<Profile, String> {
    Profile::parse(text).map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        format!("the profile {name}:{first}")
    })
}

/// The file's configuration, and the text of the profile that it names; or all faults.
pub fn parse(store: &Store, text: &str) -> Result<(Config, Option<String>), Vec<Fault>> {
    let mut kept = None;
    let config = Config::parse_from(text, |from| {
        kept = profile(store, from)?;
        kept.as_deref().map(|text| parsed(from, text)).transpose()
    })?;
    Ok((config, kept))
}

/// The group's name for a file that was checked.
pub fn name(file: &str, config: &Config) -> Result<VmName, Failure> {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    let name = config.name_or(stem.unwrap_or(""));
    let name = name.map_err(|why| Failure::new(USAGE, format!("{file}: {why}")))?;
    VmName::check(&name).map_err(|why| Failure::new(USAGE, why.to_string()))
}

/// What the file says, and the group's name; or the first fault by line and column.
pub fn checked(store: &Store, file: &str, text: String) -> Result<Checked, Failure> {
    let (config, profile) = parse(store, &text).map_err(|faults| refused(file, &faults))?;
    Ok(Checked {
        name: name(file, &config)?,
        text,
        config,
        profile,
    })
}

fn refused(file: &str, faults: &[Fault]) -> Failure {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    let more = match faults.len() {
        0 | 1 => String::new(),
        all => format!(" ({} more; 'pinion group check {file}' tells all)", all - 1),
    };
    Failure::new(USAGE, format!("{file}:{first}{more}"))
}

/// A group's file that was checked.
#[derive(Debug)]
pub struct Checked {
    /// The group's name.
    pub name: VmName,
    /// The file.
    pub text: String,
    /// What it says.
    pub config: Config,
    /// The text of the profile that it names.
    pub profile: Option<String>,
}

/// The plan of a group that can be started now.
pub fn plan(store: &Store, checked: Checked) -> Result<Plan, Failure> {
    let Checked {
        name,
        text,
        config,
        profile,
    } = checked;
    let from = config.from.as_deref().map(|from| store.source(from));
    let from = from.transpose()?;
    let own = from.as_ref().map(Source::program);
    let (command, cwd) = match own {
        Some((command, _, cwd)) if config.command.is_empty() => (command.to_vec(), cwd),
        _ => (config.command.clone(), None),
    };
    let Some(first) = command.first() else {
        let text = format!(
            "'{}' has no program of its own; give one with command",
            name
        );
        return Err(Failure::new(exit_code::CANNOT_RUN, text));
    };
    let usage = |why: String| Failure::new(USAGE, why);
    let given = config
        .shares
        .iter()
        .map(|share| values::share(share).map_err(usage));
    let given: Vec<Share> = given.collect::<Result<_, _>>()?;
    let shares = shares::resolve(store, &given)?;
    let layers = from.as_ref().map(Source::stack).unwrap_or_default();
    let view = View::new(&layers, &shares);
    let found = program::find(&view, first)?;
    let check = match config.check.command.first() {
        Some(first) => {
            let found = program::find(&view, first)?;
            program::resolved(&found.path, &config.check.command)?
        }
        None => Vec::new(),
    };
    let set = config
        .env
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    let mut env: Vec<(String, String)> = own
        .map(|(_, env, _)| env.to_vec())
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| {
            !config
                .env
                .keys()
                .any(|other| other.eq_ignore_ascii_case(name))
        })
        .collect();
    env.extend(set);
    Ok(Plan {
        command: program::resolved(&found.path, &command)?,
        cwd: program::folder(&view, config.workdir.as_deref().or(cwd))?.path,
        env,
        check,
        shares,
        policy: match &config.policy {
            Some(file) => policies::given(file)?,
            None if !config.rules.is_empty() => Some(config.rules.clone()),
            None => from.as_ref().and_then(Source::policy).map(str::to_owned),
        },
        name,
        text,
        profile,
    })
}

impl Plan {
    /// The file's configuration.
    pub fn config(&self) -> Result<Config, Failure> {
        let profile = |_: &str| {
            let text = self.profile.as_deref();
            text.map(|text| parsed("of the group", text)).transpose()
        };
        Config::parse_from(&self.text, profile)
            .map_err(|faults| refused("the group's file", &faults))
    }

    /// What a replica's VM is made from. Its limits are a wall behind the bounds of its growth, past which
    /// it is replaced: what grows faster than is looked is held there.
    pub fn vm(&self, name: VmName, config: &Config, from: Option<Source>) -> NewVm {
        NewVm {
            name: Some(name),
            command: self.command.clone(),
            env: self.env.clone(),
            cwd: Some(self.cwd.clone()),
            limits: Limits {
                memory: config.growth.memory.map(|most| most + most / 2),
                cpus_milli: None,
                processes: config.growth.processes.map(|most| most + most / 2 + 1),
            },
            shares: self.shares.clone(),
            network: Network::named(&config.network).unwrap_or_default(),
            policy: self.policy.clone(),
            from,
            trace: config.denied.is_some(),
            watch: false,
            ..NewVm::default()
        }
    }
}
