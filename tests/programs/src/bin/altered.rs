//! Runs a program in which an export of ntdll has another name, as on a system
//! that is newer: `altered FROM TO PROGRAM [ARGUMENT…]`. The names are of one
//! length, and the new one must stand at the same place in the order of all.
//! Output and exit code are the program's.

use core::ffi::c_void;
use pinion_test_programs::arguments;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Diagnostics::Debug::WriteProcessMemory;
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::Memory::{PAGE_READWRITE, VirtualProtectEx};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CreateProcessW, GetExitCodeProcess, INFINITE, PROCESS_INFORMATION,
    ResumeThread, STARTUPINFOW, WaitForSingleObject,
};
use windows_sys::core::w;

fn main() {
    let arguments = arguments();
    let [from, to, command @ ..] = arguments.as_slice() else {
        panic!("altered FROM TO PROGRAM [ARGUMENT…]");
    };
    assert_eq!(from.len(), to.len(), "names of one length");
    let line: Vec<_> = command.iter().map(|part| format!("\"{part}\"")).collect();
    let mut line: Vec<u16> = line.join(" ").encode_utf16().chain([0]).collect();
    let startup = STARTUPINFOW {
        cb: size_of::<STARTUPINFOW>() as u32,
        ..STARTUPINFOW::default()
    };
    let mut created = PROCESS_INFORMATION::default();
    // SAFETY: the command line is writable and ends with zero; the structures
    // are locals.
    let done = unsafe {
        CreateProcessW(
            core::ptr::null(),
            line.as_mut_ptr(),
            core::ptr::null(),
            core::ptr::null(),
            1,
            CREATE_SUSPENDED,
            core::ptr::null(),
            core::ptr::null(),
            &raw const startup,
            &raw mut created,
        )
    };
    assert_ne!(done, 0, "{}", std::io::Error::last_os_error());
    rename(&created, from, to);
    let mut code = 0;
    // SAFETY: live handles of the process just made.
    unsafe {
        ResumeThread(created.hThread);
        WaitForSingleObject(created.hProcess, INFINITE);
        GetExitCodeProcess(created.hProcess, &raw mut code);
        CloseHandle(created.hThread);
        CloseHandle(created.hProcess);
    }
    std::process::exit(code.cast_signed());
}

/// Writes `to` over `from` in the process's table of ntdll's exports: ntdll lies
/// at the same address in all processes.
fn rename(process: &PROCESS_INFORMATION, from: &str, to: &str) {
    // SAFETY: a static name that ends with a zero.
    let ntdll = unsafe { GetModuleHandleW(w!("ntdll.dll")) }.cast::<u8>();
    // SAFETY: the headers of a mapped module.
    let at = |offset: usize| unsafe { ntdll.add(offset).cast::<u32>().read_unaligned() } as usize;
    let size = at(at(0x3c) + 24 + 56);
    // SAFETY: SizeOfImage bytes are mapped there.
    let bytes = unsafe { core::slice::from_raw_parts(ntdll, size) };
    let wanted = [b"\0", from.as_bytes(), b"\0"].concat();
    let found = bytes
        .windows(wanted.len())
        .position(|window| window == wanted);
    let place = ntdll.wrapping_add(found.expect("an export of that name") + 1);
    let mut old = 0;
    // SAFETY: a live handle; the kernel checks the address; the name is as long
    // as told.
    let done = unsafe {
        let page: *const c_void = place.cast();
        VirtualProtectEx(
            process.hProcess,
            page,
            to.len(),
            PAGE_READWRITE,
            &raw mut old,
        );
        WriteProcessMemory(
            process.hProcess,
            page,
            to.as_ptr().cast(),
            to.len(),
            core::ptr::null_mut(),
        )
    };
    assert_ne!(done, 0, "{}", std::io::Error::last_os_error());
}
