//! Documented exports of system DLLs that the agent replaces.

/// Called for each DLL before its own code runs: `name` is its base name,
/// `base` and `size` where it is mapped.
pub(crate) fn loaded(_name: &[u16], _base: u64, _size: usize) {}
