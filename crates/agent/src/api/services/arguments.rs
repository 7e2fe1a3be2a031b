//! The thread of a `ServiceMain` and its arguments: one heap block with the
//! pointers in front and the strings behind them.

use super::call::Result;
use super::table::Service;
use crate::api::heap::Block;
use core::ffi::c_void;
use pinion_nt::CURRENT_PROCESS;
use pinion_nt::calls::{NtClose, RtlCreateUserThread, RtlUnicodeToMultiByteN};
use windows_sys::Win32::Foundation::{ERROR_NOT_ENOUGH_MEMORY, ERROR_SERVICE_NO_THREAD};

/// What the thread is given, at the start of its block.
#[repr(C)]
struct Task {
    main: *const c_void,
    count: u32,
    // `count` pointers, a null one, and the strings follow.
}

/// `SERVICE_MAIN_FUNCTION`, of either width.
type Main = unsafe extern "system" fn(u32, *mut *mut c_void);

/// Runs the service's main function in a thread of its own. `name` and the
/// strings of `list` are UTF-16 little-endian bytes; `list`'s end with a zero.
pub(super) fn run(service: &Service, name: &[u8], list: &[u8]) -> Result<()> {
    let count = 1 + texts(list).count();
    let pointers = size_of::<Task>() + (count + 1) * size_of::<usize>();
    let room = pointers + name.len() + 2 + list.len() + 2;
    let mut block = Block::new(room).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let bytes = block.bytes();
    let start = bytes.as_mut_ptr();
    let mut at = pointers;
    for (index, text) in core::iter::once(name).chain(texts(list)).enumerate() {
        let place = bytes.get_mut(at..).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
        let length = put(text, place, service.ansi).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
        // SAFETY: the block has `count + 1` pointers after the task; the last
        // one stays null.
        unsafe {
            let pointer = start.add(size_of::<Task>() + index * size_of::<usize>());
            pointer.cast::<*mut u8>().write(start.add(at));
        }
        at += length;
    }
    let task = Task {
        main: service.main,
        count: u32::try_from(count).map_err(|_| ERROR_NOT_ENOUGH_MEMORY)?,
    };
    // SAFETY: the block begins with room for the task and is aligned for it.
    unsafe { start.cast::<Task>().write(task) };
    spawn(block)
}

/// The strings of a list of strings that each end with a zero unit.
fn texts(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    core::iter::from_fn(move || {
        let units = rest.chunks_exact(2);
        let length = 2 * units.take_while(|unit| *unit != [0, 0]).count();
        let text = rest.get(..length)?;
        // No zero behind it: the list is over.
        rest = rest.get(length + 2..)?;
        Some(text)
    })
}

/// Writes a string with its zero; the bytes used.
fn put(text: &[u8], place: &mut [u8], ansi: bool) -> Option<usize> {
    if !ansi {
        place.get_mut(..text.len())?.copy_from_slice(text);
        // The block is zero: the string's own zero is there already.
        return (text.len() + 2 <= place.len()).then_some(text.len() + 2);
    }
    let mut written = 0;
    // SAFETY: both sides have the sizes told. The source may be unaligned,
    // which x64 does not mind.
    unsafe {
        RtlUnicodeToMultiByteN(
            place.as_mut_ptr(),
            u32::try_from(place.len().checked_sub(1)?).ok()?,
            &raw mut written,
            text.as_ptr().cast(),
            u32::try_from(text.len()).ok()?,
        );
    }
    Some(written as usize + 1)
}

fn spawn(block: Block) -> Result<()> {
    let raw = block.into_raw();
    let mut thread = core::ptr::null_mut();
    // SAFETY: a thread of this process; it owns the block from here on.
    let status = unsafe {
        RtlCreateUserThread(
            CURRENT_PROCESS,
            core::ptr::null(),
            0,
            0,
            0,
            0,
            main as *const c_void,
            raw,
            &raw mut thread,
            core::ptr::null_mut(),
        )
    };
    if status < 0 {
        // SAFETY: no thread has it.
        drop(unsafe { Block::from_raw(raw) });
        return Err(ERROR_SERVICE_NO_THREAD);
    }
    // SAFETY: the handle is this function's own.
    unsafe { NtClose(thread) };
    Ok(())
}

/// The thread: calls the program's main function.
unsafe extern "system" fn main(raw: *mut c_void) -> u32 {
    // SAFETY: `run` wrote a task and its pointers to the block that it gave.
    unsafe {
        let task = raw.cast::<Task>();
        let main: Main = core::mem::transmute((*task).main);
        main((*task).count, task.add(1).cast());
        drop(Block::from_raw(raw));
    }
    0
}
