//! Names of registry keys: parse, map into a layer and back.
//!
//! A layer is one key that mirrors `\REGISTRY`: the VM's key `\REGISTRY\X\Y`
//! is `<layer>\X\Y`. Beside the mirror a layer has one more tree, `Hidden`: the
//! key `<layer>\Hidden\X\Y` with a value named `hidden` says that nothing of
//! the layers below shows at `\REGISTRY\X\Y` or under it; without that value
//! it is only on the way to one that does. A value named `link` there says that
//! the layer's own key `\REGISTRY\X\Y` is a symbolic link. Both trees can be
//! read and mended with any registry editor. Two more trees are of no meaning
//! once the VM has stopped: `Watch`, where members tell watchers of changes, and
//! `Scratch`, where a tree of keys is put together to be saved.

use crate::TooLong;
use crate::units::{below, equals, first_part, join, starts};

pub use crate::units::SEPARATOR;

/// The root of all keys.
pub const ROOT: &str = r"\REGISTRY";
/// The tree of whiteouts in a layer; no tree of NT has this name.
pub const HIDDEN: &str = r"\Hidden";
/// The name of the value, of type `REG_NONE` and empty, that makes a key of
/// the tree [`HIDDEN`] a whiteout.
pub const MARK: &str = "hidden";
/// The name of the value, of type `REG_NONE` and empty, by which a key of the
/// tree [`HIDDEN`] says that the layer's key of that path is a symbolic link.
/// The tree's root has it too, once the layer has had one.
pub const LINK: &str = "link";
/// The tree of a layer where members tell watchers of changes.
pub const WATCH: &str = r"\Watch";
/// The tree of a layer where keys are put together for a moment.
pub const SCRATCH: &str = r"\Scratch";
/// How the names begin under which keys are made before they are complete: they
/// sort after all other names. Wine's server (observed on Wine 8 and 10) overwrites a
/// neighbour when a rename brings a key one place back in its parent's order;
/// from the last place every rename goes forward or stays.
pub const STAGED: &[u16] = &[
    0xFFFF,
    b'p' as u16,
    b'i' as u16,
    b'n' as u16,
    b'i' as u16,
    b'o' as u16,
    b'n' as u16,
];
/// The trees of `\REGISTRY` that layers mirror.
const TREES: [&str; 2] = ["MACHINE", "USER"];

/// What follows `\REGISTRY` in `name`: empty, or beginning with a backslash.
#[must_use]
pub fn below_root(name: &[u16]) -> Option<&[u16]> {
    starts(name, ROOT).filter(|rest| rest.first().is_none_or(|&unit| unit == SEPARATOR))
}

/// Whether layers can hold the key: it is, or is below, `\REGISTRY\MACHINE` or
/// `\REGISTRY\USER`. Other names, such as `\REGISTRY\Hidden`, never map.
#[must_use]
pub fn is_layered(name: &[u16]) -> bool {
    below_root(name)
        .and_then(first_part)
        .is_some_and(|(tree, _)| TREES.iter().any(|known| equals(tree, known)))
}

/// Writes `base\rest` to `out`, each run of backslashes as one and none at the
/// end, as the registry reads names; gives the length in units.
///
/// # Errors
/// [`TooLong`] when `out` or an NT string cannot hold the result.
pub fn normalise(base: &[u16], rest: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    let mut length = 0;
    for part in [base, rest] {
        for name in part.split(|&unit| unit == SEPARATOR) {
            if !name.is_empty() {
                let end = out.get_mut(length..).ok_or(TooLong)?;
                length += join(&[&[SEPARATOR], name], end)?;
            }
        }
    }
    if length > crate::LONGEST {
        return Err(TooLong);
    }
    Ok(length)
}

/// Where `layer` keeps the VM's key `name`; the length written to `out`.
///
/// # Errors
/// [`TooLong`]; also for a name that is not below `\REGISTRY`.
pub fn in_layer(layer: &[u16], name: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    join(&[layer, below_root(name).ok_or(TooLong)?], out)
}

