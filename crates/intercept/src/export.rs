//! Find exports in a module by its bytes, as mapped in memory or as laid out
//! in a flat image buffer. Pure and bounds-checked: a damaged module yields
//! `None`.

/// A PE32+ module as it is mapped: offsets are relative virtual addresses.
#[derive(Clone, Copy)]
pub struct Module<'a> {
    bytes: &'a [u8],
    /// RVA and size of the export directory.
    exports: (u32, u32),
}

impl<'a> Module<'a> {
    /// Reads the headers of `bytes`; `None` when it is no PE32+ module with an
    /// export directory.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.get(..2)? != b"MZ" {
            return None;
        }
        let header = u32_at(bytes, 0x3c)? as usize;
        if bytes.get(header..header.checked_add(4)?)? != b"PE\0\0" {
            return None;
        }
        let optional = header.checked_add(24)?;
        if u16_at(bytes, optional)? != 0x20b {
            return None;
        }
        let directory = optional.checked_add(112)?;
        let exports = (u32_at(bytes, directory)?, u32_at(bytes, directory + 4)?);
        (exports.0 != 0).then_some(Self { bytes, exports })
    }

    /// The RVA of the export `name`. A forwarder is `None`: its code is
    /// elsewhere.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        let directory = self.exports.0 as usize;
        let names = u32_at(self.bytes, directory.checked_add(24)?)?;
        let names_rva = u32_at(self.bytes, directory.checked_add(32)?)? as usize;
        let index = self.position(names_rva, names as usize, name)?;
        self.code(index)
    }

    /// The exports that have names, with their RVAs, in the order of the names;
    /// forwarders are left out.
    pub fn names(&self) -> impl Iterator<Item = (&'a [u8], u32)> {
        let module = *self;
        let field = move |at: usize| {
            let at = (module.exports.0 as usize).checked_add(at)?;
            u32_at(module.bytes, at).map(|value| value as usize)
        };
        let count = field(24).unwrap_or(0);
        (0..count)
            .map_while(move |index| {
                let name = u32_at(module.bytes, field(32)?.checked_add(index.checked_mul(4)?)?)?;
                let text = module.bytes.get(name as usize..)?;
                let end = text.iter().position(|&byte| byte == 0)?;
                Some((text.get(..end)?, module.code(index)))
            })
            .filter_map(|(name, rva)| Some((name, rva?)))
    }

    /// The RVA of the export whose name is the `index`-th.
    fn code(&self, index: usize) -> Option<u32> {
        let directory = self.exports.0 as usize;
        let functions = u32_at(self.bytes, directory.checked_add(28)?)? as usize;
        let ordinals = u32_at(self.bytes, directory.checked_add(36)?)? as usize;
        let ordinal = u16_at(self.bytes, ordinals.checked_add(index.checked_mul(2)?)?)? as usize;
        let rva = u32_at(self.bytes, functions.checked_add(ordinal.checked_mul(4)?)?)?;
        let end = self.exports.0.checked_add(self.exports.1)?;
        (!(self.exports.0..end).contains(&rva) && rva != 0).then_some(rva)
    }

    /// Binary search: the format keeps names sorted by byte value.
    fn position(&self, names: usize, count: usize, wanted: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let rva = u32_at(self.bytes, names.checked_add(middle.checked_mul(4)?)?)? as usize;
            match compare(self.bytes.get(rva..)?, wanted)? {
                core::cmp::Ordering::Equal => return Some(middle),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Compares the NUL-terminated string at the start of `bytes` with `wanted`.
fn compare(bytes: &[u8], wanted: &[u8]) -> Option<core::cmp::Ordering> {
    for (index, &want) in wanted.iter().enumerate() {
        match bytes.get(index)?.cmp(&want) {
            core::cmp::Ordering::Equal => {}
            other => return Some(other),
        }
    }
    Some(if *bytes.get(wanted.len())? == 0 {
        core::cmp::Ordering::Equal
    } else {
        core::cmp::Ordering::Greater
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let part = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(part.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(part.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// A module that exports `names` (sorted) with RVAs 0x5000, 0x5010, ….
    fn module(names: &[&str]) -> Vec<u8> {
        let mut bytes = vec![0_u8; 0x1000];
        let put = |bytes: &mut Vec<u8>, at: usize, value: u32| {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        };
        bytes[..2].copy_from_slice(b"MZ");
        put(&mut bytes, 0x3c, 0x80);
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x98..0x9a].copy_from_slice(&0x20b_u16.to_le_bytes());
        put(&mut bytes, 0x98 + 112, 0x200);
        put(&mut bytes, 0x98 + 116, 0xd00);
        put(&mut bytes, 0x200 + 24, names.len() as u32);
        put(&mut bytes, 0x200 + 28, 0x300);
        put(&mut bytes, 0x200 + 32, 0x400);
        put(&mut bytes, 0x200 + 36, 0x500);
        let mut text = 0x600;
        for (index, name) in names.iter().enumerate() {
            put(&mut bytes, 0x300 + index * 4, 0x5000 + index as u32 * 16);
            put(&mut bytes, 0x400 + index * 4, text as u32);
            bytes[0x500 + index * 2] = index as u8;
            bytes[text..text + name.len()].copy_from_slice(name.as_bytes());
            text += name.len() + 1;
        }
        bytes
    }

    #[test]
    fn finds_each_name_and_no_other() {
        let bytes = module(&["NtA", "NtAb", "NtB", "NtC"]);
        let module = Module::new(&bytes).expect("sound");
        assert_eq!(module.find(b"NtA"), Some(0x5000));
        assert_eq!(module.find(b"NtAb"), Some(0x5010));
        assert_eq!(module.find(b"NtC"), Some(0x5030));
        assert_eq!(module.find(b"Nt"), None);
        assert_eq!(module.find(b"NtD"), None);
    }

    #[test]
    fn lists_each_name_with_its_code() {
        let bytes = module(&["NtA", "NtAb", "NtB"]);
        let names: Vec<_> = Module::new(&bytes).expect("sound").names().collect();
        let expected: [(&[u8], u32); 3] = [(b"NtA", 0x5000), (b"NtAb", 0x5010), (b"NtB", 0x5020)];
        assert_eq!(names, expected);
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in 0..0x1000_usize, to in any::<u8>(), cut in 0..0x1000_usize) {
            let mut bytes = module(&["NtA", "NtB"]);
            bytes[at] = to;
            bytes.truncate(cut);
            if let Some(module) = Module::new(&bytes) {
                let _ = module.find(b"NtB");
                let _ = module.names().count();
            }
        }
    }
}
