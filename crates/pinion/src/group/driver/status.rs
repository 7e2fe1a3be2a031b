//! How the group is, as it is told.

use super::Driver;
use crate::group::control::{ReplicaTold, Status};
use crate::group::work;
use pinion_group::config::Mode;

impl Driver {
    pub(super) fn status(&self) -> Status {
        let (now, config) = (self.now(), &self.common.config);
        let requests = self.front.requests();
        let replicas = self.life.replicas().iter().map(|(id, replica)| {
            let had = requests.iter().find(|(other, ..)| other == id);
            let vm = self.vm(*id);
            ReplicaTold {
                replica: *id,
                vm: work::vm_name(&self.common.place.name, *id)
                    .unwrap_or_else(|_| self.common.place.name.clone()),
                state: replica.state.word().into(),
                address: vm.map(|vm| vm.record().address),
                age_ms: now.saturating_sub(replica.made),
                requests: had.map_or(replica.requests, |(_, had, _)| *had),
                in_flight: had.map_or(0, |(.., now)| *now),
                bad_checks: replica.bad,
                last_bad: if replica.bad > 0 {
                    replica.last_bad.clone()
                } else {
                    String::new()
                },
            }
        });
        let (serving, wanted) = (self.life.serving(), self.life.target());
        let (failures, _) = self.life.backing_off();
        let state = match () {
            () if !self.down.is_empty() => "down",
            () if failures > 2 => "failing",
            () if serving >= wanted as usize => "up",
            () if self
                .life
                .replicas()
                .keys()
                .all(|id| *id <= wanted + config.spares)
                && serving == 0 =>
            {
                "starting"
            }
            () => "degraded",
        };
        Status {
            name: self.common.place.name.clone(),
            state: state.into(),
            mode: if config.front.mode == Mode::Vote {
                "vote"
            } else {
                "balance"
            }
            .into(),
            front: config.front.listen,
            pid: std::process::id(),
            started_ms: self.started_ms,
            wanted,
            serving,
            spares: config.spares,
            ready: self.life.ready(),
            failures,
            figures: self.front.figures(),
            replicas: replicas.collect(),
            faults: self.faults,
            longest_life_ms: self.longest_life,
            evidence: self.common.place.evidence().display().to_string(),
        }
    }
}
