//! A thread that waits to be woken by its id. Of a call that says it woke one only
//! the thread itself can tell: on Wine the call always says so.

use super::window::fact;
use super::{Player, Served};
use crate::imports;
use crate::win::{Step, nt};
use pinion_probes::{Ask, Facts, Seen};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use windows_sys::Win32::Foundation::NTSTATUS;
use windows_sys::Win32::System::Threading::GetCurrentThreadId;

imports! {
    "ntdll.dll" {
        fn NtAlertThreadByThreadId(thread: usize) -> NTSTATUS;
        fn NtWaitForAlertByThreadId(address: *const u32, timeout: *const i64) -> NTSTATUS;
    }
}

const STATUS_ALERTED: NTSTATUS = 0x101;

pub fn player(probe: &str) -> Option<Player> {
    (probe == "thread-alert").then_some(Player::new(serve, reach))
}

/// What the waiting thread is told and tells.
#[derive(Default)]
struct Shared {
    ends: AtomicBool,
    woken: AtomicBool,
}

struct Waiting {
    shared: Arc<Shared>,
    id: u32,
    thread: Option<JoinHandle<()>>,
}

impl Served for Waiting {
    fn facts(&self) -> Facts {
        Facts::from([("thread".into(), self.id.to_string())])
    }

    fn felt(&mut self, _: u32) -> bool {
        self.shared.woken.load(Ordering::SeqCst)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(_: &Ask) -> Step<Box<dyn Served>> {
    let shared = Arc::new(Shared::default());
    let (tell, told) = channel();
    let own = Arc::clone(&shared);
    let thread = std::thread::spawn(move || {
        // SAFETY: asks for a number.
        let _ = tell.send(unsafe { GetCurrentThreadId() });
        drop(tell);
        let moment = -200_000_i64;
        while !own.ends.load(Ordering::SeqCst) {
            // SAFETY: no address is waited for; the time is a local.
            match unsafe { NtWaitForAlertByThreadId(std::ptr::null(), &raw const moment) } {
                Ok(STATUS_ALERTED) => own.woken.store(true, Ordering::SeqCst),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    let id = told.recv().map_err(|_| Seen::Broken("no thread".into()))?;
    let thread = Some(thread);
    Ok(Box::new(Waiting { shared, id, thread }))
}

fn reach(ask: &Ask) -> Step<()> {
    // SAFETY: a number.
    nt("alert", unsafe {
        NtAlertThreadByThreadId(fact(ask, "thread") as usize)?
    })?;
    std::thread::sleep(std::time::Duration::from_millis(60));
    Err(Seen::Other(
        "the call went well and the thread slept on".into(),
    ))
}
