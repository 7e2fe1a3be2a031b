//! The bind of IPv4 datagram sockets on old Wine.
//!
//! Wine 8 binds such a socket to every address of the machine when the one
//! asked for belongs to no network interface, so that the port would be open to
//! all (observed; Wine 10 does as asked). Here the Unix socket is bound first,
//! by the Linux call itself; the first send of an unbound socket, which fails
//! without sending anything, then makes Wine look up where it is bound.

use super::address::Sockaddr;
use super::{Control, GET_INFO, SEND};
use super::{STATUS_ADDRESS_ALREADY_ASSOCIATED, STATUS_SHARING_VIOLATION};
use crate::hooks;
use crate::state;
use core::net::{IpAddr, Ipv4Addr};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_intercept::export::Module;
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_SUCCESS, STATUS_UNSUCCESSFUL};
use pinion_nt::{HANDLE, NTSTATUS};

/// `AF_INET`, `SOCK_DGRAM`, each an `int`.
const INET_DATAGRAMS: [u8; 8] = [2, 0, 0, 0, 2, 0, 0, 0];

/// `wine_server_handle_to_fd` (wine/server.h): a Unix descriptor of the
/// caller's own for a handle.
type ToDescriptor = unsafe extern "system" fn(HANDLE, u32, *mut i32, *mut u32) -> NTSTATUS;

/// Binds `socket` to `address`; `None` when Wine's own way is right.
pub(super) fn bind(socket: HANDLE, address: &Sockaddr) -> Option<NTSTATUS> {
    let Some(IpAddr::V4(ip)) = address.ip() else {
        return None;
    };
    if ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST {
        return None;
    }
    let to_descriptor = to_descriptor()?;
    let mut info = [0; 12];
    if Control::of(socket, GET_INFO).ask(&[], &mut info) != STATUS_SUCCESS
        || !info.starts_with(&INET_DATAGRAMS)
    {
        return None;
    }
    let (mut descriptor, mut options) = (-1, 0);
    // SAFETY: the pointers are to locals.
    let status = unsafe { to_descriptor(socket, 0, &raw mut descriptor, &raw mut options) };
    if status != STATUS_SUCCESS {
        return Some(status);
    }
    let bound = linux_bind(descriptor, address);
    // SAFETY: closes the descriptor that was made above and nothing else.
    unsafe { linux(CLOSE, descriptor, core::ptr::null(), 0) };
    if bound == STATUS_SUCCESS {
        // No buffers and no address: `afd_sendmsg_params` of zeros.
        Control::of(socket, SEND).ask(&[0; 32], &mut []);
    }
    Some(bound)
}

fn linux_bind(descriptor: i32, address: &Sockaddr) -> NTSTATUS {
    // Linux lays a sockaddr_in out as Winsock does, with the same family.
    let bytes = address.as_bytes();
    // SAFETY: the pointer and length are of a slice, which Linux only reads.
    match unsafe { linux(BIND, descriptor, bytes.as_ptr(), bytes.len()) } {
        0 => STATUS_SUCCESS,
        EACCES => STATUS_ACCESS_DENIED,
        EINVAL => STATUS_ADDRESS_ALREADY_ASSOCIATED,
        EADDRINUSE => STATUS_SHARING_VIOLATION,
        _ => STATUS_UNSUCCESSFUL,
    }
}

const CLOSE: isize = 3;
const BIND: isize = 49;
const EACCES: isize = -13;
const EINVAL: isize = -22;
const EADDRINUSE: isize = -98;

/// A system call of Linux on x86-64.
///
/// # Safety
/// The process must run on Linux, and the call must be sound.
unsafe fn linux(number: isize, descriptor: i32, data: *const u8, size: usize) -> isize {
    let result;
    // SAFETY: the caller's promise; Linux keeps all registers but these.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") isize::try_from(descriptor).unwrap_or(-1),
            in("rsi") data,
            in("rdx") size,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result
}

/// Wine's way to a descriptor, on a Wine with the fault on Linux.
fn to_descriptor() -> Option<ToDescriptor> {
    const UNKNOWN: u64 = 0;
    const NONE: u64 = 1;
    static FOUND: AtomicU64 = AtomicU64::new(UNKNOWN);
    let mut found = FOUND.load(Ordering::Relaxed);
    if found == UNKNOWN {
        found = look().unwrap_or(NONE);
        FOUND.store(found, Ordering::Relaxed);
    }
    if found == NONE {
        return None;
    }
    // SAFETY: ntdll's export of that name has this type.
    Some(unsafe { core::mem::transmute::<usize, ToDescriptor>(found as usize) })
}

fn look() -> Option<u64> {
    let module = Module::new(hooks::ntdll())?;
    let at = |name: &[u8]| Some(state::boot().ntdll + u64::from(module.find(name)?));
    let version = at(b"wine_get_version")?;
    // SAFETY: ntdll's export of that name has this type.
    let version = unsafe {
        core::mem::transmute::<usize, extern "system" fn() -> *const u8>(version as usize)
    };
    // SAFETY: Wine returns a static string with a NUL at its end, such as "8.0".
    let start = unsafe { version().cast::<[u8; 2]>().read() };
    let old = matches!(start, [b'1'..=b'9', b'.']);
    let host = at(b"wine_get_host_version")?;
    // SAFETY: ntdll's export of that name has this type.
    let host = unsafe {
        core::mem::transmute::<usize, extern "system" fn(*mut *const u8, *mut *const u8)>(
            host as usize,
        )
    };
    let (mut name, mut release) = (core::ptr::null::<u8>(), core::ptr::null::<u8>());
    host(&raw mut name, &raw mut release);
    // SAFETY: Wine gives a static string with a NUL at its end, the kernel's
    // name by uname(2), of 5 bytes or more with its NUL ("Linux", "Darwin").
    let linux = !name.is_null() && unsafe { name.cast::<[u8; 5]>().read() } == *b"Linux";
    (old && linux)
        .then(|| at(b"wine_server_handle_to_fd"))
        .flatten()
}
