//! `HttpQueryServiceConfiguration`: of http.sys's records those of the VM's address,
//! under the keys that the program asked for. A record that was asked for by its key
//! has it as it was asked for; in a list, which does not know that, URLs have the
//! strong wildcard and sockets any address.

use super::Export;
use super::key::{self, Kind};
use crate::api::heap::Block;
use crate::{guard, scratch, state};
use core::ffi::c_void;
use pinion_names::socket::INET_LENGTH;
use pinion_names::url::{Prefix, undo_socket};
use pinion_nt::HANDLE;
use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_NO_MORE_ITEMS,
    ERROR_NOT_ENOUGH_MEMORY,
};
use windows_sys::Win32::Networking::HttpServer::{
    HttpServiceConfigQueryExact, HttpServiceConfigQueryNext,
};

/// Room for one record of a list, in bytes.
const ROOM: usize = 0x1_0000;
/// How many records of the machine are looked at.
const MOST: u32 = 0x1_0000;
/// The record of one key, and the record of a list.
const EXACT: i32 = HttpServiceConfigQueryExact;
const NEXT: i32 = HttpServiceConfigQueryNext;

type Query = unsafe extern "system" fn(
    HANDLE,
    i32,
    *const c_void,
    u32,
    *mut c_void,
    u32,
    *mut u32,
    *const c_void,
) -> u32;

/// `HTTP_SERVICE_CONFIG_URLACL_QUERY` and `HTTP_SERVICE_CONFIG_SSL_QUERY` (http.h).
#[repr(C)]
#[derive(Clone, Copy)]
struct Asked {
    /// `HTTP_SERVICE_CONFIG_QUERY_TYPE`.
    kind: i32,
    /// Where the key is, of an exact query.
    key: u64,
    /// Which record, from 0, of a list.
    token: u32,
}

/// The program's call, but for what is asked.
#[derive(Clone, Copy)]
struct Call {
    handle: HANDLE,
    id: i32,
    kind: Kind,
    output: *mut c_void,
    size: u32,
    returned: *mut u32,
    overlapped: *const c_void,
}

