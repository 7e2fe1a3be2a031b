//! Named objects of the object manager: each call's absolute name becomes the
//! VM's own, or passes by the pass list when it only opens, or is what a rule of
//! the VM's policy says.
//!
//! A name relative to a directory handle goes through as it is: the handle was
//! decided when it was opened, and the VM's directories hold no way out.

use super::{dos_devices, rules};
use crate::hooks::kept;
use crate::{decode, scratch, state, trace};
use core::ffi::c_void;
use pinion_names::{dos, object, pipe};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_INVALID,
    STATUS_PRIVILEGE_NOT_HELD,
};
use pinion_nt::{HANDLE, NTSTATUS, OBJ_PERMANENT, OBJECT_ATTRIBUTES, unicode_string};
use pinion_policy::rules::Channel;
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// What a call does with its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Makes the object, or opens it when it exists.
    Create,
    /// Opens an object that must exist.
    Open,
}

/// The same for a channel that rules of the VM's policy can be about.
pub(crate) fn with_ruled(
    channel: Channel,
    attributes: *const OBJECT_ATTRIBUTES,
    intent: Intent,
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    if rules::concern(channel)
        && let Some(status) = rules::object(channel, attributes, intent, &call)
    {
        return status;
    }
    with_private(attributes, intent, call)
}

/// Declares how the calls of each channel with rules get their names.
macro_rules! ruled {
    ($($name:ident = $channel:ident;)*) => {
        $(
            /// Runs `call` with the name that the VM's policy gives the object.
            pub(crate) fn $name(
                attributes: *const OBJECT_ATTRIBUTES,
                intent: Intent,
                call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
            ) -> NTSTATUS {
                with_ruled(Channel::$channel, attributes, intent, call)
            }
        )*
    };
}

ruled! {
    with_object = Objects;
    with_section = Sections;
    with_job = Jobs;
    with_completion = Completions;
}

/// Runs `call` with the attributes that name the VM's own object.
pub(crate) fn with_private(
    attributes: *const OBJECT_ATTRIBUTES,
    intent: Intent,
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    // With names of the VM's own the list of all lies in the VM's directory.
    let is_own = |name: &[u16]| dos_devices::any() && dos::is_directory(name);
    let passes = |name: &[u16]| {
        intent == Intent::Open && pinion_policy::object::passes(name).is_some() && !is_own(name)
    };
    let refused = match intent {
        Intent::Create => OBJ_PERMANENT,
        Intent::Open => 0,
    };
    with_unless(passes, refused, attributes, call)
}

/// Runs `call` with the attributes that name the VM's own object, or the
/// host's where `passes` says so of the absolute name. An object that would stay
/// when the VM ends is `refused` as to who has not the privilege: Wine asks for
/// none (observed on Wine 8 and Wine 10).
pub(crate) fn with_unless(
    passes: impl Fn(&[u16]) -> bool,
    refused: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let Some((given, string)) = decode::header(attributes) else {
        return call(attributes);
    };
    if given.Attributes & refused != 0 {
        Tally::count(&state::tally().refused);
        trace::verdict(Verdict::Refused);
        return STATUS_PRIVILEGE_NOT_HELD;
    }
    if string.Length == 0 {
        return call(attributes);
    }
    if !given.RootDirectory.is_null() {
        Tally::count(&state::tally().names_private);
        trace::verdict(Verdict::Private);
        return call(attributes);
    }
    decode::with_attributes(attributes, |decoded| {
        let name = pipe::unroot(decoded.name);
        if passes(name) || name.first() != Some(&u16::from(b'\\')) {
            return with_name(&decoded.given, name, &call);
        }
        mapped(&decoded.given, name, &call)
    })
    .unwrap_or_else(|| call(attributes))
}

/// Runs `call` with the VM's own name for the absolute name `name`.
pub(crate) fn mapped(
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let directory = state::page().object_directory.as_units();
    let room = directory.len() + name.len();
    scratch::with(room, |out| match object::map(directory, name, out) {
        Ok(length) => {
            Tally::count(&state::tally().names_private);
            with_name(given, out.get(..length).unwrap_or(&[]), call)
        }
        Err(pinion_names::TooLong) => NO_ROOM,
    })
    .unwrap_or(NO_ROOM)
}

