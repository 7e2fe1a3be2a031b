//! Whom access lists of services know the VM's programs as: the user that runs the supervisor, and the
//! groups of that user that count. Services run as the same user, whatever account they name.

use std::ptr::null_mut;

use pinion_nt::HANDLE;
use pinion_scm::Sid;
use windows_sys::Win32::Security::{
    GetLengthSid, GetTokenInformation, PSID, TOKEN_GROUPS, TOKEN_QUERY, TOKEN_USER, TokenGroups,
    TokenUser,
};
use windows_sys::Win32::System::SystemServices::SE_GROUP_ENABLED;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use crate::system::own;

/// The SIDs; none where the system does not tell them, which grants nothing.
pub(super) fn own_sids() -> Vec<Sid> {
    let mut token: HANDLE = null_mut();
    // SAFETY: this process's own pseudo handle; `token` is a local.
    let done = unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) };
    if done == 0 {
        return Vec::new();
    }
    // SAFETY: a fresh handle.
    let Ok(token) = (unsafe { own(token, "look at the own token") }) else {
        return Vec::new();
    };
    let handle = std::os::windows::io::AsRawHandle::as_raw_handle(&token);
    let mut sids = Vec::new();
    if let Some(buffer) = information(handle, TokenUser) {
        // SAFETY: the buffer holds a TOKEN_USER whose SID lies in it.
        sids.push(unsafe { sid((*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid) });
    }
    if let Some(buffer) = information(handle, TokenGroups) {
        let groups = buffer.as_ptr().cast::<TOKEN_GROUPS>();
        // SAFETY: the buffer holds so many groups whose SIDs lie in it.
        unsafe {
            let count = (*groups).GroupCount as usize;
            let first = (&raw const (*groups).Groups).cast();
            let all: &[windows_sys::Win32::Security::SID_AND_ATTRIBUTES] =
                std::slice::from_raw_parts(first, count);
            let enabled = |attributes: u32| attributes & SE_GROUP_ENABLED.cast_unsigned() != 0;
            sids.extend(
                all.iter()
                    .filter(|group| enabled(group.Attributes))
                    .map(|group| sid(group.Sid)),
            );
        }
    }
    sids
}

/// Information on a token, aligned as its structures are.
fn information(token: HANDLE, class: i32) -> Option<Vec<u64>> {
    let mut size = 0;
    // SAFETY: no buffer, only its size is asked for.
    unsafe { GetTokenInformation(token, class, null_mut(), 0, &raw mut size) };
    let mut buffer = vec![0_u64; size as usize / 8 + 1];
    // SAFETY: a buffer of at least the size told.
    let done = unsafe {
        GetTokenInformation(
            token,
            class,
            buffer.as_mut_ptr().cast(),
            size,
            &raw mut size,
        )
    };
    (done != 0).then_some(buffer)
}

/// A SID's bytes.
///
/// # Safety
/// `sid` is a SID as the system gives it.
unsafe fn sid(sid: PSID) -> Sid {
    // SAFETY: the caller's promise.
    unsafe {
        let length = GetLengthSid(sid) as usize;
        Sid(std::slice::from_raw_parts(sid.cast(), length).to_vec())
    }
}
