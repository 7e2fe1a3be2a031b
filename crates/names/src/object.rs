//! Names of the object manager's own objects: mutants, events, semaphores,
//! timers, sections, jobs, completions, directories, symbolic links, ports.
//!
//! An absolute name `N` means `R` followed by `N`, where `R` is the VM's
//! object directory. A relative name needs no mapping: its root handle was
//! decided when it was opened.

use crate::TooLong;
use crate::units::{below, join};

/// Maps the absolute name `name` into the VM whose object directory is
/// `directory`; gives the length written to `out`, in units.
///
/// # Errors
/// [`TooLong`] when the result is no NT string any more or does not fit.
pub fn map(directory: &[u16], name: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    if name == [crate::units::SEPARATOR] {
        return join(&[directory], out);
    }
    join(&[directory, name], out)
}

/// The name that a program asked for when the object manager calls it `real`;
/// `None` when the name is not of this VM. `R` itself is the program's `\`.
#[must_use]
pub fn undo<'n>(directory: &[u16], real: &'n [u16]) -> Option<&'n [u16]> {
    below(real, directory)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn w(s: &str) -> Vec<u16> {
        s.encode_utf16().collect()
    }

    fn directory(id: u64) -> Vec<u16> {
        w(&std::format!(
            "\\Sessions\\1\\BaseNamedObjects\\Pinion-{id:016x}"
        ))
    }

    fn mapped(directory: &[u16], name: &[u16]) -> Vec<u16> {
        let mut out = std::vec![0; 40_000];
        let length = map(directory, name, &mut out).expect("fits");
        out.truncate(length);
        out
    }

    fn name() -> impl Strategy<Value = String> {
        "(\\\\[A-Za-z0-9 _.{}-]{1,12}){1,5}"
    }

    proptest! {
        #[test]
        fn undoing_gives_the_asked_name(id in any::<u64>(), name in name()) {
            let (directory, name) = (directory(id), w(&name));
            let real = mapped(&directory, &name);
            prop_assert_eq!(undo(&directory, &real), Some(&name[..]));
        }

        #[test]
        fn two_vms_never_meet(a in any::<u64>(), b in any::<u64>(), x in name(), y in name()) {
            prop_assume!(a != b);
            prop_assert_ne!(mapped(&directory(a), &w(&x)), mapped(&directory(b), &w(&y)));
        }

        #[test]
        fn mapping_is_injective(id in any::<u64>(), x in name(), y in name()) {
            prop_assume!(x != y);
            prop_assert_ne!(mapped(&directory(id), &w(&x)), mapped(&directory(id), &w(&y)));
        }

        #[test]
        fn nothing_maps_out(id in any::<u64>(), units in proptest::collection::vec(any::<u16>(), 0..200)) {
            let mut name = w("\\");
            name.extend(units);
            let directory = directory(id);
            prop_assert!(below(&mapped(&directory, &name), &directory).is_some());
        }
    }

    #[test]
    fn the_root_is_the_directory() {
        let r = directory(1);
        assert_eq!(mapped(&r, &w("\\")), r);
    }

    #[test]
    fn the_real_name_of_a_vm_maps_like_any_other() {
        let r = directory(1);
        let other = [directory(2), w("\\app")].concat();
        assert_eq!(mapped(&r, &other), [r.clone(), other].concat());
    }

    #[test]
    fn too_long_is_said() {
        let name = std::vec![92_u16; crate::LONGEST];
        let mut out = std::vec![0; 40_000];
        assert_eq!(map(&directory(1), &name, &mut out), Err(TooLong));
    }
}
