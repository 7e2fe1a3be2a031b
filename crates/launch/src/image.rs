//! The agent as bytes, as in its file or as laid out in memory: sections,
//! relocations, imports and exports of a PE32+ DLL. Pure and bounds-checked: the file may be damaged.

use core::fmt;
use pinion_wire::VERSION;
use pinion_wire::boot::{EXPORT_BOOT, EXPORT_ENTRY, EXPORT_VERSION};

/// Why a file is no usable agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageError {
    /// No sound PE32+ DLL, or its checksum does not match its bytes.
    Damaged(&'static str),
    /// An agent of another build: its version, or 0 when it has none.
    Version(u32),
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(what) => write!(f, "the agent's file is damaged ({what})"),
            Self::Version(found) => write!(
                f,
                "the agent's file is of version {found}, this Pinion needs version {VERSION}"
            ),
        }
    }
}

/// One section: where its bytes lie in the file and in memory.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// RVA.
    pub address: u32,
    /// Size in memory in bytes.
    pub size: u32,
    /// The bytes from the file; the rest of `size` is zero.
    pub bytes: &'a [u8],
    /// `IMAGE_SCN_*` flags.
    pub flags: u32,
}

/// The RVAs of what the agent exports for its placement.
#[derive(Debug, Clone, Copy)]
pub struct Exports {
    /// The boot block.
    pub boot: u32,
    /// The entry.
    pub entry: u32,
}

/// A parsed agent file.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    file: &'a [u8],
    /// Whether `file` is laid out as in memory, each section at its address.
    laid_out: bool,
    header: usize,
    sections: usize,
    section_count: usize,
    /// The address the file was linked for.
    pub base: u64,
    /// Size in memory in bytes, a multiple of the page size.
    pub size: u32,
}

const DAMAGED: ImageError = ImageError::Damaged("headers");

impl<'a> Image<'a> {
    /// Parses `file` and checks that it is a whole agent of this version.
    ///
    /// # Errors
    /// [`ImageError`] says what is wrong with the file.
    pub fn new(file: &'a [u8]) -> Result<Self, ImageError> {
        let image = Self::parse(file).ok_or(DAMAGED)?;
        image.check_sum()?;
        image.check_version()?;
        Ok(image)
    }

    /// Parses an agent that [`Image::lay_out`] laid out: a member starts children
    /// from the section that its supervisor filled, and need not sum up every
    /// byte again.
    ///
    /// # Errors
    /// [`ImageError`] for what cannot be parsed.
    pub fn laid_out(bytes: &'a [u8]) -> Result<Self, ImageError> {
        let image = Self::parse(bytes).ok_or(DAMAGED)?;
        if bytes.len() < image.size as usize {
            return Err(DAMAGED);
        }
        Ok(Self {
            laid_out: true,
            ..image
        })
    }

    /// Writes the agent to the zeroed `target` of at least [`Image::size`] bytes as
    /// it lies in memory, for the address that it was linked for.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] when a section does not fit.
    pub fn lay_out(&self, target: &mut [u8]) -> Result<(), ImageError> {
        let headers = Section {
            address: 0,
            size: 0,
            bytes: self.headers(),
            flags: 0,
        };
        for section in self.sections().chain([headers]) {
            let from = section.address as usize;
            from.checked_add(section.bytes.len())
                .and_then(|end| target.get_mut(from..end))
                .ok_or(ImageError::Damaged("sections"))?
                .copy_from_slice(section.bytes);
        }
        Ok(())
    }

    fn parse(file: &'a [u8]) -> Option<Self> {
        if file.get(..2)? != b"MZ" {
            return None;
        }
        let header = u32_at(file, 0x3c)? as usize;
        if file.get(header..header.checked_add(4)?)? != b"PE\0\0" {
            return None;
        }
        let section_count = u16_at(file, header.checked_add(6)?)? as usize;
        let optional_size = u16_at(file, header.checked_add(20)?)? as usize;
        let optional = header.checked_add(24)?;
        if u16_at(file, header + 4)? != 0x8664 || u16_at(file, optional)? != 0x20b {
            return None;
        }
        let size = u32_at(file, optional.checked_add(56)?)?;
        let image = Self {
            file,
            laid_out: false,
            header,
            sections: optional.checked_add(optional_size)?,
            section_count,
            base: u64_at(file, optional.checked_add(24)?)?,
            size,
        };
        let fits = |s: Section<'_>| s.address.checked_add(s.size).is_some_and(|end| end <= size);
        ((0..section_count).all(|i| image.section(i).is_some_and(fits)) && size <= 0x0100_0000)
            .then_some(image)
    }

