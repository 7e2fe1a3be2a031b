//! ntdll's exports as linked functions. In a confined process a call through
//! these meets the agent's own hooks: agent code uses its kept stubs for every
//! hooked call. Signatures: the WDK and phnt's headers.

use crate::{
    GENERIC_MAPPING, HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING,
};
use core::ffi::c_void;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    /// Closes `handle`.
    pub fn NtClose(handle: HANDLE) -> NTSTATUS;
    /// Reserves or commits memory in `process`.
    pub fn NtAllocateVirtualMemory(
        process: HANDLE,
        base: *mut *mut c_void,
        zero_bits: usize,
        size: *mut usize,
        kind: u32,
        protection: u32,
    ) -> NTSTATUS;
    /// Frees memory in `process`.
    pub fn NtFreeVirtualMemory(
        process: HANDLE,
        base: *mut *mut c_void,
        size: *mut usize,
        kind: u32,
    ) -> NTSTATUS;
    /// Changes the protection of pages in `process`.
    pub fn NtProtectVirtualMemory(
        process: HANDLE,
        base: *mut *mut c_void,
        size: *mut usize,
        protection: u32,
        old: *mut u32,
    ) -> NTSTATUS;
    /// Queries pages of `process`; class 0 is `MEMORY_BASIC_INFORMATION`.
    pub fn NtQueryVirtualMemory(
        process: HANDLE,
        base: *const c_void,
        class: u32,
        information: *mut c_void,
        size: usize,
        returned: *mut usize,
    ) -> NTSTATUS;
    /// Copies from `process`.
    pub fn NtReadVirtualMemory(
        process: HANDLE,
        base: *const c_void,
        buffer: *mut c_void,
        size: usize,
        read: *mut usize,
    ) -> NTSTATUS;
    /// Opens the thread of `process` that comes after `thread`, or the first when that is null; the
    /// end is `STATUS_NO_MORE_ENTRIES`. Since Windows Vista; not in the WDK (phnt's headers).
    pub fn NtGetNextThread(
        process: HANDLE,
        thread: HANDLE,
        access: u32,
        attributes: u32,
        flags: u32,
        next: *mut HANDLE,
    ) -> NTSTATUS;
    /// Copies into `process`.
    pub fn NtWriteVirtualMemory(
        process: HANDLE,
        base: *mut c_void,
        buffer: *const c_void,
        size: usize,
        written: *mut usize,
    ) -> NTSTATUS;
    /// Makes instruction fetches see written code.
    pub fn NtFlushInstructionCache(process: HANDLE, base: *const c_void, size: usize) -> NTSTATUS;
    /// Creates a section.
    pub fn NtCreateSection(
        handle: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        size: *const i64,
        protection: u32,
        allocation: u32,
        file: HANDLE,
    ) -> NTSTATUS;
    /// Maps a section.
    pub fn NtMapViewOfSection(
        section: HANDLE,
        process: HANDLE,
        base: *mut *mut c_void,
        zero_bits: usize,
        commit: usize,
        offset: *mut i64,
        size: *mut usize,
        inherit: u32,
        kind: u32,
        protection: u32,
    ) -> NTSTATUS;
    /// Unmaps a view.
    pub fn NtUnmapViewOfSection(process: HANDLE, base: *mut c_void) -> NTSTATUS;
    /// Duplicates a handle between processes.
    pub fn NtDuplicateObject(
        source_process: HANDLE,
        source: HANDLE,
        target_process: HANDLE,
        target: *mut HANDLE,
        access: u32,
        attributes: u32,
        options: u32,
    ) -> NTSTATUS;
    /// Sets handle flags (class 4, `ObjectHandleFlagInformation`).
    pub fn NtSetInformationObject(
        handle: HANDLE,
        class: u32,
        information: *const c_void,
        length: u32,
    ) -> NTSTATUS;
    /// Queries a process.
    pub fn NtQueryInformationProcess(
        process: HANDLE,
        class: u32,
        information: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> NTSTATUS;
    /// Queries a thread.
    pub fn NtQueryInformationThread(
        thread: HANDLE,
        class: u32,
        information: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> NTSTATUS;
    /// Queries a job, or that of the calling process when `job` is null.
    pub fn NtQueryInformationJobObject(
        job: HANDLE,
        class: u32,
        information: *mut c_void,
        length: u32,
        returned: *mut u32,
    ) -> NTSTATUS;
    /// `STATUS_PROCESS_IN_JOB` or `STATUS_PROCESS_NOT_IN_JOB`.
    pub fn NtIsProcessInJob(process: HANDLE, job: HANDLE) -> NTSTATUS;
    /// Waits: until a time in 100 ns since 1601, or, negative, so long from now.
    pub fn NtDelayExecution(alertable: u8, time: *const i64) -> NTSTATUS;
    /// Ends a process.
    pub fn NtTerminateProcess(process: HANDLE, status: NTSTATUS) -> NTSTATUS;
    /// Suspends every thread of a process.
    pub fn NtSuspendProcess(process: HANDLE) -> NTSTATUS;
    /// Resumes every thread of a process.
    pub fn NtResumeProcess(process: HANDLE) -> NTSTATUS;
    /// Resumes a thread.
    pub fn NtResumeThread(thread: HANDLE, previous: *mut u32) -> NTSTATUS;
    /// Gives the rest of the time slice away.
    pub fn NtYieldExecution() -> NTSTATUS;
    /// Lists an object directory, one entry at a time where `single` is 1.
    pub fn NtQueryDirectoryObject(
        directory: HANDLE,
        buffer: *mut c_void,
        length: u32,
        single: u8,
        restart: u8,
        context: *mut u32,
        returned: *mut u32,
    ) -> NTSTATUS;
    /// The Win32 error that a status means.
    pub fn RtlNtStatusToDosError(status: NTSTATUS) -> u32;
    /// Creates an object directory.
    pub fn NtCreateDirectoryObject(
        handle: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
    ) -> NTSTATUS;
    /// Creates a symbolic link object.
    pub fn NtCreateSymbolicLinkObject(
        handle: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        target: *const UNICODE_STRING,
    ) -> NTSTATUS;
    /// Reads from a file or pipe.
    pub fn NtReadFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const c_void,
        context: *const c_void,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut c_void,
        length: u32,
        offset: *const i64,
        key: *const u32,
    ) -> NTSTATUS;
    /// Writes to a file or pipe.
    pub fn NtWriteFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const c_void,
        context: *const c_void,
        io: *mut IO_STATUS_BLOCK,
        buffer: *const c_void,
        length: u32,
        offset: *const i64,
        key: *const u32,
    ) -> NTSTATUS;
    /// Queries the volume of a file.
    pub fn NtQueryVolumeInformationFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut c_void,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    /// Reads parts (`SECURITY_INFORMATION`) of an object's security descriptor.
    pub fn NtQuerySecurityObject(
        handle: HANDLE,
        parts: u32,
        descriptor: *mut c_void,
        length: u32,
        needed: *mut u32,
    ) -> NTSTATUS;
    /// Sets parts of an object's security descriptor.
    pub fn NtSetSecurityObject(handle: HANDLE, parts: u32, descriptor: *const c_void) -> NTSTATUS;
    /// Judges whether `descriptor` grants `access`, in which no generic right may be, to an
    /// impersonation token: `answer` is the status that an open would have.
    pub fn NtAccessCheck(
        descriptor: *const c_void,
        token: HANDLE,
        access: u32,
        mapping: *const GENERIC_MAPPING,
        privileges: *mut c_void,
        privileges_size: *mut u32,
        granted: *mut u32,
        answer: *mut NTSTATUS,
    ) -> NTSTATUS;
    /// Copies a security descriptor of either form as a self-relative one; `length` is the
    /// room's, and afterwards the descriptor's (ntifs.h).
    pub fn RtlMakeSelfRelativeSD(
        descriptor: *const c_void,
        room: *mut c_void,
        length: *mut u32,
    ) -> NTSTATUS;
    /// Opens the token of a process.
    pub fn NtOpenProcessToken(process: HANDLE, access: u32, token: *mut HANDLE) -> NTSTATUS;
    /// Opens the token by which a thread impersonates; `STATUS_NO_TOKEN` where it does not.
    pub fn NtOpenThreadToken(
        thread: HANDLE,
        access: u32,
        as_self: u8,
        token: *mut HANDLE,
    ) -> NTSTATUS;
    /// Duplicates a token as a primary (1) or an impersonation token (2).
    pub fn NtDuplicateToken(
        token: HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        effective_only: u8,
        kind: i32,
        new: *mut HANDLE,
    ) -> NTSTATUS;
    /// Reads a file's extended attributes.
    pub fn NtQueryEaFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut c_void,
        length: u32,
        single: u8,
        list: *const c_void,
        list_length: u32,
        index: *const u32,
        restart: u8,
    ) -> NTSTATUS;
    /// Sets a file's extended attributes.
    pub fn NtSetEaFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *const c_void,
        length: u32,
    ) -> NTSTATUS;
    /// Sets what can be set of `key`; class 0 is `KEY_WRITE_TIME_INFORMATION`.
    pub fn NtSetInformationKey(
        key: HANDLE,
        class: u32,
        information: *const c_void,
        size: u32,
    ) -> NTSTATUS;
    /// Takes an event's signal back.
    pub fn NtResetEvent(event: HANDLE, previous: *mut i32) -> NTSTATUS;
    /// Takes the next packet of a completion port; `STATUS_TIMEOUT` when none came in time.
    pub fn NtRemoveIoCompletion(
        port: HANDLE,
        key: *mut *mut c_void,
        context: *mut *mut c_void,
        io: *mut IO_STATUS_BLOCK,
        timeout: *const i64,
    ) -> NTSTATUS;
    /// Puts a packet into a completion port.
    pub fn NtSetIoCompletion(
        port: HANDLE,
        key: *mut c_void,
        context: *mut c_void,
        status: NTSTATUS,
        information: usize,
    ) -> NTSTATUS;
    /// Creates a thread in `process`; not in the WDK (phnt's headers).
    pub fn NtCreateThreadEx(
        thread: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        process: HANDLE,
        start: *const c_void,
        parameter: *mut c_void,
        flags: u32,
        zero_bits: usize,
        stack: usize,
        maximum_stack: usize,
        list: *mut c_void,
    ) -> NTSTATUS;
    /// Signals an event.
    pub fn NtSetEvent(event: HANDLE, previous: *mut i32) -> NTSTATUS;
    /// Queues a user APC to a thread.
    pub fn NtQueueApcThread(
        thread: HANDLE,
        routine: *const c_void,
        first: *const c_void,
        second: *const c_void,
        third: *const c_void,
    ) -> NTSTATUS;
    /// Waits for one object. `timeout` is in 100 ns units, negative for relative.
    pub fn NtWaitForSingleObject(handle: HANDLE, alertable: u8, timeout: *const i64) -> NTSTATUS;
    /// Finds an export of a loaded module by its counted name.
    pub fn LdrGetProcedureAddress(
        module: *mut c_void,
        name: *const c_void,
        ordinal: u32,
        address: *mut *mut c_void,
    ) -> NTSTATUS;
    /// Calls `callback` for each DLL loaded or unloaded later.
    pub fn LdrRegisterDllNotification(
        flags: u32,
        callback: *const c_void,
        context: *mut c_void,
        cookie: *mut *mut c_void,
    ) -> NTSTATUS;
    /// Adds a vectored exception handler, first when `first` is not 0.
    pub fn RtlAddVectoredExceptionHandler(first: u32, handler: *const c_void) -> *mut c_void;
    /// Tells the unwinder of `count` entries of a module at `base`.
    pub fn RtlAddFunctionTable(table: *const c_void, count: u32, base: u64) -> u8;
    /// Allocates from `heap`.
    pub fn RtlAllocateHeap(heap: *mut c_void, flags: u32, size: usize) -> *mut c_void;
    /// Frees to `heap`.
    pub fn RtlFreeHeap(heap: *mut c_void, flags: u32, memory: *mut c_void) -> u8;
    /// Makes the NT name of a DOS path; [`RtlFreeUnicodeString`] frees it. Zero
    /// when there is none.
    pub fn RtlDosPathNameToNtPathName_U(
        path: *const u16,
        name: *mut UNICODE_STRING,
        file: *mut *const u16,
        relative: *mut c_void,
    ) -> u8;
    /// Frees the text of a string that ntdll made.
    pub fn RtlFreeUnicodeString(string: *mut UNICODE_STRING);
    /// Sets the thread's last status and the Win32 error for it; gives the error.
    pub fn RtlSetLastWin32ErrorAndNtStatusFromNtStatus(status: NTSTATUS) -> u32;
    /// Sets the thread's Win32 error.
    pub fn RtlSetLastWin32Error(error: u32);
    /// Folds one UTF-16 unit to upper case, as NT names compare.
    pub fn RtlUpcaseUnicodeChar(unit: u16) -> u16;
    /// Folds one UTF-16 unit to lower case.
    pub fn RtlDowncaseUnicodeChar(unit: u16) -> u16;
    /// Converts 8-bit text of the system code page to UTF-16; sizes in bytes.
    pub fn RtlMultiByteToUnicodeN(
        target: *mut u16,
        target_size: u32,
        written: *mut u32,
        source: *const u8,
        source_size: u32,
    ) -> NTSTATUS;
    /// Converts UTF-16 to 8-bit text of the system code page; sizes in bytes.
    pub fn RtlUnicodeToMultiByteN(
        target: *mut u8,
        target_size: u32,
        written: *mut u32,
        source: *const u16,
        source_size: u32,
    ) -> NTSTATUS;
    /// Creates a thread in `process`.
    pub fn RtlCreateUserThread(
        process: HANDLE,
        security: *const c_void,
        suspended: u8,
        zero_bits: u32,
        reserve: usize,
        commit: usize,
        start: *const c_void,
        parameter: *mut c_void,
        thread: *mut HANDLE,
        client_id: *mut c_void,
    ) -> NTSTATUS;
}
