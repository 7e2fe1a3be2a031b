//! Pause and resume: every thread of every member suspended, also of those that start meanwhile.

use crate::control::State;
use crate::error::{Error, Result};
use crate::keeper::Keeper;
use crate::lifecycle::Life;
use crate::process::Process;

/// Rounds of looking for members that started meanwhile; each finds fewer, as all found are suspended.
const ROUNDS: u32 = 1000;

/// The suspended members, held open.
#[derive(Debug, Default)]
pub(crate) struct Paused(Vec<Process>);

impl Keeper {
    /// Suspends all members.
    ///
    /// # Errors
    /// The VM is paused or stopping; or a member could not be suspended: then none is.
    pub(crate) fn pause(&self) -> Result<()> {
        self.turn(
            State::Running,
            State::Paused,
            "only a running VM can be paused",
        )?;
        let outcome = self.suspend_all();
        if outcome.is_err() {
            self.resume_all();
            let _ = self.turn(State::Paused, State::Running, "");
        }
        outcome
    }

    /// Resumes all members.
    ///
    /// # Errors
    /// The VM is not paused.
    pub(crate) fn unpause(&self) -> Result<()> {
        self.turn(
            State::Paused,
            State::Running,
            "only a paused VM can be resumed",
        )?;
        self.resume_all();
        Ok(())
    }

    fn turn(&self, from: State, to: State, remedy: &'static str) -> Result<()> {
        let mut life = self.life();
        if life.state != from {
            let name = self.vm().name().to_string();
            return Err(Error::State {
                name,
                state: word(&life),
                remedy,
            });
        }
        life.state = to;
        drop(life);
        tracing::info!(state = ?to, "turned");
        Ok(())
    }

    fn suspend_all(&self) -> Result<()> {
        let mut paused = self.paused();
        for _ in 0..ROUNDS {
            let known = paused.0.len();
            for member in self.job().members()? {
                if paused.0.iter().any(|held| held.pid() == member.pid()) {
                    continue;
                }
                match member.suspend() {
                    Ok(()) => paused.0.push(member),
                    // It ended meanwhile.
                    Err(_) if !self.job().contains_pid(member.pid()) => (),
                    Err(error) => return Err(error),
                }
            }
            if paused.0.len() == known {
                return Ok(());
            }
        }
        Err(Error::System {
            what: "pause the VM".into(),
            why: std::io::Error::other("its processes multiply faster than they can be suspended"),
        })
    }

    /// Resumes what was suspended; what ended meanwhile is let go.
    pub(crate) fn resume_all(&self) {
        for member in self.paused().0.drain(..) {
            if let Err(error) = member.resume() {
                tracing::debug!(%error, "a process ended while it was paused");
            }
        }
    }
}

fn word(life: &Life) -> &'static str {
    match life.state {
        State::Running => "running",
        State::Paused => "paused",
        State::Stopping => "stopping",
    }
}
