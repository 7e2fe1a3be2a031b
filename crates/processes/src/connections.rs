//! Tables of TCP connections and UDP endpoints, in the form in which Wine's NSI
//! proxy writes them (Wine's wine/nsi.h, the same in 8.0 and 10.0): a count, then
//! an array for each part of the entries, each with room for as many as were
//! asked for. A member sees the VM's own.

use crate::number;

/// The parts of an entry: key, settings, state, what never changes.
pub const PARTS: usize = 4;
/// The size of the count before the arrays.
pub const COUNT: usize = 4;
/// The size of `SOCKADDR_INET`.
const ADDRESS: usize = 28;
const INET: u64 = 2;
const INET6: u64 = 23;
/// The first 12 bytes of an IPv4 address that is mapped into IPv6.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

/// What a table is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Connections and listening sockets; the key is the local and the remote
    /// address.
    Tcp,
    /// Endpoints; the key is the local address.
    Udp,
}

impl Kind {
    /// The kind of a table of a module, by the first number of the module's GUID
    /// and the table's own number; `None` for tables that tell of no sockets.
    #[must_use]
    pub const fn of(module: u32, table: u32) -> Option<Self> {
        match (module, table) {
            // NPI_MS_TCP_MODULEID: all, established, listening.
            (0xeb00_4a03, 3..=5) => Some(Self::Tcp),
            // NPI_MS_UDP_MODULEID.
            (0xeb00_4a02, 1) => Some(Self::Udp),
            _ => None,
        }
    }

    /// The sizes of the parts.
    #[must_use]
    pub const fn sizes(self) -> [usize; PARTS] {
        match self {
            Self::Tcp => [2 * ADDRESS, 0, 20, 32],
            Self::Udp => [ADDRESS, 0, 0, 32],
        }
    }

    /// Where in the part that never changes the owner's id is.
    const fn owner(self) -> usize {
        match self {
            Self::Tcp => 12,
            Self::Udp => 0,
        }
    }
}

/// The arrays of a table in bytes after the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The size of each part; 0 for one that is not there.
    pub sizes: [usize; PARTS],
    /// For how many entries there is room.
    pub room: usize,
}

impl Layout {
    /// The size of the whole with its count; `None` when it has no number.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        let entry: usize = self.sizes.iter().sum();
        entry.checked_mul(self.room)?.checked_add(COUNT)
    }

    /// Where a part of an entry is.
    fn place(&self, part: usize, index: usize) -> Option<core::ops::Range<usize>> {
        let before: usize = self.sizes.get(..part)?.iter().sum();
        let size = *self.sizes.get(part)?;
        let start = COUNT + before * self.room + size * index;
        Some(start..start + size)
    }
}

/// Writes the VM's own entries of the table in `from`, which has all parts of
/// its kind and `count` entries, to `to` with its parts and its room: those that
/// a member owns, and those whose local address is the VM's own, which is told
/// as plain loopback. How many there are, though fewer have room; `None` when
/// `from` is no such table.
#[must_use]
pub fn cut(
    kind: Kind,
    (from, layout, count): (&[u8], Layout, usize),
    (to, wanted): (&mut [u8], Layout),
    own: [u8; 4],
    member: impl Fn(u64) -> bool,
) -> Option<usize> {
    if count > layout.room || layout.sizes != kind.sizes() {
        return None;
    }
    let mut kept = 0;
    for index in 0..count {
        let fixed = from.get(layout.place(3, index)?)?;
        let owner = number::<4>(fixed, kind.owner())?;
        let key = from.get(layout.place(0, index)?)?;
        let local = key.get(ipv4(key, 0)).is_some_and(|local| local == own);
        let shown = local || (owner != 0 && member(owner));
        if !shown {
            continue;
        }
        for part in 0..PARTS {
            let place = wanted.place(part, kept)?;
            if kept < wanted.room && !place.is_empty() {
                let entry = from.get(layout.place(part, index)?)?;
                to.get_mut(place)?.copy_from_slice(entry);
            }
        }
        if kept < wanted.room && wanted.sizes[0] != 0 {
            tell_loopback(to.get_mut(wanted.place(0, kept)?)?, own);
        }
        kept += 1;
    }
    Some(kept)
}

/// Where the IPv4 address is of the socket address that begins at `at`, mapped
/// or not; empty when it has none.
fn ipv4(key: &[u8], at: usize) -> core::ops::Range<usize> {
    match number::<2>(key, at) {
        Some(INET) => at + 4..at + 8,
        Some(INET6) if key.get(at + 8..at + 20) == Some(&MAPPED) => at + 20..at + 24,
        _ => 0..0,
    }
}

