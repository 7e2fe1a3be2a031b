//! Where an object's name is: in the session's directory of programs' own objects,
//! in the one of all sessions, or elsewhere, where no rule can be about it.
//!
//! The links among these directories (`Local`, `Global`, `Session\N`) are those
//! that the supervisor makes in every VM, like NT's own.

use super::places;
use pinion_names::TooLong;
use pinion_names::units::{SEPARATOR, equals, first_part, join};

/// An object in one of the two directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'n> {
    /// The directory: one bit of [`places`], or both in session 0, which has one
    /// directory for both.
    pub places: u8,
    /// The name in it; it has no backslash.
    pub leaf: &'n [u16],
}

/// Where the VM's absolute name `name` leads, following the directories' own links;
/// `None` when it is of neither directory, or lies deeper in it.
#[must_use]
pub fn find(session: u32, name: &[u16]) -> Option<Place<'_>> {
    let (mut at, mut rest) = directory(session, name)?;
    loop {
        let (first, below) = first_part(rest)?;
        if below.is_empty() {
            let is_link = ["Local", "Global", "Session"]
                .iter()
                .any(|link| equals(first, link));
            let sound = !first.is_empty() && !is_link;
            return sound.then_some(Place {
                places: at,
                leaf: first,
            });
        }
        (at, rest) = if equals(first, "Local") {
            (at, below)
        } else if equals(first, "Global") {
            (of_session(session, 0), below)
        } else if equals(first, "Session") {
            numbered(session, below)?
        } else {
            return None;
        };
    }
}

/// The directory that `name` begins with, and what follows it.
fn directory(session: u32, name: &[u16]) -> Option<(u8, &[u16])> {
    let (first, rest) = first_part(name)?;
    if equals(first, "BaseNamedObjects") {
        return Some((of_session(session, 0), rest));
    }
    let sessions = equals(first, "Sessions").then_some(rest)?;
    let (second, rest) = first_part(sessions)?;
    if equals(second, "BNOLINKS") {
        return numbered(session, rest);
    }
    let (at, below) = numbered(session, sessions)?;
    let (third, rest) = first_part(below)?;
    (session != 0 && at == places::LOCAL && equals(third, "BaseNamedObjects")).then_some((at, rest))
}

/// The directory of the session whose number `rest` begins with: the VM's own, or 0.
fn numbered(session: u32, rest: &[u16]) -> Option<(u8, &[u16])> {
    let (digits, rest) = first_part(rest)?;
    let is_number = |number: u32| {
        let mut buffer = [0; 10];
        digits == decimal(number, &mut buffer)
    };
    [session, 0]
        .into_iter()
        .find(|&number| is_number(number))
        .map(|number| (of_session(session, number), rest))
}

fn of_session(own: u32, number: u32) -> u8 {
    match (own, number) {
        (0, _) => places::ANY,
        (_, 0) => places::GLOBAL,
        _ => places::LOCAL,
    }
}

