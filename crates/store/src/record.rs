//! The records on disk: what a VM is (`vm.json`), how its last run ended (`exit.json`), and what a
//! snapshot is (`snapshots\<name>.json`).
//!
//! Only data and its checks; reading and writing is `vm`'s.

use std::net::Ipv4Addr;

use pinion_names::socket::Network;
use serde::{Deserialize, Serialize};

use crate::desktop::Desktop;
use crate::id::{LayerId, SnapshotId, VmId};
use crate::name::VmName;
use crate::share::{self, Share};

/// The format of records that this Pinion writes.
pub const FORMAT: u32 = 2;

/// The most read-only layers that a VM can have below its upper.
pub const MOST_LAYERS: usize = pinion_wire::page::LAYERS - 1;

/// What a VM is. State (running, paused, exited) is not here: it is derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmRecord {
    /// The record's format, [`FORMAT`].
    pub format: u32,
    /// Identity.
    pub id: VmId,
    /// Name, the same as the folder's.
    pub name: VmName,
    /// When it was created: milliseconds since 1970-01-01 UTC.
    pub created_ms: u64,
    /// Program and arguments of the main program; empty for a VM created without one.
    pub command: Vec<String>,
    /// Variables set in addition to the environment of whoever starts it.
    pub env: Vec<(String, String)>,
    /// Current directory of the main program; none means the starter's.
    pub cwd: Option<String>,
    /// Limits.
    pub limits: Limits,
    /// Published ports.
    pub ports: Vec<PortMapping>,
    /// Folders that are the host's own. A Pinion that knows none refuses a record that has some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// What its members reach by sockets.
    #[serde(
        default,
        with = "crate::network",
        skip_serializing_if = "crate::network::is_default"
    )]
    pub network: Network,
    /// How it is on the user's desktop; none means a desktop of its own. A Pinion that knows none
    /// refuses a record that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desktop: Option<Desktop>,
    /// The VM's policy, as it was written (docs/POLICY.md); it was sound when it was set. A Pinion
    /// that knows none refuses a record that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The VM's own loopback address, unique in the store.
    pub address: Ipv4Addr,
    /// The writable upper layer, which no other VM and no snapshot has.
    pub upper: LayerId,
    /// Read-only layers under the upper, the newest first; the host is below them all.
    pub layers: Vec<LayerId>,
    /// How many of `layers`, the oldest, the VM was made with; the others are its own changes.
    pub base_layers: usize,
    /// The snapshot that the VM was made from, if any.
    pub base: Option<SnapshotId>,
    /// Remove the VM when its main program ends (`--rm`).
    pub remove_at_end: bool,
    /// Record what its programs are given and refused, from the start on (`--trace`). A Pinion that
    /// cannot refuses a record that says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
    /// Confine nothing, and only record (`pinion trace --host`). A Pinion that cannot refuses a record
    /// that says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watch: bool,
}

/// Limits of a VM; none means unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Committed memory of all its processes, in bytes.
    pub memory: Option<u64>,
    /// Processors, in thousandths: 1500 is one and a half.
    pub cpus_milli: Option<u32>,
    /// Processes at one time.
    pub processes: Option<u32>,
}

/// One published port (`-p HOST:VM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortMapping {
    /// The host's address to listen on; 0.0.0.0 for all.
    pub host_address: Ipv4Addr,
    /// The host's TCP port; never 0.
    pub host: u16,
    /// The TCP port at the VM's address; never 0.
    pub vm: u16,
}

/// What a snapshot is: a stack of read-only layers, and what a VM made from it starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRecord {
    /// The record's format, [`FORMAT`].
    pub format: u32,
    /// Identity.
    pub id: SnapshotId,
    /// Name, the same as the file's.
    pub name: VmName,
    /// When it was made: milliseconds since 1970-01-01 UTC.
    pub created_ms: u64,
    /// The VM that it was made of; none when it came another way.
    pub vm: Option<VmName>,
    /// The layers, the newest first; the host is below them all.
    pub layers: Vec<LayerId>,
    /// The VM's program and arguments.
    pub command: Vec<String>,
    /// The VM's variables.
    pub env: Vec<(String, String)>,
    /// The VM's current directory.
    pub cwd: Option<String>,
    /// The VM's policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// How the last run of a VM ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitRecord {
    /// The main program's exit code.
    pub code: i32,
    /// When: milliseconds since 1970-01-01 UTC.
    pub ended_ms: u64,
    /// Why the run ended, for people: "the program ended", "stopped", "killed".
    pub why: String,
}

