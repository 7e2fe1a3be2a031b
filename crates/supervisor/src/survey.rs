//! Which system calls a DLL exports that the catalogue does not know.
//!
//! Pure over the DLL's bytes as they are mapped. A call is what its code is: a
//! name more for a known one changes nothing, since its hook is in the code.

use std::collections::BTreeMap;

use pinion_channels::unknown::{Suspicion, suspicion};
use pinion_channels::{Module, find};
use pinion_intercept::export;
use pinion_intercept::stub;

/// What a DLL exports as system calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The DLL.
    pub module: Module,
    /// How many system calls it exports.
    pub calls: usize,
    /// Those that the catalogue does not know.
    pub unknown: Vec<Unknown>,
}

/// A system call that the catalogue does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its name.
    pub name: String,
    /// Why it may lead out of a VM; `None` when nothing in its name says so.
    pub suspicion: Option<Suspicion>,
}

/// Looks through the exports of `bytes`; `None` when they are no DLL's.
#[must_use]
pub fn survey(module: Module, bytes: &[u8]) -> Option<Survey> {
    let mut names: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (name, rva) in export::Module::new(bytes)?.names() {
        if bytes.get(rva as usize..).is_some_and(stub::begins) {
            let name = String::from_utf8_lossy(name).into_owned();
            names.entry(rva).or_default().push(name);
        }
    }
    let calls = names.len();
    let unknown = names
        .into_values()
        .filter(|names| names.iter().all(|name| find(name).is_none()))
        .filter_map(|names| names.into_iter().min())
        .map(|name| Unknown {
            suspicion: suspicion(module, &name),
            name,
        });
    Some(Survey {
        module,
        calls,
        unknown: unknown.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DLL that exports `names` (sorted), each with the code at its place.
    fn dll(names: &[(&str, u32)], stubs: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0xc3_u8; 0x3000];
        bytes[..0x1000].fill(0);
        let put = |bytes: &mut Vec<u8>, at: usize, value: u32| {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        };
        bytes[..2].copy_from_slice(b"MZ");
        put(&mut bytes, 0x3c, 0x80);
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x98..0x9a].copy_from_slice(&0x20b_u16.to_le_bytes());
        for (at, value) in [(0x98 + 112, 0x200), (0x98 + 116, 0xd00)] {
            put(&mut bytes, at, value);
        }
        for (at, value) in [
            (24, names.len() as u32),
            (28, 0x300),
            (32, 0x400),
            (36, 0x500),
        ] {
            put(&mut bytes, 0x200 + at, value);
        }
        let mut text = 0x600;
        for (index, (name, rva)) in names.iter().enumerate() {
            put(&mut bytes, 0x300 + index * 4, *rva);
            put(&mut bytes, 0x400 + index * 4, text as u32);
            bytes[0x500 + index * 2] = index as u8;
            bytes[text..text + name.len()].copy_from_slice(name.as_bytes());
            text += name.len() + 1;
        }
        for &stub in stubs {
            let at = stub as usize;
            bytes[at..at + 4].copy_from_slice(&[0x4c, 0x8b, 0xd1, 0xb8]);
        }
        bytes
    }

    fn of(names: &[(&str, u32)], stubs: &[u32]) -> Survey {
        survey(Module::Ntdll, &dll(names, stubs)).expect("a DLL")
    }

    #[test]
    fn known_calls_and_plain_functions_are_no_news() {
        let found = of(
            &[
                ("NtClose", 0x1000),
                ("RtlSomething", 0x1020),
                ("ZwClose", 0x1000),
            ],
            &[0x1000],
        );
        assert_eq!((found.calls, found.unknown), (1, vec![]));
    }

    #[test]
    fn an_unknown_call_is_told_with_what_its_name_gives_away() {
        let found = of(
            &[
                ("NtLoadKey4", 0x1000),
                ("NtQueryGravity", 0x1020),
                ("ZwLoadKey4", 0x1000),
            ],
            &[0x1000, 0x1020],
        );
        let unknown: Vec<_> = found
            .unknown
            .iter()
            .map(|u| (&*u.name, u.suspicion))
            .collect();
        assert_eq!(
            unknown,
            [
                ("NtLoadKey4", Some(Suspicion::FormOf("NtLoadKey"))),
                ("NtQueryGravity", None)
            ]
        );
    }

    #[test]
    fn a_second_way_into_a_known_call_is_told() {
        let found = of(
            &[("NtClose", 0x1000), ("ZwClose", 0x1020)],
            &[0x1000, 0x1020],
        );
        let unknown: Vec<_> = found
            .unknown
            .iter()
            .map(|u| (&*u.name, u.suspicion))
            .collect();
        assert_eq!(unknown, [("ZwClose", Some(Suspicion::FormOf("NtClose")))]);
    }

    #[test]
    fn what_is_no_dll_is_none() {
        assert_eq!(survey(Module::Ntdll, b"MZ"), None);
    }
}
