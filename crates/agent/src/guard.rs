//! Reading and writing the caller's memory, which may be any address.
//!
//! A fault inside [`copy`] becomes a return value: a vectored handler moves
//! the instruction pointer. Before the handler is set (the first moments of
//! the process, when only ntdll itself calls) a fault is ntdll's own.

use crate::entry;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use pinion_nt::CURRENT_PROCESS;
use pinion_nt::calls::{NtQueryVirtualMemory, RtlAddVectoredExceptionHandler};
use pinion_nt::status::{
    STATUS_ACCESS_VIOLATION, STATUS_DATATYPE_MISALIGNMENT, STATUS_GUARD_PAGE_VIOLATION,
};
use windows_sys::Win32::System::Diagnostics::Debug::EXCEPTION_POINTERS;
use windows_sys::Win32::System::Memory::MEMORY_BASIC_INFORMATION;

/// `STATUS_IN_PAGE_ERROR`: a mapped file could not be read.
const STATUS_IN_PAGE_ERROR: i32 = 0xC000_0006_u32 as i32;

core::arch::global_asm!(
    ".globl pinion_copy",
    "pinion_copy:",
    "push rsi",
    "push rdi",
    "mov rdi, rcx",
    "mov rsi, rdx",
    "mov rcx, r8",
    ".globl pinion_copy_from",
    "pinion_copy_from:",
    "rep movsb",
    ".globl pinion_copy_to",
    "pinion_copy_to:",
    "xor eax, eax",
    ".globl pinion_copy_fault",
    "pinion_copy_fault:",
    "pop rdi",
    "pop rsi",
    "ret",
);

unsafe extern "system" {
    /// Copies `size` bytes; 0, or the code of the exception that stopped it.
    fn pinion_copy(target: *mut c_void, source: *const c_void, size: usize) -> i32;
    static pinion_copy_from: u8;
    static pinion_copy_to: u8;
    static pinion_copy_fault: u8;
}

/// Copies `size` bytes from `source` to `target`, either of which may be the
/// caller's and bad.
///
/// # Errors
/// The exception's code, such as `STATUS_ACCESS_VIOLATION`.
///
/// # Safety
/// The agent's own side must be valid for `size` bytes, and the program's side
/// must not be memory of the agent.
pub(crate) unsafe fn copy(
    target: *mut c_void,
    source: *const c_void,
    size: usize,
) -> Result<(), i32> {
    // SAFETY: a fault on the program's side is turned into a return.
    match unsafe { pinion_copy(target, source, size) } {
        0 => Ok(()),
        code => Err(code),
    }
}

/// Reads one `T`, any bytes of which must be a valid `T`, from the program's
/// memory at `source`, aligned or not.
///
/// # Errors
/// The exception's code.
///
/// # Safety
/// `T` must be plain data.
pub(crate) unsafe fn read<T: Copy>(source: *const T) -> Result<T, i32> {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the target is a local of the right size.
    unsafe { copy(value.as_mut_ptr().cast(), source.cast(), size_of::<T>())? };
    // SAFETY: every byte was written, and the caller vouches that any bytes do.
    Ok(unsafe { value.assume_init() })
}

/// Writes `value` to the program's memory at `target`, aligned or not.
///
/// # Errors
/// The exception's code.
///
/// # Safety
/// `target` must not be memory of the agent.
pub(crate) unsafe fn write<T: Copy>(target: *mut T, value: T) -> Result<(), i32> {
    // SAFETY: the source is a local of the right size.
    unsafe { copy(target.cast(), (&raw const value).cast(), size_of::<T>()) }
}

/// Sets the vectored handler. The heap must be up.
pub(crate) fn arm() {
    // SAFETY: the handler is a static function of the right type.
    unsafe { RtlAddVectoredExceptionHandler(1, handler as *const c_void) };
}

/// Moves a fault inside the copy to its exit, with the code in `eax`.
unsafe extern "system" fn handler(pointers: *mut EXCEPTION_POINTERS) -> i32 {
    const CONTINUE_SEARCH: i32 = 0;
    const CONTINUE_EXECUTION: i32 = -1;
    // SAFETY: the system passes valid pointers to a handler.
    let (record, context) = unsafe {
        (
            &*(*pointers).ExceptionRecord,
            &mut *(*pointers).ContextRecord,
        )
    };
    let code = record.ExceptionCode;
    let fault = matches!(
        code,
        STATUS_ACCESS_VIOLATION
            | STATUS_GUARD_PAGE_VIOLATION
            | STATUS_DATATYPE_MISALIGNMENT
            | STATUS_IN_PAGE_ERROR
    );
    let from = (&raw const pinion_copy_from) as u64;
    let to = (&raw const pinion_copy_to) as u64;
    if !fault || !(from..to).contains(&context.Rip) {
        return CONTINUE_SEARCH;
    }
    if code == STATUS_GUARD_PAGE_VIOLATION {
        rearm(record.ExceptionInformation[1]);
    }
    context.Rip = (&raw const pinion_copy_fault) as u64;
    context.Rax = u64::from(code as u32);
    CONTINUE_EXECUTION
}

/// Makes the page at `address` a guard page again, which the fault has undone:
/// the kernel shall meet it when it gets the program's own arguments.
fn rearm(address: usize) {
    const PAGE_GUARD: u32 = 0x100;
    let mut page = MEMORY_BASIC_INFORMATION::default();
    // SAFETY: class 0 fills one MEMORY_BASIC_INFORMATION (NtQueryVirtualMemory
    // documentation).
    let status = unsafe {
        NtQueryVirtualMemory(
            CURRENT_PROCESS,
            address as *const c_void,
            0,
            (&raw mut page).cast(),
            size_of_val(&page),
            core::ptr::null_mut(),
        )
    };
    if status >= 0 {
        let _ = entry::protect(address as u64 & !0xfff, 0x1000, page.Protect | PAGE_GUARD);
    }
}