/// Where `layer` keeps the whiteout of the VM's key `name`.
///
/// # Errors
/// As [`in_layer`].
pub fn whiteout(layer: &[u16], name: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    beside(layer, HIDDEN, below_root(name).ok_or(TooLong)?, out)
}

/// Where `layer` keeps the path `rest` of its further tree `tree`, such as
/// [`WATCH`].
///
/// # Errors
/// [`TooLong`].
pub fn beside(layer: &[u16], tree: &str, rest: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    let base = join(&[layer], out)?;
    let tail = out.get_mut(base..).ok_or(TooLong)?;
    let tree = ascii(tree, tail)?;
    let tail = tail.get_mut(tree..).ok_or(TooLong)?;
    Ok(base + tree + join(&[rest], tail)?)
}

/// The VM's name of the key that `layer` keeps at `real`; `None` when `real`
/// is not of that layer's mirror.
#[must_use]
pub fn undo(layer: &[u16], real: &[u16], out: &mut [u16]) -> Option<usize> {
    let rest = below(real, layer)?;
    let root = ascii(ROOT, out).ok()?;
    let length = root + join(&[rest], out.get_mut(root..)?).ok()?;
    out.get(..length).filter(|name| is_layered(name))?;
    Some(length)
}

/// How many names the path has below `\REGISTRY`.
#[must_use]
pub fn depth(name: &[u16]) -> usize {
    below_root(name).map_or(0, |rest| {
        rest.iter().filter(|&&unit| unit == SEPARATOR).count()
    })
}

/// The path's first `depth` names, `\REGISTRY` included.
#[must_use]
pub fn first(name: &[u16], depth: usize) -> &[u16] {
    let end = name
        .iter()
        .enumerate()
        .filter(|&(_, &unit)| unit == SEPARATOR)
        .nth(depth + 1);
    end.and_then(|(at, _)| name.get(..at)).unwrap_or(name)
}

/// The last name of a path.
#[must_use]
pub fn last(name: &[u16]) -> &[u16] {
    name.rsplit(|&unit| unit == SEPARATOR)
        .next()
        .unwrap_or(name)
}

/// Replaces the first `old` units of the name of `length` units in `buffer` by
/// `new`; gives the new length.
///
/// # Errors
/// [`TooLong`] when `buffer` cannot hold the result.
pub fn replace(
    buffer: &mut [u16],
    length: usize,
    old: usize,
    new: &[u16],
) -> Result<usize, TooLong> {
    let rest = length.checked_sub(old).ok_or(TooLong)?;
    let end = new.len() + rest;
    if end > buffer.len() || end > crate::LONGEST {
        return Err(TooLong);
    }
    buffer.copy_within(old..length, new.len());
    join(&[new], buffer)?;
    Ok(end)
}

