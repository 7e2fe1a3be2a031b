//! One run of a VM from its start to its end: what the process `pinion supervise NAME` does.

use std::fs::File;
use std::io::Write;
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pinion_store::{ExitRecord, RunLock, Store, Vm, VmName};
use windows_sys::Win32::System::Console::{GetStdHandle, STD_OUTPUT_HANDLE};

use crate::addresses;
use crate::control::{Kind, Reply, to_line};
use crate::error::Result;
use crate::keeper::{Keeper, now_ms};
use crate::lifecycle::{End, KILLED};
use crate::log::Log;
use crate::ports::{Ports, Relays};
use crate::server::Server;
use crate::{desktop, owner, requests, server};

/// How long the replies to those who wait for the end may take.
const REPLIES: Duration = Duration::from_secs(2);

/// Becomes the supervisor of the VM of this name: what the hidden verb `supervise NAME` calls, with the
/// store of the environment (`PINION_ROOT`). Tells its starter on standard output how the start went
/// ([`crate::control::VERB`]), keeps the VM until its end and returns the process's exit code: 0, or
/// that of the error that kept the VM from starting. `owner` is the value of an inherited handle of the
/// process that the run ends with.
#[must_use]
pub fn run(name: &VmName, kind: Kind, owner: Option<usize>) -> i32 {
    let starter = take_stdout();
    match Run::start(name, kind) {
        Ok(run) => {
            if let Some(handle) = owner {
                owner::watch(&run.keeper, handle);
            }
            tell(starter, &Reply::Status(run.keeper.status()));
            run.keep();
            0
        }
        Err(error) => {
            tracing::error!(%error, "the VM could not be started");
            let code = error.exit_code();
            tell(
                starter,
                &Reply::Error {
                    code,
                    message: error.to_string(),
                },
            );
            code
        }
    }
}

/// Standard output as a file of our own, so that it can be closed.
fn take_stdout() -> Option<File> {
    // SAFETY: no pointers. The handle is used by nobody else: this process prints nothing.
    let handle = unsafe { GetStdHandle(STD_OUTPUT_HANDLE) };
    if handle.is_null() || handle.addr() == usize::MAX {
        return None;
    }
    // SAFETY: as above.
    Some(File::from(unsafe { OwnedHandle::from_raw_handle(handle) }))
}

fn tell(starter: Option<File>, reply: &Reply) {
    if let (Some(mut starter), Ok(line)) = (starter, to_line(reply)) {
        // A starter that is gone changes nothing for the VM.
        let _ = starter.write_all(&line);
    }
}

/// A run under way.
struct Run {
    store: Store,
    keeper: Arc<Keeper>,
    server: Server,
    relays: Relays,
    log: Log,
    lock: RunLock,
    kind: Kind,
}

impl Run {
    fn start(name: &VmName, kind: Kind) -> Result<Self> {
        let desktop = desktop::open();
        let store = Store::open_default()?;
        let lock = store.load(name)?.lock_run()?;
        // Read under the claim: until then a snapshot may have changed its layers.
        let vm = store.load(name)?;
        let log = Log::start(&vm)?;
        let record = vm.record();
        let published = match kind {
            Kind::Run | Kind::Owned => &record.ports[..],
            Kind::AtRest => &[],
        };
        let ports = Ports::bind(published, record.address, addresses::of)?;
        tracing::info!(name = %vm.name(), id = %vm.id(), address = %record.address, "starting");
        let keeper = Keeper::new(&store, vm)?;
        requests::serve(&keeper)?;
        let server = server::serve(&keeper)?;
        if kind != Kind::AtRest {
            // What stays on record if this process is killed.
            keeper.vm().set_last_exit(Some(&exit_record(&End {
                code: KILLED,
                why: "the supervisor was killed".into(),
            })))?;
        }
        if desktop.is_some_and(|opening| opening.join().is_err()) {
            tracing::warn!("the desktop could not be opened");
        }
        Ok(Self {
            store,
            keeper,
            server,
            relays: ports.relay(),
            log,
            lock,
            kind,
        })
    }

    /// Keeps the VM until its end, and ends it.
    fn keep(self) {
        let (deadline, end) = self.keeper.wait_for_finish();
        let end = self.keeper.finish(deadline, end);
        self.keeper.end_recording();
        self.relays.close();
        let waiting = self.server.close();
        let vm = self.keeper.vm();
        let is_run = self.kind != Kind::AtRest;
        if is_run && let Err(error) = keep_exit(vm, &exit_record(&end)) {
            tracing::error!(%error, "the exit code could not be kept");
        }
        tracing::info!(code = end.code, why = end.why, "ended");
        self.log.close();
        drop(self.lock);
        if is_run && vm.record().remove_at_end {
            // Left for the sweep of the next command if it fails.
            let _ = self.store.remove(vm.name());
        }
        self.keeper.life().end = Some(end);
        self.keeper.notify();
        let deadline = Instant::now() + REPLIES;
        while waiting.taken() > 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Keeps how the run ended, on a full disk in the room of the record from the start, which says otherwise.
fn keep_exit(vm: &Vm, exit: &ExitRecord) -> Result<()> {
    if vm.set_last_exit(Some(exit)).is_err() {
        vm.set_last_exit(None)?;
        vm.set_last_exit(Some(exit))?;
    }
    Ok(())
}

fn exit_record(end: &End) -> ExitRecord {
    ExitRecord {
        code: end.code,
        ended_ms: now_ms(),
        why: end.why.clone(),
    }
}
