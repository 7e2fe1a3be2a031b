//! Write the agent into a suspended process and point `LdrInitializeThunk` at
//! its entry.
//!
//! Everything is relocated and imported from here: the process has run no
//! instruction yet and ntdll has the same address in every process of one
//! boot (observed on Wine 8 and 10; so on Windows since Vista).

use crate::image::{Image, ImageError};
use core::ffi::c_void;
use pinion_intercept::{export::Module, jump};
use pinion_nt::calls::{
    NtAllocateVirtualMemory, NtDuplicateObject, NtFreeVirtualMemory, NtProtectVirtualMemory,
    NtReadVirtualMemory, NtWriteVirtualMemory,
};
use pinion_nt::{
    CURRENT_PROCESS, HANDLE, MEM_COMMIT_RESERVE, NTSTATUS, PAGE_EXECUTE_READWRITE, PAGE_READWRITE,
    SECTION_MAP_READ, SECTION_MAP_WRITE,
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

/// What is handed on to the process: sections of the calling process.
#[derive(Debug, Clone, Copy)]
pub struct Legacy {
    /// The VM's page.
    pub page_section: HANDLE,
    /// The VM's tally.
    pub tally_section: HANDLE,
    /// The agent's file.
    pub agent_section: HANDLE,
}

/// ntdll as mapped in the calling process.
#[derive(Clone, Copy)]
pub struct Ntdll<'a> {
    /// Where it is mapped.
    pub base: u64,
    /// Its mapped bytes from `base`.
    pub bytes: &'a [u8],
}

/// Places the agent `image` into `process`, which must be suspended before its
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
    let base = allocate(process, image.size as usize, PAGE_EXECUTE_READWRITE)?;
    let mut layout = Layout::new(image.size as usize)?;
    fill(&mut layout, image)?;
    relocate(&mut layout, base, image)?;
    import(&mut layout, image, &module, ntdll.base)?;
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
        agent_section: hand_on(process, legacy.agent_section, SECTION_MAP_READ)?,
        agent_size: image.file_size() as u64,
        ntdll: ntdll.base,
        agent_base: base,
        thunk,
        thunk_bytes: read(process, thunk)?,
    };
    layout.put(exports.boot, &boot.to_bytes())?;
    write(process, base, layout.0)?;
    arm(process, thunk, base + u64::from(exports.entry))
}

fn check(step: &'static str, status: NTSTATUS) -> Result<(), PlaceError> {
    if status < 0 {
        Err(PlaceError::Call(step, status))
    } else {
        Ok(())
    }
}

fn allocate(process: HANDLE, size: usize, protection: u32) -> Result<u64, PlaceError> {
    let (mut base, mut size) = (core::ptr::null_mut(), size);
    // SAFETY: both pointers are to locals; a new region is reserved.
    let status = unsafe {
        NtAllocateVirtualMemory(
            process,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT_RESERVE,
            protection,
        )
    };
    check("allocating memory for the agent", status)?;
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

/// A private copy of the image as it will lie in the process, so that it is
/// written by one system call.
struct Layout(&'static mut [u8]);

impl Layout {
    fn new(size: usize) -> Result<Self, PlaceError> {
        let base = allocate(CURRENT_PROCESS, size, PAGE_READWRITE)?;
        // SAFETY: the region of at least `size` zeroed bytes is fresh and owned
        // by this value until it is dropped.
        Ok(Self(unsafe {
            core::slice::from_raw_parts_mut(base as *mut u8, size)
        }))
    }

    fn put(&mut self, rva: u32, bytes: &[u8]) -> Result<(), ImageError> {
        let from = rva as usize;
        from.checked_add(bytes.len())
            .and_then(|end| self.0.get_mut(from..end))
            .ok_or(ImageError::Damaged("layout"))?
            .copy_from_slice(bytes);
        Ok(())
    }

    fn word(&self, rva: u32) -> Option<u64> {
        let from = rva as usize;
        let bytes = self.0.get(from..from.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        const MEM_RELEASE: u32 = 0x8000;
        let (mut base, mut size) = (self.0.as_mut_ptr().cast(), 0);
        // SAFETY: the region was allocated by `new` and no borrow of it lives.
        unsafe { NtFreeVirtualMemory(CURRENT_PROCESS, &raw mut base, &raw mut size, MEM_RELEASE) };
    }
}

fn fill(layout: &mut Layout, image: &Image<'_>) -> Result<(), PlaceError> {
    layout.put(0, image.headers())?;
    for section in image.sections() {
        layout.put(section.address, section.bytes)?;
    }
    Ok(())
}

fn relocate(layout: &mut Layout, base: u64, image: &Image<'_>) -> Result<(), PlaceError> {
    let delta = base.wrapping_sub(image.base);
    let mut outcome = Ok(());
    image.relocations(|rva| {
        let done = layout
            .word(rva)
            .ok_or(ImageError::Damaged("relocations"))
            .and_then(|word| layout.put(rva, &word.wrapping_add(delta).to_le_bytes()));
        outcome = outcome.and(done);
    })?;
    Ok(outcome?)
}

fn import(
    layout: &mut Layout,
    image: &Image<'_>,
    module: &Module<'_>,
    ntdll: u64,
) -> Result<(), PlaceError> {
    let mut missing = false;
    image.imports(|slot, name| match module.find(name) {
        Some(rva) => layout.put(slot, &(ntdll + u64::from(rva)).to_le_bytes()),
        None => {
            missing = true;
            Ok(())
        }
    })?;
    if missing {
        Err(PlaceError::Ntdll)
    } else {
        Ok(())
    }
}

/// Duplicates `section` into `process`.
fn hand_on(process: HANDLE, section: HANDLE, access: u32) -> Result<u64, PlaceError> {
    let mut target: HANDLE = core::ptr::null_mut();
    // SAFETY: `target` is a local; the handles are the caller's.
    let status = unsafe {
        NtDuplicateObject(
            CURRENT_PROCESS,
            section,
            process,
            &raw mut target,
            access,
            0,
            0,
        )
    };
    check("handing on a section", status)?;
    Ok(target as u64)
}

/// Replaces the first bytes of `LdrInitializeThunk`. The page stays writable:
/// the agent puts the bytes back and restores the protection.
fn arm(process: HANDLE, thunk: u64, entry: u64) -> Result<(), PlaceError> {
    protect(process, thunk, THUNK, PAGE_EXECUTE_READWRITE)?;
    write(process, thunk, &jump::encode(entry))
}
