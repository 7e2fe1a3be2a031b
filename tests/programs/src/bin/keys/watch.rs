//! Waiting for changes: with an event that is looked at later, and in a thread
//! that waits.

use crate::{Keys, told};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, NtCreateEvent, hex};
use serde_json::{Value, json};
use std::sync::mpsc;
use std::time::Duration;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtNotifyChangeKey(
        h: HANDLE,
        event: HANDLE,
        apc: *const c_void,
        context: *const c_void,
        io: *mut [usize; 2],
        filter: u32,
        subtree: u8,
        buffer: *mut c_void,
        length: u32,
        later: u8,
    ) -> NTSTATUS;
    fn NtNotifyChangeMultipleKeys(
        h: HANDLE,
        count: u32,
        others: *const OBJECT_ATTRIBUTES,
        event: HANDLE,
        apc: *const c_void,
        context: *const c_void,
        io: *mut [usize; 2],
        filter: u32,
        subtree: u8,
        buffer: *mut c_void,
        length: u32,
        later: u8,
    ) -> NTSTATUS;
}

/// Starts waiting for one change of the key.
fn notify(key: HANDLE, event: HANDLE, filter: u32, subtree: bool, later: bool) -> NTSTATUS {
    // The kernel may write there until the process ends.
    let io = Box::leak(Box::new([0_usize; 2]));
    // SAFETY: the status block lives for ever; NT uses no buffer.
    unsafe {
        NtNotifyChangeKey(
            key,
            event,
            null(),
            null(),
            io,
            filter,
            subtree.into(),
            null_mut(),
            0,
            later.into(),
        )
    }
}

impl Keys {
    /// An event of that name, made at its first use.
    fn event(&mut self, name: &str) -> HANDLE {
        const ALL: u32 = 0x1F_0003;
        self.events
            .entry(name.to_owned())
            .or_insert_with(|| {
                let mut event = null_mut();
                // SAFETY: the output is a local; the event has no name.
                unsafe { NtCreateEvent(&raw mut event, ALL, null(), 0, 0) };
                Handle(event)
            })
            .0
    }

    /// `watch H EVENT FILTER [tree] [multiple]`: sets the event at a change.
    pub fn watch(&mut self, handle: &str, event: &str, filter: &str, how: &[&str]) -> Value {
        let filter = Self::access(filter);
        let event = self.event(event);
        let (key, tree) = (self.key(handle), how.contains(&"tree"));
        if !how.contains(&"multiple") {
            return told(notify(key, event, filter, tree, true), Value::Null);
        }
        let io = Box::leak(Box::new([0_usize; 2]));
        // SAFETY: as in `notify`.
        let status = unsafe {
            NtNotifyChangeMultipleKeys(
                key,
                0,
                null(),
                event,
                null(),
                null(),
                io,
                filter,
                tree.into(),
                null_mut(),
                0,
                1,
            )
        };
        told(status, Value::Null)
    }

    /// `rung EVENT`: whether it is set. It stays so.
    pub fn rung(&mut self, event: &str) -> Value {
        // SAFETY: the event is open.
        let waited = unsafe { WaitForSingleObject(self.event(event), 0) };
        json!({"value": waited == WAIT_OBJECT_0})
    }

    /// `wait NAME H FILTER [tree]`: waits in a thread of its own.
    pub fn wait(&mut self, name: &str, handle: &str, filter: &str, how: &[&str]) -> Value {
        let (key, filter) = (self.key(handle) as usize, Self::access(filter));
        let tree = how.contains(&"tree");
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = tell.send(notify(key as HANDLE, null_mut(), filter, tree, false));
        });
        // Until the thread waits; a change before it does would not be seen.
        std::thread::sleep(Duration::from_millis(300));
        self.waits.insert(name.to_owned(), told);
        Value::Object(serde_json::Map::new())
    }

    /// `waited NAME`: the status with which the thread's call came back.
    pub fn waited(&mut self, name: &str) -> Value {
        let told = self.waits.remove(name);
        let status = told.and_then(|told| told.recv_timeout(Duration::from_secs(10)).ok());
        json!({"status": status.map_or_else(|| "never".to_owned(), hex)})
    }
}
