//! The memory of the server's process.

use super::process::open;
use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, handle, last, nt, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "kernel32.dll" {
        fn ReadProcessMemory(process: HANDLE, at: usize, buffer: *mut c_void, length: usize, count: *mut usize) -> i32;
        fn WriteProcessMemory(process: HANDLE, at: usize, buffer: *const c_void, length: usize, count: *mut usize) -> i32;
        fn VirtualQueryEx(process: HANDLE, at: usize, buffer: *mut [u64; 6], length: usize) -> usize;
        fn VirtualAllocEx(process: HANDLE, at: usize, length: usize, kind: u32, protection: u32) -> *mut c_void;
        fn VirtualProtectEx(process: HANDLE, at: usize, length: usize, protection: u32, old: *mut u32) -> i32;
        fn CreateFileMappingW(file: HANDLE, security: *const c_void, protection: u32, high: u32, low: u32, name: *const u16) -> HANDLE;
    }
    "kernelbase.dll" {
        fn VirtualAlloc2(process: HANDLE, at: usize, length: usize, kind: u32, protection: u32, parameters: *const c_void, count: u32) -> *mut c_void;
    }
    "ntdll.dll" {
        fn NtReadVirtualMemory(process: HANDLE, at: usize, buffer: *mut c_void, length: usize, count: *mut usize) -> NTSTATUS;
        fn NtReadVirtualMemoryEx(process: HANDLE, at: usize, buffer: *mut c_void, length: usize, count: *mut usize, flags: u32) -> NTSTATUS;
        fn NtWriteVirtualMemory(process: HANDLE, at: usize, buffer: *const c_void, length: usize, count: *mut usize) -> NTSTATUS;
        fn NtMapViewOfSection(section: HANDLE, process: HANDLE, at: *mut usize, zero: usize, commit: usize, offset: *mut i64, size: *mut usize, inherit: u32, kind: u32, protection: u32) -> NTSTATUS;
    }
}

const OPERATE: u32 = 8;
const READ: u32 = 0x10;
const WRITE: u32 = 0x28;
const QUERY: u32 = 0x400;

pub fn reach(ask: &Ask) -> Step<()> {
    let (secret, cell) = (fact(ask, "secret") as usize, fact(ask, "cell") as usize);
    let (mut read, mut count, mut old) = (0_u32, 0, 0);
    let into = (&raw mut read).cast::<c_void>();
    let from = (&raw const ask.token).cast::<c_void>();
    // SAFETY: live handles, addresses of the server's, and locals that have the room told.
    unsafe {
        match ask.way.as_str() {
            "read" => {
                let process = open(ask, READ)?;
                yes(
                    "read",
                    ReadProcessMemory(process.0, secret, into, 4, &raw mut count)?,
                )?;
                win::token(read, ask.secret)
            }
            "native-read" => {
                let process = open(ask, READ)?;
                nt(
                    "read",
                    NtReadVirtualMemory(process.0, secret, into, 4, &raw mut count)?,
                )?;
                win::token(read, ask.secret)
            }
            "read-ex" => {
                let process = open(ask, READ)?;
                let status = NtReadVirtualMemoryEx(process.0, secret, into, 4, &raw mut count, 0)?;
                nt("read", status)?;
                win::token(read, ask.secret)
            }
            "query" => {
                let (process, mut told) = (open(ask, QUERY)?, [0; 6]);
                let length = VirtualQueryEx(process.0, secret, &raw mut told, 48)?;
                if length == 0 {
                    Err(last("ask"))
                } else {
                    Ok(())
                }
            }
            "write" => {
                let process = open(ask, WRITE)?;
                yes(
                    "write",
                    WriteProcessMemory(process.0, cell, from, 4, &raw mut count)?,
                )?;
                Err(Seen::Other("written".into()))
            }
            "native-write" => {
                let process = open(ask, WRITE)?;
                nt(
                    "write",
                    NtWriteVirtualMemory(process.0, cell, from, 4, &raw mut count)?,
                )?;
                Err(Seen::Other("written".into()))
            }
            "allocate" => {
                let process = open(ask, OPERATE)?;
                made(VirtualAllocEx(process.0, 0, 4096, 0x3000, 4)?)
            }
            "allocate-ex" => {
                let process = open(ask, OPERATE)?;
                made(VirtualAlloc2(process.0, 0, 4096, 0x3000, 4, null(), 0)?)
            }
            "protect" => {
                let process = open(ask, OPERATE)?;
                let at = cell & !0xFFF;
                yes(
                    "protect",
                    VirtualProtectEx(process.0, at, 4096, 4, &raw mut old)?,
                )
            }
            "map-section" => map(&open(ask, OPERATE)?),
            way => win::unknown(way),
        }
    }
}

fn made(at: *mut c_void) -> Step<()> {
    if at.is_null() {
        Err(last("allocate"))
    } else {
        Ok(())
    }
}

fn map(process: &Handle) -> Step<()> {
    let (mut at, mut size) = (0, 0);
    let nothing: HANDLE = -1_isize as HANDLE;
    // SAFETY: a section of the paging file; locals.
    unsafe {
        let section = CreateFileMappingW(nothing, null(), 4, 0, 4096, null())?;
        let section = handle("the section", section)?;
        let status = NtMapViewOfSection(
            section.0,
            process.0,
            &raw mut at,
            0,
            0,
            null_mut(),
            &raw mut size,
            2,
            0,
            4,
        )?;
        nt("map", status)
    }
}
