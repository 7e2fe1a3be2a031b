//! `pinion exec`: another program in a VM that runs.

use crate::failure::Outcome;
use crate::foreground::{self, Foreground};
use crate::options::ProgramOptions;
use crate::{environment, output, program, vms};
use pinion_store::View;
use pinion_supervisor::control::Program;

const AFTER: &str = "Examples:
  pinion exec web cmd.exe
  pinion exec -e LEVEL=3 web tool.exe --check
  pinion exec -d web worker.exe

The program has this console's stdin, stdout and stderr; Ctrl-C goes to it. Its exit code is pinion's.
It has the VM's variables, and the current folder of this console unless -w gives one.";

/// Run another program in a running VM
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Run in the background: print the process id; the output goes to 'pinion logs'
    #[arg(short, long)]
    detach: bool,

    #[command(flatten)]
    program: ProgramOptions,

    /// Name or id of the VM
    name: String,

    /// Program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM"
    )]
    pub command: Vec<String>,
}

/// Runs it and passes on its exit code.
pub fn run(args: &Args) -> Outcome {
    let (vm, mut client) = vms::running(&args.name)?;
    let view = View::of_vm(&vm);
    let program = program::find(&view, &args.command[0])?;
    let cwd = program::folder(&view, args.program.workdir.as_deref())?;
    let mut env = vm.record().env.clone();
    env.extend(args.program.variables());
    if args.detach {
        let program = Program {
            command: program::resolved(&program.path, &args.command)?,
            env: environment::as_text(&env),
            cwd: Some(cwd.path),
        };
        return output::line(client.start(program, false)?);
    }
    foreground::let_ctrl_c_pass();
    let what = Foreground {
        program: &program.path,
        command: &args.command,
        env: &env,
        cwd: &cwd.path,
        inside: !(program.is_host && cwd.is_host),
        main: false,
    };
    foreground::run(&mut client, &vm, &what, || ())
}
