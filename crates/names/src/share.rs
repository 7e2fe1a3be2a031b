//! Shared folders: which paths of a VM are the host's own.
//!
//! A share is a pair of layer paths, the folder's in the VM and the host's. A
//! path at or below either means the host's folder, so that a handle of it, which
//! has the host's name, and the VM's own name for it never mean two things.
//! Shares of one VM are [`apart`](Share::is_apart): at most one has a path.
//!
//! Takes paths as [`crate::file::normalise`] writes them: no `.`, no `..`, no
//! empty part, so that no path below a folder leads out of it.

use crate::TooLong;
use crate::units::{SEPARATOR, join};

/// One shared folder, as layer paths (`C\data`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share<'s> {
    /// The folder's path in the VM.
    pub vm: &'s [u16],
    /// The folder's path on the host.
    pub host: &'s [u16],
}

/// What follows the directory `folder` in `path`: empty, or beginning with a
/// backslash. `fold` upcases a unit as NT compares names.
#[must_use]
pub fn below<'n>(path: &'n [u16], folder: &[u16], fold: impl Fn(u16) -> u16) -> Option<&'n [u16]> {
    let (head, rest) = path.split_at_checked(folder.len())?;
    if folder.is_empty() || !matches!(rest.first(), None | Some(&SEPARATOR)) {
        return None;
    }
    let mut pairs = head.iter().zip(folder);
    pairs
        .all(|(&a, &b)| a == b || fold(a) == fold(b))
        .then_some(rest)
}

impl Share<'_> {
    /// What follows the shared folder in `path`, by either of its names.
    #[must_use]
    pub fn rest<'n>(&self, path: &'n [u16], fold: impl Fn(u16) -> u16) -> Option<&'n [u16]> {
        below(path, self.vm, &fold).or_else(|| below(path, self.host, &fold))
    }

    /// Whether one of the folder's names is below the path `directory`: moving or
    /// removing that would take the name away.
    #[must_use]
    pub fn is_below(&self, directory: &[u16], fold: impl Fn(u16) -> u16) -> bool {
        [self.vm, self.host]
            .iter()
            .any(|name| below(name, directory, &fold).is_some())
    }

    /// Whether no name of the one folder is at, above or below one of the other.
    #[must_use]
    pub fn is_apart(&self, other: &Share<'_>, fold: impl Fn(u16) -> u16) -> bool {
        let names = [self.vm, self.host];
        names.iter().all(|own| {
            [other.vm, other.host]
                .iter()
                .all(|theirs| are_apart(own, theirs, &fold))
        })
    }

    /// Whether the folder's two names are one, or lead to different places: one
    /// below the other would show the folder in itself.
    #[must_use]
    pub fn is_sound(&self, fold: impl Fn(u16) -> u16) -> bool {
        self.vm.len() == self.host.len() && below(self.vm, self.host, &fold).is_some()
            || are_apart(self.vm, self.host, fold)
    }
}

/// Whether neither path is at or below the other.
#[must_use]
pub fn are_apart(a: &[u16], b: &[u16], fold: impl Fn(u16) -> u16) -> bool {
    below(a, b, &fold).is_none() && below(b, a, &fold).is_none()
}

/// The number of the share among `shares` that has `path`, and what follows its
/// folder.
#[must_use]
pub fn find<'s, 'n>(
    shares: impl Iterator<Item = Share<'s>>,
    path: &'n [u16],
    fold: impl Fn(u16) -> u16,
) -> Option<(usize, &'n [u16])> {
    shares
        .enumerate()
        .find_map(|(number, share)| Some((number, share.rest(path, &fold)?)))
}

