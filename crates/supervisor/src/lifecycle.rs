//! The life of one run of a VM as a state machine: who may do what when, and when it ends. Pure.

use std::time::Instant;

use crate::control::State;

/// The end of a run: the exit code and the reason for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub code: i32,
    pub why: String,
}

/// The main program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Main {
    /// None yet; without one by this time the VM ends.
    Awaited(Instant),
    /// Being started.
    Coming,
    /// Runs, or has been created and is about to.
    Runs(u32),
    /// It ended, with this code.
    Ended(u32),
    /// It could not be started, with this exit code for the VM.
    Failed(i32),
}

/// What the keeper has to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wait, at most until then.
    Wait(Option<Instant>),
    /// End the VM: ask first, until then, if a time is given.
    Finish(Option<Instant>, End),
}

/// docker's exit code of a killed program: 128 and SIGKILL.
pub(crate) const KILLED: i32 = 137;
/// docker's exit code of a stopped program: 128 and SIGTERM.
pub(crate) const STOPPED: i32 = 143;

/// One run.
#[derive(Debug)]
pub(crate) struct Life {
    pub state: State,
    pub main: Main,
    stop: Option<Instant>,
    kill: bool,
    /// Set when all is over.
    pub end: Option<End>,
}

impl Life {
    /// A run whose main program is awaited until `deadline`.
    pub(crate) fn new(deadline: Instant) -> Self {
        let main = Main::Awaited(deadline);
        Self {
            state: State::Running,
            main,
            stop: None,
            kill: false,
            end: None,
        }
    }

    /// Whether a process may join now; otherwise the state that forbids it and the remedy.
    pub(crate) fn admits(&self) -> Result<(), (&'static str, &'static str)> {
        match self.state {
            State::Running => Ok(()),
            State::Paused => Err(("paused", "resume it first with 'pinion unpause'")),
            State::Stopping => Err(("stopping", "start it again when it has stopped")),
        }
    }

    /// Claims the one place of the main program; false when it is taken.
    pub(crate) fn claim_main(&mut self) -> bool {
        let free = matches!(self.main, Main::Awaited(_));
        if free {
            self.main = Main::Coming;
        }
        free
    }

    /// Asks for a stop by `deadline`; an earlier one stays.
    pub(crate) fn ask_stop(&mut self, deadline: Instant) {
        self.stop = Some(self.stop.map_or(deadline, |earlier| earlier.min(deadline)));
    }

    /// Asks for the end at once.
    pub(crate) fn ask_kill(&mut self) {
        self.kill = true;
    }

    /// Whether the end at once was asked for.
    pub(crate) fn is_killed(&self) -> bool {
        self.kill
    }

    /// What to do now.
    pub(crate) fn next(&self, now: Instant) -> Next {
        let end = |code, why: &str| End {
            code,
            why: why.into(),
        };
        match self.main {
            Main::Ended(code) => {
                return Next::Finish(None, end(code.cast_signed(), "the program ended"));
            }
            Main::Failed(code) => {
                return Next::Finish(None, end(code, "the program could not be started"));
            }
            Main::Awaited(deadline) if now >= deadline => {
                return Next::Finish(None, end(KILLED, "no program was started"));
            }
            _ => (),
        }
        if self.kill {
            return Next::Finish(None, end(KILLED, "killed"));
        }
        match (self.stop, self.main) {
            (Some(deadline), _) => Next::Finish(Some(deadline), end(STOPPED, "stopped")),
            (None, Main::Awaited(deadline)) => Next::Wait(Some(deadline)),
            _ => Next::Wait(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn times() -> (Instant, Instant) {
        let now = Instant::now();
        (now, now + Duration::from_secs(30))
    }

    fn code(next: Next) -> Option<i32> {
        match next {
            Next::Finish(_, end) => Some(end.code),
            Next::Wait(_) => None,
        }
    }

    #[test]
    fn the_end_of_the_main_program_is_the_end() {
        let (now, later) = times();
        let mut life = Life::new(later);
        assert_eq!(life.next(now), Next::Wait(Some(later)));
        assert!(life.claim_main());
        assert!(!life.claim_main());
        assert_eq!(life.next(later), Next::Wait(None));
        life.main = Main::Runs(4);
        assert_eq!(life.next(later), Next::Wait(None));
        life.main = Main::Ended(0xffff_ffff);
        assert_eq!(code(life.next(now)), Some(-1));
    }

    #[test]
    fn a_vm_without_a_program_ends() {
        let (now, later) = times();
        assert_eq!(code(Life::new(now).next(later)), Some(KILLED));
        let mut life = Life::new(later);
        life.main = Main::Failed(126);
        assert_eq!(code(life.next(now)), Some(126));
    }

    #[test]
    fn stop_waits_kill_does_not_and_an_exit_code_stays() {
        let (now, later) = times();
        let mut life = Life::new(later);
        life.main = Main::Runs(4);
        life.ask_stop(later);
        life.ask_stop(later + Duration::from_secs(5));
        let stopped = End {
            code: STOPPED,
            why: "stopped".into(),
        };
        assert_eq!(life.next(now), Next::Finish(Some(later), stopped));
        life.ask_kill();
        assert_eq!(code(life.next(now)), Some(KILLED));
        life.main = Main::Ended(3);
        assert_eq!(code(life.next(now)), Some(3));
    }

    #[test]
    fn only_a_running_vm_admits() {
        let (_, later) = times();
        let mut life = Life::new(later);
        assert!(life.admits().is_ok());
        life.state = State::Paused;
        assert_eq!(life.admits().unwrap_err().0, "paused");
        life.state = State::Stopping;
        assert_eq!(life.admits().unwrap_err().0, "stopping");
    }
}
