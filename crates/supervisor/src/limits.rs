//! The limits of a running VM: set on the job, and where the job does not enforce them, enforced here.
//!
//! Wine 8 and Wine 10 accept memory, process and processor limits on a job and do not act on them
//! (observed); there the supervisor looks four times a second and ends the newest process over a
//! limit, and binds processes to fewer processors. What is enforced, and by whom, is told as it is.

use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use pinion_store::Limits;

use crate::control::{EnforcedBy, LimitStatus, LimitsStatus};
use crate::job::Job;
use crate::process::Process;
use crate::victims::{Sample, victims};

/// How often the supervisor looks.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// The exit code of a process that is ended for a limit: docker's for an ended program.
const LIMIT_EXIT: u32 = 137;

/// The limits in force.
#[derive(Debug)]
pub(crate) struct Limiter {
    job_enforces: bool,
    processors: u32,
    /// Where this VM's processors begin, so that VMs do not all share the first.
    first_processor: u32,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    limits: Limits,
    status: LimitsStatus,
    /// The mask that members are bound to, while one was ever set.
    affinity: Option<usize>,
    /// Whether somebody looks.
    looked_after: bool,
}

impl Now {
    /// The limits that have to be looked after.
    fn to_look_after(&self) -> Option<Limits> {
        let ours = |status: LimitStatus| {
            status.value.is_some() && status.enforced_by == EnforcedBy::Supervisor
        };
        let limits = Limits {
            memory: self.limits.memory.filter(|_| ours(self.status.memory)),
            processes: self
                .limits
                .processes
                .filter(|_| ours(self.status.processes)),
            cpus_milli: None,
        };
        (limits != Limits::default()).then_some(limits)
    }
}

impl Limiter {
    /// No limits yet. `seed` spreads VMs over the processors.
    pub(crate) fn new(job_enforces: bool, seed: u64) -> Self {
        let processors = available_parallelism()
            .map_or(1, |n| n.get() as u32)
            .min(usize::BITS);
        let first_processor = (seed % u64::from(processors)) as u32;
        Self {
            job_enforces,
            processors,
            first_processor,
            now: Mutex::default(),
        }
    }

    /// The limits and who enforces them.
    pub(crate) fn status(&self) -> LimitsStatus {
        self.now
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .status
    }

    /// Puts limits in force, for members and those to come.
    pub(crate) fn set(&self, job: &Job, limits: Limits) -> LimitsStatus {
        let counts = job.set_counts(limits.memory, limits.processes);
        if let Err(error) = &counts {
            tracing::warn!(%error, "the job takes no limits; the supervisor enforces them");
        }
        let by = if self.job_enforces && counts.is_ok() {
            EnforcedBy::Job
        } else {
            EnforcedBy::Supervisor
        };
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let (cpus_milli, affinity) = self.set_processors(job, limits.cpus_milli);
        now.affinity = affinity.or(now
            .affinity
            .map(|_| mask(0, self.processors, self.processors)));
        now.limits = limits;
        now.status = LimitsStatus {
            memory: limit(limits.memory, by),
            processes: limit(limits.processes.map(u64::from), by),
            cpus_milli,
        };
        let status = now.status;
        drop(now);
        self.bind(&job.members().unwrap_or_default());
        tell(&status);
        status
    }

    fn set_processors(&self, job: &Job, milli: Option<u32>) -> (LimitStatus, Option<usize>) {
        let rate = milli.map(|milli| rate(milli, self.processors));
        if self.job_enforces && job.set_cpu_rate(rate).is_ok() {
            return (limit(milli.map(u64::from), EnforcedBy::Job), None);
        }
        let Some(milli) = milli else {
            return (LimitStatus::default(), None);
        };
        let count = milli.div_ceil(1000).clamp(1, self.processors);
        let status = limit(Some(u64::from(count) * 1000), EnforcedBy::Supervisor);
        (
            status,
            Some(mask(self.first_processor, count, self.processors)),
        )
    }

    /// Binds processes to the VM's processors; children inherit it.
    pub(crate) fn bind(&self, processes: &[Process]) {
        let affinity = self
            .now
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .affinity;
        let Some(mask) = affinity else { return };
        for process in processes {
            if let Err(error) = process.set_affinity(mask) {
                tracing::debug!(%error, "the process may have ended");
            }
        }
    }

    /// Whether there is something to look after that nobody looks after yet: the caller then does.
    pub(crate) fn begin_to_look(&self) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = now.to_look_after().is_some() && !now.looked_after;
        now.looked_after |= begins;
        begins
    }

    /// One look: ends what is over a limit that the job does not enforce. False when there is no such
    /// limit any more: then the caller looks no more.
    pub(crate) fn look(&self, job: &Job) -> bool {
        let limits = {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            let limits = now.to_look_after();
            now.looked_after = limits.is_some();
            limits
        };
        if let Some(limits) = limits {
            enforce(job, limits);
        }
        limits.is_some()
    }
}

/// Ends the members that are over the limits.
fn enforce(job: &Job, limits: Limits) {
    let Ok(members) = job.members() else { return };
    let sample = |process: &Process| {
        let usage = process.usage();
        Sample {
            created: usage.created,
            memory: usage.memory,
        }
    };
    let samples: Vec<Sample> = members.iter().map(sample).collect();
    for (at, why) in victims(&samples, limits) {
        let process = &members[at];
        tracing::warn!(
            pid = process.pid(),
            image = process.image(),
            "ended for {why}"
        );
        process.terminate(LIMIT_EXIT);
    }
}

fn tell(status: &LimitsStatus) {
    let limits = [
        ("memory", status.memory),
        ("cpus_milli", status.cpus_milli),
        ("processes", status.processes),
    ];
    for (what, limit) in limits {
        if let Some(value) = limit.value {
            tracing::info!(
                "limit of {what}: {value}, enforced by {:?}",
                limit.enforced_by
            );
        }
    }
}

fn limit(value: Option<u64>, by: EnforcedBy) -> LimitStatus {
    match value {
        Some(_) => LimitStatus {
            value,
            enforced_by: by,
        },
        None => LimitStatus::default(),
    }
}

/// Hundredths of a percent of the whole machine, as a job's rate control counts.
fn rate(milli: u32, processors: u32) -> u32 {
    let whole = u64::from(processors) * 1000;
    let rate = u64::from(milli) * 10_000 / whole.max(1);
    u32::try_from(rate).unwrap_or(10_000).clamp(1, 10_000)
}

/// `count` of `processors` processors, beginning with `first` and going round.
fn mask(first: u32, count: u32, processors: u32) -> usize {
    (0..count).fold(0, |mask, n| mask | 1 << ((first + n) % processors))
}
