//! The four memory functions that compiled Rust calls, so that the agent needs
//! no C runtime. String instructions, which no optimiser turns back into calls
//! of these very functions.

use core::ffi::c_int;

/// C's `memcpy`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(target: *mut u8, source: *const u8, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise; the direction flag is clear by the ABI.
    unsafe {
        core::arch::asm!(
            "rep movsb",
            inout("rcx") size => _, inout("rdi") target => _, inout("rsi") source => _,
            options(nostack, preserves_flags),
        );
    }
    target
}

/// C's `memmove`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(target: *mut u8, source: *const u8, size: usize) -> *mut u8 {
    if (target as usize).wrapping_sub(source as usize) >= size {
        // SAFETY: a forward copy is right when the target does not begin inside
        // the source.
        return unsafe { memcpy(target, source, size) };
    }
    // SAFETY: the target begins inside the source, so size is not 0; backward.
    unsafe {
        core::arch::asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") size => _,
            inout("rdi") target.add(size - 1) => _,
            inout("rsi") source.add(size - 1) => _,
            options(nostack),
        );
    }
    target
}

/// C's `memset`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(target: *mut u8, value: c_int, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        core::arch::asm!(
            "rep stosb",
            inout("rcx") size => _, inout("rdi") target => _, in("al") value as u8,
            options(nostack, preserves_flags),
        );
    }
    target
}

/// C's `memcmp`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, size: usize) -> c_int {
    let (after_left, after_right): (*const u8, *const u8);
    if size == 0 {
        return 0;
    }
    // SAFETY: the caller's promise; stops behind the first difference.
    unsafe {
        core::arch::asm!(
            "repe cmpsb",
            inout("rcx") size => _,
            inout("rsi") left => after_left,
            inout("rdi") right => after_right,
            options(nostack, readonly),
        );
        let (left, right) = (*after_left.sub(1), *after_right.sub(1));
        c_int::from(left) - c_int::from(right)
    }
}

/// C's `strlen`.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller's promise: a NUL ends the text.
    while unsafe { text.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}
