//! The names that Windows tells for an open or mapped file, and for the program.

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, name_of};
use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{GENERIC_READ, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_SHARE_READ, GetFinalPathNameByHandleW, OPEN_EXISTING,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, MapViewOfFile, PAGE_READONLY,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, QueryFullProcessImageNameW};

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtQueryInformationFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    fn NtQueryVirtualMemory(
        process: HANDLE,
        address: *const c_void,
        class: u32,
        buffer: *mut u8,
        length: usize,
        returned: *mut usize,
    ) -> NTSTATUS;
}

/// Every name of the file of the Win32 path `path`.
pub fn names(path: &str) -> Value {
    let path = wide(path);
    // SAFETY: the path ends in a zero.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ,
            FILE_SHARE_READ,
            null(),
            OPEN_EXISTING,
            0,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return json!({"error": last_error()});
    }
    let file = Handle(handle);
    json!({
        "error": 0,
        "object": name_of(&file).unwrap_or_default(),
        "final": final_path(&file),
        "information": information(&file, 9, 0),
        "all": information(&file, 18, 96),
        "mapped": mapped(&file),
    })
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

fn final_path(file: &Handle) -> String {
    let mut buffer = [0; 1024];
    // SAFETY: the buffer is as long as told.
    let length = unsafe { GetFinalPathNameByHandleW(file.0, buffer.as_mut_ptr(), 1024, 0) };
    text(buffer.get(..length as usize).unwrap_or(&[]))
}

/// The name in an information class, whose length is at `at`.
fn information(file: &Handle, class: u32, at: usize) -> String {
    let mut buffer = vec![0_u32; 512];
    // SAFETY: a structure of plain words; the buffer is as long as told.
    let status = unsafe {
        let mut io: IO_STATUS_BLOCK = core::mem::zeroed();
        NtQueryInformationFile(file.0, &raw mut io, buffer.as_mut_ptr().cast(), 2048, class)
    };
    if status != 0 {
        return format!("{status:#x}");
    }
    let units = buffer[at / 4] as usize / 2;
    let name: Vec<u16> = buffer[at / 4 + 1..]
        .iter()
        .flat_map(|word| [(word & 0xffff) as u16, (word >> 16) as u16])
        .take(units)
        .collect();
    text(&name)
}

fn mapped(file: &Handle) -> String {
    let mut buffer = vec![0_u64; 512];
    // SAFETY: the handle is open; the buffer is as long as told, and begins with
    // a UNICODE_STRING on success.
    unsafe {
        let section = CreateFileMappingW(file.0, null(), PAGE_READONLY, 0, 0, null());
        if section.is_null() {
            return format!("error {}", last_error());
        }
        let section = Handle(section);
        let view = MapViewOfFile(section.0, FILE_MAP_READ, 0, 0, 0);
        let status = NtQueryVirtualMemory(
            GetCurrentProcess(),
            view.Value,
            2,
            buffer.as_mut_ptr().cast(),
            4096,
            null_mut(),
        );
        if status != 0 {
            return format!("{status:#x}");
        }
        let length = (buffer[0] & 0xffff) as usize / 2;
        text(core::slice::from_raw_parts(buffer[1] as *const u16, length))
    }
}

/// The names of this program itself.
pub fn program() -> Value {
    let mut buffer = [0; 1024];
    let mut length = 1024;
    // SAFETY: the buffer is as long as told.
    let done = unsafe {
        QueryFullProcessImageNameW(GetCurrentProcess(), 0, buffer.as_mut_ptr(), &raw mut length)
    };
    let image = if done == 0 {
        String::new()
    } else {
        text(&buffer[..length as usize])
    };
    json!({
        "error": 0,
        "image": image,
        "module": std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
        "folder": std::env::current_dir().map(|path| path.display().to_string()).unwrap_or_default(),
    })
}
