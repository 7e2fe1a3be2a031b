//! NT types: windows-sys's own, re-exported, and those it lacks.

pub use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
pub use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
pub use windows_sys::Win32::Security::{GENERIC_MAPPING, SECURITY_QUALITY_OF_SERVICE};
pub use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

/// `OBJ_PERMANENT` (ntdef.h): the object stays without a handle. Its maker needs
/// `SeCreatePermanentPrivilege`.
pub const OBJ_PERMANENT: u32 = 0x10;
/// `OBJ_CASE_INSENSITIVE` (ntdef.h).
pub const OBJ_CASE_INSENSITIVE: u32 = 0x40;

/// `NtCurrentProcess()`: the pseudo handle of the calling process.
pub const CURRENT_PROCESS: HANDLE = -1_isize as HANDLE;

/// `NtCurrentThread()`: the pseudo handle of the calling thread.
pub const CURRENT_THREAD: HANDLE = -2_isize as HANDLE;

/// `CLIENT_ID` (phnt, ntbasic.h): the ids of a process and of a thread of it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CLIENT_ID {
    /// `UniqueProcess`; zero where only the thread is meant.
    pub process: u64,
    /// `UniqueThread`; zero where the process is meant.
    pub thread: u64,
}

/// `MEM_COMMIT | MEM_RESERVE` (winnt.h).
pub const MEM_COMMIT_RESERVE: u32 = 0x3000;
/// `MEM_RESERVE` (winnt.h).
pub const MEM_RESERVE: u32 = 0x2000;
/// `MEM_COMMIT` (winnt.h).
pub const MEM_COMMIT: u32 = 0x1000;
/// `PAGE_READONLY` (winnt.h).
pub const PAGE_READONLY: u32 = 0x02;
/// `PAGE_READWRITE` (winnt.h).
pub const PAGE_READWRITE: u32 = 0x04;
/// `PAGE_EXECUTE_READ` (winnt.h).
pub const PAGE_EXECUTE_READ: u32 = 0x20;
/// `PAGE_EXECUTE_READWRITE` (winnt.h).
pub const PAGE_EXECUTE_READWRITE: u32 = 0x40;
/// `PAGE_WRITECOPY` (winnt.h).
pub const PAGE_WRITECOPY: u32 = 0x08;
/// `PAGE_EXECUTE_WRITECOPY` (winnt.h).
pub const PAGE_EXECUTE_WRITECOPY: u32 = 0x80;

/// `SECTION_MAP_WRITE` (winnt.h).
pub const SECTION_MAP_WRITE: u32 = 0x2;
/// `SECTION_MAP_READ` (winnt.h).
pub const SECTION_MAP_READ: u32 = 0x4;
/// `SECTION_MAP_EXECUTE` (winnt.h).
pub const SECTION_MAP_EXECUTE: u32 = 0x8;

/// Builds an `OBJECT_ATTRIBUTES` around `name`, relative to `root` (null for an
/// absolute name). The pointers are kept, not followed.
#[must_use]
pub fn object_attributes(
    root: HANDLE,
    name: *const UNICODE_STRING,
    attributes: u32,
) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: root,
        ObjectName: name,
        Attributes: attributes,
        SecurityDescriptor: core::ptr::null(),
        SecurityQualityOfService: core::ptr::null(),
    }
}

/// A `UNICODE_STRING` over `units`; `None` beyond 32,767 units. The memory
/// must outlive every use of the result.
#[must_use]
pub fn unicode_string(units: &[u16]) -> Option<UNICODE_STRING> {
    let bytes = u16::try_from(units.len().checked_mul(2)?).ok()?;
    Some(UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    })
}

const _: () = assert!(size_of::<OBJECT_ATTRIBUTES>() == 48 || size_of::<usize>() != 8);
const _: () = assert!(size_of::<UNICODE_STRING>() == 16 || size_of::<usize>() != 8);
