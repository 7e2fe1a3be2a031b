//! The VM's job object: membership as a kernel fact.
//!
//! Children inherit it and cannot break away; when its last handle, the supervisor's, closes, the
//! kernel ends all members.

use std::mem::{offset_of, size_of, zeroed};
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use pinion_nt::HANDLE;
use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::JobObjects::{
    CreateJobObjectW, IsProcessInJob, JOB_OBJECT_CPU_RATE_CONTROL_ENABLE,
    JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP, JOB_OBJECT_LIMIT_ACTIVE_PROCESS,
    JOB_OBJECT_LIMIT_BREAKAWAY_OK, JOB_OBJECT_LIMIT_JOB_MEMORY, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_BASIC_PROCESS_ID_LIST,
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectBasicAccountingInformation, JobObjectBasicProcessIdList,
    JobObjectCpuRateControlInformation, JobObjectExtendedLimitInformation,
    QueryInformationJobObject, SetInformationJobObject, TerminateJobObject,
};

use crate::error::Result;
use crate::process::Process;
use crate::system::{check, last_error, own};

/// `JOB_OBJECT_ASSIGN_PROCESS` (winnt.h).
const JOB_OBJECT_ASSIGN_PROCESS: u32 = 1;

/// An unnamed job object, kill on close, without breakaway.
#[derive(Debug)]
pub struct Job {
    handle: OwnedHandle,
    /// Whether processes may break away.
    lets_go: bool,
}

/// Counts of a job.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accounting {
    /// Processes now.
    pub active: u32,
    /// Processes since the start.
    pub ever: u32,
}

impl Job {
    /// A new, empty job; `lets_go` where processes may break away from it.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(lets_go: bool) -> Result<Self> {
        // SAFETY: no attributes, no name; the result is a fresh handle or null.
        let handle = unsafe { own(CreateJobObjectW(null(), null()), "create the VM's job") }?;
        let job = Self { handle, lets_go };
        job.set_counts(None, None)?;
        Ok(job)
    }

    /// The handle, valid while this lives.
    pub(crate) fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }

    /// A handle of the job in the process `to`, good only for creating members; its value there.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn lend(&self, to: &Process) -> Result<HANDLE> {
        let what = format!("lend the VM's job to the process {}", to.pid());
        to.give(self.raw(), JOB_OBJECT_ASSIGN_PROCESS, what)
    }

    /// Whether a process is a member. What cannot be asked is none.
    #[must_use]
    pub fn contains(&self, process: &Process) -> bool {
        let mut member = 0;
        // SAFETY: two live handles; `member` is a local.
        let done =
            unsafe { IsProcessInJob(process.raw(), self.handle.as_raw_handle(), &raw mut member) };
        done != 0 && member != 0
    }

    /// Whether the process of this id is a member now.
    #[must_use]
    pub fn contains_pid(&self, pid: u32) -> bool {
        Process::open_member(pid).is_ok_and(|process| self.contains(&process))
    }

    /// The living members, each held open, so that no id can come to mean another process.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn members(&self) -> Result<Vec<Process>> {
        let open = |pid| {
            Process::open_member(pid)
                .ok()
                .filter(|process| self.contains(process))
        };
        Ok(self.pids()?.into_iter().filter_map(open).collect())
    }

    fn pids(&self) -> Result<Vec<u32>> {
        let head = offset_of!(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList) / size_of::<usize>();
        let mut room = 64;
        loop {
            let mut list = vec![0_usize; head + room];
            let size = (list.len() * size_of::<usize>()) as u32;
            // SAFETY: the buffer is aligned for the structure and has the size told.
            let done = unsafe {
                QueryInformationJobObject(
                    self.handle.as_raw_handle(),
                    JobObjectBasicProcessIdList,
                    list.as_mut_ptr().cast(),
                    size,
                    null_mut(),
                )
            };
            if done == 0 {
                let error = last_error("list the VM's processes");
                let more = std::io::Error::last_os_error().raw_os_error();
                if more != Some(ERROR_MORE_DATA as i32) || room > 1 << 20 {
                    return Err(error);
                }
                room *= 2;
                continue;
            }
            // The head is two u32: assigned, then listed; little endian in one word.
            let listed = list[0] >> 32;
            return Ok(list
                .into_iter()
                .skip(head)
                .take(listed)
                .map(|pid| pid as u32)
                .collect());
        }
    }

    /// Counts of processes.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn accounting(&self) -> Result<Accounting> {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        // SAFETY: a live handle; the structure is the class's own.
        let done = unsafe {
            QueryInformationJobObject(
                self.handle.as_raw_handle(),
                JobObjectBasicAccountingInformation,
                (&raw mut counts).cast(),
                size_of_val(&counts) as u32,
                null_mut(),
            )
        };
        check(done, "count the VM's processes")?;
        Ok(Accounting {
            active: counts.ActiveProcesses,
            ever: counts.TotalProcesses,
        })
    }

    /// Sets memory (bytes) and process limits; none lifts one. Kill on close stays.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn set_counts(&self, memory: Option<u64>, processes: Option<u32>) -> Result<()> {
        // SAFETY: a plain structure of numbers, for which zero is a value.
        let mut limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = unsafe { zeroed() };
        let basic = &mut limits.BasicLimitInformation;
        basic.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        if self.lets_go {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_BREAKAWAY_OK;
        }
        if let Some(processes) = processes {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
            basic.ActiveProcessLimit = processes;
        }
        if let Some(memory) = memory {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
            limits.JobMemoryLimit = usize::try_from(memory).unwrap_or(usize::MAX);
        }
        self.set(
            JobObjectExtendedLimitInformation,
            &limits,
            "set the limits of the VM's job",
        )
    }

    /// Lets the members go on when this closes.
    pub fn let_go(&self) {
        // SAFETY: a plain structure of numbers, for which zero is a value.
        let none: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = unsafe { zeroed() };
        let what = "lift the limits of the job";
        if let Err(error) = self.set(JobObjectExtendedLimitInformation, &none, what) {
            tracing::warn!(%error, "what the program has left ends with it");
        }
    }

    /// Caps processor time at `rate` hundredths of a percent of the whole machine; none lifts the cap.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn set_cpu_rate(&self, rate: Option<u32>) -> Result<()> {
        let mut control = JOBOBJECT_CPU_RATE_CONTROL_INFORMATION::default();
        if let Some(rate) = rate {
            control.ControlFlags =
                JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
            control.Anonymous.CpuRate = rate;
        }
        let what = "set the processor limit of the VM's job";
        self.set(JobObjectCpuRateControlInformation, &control, what)
    }

    fn set<T>(&self, class: i32, information: &T, what: &str) -> Result<()> {
        // SAFETY: a live handle; the callers pair each class with its own structure.
        let done = unsafe {
            SetInformationJobObject(
                self.handle.as_raw_handle(),
                class,
                std::ptr::from_ref(information).cast(),
                size_of::<T>() as u32,
            )
        };
        check(done, what)
    }

    /// Ends all members with this exit code.
    pub fn terminate(&self, code: u32) {
        // SAFETY: a live handle.
        unsafe { TerminateJobObject(self.handle.as_raw_handle(), code) };
    }
}
