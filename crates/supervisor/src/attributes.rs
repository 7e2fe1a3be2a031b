//! The attribute list of a process to be created: which handles it inherits, and no others.

use std::marker::PhantomData;
use std::ptr::null_mut;

use pinion_nt::HANDLE;
use windows_sys::Win32::System::Threading::{
    DeleteProcThreadAttributeList, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, UpdateProcThreadAttribute,
};

use crate::error::Result;
use crate::system::check;

/// A list with `PROC_THREAD_ATTRIBUTE_HANDLE_LIST` alone.
#[derive(Debug)]
pub struct HandleList<'a> {
    memory: Vec<usize>,
    handles: PhantomData<&'a [HANDLE]>,
}

impl<'a> HandleList<'a> {
    /// The list of these inheritable handles, at least one, which must differ from one another.
    ///
    /// # Errors
    /// The system's, as when one is no handle or not inheritable.
    pub fn new(handles: &'a [HANDLE]) -> Result<Self> {
        let what = "say which handles a process inherits";
        let mut size = 0;
        // SAFETY: asks for the size only, which is a local.
        unsafe { InitializeProcThreadAttributeList(null_mut(), 1, 0, &raw mut size) };
        let mut memory = vec![0_usize; size.div_ceil(size_of::<usize>())];
        let raw = memory.as_mut_ptr().cast();
        // SAFETY: the memory has the size asked for and is aligned for pointers.
        let done = unsafe { InitializeProcThreadAttributeList(raw, 1, 0, &raw mut size) };
        check(done, what)?;
        let list = Self {
            memory,
            handles: PhantomData,
        };
        // SAFETY: an initialised list; the handles outlive it by its lifetime.
        let done = unsafe {
            UpdateProcThreadAttribute(
                list.raw(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                handles.as_ptr().cast(),
                size_of_val(handles),
                null_mut(),
                null_mut(),
            )
        };
        check(done, what).map(|()| list)
    }

    /// The list for `STARTUPINFOEXW`, valid while this lives.
    #[must_use]
    pub fn raw(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.memory.as_ptr().cast_mut().cast()
    }
}

impl Drop for HandleList<'_> {
    fn drop(&mut self) {
        // SAFETY: an initialised list whose memory is still there.
        unsafe { DeleteProcThreadAttributeList(self.raw()) };
    }
}
