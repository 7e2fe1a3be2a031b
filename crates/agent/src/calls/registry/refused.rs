//! Calls that would change the host's registry as a whole, or that bring keys
//! from files: refused, and told to the supervisor's log.
//!
//! Hives are loaded only by who holds the backup and
//! restore privileges. A member holds neither as far as these calls can tell,
//! so the answer is NT's own for that case, which programs know.

use crate::{state, supervisor, trace};
use core::ffi::c_void;
use pinion_nt::status::STATUS_PRIVILEGE_NOT_HELD;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// Logs that `what` was refused; gives `status`.
pub(super) fn because(what: &[u16], why: &str, status: NTSTATUS) -> NTSTATUS {
    Tally::count(&state::tally().refused);
    trace::verdict(Verdict::Refused);
    supervisor::refused(what, why, status);
    status
}

/// The refusal of a call on hives.
pub(super) fn hive(call: &str) -> NTSTATUS {
    because(&[], call, STATUS_PRIVILEGE_NOT_HELD)
}

macro_rules! hives {
    ($($target:ident = $call:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            /// Refused: concerns whole hives.
            #[allow(clippy::too_many_arguments)]
            pub(crate) unsafe fn $target($($argument: $type),*) -> NTSTATUS {
                let _ = ($($argument,)*);
                hive(concat!(stringify!($call), ": hives are not given to members"))
            }
        )*
    };
}

type Attributes = *const OBJECT_ATTRIBUTES;

hives! {
    save_merged = NtSaveMergedKeys(_high: HANDLE, _low: HANDLE, _file: HANDLE);
    load_key_3 = NtLoadKey3(_target: Attributes, _source: Attributes, _flags: u32, _parameters: *mut c_void, _count: u32, _access: u32, _root: *mut HANDLE, _reserved: *mut c_void);
    unload_key_2 = NtUnloadKey2(_target: Attributes, _flags: u32);
    unload_key_ex = NtUnloadKeyEx(_target: Attributes, _event: HANDLE);
    lock_key = NtLockRegistryKey(_key: HANDLE);
    query_open = NtQueryOpenSubKeys(_target: Attributes, _count: *mut u32);
    query_open_ex = NtQueryOpenSubKeysEx(_target: Attributes, _length: u32, _buffer: *mut c_void, _required: *mut u32);
}
