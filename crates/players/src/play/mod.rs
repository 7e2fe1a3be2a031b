//! The players, one for each probe.

pub mod commands;
mod desktop;
mod files;
mod given;
mod hive;
mod host_only;
mod input_state;
mod listed;
mod made;
mod mailslot;
mod objects;
mod pipe;
mod pipe_facts;
mod ports;
mod process;
mod process_code;
mod process_handles;
mod process_lists;
mod process_memory;
mod process_open;
mod process_threads;
mod process_victim;
mod registry;
mod rest_of_names;
mod rpc;
mod servers;
pub mod settings;
mod sockets;
mod supervisor;
mod thread_alert;
mod window;
mod window_calls;
mod window_hooks;
mod window_messages;
mod window_parts;
mod window_queries;

use crate::win::Step;
use pinion_probes::{Ask, Facts};

/// What a server keeps for its clients; given up with the value.
pub trait Served {
    /// What clients are told.
    fn facts(&self) -> Facts {
        Facts::new()
    }

    /// Whether the client with this token did something to it.
    fn felt(&mut self, _token: u32) -> bool {
        false
    }
}

/// Serves a probe's thing.
pub type Serve = fn(&Ask) -> Step<Box<dyn Served>>;

/// Tries to get at it: nothing when it did.
pub type Reach = fn(&Ask) -> Step<()>;

/// Both sides of a probe.
#[derive(Clone, Copy)]
pub struct Player {
    /// The server.
    pub serve: Serve,
    /// The client.
    pub reach: Reach,
}

impl Player {
    const fn new(serve: Serve, reach: Reach) -> Self {
        Self { serve, reach }
    }
}

/// What holds something open and tells nothing.
pub struct Held<T>(#[allow(dead_code, reason = "kept for its end")] pub T);

impl<T> Served for Held<T> {}

/// What holds something open and tells facts.
pub struct Told<T>(
    #[allow(dead_code, reason = "kept for its end")] pub T,
    pub Facts,
);

impl<T> Served for Told<T> {
    fn facts(&self) -> Facts {
        self.1.clone()
    }
}

/// The player of the probe of that name.
pub fn player(probe: &str) -> Option<Player> {
    objects::player(probe)
        .or_else(|| made::player(probe))
        .or_else(|| listed::player(probe))
        .or_else(|| rest_of_names::player(probe))
        .or_else(|| pipe::player(probe))
        .or_else(|| pipe_facts::player(probe))
        .or_else(|| mailslot::player(probe))
        .or_else(|| window::player(probe))
        .or_else(|| desktop::player(probe))
        .or_else(|| input_state::player(probe))
        .or_else(|| settings::player(probe))
        .or_else(|| process::player(probe))
        .or_else(|| thread_alert::player(probe))
        .or_else(|| given::player(probe))
        .or_else(|| supervisor::player(probe))
        .or_else(|| sockets::player(probe))
        .or_else(|| files::player(probe))
        .or_else(|| registry::player(probe))
        .or_else(|| hive::player(probe))
        .or_else(|| servers::player(probe))
        .or_else(|| rpc::player(probe))
        .or_else(|| ports::player(probe))
        .or_else(|| host_only::player(probe))
        .or_else(|| commands::player(probe))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_probe_has_its_player() {
        for probe in pinion_probes::all() {
            assert!(super::player(probe.name).is_some(), "{}", probe.name);
        }
    }
}
