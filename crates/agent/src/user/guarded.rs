//! Calls that name a window or a thread by its number: each is asked for before
//! the system call, by one piece of code for all of them. And calls that are
//! refused whatever their arguments.
//!
//! Which argument names what is in `pinion_policy::user`, what is refused in
//! `pinion_policy::refused`. A call is entered by a
//! few bytes of its own that tell which it is; the arguments stay where they
//! are, so that nothing need be known of the others.

use super::{Hook, desktop, kept, owners, screen, set_last_error, station};
use crate::hooks::allocate;
use crate::{entry, guard, state, trace};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_intercept::jump;
use pinion_nt::PAGE_EXECUTE_READ;
use pinion_policy::refused::{REFUSED, Refused};
use pinion_policy::user::{self, GUARDED, Guarded, Named};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// Bytes of an entry: `mov eax, index` and a jump.
const ENTRY: usize = 24;
const _: () = assert!(5 + jump::LENGTH <= ENTRY);

/// Where the entries are.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// The calls, in the order of their kept stubs.
pub(super) fn hooks() -> impl Iterator<Item = Hook<'static>> {
    let entries = ENTRIES.load(Ordering::Relaxed);
    let names = GUARDED.iter().map(|call| call.name);
    let all = names.chain(REFUSED.iter().map(|call| call.name));
    all.enumerate().map(move |(index, name)| Hook {
        name: name.as_bytes(),
        kept: kept(index),
        entry: entries + (index * ENTRY) as u64,
    })
}

/// How many kept stubs there are.
pub(super) const COUNT: usize = GUARDED.len() + REFUSED.len();

/// The place of a guarded call's kept stub among all. To be asked in a `const`
/// block, where a name that is not there does not compile.
pub(super) const fn index(name: &str) -> usize {
    let mut at = 0;
    while !same(GUARDED[at].name.as_bytes(), name.as_bytes()) {
        at += 1;
    }
    at
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// Writes the entries, once in a process.
pub(super) fn prepare() -> Option<()> {
    if ENTRIES.load(Ordering::Relaxed) != 0 {
        return Some(());
    }
    let size = COUNT * ENTRY;
    let base = allocate(size)?;
    for index in 0..COUNT {
        let mut code = [0xcc_u8; ENTRY];
        let (head, rest) = code.split_first_chunk_mut::<5>()?;
        let number = u32::try_from(index).ok()?.to_le_bytes();
        *head = [0xb8, number[0], number[1], number[2], number[3]];
        rest.get_mut(..jump::LENGTH)?
            .copy_from_slice(&jump::encode(enter as *const () as u64));
        // SAFETY: the region has room for every entry.
        unsafe { core::ptr::copy_nonoverlapping(code.as_ptr(), base.add(index * ENTRY), ENTRY) };
    }
    entry::protect(base as u64, size, PAGE_EXECUTE_READ)?;
    ENTRIES.store(base as u64, Ordering::Relaxed);
    Some(())
}

/// Entered from an entry with the call's number in `eax` and all else as the
/// program gave it: goes on in the kept stub, or returns the refusal.
///
/// # Safety
/// Only the entries may jump here.
#[unsafe(naked)]
unsafe extern "system" fn enter() {
    core::arch::naked_asm!(
        "push rcx",
        "push rdx",
        "push r8",
        "push r9",
        "push rax",
        "mov ecx, eax",
        "mov rdx, rsp",
        "sub rsp, 32",
        "call {judge}",
        "add rsp, 32",
        "pop rcx",
        "test rax, rax",
        "jz 2f",
        "mov r11, rax",
        "pop r9",
        "pop r8",
        "pop rdx",
        "pop rcx",
        "jmp r11",
        "2:",
        "add rsp, 32",
        "sub rsp, 40",
        "call {refusal}",
        "add rsp, 40",
        "ret",
        judge = sym judge,
        refusal = sym refusal,
    );
}

/// The call of this number.
///
/// # Errors
/// One that is refused whatever its arguments.
fn call(index: u32) -> Result<&'static Guarded, &'static Refused> {
    let index = index as usize;
    GUARDED.get(index).ok_or_else(|| {
        let last = REFUSED.len() - 1;
        &REFUSED[(index - GUARDED.len()).min(last)]
    })
}

/// The address of the kept stub, or 0 when the call is refused. `saved` is what
/// [`enter`] pushed.
extern "system" fn judge(index: u32, saved: *const u64) -> u64 {
    if state::watches() {
        return watched(index, saved);
    }
    let call = match call(index) {
        Ok(call) => call,
        Err(refused) => {
            Tally::count(&state::tally().refused);
            trace::of_call(refused.name);
            set_last_error(refused.error);
            return 0;
        }
    };
    station::ensure();
    for &(at, named) in call.arguments {
        // SAFETY: every argument of the call is on its stack or was pushed.
        let value = |at: u8| unsafe { argument(saved, at) };
        let passes = match named {
            Named::Window => {
                owners::may_name(value(at)) || desktop::may_ask(call.name, at, value(at), value)
            }
            Named::Thread => owners::may_name_thread(value(at)),
            Named::Process => owners::may_name_process(value(at)),
            Named::Owner => !user::is_owner_index(value(at - 1)) || owners::may_name(value(at)),
            Named::Pixels => screen::may_read(value(at)),
            Named::WindowAt8 => {
                let place = value(at).wrapping_add(8) as *const u64;
                // SAFETY: plain data; a bad pointer is a return value, and the
                // kernel's affair.
                unsafe { guard::read(place) }.map_or(true, owners::may_name)
            }
        };
        if trace::is_on() {
            // SAFETY: every argument of the call is on its stack or was pushed.
            let number = unsafe { argument(saved, at) };
            let verdict = if passes {
                Verdict::Member
            } else {
                Verdict::Absent
            };
            owners::tell(call.name, named, number, verdict);
        }
        if !passes && named == Named::Pixels {
            Tally::count(&state::tally().refused);
            trace::of_call(call.name);
        }
        if !passes {
            set_last_error(user::error(named));
            return 0;
        }
    }
    desktop::is_shared()
        .then(|| desktop::instead(index as usize))
        .flatten()
        .unwrap_or_else(|| kept(index as usize))
}

/// The address of the kept stub of a call that is only recorded.
#[cold]
fn watched(index: u32, saved: *const u64) -> u64 {
    if trace::is_on()
        && let Ok(call) = call(index)
    {
        for &(at, named) in call.arguments {
            // SAFETY: every argument of the call is on its stack or was pushed.
            let number = unsafe { argument(saved, at) };
            owners::tell(call.name, named, number, Verdict::Host);
        }
    }
    kept(index as usize)
}

/// What the refused call returns.
extern "system" fn refusal(index: u32) -> u64 {
    call(index).map_or_else(|refused| refused.answer, |call| call.refusal)
}

/// An argument of the call, counted from 0.
///
/// # Safety
/// `saved` must be what `enter` pushed: the number, r9, r8, rdx, rcx; above them
/// are the return address, the home of four registers, and the other arguments
/// (the x64 calling convention).
unsafe fn argument(saved: *const u64, at: u8) -> u64 {
    let word = match at {
        0 => 4,
        1 => 3,
        2 => 2,
        3 => 1,
        at => 6 + usize::from(at),
    };
    // SAFETY: the caller's promise.
    unsafe { saved.add(word).read() }
}
