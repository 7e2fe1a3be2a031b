//! Names of global atoms, and so of registered messages, clipboard formats and
//! window properties.
//!
//! One table of atoms serves all programs of a window station, on Wine all
//! programs. A VM's names begin with a mark of its own there. An atom whose name
//! does not is not the VM's.

/// The most units that an atom's name has (`MAX_ATOM_LEN` of Wine's
/// ntdll/unix/sync.c; AddAtom documentation).
pub const LONGEST: usize = 255;

/// The units of a VM's mark.
pub const MARK: usize = 5;

/// The mark of a VM: its id, 14 bits a unit, as CJK ideographs, which have no
/// upper and lower case: names of atoms are compared without regard to it.
#[must_use]
pub fn mark(id: u64) -> [u16; MARK] {
    core::array::from_fn(|at| 0x4e00 + (id >> (14 * at) & 0x3fff) as u16)
}

/// Whether a name is a number, `#` and digits: it means the number and is in no
/// table.
#[must_use]
pub fn is_number(name: &[u16]) -> bool {
    const HASH: u16 = b'#' as u16;
    let Some((&HASH, digits)) = name.split_first() else {
        return false;
    };
    let is_digit = |unit: &u16| (u16::from(b'0')..=u16::from(b'9')).contains(unit);
    !digits.is_empty() && digits.iter().all(is_digit)
}

/// The name of the VM's atom in the table; `None` when it has no room there.
#[must_use]
pub fn map<'o>(id: u64, name: &[u16], out: &'o mut [u16; LONGEST]) -> Option<&'o [u16]> {
    let end = MARK.checked_add(name.len())?;
    let (head, rest) = out.get_mut(..end)?.split_at_mut(MARK);
    head.copy_from_slice(&mark(id));
    rest.copy_from_slice(name);
    out.get(..end)
}

/// The name that the VM's program gave; `None` when the atom is not the VM's.
#[must_use]
pub fn undo(id: u64, real: &[u16]) -> Option<&[u16]> {
    real.strip_prefix(&mark(id))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn mapped(id: u64, name: &[u16]) -> Option<Vec<u16>> {
        map(id, name, &mut [0; LONGEST]).map(<[u16]>::to_vec)
    }

    #[test]
    fn numbers_are_digits_after_a_hash() {
        let is = |text: &str| is_number(&text.encode_utf16().collect::<Vec<_>>());
        assert!(is("#1") && is("#49151") && is("#999999"));
        assert!(!is("#") && !is("#1a") && !is("1") && !is("") && !is("# 1") && !is("a#1"));
    }

    #[test]
    fn a_name_without_room_is_said() {
        let name = std::vec![97; LONGEST];
        assert!(mapped(1, name.get(..250).expect("long enough")).is_some());
        assert!(mapped(1, name.get(..251).expect("long enough")).is_none());
    }

    proptest! {
        #[test]
        fn undoing_gives_the_asked_name(id in any::<u64>(), name in proptest::collection::vec(any::<u16>(), 0..250)) {
            let real = mapped(id, &name).expect("has room");
            prop_assert_eq!(undo(id, &real), Some(&name[..]));
        }

        #[test]
        fn another_vms_atom_is_not_the_vms(a in any::<u64>(), b in any::<u64>(), name in proptest::collection::vec(any::<u16>(), 0..250)) {
            prop_assume!(a != b);
            let real = mapped(a, &name).expect("has room");
            prop_assert_eq!(undo(b, &real), None);
        }

        #[test]
        fn a_mark_has_no_case_and_is_no_number(id in any::<u64>()) {
            for unit in mark(id) {
                let unit = char::from_u32(u32::from(unit)).expect("an ideograph");
                prop_assert!(unit.is_alphabetic() && !unit.is_uppercase() && !unit.is_lowercase());
            }
            prop_assert!(!is_number(&mark(id)));
        }
    }
}
