//! Names of named pipes and mailslots.
//!
//! All ways to name the local pipe or mailslot file system lead to one place,
//! `\Device\NamedPipe` or `\Device\MailSlot`; the VM's own names carry the
//! VM's prefix there.

use crate::TooLong;
use crate::units::{SEPARATOR, equals, first_part, join, starts};

/// Which of the two file systems a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The named pipe file system.
    Pipe,
    /// The mailslot file system.
    Mailslot,
}

impl Kind {
    /// The device's NT name.
    #[must_use]
    pub const fn device(self) -> &'static str {
        match self {
            Self::Pipe => "\\Device\\NamedPipe",
            Self::Mailslot => "\\Device\\MailSlot",
        }
    }
}

/// A name in one of the two file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'n> {
    /// Which file system.
    pub kind: Kind,
    /// What follows the device: empty for the device itself, `\` for its root
    /// directory, else `\` and the name.
    pub rest: &'n [u16],
}

/// What follows the prefix of the DOS device directory in `name`: `\??\x`,
/// `\DosDevices\x`, `\GLOBAL??\x` and `\??\GLOBALROOT…` give `\x`, or the name
/// that `GLOBALROOT` leads to with `absolute` set.
#[must_use]
pub fn dos_device(name: &[u16]) -> Option<&[u16]> {
    let (first, rest) = first_part(name)?;
    let dos = equals(first, "??") || equals(first, "DosDevices") || equals(first, "GLOBAL??");
    dos.then_some(rest)
}

/// Follows any number of `\??\GLOBALROOT` and `\??\Global` prefixes, which name
/// the root of the object manager and the global DOS devices.
#[must_use]
pub fn unroot(name: &[u16]) -> &[u16] {
    let mut name = name;
    while let Some((first, rest)) = dos_device(name).and_then(first_part) {
        if equals(first, "GLOBALROOT") && !rest.is_empty() {
            name = rest;
        } else {
            break;
        }
    }
    name
}

/// Tells whether `name` is of the pipe or mailslot file system, in any of the
/// ways to say so. `computer` is the host's own name, which in `\\name\pipe`
/// means the local system.
#[must_use]
pub fn classify<'n>(name: &'n [u16], computer: &[u16]) -> Option<Name<'n>> {
    if is_of_drive(name) {
        return None;
    }
    let name = unroot(name);
    if let Some(rest) = device(name) {
        return of_device(rest);
    }
    let mut dos = dos_device(name)?;
    while let Some((first, rest)) = first_part(dos) {
        if !equals(first, "Global") {
            break;
        }
        dos = rest;
    }
    let (first, rest) = first_part(dos)?;
    if equals(first, "UNC") {
        let (server, share) = first_part(rest)?;
        return is_local(server, computer).then(|| named(share)).flatten();
    }
    named(dos)
}

/// `\??\C:…`, as most names of files begin.
fn is_of_drive(name: &[u16]) -> bool {
    const QUESTION: u16 = b'?' as u16;
    const COLON: u16 = b':' as u16;
    matches!(
        name,
        [SEPARATOR, QUESTION, QUESTION, SEPARATOR, _, COLON, ..]
    )
}

/// `\pipe…` or `\mailslot…`.
fn named(path: &[u16]) -> Option<Name<'_>> {
    let (first, rest) = first_part(path)?;
    let kind = if equals(first, "pipe") {
        Kind::Pipe
    } else if equals(first, "mailslot") {
        Kind::Mailslot
    } else {
        return None;
    };
    Some(Name { kind, rest })
}

/// What follows `\Device` in `name`.
fn device(name: &[u16]) -> Option<&[u16]> {
    let (first, rest) = first_part(name)?;
    equals(first, "Device").then_some(rest)
}

fn of_device(rest: &[u16]) -> Option<Name<'_>> {
    let (first, rest) = first_part(rest)?;
    if equals(first, "NamedPipe") {
        return Some(Name {
            kind: Kind::Pipe,
            rest,
        });
    }
    if equals(first, "MailSlot") {
        return Some(Name {
            kind: Kind::Mailslot,
            rest,
        });
    }
    if equals(first, "Mup") || equals(first, "LanmanRedirector") {
        let (_, share) = first_part(rest)?;
        return named(share);
    }
    None
}

/// Whether `server` of `\\server\pipe` is this computer.
pub(crate) fn is_local(server: &[u16], computer: &[u16]) -> bool {
    let same = |a: &[u16], b: &[u16]| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(&x, &y)| crate::units::fold(x) == crate::units::fold(y))
    };
    equals(server, "localhost")
        || equals(server, ".")
        || starts(server, "127.").is_some()
        || equals(server, "::1")
        || equals(server, "--1.ipv6-literal.net")
        || same(server, computer)
}

