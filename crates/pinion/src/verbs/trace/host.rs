//! `pinion trace --host`: a program outside any VM, watched and not confined. It has the agent, which
//! lets everything pass, and a supervisor for the time that it runs, of a VM that holds nothing.

use super::{PAUSE, View};
use crate::failure::{Failure, Outcome};
use crate::foreground::{self, Foreground};
use crate::program;
use crate::vms::{self, Fresh};
use pinion_store::{Network, NewVm, VmName};
use pinion_supervisor::events::Reader;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Runs the program and shows its events; its exit code.
pub(super) fn run(command: &[String], view: &mut View) -> Outcome {
    foreground::let_ctrl_c_pass();
    let store = vms::store()?;
    store.sweep();
    let host = pinion_store::View::new(&[], &[]);
    let program = program::find(&host, command.first().map_or("", String::as_str))?;
    let cwd = program::folder(&host, None)?;
    let name = format!("host-{}", std::process::id());
    let new = NewVm {
        name: Some(VmName::check(&name).map_err(|why| Failure::pinion(why.to_string()))?),
        command: program::resolved(&program.path, command)?,
        cwd: Some(cwd.path.clone()),
        network: Network::Host,
        remove_at_end: true,
        trace: true,
        watch: true,
        ..NewVm::default()
    };
    let fresh = Fresh::create(store, new)?;
    let vm = fresh.vm.clone();
    let mut client = vms::up(&vm)?;
    foreground::fail_if_interrupted()?;
    let what = Foreground {
        program: &program.path,
        command,
        env: &[],
        cwd: &cwd.path,
        inside: false,
        main: true,
    };
    let mut reader = Reader::of(&vm);
    let is_over = AtomicBool::new(false);
    let (shown, ended) = thread::scope(|scope| {
        let ended = scope.spawn(|| {
            let code = foreground::run(&mut client, &vm, &what, || ());
            vms::wait_until_gone(&vm);
            is_over.store(true, Ordering::Release);
            code
        });
        let shown = loop {
            // Asked before reading: what is written before the end is read after it.
            let last = is_over.load(Ordering::Acquire);
            match view.rest(&mut reader) {
                Ok(piece) if last => break view.end(piece),
                Ok(_) => thread::sleep(PAUSE),
                Err(failure) => break Err(failure),
            }
        };
        (shown, ended.join())
    });
    shown?;
    ended.unwrap_or_else(|_| Err(Failure::pinion("the program's end was not seen")))
}
