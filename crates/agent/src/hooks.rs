//! The table of intercepted system calls, and its installation.
//!
//! One line per call: its signature and the function that takes its place, or
//! the call as it was and, behind `where`, what must hold of the handle that it
//! acts on. For each the table makes an entry with NT's calling convention and,
//! in [`kept`], the call as it was: a copy of the stub.

use crate::{calls, entry, late, state, trace};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use pinion_intercept::export::Module;
use pinion_intercept::{jump, stub};
use pinion_nt::calls::NtAllocateVirtualMemory;
use pinion_nt::status::STATUS_NOT_IMPLEMENTED;
use pinion_nt::{
    CLIENT_ID, CURRENT_PROCESS, HANDLE, IO_STATUS_BLOCK, MEM_COMMIT_RESERVE, NTSTATUS,
    OBJECT_ATTRIBUTES, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_READWRITE, UNICODE_STRING,
};
use pinion_wire::trace::call;

/// Where the copies of the stubs are, [`stub::LENGTH`] bytes each, in the
/// table's order.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// One intercepted call.
struct Hook {
    /// ntdll's export.
    name: &'static [u8],
    /// What takes its place.
    entry: *const c_void,
}

// SAFETY: both fields are addresses of static code and data.
unsafe impl Sync for Hook {}

/// The late work, but for calls that are judged by a handle: it must not be done
/// in them, since the heap asks for memory while it is locked.
macro_rules! get_ready {
    () => {
        late::ensure()
    };
    ($check:ident) => {};
}

/// What is told of a call's arguments.
macro_rules! told {
    ($($argument:ident: $type:ty),*) => {{
        #[allow(unused_mut)]
        let mut arguments = trace::Arguments::default();
        $(arguments.take(
            const { trace::part(stringify!($argument), stringify!($type)) },
            trace::Word::word($argument),
        );)*
        arguments
    }};
}

pub(crate) use told;

macro_rules! hooks {
    ($($name:ident($($argument:ident: $type:ty),* $(,)?) => $target:path $(where $check:ident($handle:ident))?;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(usize)]
        enum Index { $($name),* }

        /// The calls as they were before interception.
        #[allow(non_snake_case, dead_code, clippy::too_many_arguments)]
        pub(crate) mod kept {
            use super::*;
            $(
                /// The system call itself.
                ///
                /// # Safety
                /// As the system call: pointers may be bad, the kernel checks.
                #[inline]
                pub(crate) unsafe fn $name($($argument: $type),*) -> NTSTATUS {
                    let at = KEPT.load(Ordering::Relaxed)
                        + (Index::$name as usize * stub::LENGTH) as u64;
                    if const { trace::is_named(&[$(trace::part(stringify!($argument), stringify!($type))),*]) }
                        && trace::is_on()
                    {
                        trace::given(const { call(stringify!($name)) }, &told!($($argument: $type),*));
                    }
                    type Call = unsafe extern "system" fn($($type),*) -> NTSTATUS;
                    // SAFETY: `install` wrote there a copy of this call's stub,
                    // which takes these arguments.
                    let call = unsafe { core::mem::transmute::<usize, Call>(at as usize) };
                    // SAFETY: the caller's promise.
                    unsafe { call($($argument),*) }
                }
            )*
        }

        /// What the program enters instead of the stubs.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod entries {
            use super::*;
            $(
                pub(super) unsafe extern "system" fn $name($($argument: $type),*) -> NTSTATUS {
                    if const { !trace::is_followed(stringify!($name)) } && state::watches() {
                        // SAFETY: the program's own arguments, as it gave them.
                        return unsafe { watched::$name($($argument),*) };
                    }
                    get_ready!($($check)?);
                    $(if let Err(status) = calls::by_handle::$check($handle) {
                        trace::refused(const { call(stringify!($name)) }, status);
                        return status;
                    })?
                    let begun = if const {
                        let parts = [$(trace::part(stringify!($argument), stringify!($type))),*];
                        trace::is_told(stringify!($target), &parts)
                    } && trace::is_on()
                    {
                        let call = const { call(stringify!($name)) };
                        trace::begin(call, &told!($($argument: $type),*))
                    } else {
                        trace::Begun::NONE
                    };
                    // SAFETY: the program's own arguments, as it gave them.
                    let status = unsafe { $target($($argument),*) };
                    trace::end(begun, status);
                    status
                }
            )*
        }

        /// What takes the calls' place where nothing is confined: they are recorded.
        #[allow(non_snake_case, clippy::too_many_arguments)]
        mod watched {
            use super::*;
            $(
                #[cold]
                #[inline(never)]
                pub(super) unsafe fn $name($($argument: $type),*) -> NTSTATUS {
                    get_ready!($($check)?);
                    let begun = if const {
                        let parts = [$(trace::part(stringify!($argument), stringify!($type))),*];
                        trace::is_told(stringify!($target), &parts)
                    } && trace::is_on()
                    {
                        let call = const { call(stringify!($name)) };
                        trace::begin(call, &told!($($argument: $type),*))
                    } else {
                        trace::Begun::NONE
                    };
                    // SAFETY: the program's own arguments, as it gave them.
                    let status = unsafe { kept::$name($($argument),*) };
                    trace::end(begun, status);
                    status
                }
            )*
        }

        static HOOKS: &[Hook] = &[
            $(Hook {
                name: stringify!($name).as_bytes(),
                entry: entries::$name as *const c_void,
            }),*
        ];
    };
}

