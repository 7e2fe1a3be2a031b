//! A process that is made suspended in a VM's job and in this console, with this
//! process's stdin, stdout and stderr, and nothing else of its handles. Until it
//! runs it ends with the value.

use crate::again;
use crate::attributes::Attributes;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{
    HANDLE, HANDLE_FLAG_INHERIT, INVALID_HANDLE_VALUE, SetHandleInformation, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessW, EXTENDED_STARTUPINFO_PRESENT,
    GetExitCodeProcess, INFINITE, LPPROC_THREAD_ATTRIBUTE_LIST, PROCESS_INFORMATION,
    STARTF_USESTDHANDLES, STARTUPINFOEXW, TerminateProcess, WaitForSingleObject,
};

/// A process that has not run yet.
pub struct Suspended {
    process: OwnedHandle,
    /// Its process id.
    pub pid: u32,
    runs: bool,
}

/// A running process of ours.
pub struct Running {
    process: OwnedHandle,
}

impl Suspended {
    /// Makes the process of the file `program` with the command line `line`, a member of `job` from its
    /// first moment.
    ///
    /// # Errors
    /// The system's.
    pub fn create(
        job: &OwnedHandle,
        program: &Path,
        line: &str,
        env: &[(OsString, OsString)],
        cwd: &Path,
    ) -> io::Result<Self> {
        let program = wide(program.as_os_str())?;
        let cwd = wide(cwd.as_os_str())?;
        let mut line = wide(line.as_ref())?;
        let env = block(env);
        let stdio = Stdio::of_this_process();
        let jobs = [job.as_raw_handle()];
        let attributes = Attributes::new(&stdio.distinct, &jobs).map_err(io::Error::other)?;
        let startup = stdio.startup(attributes.raw());
        let mut made = PROCESS_INFORMATION::default();
        let flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
        // SAFETY: all strings end in a zero, the environment in two; the command
        // line is ours to be written to; the startup information, its attribute
        // list and the handles in it outlive the call.
        let ok = again::create(|| unsafe {
            CreateProcessW(
                program.as_ptr(),
                line.as_mut_ptr(),
                null(),
                null(),
                i32::from(!stdio.distinct.is_empty()),
                flags,
                env.as_ptr().cast(),
                cwd.as_ptr(),
                (&raw const startup).cast(),
                &raw mut made,
            )
        });
        if ok == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: both handles are new and nobody else's; the thread's is not needed.
        let (process, _) = unsafe {
            (
                OwnedHandle::from_raw_handle(made.hProcess),
                OwnedHandle::from_raw_handle(made.hThread),
            )
        };
        Ok(Self {
            process,
            pid: made.dwProcessId,
            runs: false,
        })
    }

    /// The process, once its supervisor lets it run; `made` is the one that this one made, if it is a
    /// helper ([`crate::inside`]).
    ///
    /// # Errors
    /// The system's.
    pub fn running(mut self, made: Option<OwnedHandle>) -> io::Result<Running> {
        self.runs = true;
        let process = match made {
            Some(made) => made,
            None => self.process.try_clone()?,
        };
        Ok(Running { process })
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        if !self.runs {
            // SAFETY: the handle is a live process's.
            unsafe { TerminateProcess(self.process.as_raw_handle(), 1) };
        }
    }
}

impl Running {
    /// Waits so long for its end; its exit code, or none.
    ///
    /// # Errors
    /// The system's.
    pub fn wait_for(&self, time: std::time::Duration) -> io::Result<Option<i32>> {
        let milliseconds = u32::try_from(time.as_millis()).unwrap_or(INFINITE - 1);
        // SAFETY: the handle is a process's.
        match unsafe { WaitForSingleObject(self.process.as_raw_handle(), milliseconds) } {
            WAIT_OBJECT_0 => self.wait().map(Some),
            _ => Ok(None),
        }
    }

    /// Ends it.
    pub fn end(&self) {
        // SAFETY: the handle is a process's.
        unsafe { TerminateProcess(self.process.as_raw_handle(), 1) };
    }

    /// Waits for its end; its exit code.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self) -> io::Result<i32> {
        let process = self.process.as_raw_handle();
        let mut code = 0;
        // SAFETY: the handle is a process's, `code` outlives the call.
        let ok = unsafe {
            WaitForSingleObject(process, INFINITE) == WAIT_OBJECT_0
                && GetExitCodeProcess(process, &raw mut code) != 0
        };
        if ok {
            Ok(code.cast_signed())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

/// The standard handles that this process has, and them without repetitions, as
/// a handle list must be.
struct Stdio {
    handles: [HANDLE; 3],
    distinct: Vec<HANDLE>,
}

impl Stdio {
    fn of_this_process() -> Self {
        let handles = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE].map(|which| {
            // SAFETY: no pointers.
            let handle = unsafe { GetStdHandle(which) };
            if handle == INVALID_HANDLE_VALUE {
                null_mut()
            } else {
                handle
            }
        });
        let mut distinct = Vec::new();
        for handle in handles {
            // SAFETY: a value that is no handle of ours makes the call fail, and
            // such a one may not go into the list.
            let inheritable = !handle.is_null()
                && unsafe {
                    SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)
                } != 0;
            if inheritable && !distinct.contains(&handle) {
                distinct.push(handle);
            }
        }
        Self { handles, distinct }
    }

    fn startup(&self, attributes: LPPROC_THREAD_ATTRIBUTE_LIST) -> STARTUPINFOEXW {
        let mut startup = STARTUPINFOEXW {
            lpAttributeList: attributes,
            ..Default::default()
        };
        #[allow(clippy::cast_possible_truncation)]
        {
            startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
        }
        startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        let [input, output, error] = self.handles;
        startup.StartupInfo.hStdInput = input;
        startup.StartupInfo.hStdOutput = output;
        startup.StartupInfo.hStdError = error;
        startup
    }
}

fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a zero character in a path",
        ));
    }
    units.push(0);
    Ok(units)
}

/// An environment block: `NAME=VALUE` each ended by a zero, the end by another.
fn block(env: &[(OsString, OsString)]) -> Vec<u16> {
    let mut block = Vec::new();
    for (name, value) in env {
        block.extend(name.encode_wide());
        block.push(u16::from(b'='));
        block.extend(value.encode_wide());
        block.push(0);
    }
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    block
}