impl VmRecord {
    /// What is wrong with a record that parsed, if anything.
    pub(crate) fn fault(&self, folder: &str) -> Option<String> {
        if self.name.as_str() != folder {
            return Some(format!(
                "it names the VM '{}', its folder '{folder}'",
                self.name
            ));
        }
        if !crate::address::is_ours(self.address) {
            return Some(format!(
                "the address {} is not in 127.77.0.0/16",
                self.address
            ));
        }
        if self.ports.iter().any(|port| port.host == 0 || port.vm == 0) {
            return Some("a published port is 0".into());
        }
        if let Some(why) = share::fault(&self.shares) {
            return Some(format!("a shared folder: {why}"));
        }
        if let Some(why) = self.desktop.as_ref().and_then(Desktop::fault) {
            return Some(format!("the desktop: {why}"));
        }
        if self.base_layers > self.layers.len() {
            return Some("it was made with more layers than it has".into());
        }
        if self.layers.contains(&self.upper) {
            return Some("its upper layer is below itself".into());
        }
        too_deep(&self.layers)
    }
}

impl SnapshotRecord {
    /// What is wrong with a record that parsed, if anything.
    pub(crate) fn fault(&self, file: &str) -> Option<String> {
        if self.name.as_str() != file {
            return Some(format!("it names the snapshot '{}'", self.name));
        }
        too_deep(&self.layers)
    }
}

fn too_deep(layers: &[LayerId]) -> Option<String> {
    (layers.len() > MOST_LAYERS).then(|| format!("it has more than {MOST_LAYERS} layers"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn sample(name: &str) -> VmRecord {
        VmRecord {
            format: FORMAT,
            id: VmId::from_u64(0x0123_4567_89ab_cdef),
            name: name.parse().unwrap(),
            created_ms: 1,
            command: vec!["nginx.exe".into()],
            env: vec![("A".into(), "b=c".into())],
            cwd: None,
            limits: Limits {
                memory: Some(1 << 30),
                ..Limits::default()
            },
            ports: vec![],
            shares: vec![],
            network: Network::Outbound,
            desktop: None,
            policy: None,
            address: Ipv4Addr::new(127, 77, 0, 1),
            upper: LayerId::from_u64(7),
            layers: vec![],
            base_layers: 0,
            base: None,
            remove_at_end: false,
            trace: false,
            watch: false,
        }
    }

    #[test]
    fn faults_are_told() {
        let good = sample("web");
        assert_eq!(good.fault("web"), None);
        assert!(good.fault("other").is_some());
        let alien = VmRecord {
            address: Ipv4Addr::LOCALHOST,
            ..good.clone()
        };
        assert!(alien.fault("web").unwrap().contains("127.0.0.1"));
        let deep = VmRecord {
            layers: (8..=23).map(LayerId::from_u64).collect(),
            ..good.clone()
        };
        assert!(deep.fault("web").unwrap().contains("15 layers"));
        let own = VmRecord {
            layers: vec![good.upper],
            ..good.clone()
        };
        assert!(own.fault("web").is_some());
        let share = Share {
            host: r"C:\a".into(),
            vm: r"C:\a\b".into(),
            read_only: false,
        };
        let shares = VmRecord {
            shares: vec![share],
            ..good.clone()
        };
        assert!(shares.fault("web").unwrap().contains("shared folder"));
        let port = PortMapping {
            host_address: Ipv4Addr::UNSPECIFIED,
            host: 0,
            vm: 1,
        };
        assert!(
            VmRecord {
                ports: vec![port],
                ..good
            }
            .fault("web")
            .is_some()
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        let mut value = serde_json::to_value(sample("web")).unwrap();
        value["surprise"] = 1.into();
        assert!(serde_json::from_value::<VmRecord>(value).is_err());
    }

    proptest! {
        #[test]
        fn records_survive_json(
            command in proptest::collection::vec("\\PC*", 0..4),
            env in proptest::collection::vec(("\\PC*", "\\PC*"), 0..4),
            memory in proptest::option::of(any::<u64>()),
            remove_at_end: bool,
        ) {
            let limits = Limits { memory, ..Limits::default() };
            let record = VmRecord { command, env, limits, remove_at_end, ..sample("web") };
            let text = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(serde_json::from_str::<VmRecord>(&text).unwrap(), record);
        }
    }
}
