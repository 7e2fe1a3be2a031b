//! What a VM uses and has changed: figures for people, never to decide by.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use pinion_store::registry;

use crate::control::{ProcessInfo, Stats};
use crate::error::Result;
use crate::keeper::Keeper;
use crate::lifecycle::Main;
use crate::process::Usage;

/// 100 ns in a millisecond.
const TICKS: u64 = 10_000;
/// The most folders looked into for counting; a guest can make any number.
const MOST_FOLDERS: usize = 100_000;

impl Keeper {
    /// What the VM uses.
    pub(crate) fn stats(&self) -> Result<Stats> {
        let counts = self.job().accounting()?;
        let members = self.job().members()?;
        let usages: Vec<Usage> = members.iter().map(|member| member.usage()).collect();
        let names = self
            .tally()
            .map(|tally| tally.names_private.load(Ordering::Relaxed));
        Ok(Stats {
            processes: counts.active,
            processes_ever: counts.ever,
            cpu_ms: usages.iter().map(|usage| usage.cpu).sum::<u64>() / TICKS,
            memory: usages.iter().map(|usage| usage.memory).sum(),
            names_private: names.unwrap_or(0),
            files_changed: count_files(self.vm().upper()),
            keys_changed: registry::count_layer(self.vm().id())?,
        })
    }

    /// The processes of the VM.
    pub(crate) fn processes(&self) -> Result<Vec<ProcessInfo>> {
        let main = self.life().main;
        let mut processes: Vec<ProcessInfo> = self
            .job()
            .members()?
            .iter()
            .map(|member| {
                let (pid, usage) = (member.pid(), member.usage());
                ProcessInfo {
                    pid,
                    image: member.image(),
                    main: main == Main::Runs(pid),
                    service: self
                        .services()
                        .and_then(|services| services.service_of(pid)),
                    cpu_ms: usage.cpu / TICKS,
                    memory: usage.memory,
                }
            })
            .collect();
        processes.sort_by_key(|process| process.pid);
        Ok(processes)
    }
}

/// Files of a layer, all that is no folder; links are counted and not followed.
fn count_files(root: PathBuf) -> u64 {
    let mut folders = vec![root];
    let (mut files, mut seen) = (0, 0);
    while let Some(folder) = folders.pop() {
        seen += 1;
        if seen > MOST_FOLDERS {
            break;
        }
        for item in fs::read_dir(folder).into_iter().flatten().flatten() {
            match item.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(item.path()),
                _ => files += 1,
            }
        }
    }
    files
}
