//! `pinion learn`: the smallest policy with which a program finds what it needs of the host.
//!
//! Runs the program in a VM that records, again and again: whatever name it wanted to open, did not
//! find in the VM, and the host has, gets a rule. A rule whose name was not opened by it is left out.

use super::policy::explain as by_policy;
use super::trace::show::{harmless, program};
use crate::failure::{Failure, Outcome};
use crate::{host_names, output, vms};
use pinion_channels::Channel;
use pinion_store::Vm;
use pinion_supervisor::events;
use pinion_trace::filter::State;
use pinion_trace::{Entry, Event, Filter, Verdict, calls};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const AFTER: &str = "Examples:
  pinion learn -o web.toml -- server.exe --check
  pinion learn -- client.exe

The program runs several times, in VMs of their own that are removed: let it do what it is to be able to do, and
end. Noted are names of kernel objects, sections and pipes that it opened, that are not in the VM, and that the
host has now: start what it is to talk to before. Nothing is shared that the program did not ask for; look at each
rule before you use it, for what is shared is no longer confined. Programs that make a name themselves, and only
then look for others who have it, need a rule written by hand.";

/// Run a program and write the smallest policy that lets it find what it needs of the host
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Write the policy to this file; to stdout when none is given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// How often the program is run at most
    #[arg(long, value_name = "COUNT", default_value_t = 6, value_parser = clap::value_parser!(u32).range(2..=50))]
    rounds: u32,

    /// Program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM"
    )]
    command: Vec<String>,
}

impl Args {
    /// The program and its arguments.
    pub fn command(&self) -> &[String] {
        &self.command
    }
}

/// A name that the program needs.
struct Need {
    rule: String,
    opens: String,
    evidence: String,
    /// What the program got with the rule, once it has got it.
    with_rule: Option<i32>,
}

/// A name of a channel.
type Key = (Channel, String);

/// Runs the program until no name is new.
pub fn run(args: &Args) -> Outcome {
    let folder = std::env::temp_dir().join(format!("pinion-learn-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::pinion(format!(
            "cannot make the folder {}: {error}",
            folder.display()
        ))
    })?;
    let learned = learn(args, &folder);
    let _ = std::fs::remove_dir_all(&folder);
    let (needs, code) = learned?;
    let text = written(&args.command, &needs, code);
    match &args.output {
        None => output::text(&text),
        Some(path) => std::fs::write(path, text)
            .map(|()| 0)
            .map_err(|error| Failure::pinion(format!("cannot write {}: {error}", path.display()))),
    }
}

fn learn(args: &Args, folder: &Path) -> Result<(BTreeMap<Key, Need>, i32), Failure> {
    let mut needs: BTreeMap<Key, Need> = BTreeMap::new();
    let mut code = 0;
    for round in 1..=args.rounds {
        let policy = folder.join("policy.toml");
        let rules: String = needs
            .values()
            .map(|need| need.rule.clone() + "\n")
            .collect();
        std::fs::write(&policy, rules).map_err(|error| {
            Failure::pinion(format!("cannot write {}: {error}", policy.display()))
        })?;
        let name = format!("learn-{}-{round}", std::process::id());
        eprintln!("pinion: round {round}, {} rules", needs.len());
        code = once(&name, &policy, &args.command)?;
        let vm = vms::find(&name)?;
        let is_new = note(&vm, &mut needs);
        vms::remove_ended(&vms::store()?, vm.name())?;
        if !is_new? {
            break;
        }
    }
    Ok((needs, code))
}

/// Runs the program in a VM of this name; its exit code.
fn once(name: &str, policy: &Path, command: &[String]) -> Result<i32, Failure> {
    let cannot = |error| Failure::pinion(format!("cannot run the program: {error}"));
    let own = std::env::current_exe().map_err(cannot)?;
    let mut run = Command::new(own);
    run.args(["run", "--trace", "--name", name, "--policy"]);
    run.arg(policy).arg("--").args(command);
    let ended = run.status().map_err(cannot)?;
    Ok(ended.code().unwrap_or(-1))
}

/// Takes note of what the program needed; whether there is something new.
fn note(vm: &Vm, needs: &mut BTreeMap<Key, Need>) -> Result<bool, Failure> {
    let filter = Filter {
        channels: vec![Channel::Objects, Channel::Sections, Channel::Pipes],
        ..Filter::default()
    };
    let mut state = State::default();
    let mut is_new = false;
    let read = events::each(vm, |entry| {
        state.note(&filter, entry);
        if let Entry::Event(event) = entry
            && filter.wants(&state, event)
            && let Some(channel) = calls::channel(event)
        {
            is_new |= note_event(vm, channel, event, state.image(event.process), needs);
        }
    });
    read.map_err(|error| Failure::pinion(format!("cannot read what was recorded: {error}")))?;
    Ok(is_new)
}

/// Takes note of an event; whether it tells of a new need.
fn note_event(
    vm: &Vm,
    channel: Channel,
    event: &Event<'_>,
    image: &str,
    needs: &mut BTreeMap<Key, Need>,
) -> bool {
    let Some(call) = calls::name(event.call) else {
        return false;
    };
    let key = (channel, event.asked.text.to_lowercase());
    if event.verdict() == Verdict::Shared {
        if let Some(need) = needs.get_mut(&key) {
            need.with_rule = Some(event.status);
        }
        return false;
    }
    let is_missing = matches!(event.status.cast_unsigned(), 0xC000_0034 | 0xC000_003A);
    if !is_missing
        || needs.contains_key(&key)
        || host_names::has(call, &event.asked.text) != Some(true)
    {
        return false;
    }
    let need = need(vm, channel, call, event, image);
    let is_new = need.is_some();
    needs.extend(need.map(|need| (key, need)));
    is_new
}

fn need(vm: &Vm, channel: Channel, call: &str, event: &Event<'_>, image: &str) -> Option<Need> {
    let answer = by_policy::answered(vm, channel.word(), &event.asked.text).ok()?;
    let (rule, opens) = answer.to_allow_open()?;
    let evidence = format!(
        "{} ({call}) wanted '{}' and got {:#010x} in the VM; the host has it",
        harmless(program(image)),
        harmless(&event.asked.text),
        event.status,
    );
    Some(Need {
        rule,
        opens,
        evidence,
        with_rule: None,
    })
}

fn written(command: &[String], needs: &BTreeMap<Key, Need>, code: i32) -> String {
    let mut text = format!(
        "# What {} needs of the host, as 'pinion learn' saw it; it ended with {code} at last.\n",
        harmless(&command.join(" ")),
    );
    let opened: Vec<&Need> = needs
        .values()
        .filter(|need| need.with_rule.is_some())
        .collect();
    if opened.is_empty() {
        text += "# It opened nothing of the host's by a name: it needs no policy.\n";
    }
    for need in opened {
        let status = need.with_rule.unwrap_or(0);
        text += &format!(
            "\n# {}.\n# With this rule it got {status:#010x}.\n# {}.\n{}",
            need.evidence,
            harmless(&need.opens),
            need.rule
        );
        if !need.rule.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}
