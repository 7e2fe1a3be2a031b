//! What a VM uses and has changed: figures for people, never to decide by.

use std::sync::atomic::{AtomicU64, Ordering};

use pinion_wire::tally::Tally;

use pinion_store::View;

use crate::control::{ProcessInfo, Stats};
use crate::cpu;
use crate::error::Result;
use crate::keeper::Keeper;
use crate::lifecycle::Main;
use crate::process::{Process, Usage};
use crate::system::is_wine;

/// 100 ns in a millisecond.
const TICKS: u64 = 10_000;

impl Keeper {
    /// What the VM uses and has changed.
    pub(crate) fn stats(&self) -> Result<Stats> {
        Ok(Stats {
            files_changed: self.vm().changed_files(),
            keys_changed: self.vm().changed_keys()?,
            ..self.usage()?
        })
    }

    /// What the VM uses.
    pub(crate) fn usage(&self) -> Result<Stats> {
        let counts = self.job().accounting()?;
        let members = self.job().members()?;
        let usages = usages(&members);
        let count = |of: fn(&Tally) -> &AtomicU64| {
            self.tally()
                .map_or(0, |tally| of(tally).load(Ordering::Relaxed))
        };
        Ok(Stats {
            processes: counts.active,
            processes_ever: counts.ever,
            cpu_ms: usages.iter().map(|usage| usage.cpu).sum::<u64>() / TICKS,
            memory: usages.iter().map(|usage| usage.memory).sum(),
            names_private: count(|tally| &tally.names_private),
            files_changed: 0,
            keys_changed: 0,
            refused: count(|tally| &tally.refused),
            handles: members
                .iter()
                .map(|member| u64::from(member.handles()))
                .sum(),
            events: self.recorder().events.load(Ordering::Relaxed),
            events_lost: self.recorder().lost.load(Ordering::Relaxed),
        })
    }

    /// The processes of the VM.
    pub(crate) fn processes(&self) -> Result<Vec<ProcessInfo>> {
        let main = self.life().main;
        let members = self.job().members()?;
        let view = View::of_vm(self.vm());
        let mut processes: Vec<ProcessInfo> = members
            .iter()
            .zip(usages(&members))
            .map(|(member, usage)| {
                let pid = member.pid();
                ProcessInfo {
                    pid,
                    image: member.image_in(&view),
                    main: main == Main::Runs(pid),
                    service: self
                        .services()
                        .and_then(|services| services.service_of(pid)),
                    cpu_ms: usage.cpu / TICKS,
                    memory: usage.memory,
                    handles: member.handles(),
                }
            })
            .collect();
        processes.sort_by_key(|process| process.pid);
        Ok(processes)
    }
}

/// What each process used.
fn usages(members: &[Process]) -> Vec<Usage> {
    let usage = |process: &Process| {
        let usage = process.usage();
        let cpu = if is_wine() {
            cpu::of_threads(process)
        } else {
            usage.cpu
        };
        Usage { cpu, ..usage }
    };
    members.iter().map(usage).collect()
}
