//! Room that several parts divide: each has its share, and what one leaves goes to those after it.

/// What is left for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    left: u64,
    share: u64,
    after: u64,
}

impl Shares {
    /// `size` bytes for so many parts; the first is on.
    #[must_use]
    pub fn new(size: u64, parts: u64) -> Self {
        let parts = parts.max(1);
        Self {
            left: size,
            share: size / parts,
            after: parts - 1,
        }
    }

    /// How much the part that is on may still take.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.left.saturating_sub(self.share * self.after)
    }

    /// It took so much.
    pub fn take(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes.min(self.room()));
    }

    /// The next part is on.
    pub fn next_part(&mut self) {
        self.after = self.after.saturating_sub(1);
    }
}

/// The last whole lines, of at most `most` bytes.
#[must_use]
pub fn last_lines(text: &[u8], most: usize) -> &[u8] {
    let Some(extra) = text.len().checked_sub(most).filter(|extra| *extra > 0) else {
        return text;
    };
    // A line that begins right there is whole.
    let end = text[extra - 1..].iter().position(|byte| *byte == b'\n');
    end.map_or(&[], |end| &text[extra + end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_lines_are_kept_from_the_end() {
        assert_eq!(last_lines(b"ab\ncd\n", 6), b"ab\ncd\n");
        assert_eq!(last_lines(b"ab\ncd\n", 5), b"cd\n");
        assert_eq!(last_lines(b"ab\ncd\n", 3), b"cd\n");
        assert_eq!(last_lines(b"ab\ncd\n", 2), b"");
        assert_eq!(last_lines(b"abcdef", 3), b"");
        assert_eq!(last_lines(b"ab\n", 0), b"");
    }

    proptest! {
        /// Whatever those before took, each part has its share, and all together have the size.
        #[test]
        fn each_part_has_its_share(size in 0u64..1 << 40, wants in proptest::collection::vec(0u64..1 << 41, 1..8)) {
            let parts = wants.len() as u64;
            let mut shares = Shares::new(size, parts);
            let mut all = 0;
            for want in wants {
                prop_assert!(shares.room() >= size / parts);
                let taken = want.min(shares.room());
                shares.take(want);
                all += taken;
                shares.next_part();
            }
            prop_assert!(all <= size);
        }

        #[test]
        fn last_lines_are_an_end_of_the_text(text in "[a\n]{0,30}", most in 0usize..40) {
            let kept = last_lines(text.as_bytes(), most);
            prop_assert!(kept.len() <= most && text.as_bytes().ends_with(kept));
        }
    }
}
