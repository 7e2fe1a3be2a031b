//! The loopback addresses of VMs: which are ours, and which one a new VM gets.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use crate::id::VmId;

/// The first two bytes of every VM's address: 127.77.0.0/16.
pub const ADDRESS_PREFIX: [u8; 2] = [127, 77];

/// Whether a VM may have this address. The first and the last of each /24 are kept free, as some
/// programs take them for a network and a broadcast.
pub(crate) fn is_ours(address: Ipv4Addr) -> bool {
    let [a, b, _, d] = address.octets();
    [a, b] == ADDRESS_PREFIX && (1..=254).contains(&d)
}

/// The address for a new VM: the first free one from a place that its id gives. The place is random
/// so that two stores on one machine seldom meet, and an address is not used again at once.
#[must_use]
pub fn allocate(id: VmId, taken: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let start = (id.get() % 0x1_0000) as u32;
    (0..0x1_0000)
        .map(|step| nth(start + step))
        .find(|at| is_ours(*at) && !taken.contains(at))
}

fn nth(n: u32) -> Ipv4Addr {
    let [_, _, high, low] = n.to_be_bytes();
    Ipv4Addr::new(ADDRESS_PREFIX[0], ADDRESS_PREFIX[1], high, low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_range_is_told() {
        let mut taken: HashSet<_> = (0..0x1_0000).map(nth).filter(|at| is_ours(*at)).collect();
        assert_eq!(taken.len(), 256 * 254);
        assert_eq!(allocate(VmId::from_u64(5), &taken), None);
        let last = Ipv4Addr::new(127, 77, 0, 4);
        taken.remove(&last);
        assert_eq!(allocate(VmId::from_u64(5), &taken), Some(last));
    }

    proptest! {
        #[test]
        fn what_is_allocated_is_ours_and_free(id: u64, others in proptest::collection::vec(any::<u64>(), 0..50)) {
            let mut taken = HashSet::new();
            for other in others {
                taken.insert(allocate(VmId::from_u64(other), &taken).unwrap());
            }
            let address = allocate(VmId::from_u64(id), &taken).unwrap();
            prop_assert!(is_ours(address) && !taken.contains(&address));
        }
    }
}
