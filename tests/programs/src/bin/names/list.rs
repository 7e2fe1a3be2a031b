//! The names in the session's directory of named objects, one a line.

use pinion_test_programs::nt::{self, Kind};
use std::ffi::c_void;
use std::ptr::null_mut;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtQueryDirectoryObject(
        directory: HANDLE,
        buffer: *mut c_void,
        length: u32,
        single: u8,
        restart: u8,
        context: *mut u32,
        returned: *mut u32,
    ) -> NTSTATUS;
}

/// Prints every name; ends with exit code 1 when the directory cannot be opened.
pub fn all() {
    let name: Vec<u16> = "\\Sessions\\1\\BaseNamedObjects".encode_utf16().collect();
    let (status, directory) = nt::open(Kind::Directory, null_mut(), &name);
    let Some(directory) = directory else {
        eprintln!("opening the directory failed: {status:#010x}");
        std::process::exit(1);
    };
    let mut context = 0;
    let mut buffer = [0_u64; 1024];
    loop {
        // SAFETY: the buffer is aligned and of the given size. Single entries:
        // several at once fail on Wine 8 (observed).
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.0,
                buffer.as_mut_ptr().cast(),
                size_of_val(&buffer) as u32,
                1,
                0,
                &raw mut context,
                null_mut(),
            )
        };
        if status != 0 {
            return;
        }
        // SAFETY: one OBJECT_DIRECTORY_INFORMATION begins with its name, whose
        // units lie in the same buffer.
        let name = unsafe {
            let name = &*buffer.as_ptr().cast::<UNICODE_STRING>();
            std::slice::from_raw_parts(name.Buffer, name.Length as usize / 2)
        };
        println!("{}", String::from_utf16_lossy(name));
    }
}