type Attributes = *const OBJECT_ATTRIBUTES;
type Handles = *mut HANDLE;
type Io = *mut IO_STATUS_BLOCK;
type Name = *const UNICODE_STRING;
/// A handle of what the call changes, which is told by its name.
type Changed = HANDLE;
/// What of a file is set, of which new names and deletions are told.
type FileClass = u32;
type FileBuffer = *mut c_void;

hooks! {
    NtCreateMutant(handle: Handles, access: u32, attributes: Attributes, owner: u8) => calls::objects::create_mutant;
    NtOpenMutant(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_mutant;
    NtCreateEvent(handle: Handles, access: u32, attributes: Attributes, kind: u32, state: u8) => calls::objects::create_event;
    NtOpenEvent(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_event;
    NtCreateSemaphore(handle: Handles, access: u32, attributes: Attributes, initial: i32, maximum: i32) => calls::objects::create_semaphore;
    NtOpenSemaphore(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_semaphore;
    NtCreateTimer(handle: Handles, access: u32, attributes: Attributes, kind: u32) => calls::objects::create_timer;
    NtOpenTimer(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_timer;
    NtCreateKeyedEvent(handle: Handles, access: u32, attributes: Attributes, flags: u32) => calls::objects::create_keyed_event;
    NtOpenKeyedEvent(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_keyed_event;
    NtCreateEventPair(handle: Handles, access: u32, attributes: Attributes) => calls::objects::create_event_pair;
    NtOpenEventPair(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_event_pair;
    NtCreateSection(handle: Handles, access: u32, attributes: Attributes, size: *const i64, protection: u32, allocation: u32, file: HANDLE) => calls::objects::create_section;
    NtCreateSectionEx(handle: Handles, access: u32, attributes: Attributes, size: *const i64, protection: u32, allocation: u32, file: HANDLE, parameters: *mut c_void, count: u32) => calls::objects::create_section_ex;
    NtOpenSection(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_section;
    NtCreateJobObject(handle: Handles, access: u32, attributes: Attributes) => calls::objects::create_job;
    NtOpenJobObject(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_job;
    NtCreateIoCompletion(handle: Handles, access: u32, attributes: Attributes, threads: u32) => calls::objects::create_completion;
    NtOpenIoCompletion(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_completion;
    NtCreateDirectoryObject(handle: Handles, access: u32, attributes: Attributes) => calls::objects::create_directory;
    NtCreateDirectoryObjectEx(handle: Handles, access: u32, attributes: Attributes, shadow: HANDLE, flags: u32) => calls::objects::create_directory_ex;
    NtOpenDirectoryObject(handle: Handles, access: u32, attributes: Attributes) => calls::objects::open_directory;
    NtCreateSymbolicLinkObject(handle: Handles, access: u32, attributes: Attributes, target: *const UNICODE_STRING) => calls::links::create;
    NtOpenSymbolicLinkObject(handle: Handles, access: u32, attributes: Attributes) => calls::links::open;
    NtQuerySymbolicLinkObject(link: HANDLE, target: *mut UNICODE_STRING, returned: *mut u32) => calls::links::query;
    NtMakePermanentObject() => calls::denied::without_privilege;
    NtMakeTemporaryObject(object: HANDLE) => calls::dos_devices::make_temporary;
    NtQueryObject(handle: HANDLE, class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::query_object::query;
    NtCreateDebugObject(handle: Handles, access: u32, attributes: Attributes, flags: u32) => calls::seldom_named::create_debug_object;
    NtCreateWaitCompletionPacket(handle: Handles, access: u32, attributes: Attributes) => calls::seldom_named::create_wait_packet;
    NtCreateWorkerFactory(handle: Handles, access: u32, attributes: Attributes, port: HANDLE, process: HANDLE, start: *const c_void, parameter: *const c_void, maximum: u32, reserve: usize, commit: usize) => calls::seldom_named::create_worker_factory;
    NtCreatePartition(parent: HANDLE, handle: Handles, access: u32, attributes: Attributes, node: u32) => calls::seldom_named::create_partition;
    NtOpenPartition(handle: Handles, access: u32, attributes: Attributes) => calls::seldom_named::open_partition;
    NtCreateCpuPartition(handle: Handles, access: u32, attributes: Attributes, parameters: *const c_void, count: u32) => calls::seldom_named::create_cpu_partition;
    NtOpenCpuPartition(handle: Handles, access: u32, attributes: Attributes) => calls::seldom_named::open_cpu_partition;
    NtOpenSession(handle: Handles, access: u32, attributes: Attributes) => calls::seldom_named::open_session;
    NtCreateCrossVmEvent(handle: Handles, access: u32, attributes: Attributes, flags: u32, machine: *const c_void, service: *const c_void) => calls::seldom_named::create_cross_vm_event;
    NtCreateCrossVmMutant(handle: Handles, access: u32, attributes: Attributes, flags: u32, machine: *const c_void, service: *const c_void) => calls::seldom_named::create_cross_vm_mutant;
    NtCreateProcessStateChange(handle: Handles, access: u32, attributes: Attributes, process: HANDLE, reserved: u64) => calls::seldom_named::create_process_state_change where process(process);
    NtCreateThreadStateChange(handle: Handles, access: u32, attributes: Attributes, thread: HANDLE, reserved: u64) => calls::seldom_named::create_thread_state_change where thread(thread);
    NtCreateRegistryTransaction(handle: Handles, access: u32, attributes: Attributes, options: u32) => calls::seldom_named::create_registry_transaction;
    NtOpenRegistryTransaction(handle: Handles, access: u32, attributes: Attributes) => calls::seldom_named::open_registry_transaction;
    NtCreateTimer2(handle: Handles, reserved: *mut c_void, attributes: Attributes, flags: u32, access: u32) => calls::seldom_named::create_timer_2;
    NtAllocateReserveObject(handle: Handles, attributes: Attributes, kind: u32) => calls::seldom_named::allocate_reserve;
    NtDuplicateToken(token: HANDLE, access: u32, attributes: Attributes, effective_only: u8, kind: u32, handle: Handles) => calls::seldom_named::duplicate_token;
    NtCreateLowBoxToken(handle: Handles, token: HANDLE, access: u32, attributes: Attributes, package: *const c_void, capability_count: u32, capabilities: *const c_void, handle_count: u32, handles: *const HANDLE) => calls::seldom_named::create_low_box_token;
    NtCreatePort(port: Handles, attributes: Attributes, connection: u32, message: u32, pool: u32) => calls::ports::create;
    NtCreateWaitablePort(port: Handles, attributes: Attributes, connection: u32, message: u32, pool: u32) => calls::ports::create_waitable;
    NtConnectPort(port: Handles, name: Name, quality: *const c_void, client: *mut c_void, server: *mut c_void, longest: *mut u32, information: *mut c_void, length: *mut u32) => calls::ports::connect;
    NtSecureConnectPort(port: Handles, name: Name, quality: *const c_void, client: *mut c_void, sid: *const c_void, server: *mut c_void, longest: *mut u32, information: *mut c_void, length: *mut u32) => calls::ports::connect_secure;
    NtAlpcCreatePort(port: Handles, attributes: Attributes, port_attributes: *const c_void) => calls::ports::create_advanced;
    NtAlpcConnectPort(port: Handles, name: Name, attributes: Attributes, port_attributes: *const c_void, flags: u32, sid: *const c_void, message: *mut c_void, length: *mut usize, outbound: *mut c_void, inbound: *mut c_void, timeout: *const i64) => calls::ports::connect_advanced;
    NtAlpcConnectPortEx(port: Handles, server: Attributes, attributes: Attributes, port_attributes: *const c_void, flags: u32, security: *const c_void, message: *mut c_void, length: *mut usize, outbound: *mut c_void, inbound: *mut c_void, timeout: *const i64) => calls::ports::connect_advanced_ex;
    NtCreatePrivateNamespace(handle: Handles, access: u32, attributes: Attributes, descriptor: *const c_void) => calls::namespaces::create;
    NtOpenPrivateNamespace(handle: Handles, access: u32, attributes: Attributes, descriptor: *const c_void) => calls::namespaces::open;
    NtQueryWnfStateData(name: *const u64, kind: *const c_void, scope: *const c_void, stamp: *mut u32, buffer: *mut c_void, size: *mut u32) => calls::notices::query_state;
    NtQueryWnfStateNameInformation(name: *const u64, class: u32, scope: *const c_void, buffer: *mut c_void, size: u32) => calls::notices::query_state_name;
    NtSubscribeWnfStateChange(name: *const u64, stamp: u32, mask: u32, subscription: *mut u64) => calls::notices::subscribe;
    NtCreateWnfStateName() => calls::denied::access;
    NtDeleteWnfStateName() => calls::denied::access;
    NtDeleteWnfStateData() => calls::denied::access;
    NtUpdateWnfStateData() => calls::denied::access;
    NtTraceControl(code: u32, input: *const c_void, input_size: u32, output: *mut c_void, output_size: u32, returned: *mut u32) => calls::notices::trace;
    NtPowerInformation(level: u32, input: *const c_void, input_size: u32, output: *mut c_void, output_size: u32) => calls::notices::power;
    NtApphelpCacheControl(class: u32, data: *mut c_void) => calls::notices::compatibility;
    NtCreateTransaction(handle: Handles, access: u32, attributes: Attributes, unit: *const c_void, manager: HANDLE, options: u32, isolation: u32, flags: u32, timeout: *const i64, description: Name) => calls::transactions::create;
    NtOpenTransaction(handle: Handles, access: u32, attributes: Attributes, unit: *const c_void, manager: HANDLE) => calls::transactions::open;
    NtCreateTransactionManager(handle: Handles, access: u32, attributes: Attributes, log: Name, options: u32, strength: u32) => calls::transactions::create_manager;
    NtOpenTransactionManager(handle: Handles, access: u32, attributes: Attributes, log: Name, identity: *const c_void, options: u32) => calls::transactions::open_manager;
    NtCreateResourceManager(handle: Handles, access: u32, manager: HANDLE, identity: *const c_void, attributes: Attributes, options: u32, description: Name) => calls::transactions::create_resource;
    NtOpenResourceManager(handle: Handles, access: u32, manager: HANDLE, identity: *const c_void, attributes: Attributes) => calls::transactions::open_resource;
    NtCreateEnlistment(handle: Handles, access: u32, resource: HANDLE, transaction: HANDLE, attributes: Attributes, options: u32, mask: u32, key: *const c_void) => calls::transactions::create_enlistment;
    NtOpenEnlistment(handle: Handles, access: u32, resource: HANDLE, identity: *const c_void, attributes: Attributes) => calls::transactions::open_enlistment;
    NtRenameTransactionManager() => calls::denied::access;
    NtEnumerateTransactionObject() => calls::denied::access;
    NtFreezeTransactions() => calls::denied::without_privilege;
    NtThawTransactions() => calls::denied::without_privilege;
    NtSetDefaultHardErrorPort() => calls::denied::without_privilege;
    NtShutdownSystem() => calls::denied::without_privilege;
    NtInitiatePowerAction() => calls::denied::without_privilege;
    NtSetSystemPowerState() => calls::denied::without_privilege;
    NtSerializeBoot() => calls::denied::without_privilege;
    NtEnableLastKnownGood() => calls::denied::without_privilege;
    NtDisableLastKnownGood() => calls::denied::without_privilege;
    NtSetSystemTime() => calls::denied::without_privilege;
    NtSetUuidSeed() => calls::denied::without_privilege;
    NtSetIntervalProfile() => calls::denied::without_privilege;
    NtSetSystemInformation() => calls::denied::without_privilege;
    NtSetDebugFilterState() => calls::denied::without_privilege;
    NtDisplayString() => calls::denied::without_privilege;
    NtDrawText() => calls::denied::without_privilege;
    NtDirectGraphicsCall() => calls::denied::without_privilege;
    NtQuerySystemEnvironmentValue() => calls::denied::without_privilege;
    NtQuerySystemEnvironmentValueEx() => calls::denied::without_privilege;
    NtSetSystemEnvironmentValue() => calls::denied::without_privilege;
    NtSetSystemEnvironmentValueEx() => calls::denied::without_privilege;
    NtEnumerateSystemEnvironmentValuesEx() => calls::denied::without_privilege;
    NtAddBootEntry() => calls::denied::without_privilege;
    NtDeleteBootEntry() => calls::denied::without_privilege;
    NtModifyBootEntry() => calls::denied::without_privilege;
    NtEnumerateBootEntries() => calls::denied::without_privilege;
    NtQueryBootEntryOrder() => calls::denied::without_privilege;
    NtSetBootEntryOrder() => calls::denied::without_privilege;
    NtQueryBootOptions() => calls::denied::without_privilege;
    NtSetBootOptions() => calls::denied::without_privilege;
    NtFilterBootOption() => calls::denied::without_privilege;
    NtAddDriverEntry() => calls::denied::without_privilege;
    NtDeleteDriverEntry() => calls::denied::without_privilege;
    NtModifyDriverEntry() => calls::denied::without_privilege;
    NtEnumerateDriverEntries() => calls::denied::without_privilege;
    NtQueryDriverEntryOrder() => calls::denied::without_privilege;
    NtSetDriverEntryOrder() => calls::denied::without_privilege;
    NtTranslateFilePath() => calls::denied::without_privilege;
    NtSetDefaultLocale() => calls::denied::without_privilege;
    NtSetDefaultUILanguage() => calls::denied::without_privilege;
    NtFlushInstallUILanguage() => calls::denied::without_privilege;
    NtLoadDriver() => calls::denied::without_privilege;
    NtUnloadDriver() => calls::denied::without_privilege;
    NtPlugPlayControl() => calls::denied::without_privilege;
    NtGetPlugPlayEvent() => calls::denied::without_privilege;
    NtReplacePartitionUnit() => calls::denied::without_privilege;
    NtRaiseHardError(status: NTSTATUS, count: u32, strings: u32, parameters: *const c_void, option: u32, response: *mut u32) => calls::denied::hard_error;
    __wine_unix_spawnvp() => calls::denied::access;
    NtSystemDebugControl() => calls::denied::no_debugger;
    NtCreateNamedPipeFile(handle: Handles, access: u32, attributes: Attributes, io: Io, share: u32, disposition: u32, options: u32, kind: u32, read_mode: u32, completion: u32, instances: u32, inbound: u32, outbound: u32, timeout: *const i64) => calls::pipes::create_pipe;
    NtCreateMailslotFile(handle: Handles, access: u32, attributes: Attributes, io: Io, options: u32, quota: u32, message: u32, timeout: *const i64) => calls::pipes::create_mailslot;
    NtFsControlFile(file: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, code: u32, input: *const c_void, input_size: u32, output: *mut c_void, output_size: u32) => calls::pipes::control;
    NtCreateFile(handle: Handles, access: u32, attributes: Attributes, io: Io, size: *const i64, kind: u32, share: u32, disposition: u32, options: u32, ea: *const c_void, ea_size: u32) => calls::open::create_file;
    NtOpenFile(handle: Handles, access: u32, attributes: Attributes, io: Io, share: u32, options: u32) => calls::open::open_file;
    NtQueryAttributesFile(attributes: Attributes, information: *mut c_void) => calls::open::query_attributes;
    NtQueryFullAttributesFile(attributes: Attributes, information: *mut c_void) => calls::open::query_full_attributes;
    NtQueryInformationByName(attributes: Attributes, io: Io, buffer: *mut c_void, length: u32, class: u32) => calls::open::query_by_name;
    NtDeleteFile(attributes: Attributes) => calls::open::delete_file;
    NtQueryVolumeInformationFile(file: HANDLE, io: Io, buffer: *mut c_void, length: u32, class: u32) => calls::files::query_volume;
    NtQueryInformationFile(file: HANDLE, io: Io, buffer: *mut c_void, length: u32, class: u32) => calls::files::query_information;
    NtSetInformationFile(file: Changed, io: Io, buffer: FileBuffer, length: u32, class: FileClass) => calls::files::set_information;
    NtQueryDirectoryFile(file: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, buffer: *mut c_void, length: u32, class: u32, single: u8, pattern: *const UNICODE_STRING, restart: u8) => calls::files::query_directory;
    NtQueryDirectoryFileEx(file: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, buffer: *mut c_void, length: u32, class: u32, flags: u32, pattern: *const UNICODE_STRING) => calls::files::query_directory_ex;
    NtNotifyChangeDirectoryFile(file: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, buffer: *mut c_void, length: u32, filter: u32, subtree: u8) => calls::files::notify_directory;
    NtNotifyChangeDirectoryFileEx(file: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, buffer: *mut c_void, length: u32, filter: u32, subtree: u8, class: u32) => calls::files::notify_directory_ex;
    NtCancelIoFile(file: HANDLE, io: Io) => calls::files::cancel;
    NtCancelIoFileEx(file: HANDLE, request: Io, io: Io) => calls::files::cancel_ex;
    NtQueryVirtualMemory(process: HANDLE, address: *const c_void, class: u32, buffer: *mut c_void, length: usize, returned: *mut usize) => calls::files::query_memory;
    NtQueryInformationProcess(process: HANDLE, class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::files::query_process;
    NtClose(handle: HANDLE) => calls::handles::close;
    NtCreateKey(handle: Handles, access: u32, attributes: Attributes, title: u32, class: *const UNICODE_STRING, options: u32, disposition: *mut u32) => calls::registry::create_key;
    NtOpenKey(handle: Handles, access: u32, attributes: Attributes) => calls::registry::open_key;
    NtOpenKeyEx(handle: Handles, access: u32, attributes: Attributes, options: u32) => calls::registry::open_key_ex;
    NtDeleteKey(key: Changed) => calls::registry::delete_key;
    NtSetValueKey(key: HANDLE, name: Name, title: u32, kind: u32, data: *const c_void, size: u32) => calls::registry::set_value;
    NtDeleteValueKey(key: HANDLE, name: Name) => calls::registry::delete_value;
    NtNotifyChangeKey(key: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, filter: u32, subtree: u8, buffer: *mut c_void, length: u32, later: u8) => calls::registry::notify_change;
    NtNotifyChangeMultipleKeys(key: HANDLE, count: u32, others: Attributes, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, filter: u32, subtree: u8, buffer: *mut c_void, length: u32, later: u8) => calls::registry::notify_multiple;
    NtQuerySecurityObject(object: HANDLE, information: u32, descriptor: *mut c_void, length: u32, needed: *mut u32) => calls::registry::query_security;
    NtQueryKey(key: HANDLE, class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::registry::query_key;
    NtEnumerateKey(key: HANDLE, index: u32, class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::registry::enumerate_key;
    NtQueryValueKey(key: HANDLE, name: *const UNICODE_STRING, class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::registry::query_value;
    NtEnumerateValueKey(key: HANDLE, index: u32, class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::registry::enumerate_value;
    NtQueryMultipleValueKey(key: HANDLE, entries: *mut c_void, count: u32, buffer: *mut c_void, length: *mut u32, returned: *mut u32) => calls::registry::query_multiple;
    NtFlushKey(key: HANDLE) => calls::registry::flush_key;
    NtRenameKey(key: HANDLE, name: Name) => calls::registry::rename_key;
    NtDuplicateObject(source_process: HANDLE, source: HANDLE, target_process: HANDLE, target: Handles, access: u32, attributes: u32, options: u32) => calls::handles::duplicate;
    NtOpenKeyTransacted(handle: Handles, access: u32, attributes: Attributes, transaction: HANDLE) => calls::registry::open_transacted;
    NtOpenKeyTransactedEx(handle: Handles, access: u32, attributes: Attributes, options: u32, transaction: HANDLE) => calls::registry::open_transacted_ex;
    NtCreateKeyTransacted(handle: Handles, access: u32, attributes: Attributes, title: u32, class: *const UNICODE_STRING, options: u32, transaction: HANDLE, disposition: *mut u32) => calls::registry::create_transacted;
    NtSaveKey(key: HANDLE, file: HANDLE) => calls::registry::save_key;
    NtSaveKeyEx(key: HANDLE, file: HANDLE, format: u32) => calls::registry::save_key_ex;
    NtSaveMergedKeys(high: HANDLE, low: HANDLE, file: HANDLE) => calls::registry::save_merged;
    NtRestoreKey(key: HANDLE, file: HANDLE, flags: u32) => calls::registry::restore_key;
    NtLoadKey(target: Attributes, source: Attributes) => calls::registry::load_key;
    NtLoadKey2(target: Attributes, source: Attributes, flags: u32) => calls::registry::load_key_2;
    NtLoadKeyEx(target: Attributes, source: Attributes, flags: u32, trust: HANDLE, event: HANDLE, access: u32, root: Handles, reserved: *mut c_void) => calls::registry::load_key_ex;
    NtLoadKey3(target: Attributes, source: Attributes, flags: u32, parameters: *mut c_void, count: u32, access: u32, root: Handles, reserved: *mut c_void) => calls::registry::load_key_3;
    NtUnloadKey(target: Attributes) => calls::registry::unload_key;
    NtUnloadKey2(target: Attributes, flags: u32) => calls::registry::unload_key_2;
    NtUnloadKeyEx(target: Attributes, event: HANDLE) => calls::registry::unload_key_ex;
    NtReplaceKey(new: Attributes, target: HANDLE, old: Attributes) => calls::registry::replace_key;
    NtLockRegistryKey(key: HANDLE) => calls::registry::lock_key;
    NtQueryOpenSubKeys(target: Attributes, count: *mut u32) => calls::registry::query_open;
    NtQueryOpenSubKeysEx(target: Attributes, length: u32, buffer: *mut c_void, required: *mut u32) => calls::registry::query_open_ex;
    NtDeviceIoControlFile(file: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: Io, code: u32, input: *const c_void, input_size: u32, output: *mut c_void, output_size: u32) => calls::controls::control;
    NtCreateUserProcess(process: Handles, thread: Handles, process_access: u32, thread_access: u32, process_attributes: Attributes, thread_attributes: Attributes, process_flags: u32, thread_flags: u32, parameters: *mut c_void, info: *mut c_void, list: *mut c_void) => calls::processes::create_user_process;
    NtCreateProcess(process: Handles, access: u32, attributes: Attributes, parent: HANDLE, inherit: u8, section: HANDLE, debug: HANDLE, token: HANDLE) => calls::processes::create_process;
    NtCreateProcessEx(process: Handles, access: u32, attributes: Attributes, parent: HANDLE, flags: u32, section: HANDLE, debug: HANDLE, token: HANDLE, reserved: u32) => calls::processes::create_process_ex;
    NtOpenProcess(handle: Handles, access: u32, attributes: Attributes, id: *const CLIENT_ID) => calls::opening::open_process;
    NtOpenThread(handle: Handles, access: u32, attributes: Attributes, id: *const CLIENT_ID) => calls::opening::open_thread;
    NtGetNextProcess(process: HANDLE, access: u32, attributes: u32, flags: u32, next: Handles) => calls::opening::next_process;
    NtTerminateProcess(process: HANDLE, status: NTSTATUS) => kept::NtTerminateProcess where process(process);
    NtSuspendProcess(process: HANDLE) => kept::NtSuspendProcess where process(process);
    NtResumeProcess(process: HANDLE) => kept::NtResumeProcess where process(process);
    NtSetInformationProcess(process: HANDLE, class: u32, buffer: *const c_void, length: u32) => kept::NtSetInformationProcess where process(process);
    NtAssignProcessToJobObject(job: HANDLE, process: HANDLE) => kept::NtAssignProcessToJobObject where process(process);
    NtDebugActiveProcess(process: HANDLE, debug: HANDLE) => kept::NtDebugActiveProcess where process(process);
    NtRemoveProcessDebug(process: HANDLE, debug: HANDLE) => kept::NtRemoveProcessDebug where process(process);
    NtOpenProcessToken(process: HANDLE, access: u32, token: Handles) => kept::NtOpenProcessToken where process(process);
    NtOpenProcessTokenEx(process: HANDLE, access: u32, attributes: u32, token: Handles) => kept::NtOpenProcessTokenEx where process(process);
    NtCreateThread(thread: Handles, access: u32, attributes: Attributes, process: HANDLE, id: *mut CLIENT_ID, context: *const c_void, teb: *const c_void, suspended: u8) => kept::NtCreateThread where process(process);
    NtCreateThreadEx(thread: Handles, access: u32, attributes: Attributes, process: HANDLE, start: *const c_void, argument: *const c_void, flags: u32, zero_bits: usize, stack: usize, largest_stack: usize, list: *mut c_void) => kept::NtCreateThreadEx where process(process);
    NtGetNextThread(process: HANDLE, thread: HANDLE, access: u32, attributes: u32, flags: u32, next: Handles) => kept::NtGetNextThread where process(process);
    NtReadVirtualMemory(process: HANDLE, base: *const c_void, buffer: *mut c_void, size: usize, done: *mut usize) => kept::NtReadVirtualMemory where process(process);
    NtReadVirtualMemoryEx(process: HANDLE, base: *const c_void, buffer: *mut c_void, size: usize, done: *mut usize, flags: u32) => kept::NtReadVirtualMemoryEx where process(process);
    NtWriteVirtualMemory(process: HANDLE, base: *mut c_void, buffer: *const c_void, size: usize, done: *mut usize) => kept::NtWriteVirtualMemory where process(process);
    NtAllocateVirtualMemory(process: HANDLE, base: *mut *mut c_void, zero_bits: usize, size: *mut usize, kind: u32, protection: u32) => kept::NtAllocateVirtualMemory where process(process);
    NtAllocateVirtualMemoryEx(process: HANDLE, base: *mut *mut c_void, size: *mut usize, kind: u32, protection: u32, parameters: *mut c_void, count: u32) => kept::NtAllocateVirtualMemoryEx where process(process);
    NtFreeVirtualMemory(process: HANDLE, base: *mut *mut c_void, size: *mut usize, kind: u32) => kept::NtFreeVirtualMemory where process(process);
    NtProtectVirtualMemory(process: HANDLE, base: *mut *mut c_void, size: *mut usize, protection: u32, old: *mut u32) => kept::NtProtectVirtualMemory where process(process);
    NtMapViewOfSection(section: HANDLE, process: HANDLE, base: *mut *mut c_void, zero_bits: usize, commit: usize, offset: *mut i64, size: *mut usize, inherit: u32, kind: u32, protection: u32) => kept::NtMapViewOfSection where process(process);
    NtMapViewOfSectionEx(section: HANDLE, process: HANDLE, base: *mut *mut c_void, offset: *mut i64, size: *mut usize, kind: u32, protection: u32, parameters: *mut c_void, count: u32) => kept::NtMapViewOfSectionEx where process(process);
    NtUnmapViewOfSection(process: HANDLE, base: *mut c_void) => kept::NtUnmapViewOfSection where process(process);
    NtUnmapViewOfSectionEx(process: HANDLE, base: *mut c_void, flags: u32) => kept::NtUnmapViewOfSectionEx where process(process);
    NtTerminateThread(thread: HANDLE, status: NTSTATUS) => kept::NtTerminateThread where thread(thread);
    NtSuspendThread(thread: HANDLE, previous: *mut u32) => kept::NtSuspendThread where thread(thread);
    NtResumeThread(thread: HANDLE, previous: *mut u32) => kept::NtResumeThread where thread(thread);
    NtAlertThread(thread: HANDLE) => kept::NtAlertThread where thread(thread);
    NtAlertResumeThread(thread: HANDLE, previous: *mut u32) => kept::NtAlertResumeThread where thread(thread);
    NtGetContextThread(thread: HANDLE, context: *mut c_void) => kept::NtGetContextThread where thread(thread);
    NtSetContextThread(thread: HANDLE, context: *const c_void) => kept::NtSetContextThread where thread(thread);
    NtSetInformationThread(thread: HANDLE, class: u32, buffer: *const c_void, length: u32) => kept::NtSetInformationThread where thread(thread);
    NtQueueApcThread(thread: HANDLE, routine: *const c_void, first: *const c_void, second: *const c_void, third: *const c_void) => kept::NtQueueApcThread where thread(thread);
    NtQueueApcThreadEx(thread: HANDLE, reserve: HANDLE, routine: *const c_void, first: *const c_void, second: *const c_void, third: *const c_void) => kept::NtQueueApcThreadEx where thread(thread);
    NtQueueApcThreadEx2(thread: HANDLE, reserve: HANDLE, flags: u32, routine: *const c_void, first: *const c_void, second: *const c_void, third: *const c_void) => kept::NtQueueApcThreadEx2 where thread(thread);
    NtOpenThreadToken(thread: HANDLE, access: u32, own_context: u8, token: Handles) => kept::NtOpenThreadToken where thread(thread);
    NtOpenThreadTokenEx(thread: HANDLE, access: u32, own_context: u8, attributes: u32, token: Handles) => kept::NtOpenThreadTokenEx where thread(thread);
    NtImpersonateThread(server: HANDLE, client: HANDLE, quality: *const c_void) => kept::NtImpersonateThread where thread(client);
    NtAlpcOpenSenderProcess(handle: Handles, port: HANDLE, message: *mut c_void, flags: u32, access: u32, attributes: Attributes) => calls::opening::sender_process;
    NtAlpcOpenSenderThread(handle: Handles, port: HANDLE, message: *mut c_void, flags: u32, access: u32, attributes: Attributes) => calls::opening::sender_thread;
    NtQuerySystemInformation(class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::tables::query;
    NtQuerySystemInformationEx(class: u32, input: *mut c_void, input_size: u32, buffer: *mut c_void, length: u32, returned: *mut u32) => calls::tables::query_ex;
    NtAddAtom(name: *const u16, bytes: u32, atom: *mut u16) => calls::atoms::add;
    NtAddAtomEx(name: *const u16, bytes: u32, atom: *mut u16, flags: u32) => calls::atoms::add_ex;
    NtFindAtom(name: *const u16, bytes: u32, atom: *mut u16) => calls::atoms::find;
    NtDeleteAtom(atom: u16) => calls::atoms::delete;
    NtQueryInformationAtom(atom: u16, class: u32, buffer: *mut c_void, size: u32, returned: *mut u32) => calls::atoms::query;
    wine_server_call(request: *mut c_void) => calls::wine_server::call;
}

/// Replaces every stub of the table that this ntdll has. `false` when one has
/// a shape that is not known: then nothing may run.
pub(crate) fn install() -> bool {
    try_install().is_some()
}

fn try_install() -> Option<()> {
    let base = state::boot().ntdll;
    let ntdll = ntdll();
    let module = Module::new(ntdll)?;
    let kept = allocate(HOOKS.len() * stub::LENGTH)?;
    let (mut low, mut high) = (u64::MAX, 0);
    for (index, hook) in HOOKS.iter().enumerate() {
        let at = (kept as usize + index * stub::LENGTH) as *mut u8;
        let code = match find(&module, ntdll, hook.name) {
            _ if hook.is_plain_code() => absent(),
            Some(rva) => {
                low = low.min(base + u64::from(rva));
                high = high.max(base + u64::from(rva) + stub::LENGTH as u64);
                checked(ntdll, rva)?
            }
            None => absent(),
        };
        // SAFETY: the region has room for every hook's stub.
        unsafe { core::ptr::copy_nonoverlapping(code.as_ptr(), at, code.len()) };
    }
    entry::protect(kept as u64, HOOKS.len() * stub::LENGTH, PAGE_EXECUTE_READ)?;
    KEPT.store(kept as u64, Ordering::Relaxed);
    entry::protect(low, (high - low) as usize, PAGE_EXECUTE_READWRITE)?;
    for hook in HOOKS.iter().filter(|hook| !hook.is_plain_code()) {
        if let Some(rva) = find(&module, ntdll, hook.name) {
            hook.install(base + u64::from(rva));
        }
    }
    entry::protect(low, (high - low) as usize, PAGE_EXECUTE_READ)?;
    if state::watches() {
        // They are refusals only.
        return Some(());
    }
    for hook in HOOKS.iter().filter(|hook| hook.is_plain_code()) {
        if let Some(rva) = module.find(hook.name) {
            let at = base + u64::from(rva);
            entry::protect(at, jump::LENGTH, PAGE_EXECUTE_READWRITE)?;
            hook.install(at);
            entry::protect(at, jump::LENGTH, PAGE_EXECUTE_READ)?;
        }
    }
    Some(())
}

impl Hook {
    /// Whether it refuses what may be no system call, whose shape is not looked
    /// at.
    fn is_plain_code(&self) -> bool {
        pinion_nt::wine::PLAIN_CODE.contains(&self.name)
    }

    /// Writes the jump to the hook over the code at `at`, which is writable.
    fn install(&self, at: u64) {
        let jump = jump::encode(self.entry as u64);
        // SAFETY: `try_install` made the pages writable and found code there
        // that is longer than the jump, and no other thread exists.
        unsafe { core::ptr::copy_nonoverlapping(jump.as_ptr(), at as *mut u8, jump.len()) };
    }
}

/// Where ntdll has a call's stub.
fn find(module: &Module<'_>, ntdll: &[u8], name: &[u8]) -> Option<u32> {
    let rva = module.find(name)?;
    let is_stub = || ntdll.get(rva as usize..).is_some_and(stub::begins);
    (name != pinion_nt::wine::SERVER_CALL || is_stub()).then_some(rva)
}

/// ntdll's mapped bytes.
pub(crate) fn ntdll() -> &'static [u8] {
    let base = state::boot().ntdll;
    let at = |offset: u64| {
        // SAFETY: the starter gave the address of the mapped ntdll.
        u64::from(unsafe { ((base + offset) as *const u32).read_unaligned() })
    };
    let size = at(at(0x3c) + 24 + 56);
    // SAFETY: SizeOfImage bytes are mapped at the base for the process's life.
    unsafe { core::slice::from_raw_parts(base as *const u8, size as usize) }
}

/// Whether the process runs on Wine, whose ntdll alone exports this name
/// (observed on Wine 8 and 10). Works before the loader does.
pub(crate) fn is_wine() -> bool {
    /// 0 before it was asked, then 1 for Windows and 2 for Wine.
    static KNOWN: AtomicU8 = AtomicU8::new(0);
    match KNOWN.load(Ordering::Relaxed) {
        0 => {
            let wine = Module::new(ntdll())
                .is_some_and(|ntdll| ntdll.find(pinion_nt::wine::VERSION_EXPORT).is_some());
            KNOWN.store(1 + u8::from(wine), Ordering::Relaxed);
            wine
        }
        known => known == 2,
    }
}

/// The beginning of Wine's version, such as `10.0` and a NUL; `None` on Windows.
pub(crate) fn wine_version() -> Option<[u8; 4]> {
    type Version = unsafe extern "C" fn() -> *const [u8; 4];
    let rva = Module::new(ntdll())?.find(pinion_nt::wine::VERSION_EXPORT)?;
    // SAFETY: `wine_get_version` takes nothing and gives a static string of at
    // least three characters and a NUL.
    unsafe {
        let version: Version = core::mem::transmute(state::boot().ntdll + u64::from(rva));
        Some(version().read())
    }
}

/// The major number of Wine's version; `None` on Windows.
pub(crate) fn wine_major() -> Option<u32> {
    pinion_nt::wine::major(&wine_version()?)
}

/// The bytes of the stub at `rva` of a mapped module, when its shape is known.
pub(crate) fn checked(module: &[u8], rva: u32) -> Option<[u8; stub::LENGTH]> {
    let code: [u8; stub::LENGTH] = module
        .get(rva as usize..)?
        .first_chunk::<{ stub::LENGTH }>()
        .copied()?;
    stub::number(&code).map(|_| code)
}

/// `mov eax, STATUS_NOT_IMPLEMENTED; ret`, for a call that the module lacks:
/// nobody can enter its hook, and the agent itself gets a plain status.
pub(crate) fn absent() -> [u8; stub::LENGTH] {
    let mut code = [0xcc; stub::LENGTH];
    let (opcode, rest) = code.split_at_mut(1);
    opcode.copy_from_slice(&[0xb8]);
    let (status, rest) = rest.split_at_mut(4);
    status.copy_from_slice(&STATUS_NOT_IMPLEMENTED.to_le_bytes());
    let (ret, _) = rest.split_at_mut(1);
    ret.copy_from_slice(&[0xc3]);
    code
}

/// New memory of the process, readable and writable.
pub(crate) fn allocate(size: usize) -> Option<*mut u8> {
    let (mut base, mut size) = (core::ptr::null_mut::<c_void>(), size);
    // SAFETY: the pointers are to locals; a new region is made.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT_RESERVE,
            PAGE_READWRITE,
        )
    };
    (status >= 0).then_some(base.cast())
}
