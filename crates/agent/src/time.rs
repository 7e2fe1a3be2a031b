//! The time that Windows shows every process without a system call.

/// 100 ns in a millisecond.
const MILLISECOND: u64 = 10_000;

/// `InterruptTime` of the page that the kernel shares with every process
/// (`KUSER_SHARED_DATA`, ntddk.h), at least every 16 ms a new one: 100 ns since
/// the system's start.
pub(crate) fn interrupt() -> u64 {
    const INTERRUPT_TIME: *const u64 = 0x7ffe_0008 as *const u64;
    // SAFETY: the page is mapped into every process for its life.
    unsafe { INTERRUPT_TIME.read_volatile() }
}

/// Milliseconds since the system's start.
pub(crate) fn milliseconds() -> u64 {
    interrupt() / MILLISECOND
}
