//! `pinion start`: the main program of a VM that does not run.

use crate::failure::{Failure, Outcome};
use crate::foreground::{self, Foreground};
use crate::{environment, output, program, vms};
use pinion_store::{View, Vm, exit_code};
use pinion_supervisor::client::Client;
use pinion_supervisor::control::Program;

const AFTER: &str = "Examples:
  pinion start web          in the background; prints the name
  pinion start -a web       in this console, with its exit code";

/// Start a VM that was created, or that has ended
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Run in this console and pass on the program's exit code
    #[arg(short, long)]
    attach: bool,

    /// Name or id of the VM
    name: String,
}

/// Starts the VM; when that fails it does not run, and is there as before.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.name)?;
    if vm.is_running()? {
        return Err(pinion_store::Error::Running {
            name: vm.name().to_string(),
        }
        .into());
    }
    foreground::let_ctrl_c_pass();
    let mut client = vms::up(&vm)?;
    let code = match begin(&mut client, &vm, args.attach) {
        Ok(code) => code,
        Err(failure) => {
            let _ = client.kill();
            return Err(failure);
        }
    };
    if !args.attach {
        return output::line(vm.name());
    }
    vms::after_main(&vm, client, code)
}

/// Starts the main program; with `attach`, its exit code at its end. When it
/// fails the VM is of no use.
fn begin(client: &mut Client, vm: &Vm, attach: bool) -> Outcome {
    foreground::fail_if_interrupted()?;
    let record = vm.record();
    let Some(name) = record.command.first() else {
        return Err(Failure::new(
            exit_code::CANNOT_RUN,
            format!(
                "the VM '{}' has no program; make another with 'pinion create'",
                record.name
            ),
        ));
    };
    let view = View::of_vm(vm);
    let program = program::find(&view, name)?;
    let cwd = program::folder(&view, record.cwd.as_deref())?;
    if !attach {
        let program = Program {
            command: record.command.clone(),
            env: environment::as_text(&record.env),
            cwd: Some(cwd.path),
        };
        client.start(program, true)?;
        return Ok(0);
    }
    let what = Foreground {
        program: &program.path,
        command: &record.command,
        env: &record.env,
        cwd: &cwd.path,
        inside: !(program.is_host && cwd.is_host),
        main: true,
    };
    foreground::run(client, vm, &what, || ())
}
