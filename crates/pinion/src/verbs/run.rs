//! `pinion run`: a new VM and its main program.

use crate::failure::Outcome;
use crate::foreground::{self, Foreground};
use crate::options::NewOptions;
use crate::plan::plan;
use crate::vms::{self, Fresh};
use crate::{environment, output};
use pinion_supervisor::control::Program;

const AFTER: &str = "Examples:
  pinion run --name web -p 8080:80 C:\\nginx\\nginx.exe
  pinion run -d --rm -e MODE=test --memory 512m server.exe --verbose
  pinion run --rm cmd.exe /c set
  pinion run --rm -v D:\\data:C:\\data:ro -- cmd.exe /c dir C:\\data
  pinion run --rm --from base -- nginx.exe       over all that the snapshot base has

The program has this console's stdin, stdout and stderr; Ctrl-C goes to it. Its exit code is pinion's.
What follows PROGRAM is the program's own: give pinion's options before it.";

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
pub fn run(args: &Args) -> Outcome {
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
    if args.detach {
        let program = Program {
            command: record.command.clone(),
            env: environment::as_text(&record.env),
            cwd: Some(cwd),
        };
        client.start(program, true)?;
        fresh.keep();
        return output::line(vm.name());
    }
    let what = Foreground {
        program: &plan.program,
        command: &plan.command,
        env: &record.env,
        cwd: &cwd,
        main: true,
    };
    let code = foreground::run(&mut client, &vm, &what, || fresh.keep())?;
    vms::after_main(&vm, client, code)
}
