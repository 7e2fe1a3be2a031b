//! What VMs use, asked of their supervisors, and how much that is in a second.

use crate::failure::Failure;
use crate::figures::Figures;
use crate::vms;
use pinion_store::{Entry, Vm};
use std::time::Instant;

/// The VMs of these names; all when none is given.
pub fn chosen(names: &[String]) -> Result<Vec<Vm>, Failure> {
    if !names.is_empty() {
        return names.iter().map(|name| vms::find(name)).collect();
    }
    let all = vms::store()?.list()?.into_iter();
    Ok(all
        .filter_map(|entry| match entry {
            Entry::Vm(vm) => Some(vm),
            _ => None,
        })
        .collect())
}

/// The figures of a VM, and when they were taken.
pub fn figures(vm: &Vm) -> (Figures, Instant) {
    let mut figures = Figures {
        vm: vm.name().to_string(),
        id: vm.id().to_string(),
        ..Figures::default()
    };
    // One that ends at this very moment does not run.
    if let Some((mut client, status)) = vms::status(vm)
        && let Ok(usage) = client.usage()
    {
        figures.up = true;
        figures.recording = status.recording;
        figures.cpu_ms = usage.cpu_ms;
        figures.memory = usage.memory;
        figures.processes = usage.processes.into();
        figures.processes_ever = usage.processes_ever.into();
        figures.handles = usage.handles;
        figures.names_private = usage.names_private;
        figures.refused = usage.refused;
        figures.events = usage.events;
        figures.lost = usage.events_lost;
    }
    (figures, Instant::now())
}

/// How much a count has grown in each second between two moments; 0 where it began anew.
pub fn rate((before, then): (u64, Instant), (after, now): (u64, Instant)) -> f64 {
    let seconds = now.saturating_duration_since(then).as_secs_f64();
    if seconds <= 0.0 {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss)]
    let grown = after.saturating_sub(before) as f64;
    grown / seconds
}
