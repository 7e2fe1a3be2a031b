//! The records of http.sys's configuration that a VM has: reservations of URLs, and
//! SSL bindings of addresses. What names a record is its first word, a pointer to
//! the key: the URL, or the socket address.

use super::Export;
use super::decision::{self, has_address, with_url};
use crate::hooks::is_wine;
use crate::trace::Http;
use crate::{guard, state};
use core::ffi::c_void;
use pinion_names::socket::{self, INET_LENGTH, INET6_LENGTH};
use pinion_names::url::bind_socket;
use pinion_policy::rules::{Channel, allows_host};
use pinion_wire::trace::{NO_RULE, Verdict};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER};
use windows_sys::Win32::Networking::HttpServer::{
    HttpServiceConfigSSLCertInfo, HttpServiceConfigUrlAclInfo,
};

/// What a record is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `HttpServiceConfigUrlAclInfo`.
    Url,
    /// `HttpServiceConfigSSLCertInfo`.
    Socket,
}

impl Kind {
    /// The kind of this `HTTP_SERVICE_CONFIG_ID`; `None` for what a VM has none of.
    #[allow(non_upper_case_globals, reason = "the header's own names")]
    pub(super) fn of(id: i32) -> Option<Self> {
        match id {
            HttpServiceConfigUrlAclInfo => Some(Self::Url),
            HttpServiceConfigSSLCertInfo => Some(Self::Socket),
            _ => None,
        }
    }

    /// The bytes of the key at `key`, with a URL's zero; `None` where it is none.
    ///
    /// # Safety
    /// The program vouches for the key to the export.
    pub(super) unsafe fn size(self, key: u64) -> Option<usize> {
        if key == 0 {
            return None;
        }
        match self {
            Self::Url => {
                // SAFETY: the caller's promise.
                let length = unsafe { decision::length(key as *const u16) }?;
                Some(2 * (length + 1))
            }
            // SAFETY: plain data; a bad pointer is a return value.
            Self::Socket => match unsafe { guard::read(key as *const u16) } {
                Ok(socket::INET) => Some(INET_LENGTH),
                Ok(socket::INET6) => Some(INET6_LENGTH),
                _ => None,
            },
        }
    }

    /// Runs `call` with the key that http.sys is given for the one at `key`; its
    /// Win32 error.
    ///
    /// # Safety
    /// As [`Kind::size`].
    pub(super) unsafe fn with(
        self,
        export: Export,
        key: u64,
        call: impl FnOnce(u64) -> u32,
    ) -> u32 {
        // SAFETY: the caller's promise.
        match (self, unsafe { self.size(key) }) {
            (_, None) => ERROR_INVALID_PARAMETER,
            // SAFETY: as above.
            (Self::Url, _) => unsafe {
                with_url(export, key as *const u16, |url| call(url as u64))
            },
            (Self::Socket, Some(size)) => with_socket(export, key as *const c_void, size, call),
        }
    }
}

/// A `SOCKADDR_IN`, aligned for whoever reads it by its fields.
#[repr(align(8))]
struct Socket([u8; INET_LENGTH]);

/// Runs `call` with the VM's socket address for the one of `size` bytes at `asked`.
/// No rule is about addresses: a VM with URLs has its SSL bindings, too.
fn with_socket(
    export: Export,
    asked: *const c_void,
    size: usize,
    call: impl FnOnce(u64) -> u32,
) -> u32 {
    let mut bytes = [0; INET6_LENGTH];
    // SAFETY: the target has room for either form; the source may be bad.
    if unsafe { guard::copy(bytes.as_mut_ptr().cast(), asked, size) }.is_err() {
        return ERROR_INVALID_PARAMETER;
    }
    let page = state::page();
    let (error, verdict) = if !allows_host(&page.rules, Channel::Http) && is_wine() {
        (call(asked as u64), Verdict::Private)
    } else if !allows_host(&page.rules, Channel::Http) || !has_address() {
        (ERROR_ACCESS_DENIED, Verdict::Refused)
    } else {
        match bind_socket(&bytes, page.address.into()) {
            Ok(bound) => {
                let bound = Socket(bound);
                (call(bound.0.as_ptr() as u64), Verdict::Shared)
            }
            Err(_) => (ERROR_ACCESS_DENIED, Verdict::Refused),
        }
    };
    export.record(error, Http::new(&[], &[], NO_RULE, verdict));
    error
}

/// Whether http.sys's configuration was asked for a record that a VM has none of;
/// records it.
pub(super) fn none(export: Export, error: u32) -> u32 {
    export.record(error, Http::new(&[], &[], NO_RULE, Verdict::Refused));
    error
}
