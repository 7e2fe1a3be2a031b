//! VMs as the command line tells of them.

use crate::Wine;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::net::Ipv4Addr;

/// The part of `pinion inspect NAME` that tools look at.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    /// Name.
    pub name: String,
    /// `running` and so on.
    pub state: String,
    /// The VM's loopback address.
    pub address: Ipv4Addr,
    /// Processes.
    pub pids: Vec<u32>,
    /// The VM's folder of changed files, a Windows path.
    pub upper_files: String,
    /// Names made private since the start.
    pub names_private: Option<u64>,
    /// Files in the upper layer.
    pub files_changed: Option<u64>,
    /// Keys in the upper layer.
    pub keys_changed: Option<u64>,
}

/// One line of `pinion ps NAME --json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// The program's file name.
    #[serde(alias = "image", alias = "program")]
    pub name: String,
}

/// Asks `pinion inspect`.
///
/// # Errors
/// When there is no such VM.
pub fn inspect(wine: &Wine, name: &str) -> Result<Told> {
    let output = wine.pinion(&["inspect", name])?.success()?;
    serde_json::from_value(output.json()?).context("pinion inspect")
}

/// Asks `pinion ps`.
///
/// # Errors
/// When the VM does not run.
pub fn processes(wine: &Wine, name: &str) -> Result<Vec<Process>> {
    let output = wine.pinion(&["ps", name, "--json"])?.success()?;
    serde_json::from_value(output.json()?).context("pinion ps")
}

/// Removes the VMs whether they run or not; for clean-up, so it only tells.
pub fn remove(wine: &Wine, names: &[&str]) {
    for name in names {
        let _ = wine.pinion(&["rm", "-f", name]);
    }
}
