//! The absolute jump that is written over a stub or an export's entry.

/// The length in bytes of [`encode`]'s jump.
pub const LENGTH: usize = 14;

/// `jmp qword ptr [rip+0]` followed by `target`: reaches any address, changes
/// no register and no flag.
#[must_use]
pub fn encode(target: u64) -> [u8; LENGTH] {
    let mut bytes = [0xff, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let (_, address) = bytes.split_at_mut(6);
    address.copy_from_slice(&target.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_target_follows_the_opcode() {
        let bytes = super::encode(0x1122_3344_5566_7788);
        assert_eq!(&bytes[..6], [0xff, 0x25, 0, 0, 0, 0]);
        assert_eq!(
            &bytes[6..],
            [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]
        );
    }
}
