//! The verbs: what `pinion.exe` can be asked, one file each.

mod channels;
mod commit;
mod completion;
mod cp;
mod create;
mod diff;
mod doctor;
mod exec;
mod exit_codes;
mod explain;
mod export;
mod faults;
mod group;
mod import;
mod inspect;
mod kill;
mod learn;
mod logs;
mod ls;
mod map;
mod metrics;
mod pause;
mod policy;
mod profile;
mod ps;
mod reset;
mod rm;
mod run;
mod services;
mod share;
mod snapshot;
mod snapshots;
mod start;
mod start_inside;
mod stats;
mod stop;
mod supervise;
mod top;
mod trace;
mod unpause;
mod update;
mod verify;
mod version;
mod wait;

use crate::failure::{Failure, Outcome};
use clap::{CommandFactory, Parser, Subcommand};

const AFTER: &str = "Examples:
  pinion run --name web -p 8080:80 nginx.exe    a web server in a VM of its own, in this console
  pinion run -d --name db mydb.exe              the same in the background
  pinion exec web cmd.exe                       a shell inside
  pinion ls                                     all VMs
  pinion rm -f web                              stop it and remove all that it changed

'pinion help VERB' tells about a verb, 'pinion help exit-codes' about exit codes.";

/// Featherweight virtual machines for Windows programs
///
/// Runs unmodified Windows programs side by side on one Windows, each in a VM with names, files,
/// registry, services and network address of its own. Nothing that a program changes inside reaches
/// the host.
#[derive(Parser, Debug)]
#[command(name = "pinion", version, after_help = AFTER, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Run(run::Args),
    Create(create::Args),
    Start(start::Args),
    Exec(exec::Args),
    Stop(stop::Args),
    Kill(kill::Args),
    Pause(pause::Args),
    Unpause(unpause::Args),
    Update(update::Args),
    Wait(wait::Args),
    Ps(ps::Args),
    Services(services::Args),
    Ls(ls::Args),
    Inspect(inspect::Args),
    Logs(logs::Args),
    Trace(trace::Args),
    Explain(explain::Args),
    Map(map::Args),
    Learn(learn::Args),
    Stats(stats::Args),
    Top(top::Args),
    Metrics(metrics::Args),
    Rm(rm::Args),
    Commit(commit::Args),
    Cp(cp::Args),
    Group(group::Args),
    Export(export::Args),
    Import(import::Args),
    Share(share::Args),
    Policy(policy::Args),
    Profile(profile::Args),
    Snapshot(snapshot::Args),
    Snapshots(snapshots::Args),
    Diff(diff::Args),
    Reset(reset::Args),
    Channels(channels::Args),
    Doctor(doctor::Args),
    Verify(verify::Args),
    Version(version::Args),
    Completion(completion::Args),
    ExitCodes(exit_codes::Args),
    #[command(name = pinion_supervisor::control::VERB)]
    Supervise(supervise::Args),
    #[command(name = crate::group::keep::VERB)]
    KeepGroup(group::KeepArgs),
    #[command(name = pinion_supervisor::inside::VERB)]
    StartInside(start_inside::Args),
    #[command(name = cp::RECEIVE)]
    Receive(cp::ReceiveArgs),
}

/// Reads the command line and does what it asks; a wrong one ends the process
/// with exit code 2 and a hint.
pub fn dispatch() -> Outcome {
    let verb = Cli::parse().verb;
    if let Verb::Run(run::Args { new, .. }) | Verb::Create(create::Args { new, .. }) = &verb {
        refuse_option(&new.command);
    }
    if let Verb::Learn(args) = &verb {
        refuse_option(args.command());
    }
    if let Verb::Exec(args) = &verb {
        refuse_option(&args.command);
    }
    match verb {
        Verb::Run(args) => run::run(args),
        Verb::Create(args) => create::run(&args),
        Verb::Start(args) => start::run(&args),
        Verb::Exec(args) => exec::run(&args),
        Verb::Stop(args) => stop::run(&args),
        Verb::Kill(args) => kill::run(&args),
        Verb::Pause(args) => pause::run(&args),
        Verb::Unpause(args) => unpause::run(&args),
        Verb::Update(args) => update::run(&args),
        Verb::Wait(args) => wait::run(&args),
        Verb::Ps(args) => ps::run(&args),
        Verb::Services(args) => services::run(&args),
        Verb::Ls(args) => ls::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Logs(args) => logs::run(&args),
        Verb::Trace(args) => trace::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Map(args) => map::run(&args),
        Verb::Learn(args) => learn::run(&args),
        Verb::Stats(args) => stats::run(&args),
        Verb::Top(args) => top::run(&args),
        Verb::Metrics(args) => metrics::run(&args),
        Verb::Rm(args) => rm::run(&args),
        Verb::Commit(args) => commit::run(&args),
        Verb::Cp(args) => cp::run(&args),
        Verb::Group(args) => group::run(&args),
        Verb::KeepGroup(args) => group::keep(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Import(args) => import::run(&args),
        Verb::Share(args) => share::run(&args),
        Verb::Policy(args) => policy::run(&args),
        Verb::Profile(args) => profile::run(&args),
        Verb::Snapshot(args) => snapshot::run(&args),
        Verb::Snapshots(args) => snapshots::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Reset(args) => reset::run(&args),
        Verb::Channels(args) => channels::run(&args),
        Verb::Doctor(args) => doctor::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Version(args) => version::run(&args),
        Verb::Completion(args) => completion::run(&args),
        Verb::ExitCodes(args) => exit_codes::run(&args),
        Verb::StartInside(args) => start_inside::run(&args),
        Verb::Receive(args) => cp::receive_here(&args),
        Verb::Supervise(args) => supervise::run(&args),
    }
}

/// Ends the process with clap's hint when what stands for a program is an
/// option that the verb does not know. Options of the program itself come after
/// it, and are taken as they are.
fn refuse_option(command: &[String]) {
    if !command
        .first()
        .is_some_and(|program| program.starts_with('-'))
    {
        return;
    }
    let strict = |verb: clap::Command| {
        verb.mut_arg("command", |command| {
            command.trailing_var_arg(false).allow_hyphen_values(false)
        })
    };
    let all = Cli::command();
    let all = ["run", "create", "exec", "learn"]
        .into_iter()
        .fold(all, |all, name| all.mut_subcommand(name, strict));
    // Well-formed after all when it follows `--`.
    let _ = all.get_matches();
}

/// Does `one` for each name, the rest too when one fails. The failures but the
/// last are told here, the last is the outcome.
fn for_each(names: &[String], mut one: impl FnMut(&str) -> Outcome) -> Outcome {
    let mut last: Option<Failure> = None;
    for name in names {
        if let Err(failure) = one(name)
            && let Some(earlier) = last.replace(failure)
        {
            eprintln!("pinion: {earlier}");
        }
    }
    last.map_or(Ok(0), Err)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
