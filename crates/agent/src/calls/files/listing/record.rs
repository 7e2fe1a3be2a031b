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
    /// The entry's fixed part in this layout, to be followed by its name.
    pub(crate) fn head(&self, entry: &Entry<'_>) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        for &(to, from, size) in self.pieces {
            if let (Some(to), Some(from)) = (
                head.get_mut(to..to + size),
                entry.record.get(from..from + size),
            ) {
                to.copy_from_slice(from);
            }
        }
        let bytes = (entry.name().len() * 2) as u32;
        if let Some(place) = head.get_mut(self.length..self.length + 4) {
            place.copy_from_slice(&bytes.to_le_bytes());
        }
        head
    }
}
