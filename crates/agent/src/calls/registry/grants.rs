//! Whether a key's security descriptor grants an access to the calling thread:
//! the kernel's own judgement of a descriptor, without an open of the key.

use super::access::{ALL, READ, spelt_out};
use super::raw::Key;
use super::security;
use core::ffi::c_void;
use pinion_nt::calls::{
    NtAccessCheck, NtClose, NtDuplicateToken, NtOpenProcessToken, NtOpenThreadToken,
};
use pinion_nt::status::{STATUS_ACCESS_DENIED, success};
use pinion_nt::{
    CURRENT_PROCESS, CURRENT_THREAD, GENERIC_MAPPING, HANDLE, NTSTATUS, OBJECT_ATTRIBUTES,
    SECURITY_QUALITY_OF_SERVICE,
};

/// `TOKEN_DUPLICATE`, `TOKEN_QUERY` (winnt.h).
const DUPLICATE: u32 = 2;
const QUERY: u32 = 8;
/// `KEY_WRITE` (winnt.h).
const WRITE: u32 = 0x2_0006;

/// A token of the agent's own, closed with the value.
struct Token(HANDLE);

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's own.
        unsafe { NtClose(self.0) };
    }
}

/// The status with which the kernel would refuse `access` to the key, as its
/// descriptor stands; `None` where it would grant it.
pub(super) fn refuses(key: &Key, access: u32) -> Option<NTSTATUS> {
    let judged = identity().and_then(|token| {
        security::with_descriptor(key, |descriptor| check(descriptor, &token, access))?
    });
    // Who cannot be judged gets no copy.
    judged.unwrap_or_else(Some)
}

fn check(
    descriptor: *const c_void,
    token: &Token,
    access: u32,
) -> Result<Option<NTSTATUS>, NTSTATUS> {
    let mapping = GENERIC_MAPPING {
        GenericRead: READ,
        GenericWrite: WRITE,
        GenericExecute: READ,
        GenericAll: ALL,
    };
    // PRIVILEGE_SET (winnt.h) with room for more privileges than an access uses.
    let mut privileges = [0_u32; 32];
    let mut size = size_of_val(&privileges) as u32;
    let (mut granted, mut answer) = (0, STATUS_ACCESS_DENIED);
    // SAFETY: the descriptor is the kernel's own answer and lives over the call;
    // all else are locals of the sizes told.
    let status = unsafe {
        NtAccessCheck(
            descriptor,
            token.0,
            spelt_out(access),
            &raw const mapping,
            privileges.as_mut_ptr().cast(),
            &raw mut size,
            &raw mut granted,
            &raw mut answer,
        )
    };
    match (success(status), success(answer)) {
        (false, _) => Err(status),
        (true, true) => Ok(None),
        (true, false) => Ok(Some(answer)),
    }
}

/// Whom the calling thread acts as: whom it impersonates, else its process. An
/// access check takes an impersonation token only (NtAccessCheck documentation).
fn identity() -> Result<Token, NTSTATUS> {
    let mut handle: HANDLE = core::ptr::null_mut();
    // SAFETY: the handle is a local.
    let status = unsafe { NtOpenThreadToken(CURRENT_THREAD, QUERY, 1, &raw mut handle) };
    if success(status) {
        return Ok(Token(handle));
    }
    // SAFETY: the handle is a local.
    told(unsafe { NtOpenProcessToken(CURRENT_PROCESS, DUPLICATE, &raw mut handle) })?;
    let primary = Token(handle);
    /// `SecurityImpersonation`, `TokenImpersonation` (winnt.h).
    const IMPERSONATION: i32 = 2;
    let quality = SECURITY_QUALITY_OF_SERVICE {
        Length: size_of::<SECURITY_QUALITY_OF_SERVICE>() as u32,
        ImpersonationLevel: IMPERSONATION,
        ContextTrackingMode: 0,
        EffectiveOnly: false,
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: core::ptr::null_mut(),
        ObjectName: core::ptr::null(),
        Attributes: 0,
        SecurityDescriptor: core::ptr::null(),
        SecurityQualityOfService: &raw const quality,
    };
    // SAFETY: the attributes and what they point at are locals; so is the handle.
    told(unsafe {
        NtDuplicateToken(
            primary.0,
            QUERY,
            &raw const attributes,
            0,
            IMPERSONATION,
            &raw mut handle,
        )
    })?;
    Ok(Token(handle))
}

fn told(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if success(status) { Ok(()) } else { Err(status) }
}
