//! What NT's query calls write, byte by byte, whatever class and room.

use crate::{Keys, NtEnumerateKey, NtEnumerateValueKey, NtQueryKey, NtQueryValueKey, with_name};
use core::ffi::c_void;
use core::ptr::null_mut;
use pinion_test_programs::nt::{Handle, hex};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{HANDLE, LocalFree, NTSTATUS};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW,
};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtQuerySecurityObject(
        h: HANDLE,
        information: u32,
        descriptor: *mut c_void,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    fn NtSetSecurityObject(h: HANDLE, information: u32, descriptor: *const c_void) -> NTSTATUS;
    fn NtQueryMultipleValueKey(
        h: HANDLE,
        entries: *mut c_void,
        count: u32,
        buffer: *mut c_void,
        length: *mut u32,
        needed: *mut u32,
    ) -> NTSTATUS;
}

/// `DACL_SECURITY_INFORMATION` (winnt.h).
const DACL: u32 = 4;
const SDDL_REVISION_1: u32 = 1;

/// The answer with `skip` bytes at the front left out, which are a time.
fn answer(
    skip: usize,
    length: &str,
    call: impl FnOnce(*mut c_void, u32, *mut u32) -> NTSTATUS,
) -> Value {
    let length: usize = length.parse().unwrap_or(0);
    let (mut buffer, mut needed) = (vec![0xAA_u8; length + 8], 0xAAAA_AAAA);
    #[allow(clippy::cast_possible_truncation)]
    let status = call(buffer.as_mut_ptr().cast(), length as u32, &raw mut needed);
    let written: String = buffer
        .iter()
        .skip(skip)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({"status": hex(status), "value": [needed, written]})
}

/// How many bytes at the front of a class of a key's information are a time.
fn time_of(class: i32) -> usize {
    if matches!(class, 0 | 1 | 2 | 4) { 8 } else { 0 }
}

impl Keys {
    /// `info H CLASS LENGTH`: `NtQueryKey`.
    pub fn info(&self, handle: &str, class: &str, length: &str) -> Value {
        let class = class.parse().unwrap_or(-1);
        // SAFETY: the buffer is as long as told.
        answer(time_of(class), length, |data, length, needed| unsafe {
            NtQueryKey(self.key(handle), class, data, length, needed)
        })
    }

    /// `enum H INDEX CLASS LENGTH`: `NtEnumerateKey`.
    pub fn enumerated(&self, handle: &str, index: &str, class: &str, length: &str) -> Value {
        let class = class.parse().unwrap_or(-1);
        let index = index.parse().unwrap_or(u32::MAX);
        // SAFETY: the buffer is as long as told.
        answer(time_of(class), length, |data, length, needed| unsafe {
            NtEnumerateKey(self.key(handle), index, class, data, length, needed)
        })
    }

    /// `value H NAME CLASS LENGTH`: `NtQueryValueKey`.
    pub fn value(&self, handle: &str, name: &str, class: &str, length: &str) -> Value {
        let class = class.parse().unwrap_or(-1);
        // SAFETY: the buffer is as long as told; the name lives over the call.
        answer(0, length, |data, length, needed| unsafe {
            with_name(name, |name| {
                NtQueryValueKey(self.key(handle), name, class, data, length, needed)
            })
        })
    }

    /// `enum-value H INDEX CLASS LENGTH`: `NtEnumerateValueKey`.
    pub fn enumerated_value(&self, handle: &str, index: &str, class: &str, length: &str) -> Value {
        let class = class.parse().unwrap_or(-1);
        let index = index.parse().unwrap_or(u32::MAX);
        // SAFETY: the buffer is as long as told.
        answer(0, length, |data, length, needed| unsafe {
            NtEnumerateValueKey(self.key(handle), index, class, data, length, needed)
        })
    }

    /// `multiple H`: `NtQueryMultipleValueKey` of no value.
    pub fn multiple(&self, handle: &str) -> Value {
        let (mut length, mut needed) = (0, 0);
        // SAFETY: no entries and no buffer; the outputs are locals.
        let status = unsafe {
            NtQueryMultipleValueKey(
                self.key(handle),
                null_mut(),
                0,
                null_mut(),
                &raw mut length,
                &raw mut needed,
            )
        };
        json!({"status": hex(status)})
    }

    /// `written H`: the last write, in 100 ns.
    pub fn written(&self, handle: &str) -> Value {
        let (mut buffer, mut needed) = ([0_u64; 80], 0);
        // SAFETY: the buffer is as long as told.
        let status = unsafe {
            NtQueryKey(
                self.key(handle),
                0,
                buffer.as_mut_ptr().cast(),
                640,
                &raw mut needed,
            )
        };
        json!({"status": hex(status), "value": buffer[0]})
    }

    /// `security H`: the access list, as text.
    pub fn security(&self, handle: &str) -> Value {
        let (mut buffer, mut needed) = (vec![0_u64; 512], 0);
        let descriptor: *mut c_void = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer is as long as told.
        let status = unsafe {
            NtQuerySecurityObject(self.key(handle), DACL, descriptor, 4096, &raw mut needed)
        };
        if status < 0 {
            return json!({"status": hex(status)});
        }
        let (mut text, mut length) = (null_mut(), 0);
        // SAFETY: the descriptor was just written; the outputs are locals; the
        // text is as long as told.
        let text = unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor,
                SDDL_REVISION_1,
                DACL,
                &raw mut text,
                &raw mut length,
            );
            let units = core::slice::from_raw_parts(text, length as usize);
            let owned = String::from_utf16_lossy(units);
            LocalFree(text.cast());
            owned
        };
        json!({"status": hex(status), "value": text.trim_end_matches('\0')})
    }

    /// `protect H SDDL`: sets the access list.
    pub fn protect(&self, handle: &str, sddl: &str) -> NTSTATUS {
        let mut descriptor = null_mut();
        // SAFETY: the text ends in a zero; the output is a local, and freed once.
        unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                pinion_test_programs::wide(sddl).as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            );
            let status = NtSetSecurityObject(self.key(handle), DACL, descriptor);
            LocalFree(descriptor);
            status
        }
    }

    /// `duplicate H2 H`.
    pub fn duplicate(&mut self, new: &str, handle: &str) -> Value {
        use windows_sys::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle};
        use windows_sys::Win32::System::Threading::GetCurrentProcess;
        let mut copy = null_mut();
        // SAFETY: the output is a local.
        let made = unsafe {
            let own = GetCurrentProcess();
            let from = self.key(handle);
            DuplicateHandle(own, from, own, &raw mut copy, 0, 0, DUPLICATE_SAME_ACCESS)
        };
        if made != 0 {
            self.open.insert(new.to_owned(), Handle(copy));
        }
        json!({"value": made})
    }
}
