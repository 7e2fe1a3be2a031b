//! Names of request queues of the HTTP Server API.
//!
//! http.sys has one list of them for the machine; a VM's have its prefix before
//! them there. Pure functions.

use crate::TooLong;
use crate::boundary;
use crate::units::join;

/// The length of what goes before a name, in units: that of other named things, and
/// a dash where those have a separator, which has a meaning in a device's name.
pub const PREFIX: usize = boundary::PREFIX;

/// The most units of a name: http.sys takes `MAX_PATH` bytes (documentation of
/// `HttpCreateRequestQueue`: "the length, in bytes").
pub const LONGEST: usize = 260 / 2;

/// What goes before the names of the queues of the VM `id`: `Pinion-<id>-`.
#[must_use]
pub fn prefix(id: u64) -> [u16; PREFIX] {
    let mut units = boundary::prefix(id);
    if let Some(last) = units.last_mut() {
        *last = u16::from(b'-');
    }
    units
}

/// Writes the VM's name for `name` to `out`, with a zero at its end; its length
/// without that.
///
/// # Errors
/// [`TooLong`] when http.sys would not take it.
pub fn map(id: u64, name: &[u16], out: &mut [u16; LONGEST + 1]) -> Result<usize, TooLong> {
    let length = join(&[&prefix(id), name], out)?;
    *out.get_mut(length).ok_or(TooLong)? = 0;
    Ok(length)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn mapped(id: u64, name: &[u16]) -> Result<Vec<u16>, TooLong> {
        let mut out = [1; LONGEST + 1];
        let length = map(id, name, &mut out)?;
        assert_eq!(out[length], 0);
        Ok(out[..length].to_vec())
    }

    #[test]
    fn a_name_is_the_vms() {
        let name: Vec<u16> = "site".encode_utf16().collect();
        let real = mapped(0xab, &name).expect("fits");
        assert_eq!(
            String::from_utf16(&real).expect("text"),
            "Pinion-00000000000000ab-site"
        );
        assert!(mapped(1, &[65; LONGEST - PREFIX]).is_ok());
        assert_eq!(mapped(1, &[65; LONGEST - PREFIX + 1]), Err(TooLong));
    }

    proptest! {
        #[test]
        fn two_vms_never_meet(a in any::<u64>(), b in any::<u64>(), x in proptest::collection::vec(1_u16.., 0..60), y in proptest::collection::vec(1_u16.., 0..60)) {
            prop_assume!(a != b);
            prop_assert_ne!(mapped(a, &x), mapped(b, &y));
        }
    }
}
