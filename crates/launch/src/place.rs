//! Map the agent into a suspended process and point `LdrInitializeThunk` at its
//! entry.
//!
//! All processes of a VM share one copy of the agent's pages, but for those that
//! differ in each: they are written over the mapping, which copies them there.
//! Everything is relocated and imported from here: the process has run no
//! instruction yet and ntdll has the same address in every process of one
//! boot (observed on Wine 8 and 10; so on Windows since Vista).

use crate::image::{Image, ImageError};
use crate::patches::Patches;
use core::ffi::c_void;
use pinion_intercept::{export::Module, jump};
use pinion_nt::calls::{
    NtDuplicateObject, NtMapViewOfSection, NtProtectVirtualMemory, NtReadVirtualMemory,
    NtWriteVirtualMemory,
};
use pinion_nt::{
    CURRENT_PROCESS, HANDLE, NTSTATUS, PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY,
    SECTION_MAP_EXECUTE, SECTION_MAP_READ, SECTION_MAP_WRITE,
};
use pinion_wire::boot::{Boot, MAGIC, THUNK};

/// Why the agent could not be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceError {
    /// The agent's file is unusable.
    Image(ImageError),
    /// ntdll lacks what the agent imports, or `LdrInitializeThunk`.
    Ntdll,
    /// A system call failed: which step, and its NTSTATUS.
    Call(&'static str, NTSTATUS),
}

impl core::fmt::Display for PlaceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Ntdll => f.write_str("ntdll lacks an export that the agent needs"),
            Self::Call(step, status) => write!(f, "{step} failed with NTSTATUS {status:#010x}"),
        }
    }
}

impl From<ImageError> for PlaceError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

/// `JOB_OBJECT_QUERY` (winnt.h).
const JOB_OBJECT_QUERY: u32 = 4;

/// What is handed on to the process: handles of the calling process.
#[derive(Debug, Clone, Copy)]
pub struct Legacy {
    /// The VM's page.
    pub page_section: HANDLE,
    /// The VM's tally.
    pub tally_section: HANDLE,
    /// The agent, laid out by [`Image::lay_out`]; of an executable protection.
    pub agent_section: HANDLE,
    /// The VM's membership job.
    pub membership_job: HANDLE,
    /// The VM's records.
    pub trace_section: HANDLE,
}

/// ntdll as mapped in the calling process.
#[derive(Clone, Copy)]
pub struct Ntdll<'a> {
    /// Where it is mapped.
    pub base: u64,
    /// Its mapped bytes from `base`.
    pub bytes: &'a [u8],
}

/// Places the agent `image`, laid out as in the section of `legacy`, into `process`, which must be suspended before its
/// first instruction, with `PROCESS_VM_*`, `PROCESS_DUP_HANDLE` access.
///
/// # Errors
/// [`PlaceError`]; the process must then be ended, it may hold a part of the
/// agent.
///
/// # Safety
/// `process` and the handles of `legacy` must be live handles of the calling
/// process.
pub unsafe fn place(
    process: HANDLE,
    image: &Image<'_>,
    ntdll: Ntdll<'_>,
    legacy: Legacy,
) -> Result<(), PlaceError> {
    let exports = image.exports()?;
    let module = Module::new(ntdll.bytes).ok_or(PlaceError::Ntdll)?;
    let thunk = module
        .find(b"LdrInitializeThunk")
        .ok_or(PlaceError::Ntdll)?;
    let thunk = ntdll.base + u64::from(thunk);

    // Executable and writable until the agent's entry has protected its own
    // sections: on Wine each protection from outside wakes the process twice.
    let base = map(process, legacy.agent_section)?;
    let mut patches = Patches::new(image, exports.boot)?;
    patches.relocate(base, image)?;
    patches.import(image, &module, ntdll.base)?;
    let boot = Boot {
        magic: MAGIC,
        version: pinion_wire::VERSION,
        reserved: 0,
        page_section: hand_on(process, legacy.page_section, SECTION_MAP_READ)?,
        tally_section: hand_on(
            process,
            legacy.tally_section,
            SECTION_MAP_READ | SECTION_MAP_WRITE,
        )?,
        agent_section: hand_on(
            process,
            legacy.agent_section,
            SECTION_MAP_READ | SECTION_MAP_EXECUTE,
        )?,
        membership_job: hand_on(process, legacy.membership_job, JOB_OBJECT_QUERY)?,
        trace_section: hand_on(
            process,
            legacy.trace_section,
            SECTION_MAP_READ | SECTION_MAP_WRITE,
        )?,
        agent_size: u64::from(image.size),
        ntdll: ntdll.base,
        agent_base: base,
        thunk,
        thunk_bytes: read(process, thunk)?,
    };
    patches.put(exports.boot, &boot.to_bytes())?;
    patches.each(|rva, bytes| write(process, base + u64::from(rva), bytes))?;
    arm(process, thunk, base + u64::from(exports.entry))
}

