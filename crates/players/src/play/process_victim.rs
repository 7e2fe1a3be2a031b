//! What can be done to a process that nobody minds.

use super::process::open_id;
use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, handle, nt, yes};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::Ask;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "kernel32.dll" {
        fn TerminateProcess(process: HANDLE, code: u32) -> i32;
        fn SetPriorityClass(process: HANDLE, class: u32) -> i32;
        fn GetProcessAffinityMask(process: HANDLE, own: *mut usize, system: *mut usize) -> i32;
        fn SetProcessAffinityMask(process: HANDLE, mask: usize) -> i32;
        fn DebugActiveProcess(process: u32) -> i32;
        fn DebugActiveProcessStop(process: u32) -> i32;
        fn DebugSetProcessKillOnExit(kill: i32) -> i32;
        fn CreateJobObjectW(security: *const c_void, name: *const u16) -> HANDLE;
        fn AssignProcessToJobObject(job: HANDLE, process: HANDLE) -> i32;
    }
    "ntdll.dll" {
        fn NtTerminateProcess(process: HANDLE, status: NTSTATUS) -> NTSTATUS;
        fn NtSuspendProcess(process: HANDLE) -> NTSTATUS;
        fn NtResumeProcess(process: HANDLE) -> NTSTATUS;
    }
}

pub fn reach(ask: &Ask) -> Step<()> {
    let victim = fact(ask, "victim") as u32;
    let open = |access| open_id(victim, access);
    // SAFETY: live handles, numbers and locals are given.
    unsafe {
        match ask.way.as_str() {
            "terminate" => yes("end", TerminateProcess(open(1)?.0, 7)?),
            "native-terminate" => nt("end", NtTerminateProcess(open(1)?.0, 7)?),
            "suspend" => {
                let victim = open(0x800)?;
                nt("suspend", NtSuspendProcess(victim.0)?)?;
                nt("resume", NtResumeProcess(victim.0)?)
            }
            "priority" => yes("set", SetPriorityClass(open(0x200)?.0, 0x4000)?),
            "affinity" => {
                let victim = open(0x600)?;
                let (mut own, mut system) = (0, 0);
                let got = GetProcessAffinityMask(victim.0, &raw mut own, &raw mut system)?;
                yes("get", got)?;
                yes("set", SetProcessAffinityMask(victim.0, own)?)
            }
            "debug" => {
                yes("debug", DebugActiveProcess(victim)?)?;
                let _ = DebugSetProcessKillOnExit(0);
                let _ = DebugActiveProcessStop(victim);
                Ok(())
            }
            "job" => {
                let job: Handle = handle("the job", CreateJobObjectW(null(), null())?)?;
                yes("assign", AssignProcessToJobObject(job.0, open(0x101)?.0)?)
            }
            way => win::unknown(way),
        }
    }
}
