//! What an access mask of a key means to the layers.

/// The rights with which a key, or what is below it, can be changed: set value,
/// create subkey, create link, delete, write DAC, write owner, generic write,
/// generic all (winnt.h). `MAXIMUM_ALLOWED` asks for them too.
const WRITES: u32 =
    0x2 | 0x4 | 0x20 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000 | MAXIMUM_ALLOWED;
/// `MAXIMUM_ALLOWED` (winnt.h).
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
/// `GENERIC_ALL` (winnt.h).
const GENERIC_ALL: u32 = 0x1000_0000;
/// `KEY_READ` (winnt.h).
pub(super) const READ: u32 = 0x2_0019;
/// `KEY_ALL_ACCESS` (winnt.h).
pub(super) const ALL: u32 = 0xF_003F;
/// `KEY_QUERY_VALUE` (winnt.h).
pub(super) const QUERY: u32 = 0x1;
/// `KEY_ENUMERATE_SUB_KEYS` (winnt.h).
pub(super) const ENUMERATE: u32 = 0x8;
/// `KEY_WOW64_32KEY` (winnt.h).
pub(super) const WOW64_32KEY: u32 = 0x200;
/// `KEY_WOW64_RES` (winnt.h): both views' flags.
const WOW64_VIEWS: u32 = 0x300;

/// Whether a key opened so can be written, and so must be the upper's own.
pub(super) fn writes(access: u32) -> bool {
    access & WRITES != 0
}

/// Whether only the rights that a program takes without meaning any of them
/// ask for writing.
pub(super) fn takes_what_it_gets(access: u32) -> bool {
    access & WRITES & !(MAXIMUM_ALLOWED | GENERIC_ALL) == 0
}

/// `access` without what could change a key of the host.
pub(super) fn harmless(access: u32) -> u32 {
    let read = if access & (MAXIMUM_ALLOWED | GENERIC_ALL) == 0 {
        0
    } else {
        READ
    };
    access & !WRITES | read
}

/// Whether the 32-bit view is asked for.
pub(super) fn wants_32(access: u32) -> bool {
    access & WOW64_32KEY != 0
}

/// `access` for a path in which the view has been resolved.
pub(super) fn without_view(access: u32) -> u32 {
    access & !WOW64_32KEY
}

/// `access` as the kernel compares it with what a key grants: without the flags
/// of the view, which are no rights, and with the generic rights spelt out: read and execute are `KEY_READ`, write is `KEY_WRITE`,
/// all is `KEY_ALL_ACCESS` (winnt.h; Microsoft, "Registry key security and
/// access rights").
pub(super) fn spelt_out(access: u32) -> u32 {
    const GENERIC: [(u32, u32); 4] = [
        (0x8000_0000, READ),
        (0x4000_0000, 0x2_0006),
        (0x2000_0000, READ),
        (GENERIC_ALL, ALL),
    ];
    GENERIC
        .iter()
        .filter(|(generic, _)| access & generic != 0)
        .fold(access & 0x0FFF_FFFF & !WOW64_VIEWS, |sum, (_, rights)| {
            sum | rights
        })
}
