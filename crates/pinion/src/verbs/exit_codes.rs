//! `pinion help exit-codes`: a topic of the help rather than a verb.

use crate::failure::Outcome;
use crate::output;

const TEXT: &str = "'pinion run', 'pinion exec' and 'pinion start -a' end with the exit code of the program.
Every other verb ends with 0 when it did what was asked. When Pinion itself has something to say, it says
it in one line on stderr and ends with one of these:

    2  the command line is wrong: an unknown verb or option, a bad value or name; or a policy is not
       sound
  120  there is no VM of that name or id
  121  something is in use: the name or a port is taken, the VM runs already or still; or the host has
       changed what a merge would replace
  122  the VM's record on disk, or the policy in it, is damaged, or of a newer Pinion; or an archive is
       refused
  123  the VM does not run, and the verb needs one that does
  124  something did not happen in the time allowed
  125  Pinion itself failed: the supervisor, the agent, the store, no room on the disk; or this system
       has system calls that are not known (see 'pinion doctor')
  126  the program cannot be run: no Windows program, a 32-bit one, a folder, no right to read it
  127  the program was not found
  137  the program was killed: by 'pinion kill', a limit, or with its supervisor
  143  the program was stopped by 'pinion stop'
  -1073741510 (0xC000013A)  Ctrl-C came before the program was started

A program may use these numbers too: a line on stderr that begins with 'pinion:' tells the two apart.";

/// Explain the exit codes
#[derive(clap::Args, Debug)]
#[command(hide = true, long_about = TEXT, override_help = TEXT)]
pub struct Args {}

/// Prints the topic.
pub fn run(_args: &Args) -> Outcome {
    output::line(TEXT)
}
