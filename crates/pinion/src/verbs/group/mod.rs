//! `pinion group`: replicas of one server behind one address.

mod check;
mod down;
mod events;
mod logs;
mod ls;
mod render;
mod status;
mod up;

use crate::failure::Outcome;
use crate::group::control::{Client, Request};
use crate::group::keep;
use crate::group::place::Place;
use crate::output;
use clap::Subcommand;
use pinion_store::VmName;

const AFTER: &str = "Examples:
  pinion group check web.toml         what is wrong with the file, by line and column
  pinion group up web.toml            start it in the background; waits until all replicas serve
  pinion group status -f web          how it is, as it changes
  pinion group events web             what happened: faults, replacements, where the evidence lies
  pinion group down web               end it, with all replicas

A group is N disposable clones of one unmodified server behind one address. docs/GROUPS.md has all that can
be in its file, the states of replicas, and every decision.";

/// Keep replicas of a server behind one address, and replace those that fail
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Check(check::Args),
    Up(up::Args),
    Down(down::Args),
    Status(status::Args),
    Ls(ls::Args),
    Scale(ScaleArgs),
    Rejuvenate(RejuvenateArgs),
    Logs(logs::Args),
    Events(events::Args),
    Render(render::Args),
}

/// What the verbs that show something take.
#[derive(clap::Args, Debug)]
struct Shown {
    /// Go on as it comes, until Ctrl-C or the group's end
    #[arg(short, long)]
    follow: bool,

    /// Print JSON; what goes on is a line each
    #[arg(long)]
    json: bool,

    /// Name of the group
    name: String,
}

/// Change the number of replicas, until the group goes down
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  pinion group scale web 6

A group that votes keeps the number of its file.")]
struct ScaleArgs {
    /// Name of the group
    name: String,

    /// How many replicas
    replicas: u32,
}

/// Replace all replicas by new clones, one after another
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  pinion group rejuvenate web

It is under way when the command ends; 'pinion group status -f web' shows it.")]
struct RejuvenateArgs {
    /// Name of the group
    name: String,
}

/// Keep a group (started by Pinion itself)
#[derive(clap::Args, Debug)]
#[command(hide = true)]
pub struct KeepArgs {
    /// Name of the group
    name: VmName,
}

/// Does what is asked.
pub fn run(args: &Args) -> Outcome {
    match &args.what {
        What::Check(args) => check::run(args),
        What::Up(args) => up::run(args),
        What::Down(args) => down::run(args),
        What::Status(args) => status::run(args),
        What::Ls(args) => ls::run(args),
        What::Scale(args) => {
            let replicas = args.replicas;
            told(&args.name, &Request::Scale { replicas })
        }
        What::Rejuvenate(args) => told(&args.name, &Request::Rejuvenate),
        What::Logs(args) => logs::run(args),
        What::Events(args) => events::run(args),
        What::Render(args) => render::run(args),
    }
}

/// Keeps the group until its end.
pub fn keep(args: &KeepArgs) -> Outcome {
    keep::run(&args.name)
}

/// Asks a group that is up, and prints its name.
fn told(name: &str, request: &Request) -> Outcome {
    let place = Place::find(name)?;
    Client::connect(&place)?.call(request)?;
    output::line(&place.name)
}