/// The VM's real name for `name`, under the VM's `prefix` (`pinion-<id>\`).
/// The device and its root directory have no VM part: they stay as they are.
///
/// # Errors
/// [`TooLong`] when the result is no NT string any more or does not fit `out`.
pub fn map(prefix: &[u16], name: Name<'_>, out: &mut [u16]) -> Result<usize, TooLong> {
    let mut device = [0_u16; 20];
    let mut length = 0;
    for (place, unit) in device.iter_mut().zip(name.kind.device().encode_utf16()) {
        *place = unit;
        length += 1;
    }
    let device = device.get(..length).unwrap_or(&[]);
    match name.rest.split_first() {
        None | Some((_, [])) => join(&[device, name.rest], out),
        Some((_, own)) => join(&[device, &[SEPARATOR], prefix, own], out),
    }
}

/// The name below the device (`\x`) that a program asked for when the file
/// system calls it `real` (`\pinion-<id>\x`), given with the length in units
/// of what was cut after the leading backslash; `None` when it is not the VM's.
#[must_use]
pub fn undo<'n>(prefix: &[u16], real: &'n [u16]) -> Option<&'n [u16]> {
    let (&separator, rest) = real.split_first()?;
    let (head, own) = rest.split_at_checked(prefix.len())?;
    (separator == SEPARATOR && head == prefix).then_some(own)
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

    fn private(name: &str) -> Option<String> {
        let name = w(name);
        let found = classify(&name, &w("HOST"))?;
        let mut out = std::vec![0; 40_000];
        let length = map(&w("pinion-1\\"), found, &mut out).expect("fits");
        Some(String::from_utf16(&out[..length]).expect("UTF-16"))
    }

    #[test]
    fn every_way_to_say_pipe() {
        for name in [
            "\\??\\pipe\\x",
            "\\??\\PIPE\\x",
            "\\DosDevices\\pipe\\x",
            "\\GLOBAL??\\pipe\\x",
            "\\??\\Global\\pipe\\x",
            "\\Device\\NamedPipe\\x",
            "\\??\\GLOBALROOT\\Device\\NamedPipe\\x",
            "\\??\\GLOBALROOT\\??\\pipe\\x",
            "\\??\\UNC\\localhost\\pipe\\x",
            "\\??\\UNC\\127.0.0.1\\pipe\\x",
            "\\??\\UNC\\host\\pipe\\x",
            "\\??\\UNC\\.\\pipe\\x",
        ] {
            assert_eq!(
                private(name).as_deref(),
                Some("\\Device\\NamedPipe\\pinion-1\\x"),
                "{name}"
            );
        }
        assert_eq!(
            private("\\??\\mailslot\\m\\n").as_deref(),
            Some("\\Device\\MailSlot\\pinion-1\\m\\n")
        );
    }

    #[test]
    fn the_device_itself_stays() {
        assert_eq!(
            private("\\??\\pipe").as_deref(),
            Some("\\Device\\NamedPipe")
        );
        assert_eq!(
            private("\\??\\pipe\\").as_deref(),
            Some("\\Device\\NamedPipe\\")
        );
    }

    #[test]
    fn other_names_are_not_pipes() {
        for name in [
            "\\??\\C:\\pipe\\x",
            "\\??\\UNC\\far\\pipe\\x",
            "pipe\\x",
            "\\Device\\Afd",
            "\\??\\pipes\\x",
        ] {
            assert_eq!(private(name), None, "{name}");
        }
    }

    #[test]
    fn the_prefix_of_another_vm_is_a_name_like_any_other() {
        assert_eq!(
            private("\\??\\pipe\\pinion-2\\x").as_deref(),
            Some("\\Device\\NamedPipe\\pinion-1\\pinion-2\\x")
        );
    }

    proptest! {
        #[test]
        fn undoing_gives_the_asked_name(own in "[ -~]{1,40}") {
            let prefix = w("pinion-1\\");
            let asked = w(&std::format!("\\{own}"));
            let mut out = std::vec![0; 40_000];
            let length = map(&prefix, Name { kind: Kind::Pipe, rest: &asked }, &mut out).expect("fits");
            let real = &out[w("\\Device\\NamedPipe").len()..length];
            prop_assert_eq!(undo(&prefix, real), Some(&asked[1..]));
        }

        #[test]
        fn garbage_never_panics(name in proptest::collection::vec(any::<u16>(), 0..100)) {
            let _ = classify(&name, &[]);
        }
    }
}
