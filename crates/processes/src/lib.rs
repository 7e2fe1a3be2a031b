//! What a member sees of the system's tables of processes, handles and
//! connections: its own VM's, and nothing of the rest.
//!
//! Pure logic over the bytes that the kernel wrote; who is a member is told by
//! the kernel (the ids of a job), never by names. Structures: phnt, ntexapi.h,
//! 64-bit.
#![no_std]
#![forbid(unsafe_code)]

pub mod class;
pub mod connections;
pub mod handles;
pub mod list;
pub mod members;

/// A table of the kernel's that breaks its own rules: nothing of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// The little-endian number of `N` bytes at `at`.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let field: &[u8; N] = bytes.get(at..)?.first_chunk()?;
    let mut wide = [0; 8];
    wide.get_mut(..N)?.copy_from_slice(field);
    Some(u64::from_le_bytes(wide))
}

/// Writes `value` at `at`, little endian.
fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value;
    Some(())
}