    /// The PE checksum (the field itself counted as zero) guards against a
    /// damaged copy; it is no defence against a forger.
    fn check_sum(&self) -> Result<(), ImageError> {
        let field = self.header + 24 + 64;
        let stored = u32_at(self.file, field).ok_or(DAMAGED)?;
        if stored == checksum(self.file, field) {
            Ok(())
        } else {
            Err(ImageError::Damaged("checksum"))
        }
    }

    fn check_version(&self) -> Result<(), ImageError> {
        let rva = self.find(EXPORT_VERSION.as_bytes());
        let version = rva
            .and_then(|rva| self.at(rva, 4))
            .and_then(|b| u32_at(b, 0));
        match version {
            Some(VERSION) => Ok(()),
            other => Err(ImageError::Version(other.unwrap_or(0))),
        }
    }

    /// All bytes of a laid-out agent.
    #[cfg(windows)]
    pub(crate) fn whole(&self) -> &'a [u8] {
        if self.laid_out { self.file } else { &[] }
    }

    /// The headers, as they stand at the start of the mapped module.
    #[must_use]
    pub fn headers(&self) -> &'a [u8] {
        let end = self.sections + self.section_count * 40;
        self.file.get(..end.min(0x1000)).unwrap_or(&[])
    }

    /// The sections in order.
    pub fn sections(&self) -> impl Iterator<Item = Section<'a>> + '_ {
        (0..self.section_count).filter_map(|index| self.section(index))
    }

    fn section(&self, index: usize) -> Option<Section<'a>> {
        let at = self.sections.checked_add(index.checked_mul(40)?)?;
        let size = u32_at(self.file, at.checked_add(8)?)?;
        let address = u32_at(self.file, at + 12)?;
        let raw_size = u32_at(self.file, at + 16)?.min(size) as usize;
        let raw = if self.laid_out {
            address as usize
        } else {
            u32_at(self.file, at + 20)? as usize
        };
        let flags = u32_at(self.file, at.checked_add(36)?)?;
        let bytes = if flags & 0x80 != 0 {
            &[]
        } else {
            self.file.get(raw..raw.checked_add(raw_size)?)?
        };
        Some(Section {
            address,
            size,
            bytes,
            flags,
        })
    }

    /// The `length` bytes at `rva`, from the file; `None` beyond a section's
    /// bytes.
    #[must_use]
    pub fn at(&self, rva: u32, length: usize) -> Option<&'a [u8]> {
        self.sections().find_map(|section| {
            let from = rva.checked_sub(section.address)? as usize;
            section.bytes.get(from..from.checked_add(length)?)
        })
    }

    /// RVA and size of data directory `index`.
    #[must_use]
    pub fn directory(&self, index: usize) -> Option<(u32, u32)> {
        let at = self.header + 24 + 112 + index * 8;
        Some((u32_at(self.file, at)?, u32_at(self.file, at + 4)?))
    }

    /// What the placement needs of the exports.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] when one is missing.
    pub fn exports(&self) -> Result<Exports, ImageError> {
        let find = |name: &str| {
            self.find(name.as_bytes())
                .ok_or(ImageError::Damaged("exports"))
        };
        Ok(Exports {
            boot: find(EXPORT_BOOT)?,
            entry: find(EXPORT_ENTRY)?,
        })
    }

    fn find(&self, wanted: &[u8]) -> Option<u32> {
        let (directory, _) = self.directory(0)?;
        let table = self.at(directory, 40)?;
        let count = u32_at(table, 24)?;
        let (functions, names, ordinals) =
            (u32_at(table, 28)?, u32_at(table, 32)?, u32_at(table, 36)?);
        for index in 0..count.min(1024) {
            let name = u32_at(self.at(names.checked_add(index * 4)?, 4)?, 0)?;
            if self.text(name)? == wanted {
                let ordinal = u16_at(self.at(ordinals.checked_add(index * 2)?, 2)?, 0)?;
                let slot = functions.checked_add(u32::from(ordinal) * 4)?;
                return u32_at(self.at(slot, 4)?, 0);
            }
        }
        None
    }

    /// The NUL-terminated string at `rva`, of at most 255 bytes.
    #[must_use]
    pub fn text(&self, rva: u32) -> Option<&'a [u8]> {
        self.sections().find_map(|section| {
            let from = rva.checked_sub(section.address)? as usize;
            let bytes = section.bytes.get(from..)?;
            let length = bytes.iter().take(256).position(|&byte| byte == 0)?;
            bytes.get(..length)
        })
    }

    /// Calls `each` with the RVA of every 64-bit word to relocate.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] for a table that cannot be read or holds a kind
    /// other than `IMAGE_REL_BASED_DIR64`.
    pub fn relocations(&self, mut each: impl FnMut(u32)) -> Result<(), ImageError> {
        let damaged = ImageError::Damaged("relocations");
        let (mut block, size) = self.directory(5).ok_or(damaged)?;
        let end = block.checked_add(size).ok_or(damaged)?;
        while block < end {
            let head = self.at(block, 8).ok_or(damaged)?;
            let page = u32_at(head, 0).ok_or(damaged)?;
            let length = u32_at(head, 4).filter(|&l| l >= 8).ok_or(damaged)?;
            let entries = self.at(block + 8, length as usize - 8).ok_or(damaged)?;
            for entry in entries.chunks_exact(2) {
                let entry = u16_at(entry, 0).ok_or(damaged)?;
                match entry >> 12 {
                    0 => {}
                    10 => each(page.wrapping_add(u32::from(entry & 0xfff))),
                    _ => return Err(damaged),
                }
            }
            block = block.checked_add(length).ok_or(damaged)?;
        }
        Ok(())
    }

    /// Calls `each` with the address-table RVA and the name of every import.
    /// All must be of ntdll and by name.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] otherwise.
    pub fn imports(
        &self,
        mut each: impl FnMut(u32, &'a [u8]) -> Result<(), ImageError>,
    ) -> Result<(), ImageError> {
        let damaged = ImageError::Damaged("imports");
        let (mut descriptor, _) = self.directory(1).ok_or(damaged)?;
        loop {
            let entry = self.at(descriptor, 20).ok_or(damaged)?;
            let field = |at| u32_at(entry, at).ok_or(damaged);
            if field(12)? == 0 {
                return Ok(());
            }
            if !self
                .text(field(12)?)
                .ok_or(damaged)?
                .eq_ignore_ascii_case(b"ntdll.dll")
            {
                return Err(ImageError::Damaged("an import of a DLL other than ntdll"));
            }
            self.import_names(field(0)?, field(16)?, &mut each)?;
            descriptor += 20;
        }
    }

    fn import_names(
        &self,
        mut lookup: u32,
        mut slot: u32,
        each: &mut impl FnMut(u32, &'a [u8]) -> Result<(), ImageError>,
    ) -> Result<(), ImageError> {
        let damaged = ImageError::Damaged("imports");
        loop {
            let entry = self
                .at(lookup, 8)
                .and_then(|b| u64_at(b, 0))
                .ok_or(damaged)?;
            match u32::try_from(entry) {
                Ok(0) => return Ok(()),
                Ok(name) => each(slot, self.text(name.wrapping_add(2)).ok_or(damaged)?)?,
                Err(_) => return Err(damaged),
            }
            lookup = lookup.checked_add(8).ok_or(damaged)?;
            slot = slot.checked_add(8).ok_or(damaged)?;
        }
    }
}

/// The PE checksum of `file` with the four bytes at `field` counted as zero:
/// the 16-bit one's complement sum plus the length (as `CheckSumMappedFile`).
#[must_use]
pub fn checksum(file: &[u8], field: usize) -> u32 {
    let mut sum = 0_u64;
    for (index, pair) in file.chunks(2).enumerate() {
        let at = index * 2;
        if at >= field && at < field + 4 {
            continue;
        }
        let high = pair.get(1).copied().unwrap_or(0);
        sum += u64::from(pair.first().copied().unwrap_or(0)) | u64::from(high) << 8;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (sum as u32).wrapping_add(file.len() as u32)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let part = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(part.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(part.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(part.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn garbage_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
            let _ = Image::new(&bytes);
            if bytes.len() > 0x100 {
                bytes[..2].copy_from_slice(b"MZ");
                bytes[0x3c..0x40].copy_from_slice(&0x40_u32.to_le_bytes());
                bytes[0x40..0x46].copy_from_slice(b"PE\0\0\x64\x86");
                bytes[0x58..0x5a].copy_from_slice(&0x20b_u16.to_le_bytes());
                if let Some(image) = Image::parse(&bytes) {
                    let _ = (image.exports(), image.relocations(|_| {}), image.imports(|_, _| Ok(())));
                    let _ = image.lay_out(&mut std::vec![0; (image.size as usize).min(0x1_0000)]);
                }
                if let Ok(image) = Image::laid_out(&bytes) {
                    let _ = (image.exports(), image.relocations(|_| {}), image.imports(|_, _| Ok(())));
                }
            }
        }
    }

    #[test]
    fn the_checksum_skips_its_own_field() {
        let mut file = [1_u8; 64];
        let sum = checksum(&file, 8);
        file[8..12].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(checksum(&file, 8), sum);
        file[40] = 2;
        assert_ne!(checksum(&file, 8), sum);
    }
}
