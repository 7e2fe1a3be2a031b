//! Boundary descriptors of private namespaces: the bytes by which
//! `NtCreatePrivateNamespace` and `NtOpenPrivateNamespace` find a namespace.
//!
//! The VM's prefix goes before the name that the descriptor holds, so that two
//! VMs which name one boundary never meet. Who may enter is left as it was.
//!
//! Layout (phnt, ntobapi.h): version, item count, total size and flags, four
//! bytes each, then entries of kind, size (with these eight bytes) and value.
//! `RtlCreateBoundaryDescriptor` writes the name first; a descriptor that does
//! not begin with it is refused. Never run on Windows.

/// Bytes of the descriptor before its first entry.
const HEADER: usize = 16;
/// Bytes of an entry before its value.
const ENTRY: usize = 8;
/// `OBJECT_BOUNDARY_DESCRIPTOR_VERSION`.
const VERSION: u32 = 1;
/// `OBNS_Name`.
const NAME: u32 = 1;
/// Units of the prefix: a multiple of eight bytes, so that all that follows
/// stays aligned whether entries are aligned to four bytes or to eight.
pub const PREFIX: usize = 24;
/// The longest descriptor that is mapped, in bytes: a name of 256 units and
/// dozens of SIDs.
pub const LONGEST: usize = 4096;

/// Why a descriptor is refused: `STATUS_INVALID_PARAMETER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsound;

/// The prefix of the VM whose identity is `id`.
#[must_use]
pub fn prefix(id: u64) -> [u16; PREFIX] {
    let mut units = [u16::from(b'\\'); PREFIX];
    for (unit, byte) in units.iter_mut().zip(b"Pinion-") {
        *unit = u16::from(*byte);
    }
    let digits = units.iter_mut().skip(7).take(16);
    for (place, unit) in digits.enumerate() {
        let digit = (id >> (60 - 4 * place) & 0xf) as u32;
        *unit = char::from_digit(digit, 16).map_or(0, |digit| digit as u16);
    }
    units
}

/// The total size that `header`, the first bytes of a descriptor, tells.
///
/// # Errors
/// [`Unsound`] when it is no descriptor, or longer than [`LONGEST`].
pub fn size(header: &[u8]) -> Result<usize, Unsound> {
    let size = word(header, 8)? as usize;
    let sound = word(header, 0)? == VERSION && (HEADER + ENTRY..=LONGEST).contains(&size);
    if sound { Ok(size) } else { Err(Unsound) }
}

/// Writes `given` with `prefix` before its name to `out`, which must have room
/// for both; gives the length written, in bytes.
///
/// # Errors
/// [`Unsound`] when `given` is no descriptor that begins with a name, or `out`
/// has no room.
pub fn map(given: &[u8], prefix: &[u16; PREFIX], out: &mut [u8]) -> Result<usize, Unsound> {
    let total = size(given)?;
    let given = given.get(..total).ok_or(Unsound)?;
    let entry = word(given, HEADER + 4)? as usize;
    if word(given, HEADER)? != NAME || entry < ENTRY || HEADER + entry > total {
        return Err(Unsound);
    }
    let added = PREFIX * 2;
    let length = total + added;
    let out = out.get_mut(..length).ok_or(Unsound)?;
    let (head, tail) = given.split_at(HEADER + ENTRY);
    let (new_head, rest) = out.split_at_mut(head.len());
    let (new_prefix, new_tail) = rest.split_at_mut(added);
    new_head.copy_from_slice(head);
    new_tail.copy_from_slice(tail);
    for (bytes, unit) in new_prefix.chunks_exact_mut(2).zip(prefix) {
        bytes.copy_from_slice(&unit.to_le_bytes());
    }
    put(new_head, 8, length)?;
    put(new_head, HEADER + 4, entry + added)?;
    Ok(length)
}

fn word(bytes: &[u8], at: usize) -> Result<u32, Unsound> {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.copied().map(u32::from_le_bytes).ok_or(Unsound)
}

fn put(bytes: &mut [u8], at: usize, value: usize) -> Result<(), Unsound> {
    let value = u32::try_from(value).map_err(|_| Unsound)?;
    let place = bytes.get_mut(at..at + 4).ok_or(Unsound)?;
    place.copy_from_slice(&value.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// A descriptor as `RtlCreateBoundaryDescriptor` and
    /// `RtlAddSIDToBoundaryDescriptor` write it.
    fn descriptor(name: &[u16], sids: &[Vec<u8>]) -> Vec<u8> {
        let mut entries = Vec::new();
        let name: Vec<u8> = name.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        for (kind, value) in std::iter::once((NAME, &name)).chain(sids.iter().map(|sid| (2, sid))) {
            let size = (ENTRY + value.len()).next_multiple_of(8);
            entries.extend(kind.to_le_bytes());
            entries.extend((size as u32).to_le_bytes());
            entries.extend(value);
            entries.resize(entries.len().next_multiple_of(8), 0);
        }
        let words = [
            VERSION,
            1 + sids.len() as u32,
            (HEADER + entries.len()) as u32,
            0,
        ];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(entries);
        bytes
    }

    fn mapped(given: &[u8], id: u64) -> Result<Vec<u8>, Unsound> {
        let mut out = std::vec![0; LONGEST + PREFIX * 2];
        let length = map(given, &prefix(id), &mut out)?;
        out.truncate(length);
        Ok(out)
    }

    fn name() -> impl Strategy<Value = Vec<u16>> {
        proptest::collection::vec(1_u16.., 1..60)
    }

    fn sids() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 12..40), 0..4)
    }

    proptest! {
        #[test]
        fn the_name_grows_by_the_prefix_and_all_else_stays(name in name(), sids in sids(), id in any::<u64>()) {
            let long: Vec<u16> = prefix(id).iter().chain(&name).copied().collect();
            prop_assert_eq!(mapped(&descriptor(&name, &sids), id), Ok(descriptor(&long, &sids)));
        }

        #[test]
        fn two_vms_never_meet(x in name(), y in name(), a in any::<u64>(), b in any::<u64>()) {
            prop_assume!(a != b);
            prop_assert_ne!(mapped(&descriptor(&x, &[]), a), mapped(&descriptor(&y, &[]), b));
        }

        #[test]
        fn any_bytes_are_refused_or_keep_their_length(bytes in proptest::collection::vec(any::<u8>(), 0..200), sound in any::<bool>()) {
            let mut bytes = bytes;
            if sound {
                let length = bytes.len() as u32;
                bytes.splice(..bytes.len().min(24), [1, 1, length, 0, NAME, 16].iter().flat_map(|word: &u32| word.to_le_bytes()));
            }
            if let Ok(out) = mapped(&bytes, 7) {
                prop_assert_eq!(out.len(), size(&bytes).expect("sound") + PREFIX * 2);
            }
        }
    }

    #[test]
    fn a_descriptor_without_a_name_in_front_is_refused() {
        let mut bytes = descriptor(&[65], &[]);
        bytes[HEADER] = 2;
        assert_eq!(mapped(&bytes, 1), Err(Unsound));
    }

    #[test]
    fn the_prefix_is_the_vms_name() {
        let text = std::string::String::from_utf16(&prefix(0xab)).expect("text");
        assert_eq!(text, "Pinion-00000000000000ab\\");
    }
}
