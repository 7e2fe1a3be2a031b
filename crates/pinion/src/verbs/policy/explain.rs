//! `pinion policy explain`: what becomes of a name, what decides it, and what would allow it.

use super::show::{RuleTold, told};
use crate::failure::{Failure, Outcome, USAGE};
use crate::options::ExplainOptions;
use crate::{output, vms};
use clap::builder::PossibleValuesParser;
use pinion_channels::Channel;
use pinion_policy_file::Policy;
use pinion_policy_file::explain::{Answer, By, Home, Vm, explain};
use pinion_supervisor::policy;
use serde::Serialize;

const AFTER: &str = "Examples:
  pinion policy explain web pipes MyServer
  pinion policy explain web objects 'Global\\MyApp'
  pinion policy explain --json web alpc '\\RPC Control\\lsasspirpc'

Give the name as a program does. The answer is by the rules that count from the VM's next start on.";

/// Tell what becomes of a name in a VM, and why
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    of: ExplainOptions,

    /// The channel; 'pinion channels' lists them
    #[arg(value_parser = channels(), hide_possible_values = true)]
    channel: String,

    /// The name
    #[arg(value_name = "NAME")]
    what: String,
}

fn channels() -> PossibleValuesParser {
    PossibleValuesParser::new(Channel::ALL.iter().map(|channel| channel.word()))
}

#[derive(Serialize)]
struct Told<'a> {
    vm: &'a str,
    channel: &'a str,
    name: &'a str,
    make: AnswerTold<'a>,
    open: AnswerTold<'a>,
}

#[derive(Serialize)]
struct AnswerTold<'a> {
    /// `vm`, `host`, `peer`, or `nowhere`.
    leads_to: &'static str,
    real_name: Option<&'a str>,
    /// `rule`, `pass-list` or `default`.
    by: &'static str,
    rule: Option<RuleTold<'a>>,
    why: String,
    to_allow: Option<RemedyTold<'a>>,
}

#[derive(Serialize)]
struct RemedyTold<'a> {
    rule: &'a str,
    place: &'a str,
    opens: &'a str,
}

/// What the policy of a VM says of a name.
pub struct Answered {
    policy: Policy,
    answers: [Answer; 2],
}

impl Answered {
    /// For people.
    pub fn text(&self) -> String {
        let [make, open] = &self.answers;
        text(&self.policy, [make, open])
    }

    /// The rule that would make the name the host's when it is opened, and what that opens.
    pub fn to_allow_open(&self) -> Option<(String, String)> {
        let [_, open] = &self.answers;
        let remedy = open.to_allow.as_ref()?;
        Some((remedy.rule.clone(), remedy.opens.clone()))
    }

    /// For machines.
    pub fn json(&self) -> serde_json::Value {
        let [make, open] = &self.answers;
        serde_json::json!({
            "make": machine(&self.policy, make),
            "open": machine(&self.policy, open),
        })
    }
}

/// Asks the policy of `vm` about a name of a channel.
pub fn answered(vm: &pinion_store::Vm, channel: &str, name: &str) -> Result<Answered, Failure> {
    let store = vms::store()?;
    let policy = policy::read(vm)?;
    let rules = policy::compile(&store, vm, &policy)?;
    let names = policy::names(vm)?;
    let about = Vm {
        session: names.session,
        object_directory: &names.object_directory,
        pipe_prefix: &names.pipe_prefix,
        computer_name: &names.computer_name,
        address: vm.record().address.octets(),
        has_http: names.has_http,
    };
    let answers = explain(&policy, &rules, about, channel, name, policy::fold)
        .map_err(|why| Failure::new(USAGE, why))?;
    Ok(Answered { policy, answers })
}

/// Prints what becomes of the name.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.of.name)?;
    let answered = answered(&vm, &args.channel, &args.what)?;
    if args.of.json {
        let [make, open] = &answered.answers;
        return output::json(&Told {
            vm: vm.name().as_str(),
            channel: &args.channel,
            name: &args.what,
            make: machine(&answered.policy, make),
            open: machine(&answered.policy, open),
        });
    }
    output::text(&answered.text())
}

fn machine<'a>(policy: &'a Policy, answer: &'a Answer) -> AnswerTold<'a> {
    let rule = match answer.by {
        By::Rule(number) | By::Shut(number) => {
            policy.rules.get(number).map(|rule| told(number, rule))
        }
        _ => None,
    };
    AnswerTold {
        leads_to: answer.home.word(),
        real_name: answer.real.as_deref(),
        by: match answer.by {
            By::Rule(_) | By::Shut(_) => "rule",
            By::PassList(_) => "pass-list",
            By::Default => "default",
        },
        rule,
        why: why(policy, answer.by),
        to_allow: answer.to_allow.as_ref().map(|remedy| RemedyTold {
            rule: &remedy.rule,
            place: &remedy.place,
            opens: &remedy.opens,
        }),
    }
}

/// Who decides, for people.
fn why(policy: &Policy, by: By) -> String {
    match by {
        By::Default => "default: no rule has the name".into(),
        By::PassList(reason) => format!("the pass list: {reason}"),
        By::Shut(number) => format!(
            "{}; that VM is not there, or its policy does not let this one have the name",
            why(policy, By::Rule(number))
        ),
        By::Rule(number) => policy.rules.get(number).map_or_else(String::new, |rule| {
            let message = rule.message.as_deref();
            let message = message.map_or_else(String::new, |message| format!(": {message}"));
            format!(
                "the rule in line {} ({} '{}' {} {}){message}",
                rule.line,
                rule.verdict.word(),
                rule.name,
                rule.direction.word(),
                rule.peer.word(),
            )
        }),
    }
}

fn text(policy: &Policy, [make, open]: [&Answer; 2]) -> String {
    let alike = Answer {
        action: make.action,
        ..open.clone()
    };
    if *make == alike {
        return one("made or opened", policy, make);
    }
    one("made", policy, make) + &one("opened", policy, open)
}

fn one(action: &str, policy: &Policy, answer: &Answer) -> String {
    let home = match answer.home {
        Home::Vm => "the VM's own",
        Home::Host => "the host's",
        Home::Peer(_) => "the other VM's",
        Home::Nowhere => "refused with STATUS_ACCESS_DENIED",
    };
    let real = answer.real.as_deref();
    let real = real.map_or_else(String::new, |real| format!(", {real}"));
    let why = why(policy, answer.by);
    let mut text = format!("{action} inside: {home}{real}\n  by {why}\n");
    if let Some(remedy) = &answer.to_allow {
        let rule = remedy.rule.replace('\n', "\n    ");
        text += &format!(
            "  to share it with the host, {}:\n    {}\n  then {}\n",
            remedy.place,
            rule.trim_end(),
            remedy.opens
        );
    }
    text
}
