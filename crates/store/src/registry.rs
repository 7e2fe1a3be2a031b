//! The registry layer of a VM: `HKCU\Software\Pinion\Layers\<id>`.
//!
//! Owns its path, its making and its removal. What lies below is the agent's. Keys below may be hostile
//! (links, names with embedded zeros), so removal goes by NT calls and never through a link.

use crate::error::Result;
use crate::id::VmId;

/// The NT path of the VM's registry layer: `\REGISTRY\USER\<sid>\Software\Pinion\Layers\<id>`.
///
/// # Errors
/// The user's key cannot be asked for its name.
pub fn layer_path(id: VmId) -> Result<String> {
    let _ = id;
    todo!()
}

/// Makes the layer's key if it is not there; gives its NT path.
///
/// # Errors
/// The registry's refusal.
pub fn create_layer(id: VmId) -> Result<String> {
    let _ = id;
    todo!()
}

/// Removes the layer's key and all below; a missing one is no error.
///
/// # Errors
/// The registry's refusal.
pub fn remove_layer(id: VmId) -> Result<()> {
    let _ = id;
    todo!()
}
