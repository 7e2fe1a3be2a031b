//! The boot block: what whoever starts a process writes into the fresh agent's
//! memory before its first instruction. Identity is handed on here, in memory
//! and by handle, never by environment or file name.

/// `b"pinionBT"`, little endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"pinionBT");

/// The name of the agent's exported boot block.
pub const EXPORT_BOOT: &str = "PINION_BOOT";

/// The name of the agent's exported entry, which `LdrInitializeThunk` is made
/// to jump to.
pub const EXPORT_ENTRY: &str = "pinion_entry";

/// The name of the agent's exported [`crate::VERSION`], a `u32`.
pub const EXPORT_VERSION: &str = "PINION_VERSION";

/// How many bytes of `LdrInitializeThunk` are replaced and put back.
pub const THUNK: usize = 16;

/// One process's boot block. Addresses and handles are those of that process.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Boot {
    /// [`MAGIC`] once filled; zero in the agent's file.
    pub magic: u64,
    /// [`crate::VERSION`] of whoever filled it.
    pub version: u32,
    /// Always zero.
    pub reserved: u32,
    /// A section handle of the VM's page, with `SECTION_MAP_READ`.
    pub page_section: u64,
    /// A section handle of the VM's tally, with `SECTION_MAP_READ | SECTION_MAP_WRITE`.
    pub tally_section: u64,
    /// A section handle of the agent as it is laid out in memory, with
    /// `SECTION_MAP_READ | SECTION_MAP_EXECUTE`, for this process's children.
    pub agent_section: u64,
    /// A handle of the VM's membership job, with `JOB_OBJECT_QUERY`: every
    /// member is in it, and nobody else.
    pub membership_job: u64,
    /// A section handle of the VM's records, with `SECTION_MAP_READ | SECTION_MAP_WRITE`.
    pub trace_section: u64,
    /// The agent's size there in bytes.
    pub agent_size: u64,
    /// Where ntdll is mapped.
    pub ntdll: u64,
    /// Where this agent is mapped.
    pub agent_base: u64,
    /// The address of `LdrInitializeThunk`.
    pub thunk: u64,
    /// Its first bytes as they were.
    pub thunk_bytes: [u8; THUNK],
}

impl Boot {
    /// The block in the agent's file.
    pub const EMPTY: Self = Self {
        magic: 0,
        version: 0,
        reserved: 0,
        page_section: 0,
        tally_section: 0,
        agent_section: 0,
        membership_job: 0,
        trace_section: 0,
        agent_size: 0,
        ntdll: 0,
        agent_base: 0,
        thunk: 0,
        thunk_bytes: [0; THUNK],
    };

    /// The block as it lies in memory.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; size_of::<Self>()] {
        let mut bytes = [0_u8; size_of::<Self>()];
        let words = [
            self.magic,
            u64::from(self.version) | u64::from(self.reserved) << 32,
            self.page_section,
            self.tally_section,
            self.agent_section,
            self.membership_job,
            self.trace_section,
            self.agent_size,
            self.ntdll,
            self.agent_base,
            self.thunk,
        ];
        let (head, tail) = bytes.split_at_mut(words.len() * 8);
        for (place, word) in head.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        tail.copy_from_slice(&self.thunk_bytes);
        bytes
    }
}

const _: () = assert!(size_of::<Boot>() == 11 * 8 + THUNK);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_follow_the_layout() {
        let boot = Boot {
            magic: MAGIC,
            version: 7,
            thunk: 0x1122_3344_5566_7788,
            thunk_bytes: [9; THUNK],
            ..Boot::EMPTY
        };
        let bytes = boot.to_bytes();
        assert_eq!(&bytes[..8], b"pinionBT");
        assert_eq!(bytes[core::mem::offset_of!(Boot, version)], 7);
        assert_eq!(bytes[core::mem::offset_of!(Boot, thunk)], 0x88);
        assert_eq!(
            &bytes[core::mem::offset_of!(Boot, thunk_bytes)..],
            [9; THUNK]
        );
    }
}
