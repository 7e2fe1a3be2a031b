//! Creates and opens each kind of named object by its Win32 function, or by its
//! NT call for the kinds that begin with `nt-`.

use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{self, Handle, Kind};
use pinion_test_programs::{last_error, usage, wide};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE, SetLastError,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_EXISTING, PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::JobObjects::{CreateJobObjectW, OpenJobObjectW};
use windows_sys::Win32::System::Mailslots::CreateMailslotW;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, OpenFileMappingW, PAGE_READWRITE,
};
use windows_sys::Win32::System::Pipes::{CreateNamedPipeW, PIPE_UNLIMITED_INSTANCES};
use windows_sys::Win32::System::Threading::{
    CreateEventW, CreateMutexW, CreateSemaphoreW, CreateWaitableTimerW, EVENT_MODIFY_STATE,
    OpenEventW, OpenMutexW, OpenSemaphoreW, OpenWaitableTimerW, SEMAPHORE_MODIFY_STATE,
    SYNCHRONIZATION_SYNCHRONIZE,
};

/// ERROR_ALREADY_EXISTS: the name was there, and its object was opened.
pub const ALREADY_EXISTS: u32 = 183;

/// The Win32 names of kinds.
pub const KINDS: [&str; 8] = [
    "mutant",
    "event",
    "semaphore",
    "timer",
    "section",
    "pipe",
    "mailslot",
    "job",
];

/// A created or opened object, held as long as the value.
pub struct Named {
    /// The Win32 error, 0 for success; for an `nt-` kind the NTSTATUS.
    pub error: u32,
    /// The object.
    pub handle: Option<Handle>,
}

/// Whether `kind` is one that [`create`] knows.
pub fn is_kind(kind: &str) -> bool {
    KINDS.contains(&kind) || nt_kind(kind).is_some()
}

fn nt_kind(kind: &str) -> Option<Kind> {
    kind.strip_prefix("nt-").and_then(Kind::named)
}

fn of_status((status, handle): (i32, Option<Handle>)) -> Named {
    #[allow(clippy::cast_sign_loss)]
    let error = status as u32;
    Named { error, handle }
}

fn of_handle(handle: HANDLE) -> Named {
    let error = last_error();
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        let error = if error == 0 {
            ERROR_INVALID_HANDLE
        } else {
            error
        };
        return Named {
            error,
            handle: None,
        };
    }
    Named {
        error,
        handle: Some(Handle(handle)),
    }
}

/// Creates `name`.
pub fn create(kind: &str, name: &str) -> Named {
    if let Some(kind) = nt_kind(kind) {
        let units: Vec<u16> = name.encode_utf16().collect();
        return of_status(nt::create(kind, null_mut(), &units));
    }
    let name = wide(name);
    let name = name.as_ptr();
    // SAFETY: `name` ends in a zero and outlives the call; the other pointers
    // are null, which each function allows.
    of_handle(unsafe {
        SetLastError(0);
        match kind {
            "mutant" => CreateMutexW(null(), 0, name),
            "event" => CreateEventW(null(), 0, 0, name),
            "semaphore" => CreateSemaphoreW(null(), 0, 1, name),
            "timer" => CreateWaitableTimerW(null(), 0, name),
            "section" => {
                CreateFileMappingW(INVALID_HANDLE_VALUE, null(), PAGE_READWRITE, 0, 4096, name)
            }
            "pipe" => CreateNamedPipeW(
                name,
                PIPE_ACCESS_DUPLEX,
                0,
                PIPE_UNLIMITED_INSTANCES,
                512,
                512,
                0,
                null(),
            ),
            "mailslot" => CreateMailslotW(name, 0, 0, null()),
            "job" => CreateJobObjectW(null(), name),
            _ => usage(super::USAGE),
        }
    })
}

/// Opens `name`, which must exist.
pub fn open(kind: &str, name: &str) -> Named {
    if let Some(kind) = nt_kind(kind) {
        let units: Vec<u16> = name.encode_utf16().collect();
        return of_status(nt::open(kind, null_mut(), &units));
    }
    let name = wide(name);
    let name = name.as_ptr();
    // SAFETY: as in `create`.
    of_handle(unsafe {
        SetLastError(0);
        match kind {
            "mutant" => OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE, 0, name),
            "event" => OpenEventW(EVENT_MODIFY_STATE, 0, name),
            "semaphore" => OpenSemaphoreW(SEMAPHORE_MODIFY_STATE, 0, name),
            "timer" => OpenWaitableTimerW(SYNCHRONIZATION_SYNCHRONIZE, 0, name),
            "section" => OpenFileMappingW(FILE_MAP_READ, 0, name),
            "pipe" => file(name, GENERIC_READ | GENERIC_WRITE),
            "mailslot" => file(name, GENERIC_WRITE),
            "job" => OpenJobObjectW(JOB_OBJECT_QUERY, 0, name),
            _ => usage(super::USAGE),
        }
    })
}

const JOB_OBJECT_QUERY: u32 = 4;

/// # Safety
/// `name` points to UTF-16 units that end in a zero.
unsafe fn file(name: *const u16, access: u32) -> HANDLE {
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
    // SAFETY: the caller's promise; the other pointers may be null.
    unsafe { CreateFileW(name, access, share, null(), OPEN_EXISTING, 0, null_mut()) }
}
