//! A program in this console: made suspended in the VM's job, confined and
//! resumed by its supervisor, waited for. Ctrl-C is the program's: the console gives
//! it to every process, and this one lets it pass.

use crate::environment;
use crate::failure::Failure;
use pinion_store::{Vm, exit_code};
use pinion_supervisor::client::Client;
use pinion_supervisor::inside::{Console, Helper};
use pinion_supervisor::quote::command_line;
use pinion_supervisor::suspended::{Running, Suspended};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use windows_sys::Win32::Foundation::STATUS_CONTROL_C_EXIT;
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::core::BOOL;

/// What to start.
pub struct Foreground<'a> {
    /// The file.
    pub program: &'a Path,
    /// The program as it was named, and its arguments.
    pub command: &'a [String],
    /// Variables set for it.
    pub env: &'a [(String, String)],
    /// Its current folder.
    pub cwd: &'a str,
    /// Whether the VM alone knows the file or the folder by its path.
    pub inside: bool,
    /// Whether its end is the VM's end.
    pub main: bool,
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

unsafe extern "system" fn on_event(event: u32) -> BOOL {
    let ours = event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
    if ours {
        INTERRUPTED.store(true, Ordering::Relaxed);
    }
    BOOL::from(ours)
}

/// From now on Ctrl-C does not end this process. Without a console there is
/// nothing to ignore.
pub fn let_ctrl_c_pass() {
    // SAFETY: the handler is a function of this program with the right
    // signature and touches an atomic only.
    unsafe { SetConsoleCtrlHandler(Some(on_event), 1) };
}

/// Fails if Ctrl-C came while there was no program yet to take it.
pub fn fail_if_interrupted() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err(Failure::new(
            STATUS_CONTROL_C_EXIT,
            "interrupted by Ctrl-C; nothing was started",
        ));
    }
    Ok(())
}

/// Runs the program; its exit code. `started` is called once it runs.
pub fn run(
    client: &mut Client,
    vm: &Vm,
    what: &Foreground<'_>,
    started: impl FnOnce(),
) -> Result<i32, Failure> {
    let process = begin(client, vm, what)?;
    started();
    process
        .wait()
        .map_err(|error| Failure::pinion(format!("cannot wait for the program: {error}")))
}

/// The program, which runs.
pub fn begin(client: &mut Client, vm: &Vm, what: &Foreground<'_>) -> Result<Running, Failure> {
    let env = environment::with(what.env);
    let program = what.program.display().to_string();
    let failed = |error: std::io::Error| {
        Failure::new(
            exit_code::CANNOT_RUN,
            format!("cannot run '{program}' in the VM '{}': {error}", vm.name()),
        )
    };
    let line = command_line(what.command);
    let helper = what
        .inside
        .then(|| Helper::new(what.program, &line, what.cwd, Console::Same))
        .transpose()
        .map_err(failed)?;
    let (file, line, cwd) = match &helper {
        Some(helper) => (&*helper.program, &helper.line, &*helper.cwd),
        None => (what.program, &line, Path::new(what.cwd)),
    };
    let job = client.admit()?;
    let suspended = Suspended::create(&job, file, line, &env, cwd).map_err(failed)?;
    // The supervisor alone keeps the VM.
    drop(job);
    fail_if_interrupted()?;
    let makes = what.inside.then_some(&*program);
    let made = client.adopt(suspended.pid, what.main, makes)?;
    suspended.running(made).map_err(failed)
}
