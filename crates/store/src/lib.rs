//! The store: what Pinion keeps on disk and in the registry for each VM.
//!
//! Owns the layout below one root folder, the record of each VM, its name, its loopback address and
//! the lock that says whether it runs. It starts nothing and knows nothing of processes.
//!
//! ```text
//! <root>\store.lock                 held while VMs, snapshots or layers are made or removed
//! <root>\removal.lock               held while what is gone is removed from the disk
//! <root>\vms\<name>\vm.json         the record (VmRecord), written atomically
//! <root>\vms\<name>\exit.json       how the last run ended (ExitRecord); absent before the first end
//! <root>\vms\<name>\run.lock        held by the supervisor while the VM runs
//! <root>\vms\<name>\logs\supervisor.log, output.log
//! <root>\snapshots\<name>.json      the record of a snapshot (SnapshotRecord)
//! <root>\<id>\layer.json            what the layer is
//! <root>\<id>\C\...                 changed files, by drive letter
//! HKCU\Software\Pinion\Layers\<id>\MACHINE\..., USER\<sid>\...    changed keys
//! <root>\suspects\<id>              layers that may be nobody's any more
//! <root>\passing\<name>             VMs that are removed at their end
//! <root>\exports\<id>               archives that are being written
//! <root>\commits\<id>.json          merges into the host that are being carried out
//! <root>\groups\<name>\            a group of replicas (docs/GROUPS.md), with its own run.lock
//! <root>\addresses\127.77.x.y       loopback addresses in use
//! ```

mod address;
pub mod archive;
mod atomic;
#[cfg(windows)]
mod attributes;
pub mod changes;
pub mod commit;
mod count;
mod desktop;
pub mod diff;
mod error;
mod facts;
mod garbage;
mod group;
mod id;
mod layer;
mod lock;
mod metadata;
mod name;
mod network;
mod record;
#[cfg(windows)]
pub mod registry;
mod removal;
mod security;
pub mod share;
mod snapshot;
mod store;
mod view;
mod vm;

pub use address::ADDRESS_PREFIX;
pub use desktop::Desktop;
pub use error::{Error, Result, exit_code};
pub use id::{LayerId, SnapshotId, VmId};
pub use layer::{LAYER_FORMAT, Layer};
pub use lock::RunLock;
pub use name::{NameError, VmName};
pub use pinion_names::socket::Network;
pub use record::{ExitRecord, FORMAT, Limits, MOST_LAYERS, PortMapping, SnapshotRecord, VmRecord};
pub use share::Share;
pub use snapshot::{NewSnapshot, Snapshot, SnapshotEntry, Source};
pub use store::{Entry, NewVm, Store};
pub use view::{Place, Seen, View};
pub use vm::Vm;
