//! Opens a pipe by a system call of this program's own, as no interception of
//! ntdll in this process can keep it from: ntdll's stub, read from its file.

use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use pinion_test_programs::wide;
use std::fs::File;
use std::os::windows::io::FromRawHandle;
use std::time::Duration;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RESERVE, PAGE_EXECUTE_READWRITE, VirtualAlloc,
};

/// A stub's length; what Wine and Windows have fits and depends on no address.
const STUB: usize = 32;

/// `NtCreateFile` (ntifs.h).
type CreateFile = unsafe extern "system" fn(
    *mut HANDLE,
    u32,
    *const OBJECT_ATTRIBUTES,
    *mut IO_STATUS_BLOCK,
    *const i64,
    u32,
    u32,
    u32,
    u32,
    *const c_void,
    u32,
) -> NTSTATUS;

/// A system call that opens files.
#[derive(Clone, Copy)]
pub struct Opener(CreateFile);

impl Opener {
    /// Finds the stub.
    pub fn new() -> Self {
        let file = std::fs::read(r"C:\windows\system32\ntdll.dll").expect("ntdll's file");
        let at = offset(&file, export(c"NtCreateFile"));
        // SAFETY: fresh memory of this process, filled with the stub's code.
        unsafe {
            let place = VirtualAlloc(
                null(),
                STUB,
                MEM_COMMIT | MEM_RESERVE,
                PAGE_EXECUTE_READWRITE,
            );
            assert!(!place.is_null(), "no memory for the stub");
            place.cast::<[u8; STUB]>().write(
                file[at..at + STUB]
                    .try_into()
                    .expect("as many bytes as asked"),
            );
            Self(core::mem::transmute::<*mut c_void, CreateFile>(place))
        }
    }

    /// Opens the pipe of this NT name for reading and writing, as soon as one listens.
    pub fn open(self, name: &str) -> Option<File> {
        (0..200).find_map(|_| {
            self.open_once(name).or_else(|| {
                std::thread::sleep(Duration::from_millis(5));
                None
            })
        })
    }

    fn open_once(self, name: &str) -> Option<File> {
        let mut units = wide(name);
        let bytes = u16::try_from((units.len() - 1) * 2).expect("a short name");
        let name = UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: units.as_mut_ptr(),
        };
        let attributes = OBJECT_ATTRIBUTES {
            Length: u32::try_from(size_of::<OBJECT_ATTRIBUTES>()).expect("a size"),
            ObjectName: &raw const name,
            Attributes: 0x40,
            ..Default::default()
        };
        let (mut handle, mut io) = (null_mut(), IO_STATUS_BLOCK::default());
        // SAFETY: all pointers are to locals; GENERIC_READ | GENERIC_WRITE |
        // SYNCHRONIZE, shared by all, existing, for synchronous use.
        let status = unsafe {
            (self.0)(
                &raw mut handle,
                0xC010_0000,
                &raw const attributes,
                &raw mut io,
                null(),
                0,
                7,
                1,
                0x20,
                null(),
                0,
            )
        };
        // SAFETY: a fresh handle.
        (status >= 0).then(|| unsafe { File::from_raw_handle(handle) })
    }
}

/// Where ntdll's export lies behind the image's base.
fn export(name: &CStr) -> usize {
    // SAFETY: both names end in a zero; ntdll is in every process.
    unsafe {
        let ntdll = GetModuleHandleW(wide("ntdll.dll").as_ptr());
        let function = GetProcAddress(ntdll, name.as_ptr().cast()).expect("the export");
        function as usize - ntdll as usize
    }
}

/// Where in the file of an image lies what is at `rva` in memory.
fn offset(file: &[u8], rva: usize) -> usize {
    let word = |at: usize| {
        let bytes = file[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    };
    let header = word(0x3c);
    let first = header + 24 + (word(header + 20) & 0xffff);
    (0..word(header + 4) >> 16)
        .map(|index| first + index * 40)
        .find_map(|section| {
            let from = rva.checked_sub(word(section + 12))?;
            (from < word(section + 16)).then(|| word(section + 20) + from)
        })
        .expect("a section")
}