/// As `HttpQueryServiceConfiguration` (http.h).
pub(super) unsafe extern "system" fn query(
    handle: HANDLE,
    id: i32,
    asked: *const c_void,
    asked_size: u32,
    output: *mut c_void,
    size: u32,
    returned: *mut u32,
    overlapped: *const c_void,
) -> u32 {
    let export = Export::HttpQueryServiceConfiguration;
    let Some(kind) = Kind::of(id) else {
        return key::none(export, ERROR_FILE_NOT_FOUND);
    };
    if asked_size as usize != size_of::<Asked>() {
        return ERROR_INVALID_PARAMETER;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(asked) = (unsafe { guard::read(asked.cast::<Asked>()) }) else {
        return ERROR_INVALID_PARAMETER;
    };
    let size = if output.is_null() { 0 } else { size };
    let call = Call {
        handle,
        id,
        kind,
        output,
        size,
        returned,
        overlapped,
    };
    // SAFETY: the program's arguments, for which it vouches.
    unsafe {
        match asked.kind {
            EXACT => call.exact(asked),
            NEXT => call.next(asked),
            _ => ERROR_INVALID_PARAMETER,
        }
    }
}

impl Call {
    /// The export as it was, with another buffer.
    ///
    /// # Safety
    /// `output` is null, the program's, or has `size` bytes.
    unsafe fn original(
        &self,
        asked: &Asked,
        output: *mut c_void,
        size: u32,
        returned: &mut u32,
    ) -> u32 {
        let asked_size = size_of::<Asked>() as u32;
        let asked = core::ptr::from_ref(asked).cast();
        let export = Export::HttpQueryServiceConfiguration;
        // SAFETY: the export's own type; locals, and the caller's promise.
        unsafe {
            export.original::<Query>()(
                self.handle,
                self.id,
                asked,
                asked_size,
                output,
                size,
                returned,
                self.overlapped,
            )
        }
    }

    /// The record of one key. Its key as it was asked for is put behind what
    /// http.sys writes, for which room is kept.
    ///
    /// # Safety
    /// The program vouches for its buffers and its key.
    unsafe fn exact(&self, asked: Asked) -> u32 {
        // SAFETY: the caller's promise.
        let Some(key_size) = (unsafe { self.kind.size(asked.key) }) else {
            return ERROR_INVALID_PARAMETER;
        };
        let room = (self.size as usize).saturating_sub(key_size) & !7;
        let output = if room == 0 {
            core::ptr::null_mut()
        } else {
            self.output
        };
        let mut needed = 0;
        let export = Export::HttpQueryServiceConfiguration;
        let call = |key| {
            // SAFETY: the program's buffer, of which `room` bytes are told.
            unsafe { self.original(&Asked { key, ..asked }, output, room as u32, &mut needed) }
        };
        // SAFETY: the caller's promise.
        let error = unsafe { self.kind.with(export, asked.key, call) };
        match error {
            0 if room != 0 => {
                let at = self.output.cast::<u8>().wrapping_add(room);
                // SAFETY: both are the program's, and either may be bad.
                let copied =
                    unsafe { guard::copy(at.cast(), asked.key as *const c_void, key_size) };
                // SAFETY: a record begins with the pointer to its key.
                let told = unsafe { guard::write(self.output.cast::<u64>(), at as u64) };
                if copied.is_err() || told.is_err() {
                    return ERROR_INVALID_PARAMETER;
                }
                self.tell(room + key_size);
            }
            ERROR_INSUFFICIENT_BUFFER => {
                self.tell((needed as usize).next_multiple_of(8) + key_size)
            }
            _ => {}
        }
        error
    }

    /// The VM's record of the number that is asked for.
    ///
    /// # Safety
    /// The program vouches for its buffer.
    unsafe fn next(&self, asked: Asked) -> u32 {
        let Some(mut block) = Block::new(ROOM) else {
            return ERROR_NOT_ENOUGH_MEMORY;
        };
        let mut left = asked.token;
        for token in 0..MOST {
            let asked = Asked { token, ..asked };
            let bytes = block.bytes();
            // SAFETY: the block has the bytes that are told.
            let error =
                unsafe { self.original(&asked, bytes.as_mut_ptr().cast(), ROOM as u32, &mut 0) };
            match error {
                0 => {}
                // None of ours is as long.
                ERROR_INSUFFICIENT_BUFFER => continue,
                error => return error,
            }
            // SAFETY: the record lies in the block.
            let own = unsafe { self.undo(bytes.as_mut_ptr().cast()) };
            match (own, left) {
                (None, _) => {}
                // SAFETY: the caller's promise.
                (Some(()), 0) => return unsafe { self.fetch(&asked) },
                (Some(()), _) => left -= 1,
            }
        }
        ERROR_NO_MORE_ITEMS
    }

    /// The record of this number among the machine's, which is the VM's.
    ///
    /// # Safety
    /// As [`Call::next`].
    unsafe fn fetch(&self, asked: &Asked) -> u32 {
        let mut needed = 0;
        // SAFETY: the program's own buffer.
        let error = unsafe { self.original(asked, self.output, self.size, &mut needed) };
        self.tell(needed as usize);
        if error != 0 {
            return error;
        }
        // SAFETY: http.sys has written a record there.
        match unsafe { self.undo(self.output) } {
            Some(()) => 0,
            // Somebody has changed the list meanwhile.
            None => ERROR_NO_MORE_ITEMS,
        }
    }

    /// Gives the record at `record` the key that a member may have asked for; `None`
    /// when it is not the VM's.
    ///
    /// # Safety
    /// http.sys has written a record there, whose key is zero-terminated.
    unsafe fn undo(&self, record: *mut c_void) -> Option<()> {
        let address = state::page().address.into();
        // SAFETY: plain data; a bad pointer is a return value.
        let key = unsafe { guard::read(record.cast::<u64>()) }.ok()?;
        // SAFETY: the caller's promise.
        let size = unsafe { self.kind.size(key) }?;
        if self.kind == Kind::Socket {
            // SAFETY: plain data; a bad pointer is a return value.
            let real = unsafe { guard::read(key as *const [u8; INET_LENGTH]) }.ok()?;
            let undone = undo_socket(&real, address)?;
            // SAFETY: a socket address of the same size.
            return unsafe { guard::write(key as *mut [u8; INET_LENGTH], undone) }.ok();
        }
        scratch::with(size, |room| {
            let (real, out) = room.split_at_mut(size / 2 - 1);
            // SAFETY: `real` has the URL's bytes but for its zero.
            unsafe { guard::copy(real.as_mut_ptr().cast(), key as *const c_void, size - 2) }
                .ok()?;
            let prefix = Prefix::parse(real).ok()?;
            if !prefix.is_bound(address) {
                return None;
            }
            // The room behind is zero: it ends the shorter text.
            let length = prefix.undo(out).ok()?;
            // SAFETY: the new URL is shorter than the one in its place.
            unsafe { guard::copy(key as *mut c_void, out.as_ptr().cast(), 2 * (length + 1)) }.ok()
        })?
    }

    /// Tells the program how long the record is, where it wants to know.
    fn tell(&self, bytes: usize) {
        if !self.returned.is_null() {
            // SAFETY: the program's own; a bad pointer is a return value.
            let _ = unsafe { guard::write(self.returned, bytes as u32) };
        }
    }
}
