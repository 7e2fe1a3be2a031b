//! The end of a run: ask, then end all, keep how it ended, and leave nothing behind.

use std::sync::{Arc, mpsc};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use windows_sys::Win32::System::Console::{
    AttachConsole, CTRL_BREAK_EVENT, FreeConsole, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
};

use crate::keeper::Keeper;
use crate::lifecycle::{End, KILLED, Main};

/// How long the service controller may take to stop services when the main program is gone.
const SERVICES: Duration = Duration::from_secs(2);
/// How long the kernel may take to end the members.
const ENDING: Duration = Duration::from_secs(10);
/// How long a console may take to take a key.
const CONSOLE: Duration = Duration::from_secs(1);
/// How often is looked whether the end is to come at once.
const LOOK: Duration = Duration::from_millis(100);
/// How often is looked while something ends.
const PAUSE: Duration = Duration::from_millis(5);

impl Keeper {
    /// Ends the VM's processes: services and, until `deadline`, programs are asked; what is left is
    /// ended. The code is the main program's own if it ended by itself.
    pub(crate) fn finish(self: &Arc<Self>, deadline: Option<Instant>, end: End) -> End {
        tracing::info!(code = end.code, why = end.why, "the VM ends");
        let is_over = matches!(self.life().main, Main::Ended(_)) && !self.life().is_killed();
        if self.vm().record().watch && is_over {
            // What the program leaves behind is the host's own and goes on.
            self.job().let_go();
            return self.own_code(end);
        }
        self.resume_all();
        if !self.life().is_killed() {
            let until = deadline.unwrap_or_else(|| Instant::now() + SERVICES);
            self.stop_services(until);
            if let Some(deadline) = deadline {
                self.ask_programs(deadline);
            }
        }
        let end = self.own_code(end);
        self.job().terminate(end.code.cast_unsigned());
        self.wait_for_empty_job();
        end
    }

    /// Stops the services in a thread of its own, so that a kill can cut it short.
    fn stop_services(self: &Arc<Self>, until: Instant) {
        let (send, receive) = mpsc::channel();
        let keeper = Arc::clone(self);
        thread::spawn(move || {
            if let Some(services) = keeper.services() {
                services.stop_all(until);
            }
            let _ = send.send(());
        });
        while receive.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
            if self.life().is_killed() || Instant::now() > until + LOOK {
                return;
            }
        }
    }

    /// Presses Ctrl-Break on the consoles of the programs that this process started, and waits for the
    /// main program. Programs on the console of a `pinion run` are not asked: the key would reach all
    /// others on that console too.
    fn ask_programs(&self, deadline: Instant) {
        let pids: Vec<u32> = self.detached().clone();
        let asked = pids
            .into_iter()
            .filter(|pid| press_break(*pid, deadline))
            .count();
        tracing::info!(asked, "asked programs to end");
        if asked == 0 {
            return;
        }
        let mut life = self.life();
        while matches!(life.main, Main::Runs(_)) && !life.is_killed() && Instant::now() < deadline {
            life = self.wait(life, Some(deadline));
        }
    }

    fn own_code(&self, end: End) -> End {
        let life = self.life();
        match life.main {
            Main::Ended(code) => End {
                code: code.cast_signed(),
                ..end
            },
            _ if life.is_killed() => End {
                code: KILLED,
                why: "killed".into(),
            },
            _ => end,
        }
    }

    fn wait_for_empty_job(&self) {
        let deadline = Instant::now() + ENDING;
        while self
            .job()
            .accounting()
            .is_ok_and(|counts| counts.active > 0)
        {
            if Instant::now() >= deadline {
                tracing::warn!("some processes have not ended; they end with the supervisor");
                return;
            }
            sleep(PAUSE);
        }
    }
}

/// Whether Ctrl-Break was sent to the process group that this process leads. The host of the console
/// may be a member of the VM (it is on Wine) and never answer: it is given a short time.
fn press_break(pid: u32, until: Instant) -> bool {
    let until = until.min(Instant::now() + CONSOLE);
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let pressed = attach(pid, until) && press(pid);
        let _ = send.send(pressed);
    });
    receive
        .recv_timeout(until.saturating_duration_since(Instant::now()))
        .unwrap_or(false)
}

/// Attaches this process, which has no console, to that of a program; a program that has just begun
/// gets its console in a moment.
fn attach(pid: u32, until: Instant) -> bool {
    loop {
        // SAFETY: a call without pointers.
        if unsafe { AttachConsole(pid) } != 0 {
            return true;
        }
        if Instant::now() >= until {
            let error = std::io::Error::last_os_error();
            tracing::info!(pid, %error, "it has no console to ask on");
            return false;
        }
        sleep(PAUSE);
    }
}

/// Presses Ctrl-Break and lets go of the console. Wine 8 refuses it with ERROR_INVALID_HANDLE
/// (observed): there programs are not asked.
fn press(pid: u32) -> bool {
    // SAFETY: calls without pointers. This process ignores the key itself, having asked for it.
    unsafe {
        SetConsoleCtrlHandler(Some(ignore), 1);
        let done = GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, pid);
        let error = std::io::Error::last_os_error();
        FreeConsole();
        if done == 0 {
            tracing::info!(pid, %error, "it could not be asked");
        }
        done != 0
    }
}

unsafe extern "system" fn ignore(_key: u32) -> i32 {
    1
}
