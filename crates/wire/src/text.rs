//! A UTF-16 string of bounded length inside a fixed layout.

/// At most `N` UTF-16 units, stored in place so that the containing structure
/// has one fixed layout in every process.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    len: u32,
    units: [u16; N],
}

impl<const N: usize> Text<N> {
    /// The empty string.
    pub const EMPTY: Self = Self {
        len: 0,
        units: [0; N],
    };

    /// Copies `units`; `None` when they do not fit.
    #[must_use]
    pub fn new(units: &[u16]) -> Option<Self> {
        let mut text = Self::EMPTY;
        text.units.get_mut(..units.len())?.copy_from_slice(units);
        text.len = u32::try_from(units.len()).ok()?;
        Some(text)
    }

    /// Encodes `s` as UTF-16; `None` when it does not fit.
    #[must_use]
    pub fn from_utf8(s: &str) -> Option<Self> {
        let mut text = Self::EMPTY;
        let mut len = 0_usize;
        for unit in s.encode_utf16() {
            *text.units.get_mut(len)? = unit;
            len += 1;
        }
        text.len = u32::try_from(len).ok()?;
        Some(text)
    }

    /// The units. A length beyond the capacity, which only a damaged page can
    /// hold, reads as the empty string.
    #[must_use]
    pub fn as_units(&self) -> &[u16] {
        self.units.get(..self.len as usize).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn holds_what_fits_and_refuses_more() {
        let text = Text::<4>::from_utf8("abcd").expect("four units fit");
        assert_eq!(text.as_units(), [97, 98, 99, 100]);
        assert!(Text::<4>::from_utf8("abcde").is_none());
        assert!(Text::<2>::new(&[1, 2, 3]).is_none());
    }

    #[test]
    fn a_damaged_length_reads_as_empty() {
        let mut text = Text::<4>::EMPTY;
        text.len = 5;
        assert!(text.as_units().is_empty());
    }
}
