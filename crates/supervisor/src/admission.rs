//! A command line's leave to create one member in its own console. Between creating it and its adoption
//! the process is in the job, suspended and not confined: if the command line goes away there, killed or
//! failed, the process is ended with the admission.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::keeper::Keeper;
use crate::process::Process;
use crate::start::NOT_CONFINED;

/// A client that is being killed closes its connection a moment before its end.
const GOING: Duration = Duration::from_secs(1);

/// The leave of one client.
pub(crate) struct Admission {
    keeper: Arc<Keeper>,
    /// Held, so that its id stays its own.
    client: Option<Process>,
}

impl Admission {
    /// Admits the client; also a handle of the job in its process.
    ///
    /// # Errors
    /// The VM takes no process in now, or the client cannot be reached.
    pub(crate) fn new(keeper: &Arc<Keeper>, client: u32) -> Result<(Self, u64)> {
        keeper.admits()?;
        keeper.check_room()?;
        let client = Process::open_to_lend(client)?;
        let job = keeper.job().lend(&client)?;
        let admission = Self {
            keeper: Arc::clone(keeper),
            client: Some(client),
        };
        Ok((admission, job.addr() as u64))
    }

    /// Who was admitted.
    pub(crate) fn client(&self) -> Option<&Process> {
        self.client.as_ref()
    }

    /// The process was adopted.
    pub(crate) fn settle(mut self) {
        self.client = None;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else {
            return;
        };
        let _ = client.wait(Some(GOING));
        for member in self.keeper.job().members().unwrap_or_default() {
            // A member older than the client is of an earlier process with its id. Zero is a time not told.
            let created = member.usage().created;
            let its_own = member.creator().is_ok_and(|pid| pid == client.pid())
                && (created == 0 || created >= client.usage().created);
            if its_own {
                tracing::warn!(pid = member.pid(), "ended: its command line went away");
                member.terminate(NOT_CONFINED);
            }
        }
    }
}
