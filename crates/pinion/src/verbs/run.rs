//! `pinion run`: a new VM and its main program.

use crate::failure::{Failure, Outcome};
use crate::foreground::{self, Foreground};
use crate::options::NewOptions;
use crate::plan::plan;
use crate::vms::{self, Fresh};
use crate::{environment, health, output, profiles, progress};
use pinion_profile::{Health, Profile};
use pinion_store::{VmName, exit_code};
use pinion_supervisor::client::Client;
use pinion_supervisor::control::{Program, Request};

const AFTER: &str = "Examples:
  pinion run --name web -p 8080:80 C:\\nginx\\nginx.exe
  pinion run -d --rm -e MODE=test --memory 512m server.exe --verbose
  pinion run --rm cmd.exe /c set
  pinion run --rm -v D:\\data:C:\\data:ro -- cmd.exe /c dir C:\\data
  pinion run --rm --from base -- nginx.exe       over all that the snapshot base has
  pinion run -d --profile nginx --name web       what is known of a server: 'pinion profile list'

The program has this console's stdin, stdout and stderr; Ctrl-C goes to it. Its exit code is pinion's.
What follows PROGRAM is the program's own: give pinion's options before it. With -d and a profile pinion
waits until the server is well, as the profile says.";

/// Make a VM and run a program in it
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Run in the background: print the VM's name; the output goes to 'pinion logs'
    #[arg(short, long)]
    detach: bool,

    /// Remove the VM, with all that it changed, when the program ends
    #[arg(long)]
    rm: bool,

    #[command(flatten)]
    pub new: NewOptions,
}

/// Makes the VM, or leaves nothing.
pub fn run(mut args: Args) -> Outcome {
    let profile = args.new.profile.as_deref().map(profiles::given);
    let profile = profile.transpose()?;
    if let Some(profile) = &profile {
        profiles::fill(&mut args.new, profile)?;
    }
    // Before anything that may wait for another command.
    foreground::let_ctrl_c_pass();
    let store = vms::store()?;
    store.sweep();
    let plan = plan(&store, &args.new, args.rm)?;
    let mut fresh = Fresh::create(store, plan.new)?;
    let vm = fresh.vm.clone();
    let record = vm.record();
    let cwd = record.cwd.clone().unwrap_or_default();
    let mut client = vms::up(&vm)?;
    foreground::fail_if_interrupted()?;
    if let Some(profile) = &profile {
        start_services(&mut client, profile)?;
    }
    if args.detach {
        let program = Program {
            command: record.command.clone(),
            env: environment::as_text(&record.env),
            cwd: Some(cwd),
        };
        client.start(program, true)?;
        fresh.keep();
        if let Some(health) = profile.as_ref().and_then(|profile| profile.health.as_ref()) {
            wait_until_well(&mut client, vm.name(), health)?;
        }
        return output::line(vm.name());
    }
    let what = Foreground {
        program: &plan.program,
        command: &plan.command,
        env: &record.env,
        cwd: &cwd,
        inside: plan.inside,
        main: true,
    };
    let code = foreground::run(&mut client, &vm, &what, || fresh.keep())?;
    vms::after_main(&vm, client, code)
}

/// Starts what the profile wants running before the program, one after the other.
fn start_services(client: &mut Client, profile: &Profile) -> Result<(), Failure> {
    const TIME_MS: u64 = 30_000;
    for name in &profile.services {
        let _progress = progress::doing(&format!("starting the service {name}"));
        client.of_services(&Request::StartService {
            name: name.clone(),
            arguments: Vec::new(),
            timeout_ms: TIME_MS,
        })?;
    }
    Ok(())
}

/// Waits for what the profile calls well; the VM runs on if it does not come.
fn wait_until_well(client: &mut Client, name: &VmName, health: &Health) -> Result<(), Failure> {
    let _progress = progress::doing(&format!("waiting for port {} of {name}", health.port));
    let address = client.status()?.address;
    health::wait(address, health).map_err(|why| {
        let time = health.within.as_secs();
        Failure::new(
            exit_code::TIMEOUT,
            format!(
                "the VM '{name}' runs, but is not well after {time} s: {why}; see 'pinion logs {name}'"
            ),
        )
    })
}
