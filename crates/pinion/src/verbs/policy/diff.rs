//! `pinion policy diff`: which rules two policies do not have in common.

use super::show::told;
use crate::failure::{Failure, Outcome, USAGE};
use crate::{output, policies, vms};
use pinion_policy_file::{Policy, Rule};
use pinion_supervisor::policy;
use serde_json::json;

const AFTER: &str = "Examples:
  pinion policy diff web old.toml      what the VM's policy has that the file has not, and the other way round
  pinion policy diff web db

Each of the two is a VM, or a file of rules: what has a dot or a backslash in it is a file. Where both have the same
rules in another order, that is told: the first rule that has a name decides it.";

/// Tell which rules two policies do not have in common
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// A VM, or a file of rules
    #[arg(value_name = "VM|FILE")]
    old: String,

    /// Another one
    #[arg(value_name = "VM|FILE")]
    new: String,
}

/// Prints what only one of them has.
pub fn run(args: &Args) -> Outcome {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let gone: Vec<_> = missing(&old, &new);
    let added: Vec<_> = missing(&new, &old);
    let lines = |policy: &Policy| policy.rules.iter().map(line).collect::<Vec<_>>();
    let reordered = gone.is_empty() && added.is_empty() && lines(&old) != lines(&new);
    if args.json {
        let all = |rules: &[(usize, &Rule)]| {
            let rules = rules.iter().map(|(number, rule)| told(*number, rule));
            serde_json::to_value(rules.collect::<Vec<_>>()).unwrap_or_default()
        };
        return output::json(&json!({
            "removed": all(&gone), "added": all(&added), "reordered": reordered,
        }));
    }
    let mut text = String::new();
    for (sign, rules) in [('-', gone), ('+', added)] {
        for (_, rule) in rules {
            text += &format!("{sign} {}\n", line(rule));
        }
    }
    if reordered {
        text += "the same rules in another order\n";
    }
    output::text(&text)
}

/// The rules of the one that the other has not.
fn missing<'p>(of: &'p Policy, other: &Policy) -> Vec<(usize, &'p Rule)> {
    let mut others: Vec<String> = other.rules.iter().map(line).collect();
    let own = of.rules.iter().enumerate();
    own.filter(|(_, rule)| {
        let place = others.iter().position(|other| *other == line(rule));
        place.map(|place| others.swap_remove(place)).is_none()
    })
    .collect()
}

fn line(rule: &Rule) -> String {
    let message = rule.message.as_ref();
    let message = message.map_or_else(String::new, |message| format!(" ({message})"));
    format!(
        "{} {} '{}' {} {}{message}",
        rule.verdict.word(),
        rule.channel.word(),
        rule.name,
        rule.direction.word(),
        rule.peer.word(),
    )
}

fn read(what: &str) -> Result<Policy, Failure> {
    if !what.contains(['.', '\\', '/']) {
        return Ok(policy::read(&vms::find(what)?)?);
    }
    let text = policies::read(what)?;
    Policy::parse(&text).map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        Failure::new(USAGE, format!("{what}:{}", first.unwrap_or_default()))
    })
}
