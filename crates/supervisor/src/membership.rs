//! The membership job: how members know one another, by a kernel fact.
//!
//! It lies inside the VM's job and has the same processes: each is put in before it runs, and its
//! children inherit both. Every member holds a handle of it, good for queries only. The VM's own job
//! could not serve: a handle in a member would keep it from closing with the supervisor.

use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null;

use pinion_nt::HANDLE;
use windows_sys::Win32::System::JobObjects::{AssignProcessToJobObject, CreateJobObjectW};

use crate::error::Result;
use crate::process::Process;
use crate::system::{check, own};

/// An unnamed job object without any limit.
#[derive(Debug)]
pub(crate) struct Membership(OwnedHandle);

impl Membership {
    /// A new job of no process.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn create() -> Result<Self> {
        let what = "create the VM's membership job";
        // SAFETY: no attributes, no name; the result is a fresh handle or null.
        let handle = unsafe { own(CreateJobObjectW(null(), null()), what) }?;
        Ok(Self(handle))
    }

    /// The handle, valid while this lives.
    pub(crate) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    /// Makes a process, which is in the VM's job and has not run, known as a member.
    ///
    /// # Errors
    /// The system's refusal, as of a process that is in another job.
    pub(crate) fn take_in(&self, process: &Process) -> Result<()> {
        // SAFETY: two live handles, the process's with PROCESS_SET_QUOTA and PROCESS_TERMINATE.
        let done = unsafe { AssignProcessToJobObject(self.raw(), process.raw()) };
        check(done, format!("make the process {} a member", process.pid()))
    }
}
