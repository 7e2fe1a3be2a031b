//! The loopback addresses of VMs: which are ours, and which one a new VM gets.
//!
//! Who has which is kept as one empty file per address, so that a new VM need not look at all others.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::id::VmId;

/// The first two bytes of every VM's address: 127.77.0.0/16.
pub const ADDRESS_PREFIX: [u8; 2] = [127, 77];

/// Whether a VM may have this address. The first and the last of each /24 are kept free, as some
/// programs take them for a network and a broadcast.
pub(crate) fn is_ours(address: Ipv4Addr) -> bool {
    let [a, b, _, d] = address.octets();
    [a, b] == ADDRESS_PREFIX && (1..=254).contains(&d)
}

/// The addresses for a new VM, from a place that its id gives. The place is random so that two stores on
/// one machine seldom meet, and an address is not used again at once.
fn candidates(id: VmId) -> impl Iterator<Item = Ipv4Addr> {
    let start = (id.get() % 0x1_0000) as u32;
    (0..0x1_0000)
        .map(move |step| nth(start + step))
        .filter(|at| is_ours(*at))
}

fn nth(n: u32) -> Ipv4Addr {
    let [_, _, high, low] = n.to_be_bytes();
    Ipv4Addr::new(ADDRESS_PREFIX[0], ADDRESS_PREFIX[1], high, low)
}

/// The folder of claims.
#[derive(Debug)]
pub(crate) struct Claims(PathBuf);

impl Claims {
    /// The claims in `folder`; when it is not there, those of `used` are made first.
    pub(crate) fn open(
        folder: PathBuf,
        used: impl FnOnce() -> Result<Vec<Ipv4Addr>>,
    ) -> Result<Self> {
        let claims = Self(folder);
        if !claims.0.is_dir() {
            let used = used()?;
            fs::create_dir_all(&claims.0).map_err(|e| Error::io("create", &claims.0, e))?;
            for address in used {
                claims.claim(address)?;
            }
        }
        Ok(claims)
    }

    /// Claims the first free address for `id`.
    pub(crate) fn take(&self, id: VmId) -> Result<Ipv4Addr> {
        for address in candidates(id) {
            if self.claim(address)? {
                return Ok(address);
            }
        }
        Err(Error::NoAddress)
    }

    /// Whether the address was free, and is claimed now.
    fn claim(&self, address: Ipv4Addr) -> Result<bool> {
        let path = self.path(address);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::io("create", &path, error)),
        }
    }

    /// Lets an address go.
    pub(crate) fn release(&self, address: Ipv4Addr) {
        // One that stays is lost to new VMs and harms none.
        let _ = fs::remove_file(self.path(address));
    }

    fn path(&self, address: Ipv4Addr) -> PathBuf {
        Path::new(&self.0).join(address.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn all_are_candidates_once() {
        let all: HashSet<_> = candidates(VmId::from_u64(0xfff5)).collect();
        assert_eq!(all.len(), 256 * 254);
        assert_eq!(candidates(VmId::from_u64(5)).count(), all.len());
    }

    #[test]
    fn claims_are_kept_and_released() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Ipv4Addr::new(127, 77, 0, 5);
        let open = || Claims::open(folder.path().join("claims"), || Ok(vec![kept])).unwrap();
        let next = open().take(VmId::from_u64(5)).unwrap();
        assert_eq!(next, Ipv4Addr::new(127, 77, 0, 6));
        open().release(kept);
        assert_eq!(open().take(VmId::from_u64(5)).unwrap(), kept);
    }

    proptest! {
        #[test]
        fn candidates_are_ours(id: u64) {
            prop_assert!(candidates(VmId::from_u64(id)).take(300).all(is_ours));
        }
    }
}