/// Puts plain loopback in place of the VM's own address.
fn tell_loopback(key: &mut [u8], own: [u8; 4]) {
    for at in (0..key.len()).step_by(ADDRESS) {
        let place = ipv4(key, at);
        if let Some(address) = key.get_mut(place)
            && address == own
        {
            address.copy_from_slice(&LOOPBACK);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const OWN: [u8; 4] = [127, 77, 3, 4];

    #[derive(Debug, Clone)]
    struct Entry {
        six: bool,
        local: [u8; 4],
        remote: [u8; 4],
        owner: u32,
        mark: u8,
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let address = || prop_oneof![Just(OWN), Just([127, 77, 3, 5]), any::<[u8; 4]>()];
        (any::<bool>(), address(), address(), 0_u32..8, any::<u8>()).prop_map(
            |(six, local, remote, owner, mark)| Entry {
                six,
                local,
                remote,
                owner,
                mark,
            },
        )
    }

    fn address(six: bool, ip: [u8; 4]) -> Vec<u8> {
        let mut bytes = std::vec![0; ADDRESS];
        bytes[0] = if six { 23 } else { 2 };
        if six {
            bytes[8..20].copy_from_slice(&MAPPED);
            bytes[20..24].copy_from_slice(&ip);
        } else {
            bytes[4..8].copy_from_slice(&ip);
        }
        bytes
    }

    /// The parts of an entry as a kernel writes them.
    fn parts(kind: Kind, entry: &Entry) -> [Vec<u8>; PARTS] {
        let mut key = address(entry.six, entry.local);
        let mut fixed = std::vec![0; 32];
        let owner = kind.owner();
        fixed[owner..owner + 4].copy_from_slice(&entry.owner.to_le_bytes());
        if kind == Kind::Tcp {
            key.extend(address(entry.six, entry.remote));
        }
        [
            key,
            Vec::new(),
            std::vec![entry.mark; kind.sizes()[2]],
            fixed,
        ]
    }

    fn table(kind: Kind, entries: &[Entry], layout: Layout) -> Vec<u8> {
        let mut bytes = std::vec![0; layout.size().expect("small")];
        for (index, entry) in entries.iter().enumerate() {
            for (part, content) in parts(kind, entry).into_iter().enumerate() {
                if layout.sizes[part] != 0 {
                    bytes[layout.place(part, index).expect("there")].copy_from_slice(&content);
                }
            }
        }
        bytes
    }

    proptest! {
        #[test]
        fn the_vms_own_are_left_and_tell_loopback(
            udp: bool,
            entries in prop::collection::vec(entry(), 0..12),
            members: u8,
            more in 0_usize..3,
            room in 0_usize..14,
            parts in any::<[bool; PARTS]>(),
        ) {
            let kind = if udp { Kind::Udp } else { Kind::Tcp };
            let member = |id: u64| members >> (id & 7) & 1 == 1;
            let layout = Layout { sizes: kind.sizes(), room: entries.len() + more };
            let from = table(kind, &entries, layout);
            let mut sizes = kind.sizes();
            for (size, there) in sizes.iter_mut().zip(parts) {
                *size *= usize::from(there);
            }
            let wanted = Layout { sizes, room };
            let mut to = std::vec![0; wanted.size().expect("small")];
            let count = cut(kind, (&from, layout, entries.len()), (&mut to, wanted), OWN, member);
            let loopback = |ip| if ip == OWN { LOOPBACK } else { ip };
            let own: Vec<Entry> = entries
                .iter()
                .filter(|entry| entry.local == OWN || entry.owner != 0 && member(entry.owner.into()))
                .map(|entry| Entry {
                    local: loopback(entry.local),
                    remote: loopback(entry.remote),
                    ..entry.clone()
                })
                .collect();
            prop_assert_eq!(count, Some(own.len()));
            let shown = &own[..own.len().min(room)];
            prop_assert_eq!(to, table(kind, shown, wanted));
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>, room in 0_usize..9, count in 0_usize..9, udp: bool) {
            let kind = if udp { Kind::Udp } else { Kind::Tcp };
            let layout = Layout { sizes: kind.sizes(), room };
            let mut to = [0; 300];
            let wanted = Layout { sizes: kind.sizes(), room: 2 };
            let _ = cut(kind, (&bytes, layout, count), (&mut to, wanted), OWN, |_| true);
        }
    }

    #[test]
    fn tables_of_sockets_are_known() {
        let tcp = (0..8).map(|table| Kind::of(0xeb00_4a03, table));
        let known: Vec<_> = tcp.map(|kind| kind.is_some()).collect();
        assert_eq!(known, [false, false, false, true, true, true, false, false]);
        assert_eq!(Kind::of(0xeb00_4a02, 1), Some(Kind::Udp));
        assert_eq!(Kind::of(0xeb00_4a00, 1), None);
    }
}
