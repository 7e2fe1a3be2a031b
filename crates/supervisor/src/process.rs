//! One process by its handle: what it is, what it uses, and what can be done to it.
//!
//! All of it is asked of the kernel; nothing is taken from the process itself.

use std::mem::{size_of, zeroed};
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::time::Duration;

use pinion_nt::{HANDLE, calls, status};
use pinion_store::View;
use windows_sys::Win32::Foundation::{DuplicateHandle, FILETIME, WAIT_OBJECT_0};
use windows_sys::Win32::System::ProcessStatus::{
    K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS, PROCESS_MEMORY_COUNTERS_EX,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetExitCodeProcess, GetProcessHandleCount, GetProcessTimes, INFINITE,
    IsWow64Process, OpenProcess, PROCESS_BASIC_INFORMATION, PROCESS_DUP_HANDLE,
    PROCESS_QUERY_INFORMATION, PROCESS_SET_INFORMATION, PROCESS_SET_QUOTA, PROCESS_SUSPEND_RESUME,
    PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, PROCESS_VM_OPERATION, PROCESS_VM_READ,
    PROCESS_VM_WRITE, QueryFullProcessImageNameW, SetProcessAffinityMask, TerminateProcess,
    WaitForSingleObject,
};

use crate::error::Result;
use crate::system::{check, last_error, nt_error, own};

/// What the supervisor needs of a member: look at it, suspend it, end it.
const MEMBER: u32 = PROCESS_QUERY_INFORMATION
    | PROCESS_VM_READ
    | PROCESS_SET_INFORMATION
    | PROCESS_SUSPEND_RESUME
    | PROCESS_SYNCHRONIZE
    | PROCESS_TERMINATE;

/// What placing the agent and joining the job need as well.
const CONFINE: u32 =
    MEMBER | PROCESS_VM_OPERATION | PROCESS_VM_WRITE | PROCESS_DUP_HANDLE | PROCESS_SET_QUOTA;

/// A process, kept by its handle: its id is not used again while this lives.
#[derive(Debug)]
pub struct Process {
    handle: OwnedHandle,
    pid: u32,
}

/// What a process used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// When it was created, in 100 ns since 1601.
    pub created: u64,
    /// Processor time in 100 ns.
    pub cpu: u64,
    /// Private memory in bytes.
    pub memory: u64,
}

impl Process {
    /// Takes over a process handle with all access.
    pub(crate) fn from_handle(handle: OwnedHandle, pid: u32) -> Self {
        Self { handle, pid }
    }

    /// Opens a member of the VM.
    pub(crate) fn open_member(pid: u32) -> Result<Self> {
        Self::open(pid, MEMBER)
    }

    /// Opens a process that is to be confined.
    pub(crate) fn open_to_confine(pid: u32) -> Result<Self> {
        Self::open(pid, CONFINE)
    }

    /// Opens a command line that is to create a member.
    pub(crate) fn open_to_lend(pid: u32) -> Result<Self> {
        Self::open(
            pid,
            PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION | PROCESS_SYNCHRONIZE,
        )
    }

    /// Opens a process only to see its end.
    pub(crate) fn open_to_wait(pid: u32) -> Result<Self> {
        Self::open(pid, PROCESS_SYNCHRONIZE)
    }

    /// Opens a process to see its end or to bring it about.
    pub(crate) fn open_to_end(pid: u32) -> Result<Self> {
        Self::open(pid, PROCESS_SYNCHRONIZE | PROCESS_TERMINATE)
    }

    fn open(pid: u32, access: u32) -> Result<Self> {
        let what = || format!("open the process {pid}");
        // SAFETY: no pointers; the result is a fresh handle or null.
        let handle = unsafe { own(OpenProcess(access, 0, pid), what()) }?;
        Ok(Self { handle, pid })
    }

