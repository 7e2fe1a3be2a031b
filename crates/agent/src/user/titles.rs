//! The mark before the titles of a VM's windows on the user's desktop.
//!
//! A title is set and told by what `DefWindowProc` does with a few messages, which
//! is where the mark is put and taken off: the program's own window procedure sees
//! its own titles. Only windows that lie on the desktop itself have a mark. Titles
//! of more than [`MOST`] units are left as they are, and on Windows those that
//! user32 keeps without `NtUserMessageCall` (never tried there).

use super::{guarded, kept, owners};
use crate::{guard, state};
use core::ffi::c_void;
use pinion_names::title;

/// `FNID_DEFWINDOWPROC`, the kind of call that `DefWindowProc` makes (ntuser.h of
/// Wine 8.0 and 10.0, which follows Windows').
pub(super) const DEF_WINDOW_PROC: u32 = 0x29e;

/// The most units of a title that is marked.
const MOST: usize = 300;
/// Room for a title with its mark.
const ROOM: usize = MOST + 64;

const WM_SETTEXT: u32 = 0x0c;
const WM_GETTEXT: u32 = 0x0d;
const WM_GETTEXTLENGTH: u32 = 0x0e;
const WM_NCCREATE: u32 = 0x81;

/// One unit of a string: UTF-16's, or a byte of the ANSI code page.
pub(super) trait Unit: Copy + PartialEq + Default {
    /// This unit of the mark; `None` where it has none of its kind.
    fn of(unit: u16) -> Option<Self>;
}

impl Unit for u16 {
    fn of(unit: u16) -> Option<Self> {
        Some(unit)
    }
}

impl Unit for u8 {
    fn of(unit: u16) -> Option<Self> {
        u8::try_from(unit).ok().filter(u8::is_ascii)
    }
}

/// Runs `work` with the VM's mark; `None` where there is none, or none of the kind.
fn with_mark<U: Unit, R>(work: impl FnOnce(&[U]) -> R) -> Option<R> {
    let mark = state::page().title_mark.as_units();
    let mut units = [U::default(); 64];
    for (place, unit) in units.iter_mut().zip(mark) {
        *place = U::of(*unit)?;
    }
    let mark = units.get(..mark.len())?;
    (!mark.is_empty()).then(|| work(mark))
}

/// The program's string at `at`, copied out; `None` where it is too long or bad.
fn read<U: Unit>(at: *const U, room: &mut [U; MOST]) -> Option<&[U]> {
    if at.is_null() {
        return None;
    }
    for length in 0..MOST {
        // SAFETY: the program's memory, under guard.
        let unit = unsafe { guard::read(at.wrapping_add(length)) }.ok()?;
        if unit == U::default() {
            return room.get(..length);
        }
        *room.get_mut(length)? = unit;
    }
    None
}

/// Whether the window lies on the desktop itself.
fn is_top(window: u64) -> bool {
    /// `GA_PARENT` (winuser.h).
    const PARENT: u32 = 1;
    type Ancestor = unsafe extern "system" fn(u64, u32) -> u64;
    // SAFETY: the kept stub takes a window and a number.
    let ancestor: Ancestor =
        unsafe { core::mem::transmute(kept(const { guarded::index("NtUserGetAncestor") })) };
    // SAFETY: takes numbers.
    owners::is_desktops(unsafe { ancestor(window, PARENT) })
}

/// `DefWindowProc`'s call of the kernel: the message, its two parameters, and what
/// it answers.
pub(super) type Call<'c> = &'c dyn Fn(u32, usize, isize) -> usize;

/// As `DefWindowProc` of a window of the VM's, in units of `U`.
pub(super) fn default<U: Unit>(
    window: u64,
    message: u32,
    first: usize,
    second: isize,
    call: Call<'_>,
) -> usize {
    let is_texts = matches!(
        message,
        WM_SETTEXT | WM_GETTEXT | WM_GETTEXTLENGTH | WM_NCCREATE
    );
    let done = (is_texts && is_top(window))
        .then(|| {
            with_mark::<U, _>(|mark| match message {
                WM_SETTEXT => set(mark, second as *const U, call),
                WM_GETTEXT => get(mark, first, second as *mut U, call),
                WM_GETTEXTLENGTH => Some(with_own(mark, call, <[U]>::len)?),
                _ => {
                    let result = call(message, first, second);
                    create(mark, call);
                    Some(result)
                }
            })
        })
        .flatten()
        .flatten();
    done.unwrap_or_else(|| call(message, first, second))
}

