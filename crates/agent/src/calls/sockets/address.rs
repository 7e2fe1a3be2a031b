//! A socket address in the program's memory, copied once.

use crate::{guard, state};
use core::ffi::c_void;
use core::net::{IpAddr, Ipv4Addr};
use pinion_names::socket::{self, Asked, INET, INET_LENGTH, INET6, INET6_LENGTH};

/// The VM's own address.
pub(super) fn own() -> Ipv4Addr {
    state::page().address.into()
}

/// An IPv4 or IPv6 socket address.
#[derive(Clone, Copy)]
pub(super) struct Sockaddr {
    bytes: [u8; INET6_LENGTH],
    length: usize,
}

impl Sockaddr {
    /// `ip` and `port` in the family of IPv6 or IPv4.
    pub(super) fn new(six: bool, ip: Ipv4Addr, port: u16) -> Self {
        let (family, length) = if six {
            (INET6, INET6_LENGTH)
        } else {
            (INET, INET_LENGTH)
        };
        let mut bytes = [0; INET6_LENGTH];
        for (place, byte) in bytes
            .iter_mut()
            .zip(family.to_le_bytes().into_iter().chain(port.to_be_bytes()))
        {
            *place = byte;
        }
        let mut new = Self { bytes, length };
        // For IPv6, "any" is `::` and not its mapped form.
        if !(six && ip.is_unspecified()) {
            new.put(ip);
        }
        new
    }

    /// Copies the address of `length` bytes at `source`; `None` when it cannot
    /// be read or is cut short. The shortest of IPv6 has 24 bytes
    /// (`SOCKADDR_IN6_OLD`).
    pub(super) fn read(source: *const c_void, length: usize) -> Option<Self> {
        let mut new = Self {
            bytes: [0; INET6_LENGTH],
            length: length.min(INET6_LENGTH),
        };
        let target = new.bytes.as_mut_ptr().cast();
        // SAFETY: the target has room for `length` bytes; the source may be bad.
        unsafe { guard::copy(target, source, new.length) }.ok()?;
        Some(new)
    }

    /// Writes the address back where it was read.
    pub(super) fn write(&self, target: *mut c_void) {
        let source = self.bytes.as_ptr().cast();
        // SAFETY: the source has `length` bytes; a target that went bad after
        // the kernel wrote it is the program's own loss.
        let _ = unsafe { guard::copy(target, source, self.length) };
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    /// Whether all of an IPv4 or IPv6 address is there.
    pub(super) fn is_whole(&self) -> bool {
        match self.family() {
            Some(INET) => self.length >= INET_LENGTH,
            Some(INET6) => self.length >= 24,
            _ => false,
        }
    }

    pub(super) fn family(&self) -> Option<u16> {
        socket::family(self.as_bytes())
    }

    pub(super) fn is_six(&self) -> bool {
        self.family() == Some(INET6)
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        socket::ip(self.as_bytes())
    }

    /// The address in IPv6's form; zeros where it is none.
    pub(super) fn ip_six(&self) -> [u8; 16] {
        match self.ip() {
            Some(IpAddr::V4(ip)) => ip.to_ipv6_mapped().octets(),
            Some(IpAddr::V6(ip)) => ip.octets(),
            None => [0; 16],
        }
    }

    pub(super) fn port(&self) -> u16 {
        socket::port(self.as_bytes()).unwrap_or(0)
    }

    /// Puts `ip` in the place of the address.
    pub(super) fn put(&mut self, ip: Ipv4Addr) {
        let bytes = self.bytes.get_mut(..self.length).unwrap_or(&mut []);
        socket::put(bytes, ip.into());
    }

    /// Puts `port` in the place of the port.
    pub(super) fn put_port(&mut self, port: u16) {
        if let Some(place) = self.bytes.get_mut(2..4) {
            place.copy_from_slice(&port.to_be_bytes());
        }
    }

    /// Turns the VM's own address back into `asked`; `false` when another is
    /// there.
    pub(super) fn undo(&mut self, asked: Asked) -> bool {
        let bytes = self.bytes.get_mut(..self.length).unwrap_or(&mut []);
        socket::undo(bytes, own(), asked)
    }
}

/// Turns the VM's own address, where it stands in the `length` bytes of the
/// program's memory at `at`, back into `asked`.
pub(super) fn undo_at(at: *mut c_void, length: usize, asked: Asked) {
    if let Some(mut address) = Sockaddr::read(at, length)
        && address.undo(asked)
    {
        address.write(at);
    }
}
