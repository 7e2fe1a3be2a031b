//! The mode of a VM's network in a record: its name.

use pinion_names::socket::Network;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Whether the mode is the one that a record need not name.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's own signature")]
pub(crate) fn is_default(network: &Network) -> bool {
    *network == Network::default()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's own signature")]
pub(crate) fn serialize<S: Serializer>(network: &Network, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(network.name())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Network, D::Error> {
    let name = String::deserialize(input)?;
    Network::named(&name).ok_or_else(|| Error::custom(format!("'{name}' is no mode of a network")))
}
