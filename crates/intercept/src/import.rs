//! Find where a module keeps the address of a function that it imports, by the
//! module's bytes as they are mapped. Pure and bounds-checked: a damaged module
//! yields `None`. The layout is that of the PE format's import directory.

/// The size of an `IMAGE_IMPORT_DESCRIPTOR`.
const DESCRIPTOR: usize = 20;
/// An import by number: the top bit of its entry.
const BY_NUMBER: u64 = 1 << 63;

/// The RVA of the slot that holds the address of `function` of `dll`, whose name
/// is compared in any case; the function's is exact.
#[must_use]
pub fn slot(bytes: &[u8], dll: &[u8], function: &[u8]) -> Option<usize> {
    let mut descriptor = directory(bytes)?;
    loop {
        let (lookup, name, slots) = (
            word(bytes, descriptor)? as usize,
            word(bytes, descriptor.checked_add(12)?)? as usize,
            word(bytes, descriptor.checked_add(16)?)? as usize,
        );
        if name == 0 || slots == 0 {
            return None;
        }
        if text(bytes, name)?.eq_ignore_ascii_case(dll) {
            // Linkers may leave the lookup table out; its copy is overwritten by then.
            if lookup == 0 {
                return None;
            }
            if let Some(index) = position(bytes, lookup, function) {
                return slots.checked_add(index.checked_mul(8)?);
            }
        }
        descriptor = descriptor.checked_add(DESCRIPTOR)?;
    }
}

/// The RVA of the import directory of a PE32+ module.
fn directory(bytes: &[u8]) -> Option<usize> {
    if bytes.get(..2)? != b"MZ" {
        return None;
    }
    let header = word(bytes, 0x3c)? as usize;
    if bytes.get(header..header.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let optional = header.checked_add(24)?;
    if bytes.get(optional..optional.checked_add(2)?)? != [0x0b, 2] {
        return None;
    }
    let rva = word(bytes, optional.checked_add(120)?)?;
    (rva != 0).then_some(rva as usize)
}

/// Which entry of the lookup table at `lookup` names `function`.
fn position(bytes: &[u8], lookup: usize, function: &[u8]) -> Option<usize> {
    let mut index = 0_usize;
    loop {
        let at = lookup.checked_add(index.checked_mul(8)?)?;
        let entry = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        if entry == 0 {
            return None;
        }
        // A hint of two bytes stands before the name.
        if entry & BY_NUMBER == 0
            && text(bytes, usize::try_from(entry).ok()?.checked_add(2)?)? == function
        {
            return Some(index);
        }
        index += 1;
    }
}

/// The text at `at`, up to its zero.
fn text(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|&byte| byte == 0)?;
    rest.get(..end)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::slot;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// A module that imports two functions of `ntdll.dll` and, of `NTOSKRNL.exe`,
    /// one by number and one by name.
    fn module() -> Vec<u8> {
        let mut bytes = vec![0_u8; 0x800];
        let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
        put(0, b"MZ");
        put(0x3c, &0x80_u32.to_le_bytes());
        put(0x80, b"PE\0\0");
        put(0x98, &0x20b_u16.to_le_bytes());
        put(0x98 + 120, &0x200_u32.to_le_bytes());
        for (index, (lookup, name, slots)) in
            [(0x300_u32, 0x400_u32, 0x500_u32), (0x340, 0x420, 0x540)]
                .into_iter()
                .enumerate()
        {
            let at = 0x200 + index * 20;
            put(at, &lookup.to_le_bytes());
            put(at + 12, &name.to_le_bytes());
            put(at + 16, &slots.to_le_bytes());
        }
        put(0x400, b"ntdll.dll\0");
        put(0x420, b"NTOSKRNL.exe\0");
        put(0x300, &0x600_u64.to_le_bytes());
        put(0x308, &0x620_u64.to_le_bytes());
        put(0x340, &((1_u64 << 63) | 7).to_le_bytes());
        put(0x348, &0x640_u64.to_le_bytes());
        put(0x602, b"NtA\0");
        put(0x622, b"NtB\0");
        put(0x642, b"IoA\0");
        bytes
    }

    #[test]
    fn finds_the_slot_of_a_name_and_of_no_other() {
        let bytes = module();
        assert_eq!(slot(&bytes, b"ntdll.dll", b"NtA"), Some(0x500));
        assert_eq!(slot(&bytes, b"NTDLL.DLL", b"NtB"), Some(0x508));
        assert_eq!(slot(&bytes, b"ntoskrnl.exe", b"IoA"), Some(0x548));
        assert_eq!(slot(&bytes, b"ntdll.dll", b"IoA"), None);
        assert_eq!(slot(&bytes, b"ntdll.dll", b"nta"), None);
        assert_eq!(slot(&bytes, b"other.dll", b"NtA"), None);
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0..0x800_usize, to in any::<u8>(), cut in 0..0x800_usize) {
            let mut bytes = module();
            bytes[at] = to;
            bytes.truncate(cut);
            let _ = slot(&bytes, b"ntoskrnl.exe", b"IoA");
        }
    }
}