/// `number` in digits.
fn decimal(mut number: u32, buffer: &mut [u16; 10]) -> &[u16] {
    let mut length = 0;
    for place in buffer.iter_mut().rev() {
        *place = u16::from(b'0') + (number % 10) as u16;
        length += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    buffer.get(buffer.len() - length..).unwrap_or(&[])
}

/// Writes the host's name of the object, in the same session.
///
/// # Errors
/// [`TooLong`] when it does not fit `out` or an NT string.
pub fn on_host(session: u32, place: Place<'_>, out: &mut [u16]) -> Result<usize, TooLong> {
    let mut buffer = [0; 10];
    let global = ascii(b"\\BaseNamedObjects");
    let sessions = ascii(b"\\Sessions\\");
    let tail: [&[u16]; 3] = [&global, &[SEPARATOR], place.leaf];
    if place.places & places::GLOBAL != 0 {
        return join(&tail, out);
    }
    let [base, separator, leaf] = tail;
    let number = decimal(session, &mut buffer);
    join(&[&sessions, number, base, separator, leaf], out)
}

fn ascii<const N: usize>(text: &[u8; N]) -> [u16; N] {
    text.map(u16::from)
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

    fn found(session: u32, name: &str) -> Option<(u8, String)> {
        let name = w(name);
        find(session, &name).map(|place| {
            let leaf = String::from_utf16(place.leaf).expect("UTF-16");
            (place.places, leaf)
        })
    }

    #[test]
    fn all_forms_lead_to_the_two_directories() {
        let x = |places| Some((places, String::from("x")));
        for (name, expected) in [
            (r"\Sessions\1\BaseNamedObjects\x", x(places::LOCAL)),
            (r"\sessions\1\basenamedobjects\LOCAL\x", x(places::LOCAL)),
            (
                r"\Sessions\1\BaseNamedObjects\Session\1\x",
                x(places::LOCAL),
            ),
            (r"\BaseNamedObjects\Session\1\Local\x", x(places::LOCAL)),
            (r"\Sessions\BNOLINKS\1\x", x(places::LOCAL)),
            (r"\BaseNamedObjects\x", x(places::GLOBAL)),
            (r"\Sessions\1\BaseNamedObjects\Global\x", x(places::GLOBAL)),
            (r"\BaseNamedObjects\Local\x", x(places::GLOBAL)),
            (r"\Sessions\BNOLINKS\0\x", x(places::GLOBAL)),
            (
                r"\Sessions\1\BaseNamedObjects\Session\0\x",
                x(places::GLOBAL),
            ),
            (r"\Sessions\2\BaseNamedObjects\x", None),
            (r"\Sessions\0\BaseNamedObjects\x", None),
            (r"\Sessions\01\BaseNamedObjects\x", None),
            (r"\BaseNamedObjects", None),
            (r"\BaseNamedObjects\", None),
            (r"\BaseNamedObjects\Local", None),
            (r"\BaseNamedObjects\Global\", None),
            (r"\BaseNamedObjects\Session\1", None),
            (r"\BaseNamedObjects\Session\2\x", None),
            (r"\BaseNamedObjects\a\x", None),
            (r"\KernelObjects\x", None),
            (r"\RPC Control\x", None),
            (r"\", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(found(1, name), expected, "{name}");
        }
        assert_eq!(
            found(12, r"\Sessions\12\BaseNamedObjects\x"),
            x(places::LOCAL)
        );
        assert_eq!(found(0, r"\BaseNamedObjects\x"), x(places::ANY));
        assert_eq!(found(0, r"\BaseNamedObjects\Global\x"), x(places::ANY));
    }

    fn host(session: u32, places: u8, leaf: &str) -> String {
        let (leaf, mut out) = (w(leaf), [0; 200]);
        let place = Place {
            places,
            leaf: &leaf,
        };
        let length = on_host(session, place, &mut out).expect("fits");
        String::from_utf16(&out[..length]).expect("UTF-16")
    }

    #[test]
    fn the_hosts_names() {
        assert_eq!(
            host(1, places::LOCAL, "x"),
            r"\Sessions\1\BaseNamedObjects\x"
        );
        assert_eq!(
            host(4_294_967_295, places::LOCAL, "x"),
            r"\Sessions\4294967295\BaseNamedObjects\x"
        );
        assert_eq!(host(1, places::GLOBAL, "x"), r"\BaseNamedObjects\x");
        assert_eq!(host(0, places::ANY, "x"), r"\BaseNamedObjects\x");
    }

    proptest! {
        /// No name leads to anything of the host but an object right in one of the two
        /// directories: not into a VM's directory, and not to a directory itself.
        #[test]
        fn a_name_on_the_host_is_right_in_its_directory(
            session in 0_u32..3,
            parts in proptest::collection::vec(
                prop_oneof!["Sessions|BaseNamedObjects|BNOLINKS|Local|Global|Session|0|1|2", "[a-zP-]{0,3}"], 0..7),
        ) {
            let name: String = parts.iter().map(|part| std::format!("\\{part}")).collect();
            let name = w(&name);
            if let Some(place) = find(session, &name) {
                let mut out = [0; 200];
                let length = on_host(session, place, &mut out).expect("fits");
                let host = String::from_utf16(&out[..length]).expect("UTF-16");
                let depth = host.split('\\').count() - 1;
                prop_assert_eq!(depth, if host.starts_with(r"\BaseNamedObjects\") { 2 } else { 4 });
                prop_assert!(!place.leaf.is_empty() && !place.leaf.contains(&SEPARATOR));
                // And there it is found again.
                prop_assert_eq!(find(session, &out[..length]), Some(place));
            }
        }

        #[test]
        fn garbage_never_panics(session in any::<u32>(), name in proptest::collection::vec(any::<u16>(), 0..60)) {
            let _ = find(session, &name);
        }
    }
}
