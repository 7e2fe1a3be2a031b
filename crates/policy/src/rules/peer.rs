//! The real names of another VM, where a rule leads there.

use super::place::{self, Place};
use super::places;
use pinion_names::units::{SEPARATOR, below, join};
use pinion_names::{TooLong, boundary};

/// The length of what goes before a VM's pipes, in units.
pub const PREFIX: usize = boundary::PREFIX;

/// What goes before the names of pipes and mailslots of the VM: `pinion-<id>\`.
#[must_use]
pub fn pipe_prefix(id: u64) -> [u16; PREFIX] {
    let mut units = boundary::prefix(id);
    if let Some(first) = units.first_mut() {
        *first = u16::from(b'p');
    }
    units
}

/// Writes the NT path of the VM's object directory.
///
/// # Errors
/// [`TooLong`] when it does not fit.
pub fn directory(session: u32, id: u64, out: &mut [u16]) -> Result<usize, TooLong> {
    let own = if session == 0 {
        places::GLOBAL
    } else {
        places::LOCAL
    };
    let prefix = boundary::prefix(id);
    // Without the separator that ends it.
    let leaf = prefix.get(..PREFIX - 1).unwrap_or(&[]);
    place::on_host(session, Place { places: own, leaf }, out)
}

/// Writes the real name of the object in the VM's directory.
///
/// # Errors
/// [`TooLong`] when it does not fit `out` or an NT string.
pub fn object(session: u32, id: u64, place: Place<'_>, out: &mut [u16]) -> Result<usize, TooLong> {
    let mut name = [0; LONGEST_PLACE];
    let length = place::on_host(session, Place { leaf: &[], ..place }, &mut name)?;
    let head = directory(session, id, out)?;
    let rest = out.get_mut(head..).ok_or(TooLong)?;
    let tail = join(&[name.get(..length).unwrap_or(&[]), place.leaf], rest)?;
    let length = head + tail;
    if length > pinion_names::LONGEST {
        return Err(TooLong);
    }
    Ok(length)
}

/// The longest of the two directories with its separator, in units:
/// `\Sessions\4294967295\BaseNamedObjects\`.
const LONGEST_PLACE: usize = 38;

/// The name inside of the VM that the object manager calls `real`; `None` when it
/// is none of it.
#[must_use]
pub fn undo(session: u32, id: u64, real: &[u16]) -> Option<&[u16]> {
    let mut room = [0; LONGEST_PLACE + PREFIX];
    let length = directory(session, id, &mut room).ok()?;
    below(real, room.get(..length)?).filter(|rest| rest.first() == Some(&SEPARATOR))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn w(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn named(session: u32, id: u64, places: u8, leaf: &[u16]) -> String {
        let mut out = [0; 300];
        let length = object(session, id, Place { places, leaf }, &mut out).expect("fits");
        String::from_utf16(&out[..length]).expect("UTF-16")
    }

    #[test]
    fn names_in_another_vm() {
        let x = w("x");
        assert_eq!(
            named(1, 10, places::LOCAL, &x),
            r"\Sessions\1\BaseNamedObjects\Pinion-000000000000000a\Sessions\1\BaseNamedObjects\x"
        );
        assert_eq!(
            named(1, 10, places::GLOBAL, &x),
            r"\Sessions\1\BaseNamedObjects\Pinion-000000000000000a\BaseNamedObjects\x"
        );
        assert_eq!(
            named(0, u64::MAX, places::ANY, &x),
            r"\BaseNamedObjects\Pinion-ffffffffffffffff\BaseNamedObjects\x"
        );
        let prefix = pipe_prefix(10);
        assert_eq!(
            String::from_utf16(&prefix).expect("UTF-16"),
            "pinion-000000000000000a\\"
        );
    }

    proptest! {
        #[test]
        fn undoing_gives_the_name_in_the_vm(session in any::<u32>(), id in any::<u64>(), places in 1_u8..3, leaf in "[a-z]{1,9}") {
            let leaf = w(&leaf);
            let real = w(&named(session, id, places, &leaf));
            let own = undo(session, id, &real).expect("of the VM");
            let found = place::find(session, own).expect("a place");
            prop_assert_eq!(found.leaf, &leaf[..]);
            prop_assert_eq!(undo(session, id ^ 1, &real), None);
        }
    }
}
