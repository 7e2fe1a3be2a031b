//! What a new VM is to be and to run: as the options say, and for the rest as
//! what it is made from. Makes nothing.

use crate::failure::{Failure, USAGE};
use crate::options::NewOptions;
use crate::policies;
use crate::program;
use crate::{shares, values};
use pinion_store::{Desktop, NewVm, Source, Store, View, exit_code};
use std::path::PathBuf;

/// A new VM that can be made now.
pub struct Plan {
    /// What to make.
    pub new: NewVm,
    /// The file of its main program.
    pub program: PathBuf,
    /// The program as it was named, and its arguments.
    pub command: Vec<String>,
    /// Whether the VM alone knows the file or its folder by its path.
    pub inside: bool,
}

/// Finds the program and the folder that it starts in.
pub fn plan(store: &Store, options: &NewOptions, remove_at_end: bool) -> Result<Plan, Failure> {
    values::no_ports(options.network, &options.publish).map_err(|why| Failure::new(USAGE, why))?;
    let from = options.from.as_deref().map(|name| store.source(name));
    let from = from.transpose()?;
    let asked = &options.command;
    let (command, cwd) = match &from {
        Some(source) if asked.is_empty() => own_program(source)?,
        _ => (asked.clone(), None),
    };
    let shares = shares::resolve(store, &options.volume)?;
    let layers = from.as_ref().map(Source::stack).unwrap_or_default();
    let view = View::new(&layers, &shares);
    let program = program::find(&view, command.first().map_or("", String::as_str))?;
    let cwd = options.program.workdir.clone().or(cwd);
    let cwd = program::folder(&view, cwd.as_deref())?;
    let new = NewVm {
        name: options.name.clone(),
        command: program::resolved(&program.path, &command)?,
        env: variables(from.as_ref(), options.program.variables()),
        cwd: Some(cwd.path),
        limits: options.limits.limits(),
        ports: options.publish.clone(),
        shares,
        network: options.network,
        desktop: desktop(options)?,
        policy: policy(from.as_ref(), options)?,
        remove_at_end,
        trace: options.trace,
        watch: false,
        from,
    };
    Ok(Plan {
        new,
        inside: !(program.is_host && cwd.is_host),
        program: program.path,
        command,
    })
}

/// How it is on the user's desktop.
fn desktop(options: &NewOptions) -> Result<Option<Desktop>, Failure> {
    let title_mark = options.title_mark.clone();
    let desktop = options.desktop.then_some(Desktop { title_mark });
    match desktop.as_ref().and_then(Desktop::fault) {
        None => Ok(desktop),
        Some(why) => Err(Failure::new(USAGE, why)),
    }
}

/// The program that VMs made from `source` run, and where.
fn own_program(source: &Source) -> Result<(Vec<String>, Option<String>), Failure> {
    let (command, _, cwd) = source.program();
    if command.is_empty() {
        let text = format!("'{}' has no program of its own; give one", source.name());
        return Err(Failure::new(exit_code::CANNOT_RUN, text));
    }
    Ok((command.to_vec(), cwd.map(str::to_owned)))
}

/// The policy that is given, or else the source's, with the rules of options in front.
fn policy(from: Option<&Source>, options: &NewOptions) -> Result<Option<String>, Failure> {
    let policy = match &options.policy {
        Some(given) => policies::given(given)?,
        None => options
            .profile_policy
            .clone()
            .or_else(|| from.and_then(Source::policy).map(str::to_owned)),
    };
    policies::with_flags(policy, &options.deny, &options.allow)
}

/// The source's variables, those set now in their place.
fn variables(from: Option<&Source>, set: Vec<(String, String)>) -> Vec<(String, String)> {
    let inherited = from.map(|source| source.program().1).unwrap_or_default();
    let is_set = |name: &str| {
        set.iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    };
    let kept = inherited.iter().filter(|(name, _)| !is_set(name)).cloned();
    let mut all: Vec<_> = kept.collect();
    all.extend(set);
    all
}
