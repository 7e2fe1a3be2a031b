//! A service DLL for `svchost.exe -k`, in the shape of a web server of many
//! processes: the service owns the request queue, keeps a number of workers that
//! have inherited it, starts another where one has ended, and is controlled by a
//! named pipe. Started without arguments it only runs, so that a group can have a
//! second service.
//!
//! Arguments of StartService: the URL prefix, the text of answers, the worker's
//! program, and how many requests a worker answers before another takes its place.
#![cfg(windows)]

mod control;
mod status;

use pinion_test_programs::http::{Bound, Failed};
use pinion_test_programs::score::{Board, WORKERS, board};
use std::process::{Child, Command};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::Duration;
use windows_sys::core::PWSTR;

/// A stop was asked for, by whoever.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// What svchost calls in a thread of its own.
///
/// # Safety
/// `vector` points to `count` zero-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn ServiceMain(count: u32, vector: *mut PWSTR) {
    // SAFETY: the caller's promise.
    let arguments = unsafe { strings(count, vector) };
    let Some(status) = status::Status::register(&arguments[0]) else {
        return;
    };
    let [prefix, text, program, most] = &arguments[1..] else {
        status.running();
        status.wait_for_stop();
        return status.stopped(0);
    };
    let result = serve(&status, prefix, text, program, most);
    status.stopped(result.err().map_or(0, |failed| failed.error));
}

fn serve(
    status: &status::Status,
    prefix: &str,
    text: &str,
    program: &str,
    most: &str,
) -> Result<(), Failed> {
    let bound = Bound::version_2(prefix, Some("pinion-web"))?;
    let board = board(true).map_err(|error| Failed {
        step: "board",
        error,
    })?;
    let queue = bound.queue.number().to_string();
    let start = |place: usize| {
        board.started.fetch_add(1, SeqCst);
        Command::new(program)
            .args([&queue, &place.to_string(), most, text])
            .spawn()
            .ok()
    };
    control::serve(board);
    let mut workers: Vec<Option<Child>> = (0..WORKERS).map(start).collect();
    status.running();
    while !status.is_stopping() && !STOP.load(SeqCst) {
        for (place, worker) in workers.iter_mut().enumerate() {
            let ended = worker
                .as_mut()
                .is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended {
                *worker = start(place);
            }
        }
        sleep(Duration::from_millis(30));
    }
    for worker in workers.iter_mut().flatten() {
        let _ = worker.kill();
        let _ = worker.wait();
    }
    bound.remove(prefix)?;
    bound.queue.close()
}

/// What the board says, for the control pipe.
pub(crate) fn told(board: &Board) -> serde_json::Value {
    let places: Vec<_> = board
        .places
        .iter()
        .map(|place| [place.pid.load(SeqCst), place.answered.load(SeqCst)])
        .collect();
    serde_json::json!({
        "service": std::process::id(),
        "generation": board.generation.load(SeqCst),
        "started": board.started.load(SeqCst),
        "places": places,
    })
}

/// # Safety
/// `vector` points to `count` zero-terminated strings.
unsafe fn strings(count: u32, vector: *mut PWSTR) -> Vec<String> {
    let string = |index: usize| {
        // SAFETY: the caller's promise.
        unsafe {
            let text = *vector.add(index);
            let length = (0..).take_while(|&at| *text.add(at) != 0).count();
            String::from_utf16_lossy(std::slice::from_raw_parts(text, length))
        }
    };
    (0..count as usize).map(string).collect()
}
