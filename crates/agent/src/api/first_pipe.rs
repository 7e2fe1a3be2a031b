//! On Wine: `CreateNamedPipeW` with `FILE_FLAG_FIRST_PIPE_INSTANCE`, which the
//! DLL of Wine's own forgets ([`wine::FORGETS_FIRST_INSTANCE`]). Without the flag
//! the export is as it was.

use crate::calls::{first_instance, pipes};
use crate::entry::protect;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_intercept::export::Module;
use pinion_intercept::hot;
use pinion_nt::calls::{
    RtlDosPathNameToNtPathName_U, RtlFreeUnicodeString, RtlSetLastWin32Error,
    RtlSetLastWin32ErrorAndNtStatusFromNtStatus,
};
use pinion_nt::status::success;
use pinion_nt::{
    HANDLE, IO_STATUS_BLOCK, OBJ_CASE_INSENSITIVE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
    UNICODE_STRING, object_attributes,
};
use windows_sys::Win32::Foundation::{
    ERROR_FILENAME_EXCED_RANGE, ERROR_INVALID_PARAMETER, ERROR_PATH_NOT_FOUND, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK_0;

/// Where the export goes on as it was.
static ORIGINAL: AtomicU64 = AtomicU64::new(0);

/// `CreateNamedPipeW` (namedpipeapi.h).
type Create = unsafe extern "system" fn(
    *const u16,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    *const SECURITY_ATTRIBUTES,
) -> HANDLE;

/// Replaces the export in the kernelbase.dll mapped at `base`, where its entry is
/// of the form that may be patched.
pub(super) fn replace(base: u64, size: usize) {
    // SAFETY: the loader says that `size` bytes of the module are mapped there.
    let bytes = unsafe { core::slice::from_raw_parts(base as *const u8, size) };
    let entry = Module::new(bytes).and_then(|module| module.find(b"CreateNamedPipeW"));
    let Some(start) = entry.and_then(|entry| (entry as usize).checked_sub(hot::BEFORE)) else {
        return;
    };
    let code = bytes.get(start..).and_then(<[u8]>::first_chunk);
    if code.is_some_and(hot::is_patchable) {
        patch(base + start as u64);
    }
}

fn patch(start: u64) {
    const LENGTH: usize = hot::BEFORE + hot::HEAD;
    let entry = start + hot::BEFORE as u64;
    let (target, jump) = hot::encode(create as *const c_void as u64);
    ORIGINAL.store(entry + hot::HEAD as u64, Ordering::Release);
    if protect(start, LENGTH, PAGE_EXECUTE_READWRITE).is_none() {
        return;
    }
    // SAFETY: the pages were made writable. The padding is nobody's; the entry is
    // one instruction, aligned to its eight bytes, and replaced by one store.
    unsafe {
        (start as *mut [u8; hot::BEFORE]).write(target);
        AtomicU64::from_ptr(entry as *mut u64).store(u64::from_le_bytes(jump), Ordering::Release);
    }
    protect(start, LENGTH, PAGE_EXECUTE_READ);
}

unsafe extern "system" fn create(
    name: *const u16,
    open_mode: u32,
    pipe_mode: u32,
    instances: u32,
    outbound: u32,
    inbound: u32,
    timeout: u32,
    security: *const SECURITY_ATTRIBUTES,
) -> HANDLE {
    /// `FILE_FLAG_FIRST_PIPE_INSTANCE` (winbase.h).
    const FIRST: u32 = 0x8_0000;
    if open_mode & FIRST == 0 {
        // SAFETY: `patch` stored where the export goes on; the program's arguments.
        return unsafe {
            let original = ORIGINAL.load(Ordering::Acquire) as usize;
            let original = core::mem::transmute::<usize, Create>(original);
            original(
                name, open_mode, pipe_mode, instances, outbound, inbound, timeout, security,
            )
        };
    }
    let sizes = Sizes {
        instances,
        outbound,
        inbound,
        timeout,
    };
    let mut string = UNICODE_STRING::default();
    let (file, relative) = (core::ptr::null_mut(), core::ptr::null_mut());
    // SAFETY: the program's text, as it vouches for to the export; a local.
    if unsafe { RtlDosPathNameToNtPathName_U(name, &raw mut string, file, relative) } == 0 {
        return failed(ERROR_PATH_NOT_FOUND);
    }
    // SAFETY: the program's attributes, as it vouches for to the export.
    let security = unsafe { security.as_ref() };
    let made = first(&string, open_mode, pipe_mode, &sizes, security);
    // SAFETY: ntdll made the string.
    unsafe { RtlFreeUnicodeString(&raw mut string) };
    made
}

/// What a pipe has of sizes, as `CreateNamedPipeW` takes them.
struct Sizes {
    instances: u32,
    outbound: u32,
    inbound: u32,
    /// In milliseconds.
    timeout: u32,
}

/// Sets the error; what the export gives then.
fn failed(error: u32) -> HANDLE {
    // SAFETY: sets a field of the calling thread.
    unsafe { RtlSetLastWin32Error(error) };
    INVALID_HANDLE_VALUE
}

/// Makes the first instance of the pipe of that NT name, as `CreateNamedPipeW`
/// says (namedpipeapi.h) and Wine's does without the flag.
fn first(
    name: &UNICODE_STRING,
    open_mode: u32,
    pipe_mode: u32,
    sizes: &Sizes,
    security: Option<&SECURITY_ATTRIBUTES>,
) -> HANDLE {
    const MAX_PATH: usize = 260;
    /// `OBJ_INHERIT` (ntdef.h).
    const INHERIT: u32 = 2;
    /// `PIPE_UNLIMITED_INSTANCES` (winbase.h).
    const UNLIMITED: u32 = 255;
    if usize::from(name.Length) >= MAX_PATH * 2 {
        return failed(ERROR_FILENAME_EXCED_RANGE);
    }
    let Some((access, share, options)) = rights(open_mode) else {
        return failed(ERROR_INVALID_PARAMETER);
    };
    let inherit = security.is_some_and(|given| given.bInheritHandle != 0);
    let inherit = if inherit { INHERIT } else { 0 };
    let mut attributes =
        object_attributes(core::ptr::null_mut(), name, OBJ_CASE_INSENSITIVE | inherit);
    if let Some(given) = security {
        attributes.SecurityDescriptor = given.lpSecurityDescriptor.cast();
    }
    let mode = |bit: u32| u32::from(pipe_mode & bit != 0);
    let timeout = i64::from(sizes.timeout) * -10_000;
    let instances = match sizes.instances {
        UNLIMITED.. => u32::MAX,
        few => few,
    };
    let mut handle: HANDLE = core::ptr::null_mut();
    let mut io = IO_STATUS_BLOCK {
        Anonymous: IO_STATUS_BLOCK_0 { Status: 0 },
        Information: 0,
    };
    // SAFETY: all pointers are to locals, but the security descriptor, which is
    // the program's and the kernel checks.
    let status = unsafe {
        pipes::create_pipe(
            &raw mut handle,
            access,
            &raw const attributes,
            &raw mut io,
            share,
            first_instance::CREATE,
            options,
            mode(4),
            mode(2),
            mode(1),
            instances,
            sizes.inbound,
            sizes.outbound,
            &raw const timeout,
        )
    };
    if success(status) {
        // SAFETY: sets a field of the calling thread.
        unsafe { RtlSetLastWin32Error(0) };
        return handle;
    }
    // SAFETY: as above.
    unsafe { RtlSetLastWin32ErrorAndNtStatusFromNtStatus(status) };
    INVALID_HANDLE_VALUE
}

/// The access, the share mode and the options of an open mode (winbase.h).
fn rights(open_mode: u32) -> Option<(u32, u32, u32)> {
    const GENERIC_READ: u32 = 0x8000_0000;
    const GENERIC_WRITE: u32 = 0x4000_0000;
    const SYNCHRONIZE: u32 = 0x0010_0000;
    /// `WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY` (winnt.h).
    const ASKED: u32 = 0x0004_0000 | 0x0008_0000 | 0x0100_0000;
    /// `FILE_FLAG_WRITE_THROUGH`, `FILE_FLAG_OVERLAPPED` (winbase.h).
    const THROUGH: u32 = 0x8000_0000;
    const OVERLAPPED: u32 = 0x4000_0000;
    /// `FILE_WRITE_THROUGH`, `FILE_SYNCHRONOUS_IO_NONALERT` (ntioapi.h).
    const WRITE_THROUGH: u32 = 0x2;
    const SYNCHRONOUS: u32 = 0x20;
    let (access, share) = match open_mode & 3 {
        1 => (GENERIC_READ, 2),
        2 => (GENERIC_WRITE, 1),
        3 => (GENERIC_READ | GENERIC_WRITE, 3),
        _ => return None,
    };
    let through = if open_mode & THROUGH == 0 {
        0
    } else {
        WRITE_THROUGH
    };
    let waits = if open_mode & OVERLAPPED == 0 {
        SYNCHRONOUS
    } else {
        0
    };
    Some((
        access | SYNCHRONIZE | open_mode & ASKED,
        share,
        through | waits,
    ))
}
