//! Where Wine keeps its own folder, below which the drives' files show a second
//! time by the drive of the Unix root.

use std::ffi::{CStr, c_char};
use std::path::Path;

use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Memory::{GetProcessHeap, HeapFree};

use crate::system::wide;

/// Wine's folder as a Win32 path, such as `Z:\home\me\.wine`. `None` on Windows,
/// and where drive C is not in it.
pub(crate) fn find() -> Option<String> {
    let drive = unix_path(r"C:\")?;
    let (folder, _) = drive.rsplit_once("/dosdevices/")?;
    let folder = format!("Z:{}", folder.replace('/', r"\"));
    let own = Path::new(&format!(r"{folder}\drive_c"))
        .canonicalize()
        .ok()?;
    (own.as_os_str() == r"\\?\C:\").then_some(folder)
}

/// The Unix path of a Win32 path, by the export of kernel32 that only Wine has
/// (observed on Wine 8 and Wine 10).
fn unix_path(path: &str) -> Option<String> {
    type Call = unsafe extern "C" fn(*const u16) -> *mut c_char;
    let (module, path) = (wide("kernel32.dll"), wide(path));
    // SAFETY: zero-terminated names; kernel32 is never unloaded.
    let export = unsafe {
        GetProcAddress(
            GetModuleHandleW(module.as_ptr()),
            c"wine_get_unix_file_name".as_ptr().cast(),
        )
    }?;
    // SAFETY: Wine declares `char * CDECL wine_get_unix_file_name( LPCWSTR )`.
    let call: Call = unsafe { std::mem::transmute(export) };
    // SAFETY: a zero-terminated path; the answer is zero-terminated, of the
    // process's heap, and the caller's to free.
    unsafe {
        let answer = call(path.as_ptr());
        if answer.is_null() {
            return None;
        }
        let text = CStr::from_ptr(answer).to_str().ok().map(str::to_owned);
        HeapFree(GetProcessHeap(), 0, answer.cast());
        text
    }
}
