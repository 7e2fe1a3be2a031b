//! The entry of a function that was built to be patched, so that what it was can
//! still be called: Microsoft's hot patching in the form of GCC's
//! `ms_hook_prologue`, which Wine gives its `DECLSPEC_HOTPATCH` exports. It begins
//! with one instruction that does nothing, and there is padding before it
//! (observed on Wine 8 and Wine 10).

/// How many bytes before the entry are padding that the patch uses.
pub const BEFORE: usize = 8;
/// How many bytes from the entry on are the instruction that does nothing.
pub const HEAD: usize = 8;

/// `lea rsp, [rsp + 0]`, with four bytes of displacement.
const NOTHING: [u8; HEAD] = [0x48, 0x8d, 0xa4, 0x24, 0, 0, 0, 0];
/// `int3`, of which the padding consists.
const PADDING: [u8; BEFORE] = [0xcc; BEFORE];

/// Whether `code`, which begins [`BEFORE`] bytes before an entry, is of this form.
#[must_use]
pub fn is_patchable(code: &[u8; BEFORE + HEAD]) -> bool {
    let (before, head) = code.split_at(BEFORE);
    before == PADDING && head == NOTHING
}

/// What goes where [`is_patchable`]'s bytes were: the target, and a jump to it,
/// `jmp qword ptr [rip - 14]`. The function as it was goes on [`HEAD`] bytes
/// behind its entry.
#[must_use]
pub fn encode(target: u64) -> ([u8; BEFORE], [u8; HEAD]) {
    let jump = [0xff, 0x25, 0xf2, 0xff, 0xff, 0xff, 0xcc, 0xcc];
    (target.to_le_bytes(), jump)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_form_is_patched() {
        let mut code = [0; 16];
        code[..8].copy_from_slice(&PADDING);
        code[8..].copy_from_slice(&NOTHING);
        assert!(is_patchable(&code));
        for at in 0..code.len() {
            let mut other = code;
            other[at] ^= 1;
            assert!(!is_patchable(&other), "byte {at}");
        }
    }

    #[test]
    fn the_jump_reads_the_target_before_the_entry() {
        let (target, jump) = encode(0x1122_3344_5566_7788);
        assert_eq!(u64::from_le_bytes(target), 0x1122_3344_5566_7788);
        let displacement = i32::from_le_bytes([jump[2], jump[3], jump[4], jump[5]]);
        assert_eq!((&jump[..2], displacement), (&[0xff, 0x25][..], -(6 + 8)));
    }
}
