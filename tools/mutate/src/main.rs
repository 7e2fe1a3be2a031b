//! The mutation check: for each hook of the agent in turn a copy of Pinion whose
//! agent leaves that hook out, and the probes of its channel. A hook that no probe
//! misses is a missing probe.
//!
//! The agent that is shipped knows nothing of this: the copy's table of hooks is
//! changed in its file ([`patch`]).

mod patch;

use anyhow::{Context, Result, bail};
use clap::Parser;
use pinion_channels::{Call, Module, calls};
use pinion_harness::Wine;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Leaves out one hook after another and looks for a probe that fails
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Only these calls; all that are hooked if none
    calls: Vec<String>,
    /// Have the VMs' windows on the user's desktop, where no wall of the kernel's stands between them
    #[arg(long)]
    desktop: bool,
    /// Write what was found as JSON to this file too
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What came of leaving out one hook.
#[derive(Serialize)]
struct Found {
    call: &'static str,
    channel: String,
    /// `missed`, `not-missed`, or `absent`: this Wine does not have the call.
    result: &'static str,
    /// The first ways that were ok with the hook and are not without it.
    by: Vec<String>,
}

const LIMIT: Duration = Duration::from_secs(300);
const PROGRAMS: [&str; 2] = ["pinion.exe", "pinion_probe.exe"];
const AGENT: &str = "pinion_agent.dll";

fn main() -> ExitCode {
    match check(&Options::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(unnoticed) => {
            eprintln!("pinion-mutate: {unnoticed} hooks are missed by no probe");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("pinion-mutate: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Checks all that is asked for; how many hooks no probe missed.
fn check(options: &Options) -> Result<usize> {
    let wine = Wine::from_env()?;
    let chosen: Vec<Call> = calls()
        .filter(|call| call.group.status.is_hooked())
        .filter(|call| {
            options.calls.is_empty() || options.calls.iter().any(|name| name == call.name)
        })
        .collect();
    if chosen.is_empty() {
        bail!("no such call is hooked");
    }
    let mut whole: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for call in chosen {
        let channel = call.group.channel.to_string();
        if !whole.contains_key(&channel) {
            whole.insert(channel.clone(), ways(&wine, wine.bin(), options, &channel)?);
        }
        let found = without(&wine, &call, options, &channel, &whole[&channel])?;
        println!(
            "{:<11} {:<13} {} {}",
            found.result,
            found.channel,
            found.call,
            found.by.join(", ")
        );
        all.push(found);
    }
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&all)?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(all
        .iter()
        .filter(|found| found.result == "not-missed")
        .count())
}

/// The ways of the channel that are ok by the programs in `bin`; none when no VM starts.
fn ways(wine: &Wine, bin: &Path, options: &Options, channel: &str) -> Result<BTreeSet<String>> {
    let mut verify = vec!["verify", "--quick", "--json", "--channel", channel];
    verify.extend(options.desktop.then_some("--desktop"));
    let output = wine.run_in(&wine.drive_c(), bin.join("pinion.exe"), &verify, LIMIT)?;
    let Ok(report) = output.json() else {
        return Ok(BTreeSet::new());
    };
    let rows = report["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let ok = rows.iter().filter(|row| row["result"] == "ok");
    let name = |row: &Value| row["way"].as_str().map(str::to_owned);
    Ok(ok.filter_map(name).collect())
}

/// What the probes say of an agent without the hook on this call.
fn without(
    wine: &Wine,
    call: &Call,
    options: &Options,
    channel: &str,
    whole: &BTreeSet<String>,
) -> Result<Found> {
    let found = |result, by| Found {
        call: call.name,
        channel: channel.to_owned(),
        result,
        by,
    };
    if !is_there(wine, call)? {
        return Ok(found("absent", Vec::new()));
    }
    let folder = tempfile::Builder::new()
        .prefix("pinion-mutate-")
        .tempdir()?;
    for program in PROGRAMS {
        std::fs::copy(wine.program(program), folder.path().join(program))
            .with_context(|| format!("cannot copy {program}"))?;
    }
    let mut agent = std::fs::read(wine.program(AGENT)).context("cannot read the agent")?;
    patch::leave_out(&mut agent, call.name)
        .with_context(|| format!("the agent has no hook on {}", call.name))?;
    std::fs::write(folder.path().join(AGENT), agent).context("cannot write the changed agent")?;
    let left = ways(wine, folder.path(), options, channel)?;
    let by: Vec<String> = whole.difference(&left).take(3).cloned().collect();
    Ok(found(
        if by.is_empty() {
            "not-missed"
        } else {
            "missed"
        },
        by,
    ))
}

/// Whether this Wine's DLL exports the call.
fn is_there(wine: &Wine, call: &Call) -> Result<bool> {
    let file = match call.module {
        Module::Ntdll | Module::Win32u => call.module.file(),
    };
    let path = wine.drive_c().join("windows/system32").join(file);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = [&[0], call.name.as_bytes(), &[0]].concat();
    Ok(bytes.windows(name.len()).any(|some| some == name))
}
