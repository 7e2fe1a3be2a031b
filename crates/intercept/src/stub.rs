//! The shape of an x64 system-call stub.
//!
//! Windows 10 and 11: `mov r10, rcx; mov eax, id; test byte ptr
//! [0x7ffe0308], 1; jne +3; syscall; ret; int 2e; ret`, 24 bytes. Observed on
//! Wine 8 and Wine 10: the same up to `ret`, then a jump through Wine's own
//! dispatcher, 32 bytes in all. Position independent, so a copy works anywhere.

use crate::jump;

/// How many bytes of a stub are read and kept: enough for both shapes.
pub const LENGTH: usize = 32;

const _: () = assert!(LENGTH > jump::LENGTH);

/// The bytes of `mov r10, rcx; mov eax, imm32`.
const HEAD: [u8; 4] = [0x4c, 0x8b, 0xd1, 0xb8];
/// `test byte ptr [0x7ffe0308], 1; jne +3; syscall; ret`.
const TAIL: [u8; 13] = [
    0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3,
];
/// Windows' other way into the kernel, `int 2e; ret`.
const WINDOWS_END: [u8; 3] = [0xcd, 0x2e, 0xc3];
/// Wine's, `jmp +1; ret; call [0x7ffe1000]; ret` (observed on Wine 8 and 10).
const WINE_END: [u8; 11] = [
    0xeb, 0x01, 0xc3, 0xff, 0x14, 0x25, 0x00, 0x10, 0xfe, 0x7f, 0xc3,
];

/// The system-call number of the stub whose bytes are `code`; `None` when the
/// bytes are not a whole, unpatched stub of a known shape.
#[must_use]
pub fn number(code: &[u8; LENGTH]) -> Option<u32> {
    let (head, rest) = code.split_at(HEAD.len());
    let (id, rest) = rest.split_first_chunk::<4>()?;
    let (tail, end) = rest.split_at(TAIL.len());
    let known_end = end.starts_with(&WINDOWS_END) || end == WINE_END;
    (head == HEAD && tail == TAIL && known_end).then(|| u32::from_le_bytes(*id))
}

/// Whether `code` begins as every stub of x64 does, whatever follows: enough to
/// tell a system call from other exports.
#[must_use]
pub fn begins(code: &[u8]) -> bool {
    code.starts_with(&HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn windows() -> [u8; LENGTH] {
        let mut code = [0xcc; LENGTH];
        code[..4].copy_from_slice(&HEAD);
        code[4..8].copy_from_slice(&0xab_u32.to_le_bytes());
        code[8..21].copy_from_slice(&TAIL);
        code[21..24].copy_from_slice(&WINDOWS_END);
        code
    }

    #[test]
    fn knows_windows_and_wine() {
        assert_eq!(number(&windows()), Some(0xab));
        let mut wine = windows();
        wine[21..].copy_from_slice(&WINE_END);
        assert_eq!(number(&wine), Some(0xab));
    }

    #[test]
    fn refuses_a_patched_stub() {
        let mut code = windows();
        assert!(begins(&code));
        code[..jump::LENGTH].copy_from_slice(&jump::encode(0x1_0000_0000));
        assert_eq!(number(&code), None);
        assert!(!begins(&code));
    }

    proptest! {
        #[test]
        fn one_changed_byte_outside_the_number_is_refused(at in 0..24_usize, to in any::<u8>()) {
            prop_assume!(!(4..8).contains(&at));
            let mut code = windows();
            prop_assume!(code[at] != to && at < 21);
            code[at] = to;
            prop_assert_eq!(number(&code), None);
        }
    }
}
