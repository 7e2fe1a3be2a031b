//! What the helper does with a watch, under the table's lock for moments only.

use super::table::with;
use super::watched::{RAW, Room, SOURCES, STATUS_NOTIFY_ENUM_DIR, State};
use super::{STATUS_CANCELLED, raw, sift};
use crate::hooks::kept;
use pinion_nt::{IO_STATUS_BLOCK, NTSTATUS};

/// Has the kernel tell of all sources.
pub(super) fn start(number: usize) {
    with(|table| {
        let watch = table.watches.get_mut(number)?;
        for source in 0..SOURCES {
            watch.ask(number, source);
        }
        Some(())
    });
}

/// Lets go of the sources of a watch that ends.
pub(super) fn end(number: usize) {
    with(|table| {
        let watch = table.watches.get_mut(number)?;
        for (source, handle) in watch.sources.into_iter().enumerate() {
            if watch.asked.get(source) == Some(&true) {
                let mut io = raw::block();
                // SAFETY: the agent's own handle and blocks.
                unsafe {
                    let asked = (&raw mut (*watch.room).io).cast::<IO_STATUS_BLOCK>();
                    kept::NtCancelIoFileEx(handle, asked.add(source), &raw mut io);
                }
            }
        }
        watch.let_go();
        Some(())
    });
}

/// The kernel has told `bytes` of records of a source, or failed to.
pub(super) fn records(number: usize, source: usize, status: NTSTATUS, bytes: usize) {
    let Some((room, path)) = with(|table| {
        let watch = table.watches.get_mut(number)?;
        *watch.asked.get_mut(source)? = false;
        if watch.state == State::Ending {
            watch.let_go();
        }
        (watch.state == State::Live).then_some((watch.room, watch.path))
    })
    .flatten() else {
        return;
    };
    if status == 0 && bytes > 0 {
        sift(number, source, room, (path, bytes / 2));
    }
    with(|table| {
        let watch = table.watches.get_mut(number)?;
        if watch.state != State::Live {
            return None;
        }
        if status < 0 && status != STATUS_CANCELLED {
            watch.end_all(status);
            return None;
        }
        // More has changed than the kernel could tell.
        watch.lost |= status == STATUS_NOTIFY_ENUM_DIR || status == 0 && bytes == 0;
        watch.deliver();
        watch.ask(number, source);
        Some(())
    });
}

fn sift(number: usize, source: usize, room: *mut Room, (path, units): (usize, usize)) {
    // SAFETY: the room is never freed; while the watch is live its path
    // stays, and only the helper, which this is, has to do with the sieve
    // and with records that the kernel has handed over.
    let (path, records, sieve) = unsafe {
        let text = (&raw const (*room).path).cast::<u16>();
        let records = (&raw const (*room).raw).cast::<[u16; RAW]>().add(source);
        (
            core::slice::from_raw_parts(text, path),
            &*records,
            &mut (*room).sieve,
        )
    };
    let records = records.get(..units).unwrap_or(records);
    let tell = |action, name: [&[u16]; 2]| {
        with(|table| {
            if let Some(watch) = table.watches.get_mut(number) {
                watch.add(action, &name);
            }
        });
    };
    if source == 0 {
        sift::upper(records, path, sieve, tell);
    } else {
        sift::host(records, path, tell);
    }
}
