//! The table of all handles (`SYSTEM_HANDLE_INFORMATION_EX`): shown with those
//! of members only, also in its older form with 16-bit fields; and made anew
//! where the kernel must not be asked for it.

use crate::{Damaged, number, put};

/// The head of `SYSTEM_HANDLE_INFORMATION_EX`: the count and a reserved word.
const HEAD: usize = 16;
/// The size of `SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX`: object, process id, handle
/// (8 bytes each), access (4), back trace and type (2 each), attributes and a
/// reserved number (4 each).
const ENTRY: usize = 40;
/// The head of `SYSTEM_HANDLE_INFORMATION`, the count and what aligns the rest.
const OLD_HEAD: usize = 8;
/// The size of `SYSTEM_HANDLE_TABLE_ENTRY_INFO`: process id and back trace (2
/// bytes each), type and attributes (1 each), handle (2), object (8), access (4)
/// and what aligns the next.
const OLD_ENTRY: usize = 24;

/// Takes all handles but those of members out of the table in `bytes`. How many
/// bytes are left.
///
/// # Errors
/// [`Damaged`] when the table is longer than the bytes.
pub fn keep(bytes: &mut [u8], member: impl Fn(u64) -> bool) -> Result<usize, Damaged> {
    let mut kept = 0;
    for index in 0..count(bytes)? {
        let entry = entry(bytes, index)?;
        if number::<8>(&entry, 8).is_some_and(&member) {
            put(bytes, HEAD + kept * ENTRY, entry).ok_or(Damaged)?;
            kept += 1;
        }
    }
    put(bytes, 0, (kept as u64).to_le_bytes()).ok_or(Damaged)?;
    Ok(HEAD + kept * ENTRY)
}

/// The same, and makes of it the older `SYSTEM_HANDLE_INFORMATION`, whose
/// fields hold the lower bits only.
///
/// # Errors
/// [`Damaged`] when the table is longer than the bytes.
pub fn keep_old(bytes: &mut [u8], member: impl Fn(u64) -> bool) -> Result<usize, Damaged> {
    let mut kept = 0;
    for index in 0..count(bytes)? {
        let entry = entry(bytes, index)?;
        if number::<8>(&entry, 8).is_some_and(&member) {
            let old = older(&entry);
            put(bytes, OLD_HEAD + kept * OLD_ENTRY, old).ok_or(Damaged)?;
            kept += 1;
        }
    }
    put(bytes, 0, (kept as u64).to_le_bytes()).ok_or(Damaged)?;
    Ok(OLD_HEAD + kept * OLD_ENTRY)
}

/// What the table tells of one handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handle {
    /// The id of the process that has it.
    pub process: u64,
    /// The handle itself.
    pub value: u64,
    /// The access that it was given.
    pub access: u32,
    /// The index of its object's type.
    pub kind: u16,
    /// `OBJ_INHERIT` and `OBJ_PROTECT_CLOSE`.
    pub attributes: u32,
}

/// A table of handles in the making. Without back traces and addresses of
/// objects, as Wine's.
#[derive(Debug)]
pub struct Table<'a> {
    bytes: &'a mut [u8],
    count: usize,
}

impl<'a> Table<'a> {
    /// An empty table that goes to `bytes`.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, count: 0 }
    }

    /// Adds a handle. One that has no room is counted only.
    pub fn add(&mut self, handle: Handle) {
        let mut entry = [0; ENTRY];
        let numbers = [
            put(&mut entry, 8, handle.process.to_le_bytes()),
            put(&mut entry, 16, handle.value.to_le_bytes()),
            put(&mut entry, 24, handle.access.to_le_bytes()),
            put(&mut entry, 30, handle.kind.to_le_bytes()),
            put(&mut entry, 32, handle.attributes.to_le_bytes()),
        ];
        debug_assert!(numbers.iter().all(Option::is_some));
        // What does not fit shows in the size.
        let _ = put(self.bytes, HEAD + self.count * ENTRY, entry);
        self.count += 1;
    }

    /// Writes the head. The table's size in bytes; when the bytes are fewer,
    /// what is in them is no table.
    pub fn finish(self) -> usize {
        if let Some(head) = self.bytes.get_mut(..HEAD) {
            head.fill(0);
        }
        // Without a head the size is larger than the bytes.
        let _ = put(self.bytes, 0, (self.count as u64).to_le_bytes());
        HEAD + self.count * ENTRY
    }
}

fn count(bytes: &[u8]) -> Result<usize, Damaged> {
    let count = number::<8>(bytes, 0).ok_or(Damaged)?;
    let count = usize::try_from(count).map_err(|_| Damaged)?;
    let room = bytes.len().checked_sub(HEAD).ok_or(Damaged)? / ENTRY;
    if count > room {
        Err(Damaged)
    } else {
        Ok(count)
    }
}

