//! The agent's file: found beside `pinion.exe`, checked, and put into a suspended process.

use std::path::PathBuf;

use pinion_launch::image::{Image, ImageError};
use pinion_launch::place::{Legacy, Ntdll, PlaceError, place};
use pinion_nt::{CURRENT_PROCESS, calls, status};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;

use crate::error::{Error, Result};
use crate::process::Process;
use crate::system::{last_error, nt_error, wide};

/// The file's name.
const FILE: &str = "pinion_agent.dll";

/// The agent, checked and ready to be placed.
pub(crate) struct Agent {
    /// As it lies in memory, but for what differs in each process.
    layout: Vec<u8>,
    ntdll_base: u64,
    ntdll: Vec<u8>,
}

impl Agent {
    /// Loads the agent from the folder of this program.
    ///
    /// # Errors
    /// [`Error::Agent`]: missing, damaged or of another version.
    pub(crate) fn load() -> Result<Self> {
        let path = path()?;
        let unfit = |why: String| Error::Agent {
            path: path.display().to_string(),
            why,
            version: env!("CARGO_PKG_VERSION"),
        };
        let file = std::fs::read(&path).map_err(|e| unfit(e.to_string()))?;
        let layout = lay_out(&file).map_err(|e| unfit(e.to_string()))?;
        let (ntdll_base, ntdll) = ntdll()?;
        Ok(Self {
            layout,
            ntdll_base,
            ntdll,
        })
    }

    /// The agent as it lies in memory, for the section that processes map.
    pub(crate) fn layout(&self) -> &[u8] {
        &self.layout
    }

    /// ntdll as it is mapped here, and so in every process.
    pub(crate) fn ntdll(&self) -> &[u8] {
        &self.ntdll
    }

    /// Puts the agent into a process that has not run yet.
    pub(crate) fn place(
        &self,
        process: &Process,
        legacy: Legacy,
    ) -> std::result::Result<(), PlaceError> {
        let ntdll = Ntdll {
            base: self.ntdll_base,
            bytes: &self.ntdll,
        };
        let image = Image::laid_out(&self.layout)?;
        // SAFETY: the process and the sections are live handles of this process.
        unsafe { place(process.raw(), &image, ntdll, legacy) }
    }
}

/// Checks the agent's `file` and lays it out.
fn lay_out(file: &[u8]) -> std::result::Result<Vec<u8>, ImageError> {
    let image = Image::new(file)?;
    image.exports()?;
    let mut layout = vec![0; image.size as usize];
    image.lay_out(&mut layout)?;
    Ok(layout)
}

fn path() -> Result<PathBuf> {
    let what = "find the folder of pinion.exe";
    let exe = std::env::current_exe().map_err(|why| Error::System {
        what: what.into(),
        why,
    })?;
    Ok(exe.with_file_name(FILE))
}

/// Where ntdll is mapped, and a copy of it as it is mapped.
pub(crate) fn ntdll() -> Result<(u64, Vec<u8>)> {
    let name = wide("ntdll.dll");
    // SAFETY: a zero-terminated name.
    let module = unsafe { GetModuleHandleW(name.as_ptr()) };
    if module.is_null() {
        return Err(last_error("find ntdll"));
    }
    let base = module.addr();
    Ok((base as u64, copy_of(base)?))
}

/// A copy of the module that is mapped at `base`.
pub(crate) fn copy_of(base: usize) -> Result<Vec<u8>> {
    let header = read_self(base, 0x1000)?;
    let field = |at: usize| header.get(at..at + 4).map(|b| [b[0], b[1], b[2], b[3]]);
    // SizeOfImage of a PE32+ optional header.
    let size = field(0x3c)
        .and_then(|at| field(u32::from_le_bytes(at) as usize + 24 + 56))
        .map(u32::from_le_bytes)
        .ok_or_else(|| nt_error("read a module", status::STATUS_INVALID_IMAGE_FORMAT))?;
    read_self(base, size as usize)
}

fn read_self(address: usize, size: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    // SAFETY: the target is a live buffer of `size` bytes; the kernel checks the source.
    let status = unsafe {
        calls::NtReadVirtualMemory(
            CURRENT_PROCESS,
            address as *const _,
            bytes.as_mut_ptr().cast(),
            size,
            std::ptr::null_mut(),
        )
    };
    if status::success(status) {
        Ok(bytes)
    } else {
        Err(nt_error("read a module", status))
    }
}
