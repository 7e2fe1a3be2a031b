//! Code made to run in the server's process: APCs and threads.

use super::process::{open, open_thread};
use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, handle, last, nt, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "kernel32.dll" {
        fn QueueUserAPC(call: usize, thread: HANDLE, data: usize) -> u32;
        fn CreateRemoteThread(process: HANDLE, security: *const c_void, stack: usize, start: usize, data: usize, flags: u32, id: *mut u32) -> HANDLE;
        fn CreateRemoteThreadEx(process: HANDLE, security: *const c_void, stack: usize, start: usize, data: usize, flags: u32, list: *const c_void, id: *mut u32) -> HANDLE;
    }
    "ntdll.dll" {
        fn NtQueueApcThread(thread: HANDLE, call: usize, a: usize, b: usize, c: usize) -> NTSTATUS;
        fn NtQueueApcThreadEx(thread: HANDLE, reserve: HANDLE, call: usize, a: usize, b: usize, c: usize) -> NTSTATUS;
        fn NtQueueApcThreadEx2(thread: HANDLE, reserve: HANDLE, flags: u32, call: usize, a: usize, b: usize, c: usize) -> NTSTATUS;
        fn NtCreateThreadEx(h: *mut HANDLE, access: u32, oa: *const c_void, process: HANDLE, start: usize, data: usize, flags: u32, zero: usize, stack: usize, most: usize, list: *const c_void) -> NTSTATUS;
        fn RtlCreateUserThread(process: HANDLE, security: *const c_void, suspended: u8, zero: u32, reserve: usize, commit: usize, start: usize, data: usize, h: *mut HANDLE, id: *mut [usize; 2]) -> NTSTATUS;
    }
}

const SET_CONTEXT: u32 = 0x10;
/// To make threads, and what that needs.
const MAKE: u32 = 0x43A;

pub fn reach(ask: &Ask) -> Step<()> {
    let (call, token) = (fact(ask, "leave") as usize, ask.token as usize);
    let none: HANDLE = null_mut();
    let mut h: HANDLE = null_mut();
    // SAFETY: live handles, numbers and locals are given; the address is the server's own.
    unsafe {
        match ask.way.as_str() {
            "queue-apc" => {
                let thread = open_thread(ask, SET_CONTEXT)?;
                yes("queue", QueueUserAPC(call, thread.0, token)?.cast_signed())?;
            }
            "native-apc" => {
                let thread = open_thread(ask, SET_CONTEXT)?;
                nt("queue", NtQueueApcThread(thread.0, call, token, 0, 0)?)?;
            }
            "apc-ex" => {
                let thread = open_thread(ask, SET_CONTEXT)?;
                nt(
                    "queue",
                    NtQueueApcThreadEx(thread.0, none, call, token, 0, 0)?,
                )?;
            }
            "apc-ex-2" => {
                let thread = open_thread(ask, SET_CONTEXT)?;
                nt(
                    "queue",
                    NtQueueApcThreadEx2(thread.0, none, 0, call, token, 0, 0)?,
                )?;
            }
            "remote-thread" => {
                let process = open(ask, MAKE)?;
                let made = CreateRemoteThread(process.0, null(), 0, call, token, 0, null_mut())?;
                handle("start", made)?;
            }
            "remote-thread-ex" => {
                let process = open(ask, MAKE)?;
                let made =
                    CreateRemoteThreadEx(process.0, null(), 0, call, token, 0, null(), null_mut())?;
                if made.is_null() {
                    return Err(last("start"));
                }
                drop(Handle(made));
            }
            "native-thread" => {
                let process = open(ask, MAKE)?;
                let all = 0x1F_FFFF;
                let status = NtCreateThreadEx(
                    &raw mut h,
                    all,
                    null(),
                    process.0,
                    call,
                    token,
                    0,
                    0,
                    0,
                    0,
                    null(),
                )?;
                nt("start", status)?;
                drop(Handle(h));
            }
            "user-thread" => {
                let process = open(ask, MAKE)?;
                let mut id = [0; 2];
                let status = RtlCreateUserThread(
                    process.0,
                    null(),
                    0,
                    0,
                    0,
                    0,
                    call,
                    token,
                    &raw mut h,
                    &raw mut id,
                )?;
                nt("start", status)?;
                drop(Handle(h));
            }
            way => return win::unknown(way),
        }
    }
    Err(Seen::Other("done".into()))
}