fn entry(bytes: &[u8], index: usize) -> Result<[u8; ENTRY], Damaged> {
    let entry = bytes
        .get(HEAD + index * ENTRY..)
        .and_then(|rest| rest.first_chunk());
    entry.copied().ok_or(Damaged)
}

fn older(entry: &[u8; ENTRY]) -> [u8; OLD_ENTRY] {
    let mut old = [0; OLD_ENTRY];
    // The older field, the newer one, and how many bytes of it.
    for (to, from, size) in [
        (0, 8, 2),
        (2, 28, 2),
        (4, 30, 1),
        (5, 32, 1),
        (6, 16, 2),
        (8, 0, 8),
        (16, 24, 4),
    ] {
        if let (Some(to), Some(from)) = (old.get_mut(to..to + size), entry.get(from..from + size)) {
            to.copy_from_slice(from);
        }
    }
    old
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[derive(Debug, Clone, PartialEq)]
    struct Full {
        object: u64,
        process: u64,
        value: u64,
        access: u32,
        trace: u16,
        kind: u16,
        attributes: u32,
    }

    fn handle() -> impl Strategy<Value = Full> {
        (
            any::<u64>(),
            0_u64..9,
            any::<u64>(),
            any::<u32>(),
            any::<u16>(),
            any::<u16>(),
            any::<u32>(),
        )
            .prop_map(
                |(object, process, value, access, trace, kind, attributes)| Full {
                    object,
                    process,
                    value,
                    access,
                    trace,
                    kind,
                    attributes,
                },
            )
    }

    fn table(handles: &[Full]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((handles.len() as u64).to_le_bytes());
        bytes.extend([0; 8]);
        for handle in handles {
            for word in [handle.object, handle.process, handle.value] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(handle.access.to_le_bytes());
            bytes.extend(handle.trace.to_le_bytes());
            bytes.extend(handle.kind.to_le_bytes());
            bytes.extend(handle.attributes.to_le_bytes());
            bytes.extend([0; 4]);
        }
        bytes
    }

    fn old_table(handles: &[Full]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((handles.len() as u64).to_le_bytes());
        for handle in handles {
            bytes.extend((handle.process as u16).to_le_bytes());
            bytes.extend(handle.trace.to_le_bytes());
            bytes.extend([handle.kind as u8, handle.attributes as u8]);
            bytes.extend((handle.value as u16).to_le_bytes());
            bytes.extend(handle.object.to_le_bytes());
            bytes.extend(handle.access.to_le_bytes());
            bytes.extend([0; 4]);
        }
        bytes
    }

    proptest! {
        #[test]
        fn handles_of_members_are_left(handles in prop::collection::vec(handle(), 0..20), members: u16) {
            let member = |id: u64| members >> id & 1 == 1;
            let wanted: Vec<_> = handles.iter().filter(|handle| member(handle.process)).cloned().collect();
            let mut bytes = table(&handles);
            let size = keep(&mut bytes, member).expect("whole");
            prop_assert_eq!(&bytes[..size], &table(&wanted));
            let mut bytes = table(&handles);
            let size = keep_old(&mut bytes, member).expect("whole");
            prop_assert_eq!(&bytes[..size], &old_table(&wanted));
        }

        #[test]
        fn a_table_that_is_made_reads_as_the_kernels(
            handles in prop::collection::vec(handle(), 0..20),
            room in 0_usize..900,
        ) {
            let wanted: Vec<_> = handles
                .into_iter()
                .map(|handle| Full { object: 0, trace: 0, ..handle })
                .collect();
            let whole = table(&wanted);
            let mut bytes = std::vec![0xaa; room];
            let mut made = Table::new(&mut bytes);
            for handle in &wanted {
                made.add(Handle {
                    process: handle.process,
                    value: handle.value,
                    access: handle.access,
                    kind: handle.kind,
                    attributes: handle.attributes,
                });
            }
            let size = made.finish();
            prop_assert_eq!(size, whole.len());
            if size <= room {
                prop_assert_eq!(&bytes[..size], &whole);
            }
        }

        #[test]
        fn garbage_never_panics(mut bytes: Vec<u8>, count in 0_u64..9) {
            let _ = keep(&mut bytes.clone(), |_| true);
            let _ = keep_old(&mut bytes.clone(), |_| true);
            put(&mut bytes, 0, count.to_le_bytes());
            let size = bytes.len();
            prop_assert!(keep(&mut bytes, |_| true).unwrap_or(0) <= size);
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_is_damaged() {
        let mut bytes = table(&[]);
        put(&mut bytes, 0, 1_u64.to_le_bytes());
        assert_eq!(keep(&mut bytes, |_| true), Err(Damaged));
        assert_eq!(keep_old(&mut bytes, |_| true), Err(Damaged));
        assert_eq!(keep(&mut [], |_| true), Err(Damaged));
    }
}
