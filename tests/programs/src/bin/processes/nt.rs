//! The system calls, and small helps around them.

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, NTSTATUS};

/// `CLIENT_ID`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ClientId {
    pub process: usize,
    pub thread: usize,
}

type Attributes = *const OBJECT_ATTRIBUTES;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub fn NtOpenProcess(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        id: *const ClientId,
    ) -> NTSTATUS;
    pub fn NtOpenThread(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        id: *const ClientId,
    ) -> NTSTATUS;
    pub fn NtQuerySystemInformation(
        class: u32,
        buffer: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> NTSTATUS;
    pub fn RtlGetNativeSystemInformation(
        class: u32,
        buffer: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> NTSTATUS;
    pub fn NtSuspendProcess(process: HANDLE) -> NTSTATUS;
    pub fn NtResumeProcess(process: HANDLE) -> NTSTATUS;
}

/// Attributes of no name.
pub fn plain() -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: null_mut(),
        ObjectName: null(),
        Attributes: 0,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    }
}

/// Opens a process or a thread by an id; the status. The handle is closed.
pub fn open(thread: bool, access: u32, id: ClientId) -> NTSTATUS {
    let (mut handle, attributes) = (null_mut(), plain());
    let call = if thread { NtOpenThread } else { NtOpenProcess };
    // SAFETY: all pointers are to locals; a handle that comes is closed.
    unsafe {
        let status = call(
            &raw mut handle,
            access,
            &raw const attributes,
            &raw const id,
        );
        if status >= 0 {
            CloseHandle(handle);
        }
        status
    }
}

/// The id of the calling thread.
pub fn own_thread() -> u32 {
    // SAFETY: no pointers.
    unsafe { windows_sys::Win32::System::Threading::GetCurrentThreadId() }
}

/// The whole answer of a class of `NtQuerySystemInformation`; the status when
/// it is refused.
pub fn system(class: u32) -> Result<Vec<u64>, NTSTATUS> {
    system_by(NtQuerySystemInformation, class)
}

/// `NtQuerySystemInformation` by one of its names.
pub type Query = unsafe extern "system" fn(u32, *mut c_void, u32, *mut u32) -> NTSTATUS;

/// The same by another name.
pub fn system_by(query: Query, class: u32) -> Result<Vec<u64>, NTSTATUS> {
    let mut words = vec![0_u64; 16];
    loop {
        let mut told = 0;
        let size = (words.len() * 8) as u32;
        // SAFETY: the buffer has the size told and is aligned for all classes.
        let status = unsafe { query(class, words.as_mut_ptr().cast(), size, &raw mut told) };
        match status.cast_unsigned() {
            0 => {
                words.truncate((told as usize).div_ceil(8));
                return Ok(words);
            }
            0xc000_0004 if words.len() < 1 << 22 => {
                words.resize((told as usize / 8 + 64).max(words.len() * 2), 0);
            }
            _ => return Err(status),
        }
    }
}
