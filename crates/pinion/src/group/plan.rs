//! What replicas are made from and run: the group's file, and what the host tells to it. Makes nothing.

use crate::failure::{Failure, USAGE};
use crate::{policies, program, shares, values};
use pinion_group::{Config, Fault};
use pinion_store::{Limits, Network, NewVm, Share, Source, Store, VmName, exit_code};
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

/// The file's configuration and the group's name, or the first fault by line and column.
pub fn checked(file: &str, text: &str) -> Result<(VmName, Config), Failure> {
    let config = Config::parse(text).map_err(|faults| refused(file, &faults))?;
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    let name = config.name_or(stem.unwrap_or(""));
    let name = name.map_err(|why| Failure::new(USAGE, format!("{file}: {why}")))?;
    let checked = VmName::check(&name).map_err(|why| Failure::new(USAGE, why.to_string()))?;
    Ok((checked, config))
}

fn refused(file: &str, faults: &[Fault]) -> Failure {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    let more = match faults.len() {
        0 | 1 => String::new(),
        all => format!(" ({} more; 'pinion group check {file}' tells all)", all - 1),
    };
    Failure::new(USAGE, format!("{file}:{first}{more}"))
}

/// The plan of a group that can be started now.
pub fn plan(store: &Store, name: VmName, text: String, config: &Config) -> Result<Plan, Failure> {
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
    let found = program::find(first)?;
    let check = match config.check.command.first() {
        Some(first) => program::resolved(&program::find(first)?, &config.check.command)?,
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
    let usage = |why: String| Failure::new(USAGE, why);
    let given = config
        .shares
        .iter()
        .map(|share| values::share(share).map_err(usage));
    let given: Vec<Share> = given.collect::<Result<_, _>>()?;
    Ok(Plan {
        command: program::resolved(&found, &command)?,
        cwd: program::folder(config.workdir.as_deref().or(cwd))?,
        env,
        check,
        shares: shares::resolve(store, &given)?,
        policy: match &config.policy {
            Some(file) => policies::given(file)?,
            None => from.as_ref().and_then(Source::policy).map(str::to_owned),
        },
        name,
        text,
    })
}

impl Plan {
    /// The file's configuration.
    pub fn config(&self) -> Result<Config, Failure> {
        Config::parse(&self.text).map_err(|faults| refused("the group's file", &faults))
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
            ..NewVm::default()
        }
    }
}