/// What a name gets for which the VM's prefix leaves no room: what a name of
/// 32,767 units gets without it, observed on Wine 8 and Wine 10. The longest
/// name in a VM is shorter than the host's by the prefix.
pub(crate) const NO_ROOM: NTSTATUS = STATUS_OBJECT_NAME_INVALID;

/// Runs `call` with `given`, its name replaced by `name`.
pub(crate) fn with_name(
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let Some(string) = unicode_string(name) else {
        return STATUS_NAME_TOO_LONG;
    };
    let attributes = OBJECT_ATTRIBUTES {
        ObjectName: &raw const string,
        ..*given
    };
    call(&raw const attributes)
}

/// Hooks whose arguments begin with handle, access and attributes, and whose
/// name is given by the function in front.
macro_rules! named {
    ($with:ident: $($intent:ident $target:ident = $call:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            /// As the system call, in the VM's own namespace.
            pub(crate) unsafe fn $target(
                handle: *mut HANDLE,
                access: u32,
                attributes: *const OBJECT_ATTRIBUTES,
                $($argument: $type),*
            ) -> NTSTATUS {
                $crate::calls::objects::$with(attributes, Intent::$intent, |attributes| {
                    // SAFETY: the program's arguments but for the name.
                    unsafe { kept::$call(handle, access, attributes, $($argument),*) }
                })
            }
        )*
    };
}

pub(crate) use named;

named! {
    with_object:
    Create create_mutant = NtCreateMutant(owner: u8);
    Open open_mutant = NtOpenMutant();
    Create create_event = NtCreateEvent(kind: u32, state: u8);
    Open open_event = NtOpenEvent();
    Create create_semaphore = NtCreateSemaphore(initial: i32, maximum: i32);
    Open open_semaphore = NtOpenSemaphore();
    Create create_timer = NtCreateTimer(kind: u32);
    Open open_timer = NtOpenTimer();
    Create create_keyed_event = NtCreateKeyedEvent(flags: u32);
    Open open_keyed_event = NtOpenKeyedEvent();
    Create create_event_pair = NtCreateEventPair();
    Open open_event_pair = NtOpenEventPair();
}

named! {
    with_section:
    Open open_section = NtOpenSection();
}

named! {
    with_job:
    Create create_job = NtCreateJobObject();
    Open open_job = NtOpenJobObject();
}

named! {
    with_completion:
    Create create_completion = NtCreateIoCompletion(threads: u32);
    Open open_completion = NtOpenIoCompletion();
}

named! {
    with_private:
    Create create_directory = NtCreateDirectoryObject();
    Open open_directory = NtOpenDirectoryObject();
}

/// As `NtCreateSection`, in the VM's own namespace.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_section(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    size: *const i64,
    protection: u32,
    allocation: u32,
    file: HANDLE,
) -> NTSTATUS {
    with_section(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateSection(
                handle, access, attributes, size, protection, allocation, file,
            )
        }
    })
}

/// As `NtCreateSectionEx`, in the VM's own namespace.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_section_ex(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    size: *const i64,
    protection: u32,
    allocation: u32,
    file: HANDLE,
    parameters: *mut c_void,
    count: u32,
) -> NTSTATUS {
    with_section(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateSectionEx(
                handle, access, attributes, size, protection, allocation, file, parameters, count,
            )
        }
    })
}

/// As `NtCreateDirectoryObjectEx`. A shadow directory would show another
/// directory's names through, so it is refused.
pub(crate) unsafe fn create_directory_ex(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    shadow: HANDLE,
    flags: u32,
) -> NTSTATUS {
    if !shadow.is_null() {
        return STATUS_ACCESS_DENIED;
    }
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtCreateDirectoryObjectEx(handle, access, attributes, shadow, flags) }
    })
}
