//! The layouts of directory information (wdm.h, ntifs.h; MS-FSCC 2.4).

use super::snapshot::Entry;

/// How a class lays an entry out.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// Where the name begins.
    pub(crate) name: usize,
    /// Where the name's length is.
    length: usize,
    /// Pieces: where in the class, where in `FILE_ID_BOTH_DIR_INFORMATION`, how
    /// many bytes.
    pieces: &'static [(usize, usize, usize)],
}

/// `FILE_DIRECTORY_INFORMATION`: index, times, sizes and attributes.
const BASE: (usize, usize, usize) = (4, 4, 56);
/// The size of the extended attributes.
const EA: (usize, usize, usize) = (64, 64, 4);

/// The layout of `class`; `None` for one that is no directory information.
pub(crate) fn layout(class: u32) -> Option<Layout> {
    let (name, pieces): (usize, &'static [(usize, usize, usize)]) = match class {
        1 => (64, &[BASE]),
        2 => (68, &[BASE, EA]),
        3 => (94, &[BASE, EA, (68, 68, 26)]),
        12 => (12, &[(4, 4, 4)]),
        37 => (104, &[BASE, EA, (68, 68, 26), (96, 96, 8)]),
        38 => (80, &[BASE, EA, (72, 96, 8)]),
        60 => (88, &[BASE, EA, (72, 96, 8)]),
        63 => (114, &[BASE, EA, (72, 96, 8), (88, 68, 26)]),
        _ => return None,
    };
    Some(Layout {
        name,
        length: if class == 12 { 8 } else { 60 },
        pieces,
    })
}

/// The longest fixed part, and room to spare.
pub(crate) const HEAD: usize = 120;

impl Layout {
    /// How many bytes the entry has in this layout.
    pub(crate) fn size(&self, entry: &Entry<'_>) -> usize {
        self.name + size_of_val(entry.name())
    }

    /// Writes the entry in this layout to the zeroed `block`: how far the next
    /// one is behind it, the fixed part, and `name`, the beginning of its name;
    /// gives how many bytes that makes.
    pub(crate) fn write(
        &self,
        entry: &Entry<'_>,
        to_next: usize,
        name: &[u16],
        block: &mut [u8],
    ) -> usize {
        let length = (size_of_val(entry.name()) as u32).to_le_bytes();
        put(block, 0, &(to_next as u32).to_le_bytes());
        for &(to, from, size) in self.pieces {
            put(
                block,
                to,
                entry.record.get(from..from + size).unwrap_or(&[]),
            );
        }
        put(block, self.length, &length);
        let units = block.get_mut(self.name..).unwrap_or_default();
        for (place, unit) in units.chunks_exact_mut(2).zip(name) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
        self.name + size_of_val(name)
    }
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = block.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}
