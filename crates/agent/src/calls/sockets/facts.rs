//! What the process asked of each of its sockets, by handle.
//!
//! Two words a socket, in blocks that the process allocates as its handles
//! grow and keeps. A word is read and written at once, so no lock is needed.
//! A new socket clears its facts. A handle that came otherwise (inherited,
//! duplicated) has none, or those of the socket that had the value before it:
//! then only the reported name is wrong, never what is reached.

use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use pinion_names::socket::Asked;
use pinion_nt::calls::NtAllocateVirtualMemory;
use pinion_nt::{CURRENT_PROCESS, HANDLE, MEM_COMMIT_RESERVE, PAGE_READWRITE};

/// Sockets of one block: 64 KiB of memory.
const SOCKETS: usize = 4096;
/// Handle values beyond these blocks have no facts.
const BLOCKS: usize = 64;

/// The word holds an address that was asked for, in the bits of [`Asked`].
const ASKED: u64 = 1 << 33;
/// The socket is bound.
const BOUND: u64 = 1 << 34;
/// The program bound it to any address and port, and nothing has told yet
/// whether it serves inside or calls out.
const OPEN: u64 = 1 << 35;
/// It is of IPv6 and the program wanted no IPv4 on it.
const SIX_ONLY: u64 = 1 << 36;
/// It is of IPv6.
const SIX: u64 = 1 << 37;
/// The port, where the program chose it.
const PORT: u32 = 48;

#[repr(C)]
struct Words {
    local: AtomicU64,
    peer: AtomicU64,
}

static BLOCK: [AtomicPtr<Words>; BLOCKS] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; BLOCKS];
/// How many sockets are open in the sense of [`OPEN`], or were when they were
/// closed.
static UNDECIDED: AtomicU32 = AtomicU32::new(0);

/// What is known of a socket's own side.
#[derive(Clone, Copy, Default)]
pub(super) struct Local {
    /// The address that the program bound it to.
    pub(super) asked: Option<Asked>,
    pub(super) bound: bool,
    pub(super) open: bool,
    pub(super) six: bool,
    pub(super) six_only: bool,
    pub(super) port: u16,
}

impl Local {
    fn to_word(self) -> u64 {
        let flag = |set: bool, bit: u64| if set { bit } else { 0 };
        word(self.asked)
            | flag(self.bound, BOUND)
            | flag(self.open, OPEN)
            | flag(self.six, SIX)
            | flag(self.six_only, SIX_ONLY)
            | u64::from(self.port) << PORT
    }

    fn from_word(word: u64) -> Self {
        Self {
            asked: asked(word),
            bound: word & BOUND != 0,
            open: word & OPEN != 0,
            six: word & SIX != 0,
            six_only: word & SIX_ONLY != 0,
            port: (word >> PORT) as u16,
        }
    }
}

fn word(asked: Option<Asked>) -> u64 {
    asked.map_or(0, |asked| asked.to_bits() | ASKED)
}

fn asked(word: u64) -> Option<Asked> {
    (word & ASKED != 0).then(|| Asked::from_bits(word))
}

/// The words of `socket`; `None` when it has none and `make` is false, or none
/// can be had.
fn words(socket: HANDLE, make: bool) -> Option<&'static Words> {
    let index = socket as usize / 4;
    let block = BLOCK.get(index / SOCKETS)?;
    let mut base = block.load(Ordering::Acquire);
    if base.is_null() {
        if !make {
            return None;
        }
        let fresh = allocate()?;
        let order = Ordering::AcqRel;
        base = match block.compare_exchange(base, fresh, order, Ordering::Acquire) {
            Ok(_) => fresh,
            // Another thread was first; the fresh block is left unused.
            Err(other) => other,
        };
    }
    // SAFETY: a block has SOCKETS zeroed entries, is never freed, and zeroed
    // atomics are valid.
    Some(unsafe { &*base.add(index % SOCKETS) })
}

fn allocate() -> Option<*mut Words> {
    let (mut base, mut size) = (
        core::ptr::null_mut::<c_void>(),
        SOCKETS * size_of::<Words>(),
    );
    // SAFETY: the pointers are to locals; a new region is made.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT_RESERVE,
            PAGE_READWRITE,
        )
    };
    (status >= 0).then_some(base.cast())
}

/// What is known of the own side of `socket`.
pub(super) fn local(socket: HANDLE) -> Local {
    words(socket, false).map_or_else(Local::default, |words| {
        Local::from_word(words.local.load(Ordering::Relaxed))
    })
}

/// Notes the own side of `socket`; `false` when there is no room for it.
pub(super) fn set_local(socket: HANDLE, local: Local) -> bool {
    let Some(words) = words(socket, true) else {
        return false;
    };
    let before = words.local.swap(local.to_word(), Ordering::Relaxed);
    match (before & OPEN != 0, local.open) {
        (true, false) => UNDECIDED.fetch_sub(1, Ordering::Relaxed),
        (false, true) => UNDECIDED.fetch_add(1, Ordering::Relaxed),
        _ => 0,
    };
    true
}

/// Whether any socket of the process is undecided.
pub(super) fn any_open() -> bool {
    UNDECIDED.load(Ordering::Relaxed) != 0
}

/// The address that the program connected `socket` to.
pub(super) fn peer(socket: HANDLE) -> Option<Asked> {
    asked(words(socket, false)?.peer.load(Ordering::Relaxed))
}

/// Notes the address that the program connects `socket` to.
pub(super) fn set_peer(socket: HANDLE, asked: Option<Asked>) {
    if let Some(words) = words(socket, asked.is_some()) {
        words.peer.store(word(asked), Ordering::Relaxed);
    }
}

/// Forgets what was known of a handle that is a new socket now.
pub(super) fn clear(socket: HANDLE) {
    if words(socket, false).is_some() {
        set_local(socket, Local::default());
        set_peer(socket, None);
    }
}

/// Whether a socket of this process is bound to `port` that is of the other IP
/// version than `six` and leaves that version alone.
pub(super) fn other_version_has(port: u16, six: bool) -> bool {
    BLOCK.iter().any(|block| {
        let base = block.load(Ordering::Acquire);
        !base.is_null()
            && (0..SOCKETS).any(|index| {
                // SAFETY: as in `words`.
                let word = unsafe { &*base.add(index) };
                let held = Local::from_word(word.local.load(Ordering::Relaxed));
                held.bound && held.port == port && held.six != six && (held.six_only || !held.six)
            })
    })
}
