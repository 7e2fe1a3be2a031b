//! `pinion channels`: what the catalogue says of channels and system calls.

use crate::failure::{Failure, Outcome, USAGE};
use crate::output;
use crate::table::table;
use clap::builder::PossibleValuesParser;
use pinion_channels::{About, Call, Channel, State, Treatment, calls, find};
use serde::Serialize;

const AFTER: &str = "Examples:
  pinion channels                        all channels
  pinion channels --state open           those that are not confined yet
  pinion channels pipes                  one, with its system calls
  pinion channels --call NtOpenMutant    what is said of a system call
  pinion channels --json

States: confined, partly, open. Treatments: own-name (the name means the VM's own), same-vm (between
members only), server-inside (the server runs again inside), by-handle (decided at the open), denied,
pass (reaches the host on purpose), no-ipc (no channel).";

/// List the channels between programs, and how far each is confined
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Only channels of this treatment
    #[arg(long, value_parser = words(Treatment::ALL, Treatment::word))]
    treatment: Option<String>,

    /// Only channels in this state
    #[arg(long, value_parser = words(State::ALL, State::word))]
    state: Option<String>,

    /// Tell of one system call
    #[arg(long, value_name = "NAME", conflicts_with_all = ["treatment", "state", "channel"])]
    call: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Tell of one channel
    #[arg(value_parser = words(Channel::ALL, Channel::word), hide_possible_values = true)]
    channel: Option<String>,
}

/// The words of an enum, for the command line and its completion.
fn words<T: Copy>(all: &'static [T], word: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|&one| word(one)))
}

#[derive(Serialize)]
struct Told {
    channel: &'static str,
    what: &'static str,
    treatment: &'static str,
    state: &'static str,
    windows: &'static str,
    wine: &'static str,
    gaps: &'static str,
    proofs: &'static [&'static str],
    probes: Vec<&'static str>,
    calls: Vec<CallTold>,
}

#[derive(Serialize)]
struct CallTold {
    name: &'static str,
    module: &'static str,
    channel: &'static str,
    reach: &'static str,
    treatment: &'static str,
    state: &'static str,
    why: &'static str,
}

/// Prints the channels that are asked for, or one call.
pub fn run(args: &Args) -> Outcome {
    if let Some(name) = &args.call {
        return one_call(name, args.json);
    }
    let chosen = |filter: &Option<String>, word: &str| filter.as_deref().is_none_or(|f| f == word);
    let abouts: Vec<_> = Channel::ALL
        .iter()
        .map(|channel| channel.about())
        .filter(|about| {
            chosen(&args.channel, about.channel.word())
                && chosen(&args.treatment, about.treatment.word())
                && chosen(&args.state, about.state.word())
        })
        .collect();
    if args.json {
        return output::json(&abouts.iter().map(|about| told(about)).collect::<Vec<_>>());
    }
    match (&args.channel, abouts.first()) {
        (Some(_), Some(about)) => output::text(&record(about)),
        _ => output::text(&list(&abouts)),
    }
}

fn one_call(name: &str, json: bool) -> Outcome {
    let call = find(name).ok_or_else(|| {
        Failure::new(
            USAGE,
            format!("the catalogue has no system call '{name}'; names are as exported, such as NtOpenMutant"),
        )
    })?;
    if json {
        return output::json(&call_told(&call));
    }
    let CallTold {
        name,
        module,
        channel,
        reach,
        treatment,
        state,
        why,
    } = call_told(&call);
    output::text(&format!(
        "{name} of {module}\nchannel    {channel}\nreach      {reach}\ntreatment  {treatment}\nstate      {state}\nwhy        {why}\n"
    ))
}

fn list(abouts: &[&About]) -> String {
    let rows: Vec<_> = abouts
        .iter()
        .map(|about| {
            [
                about.channel.word().into(),
                about.treatment.word().into(),
                about.state.word().into(),
                about.title.into(),
            ]
        })
        .collect();
    table(["CHANNEL", "TREATMENT", "STATE", "WHAT"], &rows)
}

fn record(about: &About) -> String {
    let mut text = format!(
        "{}: {}\ntreatment       {}\nstate           {}\non Windows      {}\non Wine         {}\n",
        about.channel, about.title, about.treatment, about.state, about.windows, about.wine
    );
    if !about.gaps.is_empty() {
        text += &format!("does not hold   {}\n", about.gaps);
    }
    for proof in about.proofs {
        text += &format!("proof           {proof}\n");
    }
    for probe in probes(about) {
        text += &format!("probe           {probe}\n");
    }
    let rows: Vec<_> = of_channel(about.channel)
        .map(|call| {
            let group = call.group;
            [
                call.name.into(),
                group.reach.word().into(),
                group.treatment.word().into(),
                group.status.word().into(),
                group.why.into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        text += "\n";
        text += &table(["CALL", "REACH", "TREATMENT", "STATE", "WHY"], &rows);
    }
    text
}

fn of_channel(channel: Channel) -> impl Iterator<Item = Call> {
    calls().filter(move |call| call.group.channel == channel)
}

/// The probes of the channel, for `pinion verify`.
fn probes(about: &About) -> impl Iterator<Item = &'static str> {
    let channel = about.channel;
    let of = pinion_probes::all().filter(move |probe| probe.channel == channel);
    of.map(|probe| probe.name)
}

fn told(about: &About) -> Told {
    Told {
        channel: about.channel.word(),
        what: about.title,
        treatment: about.treatment.word(),
        state: about.state.word(),
        windows: about.windows,
        wine: about.wine,
        gaps: about.gaps,
        proofs: about.proofs,
        probes: probes(about).collect(),
        calls: of_channel(about.channel)
            .map(|call| call_told(&call))
            .collect(),
    }
}

fn call_told(call: &Call) -> CallTold {
    CallTold {
        name: call.name,
        module: call.module.file(),
        channel: call.group.channel.word(),
        reach: call.group.reach.word(),
        treatment: call.group.treatment.word(),
        state: call.group.status.word(),
        why: call.group.why,
    }
}
