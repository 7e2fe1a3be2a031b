//! Waiting for changes of keys.
//!
//! Copying a key up is no change, but to the kernel it is several. So a watch
//! is never set on a layer's own keys: for each watched key the upper has a
//! small key of its own in the tree `Watch`, the bell, on which the kernel's
//! notification waits with the program's own event, APC and status block, and
//! members that change a key ring the bells of that key and of those above it.
//! Where the host's key shows through, it is watched too, with the same event.
//!
//! A bell has one subkey, which is rung for what happens further down: only who
//! watches the whole tree hears it.

use super::bells::{self, Bell};
use super::handles::{self, STATUS_KEY_DELETED, Standing};
use super::names::{self, Origin};
use super::raw;
use super::tree::Stack;
use crate::hooks::kept;
use crate::state;
use core::ffi::c_void;
use core::sync::atomic::Ordering;
use pinion_layers::{Lookup, lookup, sources};
use pinion_nt::calls::{NtClose, NtSetEvent, NtWaitForSingleObject};
use pinion_nt::status::{STATUS_PENDING, success};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_ATTRIBUTES};

/// `KEY_NOTIFY` (winnt.h).
const KEY_NOTIFY: u32 = 0x10;
/// `REG_NOTIFY_CHANGE_NAME` (winnt.h).
const CHANGE_NAME: u32 = 1;

/// A call but for its key.
#[derive(Clone, Copy)]
struct Watch {
    /// Further keys, as the call names them.
    count: u32,
    others: *const OBJECT_ATTRIBUTES,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    filter: u32,
    subtree: u8,
    buffer: *mut c_void,
    length: u32,
    /// Whether the call returns at once.
    later: u8,
}

impl Watch {
    fn set(&self, key: HANDLE) -> NTSTATUS {
        // SAFETY: the program's own arguments but for the key and, where the
        // caller says so, what the agent owns in their place.
        unsafe {
            kept::NtNotifyChangeMultipleKeys(
                key,
                self.count,
                self.others,
                self.event,
                self.apc,
                self.context,
                self.io,
                self.filter,
                self.subtree,
                self.buffer,
                self.length,
                self.later,
            )
        }
    }

    /// The same on the host's key, by the event alone.
    fn set_on_host(&self, key: HANDLE, filter: u32) {
        static IGNORED: bells::Ignored = bells::Ignored::new();
        let event_alone = Self {
            count: 0,
            others: core::ptr::null(),
            apc: core::ptr::null(),
            context: core::ptr::null(),
            io: IGNORED.get(),
            filter,
            ..*self
        };
        event_alone.set(key);
    }
}

/// As `NtNotifyChangeMultipleKeys`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn notify_multiple(
    key: HANDLE,
    count: u32,
    others: *const OBJECT_ATTRIBUTES,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    filter: u32,
    subtree: u8,
    buffer: *mut c_void,
    length: u32,
    later: u8,
) -> NTSTATUS {
    let watch = Watch {
        count,
        others,
        event,
        apc,
        context,
        io,
        filter,
        subtree,
        buffer,
        length,
        later,
    };
    notify(key, &watch)
}

/// As `NtNotifyChangeKey`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn notify_change(
    key: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    filter: u32,
    subtree: u8,
    buffer: *mut c_void,
    length: u32,
    later: u8,
) -> NTSTATUS {
    let none = core::ptr::null();
    // SAFETY: the program's own arguments.
    unsafe {
        notify_multiple(
            key, 0, none, event, apc, context, io, filter, subtree, buffer, length, later,
        )
    }
}

fn notify(key: HANDLE, watch: &Watch) -> NTSTATUS {
    let standing = match handles::stand(key) {
        Ok(Standing::Gone) => return STATUS_KEY_DELETED,
        Ok(standing) => standing,
        Err(status) => return status,
    };
    let may = raw::granted(key).is_ok_and(|access| access & KEY_NOTIFY != 0);
    if !may || matches!(standing, Standing::Same(None)) {
        return watch.set(key);
    }
    names::with_vm_name(key, |name, origin| {
        let bell = match bells::of(key, name) {
            Ok(bell) => bell,
            Err(status) => return status,
        };
        let Some(filter) = host_filter(name, watch) else {
            return watch.set(bell.handle());
        };
        let host = match origin {
            Origin::Host => Some(key),
            _ => bell.host(name),
        };
        match host {
            None => watch.set(bell.handle()),
            Some(host) if watch.later != 0 => set_both(watch, &bell, host, filter),
            Some(host) => wait_for_both(watch, &bell, host, filter),
        }
    })
    .unwrap_or_else(|_| watch.set(key))
}

/// What can change in the VM when the host's key does; `None`: nothing.
fn host_filter(name: &[u16], watch: &Watch) -> Option<u32> {
    let mut stack = Stack::new(name);
    let host = state::page().layers().len();
    if !sources(&mut stack).is_ok_and(|sources| sources.contains(host)) {
        return None;
    }
    let values = watch.subtree != 0
        || matches!(lookup(&mut stack), Ok(Lookup::Found { layer, .. }) if layer == host);
    let filter = if values {
        watch.filter
    } else {
        watch.filter & CHANGE_NAME
    };
    (filter != 0).then_some(filter)
}

/// Sets both watches. Setting the second takes back what the event may have
/// been set for by the first on Wine (observed on Wine 8 and 10), so it is set
/// again if a bell was rung meanwhile.
fn set_both(watch: &Watch, bell: &Bell, host: HANDLE, filter: u32) -> NTSTATUS {
    let rung = || state::tally().keys_rung.load(Ordering::Acquire);
    let before = rung();
    let status = watch.set(bell.handle());
    if success(status) && !watch.event.is_null() {
        watch.set_on_host(host, filter);
        if rung() != before {
            // SAFETY: the program's event; a bad one was refused above.
            unsafe { NtSetEvent(watch.event, core::ptr::null_mut()) };
        }
    }
    status
}

/// A call that waits: as the kernel's own, by an event that nobody else has.
fn wait_for_both(watch: &Watch, bell: &Bell, host: HANDLE, filter: u32) -> NTSTATUS {
    const ALL: u32 = 0x1F_0003;
    const SYNCHRONIZATION: u32 = 1;
    let mut event: HANDLE = core::ptr::null_mut();
    // SAFETY: the output is a local; the event has no name.
    let made =
        unsafe { kept::NtCreateEvent(&raw mut event, ALL, core::ptr::null(), SYNCHRONIZATION, 0) };
    if !success(made) {
        return made;
    }
    let later = Watch {
        event,
        later: 1,
        ..*watch
    };
    let mut status = set_both(&later, bell, host, filter);
    if status == STATUS_PENDING {
        // SAFETY: the event is the agent's own.
        status = unsafe { NtWaitForSingleObject(event, 0, core::ptr::null()) };
    }
    // SAFETY: as above, and closed once.
    unsafe { NtClose(event) };
    status
}
