//! `pinion policy show`: the rules of a VM, and what holds without them.

use crate::failure::Outcome;
use crate::table::table;
use crate::{output, vms};
use pinion_policy::rules::Channel;
use pinion_policy::{object, port};
use pinion_policy_file::{Policy, Rule};
use pinion_store::Share;
use pinion_supervisor::policy;
use serde::Serialize;

const AFTER: &str = "Examples:
  pinion policy show web
  pinion policy show --json web

The first rule that has a name decides it. What is changed while the VM runs counts from its next start on.";

/// Tell the rules of a VM, and what holds where there are none
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Name or id of the VM
    #[arg(value_name = "VM")]
    name: String,
}

#[derive(Serialize)]
struct Told<'a> {
    vm: &'a str,
    rules: Vec<RuleTold<'a>>,
    default: &'static str,
    channels: Vec<&'static str>,
    pass_list: Vec<Passes>,
    network: &'static str,
    shares: &'a [Share],
    file: Option<&'a str>,
}

/// A rule, for machines.
#[derive(Serialize)]
pub(super) struct RuleTold<'a> {
    number: usize,
    line: usize,
    channel: &'static str,
    name: &'a str,
    direction: &'static str,
    peer: String,
    verdict: &'static str,
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct Passes {
    channel: &'static str,
    name: String,
    reason: &'static str,
}

/// The rule of this number, from 0.
pub(super) fn told(number: usize, rule: &Rule) -> RuleTold<'_> {
    RuleTold {
        number,
        line: rule.line,
        channel: rule.channel.word(),
        name: &rule.name,
        direction: rule.direction.word(),
        peer: rule.peer.word(),
        verdict: rule.verdict.word(),
        message: rule.message.as_deref(),
    }
}

/// What members open on the host without any rule.
fn passes() -> Vec<Passes> {
    let objects = object::LINES.iter().map(|line| Passes {
        channel: Channel::Objects.word(),
        name: match line.pattern {
            object::Pattern::Exact(name) => name.into(),
            object::Pattern::Leaf(prefix) => format!("{prefix}*"),
        },
        reason: line.reason,
    });
    let ports = port::LINES.iter().map(|line| Passes {
        channel: Channel::Alpc.word(),
        name: match line.pattern {
            port::Pattern::Exact(name) => name.into(),
            port::Pattern::InSession(name) => format!(r"[\Sessions\N]{name}"),
        },
        reason: line.reason,
    });
    objects.chain(ports).collect()
}

/// Prints rules and defaults.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.name)?;
    let record = vm.record();
    let policy = policy::read(&vm)?;
    if args.json {
        let rules = policy.rules.iter().enumerate();
        return output::json(&Told {
            vm: vm.name().as_str(),
            rules: rules.map(|(number, rule)| told(number, rule)).collect(),
            default: "own-name",
            channels: Channel::ALL.iter().map(|channel| channel.word()).collect(),
            pass_list: passes(),
            network: record.network.name(),
            shares: &record.shares,
            file: record.policy.as_deref(),
        });
    }
    output::text(&format!(
        "{}\nAll other names are the VM's own, but for the pass list:\n{}\nnetwork         {}\nshared folders  {}\n",
        rules(&policy),
        pass_list(),
        record.network.name(),
        record.shares.len(),
    ))
}

fn rules(policy: &Policy) -> String {
    if policy.rules.is_empty() {
        return "There are no rules.\n".into();
    }
    let row = |rule: &Rule| {
        [
            rule.line.to_string(),
            rule.verdict.word().into(),
            rule.channel.word().into(),
            rule.name.clone(),
            rule.direction.word().into(),
            rule.peer.word(),
            rule.message.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = policy.rules.iter().map(row).collect();
    let head = [
        "LINE",
        "VERDICT",
        "CHANNEL",
        "NAME",
        "DIRECTION",
        "PEER",
        "MESSAGE",
    ];
    table(head, &rows)
}

fn pass_list() -> String {
    let rows: Vec<_> = passes()
        .into_iter()
        .map(|line| [line.channel.into(), line.name, line.reason.into()])
        .collect();
    table(["CHANNEL", "NAME", "WHY"], &rows)
}