/// Writes the path of `rest`, which follows a shared folder, in `folder`, one of
/// its names.
///
/// # Errors
/// [`TooLong`] when it does not fit.
pub fn place(folder: &[u16], rest: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    join(&[folder, rest], out)
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

    /// As NT folds the letters of the tests.
    fn upcase(unit: u16) -> u16 {
        match char::from_u32(u32::from(unit)).map(char::to_uppercase) {
            Some(mut upper) if upper.len() == 1 => {
                upper.next().map_or(unit, |upper| upper as u32 as u16)
            }
            _ => unit,
        }
    }

    fn found(vm: &str, host: &str, path: &str) -> Option<String> {
        let (vm, host, path) = (w(vm), w(host), w(path));
        let share = Share {
            vm: &vm,
            host: &host,
        };
        let (number, rest) = find([share].into_iter(), &path, upcase)?;
        assert_eq!(number, 0);
        Some(String::from_utf16(rest).expect("UTF-16"))
    }

    #[test]
    fn both_names_mean_the_folder_in_any_case() {
        for (path, rest) in [
            ("C\\data", Some("")),
            ("C\\DATA\\a\\b", Some("\\a\\b")),
            ("D\\größe\\x", Some("\\x")),
            ("D\\GRÖßE", Some("")),
            ("C\\dat", None),
            ("C\\data2", None),
            ("C\\data.txt\\x", None),
            ("C", None),
            ("C\\a\\data", None),
            ("E\\data", None),
        ] {
            assert_eq!(
                found("C\\data", "D\\größe", path).as_deref(),
                rest,
                "{path}"
            );
        }
    }

    #[test]
    fn a_whole_drive_can_be_the_hosts() {
        assert_eq!(found("C\\d", "D", "D\\x").as_deref(), Some("\\x"));
        assert_eq!(found("C\\d", "D", "D").as_deref(), Some(""));
        assert_eq!(found("C\\d", "D", "C\\x"), None);
    }

    #[test]
    fn folders_that_meet_are_told() {
        let share = |vm: &'static str, host: &'static str| (w(vm), w(host));
        for (a, b, apart) in [
            (share("C\\a", "D\\a"), share("C\\b", "D\\b"), true),
            (share("C\\a", "D\\a"), share("C\\A", "D\\b"), false),
            (share("C\\a", "D\\a"), share("C\\a\\b", "D\\b"), false),
            (share("C\\a", "D\\a"), share("C\\b", "D\\a"), false),
            (share("C\\a", "D\\a"), share("D\\a\\x", "E\\x"), false),
            (share("C\\a", "D"), share("C\\b", "D\\b"), false),
        ] {
            let (a, b) = (
                Share {
                    vm: &a.0,
                    host: &a.1,
                },
                Share {
                    vm: &b.0,
                    host: &b.1,
                },
            );
            assert_eq!(a.is_apart(&b, upcase), apart, "{a:?} {b:?}");
            assert_eq!(b.is_apart(&a, upcase), apart, "{a:?} {b:?}");
        }
        for (vm, host, sound) in [
            ("C\\a", "C\\A", true),
            ("C\\a", "D\\a", true),
            ("C\\a", "C\\a\\b", false),
            ("C\\a\\b", "C\\a", false),
            ("C\\a", "C", false),
        ] {
            let (vm, host) = (w(vm), w(host));
            let share = Share {
                vm: &vm,
                host: &host,
            };
            assert_eq!(share.is_sound(upcase), sound, "{share:?}");
        }
    }

    fn part() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("a".into()),
            Just("A".into()),
            Just("ab".into()),
            "[a-z.ä]{1,4}"
        ]
    }

    fn path(least: usize) -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(part(), least..5)
    }

    fn of(parts: &[String]) -> Vec<u16> {
        w(&std::format!("C\\{}", parts.join("\\")))
    }

    proptest! {
        /// A path has a share exactly if its first names are the folder's.
        #[test]
        fn nothing_outside_of_the_folder_passes(vm in path(1), host in path(1), asked in path(0)) {
            let (vm_path, host_path) = (of(&vm), of(&host));
            let share = Share { vm: &vm_path, host: &host_path };
            let asked_path = if asked.is_empty() { w("C") } else { of(&asked) };
            let begins = |folder: &[String]| {
                asked.len() >= folder.len()
                    && asked.iter().zip(folder).all(|(a, b)| {
                        w(a).iter().map(|&u| upcase(u)).eq(w(b).iter().map(|&u| upcase(u)))
                    })
            };
            let depth = if begins(&vm) { Some(vm.len()) } else { begins(&host).then_some(host.len()) };
            let expected = depth.map(|depth| asked[depth..].iter().fold(Vec::new(), |mut rest, part| {
                rest.push(SEPARATOR);
                rest.extend(w(part));
                rest
            }));
            let found = find([share].into_iter(), &asked_path, upcase);
            prop_assert_eq!(found.map(|(_, rest)| rest.to_vec()), expected);
        }

        /// Where a path of a share leads is at or below the host's folder, and the
        /// host's name leads back to the VM's.
        #[test]
        fn what_passes_stays_in_the_folder(vm in path(1), host in path(1), rest in path(0)) {
            let (vm, host) = (of(&vm), of(&host));
            let share = Share { vm: &vm, host: &host };
            prop_assume!(share.is_sound(upcase));
            let rest = rest.iter().fold(Vec::new(), |mut all, part| {
                all.push(SEPARATOR);
                all.extend(w(part));
                all
            });
            let mut out = [0; 256];
            let length = place(&host, &rest, &mut out).expect("fits");
            prop_assert_eq!(below(&out[..length], &host, upcase), Some(&rest[..]));
            prop_assert_eq!(find([share].into_iter(), &out[..length], upcase), Some((0, &rest[..])));
            let length = place(&vm, &rest, &mut out).expect("fits");
            prop_assert_eq!(find([share].into_iter(), &out[..length], upcase), Some((0, &rest[..])));
        }

        #[test]
        fn garbage_never_panics(
            vm in proptest::collection::vec(any::<u16>(), 0..20),
            host in proptest::collection::vec(any::<u16>(), 0..20),
            path in proptest::collection::vec(any::<u16>(), 0..40),
        ) {
            let share = Share { vm: &vm, host: &host };
            let _ = share.is_sound(upcase);
            let _ = find([share].into_iter(), &path, upcase);
        }
    }
}
