//! The archive's first member: which VM it holds, of how many layers, and how much there is.

use pinion_names::socket::Network;
use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::name::VmName;
use crate::record::{Limits, PortMapping};

/// The longest manifest, in bytes.
pub(super) const LONGEST: u64 = 1 << 20;
/// The most layers.
const LAYERS: usize = 64;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`FORMAT`], or an older one.
    pub(super) format: u32,
    /// The Pinion that wrote it.
    pub(super) pinion: String,
    /// Who exported it: the SID below which the layers' `USER` keys are that user's own.
    pub(super) user: String,
    /// The VM.
    pub(super) vm: VmFacts,
    /// How many layers: the upper first, then snapshots, the newest first.
    pub(super) layers: usize,
    /// How many members follow, the checksums left out.
    pub(super) members: u64,
    /// How many bytes those members hold together, the checksums left out.
    pub(super) bytes: u64,
    /// How many bytes their names have together.
    pub(super) names: u64,
}

/// What of a VM's record is its own, and not its place's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VmFacts {
    pub(super) name: VmName,
    pub(super) created_ms: u64,
    pub(super) command: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: Option<String>,
    pub(super) limits: Limits,
    pub(super) ports: Vec<PortMapping>,
    #[serde(
        default,
        with = "crate::network",
        skip_serializing_if = "crate::network::is_default"
    )]
    pub(super) network: Network,
    pub(super) remove_at_end: bool,
}

impl Manifest {
    /// Reads a manifest, or says what is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let value: serde_json::Value = serde_json::from_slice(text)
            .map_err(|why| format!("its manifest is damaged: {why}"))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if (1..=u64::from(FORMAT)).contains(&format) => (),
            Some(format) => {
                return Err(format!(
                    "it has format {format}, this Pinion knows the formats up to {FORMAT}"
                ));
            }
            None => return Err("its manifest has no format number".into()),
        }
        let manifest: Self = serde_json::from_value(value)
            .map_err(|why| format!("its manifest is damaged: {why}"))?;
        if manifest.layers == 0 || manifest.layers > LAYERS {
            return Err(format!(
                "it has {} layers, of 1 to {LAYERS}",
                manifest.layers
            ));
        }
        if manifest
            .vm
            .ports
            .iter()
            .any(|port| port.host == 0 || port.vm == 0)
        {
            return Err("a published port is 0".into());
        }
        Ok(manifest)
    }
}
