//! The NT calls that the operations make, and handles that are closed once.

use core::ffi::c_void;
use core::ptr::null_mut;
use pinion_test_programs::nt::with_attributes;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, NTSTATUS, UNICODE_STRING};

type Attributes = *const OBJECT_ATTRIBUTES;

/// `IO_STATUS_BLOCK`.
#[repr(C)]
#[derive(Default)]
pub struct IoStatus {
    pub status: isize,
    pub information: usize,
}

// Prototypes of phnt; `*mut c_void` where these operations pass null.
#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtCreateFile(
        handle: *mut HANDLE,
        access: u32,
        attributes: Attributes,
        io: *mut IoStatus,
        allocation: *mut i64,
        file_attributes: u32,
        share: u32,
        disposition: u32,
        options: u32,
        ea: *mut c_void,
        ea_length: u32,
    ) -> NTSTATUS;
    pub fn NtDeleteFile(attributes: Attributes) -> NTSTATUS;
    pub fn NtQueryAttributesFile(attributes: Attributes, basic: *mut u8) -> NTSTATUS;
    pub fn NtQueryFullAttributesFile(attributes: Attributes, open: *mut u8) -> NTSTATUS;
    pub fn NtReadFile(
        file: HANDLE,
        event: HANDLE,
        apc: *mut c_void,
        context: *mut c_void,
        io: *mut IoStatus,
        buffer: *mut u8,
        length: u32,
        offset: *const i64,
        key: *mut u32,
    ) -> NTSTATUS;
    pub fn NtWriteFile(
        file: HANDLE,
        event: HANDLE,
        apc: *mut c_void,
        context: *mut c_void,
        io: *mut IoStatus,
        buffer: *const u8,
        length: u32,
        offset: *const i64,
        key: *mut u32,
    ) -> NTSTATUS;
    pub fn NtQueryInformationFile(
        file: HANDLE,
        io: *mut IoStatus,
        buffer: *mut u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    pub fn NtSetInformationFile(
        file: HANDLE,
        io: *mut IoStatus,
        buffer: *const u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    pub fn NtQueryVolumeInformationFile(
        file: HANDLE,
        io: *mut IoStatus,
        buffer: *mut u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    pub fn NtQueryDirectoryFile(
        file: HANDLE,
        event: HANDLE,
        apc: *mut c_void,
        context: *mut c_void,
        io: *mut IoStatus,
        buffer: *mut u8,
        length: u32,
        class: u32,
        single: u8,
        pattern: *const UNICODE_STRING,
        restart: u8,
    ) -> NTSTATUS;
    pub fn NtLockFile(
        file: HANDLE,
        event: HANDLE,
        apc: *mut c_void,
        context: *mut c_void,
        io: *mut IoStatus,
        offset: *const i64,
        length: *const i64,
        key: u32,
        at_once: u8,
        exclusive: u8,
    ) -> NTSTATUS;
    pub fn NtUnlockFile(
        file: HANDLE,
        io: *mut IoStatus,
        offset: *const i64,
        length: *const i64,
        key: u32,
    ) -> NTSTATUS;
    pub fn NtFlushBuffersFile(file: HANDLE, io: *mut IoStatus) -> NTSTATUS;
    pub fn NtCreateSection(
        section: *mut HANDLE,
        access: u32,
        attributes: Attributes,
        size: *const i64,
        protection: u32,
        kind: u32,
        file: HANDLE,
    ) -> NTSTATUS;
    pub fn NtMapViewOfSection(
        section: HANDLE,
        process: HANDLE,
        base: *mut *mut u8,
        zero: usize,
        commit: usize,
        offset: *mut i64,
        size: *mut usize,
        inherit: u32,
        kind: u32,
        protection: u32,
    ) -> NTSTATUS;
    pub fn NtUnmapViewOfSection(process: HANDLE, base: *mut u8) -> NTSTATUS;
    pub fn NtCreateKey(
        key: *mut HANDLE,
        access: u32,
        attributes: Attributes,
        index: u32,
        class: *const UNICODE_STRING,
        options: u32,
        disposition: *mut u32,
    ) -> NTSTATUS;
    pub fn NtOpenKeyEx(
        key: *mut HANDLE,
        access: u32,
        attributes: Attributes,
        options: u32,
    ) -> NTSTATUS;
    pub fn NtDeleteKey(key: HANDLE) -> NTSTATUS;
    pub fn NtRenameKey(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS;
    pub fn NtFlushKey(key: HANDLE) -> NTSTATUS;
    pub fn NtSetValueKey(
        key: HANDLE,
        name: *const UNICODE_STRING,
        index: u32,
        kind: u32,
        data: *const u8,
        length: u32,
    ) -> NTSTATUS;
    pub fn NtDeleteValueKey(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS;
    pub fn NtQueryValueKey(
        key: HANDLE,
        name: *const UNICODE_STRING,
        class: u32,
        buffer: *mut u8,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    pub fn NtEnumerateValueKey(
        key: HANDLE,
        index: u32,
        class: u32,
        buffer: *mut u8,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    pub fn NtEnumerateKey(
        key: HANDLE,
        index: u32,
        class: u32,
        buffer: *mut u8,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    pub fn NtQueryKey(
        key: HANDLE,
        class: u32,
        buffer: *mut u8,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
}

/// A handle that is closed with the value.
pub struct Owned(pub HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle came from a successful call and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}

/// How a file is opened.
#[derive(Clone, Copy)]
pub struct How {
    pub access: u32,
    pub attributes: u32,
    pub share: u32,
    pub disposition: u32,
    pub options: u32,
}

/// Opens or makes the file `name` below `root`: the status, what was done, and
/// the handle.
pub fn create_file(root: HANDLE, name: &str, how: How) -> (NTSTATUS, usize, Option<Owned>) {
    let units: Vec<u16> = name.encode_utf16().collect();
    let mut handle = null_mut();
    let mut io = IoStatus::default();
    // SAFETY: all pointers are to locals that outlive the call, or null where
    // NT takes null.
    let status = with_attributes(root, &units, |attributes| unsafe {
        NtCreateFile(
            &raw mut handle,
            how.access,
            attributes,
            &raw mut io,
            null_mut(),
            how.attributes,
            how.share,
            how.disposition,
            how.options,
            null_mut(),
            0,
        )
    });
    let made = (status >= 0).then_some(Owned(handle));
    (status, io.information, made)
}

/// `units` as NT passes strings; borrows them.
pub fn string(units: &[u16]) -> UNICODE_STRING {
    #[allow(clippy::cast_possible_truncation)]
    let length = (units.len() * 2) as u16;
    UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: units.as_ptr().cast_mut(),
    }
}

/// A buffer that is aligned for every structure, of `length` bytes.
pub struct Buffer(Vec<u64>, u32);

impl Buffer {
    /// All bytes are 0.
    pub fn new(length: u32) -> Self {
        Self(vec![0; length as usize / 8 + 1], length)
    }

    pub fn pointer(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    pub fn length(&self) -> u32 {
        self.1
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the vector has at least so many bytes, all of them set.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), self.1 as usize) }
    }

    /// The number of `N` bytes at `at`; 0 beyond the end.
    pub fn number<const N: usize>(&self, at: usize) -> u64 {
        let mut all = [0; 8];
        if let Some(bytes) = self.bytes().get(at..at + N) {
            all[..N].copy_from_slice(bytes);
        }
        u64::from_le_bytes(all)
    }

    /// `length` bytes of text at `at`; what is beyond the end is left out.
    pub fn text(&self, at: usize, length: usize) -> String {
        let end = (at + length).min(self.bytes().len());
        let bytes = self.bytes().get(at..end).unwrap_or(&[]);
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    }
}

/// A status as it is told.
pub fn hex(status: NTSTATUS) -> String {
    format!("{status:08x}")
}

/// A time of change: exact when it was set on purpose (before 2010), else that
/// it is there.
pub fn time(ticks: u64) -> String {
    const TICKS_OF_2010: u64 = 129_067_776_000_000_000;
    match ticks {
        0 => "none".into(),
        old if old < TICKS_OF_2010 => format!("t{old}"),
        _ => "recent".into(),
    }
}

/// What bytes are, shortly.
pub fn content(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("#{hash:x}")
}
