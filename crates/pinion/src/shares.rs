//! Folders that the command line shares: found on the host, under the host's own name for them.

use crate::failure::Failure;
use pinion_store::{Share, Store};

/// The shares with the host's folders as whole paths.
pub fn resolve(store: &Store, given: &[Share]) -> Result<Vec<Share>, Failure> {
    let whole = |share: &Share| {
        let host = std::path::absolute(&share.host).map_err(|error| {
            Failure::pinion(format!("cannot find the folder {}: {error}", share.host))
        })?;
        let host = host.to_string_lossy();
        let host = pinion_supervisor::shares::resolve(host.trim_end_matches('\\'), store.root())?;
        Ok(Share {
            host,
            ..share.clone()
        })
    };
    given.iter().map(whole).collect()
}