pub(crate) fn check(step: &'static str, status: NTSTATUS) -> Result<(), PlaceError> {
    if status < 0 {
        Err(PlaceError::Call(step, status))
    } else {
        Ok(())
    }
}

/// Maps the agent into `process`, its pages to be copied when they are written.
fn map(process: HANDLE, section: HANDLE) -> Result<u64, PlaceError> {
    /// `ViewUnmap` (wdm.h): children get no view.
    const UNMAP: u32 = 2;
    let (mut base, mut size) = (core::ptr::null_mut(), 0);
    // SAFETY: the pointers are to locals; the section is the caller's.
    let status = unsafe {
        NtMapViewOfSection(
            section,
            process,
            &raw mut base,
            0,
            0,
            core::ptr::null_mut(),
            &raw mut size,
            UNMAP,
            0,
            PAGE_EXECUTE_WRITECOPY,
        )
    };
    check("mapping the agent", status)?;
    Ok(base as u64)
}

fn write(process: HANDLE, at: u64, bytes: &[u8]) -> Result<(), PlaceError> {
    // SAFETY: the source is a live slice; the target is checked by the kernel.
    let status = unsafe {
        NtWriteVirtualMemory(
            process,
            at as *mut c_void,
            bytes.as_ptr().cast(),
            bytes.len(),
            core::ptr::null_mut(),
        )
    };
    check("writing the agent", status)
}

fn read<const N: usize>(process: HANDLE, at: u64) -> Result<[u8; N], PlaceError> {
    let mut bytes = [0; N];
    // SAFETY: the target is a live array of N bytes; the source is checked by
    // the kernel.
    let status = unsafe {
        NtReadVirtualMemory(
            process,
            at as *const c_void,
            bytes.as_mut_ptr().cast(),
            N,
            core::ptr::null_mut(),
        )
    };
    check("reading the process", status)?;
    Ok(bytes)
}

fn protect(process: HANDLE, at: u64, size: usize, protection: u32) -> Result<(), PlaceError> {
    let (mut base, mut size, mut old) = (at as *mut c_void, size, 0);
    // SAFETY: all pointers are to locals; only the placed agent's or ntdll's
    // pages of a process that has not run are concerned.
    let status = unsafe {
        NtProtectVirtualMemory(
            process,
            &raw mut base,
            &raw mut size,
            protection,
            &raw mut old,
        )
    };
    check("protecting memory", status)
}

/// Duplicates `handle` into `process`.
fn hand_on(process: HANDLE, handle: HANDLE, access: u32) -> Result<u64, PlaceError> {
    let mut target: HANDLE = core::ptr::null_mut();
    // SAFETY: `target` is a local; the handles are the caller's.
    let status = unsafe {
        NtDuplicateObject(
            CURRENT_PROCESS,
            handle,
            process,
            &raw mut target,
            access,
            0,
            0,
        )
    };
    check("handing on a handle", status)?;
    Ok(target as u64)
}

/// Replaces the first bytes of `LdrInitializeThunk`. The page stays writable:
/// the agent puts the bytes back and restores the protection.
fn arm(process: HANDLE, thunk: u64, entry: u64) -> Result<(), PlaceError> {
    protect(process, thunk, THUNK, PAGE_EXECUTE_READWRITE)?;
    write(process, thunk, &jump::encode(entry))
}
