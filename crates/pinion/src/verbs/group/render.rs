//! `pinion group render`: the group's front as a configuration of another program.

use crate::failure::{Failure, Outcome, USAGE};
use crate::group::plan;
use crate::{output, vms};
use pinion_group::render::{self, Host};
use std::net::SocketAddr;

const AFTER: &str = "Example:
  pinion group render --haproxy web.toml --bind *:80 --host a=10.0.0.1:8080 --host b=10.0.0.2:8080

HAProxy then stands in front of the groups that run on several hosts. Without --host it is the front of the
file alone.";

/// Write a configuration with which HAProxy fronts groups on several hosts
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// For HAProxy
    #[arg(long, required = true)]
    haproxy: bool,

    /// Where HAProxy listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "*:80")]
    bind: String,

    /// A host's name and where its group's front listens
    #[arg(long, value_name = "NAME=ADDRESS:PORT", value_parser = host)]
    host: Vec<Host>,

    /// The group's file
    file: String,
}

fn host(text: &str) -> Result<Host, String> {
    let wrong = || "give a name and an address, such as a=10.0.0.1:8080".to_owned();
    let (name, front) = text.split_once('=').ok_or_else(wrong)?;
    let sound = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let front: SocketAddr = front.parse().map_err(|_| wrong())?;
    sound
        .then(|| Host {
            name: name.into(),
            front,
        })
        .ok_or_else(wrong)
}

/// Prints it.
pub fn run(args: &Args) -> Outcome {
    let text = plan::read(&args.file)?;
    let checked = plan::checked(&vms::store()?, &args.file, text)?;
    if args.bind.is_empty()
        || args
            .bind
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(Failure::new(
            USAGE,
            "--bind: give an address and a port, such as *:80",
        ));
    }
    let own = [Host {
        name: "here".into(),
        front: checked.config.front.listen,
    }];
    let hosts = if args.host.is_empty() {
        &own[..]
    } else {
        &args.host
    };
    output::text(&render::haproxy(
        checked.name.as_str(),
        &checked.config,
        &args.bind,
        hosts,
    ))
}
