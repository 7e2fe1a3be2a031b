//! Which actions of `SystemParametersInfo` only read.
//!
//! The others set what the user chose for all programs of the session. Numbers:
//! winuser.h; those below 0x100 follow no rule, above it the even ones read.

use crate::user::ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION;

/// The last error of a setting that is refused, as Windows gives it to a program
/// whose window station the user does not see.
pub const ERROR: u32 = ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION;

/// `SPI_ICONHORIZONTALSPACING` and `SPI_ICONVERTICALSPACING`, which read when
/// they are given a place for the value.
const SPACINGS: [u32; 2] = [0x0d, 0x18];

/// Whether `action` reads; `has_place` says whether it is given a place for the
/// value. What is not known is taken for a setting.
#[must_use]
pub const fn reads(action: u32, has_place: bool) -> bool {
    if action == SPACINGS[0] || action == SPACINGS[1] {
        return has_place;
    }
    match action {
        0x01 | 0x03 | 0x05 | 0x0a | 0x0e | 0x10 | 0x12 | 0x16 | 0x19 | 0x1b | 0x1f | 0x23
        | 0x26 | 0x29 | 0x2b | 0x2d | 0x30 | 0x32 | 0x34 | 0x36 | 0x38 | 0x3a | 0x3c | 0x3e
        | 0x40 | 0x42 | 0x44 | 0x46 | 0x48 | 0x4a | 0x4f | 0x50 | 0x53 | 0x54 | 0x59 | 0x5c
        | 0x5e | 0x5f | 0x62 | 0x64 | 0x66 | 0x68 | 0x6a | 0x6c | 0x6e | 0x70 | 0x72 | 0x73
        | 0x74 | 0x76 | 0x78 | 0x7a | 0x7c | 0x7e | 0x80 | 0x82 | 0x84 | 0x86 | 0x88 | 0x8a
        | 0x8c | 0x8e | 0x90 | 0x9c | 0x9e => true,
        0x1000..=0x3fff => action.is_multiple_of(2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_setting_are_told_apart() {
        // Pairs of winuser.h: SPI_GET…, SPI_SET….
        for (get, set) in [
            (0x01, 0x02),
            (0x0e, 0x0f),
            (0x26, 0x25),
            (0x30, 0x2f),
            (0x53, 0x55),
            (0x5e, 0x5d),
            (0x5f, 0x60),
            (0x68, 0x69),
            (0x73, 0x14),
            (0x72, 0x61),
            (0x76, 0x77),
            (0x1002, 0x1003),
            (0x2000, 0x2001),
        ] {
            assert!(reads(get, true) && !reads(set, true), "{get:x} {set:x}");
        }
    }

    #[test]
    fn the_spacing_of_icons_is_read_into_a_place_only() {
        for action in SPACINGS {
            assert!(reads(action, true) && !reads(action, false));
        }
    }

    #[test]
    fn what_is_not_known_is_a_setting() {
        for action in [0, 0x57, 0x58, 0xff, 0x100, 0xfff, 0x4000, u32::MAX] {
            assert!(!reads(action, true), "{action:x}");
        }
    }
}
