//! What the service API of a member asks the VM's service controller.

use serde::{Deserialize, Serialize};

/// A call of the service API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceRequest<'a> {
    /// Opens the service control manager with an access mask.
    OpenManager {
        /// The wanted access.
        access: u32,
        /// Kept for the borrow.
        #[serde(borrow)]
        database: &'a [u8],
    },
}

/// The controller's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceReply<'a> {
    /// A Win32 error code.
    Error(u32),
    /// A handle.
    Handle(u64),
    /// Bytes.
    Data(#[serde(borrow)] &'a [u8]),
}