    /// A handle of it in the process `to`, good for waiting, for its exit code and for its end; its value
    /// there.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn lend(&self, to: &Self) -> Result<u64> {
        let access = PROCESS_SYNCHRONIZE | PROCESS_QUERY_INFORMATION | PROCESS_TERMINATE;
        let what = format!("hand the process {} on", self.pid);
        let lent = to.give(self.raw(), access, what)?;
        Ok(lent.addr() as u64)
    }

    /// Gives this process a handle of one of our objects; its value there.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn give(&self, object: HANDLE, access: u32, what: String) -> Result<HANDLE> {
        let mut given = null_mut();
        // SAFETY: two live process handles; whoever calls has the object; `given` is a local.
        let done = unsafe {
            DuplicateHandle(
                GetCurrentProcess(),
                object,
                self.raw(),
                &raw mut given,
                access,
                0,
                0,
            )
        };
        check(done, what).map(|()| given)
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The handle, valid while this lives.
    pub(crate) fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }

    /// Waits for the process's end; whether it came in time. None waits for ever.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        let limit = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(INFINITE - 1);
        let milliseconds = timeout.map_or(INFINITE, limit);
        // SAFETY: a live handle.
        unsafe { WaitForSingleObject(self.raw(), milliseconds) == WAIT_OBJECT_0 }
    }

    /// The exit code of a process that has ended.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn exit_code(&self) -> Result<u32> {
        let mut code = 0;
        // SAFETY: a live handle; `code` is a local.
        let done = unsafe { GetExitCodeProcess(self.raw(), &raw mut code) };
        check(
            done,
            format!("ask for the exit code of the process {}", self.pid),
        )
        .map(|()| code)
    }

    /// Ends the process. One that ended already is no error.
    pub fn terminate(&self, code: u32) {
        // SAFETY: a live handle.
        unsafe { TerminateProcess(self.raw(), code) };
    }

    /// Whether it is a 32-bit program.
    pub(crate) fn is_32_bit(&self) -> Result<bool> {
        let mut wow64 = 0;
        // SAFETY: a live handle; `wow64` is a local.
        let done = unsafe { IsWow64Process(self.raw(), &raw mut wow64) };
        check(done, format!("look at the process {}", self.pid)).map(|()| wow64 != 0)
    }

    /// The id of the process that created it; it may be another's by now.
    pub(crate) fn creator(&self) -> Result<u32> {
        let mut basic = PROCESS_BASIC_INFORMATION::default();
        // SAFETY: a live handle; class 0, `ProcessBasicInformation`, fills the structure of that name.
        let status = unsafe {
            calls::NtQueryInformationProcess(
                self.raw(),
                0,
                (&raw mut basic).cast(),
                size_of::<PROCESS_BASIC_INFORMATION>() as u32,
                null_mut(),
            )
        };
        self.nt("look at", status)?;
        Ok(basic.InheritedFromUniqueProcessId as u32)
    }

    /// Adds one to the suspend count of every thread.
    pub(crate) fn suspend(&self) -> Result<()> {
        // SAFETY: a live handle with PROCESS_SUSPEND_RESUME.
        let status = unsafe { calls::NtSuspendProcess(self.raw()) };
        self.nt("suspend", status)
    }

    /// Takes one from the suspend count of every thread.
    pub(crate) fn resume(&self) -> Result<()> {
        // SAFETY: a live handle with PROCESS_SUSPEND_RESUME.
        let status = unsafe { calls::NtResumeProcess(self.raw()) };
        self.nt("resume", status)
    }

    fn nt(&self, what: &str, status: i32) -> Result<()> {
        if status::success(status) {
            return Ok(());
        }
        Err(nt_error(format!("{what} the process {}", self.pid), status))
    }

    /// Binds the process to the processors of `mask`.
    pub(crate) fn set_affinity(&self, mask: usize) -> Result<()> {
        // SAFETY: a live handle with PROCESS_SET_INFORMATION.
        let done = unsafe { SetProcessAffinityMask(self.raw(), mask) };
        check(done, format!("bind the process {} to processors", self.pid))
    }

    /// What the process used so far; zeros where the system does not tell.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut times = [FILETIME::default(); 4];
        let [created, exited, kernel, user] = &mut times;
        // SAFETY: a live handle; four locals of the documented type.
        unsafe { GetProcessTimes(self.raw(), created, exited, kernel, user) };
        let [created, _, kernel, user] = times.map(ticks);
        Usage {
            created,
            cpu: kernel + user,
            memory: self.private_memory(),
        }
    }

    /// How many handles it has; 0 where the system does not tell.
    #[must_use]
    pub fn handles(&self) -> u32 {
        let mut count = 0;
        // SAFETY: a live handle; `count` is a local.
        let done = unsafe { GetProcessHandleCount(self.raw(), &raw mut count) };
        if done == 0 { 0 } else { count }
    }

    fn private_memory(&self) -> u64 {
        // SAFETY: a plain structure of numbers, for which zero is a value.
        let mut counters: PROCESS_MEMORY_COUNTERS_EX = unsafe { zeroed() };
        counters.cb = size_of::<PROCESS_MEMORY_COUNTERS_EX>() as u32;
        let place = (&raw mut counters).cast::<PROCESS_MEMORY_COUNTERS>();
        // SAFETY: a live handle; the structure has the size told in `cb`.
        unsafe { K32GetProcessMemoryInfo(self.raw(), place, counters.cb) };
        // Wine 8 and Wine 10 fill PagefileUsage only (observed); on Windows the two are equal.
        counters.PrivateUsage.max(counters.PagefileUsage) as u64
    }

    /// The path of the program as programs that see `view` name it, or an empty string where the system
    /// does not tell.
    #[must_use]
    pub(crate) fn image_in(&self, view: &View) -> String {
        let image = self.image();
        view.name_of(&image).unwrap_or(image)
    }

    /// The path of the program, or an empty string where the system does not tell.
    #[must_use]
    pub fn image(&self) -> String {
        let mut buffer = vec![0_u16; 32_768];
        let mut length = buffer.len() as u32;
        // SAFETY: a live handle; the buffer has the length told.
        let done = unsafe {
            QueryFullProcessImageNameW(self.raw(), 0, buffer.as_mut_ptr(), &raw mut length)
        };
        let length = if done == 0 { 0 } else { length as usize };
        String::from_utf16_lossy(buffer.get(..length).unwrap_or_default())
    }
}

/// A time or a span in 100 ns.
pub(crate) fn ticks(time: FILETIME) -> u64 {
    u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime)
}

/// The id of the session that this process runs in.
pub(crate) fn current_session() -> Result<u32> {
    use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
    let mut session = 0;
    // SAFETY: `session` is a local.
    match unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) } {
        0 => Err(last_error("find the session of this process")),
        _ => Ok(session),
    }
}