/// Sets the marked title.
fn set<U: Unit>(mark: &[U], text: *const U, call: Call<'_>) -> Option<usize> {
    let mut given = [U::default(); MOST];
    put(mark, read(text, &mut given)?, call)
}

fn put<U: Unit>(mark: &[U], title: &[U], call: Call<'_>) -> Option<usize> {
    // The last stays 0 and ends the string.
    let mut out = [U::default(); ROOM];
    title::mark(mark, title, out.get_mut(..ROOM - 1)?)?;
    Some(call(WM_SETTEXT, 0, out.as_ptr() as isize))
}

/// Marks the title that a window was made with.
fn create<U: Unit>(mark: &[U], call: Call<'_>) {
    with_own(mark, call, |title| {
        (!title.is_empty()).then(|| put(mark, title, call))
    });
}

/// Runs `work` with the title as the program gave it; `None` where it is too long.
fn with_own<U: Unit, R>(mark: &[U], call: Call<'_>, work: impl FnOnce(&[U]) -> R) -> Option<R> {
    let mut room = [U::default(); ROOM];
    let length = call(WM_GETTEXT, ROOM, room.as_mut_ptr() as isize);
    let title = room.get(..length).filter(|_| length < ROOM - 1)?;
    Some(work(title::unmark(mark, title)))
}

/// Tells the title without its mark.
fn get<U: Unit>(mark: &[U], room: usize, text: *mut U, call: Call<'_>) -> Option<usize> {
    with_own(mark, call, |title| tell(title, room, text))?
}

/// Writes as much of a title as there is room for, and its end.
fn tell<U: Unit>(title: &[U], room: usize, text: *mut U) -> Option<usize> {
    let length = title.len().min(room.checked_sub(1)?);
    // SAFETY: the program's memory, under guard.
    unsafe {
        guard::copy(
            text.cast::<c_void>(),
            title.as_ptr().cast(),
            length * size_of::<U>(),
        )
        .ok()?;
        guard::write(text.wrapping_add(length), U::default()).ok()?;
    }
    Some(length)
}

/// As `NtUserInternalGetWindowText`, which tells a title without asking the window.
pub(super) fn internal(
    window: u64,
    text: *mut u16,
    room: i32,
    call: impl Fn(*mut u16, i32) -> i32,
) -> i32 {
    let told = (room > 0)
        .then(|| with_told(window, &call, |title| tell(title, room as usize, text)))
        .flatten();
    told.flatten()
        .map_or_else(|| call(text, room), |length| length as i32)
}

/// The length of what [`internal`] tells; `None` where the kernel's is right.
pub(super) fn length(window: u64, call: impl Fn(*mut u16, i32) -> i32) -> Option<u64> {
    with_told(window, &call, |title| title.len() as u64)
}

/// Runs `work` with the title that `call` tells, without the mark.
fn with_told<R>(
    window: u64,
    call: &impl Fn(*mut u16, i32) -> i32,
    work: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    with_mark::<u16, _>(|mark| {
        if !is_top(window) {
            return None;
        }
        let mut own = [0; ROOM];
        let length = usize::try_from(call(own.as_mut_ptr(), ROOM as i32)).ok()?;
        let title = own.get(..length).filter(|_| length < ROOM - 1)?;
        Some(work(title::unmark(mark, title)))
    })?
}

/// Runs `work` with the marked form of a title that is looked for; `None` where it
/// has none.
pub(super) fn with_marked<R>(title: &[u16], work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let mut out = [0; ROOM];
    with_mark::<u16, _>(|mark| title::mark(mark, title, &mut out).map(work))?
}
