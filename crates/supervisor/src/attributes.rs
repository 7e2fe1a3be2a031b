//! The attribute list of a process to be created: which handles it inherits, and no others; and the job
//! that it is in from its first moment.

use std::marker::PhantomData;
use std::ptr::null_mut;

use pinion_nt::HANDLE;
use windows_sys::Win32::System::Threading::{
    DeleteProcThreadAttributeList, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROC_THREAD_ATTRIBUTE_JOB_LIST, UpdateProcThreadAttribute,
};

use crate::error::Result;
use crate::system::check;

/// A list with `PROC_THREAD_ATTRIBUTE_HANDLE_LIST` and `PROC_THREAD_ATTRIBUTE_JOB_LIST`.
#[derive(Debug)]
pub struct Attributes<'a> {
    memory: Vec<usize>,
    handles: PhantomData<&'a [HANDLE]>,
}

impl<'a> Attributes<'a> {
    /// The list of these inheritable handles, which must differ from one another, and of these jobs;
    /// what is empty is left out.
    ///
    /// # Errors
    /// The system's, as when one is no handle or not inheritable.
    pub fn new(handles: &'a [HANDLE], jobs: &'a [HANDLE]) -> Result<Self> {
        let what = "say what a process inherits";
        let mut size = 0;
        // SAFETY: asks for the size only, which is a local.
        unsafe { InitializeProcThreadAttributeList(null_mut(), 2, 0, &raw mut size) };
        let mut memory = vec![0_usize; size.div_ceil(size_of::<usize>())];
        let raw = memory.as_mut_ptr().cast();
        // SAFETY: the memory has the size asked for and is aligned for pointers.
        let done = unsafe { InitializeProcThreadAttributeList(raw, 2, 0, &raw mut size) };
        check(done, what)?;
        let list = Self {
            memory,
            handles: PhantomData,
        };
        list.add(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles)?;
        list.add(PROC_THREAD_ATTRIBUTE_JOB_LIST, jobs)?;
        Ok(list)
    }

    fn add(&self, attribute: u32, handles: &'a [HANDLE]) -> Result<()> {
        if handles.is_empty() {
            return Ok(());
        }
        // SAFETY: an initialised list with room for both; the handles outlive it by its lifetime.
        let done = unsafe {
            UpdateProcThreadAttribute(
                self.raw(),
                0,
                attribute as usize,
                handles.as_ptr().cast(),
                size_of_val(handles),
                null_mut(),
                null_mut(),
            )
        };
        check(done, "say what a process inherits")
    }

    /// The list for `STARTUPINFOEXW`, valid while this lives.
    #[must_use]
    pub fn raw(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.memory.as_ptr().cast_mut().cast()
    }
}

impl Drop for Attributes<'_> {
    fn drop(&mut self) {
        // SAFETY: an initialised list whose memory is still there.
        unsafe { DeleteProcThreadAttributeList(self.raw()) };
    }
}
