//! NT's object calls, as ntdll exports them on Windows and Wine alike, and a
//! table of the kinds of named objects. The prototypes are those of phnt.

use core::ptr::{null, null_mut};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{
    CloseHandle, HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, UNICODE_STRING,
};

type Attributes = *const OBJECT_ATTRIBUTES;

#[allow(missing_docs)]
#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub fn NtCreateMutant(h: *mut HANDLE, access: u32, oa: Attributes, owner: u8) -> NTSTATUS;
    pub fn NtOpenMutant(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateEvent(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        kind: i32,
        set: u8,
    ) -> NTSTATUS;
    pub fn NtOpenEvent(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateSemaphore(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        initial: i32,
        maximum: i32,
    ) -> NTSTATUS;
    pub fn NtOpenSemaphore(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateTimer(h: *mut HANDLE, access: u32, oa: Attributes, kind: i32) -> NTSTATUS;
    pub fn NtOpenTimer(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateSection(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        size: *const i64,
        protection: u32,
        attributes: u32,
        file: HANDLE,
    ) -> NTSTATUS;
    pub fn NtOpenSection(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateJobObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtOpenJobObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateKeyedEvent(h: *mut HANDLE, access: u32, oa: Attributes, flags: u32) -> NTSTATUS;
    pub fn NtOpenKeyedEvent(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateIoCompletion(h: *mut HANDLE, access: u32, oa: Attributes, n: u32) -> NTSTATUS;
    pub fn NtOpenIoCompletion(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateDirectoryObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtOpenDirectoryObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    pub fn NtCreateSymbolicLinkObject(
        h: *mut HANDLE,
        access: u32,
        oa: Attributes,
        target: *const UNICODE_STRING,
    ) -> NTSTATUS;
    pub fn NtCreateDebugObject(h: *mut HANDLE, access: u32, oa: Attributes, flags: u32)
    -> NTSTATUS;
    pub fn NtOpenSymbolicLinkObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    fn NtQueryObject(
        h: HANDLE,
        class: u32,
        buffer: *mut u8,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
}

/// The kinds of objects that `\BaseNamedObjects` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Mutant,
    Event,
    Semaphore,
    Timer,
    Section,
    Job,
    KeyedEvent,
    IoCompletion,
    Directory,
    SymbolicLink,
    /// Created by name and never opened.
    DebugObject,
}

impl Kind {
    /// Those that can be opened by name.
    pub const ALL: [Self; 10] = [
        Self::Mutant,
        Self::Event,
        Self::Semaphore,
        Self::Timer,
        Self::Section,
        Self::Job,
        Self::KeyedEvent,
        Self::IoCompletion,
        Self::Directory,
        Self::SymbolicLink,
    ];

    /// The kind of that name in lower case, such as `iocompletion`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::DebugObject])
            .find(|kind| kind.name() == name)
    }

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// A handle that is closed with the value.
pub struct Handle(pub HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came from a successful call and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}

const STATUS_NOT_IMPLEMENTED: NTSTATUS = 0xC000_0002_u32.cast_signed();
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
const PAGE_READWRITE: u32 = 4;
const SEC_COMMIT: u32 = 0x0800_0000;

/// Builds OBJECT_ATTRIBUTES for `name` below `root` and hands them to `call`.
/// A name longer than a UNICODE_STRING can say is cut by it, as in any program.
pub fn with_attributes<T>(root: HANDLE, name: &[u16], call: impl FnOnce(Attributes) -> T) -> T {
    #[allow(clippy::cast_possible_truncation)]
    let bytes = (name.len() * 2).min(0xfffe) as u16;
    let string = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_ptr().cast_mut(),
    };
    #[allow(clippy::cast_possible_truncation)]
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: root,
        ObjectName: &raw const string,
        Attributes: OBJ_CASE_INSENSITIVE as _,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    };
    call(&raw const attributes)
}

/// Creates an object of `kind`; a symbolic link leads to `\Nowhere`. Gives the
/// status and, when one was made, the handle.
#[must_use]
pub fn create(kind: Kind, root: HANDLE, name: &[u16]) -> (NTSTATUS, Option<Handle>) {
    if kind == Kind::SymbolicLink {
        return create_link(root, name, "\\Nowhere");
    }
    let mut handle: HANDLE = null_mut();
    let size = 4096_i64;
    let out = &raw mut handle;
    // SAFETY: `out`, `size` and the attributes outlive each call; every kind is
    // called with its own prototype.
    let status = with_attributes(root, name, |oa| unsafe {
        match kind {
            Kind::Mutant => NtCreateMutant(out, MAXIMUM_ALLOWED, oa, 0),
            Kind::Event => NtCreateEvent(out, MAXIMUM_ALLOWED, oa, 0, 0),
            Kind::Semaphore => NtCreateSemaphore(out, MAXIMUM_ALLOWED, oa, 0, 1),
            Kind::Timer => NtCreateTimer(out, MAXIMUM_ALLOWED, oa, 0),
            Kind::Section => NtCreateSection(
                out,
                MAXIMUM_ALLOWED,
                oa,
                &raw const size,
                PAGE_READWRITE,
                SEC_COMMIT,
                null_mut(),
            ),
            Kind::Job => NtCreateJobObject(out, MAXIMUM_ALLOWED, oa),
            Kind::KeyedEvent => NtCreateKeyedEvent(out, GENERIC_ALL, oa, 0),
            Kind::IoCompletion => NtCreateIoCompletion(out, MAXIMUM_ALLOWED, oa, 0),
            Kind::DebugObject => NtCreateDebugObject(out, MAXIMUM_ALLOWED, oa, 0),
            Kind::Directory | Kind::SymbolicLink => {
                NtCreateDirectoryObject(out, MAXIMUM_ALLOWED, oa)
            }
        }
    });
    (status, (status >= 0).then_some(Handle(handle)))
}

/// Creates a symbolic link to `target`.
#[must_use]
pub fn create_link(root: HANDLE, name: &[u16], target: &str) -> (NTSTATUS, Option<Handle>) {
    let mut handle: HANDLE = null_mut();
    let units: Vec<u16> = target.encode_utf16().collect();
    #[allow(clippy::cast_possible_truncation)]
    let bytes = (units.len() * 2) as u16;
    let target = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    };
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(root, name, |oa| unsafe {
        NtCreateSymbolicLinkObject(&raw mut handle, MAXIMUM_ALLOWED, oa, &raw const target)
    });
    (status, (status >= 0).then_some(Handle(handle)))
}

/// Opens an object of `kind`.
#[must_use]
pub fn open(kind: Kind, root: HANDLE, name: &[u16]) -> (NTSTATUS, Option<Handle>) {
    let mut handle: HANDLE = null_mut();
    let out = &raw mut handle;
    // SAFETY: `out` and the attributes outlive each call.
    let status = with_attributes(root, name, |oa| unsafe {
        match kind {
            Kind::Mutant => NtOpenMutant(out, MAXIMUM_ALLOWED, oa),
            Kind::Event => NtOpenEvent(out, MAXIMUM_ALLOWED, oa),
            Kind::Semaphore => NtOpenSemaphore(out, MAXIMUM_ALLOWED, oa),
            Kind::Timer => NtOpenTimer(out, MAXIMUM_ALLOWED, oa),
            Kind::Section => NtOpenSection(out, MAXIMUM_ALLOWED, oa),
            Kind::Job => NtOpenJobObject(out, MAXIMUM_ALLOWED, oa),
            Kind::KeyedEvent => NtOpenKeyedEvent(out, GENERIC_ALL, oa),
            Kind::IoCompletion => NtOpenIoCompletion(out, MAXIMUM_ALLOWED, oa),
            Kind::Directory => NtOpenDirectoryObject(out, MAXIMUM_ALLOWED, oa),
            Kind::SymbolicLink => NtOpenSymbolicLinkObject(out, MAXIMUM_ALLOWED, oa),
            Kind::DebugObject => STATUS_NOT_IMPLEMENTED,
        }
    });
    (status, (status >= 0).then_some(Handle(handle)))
}

/// The name that NtQueryObject gives for `handle`, or its status.
///
/// # Errors
/// The NTSTATUS of the query.
pub fn name_of(handle: &Handle) -> Result<String, NTSTATUS> {
    const OBJECT_NAME_INFORMATION: u32 = 1;
    let mut buffer = vec![0_u64; 0x2_0000 / 8];
    let mut needed = 0;
    #[allow(clippy::cast_possible_truncation)]
    let length = (buffer.len() * 8) as u32;
    // SAFETY: the buffer is as long as told and aligned for a UNICODE_STRING.
    let status = unsafe {
        NtQueryObject(
            handle.0,
            OBJECT_NAME_INFORMATION,
            buffer.as_mut_ptr().cast(),
            length,
            &raw mut needed,
        )
    };
    if status < 0 {
        return Err(status);
    }
    // SAFETY: on success the buffer begins with a UNICODE_STRING whose text
    // lies in the buffer, or has no text.
    let units = unsafe {
        let string = buffer.as_ptr().cast::<UNICODE_STRING>().read();
        if string.Buffer.is_null() {
            &[]
        } else {
            core::slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2))
        }
    };
    Ok(String::from_utf16_lossy(units))
}

/// The status and the size in bytes that NtQueryObject gives for the name of
/// `handle` in a buffer of `room` bytes, at most 512.
#[must_use]
pub fn name_with_room(handle: &Handle, room: u32) -> (NTSTATUS, u32) {
    let (mut buffer, mut needed) = ([0_u64; 64], 0);
    // SAFETY: the buffer has the room told.
    let status = unsafe {
        let buffer = buffer.as_mut_ptr().cast();
        NtQueryObject(handle.0, 1, buffer, room.min(512), &raw mut needed)
    };
    (status, needed)
}

/// A status as NT's documents write it.
#[must_use]
pub fn hex(status: NTSTATUS) -> String {
    format!("{status:#010x}")
}
