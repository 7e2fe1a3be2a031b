//! Objects that can have names and seldom do: debug objects, reserves, wait
//! packets, worker factories, partitions, tokens, registry transactions. A name
//! that is given all the same is the VM's own.
//!
//! The declarations are phnt's. Wine 8 and 10 have only debug objects, tokens
//! and, Wine 10, reserves; a name was tried with debug objects alone.
#![allow(clippy::too_many_arguments, reason = "NT's own declarations")]

use super::objects::{Intent, named, with_object, with_private};
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES};

named! {
    with_private:
    Create create_debug_object = NtCreateDebugObject(flags: u32);
    Open open_partition = NtOpenPartition();
    Create create_cpu_partition = NtCreateCpuPartition(parameters: *const c_void, count: u32);
    Open open_cpu_partition = NtOpenCpuPartition();
    Open open_session = NtOpenSession();
    Create create_cross_vm_event = NtCreateCrossVmEvent(flags: u32, machine: *const c_void, service: *const c_void);
    Create create_cross_vm_mutant = NtCreateCrossVmMutant(flags: u32, machine: *const c_void, service: *const c_void);
    Create create_process_state_change = NtCreateProcessStateChange(process: HANDLE, reserved: u64);
    Create create_thread_state_change = NtCreateThreadStateChange(thread: HANDLE, reserved: u64);
    Create create_registry_transaction = NtCreateRegistryTransaction(options: u32);
    Open open_registry_transaction = NtOpenRegistryTransaction();
}

named! {
    with_completion:
    Create create_wait_packet = NtCreateWaitCompletionPacket();
    Create create_worker_factory = NtCreateWorkerFactory(port: HANDLE, process: HANDLE, start: *const c_void, parameter: *const c_void, maximum: u32, reserve: usize, commit: usize);
}

/// As `NtCreateTimer2`, in the VM's own namespace.
pub(crate) unsafe fn create_timer_2(
    handle: *mut HANDLE,
    reserved: *mut c_void,
    attributes: *const OBJECT_ATTRIBUTES,
    flags: u32,
    access: u32,
) -> NTSTATUS {
    with_object(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtCreateTimer2(handle, reserved, attributes, flags, access) }
    })
}

/// As `NtAllocateReserveObject`, in the VM's own namespace.
pub(crate) unsafe fn allocate_reserve(
    handle: *mut HANDLE,
    attributes: *const OBJECT_ATTRIBUTES,
    kind: u32,
) -> NTSTATUS {
    with_object(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtAllocateReserveObject(handle, attributes, kind) }
    })
}

/// As `NtCreatePartition`, in the VM's own namespace.
pub(crate) unsafe fn create_partition(
    parent: HANDLE,
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    node: u32,
) -> NTSTATUS {
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtCreatePartition(parent, handle, access, attributes, node) }
    })
}

/// As `NtDuplicateToken`, in the VM's own namespace.
pub(crate) unsafe fn duplicate_token(
    token: HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    effective_only: u8,
    kind: u32,
    handle: *mut HANDLE,
) -> NTSTATUS {
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtDuplicateToken(token, access, attributes, effective_only, kind, handle) }
    })
}

/// As `NtCreateLowBoxToken`, in the VM's own namespace.
pub(crate) unsafe fn create_low_box_token(
    handle: *mut HANDLE,
    token: HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    package: *const c_void,
    capability_count: u32,
    capabilities: *const c_void,
    handle_count: u32,
    handles: *const HANDLE,
) -> NTSTATUS {
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateLowBoxToken(
                handle,
                token,
                access,
                attributes,
                package,
                capability_count,
                capabilities,
                handle_count,
                handles,
            )
        }
    })
}
