//! The store: what Pinion keeps on disk and in the registry for each VM.
//!
//! Owns the layout below one root folder, the record of each VM, its name, its loopback address and
//! the lock that says whether it runs. It starts nothing and knows nothing of processes.
//!
//! ```text
//! <root>\store.lock                 held while VMs are created or removed
//! <root>\vms\<name>\vm.json         the record (VmRecord), written atomically
//! <root>\vms\<name>\exit.json       how the last run ended (ExitRecord); absent before the first end
//! <root>\vms\<name>\run.lock        held by the supervisor while the VM runs
//! <root>\vms\<name>\upper\C\...     changed files, by drive letter
//! <root>\vms\<name>\logs\supervisor.log, output.log
//! HKCU\Software\Pinion\Layers\<id>\MACHINE\..., USER\<sid>\...    changed keys
//! ```

mod address;
mod atomic;
pub mod changes;
mod count;
mod error;
mod id;
mod lock;
mod name;
mod record;
#[cfg(windows)]
pub mod registry;
mod removal;
mod store;
mod vm;

pub use address::{ADDRESS_PREFIX, allocate};
pub use error::{Error, Result, exit_code};
pub use id::VmId;
pub use lock::RunLock;
pub use name::{NameError, VmName};
pub use record::{ExitRecord, FORMAT, LayerRef, Limits, PortMapping, VmRecord};
pub use store::{Entry, NewVm, Store};
pub use vm::Vm;