/// Writes an ASCII string; gives its length.
///
/// # Errors
/// [`TooLong`] when `out` cannot hold it.
pub fn ascii(text: &str, out: &mut [u16]) -> Result<usize, TooLong> {
    let place = out.get_mut(..text.len()).ok_or(TooLong)?;
    for (unit, byte) in place.iter_mut().zip(text.bytes()) {
        *unit = u16::from(byte);
    }
    Ok(text.len())
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

    fn layer(id: u64) -> Vec<u16> {
        w(&std::format!(
            r"\REGISTRY\User\S-1-5-21-0-0-0-1000\Software\Pinion\Layers\{id:016x}"
        ))
    }

    fn written(call: impl FnOnce(&mut [u16]) -> Option<usize>) -> Option<Vec<u16>> {
        let mut out = std::vec![0; 40_000];
        let length = call(&mut out)?;
        out.truncate(length);
        Some(out)
    }

    fn mapped(layer: &[u16], name: &[u16]) -> Vec<u16> {
        written(|out| in_layer(layer, name, out).ok()).expect("fits")
    }

    fn name() -> impl Strategy<Value = String> {
        r"\\REGISTRY\\(MACHINE|USER)(\\[A-Za-z0-9 _.{}-]{1,12}){0,5}"
    }

    proptest! {
        #[test]
        fn undoing_gives_the_vms_name(id in any::<u64>(), name in name()) {
            let (layer, name) = (layer(id), w(&name));
            let real = mapped(&layer, &name);
            prop_assert_eq!(written(|out| undo(&layer, &real, out)), Some(name));
        }

        #[test]
        fn two_layers_never_meet(a in any::<u64>(), b in any::<u64>(), x in name(), y in name()) {
            prop_assume!(a != b);
            prop_assert_ne!(mapped(&layer(a), &w(&x)), mapped(&layer(b), &w(&y)));
        }

        #[test]
        fn nothing_maps_out_or_on_a_whiteout(
            id in any::<u64>(),
            units in proptest::collection::vec(any::<u16>(), 0..100),
            tree in prop_oneof![Just(r"\MACHINE"), Just(r"\USER\x"), Just(r"\Hidden\MACHINE"), Just("")],
        ) {
            let asked = [w(ROOT), w(tree), units].concat();
            let layer = layer(id);
            let name = written(|out| normalise(&[], &asked, out).ok()).expect("fits");
            if is_layered(&name) {
                let real = mapped(&layer, &name);
                let hidden = [layer.clone(), w(HIDDEN)].concat();
                prop_assert!(below(&real, &layer).is_some_and(|rest| !rest.is_empty()));
                prop_assert!(below(&real, &hidden).is_none());
                let white = written(|out| whiteout(&layer, &name, out).ok()).expect("fits");
                prop_assert!(below(&white, &hidden).is_some_and(|rest| !rest.is_empty()));
            }
        }

        #[test]
        fn first_names_make_up_the_path(name in name()) {
            let name = w(&name);
            prop_assert_eq!(first(&name, depth(&name)), &name[..]);
            for at in 1..=depth(&name) {
                let path = first(&name, at);
                prop_assert_eq!(depth(path), at);
                let again = [first(&name, at - 1), &[SEPARATOR], last(path)].concat();
                prop_assert_eq!(path, &again[..]);
            }
        }
    }

    #[test]
    fn names_are_read_as_the_registry_reads_them() {
        let joined = |base: &str, rest: &str| {
            let units = written(|out| normalise(&w(base), &w(rest), out).ok()).expect("fits");
            String::from_utf16_lossy(&units)
        };
        assert_eq!(
            joined("", r"\Registry\Machine\\Software\"),
            r"\Registry\Machine\Software"
        );
        assert_eq!(joined(r"\Registry\Machine", ""), r"\Registry\Machine");
        assert_eq!(
            joined(r"\Registry\Machine", r"a\\b"),
            r"\Registry\Machine\a\b"
        );
    }

    #[test]
    fn whiteouts_cannot_be_named() {
        assert!(!is_layered(&w(r"\REGISTRY\Hidden\MACHINE")));
        assert!(!is_layered(&w(r"\REGISTRY")));
        assert!(!is_layered(&w(r"\REGISTRYX\MACHINE")));
        assert!(is_layered(&w(r"\Registry\Machine")));
        let real = [layer(1), w(r"\Hidden\MACHINE\x")].concat();
        assert_eq!(written(|out| undo(&layer(1), &real, out)), None);
    }

    #[test]
    fn prefixes_are_replaced_in_place() {
        let mut buffer = std::vec![0; 16];
        let length = join(&[&w(r"\a\b\c")], &mut buffer).expect("fits");
        let length = replace(&mut buffer, length, 4, &w(r"\long")).expect("fits");
        assert_eq!(String::from_utf16_lossy(&buffer[..length]), r"\long\c");
        assert_eq!(
            replace(&mut buffer, length, 0, &w("0123456789")),
            Err(TooLong)
        );
    }
}
